//! Comparing heads, wanting what is missing, serving what is wanted (Y-9 … Y-14).

use std::collections::BTreeMap;
use std::time::Duration;

use super::groups::{Groups, LogHead};
use super::message::{
    Head, MAX_BATCH, MAX_BUDGET, MAX_HEADS, MAX_LOCATOR, MAX_WANT, Message, Seek, ShortLog,
};
use super::session::{ConnectionId, Link, Session, UNTOLD, Wanted};
use super::{Judged, Output, Sync, WANT_TIME};
use crate::entry::Lane;
use crate::id::GroupId;
use crate::log::LogId;
use crate::time::Timestamp;

/// Acts never wait for talk: lanes are asked for in this order.
const ORDER: [Lane; 3] = [Lane::Acts, Lane::Beacon, Lane::Talk];
/// Heads are not listed again within this time: no endless ping-pong.
const LIST_PAUSE: Duration = Duration::from_secs(5);
/// An active link is compared again after this time.
const COMPARE_PAUSE: Duration = Duration::from_secs(60);
/// Most logs of one group the other side may name in one session.
pub(super) const MAX_KNOWN: usize = 4 * MAX_HEADS;
/// What a frame of entries may exceed its credit by: one entry.
const SLACK: usize = crate::entry::MAX_ENTRY;

impl Sync {
    /// Starts every group of a session.
    pub(super) fn compare_all(&mut self, conn: ConnectionId, now: Timestamp, groups: &dyn Groups) {
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

    fn send_digest(&mut self, conn: ConnectionId, handle: u8, groups: &dyn Groups) {
        if let Some(lanes) = self.digest(conn, handle, groups) {
            self.send(conn, &Message::Digest { group: handle, lanes });
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
        now: Timestamp,
        groups: &dyn Groups,
    ) -> Option<()> {
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

    fn list(&mut self, conn: ConnectionId, handle: u8, now: Timestamp, groups: &dyn Groups) {
        let Some(session) = self.sessions.get(&conn) else { return };
        let Some(link) = session.links.get(&handle) else { return };
        if link.listed_mine.is_some_and(|at| now.since(at) < LIST_PAUSE) {
            return;
        }
        let heads: Vec<Head> = my_heads(session, link, groups).values().map(|(head, _)| *head).collect();
        let frames = heads.chunks(MAX_HEADS).count().max(1);
        for number in 0..frames {
            let part = heads.chunks(MAX_HEADS).nth(number).unwrap_or_default().to_vec();
            self.send(conn, &Message::Heads { group: handle, more: number + 1 < frames, heads: part });
        }
        if let Some(link) = self.link(conn, handle) {
            link.listed_mine = Some(now);
        }
    }

    pub(super) fn on_heads(
        &mut self,
        conn: ConnectionId,
        handle: u8,
        more: bool,
        heads: Vec<Head>,
        now: Timestamp,
        groups: &dyn Groups,
    ) -> Option<()> {
        let link = self.link(conn, handle)?;
        if link.theirs.len().saturating_add(heads.len()) > MAX_KNOWN {
            return None;
        }
        link.theirs.extend(heads.into_iter().map(|head| (head.log, head)));
        if more {
            return Some(());
        }
        link.listed = true;
        link.compared = false;
        self.list(conn, handle, now, groups);
        self.acknowledge_listed(conn, handle, groups);
        self.confirm_own(conn, handle, groups);
        self.advance(conn, handle, false, now, groups);
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

    /// What the other side claims of this node's own logs.
    fn own_heads(&self, conn: ConnectionId, handle: u8, groups: &dyn Groups) -> Vec<(LogId, Head)> {
        let Some(session) = self.sessions.get(&conn) else { return Vec::new() };
        let Some(link) = session.links.get(&handle) else { return Vec::new() };
        let Some(own) = groups.signer(&link.group).map(|key| crate::crypto::device_key(&key)) else {
            return Vec::new();
        };
        let claimed = |lane| {
            let log = LogId { device: own, lane };
            link.theirs.get(&session.short_log(&link.group, log)).map(|head| (log, *head))
        };
        Lane::ALL.into_iter().filter_map(claimed).collect()
    }

    /// Asks for the next lane's missing entries, or finds that nothing is missing (Y-10).
    pub(super) fn advance(
        &mut self,
        conn: ConnectionId,
        handle: u8,
        live: bool,
        now: Timestamp,
        groups: &dyn Groups,
    ) {
        let Some(session) = self.sessions.get(&conn) else { return };
        let Some(link) = session.links.get(&handle) else { return };
        if link.wanted.is_some() || !link.listed {
            return;
        }
        let group = link.group;
        let heads = my_heads(session, link, groups);
        let lanes = ORDER.iter().map(|lane| self.missing(conn, handle, *lane, &heads, groups));
        let missing = lanes.into_iter().find(|missing| !missing.is_empty());
        let Some(missing) = missing else {
            if !self.ask(conn, handle, now, groups) {
                self.finish_compare(conn, handle, groups);
            }
            return;
        };
        let until = now.after(WANT_TIME);
        for log in missing.iter().filter_map(|(_, log)| *log) {
            self.in_flight.insert((group, log), (conn, until));
        }
        let logs: Vec<Seek> = missing.into_iter().map(|(seek, _)| seek).collect();
        let stood = |seek: &Seek| (seek.log, heads.get(&seek.log).map(|(head, _)| *head));
        self.expect(conn, handle, logs.iter().map(stood).collect(), until);
        self.send(conn, &Message::Want { group: handle, live, budget: MAX_BUDGET, logs });
    }

    /// Gives the other side credit for an answer.
    pub(super) fn expect(
        &mut self,
        conn: ConnectionId,
        handle: u8,
        logs: BTreeMap<ShortLog, Option<Head>>,
        until: Timestamp,
    ) {
        if let Some(link) = self.link(conn, handle) {
            link.wanted = Some(Wanted { logs, credit: MAX_BUDGET as usize + SLACK, until });
            link.compared = false;
        }
    }

    /// Logs of a lane that the other side has more of, or has otherwise, except those under way from
    /// elsewhere (Y-11).
    fn missing(
        &self,
        conn: ConnectionId,
        handle: u8,
        lane: Lane,
        mine: &BTreeMap<ShortLog, (Head, LogId)>,
        groups: &dyn Groups,
    ) -> Vec<(Seek, Option<LogId>)> {
        let Some(session) = self.sessions.get(&conn) else { return Vec::new() };
        let Some(link) = session.links.get(&handle) else { return Vec::new() };
        let elsewhere =
            |log: &LogId| self.in_flight.get(&(link.group, *log)).is_some_and(|(by, _)| *by != conn);
        let candidates = link.theirs.values().filter(|head| head.lane == lane as u8);
        let lacking = candidates.filter_map(|theirs| {
            let known = mine.get(&theirs.log);
            let log = known.map(|(_, log)| *log);
            if log.as_ref().is_some_and(elsewhere) || link.barren.contains(&(theirs.log, theirs.seq)) {
                return None;
            }
            seek(session, link, theirs, known, groups).map(|seek| (seek, log))
        });
        lacking.take(MAX_WANT).collect()
    }

    /// Nothing more is to be asked for here. Own entries may be shown now, unless a claim to have
    /// others of this very device is still being looked into, here or in another session.
    fn finish_compare(&mut self, conn: ConnectionId, handle: u8, groups: &dyn Groups) {
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
        if !link.compared {
            link.compared = true;
            let group = link.group;
            self.outputs.push_back(Output::Compared { conn, group });
        }
    }

    pub(super) fn on_want(
        &mut self,
        conn: ConnectionId,
        handle: u8,
        live: bool,
        budget: u32,
        logs: &[Seek],
        groups: &dyn Groups,
    ) -> Option<()> {
        let link = self.link(conn, handle)?;
        link.push |= live;
        let group = link.group;
        let session = self.sessions.get(&conn)?;
        let heads = my_heads(session, session.links.get(&handle)?, groups);
        let mut left = usize::try_from(budget).unwrap_or(0);
        for seek in logs {
            let Some((head, log)) = heads.get(&seek.log) else { continue };
            if let (true, Some(after)) = (
                self.may_show(&group, log, groups),
                self.sessions.get(&conn).and_then(|session| common(session, &group, *log, seek, groups)),
            ) {
                left = self.serve(conn, handle, (*head, *log), after, left, groups);
            }
        }
        let log = logs.first().map_or([0; 8], |seek| seek.log);
        self.send(conn, &Message::Entries { group: handle, log, end: true, entries: Vec::new() });
        Some(())
    }

    /// Nothing of one's own is shown before some peer has shown what it has of it.
    pub(super) fn may_show(&self, group: &GroupId, log: &LogId, groups: &dyn Groups) -> bool {
        let own = groups.signer(group).is_some_and(|key| crate::crypto::device_key(&key) == log.device);
        !own || self.confirmed.contains(group)
    }

    /// Sends what follows a position, in frames, while there is budget; returns what is left.
    fn serve(
        &mut self,
        conn: ConnectionId,
        handle: u8,
        (head, log): (Head, LogId),
        mut after: u32,
        budget: usize,
        groups: &dyn Groups,
    ) -> usize {
        let Some(group) = self.link(conn, handle).map(|link| link.group) else { return 0 };
        let mut left = budget;
        while left > 0 {
            let entries = groups.read(&group, log, after, left.min(MAX_BATCH));
            let Some(count) = u32::try_from(entries.len()).ok().filter(|count| *count > 0) else { break };
            let bytes: usize = entries.iter().map(Vec::len).sum();
            left = left.saturating_sub(bytes);
            after = after.saturating_add(count);
            self.send(conn, &Message::Entries { group: handle, log: head.log, end: false, entries });
            if !log.lane.is_chained() {
                break;
            }
        }
        if let Some(link) = self.link(conn, handle) {
            link.learn(head.log, log.lane, after.min(head.seq));
        }
        left
    }

    pub(super) fn on_entries(
        &mut self,
        conn: ConnectionId,
        handle: u8,
        log: ShortLog,
        end: bool,
        entries: Vec<Vec<u8>>,
        now: Timestamp,
    ) -> Option<()> {
        let link = self.link(conn, handle)?;
        let group = link.group;
        let wanted = link.wanted.as_mut()?;
        wanted.until = now.after(WANT_TIME);
        let bytes: usize = entries.iter().map(Vec::len).sum();
        wanted.credit = wanted.credit.checked_sub(bytes)?;
        if !entries.is_empty() && !wanted.logs.contains_key(&log) {
            return None;
        }
        link.due |= end;
        if !entries.is_empty() {
            self.outputs.push_back(Output::Received { conn, group, live: false, entries });
        }
        Some(())
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
        if let (true, true, Some(handle)) = (live, judged.duplicate, handle) {
            self.send(conn, &Message::Prune { group: handle });
        }
    }

    /// Goes on with links whose wants have ended, now that what they brought is durable.
    pub(super) fn settle(&mut self, now: Timestamp, groups: &dyn Groups) {
        let due: Vec<(ConnectionId, u8)> = self
            .sessions
            .values()
            .flat_map(|s| s.links.iter().filter(|(_, link)| link.due).map(|(handle, _)| (s.conn, *handle)))
            .collect();
        for (conn, handle) in due {
            self.end_want(conn, handle, groups);
            self.advance(conn, handle, false, now, groups);
        }
    }

    /// Remembers which logs an ended want brought nothing of, so as not to ask for ever.
    fn end_want(&mut self, conn: ConnectionId, handle: u8, groups: &dyn Groups) {
        let Some(session) = self.sessions.get(&conn) else { return };
        let Some(link) = session.links.get(&handle) else { return };
        let heads = my_heads(session, link, groups);
        let group = link.group;
        let Some(link) = self.link(conn, handle) else { return };
        link.due = false;
        let Some(wanted) = link.wanted.take() else { return };
        let spent = wanted.credit < SLACK + MAX_BATCH;
        let mut logs = Vec::new();
        for (short, stood) in wanted.logs {
            let known = heads.get(&short);
            let stuck = known.map(|(head, _)| *head) == stood;
            if let (true, false, Some(theirs)) = (stuck, spent, link.theirs.get(&short)) {
                let searched = stood.is_none() || !link.searched.insert(short);
                if searched {
                    link.barren.insert((short, theirs.seq));
                }
            }
            logs.extend(known.map(|(_, log)| *log));
        }
        for log in logs {
            self.in_flight.remove(&(group, log));
        }
    }

    /// Timers of a session's links.
    pub(super) fn tick_links(&mut self, conn: ConnectionId, now: Timestamp, groups: &dyn Groups) {
        let handles: Vec<u8> =
            self.sessions.get(&conn).map(|s| s.links.keys().copied().collect()).unwrap_or_default();
        for handle in handles {
            self.tick_want(conn, handle, now, groups);
            self.tick_push(conn, handle, now, groups);
            self.tick_digest(conn, handle, now, groups);
        }
    }

    /// A want that died: forget it, and try what is missing elsewhere.
    fn tick_want(&mut self, conn: ConnectionId, handle: u8, now: Timestamp, groups: &dyn Groups) {
        let Some(link) = self.link(conn, handle) else { return };
        if link.wanted.as_ref().is_none_or(|wanted| wanted.until > now) {
            return;
        }
        let group = link.group;
        self.end_want(conn, handle, groups);
        let others: Vec<(ConnectionId, u8)> = self
            .sessions
            .values()
            .flat_map(|s| {
                s.links.iter().filter(|(_, l)| l.group == group).map(|(handle, _)| (s.conn, *handle))
            })
            .filter(|(other, _)| *other != conn)
            .collect();
        for (other, handle) in others {
            self.advance(other, handle, false, now, groups);
        }
    }

    fn tick_digest(&mut self, conn: ConnectionId, handle: u8, now: Timestamp, groups: &dyn Groups) {
        let Some(link) = self.link(conn, handle) else { return };
        if link.digest_at.is_some_and(|at| at <= now) {
            link.digest_at = None;
            link.barren.clear();
            link.searched.clear();
            link.asked.clear();
            self.send_digest(conn, handle, groups);
        }
    }

    /// Compares a link again a while after something has happened on it.
    pub(super) fn compare_later(link: &mut Link, now: Timestamp) {
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

/// What to ask of a log, if the other side has more of it, or has it otherwise.
fn seek(
    session: &Session,
    link: &Link,
    theirs: &Head,
    known: Option<&(Head, LogId)>,
    groups: &dyn Groups,
) -> Option<Seek> {
    let Some((mine, log)) = known else {
        return (theirs.seq > 0).then(|| Seek { log: theirs.log, have: Vec::new() });
    };
    if !log.lane.is_chained() {
        return (theirs.seq > mine.seq).then(|| Seek { log: theirs.log, have: vec![(mine.seq, UNTOLD)] });
    }
    let name = |seq| groups.id_at(&link.group, *log, seq).map(|id| session.short_id(&id));
    let told = theirs.id != UNTOLD;
    let (newest, rival) = match (theirs.forked, mine.forked) {
        (true, true) if theirs.seq > mine.seq || theirs.id == mine.id => return None,
        (false, true) => return None,
        (true, _) => (mine.seq.min(theirs.seq.saturating_sub(1)), false),
        (false, false) if theirs.seq > mine.seq => (mine.seq, false),
        (false, false) => (theirs.seq, told && name(theirs.seq) != Some(theirs.id)),
    };
    let nothing_new = !theirs.forked && theirs.seq <= mine.seq && !rival;
    if nothing_new {
        return None;
    }
    let positions = if rival || link.searched.contains(&theirs.log) { locator(newest) } else { vec![newest] };
    let have = positions.into_iter().map(|seq| (seq, name(seq).unwrap_or(UNTOLD))).collect();
    Some(Seek { log: theirs.log, have })
}

/// Positions at growing distances, so that a fork anywhere below is found in one answer.
fn locator(newest: u32) -> Vec<u32> {
    let distances = (0..MAX_LOCATOR as u32 - 2).map(|power| 4u32.saturating_pow(power));
    let below = distances.map_while(|distance| newest.checked_sub(distance)).filter(|seq| *seq > 0);
    std::iter::once(newest).chain(below).chain([0]).collect()
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
