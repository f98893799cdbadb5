//! Sets of membership acts in an entry's past, interned: ten thousand messages share one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::codec::Reader;
use crate::id::EntryId;

/// A causally closed set of membership acts.
pub type OpSet = Arc<BTreeSet<EntryId>>;

/// The number of an interned set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpState(pub u32);

/// The interned sets of one group. Number 0 is the empty set; numbers are stable on disk.
#[derive(Clone, Debug)]
pub struct OpStates {
    sets: Vec<OpSet>,
    numbers: BTreeMap<OpSet, u32>,
    /// How each set was made, for the store: a smaller set and what was added.
    recipes: Vec<Recipe>,
}

#[derive(Clone, Debug, Default)]
struct Recipe {
    base: u32,
    added: Vec<EntryId>,
}

impl Default for OpStates {
    fn default() -> Self {
        let empty = OpSet::default();
        Self {
            sets: vec![empty.clone()],
            numbers: BTreeMap::from([(empty, 0)]),
            recipes: vec![Recipe::default()],
        }
    }
}

impl OpStates {
    /// The set of a number.
    pub fn set(&self, state: OpState) -> OpSet {
        self.sets.get(state.0 as usize).cloned().unwrap_or_default()
    }

    /// How many sets there are.
    pub fn len(&self) -> usize {
        self.sets.len()
    }

    /// Whether there is none beyond the empty one.
    pub fn is_empty(&self) -> bool {
        self.sets.len() <= 1
    }

    /// The union of several states and, if an act is among the parents, that act.
    pub fn union(&mut self, states: &BTreeSet<OpState>, acts: &[EntryId]) -> OpState {
        let base = states.iter().copied().max_by_key(|state| self.set(*state).len()).unwrap_or_default();
        let known = self.set(base);
        let mut added: BTreeSet<EntryId> = acts.iter().filter(|act| !known.contains(act)).copied().collect();
        for state in states {
            added.extend(self.set(*state).difference(&known));
        }
        if added.is_empty() { base } else { self.intern(base, added.into_iter().collect()) }
    }

    fn intern(&mut self, base: OpState, added: Vec<EntryId>) -> OpState {
        let mut set = (*self.set(base)).clone();
        set.extend(added.iter().copied());
        let set = Arc::new(set);
        if let Some(number) = self.numbers.get(&set) {
            return OpState(*number);
        }
        let number = u32::try_from(self.sets.len()).unwrap_or(u32::MAX);
        self.numbers.insert(set.clone(), number);
        self.sets.push(set);
        self.recipes.push(Recipe { base: base.0, added });
        OpState(number)
    }

    /// The recipe of a set, for the store.
    pub fn recipe(&self, number: u32) -> Vec<u8> {
        let recipe = self.recipes.get(number as usize).cloned().unwrap_or_default();
        let mut out = recipe.base.to_be_bytes().to_vec();
        for act in recipe.added {
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
        let next = self.sets.len();
        reader.finish().is_ok()
            && (base as usize) < next
            && self.intern(OpState(base), added).0 as usize == next
    }
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
        assert_eq!(states.set(both).len(), 2);
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
        assert_eq!(back.set(state), states.set(state));
        assert!(!back.restore(&[0, 0, 0, 99]), "a base that isn't there");
    }
}
