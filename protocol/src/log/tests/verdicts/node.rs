//! An honest node: the real logs and the real membership, and what its owner and the program do.

use std::collections::{BTreeMap, BTreeSet};

use crate::crypto;
use crate::entry::{Class, Header, Lane};
use crate::group::membership::{Founding, Membership, Operation, View};
use crate::id::{DeviceKey, EntryId, EpochId};
use crate::log::tests::{GROUP, World, world_of};
use crate::log::{Fork, Ingest, LogId, Meta};

/// An entry and, if it is a membership act, what it says.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub(super) meta: Meta,
    pub(super) operation: Option<Operation>,
}

/// A part of the fork rule that a node may lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lacking {
    Nothing,
    /// Whoever had built on a branch says so (L-6).
    Citing,
    /// … after the proof of a fork in a talk lane, too.
    CitingAfterForkedTalk,
    /// … though it is no member any more.
    CitingByTheEnded,
    /// From the fork on nothing applies by itself.
    Closing,
    /// What merely stored entries cite draws nothing in.
    WaitingForTheCiter,
    /// Signatures count whatever became of their author's log (M-2, M-14).
    RawCounting,
}

/// What somebody may write of its own accord, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Say {
    /// An act that decides nothing.
    Act,
    Talk,
    /// Signs the verdict.
    Approve,
    /// Proposes to dismiss the verdict.
    Dismiss,
    /// Signs the dismissal.
    Second,
}

/// Nodes with the same of this go on alike.
pub(super) type Key =
    (BTreeMap<(LogId, u32), EntryId>, BTreeSet<EntryId>, BTreeSet<EntryId>, Vec<Fork>, Said);
type Said = (bool, BTreeSet<Say>);

#[derive(Clone)]
pub(super) struct Node {
    pub(super) me: DeviceKey,
    pub(super) own: Vec<Written>,
    world: World,
    membership: Membership,
    operations: BTreeMap<EntryId, Operation>,
    unsettled: bool,
    said: BTreeSet<Say>,
    lacking: Lacking,
}

impl Node {
    pub(super) fn new(me: DeviceKey, founding: Founding, lacking: Lacking) -> Self {
        Self {
            me,
            own: Vec::new(),
            world: world_of(me),
            membership: Membership::founded(founding),
            operations: BTreeMap::new(),
            unsettled: false,
            said: BTreeSet::new(),
            lacking,
        }
    }

    pub(super) fn take(&mut self, written: &Written) {
        let verdict = self.world.store(&written.meta);
        if matches!(verdict, Ingest::Accepted | Ingest::Branch | Ingest::Equivocation)
            && let Some(operation) = &written.operation
        {
            self.operations.insert(written.meta.id, operation.clone());
        }
        let of_talk = written.meta.header.lane == Lane::Talk;
        self.unsettled |=
            verdict == Ingest::Equivocation && !(of_talk && self.lacking == Lacking::CitingAfterForkedTalk);
        while let Some(plan) = self.world.applicable().or_else(|| self.wrongly_applicable()) {
            for meta in plan {
                self.apply(&meta);
            }
        }
    }

    /// As `Replica::apply_next` does it.
    fn apply(&mut self, meta: &Meta) {
        let past = self.world.logs.past_of(meta, &self.world.shelf);
        let operation = self.operations.get(&meta.id).cloned();
        let states = self.world.logs.states_mut();
        let counts =
            operation.is_some_and(|op| self.membership.add(meta.id, meta.device, past, op, states).is_ok());
        self.world.apply(meta, counts);
    }

    /// Whether it owes an act that says what it had built on, and may write it.
    pub(super) fn owes_settling(&self) -> bool {
        let may = self.is_in() || self.lacking != Lacking::CitingByTheEnded;
        self.unsettled && may && self.lacking != Lacking::Citing
    }

    /// As `Replica::settle_forks` does it.
    pub(super) fn settle(&mut self) {
        self.unsettled = false;
        if self.world.logs.built_on_branch() && !self.world.logs.cites_for(Lane::Acts).0.is_empty() {
            self.write(Class::Control, None);
        }
    }

    /// Whether its owner may and would write this now.
    pub(super) fn would_say(&self, say: Say, verdict: EntryId) -> bool {
        let decides = !matches!(say, Say::Act | Say::Talk);
        let operation = self.operation(say, verdict);
        !self.said.contains(&say)
            && self.is_in()
            && (!decides || operation.is_some_and(|op| self.membership.check(self.me, &op).is_ok()))
    }

    pub(super) fn say(&mut self, say: Say, verdict: EntryId) {
        self.said.insert(say);
        let class = if say == Say::Talk { Class::Chat } else { Class::Control };
        self.write(class, self.operation(say, verdict));
    }

    fn operation(&self, say: Say, verdict: EntryId) -> Option<Operation> {
        let dismissal = Operation::Dismiss { act: verdict };
        let proposed = || self.operations.iter().find(|(_, op)| **op == dismissal).map(|(id, _)| *id);
        match say {
            Say::Act | Say::Talk => None,
            Say::Approve => Some(Operation::Approve { act: verdict }),
            Say::Dismiss => Some(dismissal),
            Say::Second => Some(Operation::Approve { act: proposed()? }),
        }
    }

    fn write(&mut self, class: Class, operation: Option<Operation>) {
        let log = LogId { device: self.me, lane: class.lane() };
        let (seq, prev) = self.world.logs.head(&log).unwrap_or_default();
        let epoch = EpochId::from(GROUP);
        let mut header = Header::new(class, &self.me, &epoch, seq + 1, prev);
        (header.act_cites, header.talk_cites) = self.world.logs.cites_for(class.lane());
        let text = format!("{header:?} {operation:?}");
        let id = EntryId(crypto::hash("made", &[self.me.as_bytes(), text.as_bytes()]));
        let written = Written { meta: Meta { id, device: self.me, epoch, header }, operation };
        self.own.push(written.clone());
        self.take(&written);
    }

    fn is_in(&self) -> bool {
        self.membership.view().member_of(&self.me).is_some()
    }

    pub(super) fn view(&self) -> View {
        if self.lacking != Lacking::RawCounting {
            return self.membership.view();
        }
        let kept =
            |id: &EntryId| self.world.shelf.stored.get(id).is_some_and(|meta| !self.is_beyond_a_fork(meta));
        let counted: Vec<EntryId> = self.world.applied.iter().copied().filter(|id| kept(id)).collect();
        let mut states = self.world.logs.states().clone();
        let state = states.union(&BTreeSet::new(), &counted);
        self.membership.clone().view_of(state, &states)
    }

    pub(super) fn has(&self, id: &EntryId) -> bool {
        self.world.shelf.stored.contains_key(id)
    }

    /// The acts it has applied.
    pub(super) fn applied(&self) -> BTreeSet<EntryId> {
        self.world.applied.iter().copied().filter(|id| self.world.logs.has_act(id)).collect()
    }

    /// Whether an act beyond a fork of its log is applied, and whether one is that nothing applied of another
    /// author has in its past.
    pub(super) fn beyond_forks(&self) -> [bool; 2] {
        let stored = &self.world.shelf.stored;
        let applied = || self.world.applied.iter().filter_map(|id| stored.get(id));
        let is_beyond = |meta: &&Meta| meta.header.lane == Lane::Acts && self.is_beyond_a_fork(meta);
        let beyond: Vec<&Meta> = applied().filter(is_beyond).collect();
        let unfounded = |meta: &&Meta| {
            let mut others = applied().filter(|other| other.device != meta.device);
            !others.any(|other| self.past(other).contains(&meta.id))
        };
        [!beyond.is_empty(), beyond.iter().any(unfounded)]
    }

    fn past(&self, of: &Meta) -> BTreeSet<EntryId> {
        let (mut past, mut open) = (BTreeSet::new(), vec![of.clone()]);
        while let Some(meta) = open.pop() {
            for id in meta.header.act_cites.iter().chain([&meta.header.prev]) {
                if past.insert(*id) {
                    open.extend(self.world.shelf.stored.get(id).cloned());
                }
            }
        }
        past
    }

    fn is_beyond_a_fork(&self, meta: &Meta) -> bool {
        self.world.logs.fork(&meta.log()).is_some_and(|fork| meta.header.seq >= fork.seq)
    }

    /// What a node would apply that lacks a part of the rule.
    fn wrongly_applicable(&self) -> Option<Vec<Meta>> {
        let here = |id: &EntryId| *id == EntryId::default() || self.world.logs.has_act(id);
        let fits = |meta: &&Meta| {
            let parents = meta.header.act_cites.iter().chain([&meta.header.prev]);
            meta.header.lane == Lane::Acts
                && self.is_beyond_a_fork(meta)
                && !here(&meta.id)
                && parents.into_iter().all(here)
        };
        let branches = || self.world.shelf.stored.values().filter(fits);
        let found = match self.lacking {
            Lacking::Closing => {
                let on_trunk = |meta: &&Meta| {
                    self.world.shelf.trunks.get(&(meta.log(), meta.header.seq)) == Some(&meta.id)
                };
                branches().find(on_trunk)
            }
            Lacking::WaitingForTheCiter => {
                let cited = |meta: &&Meta| {
                    let by = |other: &Meta| other.header.act_cites.contains(&meta.id);
                    self.world.shelf.stored.values().any(|other| other.device != meta.device && by(other))
                };
                branches().find(cited)
            }
            _ => None,
        };
        found.map(|meta| vec![meta.clone()])
    }

    pub(super) fn key(&self) -> Key {
        let stored = self.world.shelf.stored.keys().copied().collect();
        let forks = self.world.logs.forks().map(|(_, fork)| fork).collect();
        (self.world.shelf.trunks.clone(), stored, self.applied(), forks, (self.unsettled, self.said.clone()))
    }
}
