//! Where a node listens, and what others are told of it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;

use super::Engine;
use crate::control::Failure;
use crate::net::{Listen, Ports};

/// Where somebody said to listen.
pub(super) fn said(listen: &[String]) -> Result<Listen, Failure> {
    let read = |text: &String| text.parse().map_err(|_| Failure::new("bad_address", 1).with("address", text));
    listen.iter().map(read).collect::<Result<_, _>>().map(Listen::At)
}

/// The ports of the last start; a record that can't be read costs no more than other ports.
pub(super) fn last_ports(engine: &Engine) -> Ports {
    let [v4, v6] = engine.node.ports().unwrap_or_default();
    Ports { v4, v6 }
}

/// Takes note of the port of an address.
pub(super) fn note_port(ports: &mut Ports, address: &Multiaddr) {
    match parts(address) {
        Some((IpAddr::V4(_), port)) => ports.v4 = port,
        Some((IpAddr::V6(_), port)) => ports.v6 = port,
        None => {}
    }
}

/// What others may reach this node at, the most promising first: a code has room for two. Loopback only if there
/// is nothing else.
pub(super) fn worth_telling(listening: &[String]) -> Vec<String> {
    let known = listening.iter().filter_map(|text| Some((reach(parts(&text.parse().ok()?)?.0)?, text)));
    let mut known: Vec<(Reach, &String)> = known.collect();
    known.sort_by_key(|(reach, _)| *reach);
    let far = known.iter().filter(|(reach, _)| *reach != Reach::Machine).count();
    known.truncate(if far == 0 { known.len() } else { far });
    known.into_iter().map(|(_, text)| text.clone()).collect()
}

fn parts(address: &Multiaddr) -> Option<(IpAddr, u16)> {
    let mut parts = address.iter();
    let ip = match parts.next()? {
        Protocol::Ip4(ip) => IpAddr::V4(ip),
        Protocol::Ip6(ip) => IpAddr::V6(ip),
        _ => return None,
    };
    match parts.next()? {
        Protocol::Tcp(port) => Some((ip, port)),
        _ => None,
    }
}

/// From how far away an address may be reached, the farthest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    World,
    /// As far as the world speaks IPv6.
    NewWorld,
    Network,
    /// Networks that often are of one machine: of containers, of carriers.
    Odd,
    Machine,
}

/// `None` for what leads nowhere by itself: link-local addresses need to be told on which cable.
fn reach(ip: IpAddr) -> Option<Reach> {
    match ip {
        IpAddr::V4(ip) if ip.is_loopback() => Some(Reach::Machine),
        IpAddr::V4(ip) if ip.is_link_local() || ip.is_unspecified() || ip.is_multicast() => None,
        IpAddr::V4(ip) if is_odd(ip) => Some(Reach::Odd),
        IpAddr::V4(ip) if ip.is_private() => Some(Reach::Network),
        IpAddr::V4(_) => Some(Reach::World),
        IpAddr::V6(ip) if ip.is_loopback() => Some(Reach::Machine),
        IpAddr::V6(ip) if is_link_local(ip) || ip.is_unspecified() || ip.is_multicast() => None,
        IpAddr::V6(ip) if ip.is_unique_local() => Some(Reach::Odd),
        IpAddr::V6(_) => Some(Reach::NewWorld),
    }
}

/// 172.16.0.0/12, where container engines live, and the 100.64.0.0/10 of carriers (RFC 6598).
fn is_odd(ip: Ipv4Addr) -> bool {
    let [first, second, ..] = ip.octets();
    first == 172 && second & 0xf0 == 16 || first == 100 && second & 0xc0 == 64
}

fn is_link_local(ip: Ipv6Addr) -> bool {
    ip.segments().first().is_some_and(|first| first & 0xffc0 == 0xfe80)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(listening: &[&str]) -> Vec<String> {
        let all: Vec<String> = listening.iter().map(|ip| format!("/{ip}/tcp/4001")).collect();
        let strip = |text: String| text.trim_end_matches("/tcp/4001").trim_start_matches('/').to_owned();
        worth_telling(&all).into_iter().map(strip).collect()
    }

    #[test]
    fn what_leads_farthest_is_told_first_and_what_leads_nowhere_is_not() {
        let laptop = [
            "ip4/127.0.0.1",
            "ip4/172.17.0.1",
            "ip4/192.168.1.5",
            "ip4/169.254.3.4",
            "ip6/::1",
            "ip6/fe80::1",
            "ip6/2001:db8::5",
        ];
        assert_eq!(told(&laptop), ["ip6/2001:db8::5", "ip4/192.168.1.5", "ip4/172.17.0.1"]);
        assert_eq!(told(&["ip4/10.0.0.2", "ip4/198.51.100.7"]), ["ip4/198.51.100.7", "ip4/10.0.0.2"]);
    }

    #[test]
    fn alone_on_the_machine_loopback_is_told() {
        assert_eq!(told(&["ip4/127.0.0.1", "ip6/fe80::1"]), ["ip4/127.0.0.1"]);
        assert_eq!(told(&[]), [""; 0]);
    }

    #[test]
    fn each_kind_of_address_has_its_port() {
        let mut ports = Ports::default();
        for address in ["/ip4/10.0.0.2/tcp/1111", "/ip6/::1/tcp/2222", "/dns/example/tcp/3333"] {
            note_port(&mut ports, &address.parse().unwrap());
        }
        assert_eq!(ports, Ports { v4: 1111, v6: 2222 });
    }
}
