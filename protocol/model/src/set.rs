//! Sets of small numbers.

use std::fmt;

/// Numbers below 64: persons, or entries.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Set(u64);

impl Set {
    /// Nothing.
    pub const NONE: Self = Self(0);

    /// One number alone.
    pub fn one(item: u8) -> Self {
        Self(1 << item)
    }

    /// With one more.
    #[must_use]
    pub fn with(self, item: u8) -> Self {
        self | Self::one(item)
    }

    /// Whether it holds this number.
    pub fn has(self, item: u8) -> bool {
        self.meets(Self::one(item))
    }

    /// Whether it holds all of another.
    pub fn holds(self, other: Self) -> bool {
        other.without(self).is_empty()
    }

    /// Whether it shares anything with another.
    pub fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// What is not in the other.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// What is in both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether there is nothing in it.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many it holds.
    pub fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Its numbers, ascending.
    pub fn iter(self) -> Items {
        Items(self)
    }
}

/// What is left of a set.
#[derive(Clone)]
pub struct Items(Set);

impl Items {
    fn take(&mut self, item: u32) -> Option<u8> {
        let item = u8::try_from(item).ok().filter(|item| *item < 64)?;
        self.0 = self.0.without(Set::one(item));
        Some(item)
    }
}

impl Iterator for Items {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        self.take(self.0.0.trailing_zeros())
    }
}

impl DoubleEndedIterator for Items {
    fn next_back(&mut self) -> Option<u8> {
        self.take(63_u32.wrapping_sub(self.0.0.leading_zeros()))
    }
}

impl std::ops::BitOr for Set {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl FromIterator<u8> for Set {
    fn from_iter<I: IntoIterator<Item = u8>>(items: I) -> Self {
        items.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Debug for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
