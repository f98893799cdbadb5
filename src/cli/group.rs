//! `piquet group …`

use clap::Subcommand;

use super::{Context, ask};
use crate::control::{Failure, Reply, Request};

#[derive(Subcommand)]
pub(super) enum Group {
    /// Make a draft: a group that you alone admit to and remove from.
    Create {
        /// Its name.
        name: String,
        /// Use the hybrid post-quantum suite (larger messages, about 30 members; not changeable later).
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
        /// Don't ask for confirmation where nobody could admit or remove any more.
        #[arg(long)]
        yes: bool,
    },
}

impl Group {
    pub(super) fn run(self, context: &Context) -> Result<(), Failure> {
        if let Self::Leave { group, yes: false } = &self {
            confirm_leaving(group, context)?;
        }
        context.ask(self.request())
    }

    fn request(self) -> Request {
        match self {
            Self::Create { name, hybrid } => Request::GroupCreate { name, hybrid },
            Self::List => Request::GroupList,
            Self::Show { group } => Request::GroupShow { group },
            Self::Members { group } => Request::GroupMembers { group },
            Self::Remove { group, member } => Request::GroupRemove { group, member },
            Self::Leave { group, .. } => Request::GroupLeave { group },
        }
    }
}

/// A draft whose founder leaves goes on talking, but admits and removes nobody any more.
fn confirm_leaving(group: &str, context: &Context) -> Result<(), Failure> {
    let mut orphaned = None;
    context.in_group(Request::GroupShow { group: group.to_owned() }, |reply| {
        if let Reply::Group { name, role, members, .. } = reply {
            orphaned = (role == "keyholder" && *members > 1).then(|| name.clone());
        }
        true
    })?;
    match orphaned {
        Some(name) => ask::confirm(context, "leave-question", &[("name", &name)], "leave"),
        None => Ok(()),
    }
}
