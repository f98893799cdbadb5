//! Forked logs: the proof, and what of their branches counts all the same (L-5, L-6).
//!
//! From the fork on, nothing of the log applies by itself. An act of a branch applies together with
//! the first applicable act of *another* author that builds on it: a node that had applied a branch
//! before it saw the proof says so by citing it, so what anybody honest has built on stays, on every
//! node, whichever branch reached it first. What merely *stored* entries cite does not count: an
//! entry behind a cite that nobody has would hold a branch up on one node only.

use std::collections::BTreeSet;

use super::{Facts, Ingest, Log, LogId, Logs, Meta, Past};
use crate::entry::Lane;
use crate::id::{EntryId, EpochId};

/// Most entries of branches that one entry may draw in, and that are searched for missing ones.
const MAX_BRANCH: usize = 8192;
/// Most ids asked for at a time.
pub(crate) const MAX_MISSING: usize = 64;

/// Two entries of one log with one `prev`: the lowest position, then the two smallest ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fork {
    /// Position of both.
    pub seq: u32,
    /// Their ids, ascending.
    pub entries: [EntryId; 2],
}

impl Log {
    /// Keeps the canonical proof, so that exchanging proofs converges.
    pub(super) fn prove(&mut self, meta: &Meta, stored: EntryId) -> Ingest {
        let found = match self.fork {
            Some(known) if known.seq == meta.header.seq => known.with(meta.id),
            _ => Fork::of(meta.header.seq, stored, meta.id),
        };
        if self.fork.is_some_and(|known| known <= found) {
            return Ingest::Refused;
        }
        self.restore_fork(meta.header.lane, found);
        Ingest::Equivocation
    }

    /// Closes the log at a proven fork.
    fn restore_fork(&mut self, lane: Lane, fork: Fork) {
        self.fork = Some(fork);
        self.waiting = self.waiting.take().filter(|waiting| waiting.header.seq < fork.seq);
        if lane == Lane::Talk {
            self.applied = self.applied.min(fork.seq.saturating_sub(1));
        }
    }
}

impl Fork {
    fn of(seq: u32, one: EntryId, other: EntryId) -> Self {
        Self { seq, entries: if one < other { [one, other] } else { [other, one] } }
    }

    /// The two smallest of these and another.
    fn with(self, other: EntryId) -> Self {
        let [first, second] = self.entries;
        if other < first {
            Self::of(self.seq, other, first)
        } else if other > first && other < second {
            Self::of(self.seq, first, other)
        } else {
            self
        }
    }
}

impl Logs {
    /// What can be applied next (L-3): the first entry that waits and whose strict cites are all
    /// applied, after the branch entries that it draws in, in causal order. `opens` tells
    /// whether the keys that an entry needs are known.
    pub fn next_applicable(&self, opens: impl Fn(&Meta) -> bool, past: &dyn Past) -> Option<Vec<Meta>> {
        let waiting = self.logs.values().filter_map(|log| log.waiting.as_ref());
        // Whoever a branch alone lets in draws it in as little as its own author does.
        let mut counting = waiting.filter(|meta| !self.promised.contains(&meta.device));
        counting.find_map(|meta| self.plan(meta, &opens, past))
    }

    fn plan(&self, entry: &Meta, opens: &dyn Fn(&Meta) -> bool, past: &dyn Past) -> Option<Vec<Meta>> {
        let (mut plan, mut planned) = (Vec::new(), BTreeSet::new());
        let mut open = vec![(entry.clone(), false)];
        while let Some((meta, parents_planned)) = open.pop() {
            if planned.contains(&meta.id) {
                continue;
            }
            if parents_planned {
                planned.insert(meta.id);
                plan.push(meta);
                continue;
            }
            let lacking = self.lacking(&meta);
            open.push((meta.clone(), true));
            for id in lacking.difference(&planned) {
                open.push((self.drawn(&meta, id, past)?, false));
            }
            // The commit of a branch may have to be applied before the keys of its epoch are known.
            let opens = lacking.contains(&EntryId(meta.epoch.0)) || opens(&meta);
            if !opens || plan.len() + open.len() > MAX_BRANCH {
                return None;
            }
        }
        Some(plan)
    }

    /// Parents that are strictly needed and not applied.
    fn lacking(&self, meta: &Meta) -> BTreeSet<EntryId> {
        let chained = meta.header.lane == Lane::Acts && meta.header.prev != EntryId::default();
        let prev = chained.then_some(meta.header.prev);
        let commit = (meta.epoch != EpochId::from(self.group)).then_some(EntryId(meta.epoch.0));
        let needed = meta.header.act_cites.iter().copied().chain(prev).chain(commit);
        needed.filter(|id| !self.acts.contains_key(id)).collect()
    }

    /// A stored branch entry that an entry may draw in: another author's, or the one it follows; or an entry of
    /// somebody whom the branch lets in.
    fn drawn(&self, by: &Meta, id: &EntryId, past: &dyn Past) -> Option<Meta> {
        self.forked_acts().next()?;
        past.find(id).filter(|found| {
            self.is_drawable(found) && (found.device != by.device || found.id == by.header.prev)
        })
    }

    fn forked_acts(&self) -> impl Iterator<Item = &Log> {
        self.logs.iter().filter(|(id, log)| id.lane == Lane::Acts && log.fork.is_some()).map(|(_, log)| log)
    }

    /// Whether an act is of a branch, or of somebody whom a branch alone lets in.
    fn is_drawable(&self, meta: &Meta) -> bool {
        let promised = meta.header.lane == Lane::Acts && self.promised.contains(&meta.device);
        promised || self.is_branch(meta)
    }

    fn is_branch(&self, meta: &Meta) -> bool {
        let fork = self.logs.get(&meta.log()).and_then(|log| log.fork);
        meta.header.lane == Lane::Acts && fork.is_some_and(|fork| meta.header.seq >= fork.seq)
    }

    /// Acts that are built on and not stored here, where branches of forked logs are in question:
    /// to be asked for by their ids, at most 64.
    pub fn missing(&self, past: &dyn Past) -> BTreeSet<EntryId> {
        let (mut missing, mut seen) = (BTreeSet::new(), BTreeSet::new());
        if self.forked_acts().next().is_none() {
            return missing;
        }
        let mut open: Vec<Meta> = self.logs.values().filter_map(|log| log.waiting.clone()).collect();
        while let Some(meta) = open.pop() {
            for id in self.lacking(&meta) {
                if missing.len() == MAX_MISSING || seen.len() == MAX_BRANCH {
                    return missing;
                }
                if seen.insert(id) {
                    match past.find(&id) {
                        Some(found) => open.extend(Some(found).filter(|found| self.is_drawable(found))),
                        None => {
                            missing.insert(id);
                        }
                    }
                }
            }
        }
        missing
    }

    /// Takes over a proof after a restart.
    pub fn restore_fork(&mut self, log: LogId, fork: Fork) {
        self.logs.entry(log).or_default().restore_fork(log.lane, fork);
    }

    /// Proven equivocations.
    pub fn forks(&self) -> impl Iterator<Item = (LogId, Fork)> + '_ {
        self.logs.iter().filter_map(|(id, log)| log.fork.map(|fork| (*id, fork)))
    }

    /// Whether acts at or beyond a fork are applied here: then this node has built on a branch,
    /// and owes the others an act that says so.
    pub fn built_on_branch(&self) -> bool {
        let beyond = |id: &LogId, fork: &Fork| {
            let of_branch = |facts: &Facts| facts.device == id.device && facts.seq >= fork.seq;
            self.acts.values().any(of_branch)
        };
        self.forks().any(|(id, fork)| id.lane == Lane::Acts && id.device != self.me && beyond(&id, &fork))
    }
}

#[cfg(test)]
mod tests;
