//! Branches of forked logs: asked for by id, because an act of another author builds on them (L-6, Y-23).

use std::collections::{BTreeMap, BTreeSet};

use super::message::{MAX_ASK, Message};
use super::session::ConnectionId;
use super::{Groups, Sync};
use crate::id::{EntryId, GroupId};
use crate::time::Moment;

/// Names no log: the answer to an [`Message::Ask`].
pub(super) const BY_ID: [u8; 8] = [0; 8];
/// Bytes of one such answer.
pub(super) const BUDGET: u32 = 256 * 1024;

impl Sync {
    /// Asks for entries that are built on and missing, once each until the next comparison; says
    /// whether anything was asked for.
    pub(super) fn ask(&mut self, conn: ConnectionId, handle: u8, now: Moment, groups: &dyn Groups) -> bool {
        let Some(link) = self.link(conn, handle) else { return false };
        let missing = groups.missing(&link.group);
        let ids: BTreeSet<EntryId> = missing.difference(&link.asked).take(MAX_ASK).copied().collect();
        if ids.is_empty() {
            return false;
        }
        link.asked.extend(&ids);
        self.expect(conn, handle, BTreeMap::from([(BY_ID, None)]), BUDGET, now);
        let ids = ids.iter().map(|id| *id.as_bytes()).collect();
        self.send(conn, &Message::Ask { group: handle, ids });
        true
    }

    /// Something happened that heads alone don't tell: compares a group's links again at once.
    pub fn compare_soon(&mut self, group: &GroupId, now: Moment) {
        for session in self.sessions.values_mut() {
            if let Some((_, link)) = session.link_of(group) {
                link.digest_at = Some(now);
            }
        }
    }
}
