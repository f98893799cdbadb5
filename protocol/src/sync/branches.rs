//! Branches of forked logs: asked for by id, because an act of another author builds on them (L-6, Y-23).

use std::collections::{BTreeMap, BTreeSet};

use super::message::{MAX_ASK, MAX_BATCH, Message};
use super::session::ConnectionId;
use super::{Groups, Sync, WANT_TIME};
use crate::entry::Lane;
use crate::id::{EntryId, GroupId};
use crate::log::LogId;
use crate::time::Timestamp;

/// Names no log: the answer to an [`Message::Ask`].
const BY_ID: [u8; 8] = [0; 8];

impl Sync {
    /// Asks for entries that are built on and missing, once each until the next comparison; says
    /// whether anything was asked for.
    pub(super) fn ask(
        &mut self,
        conn: ConnectionId,
        handle: u8,
        now: Timestamp,
        groups: &dyn Groups,
    ) -> bool {
        let Some(link) = self.link(conn, handle) else { return false };
        let missing = groups.missing(&link.group);
        let ids: BTreeSet<EntryId> = missing.difference(&link.asked).take(MAX_ASK).copied().collect();
        if ids.is_empty() {
            return false;
        }
        link.asked.extend(&ids);
        self.expect(conn, handle, BTreeMap::from([(BY_ID, None)]), now.after(WANT_TIME));
        let ids = ids.iter().map(|id| *id.as_bytes()).collect();
        self.send(conn, &Message::Ask { group: handle, ids });
        true
    }

    pub(super) fn on_ask(
        &mut self,
        conn: ConnectionId,
        handle: u8,
        ids: Vec<[u8; 32]>,
        groups: &dyn Groups,
    ) -> Option<()> {
        let group = self.link(conn, handle)?.group;
        for id in ids {
            let Some((device, entries)) = groups.chain(&group, &EntryId(id), MAX_BATCH) else { continue };
            if self.may_show(&group, &LogId { device, lane: Lane::Acts }, groups) {
                self.send(conn, &Message::Entries { group: handle, log: BY_ID, end: false, entries });
            }
        }
        self.send(conn, &Message::Entries { group: handle, log: BY_ID, end: true, entries: Vec::new() });
        Some(())
    }

    /// Something happened that heads alone don't tell: compares a group's links again at once.
    pub fn compare_soon(&mut self, group: &GroupId, now: Timestamp) {
        for session in self.sessions.values_mut() {
            if let Some((_, link)) = session.link_of(group) {
                link.digest_at = Some(now);
            }
        }
    }
}
