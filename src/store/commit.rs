//! Committing a batch, in this order: keys it needs in the vault, frames in the journal (from here on it
//! holds), positions in the index, keys it erases out of the vault.

use std::io;

use piquet_protocol::store::{Batch, StoreError};

use super::disk::{DiskStore, index_error};
use super::journal::{Begun, Journal, Written};
use super::plan::{Folded, Plan, PlanError};
use super::replay::index_changes;
use super::store_error;

impl DiskStore {
    pub(super) fn commit_batch(&mut self, batch: Batch) -> Result<(), StoreError> {
        self.finish_erasing();
        let folded = Folded::new(batch, &self.hasher).map_err(|error| plan_error(&error))?;
        let plan = self.plan(&folded)?;
        self.carry_out(plan)
    }

    pub(super) fn carry_out(&mut self, mut plan: Plan) -> Result<(), StoreError> {
        if plan.drafts.is_empty() {
            return Ok(());
        }
        self.writable()?;
        self.keyring.vault.secrets.extend(plan.added.iter().cloned());
        let written = match self.write(&mut plan) {
            Ok(written) => written,
            Err(error) => {
                self.take_back(&plan);
                return Err(store_error(&error));
            }
        };
        if let Err(error) = self.show(&written) {
            // Without an index nobody would see it before the next opening: then it has not happened.
            self.journal.take_back(&mut self.keyring.vault, &written);
            self.take_back(&plan);
            return Err(error);
        }
        self.erase(&plan);
        Ok(())
    }

    fn plan(&self, folded: &Folded) -> Result<Plan, StoreError> {
        let (profile, vault) = (self.keyring.profile(), &self.keyring.vault);
        self.with_index(|index| match Plan::new(folded, profile, vault, index) {
            Err(PlanError::Index) => Err(super::index::Broken),
            other => Ok(other),
        })?
        .map_err(|error| plan_error(&error))
    }

    /// Makes the batch durable.
    fn write(&mut self, plan: &mut Plan) -> io::Result<Written> {
        let week = (self.week)();
        let begun = self.journal.begin(&self.segments, &mut self.keyring.vault, week, &plan.drafts)?;
        self.save_keys(begun, !plan.added.is_empty())?;
        self.journal.append(&mut self.keyring.vault, std::mem::take(&mut plan.drafts))
    }

    fn save_keys(&mut self, begun: Begun, added: bool) -> io::Result<()> {
        if !added && !self.journal.needs_vault(&begun) {
            return Ok(());
        }
        let saved = if self.stale { self.keyring.rotate() } else { self.keyring.save() };
        match saved {
            Ok(()) => {
                self.stale = false;
                self.journal.adopt(begun);
                Ok(())
            }
            Err(error) => {
                Journal::abandon(&mut self.keyring.vault, &begun);
                Err(error)
            }
        }
    }

    /// Secrets of a batch that failed may be in a vault file already: they are to be destroyed.
    fn take_back(&mut self, plan: &Plan) {
        for (id, _) in &plan.added {
            self.keyring.vault.secrets.remove(id);
            self.stale = true;
        }
    }

    /// Makes a durable batch visible. If the index is lost meanwhile, it is rebuilt with the batch in it.
    fn show(&self, written: &Written) -> Result<(), StoreError> {
        self.with_index(|index| index.apply(index_changes(&written.frames, &written.cursors)))
            .map_err(|_| index_error())
    }

    fn erase(&mut self, plan: &Plan) {
        for id in &plan.erased {
            self.keyring.vault.secrets.remove(id);
            self.stale = true;
        }
        self.finish_erasing();
    }

    /// The batch holds already, so a disk that refuses now can't undo it: the erasure stays pending.
    fn finish_erasing(&mut self) {
        if self.stale && self.keyring.rotate().is_ok() {
            self.stale = false;
        }
    }
}

fn plan_error(error: &PlanError) -> StoreError {
    match error {
        PlanError::TooLarge => StoreError::Io("a record or batch is too large".into()),
        PlanError::Io(error) => store_error(error),
        PlanError::Index => index_error(),
    }
}
