//! Sets of membership acts in an entry's past, interned: ten thousand messages share one.
//!
//! A set is made of a smaller one and what was added: a new one costs what was added, and a block of
//! bits.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::set::OpSet;
use crate::codec::Reader;
use crate::id::EntryId;

/// The number of an interned set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpState(pub u32);

/// The interned sets of one group, each causally closed. Number 0 is the empty set; numbers are stable on
/// disk.
#[derive(Clone, Debug)]
pub struct OpStates {
    /// All acts in any set, in the order in which they came into one: a causal order.
    acts: Vec<EntryId>,
    numbers: BTreeMap<EntryId, u32>,
    states: Vec<State>,
    /// Sets by the sum of their ids: equal sets have equal sums, hardly ever others.
    sums: BTreeMap<u128, Vec<u32>>,
}

#[derive(Clone, Debug, Default)]
struct State {
    set: Arc<OpSet>,
    sum: u128,
    /// How it was made, for the store too: a smaller set and what was added.
    base: u32,
    added: Vec<u32>,
}

impl Default for OpStates {
    fn default() -> Self {
        Self {
            acts: Vec::new(),
            numbers: BTreeMap::new(),
            states: vec![State::default()],
            sums: BTreeMap::from([(0, vec![0])]),
        }
    }
}

impl OpStates {
    /// Whether an act is in a set.
    pub fn contains(&self, state: OpState, act: &EntryId) -> bool {
        self.numbers.get(act).is_some_and(|number| self.set(state).contains(*number))
    }

    /// How many acts are in a set.
    pub fn count(&self, state: OpState) -> usize {
        self.set(state).len()
    }

    /// How many sets there are.
    pub fn len(&self) -> usize {
        self.states.len()
    }

    /// Whether there is none beyond the empty one.
    pub fn is_empty(&self) -> bool {
        self.states.len() <= 1
    }

    pub(super) fn set(&self, state: OpState) -> Arc<OpSet> {
        self.states.get(state.0 as usize).map(|state| state.set.clone()).unwrap_or_default()
    }

    /// The smaller set that one was made of, and what was added, in a causal order.
    pub(super) fn made_of(&self, state: OpState) -> (OpState, &[u32]) {
        let state = self.states.get(state.0 as usize);
        state.map_or((OpState(0), &[]), |state| (OpState(state.base), &state.added))
    }

    /// The number that an act has, or would have.
    pub(super) fn number(&self, act: &EntryId) -> u32 {
        self.numbers.get(act).copied().unwrap_or(u32::try_from(self.acts.len()).unwrap_or(u32::MAX))
    }

    /// The union of several states and, if an act is among the parents, that act.
    pub fn union(&mut self, states: &BTreeSet<OpState>, acts: &[EntryId]) -> OpState {
        let base = states.iter().copied().max_by_key(|state| self.count(*state)).unwrap_or_default();
        let known = self.set(base);
        let mut added: BTreeSet<u32> = acts.iter().map(|act| self.enter(*act)).collect();
        for state in states.iter().filter(|state| **state != base) {
            added.extend(self.set(*state).difference(&known));
        }
        self.intern(base, added)
    }

    /// Numbers an act.
    fn enter(&mut self, act: EntryId) -> u32 {
        let number = self.number(&act);
        if self.numbers.insert(act, number).is_none() {
            self.acts.push(act);
        }
        number
    }

    fn intern(&mut self, base: OpState, mut added: BTreeSet<u32>) -> OpState {
        let known = self.set(base);
        added.retain(|act| !known.contains(*act));
        if added.is_empty() {
            return base;
        }
        let mut sum = self.states.get(base.0 as usize).map_or(0, |state| state.sum);
        let mut set = (*known).clone();
        for act in &added {
            set.insert(*act);
            sum = sum.wrapping_add(self.acts.get(*act as usize).map_or(0, part));
        }
        let number = u32::try_from(self.states.len()).unwrap_or(u32::MAX);
        let same = self.sums.entry(sum).or_default();
        let equal = |number: &&u32| self.states.get(**number as usize).is_some_and(|state| *state.set == set);
        if let Some(number) = same.iter().find(equal) {
            return OpState(*number);
        }
        same.push(number);
        self.states.push(State { set: Arc::new(set), sum, base: base.0, added: added.into_iter().collect() });
        OpState(number)
    }

    /// The recipe of a set, for the store.
    pub fn recipe(&self, number: u32) -> Vec<u8> {
        let (base, added) = self.made_of(OpState(number));
        let mut out = base.0.to_be_bytes().to_vec();
        for act in added.iter().filter_map(|act| self.acts.get(*act as usize)) {
            out.extend_from_slice(act.as_bytes());
        }
        out
    }

    /// Adds the next set from its stored recipe; false if it doesn't follow.
    pub fn restore(&mut self, recipe: &[u8]) -> bool {
        let mut reader = Reader::new(recipe);
        let Ok(base) = reader.u32() else {
            return false;
        };
        let mut added = Vec::new();
        while let Ok(act) = reader.array() {
            added.push(EntryId(act));
        }
        let next = self.states.len();
        if reader.finish().is_err() || base as usize >= next {
            return false;
        }
        let added = added.into_iter().map(|act| self.enter(act)).collect();
        self.intern(OpState(base), added).0 as usize == next
    }
}

/// What an id adds to the sum of a set.
fn part(act: &EntryId) -> u128 {
    act.as_bytes().iter().take(16).fold(0, |sum, byte| sum << 8 | u128::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn act(n: u8) -> EntryId {
        EntryId([n; 32])
    }

    #[test]
    fn equal_sets_share_a_number_whatever_made_them() {
        let mut states = OpStates::default();
        let one = states.union(&BTreeSet::new(), &[act(1)]);
        let two = states.union(&BTreeSet::new(), &[act(2)]);
        let both = states.union(&BTreeSet::from([one, two]), &[]);
        assert_eq!(states.union(&BTreeSet::from([two]), &[act(1)]), both);
        assert_eq!(states.union(&BTreeSet::from([both]), &[act(1)]), both);
        assert_eq!(states.count(both), 2);
    }

    #[test]
    fn numbers_survive_the_store() {
        let mut states = OpStates::default();
        let mut state = OpState::default();
        for n in 1..20 {
            state = states.union(&BTreeSet::from([state]), &[act(n)]);
        }
        let mut back = OpStates::default();
        for number in 1..states.len() {
            assert!(back.restore(&states.recipe(number as u32)));
        }
        assert!((1..20).all(|n| back.contains(state, &act(n))) && !back.contains(state, &act(20)));
        assert!(!back.restore(&[0, 0, 0, 99]), "a base that isn't there");
    }
}
