//! New keys of this device's own, once a week (K-14): when it is with others, and not all at once.

use std::time::Duration;

use super::{Node, part_of};
use crate::id::GroupId;
use crate::replica::AuthorError;
use crate::store::{Store, StoreError};
use crate::time::{Moment, Timestamp};

/// Renewals that are due wait a moment by chance, longer the more members there are: all laptops are opened in the
/// morning.
const SPREAD: Duration = Duration::from_secs(6);
/// The longest span out of which that moment is.
const MOST_SPREAD: Duration = Duration::from_secs(3600);
/// When a renewal is tried again that was due while nobody was here, or something else was.
const LATER: Duration = Duration::from_secs(3600);

impl<S: Store> Node<S> {
    /// Plans when this device renews its keys in a group, unless that is planned.
    pub(super) fn plan_renewal(&mut self, group: GroupId, now: Timestamp) -> Result<(), StoreError> {
        if self.agenda.renewals.contains_key(&group) {
            return Ok(());
        }
        let every = self.schedule.renew;
        let due = self.ask(group, now, |replica, round| replica.renewal(every, round));
        let Some(due) = due.transpose()?.flatten() else { return Ok(()) };
        let at = self.clock.at(now).after(due.since(now).saturating_add(self.some_spread(&group)));
        self.agenda.renewals.insert(group, at);
        Ok(())
    }

    fn some_spread(&mut self, group: &GroupId) -> Duration {
        let members = self.replicas.get(group).map_or(0, |replica| replica.view().members.len());
        let span = SPREAD.saturating_mul(u32::try_from(members).unwrap_or(u32::MAX)).min(MOST_SPREAD);
        part_of(span, &mut *self.rng)
    }

    pub(super) fn tick_renewals(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let moment = self.clock.at(now);
        let due = |(_, at): &(&GroupId, &Moment)| **at <= moment;
        let due: Vec<GroupId> = self.agenda.renewals.iter().filter(due).map(|(group, _)| *group).collect();
        for group in due {
            self.agenda.renewals.remove(&group);
            let done = self.renew(group, now)?;
            self.plan_renewal(group, now)?;
            // Still due: another time.
            if let Some(at) = self.agenda.renewals.get_mut(&group).filter(|_| !done) {
                *at = (*at).max(moment.after(LATER));
            }
            self.after(group, now)?;
        }
        Ok(())
    }

    /// Renews this device's keys if it is time, with somebody there to see it: alone it would begin a branch.
    fn renew(&mut self, group: GroupId, now: Timestamp) -> Result<bool, StoreError> {
        let every = self.schedule.renew;
        let due = self.ask(group, now, |replica, round| replica.renewal(every, round));
        // When a device began, by a clock that was wrong then, says nothing now.
        let first = self.replicas.get(&group).is_some_and(|replica| !replica.has_committed());
        let is_due = due.transpose()?.flatten().is_some_and(|due| first || due <= now);
        let behind = self.replicas.get_mut(&group).is_none_or(|replica| replica.is_behind());
        let alone = !self.sync.peers().any(|(_, of, _)| of == group);
        if !is_due || behind || alone {
            return Ok(false);
        }
        match self.in_group(group, None, now, |replica, round| replica.renew(round)) {
            Some(Err(AuthorError::Store(error))) => Err(error),
            Some(Ok(done)) => Ok(done),
            _ => Ok(false),
        }
    }
}
