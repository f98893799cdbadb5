//! Authors who signed two entries for one place (L-5, L-6).

use std::collections::BTreeSet;

use super::author::AuthorError;
use super::receive::Shelved;
use super::shelf::{self, Shelf};
use super::{Event, Replica, Round};
use crate::action::Action;
use crate::action::message::Message;
use crate::crypto;
use crate::entry::{Entry, Lane};
use crate::group::operation::{Admit, Control, Empty};
use crate::id::{DeviceKey, EntryId, EpochId};
use crate::kind::Kind;
use crate::log::{Fork, LogId, MAX_MISSING, Meta};
use crate::store::{Sight, StoreError};

/// What a commit is asked for by if only the hint of its epoch is known: the hint and zeros (Y-23).
fn by_hint(hint: &[u8; 8]) -> EntryId {
    let mut id = EntryId::default();
    id.0[..8].copy_from_slice(hint);
    id
}

impl Replica {
    /// A proof has come in, or a better one: from the fork on nothing of the log applies by itself.
    pub(super) fn forked(&mut self, log: LogId, round: &mut Round<'_>) -> Result<(), StoreError> {
        shelf::put_forks(round.overlay, &self.group, self.logs.forks());
        self.note_branches(log, round)?;
        if let (Lane::Talk, Some(fork)) = (log.lane, self.logs.fork(&log)) {
            self.hide_from(log, fork.seq, round)?;
        }
        // Forked talk may have drawn a branch in here that others never draw in.
        self.unsettled = true;
        round.events.push(Event::Equivocation(log.device));
        Ok(())
    }

    /// Notes the stored acts of a log at or beyond its fork.
    pub(super) fn note_branches(&mut self, log: LogId, round: &Round<'_>) -> Result<(), StoreError> {
        if let (Lane::Acts, Some(fork)) = (log.lane, self.logs.fork(&log)) {
            let trunk = self.shelf(round).from(log, fork.seq, usize::MAX)?;
            for stored in trunk.iter().chain(&self.shelf(round).beside(log)?) {
                self.note_branch(&stored.entry);
            }
        }
        Ok(())
    }

    /// The same for all logs once more, if keys have become known since that may open more.
    pub(super) fn note_branches_again(&mut self, round: &Round<'_>) -> Result<(), StoreError> {
        let keys = self.ring.epochs().count();
        if self.branches.is_empty() || std::mem::replace(&mut self.noted_with, keys) == keys {
            return Ok(());
        }
        let forked: Vec<LogId> = self.logs.forks().map(|(log, _)| log).collect();
        forked.into_iter().try_for_each(|log| self.note_branches(log, round))
    }

    /// Entries under the epochs that it makes, and of whom it lets in, have their place from now on.
    pub(super) fn note_branch(&mut self, entry: &Entry) {
        if entry.header().lane != Lane::Acts {
            return;
        }
        self.placeable |= self.branches.insert(entry.id());
        let body = self.open_body(entry).filter(|body| body.kind == Kind::Admit as u16);
        let Some(admit) = body.and_then(|body| Admit::from_payload(&body.payload).ok()) else { return };
        let unknown =
            !self.devices.contains(&admit.device) && !self.logs.promised().any(|d| *d == admit.device);
        if unknown {
            self.logs.promise(admit.device);
            self.placeable = true;
        }
    }

    /// Epochs that a hint fits: those whose keys are known, and those made by commits of branches (L-2).
    pub(super) fn epochs_of(&self, hint: &[u8; 8]) -> Vec<EpochId> {
        let branches = self.branches.range(by_hint(hint)..).map(|id| EpochId::from(*id));
        let branches = branches.take_while(|epoch| epoch.hint() == *hint);
        let known = self.ring.epochs().filter(|epoch| epoch.hint() == *hint).copied();
        known.chain(branches).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Whether what was passed over may have its place now, by keys that were told or branches that came since this
    /// was asked last.
    pub fn take_placeable(&mut self) -> bool {
        std::mem::take(&mut self.placeable)
    }

    /// Whether an entry may be the commit that made an epoch of which a known author's next entry is.
    pub(super) fn is_sought(&self, meta: &Meta) -> bool {
        let hint = EpochId::from(meta.id).hint();
        meta.header.lane == Lane::Acts && self.sought_epochs().any(|sought| sought == hint)
    }

    /// Hints of the epochs of entries that would come next, where a branch may have led to them.
    fn sought_epochs(&self) -> impl Iterator<Item = [u8; 8]> {
        let next = |log: &LogId| self.logs.head(log).map_or(0, |(seq, _)| seq).saturating_add(1);
        let sought = self.sought.iter().filter(move |(log, (seq, _))| *seq == next(log));
        sought.filter(|_| !self.branches.is_empty()).map(|(_, (_, hint))| *hint)
    }

    /// Talk is cited for the screen only, so nobody can say which branch of it counts: none does.
    fn hide_from(&self, log: LogId, seq: u32, round: &mut Round<'_>) -> Result<(), StoreError> {
        for stored in self.shelf(round).from(log, seq, usize::MAX)? {
            let body = self.open_body(&stored.entry);
            let message = body.and_then(|body| Message::from_payload(&body.payload).ok());
            if let Some(of) = message.as_ref().and_then(|message| message.edits) {
                shelf::drop_edit(round.overlay, &self.group, &of, &stored.entry);
            } else if let Some(message) = message {
                let tie = self.tie(&stored.entry.id());
                shelf::drop_message(round.overlay, &self.group, message.clock, tie);
            }
        }
        Ok(())
    }

    /// Cites the branches this node had built on before it saw the proof, so that they count for
    /// everybody; even if it is out by one of them, for else it would be out on this node alone. Waits
    /// while nothing may be written.
    ///
    /// # Errors
    /// See [`AuthorError`].
    pub fn settle_forks(&mut self, round: &mut Round<'_>) -> Result<(), AuthorError> {
        if !self.unsettled || self.may_write(Kind::Merge).is_err() {
            return Ok(());
        }
        self.unsettled = false;
        if self.logs.built_on_branch() && !self.logs.cites_for(Lane::Acts).0.is_empty() {
            self.post(Kind::Merge, &Empty {}.to_payload(), round)?;
        }
        Ok(())
    }

    /// What a peer compares of a forked log: the proof. What counts beyond it follows from others' acts.
    pub(super) fn fork_name(fork: &Fork) -> EntryId {
        let [one, other] = &fork.entries;
        EntryId(crypto::hash("fork", &[one.as_bytes(), other.as_bytes()]))
    }

    /// Entries of branches that are built on and missing: to be asked for by their ids; commits of epochs that are
    /// unknown, by their hints.
    pub fn missing(&self, sight: Sight<'_>) -> BTreeSet<EntryId> {
        let missing = self.logs.missing(&Shelved(Shelf { sight, group: self.group }));
        let sought = self.sought_epochs().filter(|hint| self.epochs_of(hint).is_empty());
        missing.into_iter().chain(sought.map(|hint| by_hint(&hint))).take(MAX_MISSING).collect()
    }

    /// An entry and those before it in its log, newest first, at most `bytes` if more than one.
    pub fn chain(&self, id: &EntryId, bytes: usize, sight: Sight<'_>) -> Option<(DeviceKey, Vec<Vec<u8>>)> {
        let shelf = Shelf { sight, group: self.group };
        let hint = EpochId::from(*id).hint();
        let commit = self.tree.epochs().find(|epoch| *id == by_hint(&hint) && epoch.hint() == hint);
        let id = commit.map_or(*id, |epoch| EntryId(epoch.0));
        let mut stored = shelf.by_id(&id).ok().flatten()?;
        let device = stored.entry.device();
        let mut chain = vec![stored.entry.bytes().to_vec()];
        let mut left = bytes.saturating_sub(stored.entry.bytes().len());
        while let Some(previous) = shelf.by_id(&stored.entry.header().prev).ok().flatten() {
            let entry = previous.entry.bytes().to_vec();
            let Some(rest) = left.checked_sub(entry.len()) else { break };
            left = rest;
            chain.push(entry);
            stored = previous;
        }
        Some((device, chain))
    }

    /// Both entries of a proof.
    pub(super) fn proof(&self, fork: &Fork, shelf: &Shelf<'_>) -> Vec<Vec<u8>> {
        let stored = fork.entries.iter().filter_map(|id| shelf.by_id(id).ok().flatten());
        stored.map(|stored| stored.entry.bytes().to_vec()).collect()
    }
}
