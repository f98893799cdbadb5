//! Bytes on the wire per 300-byte message between two nodes, counted at the TCP socket: entries,
//! framing, Yamux, Noise, acknowledgements and all else of that time. The two talk in turn, so that
//! each message cites the other's last one.

use std::time::Duration;

use piquet::daemon::{now, profile::os_rng};
use piquet_protocol::group::invite::InviteCode;
use piquet_protocol::group::seal::Suite;
use piquet_protocol::id::GroupId;
use piquet_protocol::node::Node;
use piquet_protocol::replica::Event;
use piquet_protocol::store::MemoryStore;
use tokio::sync::mpsc;

use crate::peer::{Peer, Seen, Socket};
use crate::proxy;
use crate::report;
use crate::sealed::text;

const MESSAGES: usize = 1000;
/// Messages at a person's pace, one in 1.2 s.
const SLOW: usize = 25;
const PACE: Duration = Duration::from_millis(1200);
/// 300 bytes and 256 of everything else.
const GOAL: f64 = 556.0;

struct Talk {
    group: GroupId,
    peers: [Peer<MemoryStore>; 2],
    seen: mpsc::UnboundedReceiver<Seen>,
    count: proxy::Counter,
}

impl Talk {
    async fn begin() -> Self {
        let (report, seen) = mpsc::unbounded_channel();
        let sockets = [Socket::open().await, Socket::open().await];
        let port = sockets[0].address.rsplit('/').next().unwrap();
        let (told, count) = proxy::before(format!("127.0.0.1:{port}").parse().unwrap()).await;
        let node = || Node::open(MemoryStore::new(), Box::new(os_rng()), now()).unwrap();
        let [alice, bob] = sockets;
        // Bob tells no address: there is one connection, and it is counted.
        let alice = Peer::start(0, node(), alice, vec![told], report.clone());
        let bob = Peer::start(1, node(), bob, Vec::new(), report);
        let (group, code) = alice
            .ask(|node| {
                let group = node.create_group("picket", "alice", Suite::Classical, now()).unwrap();
                let until = now().after(Duration::from_secs(86_400));
                (group, node.invite(group, 1, until, now()).unwrap().code.unwrap())
            })
            .await;
        bob.ask(move |node| node.join(InviteCode::parse(&code).unwrap(), "bob", now()).unwrap()).await;
        for peer in [&alice, &bob] {
            let known = move |node: &mut Node<MemoryStore>| {
                let named = |node: &Node<MemoryStore>| {
                    node.group(&group).is_some_and(|g| g.members().iter().all(|m| m.name.is_some()))
                };
                named(node) && node.peers().count() == 1
            };
            peer.until("both are in", known).await;
        }
        Self { group, peers: [alice, bob], seen, count }
    }

    async fn say(&mut self, number: usize) {
        let (group, from) = (self.group, number % 2);
        let id = self.peers[from].ask(move |node| node.send(group, &text(number), now()).unwrap()).await;
        loop {
            let seen = self.seen.recv().await.unwrap();
            if seen.peer != from && seen.event == Event::Message(id) {
                return;
            }
        }
    }

    /// Bytes a message, all acknowledgements included.
    async fn measure(&mut self, messages: usize, pace: Duration) -> f64 {
        let quiet = Duration::from_secs(3);
        tokio::time::sleep(quiet).await;
        let before = self.count.bytes();
        for number in 0..messages {
            self.say(number).await;
            tokio::time::sleep(pace).await;
        }
        tokio::time::sleep(quiet).await;
        (self.count.bytes() - before) as f64 / messages as f64
    }
}

async fn measure() {
    let mut talk = Talk::begin().await;
    talk.measure(20, Duration::ZERO).await;
    let quick = talk.measure(MESSAGES, Duration::ZERO).await;
    let slow = talk.measure(SLOW, PACE).await;
    report::title("wire: bytes per 300-byte message with one cite, both directions, at the TCP socket");
    report::goal("1,000 messages in one session", quick, GOAL);
    report::row("25 at a person's pace, each acknowledged by itself", format_args!("{slow:.0}"));
}

pub(crate) fn run() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(measure());
}
