//! Authors who signed two entries for one place (L-5, L-6).

use std::collections::BTreeSet;

use super::author::AuthorError;
use super::receive::Shelved;
use super::shelf::{self, Shelf};
use super::{Event, Replica, Round};
use crate::action::Action;
use crate::action::message::Message;
use crate::crypto;
use crate::entry::Lane;
use crate::group::operation::{Control, Empty};
use crate::id::{DeviceKey, EntryId};
use crate::kind::Kind;
use crate::log::{Fork, LogId};
use crate::store::{Sight, StoreError};

impl Replica {
    /// A proof has come in, or a better one: from the fork on nothing of the log applies by itself.
    pub(super) fn forked(&mut self, log: LogId, round: &mut Round<'_>) -> Result<(), StoreError> {
        shelf::put_forks(round.overlay, &self.group, self.logs.forks());
        if let (Lane::Talk, Some(fork)) = (log.lane, self.logs.fork(&log)) {
            self.hide_from(log, fork.seq, round)?;
        }
        // Forked talk may have drawn a branch in here that others never draw in.
        self.unsettled = true;
        round.events.push(Event::Equivocation(log.device));
        Ok(())
    }

    /// Talk is cited for the screen only, so nobody can say which branch of it counts: none does.
    fn hide_from(&self, log: LogId, seq: u32, round: &mut Round<'_>) -> Result<(), StoreError> {
        for stored in self.shelf(round).from(log, seq, usize::MAX)? {
            let body = self.open_body(&stored.entry);
            let message = body.and_then(|body| Message::from_payload(&body.payload).ok());
            if let Some(message) = message {
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

    /// Entries of branches that are built on and missing: to be asked for by their ids.
    pub fn missing(&self, sight: Sight<'_>) -> BTreeSet<EntryId> {
        self.logs.missing(&Shelved(Shelf { sight, group: self.group }))
    }

    /// An entry and those before it in its log, newest first, at most `bytes` if more than one.
    pub fn chain(&self, id: &EntryId, bytes: usize, sight: Sight<'_>) -> Option<(DeviceKey, Vec<Vec<u8>>)> {
        let shelf = Shelf { sight, group: self.group };
        let mut stored = shelf.by_id(id).ok().flatten()?;
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
