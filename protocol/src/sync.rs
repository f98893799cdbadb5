//! Sessions between nodes: opening, comparing, catching up, passing on (spec sync, Y-1 … Y-20).
//!
//! Sans-IO. Order of calls: [`Sync::connected`], then [`Sync::frame`] for each frame in order,
//! [`Sync::received`] after judging the entries of each [`Output::Received`],
//! [`Sync::committed`] once new entries are durable, [`Sync::left`] as frames leave on a connection,
//! [`Sync::tick`] when [`Sync::deadline`] has
//! passed, [`Sync::closed`]; after each, drain [`Sync::poll_output`].
//!
//! The receiver drives: only live pushes come unasked, and a frame beyond credit ends the session.
//! Nothing about a peer is kept between sessions, so nothing can go stale.

mod branches;
mod budget;
mod compare;
mod groups;
mod handshake;
mod mail;
mod message;
mod opening;
mod push;
mod serve;
mod session;
#[cfg(test)]
mod tests;
mod want;

pub use groups::{Door, DoorState, Groups, HeldInvite, LogHead};
pub use handshake::{Claim, Role, Transcript};
pub use message::{Head, MAX_FRAME, Message, Place, Seek};
pub use push::New;
pub use session::ConnectionId;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use rand_core::CryptoRng;

use crate::crypto::Secret;
use crate::entry::Lane;
use crate::id::{DeviceKey, EpochId, GroupId};
use crate::log::LogId;
use crate::time::Moment;
use session::{Session, State};

/// Time for each step of opening a session.
const HELLO_TIME: Duration = Duration::from_secs(10);
/// A want that brings nothing for this long goes to the next source.
const WANT_TIME: Duration = Duration::from_secs(10);
/// What a dialled node waits before it answers, match or not.
const REPLY_DELAY: Duration = Duration::from_millis(20);
/// A joiner waits this long for an answer in one session.
const KNOCK_TIME: Duration = Duration::from_secs(60);

/// Whoever carries frames reports at the latest after this many bytes of them that they have left
/// ([`Sync::left`]): with twice as many on their way nothing more is served.
pub const ROOM: usize = 64 * 1024;

/// A connection as the net reports it.
#[derive(Clone, Debug)]
pub struct Connected {
    /// Its name.
    pub conn: ConnectionId,
    /// The address, if this node dialled.
    pub dialled: Option<String>,
    /// This node's peer id.
    pub local: Vec<u8>,
    /// The other's.
    pub remote: Vec<u8>,
}

/// What came of entries that were handed up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// Some were here already.
    pub duplicate: bool,
    /// One broke a rule: its bearer is not worth listening to.
    pub bad: bool,
    /// One can't be judged yet: its author, epoch or predecessor is not known here.
    pub unknown: bool,
}

/// What sync asks of the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send a frame.
    Send(ConnectionId, Vec<u8>),
    /// End a connection once what was sent before is out.
    Close(ConnectionId),
    /// The other side has proven what it is: a stranger's limits no longer apply.
    Trust(ConnectionId),
    /// The other side is full: not before so many seconds again.
    Busy(ConnectionId, u16),
    /// Nothing was acknowledged for long: find out whether the line is alive.
    Doubt(ConnectionId),
    /// Judge these entries, then call [`Sync::received`].
    Received {
        /// From whom.
        conn: ConnectionId,
        /// In which group.
        group: GroupId,
        /// Pushed, not asked for.
        live: bool,
        /// Canonical bytes, unverified.
        entries: Vec<Vec<u8>>,
    },
    /// A member's device is at the other end.
    Opened {
        /// Where.
        conn: ConnectionId,
        /// In which group.
        group: GroupId,
        /// Whose.
        device: DeviceKey,
    },
    /// Everything the other side had to offer has been asked for.
    Compared {
        /// Where.
        conn: ConnectionId,
        /// In which group.
        group: GroupId,
    },
    /// A device holds this node's own entries up to a position.
    Acknowledged {
        /// In which group.
        group: GroupId,
        /// Which device.
        device: DeviceKey,
        /// Which of this node's lanes.
        lane: Lane,
        /// Up to where.
        seq: u32,
    },
    /// A joiner asks to come in; answer with [`Sync::mail`].
    Knocked {
        /// Where.
        conn: ConnectionId,
        /// To which group.
        group: GroupId,
        /// With which code.
        invite: DeviceKey,
        /// The sealed request.
        request: Vec<u8>,
    },
    /// A member's device asks for what waits for it, by a request sealed for a door of its own; answer with
    /// [`Sync::mail`].
    Asked {
        /// Where.
        conn: ConnectionId,
        /// The sealed request.
        request: Vec<u8>,
    },
    /// A member told control keys of epochs that this node may not know.
    Told {
        /// Where.
        conn: ConnectionId,
        /// Of which group.
        group: GroupId,
        /// Whose device.
        device: DeviceKey,
        /// The keys.
        keys: Vec<(EpochId, Secret)>,
    },
    /// The answer to this node's own request.
    Mail {
        /// With which code.
        invite: DeviceKey,
        /// The answer.
        bytes: Vec<u8>,
    },
    /// This node's code was refused by someone who knows it.
    Refused {
        /// With which code.
        invite: DeviceKey,
        /// Why.
        why: DoorState,
    },
}

/// All sessions of a node.
#[derive(Default)]
pub struct Sync {
    sessions: BTreeMap<ConnectionId, Session>,
    /// Ranges asked for, and of whom.
    in_flight: BTreeMap<(GroupId, LogId), ConnectionId>,
    /// Groups in which some peer has shown what it has of this node's own logs since the start:
    /// before that nothing of one's own leaves (sync paper §1, own head first).
    confirmed: BTreeSet<GroupId>,
    /// When callers were looked for far back.
    deep: Vec<Moment>,
    outputs: VecDeque<Output>,
}

impl Sync {
    /// No sessions.
    pub fn new() -> Self {
        Self::default()
    }

    /// A connection with its stream is up. Whoever dialled speaks first.
    pub fn connected(&mut self, connected: Connected, now: Moment, rng: &mut dyn CryptoRng) {
        let mut session = Session::new(connected, now.after(HELLO_TIME), rng);
        session.state = State::AwaitHello;
        let (conn, role, hello) = (session.conn, session.role, session.hello());
        self.sessions.insert(conn, session);
        if role == Role::Initiator {
            self.send_frame(conn, hello);
        }
    }

    /// A connection is gone.
    pub fn closed(&mut self, conn: ConnectionId) {
        self.sessions.remove(&conn);
        self.in_flight.retain(|_, by| *by != conn);
    }

    /// A frame came in.
    pub fn frame(
        &mut self,
        conn: ConnectionId,
        frame: &[u8],
        now: Moment,
        groups: &dyn Groups,
        rng: &mut dyn CryptoRng,
    ) {
        let Ok(message) = Message::decode(frame) else {
            return self.drop_session(conn);
        };
        let taken = match message {
            Message::Hello { nonce } => self.on_hello(conn, nonce, now, groups, rng),
            Message::Slots(slots) => self.on_slots(conn, &slots, now, groups, rng),
            Message::Refused(why) => self.on_refused(conn, why),
            Message::Knock(request) => self.on_knock(conn, request, now),
            Message::Mail { part, parts, bytes } => self.on_mail(conn, part, parts, bytes),
            Message::Digest { group, lanes, up } => self.on_digest(conn, group, lanes, &up, now, groups),
            Message::Heads { group, more, heads } => self.on_heads(conn, group, more, heads, now, groups),
            Message::Have { group, places } => self.on_have(conn, group, &places, now, groups),
            Message::Want { group, live, budget, logs } => {
                self.on_want(conn, group, (live, budget), &logs, now, groups)
            }
            Message::Ask { group, ids } => self.on_ask(conn, group, ids, now, groups),
            Message::Keys { group, keys } => self.on_keys(conn, group, keys),
            Message::Entries { group, log, end, entries } => {
                self.on_entries(conn, group, log, end, entries, now)
            }
            Message::Entry(entry) => self.on_entry(conn, entry, groups),
            Message::Prune { group } => self.on_prune(conn, group),
            Message::Busy(seconds) => self.on_busy(conn, seconds),
            Message::Bye => None,
        };
        if taken.is_none() {
            self.drop_session(conn);
        }
    }

    /// Time has passed: answers that waited go out, wants that died go elsewhere, sessions that
    /// never opened end.
    pub fn tick(&mut self, now: Moment, groups: &dyn Groups) {
        let conns: Vec<ConnectionId> = self.sessions.keys().copied().collect();
        for conn in conns {
            if self.sessions.get(&conn).is_some_and(|session| session.is_overdue(now)) {
                self.drop_session(conn);
                continue;
            }
            self.send_reply(conn, now, groups);
            self.tick_links(conn, now, groups);
        }
    }

    /// When [`Sync::tick`] wants to be called next.
    pub fn deadline(&self) -> Option<Moment> {
        self.sessions.values().filter_map(Session::deadline).min()
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Devices at the other end of open sessions, by group.
    pub fn peers(&self) -> impl Iterator<Item = (ConnectionId, GroupId, DeviceKey)> + '_ {
        self.sessions.values().flat_map(|s| s.links.values().map(|link| (s.conn, link.group, link.device)))
    }

    /// Devices that some peer of a group said to be connected with, when it last compared.
    pub fn said_up(&self, group: &GroupId) -> BTreeSet<DeviceKey> {
        let links = self.sessions.values().flat_map(|session| session.links.values());
        links.filter(|link| link.group == *group).flat_map(|link| &link.up).copied().collect()
    }

    /// The address a connection was dialled at.
    pub fn dialled(&self, conn: ConnectionId) -> Option<&str> {
        self.sessions.get(&conn).and_then(|session| session.dialled.as_deref())
    }

    fn drop_session(&mut self, conn: ConnectionId) {
        self.closed(conn);
        self.outputs.push_back(Output::Close(conn));
    }

    fn send(&mut self, conn: ConnectionId, message: &Message) {
        self.send_frame(conn, message.encode());
    }

    /// Counts what is on its way, as the net does.
    fn send_frame(&mut self, conn: ConnectionId, frame: Vec<u8>) {
        if let Some(session) = self.sessions.get_mut(&conn) {
            session.sent = session.sent.saturating_add(frame.len());
        }
        self.outputs.push_back(Output::Send(conn, frame));
    }
}
