//! Branches of forked logs: asked for by id, because an act of another author builds on them (L-6, Y-23). Branches of
//! commits: their keys, told to members who can't follow any more (Y-31).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::message::{MAX_ASK, MAX_KEYS, Message};
use super::session::ConnectionId;
use super::{Groups, Output, Sync};
use crate::crypto::Secret;
use crate::id::{EntryId, EpochId, GroupId};
use crate::time::Moment;

/// Names no log: the answer to an [`Message::Ask`].
pub(super) const BY_ID: [u8; 8] = [0; 8];
/// A member is told keys at most so often.
const TELL_PAUSE: Duration = Duration::from_secs(300);
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

    /// Tells the member at the other end of a session control keys of epochs, now and then.
    pub fn tell_keys<'a>(
        &mut self,
        conn: ConnectionId,
        group: &GroupId,
        keys: impl Iterator<Item = (EpochId, &'a Secret)>,
        now: Moment,
    ) {
        let link = self.sessions.get_mut(&conn).and_then(|session| session.link_of(group));
        let Some((handle, link)) = link.filter(|(_, link)| link.tell_at.is_none_or(|at| at <= now)) else {
            return;
        };
        link.tell_at = Some(now.after(TELL_PAUSE));
        let keys = keys.take(MAX_KEYS).map(|(epoch, key)| [epoch.0, *key.as_bytes()]).collect();
        let message = Message::Keys { group: *handle, keys };
        self.send(conn, &message);
    }

    pub(super) fn on_keys(&mut self, conn: ConnectionId, handle: u8, keys: Vec<[[u8; 32]; 2]>) -> Option<()> {
        let link = self.link(conn, handle)?;
        let keys = keys.into_iter().map(|[epoch, key]| (EpochId(epoch), Secret::new(key))).collect();
        let told = Output::Told { conn, group: link.group, device: link.device, keys };
        self.outputs.push_back(told);
        Some(())
    }
}
