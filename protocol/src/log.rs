//! A group's logs: what may be stored, what may be applied, what a new entry cites
//! (spec logs, L-1 … L-9).
//!
//! *Accepting* an entry says it is stored and can be forwarded; *applying* it says that all it
//! strictly cites has been applied. Only the first unapplied entry of a log waits, and it waits on
//! disk: this module remembers one header a log, so fake cites stall only their author.

mod cites;
mod clock;
mod forks;

pub use cites::Cites;
pub use clock::{Facts, Marks};
pub use forks::Fork;
pub(crate) use forks::MAX_MISSING;

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
    /// Its log is forked below it, and nobody built on it: nothing more of it is taken (L-5).
    Refused,
    /// Of a branch that another's entry builds on: store it beside the trunk (L-6).
    Branch,
    /// A second entry with this `prev`: its author equivocates. Store it beside the trunk (L-5).
    Equivocation,
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
    /// The entry applied last.
    tip: EntryId,
}

/// Looks up entries that have left memory.
pub trait Past {
    /// What was established when an entry was applied.
    fn facts(&self, id: &EntryId) -> Option<Facts>;
    /// The header of an entry of a log's trunk.
    fn meta(&self, log: LogId, seq: u32) -> Option<Meta>;
    /// The header of a stored entry, on a trunk or beside it.
    fn find(&self, id: &EntryId) -> Option<Meta>;
}

/// The logs of one group on one node.
#[derive(Clone, Debug)]
pub struct Logs {
    group: GroupId,
    me: DeviceKey,
    logs: BTreeMap<LogId, Log>,
    /// All applied acts: strict cites are looked up here.
    acts: BTreeMap<EntryId, Facts>,
    /// The tips of the other lanes: most entries are built on these alone.
    tips: BTreeMap<EntryId, Facts>,
    states: OpStates,
    cites: Cites,
    heard: BTreeMap<DeviceKey, Marks>,
    /// Authors that branches alone let in, as far as they are stored (L-2).
    promised: BTreeSet<DeviceKey>,
}

impl Logs {
    /// No entries yet. `me` is this node's own device.
    pub fn new(group: GroupId, me: DeviceKey) -> Self {
        Self {
            group,
            me,
            logs: BTreeMap::new(),
            acts: BTreeMap::new(),
            tips: BTreeMap::new(),
            states: OpStates::default(),
            cites: Cites::default(),
            heard: BTreeMap::new(),
            promised: BTreeSet::new(),
        }
    }

    /// Takes entries of an author that a stored act of a branch lets in: others may have built on them.
    pub fn promise(&mut self, device: DeviceKey) {
        self.promised.insert(device);
    }

    /// An admission of an author's has been applied.
    pub fn admit(&mut self, device: &DeviceKey) {
        self.promised.remove(device);
    }

    /// Authors that branches alone let in.
    pub fn promised(&self) -> impl Iterator<Item = &DeviceKey> {
        self.promised.iter()
    }

    /// Judges whether a verified entry fits its log.
    pub fn ingest(&mut self, meta: &Meta, past: &dyn Past) -> Ingest {
        let log = self.logs.entry(meta.log()).or_default();
        let verdict =
            if meta.header.lane.is_chained() { log.judge(meta, past) } else { log.judge_beacon(meta) };
        match verdict {
            Ingest::Accepted => {
                log.head = Some((meta.header.seq, meta.id));
                log.waiting.get_or_insert_with(|| meta.clone());
            }
            Ingest::Refused if self.missing(past).contains(&meta.id) => return Ingest::Branch,
            _ => {}
        }
        verdict
    }

    /// Marks an entry that `next_applicable` gave as applied; `operation` says whether it is a
    /// membership act. Everything about its past is fixed now.
    pub fn mark_applied(&mut self, meta: &Meta, operation: bool, past: &dyn Past) -> Facts {
        let facts = self.facts_of(meta, operation, past);
        let log = self.logs.entry(meta.log()).or_default();
        if log.fork.is_none_or(|fork| fork.seq > meta.header.seq) {
            log.applied = meta.header.seq;
            log.waiting = log.follower(meta, past);
        }
        self.note(meta, facts);
        self.cites.applied(meta, facts, meta.device == self.me);
        facts
    }

    /// Takes over an entry that was applied before a restart; of a forked log, on its trunk or not.
    pub fn restore(&mut self, meta: &Meta, facts: Facts) {
        let log = self.logs.entry(meta.log()).or_default();
        if log.fork.is_none_or(|fork| fork.seq > meta.header.seq) {
            log.applied = log.applied.max(meta.header.seq);
        }
        self.note(meta, facts);
    }

    /// Takes over the newest stored entry of a log's trunk and the first unapplied one after a
    /// restart.
    pub fn restore_trunk(&mut self, newest: &Meta, first_unapplied: Option<Meta>) {
        let log = self.logs.entry(newest.log()).or_default();
        log.head = Some((newest.header.seq, newest.id));
        log.waiting = first_unapplied.filter(|meta| log.fork.is_none_or(|fork| fork.seq > meta.header.seq));
    }

    /// After a restart: an entry of a trunk that was applied counts as not applied again, because something
    /// it is built on was lost.
    pub fn wait_for(&mut self, meta: &Meta, seq: u32) {
        let log = self.logs.entry(meta.log()).or_default();
        let on_trunk = log.head.is_some_and(|(head, _)| head >= seq);
        if on_trunk && log.waiting.as_ref().is_none_or(|waiting| waiting.header.seq > seq) {
            log.waiting = Some(meta.clone());
        }
    }

    /// Takes over what the next own entries cite after a restart.
    pub fn restore_cites(&mut self, cites: Cites) {
        self.cites = cites;
    }

    fn note(&mut self, meta: &Meta, facts: Facts) {
        if meta.header.lane == Lane::Acts {
            self.acts.insert(meta.id, facts);
        } else {
            let log = self.logs.entry(meta.log()).or_default();
            self.tips.remove(&std::mem::replace(&mut log.tip, meta.id));
            self.tips.insert(meta.id, facts);
        }
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
        let known = |id| self.acts.get(id).or_else(|| self.tips.get(id)).copied().or_else(|| past.facts(id));
        let prev = (meta.header.prev != EntryId::default()).then_some(meta.header.prev);
        parents.extend(prev.iter().filter_map(known));
        // What authority reads is the same on every node: soft cites may be here or not.
        let states: BTreeSet<OpState> = parents.iter().map(|parent| parent.ops).collect();
        parents.extend(meta.header.talk_cites.iter().filter_map(known));
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

    /// The membership acts in the past of an entry about to be applied (L-10).
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

    /// The proof that a log is forked, if it is.
    pub fn fork(&self, log: &LogId) -> Option<Fork> {
        self.logs.get(log).and_then(|log| log.fork)
    }

    /// Whether a log is proven forked.
    pub fn is_forked(&self, log: &LogId) -> bool {
        self.fork(log).is_some()
    }

    /// Whether an act has been applied.
    pub fn has_act(&self, id: &EntryId) -> bool {
        self.acts.contains_key(id)
    }

    /// What was established about an applied act.
    pub fn act(&self, id: &EntryId) -> Option<&Facts> {
        self.acts.get(id)
    }

    /// The place of the first stored entry of a log that waits.
    pub fn first_waiting(&self, log: &LogId) -> Option<u32> {
        self.logs.get(log).and_then(|log| log.waiting.as_ref()).map(|meta| meta.header.seq)
    }

    /// The first stored entry of each log that waits.
    pub fn waiting_entries(&self) -> impl Iterator<Item = &Meta> {
        self.logs.values().filter_map(|log| log.waiting.as_ref())
    }

    /// Entries that are stored and wait.
    pub fn waiting(&self) -> usize {
        self.logs.values().filter(|log| log.waiting.is_some()).count()
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
        let forked = self.fork.is_some_and(|fork| seq > fork.seq);
        if seq == newest.saturating_add(1) && meta.header.prev == newest_id {
            return if self.fork.is_some() { Ingest::Refused } else { Ingest::Accepted };
        }
        if seq > newest {
            return if forked { Ingest::Refused } else { Ingest::Gap };
        }
        match past.meta(meta.log(), seq) {
            Some(stored) if stored.id == meta.id => Ingest::Duplicate,
            Some(stored) if stored.header.prev == meta.header.prev => self.prove(meta, stored.id),
            _ if forked => Ingest::Refused,
            // Its log forks below: the entry that proves it is not here yet.
            _ => Ingest::Gap,
        }
    }

    /// The stored entry after one that has just been applied, unless the log forks there.
    fn follower(&self, meta: &Meta, past: &dyn Past) -> Option<Meta> {
        let next = meta.header.seq.saturating_add(1);
        let here = self.head.is_some_and(|(seq, _)| seq >= next);
        let open = self.fork.is_none_or(|fork| fork.seq > next);
        (meta.header.lane.is_chained() && here && open).then(|| past.meta(meta.log(), next)).flatten()
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
