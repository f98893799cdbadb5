//! A whole node, sans-IO: profile, groups, joins and sessions. It dispatches, nothing more.
//!
//! Order of calls: [`Node::handle`] for inputs and the commands below for people, as many as have
//! come up; then [`Node::flush`], which makes all of it durable in one batch; then
//! [`Node::poll_output`] until it is empty. Nothing leaves between handling and flushing, so
//! nothing of one's own is sent, and nothing acknowledged, before it is durable. If `flush` fails,
//! memory is built again from the store and what was asked for has not happened.

mod backup;
mod beacons;
mod commands;
mod decisions;
mod devices;
mod dialling;
mod doors;
mod erasing;
mod errands;
mod founding;
mod known;
mod pledges;
mod profile;
mod renewing;
mod verification;

pub use backup::Restored;
pub use commands::{CallPlan, InviteView, NodeError};
pub use decisions::{Decision, Matter, ProposalView};
pub use pledges::PledgeState;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use rand_core::CryptoRng;

use crate::entry::Entry;
use crate::id::{DeviceKey, EntryId, GroupId};
use crate::log::LogId;
use crate::replica::{
    Bootstrap, Errand, Event, Frozen, Joining, OpenError, Received, Replica, Round, Schedule,
};
use crate::store::{Batch, Overlay, Store, StoreError};
use crate::sync::{self, Connected, ConnectionId, DoorState, Judged, New, Sync};
use crate::time::{Clock, Moment, Timestamp};
use known::Known;
use profile::readable;

/// What comes in from outside.
#[derive(Clone, Debug)]
pub enum Input {
    /// A sync stream is up.
    Connected(Connected),
    /// A frame arrived on it.
    Frame(ConnectionId, Vec<u8>),
    /// So many bytes of frames have left on it; to be told at the latest after [`sync::ROOM`] of them,
    /// or nothing more is served.
    Left(ConnectionId, usize),
    /// It is gone.
    Closed(ConnectionId),
    /// [`Node::deadline`] has passed.
    Tick,
    /// Where this node can be reached now, best first.
    Listening(Vec<String>),
    /// Nobody answered at an address.
    DialFailed(String),
    /// Somebody runs a node at this address of the local network.
    Discovered(String),
}

/// What goes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send a frame.
    Send(ConnectionId, Vec<u8>),
    /// Close once what was sent before is out.
    Close(ConnectionId),
    /// A stranger's limits no longer apply.
    Trust(ConnectionId),
    /// Find out whether the line is alive, and close it if not.
    Doubt(ConnectionId),
    /// Dial an address.
    Dial(String),
    /// Something happened in a group.
    Event(GroupId, Event),
    /// A join was refused by someone who knows the code.
    JoinRefused(DeviceKey, DoorState),
}

/// A code in use.
struct Join {
    joining: Joining,
    bootstrap: Option<Bootstrap>,
    /// What it held when this device would have knocked.
    held: Option<usize>,
    refused: Option<DoorState>,
}

impl Join {
    fn is_resync(&self) -> bool {
        matches!(self.joining.errand(), Errand::Resync(_))
    }

    /// Mail that has led nowhere, and of which nothing new has come since this was asked last, was false, or
    /// is out of date: another answer is waited for.
    fn drop_idle(&mut self) {
        let held = self.bootstrap.as_ref().map(Bootstrap::held);
        if held.is_some() && held == self.held {
            (self.bootstrap, self.held) = (None, None);
        } else {
            self.held = held;
        }
    }
}

/// How long this node does nothing of its own accord after the disk refused: each refusal ends all sessions.
const REST: Duration = Duration::from_secs(60);

/// How much longer than others somebody waits who has no session with a device to which new keys are due: the
/// mail is with whoever makes the commit (K-10).
const ABSENT_PATIENCE: Duration = Duration::from_secs(16);

/// How long each in the order of committers waits for the one before it (K-10).
const COMMIT_PATIENCE: Duration = Duration::from_secs(2);

/// Where waiting work is due.
#[derive(Default)]
struct Agenda {
    /// What the disk said last, and until when nothing is tried; none since it took something.
    refusal: Option<(StoreError, Moment)>,
    /// Commits that others should have made by then.
    duties: BTreeMap<GroupId, Moment>,
    /// Beacons to post.
    beacons: BTreeMap<GroupId, Moment>,
    /// When each group's last beacon was posted.
    posted: BTreeMap<GroupId, Moment>,
    /// When whoever moves to a group knocks again, and how often it has in vain.
    knocks: BTreeMap<DeviceKey, (Moment, u32)>,
    /// Groups where members write in epochs that this device has no keys of.
    behind: BTreeMap<GroupId, errands::Lag>,
    /// When new keys may be asked for again.
    resyncs: BTreeMap<GroupId, Moment>,
    /// When something was last said or done in each group, or this node started.
    lively: BTreeMap<GroupId, Moment>,
    /// When this device renews its keys in each group.
    renewals: BTreeMap<GroupId, Moment>,
    /// When what is over is erased next.
    erase: Moment,
}

/// One node.
pub struct Node<S: Store> {
    store: S,
    overlay: Overlay,
    rng: Box<dyn CryptoRng + Send>,
    clock: Clock,
    replicas: BTreeMap<GroupId, Replica>,
    closed: BTreeSet<GroupId>,
    joins: BTreeMap<DeviceKey, Join>,
    sync: Sync,
    listening: Vec<String>,
    discovered: VecDeque<String>,
    calls: dialling::Calls,
    agenda: Agenda,
    schedule: Schedule,
    pledges: BTreeMap<(GroupId, EntryId), PledgeState>,
    /// Answers that had come in when a call was last counted, and how many said yes.
    tallies: BTreeMap<(GroupId, EntryId), (u64, u32)>,
    stored: Vec<(GroupId, Option<ConnectionId>, LogId, Entry)>,
    events: Vec<(GroupId, Event)>,
    held: VecDeque<Output>,
    ready: VecDeque<Output>,
}

impl Agenda {
    fn is_resting(&self, now: Moment) -> bool {
        self.refusal.as_ref().is_some_and(|(_, until)| now < *until)
    }
}

/// A random part of a span, so that not all do something at once.
fn part_of(span: Duration, rng: &mut dyn CryptoRng) -> Duration {
    let mut random = [0; 8];
    rng.fill_bytes(&mut random);
    let span = u64::try_from(span.as_millis()).unwrap_or(u64::MAX).max(1);
    Duration::from_millis(u64::from_be_bytes(random) % span)
}

impl<S: Store> Node<S> {
    /// Opens what the store holds.
    ///
    /// # Errors
    /// A group whose records can't be read.
    pub fn open(store: S, rng: Box<dyn CryptoRng + Send>, now: Timestamp) -> Result<Self, OpenError> {
        let mut node = Self {
            store,
            overlay: Overlay::default(),
            rng,
            clock: Clock::default(),
            replicas: BTreeMap::new(),
            closed: BTreeSet::new(),
            joins: BTreeMap::new(),
            sync: Sync::new(),
            listening: Vec::new(),
            discovered: VecDeque::new(),
            calls: dialling::Calls::default(),
            agenda: Agenda::default(),
            schedule: Schedule::USUAL,
            pledges: BTreeMap::new(),
            tallies: BTreeMap::new(),
            stored: Vec::new(),
            events: Vec::new(),
            held: VecDeque::new(),
            ready: VecDeque::new(),
        };
        node.reload(now)?;
        node.agenda.erase = node.clock.at(now).after(erasing::FIRST);
        // What was due before a crash still is.
        for group in node.replicas.keys().copied().collect::<Vec<_>>() {
            let moment = node.clock.at(now);
            node.agenda.lively.insert(group, moment);
            node.after(group, now)?;
        }
        node.resume_errands(now);
        Ok(node)
    }

    /// Builds memory from the store. A group whose own records are lost stays closed; the others go on.
    fn reload(&mut self, now: Timestamp) -> Result<(), OpenError> {
        self.overlay = Overlay::default();
        self.stored.clear();
        self.events.clear();
        self.held.clear();
        self.replicas.clear();
        self.closed.clear();
        // What can't be read now is left out until the store has given it up: see `mend`.
        for group in self.listed()? {
            match self.open_group(group, now) {
                Ok(replica) => drop(self.replicas.insert(group, replica)),
                Err(OpenError::Incomplete | OpenError::Store(StoreError::Damaged)) => {
                    self.closed.insert(group);
                }
                Err(error) => return Err(error),
            }
        }
        self.remember_drafts();
        readable(self.load_joins())?;
        readable(self.load_pledges(now))?;
        Ok(())
    }

    fn open_group(&mut self, group: GroupId, now: Timestamp) -> Result<Replica, OpenError> {
        let (mut overlay, mut events, mut stored) = (Overlay::default(), Vec::new(), Vec::new());
        let mut round = Round {
            store: &self.store,
            overlay: &mut overlay,
            rng: &mut *self.rng,
            now,
            events: &mut events,
            stored: &mut stored,
        };
        Replica::open(group, &mut round)
    }

    /// Takes one input.
    ///
    /// # Errors
    /// The store's, when reading.
    pub fn handle(&mut self, input: Input, now: Timestamp) -> Result<(), StoreError> {
        let moment = self.clock.at(now);
        match input {
            Input::Connected(connected) => {
                self.dialled(connected.dialled.as_deref(), connected.conn);
                self.sync.connected(connected, moment, &mut *self.rng);
            }
            Input::Frame(conn, frame) => {
                let known = Known::new(&self.replicas, &self.joins, &self.store, &self.discovered, now);
                self.sync.frame(conn, &frame, moment, &known, &mut *self.rng);
            }
            Input::Left(conn, bytes) => {
                let known = Known::new(&self.replicas, &self.joins, &self.store, &self.discovered, now);
                self.sync.left(conn, bytes, &known);
            }
            Input::Closed(conn) => {
                self.sync.closed(conn);
                self.hung_up(conn, now);
            }
            Input::Tick => self.tick(now)?,
            Input::Listening(addresses) => self.listen(addresses, now),
            Input::DialFailed(address) => self.dial_failed(&address, now),
            Input::Discovered(address) => self.discovered(address),
        }
        self.work(now)
    }

    fn tick(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let known = Known::new(&self.replicas, &self.joins, &self.store, &self.discovered, now);
        let moment = self.clock.at(now);
        self.sync.tick(moment, &known);
        if self.agenda.is_resting(moment) {
            return Ok(());
        }
        self.tick_duties(now)?;
        self.tick_beacons(now)?;
        self.tick_pledges(now)?;
        self.tick_knocks(now);
        self.tick_behind(now)?;
        self.tick_renewals(now)?;
        self.tick_erasing(now)
    }

    /// Works off what sync found, and what follows from it, until nothing more follows.
    fn work(&mut self, now: Timestamp) -> Result<(), StoreError> {
        while let Some(output) = self.sync.poll_output() {
            self.on_sync(output, now)?;
        }
        self.dial(now);
        Ok(())
    }

    fn on_sync(&mut self, output: sync::Output, now: Timestamp) -> Result<(), StoreError> {
        match output {
            sync::Output::Send(conn, frame) => self.held.push_back(Output::Send(conn, frame)),
            sync::Output::Close(conn) => {
                self.held.push_back(Output::Close(conn));
                self.hung_up(conn, now);
            }
            sync::Output::Trust(conn) => self.held.push_back(Output::Trust(conn)),
            sync::Output::Doubt(conn) => self.held.push_back(Output::Doubt(conn)),
            sync::Output::Busy(conn, seconds) => self.turned_away(conn, seconds, now),
            sync::Output::Received { conn, group, live, entries } => {
                let judged = self.judge(conn, (group, live), &entries, now)?;
                self.sync.received(conn, group, live, judged);
            }
            sync::Output::Opened { conn, group, .. } => {
                self.answered(conn, group, now);
                self.ask_here(conn, group);
            }
            sync::Output::Compared { group, .. } => self.compared(group, now)?,
            sync::Output::Acknowledged { group, device, lane, seq } => {
                if let Some(replica) = self.replicas.get_mut(&group) {
                    replica.acknowledged(device, lane, seq);
                }
            }
            sync::Output::Knocked { conn, group, invite, request } => {
                self.knocked(conn, group, invite, &request, now)?
            }
            sync::Output::Asked { conn, request } => self.asked(conn, &request, now)?,
            sync::Output::Told { conn, group, device, keys } => {
                self.told_keys(conn, (group, device), keys, now)?;
            }
            sync::Output::Mail { invite, bytes } => self.mailed(invite, &bytes, now),
            sync::Output::Refused { invite, why } => self.join_refused(invite, why),
        }
        Ok(())
    }

    fn judge(
        &mut self,
        conn: ConnectionId,
        (group, live): (GroupId, bool),
        entries: &[Vec<u8>],
        now: Timestamp,
    ) -> Result<Judged, StoreError> {
        if self.hold_for_joining(group, entries) {
            return Ok(Judged::default());
        }
        let mut judged = Judged::default();
        for entry in entries {
            let received =
                self.in_group(group, Some(conn), now, |replica, round| replica.receive(entry, round));
            match received.transpose()? {
                Some(Received::Bad) => judged.bad = true,
                Some(Received::Duplicate) => judged.duplicate = true,
                Some(Received::Unknown) => {
                    judged.unknown = true;
                    self.note_unknown(group, live, entry);
                    self.hold_for_resync(group, entry);
                }
                Some(Received::Stored | Received::Excess) | None => {}
            }
            if judged.bad {
                break;
            }
        }
        if self.replicas.get_mut(&group).is_some_and(Replica::take_placeable) {
            self.sync.compare_soon(&group, self.clock.at(now));
        }
        self.after(group, now)?;
        Ok(judged)
    }

    /// Runs work on one group in this node's round, and collects what it stored and reported.
    fn in_group<R>(
        &mut self,
        group: GroupId,
        from: Option<ConnectionId>,
        now: Timestamp,
        work: impl FnOnce(&mut Replica, &mut Round<'_>) -> R,
    ) -> Option<R> {
        let replica = self.replicas.get_mut(&group)?;
        let (mut events, mut stored) = (Vec::new(), Vec::new());
        let mut round = Round {
            store: &self.store,
            overlay: &mut self.overlay,
            rng: &mut *self.rng,
            now,
            events: &mut events,
            stored: &mut stored,
        };
        let result = work(replica, &mut round);
        self.stored.extend(stored.into_iter().map(|(log, entry)| (group, from, log, entry)));
        self.events.extend(events.into_iter().map(|event| (group, event)));
        Some(result)
    }

    /// What follows from new entries: commits that are due, answers to calls, receipts.
    fn after(&mut self, group: GroupId, now: Timestamp) -> Result<(), StoreError> {
        self.settle_forks(group, now)?;
        self.watch(group, now);
        self.plan_duty(group, now)?;
        self.plan_renewal(group, now)?;
        self.introduce(group, now)?;
        self.plan_succession(group, now)?;
        self.plan_beacon(group, now);
        self.plan_pledges(group, now)
    }

    /// Who is first in the order of committers commits at once; the others give it time, each another.
    pub(super) fn plan_duty(&mut self, group: GroupId, now: Timestamp) -> Result<(), StoreError> {
        let Some(replica) = self.replicas.get(&group) else { return Ok(()) };
        if !replica.has_duty() && self.to_bring(&group).is_empty() {
            self.agenda.duties.remove(&group);
            return Ok(());
        }
        match replica.turn() {
            0 => self.carry_out(group, now),
            turn => {
                let mut patience = COMMIT_PATIENCE.saturating_mul(turn);
                let peers: BTreeSet<DeviceKey> =
                    self.sync.peers().filter(|(_, of, _)| *of == group).map(|(.., device)| device).collect();
                if replica.wishes().any(|device| !peers.contains(&device)) {
                    patience = patience.saturating_add(ABSENT_PATIENCE);
                }
                let due = self.clock.at(now).after(patience);
                self.agenda.duties.entry(group).or_insert(due);
                Ok(())
            }
        }
    }

    fn settle_forks(&mut self, group: GroupId, now: Timestamp) -> Result<(), StoreError> {
        match self.in_group(group, None, now, |replica, round| replica.settle_forks(round)) {
            Some(Err(crate::replica::AuthorError::Store(error))) => Err(error),
            _ => Ok(()),
        }
    }

    fn carry_out(&mut self, group: GroupId, now: Timestamp) -> Result<(), StoreError> {
        self.bring(group, now)?;
        let done = self.in_group(group, None, now, |replica, round| replica.carry_out(round));
        match done {
            Some(Err(crate::replica::AuthorError::Store(error))) => Err(error),
            _ => Ok(()),
        }
    }

    fn tick_duties(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let moment = self.clock.at(now);
        let due: Vec<GroupId> =
            self.agenda.duties.iter().filter(|(_, at)| **at <= moment).map(|(group, _)| *group).collect();
        for group in due {
            self.agenda.duties.remove(&group);
            self.carry_out(group, now)?;
            self.introduce(group, now)?;
        }
        Ok(())
    }

    /// Everything the other side had is here: a good moment to introduce oneself and to complete a
    /// join.
    fn compared(&mut self, group: GroupId, now: Timestamp) -> Result<(), StoreError> {
        self.complete_join(group, now)?;
        self.watch(group, now);
        if self.sync.is_confirmed(&group) {
            self.in_group(group, None, now, Replica::trust_again).transpose()?;
        }
        self.plan_beacon(group, now);
        Ok(())
    }

    /// Makes everything since the last flush durable, then passes on what is new and hands out
    /// what waited.
    ///
    /// # Errors
    /// The store's: then nothing since the last flush has happened, and all sessions end.
    pub fn flush(&mut self, now: Timestamp) -> Result<(), StoreError> {
        loop {
            let batch = self.overlay.take();
            if !batch.is_empty() {
                self.commit(batch, now)?;
            }
            self.report(now);
            if !self.pass_on(now)? {
                break;
            }
        }
        self.ready.append(&mut self.held);
        Ok(())
    }

    fn commit(&mut self, batch: Batch, now: Timestamp) -> Result<(), StoreError> {
        let done = self.store.commit(batch);
        self.agenda.refusal = done.clone().err().map(|error| (error, self.clock.at(now).after(REST)));
        if done.is_err() {
            self.abandon(now);
        }
        done
    }

    /// What the disk said last, unless it has taken something since.
    pub fn refusal(&self) -> Option<&StoreError> {
        self.agenda.refusal.as_ref().map(|(error, _)| error)
    }

    /// Nothing of this round has happened: end all sessions, and build memory again.
    fn abandon(&mut self, now: Timestamp) {
        let conns: BTreeSet<ConnectionId> = self.sync.peers().map(|(conn, ..)| conn).collect();
        self.sync = Sync::new();
        // If the store can't be read either, the groups stay closed until the next start.
        let _ = self.reload(now);
        self.ready.extend(conns.into_iter().map(Output::Close));
    }

    fn report(&mut self, now: Timestamp) {
        for (group, event) in std::mem::take(&mut self.events) {
            if matches!(event, Event::Equivocation(_)) {
                self.sync.compare_soon(&group, self.clock.at(now));
            }
            self.held.push_back(Output::Event(group, event));
        }
    }

    /// Tells sync what is durable now; true if work followed that must be flushed too.
    fn pass_on(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        let stored = std::mem::take(&mut self.stored);
        let new: Vec<New> = stored
            .into_iter()
            .map(|(group, from, log, entry)| New {
                group,
                log,
                seq: entry.header().seq,
                id: entry.id(),
                bytes: entry.bytes().to_vec(),
                from,
            })
            .collect();
        let touched: BTreeSet<GroupId> = new.iter().map(|entry| entry.group).collect();
        let moment = self.clock.at(now);
        let done = new.iter().filter(|entry| entry.log.lane.is_chained());
        self.agenda.lively.extend(done.map(|entry| (entry.group, moment)));
        let known = Known::new(&self.replicas, &self.joins, &self.store, &self.discovered, now);
        self.sync.committed(&new, moment, &known);
        for group in touched {
            self.sync.roster_changed(&group, &known);
        }
        self.work(now)?;
        Ok(!self.overlay.is_empty() || !self.stored.is_empty() || !self.events.is_empty())
    }

    /// The next thing to do, all of it durable.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.ready.pop_front()
    }

    /// When [`Input::Tick`] is wanted next, by the clock as it was last told: to be asked again after
    /// each input.
    pub fn deadline(&self) -> Option<Timestamp> {
        let knocks = self.agenda.knocks.values().map(|(at, _)| at);
        let behind = self.agenda.behind.values().map(|lag| &lag.due);
        let timers = self.agenda.duties.values().chain(self.agenda.beacons.values());
        let timers = timers.chain(self.agenda.renewals.values());
        let erase = self.has_old().then_some(&self.agenda.erase);
        let agenda = timers.chain(knocks).chain(behind).chain(erase).copied();
        let rested = self.agenda.refusal.as_ref().map(|(_, until)| *until);
        let agenda = agenda.min().map(|moment| rested.map_or(moment, |rested| moment.max(rested)));
        let pledge =
            self.next_pledge().map(|at| rested.map_or(at, |rested| at.max(self.clock.shows(rested))));
        let waiting = agenda.into_iter().chain(self.sync.deadline()).chain(self.next_dial()).min();
        waiting.map(|moment| self.clock.shows(moment)).into_iter().chain(pledge).min()
    }

    /// The groups of this profile.
    pub fn groups(&self) -> impl Iterator<Item = &Replica> {
        self.replicas.values()
    }

    /// One group.
    pub fn group(&self, group: &GroupId) -> Option<&Replica> {
        self.replicas.get(group)
    }

    /// Peers in open sessions, by group.
    pub fn peers(&self) -> impl Iterator<Item = (ConnectionId, GroupId, DeviceKey)> + '_ {
        self.sync.peers()
    }

    /// Asks something of one group, without changing it.
    pub fn ask<R>(
        &mut self,
        group: GroupId,
        now: Timestamp,
        question: impl FnOnce(&Replica, &Round<'_>) -> R,
    ) -> Option<R> {
        self.in_group(group, None, now, |replica, round| question(replica, round))
    }

    /// The store, for what it can say of itself.
    pub fn store(&self) -> &S {
        &self.store
    }

    /// The store, for looking after it between rounds.
    pub fn store_mut(&mut self) -> &mut S {
        &mut self.store
    }

    /// Stops writing in all groups: this profile is a copy, or an old image, of one that may have
    /// written since.
    pub fn freeze(&mut self, now: Timestamp) {
        let groups: Vec<GroupId> = self.replicas.keys().copied().collect();
        for group in groups {
            self.in_group(group, None, now, Replica::freeze_as_copy);
        }
    }

    /// Groups in which this profile writes nothing, and why; drafts that are another group's past left out.
    pub fn frozen(&self) -> impl Iterator<Item = (&Replica, Frozen)> {
        let present = |replica: &&Replica| self.successor_of(&replica.group()) == replica.group();
        let replicas = self.replicas.values().filter(present);
        replicas.filter_map(|replica| replica.frozen().map(|why| (replica, why)))
    }

    /// Groups whose own records can't be read: nothing can be done in them but come in again.
    pub fn closed(&self) -> impl Iterator<Item = &GroupId> {
        self.closed.iter()
    }
}

#[cfg(test)]
mod tests;
