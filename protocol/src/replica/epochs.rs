//! Epochs: believing commits, choosing the head, telling keys (G-3 … G-9, K-5 … K-9).

use std::collections::BTreeSet;

use super::author::AuthorError;
use super::shelf;
use super::{Replica, Round};
use crate::entry::Entry;
use crate::group::epoch::{EpochKeys, NewEpoch};
use crate::group::membership::{Admission, OpState, Operation, View};
use crate::group::operation::{Commit, Control, Opened, OpenedEpoch};
use crate::group::seal::{EpochState, Expected, SealError};
use crate::id::{DeviceKey, EntryId, EpochId};
use crate::kind::Kind;
use crate::store::StoreError;

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

    /// Whether this member makes codes and lets in, alone or with others, by the rule that holds.
    pub fn may_admit(&self) -> bool {
        let member = self.member();
        match self.view.rules.admission() {
            Admission::KeyHolder => self.view.is_keyholder(&member),
            Admission::Vouches(_) => self.view.members.contains_key(&member),
        }
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
