//! What a forking signer, and whoever helps her, write; and who is there.

use std::collections::BTreeSet;

use super::node::{Say, Written};
use crate::crypto;
use crate::entry::{Class, Header};
use crate::group::membership::{Channel, Founding, Operation, Rules};
use crate::id::{DeviceKey, EntryId, EpochId, MemberId};
use crate::log::Meta;
use crate::log::tests::{BOB, EVE, GROUP};

pub(super) const ANNA: DeviceKey = DeviceKey([20; 32]);
/// Whom the verdict puts out, or a plain member.
pub(super) const VERA: DeviceKey = DeviceKey([21; 32]);
pub(super) const WALT: DeviceKey = DeviceKey([22; 32]);
/// Helps Eve.
pub(super) const HELPER: DeviceKey = DeviceKey([23; 32]);

/// A council of Anna, Bob and Eve; Vera, Walt and the helper are members.
#[derive(Clone)]
pub(super) struct Script {
    pub(super) honest: Vec<DeviceKey>,
    /// What all have from the start.
    pub(super) known: Vec<Written>,
    /// What the dishonest show to whom and when they like.
    pub(super) entries: Vec<Written>,
    pub(super) verdict: EntryId,
    /// What the honest may write, once each.
    pub(super) says: Vec<(DeviceKey, Say)>,
}

/// Where Eve's log forks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Before,
    While,
    After,
}

pub(super) fn id(label: &str) -> EntryId {
    EntryId(crypto::hash("made", &[label.as_bytes()]))
}

pub(super) fn approval() -> Option<Operation> {
    Some(Operation::Approve { act: id("verdict") })
}

pub(super) fn expel(device: DeviceKey) -> Operation {
    Operation::Expel { members: vec![device.into()], channel: Channel::Council }
}

pub(super) fn demote(device: DeviceKey) -> Operation {
    Operation::Demote { members: vec![device.into()], channel: Channel::Council }
}

impl Script {
    /// Anna has proposed a verdict; it takes one signature more.
    pub(super) fn proposed(verdict: Operation) -> Self {
        let mut script = Self::empty();
        script.act("verdict", ANNA, "", &[], Some(verdict));
        script.known = std::mem::take(&mut script.entries);
        script
    }

    /// Nothing has been written yet.
    pub(super) fn empty() -> Self {
        let honest = vec![ANNA, BOB, VERA];
        Self { honest, known: vec![], entries: vec![], verdict: id("verdict"), says: vec![] }
    }

    /// Eve signs it on one branch of her log, and writes something else on the other.
    pub(super) fn signed(verdict: Operation, place: Place, rival: Option<Operation>) -> Self {
        let mut script = Self::proposed(verdict);
        let (before, fork) = match place {
            Place::Before => ("more", ""),
            Place::While => ("", ""),
            Place::After => ("", "signature"),
        };
        if place == Place::Before {
            script.act("more", EVE, "", &[], None);
        }
        script.act("signature", EVE, before, &["verdict"], approval());
        if place == Place::After {
            script.act("more", EVE, "signature", &[], None);
        }
        script.act("rival", EVE, fork, &["verdict"], rival);
        script
    }

    pub(super) fn among(mut self, honest: &[DeviceKey]) -> Self {
        self.honest = honest.to_vec();
        self
    }

    /// More on either branch, and somebody honest who may write.
    pub(super) fn at_length(mut self) -> Self {
        let tip = if self.entries.len() == 2 { "signature" } else { "more" };
        self.act("longer", EVE, tip, &[], None);
        self.act("rival, longer", EVE, "rival", &[], None);
        self.says.push((BOB, Say::Act));
        self
    }

    pub(super) fn act(
        &mut self,
        label: &str,
        device: DeviceKey,
        prev: &str,
        cites: &[&str],
        operation: Option<Operation>,
    ) {
        self.write(label, Class::Control, device, prev, cites, operation);
    }

    pub(super) fn talk(&mut self, label: &str, device: DeviceKey, prev: &str, cites: &[&str]) {
        self.write(label, Class::Chat, device, prev, cites, None);
    }

    fn write(
        &mut self,
        label: &str,
        class: Class,
        device: DeviceKey,
        prev: &str,
        cites: &[&str],
        operation: Option<Operation>,
    ) {
        let epoch = EpochId::from(GROUP);
        let before = self.known.iter().chain(&self.entries).find(|written| written.meta.id == id(prev));
        let (seq, prev) = before.map_or((0, EntryId::default()), |w| (w.meta.header.seq, w.meta.id));
        let mut header = Header::new(class, &device, &epoch, seq + 1, prev);
        header.act_cites = cites.iter().map(|label| id(label)).collect();
        self.entries.push(Written { meta: Meta { id: id(label), device, epoch, header }, operation });
    }

    pub(super) fn founding(&self) -> Founding {
        let members = |devices: &[DeviceKey]| devices.iter().map(|d| MemberId::from(*d)).collect();
        Founding {
            council: members(&[ANNA, BOB, EVE]),
            members: members(&[ANNA, BOB, EVE, VERA, WALT, HELPER]),
            roll: BTreeSet::new(),
            rules: Rules::DRAFT,
        }
    }
}
