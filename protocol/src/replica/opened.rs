//! Control keys of earlier epochs, told to newcomers by `opened` statements (K-5).

use std::collections::BTreeSet;

use super::author::AuthorError;
use super::shelf;
use super::{Replica, Round};
use crate::crypto::Secret;
use crate::entry::{Class, ClassKey, Entry};
use crate::group::membership::OpState;
use crate::group::operation::{Control, Opened, OpenedEpoch};
use crate::id::{DeviceKey, EpochId};
use crate::kind::Kind;

/// Most epochs that one statement tells.
pub(super) const MAX_TOLD: usize = 512;

/// What a statement under an epoch told.
#[derive(Clone, Debug)]
pub(super) struct Told {
    by: DeviceKey,
    epochs: Vec<EpochId>,
}

impl Replica {
    /// Takes a statement from a key-holder, if there is any, or from whoever made the epoch it is sealed under: else
    /// anybody could keep newcomers out with false keys.
    pub(super) fn opened(
        &mut self,
        entry: &Entry,
        payload: &[u8],
        past: OpState,
        round: &mut Round<'_>,
    ) -> bool {
        let Ok(opened) = Opened::from_payload(payload) else { return false };
        let view = self.view_at(past);
        let counts = view.member_of(&entry.device()).is_some_and(|member| view.tells_keys(&member));
        let maker = self.tree.get(&entry.epoch()).is_some_and(|node| node.maker == entry.device());
        if !counts && !maker && self.tree.holds(&entry.epoch()) {
            return false;
        }
        let mut epochs = Vec::new();
        for told in &opened.epochs {
            let control = Secret::new(*told.control);
            self.learn_control(told.epoch, &control, counts, round);
            if self.ring.control(&told.epoch) == Some(&control) {
                epochs.push(told.epoch);
            }
        }
        self.told.entry(entry.epoch()).or_default().push(Told { by: entry.device(), epochs });
        true
    }

    pub(super) fn learn_control(
        &mut self,
        epoch: EpochId,
        control: &Secret,
        by_keyholder: bool,
        round: &mut Round<'_>,
    ) {
        if self.ring.learn(epoch, control.clone(), by_keyholder) {
            shelf::put_control_keys(round.overlay, &self.group, &epoch, self.ring.controls(&epoch));
        }
    }

    /// The control key that an entry commits to, among all that were told.
    pub(super) fn key_of(&self, entry: &Entry) -> Option<Secret> {
        let mut told = self.ring.controls(&entry.epoch()).iter().chain(self.hearsay_of(entry.epoch()));
        told.find(|key| entry.is_under(&ClassKey((*key).clone()))).cloned()
    }

    /// What opens an act is believed before what has opened nothing.
    pub(super) fn settle_key(&mut self, entry: &Entry, round: &mut Round<'_>) {
        let epoch = entry.epoch();
        if entry.header().class != Class::Control || self.ring.whole(&epoch).is_some() {
            return;
        }
        let Some(key) = self.key_of(entry) else { return };
        self.learn_control(epoch, &key, false, round);
        if self.ring.prove(&epoch, &key) {
            shelf::put_control_keys(round.overlay, &self.group, &epoch, self.ring.controls(&epoch));
        }
    }

    /// Posts the control keys that a newcomer needs to read every act.
    pub(super) fn tell_opened(&mut self, round: &mut Round<'_>) -> Result<(), AuthorError> {
        let keys = self.untold().into_iter().filter_map(|epoch| {
            let control = self.ring.control(&epoch)?;
            Some(OpenedEpoch { epoch, control: (*control.as_bytes()).into() })
        });
        let body = Opened { epochs: keys.take(MAX_TOLD).collect() };
        self.post(Kind::Opened, &body.to_payload(), round).map(|_| ())
    }

    /// Whether acts are known, and will be cited by the next commit, that not everybody in the head can read.
    pub(super) fn owes_keys_for_a_commit(&self) -> bool {
        self.may_write(Kind::Opened).is_ok() && !self.untold().is_empty()
    }

    /// Whether this device owes newcomers the key of an epoch that became known late.
    pub(super) fn owes_keys(&self) -> bool {
        self.view.tells_keys(&self.member()) && self.owes_keys_for_a_commit()
    }

    /// Epochs of commits that a newcomer would not be led to, from the head on, by statements it can check: those
    /// of devices with a leaf.
    fn untold(&self) -> BTreeSet<EpochId> {
        let mut led_to = BTreeSet::new();
        let mut fresh = vec![self.head()];
        while let Some(epoch) = fresh.pop() {
            if led_to.insert(epoch) {
                let told = self.told.get(&epoch).into_iter().flatten();
                let checked = told.filter(|told| self.leaves.contains(&told.by));
                fresh.extend(checked.flat_map(|told| told.epochs.iter().copied()));
            }
        }
        let epochs = self.made.keys().copied().chain([EpochId::from(self.group)]);
        let held = epochs.filter(|epoch| self.ring.control(epoch).is_some());
        held.filter(|epoch| !led_to.contains(epoch)).collect()
    }
}
