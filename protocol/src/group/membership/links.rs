//! Acts by number, and which acts concern one another, whatever became of them.

use std::collections::{BTreeMap, BTreeSet};

use super::act::{Act, Operation};
use super::view::Ground;
use crate::id::{DeviceKey, EntryId, MemberId};

/// Acts that are not void.
#[derive(Clone, Debug, Default)]
pub(super) struct Acts {
    numbered: BTreeMap<u32, Act>,
    numbers: BTreeMap<EntryId, u32>,
}

impl Acts {
    pub(super) fn insert(&mut self, act: Act) {
        self.numbers.insert(act.id, act.number);
        self.numbered.insert(act.number, act);
    }

    pub(super) fn get(&self, number: u32) -> Option<&Act> {
        self.numbered.get(&number)
    }

    pub(super) fn find(&self, id: &EntryId) -> Option<&Act> {
        self.numbers.get(id).and_then(|number| self.get(*number))
    }

    /// All, in the order of their numbers: a causal order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Act> {
        self.numbered.values()
    }
}

/// Numbers of acts by what they have in common, ascending.
#[derive(Clone, Debug)]
pub(super) struct Lists<K>(BTreeMap<K, Vec<u32>>);

impl<K> Default for Lists<K> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord> Lists<K> {
    fn push(&mut self, key: K, number: u32) {
        let list = self.0.entry(key).or_default();
        if list.last() != Some(&number) {
            list.push(number);
        }
    }

    pub(super) fn of(&self, key: &K) -> &[u32] {
        self.0.get(key).map_or(&[], Vec::as_slice)
    }
}

/// Which acts have to be looked at when something about another, or about a person or code, changes.
#[derive(Clone, Debug, Default)]
pub(super) struct Links {
    /// What signs an act, itself among it.
    pub(super) signatures: Lists<u32>,
    /// What somebody signed anything with.
    pub(super) signed: Lists<MemberId>,
    /// What holds only while this ground stands.
    pub(super) resting: Lists<EntryId>,
    /// Grants and admissions of somebody.
    pub(super) naming: Lists<MemberId>,
    pub(super) invites: Lists<DeviceKey>,
    pub(super) revocations: Lists<DeviceKey>,
    /// Admissions by a code, by its key, its issuer, its act.
    pub(super) admitted_by_code: Lists<DeviceKey>,
    pub(super) admitted_for: Lists<MemberId>,
    pub(super) admitted_by_invite: Lists<EntryId>,
    /// Codes somebody made, or a device did.
    pub(super) issued: BTreeMap<MemberId, BTreeSet<DeviceKey>>,
    pub(super) made: BTreeMap<DeviceKey, BTreeSet<DeviceKey>>,
    /// Links of a device, by a device's codes, by an invite act; and what drops a device.
    pub(super) linking: Lists<DeviceKey>,
    pub(super) linked_by: Lists<DeviceKey>,
    pub(super) linked_by_invite: Lists<EntryId>,
    pub(super) drops: Lists<DeviceKey>,
}

impl Links {
    pub(super) fn insert(&mut self, act: &Act) {
        let number = act.number;
        if let Some(signature) = &act.signs {
            self.signatures.push(signature.of, number);
            self.signed.push(act.author, number);
            act.further_device().into_iter().for_each(|name| self.signed.push(name, number));
            // Those of an office are among these: it gives every right.
            self.rest(number, signature.grounds.iter());
        }
        if let Some(code) = act.door.as_ref().and_then(|door| door.code.as_ref()) {
            self.admitted_by_code.push(code.key, number);
            self.admitted_for.push(code.issuer, number);
            code.further.into_iter().for_each(|name| self.admitted_for.push(name, number));
            self.admitted_by_invite.push(code.act, number);
            self.rest(number, code.grounds.iter());
        }
        if let (Operation::Link { device, .. }, Some(link)) = (&act.operation, &act.link) {
            self.linking.push(*device, number);
            self.linked_by.push(link.maker, number);
            self.linked_by_invite.push(link.act, number);
        }
        match &act.operation {
            Operation::Invite { key, .. } => {
                self.invites.push(*key, number);
                self.issued.entry(act.author).or_default().insert(*key);
                self.made.entry(act.device).or_default().insert(*key);
            }
            Operation::Drop { device, .. } => self.drops.push(*device, number),
            Operation::Revoke { key } => self.revocations.push(*key, number),
            Operation::Promote { .. } | Operation::Enrol { .. } | Operation::Admit { .. } => {
                for member in act.operation.names() {
                    self.naming.push(member, number);
                }
            }
            _ => {}
        }
    }

    fn rest<'a>(&mut self, number: u32, grounds: impl Iterator<Item = &'a Ground>) {
        for ground in grounds.flatten() {
            self.resting.push(*ground, number);
        }
    }
}
