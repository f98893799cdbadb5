//! The bare tree: nodes that forward signed bytes over the product's transport, and prune who brings
//! what is here already. No group, no logs, no keys, no store.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use piquet::net::{self, Conn, Net};
use piquet_protocol::entry::UnverifiedEntry;
use piquet_protocol::id::DeviceKey;
use tokio::sync::{mpsc, oneshot};

use crate::peer::Socket;
use crate::sealed::{Author, verify};

/// A frame with an entry, and one that asks for no more.
const ENTRY: u8 = 0;
const PRUNE: u8 = 1;

/// Where a node is to tell when it began to make a message.
type Say = oneshot::Sender<Instant>;

struct Branch {
    net: Net,
    author: Author,
    authors: Arc<Vec<DeviceKey>>,
    /// Who is connected, and whether to send there.
    eager: BTreeMap<Conn, bool>,
    seen: BTreeSet<([u8; 8], u32)>,
    reached: mpsc::UnboundedSender<Instant>,
}

/// Nodes with given links.
pub(crate) struct Tree {
    nodes: Vec<mpsc::UnboundedSender<Say>>,
    /// When nodes had verified a message.
    pub(crate) reached: mpsc::UnboundedReceiver<Instant>,
}

impl Tree {
    /// As many nodes as needed for these links.
    pub(crate) async fn grow(size: usize, links: &BTreeSet<(usize, usize)>) -> Self {
        let authors: Vec<Author> = (0..size).map(|n| Author::new(u8::try_from(n).unwrap())).collect();
        let known = Arc::new(authors.iter().map(Author::device).collect::<Vec<_>>());
        let (reached, reports) = mpsc::unbounded_channel();
        let mut sockets = Vec::new();
        for _ in 0..size {
            sockets.push(Socket::open().await);
        }
        let addresses: Vec<String> = sockets.iter().map(|socket| socket.address.clone()).collect();
        for (from, to) in links {
            sockets[*from].net.dial(addresses[*to].parse().unwrap());
        }
        let mut nodes = Vec::new();
        for (number, (socket, author)) in sockets.into_iter().zip(authors).enumerate() {
            let (says, asked) = mpsc::unbounded_channel();
            let degree = links.iter().filter(|(from, to)| *from == number || *to == number).count();
            let branch = Branch {
                net: socket.net,
                author,
                authors: known.clone(),
                eager: BTreeMap::new(),
                seen: BTreeSet::new(),
                reached: reached.clone(),
            };
            let (connected, ready) = oneshot::channel();
            tokio::spawn(branch.run(socket.events, asked, degree, connected));
            nodes.push((says, ready));
        }
        let mut says = Vec::new();
        for (node, ready) in nodes {
            ready.await.unwrap();
            says.push(node);
        }
        Self { nodes: says, reached: reports }
    }

    /// One node says something.
    pub(crate) async fn say(&self, node: usize) -> Instant {
        let (say, said) = oneshot::channel();
        self.nodes[node].send(say).unwrap();
        said.await.unwrap()
    }
}

impl Branch {
    async fn run(
        mut self,
        mut events: mpsc::Receiver<net::Event>,
        mut asked: mpsc::UnboundedReceiver<Say>,
        degree: usize,
        connected: oneshot::Sender<()>,
    ) {
        let mut connected = Some(connected);
        loop {
            tokio::select! {
                event = events.recv() => match event.unwrap() {
                    net::Event::Connected { conn, .. } => {
                        self.net.trust(conn);
                        self.eager.insert(conn, true);
                        if self.eager.len() == degree {
                            connected.take().unwrap().send(()).unwrap();
                        }
                    }
                    net::Event::Frame(conn, frame) => self.take(conn, &frame),
                    net::Event::Closed(_) => panic!("a link broke"),
                    _ => {}
                },
                say = asked.recv() => match say {
                    Some(say) => self.say(say),
                    None => return,
                }
            }
        }
    }

    fn say(&mut self, say: Say) {
        let start = Instant::now();
        let entry = self.author.write();
        self.seen.insert((entry.header().author_hint, entry.header().seq));
        self.forward(None, &[&[ENTRY], entry.bytes()].concat());
        say.send(start).unwrap();
    }

    fn take(&mut self, from: Conn, frame: &[u8]) {
        if frame[0] == PRUNE {
            self.eager.insert(from, false);
            return;
        }
        let header = UnverifiedEntry::decode(&frame[1..]).unwrap().header().clone();
        if !self.seen.insert((header.author_hint, header.seq)) {
            // Neither way is needed: what is left of the links is one tree for all authors.
            self.eager.insert(from, false);
            self.net.send(from, vec![PRUNE]).unwrap();
            return;
        }
        verify(&frame[1..], &self.authors);
        self.forward(Some(from), frame);
        // Whoever counts may have gone.
        let _ = self.reached.send(Instant::now());
    }

    fn forward(&self, from: Option<Conn>, frame: &[u8]) {
        for (conn, _) in self.eager.iter().filter(|(conn, eager)| **eager && Some(**conn) != from) {
            self.net.send(*conn, frame.to_vec()).unwrap();
        }
    }
}
