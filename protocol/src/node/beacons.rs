//! Beacons: when to tell where one is and what one has (spec sync, Y-20).
//!
//! Soon when addresses have changed or newcomers can't read the last one; after others have written, once per minute and member at most,
//! so that receipts never outweigh what they acknowledge.

use std::time::Duration;

use super::{Node, part_of};
use crate::action::beacon::MAX_CONTACTS;
use crate::id::GroupId;
use crate::kind::Kind;
use crate::replica::AuthorError;
use crate::store::{Store, StoreError};
use crate::time::Timestamp;

/// Jitter for each member, so that not all answer at once.
const JITTER: Duration = Duration::from_millis(600);
/// Pause between beacons for each member.
const PAUSE: Duration = Duration::from_secs(60);

impl<S: Store> Node<S> {
    /// Plans a beacon if this group should get one.
    pub(super) fn plan_beacon(&mut self, group: GroupId, now: Timestamp) {
        let now = self.clock.at(now);
        let Some(replica) = self.replicas.get(&group) else { return };
        if self.agenda.beacons.contains_key(&group) || replica.may_write(Kind::Beacon).is_err() {
            return;
        }
        let members = u32::try_from(replica.view().members.len()).unwrap_or(u32::MAX);
        if members < 2 {
            return;
        }
        let moved = !self.listening.is_empty() && replica.own_contacts() != self.told();
        let unread = !self.listening.is_empty() && replica.told_in() != Some(replica.head());
        let others = self
            .stored
            .iter()
            .any(|(g, from, log, _)| *g == group && from.is_some() && log.lane.is_chained());
        if moved {
            self.agenda.beacons.insert(group, now);
        } else if unread || others {
            let soon = now.after(part_of(JITTER.saturating_mul(members), &mut *self.rng));
            let pause = if unread { JITTER } else { PAUSE };
            let posted = self.agenda.posted.get(&group).map(|at| at.after(pause.saturating_mul(members)));
            self.agenda.beacons.insert(group, posted.unwrap_or(soon).max(soon));
        }
    }

    fn told(&self) -> &[String] {
        self.listening.get(..MAX_CONTACTS).unwrap_or(&self.listening)
    }

    pub(super) fn tick_beacons(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let moment = self.clock.at(now);
        let due: Vec<GroupId> =
            self.agenda.beacons.iter().filter(|(_, at)| **at <= moment).map(|(group, _)| *group).collect();
        for group in due {
            self.agenda.beacons.remove(&group);
            self.agenda.posted.insert(group, moment);
            let contacts = self.told().to_vec();
            let posted =
                self.in_group(group, None, now, |replica, round| replica.post_beacon(contacts, round));
            if let Some(Err(AuthorError::Store(error))) = posted {
                return Err(error);
            }
        }
        Ok(())
    }
}
