//! One sync stream a connection, opened by the dialler. Own behaviour and handler: libp2p-stream
//! drops streams silently and opens them on any of several connections.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::task::{Context, Poll};
use std::time::Instant;

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::core::upgrade::ReadyUpgrade;
use libp2p::swarm::handler::{ConnectionEvent, FullyNegotiatedInbound, FullyNegotiatedOutbound};
use libp2p::swarm::{
    ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId, FromSwarm, NetworkBehaviour,
    Stream, StreamProtocol, SubstreamProtocol, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId};

use super::Limits;
use super::gate::Gate;

const PROTOCOL: StreamProtocol = StreamProtocol::new("/piquet/sync/1");

/// A stream that has just opened.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) connection: ConnectionId,
    pub(super) peer: PeerId,
    pub(super) stream: Stream,
    /// The address of the other end's socket.
    pub(super) address: Multiaddr,
}

pub(super) struct SyncBehaviour {
    gate: Gate<ConnectionId>,
    addresses: BTreeMap<ConnectionId, Multiaddr>,
    opened: VecDeque<Opened>,
}

impl SyncBehaviour {
    pub(super) fn new(limits: Limits) -> Self {
        Self { gate: Gate::new(limits), addresses: BTreeMap::new(), opened: VecDeque::new() }
    }

    /// The other end is no stranger any more.
    pub(super) fn trust(&mut self, connection: ConnectionId) {
        self.gate.trust(connection);
    }
}

/// No place for this caller.
#[derive(Debug, thiserror::Error)]
#[error("busy")]
struct Busy;

impl NetworkBehaviour for SyncBehaviour {
    type ConnectionHandler = Handler;
    type ToSwarm = Opened;

    fn handle_pending_inbound_connection(
        &mut self,
        connection: ConnectionId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        if self.gate.admit(connection, remote, Instant::now()) {
            Ok(())
        } else {
            Err(ConnectionDenied::new(Busy))
        }
    }

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.addresses.insert(connection, remote.clone());
        Ok(Handler::new(Side::Acceptor))
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        _: PeerId,
        address: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.addresses.insert(connection, address.clone());
        Ok(Handler::new(Side::Dialler { asked: false }))
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionClosed(closed) => {
                self.gate.leave(closed.connection_id);
                self.addresses.remove(&closed.connection_id);
            }
            FromSwarm::ListenFailure(failure) => self.gate.leave(failure.connection_id),
            _ => {}
        }
    }

    fn on_connection_handler_event(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        stream: THandlerOutEvent<Self>,
    ) {
        if let Some(address) = self.addresses.get(&connection).cloned() {
            self.opened.push_back(Opened { connection, peer, stream, address });
        }
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        match self.opened.pop_front() {
            Some(opened) => Poll::Ready(ToSwarm::GenerateEvent(opened)),
            None => Poll::Pending,
        }
    }
}

enum Side {
    Dialler {
        asked: bool,
    },
    Acceptor,
    /// The stream has opened, or could not: nothing more opens here.
    Done,
}

pub(super) struct Handler {
    side: Side,
    stream: Option<Stream>,
}

impl Handler {
    fn new(side: Side) -> Self {
        Self { side, stream: None }
    }
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Infallible;
    type ToBehaviour = Stream;
    type InboundProtocol = ReadyUpgrade<StreamProtocol>;
    type OutboundProtocol = ReadyUpgrade<StreamProtocol>;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = ();

    fn listen_protocol(&self) -> SubstreamProtocol<Self::InboundProtocol> {
        SubstreamProtocol::new(ReadyUpgrade::new(PROTOCOL), ())
    }

    fn poll(
        &mut self,
        _: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Self::OutboundProtocol, (), Self::ToBehaviour>> {
        if let Some(stream) = self.stream.take() {
            return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(stream));
        }
        if let Side::Dialler { asked: asked @ false } = &mut self.side {
            *asked = true;
            let protocol = SubstreamProtocol::new(ReadyUpgrade::new(PROTOCOL), ());
            return Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol });
        }
        Poll::Pending
    }

    fn on_behaviour_event(&mut self, event: Self::FromBehaviour) {
        match event {}
    }

    fn on_connection_event(
        &mut self,
        event: ConnectionEvent<'_, Self::InboundProtocol, Self::OutboundProtocol>,
    ) {
        let stream = match (event, &self.side) {
            (
                ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound { protocol, .. }),
                Side::Acceptor,
            )
            | (
                ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound { protocol, .. }),
                Side::Dialler { .. },
            ) => protocol,
            // A second stream, or one against the grain, is dropped, which resets it.
            _ => return,
        };
        self.side = Side::Done;
        self.stream = Some(stream);
    }
}
