//! Epochs: believing commits, choosing the head (G-3 … G-9, K-6 … K-9).

use std::collections::BTreeSet;

use super::resync::Made;
use super::shelf;
use super::{Replica, Round};
use crate::entry::{Body, Entry, Lane};
use crate::group::epoch::{EpochKeys, NewEpoch};
use crate::group::membership::{Admission, OpState, Operation, View};
use crate::group::operation::{Commit, Control};
use crate::group::seal::{EpochState, Expected, SealError};
use crate::id::{DeviceKey, EntryId, EpochId, MemberId};
use crate::log::LogId;
use crate::store::StoreError;

/// A commit, and what its own past and its parent say.
pub(super) struct Case<'a> {
    pub(super) author: DeviceKey,
    pub(super) parent: EpochId,
    /// When, by its author's clock, in seconds.
    pub(super) time: u32,
    pub(super) past: OpState,
    /// V(commit).
    pub(super) view: &'a View,
    /// The leaves of the parent.
    pub(super) leaves: &'a BTreeSet<DeviceKey>,
}

/// What the operations of a commit come to.
#[derive(Default)]
struct Cited {
    /// Devices that get a leaf.
    adds: BTreeSet<DeviceKey>,
    /// Those of them that have an old one.
    swaps: BTreeSet<DeviceKey>,
    /// Devices of people who are put out or go.
    ended: BTreeSet<DeviceKey>,
    leavings_alone: bool,
}

impl Replica {
    /// A commit entry: believed if its author may make it and it does what it cites, no more.
    pub(super) fn commit_entry(
        &mut self,
        entry: &Entry,
        body: &Body,
        past: OpState,
        round: &mut Round<'_>,
    ) -> Result<(), StoreError> {
        let Ok(commit) = Commit::from_payload(&body.payload) else {
            round.events.push(super::Event::Rejected(entry.id()));
            return Ok(());
        };
        let epoch = EpochId::from(entry.id());
        self.add_commit(entry, &commit, body.time, past);
        if let Some(keys) = self.shelf(round).epoch_keys(&epoch)? {
            self.hold(epoch, keys);
            return Ok(());
        }
        let next = match self.pending.take() {
            Some((id, state)) if id == entry.id() => Some(state),
            _ => self.check_commit(entry, &commit, (body.time, past), round)?,
        };
        let Some(state) = next else {
            round.events.push(super::Event::Rejected(entry.id()));
            return Ok(());
        };
        let Ok(exported) = state.export(&epoch) else { return Ok(()) };
        let keys = EpochKeys::derive(&exported);
        shelf::put_epoch_keys(round.overlay, &self.group, &epoch, &keys);
        shelf::put_secret(round.overlay, &self.group, &shelf::state_name(&epoch), state.to_bytes());
        self.hold(epoch, keys);
        round.events.extend(self.swapped_by(&epoch).map(super::Event::Rekeyed));
        Ok(())
    }

    /// Notes a commit, believed or not.
    fn add_commit(&mut self, entry: &Entry, commit: &Commit, time: u32, past: OpState) {
        let (epoch, parent, maker) = (EpochId::from(entry.id()), entry.epoch(), entry.device());
        let ends = self.ends_somebody(commit);
        let view = self.view_at(past);
        let by_keyholder = view.member_of(&maker).is_some_and(|member| view.is_keyholder(&member));
        self.tree.insert(NewEpoch { epoch, parent, maker, by_keyholder, ends });
        self.made.insert(epoch, Made { parent, maker, time, operations: commit.operations.clone() });
    }

    /// Tries the commits again that could not be opened while their parent was not held.
    pub(super) fn open_below(&mut self, parent: &EpochId, round: &mut Round<'_>) -> Result<(), StoreError> {
        let mut fresh = vec![*parent];
        while let Some(parent) = fresh.pop() {
            let children = self.tree.children_of(&parent).filter(|child| !self.tree.holds(child));
            for child in children.copied().collect::<Vec<_>>() {
                let stored = self.shelf(round).by_id(&EntryId(child.0))?;
                let Some((entry, facts)) = stored.and_then(|stored| Some((stored.entry, stored.facts?)))
                else {
                    continue;
                };
                let Some(body) = self.open_body(&entry) else { continue };
                self.commit_entry(&entry, &body, facts.ops, round)?;
                fresh.push(child);
            }
        }
        Ok(())
    }

    /// The closed checklist; `None` if the commit is not believed or this device is not in it.
    fn check_commit(
        &mut self,
        entry: &Entry,
        commit: &Commit,
        (time, past): (u32, OpState),
        round: &Round<'_>,
    ) -> Result<Option<EpochState>, StoreError> {
        let parent = entry.epoch();
        if !self.tree.holds(&parent) || self.repeats_a_commit(entry, round)? {
            return Ok(None);
        }
        let Some(state) = self.shelf(round).state(&parent)? else { return Ok(None) };
        let view = self.view_at(past);
        let Ok(leaves) = state.leaves() else { return Ok(None) };
        let case = Case { author: entry.device(), parent, time, past, view: &view, leaves: &leaves };
        let Some(expected) = self.expected(commit, &case) else { return Ok(None) };
        match state.apply(&parent, &commit.message, &expected) {
            Ok(next) => Ok(Some(next)),
            Err(SealError::Removed | _) => Ok(None),
        }
    }

    /// Whether a commit follows another of its maker's in the same parent: that is misbehaviour, and it is not
    /// processed (K-7). On two branches of a forked log either counts.
    fn repeats_a_commit(&self, entry: &Entry, round: &Round<'_>) -> Result<bool, StoreError> {
        let log = LogId { device: entry.device(), lane: Lane::Acts };
        let fork = self.logs.fork(&log).map_or(u32::MAX, |fork| fork.seq);
        let earlier: BTreeSet<EntryId> =
            self.tree.commits_by(&entry.epoch(), &entry.device()).map(|epoch| EntryId(epoch.0)).collect();
        let on_trunk = |id: &EntryId| self.logs.act(id).is_some_and(|facts| facts.seq < fork);
        if earlier.iter().any(on_trunk) {
            return Ok(true);
        }
        let (mut seq, mut prev) = (entry.header().seq, entry.header().prev);
        while seq > fork && !earlier.is_empty() {
            if earlier.contains(&prev) {
                return Ok(true);
            }
            let Some(stored) = self.shelf(round).by_id(&prev)? else { break };
            (seq, prev) = (stored.entry.header().seq, stored.entry.header().prev);
        }
        Ok(false)
    }

    /// What the cited operations entitle a commit to, or `None` if its author may not make it (K-6, G-6).
    pub(super) fn expected(&self, commit: &Commit, case: &Case<'_>) -> Option<Expected> {
        let Case { author, view, leaves, .. } = *case;
        let roster = view.roster();
        let Cited { adds, swaps, mut ended, leavings_alone } = self.cited(commit, case)?;
        let mut removes: BTreeSet<DeviceKey> = leaves.difference(&roster).copied().collect();
        ended.retain(|device| leaves.contains(device));
        // Who is out because what let him in fell has no ending to cite.
        let has_ending = |device: &&DeviceKey| view.endings_of_device(device).next().is_some();
        let all_cited = removes.iter().filter(has_ending).all(|device| ended.contains(device));
        let fits = adds.is_subset(&roster) && ended.is_subset(&removes) && all_cited;
        // A commit that carries nothing out costs every member a state: not as often as anybody likes.
        let carries = !adds.is_empty() || !removes.is_empty();
        let update =
            commit.operations.is_empty() && !carries && self.may_renew(&author, &case.parent, case.time);
        let member = view.member_of(&author)?;
        let may = view.is_keyholder(&member) || update || carries && (leavings_alone || !self.is_draft());
        let operations = commit.operations.iter().copied().collect();
        removes.extend(swaps);
        (may && fits).then_some(Expected { author, adds, removes, operations, roster })
    }

    /// What a commit cites; `None` if it may not.
    fn cited(&self, commit: &Commit, case: &Case<'_>) -> Option<Cited> {
        let known = |act: &EntryId| self.logs.states().contains(case.past, act);
        let mut cited = Cited { leavings_alone: true, ..Cited::default() };
        for id in &commit.operations {
            let operation = self.membership.operation(id).filter(|_| known(id))?;
            cited.leavings_alone &= matches!(operation, Operation::Leave | Operation::Drop { .. });
            match operation {
                Operation::Bring { device } if self.is_resync(id) => {
                    if !self.is_open_resync(id, &case.parent, known) {
                        return None;
                    }
                    cited.adds.insert(*device);
                    cited.swaps.extend(case.leaves.get(device).copied());
                }
                Operation::Admit { device, .. }
                | Operation::Link { device, .. }
                | Operation::Bring { device } => {
                    if !case.leaves.contains(device) {
                        cited.adds.insert(*device);
                    }
                }
                Operation::Remove { .. } | Operation::Expel { .. } | Operation::Leave => {
                    let ended: BTreeSet<MemberId> = case.view.ended_by(id).collect();
                    let names = |device: &&DeviceKey| {
                        ended.contains(&case.view.owner_of(device)) || ended.contains(&(**device).into())
                    };
                    cited.ended.extend(case.leaves.iter().filter(names));
                }
                Operation::Drop { device, .. } => {
                    cited.ended.insert(*device);
                }
                _ => return None,
            }
        }
        Some(cited)
    }

    /// Whether a commit cites an act that ends somebody (K-8).
    fn ends_somebody(&self, commit: &Commit) -> bool {
        let ends = |id: &EntryId| {
            let operation = self.membership.operation(id);
            let Some(operation) = operation else { return false };
            matches!(
                operation,
                Operation::Remove { .. }
                    | Operation::Expel { .. }
                    | Operation::Leave
                    | Operation::Drop { .. }
            )
        };
        commit.operations.iter().any(ends)
    }

    /// Who writes where decides which branch of the commits this node seals under (K-8).
    pub(super) fn count_voices(&mut self) {
        let view = &self.view;
        self.tree.count(|device| view.member_of(device));
    }

    /// Takes an epoch whose keys are at hand, with its state unless that is erased.
    pub(super) fn hold(&mut self, epoch: EpochId, keys: EpochKeys) {
        if keys.has_state() {
            self.tree.hold(epoch);
        } else {
            self.tree.hold_keys(epoch);
        }
        self.ring.insert(epoch, keys);
        self.count_voices();
    }

    /// Takes the state of the head to hand after it has changed.
    pub(super) fn reload_head(&mut self, round: &Round<'_>) -> Result<(), StoreError> {
        let head = self.head();
        if self.state.as_ref().is_some_and(|(epoch, _)| *epoch == head) {
            return Ok(());
        }
        let state = self.shelf(round).state(&head)?;
        self.leaves = state.as_ref().and_then(|state| state.leaves().ok()).unwrap_or_default();
        self.number = state.as_ref().and_then(|state| state.number().ok()).unwrap_or(self.number);
        self.state = state.map(|state| (head, state));
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
}
