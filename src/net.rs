//! The network: libp2p connections that carry frames of one sync stream each, with limits for
//! strangers (sync paper §10, §11).
//!
//! Knows nothing of groups, entries or handshakes. The peer id is fresh at every start; nothing is
//! advertised unless discovery on the local network was asked for.

mod behaviour;
mod gate;
mod life;
mod limits;
mod meter;
mod stream;
mod swarm;

pub use limits::Limits;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use libp2p::{Multiaddr, PeerId};
use thiserror::Error;
use tokio::sync::mpsc;

use meter::Meters;
use stream::Outgoing;

/// Names a connection for as long as this net runs.
pub type Conn = u64;

/// What a node wants of its network.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen.
    pub listen: Listen,
    /// Whether to announce and look for nodes on the local network.
    pub lan: bool,
    /// Bounds.
    pub limits: Limits,
}

/// Where to listen.
#[derive(Clone, Debug)]
pub enum Listen {
    /// At each of these; port 0 for any.
    At(Vec<Multiaddr>),
    /// On all addresses of the machine, at these ports if they are free, else at any: what members and codes
    /// were told goes on being true after a restart.
    Anywhere(Ports),
}

/// TCP ports, by kind of address; 0 for any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ports {
    /// With IPv4.
    pub v4: u16,
    /// With IPv6.
    pub v6: u16,
}

/// What the network reports.
#[derive(Debug)]
pub enum Event {
    /// This node can be reached at an address.
    Listening(Multiaddr),
    /// It can be reached there no more.
    Unreachable(Multiaddr),
    /// A sync stream is up.
    Connected {
        /// Its name.
        conn: Conn,
        /// The address, if this node dialled.
        dialled: Option<Multiaddr>,
        /// This node's peer id.
        local: Vec<u8>,
        /// The other's.
        remote: Vec<u8>,
    },
    /// A frame: type byte and body.
    Frame(Conn, Vec<u8>),
    /// Another [`piquet_protocol::sync::ROOM`] bytes of frames have left.
    Room(Conn),
    /// A sync stream is gone.
    Closed(Conn),
    /// Nobody was reached at an address.
    DialFailed(Multiaddr),
    /// A node was seen on the local network.
    Discovered(Multiaddr),
}

/// The network could not start.
#[derive(Debug, Error)]
pub enum NetError {
    /// An address can't be listened at.
    #[error("can't listen at {0}")]
    Listen(Multiaddr),
    /// The machine has no address.
    #[error("can't listen anywhere")]
    Nowhere,
    /// The transport can't be built.
    #[error("no network: {0}")]
    Transport(String),
}

/// More is queued for a peer than it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the peer takes nothing more")]
pub struct Full;

/// Asked of the swarm's task.
enum Command {
    Dial(Multiaddr),
    Trust(Conn),
    Finished(Conn),
}

/// A stream for sending, and the address of its socket.
type Open = (Outgoing, Multiaddr);

/// Streams by connection.
type Streams = Arc<Mutex<BTreeMap<Conn, Open>>>;

/// A running network; it ends when this is dropped.
pub struct Net {
    peer: PeerId,
    commands: mpsc::UnboundedSender<Command>,
    streams: Streams,
    meters: Meters,
    task: tokio::task::JoinHandle<()>,
}

impl Net {
    /// Starts listening and returns the events to come.
    ///
    /// # Errors
    /// See [`NetError`].
    pub async fn start(config: Config) -> Result<(Self, mpsc::Receiver<Event>), NetError> {
        let (commands, asked) = mpsc::unbounded_channel();
        let (events, reported) = mpsc::channel(stream::EVENTS);
        let streams = Streams::default();
        let meters = Meters::default();
        let swarm = swarm::start(&config, &meters)?;
        let peer = *swarm.local_peer_id();
        let runner = swarm::Runner::new(swarm, config.limits, commands.clone(), events, streams.clone());
        let task = tokio::spawn(runner.run(asked));
        Ok((Self { peer, commands, streams, meters, task }, reported))
    }

    /// This start's transport identity.
    pub fn peer(&self) -> String {
        self.peer.to_string()
    }

    /// Calls an address; [`Event::Connected`] or [`Event::DialFailed`] follows.
    pub fn dial(&self, address: Multiaddr) {
        // Fails only when the network has ended.
        let _ = self.commands.send(Command::Dial(address));
    }

    /// Queues a frame.
    ///
    /// # Errors
    /// [`Full`] if the peer does not read; the connection is best closed.
    pub fn send(&self, conn: Conn, frame: Vec<u8>) -> Result<(), Full> {
        match self.streams().get(&conn) {
            Some((stream, _)) => stream.send(frame),
            None => Ok(()),
        }
    }

    /// Ends a connection once what was queued is out.
    pub fn close(&self, conn: Conn) {
        self.streams().remove(&conn);
    }

    /// The peer has proven itself: a stranger's limits no longer apply.
    pub fn trust(&self, conn: Conn) {
        if let Some((stream, address)) = self.streams().get(&conn) {
            stream.trust();
            self.meters.trust(address);
        }
        let _ = self.commands.send(Command::Trust(conn));
    }

    /// Finds out whether a connection is alive, or each of them, and ends those that are dead.
    pub fn doubt(&self, conn: Option<Conn>) {
        let streams = self.streams();
        let doubted = streams.iter().filter(|(open, _)| conn.is_none_or(|conn| conn == **open));
        doubted.for_each(|(_, (stream, _))| stream.doubt());
    }

    fn streams(&self) -> std::sync::MutexGuard<'_, BTreeMap<Conn, Open>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        self.task.abort();
        self.streams().clear();
    }
}

#[cfg(test)]
mod tests;
