//! Wanting what is missing, lane by lane, until it has come or is given up (Y-10 … Y-12).

use std::collections::BTreeMap;

use super::compare::my_heads;
use super::groups::Groups;
use super::message::{Head, MAX_LOCATOR, MAX_WANT, Message, Seek, ShortLog};
use super::session::{ConnectionId, Link, Session, UNTOLD, Wanted};
use super::{Output, Sync, WANT_TIME};
use crate::entry::Lane;
use crate::log::LogId;
use crate::time::Moment;

/// Acts never wait for talk: lanes are asked for in this order.
pub(super) const ORDER: [Lane; 3] = [Lane::Acts, Lane::Beacon, Lane::Talk];
/// Most logs a link may promise and not deliver between two comparings.
const MAX_BARREN: usize = 1024;
/// Wants that die before a neighbour is given up.
const MAX_DIED: u32 = 2;
/// What a frame of entries may exceed its credit by: one entry.
pub(super) const SLACK: usize = crate::entry::MAX_ENTRY;

impl Sync {
    /// Asks for the next lane's missing entries, or finds that nothing is missing (Y-10).
    pub(super) fn advance(
        &mut self,
        conn: ConnectionId,
        handle: u8,
        live: bool,
        now: Moment,
        groups: &dyn Groups,
    ) {
        let Some(session) = self.sessions.get(&conn) else { return };
        let Some(link) = session.links.get(&handle) else { return };
        if link.wanted.is_some() || !link.listed {
            return;
        }
        let group = link.group;
        let heads = my_heads(session, link, groups);
        let lanes = ORDER.iter().map(|lane| (*lane, self.missing(conn, handle, *lane, &heads, groups)));
        let Some((lane, missing)) = lanes.into_iter().find(|(_, missing)| !missing.is_empty()) else {
            if !self.ask(conn, handle, now, groups) {
                self.finish_compare(conn, handle, groups);
            }
            return;
        };
        let Some(budget) = self.budget(conn, lane) else {
            return self.wait_for_budget(conn, handle, lane, now);
        };
        for log in missing.iter().filter_map(|(_, log)| *log) {
            self.in_flight.insert((group, log), conn);
        }
        let logs: Vec<Seek> = missing.into_iter().map(|(seek, _)| seek).collect();
        let stood = |seek: &Seek| (seek.log, heads.get(&seek.log).map(|(head, _)| *head));
        self.expect(conn, handle, logs.iter().map(stood).collect(), budget, now);
        if let Some(link) = self.link(conn, handle) {
            link.push |= live;
        }
        self.send(conn, &Message::Want { group: handle, live, budget, logs });
    }

    /// Gives the other side credit for an answer.
    pub(super) fn expect(
        &mut self,
        conn: ConnectionId,
        handle: u8,
        logs: BTreeMap<ShortLog, Option<Head>>,
        budget: u32,
        now: Moment,
    ) {
        if let Some(link) = self.link(conn, handle) {
            let credit = (budget as usize).saturating_add(SLACK);
            link.wanted = Some(Wanted { logs, credit, until: now.after(WANT_TIME) });
            link.compared = false;
            link.hungry = None;
            link.got = link.got.saturating_add(u64::from(budget));
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
        let elsewhere = |log: &LogId| self.in_flight.get(&(link.group, *log)).is_some_and(|by| *by != conn);
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

    pub(super) fn on_entries(
        &mut self,
        conn: ConnectionId,
        handle: u8,
        log: ShortLog,
        end: bool,
        entries: Vec<Vec<u8>>,
        now: Moment,
    ) -> Option<()> {
        // Frames of several groups take turns: whatever comes, the other side is at work.
        for link in self.sessions.get_mut(&conn)?.links.values_mut() {
            if let Some(wanted) = &mut link.wanted {
                wanted.until = now.after(WANT_TIME);
            }
        }
        let link = self.link(conn, handle)?;
        let group = link.group;
        let wanted = link.wanted.as_mut()?;
        let bytes: usize = entries.iter().map(Vec::len).sum();
        wanted.credit = wanted.credit.checked_sub(bytes)?;
        if !entries.is_empty() && !wanted.logs.contains_key(&log) {
            return None;
        }
        link.due |= end;
        if bytes > 0 {
            link.died = 0;
        }
        if !entries.is_empty() {
            self.outputs.push_back(Output::Received { conn, group, live: false, entries });
        }
        Some(())
    }

    /// Goes on with links whose wants have ended, now that what they brought is durable.
    pub(super) fn settle(&mut self, now: Moment, groups: &dyn Groups) {
        let due: Vec<(ConnectionId, u8)> = self
            .sessions
            .values()
            .flat_map(|s| s.links.iter().filter(|(_, link)| link.due).map(|(handle, _)| (s.conn, *handle)))
            .collect();
        for (conn, handle) in due {
            self.end_want(conn, handle, groups);
            self.advance(conn, handle, false, now, groups);
        }
        self.feed_hungry(now, groups);
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
        let spent = wanted.credit <= SLACK;
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
        if link.barren.len() > MAX_BARREN {
            return self.drop_session(conn);
        }
        for log in logs {
            self.in_flight.remove(&(group, log));
        }
    }

    /// A want that died: forget it, and try what is missing elsewhere.
    pub(super) fn tick_want(&mut self, conn: ConnectionId, handle: u8, now: Moment, groups: &dyn Groups) {
        let Some(link) = self.link(conn, handle) else { return };
        if link.wanted.as_ref().is_none_or(|wanted| wanted.until > now) {
            return;
        }
        let group = link.group;
        link.died = link.died.saturating_add(1);
        let useless = link.died >= MAX_DIED;
        self.end_want(conn, handle, groups);
        if useless {
            // Its place is better taken by another neighbour.
            self.drop_session(conn);
        }
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
    if !theirs.forked && theirs.seq > mine.seq && !groups.takes_more(&link.group, *log) {
        return None;
    }
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
