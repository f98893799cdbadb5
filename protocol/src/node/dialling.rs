//! Whom to call: the roster is the address book (spec sync, Y-19).

use std::time::Duration;

use super::Node;
use crate::id::DeviceKey;
use crate::store::Store;
use crate::sync::ConnectionId;
use crate::time::Timestamp;

/// Sessions a group wants of this node's own making.
const NEIGHBOURS: usize = 5;
/// Most addresses called at once.
const MAX_DIALLING: usize = 8;
/// First and longest pause between calls to an address that does not answer.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(300));

/// What is known of calling one address.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Dial {
    next: Timestamp,
    failures: u32,
    under_way: bool,
    conn: Option<ConnectionId>,
}

impl Dial {
    fn pause(&mut self, now: Timestamp) {
        let (first, longest) = PAUSE;
        let pause = first.saturating_mul(1 << self.failures.min(9)).min(longest);
        self.failures = self.failures.saturating_add(1);
        self.next = now.after(pause);
        self.under_way = false;
        self.conn = None;
    }
}

impl<S: Store> Node<S> {
    /// Addresses worth calling: of members of groups that want sessions, of codes in use, and those
    /// seen on the local network while one of either is wanted.
    fn wanted(&self) -> Vec<String> {
        let mut wanted = Vec::new();
        for replica in self.replicas.values().filter(|replica| !replica.is_over()) {
            let here: Vec<DeviceKey> = self
                .sync
                .peers()
                .filter(|(_, group, _)| *group == replica.group())
                .map(|(_, _, device)| device)
                .collect();
            if here.len() >= NEIGHBOURS.min(replica.view().members.len().saturating_sub(1)) {
                continue;
            }
            let absent = replica.contacts().into_iter().filter(|(device, _)| !here.contains(device));
            wanted.extend(absent.map(|(_, address)| address));
            wanted.extend(self.discovered.iter().cloned());
        }
        for join in self.joins.values().filter(|join| join.refused.is_none()) {
            wanted.extend(join.joining.code.hints.iter().map(|hint| hint.multiaddr()));
            wanted.extend(self.discovered.iter().cloned());
        }
        wanted.retain(|address| !self.listening.contains(address));
        wanted.sort();
        wanted.dedup();
        wanted
    }

    pub(super) fn dial(&mut self, now: Timestamp) {
        for address in self.wanted() {
            let busy = self.dials.values().filter(|dial| dial.under_way).count();
            let dial = self.dials.entry(address.clone()).or_default();
            if busy < MAX_DIALLING && !dial.under_way && dial.conn.is_none() && dial.next <= now {
                dial.under_way = true;
                self.held.push_back(super::Output::Dial(address));
            }
        }
    }

    pub(super) fn next_dial(&self) -> Option<Timestamp> {
        let idle = |dial: &&Dial| !dial.under_way && dial.conn.is_none();
        self.wanted()
            .iter()
            .filter_map(|address| self.dials.get(address))
            .filter(idle)
            .map(|dial| dial.next)
            .min()
    }

    pub(super) fn dialled(&mut self, address: Option<&str>, conn: ConnectionId) {
        if let Some(address) = address {
            let dial = self.dials.entry(address.to_owned()).or_default();
            dial.under_way = false;
            dial.conn = Some(conn);
        }
    }

    pub(super) fn dial_failed(&mut self, address: &str, now: Timestamp) {
        self.dials.entry(address.to_owned()).or_default().pause(now);
    }

    /// A connection is gone: its address waits before it is called again, less long if a session
    /// had opened.
    pub(super) fn hung_up(&mut self, conn: ConnectionId, now: Timestamp) {
        for dial in self.dials.values_mut().filter(|dial| dial.conn == Some(conn)) {
            dial.pause(now);
        }
    }

    /// A code may open something at an address: what is connected there is called again, since a door
    /// is shown when calling only.
    pub(super) fn call_again(&mut self, address: &str, now: Timestamp) {
        let open = self.dials.get_mut(address).and_then(|dial| dial.conn.take());
        if let Some(conn) = open {
            self.sync.closed(conn);
            self.held.push_back(super::Output::Close(conn));
        }
        self.dial_soon(address, now);
    }

    /// Something new is to be had at an address: call it without waiting.
    pub(super) fn dial_soon(&mut self, address: &str, now: Timestamp) {
        let dial = self.dials.entry(address.to_owned()).or_default();
        dial.failures = 0;
        dial.next = now;
    }

    /// A session with members has opened at an address: it is worth calling again soon.
    pub(super) fn listen(&mut self, addresses: Vec<String>, now: Timestamp) {
        if self.listening == addresses {
            return;
        }
        self.listening = addresses;
        let groups: Vec<_> = self.replicas.keys().copied().collect();
        for group in groups {
            self.plan_beacon(group, now);
        }
    }
}
