//! From what people type to what is meant: a name, an id, or a unique prefix of either.

use piquet_protocol::id::{DeviceKey, EntryId, GroupId, MemberId};
use piquet_protocol::node::Node;
use piquet_protocol::replica::{Frozen, Replica};
use piquet_protocol::store::Store;

use crate::control::Failure;

/// The one candidate that `text` means.
fn unique<T: Copy>(text: &str, candidates: &[(T, String, String)], what: &str) -> Result<T, Failure> {
    let missing = || Failure::new(&format!("no_such_{what}"), 1).with("name", text);
    if text.is_empty() {
        return Err(missing());
    }
    let exact: Vec<T> =
        candidates.iter().filter(|(_, name, id)| name == text || id == text).map(|c| c.0).collect();
    let found = if exact.is_empty() {
        let starts = |(_, name, id): &&(T, String, String)| name.starts_with(text) || id.starts_with(text);
        candidates.iter().filter(starts).map(|candidate| candidate.0).collect()
    } else {
        exact
    };
    match found.as_slice() {
        [one] => Ok(*one),
        [] => Err(missing()),
        _ => Err(Failure::new("ambiguous", 1).with("name", text)),
    }
}

/// Groups this profile has left or was put out of are found by their id only, if another has the
/// same name.
pub(super) fn group<S: Store>(node: &Node<S>, text: &str) -> Result<GroupId, Failure> {
    let alive = |replica: &&Replica| replica.frozen() != Some(Frozen::Ended);
    let list = |replicas: Vec<&Replica>| -> Vec<(GroupId, String, String)> {
        replicas.into_iter().map(|r| (r.group(), r.name().to_owned(), r.group().to_hex())).collect()
    };
    match unique(text, &list(node.groups().filter(alive).collect()), "group") {
        Err(failure) if failure.code == "no_such_group" => {
            unique(text, &list(node.groups().collect()), "group")
        }
        found => found,
    }
}

pub(super) fn member(replica: &Replica, text: &str) -> Result<MemberId, Failure> {
    let members: Vec<(MemberId, String, String)> = replica
        .members()
        .into_iter()
        .map(|m| (m.member, m.name.unwrap_or_default(), m.member.to_hex()))
        .collect();
    unique(text, &members, "member")
}

pub(super) fn invite(replica: &Replica, text: &str) -> Result<DeviceKey, Failure> {
    let invites: Vec<(DeviceKey, String, String)> =
        replica.view().invites.keys().map(|key| (*key, String::new(), key.to_hex())).collect();
    unique(text, &invites, "invite")
}

pub(super) fn grievance(replica: &Replica, text: &str) -> Result<EntryId, Failure> {
    entry(replica.board().grievances().map(|(id, _)| *id), text, "grievance")
}

pub(super) fn call(replica: &Replica, text: &str) -> Result<EntryId, Failure> {
    entry(replica.board().calls().map(|(id, _)| id), text, "call")
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
        assert_eq!(unique("a", &candidates, "group").unwrap_err().code, "ambiguous");
        assert_eq!(unique("nice", &candidates, "group").unwrap_err().code, "no_such_group");
        assert_eq!(unique("", &candidates, "group").unwrap_err().code, "no_such_group");
    }
}
