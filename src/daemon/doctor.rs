//! Looking a profile over: what is wrong, where, and what to do about it. The last is the front end's, by the
//! finding's subject.

use piquet_protocol::node::Node;
use piquet_protocol::replica::Replica;

use super::answers;
use super::engine::Surroundings;
use crate::control::Reply;
use crate::store::{DiskStore, keys_locked};

/// All findings.
pub(super) fn findings(node: &Node<DiskStore>, around: &Surroundings) -> Vec<Reply> {
    let mut findings = journal(node.store());
    findings.push(finding("disk", node.store().has_room().is_ok(), String::new()));
    findings.push(finding("erasure", !node.store().erasure_pending(), String::new()));
    findings.push(finding("folder", node.store().is_private(), String::new()));
    findings.push(finding("memory", keys_locked(), String::new()));
    findings.push(finding("daemon", around.peer.is_some(), around.listen.join(" ")));
    // A draft out of a backup stays as it is: the group that it became is what counts.
    let past =
        |replica: &&Replica| replica.is_restored() && node.successor_of(&replica.group()) != replica.group();
    findings.extend(node.groups().filter(|replica| !past(replica)).map(group));
    findings.extend(node.closed().map(|id| finding("closed", false, id.to_hex())));
    findings
}

/// Reads the whole journal.
fn journal(store: &DiskStore) -> Vec<Reply> {
    match store.check() {
        Err(_) => vec![finding("journal", false, String::new())],
        Ok(damage) if damage.is_empty() => vec![finding("journal", true, String::new())],
        Ok(damage) => damage
            .iter()
            .map(|damage| {
                let kind = store.kind_of(damage).code();
                let place = format!("journal/{:08x} {}-{}", damage.segment, damage.first, damage.last);
                finding("journal", false, format!("{kind}: {place}"))
            })
            .collect(),
    }
}

fn group(replica: &Replica) -> Reply {
    let status = answers::status(replica, 0, super::now());
    let mending = replica.is_mending().then(|| "mending".to_owned());
    let frozen = status.frozen.filter(|why| why != "mending");
    let excess = status.excess.into_iter().map(|name| format!("excess: {name}"));
    let trouble = frozen.into_iter().chain(mending).chain(status.equivocators).chain(excess);
    let trouble: Vec<String> = trouble.collect();
    finding(&format!("group {}", replica.name()), trouble.is_empty(), trouble.join(", "))
}

fn finding(check: &str, ok: bool, detail: String) -> Reply {
    Reply::Finding { check: check.to_owned(), ok, detail }
}
