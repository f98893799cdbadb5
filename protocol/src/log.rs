//! A group's logs: what may be stored, what may be applied, what a new entry cites
//! (spec logs, L-1 … L-9).
//!
//! *Accepting* an entry says it is stored and can be forwarded; *applying* it says that all it
//! strictly cites has been applied. Only the first unapplied entry of a log waits, and it waits on
//! disk: this module remembers one header a log, so fake cites stall only their author.

mod cites;
mod clock;

pub use cites::Cites;
pub use clock::{Facts, Marks};

use std::collections::{BTreeMap, BTreeSet};

use crate::entry::{Entry, Header, Lane};
use crate::group::membership::{OpState, OpStates};
use crate::id::{DeviceKey, EntryId, EpochId, GroupId};

/// One author's log in one lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogId {
    /// The author.
    pub device: DeviceKey,
    /// Which of the author's three logs.
    pub lane: Lane,
}

/// What logs need to know of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    /// The entry.
    pub id: EntryId,
    /// Its author.
    pub device: DeviceKey,
    /// The epoch that seals it.
    pub epoch: EpochId,
    /// Position and cites.
    pub header: Header,
}

impl From<&Entry> for Meta {
    fn from(entry: &Entry) -> Self {
        Self { id: entry.id(), device: entry.device(), epoch: entry.epoch(), header: entry.header().clone() }
    }
}

impl Meta {
    /// The log the entry belongs to.
    pub fn log(&self) -> LogId {
        LogId { device: self.device, lane: self.header.lane }
    }
}

/// What became of an entry that was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ingest {
    /// New: store it and pass it on.
    Accepted,
    /// Here already, or superseded.
    Duplicate,
    /// Entries before it are missing.
    Gap,
    /// Its log is forked below it: nothing more of it is taken (L-5).
    Refused,
    /// A second entry with this `prev`: its author equivocates (L-5).
    Equivocation,
}

/// Two entries of one log with one `prev`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fork {
    /// Position of both.
    pub seq: u32,
    /// Their ids, ascending.
    pub entries: [EntryId; 2],
}

#[derive(Clone, Debug, Default)]
struct Log {
    /// Newest stored entry of the trunk.
    head: Option<(u32, EntryId)>,
    /// Newest applied position.
    applied: u32,
    /// Header of the first stored entry that is not applied.
    waiting: Option<Meta>,
    fork: Option<Fork>,
}

/// Looks up entries that have left memory.
pub trait Past {
    /// What was established when an entry was applied.
    fn facts(&self, id: &EntryId) -> Option<Facts>;
    /// The header of a stored entry.
    fn meta(&self, log: LogId, seq: u32) -> Option<Meta>;
}

/// The logs of one group on one node.
#[derive(Clone, Debug)]
pub struct Logs {
    group: GroupId,
    me: DeviceKey,
    logs: BTreeMap<LogId, Log>,
    /// All applied acts: strict cites are looked up here.
    acts: BTreeMap<EntryId, Facts>,
    states: OpStates,
    cites: Cites,
    heard: BTreeMap<DeviceKey, Marks>,
}

impl Logs {
    /// No entries yet. `me` is this node's own device.
    pub fn new(group: GroupId, me: DeviceKey) -> Self {
        Self {
            group,
            me,
            logs: BTreeMap::new(),
            acts: BTreeMap::new(),
            states: OpStates::default(),
            cites: Cites::default(),
            heard: BTreeMap::new(),
        }
    }

    /// Judges whether a verified entry fits its log.
    pub fn ingest(&mut self, meta: &Meta, past: &dyn Past) -> Ingest {
        let log = self.logs.entry(meta.log()).or_default();
        let verdict =
            if meta.header.lane.is_chained() { log.judge(meta, past) } else { log.judge_beacon(meta) };
        if verdict == Ingest::Accepted {
            log.head = Some((meta.header.seq, meta.id));
            if log.waiting.is_none() {
                log.waiting = Some(meta.clone());
            }
        }
        verdict
    }

    /// The next entry whose strict cites are all applied (L-3), in the order of logs.
    /// `epoch_known` tells whether the commit that made an epoch has been applied.
    pub fn next_applicable(&self, epoch_known: impl Fn(&EpochId) -> bool) -> Option<Meta> {
        let ready = |meta: &&Meta| {
            meta.header.act_cites.iter().all(|cite| self.acts.contains_key(cite)) && epoch_known(&meta.epoch)
        };
        self.logs.values().filter_map(|log| log.waiting.as_ref()).find(ready).cloned()
    }

    /// Marks the entry `next_applicable` gave as applied; `operation` says whether it is a
    /// membership act. Everything about its past is fixed now.
    pub fn mark_applied(&mut self, meta: &Meta, operation: bool, past: &dyn Past) -> Facts {
        let facts = self.facts_of(meta, operation, past);
        let log = self.logs.entry(meta.log()).or_default();
        log.applied = meta.header.seq;
        log.waiting = if meta.header.lane.is_chained() {
            let behind = log.head.is_some_and(|(seq, _)| seq > meta.header.seq)
                && log.fork.is_none_or(|f| f.seq > meta.header.seq.saturating_add(1));
            if behind { past.meta(meta.log(), meta.header.seq.saturating_add(1)) } else { None }
        } else {
            None
        };
        self.note(meta, facts);
        facts
    }

    /// Takes over an entry that was applied before a restart.
    pub fn restore(&mut self, meta: &Meta, facts: Facts) {
        let log = self.logs.entry(meta.log()).or_default();
        log.applied = log.applied.max(meta.header.seq);
        if log.head.is_none_or(|(seq, _)| seq < meta.header.seq) {
            log.head = Some((meta.header.seq, meta.id));
        }
        self.note(meta, facts);
    }

    /// Takes over the newest stored entry of a log and the first unapplied one after a restart.
    pub fn restore_unapplied(&mut self, newest: &Meta, first: Meta) {
        let log = self.logs.entry(newest.log()).or_default();
        log.head = Some((newest.header.seq, newest.id));
        log.waiting = Some(first);
    }

    fn note(&mut self, meta: &Meta, facts: Facts) {
        if meta.header.lane == Lane::Acts {
            self.acts.insert(meta.id, facts);
        }
        self.cites.applied(meta, facts, meta.device == self.me);
        self.hear(meta.device, Marks { acts: facts.mark_acts, talk: facts.mark_talk });
    }

    /// Raises what a device is known to have of this node's own entries.
    pub fn hear(&mut self, device: DeviceKey, marks: Marks) {
        let heard = self.heard.entry(device).or_default();
        *heard = heard.max(marks);
    }

    /// What each device is known to have of this node's own entries.
    pub fn heard(&self, device: &DeviceKey) -> Marks {
        self.heard.get(device).copied().unwrap_or_default()
    }

    fn facts_of(&mut self, meta: &Meta, operation: bool, past: &dyn Past) -> Facts {
        let mut parents: Vec<Facts> =
            meta.header.act_cites.iter().filter_map(|c| self.acts.get(c)).copied().collect();
        if let Some(commit) = self.acts.get(&EntryId(meta.epoch.0)) {
            parents.push(*commit);
        }
        let prev = (meta.header.prev != EntryId::default()).then_some(meta.header.prev);
        for id in prev.iter().chain(&meta.header.talk_cites) {
            parents.extend(self.acts.get(id).copied().or_else(|| past.facts(id)));
        }
        let states: BTreeSet<OpState> = parents.iter().map(|parent| parent.ops).collect();
        let ops = self.states.union(&states, if operation { std::slice::from_ref(&meta.id) } else { &[] });
        let own = meta.device == self.me;
        let mark = |lane: Lane, of: fn(&Facts) -> u32| {
            let seen = parents.iter().map(of).max().unwrap_or(0);
            if own && meta.header.lane == lane { seen.max(meta.header.seq) } else { seen }
        };
        Facts {
            device: meta.device,
            lane: meta.header.lane,
            seq: meta.header.seq,
            depth: parents.iter().map(|p| p.depth).max().unwrap_or(0).saturating_add(1),
            ops,
            mark_acts: mark(Lane::Acts, |f| f.mark_acts),
            mark_talk: mark(Lane::Talk, |f| f.mark_talk),
        }
    }

    /// The membership acts in the past of an entry about to be applied.
    pub fn past_of(&mut self, meta: &Meta, past: &dyn Past) -> OpState {
        self.facts_of(meta, false, past).ops
    }

    /// The newest stored position of a log.
    pub fn head(&self, log: &LogId) -> Option<(u32, EntryId)> {
        self.logs.get(log).and_then(|log| log.head)
    }

    /// The newest applied position of a log.
    pub fn applied(&self, log: &LogId) -> u32 {
        self.logs.get(log).map_or(0, |log| log.applied)
    }

    /// All logs with an entry, their newest position, and whether they are forked.
    pub fn heads(&self) -> impl Iterator<Item = (LogId, u32, EntryId, Option<Fork>)> + '_ {
        self.logs.iter().filter_map(|(id, log)| log.head.map(|(seq, head)| (*id, seq, head, log.fork)))
    }

    /// Whether an act has been applied.
    pub fn has_act(&self, id: &EntryId) -> bool {
        self.acts.contains_key(id)
    }

    /// What was established about an applied act.
    pub fn act(&self, id: &EntryId) -> Option<&Facts> {
        self.acts.get(id)
    }

    /// Entries that are stored and wait.
    pub fn waiting(&self) -> usize {
        self.logs.values().filter(|log| log.waiting.is_some()).count()
    }

    /// Proven equivocations.
    pub fn forks(&self) -> impl Iterator<Item = (LogId, Fork)> + '_ {
        self.logs.iter().filter_map(|(id, log)| log.fork.map(|fork| (*id, fork)))
    }

    /// The interned sets of membership acts.
    pub fn states(&self) -> &OpStates {
        &self.states
    }

    /// The interned sets, for taking them over from the store.
    pub fn states_mut(&mut self) -> &mut OpStates {
        &mut self.states
    }

    /// What the next own entry of a lane cites (L-4).
    pub fn cites_for(&self, lane: Lane) -> (Vec<EntryId>, Vec<EntryId>) {
        self.cites.next(lane)
    }

    /// The group these logs belong to.
    pub fn group(&self) -> GroupId {
        self.group
    }
}

impl Log {
    fn judge(&mut self, meta: &Meta, past: &dyn Past) -> Ingest {
        let seq = meta.header.seq;
        let (newest, newest_id) = self.head.unwrap_or_default();
        if seq > newest.saturating_add(1) {
            return Ingest::Gap;
        }
        if self.fork.is_some_and(|fork| seq > fork.seq) {
            return Ingest::Refused;
        }
        if seq == newest.saturating_add(1) {
            return if meta.header.prev == newest_id { Ingest::Accepted } else { Ingest::Gap };
        }
        let stored = past.meta(meta.log(), seq);
        match stored {
            Some(stored) if stored.id == meta.id => Ingest::Duplicate,
            Some(stored) if stored.header.prev == meta.header.prev => self.prove(seq, stored.id, meta.id),
            _ => Ingest::Refused,
        }
    }

    /// Keeps the canonical proof: the lowest position, then the two smallest ids.
    fn prove(&mut self, seq: u32, stored: EntryId, other: EntryId) -> Ingest {
        let mut entries = [stored, other];
        entries.sort_unstable();
        let found = Fork { seq, entries };
        let better = self.fork.is_none_or(|known| (found.seq, found.entries) < (known.seq, known.entries));
        if !better {
            return Ingest::Duplicate;
        }
        self.fork = Some(found);
        if self.waiting.as_ref().is_some_and(|waiting| waiting.header.seq >= seq) {
            self.waiting = None;
        }
        Ingest::Equivocation
    }

    fn judge_beacon(&mut self, meta: &Meta) -> Ingest {
        if self.head.is_some_and(|(seq, _)| seq >= meta.header.seq) {
            Ingest::Duplicate
        } else {
            Ingest::Accepted
        }
    }
}

#[cfg(test)]
mod tests;
