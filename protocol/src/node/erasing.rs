//! Erasing what is over (K-12), rarely: each time the store rewrites its vault.

use std::time::Duration;

use super::Node;
use crate::id::{DeviceKey, GroupId};
use crate::replica::{Errand, Replica, Schedule};
use crate::store::{Store, StoreError};
use crate::time::Timestamp;

/// So long after its start a node erases for the first time: what came meanwhile is placed.
pub(super) const FIRST: Duration = Duration::from_secs(60);

impl<S: Store> Node<S> {
    /// Erases in all groups what is not needed any more, once a day.
    pub(super) fn tick_erasing(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let moment = self.clock.at(now);
        if moment < self.agenda.erase {
            return Ok(());
        }
        self.agenda.erase = moment.after(self.schedule.pause);
        let schedule = self.schedule;
        for group in self.replicas.keys().copied().collect::<Vec<GroupId>>() {
            let erased =
                self.in_group(group, None, now, |replica, round| replica.erase_old(&schedule, round));
            erased.transpose()?;
            self.after(group, now)?;
        }
        self.end_old_wishes(now);
        Ok(())
    }

    /// Whether anything may have to be erased one day.
    pub(super) fn has_old(&self) -> bool {
        self.replicas.values().any(Replica::has_old)
    }

    /// The private key of a wish for keys opens the state that it was answered with: it goes no later.
    fn end_old_wishes(&mut self, now: Timestamp) {
        let old = |join: &super::Join| {
            matches!(join.joining.errand(), Errand::Resync(_)) && join.joining.code.expires() <= now
        };
        let old: Vec<DeviceKey> =
            self.joins.iter().filter(|(_, join)| old(join)).map(|(invite, _)| *invite).collect();
        old.iter().for_each(|invite| self.end_join(invite));
    }

    /// Erases by another schedule: for trying what becomes of a group whose members erase early.
    pub fn set_schedule(&mut self, schedule: Schedule) {
        self.agenda.erase = self.clock.reached().after(schedule.pause.min(FIRST));
        self.agenda.renewals.clear();
        self.schedule = schedule;
    }
}
