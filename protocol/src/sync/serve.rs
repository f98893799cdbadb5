//! Sending what was asked for (Y-24): own lists first, then acts, beacons, talk; among groups, those
//! that got least so far. Nothing is read from the store before there is room for it on the line, so
//! a peer that reads slowly costs one window of memory, whatever it asks for.

use std::collections::VecDeque;

use super::branches::BY_ID;
use super::compare::my_heads;
use super::groups::Groups;
use super::message::{ENTRIES_HEADER, ENTRY_LENGTH, Head, MAX_BATCH, MAX_FRAME, MAX_HEADS, Message, Seek};
use super::session::{ConnectionId, Item, Link, Serving, Session};
use super::want::ORDER;
use super::{ROOM, Sync};
use crate::entry::Lane;
use crate::id::{EntryId, GroupId};
use crate::log::LogId;
use crate::time::Moment;

/// Bytes on their way on one connection: beyond that nothing is served or pushed.
pub(super) const WINDOW: usize = 2 * ROOM;
/// Bytes on their way that nothing served or pushed reaches: beyond that announcements wait too.
pub(super) const CROWDED: usize = 3 * ROOM + ROOM / 2;
/// Wants for what was served already that a link bears between two comparings.
const MAX_REPEATS: u32 = 16;

impl Link {
    /// What this link has to send next: lower goes first.
    fn rank(&self) -> Option<usize> {
        if self.listing.is_some() {
            return Some(0);
        }
        match self.serving.as_ref()?.items.front() {
            Some(Item::Log { log, .. }) => ORDER.iter().position(|lane| *lane == log.lane),
            // Branches are acts; and an answer ends as soon as it can.
            Some(Item::ById(_)) | None => Some(0),
        }
    }
}

impl Sync {
    pub(super) fn on_want(
        &mut self,
        conn: ConnectionId,
        handle: u8,
        (live, budget): (bool, u32),
        logs: &[Seek],
        now: Moment,
        groups: &dyn Groups,
    ) -> Option<()> {
        let session = self.sessions.get(&conn)?;
        let link = session.links.get(&handle)?;
        let heads = my_heads(session, link, groups);
        let mut items = VecDeque::new();
        let mut again = false;
        for seek in logs {
            let Some((head, log)) = heads.get(&seek.log) else { continue };
            if let (true, Some(after)) =
                (self.may_show(&link.group, log, groups), common(session, &link.group, *log, seek, groups))
            {
                // What was sent once is asked for again only after something went wrong.
                again |= link.sent_to.get(&seek.log).is_some_and(|sent| *sent > after);
                items.push_back(Item::Log { head: *head, log: *log, after });
            }
        }
        self.link(conn, handle)?.push |= live;
        self.serve(conn, handle, Serving { items, left: budget as usize }, again, now, groups)
    }

    pub(super) fn on_ask(
        &mut self,
        conn: ConnectionId,
        handle: u8,
        ids: Vec<[u8; 32]>,
        now: Moment,
        groups: &dyn Groups,
    ) -> Option<()> {
        let items = ids.into_iter().map(|id| Item::ById(EntryId(id))).collect();
        self.serve(conn, handle, Serving { items, left: super::branches::BUDGET as usize }, true, now, groups)
    }

    /// Starts an answer; an older one that was not finished is given up. `again`: whether it repeats
    /// what was sent before, which is borne a few times only.
    fn serve(
        &mut self,
        conn: ConnectionId,
        handle: u8,
        serving: Serving,
        again: bool,
        now: Moment,
        groups: &dyn Groups,
    ) -> Option<()> {
        let session = self.sessions.get(&conn)?;
        let least = session.links.values().filter(|l| l.serving.is_some()).map(|l| l.served).min();
        let link = self.link(conn, handle)?;
        link.repeats = link.repeats.saturating_add(u32::from(again || link.serving.is_some()));
        if link.repeats > MAX_REPEATS {
            return None;
        }
        link.served = link.served.max(least.unwrap_or(0));
        link.serving = Some(serving);
        Self::compare_later(link, now);
        self.pump(conn, groups);
        Some(())
    }

    /// Nothing of one's own is shown before some peer has shown what it has of it.
    pub(super) fn may_show(&self, group: &GroupId, log: &LogId, groups: &dyn Groups) -> bool {
        let own = groups.signer(group).is_some_and(|key| crate::crypto::device_key(&key) == log.device);
        !own || self.confirmed.contains(group)
    }

    /// So many bytes of frames have left on a connection.
    pub fn left(&mut self, conn: ConnectionId, bytes: usize, groups: &dyn Groups) {
        if let Some(session) = self.sessions.get_mut(&conn) {
            session.sent = session.sent.saturating_sub(bytes);
        }
        self.pump(conn, groups);
    }

    /// Sends what is due while there is room.
    pub(super) fn pump(&mut self, conn: ConnectionId, groups: &dyn Groups) {
        self.send_mail(conn);
        while let Some(handle) = self.next_in_turn(conn) {
            let done = self.list_some(conn, handle, groups);
            if done.or_else(|| self.serve_some(conn, handle, groups)).is_none() {
                return;
            }
        }
    }

    /// Sends parts of a joiner's mail while there is room.
    pub(super) fn send_mail(&mut self, conn: ConnectionId) {
        let room = |session: &&mut Session| session.sent < WINDOW;
        while let Some(part) =
            self.sessions.get_mut(&conn).filter(room).and_then(|session| session.mail.pop_front())
        {
            self.send(conn, &part);
        }
    }

    fn next_in_turn(&self, conn: ConnectionId) -> Option<u8> {
        let session = self.sessions.get(&conn).filter(|session| session.sent < WINDOW)?;
        let waiting = |(handle, link): (&u8, &Link)| link.rank().map(|rank| (rank, link.served, *handle));
        session.links.iter().filter_map(waiting).min().map(|(.., handle)| handle)
    }

    /// Sends the next part of this node's own list.
    fn list_some(&mut self, conn: ConnectionId, handle: u8, groups: &dyn Groups) -> Option<()> {
        let session = self.sessions.get(&conn)?;
        let link = session.links.get(&handle)?;
        let after = link.listing?;
        let mine = my_heads(session, link, groups);
        let mut rest = mine.iter().filter(|(log, _)| after.is_none_or(|after| **log > after));
        let heads: Vec<Head> = rest.by_ref().take(MAX_HEADS).map(|(_, (head, _))| *head).collect();
        let more = rest.next().is_some();
        let last = heads.last().map(|head| head.log);
        self.link(conn, handle)?.listing = more.then_some(last);
        self.send(conn, &Message::Heads { group: handle, more, heads });
        Some(())
    }

    /// Sends the next frame of an answer, or its end.
    fn serve_some(&mut self, conn: ConnectionId, handle: u8, groups: &dyn Groups) -> Option<()> {
        let link = self.link(conn, handle)?;
        let group = link.group;
        let serving = link.serving.as_mut()?;
        let item = serving.items.pop_front().filter(|_| serving.left > 0);
        let bytes = serving.left.min(MAX_BATCH);
        match item {
            Some(Item::Log { head, log, after }) => {
                let entries = fitting(groups.read(&group, log, after, bytes));
                self.send_log(conn, handle, (head, log, after), entries)
            }
            Some(Item::ById(id)) => {
                let chain = groups.chain(&group, &id, bytes);
                let shown = chain.filter(|(device, _)| {
                    self.may_show(&group, &LogId { device: *device, lane: Lane::Acts }, groups)
                });
                self.send_entries(
                    conn,
                    handle,
                    BY_ID,
                    shown.map(|(_, entries)| fitting(entries)).unwrap_or_default(),
                )
            }
            None => {
                link.serving = None;
                let (log, entries) = (BY_ID, Vec::new());
                self.send(conn, &Message::Entries { group: handle, log, end: true, entries });
                Some(())
            }
        }
    }

    /// Sends entries of a log that follow a position, and comes back for more.
    fn send_log(
        &mut self,
        conn: ConnectionId,
        handle: u8,
        (head, log, after): (Head, LogId, u32),
        entries: Vec<Vec<u8>>,
    ) -> Option<()> {
        let count = u32::try_from(entries.len()).unwrap_or(u32::MAX);
        let after = after.saturating_add(count);
        let link = self.link(conn, handle)?;
        if count > 0 && log.lane.is_chained() {
            link.serving.as_mut()?.items.push_front(Item::Log { head, log, after });
            link.sent_to.insert(head.log, after);
        }
        if count > 0 {
            link.learn(head.log, log.lane, after.min(head.seq));
        }
        self.send_entries(conn, handle, head.log, entries)
    }

    fn send_entries(
        &mut self,
        conn: ConnectionId,
        handle: u8,
        log: [u8; 8],
        entries: Vec<Vec<u8>>,
    ) -> Option<()> {
        if !entries.is_empty() {
            let bytes: usize = entries.iter().map(Vec::len).sum();
            let link = self.link(conn, handle)?;
            link.served = link.served.saturating_add(bytes as u64);
            let serving = link.serving.as_mut()?;
            serving.left = serving.left.saturating_sub(bytes);
            self.send(conn, &Message::Entries { group: handle, log, end: false, entries });
        }
        Some(())
    }
}

/// As many entries as one frame bears: of short ones their lengths count.
fn fitting(mut entries: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let mut left = MAX_FRAME.saturating_sub(ENTRIES_HEADER);
    let mut fits = |entry: &&Vec<u8>| {
        let rest = left.checked_sub(entry.len().saturating_add(ENTRY_LENGTH));
        left = rest.unwrap_or(0);
        rest.is_some()
    };
    let count = entries.iter().take_while(|entry| fits(entry)).count();
    entries.truncate(count);
    entries
}

/// The newest position that both sides have alike (Y-12).
fn common(session: &Session, group: &GroupId, log: LogId, seek: &Seek, groups: &dyn Groups) -> Option<u32> {
    if !log.lane.is_chained() {
        return Some(seek.have.first().map_or(0, |(seq, _)| *seq));
    }
    let alike = |(seq, id): &&(u32, [u8; 8])| {
        *seq == 0 || groups.id_at(group, log, *seq).is_some_and(|mine| session.short_id(&mine) == *id)
    };
    if seek.have.is_empty() { Some(0) } else { seek.have.iter().find(alike).map(|(seq, _)| *seq) }
}
