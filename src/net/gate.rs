//! Which strangers may connect: bounds in all and by network. Nobody is ever put out to let another
//! in (Y-21). Those who have proven themselves are counted by the sessions, which can say that they are
//! full; a stranger is told nothing.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;

use super::Limits;

/// Most networks whose arrivals are counted: beyond that new networks wait, so that addresses by the
/// thousand cost no memory.
const MAX_NETWORKS: usize = 1024;
/// Over which time arrivals are counted.
const MINUTE: Duration = Duration::from_secs(60);

/// The part of an address that one household or company shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Network {
    V4([u8; 3]),
    V6([u8; 6]),
}

impl Network {
    /// None for addresses that are not counted.
    fn of(address: &Multiaddr, limits: &Limits) -> Option<Self> {
        let ip = address.iter().find_map(|part| match part {
            Protocol::Ip4(ip) => Some(IpAddr::V4(ip)),
            Protocol::Ip6(ip) => Some(IpAddr::V6(ip).to_canonical()),
            _ => None,
        })?;
        match ip {
            _ if ip.is_loopback() && limits.loopback_exempt => None,
            IpAddr::V4(ip) => ip.octets().first_chunk().copied().map(Self::V4),
            IpAddr::V6(ip) => ip.octets().first_chunk().copied().map(Self::V6),
        }
    }
}

/// Counts the strangers who are there.
pub(super) struct Gate<K> {
    limits: Limits,
    strangers: BTreeMap<K, Option<Network>>,
    arrivals: BTreeMap<Network, (Instant, usize)>,
}

impl<K: Ord + Copy> Gate<K> {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, strangers: BTreeMap::new(), arrivals: BTreeMap::new() }
    }

    /// Lets a caller in, or not.
    pub(super) fn admit(&mut self, key: K, address: &Multiaddr, now: Instant) -> bool {
        let network = Network::of(address, &self.limits);
        let full = self.strangers.len() >= self.limits.strangers;
        if full || network.is_some_and(|network| !self.admit_network(network, now)) {
            return false;
        }
        self.strangers.insert(key, network);
        true
    }

    fn admit_network(&mut self, network: Network, now: Instant) -> bool {
        self.arrivals.retain(|_, (since, _)| now.duration_since(*since) < MINUTE);
        if self.arrivals.len() >= MAX_NETWORKS && !self.arrivals.contains_key(&network) {
            return false;
        }
        let (_, count) = self.arrivals.entry(network).or_insert((now, 0));
        *count = count.saturating_add(1);
        let here = self.strangers.values().filter(|other| **other == Some(network)).count();
        *count <= self.limits.arrivals_per_minute && here < self.limits.strangers_per_net
    }

    /// A stranger has gone, or has proven himself.
    pub(super) fn leave(&mut self, key: K) {
        self.strangers.remove(&key);
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
        gate.leave(0);
        assert!(gate.admit(4, &address("127.0.0.1"), now));
        assert!(!gate.admit(5, &address("127.0.0.1"), now));
    }

    #[test]
    fn loopback_is_bounded_in_all_but_not_by_network() {
        let now = Instant::now();
        let admitted = |limits: Limits| {
            let mut gate = Gate::new(limits);
            (0..100).filter(|n| gate.admit(*n, &address("127.0.0.1"), now)).count()
        };
        assert_eq!(admitted(Limits::default()), 64);
        assert_eq!(admitted(Limits { loopback_exempt: false, ..Limits::default() }), 16);
    }

    #[test]
    fn one_household_of_ipv6_is_one_network_however_its_addresses_are_written() {
        let mut gate = Gate::new(Limits { arrivals_per_minute: 1000, ..Limits::default() });
        let now = Instant::now();
        let six = |n: u32| format!("/ip6/2001:db8:7:{n:x}::1/tcp/1").parse().unwrap();
        assert_eq!((0..100).filter(|n| gate.admit(*n, &six(*n), now)).count(), 16);
        let mapped = |n: u32| format!("/ip6/::ffff:192.0.2.{n}/tcp/1").parse().unwrap();
        assert_eq!((0..30).filter(|n| gate.admit(1000 + n, &mapped(*n), now)).count(), 16);
        assert!(!gate.admit(2000, &address("192.0.2.99"), now), "the same network written otherwise");
    }

    #[test]
    fn a_thousand_networks_are_counted_and_no_more() {
        let mut gate = Gate::new(Limits { strangers: usize::MAX, ..Limits::default() });
        let now = Instant::now();
        let from = |n: usize| address(&format!("10.{}.{}.1", n / 250, n % 250));
        assert_eq!((0..5000).filter(|n| gate.admit(*n, &from(*n), now)).count(), MAX_NETWORKS);
        assert_eq!(gate.arrivals.len(), MAX_NETWORKS);
        assert!(gate.admit(9000, &from(4000), now + MINUTE));
    }
}
