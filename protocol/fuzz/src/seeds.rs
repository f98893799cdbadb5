//! Inputs to start from: what honest nodes would send.

use ed25519_dalek::SigningKey;
use piquet_protocol::action::Action;
use piquet_protocol::action::beacon::Beacon;
use piquet_protocol::action::grievance::{Amount, Grievance, Support, SupportKind};
use piquet_protocol::action::message::Message as Chat;
use piquet_protocol::action::pledge::{PledgeAnswer, PledgeCount};
use piquet_protocol::action::strike::{Call, CallOff, Leg};
use piquet_protocol::codec::to_cbor;
use piquet_protocol::crypto::{Secret, device_key};
use piquet_protocol::entry::{Body, Class, ClassKey, Header, Language, author_entry};
use piquet_protocol::group::invite::{Hint, InviteCode, JoinRequest};
use piquet_protocol::group::genesis::{Genesis, GenesisParameters};
use piquet_protocol::group::operation::{
    Admit, Commit, Control, Empty, Invite, Opened, OpenedEpoch, Profile, Remove,
    Revoke,
};
use piquet_protocol::id::{DeviceKey, EntryId};
use piquet_protocol::sim::SeededRng;
use piquet_protocol::time::Timestamp;

use crate::mls::{self, GROUP, NEXT};

/// Target, name, bytes.
pub type Seed = (&'static str, String, Vec<u8>);

/// All of them.
pub fn all() -> Vec<Seed> {
    let mut seeds = Vec::new();
    let mut add = |target, name: &str, bytes: Vec<u8>| seeds.push((target, name.to_owned(), bytes));
    for (number, payload) in bodies().into_iter().enumerate() {
        add("cbor", &format!("body-{number}"), payload.clone());
        add("body", &format!("body-{number}"), [&[number as u8][..], &payload].concat());
    }
    add("entry", "message", entry());
    add("restored", "picket", crate::nodes::section());
    add("code", "bare", [&[1][..], code(vec![]).to_text().as_bytes()].concat());
    add("code", "hints", [&[1][..], code(hints()).to_text().as_bytes()].concat());
    let keys = code(vec![]).keys();
    let request = JoinRequest::sign(&keys, &GROUP.fingerprint(), DeviceKey([3; 32]), vec![5; 300]);
    add("request", "sealed", request.seal(&Secret::new([5; 32]), &mut SeededRng::new(1)));
    for (number, frame) in frames().iter().enumerate() {
        add("frame", &format!("frame-{number}"), frame.clone());
    }
    for hybrid in [false, true] {
        add_mls(&mut add, hybrid);
    }
    for (number, script) in sessions().into_iter().enumerate() {
        add("session", &format!("script-{number}"), script);
    }
    for author in [0, 1] {
        for (kind, body) in insider_kinds().into_iter().zip(insider_bodies()) {
            let script = [&[author, kind][..], &(body.len() as u16).to_be_bytes(), &body].concat();
            add("insider", &format!("{author}-{kind}"), script);
        }
    }
    for (number, text) in FORMS.iter().enumerate() {
        add("forms", &format!("form-{number}"), text.as_bytes().to_vec());
    }
    for kind in 0..4 {
        add("store_keys", &format!("door-{kind}"), vec![kind; 200]);
    }
    add(
        "store_journal",
        "frames",
        [[0, 0, 8, 1, 1, 1, 1, 1, 1, 1, 1], [1, 0, 8, 2, 2, 2, 2, 2, 2, 2, 2]].concat(),
    );
    seeds
}

fn add_mls(add: &mut impl FnMut(&'static str, &str, Vec<u8>), hybrid: bool) {
    let setting = mls::setting(hybrid);
    let (bit, name) = if hybrid { (12, "hybrid") } else { (0, "classical") };
    let with = |mode: u8, bytes: &[u8]| [&[mode + bit][..], bytes].concat();
    let package = &setting.package;
    add("key_package", &format!("{name}-whole"), with(0, package));
    // Version, suite, init key, then the leaf to its signature (66), extensions (1), signature (66).
    let leaf_at = 4 + if hybrid { 2 + 1216 } else { 1 + 32 };
    add("key_package", &format!("{name}-leaf"), with(1, &package[leaf_at..package.len() - 66 - 1 - 66]));
    add("key_package", &format!("{name}-content"), with(2, &package[..package.len() - 66]));
    add("welcome", &format!("{name}-whole"), with(0, setting.first.welcome.as_ref().unwrap()));
    add("welcome", &format!("{name}-secrets"), with(1, &[&[32][..], &[5; 32], &[0, 0]].concat()));
    add("welcome", &format!("{name}-info"), with(2, &setting.genesis.group_info[4..]));
    add("commit", &format!("{name}-first"), with(0, &setting.first.message));
    add("commit", &format!("{name}-second"), with(0, &setting.second.message));
    add("genesis", &format!("{name}-info"), with(0, &setting.genesis.group_info));
    add("genesis", &format!("{name}-tree"), with(1, &setting.genesis.tree));
    let both = [
        &(setting.genesis.group_info.len() as u16).to_be_bytes()[..],
        &setting.genesis.group_info,
        &setting.genesis.tree,
    ]
    .concat();
    add("genesis", &format!("{name}-both"), with(2, &both));
    add("answer", name, with(0, &package[5..4 + if hybrid { 2 + 1216 } else { 1 + 32 }]));
    if !hybrid {
        add("kept", "state", setting.first.next.to_bytes()[..2000].to_vec());
    }
}

fn hints() -> Vec<Hint> {
    ["/ip4/127.0.0.1/tcp/4001", "/ip6/::1/tcp/1", "/dns/node.example/tcp/9"]
        .into_iter()
        .filter_map(Hint::from_multiaddr)
        .collect()
}

fn code(hints: Vec<Hint>) -> InviteCode {
    InviteCode::generate(&GROUP, piquet_protocol::group::seal::Suite::Classical, Timestamp::from_secs(2_000_000_000), hints, &mut SeededRng::new(2))
}

fn entry() -> Vec<u8> {
    let key = SigningKey::from_bytes(&[3; 32]);
    let header = Header::new(Class::Chat, &device_key(&key), &NEXT, 1, EntryId::default());
    let body = Body { kind: 64, schema: 1, time: 9, language: Language(2), payload: vec![1; 30] };
    let class_key = ClassKey(Secret::new([4; 32]));
    author_entry(&GROUP, &NEXT, &key, header, &class_key, &body).unwrap().bytes().to_vec()
}

fn call() -> Call {
    let leg = Leg {
        zone: "Europe/Paris".into(),
        place: "Lyon".into(),
        start_local: "2026-12-04T18:00".into(),
        end_local: "2026-12-04T22:00".into(),
        start: 1_900_000_000,
        end: 1_900_010_000,
        threshold: 0,
    };
    Call {
        changes: Some(EntryId([2; 32])),
        sequence: 1,
        title: "Evening off".into(),
        demands: vec!["5 EUR a task".into()],
        forms: vec!["log_off".into()],
        legs: vec![leg],
        threshold: 10,
        closes: 1_900_000_000,
        answer_window: 0,
        expires: 1_900_010_000,
        counter_key: vec![7; 32].into(),
        counters: vec![DeviceKey([1; 32]).into()],
        tzdb: "2026a".into(),
    }
}

/// In the order of the `body` target.
fn bodies() -> Vec<Vec<u8>> {
    let (device, id) = (DeviceKey([3; 32]), EntryId([4; 32]));
    let parameters = GenesisParameters::draft(3, device, [5; 32], "picket");
    let genesis =
        Genesis { parameters: to_cbor(&parameters).into(), group_info: vec![1].into(), tree: vec![2].into(), consents: None };
    let invite = Invite {
        key: device,
        request: [1; 32].into(),
        mailbox: [2; 32].into(),
        peer: [3; 32].into(),
        uses: 3,
        expires: 9,
        proof: [4; 64].into(),
        devices: None,
    };
    let admit =
        Admit { device, key_package: vec![1; 40].into(), invite: Some(device), proof: Some([5; 64].into()) };
    let opened = Opened { epochs: vec![OpenedEpoch { epoch: NEXT, control: [7; 32].into() }] };
    let grievance = Grievance {
        category: "pay.below_rate".into(),
        platform: "Deliverix".into(),
        when: "2026-11-20".into(),
        place: "Lyon".into(),
        amounts: vec![Amount {
            kind: "paid".into(),
            value: 450,
            scale: 2,
            unit: "EUR".into(),
            per: "task".into(),
            basis: Some("measured".into()),
        }],
        text: "Three euros".into(),
        every: Some("week".into()),
        zone: Some("Europe/Paris".into()),
    };
    vec![
        genesis.to_payload(),
        invite.to_payload(),
        admit.to_payload(),
        Remove { members: vec![device] }.to_payload(),
        Revoke { invite: device }.to_payload(),
        Empty {}.to_payload(),
        Profile { name: "bob".into(), mail: vec![1; 32].into() }.to_payload(),
        Commit { message: vec![1; 9].into(), operations: vec![id] }.to_payload(),
        opened.to_payload(),
        Beacon { contacts: vec!["/ip4/10.0.0.1/tcp/1".into()], acts: vec![id], talk: vec![id] }.to_payload(),
        grievance.to_payload(),
        Support { grievance: id, kind: SupportKind::Witness }.to_payload(),
        Chat { text: "salut".into(), reply_to: Some(id), clock: 3, edits: Some(id) }.to_payload(),
        PledgeAnswer { call: id, sealed: vec![1; 80].into() }.to_payload(),
        PledgeCount { call: id, count: 5, closed: false }.to_payload(),
        call().to_payload(),
        CallOff { call: id, sequence: 2, reason: "agreed".into() }.to_payload(),
        to_cbor(&parameters),
    ]
}

/// A frame of each type, by hand: what they hold is spec sync's, and may change without these.
fn frames() -> Vec<Vec<u8>> {
    let group = [1, 1];
    let frame = |kind: u8, parts: &[&[u8]]| [&[kind][..], &parts.concat()].concat();
    vec![
        frame(1, &[&[1, 0, 0, 0, 0], &[3; 32], &[0; 27]]),
        frame(2, &[&[4; 8 * 128]]),
        frame(3, &[&[2]]),
        frame(5, &[&[0, 2], &[6; 100]]),
        frame(6, &[&[1], &[7; 48]]),
        frame(7, &[&group, &[1; 8], &[3], &[0, 0, 0, 9], &[2; 8]]),
        frame(8, &[&[1], &[1; 8], &[0, 0, 0, 7]]),
        frame(9, &[&group, &[0, 0, 4, 0], &[1; 8], &[0, 0, 0, 7], &[0]]),
        frame(10, &[&group, &[1; 8], &[0, 0, 0, 30], &[8; 30]]),
        frame(11, &[&entry()]),
        frame(12, &[&[3]]),
        frame(13, &[&[0, 60]]),
        frame(14, &[]),
    ]
}

/// Frames at once, and after an honest opening.
fn sessions() -> Vec<Vec<u8>> {
    let raw = |frame: &Vec<u8>| [&[0][..], &(frame.len() as u16).to_be_bytes(), frame].concat();
    let all: Vec<u8> = frames().iter().skip(4).flat_map(raw).collect();
    let mut scripts = Vec::new();
    for mode in 0..8 {
        scripts.push([&[mode][..], &raw(&frames()[0]), &raw(&frames()[1])].concat());
        scripts.push([&[mode, 3, 31, 3, 31][..], &all].concat());
        scripts.push([&[mode, 3, 2, 2, 0, 9, 1, 3, 31][..]].concat());
    }
    scripts
}

/// Indices into the kinds of the `insider` target.
fn insider_kinds() -> Vec<u8> {
    vec![0, 1, 2, 3, 4, 5, 6, 7, 8, 17, 10, 11, 16, 14, 15, 12, 13]
}

fn insider_bodies() -> Vec<Vec<u8>> {
    bodies()
}

const FORMS: [&str; 6] = [
    r#"{"request":"status"}"#,
    r#"{"request":"send","group":"picket","text":"salut"}"#,
    "paid=4.50EUR/task",
    "7d",
    "2026-12-04T18:00 Europe/Paris",
    "2026-03-29T02:30 Europe/Paris",
];
