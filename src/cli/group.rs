//! `piquet group …`

use clap::{Subcommand, ValueEnum};

use super::{Context, ask};
use crate::control::request::{self, DecisionRequest, Verify};
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
    /// Compare with a member you meet whether its device in the group is the one in front of you.
    Verify {
        /// Name, id, or a unique prefix of either.
        group: String,
        /// Name, id, or a unique prefix of either.
        member: String,
        /// The words that the other has read aloud.
        #[arg(long, value_name = "WORDS")]
        heard: Option<String>,
        /// Tell the group that you vouch for whom you have met: then they stay even if who let them in is put out.
        #[arg(long)]
        vouch: bool,
        /// Take the mark off.
        #[arg(long, conflicts_with_all = ["heard", "vouch"])]
        forget: bool,
    },
    /// Put a member out at once, and change the keys. What they could read until then, assume copied.
    Remove {
        /// Name, id, or a unique prefix of either.
        group: String,
        /// Name, id, or a unique prefix of either.
        member: String,
    },
    /// Make a group of your draft: those named hold its keys with you, once each of them has agreed.
    Found {
        /// Name, id, or a unique prefix of either.
        group: String,
        /// Who is to hold the keys beside you; at least one, better four.
        #[arg(long = "keyholder", required = true, value_name = "MEMBER")]
        keyholders: Vec<String>,
        /// The rules it starts with; a majority changes them.
        #[arg(long, value_enum, default_value = "collective")]
        template: Template,
    },
    /// Propose to put members out for good. A majority decides.
    Expel {
        /// Name, id, or a unique prefix of either.
        group: String,
        /// Names, ids, or unique prefixes of either.
        #[arg(required = true)]
        members: Vec<String>,
        /// Let everybody on the roll decide, not the key-holders.
        #[arg(long)]
        roll: bool,
    },
    /// Propose that members vote where the roll decides. A majority decides.
    Enrol {
        /// Name, id, or a unique prefix of either.
        group: String,
        /// Names, ids, or unique prefixes of either.
        #[arg(required = true)]
        members: Vec<String>,
        /// Let everybody on the roll decide, not the key-holders.
        #[arg(long)]
        roll: bool,
    },
    /// Propose that a member holds the keys, or does not any more. A majority decides; your own office you give back at once.
    Role {
        /// Name, id, or a unique prefix of either.
        group: String,
        /// Name, id, or a unique prefix of either; `me` for yourself.
        member: String,
        /// Which.
        #[arg(value_enum)]
        role: Role,
        /// Let everybody on the roll decide, not the key-holders.
        #[arg(long)]
        roll: bool,
    },
    /// Propose another rule. A majority decides.
    Rule {
        /// Name, id, or a unique prefix of either.
        group: String,
        /// `admit`, `few`, `wait` or `chat`.
        key: String,
        /// admit: `keyholder`, `member`, or how many must vouch; few: 1 or 2 key-holders remove; wait: days before somebody is enrolled; chat: days that messages are kept, or `forever`.
        value: String,
        /// Let everybody on the roll decide, not the key-holders.
        #[arg(long)]
        roll: bool,
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

/// What somebody is in a group.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Role {
    Keyholder,
    Member,
}

/// The rules a group starts with.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Template {
    Circle,
    Collective,
    Council,
}

impl From<Template> for request::Template {
    fn from(template: Template) -> Self {
        match template {
            Template::Circle => Self::Circle,
            Template::Collective => Self::Collective,
            Template::Council => Self::Council,
        }
    }
}

fn decide(group: String, decision: DecisionRequest, roll: bool) -> Request {
    Request::GroupDecide { group, decision, roll }
}

fn role(group: String, member: String, role: Role, roll: bool) -> Request {
    match role {
        Role::Keyholder => decide(group, DecisionRequest::Promote { member }, roll),
        Role::Member if member == "me" => Request::GroupResign { group },
        Role::Member => decide(group, DecisionRequest::Demote { member }, roll),
    }
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
            Self::Verify { group, member, heard, vouch, forget } => {
                Request::GroupVerify { group, member, wish: Verify { heard, vouch, forget } }
            }
            Self::Remove { group, member } => Request::GroupRemove { group, member },
            Self::Found { group, keyholders, template } => {
                Request::GroupFound { group, keyholders, template: template.into() }
            }
            Self::Expel { group, members, roll } => decide(group, DecisionRequest::Expel { members }, roll),
            Self::Enrol { group, members, roll } => decide(group, DecisionRequest::Enrol { members }, roll),
            Self::Role { group, member, role: which, roll } => role(group, member, which, roll),
            Self::Rule { group, key, value, roll } => {
                decide(group, DecisionRequest::Rule { key, value }, roll)
            }
            Self::Leave { group, .. } => Request::GroupLeave { group },
        }
    }
}

/// A draft whose founder leaves goes on talking, but admits and removes nobody any more.
fn confirm_leaving(group: &str, context: &Context) -> Result<(), Failure> {
    let mut orphaned = None;
    context.in_group(Request::GroupShow { group: group.to_owned() }, |reply| {
        if let Reply::Group { name, kind, role, members, .. } = reply {
            orphaned = (kind == "draft" && role == "keyholder" && *members > 1).then(|| name.clone());
        }
        true
    })?;
    match orphaned {
        Some(name) => ask::confirm(context, "leave-question", &[("name", &name)], "leave"),
        None => Ok(()),
    }
}
