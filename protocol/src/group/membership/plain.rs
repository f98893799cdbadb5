//! A group judged from scratch, each set of acts once: what is kept up act by act is compared with it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::act::Act;
use super::reference::judge;
use super::{Founding, Membership, OpState, OpStates, Operation, View, Void};
use crate::id::{DeviceKey, EntryId, MemberId};

/// Acts of a group, whoever has received which.
pub(crate) struct Plain {
    pub(super) membership: Membership,
    states: OpStates,
    /// What is known to whoever knows an act.
    after: BTreeMap<EntryId, OpState>,
    views: BTreeMap<OpState, Arc<View>>,
}

impl Plain {
    /// A group without acts.
    pub(crate) fn new(founding: Founding) -> Self {
        let (states, after, views) = Default::default();
        Self { membership: Membership::founded(founding), states, after, views }
    }

    /// The group that a node has a copy of.
    pub(crate) fn of(copy: &Membership) -> Self {
        Self::new(copy.founding.clone())
    }

    /// V of these acts and of all in their past.
    pub(super) fn view(&mut self, acts: &BTreeSet<EntryId>) -> (OpState, Arc<View>) {
        let known = acts.iter().filter_map(|act| self.after.get(act)).copied();
        let state = self.states.union(&known.collect(), &[]);
        let Self { membership, states, views, .. } = self;
        let view = views.entry(state).or_insert_with(|| Arc::new(judge(membership, &states.set(state))));
        (state, view.clone())
    }

    pub(super) fn add(
        &mut self,
        id: EntryId,
        author: DeviceKey,
        past: &BTreeSet<EntryId>,
        operation: &Operation,
    ) -> Result<(), Void> {
        let then = self.view(past);
        let known = BTreeSet::from([then.0]);
        self.membership.add_plainly(id, author, then, operation.clone(), &mut self.states)?;
        self.after.insert(id, self.states.union(&known, &[id]));
        Ok(())
    }

    /// Takes over the acts of a node's copy, and gives V of them all.
    ///
    /// # Errors
    /// An act that the node counts and that is void.
    pub(crate) fn follow(&mut self, copy: &Membership) -> Result<Arc<View>, (EntryId, Void)> {
        let all: BTreeSet<EntryId> = copy.acts.iter().map(|act| act.id).collect();
        for act in copy.acts.iter().filter(|act| !self.after.contains_key(&act.id)).collect::<Vec<_>>() {
            let earlier = |other: &&Act| act.past.contains(other.number);
            let past = copy.acts.iter().filter(earlier).map(|other| other.id).collect();
            self.add(act.id, act.device, &past, &act.operation).map_err(|void| (act.id, void))?;
        }
        Ok(self.view(&all).1)
    }

    /// V of those acts.
    pub(crate) fn view_where(&mut self, is_in: impl Fn(&EntryId) -> bool) -> Arc<View> {
        let acts = self.after.keys().filter(|act| is_in(act)).copied().collect();
        self.view(&acts).1
    }

    /// All acts that count for anybody.
    pub(crate) fn acts(&self) -> impl Iterator<Item = &EntryId> {
        self.after.keys()
    }

    /// Those who signed an act, among the acts of a node's copy.
    pub(crate) fn signers(copy: &Membership, act: &EntryId) -> BTreeSet<MemberId> {
        let number = copy.act(act).map(|act| act.number);
        let signs = |by: &&Act| by.signs.as_ref().map(|signature| signature.of) == number;
        copy.acts.iter().filter(signs).map(|by| by.author).collect()
    }

    /// Verdicts that stand.
    pub(crate) fn verdicts(copy: &Membership, view: &View) -> BTreeSet<EntryId> {
        let standing = |act: &&Act| act.operation.is_verdict() && view.stands(&act.id);
        copy.acts.iter().filter(standing).map(|act| act.id).collect()
    }
}
