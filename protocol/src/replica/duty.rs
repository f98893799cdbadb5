//! What is due on the head, and the commit that carries it out (K-10).

use std::collections::BTreeSet;

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

/// Most bytes that a commit's body has per operation named, and besides those and the message (B-9).
const OPERATION: usize = 34;
const COMMIT_FRAME: usize = 16;

/// What a commit on the head would have to carry out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Duty {
    pub(super) operations: BTreeSet<EntryId>,
    pub(super) adds: BTreeSet<DeviceKey>,
    pub(super) removes: BTreeSet<DeviceKey>,
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
            let person = MemberId::from(*device);
            let endings = || self.view.endings_of(&person).filter(|(_, how)| !how.office_alone());
            let left = endings().find(|(_, how)| *how == Ended::Left);
            let ending = left.or_else(|| endings().next().filter(|_| everything)).map(|(act, _)| act);
            if everything || ending.is_some() {
                duty.operations.extend(ending);
                duty.removes.insert(*device);
            }
        }
        for device in roster.difference(&self.leaves).filter(|_| everything) {
            if let (Some(act), true) = (self.adding_act(device), self.packages.contains_key(device)) {
                duty.operations.insert(act);
                duty.adds.insert(*device);
            }
        }
        (!duty.adds.is_empty() || !duty.removes.is_empty()).then_some(duty)
    }

    /// This device's place in the order in which members commit on the head; 0 goes first (K-10). In a
    /// draft the founder does. In a group whoever signed what is due, for it has the mail of whom it let
    /// in; then each epoch has another order, and nobody is needed.
    pub fn turn(&self) -> u32 {
        let own = self.member();
        let signed = |act: &EntryId| self.membership.author(act) == Some(own);
        if self.is_draft() {
            let ordinary = |device: &DeviceKey| !self.view.is_keyholder(&(*device).into());
            self.place(|device| (ordinary(device), [0; 32]))
        } else if self.duty().is_some_and(|duty| duty.operations.iter().any(signed)) {
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

    /// The act that a commit cites to add a member's device.
    fn adding_act(&self, device: &DeviceKey) -> Option<EntryId> {
        let admission = self.view.members.get(&(*device).into()).and_then(|info| info.admission);
        admission.or_else(|| self.brought.get(device).copied())
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
        let body =
            Commit { message: commit.message.into(), operations: duty.operations.into_iter().collect() };
        let entry = self.compose(Kind::Commit, &body.to_payload(), round)?;
        let epoch = EpochId::from(entry.id());
        self.pending = Some((entry.id(), commit.next));
        self.publish(entry, round)?;
        if self.tree.get(&epoch).is_none() {
            return Err(AuthorError::Unusable);
        }
        if let Some(welcome) = commit.welcome {
            for device in &duty.adds {
                let record = [epoch.as_bytes().as_slice(), &welcome].concat();
                shelf::put_named(
                    round.overlay,
                    &self.group,
                    &shelf::named(b"welcome", device.as_bytes()),
                    record,
                );
            }
        }
        self.tell_opened(round)?;
        Ok(true)
    }

    /// A commit for a duty. An admission that no commit can carry out, for whatever reason, is left out:
    /// it must not keep those in who are to go.
    fn commit_for(&self, duty: Duty, round: &mut Round<'_>) -> Option<(Duty, seal::Commit)> {
        if let Ok(commit) = self.try_commit(&duty, round) {
            return Some((duty, commit));
        }
        let mut feasible = Duty { adds: BTreeSet::new(), ..duty.clone() };
        let admission = |device: &DeviceKey| self.adding_act(device);
        for act in duty.adds.iter().filter_map(admission) {
            feasible.operations.remove(&act);
        }
        for device in &duty.adds {
            let mut more = feasible.clone();
            more.adds.insert(*device);
            more.operations.extend(admission(device));
            if self.try_commit(&more, round).is_ok() {
                feasible = more;
            }
        }
        if feasible.adds.is_empty() && feasible.removes.is_empty() {
            return None;
        }
        self.try_commit(&feasible, round).ok().map(|commit| (feasible, commit))
    }

    fn try_commit(&self, duty: &Duty, round: &mut Round<'_>) -> Result<seal::Commit, SealError> {
        let adds = duty.adds.iter().filter_map(|d| self.packages.get(d).map(|kp| (*d, kp.clone()))).collect();
        self.fitting_commit(&Change { adds, removes: duty.removes.clone() }, &duty.operations, round)
    }

    /// A commit on the head that an entry has room for.
    fn fitting_commit(
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
}
