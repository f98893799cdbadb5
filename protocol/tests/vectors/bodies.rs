//! Bodies of every kind, accepted and refused (B, A).

use piquet_protocol::action::Action;
use piquet_protocol::action::beacon::Beacon;
use piquet_protocol::action::grievance::{Amount, Grievance, Support, SupportKind};
use piquet_protocol::action::message::Message;
use piquet_protocol::action::pledge::{PledgeAnswer, PledgeCount};
use piquet_protocol::action::strike::{Call, CallOff, Leg};
use piquet_protocol::codec::{DecodeError, to_cbor};
use piquet_protocol::entry::Class;
use piquet_protocol::group::genesis::{Found, Genesis};
use piquet_protocol::group::membership::{Channel, DeviceCode, Parameter};
use piquet_protocol::group::operation::{
    Admit, Approve, Commit, Control, DeviceDrop, Dismiss, Doorway, Empty, Invite, Move, Opened, OpenedEpoch,
    Persons, Profile, Promote, Remove, Resync, Revoke, Rule,
};
use piquet_protocol::id::{DeviceKey, EntryId, EpochId, GroupId, MemberId};
use piquet_protocol::kind::Kind;
use serde_json::{Value, json};

use crate::file::{bytes, committed, hex, list, number};

const ONE: DeviceKey = DeviceKey([1; 32]);
const ACT: EntryId = EntryId([2; 32]);

/// Reads a payload as the crate does where the kind is known.
fn read(kind: Kind, payload: &[u8]) -> Result<(), DecodeError> {
    match kind {
        Kind::Genesis => Genesis::from_payload(payload).map(drop),
        Kind::Invite => Invite::from_payload(payload).map(drop),
        Kind::Admit => Admit::from_payload(payload).map(drop),
        Kind::Remove => Remove::from_payload(payload).map(drop),
        Kind::Revoke => Revoke::from_payload(payload).map(drop),
        Kind::Profile => Profile::from_payload(payload).map(drop),
        Kind::Commit => Commit::from_payload(payload).map(drop),
        Kind::Opened => Opened::from_payload(payload).map(drop),
        Kind::Expel | Kind::Demote | Kind::Enrol => Persons::from_payload(payload).map(drop),
        Kind::Promote => Promote::from_payload(payload).map(drop),
        Kind::Rule => Rule::from_payload(payload).map(drop),
        Kind::Dismiss => Dismiss::from_payload(payload).map(drop),
        Kind::Approve => Approve::from_payload(payload).map(drop),
        Kind::Found => Found::from_payload(payload).map(drop),
        Kind::Move => Move::from_payload(payload).map(drop),
        Kind::Resync => Resync::from_payload(payload).map(drop),
        Kind::DeviceDrop => DeviceDrop::from_payload(payload).map(drop),
        Kind::Leave | Kind::Merge | Kind::Resign => Ok(()),
        Kind::Grievance => Grievance::from_payload(payload).map(drop),
        Kind::Support => Support::from_payload(payload).map(drop),
        Kind::Call => Call::from_payload(payload).map(drop),
        Kind::CallOff => CallOff::from_payload(payload).map(drop),
        Kind::PledgeAnswer => PledgeAnswer::from_payload(payload).map(drop),
        Kind::PledgeCount => PledgeCount::from_payload(payload).map(drop),
        Kind::Message => Message::from_payload(payload).map(drop),
        Kind::Beacon => Beacon::from_payload(payload).map(drop),
    }
}

fn of(rule: &str, kind: Kind, name: &str, payload: Vec<u8>) -> Value {
    json!({"rule": rule, "kind": kind as u16, "class": kind.class() as u8, "name": name, "payload": hex(payload)})
}

fn invite() -> Invite {
    Invite {
        key: ONE,
        request: [2; 32].into(),
        mailbox: [3; 32].into(),
        peer: [4; 32].into(),
        uses: 1,
        expires: 1_763_000_000,
        proof: [5; 64].into(),
        devices: None,
    }
}

fn admit() -> Admit {
    Admit {
        device: ONE,
        key_package: vec![5; 30].into(),
        invite: Some(DeviceKey([6; 32])),
        proof: Some([7; 64].into()),
    }
}

fn message(text: &str) -> Message {
    Message { text: text.to_owned(), reply_to: None, clock: 3, edits: None }
}

fn beacon() -> Beacon {
    Beacon { contacts: vec!["/ip4/203.0.113.9/tcp/4001".to_owned()], acts: vec![ACT], talk: vec![] }
}

fn amount() -> Amount {
    let text = str::to_owned;
    Amount {
        kind: text("paid"),
        value: 310,
        scale: 2,
        unit: text("EUR"),
        per: text("task"),
        basis: Some(text("measured")),
    }
}

fn grievance() -> Grievance {
    Grievance {
        category: "pay.below_rate".to_owned(),
        platform: "Deliverix".to_owned(),
        when: "2026-11".to_owned(),
        place: String::new(),
        amounts: vec![amount()],
        text: "Trois euros dix\nla course.".to_owned(),
        every: Some("week".to_owned()),
        zone: Some("Europe/Paris".to_owned()),
    }
}

fn leg() -> Leg {
    let text = str::to_owned;
    Leg {
        zone: text("Europe/Paris"),
        place: text("Lyon"),
        start_local: text("2026-12-04T18:00"),
        end_local: text("2026-12-04T22:00"),
        start: 1_796_403_600,
        end: 1_796_418_000,
        threshold: 2,
    }
}

fn call() -> Call {
    Call {
        changes: None,
        sequence: 1,
        title: "Soirée sans courses".to_owned(),
        demands: vec!["5 EUR la course".to_owned()],
        forms: vec!["log_off".to_owned()],
        legs: vec![leg()],
        threshold: 20,
        closes: 1_796_360_400,
        answer_window: 3600,
        expires: 1_796_418_000,
        counter_key: vec![8; 32].into(),
        counters: vec![MemberId([1; 32])],
        tzdb: "2026b".to_owned(),
    }
}

fn for_devices(kind: DeviceCode) -> Vec<u8> {
    Invite { devices: Some(kind), ..invite() }.to_payload()
}

fn by_phrase() -> DeviceDrop {
    DeviceDrop { device: ONE, phrase: Some(DeviceKey([6; 32])), proof: Some([7; 64].into()) }
}

/// A body with a field more than this version knows.
fn newer(mut payload: Vec<u8>) -> Vec<u8> {
    payload[0] += 1;
    payload.extend_from_slice(&[0x18, 0x63, 0xf5]);
    payload
}

fn accepted() -> Vec<Value> {
    let opened = Opened { epochs: vec![OpenedEpoch { epoch: EpochId([3; 32]), control: [4; 32].into() }] };
    let commit = |operations: Vec<EntryId>| Commit { message: vec![9; 40].into(), operations }.to_payload();
    let own_right = Admit { invite: None, proof: None, ..admit() };
    let genesis = Genesis {
        parameters: vec![0xa0].into(),
        group_info: vec![1; 4].into(),
        tree: vec![2; 4].into(),
        consents: None,
    };
    let founded = Genesis { consents: Some(vec![[3; 64].into(), [4; 64].into()]), ..genesis.clone() };
    let mut accepted = decisions();
    accepted.extend([
        of("B-2", Kind::Genesis, "of a group: two consents", founded.to_payload()),
        of("B-2", Kind::Genesis, "the outer body; group.json has the parameters", genesis.to_payload()),
        of("B-3", Kind::Invite, "an invite", invite().to_payload()),
        of("B-3", Kind::Invite, "a code for a device", for_devices(DeviceCode::Link)),
        of("B-3", Kind::Invite, "a recovery phrase", for_devices(DeviceCode::Recovery)),
        of(
            "B-22",
            Kind::DeviceDrop,
            "by its member",
            DeviceDrop { device: ONE, phrase: None, proof: None }.to_payload(),
        ),
        of("B-22", Kind::DeviceDrop, "by the phrase", by_phrase().to_payload()),
        of("B-4", Kind::Admit, "by code", admit().to_payload()),
        of("B-4", Kind::Admit, "by the key-holder's own right", own_right.to_payload()),
        of(
            "B-5",
            Kind::Remove,
            "two members",
            Remove { members: vec![ONE, DeviceKey([9; 32])] }.to_payload(),
        ),
        of("B-6", Kind::Revoke, "a code", Revoke { invite: ONE }.to_payload()),
        of("B-7", Kind::Leave, "a leaving", Empty {}.to_payload()),
        of(
            "B-8",
            Kind::Profile,
            "a profile",
            Profile { name: "Zoë 🚲".to_owned(), mail: vec![1; 32].into() }.to_payload(),
        ),
        of("B-9", Kind::Commit, "two operations", commit(vec![ACT, EntryId([5; 32])])),
        of("B-10", Kind::Opened, "one epoch", opened.to_payload()),
        of("B-11", Kind::Merge, "a merge", Empty {}.to_payload()),
        of("A-2", Kind::Message, "a message", message("Bonjour\nde Lyon").to_payload()),
        of("A-2", Kind::Message, "an answer", Message { reply_to: Some(ACT), ..message("oui") }.to_payload()),
        of("A-13", Kind::Message, "an edit", Message { edits: Some(ACT), ..message("non") }.to_payload()),
        of("A-13", Kind::Message, "taken back", Message { edits: Some(ACT), ..message("") }.to_payload()),
        of("A-2", Kind::Message, "the longest", message(&"x".repeat(16_384)).to_payload()),
        of("A-3", Kind::Beacon, "a beacon", beacon().to_payload()),
        of("A-4", Kind::Grievance, "a grievance", grievance().to_payload()),
        of(
            "A-4",
            Kind::Grievance,
            "without a day",
            Grievance { when: String::new(), ..grievance() }.to_payload(),
        ),
        of(
            "A-5",
            Kind::Support,
            "a witness",
            Support { grievance: ACT, kind: SupportKind::Witness }.to_payload(),
        ),
        of("A-6", Kind::Call, "a call", call().to_payload()),
        of("A-6", Kind::Call, "a change", Call { changes: Some(ACT), sequence: 2, ..call() }.to_payload()),
        of(
            "A-9",
            Kind::CallOff,
            "a call-off",
            CallOff { call: ACT, sequence: 3, reason: "They gave in".to_owned() }.to_payload(),
        ),
        of(
            "A-10",
            Kind::PledgeAnswer,
            "an answer",
            PledgeAnswer { call: ACT, sealed: vec![1; 81].into() }.to_payload(),
        ),
        of(
            "A-12",
            Kind::PledgeCount,
            "a step",
            PledgeCount { call: ACT, count: 10, closed: false }.to_payload(),
        ),
        of(
            "A-12",
            Kind::PledgeCount,
            "the close",
            PledgeCount { call: ACT, count: 7, closed: true }.to_payload(),
        ),
        of("D-5", Kind::Message, "a field of a later version", newer(message("plus tard").to_payload())),
    ]);
    accepted
}

fn persons(members: usize, channel: Channel) -> Vec<u8> {
    Persons { members: vec![ONE; members], channel }.to_payload()
}

fn rule(parameter: Parameter, value: u32) -> Vec<u8> {
    Rule { parameter, value, channel: Channel::Council }.to_payload()
}

fn a_move() -> Move {
    Move {
        group: GroupId([8; 32]),
        device: ONE,
        key_package: vec![5; 30].into(),
        proof: [7; 64].into(),
        door: None,
    }
}

fn a_door() -> Doorway {
    Doorway { key: ONE, request: [2; 32].into(), peer: [4; 32].into() }
}

fn a_resync(package: usize, behind: usize) -> Vec<u8> {
    let behind = vec![[6; 8].into(); behind];
    Resync { key_package: vec![5; package].into(), door: a_door(), behind }.to_payload()
}

/// What several decide, and how a draft becomes a group.
fn decisions() -> Vec<Value> {
    let promote = Promote { member: ONE, channel: Channel::Council };
    let consent = Approve { act: ACT, consent: Some([7; 64].into()) };
    let door = a_door();
    let found = Found {
        parameters: vec![0xa0].into(),
        group_info: vec![1; 4].into(),
        tree: vec![2; 4].into(),
        consent: [3; 64].into(),
    };
    vec![
        of("B-14", Kind::Expel, "two, by the council", persons(2, Channel::Council)),
        of("B-14", Kind::Demote, "one, by the roll", persons(1, Channel::Roll)),
        of("B-15", Kind::Promote, "one", promote.to_payload()),
        of("B-14", Kind::Enrol, "the most", persons(512, Channel::Council)),
        of("B-16", Kind::Rule, "a key-holder admits", rule(Parameter::Admit, 0)),
        of("B-16", Kind::Rule, "the most vouches", rule(Parameter::Admit, 16)),
        of("B-16", Kind::Rule, "two remove", rule(Parameter::Few, 2)),
        of("B-16", Kind::Rule, "the longest wait", rule(Parameter::Wait, 365)),
        of("B-16", Kind::Rule, "chat for ten years", rule(Parameter::Chat, 3_650)),
        of("B-17", Kind::Dismiss, "an act", Dismiss { act: ACT }.to_payload()),
        of("B-18", Kind::Approve, "an act", Approve { act: ACT, consent: None }.to_payload()),
        of("B-18", Kind::Approve, "a founding", consent.to_payload()),
        of("B-7", Kind::Resign, "an office", Empty {}.to_payload()),
        of("B-19", Kind::Found, "the outer body", found.to_payload()),
        of("B-20", Kind::Move, "in the group", a_move().to_payload()),
        of("B-20", Kind::Move, "in the draft", Move { door: Some(door), ..a_move() }.to_payload()),
        of("B-21", Kind::Resync, "new keys", a_resync(30, 1)),
        of("B-21", Kind::Resync, "the longest key package", a_resync(3_500, 16)),
    ]
}

fn refused_decisions() -> Vec<Value> {
    let long = Move { key_package: vec![0; 3_501].into(), ..a_move() };
    vec![
        of("B-14", Kind::Expel, "nobody", persons(0, Channel::Council)),
        of("B-14", Kind::Enrol, "too many", persons(513, Channel::Council)),
        of("B-14", Kind::Demote, "by nobody known", vec![0xa2, 0x00, 0x80, 0x01, 0x02]),
        of("B-16", Kind::Rule, "17 vouches", rule(Parameter::Admit, 17)),
        of("B-16", Kind::Rule, "nobody removes", rule(Parameter::Few, 0)),
        of("B-16", Kind::Rule, "three remove", rule(Parameter::Few, 3)),
        of("B-16", Kind::Rule, "more than a year", rule(Parameter::Wait, 366)),
        of("B-16", Kind::Rule, "chat for longer", rule(Parameter::Chat, 3_651)),
        of("B-16", Kind::Rule, "an unknown parameter", vec![0xa3, 0x00, 0x04, 0x01, 0x01, 0x02, 0x00]),
        of("B-20", Kind::Move, "too long a key package", long.to_payload()),
        of("B-21", Kind::Resync, "too long a key package", a_resync(3_501, 0)),
        of("B-21", Kind::Resync, "behind too much", a_resync(30, 17)),
        of("B-21", Kind::Resync, "no door", vec![0xa1, 0x00, 0x41, 0x05]),
    ]
}

fn refused_control() -> Vec<Value> {
    let commit = |operations: Vec<EntryId>| Commit { message: vec![9; 40].into(), operations }.to_payload();
    let named = |name: &str| Profile { name: name.to_owned(), mail: vec![1; 32].into() }.to_payload();
    let remove = |n: usize| Remove { members: vec![ONE; n] }.to_payload();
    vec![
        of("B-3", Kind::Invite, "for what nobody knows", {
            let mut payload = for_devices(DeviceCode::Recovery);
            *payload.last_mut().unwrap() = 2;
            payload
        }),
        of(
            "B-22",
            Kind::DeviceDrop,
            "a phrase without proof",
            DeviceDrop { proof: None, ..by_phrase() }.to_payload(),
        ),
        of(
            "B-22",
            Kind::DeviceDrop,
            "a proof without phrase",
            DeviceDrop { phrase: None, ..by_phrase() }.to_payload(),
        ),
        of("B-3", Kind::Invite, "no uses", Invite { uses: 0, ..invite() }.to_payload()),
        of("B-4", Kind::Admit, "a code without proof", Admit { proof: None, ..admit() }.to_payload()),
        of("B-4", Kind::Admit, "a proof without code", Admit { invite: None, ..admit() }.to_payload()),
        of(
            "B-4",
            Kind::Admit,
            "a key package of 3,501 bytes",
            Admit { key_package: vec![0; 3501].into(), ..admit() }.to_payload(),
        ),
        of("B-5", Kind::Remove, "nobody", remove(0)),
        of("B-6", Kind::Revoke, "a key of 31 bytes", [&[0xa1, 0, 0x58, 31][..], &[1; 31]].concat()),
        of("B-8", Kind::Profile, "no name", named("")),
        of("B-13", Kind::Profile, "a name of 65 bytes", named(&"é".repeat(33))),
        of("B-13", Kind::Profile, "a name with a control character", named("a\u{85}b")),
        of("B-13", Kind::Profile, "a name that begins with a space", named(" a")),
        of("B-9", Kind::Commit, "operations descending", commit(vec![EntryId([5; 32]), ACT])),
        of("B-9", Kind::Commit, "an operation twice", commit(vec![ACT, ACT])),
        of("D-5", Kind::Invite, "a field missing", to_cbor(&Revoke { invite: ONE })),
        of("D-5", Kind::Invite, "uses beyond 16 bits", with_uses(&[0x1a, 0, 1, 0, 0])),
        of("D-5", Kind::Invite, "uses as text", with_uses(&[0x61, b'1'])),
    ]
}

fn with_uses(uses: &[u8]) -> Vec<u8> {
    let whole = invite().to_payload();
    let at = 1 + 4 * (1 + 2 + 32) + 1;
    [&whole[..at], uses, &whole[at + 1..]].concat()
}

fn refused_actions() -> Vec<Value> {
    let grievance_with = |change: fn(&mut Grievance)| {
        let mut g = grievance();
        change(&mut g);
        g.to_payload()
    };
    let call_with = |change: fn(&mut Call)| {
        let mut c = call();
        change(&mut c);
        c.to_payload()
    };
    let grieved = |name, change| of("A-4", Kind::Grievance, name, grievance_with(change));
    let called = |name, change| of("A-6", Kind::Call, name, call_with(change));
    let count = |count, closed| PledgeCount { call: ACT, count, closed }.to_payload();
    let answer = |n| PledgeAnswer { call: ACT, sealed: vec![1; n].into() }.to_payload();
    let reached = |contacts: Vec<String>| Beacon { contacts, ..beacon() }.to_payload();
    vec![
        of("A-2", Kind::Message, "nothing said", message("").to_payload()),
        of("A-2", Kind::Message, "16,385 bytes", message(&"x".repeat(16_385)).to_payload()),
        of("A-1", Kind::Message, "a tabulator", message("a\tb").to_payload()),
        of("A-1", Kind::Message, "an escape", message("a\u{1b}[2J").to_payload()),
        of("A-3", Kind::Beacon, "nine contacts", reached(vec!["/x".to_owned(); 9])),
        of("A-3", Kind::Beacon, "a contact of 129 bytes", reached(vec!["x".repeat(129)])),
        of("A-3", Kind::Beacon, "65 tips", Beacon { acts: vec![ACT; 65], ..beacon() }.to_payload()),
        grieved("another category", |g| g.category = "pay.late_again".to_owned()),
        grieved("no platform", |g| g.platform.clear()),
        grieved("another rhythm", |g| g.every = Some("fortnight".to_owned())),
        grieved("three dates", |g| g.when = "2026..2027..2028".to_owned()),
        grieved("another basis", |g| g.amounts[0].basis = Some("rumour".to_owned())),
        grieved("a day in words", |g| g.when = "hier".to_owned()),
        grieved("a day with an hour", |g| g.when = "2026-11-20-18".to_owned()),
        grieved("17 amounts", |g| g.amounts = vec![amount(); 17]),
        grieved("another kind of amount", |g| g.amounts[0].kind = "lost".to_owned()),
        grieved("five digits after the point", |g| g.amounts[0].scale = 5),
        grieved("a unit of nine bytes", |g| g.amounts[0].unit = "x".repeat(9)),
        grieved("another period", |g| g.amounts[0].per = "year".to_owned()),
        of("A-5", Kind::Support, "kind 3", [&[0xa2, 0, 0x58, 32][..], &[2; 32], &[1, 3]].concat()),
        called("sequence 0", |c| c.sequence = 0),
        called("no legs", |c| c.legs.clear()),
        called("65 legs", |c| c.legs = vec![leg(); 65]),
        called("33 demands", |c| c.demands = vec!["x".to_owned(); 33]),
        called("another form", |c| c.forms = vec!["sabotage".to_owned()]),
        called("no form", |c| c.forms.clear()),
        called("a form twice", |c| c.forms = vec!["log_off".to_owned(); 2]),
        called("closes after the start", |c| c.closes = c.legs[0].start + 1),
        called("expires before the end", |c| c.expires -= 1),
        called("two counters", |c| c.counters = vec![MemberId([1; 32]); 2]),
        called("no counter", |c| c.counters.clear()),
        called("a leg that ends as it starts", |c| c.legs[0].end = c.legs[0].start),
        called("no zone", |c| c.legs[0].zone.clear()),
        called("a title of two lines", |c| c.title = "a\nb".to_owned()),
        called("a counter key of 2,049 bytes", |c| c.counter_key = vec![0; 2049].into()),
        of(
            "A-9",
            Kind::CallOff,
            "no reason",
            CallOff { call: ACT, sequence: 1, reason: String::new() }.to_payload(),
        ),
        of(
            "A-9",
            Kind::CallOff,
            "sequence 0",
            CallOff { call: ACT, sequence: 0, reason: "x".to_owned() }.to_payload(),
        ),
        of("A-10", Kind::PledgeAnswer, "nothing sealed", answer(0)),
        of("A-10", Kind::PledgeAnswer, "2,049 bytes", answer(2049)),
        of("A-12", Kind::PledgeCount, "the sixth", count(6, false)),
        of("A-12", Kind::PledgeCount, "a step of none", count(0, false)),
        of("D-2", Kind::Message, "null for an absent field", vec![0xa3, 0, 0x61, b'x', 1, 0xf6, 2, 3]),
        of("D-2", Kind::Message, "fields out of order", vec![0xa2, 2, 3, 0, 0x61, b'x']),
        of("D-2", Kind::Message, "a clock in a second form", vec![0xa2, 0, 0x61, b'x', 2, 0x18, 3]),
        of("D-5", Kind::Message, "a list", vec![0x82, 0x61, b'x', 3]),
    ]
}

/// Number and class of every kind, and pairs that are none.
fn kinds() -> Vec<Value> {
    let known = (0..=0xffff_u16).flat_map(|number| Class::ALL.map(|class| (number, class)));
    let known = known.filter_map(|(number, class)| Kind::from_number(number, class));
    known.map(|kind| json!({"rule": "B-1", "kind": kind as u16, "class": kind.class() as u8})).collect()
}

fn made() -> Value {
    json!({
        "about": "Payloads by kind: accepted and refused for their form. Whether their author was entitled is another question.",
        "kinds": kinds(),
        "accepted": accepted(),
        "refused": Value::Array([refused_decisions(), refused_control(), refused_actions()].concat()),
    })
}

#[test]
fn bodies_are_as_written() {
    let file = committed("bodies", &made());
    let kind = |vector: &Value| {
        let class = Class::ALL[number(vector, "class") as usize];
        Kind::from_number(number(vector, "kind") as u16, class).expect("a kind")
    };
    for vector in list(&file, "accepted") {
        assert_eq!(read(kind(vector), &bytes(vector, "payload")), Ok(()), "{vector}");
    }
    for vector in list(&file, "refused") {
        assert!(read(kind(vector), &bytes(vector, "payload")).is_err(), "{vector}");
    }
}

#[test]
fn a_body_is_bounded_before_it_is_read() {
    let over = [&[0xa1, 0, 0x59, 0xc0, 0x00][..], &[0; 0xc000]].concat();
    assert_eq!(Revoke::from_payload(&over), Err(DecodeError::TooLarge));
    let ids: Vec<EntryId> = (0..513u32)
        .map(|n| EntryId([[0; 28].as_slice(), &n.to_be_bytes()].concat().try_into().unwrap()))
        .collect();
    let commit =
        |n: usize| Commit { message: vec![9; 40].into(), operations: ids[..n].to_vec() }.to_payload();
    let remove = |n: usize| Remove { members: vec![ONE; n] }.to_payload();
    let one = OpenedEpoch { epoch: EpochId([3; 32]), control: [4; 32].into() };
    let opened = |n: usize| Opened { epochs: vec![one.clone(); n] }.to_payload();
    for (kind, most, over) in [
        (Kind::Commit, commit(512), commit(513)),
        (Kind::Remove, remove(512), remove(513)),
        (Kind::Opened, opened(512), opened(513)),
    ] {
        assert_eq!(read(kind, &most), Ok(()), "{kind:?}");
        assert!(read(kind, &over).is_err(), "{kind:?}");
    }
}
