//! Twenty nodes in one process, stores in memory, libp2p on loopback: from the author's beginning to
//! make a message until each other node has opened it; beside it the bare tree over the same links,
//! with the author's signature and one verification a node before it forwards.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use piquet::daemon::{now, profile::os_rng};
use piquet_protocol::group::invite::InviteCode;
use piquet_protocol::group::seal::Suite;
use piquet_protocol::id::GroupId;
use piquet_protocol::node::Node;
use piquet_protocol::replica::Event;
use piquet_protocol::store::MemoryStore;
use tokio::sync::mpsc;

use crate::peer::{Peer, Seen, Socket};
use crate::report::{self, Spans};
use crate::sealed::text;
use crate::tree::Tree;

const NODES: usize = 20;
/// Messages in all; of each side so many are measured in turn.
const MESSAGES: usize = 400;
const TURN: usize = 40;
/// Pause after each message.
const PAUSE: Duration = Duration::from_millis(20);
const GOAL: f64 = 2.0;
const GOAL_COPIES: f64 = 1.2;

struct Group {
    id: GroupId,
    peers: Vec<Peer<MemoryStore>>,
    seen: mpsc::UnboundedReceiver<Seen>,
}

impl Group {
    /// All come in by one code, over the network, and find one another.
    async fn gather() -> Self {
        let (report, seen) = mpsc::unbounded_channel();
        let mut peers = Vec::new();
        for number in 0..NODES {
            let socket = Socket::open().await;
            let told = vec![socket.address.clone()];
            let node = Node::open(MemoryStore::new(), Box::new(os_rng()), now()).unwrap();
            peers.push(Peer::start(number, node, socket, told, report.clone()));
        }
        let (id, code) = peers[0]
            .ask(|node| {
                let id = node.create_group("picket", "p0", Suite::Classical, now()).unwrap();
                let until = now().after(Duration::from_secs(86_400));
                (id, node.invite(id, NODES as u16, until, now()).unwrap().code.unwrap())
            })
            .await;
        for (number, peer) in peers.iter().enumerate().skip(1) {
            let code = InviteCode::parse(&code).unwrap();
            peer.ask(move |node| node.join(code, &format!("p{number}"), now()).unwrap()).await;
            peer.until("a member comes in", move |node| node.group(&id).is_some()).await;
        }
        for peer in &peers {
            let known = move |node: &mut Node<MemoryStore>| {
                let names = node.group(&id).unwrap().members().iter().filter(|m| m.name.is_some()).count();
                names == NODES && node.peers().count() >= 3
            };
            peer.until("all know all and have sessions", known).await;
        }
        Self { id, peers, seen }
    }

    /// Who has a session with whom.
    async fn links(&self) -> BTreeSet<(usize, usize)> {
        let id = self.id;
        let mut devices = Vec::new();
        for peer in &self.peers {
            devices.push(peer.ask(move |node| node.group(&id).unwrap().device()).await);
        }
        let mut links = BTreeSet::new();
        for (number, peer) in self.peers.iter().enumerate() {
            let peers: Vec<_> = peer.ask(|node| node.peers().map(|(.., device)| device).collect()).await;
            for device in peers {
                let other = devices.iter().position(|known| *known == device).unwrap();
                links.insert((number.min(other), number.max(other)));
            }
        }
        links
    }

    /// One says something; when it began, and when each other had opened it.
    async fn say(&mut self, author: usize, number: usize) -> Spans {
        let id = self.id;
        let (entry, start) = self.peers[author]
            .ask(move |node| {
                let start = Instant::now();
                (node.send(id, &text(number), now()).unwrap(), start)
            })
            .await;
        let mut opened = Spans::default();
        let mut left: BTreeSet<usize> = (0..NODES).filter(|peer| *peer != author).collect();
        while !left.is_empty() {
            let seen = self.seen.recv().await.unwrap();
            if seen.event == Event::Message(entry) && left.remove(&seen.peer) {
                opened.push(seen.at - start);
            }
        }
        opened
    }

    fn pushed(&self) -> usize {
        self.peers.iter().map(|peer| peer.pushed.load(Ordering::Relaxed)).sum()
    }
}

async fn say_bare(tree: &mut Tree, author: usize) -> Spans {
    let start = tree.say(author).await;
    let mut reached = Spans::default();
    for _ in 1..NODES {
        reached.push(tree.reached.recv().await.unwrap() - start);
    }
    reached
}

async fn measure() {
    let mut group = Group::gather().await;
    let links = group.links().await;
    let mut tree = Tree::grow(NODES, &links).await;
    let (mut opened, mut bare) = (Spans::default(), Spans::default());
    let mut pushed = 0;
    for turn in 0..=MESSAGES / TURN {
        let before = group.pushed();
        for number in 0..TURN {
            let spans = group.say(number * 7 % NODES, turn * TURN + number).await;
            tokio::time::sleep(PAUSE).await;
            // The first turn shapes the trees.
            if turn > 0 {
                opened.extend(spans);
            }
        }
        if turn > 0 {
            pushed += group.pushed() - before;
        }
        for number in 0..TURN {
            let spans = say_bare(&mut tree, number * 7 % NODES).await;
            tokio::time::sleep(PAUSE).await;
            if turn > 0 {
                bare.extend(spans);
            }
        }
    }
    report::title("spread: one 300-byte message among 20 nodes in one process");
    report::row("links", links.len());
    report::row("bare tree with signature and verification", bare.summary());
    report::row("made → opened", opened.summary());
    report::goal("spread / bare tree", report::ratio(opened.p50(), bare.p50()), GOAL);
    let copies = pushed as f64 / (MESSAGES * (NODES - 1)) as f64;
    report::goal("copies a delivery, beacons counted as copies", copies, GOAL_COPIES);
}

pub(crate) fn run() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(measure());
}
