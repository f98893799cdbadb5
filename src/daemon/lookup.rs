//! From what people type to what is meant: a name, an id, or a unique prefix of either.

use piquet_protocol::id::{DeviceKey, EntryId, GroupId, MemberId};
use piquet_protocol::node::Node;
use piquet_protocol::replica::{Frozen, Replica};
use piquet_protocol::store::Store;

use crate::control::Failure;

/// How much of an id lists show.
const LISTED: usize = 8;
/// Most candidates of an error.
const NAMED: usize = 8;

/// Whether a name and an id fit what was typed.
type Fits<'a> = dyn Fn(&str, &str) -> bool + 'a;

/// The one candidate that `text` means.
fn unique<T: Copy>(text: &str, candidates: &[(T, String, String)], what: &str) -> Result<T, Failure> {
    let missing = || Failure::new(&format!("no_such_{what}"), 1).with("name", text);
    if text.is_empty() {
        return Err(missing());
    }
    let that = |fits: &Fits<'_>| -> Vec<&(T, String, String)> {
        candidates.iter().filter(|(_, name, id)| fits(name, id)).collect()
    };
    // A whole id means its owner, whatever others call themselves. An id's start as lists show it is not
    // overruled by a name either: then it must be written out.
    let listed = |id: &str| text.len() >= LISTED && id.starts_with(text);
    let tries: [&Fits<'_>; 3] = [&|_, id| id == text, &|name, id| name == text || listed(id), &|name, id| {
        name.starts_with(text) || id.starts_with(text)
    }];
    let found = tries.into_iter().map(that).find(|found| !found.is_empty()).unwrap_or_default();
    match found.as_slice() {
        [(one, ..)] => Ok(*one),
        [] => Err(missing()),
        many => Err(Failure::new("ambiguous", 1).with("name", text).with("candidates", naming(many))),
    }
}

/// Candidates as one may write them.
fn naming<T>(candidates: &[&(T, String, String)]) -> String {
    let one = |(_, name, id): &&(T, String, String)| {
        let id: String = id.chars().take(LISTED + 8).collect();
        if name.is_empty() { id } else { format!("{id} ({name})") }
    };
    let more = if candidates.len() > NAMED { ", …" } else { "" };
    let named: Vec<String> = candidates.iter().take(NAMED).map(one).collect();
    format!("{}{more}", named.join(", "))
}

/// Groups this profile has left or was put out of are found by their id only, if another has the
/// same name.
pub(super) fn group<S: Store>(node: &Node<S>, text: &str) -> Result<GroupId, Failure> {
    let alive = |replica: &&Replica| replica.frozen() != Some(Frozen::Ended);
    // A draft that this profile has moved out of is known by its id only.
    let moved = |replica: &Replica| node.successor_of(&replica.group()) != replica.group();
    let list = |replicas: Vec<&Replica>| -> Vec<(GroupId, String, String)> {
        let name = |r: &Replica| if moved(r) { String::new() } else { r.name().to_owned() };
        replicas.into_iter().map(|r| (r.group(), name(r), r.group().to_hex())).collect()
    };
    let found = match unique(text, &list(node.groups().filter(alive).collect()), "group") {
        Err(failure) if failure.code == "no_such_group" => {
            unique(text, &list(node.groups().collect()), "group")
        }
        found => found,
    };
    found.map(|group| node.successor_of(&group))
}

pub(super) fn member(replica: &Replica, text: &str) -> Result<MemberId, Failure> {
    let members: Vec<(MemberId, String, String)> = replica
        .members()
        .into_iter()
        .map(|m| (m.member, m.name.unwrap_or_default(), m.member.to_hex()))
        .collect();
    unique(text, &members, "member")
}

/// Somebody who is or was a member.
pub(super) fn person(replica: &Replica, text: &str) -> Result<MemberId, Failure> {
    match member(replica, text) {
        Err(failure) if failure.code == "no_such_member" => {
            let gone: Vec<(MemberId, String, String)> = replica
                .persons()
                .into_iter()
                .map(|member| (member, replica.name_of(&member).unwrap_or_default(), member.to_hex()))
                .collect();
            unique(text, &gone, "member")
        }
        found => found,
    }
}

/// Whom a verdict can name: somebody who is or was a member, or a laptop beside somebody's first (M-18).
pub(super) fn accused(replica: &Replica, text: &str) -> Result<MemberId, Failure> {
    match person(replica, text) {
        Err(failure) if failure.code == "no_such_member" => {
            let further = replica.view().linked.keys();
            let further: Vec<_> =
                further.map(|device| ((*device).into(), String::new(), device.to_hex())).collect();
            unique(text, &further, "member")
        }
        found => found,
    }
}

pub(super) fn proposal(ids: impl Iterator<Item = EntryId>, text: &str) -> Result<EntryId, Failure> {
    entry(ids, text, "proposal")
}

pub(super) fn invite(replica: &Replica, text: &str) -> Result<DeviceKey, Failure> {
    let invites: Vec<(DeviceKey, String, String)> =
        replica.view().invites.keys().map(|key| (*key, String::new(), key.to_hex())).collect();
    unique(text, &invites, "invite")
}

/// A device that speaks for somebody.
pub(super) fn device(replica: &Replica, text: &str) -> Result<DeviceKey, Failure> {
    let devices = replica.view().roster().into_iter();
    let devices: Vec<_> = devices.map(|device| (device, String::new(), device.to_hex())).collect();
    unique(text, &devices, "device")
}

pub(super) fn grievance(replica: &Replica, text: &str) -> Result<EntryId, Failure> {
    entry(replica.board().grievances().map(|(id, _)| *id), text, "grievance")
}

pub(super) fn call(replica: &Replica, text: &str) -> Result<EntryId, Failure> {
    entry(replica.board().calls().map(|(id, _)| id), text, "call")
}

pub(super) fn message(ids: impl Iterator<Item = EntryId>, text: &str) -> Result<EntryId, Failure> {
    entry(ids, text, "message")
}

fn entry(ids: impl Iterator<Item = EntryId>, text: &str, what: &str) -> Result<EntryId, Failure> {
    let ids: Vec<(EntryId, String, String)> = ids.map(|id| (id, String::new(), id.to_hex())).collect();
    unique(text, &ids, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_an_id_or_a_unique_prefix_is_enough() {
        let candidates = [(1, "lyon", "aa11"), (2, "lyon-est", "ab22"), (3, "paris", "cd33")];
        let candidates: Vec<(i32, String, String)> =
            candidates.iter().map(|(n, name, id)| (*n, (*name).to_owned(), (*id).to_owned())).collect();
        assert_eq!(unique("lyon", &candidates, "group"), Ok(1), "an exact name beats a prefix");
        assert_eq!(unique("lyon-", &candidates, "group"), Ok(2));
        assert_eq!(unique("cd", &candidates, "group"), Ok(3));
        let ambiguous = unique("a", &candidates, "group").unwrap_err();
        assert_eq!((ambiguous.code.as_str(), ambiguous.exit), ("ambiguous", 1));
        assert_eq!(ambiguous.args["candidates"], "aa11 (lyon), ab22 (lyon-est)");
        assert_eq!(unique("nice", &candidates, "group").unwrap_err().code, "no_such_group");
        assert_eq!(unique("", &candidates, "group").unwrap_err().code, "no_such_group");
    }

    #[test]
    fn nobody_takes_anothers_id_for_a_name() {
        let of = |name: &str, id: &str| (id.as_bytes()[0], name.to_owned(), id.to_owned());
        let (honest, other) = ("a1b2c3d4e5f6", "0000000000ff");
        let members = |name: &str| [of("bob", honest), of(name, other)];
        assert_eq!(unique(honest, &members(honest), "member"), Ok(b'a'), "a whole id is nobody else's name");
        let short = unique("a1b2c3d4", &members("a1b2c3d4"), "member");
        assert_eq!(short.unwrap_err().code, "ambiguous", "what a list shows is not overruled by a name");
        assert_eq!(unique("bob", &members("bob"), "member").unwrap_err().code, "ambiguous");
    }
}
