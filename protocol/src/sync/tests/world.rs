//! One node's sessions on made-up groups, and a hand at the other end that can do anything.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ed25519_dalek::SigningKey;

use crate::crypto::{self, Secret};
use crate::entry::Lane;
use crate::id::{DeviceKey, EntryId, EpochId, GroupId};
use crate::log::LogId;
use crate::sim::SeededRng;
use crate::sync::message::{Head, SLOT_LEN};
use crate::sync::{
    Claim, Connected, ConnectionId, Door, Groups, HeldInvite, Judged, LogHead, Message, New, Output, Role,
    Sync, Transcript, handshake,
};
use crate::time::Moment;

pub(super) const SECOND: Duration = Duration::from_secs(1);

pub(super) fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

pub(super) fn device(seed: u8) -> DeviceKey {
    crypto::device_key(&key(seed))
}

pub(super) fn group(number: u8) -> GroupId {
    GroupId([number; 32])
}

pub(super) fn log(seed: u8, lane: Lane) -> LogId {
    LogId { device: device(seed), lane }
}

/// The claim of a member of a group in its `epoch`th epoch.
pub(super) fn claim(number: u8, epoch: u8) -> Claim {
    Claim::member(
        group(number),
        EpochId([epoch; 32]),
        Secret::new([number.wrapping_mul(3).wrapping_add(epoch); 32]),
    )
}

/// An entry as far as sessions look into one: lane, author's hint, position, length.
pub(super) fn entry(log: LogId, seq: u32, length: usize) -> Vec<u8> {
    let mut bytes = vec![1, log.lane as u8];
    bytes.extend_from_slice(&log.device.hint());
    bytes.extend_from_slice(&seq.to_be_bytes());
    bytes.resize(length.max(18), 0);
    bytes
}

fn place(bytes: &[u8]) -> (Lane, [u8; 8], u32) {
    let lane = Lane::from_number(bytes[1]).unwrap();
    (lane, bytes[2..10].try_into().unwrap(), u32::from_be_bytes(bytes[10..14].try_into().unwrap()))
}

pub(super) fn id_of(bytes: &[u8]) -> EntryId {
    EntryId(crypto::hash("test", &[bytes]))
}

/// A group as a node's sessions see it.
pub(super) struct Known {
    pub(super) claims: Vec<Claim>,
    pub(super) roster: BTreeSet<DeviceKey>,
    pub(super) signer: SigningKey,
    pub(super) logs: BTreeMap<LogId, Vec<Vec<u8>>>,
}

#[derive(Default)]
pub(super) struct World {
    pub(super) groups: BTreeMap<GroupId, Known>,
    /// Authors of whom no more is taken.
    pub(super) full: BTreeSet<DeviceKey>,
    /// Codes of its groups.
    pub(super) invites: Vec<HeldInvite>,
}

impl World {
    fn newest(entries: &[Vec<u8>]) -> Option<(u32, EntryId)> {
        entries.last().map(|bytes| (place(bytes).2, id_of(bytes)))
    }
}

impl Groups for World {
    fn shown(&self, _: &str) -> Vec<Claim> {
        self.groups.values().filter_map(|group| group.claims.first().cloned()).collect()
    }

    fn recognised(&self, depth: usize) -> Vec<Claim> {
        self.groups.values().flat_map(|group| group.claims.iter().take(depth).cloned()).collect()
    }

    fn doors(&self, _: &str) -> Vec<Door> {
        Vec::new()
    }

    fn invites(&self) -> Vec<HeldInvite> {
        self.invites.clone()
    }

    fn on_roster(&self, group: &GroupId, device: &DeviceKey) -> bool {
        self.groups.get(group).is_some_and(|group| group.roster.contains(device))
    }

    fn signer(&self, group: &GroupId) -> Option<SigningKey> {
        self.groups.get(group).map(|group| group.signer.clone())
    }

    fn heads(&self, group: &GroupId) -> Vec<LogHead> {
        let head = |(log, entries): (&LogId, &Vec<Vec<u8>>)| {
            Self::newest(entries).map(|(seq, id)| LogHead { log: *log, seq, id, forked: false })
        };
        self.groups.get(group).map(|g| g.logs.iter().filter_map(head).collect()).unwrap_or_default()
    }

    fn id_at(&self, group: &GroupId, log: LogId, seq: u32) -> Option<EntryId> {
        let entries = self.groups.get(group)?.logs.get(&log)?;
        entries.iter().find(|bytes| place(bytes).2 == seq).map(|bytes| id_of(bytes))
    }

    fn read(&self, group: &GroupId, log: LogId, after: u32, bytes: usize) -> Vec<Vec<u8>> {
        let Some(entries) = self.groups.get(group).and_then(|g| g.logs.get(&log)) else { return Vec::new() };
        let mut used = 0;
        let follows = entries.iter().filter(|bytes| place(bytes).2 > after);
        follows
            .take_while(|entry| {
                used += entry.len();
                used == entry.len() || used <= bytes
            })
            .cloned()
            .collect()
    }

    fn takes_more(&self, _: &GroupId, log: LogId) -> bool {
        !self.full.contains(&log.device)
    }

    fn missing(&self, _: &GroupId) -> BTreeSet<EntryId> {
        BTreeSet::new()
    }

    fn chain(&self, _: &GroupId, _: &EntryId, _: usize) -> Option<(DeviceKey, Vec<Vec<u8>>)> {
        None
    }

    fn group_of(&self, author_hint: &[u8; 8], _: &[u8; 8]) -> Option<GroupId> {
        let known = |g: &&GroupId| self.groups[*g].roster.iter().any(|device| device.hint() == *author_hint);
        self.groups.keys().find(known).copied()
    }
}

/// The node under test: it is device 1 in each of its groups.
pub(super) struct Node {
    pub(super) sync: Sync,
    pub(super) world: World,
    pub(super) now: Moment,
    rng: SeededRng,
    peer: Vec<u8>,
}

impl Node {
    /// In groups 1 to `groups`, with devices 1 to 9 on the roster.
    pub(super) fn new(groups: u8) -> Self {
        Self::of(1, groups)
    }

    /// The same for another device.
    pub(super) fn of(own: u8, groups: u8) -> Self {
        let roster: BTreeSet<DeviceKey> = (1..10).map(device).collect();
        let known = |number| Known {
            claims: vec![claim(number, 2), claim(number, 1)],
            roster: roster.clone(),
            signer: key(own),
            logs: BTreeMap::new(),
        };
        let groups = (1..=groups).map(|number| (group(number), known(number))).collect();
        let world = World { groups, ..World::default() };
        let now = Moment::default();
        Self { sync: Sync::new(), world, now, rng: SeededRng::new(u64::from(own)), peer: vec![own; 4] }
    }

    /// Puts entries into a log.
    pub(super) fn write(&mut self, number: u8, log: LogId, count: u32, length: usize) {
        let entries = (1..=count).map(|seq| entry(log, seq, length)).collect();
        self.world.groups.get_mut(&group(number)).unwrap().logs.insert(log, entries);
    }

    pub(super) fn held(&self, number: u8, log: LogId) -> usize {
        self.world.groups[&group(number)].logs.get(&log).map_or(0, Vec::len)
    }

    /// A connection comes up; `dialled` says by whom.
    pub(super) fn connect(&mut self, conn: u64, remote: &[u8], dialled: bool) -> Vec<Output> {
        let dialled = dialled.then(|| "/ip4/192.0.2.1/tcp/1".to_owned());
        let conn = ConnectionId(conn);
        let connected = Connected { conn, dialled, local: self.peer.clone(), remote: remote.to_vec() };
        self.sync.connected(connected, self.now, &mut self.rng);
        self.drain()
    }

    pub(super) fn frame(&mut self, conn: u64, frame: &[u8]) -> Vec<Output> {
        self.sync.frame(ConnectionId(conn), frame, self.now, &self.world, &mut self.rng);
        self.drain()
    }

    pub(super) fn take(&mut self, conn: u64, message: &Message) -> Vec<Output> {
        self.frame(conn, &message.encode())
    }

    /// Time passes, timer by timer.
    pub(super) fn wait(&mut self, span: Duration) -> Vec<Output> {
        let (end, mut all) = (self.now.after(span), Vec::new());
        let mut ticks = 0;
        while let Some(at) = self.sync.deadline().filter(|at| *at <= end) {
            ticks += 1;
            assert!(ticks < 10_000, "a timer that never stops");
            self.now = self.now.max(at);
            self.sync.tick(self.now, &self.world);
            all.extend(self.drain());
        }
        self.now = end;
        all
    }

    pub(super) fn left(&mut self, conn: u64, bytes: usize) -> Vec<Output> {
        self.sync.left(ConnectionId(conn), bytes, &self.world);
        self.drain()
    }

    /// This node's own new entries, durable.
    pub(super) fn say(&mut self, number: u8, lane: Lane, length: usize) -> Vec<Output> {
        let log = log(self.own(), lane);
        let logs = &mut self.world.groups.get_mut(&group(number)).unwrap().logs;
        let entries = logs.entry(log).or_default();
        let bytes = entry(log, entries.len() as u32 + 1, length);
        entries.push(bytes.clone());
        let seq = entries.len() as u32;
        let new = New { group: group(number), log, seq, id: id_of(&bytes), bytes, from: None };
        self.sync.committed(&[new], self.now, &self.world);
        self.drain()
    }

    fn own(&self) -> u8 {
        self.peer[0]
    }

    /// What came up, entries judged and stored as a node does.
    fn drain(&mut self) -> Vec<Output> {
        let mut outputs = Vec::new();
        loop {
            let mut new = Vec::new();
            while let Some(output) = self.sync.poll_output() {
                if let Output::Received { conn, group, live, entries } = &output {
                    let judged = self.judge(*conn, *group, entries, &mut new);
                    self.sync.received(*conn, *group, *live, judged);
                }
                outputs.push(output);
            }
            self.sync.committed(&new, self.now, &self.world);
            let Some(output) = self.sync.poll_output() else { return outputs };
            outputs.push(output);
        }
    }

    fn judge(
        &mut self,
        conn: ConnectionId,
        group: GroupId,
        entries: &[Vec<u8>],
        new: &mut Vec<New>,
    ) -> Judged {
        let mut judged = Judged::default();
        for bytes in entries {
            let (lane, hint, seq) = place(bytes);
            let known = self.world.groups.get_mut(&group).unwrap();
            let author = *known.roster.iter().find(|device| device.hint() == hint).unwrap();
            let log = LogId { device: author, lane };
            let held = known.logs.entry(log).or_default();
            match (held.len() as u32 + 1).cmp(&seq) {
                std::cmp::Ordering::Less => judged.unknown = true,
                std::cmp::Ordering::Greater => judged.duplicate = true,
                std::cmp::Ordering::Equal => {
                    held.push(bytes.clone());
                    let (id, bytes) = (id_of(bytes), bytes.clone());
                    new.push(New { group, log, seq, id, bytes, from: Some(conn) });
                }
            }
        }
        judged
    }

    /// Has this node hold the code of device 50 for group 1; gives the claim of whoever knocks with it.
    pub(super) fn hold_code(&mut self, of_member: bool) -> Claim {
        let peer_key = Secret::new([9; 32]);
        let claim = Claim::joiner(&group(1).fingerprint(), peer_key.clone());
        self.world.invites.push(HeldInvite { group: group(1), key: device(50), peer_key, of_member });
        claim
    }

    /// A member at the other end of a new connection, who has dialled and proven himself.
    pub(super) fn meet(&mut self, conn: u64, member: u8, claims: &[Claim]) -> (Hand, Vec<Output>) {
        let hand = self.greet(conn, member);
        let slots = hand.slots(claims);
        self.take(conn, &Message::Slots(slots));
        let opened = self.wait(SECOND);
        (hand, opened)
    }

    /// A connection on which both have said hello.
    pub(super) fn greet(&mut self, conn: u64, member: u8) -> Hand {
        let nonce = [member; 32];
        let remote = vec![member; 4];
        self.connect(conn, &remote, false);
        let hello = self.take(conn, &Message::Hello { nonce });
        let [Message::Hello { nonce: theirs }] = sent(&hello)[..] else { panic!("{hello:?}") };
        let transcript = Transcript::new([&remote, &self.peer], [&nonce, &theirs]);
        Hand { transcript, key: key(member) }
    }
}

/// The other end of one connection, with a member's key.
pub(super) struct Hand {
    pub(super) transcript: Transcript,
    pub(super) key: SigningKey,
}

impl Hand {
    pub(super) fn slots(&self, claims: &[Claim]) -> Vec<[u8; SLOT_LEN]> {
        let shown = claims.iter().map(|c| c.show(&self.transcript, Role::Initiator, &self.key)).collect();
        handshake::pad(shown, &mut SeededRng::new(99))
    }

    /// A log's name in this session.
    pub(super) fn name(&self, number: u8, log: LogId) -> [u8; 8] {
        let key = self.transcript.short_key();
        let parts: [&[u8]; 3] = [&[number; 32], log.device.as_bytes(), &[log.lane as u8]];
        key.mac("log", &parts)[..8].try_into().unwrap()
    }

    /// A device's name in this session.
    pub(super) fn device(&self, number: u8, device: DeviceKey) -> [u8; 8] {
        let key = self.transcript.short_key();
        key.mac("up", &[&[number; 32], device.as_bytes()])[..8].try_into().unwrap()
    }

    /// The truth about a log of which one entry of this length was written.
    pub(super) fn first(&self, number: u8, log: LogId, length: usize) -> Head {
        let id = id_of(&entry(log, 1, length));
        let short = self.transcript.short_key().mac("id", &[id.as_bytes()]);
        Head { id: short[..8].try_into().unwrap(), ..self.head(number, log, 1) }
    }

    /// A claim to have a log up to a position.
    pub(super) fn head(&self, number: u8, log: LogId, seq: u32) -> Head {
        Head { log: self.name(number, log), lane: log.lane as u8, seq, id: [7; 8], forked: false }
    }
}

/// Frames that were sent, on any connection.
pub(super) fn sent(outputs: &[Output]) -> Vec<Message> {
    let frame = |output: &Output| match output {
        Output::Send(_, frame) => Some(Message::decode(frame).unwrap()),
        _ => None,
    };
    outputs.iter().filter_map(frame).collect()
}

pub(super) fn closes(outputs: &[Output], conn: u64) -> bool {
    outputs.contains(&Output::Close(ConnectionId(conn)))
}

pub(super) fn opens(outputs: &[Output]) -> bool {
    outputs.iter().any(|output| matches!(output, Output::Opened { .. }))
}

/// Logs asked for in each `Want`, and its budget.
pub(super) fn wants(outputs: &[Output]) -> Vec<(u8, Vec<[u8; 8]>, u32)> {
    let want = |message: Message| match message {
        Message::Want { group, budget, logs, .. } => {
            Some((group, logs.iter().map(|seek| seek.log).collect(), budget))
        }
        _ => None,
    };
    sent(outputs).into_iter().filter_map(want).collect()
}

/// Two nodes with a line between them that carries all frames at once.
pub(super) fn carry(nodes: &mut [Node; 2], mut outputs: [Vec<Output>; 2]) -> Vec<(usize, Output)> {
    let mut all = Vec::new();
    while outputs.iter().any(|outputs| !outputs.is_empty()) {
        for from in 0..2 {
            for output in std::mem::take(&mut outputs[from]) {
                if let Output::Send(conn, frame) = &output {
                    let more = nodes[from].left(conn.0, frame.len());
                    outputs[from].extend(more);
                    let answer = nodes[1 - from].frame(conn.0, frame);
                    outputs[1 - from].extend(answer);
                }
                all.push((from, output));
            }
        }
    }
    all
}
