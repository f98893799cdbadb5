//! Groups made without a network: two nodes that hand frames over by hand, in simulated time.

use std::time::Duration;

use piquet_protocol::group::invite::InviteCode;
use piquet_protocol::id::GroupId;
use piquet_protocol::node::{Input, Node, Output};
use piquet_protocol::sim::SeededRng;
use piquet_protocol::store::{MemoryStore, Store};
use piquet_protocol::sync::{Connected, ConnectionId};
use piquet_protocol::time::Timestamp;

/// A founder's node and the clock of the party.
pub(crate) struct Party<S: Store> {
    pub(crate) host: Node<S>,
    pub(crate) now: Timestamp,
    address: String,
    conns: u64,
    guests: u64,
}

/// Frames under way between host and guest.
enum Side {
    Host,
    Guest,
}

impl<S: Store> Party<S> {
    /// The host tells guests that it listens at `address`.
    pub(crate) fn at(mut host: Node<S>, address: &str, now: Timestamp) -> Self {
        host.handle(Input::Listening(vec![address.to_owned()]), now).unwrap();
        host.flush(now).unwrap();
        while host.poll_output().is_some() {}
        Self { host, now, address: address.to_owned(), conns: 0, guests: 0 }
    }

    /// A guest without a disk comes in, says one thing, and is forgotten.
    pub(crate) fn admit_passing(&mut self, group: GroupId, code: &str) {
        self.guests += 1;
        let store = MemoryStore::new();
        let mut guest = Node::open(store, Box::new(SeededRng::new(self.guests)), self.now).unwrap();
        let name = format!("guest {}", self.guests);
        self.admit(group, code, &name, &mut guest);
        guest.send(group, "Bonjour", self.now).unwrap();
        let before = self.entries(group);
        self.talk(&mut guest, move |host, _| entries(host, group) > before);
    }

    fn entries(&self, group: GroupId) -> usize {
        entries(&self.host, group)
    }

    /// A guest comes in by a code, and both know it.
    pub(crate) fn admit<T: Store>(&mut self, group: GroupId, code: &str, name: &str, guest: &mut Node<T>) {
        guest.join(InviteCode::parse(code).unwrap(), name, self.now).unwrap();
        let name = name.to_owned();
        self.talk(guest, move |host, guest| {
            let known = |node: &Node<S>| {
                node.group(&group).unwrap().members().iter().any(|m| m.name.as_deref() == Some(&*name))
            };
            guest.group(&group).is_some() && known(host)
        });
    }

    /// Lets both nodes do what they have to until something holds; the connection ends then.
    pub(crate) fn talk<T: Store>(&mut self, guest: &mut Node<T>, holds: impl Fn(&Node<S>, &Node<T>) -> bool) {
        let end = self.now.after(Duration::from_secs(600));
        loop {
            let outputs = self.outputs(guest);
            if outputs.is_empty() {
                if holds(&self.host, guest) {
                    break;
                }
                let due = self.host.deadline().into_iter().chain(guest.deadline()).min();
                self.now = due.unwrap_or(end).max(self.now.after(Duration::from_millis(1)));
                assert!(self.now < end, "not in time");
                self.host.handle(Input::Tick, self.now).unwrap();
                guest.handle(Input::Tick, self.now).unwrap();
            }
            for (from, output) in outputs {
                self.carry(&from, output, guest);
            }
        }
        for conn in 1..=self.conns {
            self.host.handle(Input::Closed(ConnectionId(conn)), self.now).unwrap();
        }
        while self.host.poll_output().is_some() {}
    }

    fn outputs<T: Store>(&mut self, guest: &mut Node<T>) -> Vec<(Side, Output)> {
        self.host.flush(self.now).unwrap();
        guest.flush(self.now).unwrap();
        let of_host = std::iter::from_fn(|| self.host.poll_output()).map(|output| (Side::Host, output));
        let of_guest = std::iter::from_fn(|| guest.poll_output()).map(|output| (Side::Guest, output));
        of_host.chain(of_guest).collect()
    }

    fn carry<T: Store>(&mut self, from: &Side, output: Output, guest: &mut Node<T>) {
        match (output, from) {
            (Output::Send(conn, frame), Side::Host) => {
                self.host.handle(Input::Left(conn, frame.len()), self.now).unwrap();
                self.feed(guest, Input::Frame(conn, frame));
            }
            (Output::Send(conn, frame), Side::Guest) => {
                self.feed(guest, Input::Left(conn, frame.len()));
                self.host.handle(Input::Frame(conn, frame), self.now).unwrap();
            }
            (Output::Close(conn), _) => {
                self.host.handle(Input::Closed(conn), self.now).unwrap();
                self.feed(guest, Input::Closed(conn));
            }
            (Output::Dial(address), Side::Guest) if address == self.address => self.connect(address, guest),
            (Output::Dial(address), Side::Guest) => self.feed(guest, Input::DialFailed(address)),
            (Output::Dial(address), Side::Host) => {
                self.host.handle(Input::DialFailed(address), self.now).unwrap();
            }
            (Output::Trust(_) | Output::Doubt(_) | Output::Event(..), _) => {}
            (Output::JoinRefused(_, why), _) => panic!("refused: {why:?}"),
        }
    }

    fn connect<T: Store>(&mut self, address: String, guest: &mut Node<T>) {
        self.conns += 1;
        let conn = ConnectionId(self.conns);
        let (host, other) = (vec![1], vec![2]);
        let called = Connected { conn, dialled: None, local: host.clone(), remote: other.clone() };
        self.host.handle(Input::Connected(called), self.now).unwrap();
        let calls = Connected { conn, dialled: Some(address), local: other, remote: host };
        self.feed(guest, Input::Connected(calls));
    }

    fn feed<T: Store>(&self, guest: &mut Node<T>, input: Input) {
        guest.handle(input, self.now).unwrap();
    }
}

fn entries<S: Store>(node: &Node<S>, group: GroupId) -> usize {
    node.group(&group).unwrap().counts().0
}
