//! One 300-byte message between two nodes: two processes, libp2p on loopback, stores that sync.
//!
//! From asking the author's node to send until the other node has told its terminal: the front end's
//! socket, sealing, a durable write there, the network, verifying, opening, a durable write here.

use std::time::{Duration, Instant};

use piquet::control::client::Client;
use piquet::control::{Reply, Request};

use crate::bare::{Journal, Stream};
use crate::laptop::{self, Laptop};
use crate::report::{self, Spans};
use crate::sealed::{Author, text, verify};

/// Messages in all; of each side so many are measured in turn.
const MESSAGES: usize = 1000;
const TURN: usize = 50;
const GOAL: f64 = 3.0;

/// What a delivery can't do without.
struct Bare {
    stream: Stream,
    author: Author,
    journal: Journal,
    round_trip: Spans,
    seal: Spans,
    open: Spans,
    write: Spans,
}

impl Bare {
    fn new(folder: &std::path::Path) -> Self {
        let mut author = Author::new(1);
        let size = author.write().bytes().len();
        Self {
            stream: Stream::open(size),
            author,
            journal: Journal::in_folder(folder),
            round_trip: Spans::default(),
            seal: Spans::default(),
            open: Spans::default(),
            write: Spans::default(),
        }
    }

    fn measure(&mut self) {
        self.round_trip.push(self.stream.round_trip());
        let start = Instant::now();
        let entry = self.author.write();
        self.seal.push(start.elapsed());
        let start = Instant::now();
        self.author.open(&verify(entry.bytes(), &[self.author.device()]));
        self.open.push(start.elapsed());
        let start = Instant::now();
        self.journal.write(entry.bytes());
        self.write.push(start.elapsed());
    }

    fn sum(&self) -> Duration {
        self.round_trip.p50() + self.seal.p50() + self.open.p50() + self.write.p50()
    }
}

/// Sends one message; time until it was acknowledged, and until it arrived.
fn deliver(client: &mut Client, group: &str, number: usize, bob: &Laptop) -> (Duration, Duration) {
    let request = Request::Send { group: group.to_owned(), text: text(number) };
    let start = Instant::now();
    let Reply::Message { .. } = laptop::one(client, &request) else { panic!("not sent") };
    let acknowledged = start.elapsed();
    let (arrived, event) = bob.event("message");
    assert_eq!(event["text"], text(number));
    (acknowledged, arrived - start)
}

pub(crate) fn run() {
    let (mut alice, mut bob) = (Laptop::new(), Laptop::new());
    for laptop in [&mut alice, &mut bob] {
        drop(laptop.create());
        laptop.up();
    }
    let group = laptop::pair(&alice, &bob);
    let mut client = alice.client();
    for number in 0..TURN {
        deliver(&mut client, &group, number, &bob);
    }
    let folder = tempfile::tempdir().unwrap();
    let mut bare = Bare::new(folder.path());
    let (mut acknowledged, mut delivered) = (Spans::default(), Spans::default());
    for turn in 0..MESSAGES / TURN {
        for number in 0..TURN {
            let (ack, arrival) = deliver(&mut client, &group, turn * TURN + number, &bob);
            acknowledged.push(ack);
            delivered.push(arrival);
        }
        (0..TURN).for_each(|_| bare.measure());
    }
    report::title("delivery: one 300-byte message, two processes, loopback, real stores");
    report::row("libp2p stream, there and back", bare.round_trip.summary());
    report::row("seal and sign", bare.seal.summary());
    report::row("verify and open", bare.open.summary());
    report::row("one durable write", bare.write.summary());
    report::row("sum", report::us(bare.sum()));
    report::row("asked to send → durable and acknowledged", acknowledged.summary());
    report::row("asked to send → shown at the other node", delivered.summary());
    report::goal("delivery / sum", report::ratio(delivered.p50(), bare.sum()), GOAL);
}
