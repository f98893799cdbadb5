//! Where something came from, for people who ask: read again from the disk, and checked again.

use super::{Replica, Round};
use crate::entry::{Lane, UnverifiedEntry};
use crate::id::{EntryId, MemberId};
use crate::log::LogId;
use crate::store::StoreError;

impl Replica {
    /// When a current member came in, in seconds since 1970 by the clock of who let it in; of those named
    /// in genesis, when the group was founded.
    ///
    /// # Errors
    /// The store's.
    pub fn joined_at(&self, member: &MemberId, round: &Round<'_>) -> Result<Option<u32>, StoreError> {
        let Some(info) = self.view().members.get(member) else { return Ok(None) };
        let shelf = self.shelf(round);
        let stored = match &info.admission {
            Some(act) => shelf.by_id(act)?,
            None => shelf.at(LogId { device: self.founder(), lane: Lane::Acts }, 1)?,
        };
        Ok(stored.and_then(|stored| self.open_body(&stored.entry)).map(|body| body.time))
    }

    /// The member whose device's signature a stored entry bears over exactly these bytes, checked anew (E-7); none if it is not
    /// here or the signature does not hold.
    ///
    /// # Errors
    /// The store's.
    pub fn signed_by(&self, id: &EntryId, round: &Round<'_>) -> Result<Option<MemberId>, StoreError> {
        let Some(stored) = self.shelf(round).by_id(id)? else { return Ok(None) };
        let entry = stored.entry;
        let unverified = UnverifiedEntry::decode(entry.bytes()).ok();
        let verified = unverified.and_then(|e| e.verify(&self.group(), &entry.device(), &entry.epoch()));
        Ok(verified
            .filter(|verified| verified.id() == *id)
            .map(|verified| self.view.owner_of(&verified.device())))
    }
}
