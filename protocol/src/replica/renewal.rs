//! New keys of a device's own, from time to time (K-14): whoever has an old state of its reads on until then.

use std::collections::BTreeSet;
use std::time::Duration;

use super::author::AuthorError;
use super::{Replica, Round};
use crate::entry::Lane;
use crate::group::seal::Change;
use crate::id::{DeviceKey, EpochId};
use crate::store::StoreError;
use crate::time::Timestamp;

/// At least so long passes, by its maker's own clock, between two commits of one maker's of which the later carries
/// nothing out: else one member could cost all others any number of states.
const RENEWAL_PAUSE: u32 = 6 * 86_400;
/// In larger groups each device waits a day longer for every so many members: they share what a day costs.
const MEMBERS_PER_DAY: u32 = 50;

impl Replica {
    /// Whether a device may commit under `parent`, at a time by its clock, and carry nothing out (K-6).
    pub(super) fn may_renew(&self, device: &DeviceKey, parent: &EpochId, time: u32) -> bool {
        let last = self.last_commit(device, parent);
        last.is_none_or(|last| time.checked_sub(last).is_some_and(|passed| passed >= RENEWAL_PAUSE))
    }

    /// When, by its own clock, a device made its newest commit of those that led to an epoch.
    pub(super) fn last_commit(&self, device: &DeviceKey, epoch: &EpochId) -> Option<u32> {
        let mut at = self.made.get(epoch);
        while let Some(made) = at {
            if made.maker == *device {
                return Some(made.time);
            }
            at = self.made.get(&made.parent);
        }
        None
    }

    /// When this device should renew its keys; never while it writes nothing here, or is alone, and not in a draft that
    /// has become a group.
    ///
    /// # Errors
    /// The store's.
    pub fn renewal(&self, every: Duration, round: &Round<'_>) -> Result<Option<Timestamp>, StoreError> {
        let members = u32::try_from(self.leaves.len()).unwrap_or(u32::MAX);
        let is_of_use = self.frozen.is_none() && self.successor().is_none();
        if !is_of_use || members < 2 || !self.leaves.contains(&self.device) {
            return Ok(None);
        }
        let day = Duration::from_secs(86_400);
        let pause = every.max(day.saturating_mul(members) / MEMBERS_PER_DAY);
        let since = match self.last_commit(&self.device, &self.head()) {
            Some(last) => Timestamp::from_secs(u64::from(last)),
            None => self.first_wrote(round)?.min(round.now),
        };
        Ok(Some(since.after(pause)))
    }

    /// Whether a commit of this device's led to the head.
    pub fn has_committed(&self) -> bool {
        self.last_commit(&self.device, &self.head()).is_some()
    }

    /// When this device began to write here, by its own clock.
    fn first_wrote(&self, round: &Round<'_>) -> Result<Timestamp, StoreError> {
        let first = self.shelf(round).at(self.own_log(Lane::Acts), 1)?;
        let time = first.and_then(|first| self.open_body(&first.entry)).map(|body| body.time);
        Ok(time.map_or(round.now, |time| Timestamp::from_secs(u64::from(time))))
    }

    /// Commits new keys of this device's and nothing else, if it may now and nothing else is due; true if it did.
    ///
    /// # Errors
    /// A store that fails; an MLS state that is unusable.
    pub fn renew(&mut self, round: &mut Round<'_>) -> Result<bool, AuthorError> {
        self.reload_head(round)?;
        let head = self.head();
        let may = self.view.is_keyholder(&self.member())
            || self.may_renew(&self.device, &head, round.now.as_entry_secs());
        if !may || self.has_duty() || !self.is_clean() || self.frozen.is_some() {
            return Ok(false);
        }
        let commit = self.fitting_commit(&Change::default(), &BTreeSet::new(), round)?;
        self.post_commit(BTreeSet::new(), commit, round)?;
        self.tell_opened(round)?;
        Ok(true)
    }
}
