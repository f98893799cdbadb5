//! Erasing what belongs to epochs that are over (K-12), and chat whose time is (K-13).
//!
//! An MLS state opens everything that was sealed since it was made, so a laptop that is seized shows what its oldest
//! state leads to. States are kept as long as a late commit may build on them, and no longer. Time is this node's own
//! and decides about nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::author::AuthorError;
use super::shelf::{self, Shown};
use super::{Replica, Round};
use crate::entry::{Class, Lane};
use crate::group::epoch::EpochKeys;
use crate::group::operation::{Control, Empty};
use crate::id::{DeviceKey, EpochId};
use crate::kind::Kind;
use crate::log::LogId;
use crate::store::StoreError;
use crate::time::Timestamp;

const DAY: Duration = Duration::from_secs(86_400);
/// Classes that the rule on chat is about.
const CHAT: [Class; 2] = [Class::Chat, Class::Short];
/// Places on the screen looked at together.
const PAGE: usize = 256;

/// How long what belongs to an epoch is kept after its end.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    /// The head is so many commits further before a state may go early.
    pub depth: usize,
    /// For so long a state is kept in any case.
    pub shortest: Duration,
    /// For so long at most.
    pub longest: Duration,
    /// Whoever was heard of within this time has to have written later.
    pub heard: Duration,
    /// How often is looked.
    pub pause: Duration,
    /// How often a device commits new keys of its own (K-14).
    pub renew: Duration,
}

impl Schedule {
    /// The one of K-12.
    pub const USUAL: Self = Self {
        depth: 16,
        shortest: Duration::from_secs(7 * 86_400),
        longest: Duration::from_secs(45 * 86_400),
        heard: Duration::from_secs(30 * 86_400),
        pause: DAY,
        renew: Duration::from_secs(7 * 86_400),
    };
}

impl Replica {
    /// Erases what is not needed any more. Each erasure rewrites the vault (S-18): to be called rarely.
    ///
    /// # Errors
    /// The store's.
    pub fn erase_old(&mut self, schedule: &Schedule, round: &mut Round<'_>) -> Result<(), StoreError> {
        self.note_ends(round);
        let over = self.over(schedule, round.now);
        self.bring_voice_along(&over, round)?;
        for epoch in over {
            self.erase_state(epoch, round);
        }
        self.erase_beacon_keys(round)?;
        self.erase_chat(round)
    }

    /// How long chat is kept, if not for ever (M-10).
    fn chat_time(&self) -> Option<Duration> {
        let days = self.view.rules.chat;
        (days > 0).then(|| DAY.saturating_mul(days))
    }

    /// Whether a message is older than the group keeps it.
    pub(super) fn is_expired(&self, shown: &Shown, now: Timestamp) -> bool {
        let received = shown.received.map(|received| Timestamp::from_secs(u64::from(received)));
        let kept = self.chat_time().zip(received).map(|(time, received)| received.after(time));
        kept.is_some_and(|until| until <= now)
    }

    /// Chat whose time is over: the keys, and the places on the screen. What was said stays in its log, where nothing
    /// opens it.
    fn erase_chat(&mut self, round: &mut Round<'_>) -> Result<(), StoreError> {
        let Some(time) = self.chat_time() else { return Ok(()) };
        let over = |epoch: &&EpochId| {
            let ended = self.ring.whole(epoch).and_then(EpochKeys::ended);
            ended.is_some_and(|ended| ended.after(time) <= round.now)
        };
        let over: Vec<EpochId> = self.ring.whole_epochs().filter(over).copied().collect();
        for epoch in over {
            let Some(keys) = self.ring.whole_mut(&epoch) else { continue };
            // Both at once: the first must not keep the second.
            if CHAT.map(|class| keys.drop_class(class)).contains(&true) {
                shelf::put_epoch_keys(round.overlay, &self.group, &epoch, keys);
            }
        }
        self.drop_expired(round)
    }

    /// The oldest places, up to the first page of which none is old; the newest stays: it tells the clock.
    fn drop_expired(&self, round: &mut Round<'_>) -> Result<(), StoreError> {
        let newest = self.shelf(round).timeline(u128::MAX, 1)?.first().map(|shown| shown.order);
        let mut from = 0;
        loop {
            let page = self.shelf(round).timeline_from(from, PAGE)?;
            let Some(last) = page.last().map(|shown| shown.order) else { return Ok(()) };
            let old = page.iter().filter(|shown| self.is_expired(shown, round.now));
            let old: Vec<&Shown> = old.filter(|shown| Some(shown.order) != newest).collect();
            for shown in &old {
                shelf::drop_edited(round, &self.group, shown)?;
            }
            if old.is_empty() || Some(last) == newest {
                return Ok(());
            }
            from = last.saturating_add(1);
        }
    }

    /// Whether an epoch is over of which more than what is kept for ever is here, or messages that will be old.
    pub fn has_old(&self) -> bool {
        let (head, chat) = (self.head(), self.chat_time().is_some());
        let erasable = |keys: &EpochKeys| {
            let chat = chat && CHAT.iter().any(|class| keys.class(*class).is_some());
            keys.has_state() || chat || keys.class(Class::Beacon).is_some()
        };
        chat || self
            .ring
            .whole_epochs()
            .any(|epoch| *epoch != head && self.ring.whole(epoch).is_some_and(erasable))
    }

    /// Notes of each epoch when it was first seen not to be the head. A clock that was ahead then counts from now.
    fn note_ends(&mut self, round: &mut Round<'_>) {
        let (head, now) = (self.head(), round.now);
        let epochs: Vec<EpochId> = self.ring.whole_epochs().copied().collect();
        for epoch in epochs {
            let Some(keys) = self.ring.whole_mut(&epoch) else { continue };
            let known = keys.ended().filter(|ended| epoch != head && *ended <= now.after(DAY));
            let ended = known.or((epoch != head).then_some(now));
            if ended != keys.ended() {
                keys.end(ended);
                shelf::put_epoch_keys(round.overlay, &self.group, &epoch, keys);
            }
        }
    }

    /// Epochs whose state is not needed any more.
    fn over(&self, schedule: &Schedule, now: Timestamp) -> Vec<EpochId> {
        let chain: BTreeMap<EpochId, usize> =
            self.tree.way_to(self.head()).enumerate().map(|(above, epoch)| (epoch, above)).collect();
        // How far above the head an epoch hangs on the way to it.
        let above = |epoch: &EpochId| self.tree.way_to(*epoch).find_map(|at| chain.get(&at).copied());
        let needed = if self.awaits_commits() { None } else { self.needed_by_others(schedule, now, above) };
        let ended = |epoch: &EpochId| {
            let keys = self.ring.whole(epoch).filter(|keys| keys.has_state())?;
            Some((*epoch, now.since(keys.ended()?)))
        };
        let is_over = |(epoch, age): &(EpochId, Duration)| {
            let left = |needed| above(epoch).is_some_and(|above| above >= schedule.depth && above > needed);
            *age >= schedule.longest || *age >= schedule.shortest && needed.is_some_and(left)
        };
        self.ring.whole_epochs().filter_map(ended).filter(is_over).map(|(epoch, _)| epoch).collect()
    }

    /// Whether a commit may be on its way that builds on an old state: this device is behind, mends its records, or
    /// acts wait here for others.
    fn awaits_commits(&self) -> bool {
        let log = |device: &DeviceKey| LogId { device: *device, lane: Lane::Acts };
        let waits = |log: &LogId| self.logs.first_waiting(log).is_some() && !self.logs.is_forked(log);
        self.doubt.is_some()
            || !self.lacking().is_empty()
            || self.devices.iter().map(log).any(|log| waits(&log))
    }

    /// How far above the head the members who are about wrote last; `None` if somebody did nobody knows where.
    fn needed_by_others(
        &self,
        schedule: &Schedule,
        now: Timestamp,
        above: impl Fn(&EpochId) -> Option<usize>,
    ) -> Option<usize> {
        let roster = self.view.roster();
        let is_about = |device: &DeviceKey| {
            let heard = self.last_heard.get(device).map(|secs| Timestamp::from_secs(u64::from(*secs)));
            *device != self.device && heard.is_some_and(|heard| now.since(heard) <= schedule.heard)
        };
        let mut wrote = roster.iter().filter(|device| is_about(device)).map(|device| {
            let epoch = self.spoke_in.get(device)?;
            above(epoch)
        });
        wrote.try_fold(0, |most, above| Some(most.max(above?)))
    }

    /// Whoever erases a branch in which its own newest act is writes another under the head: else the branch could win
    /// one day by the voices of people who have long gone on (K-8).
    fn bring_voice_along(&mut self, over: &[EpochId], round: &mut Round<'_>) -> Result<(), StoreError> {
        let own = self.tree.spoke(&self.device).filter(|epoch| over.contains(epoch));
        let beside = own.is_some_and(|own| self.tree.way_to(self.head()).all(|epoch| epoch != own));
        if !beside || self.may_write(Kind::Merge).is_err() {
            return Ok(());
        }
        match self.post(Kind::Merge, &Empty {}.to_payload(), round) {
            Err(AuthorError::Store(error)) => Err(error),
            _ => Ok(()),
        }
    }

    fn erase_state(&mut self, epoch: EpochId, round: &mut Round<'_>) {
        let Some(keys) = self.ring.whole_mut(&epoch) else { return };
        keys.drop_outer();
        shelf::put_epoch_keys(round.overlay, &self.group, &epoch, keys);
        shelf::erase_secret(round.overlay, &self.group, &shelf::state_name(&epoch));
        self.tree.lose(epoch);
    }

    /// The keys of beacons go with the state, but for the newest beacon of each member: it says where to find it.
    fn erase_beacon_keys(&mut self, round: &mut Round<'_>) -> Result<(), StoreError> {
        let old = |epoch: &&EpochId| {
            let keys = self.ring.whole(epoch);
            keys.is_some_and(|keys| !keys.has_state() && keys.class(Class::Beacon).is_some())
        };
        let old: Vec<EpochId> = self.ring.whole_epochs().filter(old).copied().collect();
        if old.is_empty() {
            return Ok(());
        }
        let mut newest = BTreeSet::new();
        for device in self.view.roster() {
            let beacon = self.shelf(round).at(LogId { device, lane: Lane::Beacon }, 0)?;
            newest.extend(beacon.map(|stored| stored.entry.epoch()));
        }
        for epoch in old.into_iter().filter(|epoch| !newest.contains(epoch)) {
            let Some(keys) = self.ring.whole_mut(&epoch) else { continue };
            keys.drop_class(Class::Beacon);
            shelf::put_epoch_keys(round.overlay, &self.group, &epoch, keys);
        }
        Ok(())
    }
}
