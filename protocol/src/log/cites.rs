//! What a new entry of one's own cites: heads of what was applied since one's previous entry of
//! that lane, beyond its past (L-4).

use std::collections::{BTreeMap, BTreeSet};

use super::Meta;
use super::clock::Facts;
use crate::entry::{Lane, MAX_TALK_CITES};
use crate::id::EntryId;

/// Heads to cite, by depth so that the newest go first where there is no room for all.
#[derive(Clone, Debug, Default)]
pub struct Cites {
    /// Acts since the last own act. Strict cites are never dropped: over 64 the
    /// caller makes a `merge` act first.
    for_acts: Heads,
    /// Acts since the last own talk entry.
    for_talk: Heads,
    /// Talk since the last own talk entry.
    talk: Heads,
}

#[derive(Clone, Debug, Default)]
struct Heads(BTreeMap<EntryId, u32>);

impl Heads {
    fn cover(&mut self, meta: &Meta, depth: u32, bound: usize) {
        self.cited(meta);
        self.0.insert(meta.id, depth);
        if self.0.len() > bound {
            // The oldest head is the least missed: whoever lacks it still gets it by comparing.
            let oldest = self.0.iter().min_by_key(|(id, depth)| (**depth, **id)).map(|(id, _)| *id);
            oldest.map(|id| self.0.remove(&id));
        }
    }

    /// Takes out what an entry has in its past.
    fn cited(&mut self, meta: &Meta) {
        let covered = meta.header.act_cites.iter().chain(&meta.header.talk_cites).chain([&meta.header.prev]);
        for id in covered {
            self.0.remove(id);
        }
        self.0.remove(&EntryId(meta.epoch.0));
    }

    fn ids(&self) -> Vec<EntryId> {
        let ids: BTreeSet<EntryId> = self.0.keys().copied().collect();
        ids.into_iter().collect()
    }
}

impl Cites {
    /// Heads as they were before a restart, with their depths.
    pub fn restored(
        for_acts: BTreeMap<EntryId, u32>,
        for_talk: BTreeMap<EntryId, u32>,
        talk: BTreeMap<EntryId, u32>,
    ) -> Self {
        Self { for_acts: Heads(for_acts), for_talk: Heads(for_talk), talk: Heads(talk) }
    }

    /// Takes note of an applied entry; `own` if this node's device wrote it.
    pub(super) fn applied(&mut self, meta: &Meta, facts: Facts, own: bool) {
        match meta.header.lane {
            Lane::Acts if own => {
                // A merge cites 64 heads; the others are still to be cited.
                self.for_acts.cited(meta);
                self.for_talk.cover(meta, facts.depth, usize::MAX);
            }
            Lane::Acts => {
                self.for_acts.cover(meta, facts.depth, usize::MAX);
                self.for_talk.cover(meta, facts.depth, usize::MAX);
            }
            Lane::Talk if own => {
                self.for_talk.0.clear();
                self.talk.0.clear();
            }
            Lane::Talk => self.talk.cover(meta, facts.depth, MAX_TALK_CITES),
            Lane::Beacon => {}
        }
    }

    /// Act cites and talk cites of the next own entry of a lane, ascending.
    pub(super) fn next(&self, lane: Lane) -> (Vec<EntryId>, Vec<EntryId>) {
        match lane {
            Lane::Acts => (self.for_acts.ids(), Vec::new()),
            Lane::Talk => (self.for_talk.ids(), self.talk.ids()),
            Lane::Beacon => (Vec::new(), Vec::new()),
        }
    }
}
