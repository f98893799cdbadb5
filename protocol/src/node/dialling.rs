//! Whom to call: the roster is the address book (spec sync, Y-19).
//!
//! At random among those who share most of the groups in need, those first that answered last time and
//! that others say to be there; few at once and few a second, however many addresses are told and
//! however few of them answer.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rand_core::Rng;

use super::{Node, part_of};
use crate::id::{DeviceKey, GroupId};
use crate::replica::Replica;
use crate::store::Store;
use crate::sync::ConnectionId;
use crate::time::{Moment, Timestamp};

/// Sessions of this node's own making that a group wants, whoever else calls: nobody can make himself
/// all of its neighbours.
const NEIGHBOURS: usize = 5;
/// The same of a group in which nothing happens: what comes up reaches it by these, and wakes it.
const QUIET_NEIGHBOURS: usize = 2;
/// Sessions, whoever called, with which a group wants no more.
const MOST_NEIGHBOURS: usize = 12;
/// How often a group that has what it wants looks for those whom nobody near is connected with, and the most by
/// which chance lengthens that: else parts of it that are enough for themselves would never find each other.
const LOOK: Duration = Duration::from_secs(600);
/// A group in which nothing was said or done for so long is quiet.
const QUIET: Duration = Duration::from_secs(15 * 60);
/// Most addresses called at once.
const MAX_DIALLING: usize = 8;
/// Most connections of this node's own making.
const MAX_DIALLED: usize = 64;
/// First and longest pause between calls to an address that does not answer.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(300));
/// A session that lasted so long shows that its address is good.
const GOOD: Duration = Duration::from_secs(60);
/// A group calls no more than it needs, as long as those called have not had so long to answer.
const PATIENCE: Duration = Duration::from_secs(1);
/// Calls in a burst, and the time after which one more is allowed.
const BURST: (u32, Duration) = (16, Duration::from_secs(1));
/// Addresses seen on the local network that are remembered, newest first to stay: anybody there can
/// announce any number.
const MAX_DISCOVERED: usize = 64;
/// Addresses nobody wants any more that are remembered.
const MAX_FORGOTTEN: usize = 64;

/// What is known of calling one address.
#[derive(Clone, Copy, Debug, Default)]
struct Dial {
    next: Moment,
    failures: u32,
    /// When the call was made that is under way or has led to a connection.
    called: Option<Moment>,
    conn: Option<ConnectionId>,
    opened: Option<Moment>,
}

impl Dial {
    fn pause(&mut self, now: Moment) {
        if self.opened.take().is_some_and(|opened| now.since(opened) >= GOOD) {
            self.failures = 0;
        }
        let (first, longest) = PAUSE;
        let pause = first.saturating_mul(1 << self.failures.min(9)).min(longest);
        self.failures = self.failures.saturating_add(1);
        self.next = self.next.max(now.after(pause));
        self.end();
    }

    fn end(&mut self) -> Option<ConnectionId> {
        self.called = None;
        self.conn.take()
    }

    fn is_idle(&self) -> bool {
        self.called.is_none() && self.conn.is_none()
    }

    fn is_under_way(&self) -> bool {
        self.called.is_some() && self.conn.is_none()
    }

    /// Until when this call may soon lead to a session: then another is made beside it.
    fn hopeful_until(&self) -> Option<Moment> {
        self.called.filter(|_| self.opened.is_none()).map(|at| at.after(PATIENCE))
    }
}

/// Why an address is worth calling.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Want {
    /// How many groups and codes in need it serves.
    serves: usize,
    /// Whether what others say speaks for it: that they are connected with its owner, or, for a look around, that
    /// they are not.
    told: bool,
    /// Whether it is worth a call for looks around only.
    look: bool,
}

/// This node's calls.
#[derive(Default)]
pub(super) struct Calls {
    dials: BTreeMap<String, Dial>,
    /// Calls of the current burst, and when it began to fade.
    burst: (u32, Moment),
    /// When each group looks around next.
    looks: BTreeMap<GroupId, Moment>,
}

impl Calls {
    /// Whether one more call may be made, as far as others are under way or lead to sessions.
    fn has_place(&self) -> bool {
        self.dials.values().filter(|dial| dial.is_under_way()).count() < MAX_DIALLING
            && self.dials.values().filter(|dial| dial.conn.is_some()).count() < MAX_DIALLED
    }

    /// When one more call may be made, as far as calls of late are concerned.
    fn free_at(&mut self, now: Moment) -> Moment {
        let (calls, since) = &mut self.burst;
        let (most, each) = BURST;
        let faded = now.since(*since).as_millis() / each.as_millis();
        let faded = u32::try_from(faded).unwrap_or(u32::MAX);
        *calls = calls.saturating_sub(faded);
        *since = if *calls == 0 { now } else { since.after(each.saturating_mul(faded)) };
        if *calls < most { now } else { since.after(each) }
    }

    fn is_hopeful(&self, address: &str, now: Moment) -> bool {
        let until = self.dials.get(address).and_then(Dial::hopeful_until);
        until.is_some_and(|until| now < until)
    }

    fn forget(&mut self, wanted: &BTreeMap<String, Want>) {
        if self.dials.len() > wanted.len().saturating_add(MAX_FORGOTTEN) {
            self.dials.retain(|address, dial| wanted.contains_key(address) || !dial.is_idle());
        }
    }

    fn opened(&self, conn: ConnectionId) -> Option<Moment> {
        self.dials.values().filter(|dial| dial.conn == Some(conn)).find_map(|dial| dial.opened)
    }

    fn at(&mut self, conn: ConnectionId) -> impl Iterator<Item = &mut Dial> {
        self.dials.values_mut().filter(move |dial| dial.conn == Some(conn))
    }
}

/// Whether there is a session with each other device of a member's. The roster of a large group is made only where
/// there may be.
fn has_all(replica: &Replica, here: usize) -> bool {
    let others = |all: usize| here >= all.saturating_sub(1);
    others(replica.view().members.len()) && others(replica.view().roster().len())
}

/// Whom to call first. What others say of who is up counts by half: a liar's friends get no more than
/// that of this node's neighbours, and he hides nobody. Who failed is no worse for a look around: those who were
/// cut off failed.
fn rank(dial: &Dial, want: Want, random: u64) -> impl Ord + use<> {
    let by_word = want.told && random.is_multiple_of(2);
    let failures = if want.look { 0 } else { dial.failures };
    (want.look, failures, !by_word, Reverse(want.serves), random)
}

impl<S: Store> Node<S> {
    /// How many sessions of its own making a group wants.
    fn neighbours(&self, group: &GroupId, now: Moment) -> usize {
        let lively = self.agenda.lively.get(group).is_some_and(|at| now.since(*at) < QUIET);
        if lively { NEIGHBOURS } else { QUIET_NEIGHBOURS }
    }

    /// From when on one more call is worth making for a group, and whether it is a look around; never while all
    /// are here.
    fn wants_call(&self, replica: &Replica, now: Moment) -> Option<(Moment, bool)> {
        let group = replica.group();
        let here = self.here(&group);
        if has_all(replica, here.len()) {
            return None;
        }
        let absent = self.absent(replica);
        let hopeful = absent.iter().filter(|(_, address)| self.calls.is_hopeful(address, now));
        let tried = hopeful.map(|(device, _)| *device).collect::<BTreeSet<_>>().len();
        let seen = self.discovered.iter().filter(|address| self.calls.is_hopeful(address, now)).count();
        let called = self.called_in(&group).count().saturating_add(tried).saturating_add(seen);
        if called < self.neighbours(&group, now) && here.len() < MOST_NEIGHBOURS {
            return Some((now, false));
        }
        self.calls.looks.get(&group).map(|look| (*look, true))
    }

    /// Devices of a group that this node has sessions with.
    fn here(&self, group: &GroupId) -> BTreeSet<DeviceKey> {
        self.sync.peers().filter(|(_, of, _)| of == group).map(|(.., device)| device).collect()
    }

    /// Devices of a group that this node has no session with, and where they can be reached.
    fn absent(&self, replica: &Replica) -> Vec<(DeviceKey, String)> {
        let here = self.here(&replica.group());
        replica.contacts().into_iter().filter(|(device, _)| !here.contains(device)).collect()
    }

    /// Connections of this node's own making that serve a group.
    fn called_in(&self, group: &GroupId) -> impl Iterator<Item = ConnectionId> {
        let peers = self.sync.peers().filter(move |(_, of, _)| of == group);
        peers.map(|(conn, ..)| conn).filter(|conn| self.sync.dialled(*conn).is_some())
    }

    /// Whether a group has more sessions of this node's own making than it wants.
    fn has_more(&self, group: &GroupId, now: Moment) -> bool {
        self.called_in(group).count() > self.neighbours(group, now)
    }

    /// Addresses worth calling: of members of groups that want sessions, of codes in use, and those seen
    /// on the local network; and when a group looks around next.
    fn wanted(&self, now: Moment) -> (BTreeMap<String, Want>, Option<Moment>) {
        let mut wanted: BTreeMap<String, Want> = BTreeMap::new();
        let mut next_look: Option<Moment> = None;
        let mut want = |address: &String, told: bool, look: bool| {
            if !self.listening.contains(address) {
                let first = Want { look: true, ..Want::default() };
                let want = wanted.entry(address.clone()).or_insert(first);
                want.serves = want.serves.saturating_add(1);
                want.told |= told;
                want.look &= look;
            }
        };
        for replica in self.replicas.values().filter(|replica| !replica.is_over()) {
            let Some((at, look)) = self.wants_call(replica, now) else { continue };
            if at > now {
                next_look = Some(next_look.map_or(at, |next| next.min(at)));
                continue;
            }
            let group = replica.group();
            let up = self.sync.said_up(&group);
            for (device, address) in self.absent(replica) {
                want(&address, up.contains(&device) != look, look);
            }
            self.discovered.iter().for_each(|address| want(address, false, look));
        }
        for join in self.joins.values().filter(|join| join.refused.is_none()) {
            let hints = join.joining.code.hints.iter().map(|hint| hint.multiaddr());
            hints.for_each(|address| want(&address, false, false));
            self.discovered.iter().for_each(|address| want(address, false, false));
        }
        (wanted, next_look)
    }

    /// A group looks around when it has called nobody for a while.
    fn plan_looks(&mut self, now: Moment) {
        self.calls.looks.retain(|group, _| self.replicas.contains_key(group));
        for group in self.replicas.keys() {
            let rng = &mut self.rng;
            let later = || now.after(LOOK.saturating_add(part_of(LOOK, &mut **rng)));
            self.calls.looks.entry(*group).or_insert_with(later);
        }
    }

    fn called(&mut self, address: &str, now: Moment) {
        let serves = |replica: &Replica| replica.contacts().iter().any(|(_, of)| of == address);
        for replica in self.replicas.values().filter(|replica| serves(replica)) {
            self.calls.looks.remove(&replica.group());
        }
        self.plan_looks(now);
    }

    pub(super) fn dial(&mut self, now: Timestamp) {
        let now = self.clock.at(now);
        self.plan_looks(now);
        while let Some(address) = self.next_call(now) {
            if !self.calls.has_place() || self.calls.free_at(now) > now {
                return;
            }
            self.calls.burst.0 = self.calls.burst.0.saturating_add(1);
            self.calls.dials.entry(address.clone()).or_default().called = Some(now);
            self.called(&address, now);
            self.held.push_back(super::Output::Dial(address));
        }
    }

    /// Whom to call first of those who are due; all worth calling are on the list afterwards.
    fn next_call(&mut self, now: Moment) -> Option<String> {
        let (wanted, _) = self.wanted(now);
        self.calls.forget(&wanted);
        let mut due = Vec::new();
        for (address, want) in wanted {
            let dial = *self.calls.dials.entry(address.clone()).or_default();
            if dial.is_idle() && dial.next <= now {
                due.push((rank(&dial, want, self.rng.next_u64()), address));
            }
        }
        due.into_iter().min().map(|(_, address)| address)
    }

    /// When the next call may be due; none while others have to end first.
    pub(super) fn next_dial(&self) -> Option<Moment> {
        if !self.calls.has_place() {
            return None;
        }
        let (calls, since) = self.calls.burst;
        let free = if calls < BURST.0 { Moment::default() } else { since.after(BURST.1) };
        let now = self.clock.reached();
        let (wanted, next_look) = self.wanted(now);
        let dials = wanted.into_keys().filter_map(|address| self.calls.dials.get(&address));
        let due = dials.filter(|dial| dial.is_idle()).map(|dial| dial.next.max(free));
        let given_up = self.calls.dials.values().filter_map(Dial::hopeful_until).filter(|until| *until > now);
        due.chain(given_up).chain(next_look).min()
    }

    pub(super) fn dialled(&mut self, address: Option<&str>, conn: ConnectionId) {
        if let Some(address) = address {
            let dial = self.calls.dials.entry(address.to_owned()).or_default();
            dial.conn = Some(conn);
        }
    }

    pub(super) fn dial_failed(&mut self, address: &str, now: Timestamp) {
        let now = self.clock.at(now);
        self.calls.dials.entry(address.to_owned()).or_default().pause(now);
    }

    /// A session with members has opened. If a group has more of its own making than it wants now, the oldest goes
    /// that no group needs: whom one is connected with changes, so that parts grow together.
    pub(super) fn answered(&mut self, conn: ConnectionId, group: GroupId, now: Timestamp) {
        let moment = self.clock.at(now);
        self.calls.at(conn).for_each(|dial| dial.opened = Some(moment));
        if self.sync.dialled(conn).is_none() || !self.has_more(&group, moment) {
            return;
        }
        let others = self.called_in(&group).filter(|other| *other != conn && self.is_spare(*other, moment));
        let oldest = others.min_by_key(|other| self.calls.opened(*other));
        if let Some(oldest) = oldest {
            self.sync.closed(oldest);
            self.held.push_back(super::Output::Close(oldest));
            self.hung_up(oldest, now);
        }
    }

    /// Whether no group needs a connection.
    fn is_spare(&self, conn: ConnectionId, now: Moment) -> bool {
        self.sync.peers().filter(|(of, ..)| *of == conn).all(|(_, group, _)| self.has_more(&group, now))
    }

    /// The other side is full.
    pub(super) fn turned_away(&mut self, conn: ConnectionId, seconds: u16, now: Timestamp) {
        let pause = Duration::from_secs(u64::from(seconds)).min(PAUSE.1);
        let next = self.clock.at(now).after(pause);
        self.calls.at(conn).for_each(|dial| dial.next = next);
    }

    /// A connection is gone: its address waits before it is called again, less long if a session had
    /// lasted.
    pub(super) fn hung_up(&mut self, conn: ConnectionId, now: Timestamp) {
        let now = self.clock.at(now);
        self.calls.at(conn).for_each(|dial| dial.pause(now));
    }

    /// A code may open something at an address: what is connected there is called again, since a door
    /// is shown when calling only.
    pub(super) fn call_again(&mut self, address: &str, now: Timestamp) {
        let open = self.calls.dials.get_mut(address).filter(|dial| dial.conn.is_some());
        if let Some(conn) = open.and_then(Dial::end) {
            self.sync.closed(conn);
            self.held.push_back(super::Output::Close(conn));
        }
        self.dial_soon(address, now);
    }

    /// Something new is to be had at an address: call it without waiting.
    pub(super) fn dial_soon(&mut self, address: &str, now: Timestamp) {
        let dial = self.calls.dials.entry(address.to_owned()).or_default();
        dial.failures = 0;
        dial.next = self.clock.at(now);
    }

    /// Somebody runs a node at an address of the local network: a hint, nothing more.
    pub(super) fn discovered(&mut self, address: String) {
        if !self.discovered.contains(&address) {
            self.discovered.push_back(address);
            if self.discovered.len() > MAX_DISCOVERED {
                self.discovered.pop_front();
            }
        }
    }

    /// This node can be reached elsewhere than before: members are told, and, as it may be on another
    /// network, who could not be reached is called again.
    pub(super) fn listen(&mut self, addresses: Vec<String>, now: Timestamp) {
        if self.listening == addresses {
            return;
        }
        self.listening = addresses;
        let moment = self.clock.at(now);
        for dial in self.calls.dials.values_mut() {
            dial.failures = 0;
            dial.next = moment;
        }
        let groups: Vec<_> = self.replicas.keys().copied().collect();
        for group in groups {
            self.plan_beacon(group, now);
        }
    }
}

#[cfg(test)]
mod tests;
