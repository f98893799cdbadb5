//! What front ends ask of a group.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::shelf::{Shelf, Stored};
use super::{Replica, Round};
use crate::action::Action;
use crate::action::message::Message;
use crate::entry::{Body, Entry, Lane};
use crate::group::epoch::peer_key;
use crate::group::membership::{Ended, MemberInfo, Operation, Proposal, Void};
use crate::group::operation::Admit;
use crate::id::{DeviceKey, EntryId, EpochId, MemberId};
use crate::log::{Fork, LogId};
use crate::store::StoreError;
use crate::sync::{Claim, LogHead};
use crate::time::Timestamp;

/// How far an own entry has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// Members whose nodes are known to have it.
    pub delivered: usize,
    /// Members beside its author.
    pub of: usize,
}

/// A message for the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageView {
    /// Its entry.
    pub id: EntryId,
    /// Who wrote it.
    pub author: MemberId,
    /// The author's clock, in seconds since 1970.
    pub time: u32,
    /// What was said; nothing where it was taken back.
    pub text: String,
    /// Whether its author has replaced or taken back what it said first.
    pub edited: bool,
    /// How far it has come, if it is this node's own.
    pub reach: Option<Reach>,
    /// Its place on the screen.
    pub order: u128,
}

/// A member for the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberView {
    /// Who.
    pub member: MemberId,
    /// The name told in the profile.
    pub name: Option<String>,
    /// Whether it holds the keys.
    pub keyholder: bool,
    /// Who let it in.
    pub admitted_by: Option<MemberId>,
    /// Which members have let it in by hand, with a code or without one before.
    pub vouched_by: BTreeSet<MemberId>,
    /// The clock of its newest entry.
    pub last_heard: Option<u32>,
    /// Whether one of its devices has a leaf in the head: what is written now can be read there.
    pub keyed: bool,
    /// How many devices speak for it.
    pub devices: usize,
}

/// One device of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceView {
    /// Which.
    pub device: DeviceKey,
    /// Whether it is the one this node writes with.
    pub here: bool,
    /// Whether it has a leaf in the head: what is written now can be read by it.
    pub keyed: bool,
    /// The clock of its newest entry.
    pub last_heard: Option<u32>,
}

const DAY: u64 = 24 * 3600;
/// After so many days without anything new a key-holder is pointed out.
const SILENT_DAYS: u64 = 14;

impl Replica {
    /// The newest messages of a lower clock than a place on the screen, oldest first.
    ///
    /// # Errors
    /// The store's.
    pub fn messages(
        &self,
        before: Option<u128>,
        limit: usize,
        round: &Round<'_>,
    ) -> Result<Vec<MessageView>, StoreError> {
        let shelf = self.shelf(round);
        let mut to = before.map_or(u128::MAX, |place| (place >> 64 << 64).saturating_sub(1));
        let mut messages = Vec::new();
        while messages.len() < limit {
            let places = shelf.timeline(to, limit.saturating_sub(messages.len()))?;
            let Some(oldest) = places.last().map(|shown| shown.order) else { break };
            for shown in places.into_iter().filter(|shown| !self.is_expired(shown, round.now)) {
                if let Some(stored) = shelf.at(shown.log, shown.seq)? {
                    messages.extend(self.message_view(&stored, round)?);
                }
            }
            let Some(next) = oldest.checked_sub(1) else { break };
            to = next;
        }
        // Of one clock they lie in an order of this node's own; on the screen in everybody's.
        messages.sort_by_key(|message| message.order);
        Ok(messages)
    }

    /// One message by its id.
    ///
    /// # Errors
    /// The store's.
    pub fn message_by_id(&self, id: &EntryId, round: &Round<'_>) -> Result<Option<MessageView>, StoreError> {
        let shelf = self.shelf(round);
        let Some(stored) = shelf.by_id(id)? else { return Ok(None) };
        let Some(view) = self.message_view(&stored, round)? else { return Ok(None) };
        let clock = u32::try_from(view.order >> 64).unwrap_or(u32::MAX);
        let shown = shelf.shown(clock, self.tie(id))?;
        Ok(shown.filter(|shown| !self.is_expired(shown, round.now)).map(|_| view))
    }

    /// A message as it is shown: by its newest edit, if there is one. Where that can't be read any more nothing
    /// is shown: what was taken back must not come back.
    fn message_view(&self, stored: &Stored, round: &Round<'_>) -> Result<Option<MessageView>, StoreError> {
        let entry = &stored.entry;
        let edited = self.shelf(round).edit(&entry.id(), entry.device())?;
        let edit = edited.map_or(Ok(None), |(log, seq)| self.shelf(round).at(log, seq))?;
        let newest = if edited.is_some() { edit.as_ref().map(|edit| &edit.entry) } else { Some(entry) };
        let shown = newest.and_then(|newest| Some((newest, self.open_message(newest)?.1)));
        let (Some((body, message)), Some((newest, shown))) = (self.open_message(entry), shown) else {
            return Ok(None);
        };
        let own = entry.device() == self.device;
        let reach = own.then(|| self.reach(newest.header().lane, newest.header().seq));
        Ok(Some(MessageView {
            id: entry.id(),
            author: self.view.owner_of(&entry.device()),
            time: body.time,
            text: shown.text,
            edited: edited.is_some(),
            reach,
            order: super::shelf::screen_order(message.clock, &entry.id()),
        }))
    }

    fn open_message(&self, entry: &Entry) -> Option<(Body, Message)> {
        let body = self.open_body(entry)?;
        let message = Message::from_payload(&body.payload).ok()?;
        Some((body, message))
    }

    /// How far an own entry has come: members whose newest entry, beacon or acknowledgement has it
    /// in its past.
    pub fn reach(&self, lane: Lane, seq: u32) -> Reach {
        let others = || self.view.members.keys().filter(|member| **member != self.member());
        let heard = |device: DeviceKey| self.logs.heard(&device).of(lane) >= seq;
        let has = |member: &&MemberId| self.view.devices_of(member).any(heard);
        Reach { delivered: others().filter(has).count(), of: others().count() }
    }

    /// How far an own entry has come, by its id; `None` if it is not this device's.
    ///
    /// # Errors
    /// The store's.
    pub fn reach_of(&self, id: &EntryId, round: &Round<'_>) -> Result<Option<Reach>, StoreError> {
        let stored = self.shelf(round).by_id(id)?;
        Ok(stored
            .filter(|s| s.entry.device() == self.device)
            .map(|s| self.reach(s.entry.header().lane, s.entry.header().seq)))
    }

    /// A device has acknowledged this node's own entries in a session.
    pub fn acknowledged(&mut self, device: DeviceKey, lane: Lane, seq: u32) {
        let marks = match lane {
            Lane::Acts => crate::log::Marks { acts: seq, talk: 0 },
            Lane::Talk => crate::log::Marks { acts: 0, talk: seq },
            Lane::Beacon => return,
        };
        self.logs.hear(device, marks);
    }

    /// Current members.
    pub fn members(&self) -> Vec<MemberView> {
        let view = |(member, info): (&MemberId, &Arc<MemberInfo>)| MemberView {
            member: *member,
            name: self.name_of(member),
            keyholder: self.view.is_keyholder(member),
            admitted_by: info.admitted_by,
            vouched_by: self.vouchers(member),
            last_heard: self.last_heard_of(member),
            // Where this device is not in, nobody asks it who can read what is written now.
            keyed: self.is_restored()
                || self.view.devices_of(member).any(|device| self.leaves.contains(&device)),
            devices: self.view.devices_of(member).count(),
        };
        self.view.members.iter().map(view).collect()
    }

    /// One device, as its member is shown it.
    pub fn device_view(&self, device: DeviceKey) -> DeviceView {
        let (here, keyed) = (device == self.device, self.leaves.contains(&device));
        DeviceView { device, here, keyed, last_heard: self.last_heard.get(&device).copied() }
    }

    fn vouchers(&self, of: &MemberId) -> BTreeSet<MemberId> {
        let signed = self.admissions_by_hand(of).into_iter().flat_map(|(_, signed)| signed);
        signed.filter(|member| self.view.members.contains_key(member)).collect()
    }

    /// Other key-holders of whom nothing was written for two weeks, by their clocks and this one, with the days: a
    /// reason to ask, and to decide who takes their place; nothing follows from it by itself.
    pub fn silent_holders(&self, now: Timestamp) -> Vec<(MemberId, u64)> {
        let asks = !self.is_draft() && !self.is_restored();
        let others = self.view.council.iter().filter(|member| **member != self.member() && asks);
        let days = |member: &MemberId| {
            let heard = self.last_heard_of(member).or_else(|| self.quota.since(&DeviceKey(member.0)))?;
            Some((*member, now.as_secs().saturating_sub(u64::from(heard)) / DAY))
        };
        others.filter_map(days).filter(|(_, days)| *days >= SILENT_DAYS).collect()
    }

    /// Everybody who is or was in this group.
    pub fn persons(&self) -> BTreeSet<MemberId> {
        self.devices.iter().map(|device| self.view.owner_of(device)).collect()
    }

    /// The latest clock among somebody's entries, whichever device wrote them.
    fn last_heard_of(&self, member: &MemberId) -> Option<u32> {
        let heard = |device| self.last_heard.get(&device).copied();
        self.view.all_devices_of(member).filter_map(heard).max()
    }

    /// Whether somebody is or was in this group.
    pub fn knows(&self, member: &MemberId) -> bool {
        self.devices.contains(&DeviceKey(member.0))
    }

    /// What several have to sign, as it stands.
    pub fn proposals(&self) -> Vec<Proposal> {
        self.membership.proposals(&self.view)
    }

    /// Admissions of somebody by hand, each with who has signed it.
    pub fn admissions_by_hand(&self, member: &MemberId) -> Vec<(EntryId, BTreeSet<MemberId>)> {
        self.membership.admissions_by_hand(member)
    }

    /// What a member would sign to let somebody in by hand who is in by a code (M-21).
    pub fn admission_by_hand(&self, member: &MemberId) -> Option<Admit> {
        let admission = self.view.members.get(member)?.admission?;
        let key_package = self.packages.get(&admission)?.clone().into();
        Some(Admit { device: DeviceKey(member.0), key_package, invite: None, proof: None })
    }

    /// Whether somebody's admission waits for more signatures.
    pub fn is_awaited(&self, device: &DeviceKey) -> bool {
        self.membership.is_awaited(device, &self.view)
    }

    /// What a membership act does, unless it is void.
    pub fn operation(&self, act: &EntryId) -> Option<&Operation> {
        self.membership.operation(act)
    }

    /// Whether an act of this device's would count, knowing all that is here.
    ///
    /// # Errors
    /// Why it would be void.
    pub fn check(&self, operation: &Operation) -> Result<(), Void> {
        self.membership.check(self.device, operation)
    }

    /// The name somebody told, member or not any more.
    pub fn name_of(&self, member: &MemberId) -> Option<String> {
        let told = self.view.all_devices_of(member).filter_map(|device| self.profiles.get(&device));
        // The same for all, whatever came first here.
        let newest = told.max_by_key(|(act, _)| (self.logs.act(act).map(|facts| facts.depth), *act));
        let told = newest.map(|(_, profile)| profile.name.clone());
        told.or_else(|| self.called.get(&DeviceKey(member.0)).cloned())
    }

    /// What everybody is called here.
    pub fn names(&self) -> BTreeMap<DeviceKey, String> {
        let persons = self.persons().into_iter();
        persons.filter_map(|member| Some((DeviceKey(member.0), self.name_of(&member)?))).collect()
    }

    /// What people were called in the draft that this group was, and where they could be reached: good
    /// until they have told it here.
    pub fn remember(&mut self, called: BTreeMap<DeviceKey, String>, reached: Vec<(DeviceKey, String)>) {
        self.called = called;
        self.reached = reached;
    }

    /// Where members said they can be reached, this device left out; and where the code it came in
    /// by said so.
    pub fn contacts(&self) -> Vec<(DeviceKey, String)> {
        let current = |device: &DeviceKey| *device != self.device && self.view.member_of(device).is_some();
        let beacons = self.beacons.iter().filter(|(device, _)| current(device));
        let told = beacons.flat_map(|(device, beacon)| beacon.contacts.iter().map(|c| (*device, c.clone())));
        let untold = |device: &DeviceKey| current(device) && !self.beacons.contains_key(device);
        let before = self.reached.iter().filter(|(device, _)| untold(device)).cloned();
        let opener = self.door_opener();
        told.chain(before).chain(self.hints.iter().map(|hint| (opener, hint.clone()))).collect()
    }

    /// Who opened the door by which this device came in; the founder, if it is his draft.
    fn door_opener(&self) -> DeviceKey {
        let linked = self.view.linked.get(&self.device).map(|linked| linked.act);
        let admission = || self.view.members.get(&self.member()).and_then(|info| info.admission);
        let maker = linked.or_else(admission).and_then(|act| self.membership.maker(&act));
        maker.unwrap_or_else(|| self.founder())
    }

    /// What this device last told of itself.
    pub fn own_contacts(&self) -> &[String] {
        self.beacons.get(&self.device).map_or(&[], |beacon| &beacon.contacts)
    }

    /// The epoch this device's own beacon is sealed under.
    pub fn told_in(&self) -> Option<EpochId> {
        self.told_in
    }

    /// Whether this device has nothing more to tell here: it was put out, or somebody has heard that
    /// it left, or on which branch it had built (L-6); or it never was in, and the group comes out of a backup.
    pub fn is_over(&self) -> bool {
        let owes = self.view.ended(&self.member()) == Some(Ended::Left) || self.logs.built_on_branch();
        let last = self.logs.head(&self.own_log(Lane::Acts)).map_or(0, |(seq, _)| seq);
        let others = || self.devices.iter().filter(|device| **device != self.device);
        let heard = || others().any(|device| self.logs.heard(device).acts >= last);
        self.is_restored() || self.frozen == Some(super::Frozen::Ended) && (!owes || heard())
    }

    /// Claims to show to a member at an address it told: the head if clean, and the epoch the
    /// address's owner last spoke from.
    pub fn claims_for(&self, address: &str) -> Vec<Claim> {
        let head = (self.is_clean() && self.frozen != Some(super::Frozen::Ended)).then(|| self.head());
        let told = self.contacts().into_iter().filter(|(_, contact)| contact == address);
        let theirs = told.filter_map(|(device, _)| self.spoke_in.get(&device).copied());
        let epochs: BTreeSet<EpochId> = head.into_iter().chain(theirs).collect();
        epochs.into_iter().filter_map(|epoch| self.claim(epoch)).take(2).collect()
    }

    /// Claims by which callers are recognised: of so many epochs, those first in which members on other branches
    /// spoke last, then those of branches that this device was on, then those of the head's branch, the newest
    /// first.
    pub fn recognised(&self, depth: usize) -> Vec<Claim> {
        let chain: Vec<EpochId> = self.tree.way_to(self.head()).collect();
        let ours: BTreeSet<&EpochId> = chain.iter().collect();
        let current = self.spoke_in.iter().filter(|(device, _)| self.view.member_of(device).is_some());
        let rivals: BTreeSet<EpochId> = current.map(|(_, epoch)| *epoch).collect();
        let left = self.ring.whole_epochs().filter(|epoch| !rivals.contains(epoch)).copied();
        let rivals = rivals.iter().copied().chain(left);
        let rivals: Vec<EpochId> = rivals.filter(|epoch| !ours.contains(epoch)).take(depth / 2).collect();
        rivals.into_iter().chain(chain).take(depth).filter_map(|epoch| self.claim(epoch)).collect()
    }

    fn claim(&self, epoch: EpochId) -> Option<Claim> {
        self.ring.control(&epoch).map(|control| Claim::member(self.group, epoch, peer_key(control)))
    }

    /// Where all logs stand.
    pub fn heads(&self) -> Vec<LogHead> {
        let head = |(log, seq, id, fork): (LogId, u32, EntryId, Option<Fork>)| match fork {
            Some(fork) => LogHead { log, seq: fork.seq, id: Self::fork_name(&fork), forked: true },
            None => LogHead { log, seq, id, forked: false },
        };
        self.logs.heads().map(head).collect()
    }

    /// The entry at a position of a log's trunk.
    pub fn id_at(&self, log: LogId, seq: u32, sight: crate::store::Sight<'_>) -> Option<EntryId> {
        let shelf = Shelf { sight, group: self.group };
        let seq = if log.lane.is_chained() { seq } else { 0 };
        shelf.at(log, seq).ok().flatten().map(|stored| stored.entry.id())
    }

    /// Entries of a log after a position, for a member who asked; of a forked log up to its proof.
    pub fn read(&self, log: LogId, after: u32, bytes: usize, sight: crate::store::Sight<'_>) -> Vec<Vec<u8>> {
        let shelf = Shelf { sight, group: self.group };
        if !log.lane.is_chained() {
            return shelf
                .at(log, 0)
                .ok()
                .flatten()
                .map(|stored| stored.entry.bytes().to_vec())
                .into_iter()
                .collect();
        }
        let mut out: Vec<Vec<u8>> = Vec::new();
        let (mut used, mut next) = (0usize, after.saturating_add(1));
        let fork = self.logs.fork(&log);
        // A damaged record ends what can be served; the rest of the group is unharmed.
        while let Ok(batch) = shelf.from(log, next, 64) {
            for stored in &batch {
                let length = stored.entry.bytes().len();
                let follows = stored.entry.header().seq == next;
                if let Some(fork) = fork.filter(|fork| next >= fork.seq) {
                    if next == fork.seq {
                        out.extend(self.proof(&fork, &shelf));
                    }
                    return out;
                }
                if !follows || !out.is_empty() && used.saturating_add(length) > bytes {
                    return out;
                }
                used = used.saturating_add(length);
                next = next.saturating_add(1);
                out.push(stored.entry.bytes().to_vec());
            }
            if batch.is_empty() {
                break;
            }
        }
        out
    }

    /// Whether a hint is that of a device whose entries are taken here.
    pub fn knows_hint(&self, hint: &[u8; 8]) -> bool {
        self.devices.iter().any(|device| device.hint() == *hint)
    }

    /// Whether a hint is that of an epoch whose operations can be read here.
    pub fn knows_epoch_hint(&self, hint: &[u8; 8]) -> bool {
        self.ring.epochs().any(|epoch| epoch.hint() == *hint)
    }

    /// Stored entries and those that wait.
    pub fn counts(&self) -> (usize, usize) {
        let entries = self
            .logs
            .heads()
            .filter(|(log, ..)| log.lane.is_chained())
            .map(|(_, seq, ..)| seq as usize)
            .sum();
        (entries, self.logs.waiting())
    }

    /// Devices that signed two entries for one place.
    pub fn equivocators(&self) -> BTreeSet<DeviceKey> {
        self.logs.forks().map(|(log, _)| log.device).collect()
    }

    /// A named record of this group's, for what the node remembers beside the entries.
    ///
    /// # Errors
    /// The store's.
    pub fn note(&self, name: &[u8], round: &Round<'_>) -> Result<Option<Vec<u8>>, StoreError> {
        self.shelf(round).named(name)
    }

    /// Stages a named record of this group's.
    pub fn put_note(&self, name: &[u8], value: Vec<u8>, round: &mut Round<'_>) {
        super::shelf::put_named(round.overlay, &self.group, name, value);
    }

    /// A named secret of this group's.
    ///
    /// # Errors
    /// The store's.
    pub fn secret_note(
        &self,
        name: &[u8],
        round: &Round<'_>,
    ) -> Result<Option<zeroize::Zeroizing<Vec<u8>>>, StoreError> {
        self.shelf(round).secret(name)
    }

    /// Stages a named secret of this group's, or its destruction.
    pub fn put_secret_note(
        &self,
        name: &[u8],
        value: Option<zeroize::Zeroizing<Vec<u8>>>,
        round: &mut Round<'_>,
    ) {
        match value {
            Some(value) => super::shelf::put_secret(round.overlay, &self.group, name, value),
            None => super::shelf::erase_secret(round.overlay, &self.group, name),
        }
    }
}
