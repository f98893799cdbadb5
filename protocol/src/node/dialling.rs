//! Whom to call: the roster is the address book (spec sync, Y-19).
//!
//! At random among those who share most of the groups in need, those first that answered last time;
//! few at once and few a second, however many addresses are told and however few of them answer.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use rand_core::Rng;

use super::Node;
use crate::id::DeviceKey;
use crate::store::Store;
use crate::sync::ConnectionId;
use crate::time::{Moment, Timestamp};

/// Sessions a group wants of this node's own making.
const NEIGHBOURS: usize = 5;
/// Most addresses called at once.
const MAX_DIALLING: usize = 8;
/// Most connections of this node's own making.
const MAX_DIALLED: usize = 64;
/// First and longest pause between calls to an address that does not answer.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(300));
/// A session that lasted so long shows that its address is good.
const GOOD: Duration = Duration::from_secs(60);
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
    under_way: bool,
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
        self.under_way = false;
        self.conn = None;
    }

    fn is_idle(&self) -> bool {
        !self.under_way && self.conn.is_none()
    }
}

/// This node's calls.
#[derive(Default)]
pub(super) struct Calls {
    dials: BTreeMap<String, Dial>,
    /// Calls of the current burst, and when it began to fade.
    burst: (u32, Moment),
}

impl Calls {
    /// Whether one more call may be made, as far as others are under way or lead to sessions.
    fn has_place(&self) -> bool {
        self.dials.values().filter(|dial| dial.under_way).count() < MAX_DIALLING
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

    fn forget(&mut self, wanted: &BTreeMap<String, usize>) {
        if self.dials.len() > wanted.len().saturating_add(MAX_FORGOTTEN) {
            self.dials.retain(|address, dial| wanted.contains_key(address) || !dial.is_idle());
        }
    }

    fn at(&mut self, conn: ConnectionId) -> impl Iterator<Item = &mut Dial> {
        self.dials.values_mut().filter(move |dial| dial.conn == Some(conn))
    }
}

impl<S: Store> Node<S> {
    /// Addresses worth calling, with how many groups or codes in need each serves: of members of groups
    /// that want sessions, of codes in use, and those seen on the local network.
    fn wanted(&self) -> BTreeMap<String, usize> {
        let mut wanted: BTreeMap<String, usize> = BTreeMap::new();
        let mut want = |address: &String| {
            if !self.listening.contains(address) {
                let groups = wanted.entry(address.clone()).or_default();
                *groups = groups.saturating_add(1);
            }
        };
        for replica in self.replicas.values().filter(|replica| !replica.is_over()) {
            let peers = self.sync.peers().filter(|(_, group, _)| *group == replica.group());
            let here: Vec<DeviceKey> = peers.map(|(_, _, device)| device).collect();
            if here.len() >= NEIGHBOURS.min(replica.view().members.len().saturating_sub(1)) {
                continue;
            }
            let contacts = replica.contacts();
            let absent = contacts.iter().filter(|(device, _)| !here.contains(device));
            absent.map(|(_, address)| address).chain(&self.discovered).for_each(&mut want);
        }
        for join in self.joins.values().filter(|join| join.refused.is_none()) {
            join.joining.code.hints.iter().map(|hint| hint.multiaddr()).for_each(|a| want(&a));
            self.discovered.iter().for_each(&mut want);
        }
        wanted
    }

    pub(super) fn dial(&mut self, now: Timestamp) {
        let now = self.clock.at(now);
        let wanted = self.wanted();
        self.calls.forget(&wanted);
        let mut due = Vec::new();
        for (address, groups) in wanted {
            let dial = *self.calls.dials.entry(address.clone()).or_default();
            if dial.is_idle() && dial.next <= now {
                due.push((dial.failures, Reverse(groups), self.rng.next_u64(), address));
            }
        }
        due.sort_unstable();
        for (.., address) in due {
            if !self.calls.has_place() || self.calls.free_at(now) > now {
                return;
            }
            self.calls.burst.0 = self.calls.burst.0.saturating_add(1);
            self.calls.dials.entry(address.clone()).or_default().under_way = true;
            self.held.push_back(super::Output::Dial(address));
        }
    }

    /// When the next call is due; none while others have to end first.
    pub(super) fn next_dial(&self) -> Option<Moment> {
        if !self.calls.has_place() {
            return None;
        }
        let (calls, since) = self.calls.burst;
        let free = if calls < BURST.0 { Moment::default() } else { since.after(BURST.1) };
        let dials = self.wanted().into_keys().filter_map(|address| self.calls.dials.get(&address));
        dials.filter(|dial| dial.is_idle()).map(|dial| dial.next.max(free)).min()
    }

    pub(super) fn dialled(&mut self, address: Option<&str>, conn: ConnectionId) {
        if let Some(address) = address {
            let dial = self.calls.dials.entry(address.to_owned()).or_default();
            dial.under_way = false;
            dial.conn = Some(conn);
        }
    }

    pub(super) fn dial_failed(&mut self, address: &str, now: Timestamp) {
        let now = self.clock.at(now);
        self.calls.dials.entry(address.to_owned()).or_default().pause(now);
    }

    /// A session with members has opened.
    pub(super) fn answered(&mut self, conn: ConnectionId, now: Timestamp) {
        let now = self.clock.at(now);
        self.calls.at(conn).for_each(|dial| dial.opened = Some(now));
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
        let open = self.calls.dials.get_mut(address).and_then(|dial| dial.conn.take());
        if let Some(conn) = open {
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
