//! A node at rest: ten groups of 100 members each, made by the core with guests that come in one by
//! one; then the real program runs on that profile, alone, and with one member connected.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use piquet::daemon::{now, profile::os_rng};
use piquet_protocol::group::invite::InviteCode;
use piquet_protocol::group::seal::Suite;
use piquet_protocol::node::Node;
use piquet_protocol::store::MemoryStore;
use piquet_protocol::time::Timestamp;
use tokio::sync::mpsc;

use crate::laptop::{self, Laptop};
use crate::party::Party;
use crate::peer::{Peer, Socket};
use crate::report;

const GROUPS: usize = 10;
const MEMBERS: usize = 100;
const GOAL_MB: f64 = 60.0;
/// Until nothing is left to say, and how long is then looked.
const SETTLE: Duration = Duration::from_secs(10);
const SETTLE_CONNECTED: Duration = Duration::from_secs(150);
const LOOK: Duration = Duration::from_secs(60);

/// A profile whose owner founded ten groups; one group's id.
fn prepare(laptop: &Laptop) -> String {
    // The guests take their time in simulated time: it must not lie ahead of the clock.
    let begin = Timestamp::from_millis(now().as_millis() - 86_400_000);
    let node = Node::open(laptop.create(), Box::new(os_rng()), begin).unwrap();
    let mut party = Party::at(node, "/ip4/127.0.0.1/tcp/9", begin);
    let mut last = String::new();
    for number in 0..GROUPS {
        let name = format!("group {number}");
        let group = party.host.create_group(&name, "alice", Suite::Classical, party.now).unwrap();
        let until = party.now.after(Duration::from_secs(30 * 86_400));
        let uses = u16::try_from(MEMBERS).unwrap();
        let code = party.host.invite(group, uses, until, party.now).unwrap().code.unwrap();
        for _ in 1..MEMBERS {
            party.admit_passing(group, &code);
        }
        assert_eq!(party.host.group(&group).unwrap().members().len(), MEMBERS);
        last = group.to_hex();
    }
    last
}

/// A number of `/proc/PID/status`.
fn status(path: &str, field: &str) -> u64 {
    let text = fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(field));
    line.and_then(|line| line.split_whitespace().nth(1)).map_or(0, |number| number.parse().unwrap())
}

fn resident_mb(pid: u32) -> f64 {
    status(&format!("/proc/{pid}/status"), "VmRSS:") as f64 / 1024.0
}

/// How often each thread of a process has gone to sleep of its own.
fn sleeps(pid: u32) -> BTreeMap<String, u64> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let of = |task: std::io::Result<fs::DirEntry>| {
        let path = task.unwrap().path();
        let count = status(path.join("status").to_str().unwrap(), "voluntary_ctxt_switches:");
        (path.display().to_string(), count)
    };
    tasks.map(of).collect()
}

/// Wake-ups a minute, of all threads together.
fn wake_ups(pid: u32) -> f64 {
    let before = sleeps(pid);
    std::thread::sleep(LOOK);
    let woken: u64 =
        sleeps(pid).iter().map(|(task, count)| count - before.get(task).copied().unwrap_or(0)).sum();
    woken as f64 * 60.0 / LOOK.as_secs_f64()
}

pub(crate) fn run() {
    let mut laptop = Laptop::new();
    let group = prepare(&laptop);
    laptop.up();
    let pid = laptop.pid();
    std::thread::sleep(SETTLE);
    report::title("rest: the daemon with ten groups of 100 members each");
    let resident = resident_mb(pid);
    report::row("alone: wake-ups a minute", wake_ups(pid));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let code = laptop::invite(&mut laptop.client(), &group);
    let (report, _seen) = mpsc::unbounded_channel();
    let guest = runtime.block_on(async {
        let node = Node::open(MemoryStore::new(), Box::new(os_rng()), now()).unwrap();
        let guest = Peer::start(0, node, Socket::open().await, Vec::new(), report);
        guest.ask(move |node| node.join(InviteCode::parse(&code).unwrap(), "bob", now()).unwrap()).await;
        guest
            .until("the guest is in", |node| node.groups().next().is_some() && node.peers().count() == 1)
            .await;
        guest
    });
    std::thread::sleep(SETTLE_CONNECTED);
    report::row("a member connected and quiet: wake-ups a minute", wake_ups(pid));
    report::row("resident then, MB", format_args!("{:.1}", resident_mb(pid)));
    report::goal("resident alone, MB", resident, GOAL_MB);
    runtime.block_on(guest.stop());
}
