//! Which strangers may connect: bounds in all and by network. Nobody is ever put out to let another
//! in (Y-21). Those who have proven themselves are counted by the sessions, which can say that they are
//! full; a stranger is told nothing.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;

use super::Limits;

/// Most networks whose arrivals are counted, and most addresses that were let in of late: beyond that new
/// ones wait, so that addresses by the thousand cost no memory.
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
    fn of(ip: IpAddr) -> Option<Self> {
        match ip {
            IpAddr::V4(ip) => ip.octets().first_chunk().copied().map(Self::V4),
            IpAddr::V6(ip) => ip.octets().first_chunk().copied().map(Self::V6),
        }
    }
}

/// Where a call comes from; none if calls from there are not counted. Of an IPv6 address only what
/// its owner can't choose at will.
fn source(address: &Multiaddr, limits: &Limits) -> Option<IpAddr> {
    let ip = address.iter().find_map(|part| match part {
        Protocol::Ip4(ip) => Some(IpAddr::V4(ip)),
        Protocol::Ip6(ip) => Some(IpAddr::V6(ip).to_canonical()),
        _ => None,
    })?;
    match ip {
        _ if ip.is_loopback() && limits.loopback_exempt => None,
        IpAddr::V4(_) => Some(ip),
        IpAddr::V6(ip) => Some(Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64).into()),
    }
}

/// Counts the strangers who are there.
pub(super) struct Gate<K> {
    limits: Limits,
    strangers: BTreeMap<K, Option<Network>>,
    arrivals: BTreeMap<Network, (Instant, usize)>,
    /// Who was let in last from an address, and when, if it has not proven itself since.
    attempts: BTreeMap<IpAddr, (Instant, K)>,
}

impl<K: Ord + Copy> Gate<K> {
    pub(super) fn new(limits: Limits) -> Self {
        let (strangers, arrivals, attempts) = Default::default();
        Self { limits, strangers, arrivals, attempts }
    }

    /// Lets a caller in, or not.
    pub(super) fn admit(&mut self, key: K, address: &Multiaddr, now: Instant) -> bool {
        let source = source(address, &self.limits);
        let network = source.and_then(Network::of);
        let full = self.strangers.len() >= self.limits.strangers;
        if full
            || source.is_some_and(|source| !self.may_try(source, now))
            || network.is_some_and(|network| !self.admit_network(network, now))
        {
            return false;
        }
        self.attempts.extend(source.map(|source| (source, (now, key))));
        self.strangers.insert(key, network);
        true
    }

    /// One attempt in a while to be taken for a member: guessing, and keeping this node busy with
    /// guesses, gets nobody far.
    fn may_try(&mut self, source: IpAddr, now: Instant) -> bool {
        let pause = self.limits.attempt_pause;
        self.attempts.retain(|_, (at, _)| now.duration_since(*at) < pause);
        self.attempts.len() < MAX_NETWORKS && !self.attempts.contains_key(&source)
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

    /// A stranger has gone.
    pub(super) fn leave(&mut self, key: K) {
        self.strangers.remove(&key);
    }

    /// A stranger has proven himself: others from where he is need not wait.
    pub(super) fn trust(&mut self, key: K) {
        self.leave(key);
        self.attempts.retain(|_, (_, last)| *last != key);
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
            admitted += usize::from(gate.admit(n, &address(&format!("192.0.2.{n}")), now));
            gate.leave(n);
        }
        assert_eq!(admitted, 30);
        assert!(gate.admit(1000, &address("192.0.2.1"), now + Duration::from_secs(61)));
    }

    #[test]
    fn a_stranger_tries_once_a_second_and_whoever_proves_himself_makes_nobody_wait() {
        let mut gate = Gate::new(Limits::default());
        let (begin, tenth) = (Instant::now(), Duration::from_millis(100));
        let tries = |gate: &mut Gate<u32>, n: u32| {
            let admitted = gate.admit(n, &address("192.0.2.1"), begin + tenth * n);
            gate.leave(n);
            admitted
        };
        assert_eq!(
            (0..100).filter(|n| tries(&mut gate, *n)).collect::<Vec<_>>(),
            [0, 10, 20, 30, 40, 50, 60, 70, 80, 90]
        );
        let now = begin + tenth * 200;
        assert!(gate.admit(200, &address("192.0.2.1"), now));
        assert!(gate.admit(201, &address("192.0.2.2"), now), "a neighbour's turn is his own");
        gate.trust(201);
        assert!(!gate.admit(202, &address("192.0.2.1"), now));
        gate.trust(200);
        assert!(gate.admit(203, &address("192.0.2.1"), now));
        let six = |n: u32| format!("/ip6/2001:db8:7:1::{n:x}/tcp/1").parse().unwrap();
        assert_eq!((300..310).filter(|n| gate.admit(*n, &six(*n), now)).count(), 1, "addresses are cheap");
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
            (0..100).filter(|n| gate.admit(*n, &address(&format!("127.0.0.{n}")), now)).count()
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
