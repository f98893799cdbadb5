//! What an applied entry does, by kind. An entry that does nothing stays in its log and counts as
//! applied (L-3): whoever cites it goes on.

use super::receive::Shelved;
use super::shelf::{self, Shelf};
use super::{Change, Event, Frozen, Replica, Round};
use crate::action::Action;
use crate::action::beacon::Beacon;
use crate::action::board::Applied;
use crate::action::message::Message;
use crate::action::strike::Call;
use crate::crypto::Secret;
use crate::entry::{Body, Class, ClassKey, Entry, Lane};
use crate::group::invite::JoinRequest;
use crate::group::membership::{Ended, OpState, Operation, View};
use crate::group::operation::{
    Admit, Approve, Control, DeviceDrop, Dismiss, Invite, Move, Persons, Profile, Promote,
};
use crate::group::operation::{Remove, Resync, Revoke, Rule};
use crate::group::seal::{self, hpke};
use crate::id::{DeviceKey, MemberId};
use crate::kind::Kind;
use crate::log::{Facts, LogId, Marks, Past};
use crate::store::StoreError;

/// What a clock may be ahead of the entries that are here: others may have many more.
const CLOCK_SLACK: usize = 100_000;

impl Replica {
    /// Carries an entry's effect out; true if it is a membership act that counts.
    pub(super) fn effect(
        &mut self,
        entry: &Entry,
        body: Option<&Body>,
        past: OpState,
        round: &mut Round<'_>,
    ) -> Result<bool, StoreError> {
        let class = entry.header().class;
        let Some(body) = body else {
            // Content may be unreadable here (newcomers, retention); control never is.
            if class == Class::Control {
                round.events.push(Event::Rejected(entry.id()));
            }
            return Ok(false);
        };
        let Some(kind) = Kind::from_number(body.kind, class) else {
            self.unknown_kind(class, &entry.device(), round);
            return Ok(false);
        };
        match class {
            Class::Control => self.control(kind, entry, body, past, round),
            Class::Record => {
                self.record(kind, entry, body, past, round);
                Ok(false)
            }
            // Talk and beacons need their facts first: see `after_applied`.
            Class::Chat | Class::Short | Class::Beacon => Ok(false),
        }
    }

    pub(super) fn open_body(&self, entry: &Entry) -> Option<Body> {
        let class = entry.header().class;
        let key = match class {
            Class::Control => self.key_of(entry).map(ClassKey),
            _ => self.ring.class_key(&entry.epoch(), class),
        };
        entry.open(&self.group, &key?).ok()
    }

    /// An old node that skipped a new kind of removal would seal to the removed; but a member who decides
    /// nothing could stop it for good (B-1).
    fn unknown_kind(&mut self, class: Class, author: &DeviceKey, round: &mut Round<'_>) {
        let keyholder = self.view.is_keyholder(&self.view.owner_of(author));
        if class == Class::Control && keyholder && self.frozen.is_none() {
            self.freeze(Frozen::NeedsNewer, round);
        }
        round.events.push(Event::NeedsNewer);
    }

    fn control(
        &mut self,
        kind: Kind,
        entry: &Entry,
        body: &Body,
        past: OpState,
        round: &mut Round<'_>,
    ) -> Result<bool, StoreError> {
        let payload = &body.payload;
        let done = match kind {
            Kind::Commit => return self.commit_entry(entry, body, past, round).map(|()| false),
            Kind::Opened => self.opened(entry, payload, past, round),
            Kind::Profile => self.profile(entry, payload, past, round),
            Kind::Genesis => {
                for device in &self.parameters.members {
                    self.quota.admitted(*device, body.time);
                }
                true
            }
            Kind::Merge => true,
            Kind::Found | Kind::Approve | Kind::Move if self.is_founding(kind, payload) => {
                let before = self.successor().is_some();
                let done = self.founding_act(kind, entry, payload, past);
                self.founding_changed(before, &entry.id(), round);
                done
            }
            _ => return Ok(self.membership_act(kind, entry, body, past, round)),
        };
        if !done {
            round.events.push(Event::Rejected(entry.id()));
        }
        Ok(false)
    }

    fn profile(&mut self, entry: &Entry, payload: &[u8], past: OpState, round: &mut Round<'_>) -> bool {
        let Ok(profile) = Profile::from_payload(payload) else { return false };
        let member = self.view_at(past).member_of(&entry.device()).is_some();
        let counts = member && hpke::check(self.suite, &profile.mail).is_ok();
        if counts {
            let person = self.view.owner_of(&entry.device());
            let before = self.name_of(&person);
            self.profiles.insert(entry.device(), (entry.id(), profile));
            if person != self.member() && before != self.name_of(&person) {
                round.events.push(Event::Named(person));
            }
        }
        counts
    }

    /// A membership act: checked for form here, judged by [`crate::group::membership`].
    fn membership_act(
        &mut self,
        kind: Kind,
        entry: &Entry,
        body: &Body,
        past: OpState,
        round: &mut Round<'_>,
    ) -> bool {
        let payload = &body.payload;
        let Some(operation) = self.read_operation(kind, &entry.device(), payload) else {
            round.events.push(Event::Rejected(entry.id()));
            return false;
        };
        let states = self.logs.states_mut();
        if self.membership.add(entry.id(), entry.device(), past, operation, states).is_err() {
            round.events.push(Event::Rejected(entry.id()));
            return false;
        }
        self.keep_keys(kind, entry, body, round);
        if self.membership.is_proposal(&entry.id()) && entry.device() != self.device {
            round.events.push(Event::Proposal(entry.id()));
        }
        true
    }

    /// What acts carry beside their meaning: keys of doors, key packages.
    fn keep_keys(&mut self, kind: Kind, entry: &Entry, body: &Body, round: &mut Round<'_>) {
        let (id, author, payload) = (entry.id(), entry.device(), &body.payload);
        match kind {
            Kind::Invite => {
                let Ok(invite) = Invite::from_payload(payload) else { return };
                let keys = (Secret::new(*invite.request), Secret::new(*invite.peer));
                self.doors.insert(invite.key, keys);
            }
            Kind::Admit => {
                let Ok(admit) = Admit::from_payload(payload) else { return };
                self.packages.insert(id, admit.key_package.to_vec());
                self.quota.admitted(admit.device, body.time);
                self.add_device(admit.device, round);
            }
            Kind::Move => {
                let Ok(asked) = Move::from_payload(payload) else { return };
                self.brought.insert(asked.device, id);
                self.packages.insert(id, asked.key_package.to_vec());
            }
            Kind::Resync => {
                let Ok(asked) = Resync::from_payload(payload) else { return };
                self.keep_resync(id, author, asked);
            }
            _ => {}
        }
    }

    pub(super) fn add_device(&mut self, device: DeviceKey, round: &mut Round<'_>) {
        self.logs.admit(&device);
        if self.devices.insert(device) {
            let list: Vec<u8> = self.devices.iter().flat_map(|device| *device.as_bytes()).collect();
            shelf::put_named(round.overlay, &self.group, b"devices", list);
        }
    }

    fn read_operation(&self, kind: Kind, author: &DeviceKey, payload: &[u8]) -> Option<Operation> {
        match kind {
            Kind::Invite => {
                let invite = Invite::from_payload(payload).ok()?;
                let Invite { key, uses, expires, devices, .. } = invite;
                let proven = invite.is_proven(&self.group, author);
                proven.then_some(Operation::Invite { key, uses, expires, devices })
            }
            Kind::Admit => {
                let admit = Admit::from_payload(payload).ok()?;
                seal::check_key_package(&admit.key_package, &admit.device, self.suite).ok()?;
                self.check_proof(&admit)
                    .then_some(Operation::Admit { device: admit.device, invite: admit.invite })
            }
            Kind::Remove => {
                let members = Remove::from_payload(payload).ok()?.members;
                Some(Operation::Remove { members: members.into_iter().map(MemberId::from).collect() })
            }
            Kind::Revoke => {
                Revoke::from_payload(payload).ok().map(|revoke| Operation::Revoke { key: revoke.invite })
            }
            Kind::Leave => Some(Operation::Leave),
            Kind::DeviceDrop => {
                let drop = DeviceDrop::from_payload(payload).ok()?;
                let DeviceDrop { device, phrase, .. } = drop;
                drop.is_proven(&self.group).then_some(Operation::Drop { device, phrase })
            }
            Kind::Move => {
                let asked = Move::from_payload(payload).ok()?;
                self.is_brought(&asked).then_some(Operation::Bring { device: asked.device })
            }
            Kind::Resync => self.read_resync(author, payload).map(|_| Operation::Bring { device: *author }),
            _ => read_decision(kind, payload),
        }
    }

    /// Every member checks that a code was really used, not the door-opener alone (I-5).
    fn check_proof(&self, admit: &Admit) -> bool {
        let (Some(invite), Some(proof)) = (&admit.invite, &admit.proof) else {
            return true;
        };
        let request =
            JoinRequest { device: admit.device, key_package: admit.key_package.to_vec(), proof: **proof };
        request.verify(&self.group, invite)
    }

    fn record(&mut self, kind: Kind, entry: &Entry, body: &Body, past: OpState, round: &mut Round<'_>) {
        let view = self.view_at(past);
        let member = view.member_of(&entry.device());
        let mandate = member.is_some_and(|member| view.is_keyholder(&member));
        let applied = Applied {
            id: entry.id(),
            device: entry.device(),
            seq: entry.header().seq,
            member,
            mandate,
            time: body.time,
            payload: &body.payload,
        };
        let counts = self.can_be_answered(kind, &body.payload) && self.board.apply(kind, &applied).is_ok();
        let event = if counts { Event::Record } else { Event::Rejected };
        round.events.push(event(entry.id()));
    }

    /// Nobody could answer a call whose counter key nothing can be sealed to (G-10).
    fn can_be_answered(&self, kind: Kind, payload: &[u8]) -> bool {
        kind != Kind::Call
            || Call::from_payload(payload)
                .is_ok_and(|call| hpke::check(self.suite, &call.counter_key).is_ok())
    }

    /// V(e) for these operations.
    pub(super) fn view_at(&mut self, past: OpState) -> View {
        self.membership.view_of(past, self.logs.states())
    }

    /// What needs an entry's facts: the place of a message, the tips of a beacon.
    pub(super) fn after_applied(
        &mut self,
        entry: &Entry,
        body: Option<&Body>,
        facts: Facts,
        round: &mut Round<'_>,
    ) {
        self.spoke_in.insert(entry.device(), entry.epoch());
        if entry.header().lane == Lane::Acts {
            self.note_voice(entry);
        }
        let Some(body) = body else { return };
        self.heard_at(entry.device(), body.time);
        match Kind::from_number(body.kind, entry.header().class) {
            Some(Kind::Message) => self.message(entry, body, facts, round),
            Some(Kind::Beacon) => self.beacon(entry, body, round),
            _ => {}
        }
    }

    fn note_voice(&mut self, entry: &Entry) {
        let (device, seq) = (entry.device(), entry.header().seq);
        if self.tree.speak(device, seq, entry.id(), entry.epoch()) {
            self.count_voices();
        }
    }

    /// The latest of a device's clocks, in whatever order its entries came.
    pub(super) fn heard_at(&mut self, device: DeviceKey, time: u32) {
        let heard = self.last_heard.entry(device).or_insert(time);
        *heard = (*heard).max(time);
    }

    fn message(&mut self, entry: &Entry, body: &Body, facts: Facts, round: &mut Round<'_>) {
        let entitled = self.view_at(facts.ops).member_of(&entry.device()).is_some();
        let (true, Ok(message)) = (entitled, Message::from_payload(&body.payload)) else {
            round.events.push(Event::Rejected(entry.id()));
            return;
        };
        self.note_clock(message.clock);
        if let Some(of) = message.edits {
            shelf::put_edit(round.overlay, &self.group, &of, entry);
            round.events.push(Event::Message(of));
            return;
        }
        let log = LogId { device: entry.device(), lane: entry.header().lane };
        let place = (message.clock, self.tie(&entry.id()));
        // One that comes again, to a new device of this profile's, was here before (K-13).
        let before = self.shelf(round).shown(place.0, place.1).ok().flatten();
        let received = before.and_then(|shown| shown.received).unwrap_or(round.now.as_entry_secs());
        shelf::put_message(round.overlay, &self.group, log, entry, place, received);
        round.events.push(Event::Message(entry.id()));
    }

    /// Follows a clock unless it is beyond what an honest author could have counted.
    pub(super) fn note_clock(&mut self, clock: u32) {
        let (entries, _) = self.counts();
        if (clock as usize) <= entries.saturating_add(CLOCK_SLACK) {
            self.clock = self.clock.max(clock);
        }
    }

    pub(super) fn beacon(&mut self, entry: &Entry, body: &Body, round: &Round<'_>) {
        let device = entry.device();
        let Ok(beacon) = Beacon::from_payload(&body.payload) else { return };
        if device == self.device {
            self.told_in = Some(entry.epoch());
        }
        let past = Shelved(Shelf { sight: round.sight(), group: self.group });
        for tip in beacon.acts.iter().chain(&beacon.talk) {
            if let Some(facts) = self.logs.act(tip).copied().or_else(|| past.facts(tip)) {
                self.logs.hear(device, Marks { acts: facts.mark_acts, talk: facts.mark_talk });
            }
        }
        self.beacons.insert(device, beacon);
    }

    /// Reads the roster anew after a membership act.
    pub(super) fn roster_changed(&mut self, round: &mut Round<'_>) {
        let before = std::mem::replace(&mut self.view, self.membership.view());
        self.count_voices();
        for (member, info) in &self.view.members {
            if !before.members.contains_key(member) {
                round.events.push(Event::Members(*member, Change::In(info.admitted_by)));
            }
        }
        for member in before.members.keys().filter(|member| !self.view.members.contains_key(*member)) {
            let change = match self.view.ended(member) {
                Some(Ended::Removed(by)) => Change::Out(by),
                Some(Ended::Expelled) => Change::Expelled,
                Some(Ended::Left) => Change::Left,
                _ => Change::Fell,
            };
            round.events.push(Event::Members(*member, change));
        }
        self.devices_changed(&before, round);
        if before.member_of(&self.device).is_some() && self.view.member_of(&self.device).is_none() {
            self.freeze(Frozen::Ended, round);
            round.events.push(Event::Removed);
        }
    }

    /// Tells which devices of those who were and are members have come or gone (M-18).
    fn devices_changed(&self, before: &View, round: &mut Round<'_>) {
        if self.view.linked.is_empty() && self.view.dropped.is_empty() {
            return;
        }
        let (was, is) = (before.roster(), self.view.roster());
        for device in was.symmetric_difference(&is) {
            let owner = self.view.owner_of(device);
            if [before, &self.view].iter().all(|view| view.members.contains_key(&owner)) {
                round.events.push(Event::Device(owner, *device, is.contains(device)));
            }
        }
    }
}

/// Acts that a majority signs, and what belongs to them.
fn read_decision(kind: Kind, payload: &[u8]) -> Option<Operation> {
    let persons = || {
        let body = Persons::from_payload(payload).ok()?;
        Some((body.members.into_iter().map(MemberId::from).collect(), body.channel))
    };
    match kind {
        Kind::Expel => persons().map(|(members, channel)| Operation::Expel { members, channel }),
        Kind::Demote => persons().map(|(members, channel)| Operation::Demote { members, channel }),
        Kind::Enrol => persons().map(|(members, channel)| Operation::Enrol { members, channel }),
        Kind::Promote => {
            let Promote { member, channel } = Promote::from_payload(payload).ok()?;
            Some(Operation::Promote { member: member.into(), channel })
        }
        Kind::Rule => {
            let Rule { parameter, value, channel } = Rule::from_payload(payload).ok()?;
            Some(Operation::Rule { parameter, value, channel })
        }
        Kind::Dismiss => Dismiss::from_payload(payload).ok().map(|body| Operation::Dismiss { act: body.act }),
        Kind::Approve => Approve::from_payload(payload).ok().map(|body| Operation::Approve { act: body.act }),
        Kind::Resign => Some(Operation::Resign),
        _ => None,
    }
}
