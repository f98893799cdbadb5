//! Comparing heads, and what is to be heard of own logs first (Y-9, Y-13, Y-14).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::groups::{Groups, LogHead};
use super::message::{Head, MAX_HEADS, MAX_UP, Message, ShortDevice, ShortLog};
use super::session::{ConnectionId, Link, Session, UNTOLD};
use super::{Judged, Output, Sync};
use crate::entry::Lane;
use crate::id::{DeviceKey, GroupId};
use crate::log::LogId;
use crate::time::Moment;

/// Heads are not listed again within this time: no endless ping-pong.
const LIST_PAUSE: Duration = Duration::from_secs(5);
/// An active link is compared again after this time.
const COMPARE_PAUSE: Duration = Duration::from_secs(60);
/// Digests and lists taken from one side of a link within [`COMPARE_PAUSE`]; the rest is not heard.
const MAX_COMPARES: u32 = 12;
/// Most heads of the other side that one session remembers, all groups together.
pub(super) const MAX_KNOWN: usize = 4 * MAX_HEADS;

impl Sync {
    /// Starts every group of a session.
    pub(super) fn compare_all(&mut self, conn: ConnectionId, now: Moment, groups: &dyn Groups) {
        let handles: Vec<u8> =
            self.sessions.get(&conn).map(|s| s.links.keys().copied().collect()).unwrap_or_default();
        for handle in handles {
            self.send_digest(conn, handle, groups);
            if let Some(link) = self.link(conn, handle) {
                link.digest_at = Some(now.after(COMPARE_PAUSE));
            }
        }
    }

    pub(super) fn link(&mut self, conn: ConnectionId, handle: u8) -> Option<&mut Link> {
        self.sessions.get_mut(&conn)?.links.get_mut(&handle)
    }

    pub(super) fn send_digest(&mut self, conn: ConnectionId, handle: u8, groups: &dyn Groups) {
        if let Some(lanes) = self.digest(conn, handle, groups) {
            let up = self.up(conn, handle);
            self.send(conn, &Message::Digest { group: handle, lanes, up });
        }
    }

    /// Other members of a link's group that this node is connected with (Y-29).
    fn up(&self, conn: ConnectionId, handle: u8) -> Vec<ShortDevice> {
        let Some(session) = self.sessions.get(&conn) else { return Vec::new() };
        let Some(link) = session.links.get(&handle) else { return Vec::new() };
        let others = self.peers().filter(|(_, group, device)| *group == link.group && *device != link.device);
        let devices: BTreeSet<DeviceKey> = others.map(|(.., device)| device).collect();
        devices.iter().take(MAX_UP).map(|device| session.short_device(&link.group, device)).collect()
    }

    /// Remembers whom the other side is connected with, of those who have written something here.
    fn learn_up(&mut self, conn: ConnectionId, handle: u8, up: &[ShortDevice], groups: &dyn Groups) {
        let Some(session) = self.sessions.get(&conn) else { return };
        let Some(link) = session.links.get(&handle) else { return };
        let heads = if up.is_empty() { Vec::new() } else { groups.heads(&link.group) };
        let mut known: BTreeSet<DeviceKey> = heads.iter().map(|head| head.log.device).collect();
        known.retain(|device| up.contains(&session.short_device(&link.group, device)));
        if let Some(link) = self.link(conn, handle) {
            link.up = known;
        }
    }

    /// A keyed fingerprint of the heads of each lane.
    fn digest(&self, conn: ConnectionId, handle: u8, groups: &dyn Groups) -> Option<[[u8; 16]; 3]> {
        let session = self.sessions.get(&conn)?;
        let heads = my_heads(session, session.links.get(&handle)?, groups);
        Some(Lane::ALL.map(|lane| {
            let of_lane = heads.values().filter(|(head, _)| head.lane == lane as u8).map(|(head, _)| head);
            let bytes: Vec<u8> =
                of_lane.flat_map(|h| [h.log.as_slice(), &h.seq.to_be_bytes(), &h.id].concat()).collect();
            let mac = session.short_key.mac("digest", &[&[lane as u8], &bytes]);
            let mut out = [0; 16];
            out.copy_from_slice(mac.split_at(16).0);
            out
        }))
    }

    pub(super) fn on_digest(
        &mut self,
        conn: ConnectionId,
        handle: u8,
        lanes: [[u8; 16]; 3],
        up: &[ShortDevice],
        now: Moment,
        groups: &dyn Groups,
    ) -> Option<()> {
        if !self.may_compare(conn, handle, now)? {
            return Some(());
        }
        self.learn_up(conn, handle, up, groups);
        let mine = self.digest(conn, handle, groups)?;
        if mine == lanes {
            self.learn_equal(conn, handle, groups);
            self.finish_compare(conn, handle, groups);
        } else {
            self.list(conn, handle, now, groups);
        }
        Some(())
    }

    /// Equal digests: the other side has exactly my heads.
    fn learn_equal(&mut self, conn: ConnectionId, handle: u8, groups: &dyn Groups) {
        let Some(session) = self.sessions.get(&conn) else { return };
        let Some(link) = session.links.get(&handle) else { return };
        let heads = my_heads(session, link, groups);
        let group = link.group;
        if let Some(link) = self.link(conn, handle) {
            link.theirs = heads.values().map(|(head, _)| (head.log, *head)).collect();
            link.listed = true;
        }
        let own = groups.signer(&group).map(|key| crate::crypto::device_key(&key));
        for (head, log) in heads.values().filter(|(_, log)| Some(log.device) == own) {
            self.acknowledge(conn, handle, log.lane, head.seq);
        }
    }

    /// Counts what the other side makes this node compare: no endless ping-pong.
    fn may_compare(&mut self, conn: ConnectionId, handle: u8, now: Moment) -> Option<bool> {
        let link = self.link(conn, handle)?;
        let (since, count) = &mut link.compares;
        if now.since(*since) >= COMPARE_PAUSE {
            (*since, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        let may = *count <= MAX_COMPARES;
        if !may {
            Self::compare_later(link, now);
        }
        Some(may)
    }

    fn list(&mut self, conn: ConnectionId, handle: u8, now: Moment, groups: &dyn Groups) {
        let Some(link) = self.link(conn, handle) else { return };
        if link.listed_mine.is_some_and(|at| now.since(at) < LIST_PAUSE) {
            return;
        }
        link.listed_mine = Some(now);
        link.listing = Some(None);
        self.pump(conn, groups);
    }

    pub(super) fn on_heads(
        &mut self,
        conn: ConnectionId,
        handle: u8,
        more: bool,
        heads: Vec<Head>,
        now: Moment,
        groups: &dyn Groups,
    ) -> Option<()> {
        if !more && !self.may_compare(conn, handle, now)? {
            return Some(());
        }
        self.make_room(conn, heads.len(), groups);
        self.remember(conn, handle, heads, groups)?;
        if more {
            return Some(());
        }
        let link = self.link(conn, handle)?;
        link.listed = true;
        link.compared = false;
        self.list(conn, handle, now, groups);
        self.acknowledge_listed(conn, handle, groups);
        self.confirm_own(conn, handle, groups);
        self.advance(conn, handle, false, now, groups);
        Some(())
    }

    /// Forgets heads that are equal here, if there is no room for more.
    pub(super) fn make_room(&mut self, conn: ConnectionId, more: usize, groups: &dyn Groups) {
        let Some(session) = self.sessions.get(&conn) else { return };
        if session.known().saturating_add(more) <= MAX_KNOWN {
            return;
        }
        let mine: Vec<_> = session.links.values().map(|link| my_heads(session, link, groups)).collect();
        let Some(session) = self.sessions.get_mut(&conn) else { return };
        for (link, mine) in session.links.values_mut().zip(mine) {
            link.trimmed = true;
            let same = |theirs: &Head| {
                let mine = mine.get(&theirs.log).map(|(mine, _)| mine);
                mine.is_some_and(|mine| mine == theirs || theirs.id == UNTOLD && mine.seq == theirs.seq)
            };
            link.theirs.retain(|_, theirs| !same(theirs));
        }
    }

    /// Remembers as many heads as there is room for, and always what is said of this node's own logs.
    fn remember(
        &mut self,
        conn: ConnectionId,
        handle: u8,
        heads: Vec<Head>,
        groups: &dyn Groups,
    ) -> Option<()> {
        let own = self.own_names(conn, handle, groups);
        let session = self.sessions.get_mut(&conn)?;
        let mut room = MAX_KNOWN.saturating_sub(session.known());
        let link = session.links.get_mut(&handle)?;
        for head in heads {
            if link.theirs.contains_key(&head.log) || own.iter().any(|(_, name)| *name == head.log) {
                link.theirs.insert(head.log, head);
            } else if room > 0 {
                room = room.saturating_sub(1);
                link.theirs.insert(head.log, head);
            } else {
                link.partial = true;
            }
        }
        Some(())
    }

    /// What the other side lists of this node's own logs, it has.
    fn acknowledge_listed(&mut self, conn: ConnectionId, handle: u8, groups: &dyn Groups) {
        for (log, theirs) in self.own_heads(conn, handle, groups) {
            if !self.is_foreign(conn, handle, log, &theirs, groups) {
                self.acknowledge(conn, handle, log.lane, theirs.seq);
            }
        }
    }

    /// Own head first (Y-13): if the other side knows nothing of my logs that I lack, I may show mine.
    fn confirm_own(&mut self, conn: ConnectionId, handle: u8, groups: &dyn Groups) {
        let own = self.own_heads(conn, handle, groups);
        if !own.iter().any(|(log, theirs)| self.is_foreign(conn, handle, *log, theirs, groups)) {
            self.confirm(conn, handle);
        }
    }

    /// Whether a head the other side claims of a log is not among this node's entries of it.
    fn is_foreign(
        &self,
        conn: ConnectionId,
        handle: u8,
        log: LogId,
        theirs: &Head,
        groups: &dyn Groups,
    ) -> bool {
        let Some(session) = self.sessions.get(&conn) else { return true };
        let Some(link) = session.links.get(&handle) else { return true };
        let mine = groups.id_at(&link.group, log, theirs.seq).map(|id| session.short_id(&id));
        theirs.seq > 0 && theirs.id != UNTOLD && log.lane.is_chained() && mine != Some(theirs.id)
    }

    fn confirm(&mut self, conn: ConnectionId, handle: u8) {
        if let Some(group) = self.link(conn, handle).map(|link| link.group) {
            self.confirmed.insert(group);
        }
    }

    /// Whether some peer has shown what it has of this node's own logs, and this node has all of it.
    pub fn is_confirmed(&self, group: &GroupId) -> bool {
        self.confirmed.contains(group)
    }

    /// What this node's own logs are called in a session.
    fn own_names(&self, conn: ConnectionId, handle: u8, groups: &dyn Groups) -> Vec<(LogId, ShortLog)> {
        let Some(session) = self.sessions.get(&conn) else { return Vec::new() };
        let Some(link) = session.links.get(&handle) else { return Vec::new() };
        let Some(own) = groups.signer(&link.group).map(|key| crate::crypto::device_key(&key)) else {
            return Vec::new();
        };
        let log = |lane| LogId { device: own, lane };
        Lane::ALL.map(|lane| (log(lane), session.short_log(&link.group, log(lane)))).to_vec()
    }

    /// What the other side claims of this node's own logs.
    fn own_heads(&self, conn: ConnectionId, handle: u8, groups: &dyn Groups) -> Vec<(LogId, Head)> {
        let link = self.sessions.get(&conn).and_then(|session| session.links.get(&handle));
        let claimed = |(log, name)| Some((log, *link?.theirs.get(&name)?));
        self.own_names(conn, handle, groups).into_iter().filter_map(claimed).collect()
    }

    /// Nothing more is to be asked for here. Own entries may be shown now, unless a claim to have
    /// others of this very device is still being looked into, here or in another session.
    pub(super) fn finish_compare(&mut self, conn: ConnectionId, handle: u8, groups: &dyn Groups) {
        let own = self.own_heads(conn, handle, groups);
        let barren = |theirs: &Head| {
            let link = self.sessions.get(&conn).and_then(|session| session.links.get(&handle));
            link.is_some_and(|link| link.barren.contains(&(theirs.log, theirs.seq)))
        };
        let settled = |(log, theirs): &(LogId, Head)| {
            !self.is_foreign(conn, handle, *log, theirs, groups) || barren(theirs)
        };
        if own.iter().all(settled) {
            self.confirm(conn, handle);
        }
        let Some(link) = self.link(conn, handle) else { return };
        if link.partial {
            // Heads were told for which there was no room: there is now.
            link.partial = false;
            link.digest_at = Some(Moment::default());
        } else if !link.compared {
            link.compared = true;
            let group = link.group;
            self.outputs.push_back(Output::Compared { conn, group });
        }
    }

    /// The entries of an [`Output::Received`] have been judged.
    pub fn received(&mut self, conn: ConnectionId, group: GroupId, live: bool, judged: Judged) {
        if judged.bad {
            return self.drop_session(conn);
        }
        let handle = self
            .sessions
            .get_mut(&conn)
            .and_then(|session| session.link_of(&group).map(|(handle, _)| *handle));
        let Some(handle) = handle else { return };
        if let Some(link) = self.link(conn, handle) {
            link.stale |= judged.unknown;
        }
        if live && judged.duplicate {
            // Whoever is told to push no more counts what was pushed as settled. Nor is anything pushed
            // back: what is left of the links is one tree, whoever writes.
            if let Some(link) = self.link(conn, handle) {
                link.taken = 0;
                link.push = false;
            }
            self.send(conn, &Message::Prune { group: handle });
        }
    }

    /// Timers of a session's links.
    pub(super) fn tick_links(&mut self, conn: ConnectionId, now: Moment, groups: &dyn Groups) {
        let handles: Vec<u8> =
            self.sessions.get(&conn).map(|s| s.links.keys().copied().collect()).unwrap_or_default();
        for handle in handles {
            self.tick_want(conn, handle, now, groups);
            if self.link(conn, handle).is_some_and(|l| l.hungry.is_some_and(|(_, at)| at <= now)) {
                self.advance(conn, handle, false, now, groups);
            }
            self.tick_push(conn, handle, now, groups);
            self.tick_digest(conn, handle, now, groups);
        }
    }

    fn tick_digest(&mut self, conn: ConnectionId, handle: u8, now: Moment, groups: &dyn Groups) {
        let Some(link) = self.link(conn, handle) else { return };
        if link.digest_at.is_some_and(|at| at <= now) {
            link.digest_at = None;
            link.repeats = 0;
            link.sent_to.clear();
            link.barren.clear();
            link.searched.clear();
            link.asked.clear();
            self.send_digest(conn, handle, groups);
        }
    }

    /// Compares a link again a while after something has happened on it.
    pub(super) fn compare_later(link: &mut Link, now: Moment) {
        link.digest_at = link.digest_at.or(Some(now.after(COMPARE_PAUSE)));
    }

    pub(super) fn acknowledge(&mut self, conn: ConnectionId, handle: u8, lane: Lane, seq: u32) {
        let Some(link) = self.link(conn, handle) else { return };
        if seq > 0 && lane != Lane::Beacon {
            let (group, device) = (link.group, link.device);
            self.outputs.push_back(Output::Acknowledged { group, device, lane, seq });
        }
    }
}

/// This node's heads of a group, by their names in this session.
pub(super) fn my_heads(
    session: &Session,
    link: &Link,
    groups: &dyn Groups,
) -> BTreeMap<ShortLog, (Head, LogId)> {
    let head = |mine: LogHead| {
        let log = session.short_log(&link.group, mine.log);
        let lane = mine.log.lane as u8;
        (
            log,
            (
                Head { log, lane, seq: mine.seq, id: session.short_id(&mine.id), forked: mine.forked },
                mine.log,
            ),
        )
    };
    groups.heads(&link.group).into_iter().map(head).collect()
}
