//! The node's views as replies.

use piquet_protocol::group::invite::words;
use piquet_protocol::group::membership::InviteState;
use piquet_protocol::id::{GroupId, MemberId};
use piquet_protocol::node::InviteView;
use piquet_protocol::replica::{Frozen, MemberView, MessageView, Reach, Replica};
use piquet_protocol::time::Timestamp;

use crate::control::Reply;
use crate::control::reply::{GroupStatus, SentReply};
use crate::schedule::utc;

/// A person's name on this screen: told, or the start of the id. Where two could be taken for one
/// another, the start of the id follows.
pub(super) fn name(replica: &Replica, member: &MemberId) -> String {
    let short = || member.to_hex().chars().take(8).collect::<String>();
    let Some(name) = replica.name_of(member) else { return short() };
    let seen = looks(&name);
    let another = |other: &MemberView| {
        other.member != *member && other.name.as_deref().is_some_and(|other| looks(other) == seen)
    };
    // A number sign in a told name would pass for such a start.
    let doubtful = name.contains('#') || replica.members().iter().any(another);
    if doubtful { format!("{name}#{}", short()) } else { name }
}

/// What eyes keep of a name.
fn looks(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn frozen(replica: &Replica, why: Frozen) -> &'static str {
    match why {
        Frozen::Ended if is_taken_out(replica) => "taken_out",
        Frozen::RolledBack => "rolled_back",
        Frozen::NeedsNewer => "needs_newer",
        Frozen::Ended => "ended",
        Frozen::Mending => "mending",
        Frozen::Restored => "restored",
    }
}

pub(super) fn status(replica: &Replica, peers: usize, now: Timestamp) -> GroupStatus {
    let (entries, pending) = replica.counts();
    let others = replica.members().into_iter().filter(|m| m.member != replica.member());
    let last_heard = others.filter_map(|member| member.last_heard).max();
    GroupStatus {
        group: replica.group().to_hex(),
        name: replica.name().to_owned(),
        kind: kind(replica).to_owned(),
        members: replica.view().members.len(),
        epoch: replica.epoch_number(),
        entries,
        pending,
        last_heard: last_heard.map(|t| utc(u64::from(t))),
        peers,
        waits_for_keys: false,
        proposals: Vec::new(),
        fell: replica.view().fell.len(),
        waiting: replica.view().waiting.iter().map(|member| name(replica, member)).collect(),
        frozen: replica.frozen().map(|why| frozen(replica, why).to_owned()),
        silent: Vec::new(),
        phrase: false,
        equivocators: replica
            .equivocators()
            .iter()
            .map(|device| name(replica, &replica.view().owner_of(device)))
            .collect(),
        excess: replica
            .at_quota(now)
            .iter()
            .map(|device| name(replica, &replica.view().owner_of(device)))
            .collect(),
    }
}

/// Whether this laptop is out, and its member is in.
pub(super) fn is_taken_out(replica: &Replica) -> bool {
    let view = replica.view();
    view.members.contains_key(&replica.member()) && view.member_of(&replica.device()).is_none()
}

/// What sort of group it is.
pub(super) fn kind(replica: &Replica) -> &'static str {
    if replica.is_draft() { "draft" } else { "group" }
}

pub(super) fn group(replica: &Replica) -> Reply {
    let view = replica.view();
    let role = match view.members.get(&replica.member()) {
        None => "none",
        Some(_) if view.is_keyholder(&replica.member()) => "keyholder",
        Some(_) => "member",
    };
    Reply::Group {
        group: replica.group().to_hex(),
        name: replica.name().to_owned(),
        kind: kind(replica).to_owned(),
        epoch: replica.epoch_number(),
        members: view.members.len(),
        role: role.to_owned(),
        words: words(&replica.group().fingerprint()),
        chat_days: view.rules.chat,
    }
}

pub(super) fn invite(replica: &Replica, view: &InviteView) -> Reply {
    let state = match view.state {
        InviteState::Open => "open",
        InviteState::Used => "used",
        InviteState::Expired => "expired",
        InviteState::Revoked => "revoked",
    };
    Reply::Invite {
        invite: view.key.to_hex(),
        code: view.code.clone(),
        uses: view.uses,
        used: view.used,
        expires: utc(u64::from(view.expires)),
        issuer: name(replica, &view.issuer),
        state: state.to_owned(),
    }
}

pub(super) fn message(replica: &Replica, view: &MessageView) -> Reply {
    let SentReply { state, delivered, of } =
        view.reach.map_or(SentReply { state: "received".to_owned(), delivered: 0, of: 0 }, reach);
    Reply::Message {
        id: view.id.to_hex(),
        group: replica.group().to_hex(),
        author: view.author.to_hex(),
        name: name(replica, &view.author),
        time: utc(u64::from(view.time)),
        kind: "message".to_owned(),
        text: view.text.clone(),
        edited: view.edited,
        state,
        delivered,
        of,
    }
}

/// What a command that wrote a message answers.
pub(super) fn sent(group: &GroupId, replica: &Replica, view: Option<&MessageView>) -> Reply {
    view.map_or_else(|| Reply::Done { group: group.to_hex() }, |view| message(replica, view))
}

/// How far something of one's own has come.
pub(super) fn reach(reach: Reach) -> SentReply {
    let state = if reach.delivered > 0 { "delivered" } else { "saved" };
    SentReply { state: state.to_owned(), delivered: reach.delivered, of: reach.of }
}
