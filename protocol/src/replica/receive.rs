//! The door for entries: size and shape, author, place in the log; then everything that has
//! become applicable (L-1 … L-5).

use super::shelf::{self, Shelf};
use super::{Event, Frozen, Replica, Round};
use crate::entry::{Class, Entry, UnverifiedEntry};
use crate::id::{DeviceKey, EntryId, EpochId};
use crate::log::{Facts, Ingest, LogId, Meta, Past};
use crate::store::StoreError;

/// What became of an entry that was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// New and stored.
    Stored,
    /// Here already, superseded, or of a closed log.
    Duplicate,
    /// Its author, epoch or predecessor is not known yet: compare again later.
    Unknown,
    /// Its author has written more than is taken of anybody by now.
    Excess,
    /// Malformed, or not signed by whom it says.
    Bad,
}

/// Looks applied entries up in the store.
pub(super) struct Shelved<'a>(pub(super) Shelf<'a>);

impl Past for Shelved<'_> {
    fn facts(&self, id: &EntryId) -> Option<Facts> {
        self.0.by_id(id).ok().flatten().and_then(|stored| stored.facts)
    }

    fn meta(&self, log: LogId, seq: u32) -> Option<Meta> {
        self.0.at(log, seq).ok().flatten().map(|stored| Meta::from(&stored.entry))
    }

    fn find(&self, id: &EntryId) -> Option<Meta> {
        self.0.by_id(id).ok().flatten().map(|stored| Meta::from(&stored.entry))
    }
}

impl Replica {
    /// Takes bytes that some peer, file or mailbox brought.
    ///
    /// # Errors
    /// Only the store's: whatever the bytes are, the group goes on.
    pub fn receive(&mut self, bytes: &[u8], round: &mut Round<'_>) -> Result<Received, StoreError> {
        let Ok(entry) = UnverifiedEntry::decode(bytes) else {
            return Ok(Received::Bad);
        };
        let mut candidates = self.candidates(&entry);
        if candidates.is_empty() && self.confirm_hearsay(&entry, round) {
            candidates = self.candidates(&entry);
        }
        if candidates.is_empty() {
            return Ok(Received::Unknown);
        }
        if self.is_stored(&entry, &candidates, round)? {
            return Ok(Received::Duplicate);
        }
        let verified = candidates.iter().find_map(|(device, epoch)| entry.verify(&self.group, device, epoch));
        match verified {
            Some(entry) => self.take(entry, round),
            None => Ok(Received::Bad),
        }
    }

    /// Devices and epochs whose hints fit (L-2, E-3).
    fn candidates(&self, entry: &UnverifiedEntry) -> Vec<(DeviceKey, EpochId)> {
        let known = self.devices.iter().chain(self.logs.promised());
        let devices: Vec<&DeviceKey> =
            known.filter(|device| device.hint() == entry.header().author_hint).collect();
        let epochs = self.epochs_of(&entry.header().epoch_hint);
        epochs.iter().flat_map(|epoch| devices.iter().map(move |device| (**device, *epoch))).collect()
    }

    /// A cheap look before the signature is checked: replays cost a hash, not a verification.
    fn is_stored(
        &self,
        entry: &UnverifiedEntry,
        candidates: &[(DeviceKey, EpochId)],
        round: &Round<'_>,
    ) -> Result<bool, StoreError> {
        let shelf = self.shelf(round);
        for (device, epoch) in candidates {
            let log = LogId { device: *device, lane: entry.header().lane };
            let Some(id) = entry.id(&self.group, device, epoch) else { continue };
            let stored = match self.logs.head(&log) {
                Some((newest, _)) if newest < entry.header().seq && !self.logs.is_forked(&log) => false,
                Some((_, head)) if !log.lane.is_chained() => head == id,
                Some(_) => shelf.place(&id)?.is_some(),
                None => false,
            };
            if stored {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes a verified entry into its log.
    pub(super) fn take(&mut self, entry: Entry, round: &mut Round<'_>) -> Result<Received, StoreError> {
        let meta = Meta::from(&entry);
        if entry.device() == self.device {
            let lost = self.is_lost_own(&meta, round)?;
            if !lost {
                return Ok(self.take_own(&meta, round));
            }
        }
        if !self.within_quota(&entry, round.now) {
            return Ok(Received::Excess);
        }
        let verdict = self.logs.ingest(&meta, &Shelved(Shelf { sight: round.sight(), group: self.group }));
        let verdict =
            if verdict == Ingest::Refused && self.is_sought(&meta) { Ingest::Branch } else { verdict };
        match verdict {
            Ingest::Accepted => {
                self.keep(&entry, round);
                self.apply_all(round)?;
                self.note_hearsay(&entry);
                Ok(Received::Stored)
            }
            Ingest::Gap => {
                self.note_hearsay(&entry);
                Ok(Received::Unknown)
            }
            Ingest::Duplicate | Ingest::Refused => Ok(Received::Duplicate),
            Ingest::Branch => {
                self.keep_beside(&entry, round);
                self.apply_all(round)?;
                Ok(Received::Stored)
            }
            Ingest::Equivocation => {
                self.keep_beside(&entry, round);
                self.forked(meta.log(), round)?;
                self.apply_all(round)?;
                Ok(Received::Stored)
            }
        }
    }

    /// An entry signed by this very device that is not in its log: this profile is an old copy.
    /// It writes nothing here any more, or it would equivocate (S-9).
    fn take_own(&mut self, meta: &Meta, round: &mut Round<'_>) -> Received {
        if self.logs.head(&meta.log()).is_some_and(|(_, id)| id == meta.id) {
            return Received::Duplicate;
        }
        if self.frozen != Some(Frozen::RolledBack) {
            self.freeze(Frozen::RolledBack, round);
            round.events.push(Event::RolledBack);
        }
        Received::Duplicate
    }

    /// This profile is a copy: it writes nothing here any more.
    pub fn freeze_as_copy(&mut self, round: &mut Round<'_>) {
        if self.frozen.is_none() {
            self.freeze(Frozen::RolledBack, round);
        }
    }

    pub(super) fn freeze(&mut self, why: Frozen, round: &mut Round<'_>) {
        self.frozen = Some(why);
        shelf::put_named(round.overlay, &self.group, b"frozen", vec![why as u8]);
    }

    fn keep_beside(&mut self, entry: &Entry, round: &mut Round<'_>) {
        self.count_stored(entry, round);
        shelf::put_beside(round.overlay, &self.group, entry, None, self.tie(&entry.id()));
        self.note_branch(entry);
    }

    /// Stages an entry of a trunk and notes it for passing on.
    pub(super) fn keep(&mut self, entry: &Entry, round: &mut Round<'_>) {
        let log = LogId { device: entry.device(), lane: entry.header().lane };
        shelf::put(round.overlay, &self.group, log, entry, None);
        self.count_stored(entry, round);
        round.stored.push((log, entry.clone()));
    }

    /// Applies whatever has become applicable.
    ///
    /// # Errors
    /// The store's.
    pub fn apply_all(&mut self, round: &mut Round<'_>) -> Result<(), StoreError> {
        while let Some(plan) = self.applicable(round) {
            // Keys of a branch's epoch that its commit did not lead to are told later, or never.
            for meta in &plan {
                if !self.is_open(meta, round) {
                    break;
                }
                self.apply_next(meta, round)?;
            }
        }
        self.note_branches_again(round)?;
        self.reload_head(round)
    }

    fn applicable(&self, round: &Round<'_>) -> Option<Vec<Meta>> {
        let past = Shelved(self.shelf(round));
        self.logs.next_applicable(|meta| self.is_open(meta, round), &past)
    }

    /// Whether the key of an act is here: without it nobody could say what the act does (L-3).
    fn is_open(&self, meta: &Meta, round: &Round<'_>) -> bool {
        if meta.header.class != Class::Control {
            return self.ring.control(&meta.epoch).is_some();
        }
        let stored = self.shelf(round).by_id(&meta.id).ok().flatten();
        stored.is_some_and(|stored| self.key_of(&stored.entry).is_some())
    }

    fn apply_next(&mut self, meta: &Meta, round: &mut Round<'_>) -> Result<(), StoreError> {
        let log = meta.log();
        let on_trunk = match log.lane.is_chained() {
            true => self.shelf(round).at(log, meta.header.seq)?.filter(|stored| stored.entry.id() == meta.id),
            false => self.shelf(round).at(log, 0)?,
        };
        let beside = on_trunk.is_none();
        let stored = if beside { self.shelf(round).by_id(&meta.id)? } else { on_trunk };
        let Some(stored) = stored else { return Err(StoreError::Damaged) };
        let past = self.logs.past_of(meta, &Shelved(Shelf { sight: round.sight(), group: self.group }));
        self.settle_key(&stored.entry, round);
        let body = self.open_body(&stored.entry);
        let operation = self.effect(&stored.entry, body.as_ref(), past, round)?;
        let facts = self.logs.mark_applied(
            meta,
            operation,
            &Shelved(Shelf { sight: round.sight(), group: self.group }),
        );
        self.store_states(round);
        if beside {
            shelf::put_beside(round.overlay, &self.group, &stored.entry, Some(&facts), self.tie(&meta.id));
        } else {
            shelf::put(round.overlay, &self.group, log, &stored.entry, Some(&facts));
        }
        self.after_applied(&stored.entry, body.as_ref(), facts, round);
        if operation {
            self.roster_changed(round);
        }
        Ok(())
    }

    fn store_states(&mut self, round: &mut Round<'_>) {
        for number in self.states_stored..self.logs.states().len() {
            let recipe = self.logs.states().recipe(u32::try_from(number).unwrap_or(u32::MAX));
            shelf::put_state_recipe(round.overlay, &self.group, number, recipe);
        }
        self.states_stored = self.logs.states().len();
    }
}
