//! `piquet group …`

use clap::Subcommand;

use crate::control::Request;

#[derive(Subcommand)]
pub(super) enum Group {
    /// Make a draft: a group that you alone admit to and remove from.
    Create {
        /// Its name.
        name: String,
        /// Use the hybrid post-quantum suite (larger messages; not changeable later).
        #[arg(long)]
        hybrid: bool,
    },
    /// List your groups.
    List,
    /// Show a group.
    Show {
        /// Name, id, or a unique prefix of either.
        group: String,
    },
    /// List a group's members: who let whom in, and who was last heard when.
    Members {
        /// Name, id, or a unique prefix of either.
        group: String,
    },
    /// Put a member out at once, and change the keys. What they could read until then, assume copied.
    Remove {
        /// Name, id, or a unique prefix of either.
        group: String,
        /// Name, id, or a unique prefix of either.
        member: String,
    },
    /// Leave a group.
    Leave {
        /// Name, id, or a unique prefix of either.
        group: String,
    },
}

impl Group {
    pub(super) fn request(self) -> Request {
        match self {
            Self::Create { name, hybrid } => Request::GroupCreate { name, hybrid },
            Self::List => Request::GroupList,
            Self::Show { group } => Request::GroupShow { group },
            Self::Members { group } => Request::GroupMembers { group },
            Self::Remove { group, member } => Request::GroupRemove { group, member },
            Self::Leave { group } => Request::GroupLeave { group },
        }
    }
}
