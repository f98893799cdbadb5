//! Keys told by statements that can't be applied yet (K-5).
//!
//! An `opened` that tells the key of an epoch may cite acts of that very epoch, or come after entries of its
//! author's that do. Whoever is on another branch could then never apply it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Replica, Round, opened};
use crate::crypto::Secret;
use crate::entry::{Class, ClassKey, Entry, UnverifiedEntry};
use crate::group::operation::{Control, Opened};
use crate::id::{DeviceKey, EpochId};
use crate::kind::Kind;

/// Most epochs beside its branch whose keys a device tells in a session.
const MAX_BESIDE: usize = 32;

/// What each device told, at most [`opened::MAX_TOLD`] keys.
#[derive(Clone, Debug, Default)]
pub(super) struct Hearsay {
    told: BTreeMap<DeviceKey, Vec<(EpochId, Secret)>>,
}

impl Replica {
    /// Notes what a statement of a member tells that waits.
    pub(super) fn note_hearsay(&mut self, entry: &Entry) {
        let waits = entry.header().class == Class::Control && self.logs.act(&entry.id()).is_none();
        if !waits || self.view.member_of(&entry.device()).is_none() {
            return;
        }
        let body = self.open_body(entry).filter(|body| body.kind == Kind::Opened as u16);
        let Some(opened) = body.and_then(|body| Opened::from_payload(&body.payload).ok()) else { return };
        let told = opened.epochs.iter().map(|told| (told.epoch, Secret::new(*told.control)));
        self.hear_keys(entry.device(), told.collect());
    }

    /// Holds keys that a member told, in a statement that waits or in a session (Y-31).
    pub fn hear_keys(&mut self, device: DeviceKey, told: Vec<(EpochId, Secret)>) {
        if self.view.member_of(&device).is_none() {
            return;
        }
        let ring = &self.ring;
        let is_unknown = |(epoch, key): &(EpochId, Secret)| !ring.controls(epoch).contains(key);
        let unknown: Vec<(EpochId, Secret)> = told.into_iter().filter(is_unknown).collect();
        if unknown.is_empty() {
            return;
        }
        self.hearsay.told.retain(|device, _| self.view.member_of(device).is_some());
        let of_device = self.hearsay.told.entry(device).or_default();
        of_device.retain(is_unknown);
        for told in unknown {
            if of_device.len() < opened::MAX_TOLD && !of_device.contains(&told) {
                of_device.push(told);
                self.placeable = true;
            }
        }
    }

    /// Control keys for members who can't follow (Y-31): of epochs that this device was in beside its branch, where
    /// perhaps it was alone, then of its branch, the newest first.
    pub fn branch_keys(&self) -> impl Iterator<Item = (EpochId, &Secret)> {
        let way: Vec<EpochId> = self.tree.way_to(self.head()).collect();
        let on_the_way: BTreeSet<EpochId> = way.iter().copied().collect();
        let beside = self.ring.whole_epochs().filter(move |epoch| !on_the_way.contains(epoch)).copied();
        let epochs = beside.take(MAX_BESIDE).chain(way);
        epochs.filter_map(|epoch| Some((epoch, self.ring.control(&epoch)?)))
    }

    /// What was told of an epoch's key and is not believed yet.
    pub(super) fn hearsay_of(&self, epoch: EpochId) -> impl Iterator<Item = &Secret> {
        self.hearsay.told.values().flatten().filter(move |(of, _)| *of == epoch).map(|(_, key)| key)
    }

    /// Whether members write in epochs that no commit known here leads to.
    pub fn lacks_epochs(&self) -> bool {
        !self.unplaced.is_empty()
    }

    /// Believes a key that was told by a statement that waits, if it opens what a member has signed: the same
    /// that convinces a newcomer (I-7).
    pub(super) fn confirm_hearsay(&mut self, entry: &UnverifiedEntry, round: &mut Round<'_>) -> bool {
        let header = entry.header();
        if header.class != Class::Control {
            return false;
        }
        let devices = || self.devices.iter().filter(|device| device.hint() == header.author_hint);
        let opens = |(epoch, control): &&(EpochId, Secret)| {
            let signed = |device: &DeviceKey| entry.verify(&self.group, device, epoch);
            let key = ClassKey(control.clone());
            let mut entries = devices().filter_map(signed);
            epoch.hint() == header.epoch_hint && entries.any(|entry| entry.open(&self.group, &key).is_ok())
        };
        let found = self.hearsay.told.values().flatten().find(opens).cloned();
        let Some((epoch, control)) = found else { return false };
        self.learn_control(epoch, &control, false, round);
        true
    }
}
