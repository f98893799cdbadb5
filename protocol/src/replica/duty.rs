//! What is due on the head, and the commit that carries it out (K-10).

use std::collections::{BTreeMap, BTreeSet};

use ed25519_dalek::SigningKey;

use super::author::AuthorError;
use super::shelf;
use super::{Replica, Round};
use crate::crypto;
use crate::entry::MAX_PAYLOAD;
use crate::group::membership::Ended;
use crate::group::operation::{Commit, Control};
use crate::group::seal::{self, Change, SealError};
use crate::id::{DeviceKey, EntryId, EpochId, MemberId};
use crate::kind::Kind;
use crate::store::StoreError;

/// Most bytes that a commit's body has per operation named, and besides those and the message (B-9).
const OPERATION: usize = 34;
const COMMIT_FRAME: usize = 16;

/// What a commit on the head would have to carry out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Duty {
    /// Acts that end those who are to go.
    endings: BTreeSet<EntryId>,
    /// Whose leaves go.
    pub(super) removes: BTreeSet<DeviceKey>,
    /// Who gets a leaf, and by which act: new ones, and those of `removes` that get another.
    pub(super) adds: BTreeMap<DeviceKey, EntryId>,
}

impl Duty {
    fn operations(&self) -> BTreeSet<EntryId> {
        self.endings.iter().chain(self.adds.values()).copied().collect()
    }

    fn is_empty(&self) -> bool {
        self.adds.is_empty() && self.removes.is_empty()
    }

    fn add(&mut self, device: DeviceKey, act: EntryId, leaves: &BTreeSet<DeviceKey>) {
        self.adds.insert(device, act);
        self.removes.extend(leaves.get(&device).copied());
    }

    /// Without those who get a leaf.
    fn without_adds(&self) -> Self {
        let gone = |device: &&DeviceKey| !self.adds.contains_key(*device);
        let removes = self.removes.iter().filter(gone).copied().collect();
        Self { endings: self.endings.clone(), removes, adds: BTreeMap::new() }
    }
}

impl Replica {
    /// What this device may and should commit on the head: all of it for a key-holder, leavings for
    /// anyone (K-10).
    pub(super) fn duty(&self) -> Option<Duty> {
        if self.frozen.is_some() || !self.leaves.contains(&self.device) {
            return None;
        }
        let roster = self.view.roster();
        // In a draft the founder alone carries out what concerns others (K-6).
        let everything = !self.is_draft() || self.view.is_keyholder(&self.member());
        let mut duty = Duty::default();
        for device in self.leaves.difference(&roster) {
            let endings = || self.view.endings_of_device(device);
            let left = endings().find(|(_, how)| *how == Ended::Left);
            let ending = left.or_else(|| endings().next().filter(|_| everything)).map(|(act, _)| act);
            if everything || ending.is_some() {
                duty.endings.extend(ending);
                duty.removes.insert(*device);
            }
        }
        for device in roster.iter().filter(|device| everything && **device != self.device) {
            if let Some(act) = self.adding_act(device) {
                duty.add(*device, act, &self.leaves);
            }
        }
        (!duty.is_empty()).then_some(duty)
    }

    /// This device's place in the order in which members commit on the head; 0 goes first (K-10). In a
    /// draft the founder does. In a group whoever signed what is due, for it has the mail of whom it let
    /// in; then each epoch has another order, and nobody is needed.
    pub fn turn(&self) -> u32 {
        let signed = |act: &EntryId| self.membership.maker(act) == Some(self.device);
        if self.is_draft() {
            let ordinary = |device: &DeviceKey| !self.view.is_keyholder(&self.view.owner_of(device));
            self.place(|device| (ordinary(device), [0; 32]))
        } else if self.duty().is_some_and(|duty| duty.operations().iter().any(signed)) {
            0
        } else {
            let head = self.head();
            let shuffled = |device: &DeviceKey| crypto::hash("turn", &[head.as_bytes(), device.as_bytes()]);
            self.place(|device| (false, shuffled(device))).saturating_add(1)
        }
    }

    /// This device's place among members with a leaf.
    fn place(&self, order: impl Fn(&DeviceKey) -> (bool, [u8; 32])) -> u32 {
        let mut devices: Vec<DeviceKey> = self.leaves.intersection(&self.view.roster()).copied().collect();
        devices.sort_by_cached_key(|device| (order(device), *device));
        let at = devices.iter().position(|device| *device == self.device);
        at.and_then(|at| u32::try_from(at).ok()).unwrap_or(u32::MAX)
    }

    /// The act that a commit cites to give a member's device a leaf, if it needs one: its own wish; else, once,
    /// what let it in. Who has spoken since that was carried out on another branch asks anew: its old request opens
    /// nothing any more.
    fn adding_act(&self, device: &DeviceKey) -> Option<EntryId> {
        let first = || {
            let act = self.entering_act(device).filter(|_| !self.leaves.contains(device))?;
            let unheard = !self.spoke_in.contains_key(device);
            (self.packages.contains_key(&act) && (unheard || !self.is_carried_out(&act))).then_some(act)
        };
        self.due_resync(device).or_else(first)
    }

    /// Devices to which new keys are due.
    pub fn wishes(&self) -> impl Iterator<Item = DeviceKey> {
        let adds = self.duty().map(|duty| duty.adds).unwrap_or_default();
        adds.into_iter().filter(|(_, act)| self.is_resync(act)).map(|(device, _)| device)
    }

    /// The act by which a member without keys is given some (K-10).
    fn entering_act(&self, device: &DeviceKey) -> Option<EntryId> {
        let linked = self.view.linked.get(device).map(|linked| linked.act);
        let admission = || self.view.members.get(&MemberId::from(*device)).and_then(|info| info.admission);
        // Who is back by a majority alone (M-12) may never have had keys.
        let any = || self.membership.newest_admission(&MemberId::from(*device));
        linked.or_else(admission).or_else(|| self.brought.get(device).copied()).or_else(any)
    }

    /// Whether this device has a commit to make, or keys to tell.
    pub fn has_duty(&self) -> bool {
        self.duty().is_some() || self.owes_keys()
    }

    /// Makes the commit that is due, if any, and tells the keys of the epoch it ends. Those let in
    /// find their Welcome through [`Replica::welcome`].
    ///
    /// # Errors
    /// A store that fails; an MLS state that is unusable.
    pub fn carry_out(&mut self, round: &mut Round<'_>) -> Result<bool, AuthorError> {
        self.reload_head(round)?;
        let Some((duty, commit)) = self.duty().and_then(|duty| self.commit_for(duty, round)) else {
            if self.owes_keys() {
                self.tell_opened(round)?;
            }
            return Ok(false);
        };
        // Whoever has the parent's keys alone must read what the commit cites before it can follow it.
        if self.owes_keys_for_a_commit() {
            self.tell_opened(round)?;
        }
        let welcome = commit.welcome.clone();
        let epoch = self.post_commit(duty.operations(), commit, round)?;
        if let Some(welcome) = welcome {
            let record = [epoch.as_bytes().as_slice(), &welcome].concat();
            for act in duty.adds.values() {
                shelf::put_named(round.overlay, &self.group, &welcome_name(act), record.clone());
            }
        }
        self.tell_opened(round)?;
        Ok(true)
    }

    /// Posts a commit on the head; gives the epoch that it makes.
    pub(super) fn post_commit(
        &mut self,
        operations: BTreeSet<EntryId>,
        commit: seal::Commit,
        round: &mut Round<'_>,
    ) -> Result<EpochId, AuthorError> {
        let body = Commit { message: commit.message.into(), operations: operations.into_iter().collect() };
        let entry = self.compose(Kind::Commit, &body.to_payload(), round)?;
        let epoch = EpochId::from(entry.id());
        self.pending = Some((entry.id(), commit.next));
        self.publish(entry, round)?;
        if self.tree.holds(&epoch) { Ok(epoch) } else { Err(AuthorError::Unusable) }
    }

    /// A commit for a duty. An admission that no commit can carry out, for whatever reason, is left out:
    /// it must not keep those in who are to go.
    fn commit_for(&self, duty: Duty, round: &mut Round<'_>) -> Option<(Duty, seal::Commit)> {
        if let Ok(commit) = self.try_commit(&duty, round) {
            return Some((duty, commit));
        }
        let mut feasible = duty.without_adds();
        for (device, act) in &duty.adds {
            let mut more = feasible.clone();
            more.add(*device, *act, &self.leaves);
            if self.try_commit(&more, round).is_ok() {
                feasible = more;
            }
        }
        if feasible.is_empty() {
            return None;
        }
        self.try_commit(&feasible, round).ok().map(|commit| (feasible, commit))
    }

    fn try_commit(&self, duty: &Duty, round: &mut Round<'_>) -> Result<seal::Commit, SealError> {
        let package =
            |(device, act): (&DeviceKey, &EntryId)| Some((*device, self.packages.get(act)?.clone()));
        let change =
            Change { adds: duty.adds.iter().filter_map(package).collect(), removes: duty.removes.clone() };
        self.fitting_commit(&change, &duty.operations(), round)
    }

    /// A commit on the head that an entry has room for.
    pub(super) fn fitting_commit(
        &self,
        change: &Change,
        operations: &BTreeSet<EntryId>,
        round: &mut Round<'_>,
    ) -> Result<seal::Commit, SealError> {
        let (parent, state) = self.state.as_ref().ok_or(SealError::Invalid)?;
        let commit = state.commit(parent, &self.key, change, operations, round.rng)?;
        let length = commit.message.len() + operations.len() * OPERATION + COMMIT_FRAME;
        if length > MAX_PAYLOAD { Err(SealError::TooLong) } else { Ok(commit) }
    }

    /// Whether a commit on the head could add this device: tried before it is let in, for whoever is
    /// let in and can't be added is a member without keys.
    ///
    /// # Errors
    /// [`SealError::TooLong`] if the group is full; what is wrong with the package.
    pub fn can_add(&self, device: DeviceKey, package: &[u8], round: &mut Round<'_>) -> Result<(), SealError> {
        let change = Change { adds: vec![(device, package.to_vec())], removes: BTreeSet::new() };
        self.fitting_commit(&change, &BTreeSet::from([EntryId::default()]), round).map(|_| ())
    }

    /// Whether the head has room for one device more: the more leaves, the longer a commit.
    pub fn has_room(&self, round: &mut Round<'_>) -> bool {
        let guest = SigningKey::generate(round.rng);
        let package = seal::key_package(&guest, self.suite, round.rng);
        let tried =
            package.and_then(|(package, _)| self.can_add(crypto::device_key(&guest), &package, round));
        tried != Err(SealError::TooLong)
    }

    /// The Welcome for a member that was let in or moved here, with the epoch it leads to: epoch 32 ‖ Welcome.
    ///
    /// # Errors
    /// The store's.
    pub fn welcome(&self, device: &DeviceKey, round: &Round<'_>) -> Result<Option<Vec<u8>>, StoreError> {
        self.entering_act(device).map_or(Ok(None), |act| self.welcome_by(&act, round))
    }

    /// The same for the commit that carried a certain act out, if this device made it.
    ///
    /// # Errors
    /// The store's.
    pub fn welcome_by(&self, act: &EntryId, round: &Round<'_>) -> Result<Option<Vec<u8>>, StoreError> {
        self.shelf(round).named(&welcome_name(act))
    }
}

fn welcome_name(act: &EntryId) -> Vec<u8> {
    shelf::named(b"welcome", act.as_bytes())
}
