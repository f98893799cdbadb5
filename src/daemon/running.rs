//! `piquet up`: node, network and control socket in one loop.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use libp2p::Multiaddr;
use piquet_protocol::group::invite::Hint;
use piquet_protocol::node::{Input, Output};
use piquet_protocol::replica::Event;
use piquet_protocol::store::StoreError;
use piquet_protocol::sync::{Connected, ConnectionId, ROOM};
use tokio::sync::mpsc;

use super::addresses;
use super::engine::{Engine, Surroundings};
use super::following::Following;
use super::news::{News, news};
use super::now;
use crate::control::server::{self, Call};
use crate::control::{Failure, Reply, Request};
use crate::net::{self, Limits, Listen, Net, Ports};

/// Inputs taken before they are made durable together.
const ROUND: usize = 64;
/// How long more addresses are waited for, after the first, before the node is said to be ready.
const LISTEN_TIME: Duration = Duration::from_millis(100);
/// The node's clock is looked at again at the latest after this time: it may have been set.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// Messages that wait for a front end that follows a group; beyond that it is let go.
const FOLLOWED: usize = 1024;

type Replies = mpsc::Sender<Result<Reply, Failure>>;
type Followed = mpsc::Receiver<Result<Reply, Failure>>;

/// How to run.
pub struct UpOptions {
    /// The profile's folder.
    pub home: PathBuf,
    /// Where to listen.
    pub listen: Vec<String>,
    /// Discovery on the local network.
    pub lan: bool,
}

/// What a running node tells its terminal.
#[derive(Clone, Debug)]
pub enum UpEvent {
    /// It listens.
    Ready {
        /// This start's transport identity.
        peer: String,
        /// Where.
        listen: Vec<String>,
    },
    /// A message, as for `read`.
    Message(Box<Reply>),
    /// The disk refuses, or takes something again: said once each time.
    Disk {
        /// What: `disk_full`, `disk_failing`, `disk_again`.
        what: &'static str,
    },
    /// Something else happened in a group.
    Happened {
        /// What: `members`, `named`, `joined`, `removed`, `record`, `equivocation`, `rolled_back`,
        /// `needs_newer`, `group_full`.
        what: &'static str,
        /// Which sentence says so to people, if any.
        sentence: Option<&'static str>,
        /// The group's id.
        group: String,
        /// Its name.
        name: String,
        /// Who, by whom, and what else.
        details: Vec<(&'static str, String)>,
    },
}

struct Daemon {
    engine: Engine,
    net: Net,
    around: Surroundings,
    following: Following,
    tell: Box<dyn FnMut(UpEvent) + Send>,
    /// Whether it was said that the disk refuses.
    refused: bool,
    /// Where it listens, kept for the next start; none if somebody said where.
    ports: Option<Ports>,
    /// When the first address was known; none once ready was said.
    listening_since: Option<Instant>,
    /// Whether that was said.
    ready: bool,
    /// The profile is being locked or destroyed: nothing is to be kept or sent any more.
    over: bool,
}

/// Runs a node until it is told to stop.
///
/// # Errors
/// A network or socket that can't be had; a disk that takes nothing.
pub async fn up(
    engine: Engine,
    options: UpOptions,
    tell: Box<dyn FnMut(UpEvent) + Send>,
) -> Result<(), Failure> {
    engine.writable()?;
    let ports = options.listen.is_empty().then(|| addresses::last_ports(&engine));
    let listen = ports.map_or_else(|| addresses::said(&options.listen), |at| Ok(Listen::Anywhere(at)))?;
    let config = net::Config { listen, lan: options.lan, limits: Limits::default() };
    let (net, mut events) = Net::start(config).await.map_err(|_| Failure::new("no_network", 1))?;
    let (calls, mut asked) = mpsc::channel(ROUND);
    let socket = server::serve(&options.home, calls).map_err(|_| Failure::new("no_socket", 1))?;
    let around = Surroundings { peer: Some(net.peer()), listen: Vec::new() };
    let mut daemon = Daemon {
        engine,
        net,
        around,
        following: Following::default(),
        tell,
        refused: false,
        ports,
        listening_since: None,
        ready: false,
        over: false,
    };
    let done = daemon.run(&mut events, &mut asked).await;
    socket.abort();
    done
}

impl Daemon {
    async fn run(
        &mut self,
        events: &mut mpsc::Receiver<net::Event>,
        asked: &mut mpsc::Receiver<Call>,
    ) -> Result<(), Failure> {
        let mut stop = std::pin::pin!(stop_signal());
        loop {
            let wait = self.wait();
            tokio::select! {
                event = events.recv() => match event {
                    Some(event) => self.take(event)?,
                    None => return Ok(()),
                },
                Some(call) = asked.recv() => self.answer(call).await?,
                () = tokio::time::sleep(wait) => self.input(Input::Tick)?,
                () = &mut stop => return self.stop().await,
            }
            for _ in 0..ROUND {
                let Ok(event) = events.try_recv() else { break };
                self.take(event)?;
            }
            if self.over {
                return Ok(());
            }
            self.settle();
            if self.listening_since.is_some_and(|since| since.elapsed() >= LISTEN_TIME) {
                self.say_ready();
            }
        }
    }

    fn wait(&self) -> Duration {
        let ready = self.listening_since.map(|since| LISTEN_TIME.saturating_sub(since.elapsed()));
        let node = self.engine.node.deadline().map(|at| at.since(now()));
        [node, self.following.due(), ready].into_iter().flatten().fold(LONGEST_WAIT, Duration::min)
    }

    fn input(&mut self, input: Input) -> Result<(), Failure> {
        // A record that can't be read: the node goes on with what it can.
        let _ = self.engine.node.handle(input, now());
        Ok(())
    }

    fn take(&mut self, event: net::Event) -> Result<(), Failure> {
        match event {
            net::Event::Listening(address) => self.listening(&address),
            net::Event::Unreachable(address) => self.unreachable(&address),
            net::Event::Room(conn) => self.input(Input::Left(ConnectionId(conn), ROOM)),
            net::Event::Connected { conn, dialled, local, remote } => {
                let dialled = dialled.map(|address| address.to_string());
                self.input(Input::Connected(Connected { conn: ConnectionId(conn), dialled, local, remote }))
            }
            net::Event::Frame(conn, frame) => self.input(Input::Frame(ConnectionId(conn), frame)),
            net::Event::Closed(conn) => self.input(Input::Closed(ConnectionId(conn))),
            net::Event::DialFailed(address) => self.input(Input::DialFailed(address.to_string())),
            net::Event::Discovered(address) => self.input(Input::Discovered(address.to_string())),
        }
    }

    fn listening(&mut self, address: &Multiaddr) -> Result<(), Failure> {
        self.keep_port(address);
        let text = address.to_string();
        if Hint::from_multiaddr(&text).is_some() && !self.around.listen.contains(&text) {
            self.around.listen.push(text);
            if self.around.listen.len() == 1 && !self.ready {
                self.listening_since = Some(Instant::now());
            }
        }
        self.tell_addresses()
    }

    fn keep_port(&mut self, address: &Multiaddr) {
        let Some(ports) = &mut self.ports else { return };
        let before = *ports;
        addresses::note_port(ports, address);
        if *ports != before {
            self.engine.node.keep_ports([ports.v4, ports.v6]);
        }
    }

    fn unreachable(&mut self, address: &Multiaddr) -> Result<(), Failure> {
        let text = address.to_string();
        self.around.listen.retain(|known| *known != text);
        self.tell_addresses()
    }

    /// Members are told addresses that others can use. Where this node was on another network before, its
    /// connections may be dead without a word.
    fn tell_addresses(&mut self) -> Result<(), Failure> {
        if self.ready {
            self.net.doubt(None);
        }
        self.input(Input::Listening(addresses::worth_telling(&self.around.listen)))
    }

    /// Says so once, before anything else is told.
    fn say_ready(&mut self) {
        if self.listening_since.take().is_none() {
            return;
        }
        self.ready = true;
        let peer = self.around.peer.clone().unwrap_or_default();
        (self.tell)(UpEvent::Ready { peer, listen: self.around.listen.clone() });
    }

    async fn answer(&mut self, call: Call) -> Result<(), Failure> {
        let Call { request, reply } = call;
        match request {
            Request::Join { code, name, wait, phrase } => {
                let started = self.engine.join(&code, name, phrase.as_ref(), now());
                let kept = self.engine.flush();
                match started.and_then(|started| kept.map(|()| started)) {
                    Ok((invite, waiting)) => {
                        self.following.join(invite, waiting, Duration::from_secs(wait), reply);
                        self.input(Input::Tick)?;
                    }
                    Err(failure) => drop(reply.try_send(Err(failure))),
                }
            }
            Request::Read { ref group, follow: true, .. } => {
                let group = group.clone();
                let (follower, followed) = mpsc::channel(FOLLOWED);
                if let Ok(id) = super::lookup::group(&self.engine.node, &group) {
                    self.following.read(id, follower);
                }
                self.send_all(request, reply, Some(followed));
            }
            Request::Backup { file, lock } => {
                let gathered = self.engine.gather();
                // The cost of a passphrase is a second, which nobody else has to wait for.
                tokio::task::spawn_blocking(move || {
                    let answer = gathered.and_then(|gathered| gathered.write(&file, &lock));
                    // Whoever asked may be gone.
                    let _ = reply.blocking_send(answer);
                });
            }
            Request::Stop => self.over = true,
            request => self.send_all(request, reply, None),
        }
        Ok(())
    }

    /// Sends the answers in a task, so that a slow front end makes nobody wait; then, in order, what
    /// comes up later.
    fn send_all(&mut self, request: Request, reply: Replies, followed: Option<Followed>) {
        let answers: Vec<Result<Reply, Failure>> = match self.engine.call(request, &self.around) {
            Ok(replies) => replies.into_iter().map(Ok).collect(),
            Err(failure) => vec![Err(failure)],
        };
        tokio::spawn(async move {
            for answer in answers {
                if reply.send(answer).await.is_err() {
                    return;
                }
            }
            let Some(mut followed) = followed else { return };
            while let Some(answer) = followed.recv().await {
                if reply.send(answer).await.is_err() {
                    return;
                }
            }
        });
    }

    /// Makes the round durable and carries out what follows.
    fn settle(&mut self) {
        // A full disk: what was not kept has not happened; peers will offer it again.
        let _ = self.engine.flush();
        self.tell_of_disk();
        self.engine.mend();
        while let Some(output) = self.engine.node.poll_output() {
            self.carry(output);
        }
        self.following.tick();
    }

    fn tell_of_disk(&mut self) {
        let refusal = self.engine.node.refusal();
        if refusal.is_some() == self.refused {
            return;
        }
        self.refused = refusal.is_some();
        let what = match refusal {
            Some(StoreError::Full) => "disk_full",
            Some(_) => "disk_failing",
            None => "disk_again",
        };
        self.say_ready();
        (self.tell)(UpEvent::Disk { what });
    }

    fn carry(&mut self, output: Output) {
        match output {
            Output::Send(conn, frame) => {
                if self.net.send(conn.0, frame).is_err() {
                    self.net.close(conn.0);
                }
            }
            Output::Close(conn) => self.net.close(conn.0),
            Output::Trust(conn) => self.net.trust(conn.0),
            Output::Doubt(conn) => self.net.doubt(Some(conn.0)),
            Output::Dial(address) => match address.parse() {
                Ok(address) => self.net.dial(address),
                // A member told an address that is none.
                Err(_) => drop(self.engine.node.handle(Input::DialFailed(address), now())),
            },
            Output::Event(group, event) => self.happened(group, &event),
            Output::JoinRefused(invite, why) => self.following.refused(invite, why),
        }
    }

    fn happened(&mut self, group: piquet_protocol::id::GroupId, event: &Event) {
        match event {
            Event::Message(id) => {
                self.following.message(&mut self.engine, group, id);
                if let Some(reply) = self.engine.message_reply(group, id) {
                    self.say_ready();
                    (self.tell)(UpEvent::Message(Box::new(reply)));
                }
                return;
            }
            Event::Joined => self.following.joined(&self.engine, group),
            _ => {}
        }
        let Some(replica) = self.engine.node.group(&group) else { return };
        let Some(News { what, sentence, details }) = news(replica, event) else { return };
        let name = replica.name().to_owned();
        self.say_ready();
        (self.tell)(UpEvent::Happened { what, sentence, group: group.to_hex(), name, details });
    }

    async fn stop(&mut self) -> Result<(), Failure> {
        self.engine.node.hang_up();
        self.settle();
        // Give the last frames a moment to leave; nothing durable depends on it.
        tokio::time::sleep(Duration::from_millis(100)).await;
        Ok(())
    }
}

async fn stop_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut term), Ok(mut int)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
        else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
    }
    #[cfg(not(unix))]
    {
        let _ = tokio::signal::ctrl_c().await;
    }
}
