//! The swarm's task: dials, listens, hands streams to tasks of their own.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::PoisonError;
use std::time::Duration;

use futures::StreamExt;
use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::transport::Boxed;
use libp2p::core::upgrade::Version;
use libp2p::core::{ConnectedPoint, Transport};
use libp2p::identity::Keypair;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::behaviour::toggle::Toggle;
use libp2p::swarm::dial_opts::DialOpts;
use libp2p::swarm::{ConnectionId, NetworkBehaviour, SwarmEvent};
use libp2p::{Multiaddr, PeerId, Swarm, SwarmBuilder, dns, identify, mdns, noise, tcp, yamux};
use tokio::sync::{mpsc, oneshot};

use super::behaviour::{Opened, SyncBehaviour};
use super::meter::Meters;
use super::stream::{self, Outgoing};
use super::{Command, Config, Conn, Event, Limits, Listen, NetError, Streams};

/// Streams of one connection: sync, identify, and room for one more of each way.
const STREAMS: usize = 16;
/// Inbound streams of one connection that have not said what they are for.
const NEGOTIATING: usize = 8;
/// A connection without a stream ends after this time.
const IDLE: Duration = Duration::from_secs(10);

#[derive(NetworkBehaviour)]
pub(super) struct Behaviour {
    sync: SyncBehaviour,
    identify: identify::Behaviour,
    mdns: Toggle<mdns::tokio::Behaviour>,
}

/// A swarm that listens, with a fresh identity.
pub(super) fn start(config: &Config, meters: &Meters) -> Result<Swarm<Behaviour>, NetError> {
    let failed = |error: &dyn std::fmt::Display| NetError::Transport(error.to_string());
    let keys = Keypair::generate_ed25519();
    let transport = transport(&keys, config.limits, meters.clone())?;
    let mut swarm = SwarmBuilder::with_existing_identity(keys)
        .with_tokio()
        .with_other_transport(|_| transport)
        .map_err(|error| failed(&error))?
        .with_behaviour(|keys| behaviour(keys, config))
        .map_err(|error| failed(&error))?
        .with_swarm_config(|config| {
            config.with_idle_connection_timeout(IDLE).with_max_negotiating_inbound_streams(NEGOTIATING)
        })
        .build();
    listen(&mut swarm, &config.listen)?;
    Ok(swarm)
}

fn listen(swarm: &mut Swarm<Behaviour>, listen: &Listen) -> Result<(), NetError> {
    match listen {
        Listen::At(addresses) => addresses.iter().try_for_each(|address| {
            let listening = swarm.listen_on(address.clone());
            listening.map(|_| ()).map_err(|_| NetError::Listen(address.clone()))
        }),
        Listen::Anywhere(ports) => {
            let all = [
                (Protocol::Ip4(Ipv4Addr::UNSPECIFIED), ports.v4),
                (Protocol::Ip6(Ipv6Addr::UNSPECIFIED), ports.v6),
            ];
            let at = |ip: &Protocol<'static>, port| Multiaddr::from(ip.clone()).with(Protocol::Tcp(port));
            // A machine may know one kind of address only.
            let listening = all.map(|(ip, port)| {
                let kept = swarm.listen_on(at(&ip, port));
                kept.or_else(|_| swarm.listen_on(at(&ip, 0))).is_ok()
            });
            if listening.contains(&true) { Ok(()) } else { Err(NetError::Nowhere) }
        }
    }
}

/// TCP, names resolved by the system, an allowance for strangers, Noise, Yamux.
fn transport(
    keys: &Keypair,
    limits: Limits,
    meters: Meters,
) -> Result<Boxed<(PeerId, StreamMuxerBox)>, NetError> {
    let failed = |error: &dyn std::fmt::Display| NetError::Transport(error.to_string());
    let tcp = || tcp::tokio::Transport::new(tcp::Config::default().nodelay(true));
    // A system without a resolver, as a laptop without a network may be: addresses go on working, and
    // no stranger's resolver is asked instead.
    let nobody = || dns::ResolverConfig::from_parts(None, Vec::new(), Vec::new());
    let resolving = dns::tokio::Transport::system(tcp())
        .unwrap_or_else(|_| dns::tokio::Transport::custom(tcp(), nobody(), dns::ResolverOpts::default()));
    let metered = resolving.map(move |socket, endpoint| {
        let address = match endpoint {
            ConnectedPoint::Dialer { address, .. } => address,
            ConnectedPoint::Listener { send_back_addr, .. } => send_back_addr,
        };
        meters.on(address, socket, &limits)
    });
    let mut streams = yamux::Config::default();
    streams.set_max_num_streams(STREAMS);
    let noise = noise::Config::new(keys).map_err(|error| failed(&error))?;
    let secure = metered.upgrade(Version::V1Lazy).authenticate(noise).multiplex(streams);
    Ok(secure.timeout(limits.stranger_time).boxed())
}

fn behaviour(keys: &Keypair, config: &Config) -> Result<Behaviour, Box<dyn std::error::Error + Send + Sync>> {
    let identify = identify::Config::new("piquet/1".to_owned(), keys.public())
        .with_agent_version("piquet".to_owned())
        .with_hide_listen_addrs(true)
        .with_interval(Duration::from_secs(u64::from(u32::MAX)));
    let local = keys.public().to_peer_id();
    let mdns =
        if config.lan { Some(mdns::tokio::Behaviour::new(mdns::Config::default(), local)?) } else { None };
    Ok(Behaviour {
        sync: SyncBehaviour::new(config.limits),
        identify: identify::Behaviour::new(identify),
        mdns: Toggle::from(mdns),
    })
}

pub(super) struct Runner {
    swarm: Swarm<Behaviour>,
    limits: Limits,
    commands: mpsc::UnboundedSender<Command>,
    events: mpsc::Sender<Event>,
    streams: Streams,
    /// Addresses of this node's own calls.
    dialled: BTreeMap<ConnectionId, Multiaddr>,
    connections: BTreeMap<Conn, ConnectionId>,
    announced: Vec<oneshot::Sender<()>>,
    next: Conn,
}

impl Runner {
    pub(super) fn new(
        swarm: Swarm<Behaviour>,
        limits: Limits,
        commands: mpsc::UnboundedSender<Command>,
        events: mpsc::Sender<Event>,
        streams: Streams,
    ) -> Self {
        let (dialled, connections) = (BTreeMap::new(), BTreeMap::new());
        Self {
            swarm,
            limits,
            commands,
            events,
            streams,
            dialled,
            connections,
            announced: Vec::new(),
            next: 0,
        }
    }

    pub(super) async fn run(mut self, mut asked: mpsc::UnboundedReceiver<Command>) {
        loop {
            let event = tokio::select! {
                command = asked.recv() => match command {
                    Some(command) => self.obey(command),
                    None => return,
                },
                event = self.swarm.select_next_some() => self.on_event(event),
            };
            for event in event {
                if self.events.send(event).await.is_err() {
                    return;
                }
            }
            // The node has been told of these streams: now they may bring frames.
            for announced in self.announced.drain(..) {
                // Nobody waits only if the stream's task has ended with the runtime.
                let _ = announced.send(());
            }
        }
    }

    fn obey(&mut self, command: Command) -> Vec<Event> {
        match command {
            Command::Dial(address) => {
                let options = DialOpts::unknown_peer_id().address(address.clone()).build();
                let connection = options.connection_id();
                if self.swarm.dial(options).is_err() {
                    return vec![Event::DialFailed(address)];
                }
                self.dialled.insert(connection, address);
            }
            Command::Trust(conn) => {
                if let Some(connection) = self.connections.get(&conn) {
                    self.swarm.behaviour_mut().sync.trust(*connection);
                }
            }
            Command::Finished(conn) => {
                self.streams.lock().unwrap_or_else(PoisonError::into_inner).remove(&conn);
                if let Some(connection) = self.connections.remove(&conn) {
                    self.swarm.close_connection(connection);
                    return vec![Event::Closed(conn)];
                }
            }
        }
        Vec::new()
    }

    fn on_event(&mut self, event: SwarmEvent<BehaviourEvent>) -> Vec<Event> {
        match event {
            SwarmEvent::NewListenAddr { address, .. } => vec![Event::Listening(address)],
            SwarmEvent::ExpiredListenAddr { address, .. } => vec![Event::Unreachable(address)],
            SwarmEvent::OutgoingConnectionError { connection_id, .. } => {
                self.dialled.remove(&connection_id).map(Event::DialFailed).into_iter().collect()
            }
            SwarmEvent::ConnectionClosed { connection_id, .. } => self.closed(connection_id),
            SwarmEvent::Behaviour(BehaviourEvent::Sync(opened)) => vec![self.open(opened)],
            SwarmEvent::Behaviour(BehaviourEvent::Mdns(mdns::Event::Discovered(found))) => {
                found.into_iter().map(|(_, address)| Event::Discovered(without_peer(&address))).collect()
            }
            _ => Vec::new(),
        }
    }

    /// A connection that closed before its stream opened was a call to nobody.
    fn closed(&mut self, connection: ConnectionId) -> Vec<Event> {
        self.dialled.remove(&connection).map(Event::DialFailed).into_iter().collect()
    }

    fn open(&mut self, opened: Opened) -> Event {
        self.next += 1;
        let conn = self.next;
        let dialled = self.dialled.remove(&opened.connection);
        let (outgoing, frames, shared) = Outgoing::new(&self.limits);
        self.connections.insert(conn, opened.connection);
        self.streams.lock().unwrap_or_else(PoisonError::into_inner).insert(conn, (outgoing, opened.address));
        let (events, commands, limits) = (self.events.clone(), self.commands.clone(), self.limits);
        let dialler = dialled.is_some();
        let (announced, go) = oneshot::channel();
        self.announced.push(announced);
        tokio::spawn(async move {
            // An error is as good as a signal: the runner has ended, and so will the stream.
            let _ = go.await;
            stream::run(conn, opened.stream, dialler, frames, shared, events, limits).await;
            let _ = commands.send(Command::Finished(conn));
        });
        let local = self.swarm.local_peer_id().to_bytes();
        Event::Connected { conn, dialled, local, remote: opened.peer.to_bytes() }
    }
}

fn without_peer(address: &Multiaddr) -> Multiaddr {
    address.iter().filter(|part| !matches!(part, libp2p::multiaddr::Protocol::P2p(_))).collect()
}
