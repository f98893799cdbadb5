//! Whole nodes: hostile frames in a session, and what a member with the group's keys could write.

use std::collections::{BTreeSet, VecDeque};
use std::sync::OnceLock;
use std::time::Duration;

use piquet_protocol::group::invite::InviteCode;
use piquet_protocol::group::seal::Suite;
use piquet_protocol::id::{DeviceKey, GroupId};
use piquet_protocol::kind::Kind;
use piquet_protocol::node::{Input, Node, Output, Restored};
use piquet_protocol::replica::{Frozen, Replica, Round};
use piquet_protocol::sim::{SeededRng, Sim, SimStore};
use piquet_protocol::store::{Overlay, Store};
use piquet_protocol::sync::{Connected, ConnectionId};
use piquet_protocol::time::Timestamp;

use crate::script::Script;

/// Disks of Alice, who founded the group, of Bob, who is in it, and of Carla, who has a code.
struct World {
    group: GroupId,
    now: Timestamp,
    disks: [SimStore; 3],
    roster: BTreeSet<DeviceKey>,
}

fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let mut sim = Sim::new(1);
        let (alice, bob, carla) = (sim.add(), sim.add(), sim.add());
        let group =
            sim.act(alice, |node, now| node.create_group("picket", "alice", Suite::Classical, now)).unwrap();
        for (laptop, name) in [(bob, "bob"), (carla, "carla")] {
            let expires = sim.now().after(Duration::from_secs(1 << 20));
            let code = sim.act(alice, |node, now| node.invite(group, 3, expires, now)).unwrap().code.unwrap();
            let code = InviteCode::parse(&code).unwrap();
            sim.act(laptop, |node, now| node.join(code, name, now)).unwrap();
            let is_in = |sim: &mut Sim| sim.laptop(bob).node.as_ref().unwrap().group(&group).is_some();
            assert!(laptop == carla || sim.run_until(Duration::from_secs(600), is_in));
        }
        sim.act(alice, |node, now| node.send(group, "bonjour", now)).unwrap();
        let roster = sim.laptop(alice).node.as_ref().unwrap().group(&group).unwrap().view().roster();
        let disks = [alice, bob, carla].map(|laptop| sim.image(laptop));
        World { group, now: sim.now(), disks, roster }
    })
}

/// One end of a connection.
struct End {
    node: Node<SimStore>,
    out: VecDeque<Vec<u8>>,
    open: bool,
}

const CONN: ConnectionId = ConnectionId(1);

impl End {
    fn new(world: &World, who: usize) -> Self {
        let rng = Box::new(SeededRng::new(100 + who as u64));
        let mut node = Node::open(world.disks[who].clone(), rng, world.now).unwrap();
        node.handle(Input::Listening(vec![Sim::address(who)]), world.now).unwrap();
        let mut end = Self { node, out: VecDeque::new(), open: true };
        end.settle(world.now);
        end
    }

    fn connect(&mut self, me: usize, other: usize, dialled: bool, now: Timestamp) {
        let connected = Connected {
            conn: CONN,
            dialled: dialled.then(|| Sim::address(other)),
            local: vec![me as u8],
            remote: vec![other as u8],
        };
        self.put(Input::Connected(connected), now);
    }

    fn put(&mut self, input: Input, now: Timestamp) {
        self.node.handle(input, now).unwrap();
        self.settle(now);
    }

    fn settle(&mut self, now: Timestamp) {
        self.node.flush(now).unwrap();
        while let Some(output) = self.node.poll_output() {
            match output {
                Output::Send(CONN, frame) => self.out.push_back(frame),
                Output::Close(CONN) => self.open = false,
                _ => {}
            }
        }
    }
}

/// Two nodes on one connection, whose frames the script delivers, changes, or replaces by its own. What
/// no key signed changes nothing: not who is in, and not what was said.
pub fn session(data: &[u8]) {
    let world = world();
    let mut script = Script::new(data);
    let mode = script.byte();
    // Who is attacked, by whom, and whether the attacked one dialled.
    let (me, other) = [(0, 1), (1, 0), (2, 0), (0, 2)][usize::from(mode % 4)];
    let dialled = mode & 4 != 0 || me == 2;
    let (mut victim, mut peer) = (End::new(world, me), End::new(world, other));
    let mut now = world.now;
    victim.connect(me, other, dialled, now);
    peer.connect(other, me, !dialled, now);
    while !script.is_over() && victim.open {
        now = now.after(Duration::from_millis(30));
        match script.byte() % 6 {
            0 => victim.put(Input::Frame(CONN, script.bytes().to_vec()), now),
            1 => {
                now = now.after(Duration::from_millis(script.number() as u64));
                victim.put(Input::Tick, now);
                peer.put(Input::Tick, now);
            }
            2 => {
                if let Some(mut frame) = peer.out.pop_front() {
                    let at = script.number();
                    let length = frame.len().max(1);
                    if let Some(byte) = frame.get_mut(at % length) {
                        *byte ^= script.byte();
                    }
                    victim.put(Input::Frame(CONN, frame), now);
                }
            }
            _ => {
                for _ in 0..script.byte() % 32 {
                    now = now.after(Duration::from_millis(30));
                    victim.put(Input::Tick, now);
                    peer.put(Input::Tick, now);
                    while let Some(frame) = victim.out.pop_front() {
                        if peer.open {
                            peer.put(Input::Frame(CONN, frame), now);
                        }
                    }
                    match peer.out.pop_front() {
                        Some(frame) if victim.open => victim.put(Input::Frame(CONN, frame), now),
                        _ => break,
                    }
                }
            }
        }
    }
    unchanged(world, &mut victim.node, now);
}

fn unchanged(world: &World, node: &mut Node<SimStore>, now: Timestamp) {
    let Some(replica) = node.group(&world.group) else { return };
    let roster = replica.view().roster();
    assert!(world.roster.is_subset(&roster) && roster.len() <= world.roster.len() + 1);
    assert!(replica.equivocators().is_empty());
    assert_eq!(replica.frozen(), None);
    let texts = node.ask(world.group, now, |replica, round| replica.messages(None, 9, round));
    assert!(texts.unwrap().unwrap().iter().all(|message| message.text == "bonjour"));
}

const KINDS: [Kind; 18] = [
    Kind::Genesis,
    Kind::Invite,
    Kind::Admit,
    Kind::Remove,
    Kind::Revoke,
    Kind::Leave,
    Kind::Profile,
    Kind::Commit,
    Kind::Opened,
    Kind::Merge,
    Kind::Grievance,
    Kind::Support,
    Kind::Call,
    Kind::CallOff,
    Kind::PledgeAnswer,
    Kind::PledgeCount,
    Kind::Message,
    Kind::Beacon,
];

/// A replica on its disk, with what a round needs.
struct Desk {
    disk: SimStore,
    overlay: Overlay,
    rng: SeededRng,
}

impl Desk {
    fn new(disk: &SimStore) -> Self {
        Self { disk: disk.clone(), overlay: Overlay::default(), rng: SeededRng::new(7) }
    }

    /// Works in a round; the entries it stored.
    fn round<R>(&mut self, now: Timestamp, work: impl FnOnce(&mut Round<'_>) -> R) -> (R, Vec<Vec<u8>>) {
        let (mut events, mut stored) = (Vec::new(), Vec::new());
        let mut round = Round {
            store: &self.disk,
            overlay: &mut self.overlay,
            rng: &mut self.rng,
            now,
            events: &mut events,
            stored: &mut stored,
        };
        let result = work(&mut round);
        (result, stored.into_iter().map(|(_, entry)| entry.bytes().to_vec()).collect())
    }

    fn open(&mut self, group: GroupId, now: Timestamp) -> Replica {
        let replica = self.round(now, |round| Replica::open(group, round)).0.unwrap();
        self.overlay = Overlay::default();
        replica
    }
}

/// Entries with any body by somebody who has the keys and signs truly. The other takes them without
/// a panic, the founder stays, and a restart finds the same group.
pub fn insider(data: &[u8]) {
    let world = world();
    let (group, now) = (world.group, world.now);
    let mut script = Script::new(data);
    let (author, reader) = if script.byte().is_multiple_of(2) { (1, 0) } else { (0, 1) };
    let (mut desk, mut other) = (Desk::new(&world.disks[author]), Desk::new(&world.disks[reader]));
    let (mut writer, mut judge) = (desk.open(group, now), other.open(group, now));
    let mut left = false;
    while !script.is_over() {
        let kind = KINDS[usize::from(script.byte()) % KINDS.len()];
        left |= kind == Kind::Leave && author == 0;
        let payload = script.bytes();
        let (posted, entries) = desk.round(now, |round| writer.post(kind, payload, round));
        if posted.is_err() {
            break;
        }
        for entry in entries {
            other.round(now, |round| judge.receive(&entry, round)).0.unwrap();
        }
    }
    let founder = judge.founder();
    assert!(left || judge.view().roster().contains(&founder), "the founder was put out");
    assert!(judge.view().roster().is_subset(&world.roster), "somebody was let in without a key package");
    let batch = other.overlay.take();
    other.disk.commit(batch).unwrap();
    let again = other.open(group, now);
    assert_eq!(again.view(), judge.view());
    assert_eq!(again.board(), judge.board());
    assert_eq!(again.head(), judge.head());
    assert_eq!(again.frozen(), judge.frozen());
    assert_eq!(again.members(), judge.members());
}

fn start(disk: SimStore, now: Timestamp) -> Node<SimStore> {
    Node::open(disk, Box::new(SeededRng::new(9)), now).unwrap()
}

/// What Alice's backup has of her group, before anybody is in it: the shortest there is.
pub(crate) fn section() -> Vec<u8> {
    let mut sim = Sim::new(1);
    let alice = sim.add();
    let group = sim.act(alice, |node, now| node.create_group("picket", "alice", Suite::Classical, now)).unwrap();
    sim.act(alice, |node, now| node.send(group, "bonjour", now)).unwrap();
    sim.act(alice, |node, now| node.backup(&group, now)).unwrap().unwrap().bytes.to_vec()
}

/// A section of a backup. What is taken of it writes nothing, is nobody's device, and is the same after a restart.
pub fn restored(data: &[u8]) {
    let now = world().now;
    let Ok(restored) = Restored::check(data, &mut SeededRng::new(8), now) else { return };
    let mut node = start(SimStore::default(), now);
    node.restore(vec![restored], now).unwrap();
    let again = start(node.store().clone(), now);
    for replica in node.groups() {
        assert_eq!(replica.frozen(), Some(Frozen::Restored));
        assert!(!replica.view().roster().contains(&replica.device()));
        let same = again.group(&replica.group()).unwrap();
        assert_eq!((same.view(), same.board(), same.members()), (replica.view(), replica.board(), replica.members()));
    }
    assert!(node.groups().next().is_some());
}
