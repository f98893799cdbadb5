//! Sessions: transcript and slots, names, frames, one whole conversation; sealed answers (Y, A-10).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use ed25519_dalek::SigningKey;
use piquet_protocol::action::pledge;
use piquet_protocol::codec::put_varint;
use piquet_protocol::crypto::{self, Secret};
use piquet_protocol::entry::UnverifiedEntry;
use piquet_protocol::group::seal::Suite;
use piquet_protocol::group::seal::hpke::{self, MailKey};
use piquet_protocol::id::{DeviceKey, EntryId, EpochId, GroupId};
use piquet_protocol::log::LogId;
use piquet_protocol::sim::SeededRng;
use piquet_protocol::sync::{
    Claim, Connected, ConnectionId, Door, Groups, Head, HeldInvite, Judged, LogHead, MAX_FRAME, Message, New,
    Output, Place, Role, Seek, Sync, Transcript,
};
use piquet_protocol::time::Moment;
use serde_json::{Value, json};

use crate::file::{array, bytes, committed, hex, list, text};
use crate::raw::{EPOCH, GROUP, Raw, alice, bob, padded};

const PEER_KEY: [u8; 32] = [0x0c; 32];
const PEERS: [&[u8]; 2] = [b"peer id of the dialler", b"peer id of the answerer"];

fn transcript() -> Transcript {
    Transcript::new(PEERS, [&[1; 32], &[2; 32]])
}

fn claim() -> Claim {
    Claim::member(GROUP, EPOCH, Secret::new(PEER_KEY))
}

fn slot(rule: &str, name: &str, claim: &Claim, role: Role, signer: &SigningKey) -> Value {
    let t = transcript();
    json!({
        "rule": rule, "name": name, "role": role as u8, "peer_key": hex(claim.peer_key.as_bytes()),
        "group": hex(claim.group.0), "epoch": hex(claim.epoch.0), "seed": hex(signer.to_bytes()),
        "device": hex(crypto::device_key(signer).0), "slot": hex(claim.show(&t, role, signer)),
    })
}

/// A slot, and under which names it is read in vain.
fn refused(rule: &str, name: &str, slot: &[u8; 128], role: Role, claim: &Claim) -> Value {
    json!({
        "rule": rule, "name": name, "role": role as u8, "peer_key": hex(claim.peer_key.as_bytes()),
        "group": hex(claim.group.0), "epoch": hex(claim.epoch.0), "slot": hex(slot),
    })
}

fn refused_slots() -> Vec<Value> {
    let t = transcript();
    let good = claim().show(&t, Role::Initiator, &alice());
    let elsewhere = Transcript::new([PEERS[0], b"mallory"], [&[1; 32], &[2; 32]]);
    let later = Transcript::new(PEERS, [&[1; 32], &[3; 32]]);
    let flip = |at: usize| {
        let mut slot = good;
        slot[at] ^= 1;
        slot
    };
    let other = |claim: Claim| claim;
    vec![
        refused("Y-4", "reflected", &good, Role::Responder, &claim()),
        refused(
            "Y-2",
            "of a session with another peer",
            &claim().show(&elsewhere, Role::Initiator, &alice()),
            Role::Initiator,
            &claim(),
        ),
        refused(
            "Y-2",
            "of a session with another nonce",
            &claim().show(&later, Role::Initiator, &alice()),
            Role::Initiator,
            &claim(),
        ),
        refused(
            "Y-4",
            "under another epoch's key",
            &good,
            Role::Initiator,
            &other(Claim { peer_key: Secret::new([9; 32]), ..claim() }),
        ),
        refused(
            "Y-4",
            "signed for another group",
            &good,
            Role::Initiator,
            &other(Claim { group: GroupId([9; 32]), ..claim() }),
        ),
        refused(
            "Y-4",
            "signed for another epoch",
            &good,
            Role::Initiator,
            &other(Claim { epoch: EpochId([9; 32]), ..claim() }),
        ),
        refused("Y-4", "a flipped tag", &flip(0), Role::Initiator, &claim()),
        refused("Y-4", "a flipped box", &flip(20), Role::Initiator, &claim()),
        refused(
            "Y-4",
            "another device put in by who has the key",
            &forged(&t, &good),
            Role::Initiator,
            &claim(),
        ),
        refused("Y-6", "random bytes", &[0x5a; 128], Role::Initiator, &claim()),
    ]
}

/// Whoever has P opens the box and seals it again, with another device in it.
fn forged(t: &Transcript, good: &[u8; 128]) -> [u8; 128] {
    let key = Secret::new(PEER_KEY).expand("box", &[t.as_bytes(), &[1]]);
    let mut content = crypto::open_box(&key, &[0; 24], &[], &good[16..]).unwrap().to_vec();
    content[..32].copy_from_slice(&crypto::device_key(&bob()).0);
    let mut slot = *good;
    slot[16..].copy_from_slice(&crypto::seal_box(&key, &[0; 24], &[], &content));
    slot
}

fn handshake() -> Value {
    let t = transcript();
    let joiner = Claim::joiner(&GROUP.fingerprint(), Secret::new([0x0d; 32]));
    json!({
        "about": "Transcript of one session and slots in it. A slot is read under a peer key, group, epoch and role; refused ones show no device.",
        "peers": [hex(PEERS[0]), hex(PEERS[1])], "nonces": [hex([1; 32]), hex([2; 32])],
        "transcripts": [{"rule": "Y-2", "transcript": hex(t.as_bytes()), "short_key": hex(t.short_key().as_bytes())}],
        "slots": [
            slot("Y-4", "the dialler, a member", &claim(), Role::Initiator, &alice()),
            slot("Y-4", "the answerer, a member", &claim(), Role::Responder, &bob()),
            slot("Y-4", "a joiner by code", &joiner, Role::Initiator, &SigningKey::from_bytes(&[0x0f; 32])),
            slot("Y-4", "the door-opener's answer", &joiner, Role::Responder, &bob()),
        ],
        "refused": refused_slots(),
    })
}

#[test]
fn slots_are_as_written() {
    let file = committed("handshake", &handshake());
    let claim_of = |vector: &Value| Claim {
        peer_key: Secret::new(array(vector, "peer_key")),
        group: GroupId(array(vector, "group")),
        epoch: EpochId(array(vector, "epoch")),
    };
    let role = |vector: &Value| if vector["role"] == 1 { Role::Initiator } else { Role::Responder };
    for vector in list(&file, "slots") {
        let shown = claim_of(vector).read(&transcript(), role(vector), &array(vector, "slot"));
        assert_eq!(shown, Some(DeviceKey(array(vector, "device"))), "{vector}");
    }
    for vector in list(&file, "refused") {
        let shown = claim_of(vector).read(&transcript(), role(vector), &array(vector, "slot"));
        assert_eq!(shown, None, "{vector}");
    }
}

fn seek(positions: &[u32]) -> Seek {
    Seek { log: [1; 8], have: positions.iter().map(|seq| (*seq, [2; 8])).collect() }
}

fn messages() -> Vec<(&'static str, Message)> {
    let place = Place { log: [1; 8], seq: 7 };
    let head = |forked| Head { log: [1; 8], lane: 1, seq: 9, id: [2; 8], forked };
    vec![
        ("hello", Message::Hello { nonce: [3; 32] }),
        ("slots", Message::Slots(vec![[4; 128]; 8])),
        ("refused", Message::Refused(2)),
        ("knock", Message::Knock(vec![5; 64])),
        ("mail", Message::Mail { part: 0, parts: 2, bytes: vec![6; 10] }),
        ("digest", Message::Digest { group: 1, lanes: [[7; 16], [8; 16], [9; 16]], up: vec![] }),
        ("digest, who is up", Message::Digest { group: 1, lanes: [[7; 16]; 3], up: vec![[3; 8], [4; 8]] }),
        ("heads", Message::Heads { group: 1, more: true, heads: vec![head(true), head(false)] }),
        ("no heads", Message::Heads { group: 1, more: false, heads: vec![] }),
        ("have", Message::Have { group: 1, places: vec![place; 2] }),
        (
            "want",
            Message::Want { group: 1, live: true, budget: 1 << 20, logs: vec![seek(&[7, 6, 0]), seek(&[])] },
        ),
        (
            "entries",
            Message::Entries { group: 1, log: [1; 8], end: false, entries: vec![vec![8; 3], vec![9; 2]] },
        ),
        ("the end of entries", Message::Entries { group: 1, log: [1; 8], end: true, entries: vec![] }),
        ("entry", Message::Entry(vec![9; 20])),
        ("ask", Message::Ask { group: 1, ids: vec![[7; 32]; 2] }),
        ("keys", Message::Keys { group: 1, keys: vec![[[7; 32], [8; 32]]; 2] }),
        ("prune", Message::Prune { group: 3 }),
        ("busy", Message::Busy(60)),
        ("bye", Message::Bye),
    ]
}

fn refused_frames() -> Vec<Value> {
    let place = Place { log: [1; 8], seq: 7 };
    let of = |name: &str, frame: Vec<u8>| json!({"rule": "Y-1", "name": name, "frame": hex(frame)});
    let mut version_2 = Message::Hello { nonce: [3; 32] }.encode();
    version_2[1] = 2;
    vec![
        of("nothing", vec![]),
        of("type 0", vec![0]),
        of("type 16", vec![16]),
        of("another version", version_2),
        of("a short hello", Message::Hello { nonce: [3; 32] }.encode()[..64].to_vec()),
        of("nine slots", Message::Slots(vec![[0; 128]; 9]).encode()),
        of("eight slots and a byte", [Message::Slots(vec![[0; 128]; 8]).encode(), vec![0]].concat()),
        of("no slots", vec![2]),
        of("a part beyond the parts", Message::Mail { part: 2, parts: 2, bytes: vec![] }.encode()),
        of("65 parts", Message::Mail { part: 0, parts: 65, bytes: vec![] }.encode()),
        of("a short digest", vec![6, 1, 0]),
        of(
            "seventeen members up",
            Message::Digest { group: 1, lanes: [[7; 16]; 3], up: vec![[3; 8]; 17] }.encode(),
        ),
        of("a flag of 2", vec![7, 1, 2]),
        of("a head cut short", [vec![7, 1, 0], vec![0; 20]].concat()),
        of("65 places had", Message::Have { group: 1, places: vec![place; 65] }.encode()),
        of(
            "257 places wanted",
            Message::Want { group: 1, live: false, budget: 1, logs: vec![seek(&[]); 257] }.encode(),
        ),
        of(
            "a budget above 1 MiB",
            Message::Want { group: 1, live: false, budget: (1 << 20) + 1, logs: vec![] }.encode(),
        ),
        of(
            "17 positions of one log",
            Message::Want { group: 1, live: false, budget: 1, logs: vec![seek(&[9; 17])] }.encode(),
        ),
        of("a position cut short", [vec![9, 1, 0, 0, 0, 0, 1], vec![1; 8], vec![1], vec![0; 11]].concat()),
        of("65 ids asked for", Message::Ask { group: 1, ids: vec![[7; 32]; 65] }.encode()),
        of("65 epochs told", Message::Keys { group: 1, keys: vec![[[7; 32]; 2]; 65] }.encode()),
        of("an id cut short", [vec![15, 1], vec![0; 31]].concat()),
        of("an entry beyond the frame", [vec![10, 1, 0], vec![1; 8], vec![0, 0, 0, 9, 1]].concat()),
        of("a prune with more", vec![12, 1, 1]),
        of("a bye with more", vec![14, 0]),
    ]
}

fn frames() -> Value {
    let on_stream = |frame: &[u8]| {
        let mut out = Vec::new();
        put_varint(&mut out, frame.len() as u64);
        out.extend_from_slice(frame);
        hex(out)
    };
    let accepted: Vec<Value> = messages()
        .into_iter()
        .map(|(name, message)| {
            let frame = message.encode();
            json!({"rule": "Y-1", "name": name, "frame": hex(&frame), "on_stream": on_stream(&frame)})
        })
        .collect();
    json!({"about": "Frames: type and body, and as they stand on the stream.", "accepted": accepted, "refused": refused_frames()})
}

#[test]
fn frames_are_as_written() {
    let file = committed("frames", &frames());
    for (vector, (_, message)) in list(&file, "accepted").iter().zip(messages()) {
        assert_eq!(Message::decode(&bytes(vector, "frame")), Ok(message));
    }
    for vector in list(&file, "refused") {
        assert!(Message::decode(&bytes(vector, "frame")).is_err(), "{vector}");
    }
    assert!(Message::decode(&vec![11; MAX_FRAME + 1]).is_err(), "longer than any frame");
    assert!(Message::decode(&[vec![4], vec![0; 4097]].concat()).is_err(), "a knock of 4,097 bytes");
    assert!(Message::decode(&[vec![7, 1, 0], vec![0; 21 * 1025]].concat()).is_err(), "1,025 heads");
    assert!(Message::decode(&[vec![5, 0, 1], vec![0; 49_153]].concat()).is_err(), "a part of 49,153 bytes");
}

/// One side of a conversation: a device and the entries it holds.
struct Side {
    key: SigningKey,
    held: BTreeMap<(LogId, u32), (EntryId, Vec<u8>)>,
    sync: Sync,
    rng: SeededRng,
}

impl Groups for &Side {
    fn shown(&self, _: &str) -> Vec<Claim> {
        vec![claim()]
    }
    fn recognised(&self, _: usize) -> Vec<Claim> {
        vec![claim()]
    }
    fn doors(&self, _: &str) -> Vec<Door> {
        Vec::new()
    }
    fn invites(&self) -> Vec<HeldInvite> {
        Vec::new()
    }
    fn on_roster(&self, _: &GroupId, device: &DeviceKey) -> bool {
        [alice(), bob()].iter().any(|key| crypto::device_key(key) == *device)
    }
    fn signer(&self, _: &GroupId) -> Option<SigningKey> {
        Some(self.key.clone())
    }
    fn heads(&self, _: &GroupId) -> Vec<LogHead> {
        let newest: BTreeMap<LogId, (u32, EntryId)> =
            self.held.iter().map(|((log, seq), (id, _))| (*log, (*seq, *id))).collect();
        newest.into_iter().map(|(log, (seq, id))| LogHead { log, seq, id, forked: false }).collect()
    }
    fn id_at(&self, _: &GroupId, log: LogId, seq: u32) -> Option<EntryId> {
        self.held.get(&(log, seq)).map(|(id, _)| *id)
    }
    fn read(&self, _: &GroupId, log: LogId, after: u32, _: usize) -> Vec<Vec<u8>> {
        self.held.range((log, after + 1)..=(log, u32::MAX)).map(|(_, (_, bytes))| bytes.clone()).collect()
    }
    fn takes_more(&self, _: &GroupId, _: LogId) -> bool {
        true
    }
    fn missing(&self, _: &GroupId) -> BTreeSet<EntryId> {
        BTreeSet::new()
    }
    fn chain(&self, _: &GroupId, _: &EntryId, _: usize) -> Option<(DeviceKey, Vec<Vec<u8>>)> {
        None
    }
    fn group_of(&self, _: &[u8; 8], _: &[u8; 8]) -> Option<GroupId> {
        Some(GROUP)
    }
}

/// The log and position of an entry by one of the two.
fn place(bytes: &[u8]) -> ((LogId, u32), EntryId) {
    let entry = UnverifiedEntry::decode(bytes).unwrap();
    let verified = [alice(), bob()]
        .iter()
        .find_map(|key| entry.verify(&GROUP, &crypto::device_key(key), &EPOCH))
        .unwrap();
    let log = LogId { device: verified.device(), lane: verified.header().lane };
    ((log, verified.header().seq), verified.id())
}

impl Side {
    fn new(key: SigningKey, seed: u64, entries: &[Vec<u8>]) -> Self {
        let held = entries
            .iter()
            .map(|bytes| {
                let (at, id) = place(bytes);
                (at, (id, bytes.clone()))
            })
            .collect();
        Self { key, held, sync: Sync::new(), rng: SeededRng::new(seed) }
    }

    fn with<R>(&mut self, work: impl FnOnce(&mut Sync, &dyn Groups, &mut SeededRng) -> R) -> R {
        let mut sync = std::mem::take(&mut self.sync);
        let mut rng = std::mem::replace(&mut self.rng, SeededRng::new(0));
        let result = work(&mut sync, &&*self, &mut rng);
        (self.sync, self.rng) = (sync, rng);
        result
    }

    /// Takes entries in as if they were durable at once.
    fn hold(&mut self, entries: &[Vec<u8>], from: Option<ConnectionId>, now: Moment) {
        let mut new = Vec::new();
        for bytes in entries {
            let ((log, seq), id) = place(bytes);
            self.held.insert((log, seq), (id, bytes.clone()));
            new.push(New { group: GROUP, log, seq, id, bytes: bytes.clone(), from });
        }
        self.with(|sync, groups, _| sync.committed(&new, now, groups));
    }
}

const CONN: ConnectionId = ConnectionId(1);

fn chain(device: &SigningKey, lane_class: u8, texts: &[&str]) -> Vec<Vec<u8>> {
    let (mut prev, mut out) = ([0; 32], Vec::new());
    for (seq, text) in (1..).zip(texts) {
        let raw = Raw {
            lane_class,
            seq,
            prev,
            plain: padded(text.as_bytes(), 64),
            device: device.clone(),
            ..Raw::default()
        };
        let bytes = raw.make();
        prev = place(&bytes).1.0;
        out.push(bytes);
    }
    out
}

fn logs(side: &Side) -> Vec<Value> {
    let heads = <&Side as Groups>::heads(&side, &GROUP);
    heads.iter().map(|h| json!({"device": hex(h.log.device.0), "lane": h.log.lane as u8, "seq": h.seq, "id": hex(h.id.0)})).collect()
}

/// Alice calls Bob; each has what the other lacks; then she says something new.
fn conversation() -> Value {
    let acts = chain(&alice(), 0x00, &["genesis", "profile"]);
    let talk = chain(&alice(), 0x12, &["salut", "ça va ?", "tout de suite"]);
    let theirs = chain(&bob(), 0x00, &["profile"]);
    let mut sides = [
        Side::new(alice(), 1, &[acts.clone(), talk[..2].to_vec()].concat()),
        Side::new(bob(), 2, &[acts, theirs].concat()),
    ];
    let before = json!({"dialler": logs(&sides[0]), "answerer": logs(&sides[1])});
    let mut said = Vec::new();
    let mut now = Moment::default();
    for (n, side) in sides.iter_mut().enumerate() {
        let dialled = (n == 0).then(|| "/ip4/203.0.113.9/tcp/4001".to_owned());
        let (local, remote) = (PEERS[n].to_vec(), PEERS[1 - n].to_vec());
        side.with(|sync, _, rng| sync.connected(Connected { conn: CONN, dialled, local, remote }, now, rng));
    }
    for step in 0..40 {
        if step == 20 {
            sides[0].hold(&talk[2..], None, now);
        }
        exchange(&mut sides, now, &mut said);
        now = now.after(std::time::Duration::from_millis(100));
        for side in &mut sides {
            side.with(|sync, groups, _| sync.tick(now, groups));
        }
    }
    json!({
        "about": "Every frame of one session in which the dialler and the answerer are members, each lacks something, and the dialler writes a third message at the end.",
        "peers": [hex(PEERS[0]), hex(PEERS[1])], "group": hex(GROUP.0), "epoch": hex(EPOCH.0), "peer_key": hex(PEER_KEY),
        "devices": [hex(crypto::device_key(&alice()).0), hex(crypto::device_key(&bob()).0)],
        "rule": "Y-9", "logs_before": before, "frames": said, "logs_after": logs(&sides[1]),
    })
}

/// Hands frames over until nobody has anything to say.
fn exchange(sides: &mut [Side; 2], now: Moment, said: &mut Vec<Value>) {
    let mut idle = false;
    while !std::mem::replace(&mut idle, true) {
        for n in 0..2 {
            let mut outputs = VecDeque::new();
            while let Some(output) = sides[n].sync.poll_output() {
                outputs.push_back(output);
            }
            for output in outputs {
                idle = false;
                match output {
                    Output::Send(_, frame) => {
                        said.push(json!({"by": (["dialler", "answerer"][n]), "frame": hex(&frame)}));
                        sides[1 - n].with(|sync, groups, rng| sync.frame(CONN, &frame, now, groups, rng));
                    }
                    Output::Received { live, entries, .. } => {
                        sides[n].with(|sync, _, _| sync.received(CONN, GROUP, live, Judged::default()));
                        sides[n].hold(&entries, Some(CONN), now);
                    }
                    _ => {}
                }
            }
            sides[n].hold(&[], None, now);
        }
    }
}

#[test]
fn a_session_is_as_written() {
    let file = committed("session", &conversation());
    let types: BTreeSet<u8> = list(&file, "frames").iter().map(|v| bytes(v, "frame")[0]).collect();
    assert!([1, 2, 6, 7, 8, 9, 10, 11].iter().all(|kind| types.contains(kind)), "{types:?}");
    assert_eq!(file["logs_after"].as_array().unwrap().len(), 3, "two lanes of alice's, one of bob's");
}

/// Made once: what is sealed is random. The key pair is that of the vector file.
const SEALED: [&str; 2] = [
    "20ff8c36e3996edc3cde8e84a3c158d7d02b67341d09e0737739928457ec5d563e3b25952d653caf94ec47774f2ac0c7f5720cb27356d3ee1d942b7329f6c7046f02e812eceac685d1036037b23059efa4",
    "20bf4b524a84b874a0d741c7c57fa8ec2ec98c513cb799fcf65019814c6523ce487c65c3b3ab637508008a5fa16192f2bb7c8aee93f3953b413cc4aff624f425565bba77d36945c6451e6eaffb02e9f85d",
];

fn counter() -> MailKey {
    MailKey::generate(Suite::Classical, &mut SeededRng::new(7)).unwrap()
}

fn answers() -> Value {
    let (call, device) = (EntryId([5; 32]), crypto::device_key(&alice()));
    let associated = pledge::associated(&GROUP, &call, &device, 9);
    let one = |yes: bool, sealed: &str| {
        json!({
            "rule": "A-10", "name": if yes { "yes" } else { "blank" }, "yes": yes, "group": hex(GROUP.0), "call": hex(call.0),
            "device": hex(device.0), "seq": 9, "associated": hex(&associated), "plain": hex(pledge::plain(yes)), "sealed": sealed,
        })
    };
    let elsewhere = |name: &str, associated: Vec<u8>| json!({"rule": "A-10", "name": name, "sealed": SEALED[0], "associated": hex(associated)});
    let secret = counter().to_bytes();
    json!({
        "about": "Answers sealed to a call's counter key in the classical suite; opened under the same words elsewhere they are nothing.",
        "suite": 3, "info": hex(pledge::INFO), "public": hex(&counter().public), "secret": hex(&secret[33..]),
        "accepted": [one(true, SEALED[0]), one(false, SEALED[1])],
        "refused": [
            elsewhere("copied by another device", pledge::associated(&GROUP, &call, &crypto::device_key(&bob()), 9)),
            elsewhere("copied to another seq", pledge::associated(&GROUP, &call, &device, 10)),
            elsewhere("copied to another call", pledge::associated(&GROUP, &EntryId([6; 32]), &device, 9)),
            elsewhere("copied to another group", pledge::associated(&GroupId([9; 32]), &call, &device, 9)),
        ],
    })
}

#[test]
fn sealed_answers_open_as_written() {
    let file = committed("pledge", &answers());
    let open = |vector: &Value| {
        counter().open(Suite::Classical, pledge::INFO, &bytes(vector, "associated"), &bytes(vector, "sealed"))
    };
    for vector in list(&file, "accepted") {
        let opened = open(vector).unwrap();
        assert_eq!(hex(&*opened), text(vector, "plain"));
        assert_eq!(pledge::is_yes(&opened), vector["yes"] == true);
    }
    for vector in list(&file, "refused") {
        assert!(open(vector).is_err(), "{vector}");
    }
    let fresh =
        hpke::seal(Suite::Classical, &counter().public, pledge::INFO, b"", &pledge::plain(true)).unwrap();
    assert_eq!(
        fresh.len(),
        bytes(&list(&file, "accepted")[0], "sealed").len(),
        "every answer has one length"
    );
}
