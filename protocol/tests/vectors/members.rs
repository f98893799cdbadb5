//! Who is in, as small stories (M).

mod codes;
mod counting;
mod devices;
mod doors;
mod drafts;
mod majorities;
mod verdicts;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use imbl::OrdSet;
use piquet_protocol::group::membership::{
    Channel, DeviceCode, Founding, MemberInfo, Membership, OpStates, Operation, Parameter, Rules, View,
};
use piquet_protocol::id::{DeviceKey, EntryId, MemberId};
use serde_json::{Value, json};

use crate::file::{committed_densely, list, number, text};

const COUNCIL: &str = "council";
const ROLL: &str = "roll";

/// People and codes have one letter; ids and keys are that letter, 32 times. The founder of a draft is `f`.
fn device(name: &str) -> DeviceKey {
    DeviceKey([name.as_bytes()[0]; 32])
}

fn act(number: u64) -> EntryId {
    EntryId([number as u8; 32])
}

/// One act: number, author, numbers of the acts it knows directly, what it does.
struct Act(u64, &'static str, &'static [u64], Value);

fn letters(people: &str) -> Vec<String> {
    people.chars().map(String::from).collect()
}

fn admit(whom: &str) -> Value {
    json!({"admit": whom})
}

fn by(whom: &str, code: &str) -> Value {
    json!({"admit": whom, "code": code})
}

fn invite(code: &str, uses: u16) -> Value {
    json!({"invite": code, "uses": uses})
}

fn remove(whom: &str) -> Value {
    json!({"remove": letters(whom)})
}

fn revoke(code: &str) -> Value {
    json!({"revoke": code})
}

fn leave() -> Value {
    json!({"leave": true})
}

fn resign() -> Value {
    json!({"resign": true})
}

fn expel(whom: &str, channel: &str) -> Value {
    json!({"expel": letters(whom), "channel": channel})
}

fn demote(whom: &str, channel: &str) -> Value {
    json!({"demote": letters(whom), "channel": channel})
}

fn promote(whom: &str, channel: &str) -> Value {
    json!({"promote": whom, "channel": channel})
}

fn enrol(whom: &str, channel: &str) -> Value {
    json!({"enrol": letters(whom), "channel": channel})
}

fn rule(parameter: &str, value: u32, channel: &str) -> Value {
    json!({"rule": parameter, "value": value, "channel": channel})
}

fn dismiss(act: u64) -> Value {
    json!({"dismiss": act})
}

fn approve(act: u64) -> Value {
    json!({"approve": act})
}

fn members(list: &Value) -> Vec<MemberId> {
    list.as_array().unwrap().iter().map(|who| device(who.as_str().unwrap()).into()).collect()
}

fn channel(does: &Value) -> Channel {
    match text(does, "channel") {
        COUNCIL => Channel::Council,
        ROLL => Channel::Roll,
        other => panic!("no channel: {other}"),
    }
}

fn parameter(name: &str) -> Parameter {
    match name {
        "admit" => Parameter::Admit,
        "few" => Parameter::Few,
        "wait" => Parameter::Wait,
        "chat" => Parameter::Chat,
        other => panic!("no rule: {other}"),
    }
}

fn device_code(name: &str) -> DeviceCode {
    match name {
        "link" => DeviceCode::Link,
        "recovery" => DeviceCode::Recovery,
        other => panic!("no code for devices: {other}"),
    }
}

/// The word that says what an act does.
fn kind(does: &Value) -> &str {
    let words = does.as_object().unwrap().keys().map(String::as_str);
    let mut words =
        words.filter(|word| !["channel", "code", "uses", "value", "for", "phrase"].contains(word));
    words.next().unwrap()
}

fn operation(does: &Value) -> Operation {
    let kind = kind(does);
    let what = &does[kind];
    let key = || device(text(does, kind));
    let named = || act(number(does, kind));
    match kind {
        "invite" => Operation::Invite {
            key: key(),
            uses: number(does, "uses") as u16,
            expires: u32::MAX,
            devices: does["for"].as_str().map(device_code),
        },
        "drop" => Operation::Drop { device: key(), phrase: does["phrase"].as_str().map(device) },
        "admit" => Operation::Admit { device: key(), invite: does["code"].as_str().map(device) },
        "remove" => Operation::Remove { members: members(what) },
        "revoke" => Operation::Revoke { key: key() },
        "leave" => Operation::Leave,
        "resign" => Operation::Resign,
        "expel" => Operation::Expel { members: members(what), channel: channel(does) },
        "demote" => Operation::Demote { members: members(what), channel: channel(does) },
        "promote" => Operation::Promote { member: key().into(), channel: channel(does) },
        "enrol" => Operation::Enrol { members: members(what), channel: channel(does) },
        "rule" => Operation::Rule {
            parameter: parameter(text(does, kind)),
            value: number(does, "value") as u32,
            channel: channel(does),
        },
        "dismiss" => Operation::Dismiss { act: named() },
        "approve" => Operation::Approve { act: named() },
        other => panic!("no act: {other}"),
    }
}

/// What a story starts with.
fn founding(group: Option<&Value>) -> Founding {
    let Some(group) = group else { return Founding::draft(device("f")) };
    let rule = |name| number(&group["rules"], name) as u32;
    let persons = |name: &str| members(&group[name]).into_iter().collect();
    Founding {
        council: persons("council"),
        members: persons("members"),
        roll: persons("roll"),
        rules: Rules { admit: rule("admit"), few: rule("few"), ..Rules::DRAFT },
    }
}

/// Runs a story and tells what stands at its end.
fn outcome(group: Option<&Value>, acts: &[Value]) -> Value {
    let mut membership = Membership::founded(founding(group));
    let mut states = OpStates::default();
    let (mut pasts, mut void) = (BTreeMap::<u64, BTreeSet<u64>>::new(), Vec::new());
    for step in acts {
        let mut past = BTreeSet::new();
        for known in step["knows"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()) {
            past.insert(known);
            past.extend(pasts[&known].iter().copied());
        }
        let known: Vec<EntryId> = past.iter().copied().map(act).collect();
        let known = states.union(&BTreeSet::new(), &known);
        let (number, author) = (number(step, "act"), device(text(step, "by")));
        pasts.insert(number, past);
        if membership.add(act(number), author, known, operation(&step["does"]), &mut states).is_err() {
            void.push(number);
        }
    }
    let stands: Vec<_> = pasts.into_keys().filter(|number| membership.view().stands(&act(*number))).collect();
    told(&membership.view(), &void, &stands)
}

fn told(view: &View, void: &[u64], stands: &[u64]) -> Value {
    let name = |member: &MemberId| char::from(member.0[0]).to_string();
    let code = |key: &DeviceKey| char::from(key.0[0]).to_string();
    let rests =
        |(member, info): (&MemberId, &Arc<MemberInfo>)| (name(member), info.admission.map(|act| act.0[0]));
    let numbers = |acts: &OrdSet<EntryId>| acts.iter().map(|act| act.0[0]).collect::<Vec<_>>();
    let names = |members: &OrdSet<MemberId>| members.iter().map(name).collect::<Vec<_>>();
    let revoked = view.invites.iter().filter(|(_, invite)| invite.revoked.is_some());
    let devices =
        |member: &MemberId| -> BTreeSet<String> { view.devices_of(member).map(|key| code(&key)).collect() };
    let several: BTreeMap<String, BTreeSet<String>> = view
        .members
        .keys()
        .map(|member| (name(member), devices(member)))
        .filter(|(own, of)| *of != BTreeSet::from([own.clone()]))
        .collect();
    let mut told = json!({
        "void": void,
        "stands": stands,
        "closed": numbers(&view.closed),
        "fell": numbers(&view.fell),
        "members": view.members.iter().map(rests).collect::<BTreeMap<_, _>>(),
        "waiting": names(&view.waiting),
        "council": names(&view.council),
        "roll": names(&view.roll),
        "rules": {"admit": view.rules.admit, "few": view.rules.few, "wait": view.rules.wait, "chat": view.rules.chat},
        "keyholder": view.is_keyholder(&device("f").into()),
        "used": view.invites.iter().map(|(key, invite)| (code(key), invite.used.len())).collect::<BTreeMap<_, _>>(),
        "revoked": revoked.map(|(key, _)| code(key)).collect::<Vec<_>>(),
    });
    if !several.is_empty() {
        told["devices"] = json!(several);
    }
    told
}

fn listed(acts: &[Act]) -> Vec<Value> {
    let one =
        |Act(number, by, knows, does): &Act| json!({"act": number, "by": by, "knows": knows, "does": does});
    acts.iter().map(one).collect()
}

/// A story of a draft.
fn story(rule: &str, name: &str, acts: &[Act]) -> Value {
    let acts = listed(acts);
    json!({"rule": rule, "name": name, "outcome": outcome(None, &acts), "acts": acts})
}

/// A founded group: council, members, roll, and the rules `admit` and `few`.
struct Group(&'static str, &'static str, &'static str, u32, u32);

impl Group {
    fn story(&self, rule: &str, name: &str, acts: &[Act]) -> Value {
        let Self(council, members, roll, admit, few) = self;
        let group = json!({
            "council": letters(council),
            "members": letters(members),
            "roll": letters(roll),
            "rules": {"admit": admit, "few": few},
        });
        let acts = listed(acts);
        let outcome = outcome(Some(&group), &acts);
        json!({"rule": rule, "name": name, "group": group, "outcome": outcome, "acts": acts})
    }
}

/// Three key-holders, who admit; all five members vote.
const THREE: Group = Group("abc", "abcde", "abcde", 0, 1);
/// As `THREE`, and any member admits.
const OPEN: Group = Group("abc", "abcde", "abcde", 1, 1);
/// As `THREE`, and two members admit.
const VOUCHED: Group = Group("abc", "abcde", "abcde", 2, 1);
/// Five key-holders and one voter more.
const FIVE: Group = Group("abcde", "abcdeg", "abcdeg", 0, 1);

fn made() -> Value {
    let stories = [
        drafts::stories(),
        majorities::stories(),
        verdicts::stories(),
        devices::stories(),
        counting::stories(),
        doors::stories(),
        codes::stories(),
    ];
    json!({
        "about": "Acts in an order in which each comes after those it knows, and V of all of them. A person or code is one letter, its key that byte 32 times; an act's id is its number 32 times. `group` is the genesis; without it, the draft of founder f. `void` are the acts that were not entitled; `members` maps to the admission each rests on, if any; `fell` are acts that enough have signed and that do not count, `closed` those that a dismissal closed; `used` counts who came in by the invite that stands for a code now; `keyholder` says whether f is one; `devices` names, of members who have other devices than their first, those they have.",
        "accepted": stories.concat(),
    })
}

#[test]
fn who_is_in_is_as_written() {
    let file = committed_densely("membership", &made());
    for vector in list(&file, "accepted") {
        assert_eq!(
            outcome(vector.get("group"), vector["acts"].as_array().unwrap()),
            vector["outcome"],
            "{}",
            text(vector, "name")
        );
    }
}
