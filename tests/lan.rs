//! Laptops on a switch of their own: network namespaces with no way out, and no default route.

use std::io::Write;
use std::os::fd::AsFd;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// A switch and the laptops plugged into it.
pub(crate) struct Lan {
    name: String,
    stations: usize,
}

fn ip(args: &str) -> bool {
    let output = Command::new("ip").args(args.split_whitespace()).output();
    output.is_ok_and(|output| output.status.success())
}

fn must(args: &str) {
    let output = Command::new("ip").args(args.split_whitespace()).output().unwrap();
    assert!(output.status.success(), "ip {args}: {}", String::from_utf8_lossy(&output.stderr));
}

impl Lan {
    /// None, said on the terminal, where namespaces can't be made.
    pub(crate) fn new(test: &str) -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("pq{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let lan = Self { name, stations: 0 };
        if ip(&format!("netns add {}-hub", lan.name))
            && ip(&format!("-n {}-hub link add br0 type bridge", lan.name))
        {
            must(&format!("-n {}-hub link set br0 up", lan.name));
            return Some(lan);
        }
        // Past the test harness, which keeps what passing tests print to itself.
        let said = writeln!(std::io::stderr(), "SKIPPED {test}: network namespaces can't be made here");
        said.unwrap();
        None
    }

    fn space(&self, station: usize) -> String {
        format!("{}-{station}", self.name)
    }

    /// Plugs a laptop in, and says by what its commands are to be run.
    pub(crate) fn plug(&mut self) -> (usize, Vec<String>) {
        let (station, hub) = (self.stations, format!("{}-hub", self.name));
        let space = self.space(station);
        self.stations += 1;
        must(&format!("netns add {space}"));
        must(&format!("-n {space} link add eth0 type veth peer name p{station} netns {hub}"));
        must(&format!("-n {hub} link set p{station} master br0"));
        must(&format!("-n {hub} link set p{station} up"));
        must(&format!("-n {space} link set lo up"));
        must(&format!("-n {space} link set eth0 up"));
        must(&format!("-n {space} addr add {}/24 dev eth0", Self::address(station)));
        (station, ["ip", "netns", "exec", &space].map(str::to_owned).to_vec())
    }

    pub(crate) fn address(station: usize) -> String {
        format!("10.77.0.{}", station + 1)
    }

    /// Gives a laptop one more address, or takes one away.
    pub(crate) fn address_of(&self, station: usize, change: &str, address: &str) {
        must(&format!("-n {} addr {change} {address} dev eth0", self.space(station)));
    }

    /// Makes a laptop the way to wherever else the others want to go, and there is nothing it is not.
    pub(crate) fn answers_for_the_world(&self, station: usize) {
        must(&format!("-n {} route add local default dev lo", self.space(station)));
        for other in (0..self.stations).filter(|other| *other != station) {
            let space = self.space(other);
            must(&format!("-n {space} route add default via {}", Self::address(station)));
        }
    }

    /// Pulls or plugs a laptop's cable.
    pub(crate) fn cable(&self, station: usize, plugged: bool) {
        let state = if plugged { "up" } else { "down" };
        must(&format!("-n {}-hub link set p{station} {state}", self.name));
    }

    /// Runs something in a thread that stands where a laptop stands.
    pub(crate) fn at<R: Send>(&self, station: usize, work: impl FnOnce() -> R + Send) -> R {
        let space = std::fs::File::open(format!("/run/netns/{}", self.space(station))).unwrap();
        std::thread::scope(|scope| {
            let there = scope.spawn(move || {
                move_into_link_name_space(space.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
                work()
            });
            there.join().unwrap()
        })
    }
}

impl Drop for Lan {
    fn drop(&mut self) {
        for station in 0..self.stations {
            ip(&format!("netns del {}", self.space(station)));
        }
        ip(&format!("netns del {}-hub", self.name));
    }
}
