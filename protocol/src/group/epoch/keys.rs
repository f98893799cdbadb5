//! What one exported secret X_e becomes (K-2, K-3), and the keys a node holds (K-5).

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use crate::crypto::Secret;
use crate::entry::{Class, ClassKey};
use crate::id::EpochId;

/// Content classes, in the order their keys are stored.
const CONTENT: [Class; 4] = [Class::Record, Class::Chat, Class::Short, Class::Beacon];

/// The sync handshake's key of an epoch, P_e: whoever can read the epoch's operations can show
/// that it belongs to the group (K-4).
pub fn peer_key(control: &Secret) -> Secret {
    control.expand("peer", &[])
}

/// Every key that follows from an epoch's exported secret.
#[derive(Clone, Debug)]
pub struct EpochKeys {
    control: Secret,
    content: BTreeMap<Class, Secret>,
    envelope: Secret,
    seek: Secret,
}

impl EpochKeys {
    /// Derives all keys; the caller erases `exported` at once (K-2).
    pub fn derive(exported: &Secret) -> Self {
        Self {
            control: exported.expand("control", &[]),
            content: CONTENT.iter().map(|c| (*c, exported.expand("content", &[&[*c as u8]]))).collect(),
            envelope: exported.expand("envelope", &[]),
            seek: exported.expand("seek", &[]),
        }
    }

    /// C_e.
    pub fn control(&self) -> &Secret {
        &self.control
    }

    /// V_e, from which carriers' outer keys descend.
    pub fn envelope(&self) -> &Secret {
        &self.envelope
    }

    /// S_e, from which mailbox capabilities descend.
    pub fn seek(&self) -> &Secret {
        &self.seek
    }

    /// The key of one class.
    pub fn class(&self, class: Class) -> Option<&Secret> {
        if class == Class::Control { Some(&self.control) } else { self.content.get(&class) }
    }

    /// For the store's vault.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::with_capacity(32 * 7));
        for key in [&self.control, &self.envelope, &self.seek].into_iter().chain(self.content.values()) {
            out.extend_from_slice(key.as_bytes());
        }
        out
    }

    /// Reads what [`EpochKeys::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut keys = bytes.chunks(32).map(Secret::from_slice);
        let mut next = || keys.next().flatten();
        let (control, envelope, seek) = (next()?, next()?, next()?);
        let content = CONTENT.iter().map(|c| Some((*c, next()?))).collect::<Option<_>>()?;
        (bytes.len() == 32 * 7).then_some(Self { control, content, envelope, seek })
    }
}

/// The keys this node holds of a group: whole epochs it was in, control keys of earlier ones.
#[derive(Clone, Debug, Default)]
pub struct KeyRing {
    whole: BTreeMap<EpochId, EpochKeys>,
    control: BTreeMap<EpochId, Secret>,
}

impl KeyRing {
    /// Adds the keys of an epoch this node is or was in.
    pub fn insert(&mut self, epoch: EpochId, keys: EpochKeys) {
        self.control.insert(epoch, keys.control.clone());
        self.whole.insert(epoch, keys);
    }

    /// Adds a control key that an `opened` statement told. The key of an epoch this node was in is
    /// never replaced; a told one is, by a key-holder's word.
    pub fn learn(&mut self, epoch: EpochId, control: Secret, by_keyholder: bool) -> bool {
        let fixed = self.whole.contains_key(&epoch) || self.control.contains_key(&epoch) && !by_keyholder;
        let new = !fixed && self.control.get(&epoch) != Some(&control);
        if new {
            self.control.insert(epoch, control);
        }
        new
    }

    /// C_e of an epoch.
    pub fn control(&self, epoch: &EpochId) -> Option<&Secret> {
        self.control.get(epoch)
    }

    /// All keys of an epoch.
    pub fn whole(&self, epoch: &EpochId) -> Option<&EpochKeys> {
        self.whole.get(epoch)
    }

    /// The epochs this node is or was in.
    pub fn whole_epochs(&self) -> impl Iterator<Item = &EpochId> {
        self.whole.keys()
    }

    /// The key that opens entries of a class in an epoch.
    pub fn class_key(&self, epoch: &EpochId, class: Class) -> Option<ClassKey> {
        let key = match class {
            Class::Control => self.control.get(epoch),
            _ => self.whole.get(epoch).and_then(|keys| keys.class(class)),
        };
        key.cloned().map(ClassKey)
    }

    /// The epochs whose control key is held, by their hint.
    pub fn epochs(&self) -> impl Iterator<Item = &EpochId> {
        self.control.keys()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_keys_of_an_epoch_are_equal_and_all_survive_the_vault() {
        let keys = EpochKeys::derive(&Secret::new([1; 32]));
        let mut all: Vec<[u8; 32]> = keys.to_bytes().chunks(32).map(|c| c.try_into().unwrap()).collect();
        all.push(*peer_key(keys.control()).as_bytes());
        all.push([1; 32]);
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
        let back = EpochKeys::from_bytes(&keys.to_bytes()).unwrap();
        assert_eq!(back.to_bytes(), keys.to_bytes());
        assert!(EpochKeys::from_bytes(&keys.to_bytes()[1..]).is_none());
    }

    #[test]
    fn an_opened_statement_never_replaces_a_key() {
        let mut ring = KeyRing::default();
        let epoch = EpochId([9; 32]);
        ring.insert(epoch, EpochKeys::derive(&Secret::new([1; 32])));
        let held = ring.control(&epoch).cloned();
        assert!(!ring.learn(epoch, Secret::new([2; 32]), true));
        assert_eq!(ring.control(&epoch).cloned(), held);
    }

    #[test]
    fn a_key_holders_word_replaces_anothers_lie() {
        let mut ring = KeyRing::default();
        let (epoch, truth) = (EpochId([9; 32]), Secret::new([2; 32]));
        assert!(ring.learn(epoch, Secret::new([66; 32]), false));
        assert!(!ring.learn(epoch, Secret::new([67; 32]), false));
        assert!(ring.learn(epoch, truth.clone(), true));
        assert_eq!(ring.control(&epoch), Some(&truth));
    }

    #[test]
    fn a_learnt_control_key_opens_no_content() {
        let mut ring = KeyRing::default();
        let epoch = EpochId([9; 32]);
        assert!(ring.learn(epoch, Secret::new([2; 32]), false));
        assert!(ring.class_key(&epoch, Class::Control).is_some());
        assert!(ring.class_key(&epoch, Class::Chat).is_none());
    }
}
