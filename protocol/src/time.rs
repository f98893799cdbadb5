//! Time as an argument: seconds and milliseconds since the Unix epoch, by the clock of whoever
//! calls. Nothing in the protocol orders or judges by it (membership: clocks lie). People, networks
//! and time servers set it at any time, so what a node waits for is measured in [`Moment`]s.

use std::time::Duration;

/// A moment by the caller's own clock, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// From milliseconds since the Unix epoch.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// From whole seconds since the Unix epoch; saturates.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Milliseconds since the Unix epoch.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Whole seconds since the Unix epoch.
    pub const fn as_secs(self) -> u64 {
        self.0 / 1000
    }

    /// Seconds as entries carry them: 32 bits, saturated (lasts until 2106).
    pub fn as_entry_secs(self) -> u32 {
        u32::try_from(self.as_secs()).unwrap_or(u32::MAX)
    }

    /// This moment plus `span`; saturates.
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(span.as_millis()).unwrap_or(u64::MAX)))
    }

    /// The span from `earlier` to this moment, zero if the clock went backwards.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// A moment of one run of a node, in milliseconds: later ones are greater, whatever becomes of the
/// clock. For waiting and for pauses; means nothing to people or after a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct Moment(u64);

impl Moment {
    /// This moment plus `span`; saturates.
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(span.as_millis()).unwrap_or(u64::MAX)))
    }

    /// The span from `earlier` to this moment, zero if it is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// Makes moments of a clock that may be set (Y-28). What it jumps ahead has passed, as it has while a
/// laptop slept: what waits is done once and waits anew. What it goes back is left out: whatever
/// waits does so from the last time it was looked at, so that nothing waits for a year to come again.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock {
    last: Timestamp,
    /// Milliseconds it went back so far.
    back: u64,
}

impl Clock {
    /// The moment that it is, as the clock shows `now`.
    pub fn at(&mut self, now: Timestamp) -> Moment {
        self.back = self.back.saturating_add(self.last.0.saturating_sub(now.0));
        self.last = now;
        self.reached()
    }

    /// The moment that it was when the clock was looked at last.
    pub fn reached(&self) -> Moment {
        Moment(self.last.0.saturating_add(self.back))
    }

    /// What the clock will show at a moment, if nobody sets it.
    pub fn shows(&self, moment: Moment) -> Timestamp {
        Timestamp(moment.0.saturating_sub(self.back))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const YEAR: Duration = Duration::from_secs(365 * 86_400);
    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_clock_set_ahead_and_back_again_costs_nobody_a_year() {
        let today = Timestamp::from_secs(1_800_000_000);
        let mut clock = Clock::default();
        let due = clock.at(today).after(SECOND);
        assert_eq!(clock.shows(due), today.after(SECOND));
        let next_year = clock.at(today.after(YEAR));
        assert!(next_year > due);
        let due = next_year.after(SECOND);
        let back = clock.at(today);
        assert_eq!((back, clock.shows(due)), (next_year, today.after(SECOND)));
        assert_eq!(clock.at(today.after(SECOND)), due);
        assert_eq!(clock.at(Timestamp::default()), due, "even to where clocks begin");
        assert_eq!(clock.at(Timestamp::default().after(SECOND)), due.after(SECOND));
    }
}
