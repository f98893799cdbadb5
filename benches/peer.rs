//! A node on the real network, without a daemon around it: the daemon's loop over any store.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use piquet::daemon::now;
use piquet::net::{self, Config, Limits, Listen, Net};
use piquet_protocol::id::GroupId;
use piquet_protocol::node::{Input, Node, Output};
use piquet_protocol::replica::Event;
use piquet_protocol::store::Store;
use piquet_protocol::sync::{Connected, ConnectionId, ROOM};
use tokio::sync::{mpsc, oneshot};

/// Inputs taken before they are made durable together, as the daemon does.
const ROUND: usize = 64;
/// First byte of a frame with one pushed entry.
const ENTRY: u8 = 11;
/// Longest wait for anything.
const SOON: Duration = Duration::from_secs(120);

type Work<S> = Box<dyn FnOnce(&mut Node<S>) + Send>;

/// Something that happened at a peer.
pub(crate) struct Seen {
    pub(crate) peer: usize,
    pub(crate) group: GroupId,
    pub(crate) event: Event,
    pub(crate) at: Instant,
}

/// A network that listens already, so that its address can be told.
pub(crate) struct Socket {
    pub(crate) net: Net,
    pub(crate) events: mpsc::Receiver<net::Event>,
    pub(crate) address: String,
}

impl Socket {
    pub(crate) async fn open() -> Self {
        let listen = Listen::At(vec!["/ip4/127.0.0.1/tcp/0".parse().unwrap()]);
        let config = Config { listen, lan: false, limits: Limits::default() };
        let (net, mut events) = Net::start(config).await.unwrap();
        let Some(net::Event::Listening(address)) = events.recv().await else { panic!("no address") };
        Self { net, events, address: address.to_string() }
    }
}

/// A running node.
pub(crate) struct Peer<S: Store> {
    work: mpsc::UnboundedSender<Work<S>>,
    /// Frames with a pushed entry that came in.
    pub(crate) pushed: Arc<AtomicUsize>,
    running: tokio::task::JoinHandle<()>,
}

impl<S: Store + Send + 'static> Peer<S> {
    /// Runs a node; it tells members that it listens at `told`.
    pub(crate) fn start(
        number: usize,
        node: Node<S>,
        socket: Socket,
        told: Vec<String>,
        seen: mpsc::UnboundedSender<Seen>,
    ) -> Self {
        let (work, asked) = mpsc::unbounded_channel();
        let pushed = Arc::new(AtomicUsize::new(0));
        let mut running = Running { number, node, net: socket.net, seen, pushed: pushed.clone() };
        running.input(Input::Listening(told));
        let running = tokio::spawn(running.run(socket.events, asked));
        Self { work, pushed, running }
    }

    /// Has the node do something; the outcome is durable, and what follows from it is out.
    pub(crate) async fn ask<R: Send + 'static>(
        &self,
        what: impl FnOnce(&mut Node<S>) -> R + Send + 'static,
    ) -> R {
        let (done, result) = oneshot::channel();
        self.tell(move |node| drop(done.send(what(node))));
        result.await.unwrap()
    }

    /// Has the node do something, and does not wait for it.
    pub(crate) fn tell(&self, what: impl FnOnce(&mut Node<S>) + Send + 'static) {
        assert!(self.work.send(Box::new(what)).is_ok(), "the peer runs");
    }

    /// Waits until something holds of the node.
    pub(crate) async fn until(
        &self,
        what: &str,
        holds: impl Fn(&mut Node<S>) -> bool + Clone + Send + 'static,
    ) {
        let end = Instant::now() + SOON;
        while !self.ask(holds.clone()).await {
            assert!(Instant::now() < end, "not in time: {what}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Ends the node and lets go of its store.
    pub(crate) async fn stop(self) {
        drop(self.work);
        self.running.await.unwrap();
    }
}

struct Running<S: Store> {
    number: usize,
    node: Node<S>,
    net: Net,
    seen: mpsc::UnboundedSender<Seen>,
    pushed: Arc<AtomicUsize>,
}

impl<S: Store> Running<S> {
    async fn run(
        mut self,
        mut events: mpsc::Receiver<net::Event>,
        mut asked: mpsc::UnboundedReceiver<Work<S>>,
    ) {
        loop {
            self.settle();
            let wait = self.node.deadline().map_or(Duration::from_secs(3600), |at| at.since(now()));
            tokio::select! {
                event = events.recv() => self.take(event.unwrap()),
                work = asked.recv() => match work {
                    Some(work) => work(&mut self.node),
                    None => return,
                },
                () = tokio::time::sleep(wait) => self.input(Input::Tick),
            }
            for _ in 0..ROUND {
                let Ok(event) = events.try_recv() else { break };
                self.take(event);
            }
        }
    }

    fn input(&mut self, input: Input) {
        self.node.handle(input, now()).unwrap();
    }

    fn take(&mut self, event: net::Event) {
        match event {
            net::Event::Connected { conn, dialled, local, remote } => {
                let dialled = dialled.map(|address| address.to_string());
                self.input(Input::Connected(Connected { conn: ConnectionId(conn), dialled, local, remote }));
            }
            net::Event::Frame(conn, frame) => {
                if frame.first() == Some(&ENTRY) {
                    self.pushed.fetch_add(1, Ordering::Relaxed);
                }
                self.input(Input::Frame(ConnectionId(conn), frame));
            }
            net::Event::Closed(conn) => self.input(Input::Closed(ConnectionId(conn))),
            net::Event::DialFailed(address) => self.input(Input::DialFailed(address.to_string())),
            net::Event::Room(conn) => self.input(Input::Left(ConnectionId(conn), ROOM)),
            net::Event::Listening(_) | net::Event::Discovered(_) | net::Event::Unreachable(_) => {}
        }
    }

    fn settle(&mut self) {
        self.node.flush(now()).unwrap();
        while let Some(output) = self.node.poll_output() {
            match output {
                Output::Send(conn, frame) => {
                    if self.net.send(conn.0, frame).is_err() {
                        self.net.close(conn.0);
                    }
                }
                Output::Close(conn) => self.net.close(conn.0),
                Output::Trust(conn) => self.net.trust(conn.0),
                Output::Doubt(conn) => self.net.doubt(Some(conn.0)),
                Output::Dial(address) => self.net.dial(address.parse().unwrap()),
                Output::Event(group, event) => {
                    let seen = Seen { peer: self.number, group, event, at: Instant::now() };
                    // Whoever counts may have gone.
                    let _ = self.seen.send(seen);
                }
                Output::JoinRefused(_, why) => panic!("refused: {why:?}"),
            }
        }
    }
}
