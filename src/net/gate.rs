//! Who may connect: bounds on strangers, in all and by network, and on peers in all. Nobody is ever
//! put out to let another in (Y-21).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;

/// Bounds of one node's network.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Strangers at once.
    pub strangers: usize,
    /// Strangers at once from one /24 (IPv4) or /48 (IPv6); loopback is exempt.
    pub strangers_per_net: usize,
    /// New connections a minute from one such network; loopback is exempt.
    pub arrivals_per_minute: usize,
    /// How long a stranger may stay.
    pub stranger_time: Duration,
    /// Bytes taken from a stranger.
    pub stranger_bytes: usize,
    /// Peers in all.
    pub peers: usize,
    /// Bytes queued for a peer that does not read.
    pub queue: usize,
    /// Silence after which the dialler sends a keep-alive.
    pub keep_alive: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            strangers: 64,
            strangers_per_net: 16,
            arrivals_per_minute: 30,
            stranger_time: Duration::from_secs(10),
            stranger_bytes: 18 * 1024,
            peers: 96,
            queue: 4 << 20,
            keep_alive: Duration::from_secs(120),
        }
    }
}

/// The part of an address that one household or company shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Network {
    V4([u8; 3]),
    V6([u8; 6]),
}

fn network(address: &Multiaddr) -> Option<Network> {
    let ip = address.iter().find_map(|part| match part {
        Protocol::Ip4(ip) => Some(IpAddr::V4(ip)),
        Protocol::Ip6(ip) => Some(IpAddr::V6(ip)),
        _ => None,
    })?;
    match ip {
        _ if ip.is_loopback() => None,
        IpAddr::V4(ip) => ip.octets().first_chunk().copied().map(Network::V4),
        IpAddr::V6(ip) => ip.octets().first_chunk().copied().map(Network::V6),
    }
}

/// Counts who is there.
pub(super) struct Gate<K> {
    limits: Limits,
    strangers: BTreeMap<K, Option<Network>>,
    trusted: BTreeMap<K, ()>,
    arrivals: BTreeMap<Network, (Instant, usize)>,
}

impl<K: Ord + Copy> Gate<K> {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, strangers: BTreeMap::new(), trusted: BTreeMap::new(), arrivals: BTreeMap::new() }
    }

    /// Lets a caller in, or not.
    pub(super) fn admit(&mut self, key: K, address: &Multiaddr, now: Instant) -> bool {
        let network = network(address);
        let full = self.strangers.len() >= self.limits.strangers
            || self.strangers.len() + self.trusted.len() >= self.limits.peers.max(self.limits.strangers);
        if full || network.is_some_and(|network| !self.admit_network(network, now)) {
            return false;
        }
        self.strangers.insert(key, network);
        true
    }

    fn admit_network(&mut self, network: Network, now: Instant) -> bool {
        self.arrivals.retain(|_, (since, _)| now.duration_since(*since) < Duration::from_secs(60));
        let (_, count) = self.arrivals.entry(network).or_insert((now, 0));
        *count += 1;
        let here = self.strangers.values().filter(|other| **other == Some(network)).count();
        *count <= self.limits.arrivals_per_minute && here < self.limits.strangers_per_net
    }

    /// A stranger has proven itself.
    pub(super) fn trust(&mut self, key: K) {
        if self.strangers.remove(&key).is_some() {
            self.trusted.insert(key, ());
        }
    }

    /// Somebody has gone.
    pub(super) fn leave(&mut self, key: K) {
        self.strangers.remove(&key);
        self.trusted.remove(&key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(ip: &str) -> Multiaddr {
        format!("/ip4/{ip}/tcp/1").parse().unwrap()
    }

    #[test]
    fn one_network_can_not_take_all_places() {
        let mut gate = Gate::new(Limits { arrivals_per_minute: 1000, ..Limits::default() });
        let now = Instant::now();
        let admitted = (0..100).filter(|n| gate.admit(*n, &address(&format!("192.0.2.{n}")), now)).count();
        assert_eq!(admitted, 16);
        assert!(gate.admit(1000, &address("198.51.100.1"), now), "another network still gets in");
    }

    #[test]
    fn callers_are_slowed_down_even_if_they_leave_at_once() {
        let mut gate = Gate::new(Limits::default());
        let now = Instant::now();
        let mut admitted = 0;
        for n in 0..100 {
            admitted += usize::from(gate.admit(n, &address("192.0.2.1"), now));
            gate.leave(n);
        }
        assert_eq!(admitted, 30);
        assert!(gate.admit(1000, &address("192.0.2.1"), now + Duration::from_secs(61)));
    }

    #[test]
    fn the_full_house_refuses_and_keeps_who_is_there() {
        let mut gate = Gate::new(Limits { strangers: 3, ..Limits::default() });
        let now = Instant::now();
        for n in 0..3 {
            assert!(gate.admit(n, &address("127.0.0.1"), now));
        }
        assert!(!gate.admit(3, &address("127.0.0.1"), now));
        gate.trust(0);
        assert!(gate.admit(4, &address("127.0.0.1"), now), "a proven peer is no stranger");
        gate.leave(4);
        assert!(gate.admit(5, &address("127.0.0.1"), now));
    }
}
