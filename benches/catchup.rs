//! Catch-up of 10,000 messages of 300 bytes: a member comes back and calls another one; both have
//! real stores. Beside it, each over as many entries and for itself: verifying, opening, storing.

use std::time::{Duration, Instant};

use piquet::daemon::{now, profile::os_rng};
use piquet::store::DiskStore;
use piquet_protocol::entry::Entry;
use piquet_protocol::group::seal::Suite;
use piquet_protocol::id::GroupId;
use piquet_protocol::node::Node;
use piquet_protocol::replica::Event;
use piquet_protocol::store::{Batch, Key, Retention, Store, Table};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use crate::laptop::Laptop;
use crate::party::Party;
use crate::peer::{Peer, Socket};
use crate::report::{self, Spans};
use crate::sealed::{Author, text, verify};

const MESSAGES: usize = 10_000;
/// Each side is measured so often in turn; the medians count.
const ROUNDS: usize = 5;
/// Entries that become durable together where storing is measured alone, and where Alice writes.
const TOGETHER: usize = 500;
const GOAL: f64 = 2.0;

fn node(store: DiskStore) -> Node<DiskStore> {
    Node::open(store, Box::new(os_rng()), now()).unwrap()
}

/// Alice founds a group in which Bob is, and speaks while he is away.
fn prepare(alice: &Laptop, bob: &Laptop, address: &str) -> GroupId {
    let mut party = Party::at(node(alice.create()), address, now());
    let group = party.host.create_group("picket", "alice", Suite::Classical, party.now).unwrap();
    let until = party.now.after(Duration::from_secs(86_400));
    let code = party.host.invite(group, 1, until, party.now).unwrap().code.unwrap();
    let mut guest = node(bob.create());
    party.admit(group, &code, "bob", &mut guest);
    for number in 0..MESSAGES {
        party.host.send(group, &text(number), party.now).unwrap();
        if (number + 1).is_multiple_of(TOGETHER) {
            party.host.flush(party.now).unwrap();
        }
    }
    group
}

/// From Bob's start until he has everything, durably.
async fn catch_up(alice: &Laptop, bob: &Laptop, socket: Socket, group: GroupId) -> Duration {
    let (report, mut seen) = mpsc::unbounded_channel();
    let told = vec![socket.address.clone()];
    let at_home = Peer::start(0, node(alice.open()), socket, told, report.clone());
    let back = node(bob.open());
    let socket = Socket::open().await;
    let start = Instant::now();
    let back = Peer::start(1, back, socket, Vec::new(), report);
    let mut messages = 0;
    let end = loop {
        let seen = seen.recv().await.unwrap();
        messages +=
            usize::from(seen.peer == 1 && seen.group == group && matches!(seen.event, Event::Message(_)));
        if messages == MESSAGES {
            break seen.at;
        }
    };
    back.stop().await;
    at_home.stop().await;
    end - start
}

/// The least a store must take of an entry: itself, its place by id, its place on the screen.
fn store_all(entries: &[Entry]) -> Duration {
    let laptop = Laptop::new();
    let mut store = laptop.create();
    let start = Instant::now();
    for some in entries.chunks(TOGETHER) {
        let mut batch = Batch::default();
        for entry in some {
            let seq = u128::from(entry.header().seq);
            let id = entry.id().as_bytes().to_vec();
            let record = [&[0; 81][..], entry.bytes()].concat();
            batch.put(Key::new(Table::Log, *b"log", seq), Retention::Chat, record);
            batch.put(Key::new(Table::Entry, id, 0), Retention::Chat, vec![0; 37]);
            batch.put(Key::new(Table::Timeline, *b"messages", seq << 64), Retention::Chat, vec![0; 37]);
        }
        store.commit(batch).unwrap();
    }
    start.elapsed()
}

fn timed(what: impl FnOnce()) -> Duration {
    let start = Instant::now();
    what();
    start.elapsed()
}

/// One member's absence, and the stages by themselves.
#[derive(Default)]
struct Rounds {
    verifying: Spans,
    opening: Spans,
    storing: Spans,
    total: Spans,
}

impl Rounds {
    fn measure(&mut self, runtime: &Runtime) {
        let (alice, bob) = (Laptop::new(), Laptop::new());
        let socket = runtime.block_on(Socket::open());
        let group = prepare(&alice, &bob, &socket.address);
        let mut author = Author::new(1);
        let entries: Vec<Entry> = (0..MESSAGES).map(|_| author.write()).collect();
        let devices = [author.device()];
        self.verifying.push(timed(|| entries.iter().for_each(|entry| drop(verify(entry.bytes(), &devices)))));
        self.opening.push(timed(|| entries.iter().for_each(|entry| drop(author.open(entry)))));
        self.storing.push(store_all(&entries));
        self.total.push(runtime.block_on(catch_up(&alice, &bob, socket, group)));
    }
}

pub(crate) fn run() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut rounds = Rounds::default();
    (0..ROUNDS).for_each(|_| rounds.measure(&runtime));
    let [verifying, opening, storing, total] =
        [rounds.verifying, rounds.opening, rounds.storing, rounds.total].map(|spans| spans.p50());
    let slowest = verifying.max(opening).max(storing);
    let rate = |span: Duration| {
        format!("{:.0} ms, {:.0}/s", span.as_secs_f64() * 1e3, MESSAGES as f64 / span.as_secs_f64())
    };
    report::title(
        "catch-up: 10,000 messages of 300 bytes, two nodes, loopback, real stores, medians of five",
    );
    report::row("verifying alone, one core", rate(verifying));
    report::row("opening alone", rate(opening));
    report::row("storing alone, 500 at a time", rate(storing));
    report::row("catch-up, with connecting and comparing", rate(total));
    report::goal("catch-up / slowest stage", report::ratio(total, slowest), GOAL);
}
