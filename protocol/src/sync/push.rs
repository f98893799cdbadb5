//! New entries: pushed to neighbours that take pushes, announced to the rest (Y-15 … Y-18).
//!
//! After Plumtree (Leitão, Pereira, Rodrigues 2007): a duplicate prunes its sender, an announcement
//! that is not followed by the entry grafts the announcer (Y-16).

use std::collections::BTreeMap;
use std::time::Duration;

use super::compare::MAX_KNOWN;
use super::groups::{Groups, LogHead};
use super::message::{MAX_HAVE, Message, Place, ShortLog};
use super::serve::{CROWDED, WINDOW};
use super::session::{ConnectionId, Session};
use super::{Output, Sync};
use crate::entry::Lane;
use crate::id::{DeviceKey, EntryId, GroupId};
use crate::log::LogId;
use crate::time::Moment;

/// Pushed and unacknowledged bytes a link bears before pushes turn into announcements (Y-17).
const LIVE_CREDIT: usize = 64 * 1024;
/// Announcements wait this long for company.
const LAZY: Duration = Duration::from_millis(100);
/// Acknowledgements alone wait longer.
const LAZY_ACK: Duration = Duration::from_secs(1);
/// Acknowledge at once when this much was taken.
const ACK_BYTES: usize = 16 * 1024;
/// An acknowledgement that takes longer makes one doubt that the line is alive.
const ACK_TIME: Duration = Duration::from_secs(30);
/// What was announced is asked for after this time.
const GRAFT: Duration = Duration::from_millis(400);

/// An entry that has just become durable here.
#[derive(Clone, Debug)]
pub struct New {
    /// Its group.
    pub group: GroupId,
    /// Its log.
    pub log: LogId,
    /// Its position.
    pub seq: u32,
    /// Its id.
    pub id: EntryId,
    /// Its canonical bytes.
    pub bytes: Vec<u8>,
    /// Who brought it; none for one's own.
    pub from: Option<ConnectionId>,
}

impl Sync {
    /// Entries have become durable: passes them on, acknowledges them, and goes on asking.
    pub fn committed(&mut self, new: &[New], now: Moment, groups: &dyn Groups) {
        self.compare_stale(new, groups);
        for entry in new {
            let conns: Vec<ConnectionId> = self.sessions.keys().copied().collect();
            for conn in conns {
                if Some(conn) == entry.from {
                    self.acknowledge_taken(conn, entry, now);
                } else {
                    self.pass_on(conn, entry, now, groups);
                }
            }
        }
        self.settle(now, groups);
    }

    /// What could not be judged before may be judged now that a group has more entries.
    fn compare_stale(&mut self, new: &[New], groups: &dyn Groups) {
        let grown = |group: &GroupId| new.iter().any(|entry| entry.group == *group);
        let mut stale = Vec::new();
        for session in self.sessions.values_mut() {
            for (handle, link) in
                session.links.iter_mut().filter(|(_, link)| link.stale && grown(&link.group))
            {
                link.stale = false;
                stale.push((session.conn, *handle));
            }
        }
        for (conn, handle) in stale {
            self.send_digest(conn, handle, groups);
        }
    }

    fn acknowledge_taken(&mut self, conn: ConnectionId, entry: &New, now: Moment) {
        let Some(session) = self.sessions.get_mut(&conn) else { return };
        let log = session.short_log(&entry.group, entry.log);
        let Some((_, link)) = session.link_of(&entry.group) else { return };
        link.learn(log, entry.log.lane, entry.seq);
        let wait = if link.taken > ACK_BYTES { Duration::ZERO } else { LAZY_ACK };
        link.announce(log, entry.seq, now.after(wait));
        Self::compare_later(link, now);
    }

    fn pass_on(&mut self, conn: ConnectionId, entry: &New, now: Moment, groups: &dyn Groups) {
        if !self.may_show(&entry.group, &entry.log, groups) {
            return;
        }
        let Some(session) = self.sessions.get_mut(&conn) else { return };
        let log = session.short_log(&entry.group, entry.log);
        let room = session.sent < WINDOW;
        let Some((_, link)) = session.link_of(&entry.group) else { return };
        let before = if link.trimmed { entry.seq.saturating_sub(1) } else { 0 };
        let theirs = link.theirs.get(&log).map_or(before, |head| head.seq);
        if theirs >= entry.seq {
            return;
        }
        let follows = !entry.log.lane.is_chained() || theirs.saturating_add(1) == entry.seq;
        let credit = link.unacked_bytes().saturating_add(entry.bytes.len()) <= LIVE_CREDIT;
        // Who is put out can't ask any more for what is only announced, nor for what goes before it.
        let gone = !groups.on_roster(&entry.group, &link.device);
        Self::compare_later(link, now);
        if gone || link.push && link.listed && follows && credit && room {
            link.learn(log, entry.log.lane, entry.seq);
            link.doubt_at = link.doubt_at.or(Some(now.after(ACK_TIME)));
            link.unacked.push_back((log, entry.seq, entry.bytes.len()));
            self.send(conn, &Message::Entry(entry.bytes.clone()));
        } else {
            link.announce(log, entry.seq, now.after(LAZY));
        }
    }

    pub(super) fn on_entry(&mut self, conn: ConnectionId, entry: Vec<u8>, groups: &dyn Groups) -> Option<()> {
        let author: &[u8; 8] = entry.get(2..10)?.try_into().ok()?;
        let epoch: &[u8; 8] = entry.get(10..18)?.try_into().ok()?;
        let group = groups.group_of(author, epoch)?;
        let (_, link) = self.sessions.get_mut(&conn)?.link_of(&group)?;
        link.taken = link.taken.saturating_add(entry.len());
        if link.taken > LIVE_CREDIT {
            return None;
        }
        self.outputs.push_back(Output::Received { conn, group, live: true, entries: vec![entry] });
        Some(())
    }

    pub(super) fn on_have(
        &mut self,
        conn: ConnectionId,
        handle: u8,
        places: &[Place],
        now: Moment,
        groups: &dyn Groups,
    ) -> Option<()> {
        let group = self.link(conn, handle)?.group;
        let own = groups.signer(&group).map(|key| crate::crypto::device_key(&key));
        let mut acknowledged = Vec::new();
        self.make_room(conn, places.len(), groups);
        let session = self.sessions.get_mut(&conn)?;
        let here = here(session, handle, places, &groups.heads(&group))?;
        let mut room = MAX_KNOWN.saturating_sub(session.known());
        let link = session.links.get_mut(&handle)?;
        for place in places {
            if !link.theirs.contains_key(&place.log) && room == 0 {
                // What there is no room for is found by comparing later.
                Self::compare_later(link, now);
                continue;
            }
            room = room.saturating_sub(1);
            let known = here.get(&place.log);
            let lane = known.map_or(Lane::Acts, |mine| mine.log.lane);
            link.learn(place.log, lane, place.seq);
            link.unacked.retain(|(log, seq, _)| *log != place.log || *seq > place.seq);
            link.doubt_at = (!link.unacked.is_empty()).then(|| now.after(ACK_TIME));
            if known.map_or(0, |mine| mine.seq) < place.seq {
                link.graft_at = link.graft_at.or(Some(now.after(GRAFT)));
            } else if known.is_some_and(|mine| Some(mine.log.device) == own) {
                acknowledged.push((lane, place.seq));
            }
        }
        for (lane, seq) in acknowledged {
            self.acknowledge(conn, handle, lane, seq);
        }
        Some(())
    }

    pub(super) fn on_prune(&mut self, conn: ConnectionId, handle: u8) -> Option<()> {
        let link = self.link(conn, handle)?;
        link.push = false;
        // The other side counts what was pushed as settled.
        link.unacked.clear();
        link.doubt_at = None;
        Some(())
    }

    /// Sends announcements that waited, and asks for what was announced and has not come.
    pub(super) fn tick_push(&mut self, conn: ConnectionId, handle: u8, now: Moment, groups: &dyn Groups) {
        let Some(link) = self.link(conn, handle) else { return };
        if link.have_at.is_some_and(|at| at <= now) {
            self.send_have_soon(conn, handle, now);
        }
        let Some(link) = self.sessions.get_mut(&conn).and_then(|s| s.links.get_mut(&handle)) else { return };
        if link.graft_at.is_some_and(|at| at <= now) {
            link.graft_at = None;
            self.advance(conn, handle, true, now, groups);
        }
        let Some(link) = self.link(conn, handle) else { return };
        if link.doubt_at.is_some_and(|at| at <= now) {
            link.doubt_at = None;
            self.outputs.push_back(Output::Doubt(conn));
        }
    }

    /// What a peer that reads nothing would be told is gathered on.
    fn send_have_soon(&mut self, conn: ConnectionId, handle: u8, now: Moment) {
        if self.sessions.get(&conn).is_some_and(|session| session.sent < CROWDED) {
            self.send_have(conn, handle);
        } else if let Some(link) = self.link(conn, handle) {
            link.have_at = Some(now.after(LAZY_ACK));
        }
    }

    fn send_have(&mut self, conn: ConnectionId, handle: u8) {
        let Some(link) = self.link(conn, handle) else { return };
        link.have_at = None;
        link.taken = 0;
        let have = std::mem::take(&mut link.have);
        let places: Vec<Place> = have.into_iter().map(|(log, seq)| Place { log, seq }).collect();
        for places in places.chunks(MAX_HAVE) {
            self.send(conn, &Message::Have { group: handle, places: places.to_vec() });
        }
    }

    /// Somebody has gone from the roster: what was to be sent before has been queued, and who left is
    /// told that it was heard; now its sessions in the group end.
    pub fn roster_changed(&mut self, group: &GroupId, groups: &dyn Groups) {
        let gone = |device: &DeviceKey| !groups.on_roster(group, device);
        let ends = |s: &Session| {
            let link = s.links.iter().find(|(_, link)| link.group == *group && gone(&link.device));
            link.map(|(handle, _)| (s.conn, *handle))
        };
        let closing: Vec<(ConnectionId, u8)> = self.sessions.values().filter_map(ends).collect();
        for (conn, handle) in closing {
            self.send_have(conn, handle);
            self.drop_session(conn);
        }
    }
}

/// What this node has of the logs that somebody names.
fn here(
    session: &mut Session,
    handle: u8,
    places: &[Place],
    heads: &[LogHead],
) -> Option<BTreeMap<ShortLog, LogHead>> {
    let names = session.named(handle, heads)?;
    let head = |place: &Place| {
        let log = names.get(&place.log)?;
        heads.iter().find(|head| head.log == *log).map(|head| (place.log, *head))
    };
    Some(places.iter().filter_map(head).collect())
}
