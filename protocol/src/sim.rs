//! A seeded simulator of whole nodes: real core, real MLS, stores in memory, a network that delays,
//! cuts and partitions. Every run follows from its seed, but for what the HPKE of the MLS library draws from the
//! system: so entries' ids differ from run to run, and where ids decide, runs do.
//!
//! Connections carry frames in order, as TCP does; what can go wrong is when they arrive, whether
//! the connection lives to see it, and what a node knew when it crashed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rand_core::{Rng, TryCryptoRng, TryRng};

use crate::crypto::Secret;
use crate::id::GroupId;
use crate::node::{Input, Node, Output};
use crate::replica::{Event, Schedule};
use crate::store::{Batch, Key, MemoryStore, Store, StoreError, Table};
use crate::sync::{Connected, ConnectionId, Message, ROOM};
use crate::time::Timestamp;

/// Deterministic randomness from a seed: a counter through the KDF.
#[derive(Clone)]
pub struct SeededRng {
    key: Secret,
    drawn: u64,
}

impl SeededRng {
    /// The stream of a seed.
    pub fn new(seed: u64) -> Self {
        let mut key = [0; 32];
        key.split_at_mut(8).0.copy_from_slice(&seed.to_be_bytes());
        Self { key: Secret::new(key), drawn: 0 }
    }

    /// A number below `bound`, which is at least 1.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next_u64() % bound.max(1)
    }
}

impl TryRng for SeededRng {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(self.next_u64() as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        let mut bytes = [0; 8];
        self.fill_bytes(&mut bytes);
        Ok(u64::from_be_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
        for chunk in out.chunks_mut(32) {
            let block = self.key.expand("simulated", &[&self.drawn.to_be_bytes()]);
            self.drawn = self.drawn.wrapping_add(1);
            for (byte, random) in chunk.iter_mut().zip(block.as_bytes()) {
                *byte = *random;
            }
        }
        Ok(())
    }
}

impl TryCryptoRng for SeededRng {}

/// A disk that can be full, and that a crash leaves as it was.
#[derive(Clone, Default)]
pub struct SimStore {
    inner: MemoryStore,
    full: bool,
}

impl SimStore {
    /// Whether whoever has this disk and its passphrase finds these bytes on it.
    pub fn shows(&self, bytes: &[u8]) -> bool {
        self.inner.shows(bytes)
    }

    /// All secrets on it.
    pub fn secrets(&self) -> impl Iterator<Item = (&Key, &[u8])> {
        self.inner.secrets()
    }
}

impl Store for SimStore {
    fn get(&self, key: &Key) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.get(key)
    }

    fn range(
        &self,
        table: Table,
        scope: &[u8],
        from: u128,
        to: u128,
        limit: usize,
    ) -> Result<Vec<(u128, Vec<u8>)>, StoreError> {
        self.inner.range(table, scope, from, to, limit)
    }

    fn range_back(
        &self,
        table: Table,
        scope: &[u8],
        from: u128,
        to: u128,
        limit: usize,
    ) -> Result<Vec<(u128, Vec<u8>)>, StoreError> {
        self.inner.range_back(table, scope, from, to, limit)
    }

    fn secret(&self, key: &Key) -> Result<Option<zeroize::Zeroizing<Vec<u8>>>, StoreError> {
        self.inner.secret(key)
    }

    fn commit(&mut self, batch: Batch) -> Result<(), StoreError> {
        if self.full { Err(StoreError::Full) } else { self.inner.commit(batch) }
    }
}

/// One simulated laptop.
pub struct Laptop {
    /// Its node; none while it is off.
    pub node: Option<Node<SimStore>>,
    /// What its node reported.
    pub events: Vec<(GroupId, Event)>,
    disk: SimStore,
    starts: u64,
    /// Milliseconds its clock is ahead of the world's; its node's timers were set by what it was
    /// ahead then.
    ahead: i64,
    told: i64,
    /// What has come in since its lid was shut; none while it is open.
    asleep: Option<Vec<Input>>,
}

impl Laptop {
    /// When its node wants to be woken, in the world's time.
    fn deadline(&self) -> Option<Timestamp> {
        let deadline = self.node.as_ref().filter(|_| self.asleep.is_none())?.deadline()?;
        Some(shifted(deadline, self.told.saturating_neg()))
    }
}

fn shifted(time: Timestamp, by: i64) -> Timestamp {
    Timestamp::from_millis(time.as_millis().saturating_add_signed(by))
}

struct Link {
    ends: [usize; 2],
    /// Frames of each direction arrive in order: none before the last one.
    last: [Timestamp; 2],
    /// Bytes of each direction since it was last reported that they left.
    carried: [usize; 2],
}

enum Happening {
    Input(usize, Input),
    Up(usize, usize, String),
}

/// The simulated world.
pub struct Sim {
    rng: SeededRng,
    seed: u64,
    now: Timestamp,
    laptops: Vec<Laptop>,
    links: BTreeMap<u64, Link>,
    queue: BTreeMap<(Timestamp, u64), Happening>,
    counter: u64,
    /// Pairs that can't reach one another.
    cut: BTreeSet<(usize, usize)>,
    /// Frames sent, and their bytes.
    pub sent: (u64, u64),
    /// Calls made.
    pub dials: u64,
    /// Laptops that announce entries and never deliver any.
    pub teasers: BTreeSet<usize>,
    /// Laptops behind a router, whom nobody can call.
    pub hidden: BTreeSet<usize>,
    /// Whose calls never arrive, and at whom, though the other can call back.
    pub one_way: BTreeSet<(usize, usize)>,
    /// Longest one-way delay.
    pub delay: Duration,
    /// When nodes erase, if not as usual.
    pub schedule: Option<Schedule>,
    /// One frame in so many breaks its connection; 0 for none.
    pub breaks: u64,
}

impl Sim {
    /// An empty world.
    pub fn new(seed: u64) -> Self {
        Self {
            rng: SeededRng::new(seed),
            seed,
            now: Timestamp::from_secs(1_800_000_000),
            laptops: Vec::new(),
            links: BTreeMap::new(),
            queue: BTreeMap::new(),
            counter: 0,
            cut: BTreeSet::new(),
            sent: (0, 0),
            dials: 0,
            teasers: BTreeSet::new(),
            hidden: BTreeSet::new(),
            one_way: BTreeSet::new(),
            delay: Duration::from_millis(150),
            schedule: None,
            breaks: 0,
        }
    }

    /// The world's time.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Adds a laptop and starts its node.
    pub fn add(&mut self) -> usize {
        self.laptops.push(Laptop {
            node: None,
            events: Vec::new(),
            disk: SimStore::default(),
            starts: 0,
            ahead: 0,
            told: 0,
            asleep: None,
        });
        let laptop = self.laptops.len() - 1;
        self.start(laptop);
        laptop
    }

    /// How many laptops there are.
    pub fn laptops(&self) -> usize {
        self.laptops.len()
    }

    /// The address a laptop's node listens at.
    pub fn address(laptop: usize) -> String {
        format!("/ip4/10.0.{}.{}/tcp/4001", laptop / 250, laptop % 250 + 1)
    }

    fn laptop_at(&self, address: &str) -> Option<usize> {
        (0..self.laptops.len()).find(|laptop| Self::address(*laptop) == address)
    }

    /// A laptop.
    ///
    /// # Panics
    /// If there is none of this number: a mistake of the scenario.
    #[allow(clippy::indexing_slicing)]
    pub fn laptop(&mut self, laptop: usize) -> &mut Laptop {
        &mut self.laptops[laptop]
    }

    /// Sets a laptop's clock: how far it is ahead of the world's from now on, in milliseconds.
    pub fn set_clock(&mut self, laptop: usize, ahead: i64) {
        self.laptop(laptop).ahead = ahead;
    }

    /// What a laptop's clock shows; its node is told next.
    fn tell(&mut self, laptop: usize) -> Timestamp {
        let now = self.now;
        let laptop = self.laptop(laptop);
        laptop.told = laptop.ahead;
        shifted(now, laptop.ahead)
    }

    /// Shuts a laptop's lid: it does nothing until it is opened, and what comes in waits.
    pub fn sleep(&mut self, laptop: usize) {
        self.laptop(laptop).asleep = Some(Vec::new());
    }

    /// Opens it again.
    pub fn wake(&mut self, laptop: usize) {
        for input in self.laptop(laptop).asleep.take().unwrap_or_default() {
            self.feed(laptop, input);
        }
    }

    /// Starts a node from its disk.
    pub fn start(&mut self, laptop: usize) {
        let (now, seed, schedule) = (self.tell(laptop), self.seed, self.schedule);
        let slot = self.laptop(laptop);
        slot.starts += 1;
        let rng = SeededRng::new(seed ^ (laptop as u64 + 1) << 40 ^ slot.starts << 20);
        slot.node = Node::open(slot.disk.clone(), Box::new(rng), now).ok();
        if let (Some(node), Some(schedule)) = (&mut self.laptop(laptop).node, schedule) {
            node.set_schedule(schedule);
        }
        self.feed(laptop, Input::Listening(vec![Self::address(laptop)]));
    }

    /// Stops a node without a word: what was not durable is lost.
    pub fn crash(&mut self, laptop: usize) {
        let slot = self.laptop(laptop);
        slot.asleep = None;
        if let Some(node) = slot.node.take() {
            slot.disk = node.store().clone();
        }
        let gone: Vec<u64> =
            self.links.iter().filter(|(_, link)| link.ends.contains(&laptop)).map(|(id, _)| *id).collect();
        for link in gone {
            self.break_link(link);
        }
    }

    /// The disk image of a stopped laptop, to put back later.
    pub fn image(&mut self, laptop: usize) -> SimStore {
        let slot = self.laptop(laptop);
        slot.node.as_ref().map_or_else(|| slot.disk.clone(), |node| node.store().clone())
    }

    /// Puts a disk image into a stopped laptop.
    pub fn put_image(&mut self, laptop: usize, image: SimStore) {
        self.laptop(laptop).disk = image;
    }

    /// Loses records of a stopped laptop's disk.
    pub fn lose(&mut self, laptop: usize, which: impl FnMut(&Key) -> bool) {
        self.laptop(laptop).disk.inner.lose(which);
    }

    /// Fills or frees the disk of a laptop.
    pub fn fill_disk(&mut self, laptop: usize, full: bool) {
        let slot = self.laptop(laptop);
        match slot.node.as_mut() {
            Some(node) => node.store_mut().full = full,
            None => slot.disk.full = full,
        }
    }

    /// Cuts or joins two sets of laptops.
    pub fn partition(&mut self, left: &[usize], right: &[usize], cut: bool) {
        for (a, b) in left.iter().flat_map(|a| right.iter().map(move |b| (*a.min(b), *a.max(b)))) {
            if cut {
                self.cut.insert((a, b));
            } else {
                self.cut.remove(&(a, b));
            }
        }
        let broken: Vec<u64> = self
            .links
            .iter()
            .filter(|(_, l)| !self.reaches(l.ends[0], l.ends[1]))
            .map(|(id, _)| *id)
            .collect();
        for link in broken {
            self.break_link(link);
        }
    }

    /// Whether no cut lies between two laptops.
    pub fn reaches(&self, a: usize, b: usize) -> bool {
        !self.cut.contains(&(a.min(b), a.max(b)))
    }

    /// Lets somebody do something at a running laptop, and carries out what follows.
    ///
    /// # Panics
    /// If the laptop is off: a mistake of the scenario.
    #[allow(clippy::expect_used)]
    pub fn act<R>(&mut self, laptop: usize, what: impl FnOnce(&mut Node<SimStore>, Timestamp) -> R) -> R {
        let now = self.tell(laptop);
        let node = self.laptop(laptop).node.as_mut().expect("the laptop is on");
        let result = what(node, now);
        self.settle(laptop);
        result
    }

    /// Flushes a node and carries its outputs out.
    fn settle(&mut self, laptop: usize) {
        let now = self.tell(laptop);
        let mut outputs = Vec::new();
        if let Some(node) = self.laptop(laptop).node.as_mut() {
            // A full disk: the node has dropped what it could not keep.
            let _ = node.flush(now);
            outputs.extend(std::iter::from_fn(|| node.poll_output()));
        }
        for output in outputs {
            self.carry(laptop, output);
        }
    }

    fn carry(&mut self, laptop: usize, output: Output) {
        match output {
            Output::Send(conn, frame) => self.carry_frame(laptop, conn, frame),
            Output::Close(conn) => {
                let at = self.after_last(laptop, conn.0);
                self.close_at(conn.0, at);
            }
            Output::Dial(address) => {
                self.dials += 1;
                let wait = self.some_delay();
                let answers = |target: &usize| {
                    let blocked = self.hidden.contains(target) || self.one_way.contains(&(laptop, *target));
                    *target != laptop && self.reaches(laptop, *target) && !blocked
                };
                match self.laptop_at(&address).filter(answers) {
                    Some(target) => {
                        self.schedule(self.now.after(wait), Happening::Up(laptop, target, address))
                    }
                    None => self
                        .schedule(self.now.after(wait), Happening::Input(laptop, Input::DialFailed(address))),
                }
            }
            Output::Event(group, event) => self.laptop(laptop).events.push((group, event)),
            Output::Trust(_) | Output::Doubt(_) | Output::JoinRefused(..) => {}
        }
    }

    fn carry_frame(&mut self, laptop: usize, conn: ConnectionId, frame: Vec<u8>) {
        let delivers = matches!(Message::decode(&frame), Ok(Message::Entries { .. } | Message::Entry(_)));
        if delivers && self.teasers.contains(&laptop) {
            return;
        }
        self.sent = (self.sent.0 + 1, self.sent.1 + frame.len() as u64);
        if self.breaks > 0 && self.rng.below(self.breaks) == 0 {
            return self.break_link(conn.0);
        }
        let at = self.after_last(laptop, conn.0);
        let Some(link) = self.links.get_mut(&conn.0) else { return };
        let direction = usize::from(link.ends[0] != laptop);
        link.last[direction] = at;
        let to = link.ends[1 - direction];
        link.carried[direction] += frame.len();
        let carried = link.carried[direction];
        if carried >= ROOM {
            link.carried[direction] = 0;
        }
        self.schedule(at, Happening::Input(to, Input::Frame(conn, frame)));
        if carried >= ROOM {
            self.schedule(at, Happening::Input(laptop, Input::Left(conn, carried)));
        }
    }

    /// When a frame sent now arrives: not before the last one of its direction.
    fn after_last(&mut self, laptop: usize, link: u64) -> Timestamp {
        let delay = self.some_delay();
        let direction = |l: &Link| usize::from(l.ends[0] != laptop);
        let last = self.links.get(&link).map(|l| l.last[direction(l)]).unwrap_or_default();
        self.now.after(delay).max(last)
    }

    fn some_delay(&mut self) -> Duration {
        let most = self.delay.as_millis() as u64;
        Duration::from_millis(1 + self.rng.below(most))
    }

    fn schedule(&mut self, at: Timestamp, happening: Happening) {
        self.counter += 1;
        self.queue.insert((at, self.counter), happening);
    }

    fn break_link(&mut self, link: u64) {
        let now = self.now;
        self.close_at(link, now);
    }

    fn close_at(&mut self, link: u64, at: Timestamp) {
        if let Some(Link { ends, .. }) = self.links.remove(&link) {
            for end in ends {
                self.schedule(at, Happening::Input(end, Input::Closed(ConnectionId(link))));
            }
        }
    }

    fn bring_up(&mut self, dialler: usize, target: usize, address: String) {
        let up = |sim: &mut Self, laptop: usize| sim.laptop(laptop).node.is_some();
        if !up(self, dialler) || !up(self, target) || !self.reaches(dialler, target) {
            let now = self.now;
            return self.schedule(now, Happening::Input(dialler, Input::DialFailed(address)));
        }
        self.counter += 1;
        let conn = ConnectionId(self.counter);
        self.links.insert(conn.0, Link { ends: [dialler, target], last: [self.now; 2], carried: [0; 2] });
        for (laptop, other, dialled) in [(dialler, target, Some(address)), (target, dialler, None)] {
            let connected = Connected {
                conn,
                dialled,
                local: laptop.to_be_bytes().to_vec(),
                remote: other.to_be_bytes().to_vec(),
            };
            self.schedule(self.now, Happening::Input(laptop, Input::Connected(connected)));
        }
    }

    /// Carries out the next thing that happens; false if nothing ever will.
    pub fn step(&mut self) -> bool {
        let queued = self.queue.keys().next().map(|(at, _)| *at);
        let deadline = |(number, laptop): (usize, &Laptop)| laptop.deadline().map(|at| (at, number));
        let timer = self.laptops.iter().enumerate().filter_map(deadline).min();
        match (queued, timer) {
            (None, None) => return false,
            (queued, Some((at, laptop))) if queued.is_none_or(|queued| at < queued) => {
                self.now = self.now.max(at);
                self.feed(laptop, Input::Tick);
            }
            _ => {
                if let Some(((at, _), happening)) = self.queue.pop_first() {
                    self.now = self.now.max(at);
                    match happening {
                        Happening::Input(laptop, input) => self.feed(laptop, input),
                        Happening::Up(dialler, target, address) => self.bring_up(dialler, target, address),
                    }
                }
            }
        }
        true
    }

    fn feed(&mut self, laptop: usize, input: Input) {
        if let Some(waiting) = &mut self.laptop(laptop).asleep {
            return waiting.push(input);
        }
        let now = self.tell(laptop);
        if let Some(node) = self.laptop(laptop).node.as_mut() {
            // A store that can't be read: the node goes on with what it can.
            let _ = node.handle(input, now);
            self.settle(laptop);
        }
    }

    /// Runs for a span of simulated time.
    pub fn run_for(&mut self, span: Duration) {
        let end = self.now.after(span);
        while self.next_at().is_some_and(|at| at <= end) && self.step() {}
        self.now = end;
    }

    /// Runs until something holds, at most for a span; says whether it does.
    pub fn run_until(&mut self, span: Duration, mut holds: impl FnMut(&mut Self) -> bool) -> bool {
        let end = self.now.after(span);
        loop {
            if holds(self) {
                return true;
            }
            if self.next_at().is_none_or(|at| at > end) || !self.step() {
                return false;
            }
        }
    }

    fn next_at(&self) -> Option<Timestamp> {
        let timers = self.laptops.iter().filter_map(Laptop::deadline);
        self.queue.keys().map(|(at, _)| *at).chain(timers).min()
    }
}
