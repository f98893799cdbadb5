//! Sets of numbered acts that share what they have in common.

use std::sync::Arc;

/// Acts of one block: a multiple of 64.
const BLOCK: u32 = 2048;
const WORDS: usize = BLOCK as usize / 64;

type Block = [u64; WORDS];

/// A set of numbers. Adding one to a copy copies a block; the others are shared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct OpSet {
    len: usize,
    blocks: Vec<Arc<Block>>,
}

impl OpSet {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn contains(&self, number: u32) -> bool {
        let (block, word, bit) = place(number);
        let words = self.blocks.get(block);
        words.and_then(|words| words.get(word)).is_some_and(|word| word & bit != 0)
    }

    /// False if it was there.
    pub(super) fn insert(&mut self, number: u32) -> bool {
        let (block, word, bit) = place(number);
        while self.blocks.len() <= block {
            self.blocks.push(Arc::new([0; WORDS]));
        }
        let words = self.blocks.get_mut(block).map(Arc::make_mut);
        let Some(word) = words.and_then(|words| words.get_mut(word)) else { return false };
        let new = *word & bit == 0;
        *word |= bit;
        self.len = self.len.saturating_add(usize::from(new));
        new
    }

    /// What is here and not there, ascending.
    pub(super) fn difference<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = u32> + 'a {
        let shared = |at: usize, block: &Arc<Block>| {
            other.blocks.get(at).is_some_and(|theirs| Arc::ptr_eq(block, theirs))
        };
        let words = move |(at, block): (usize, &'a Arc<Block>)| {
            let theirs = other.blocks.get(at).map_or(&[0; WORDS], |theirs| &**theirs);
            let word =
                move |(word, (mine, theirs)): (usize, (&u64, &u64))| (at * WORDS + word, mine & !theirs);
            block.iter().zip(theirs).enumerate().map(word)
        };
        let blocks = self.blocks.iter().enumerate().filter(move |(at, block)| !shared(*at, block));
        blocks.flat_map(words).flat_map(|(word, bits)| numbers(word, bits))
    }
}

fn place(number: u32) -> (usize, usize, u64) {
    let (block, rest) = (number / BLOCK, number % BLOCK);
    (block as usize, rest as usize / 64, 1 << (rest % 64))
}

/// The numbers of one word's bits.
fn numbers(word: usize, mut bits: u64) -> impl Iterator<Item = u32> {
    let base = u32::try_from(word * 64).unwrap_or(u32::MAX);
    std::iter::from_fn(move || {
        let bit = (bits != 0).then(|| bits.trailing_zeros())?;
        bits &= bits - 1;
        Some(base.saturating_add(bit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_differs_by_what_was_added_to_it() {
        let numbers = [0, 1, 63, 64, 2047, 2048, 10_000];
        let mut set = OpSet::default();
        assert!(numbers.iter().all(|number| set.insert(*number)));
        assert!(!set.insert(63), "it is there");
        let before = set.clone();
        assert!(set.insert(3000) && set.insert(2));
        assert_eq!(set.difference(&before).collect::<Vec<_>>(), [2, 3000]);
        assert_eq!(before.difference(&set).count(), 0);
        assert_eq!(before.difference(&OpSet::default()).collect::<Vec<_>>(), numbers);
        assert_eq!((before.len(), set.len()), (7, 9));
        assert!(
            set.contains(3000) && !before.contains(3000) && !set.contains(3001) && !set.contains(u32::MAX)
        );
    }

    #[test]
    fn sets_of_the_same_numbers_are_equal_whatever_made_them() {
        let (mut one, mut other) = (OpSet::default(), OpSet::default());
        for number in 0..5000 {
            one.insert(number);
            other.insert(4999 - number);
        }
        assert_eq!(one, other);
    }
}
