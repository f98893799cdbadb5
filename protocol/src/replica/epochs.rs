//! Commits: believing others', making one's own (G-3 … G-9, K-6 … K-9).

use std::collections::BTreeSet;

use ed25519_dalek::SigningKey;

use super::author::AuthorError;
use super::shelf;
use super::{Replica, Round};
use crate::crypto;
use crate::entry::{Entry, MAX_PAYLOAD};
use crate::group::epoch::{EpochKeys, NewEpoch};
use crate::group::membership::{Admission, Ended, OpState, Operation, View};
use crate::group::operation::{Commit, Control, Opened, OpenedEpoch};
use crate::group::seal::{self, Change, EpochState, Expected, SealError};
use crate::id::{DeviceKey, EntryId, EpochId, MemberId};
use crate::kind::Kind;
use crate::store::StoreError;

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
    /// A commit entry: believed if its author may make it and it does what it cites, no more.
    pub(super) fn commit_entry(
        &mut self,
        entry: &Entry,
        payload: &[u8],
        past: OpState,
        round: &mut Round<'_>,
    ) -> Result<(), StoreError> {
        let (epoch, parent) = (EpochId::from(entry.id()), entry.epoch());
        let ends = self.ends_somebody(payload);
        if let Some(keys) = self.shelf(round).epoch_keys(&epoch)? {
            self.enter(epoch, parent, entry.device(), ends, past, keys);
            return Ok(());
        }
        let next = match self.pending.take() {
            Some((id, state)) if id == entry.id() => Some(state),
            _ => self.check_commit(entry, payload, past, round)?,
        };
        let Some(state) = next else {
            round.events.push(super::Event::Rejected(entry.id()));
            return Ok(());
        };
        let Ok(exported) = state.export(&epoch) else { return Ok(()) };
        let keys = EpochKeys::derive(&exported);
        shelf::put_epoch_keys(round.overlay, &self.group, &epoch, &keys);
        shelf::put_secret(round.overlay, &self.group, &shelf::state_name(&epoch), state.to_bytes());
        self.enter(epoch, parent, entry.device(), ends, past, keys);
        self.reload_head(round)
    }

    /// The closed checklist; `None` if the commit is not believed or this device is not in it.
    fn check_commit(
        &mut self,
        entry: &Entry,
        payload: &[u8],
        past: OpState,
        round: &Round<'_>,
    ) -> Result<Option<EpochState>, StoreError> {
        let (Ok(commit), parent) = (Commit::from_payload(payload), entry.epoch()) else {
            return Ok(None);
        };
        if self.tree.get(&parent).is_none() || self.tree.has_commit_by(&parent, &entry.device()) {
            return Ok(None);
        }
        let Some(state) = self.shelf(round).state(&parent)? else { return Ok(None) };
        let view = self.view_at(past).clone();
        let Ok(leaves) = state.leaves() else { return Ok(None) };
        let Some(expected) = self.expected(&commit, entry.device(), past, &view, &leaves) else {
            return Ok(None);
        };
        match state.apply(&parent, &commit.message, &expected) {
            Ok(next) => Ok(Some(next)),
            Err(SealError::Removed | _) => Ok(None),
        }
    }

    /// What the cited operations entitle a commit to, or `None` if its author may not make it (K-6, G-6).
    pub(super) fn expected(
        &self,
        commit: &Commit,
        author: DeviceKey,
        past: OpState,
        view: &View,
        leaves: &BTreeSet<DeviceKey>,
    ) -> Option<Expected> {
        let roster = view.roster();
        let known = self.logs.states().set(past);
        let (mut adds, mut named) = (BTreeSet::new(), BTreeSet::new());
        let mut only_leaves = true;
        for id in &commit.operations {
            let operation = self.membership.operation(id).filter(|_| known.contains(id))?;
            only_leaves &= *operation == Operation::Leave;
            match operation {
                Operation::Admit { device, .. } | Operation::Bring { device } => {
                    if !leaves.contains(device) {
                        adds.insert(*device);
                    }
                }
                Operation::Remove { .. } | Operation::Expel { .. } | Operation::Leave => {
                    named.extend(view.ended_by(id).map(|member| DeviceKey(member.0)));
                }
                _ => return None,
            }
        }
        let removes: BTreeSet<DeviceKey> = leaves.difference(&roster).copied().collect();
        named.retain(|device| leaves.contains(device));
        // Who is out because what let him in fell has no ending to cite.
        let ended = |device: &&DeviceKey| view.ended(&(**device).into()).is_some();
        let all_cited = removes.iter().filter(ended).all(|device| named.contains(device));
        let member = view.member_of(&author)?;
        // A commit that carries nothing out would cost every member a state, as often as anybody likes.
        let carries = !adds.is_empty() || !removes.is_empty();
        let may = view.is_keyholder(&member) || carries && (only_leaves || !self.is_draft());
        let operations = commit.operations.iter().copied().collect();
        let fits = adds.is_subset(&roster) && named.is_subset(&removes) && all_cited;
        (may && fits).then_some(Expected { author, adds, removes, operations, roster })
    }

    /// Whether a commit cites an act that ends somebody (K-8).
    fn ends_somebody(&self, payload: &[u8]) -> bool {
        let ends = |id: &EntryId| {
            let operation = self.membership.operation(id);
            matches!(operation, Some(Operation::Remove { .. } | Operation::Expel { .. } | Operation::Leave))
        };
        Commit::from_payload(payload).is_ok_and(|commit| commit.operations.iter().any(ends))
    }

    /// Adds an epoch whose keys are at hand.
    fn enter(
        &mut self,
        epoch: EpochId,
        parent: EpochId,
        maker: DeviceKey,
        ends: bool,
        past: OpState,
        keys: EpochKeys,
    ) {
        let view = self.view_at(past);
        let by_keyholder = view.member_of(&maker).is_some_and(|member| view.is_keyholder(&member));
        self.ring.insert(epoch, keys);
        self.tree.insert(NewEpoch { epoch, parent, maker, by_keyholder, ends });
        self.tree.count(&self.view.roster());
    }

    /// Takes the state of the head to hand after it has changed.
    pub(super) fn reload_head(&mut self, round: &Round<'_>) -> Result<(), StoreError> {
        let head = self.head();
        if self.state.as_ref().is_some_and(|(epoch, _)| *epoch == head) {
            return Ok(());
        }
        if let Some(state) = self.shelf(round).state(&head)? {
            self.leaves = state.leaves().unwrap_or_default();
            self.number = state.number().unwrap_or_default();
            self.state = Some((head, state));
        }
        Ok(())
    }

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

    /// Whether this member makes codes and lets in, alone or with others, by the rule that holds.
    pub fn may_admit(&self) -> bool {
        let member = self.member();
        match self.view.rules.admission() {
            Admission::KeyHolder => self.view.is_keyholder(&member),
            Admission::Vouches(_) => self.view.members.contains_key(&member),
        }
    }

    /// Whether the head has room for one device more: the more leaves, the longer a commit.
    pub fn has_room(&self, round: &mut Round<'_>) -> bool {
        let guest = SigningKey::generate(round.rng);
        let package = seal::key_package(&guest, self.suite, round.rng);
        let tried =
            package.and_then(|(package, _)| self.can_add(crypto::device_key(&guest), &package, round));
        tried != Err(SealError::TooLong)
    }

    /// Posts the control keys a newcomer needs to read every act: of all epochs not told yet, and of
    /// those whose own teller is no leaf any more, for a joiner can check leaves' signatures only.
    pub(super) fn tell_opened(&mut self, round: &mut Round<'_>) -> Result<(), AuthorError> {
        let mut telling = self.untold();
        for epoch in self.tree.chain(usize::MAX) {
            let node = self.tree.get(&epoch);
            let gone = node.is_some_and(|node| !self.leaves.contains(&node.maker));
            if let (true, Some(parent)) = (gone, node.and_then(|node| node.parent)) {
                telling.insert(parent);
            }
        }
        let keys = telling.into_iter().filter_map(|epoch| {
            let control = self.ring.control(&epoch)?;
            Some(OpenedEpoch { epoch, control: (*control.as_bytes()).into() })
        });
        let body = Opened { epochs: keys.take(512).collect() };
        self.post(Kind::Opened, &body.to_payload(), round).map(|_| ())
    }

    /// Epochs that a newcomer's chain of `opened` statements would not lead to: the parents of the
    /// head, and losing branches, which may become known long after the commit that beat them.
    fn untold(&self) -> BTreeSet<EpochId> {
        let head = self.head();
        self.tree.epochs().filter(|epoch| **epoch != head && !self.told.contains(epoch)).copied().collect()
    }

    /// Whether a key-holder owes newcomers the key of an epoch that became known late.
    pub(super) fn owes_keys(&self) -> bool {
        self.view.is_keyholder(&self.member())
            && self.may_write(Kind::Opened).is_ok()
            && !self.untold().is_empty()
    }

    /// The Welcome for a device that was let in, with the epoch it leads to: epoch 32 ‖ Welcome.
    ///
    /// # Errors
    /// The store's.
    pub fn welcome(&self, device: &DeviceKey, round: &Round<'_>) -> Result<Option<Vec<u8>>, StoreError> {
        self.shelf(round).named(&shelf::named(b"welcome", device.as_bytes()))
    }
}
