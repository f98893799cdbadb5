use std::collections::BTreeMap;

use super::*;
use crate::entry::Class;

mod verdicts;

pub(super) const GROUP: GroupId = GroupId([200; 32]);
pub(super) const ME: DeviceKey = DeviceKey([10; 32]);
pub(super) const BOB: DeviceKey = DeviceKey([11; 32]);
pub(super) const EVE: DeviceKey = DeviceKey([12; 32]);

#[derive(Clone, Default)]
pub(super) struct Shelf {
    trunks: BTreeMap<(LogId, u32), EntryId>,
    stored: BTreeMap<EntryId, Meta>,
    facts: BTreeMap<EntryId, Facts>,
}

impl Past for Shelf {
    fn facts(&self, id: &EntryId) -> Option<Facts> {
        self.facts.get(id).copied()
    }
    fn meta(&self, log: LogId, seq: u32) -> Option<Meta> {
        self.trunks.get(&(log, seq)).and_then(|id| self.find(id))
    }
    fn find(&self, id: &EntryId) -> Option<Meta> {
        self.stored.get(id).cloned()
    }
}

#[derive(Clone)]
pub(super) struct World {
    pub(super) logs: Logs,
    pub(super) shelf: Shelf,
    pub(super) applied: Vec<EntryId>,
}

pub(super) fn world() -> World {
    world_of(ME)
}

pub(super) fn world_of(me: DeviceKey) -> World {
    World { logs: Logs::new(GROUP, me), shelf: Shelf::default(), applied: Vec::new() }
}

pub(super) fn id(n: u8) -> EntryId {
    EntryId([n; 32])
}

fn entry(n: u8, device: DeviceKey, class: Class, seq: u32, prev: u8, acts: &[u8], talk: &[u8]) -> Meta {
    let epoch = EpochId::from(GROUP);
    let prev = if prev == 0 { EntryId::default() } else { id(prev) };
    let mut header = Header::new(class, &device, &epoch, seq, prev);
    header.act_cites = acts.iter().map(|n| id(*n)).collect();
    header.talk_cites = talk.iter().map(|n| id(*n)).collect();
    Meta { id: id(n), device, epoch, header }
}

pub(super) fn act(n: u8, device: DeviceKey, seq: u32, prev: u8, cites: &[u8]) -> Meta {
    entry(n, device, Class::Record, seq, prev, cites, &[])
}

pub(super) fn talk(n: u8, device: DeviceKey, seq: u32, prev: u8, acts: &[u8], cites: &[u8]) -> Meta {
    entry(n, device, Class::Chat, seq, prev, acts, cites)
}

impl World {
    pub(super) fn offer(&mut self, meta: &Meta) -> Ingest {
        let verdict = self.store(meta);
        while let Some(plan) = self.applicable() {
            for next in plan {
                self.apply(&next, false);
            }
        }
        verdict
    }

    fn store(&mut self, meta: &Meta) -> Ingest {
        let verdict = self.logs.ingest(meta, &self.shelf);
        if verdict == Ingest::Accepted {
            self.shelf.trunks.insert((meta.log(), meta.header.seq), meta.id);
        }
        if matches!(verdict, Ingest::Accepted | Ingest::Branch | Ingest::Equivocation) {
            self.shelf.stored.insert(meta.id, meta.clone());
        }
        verdict
    }

    fn applicable(&self) -> Option<Vec<Meta>> {
        self.logs.next_applicable(|meta| meta.epoch == EpochId::from(GROUP), &self.shelf)
    }

    fn apply(&mut self, meta: &Meta, operation: bool) {
        let facts = self.logs.mark_applied(meta, operation, &self.shelf);
        self.shelf.facts.insert(meta.id, facts);
        self.applied.push(meta.id);
    }
}

#[test]
fn a_log_grows_in_order_and_says_what_is_missing() {
    let mut world = world();
    let (one, two, three) = (act(1, BOB, 1, 0, &[]), act(2, BOB, 2, 1, &[]), act(3, BOB, 3, 2, &[]));
    assert_eq!(world.offer(&two), Ingest::Gap);
    assert_eq!(world.offer(&one), Ingest::Accepted);
    assert_eq!(world.offer(&three), Ingest::Gap);
    assert_eq!(world.offer(&two), Ingest::Accepted);
    assert_eq!(world.offer(&two), Ingest::Duplicate);
    assert_eq!(world.offer(&three), Ingest::Accepted);
    assert_eq!(world.applied, [id(1), id(2), id(3)]);
}

#[test]
fn a_fake_cite_stalls_its_author_alone() {
    let mut world = world();
    world.offer(&act(1, EVE, 1, 0, &[99]));
    world.offer(&act(2, EVE, 2, 1, &[]));
    world.offer(&act(3, BOB, 1, 0, &[]));
    assert_eq!(world.applied, [id(3)], "eve waits for what does not exist, bob does not");
    assert_eq!(world.logs.waiting(), 1);
    // Were the cite real after all, her log goes on, entry by entry, from disk.
    world.offer(&act(99, BOB, 2, 3, &[]));
    assert_eq!(world.applied, [id(3), id(99), id(1), id(2)]);
}

#[test]
fn talk_waits_for_acts_but_never_for_talk() {
    let mut world = world();
    world.offer(&talk(1, BOB, 1, 0, &[], &[77]));
    assert_eq!(world.applied, [id(1)], "the talk it answers is not here: soft");
    world.offer(&talk(2, BOB, 2, 1, &[50], &[]));
    assert_eq!(world.applied, [id(1)], "the act it rests on is not here: strict");
    world.offer(&act(50, EVE, 1, 0, &[]));
    assert_eq!(world.applied, [id(1), id(50), id(2)]);
}

#[test]
fn a_second_entry_with_one_prev_is_proof_and_closes_the_log() {
    let mut world = world();
    world.offer(&act(1, EVE, 1, 0, &[]));
    world.offer(&act(2, EVE, 2, 1, &[]));
    world.offer(&act(3, EVE, 3, 2, &[]));
    assert_eq!(world.offer(&act(9, EVE, 2, 1, &[])), Ingest::Equivocation);
    let fork = Fork { seq: 2, entries: [id(2), id(9)] };
    assert_eq!(world.logs.forks().next().map(|(_, fork)| fork), Some(fork));
    assert_eq!(world.offer(&act(4, EVE, 4, 3, &[])), Ingest::Refused, "nothing more of this log");
    assert_eq!(world.offer(&act(5, BOB, 1, 0, &[])), Ingest::Accepted, "others go on");
}

#[test]
fn exchanged_proofs_converge_on_the_lowest() {
    let proofs = [act(9, EVE, 3, 2, &[]), act(8, EVE, 2, 1, &[]), act(7, EVE, 2, 1, &[])];
    let mut seen = Vec::new();
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let mut world = world();
        for n in 1..=3 {
            world.offer(&act(n, EVE, u32::from(n), n - 1, &[]));
        }
        for at in order {
            world.offer(&proofs[at]);
        }
        seen.push(world.logs.forks().next().unwrap().1);
    }
    assert!(seen.iter().all(|fork| *fork == Fork { seq: 2, entries: [id(2), id(7)] }), "{seen:?}");
}

#[test]
fn only_the_newest_beacon_counts() {
    let mut world = world();
    let beacon = |n, seq| entry(n, BOB, Class::Beacon, seq, 0, &[], &[]);
    assert_eq!(world.offer(&beacon(1, 5)), Ingest::Accepted);
    assert_eq!(world.offer(&beacon(2, 4)), Ingest::Duplicate);
    assert_eq!(world.offer(&beacon(3, 9)), Ingest::Accepted);
}

#[test]
fn a_new_entry_cites_the_heads_of_what_was_applied_since() {
    let mut world = world();
    world.offer(&act(1, BOB, 1, 0, &[]));
    world.offer(&act(2, BOB, 2, 1, &[]));
    world.offer(&act(3, EVE, 1, 0, &[]));
    assert_eq!(world.logs.cites_for(Lane::Acts), (vec![id(2), id(3)], vec![]));
    world.offer(&talk(4, BOB, 1, 0, &[], &[]));
    assert_eq!(world.logs.cites_for(Lane::Talk), (vec![id(2), id(3)], vec![id(4)]));
    world.offer(&talk(5, ME, 1, 0, &[2, 3], &[4]));
    assert_eq!(world.logs.cites_for(Lane::Talk), (vec![], vec![]), "all of it is in its own past now");
    world.offer(&act(6, EVE, 2, 3, &[2]));
    assert_eq!(world.logs.cites_for(Lane::Acts), (vec![id(6)], vec![]), "6 covers 2 and 3");
}

#[test]
fn what_a_merge_has_no_room_for_is_cited_next() {
    let mut world = world();
    for n in 20..120 {
        world.offer(&act(n, DeviceKey([n; 32]), 1, 0, &[]));
    }
    let heads = |world: &World| world.logs.cites_for(Lane::Acts).0;
    assert_eq!(heads(&world).len(), 100);
    let first: Vec<u8> = (20..84).collect();
    world.offer(&act(1, ME, 1, 0, &first));
    assert_eq!(heads(&world), (84..120).map(id).collect::<Vec<_>>());
    assert_eq!(world.logs.cites_for(Lane::Talk).0.len(), 37, "the merge itself covers what it cites");
}

#[test]
fn marks_tell_who_has_what_of_mine() {
    let mut world = world();
    world.offer(&talk(1, ME, 1, 0, &[], &[]));
    world.offer(&talk(2, ME, 2, 1, &[], &[]));
    assert_eq!(world.logs.heard(&BOB), Marks::default());
    world.offer(&talk(3, BOB, 1, 0, &[], &[1]));
    assert_eq!(world.logs.heard(&BOB).of(Lane::Talk), 1);
    world.offer(&talk(4, EVE, 1, 0, &[], &[3]));
    assert_eq!(world.logs.heard(&EVE).of(Lane::Talk), 1, "through bob's");
    world.offer(&talk(5, BOB, 2, 3, &[], &[2]));
    assert_eq!(world.logs.heard(&BOB).of(Lane::Talk), 2);
}

#[test]
fn operations_in_the_past_are_fixed_when_an_entry_is_applied() {
    let mut world = world();
    let operation = act(1, BOB, 1, 0, &[]);
    world.logs.ingest(&operation, &world.shelf);
    let facts = world.logs.mark_applied(&operation, true, &world.shelf);
    assert!(world.logs.states().contains(facts.ops, &id(1)));
    world.shelf.facts.insert(id(1), facts);
    world.offer(&act(2, EVE, 1, 0, &[]));
    world.offer(&act(3, EVE, 2, 2, &[1]));
    let knows = |n| world.logs.states().contains(world.shelf.facts[&id(n)].ops, &id(1));
    assert!(!knows(2) && knows(3));
}

#[test]
fn a_soft_cite_lends_no_authority() {
    let mut world = world();
    let operation = act(1, BOB, 1, 0, &[]);
    world.logs.ingest(&operation, &world.shelf);
    let facts = world.logs.mark_applied(&operation, true, &world.shelf);
    world.shelf.facts.insert(id(1), facts);
    world.offer(&talk(2, BOB, 1, 0, &[1], &[]));
    world.offer(&talk(3, EVE, 1, 0, &[], &[2]));
    let knows = |n| world.logs.states().contains(world.shelf.facts[&id(n)].ops, &id(1));
    assert!(knows(2) && !knows(3), "another node may not have what it cites");
    assert!(world.shelf.facts[&id(3)].depth > world.shelf.facts[&id(2)].depth);
}
