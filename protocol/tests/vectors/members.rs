//! Who is in, as small stories (M).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use piquet_protocol::group::membership::{Membership, Operation};
use piquet_protocol::id::{DeviceKey, EntryId, MemberId};
use serde_json::{Value, json};

use crate::file::{committed, list, number, text};

/// People and codes have one letter; ids and keys are that letter, 32 times. The founder is `f`.
fn device(name: &str) -> DeviceKey {
    DeviceKey([name.as_bytes()[0]; 32])
}

fn act(number: u64) -> EntryId {
    EntryId([number as u8; 32])
}

/// One act: number, author, numbers of the acts it knows directly, what it does.
struct Act(u64, &'static str, &'static [u64], Value);

fn admit(whom: &str) -> Value {
    json!({"admit": whom})
}

fn by(whom: &str, code: &str) -> Value {
    json!({"admit": whom, "code": code})
}

fn invite(code: &str, uses: u16) -> Value {
    json!({"invite": code, "uses": uses})
}

fn remove(whom: &[&str]) -> Value {
    json!({"remove": whom})
}

fn revoke(code: &str) -> Value {
    json!({"revoke": code})
}

fn leave() -> Value {
    json!({"leave": true})
}

fn operation(does: &Value) -> Operation {
    if let Some(whom) = does["admit"].as_str() {
        return Operation::Admit { device: device(whom), invite: does["code"].as_str().map(device) };
    }
    if let Some(whom) = does["remove"].as_array() {
        let members = whom.iter().map(|who| MemberId::from(device(who.as_str().unwrap()))).collect();
        return Operation::Remove { members };
    }
    if let Some(code) = does["invite"].as_str() {
        let uses = number(does, "uses") as u16;
        return Operation::Invite { key: device(code), uses, expires: u32::MAX };
    }
    does["revoke"].as_str().map_or(Operation::Leave, |code| Operation::Revoke { key: device(code) })
}

/// Runs a story and tells who is in at its end.
fn outcome(acts: &[Value]) -> Value {
    let mut group = Membership::draft(device("f"));
    let (mut pasts, mut void) = (BTreeMap::<u64, BTreeSet<u64>>::new(), Vec::new());
    for step in acts {
        let mut past = BTreeSet::new();
        for known in step["knows"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()) {
            past.insert(known);
            past.extend(pasts[&known].iter().copied());
        }
        let set = Arc::new(past.iter().copied().map(act).collect());
        pasts.insert(number(step, "act"), past);
        if group
            .add(act(number(step, "act")), device(text(step, "by")), &set, operation(&step["does"]))
            .is_err()
        {
            void.push(number(step, "act"));
        }
    }
    let view = group.view();
    let name = |member: &MemberId| char::from(member.0[0]).to_string();
    let rests = |(member, info): (&MemberId, &piquet_protocol::group::membership::MemberInfo)| {
        (name(member), info.admission.map(|act| act.0[0]))
    };
    let founder = MemberId::from(device("f"));
    json!({
        "void": void,
        "members": view.members.iter().map(rests).collect::<BTreeMap<_, _>>(),
        "keyholder": view.is_keyholder(&founder),
        "waiting": view.waiting.iter().map(name).collect::<Vec<_>>(),
        "fell": view.fell.iter().map(|act| act.0[0]).collect::<Vec<_>>(),
        "used": view.invites.iter().map(|(k, i)| (char::from(k.0[0]).to_string(), i.used.len())).collect::<BTreeMap<_, _>>(),
        "revoked": view.invites.iter().filter(|(_, i)| i.revoked.is_some()).map(|(k, _)| char::from(k.0[0]).to_string()).collect::<Vec<_>>(),
    })
}

fn story(rule: &str, name: &str, acts: &[Act]) -> Value {
    let acts: Vec<Value> = acts
        .iter()
        .map(|Act(number, by, knows, does)| json!({"act": number, "by": by, "knows": knows, "does": does}))
        .collect();
    json!({"rule": rule, "name": name, "outcome": outcome(&acts), "acts": acts})
}

fn entitled() -> Vec<Value> {
    vec![
        story("M-1", "the founder lets in", &[Act(1, "f", &[], admit("a"))]),
        story(
            "M-1",
            "a member lets nobody in, puts nobody out, makes no code",
            &[
                Act(1, "f", &[], admit("a")),
                Act(2, "f", &[1], admit("b")),
                Act(3, "a", &[2], admit("c")),
                Act(4, "a", &[2], remove(&["b"])),
                Act(5, "a", &[2], invite("k", 1)),
            ],
        ),
        story("M-1", "a stranger does nothing", &[Act(1, "s", &[], admit("s")), Act(2, "s", &[], leave())]),
        story(
            "M-1",
            "what was entitled stays so, whatever its author became",
            &[Act(1, "f", &[], admit("a")), Act(2, "a", &[1], leave()), Act(3, "a", &[2], leave())],
        ),
        story(
            "M-4",
            "the founder is put out by nobody",
            &[
                Act(1, "f", &[], admit("a")),
                Act(2, "f", &[1], remove(&["f"])),
                Act(3, "f", &[1], remove(&["a", "f"])),
            ],
        ),
        story(
            "M-13",
            "the founder may go; then nobody holds the keys",
            &[Act(1, "f", &[], admit("a")), Act(2, "f", &[1], leave()), Act(3, "f", &[2], admit("b"))],
        ),
    ]
}

fn endings() -> Vec<Value> {
    let removed = || [Act(1, "f", &[], admit("a")), Act(2, "f", &[1], remove(&["a"]))];
    let [one, two] = removed();
    let [one_again, two_again] = removed();
    vec![
        story("M-12", "removed, and let in again by who knew", &[one, two, Act(3, "f", &[2], admit("a"))]),
        story(
            "M-12",
            "removed, and let in again blind to it",
            &[one_again, two_again, Act(3, "f", &[1], admit("a"))],
        ),
        story(
            "M-12",
            "removed twice, the admission knows one",
            &[
                Act(1, "f", &[], admit("a")),
                Act(2, "f", &[1], remove(&["a"])),
                Act(3, "f", &[1], remove(&["a"])),
                Act(4, "f", &[2], admit("a")),
            ],
        ),
        story(
            "M-13",
            "a back-dated leaving ends its author alone",
            &[Act(1, "f", &[], admit("a")), Act(2, "f", &[1], admit("b")), Act(3, "a", &[1], leave())],
        ),
        story(
            "M-16",
            "of two admissions the one with the smaller id is shown",
            &[Act(5, "f", &[], admit("a")), Act(4, "f", &[], admit("a"))],
        ),
    ]
}

fn codes() -> Vec<Value> {
    vec![
        story("M-15", "by code", &[Act(1, "f", &[], invite("k", 1)), Act(2, "f", &[1], by("a", "k"))]),
        story("M-15", "by a code nobody made", &[Act(1, "f", &[], by("a", "k"))]),
        story(
            "M-15",
            "by a code its author did not know of",
            &[Act(1, "f", &[], invite("k", 1)), Act(2, "f", &[], by("a", "k"))],
        ),
        story(
            "M-15",
            "two by a code for one: both wait, however they came",
            &[
                Act(1, "f", &[], invite("k", 1)),
                Act(2, "f", &[1], by("a", "k")),
                Act(3, "f", &[1], by("b", "k")),
            ],
        ),
        story(
            "M-15",
            "of two who wait one is let in by hand",
            &[
                Act(1, "f", &[], invite("k", 1)),
                Act(2, "f", &[1], by("a", "k")),
                Act(3, "f", &[1], by("b", "k")),
                Act(4, "f", &[2, 3], admit("b")),
            ],
        ),
        story(
            "M-15",
            "one device twice is one use",
            &[
                Act(1, "f", &[], invite("k", 1)),
                Act(2, "f", &[1], by("a", "k")),
                Act(3, "f", &[1], by("a", "k")),
            ],
        ),
        story(
            "M-15",
            "who has gone has used the code",
            &[
                Act(1, "f", &[], invite("k", 1)),
                Act(2, "f", &[1], by("a", "k")),
                Act(3, "a", &[2], leave()),
                Act(4, "f", &[3], by("b", "k")),
            ],
        ),
        story(
            "M-15",
            "revoked, as its author knew",
            &[
                Act(1, "f", &[], invite("k", 1)),
                Act(2, "f", &[1], revoke("k")),
                Act(3, "f", &[2], by("a", "k")),
            ],
        ),
        story(
            "M-15",
            "revoked by the founder blind to the admission",
            &[
                Act(1, "f", &[], invite("k", 1)),
                Act(2, "f", &[1], by("a", "k")),
                Act(3, "f", &[1], revoke("k")),
            ],
        ),
        story(
            "M-15",
            "revoked knowing the admission, which stands",
            &[
                Act(1, "f", &[], invite("k", 1)),
                Act(2, "f", &[1], by("a", "k")),
                Act(3, "f", &[2], revoke("k")),
            ],
        ),
        story(
            "M-15",
            "a member revokes a code that is not his",
            &[
                Act(1, "f", &[], invite("k", 2)),
                Act(2, "f", &[1], by("a", "k")),
                Act(3, "a", &[2], revoke("k")),
            ],
        ),
        story(
            "M-15",
            "of two acts for one code the smaller id counts",
            &[
                Act(2, "f", &[], invite("k", 1)),
                Act(1, "f", &[], invite("k", 5)),
                Act(3, "f", &[1, 2], by("a", "k")),
                Act(4, "f", &[3], by("b", "k")),
            ],
        ),
    ]
}

fn made() -> Value {
    json!({
        "about": "Acts in an order in which each comes after those it knows, and V of all of them. A person or code is one letter, its key that byte 32 times; an act's id is its number 32 times; the founder is f. `void` are the acts that were not entitled, `members` maps to the act each rests on, `fell` are admissions that did not count.",
        "accepted": Value::Array([entitled(), endings(), codes()].concat()),
    })
}

#[test]
fn who_is_in_is_as_written() {
    let file = committed("membership", &made());
    for vector in list(&file, "accepted") {
        assert_eq!(
            outcome(vector["acts"].as_array().unwrap()),
            vector["outcome"],
            "{}",
            text(vector, "name")
        );
    }
}
