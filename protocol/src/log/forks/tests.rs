//! Equivocators and those who help them, against nodes that only exchange what sync exchanges.

use super::*;
use crate::crypto;
use crate::entry::{Class, Header};
use crate::id::{DeviceKey, EpochId};
use crate::log::tests::{BOB, EVE, GROUP, World, act, id, talk, world, world_of};
use crate::sim::SeededRng;

#[test]
fn a_branch_applies_with_the_first_act_of_another_that_builds_on_it() {
    let mut world = world();
    world.offer(&act(1, EVE, 1, 0, &[]));
    world.offer(&act(2, EVE, 2, 1, &[]));
    let mut late = world.clone();
    // Bob saw 3 on 2 before the proof, and built on it.
    for meta in [act(7, EVE, 2, 1, &[]), act(3, EVE, 3, 2, &[])] {
        late.offer(&meta);
    }
    assert_eq!(late.applied, [id(1), id(2)], "nothing of it applies by itself");
    assert!(late.logs.missing(&late.shelf).is_empty());
    late.offer(&act(50, BOB, 1, 0, &[3]));
    assert_eq!(late.logs.missing(&late.shelf), BTreeSet::from([id(3)]));
    assert_eq!(late.offer(&act(4, EVE, 4, 3, &[])), Ingest::Refused, "nobody built on that");
    assert_eq!(late.offer(&act(3, EVE, 3, 2, &[])), Ingest::Branch);
    assert_eq!(late.applied, [id(1), id(2), id(3), id(50)]);
}

#[test]
fn what_a_waiting_entry_cites_holds_no_branch_up() {
    let mut world = world();
    world.offer(&act(1, EVE, 1, 0, &[]));
    world.offer(&act(9, EVE, 1, 0, &[]));
    // A helper's act builds on both branches and on something that nobody has.
    world.offer(&act(50, BOB, 1, 0, &[1, 9, 77]));
    assert_eq!(world.applied, [id(1)], "applied before the proof; the other branch is not");
    assert_eq!(world.logs.missing(&world.shelf), BTreeSet::from([id(77)]));
}

#[test]
fn nobody_draws_in_a_branch_of_his_own() {
    let mut world = world();
    world.offer(&act(9, EVE, 1, 0, &[]));
    world.offer(&act(1, EVE, 1, 0, &[]));
    world.offer(&talk(60, EVE, 1, 0, &[1], &[]));
    assert_eq!(world.applied, [id(9)]);
}

#[test]
fn who_is_let_in_by_a_branch_comes_in_with_whoever_built_on_both() {
    let mut world = world();
    world.offer(&act(1, EVE, 1, 0, &[]));
    world.offer(&act(9, EVE, 1, 0, &[]));
    world.logs.promise(HELPER);
    assert_eq!(world.offer(&act(70, HELPER, 1, 0, &[9])), Ingest::Accepted);
    assert_eq!(world.offer(&act(71, HELPER, 2, 70, &[])), Ingest::Accepted);
    assert_eq!(world.applied, [id(1)], "they are Eve's creatures alone");
    world.offer(&act(50, BOB, 1, 0, &[71]));
    assert_eq!(world.applied, [id(1), id(9), id(70), id(71), id(50)]);
}

#[test]
fn forked_talk_ends_at_the_fork_for_everybody() {
    let mut world = world();
    for meta in [talk(1, EVE, 1, 0, &[], &[]), talk(2, EVE, 2, 1, &[], &[]), talk(3, EVE, 3, 2, &[], &[])] {
        world.offer(&meta);
    }
    let log = talk(1, EVE, 1, 0, &[], &[]).log();
    assert_eq!(world.offer(&talk(9, EVE, 2, 1, &[], &[])), Ingest::Equivocation);
    assert_eq!(world.logs.applied(&log), 1);
    world.offer(&talk(50, BOB, 1, 0, &[], &[9]));
    assert_eq!(world.logs.applied(&log), 1, "talk cites for the screen only");
}

/// Three honest nodes, an equivocator and a helper who cites whatever suits her.
struct Crowd {
    rng: SeededRng,
    nodes: Vec<(DeviceKey, World, bool)>,
    eves: Vec<Meta>,
    helpers: Vec<Meta>,
    made: u32,
}

const HELPER: DeviceKey = DeviceKey([13; 32]);

impl Crowd {
    fn new(seed: u64) -> Self {
        let node = |n: u8| (DeviceKey([20 + n; 32]), world_of(DeviceKey([20 + n; 32])), false);
        let nodes = (0..3).map(node).collect();
        Self { rng: SeededRng::new(seed), nodes, eves: Vec::new(), helpers: Vec::new(), made: 0 }
    }

    fn act(&mut self, device: DeviceKey, seq: u32, prev: EntryId, cites: Vec<EntryId>) -> Meta {
        self.made += 1;
        let epoch = EpochId::from(GROUP);
        let mut header = Header::new(Class::Record, &device, &epoch, seq, prev);
        header.act_cites = cites;
        Meta { id: EntryId(crypto::hash("made", &[&self.made.to_be_bytes()])), device, epoch, header }
    }

    fn some(&mut self, of: &[Meta]) -> Option<Meta> {
        let at = self.rng.below(of.len() as u64) as usize;
        of.get(at).cloned()
    }

    fn offer(&mut self, node: usize, meta: &Meta) {
        let (_, world, unsettled) = &mut self.nodes[node];
        *unsettled |= world.offer(meta) == Ingest::Equivocation;
        if std::mem::take(unsettled) && world.logs.built_on_branch() {
            self.post(node);
        }
    }

    /// An honest act: cites the heads of what its author has applied.
    fn post(&mut self, node: usize) {
        let (device, world, _) = &self.nodes[node];
        let (device, cites) = (*device, world.logs.cites_for(Lane::Acts).0);
        let (seq, prev) = world.logs.head(&LogId { device, lane: Lane::Acts }).unwrap_or_default();
        let meta = self.act(device, seq + 1, prev, cites);
        self.offer(node, &meta);
    }

    /// Eve goes on from any of her entries, and tells one node.
    fn equivocate(&mut self) {
        let from = self.some(&self.eves.clone());
        let (seq, prev) = from.map_or((0, EntryId::default()), |meta| (meta.header.seq, meta.id));
        let cites = if self.rng.below(4) == 0 { vec![EntryId([99; 32])] } else { Vec::new() };
        let meta = self.act(EVE, seq + 1, prev, cites);
        self.eves.push(meta.clone());
        self.tell(&meta);
    }

    /// Her helper cites some branch, sometimes with something nobody has.
    fn help(&mut self) {
        let (seq, prev) = self.helpers.last().map_or((0, EntryId::default()), |m| (m.header.seq, m.id));
        let mut cites: Vec<EntryId> = self.some(&self.eves.clone()).map(|meta| meta.id).into_iter().collect();
        if self.rng.below(8) == 0 {
            cites.push(EntryId([98; 32]));
        }
        let meta = self.act(HELPER, seq + 1, prev, cites);
        self.helpers.push(meta.clone());
        self.tell(&meta);
    }

    fn tell(&mut self, meta: &Meta) {
        let node = self.rng.below(3) as usize;
        // Eve shows whole branches where she likes, the helper her whole log.
        let mut chain = vec![meta.clone()];
        let all: Vec<Meta> = self.eves.iter().chain(&self.helpers).cloned().collect();
        while let Some(before) = chain.last().and_then(|m| all.iter().find(|other| other.id == m.header.prev))
        {
            chain.push(before.clone());
        }
        for meta in chain.iter().rev() {
            self.offer(node, meta);
        }
    }

    /// What one session does: trunks up to their forks, proofs, and what is asked for by id.
    fn sync(&mut self, to: usize, from: usize) {
        let source = self.nodes[from].1.clone();
        for (log, head, _, fork) in source.logs.heads() {
            for seq in 1..=fork.map_or(head, |fork| fork.seq - 1) {
                if let Some(meta) = source.shelf.meta(log, seq) {
                    self.offer(to, &meta);
                }
            }
            for id in fork.iter().flat_map(|fork| fork.entries) {
                if let Some(meta) = source.shelf.find(&id) {
                    self.offer(to, &meta);
                }
            }
        }
        let world = &self.nodes[to].1;
        for id in world.logs.missing(&world.shelf) {
            let mut at = source.shelf.find(&id);
            while let Some(meta) = at {
                self.offer(to, &meta);
                at = source.shelf.find(&meta.header.prev);
            }
        }
    }

    fn applied(&self, node: usize) -> BTreeSet<EntryId> {
        self.nodes[node].1.applied.iter().copied().collect()
    }
}

#[test]
fn whoever_equivocates_and_whoever_helps_everybody_ends_with_the_same() {
    let mut branches_drawn_in = 0;
    for seed in 0..300 {
        let mut crowd = Crowd::new(seed);
        for _ in 0..40 {
            match crowd.rng.below(8) {
                0..=2 => crowd.equivocate(),
                3 => crowd.help(),
                4 => {
                    let node = crowd.rng.below(3) as usize;
                    crowd.post(node);
                }
                _ => {
                    let (to, from) = (crowd.rng.below(3) as usize, crowd.rng.below(3) as usize);
                    crowd.sync(to, from);
                }
            }
        }
        for _ in 0..12 {
            for (to, from) in [(0, 1), (1, 2), (2, 0), (1, 0), (2, 1), (0, 2)] {
                crowd.sync(to, from);
            }
        }
        let forks = |node: usize| crowd.nodes[node].1.logs.forks().collect::<Vec<_>>();
        for node in 1..3 {
            assert_eq!(crowd.applied(node), crowd.applied(0), "seed {seed}");
            assert_eq!(forks(node), forks(0), "seed {seed}");
        }
        let beyond = |meta: &&Meta| {
            let fork = forks(0).iter().find(|(log, _)| log.device == EVE).map(|(_, fork)| fork.seq);
            fork.is_some_and(|seq| meta.header.seq >= seq) && crowd.applied(0).contains(&meta.id)
        };
        branches_drawn_in += crowd.eves.iter().filter(beyond).count();
    }
    assert!(branches_drawn_in > 300, "the runs do what they are meant to: {branches_drawn_in}");
}
