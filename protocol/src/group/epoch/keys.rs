//! What one exported secret X_e becomes (K-2, K-3), and the keys a node holds (K-5).

use std::collections::{BTreeMap, BTreeSet};

use zeroize::Zeroizing;

use crate::crypto::Secret;
use crate::entry::{Class, ClassKey};
use crate::id::EpochId;
use crate::time::Timestamp;

/// Content classes, in the order their keys are stored.
const CONTENT: [Class; 4] = [Class::Record, Class::Chat, Class::Short, Class::Beacon];

/// The sync handshake's key of an epoch, P_e: whoever can read the epoch's operations can show
/// that it belongs to the group (K-4).
pub fn peer_key(control: &Secret) -> Secret {
    control.expand("peer", &[])
}

/// The keys that follow from an epoch's exported secret, as far as they are not erased (K-12).
#[derive(Clone, Debug)]
pub struct EpochKeys {
    control: Secret,
    content: BTreeMap<Class, Secret>,
    /// V and S: they go with the MLS state.
    outer: Option<(Secret, Secret)>,
    ended: Option<Timestamp>,
}

/// What stands for a key that is erased.
const ERASED: [u8; 32] = [0; 32];
/// C, V, S, the content keys, and when the epoch ended.
pub const KEYS_LEN: usize = 32 * (3 + CONTENT.len()) + 8;

impl EpochKeys {
    /// Derives all keys; the caller erases `exported` at once (K-2).
    pub fn derive(exported: &Secret) -> Self {
        Self {
            control: exported.expand("control", &[]),
            content: CONTENT.iter().map(|c| (*c, exported.expand("content", &[&[*c as u8]]))).collect(),
            outer: Some((exported.expand("envelope", &[]), exported.expand("seek", &[]))),
            ended: None,
        }
    }

    /// C_e.
    pub fn control(&self) -> &Secret {
        &self.control
    }

    /// V_e, from which carriers' outer keys descend.
    pub fn envelope(&self) -> Option<&Secret> {
        self.outer.as_ref().map(|(envelope, _)| envelope)
    }

    /// S_e, from which mailbox capabilities descend.
    pub fn seek(&self) -> Option<&Secret> {
        self.outer.as_ref().map(|(_, seek)| seek)
    }

    /// The key of one class.
    pub fn class(&self, class: Class) -> Option<&Secret> {
        if class == Class::Control { Some(&self.control) } else { self.content.get(&class) }
    }

    /// Whether the epoch's MLS state is kept: V and S go with it.
    pub fn has_state(&self) -> bool {
        self.outer.is_some()
    }

    /// Drops V and S, as the state is erased.
    pub fn drop_outer(&mut self) {
        self.outer = None;
    }

    /// Drops the key of a content class; false if it was gone.
    pub fn drop_class(&mut self, class: Class) -> bool {
        self.content.remove(&class).is_some()
    }

    /// When this node first saw that it seals under another epoch, by its own clock.
    pub fn ended(&self) -> Option<Timestamp> {
        self.ended
    }

    /// Notes when the epoch ended, or that it is the head (again).
    pub fn end(&mut self, at: Option<Timestamp>) {
        self.ended = at;
    }

    /// For the store's vault (S-14).
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::with_capacity(KEYS_LEN));
        let content = CONTENT.iter().map(|class| self.content.get(class));
        for key in [Some(&self.control), self.envelope(), self.seek()].into_iter().chain(content) {
            out.extend_from_slice(key.map_or(&ERASED, |key| key.as_bytes()));
        }
        out.extend_from_slice(&self.ended.unwrap_or_default().as_secs().to_be_bytes());
        out
    }

    /// Reads what [`EpochKeys::to_bytes`] wrote, or earlier versions did, which noted no end.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (keys, ended) = bytes.split_at_checked(KEYS_LEN - 8)?;
        let ended = if ended.is_empty() { 0 } else { u64::from_be_bytes(ended.try_into().ok()?) };
        let mut keys = keys.chunks(32).map(|key| Secret::from_slice(key).filter(|_| key != ERASED));
        let (control, envelope, seek) = (keys.next()??, keys.next()?, keys.next()?);
        let content = CONTENT.iter().zip(keys).filter_map(|(class, key)| Some((*class, key?))).collect();
        let ended = Some(Timestamp::from_secs(ended)).filter(|_| ended > 0);
        Some(Self { control, content, outer: envelope.zip(seek), ended })
    }
}

/// Most keys that are kept of one epoch.
const MAX_KEYS: usize = 64;

/// The keys this node holds of a group: whole epochs it was in, control keys of earlier ones.
#[derive(Clone, Debug, Default)]
pub struct KeyRing {
    whole: BTreeMap<EpochId, EpochKeys>,
    /// Of an epoch this node was in its own stands first. What was told may be false: all of it is kept, and each
    /// entry says by its commitment which of them opens it.
    control: BTreeMap<EpochId, Vec<Secret>>,
    /// Epochs the first of whose keys has opened something.
    proven: BTreeSet<EpochId>,
}

impl KeyRing {
    /// Adds the keys of an epoch this node is or was in.
    pub fn insert(&mut self, epoch: EpochId, keys: EpochKeys) {
        let known = self.control.entry(epoch).or_default();
        known.retain(|key| *key != keys.control);
        known.insert(0, keys.control.clone());
        self.proven.insert(epoch);
        self.whole.insert(epoch, keys);
    }

    /// Adds a control key that somebody told; before those that have opened nothing if a key-holder did.
    pub fn learn(&mut self, epoch: EpochId, control: Secret, by_keyholder: bool) -> bool {
        let known = self.control.entry(epoch).or_default();
        let new = !known.contains(&control) && known.len() < MAX_KEYS;
        if new {
            let first = by_keyholder && !self.proven.contains(&epoch);
            known.insert(if first { 0 } else { known.len() }, control);
        }
        new
    }

    /// C_e of an epoch: of several the most credible.
    pub fn control(&self, epoch: &EpochId) -> Option<&Secret> {
        self.controls(epoch).first()
    }

    /// Every key that may be C_e.
    pub fn controls(&self, epoch: &EpochId) -> &[Secret] {
        self.control.get(epoch).map_or(&[], Vec::as_slice)
    }

    /// A key has opened something: it comes first if none has before; true if that is new.
    pub fn prove(&mut self, epoch: &EpochId, control: &Secret) -> bool {
        let Some(known) = self.control.get_mut(epoch) else { return false };
        let Some(at) = known.iter().position(|key| key == control) else { return false };
        let new = self.proven.insert(*epoch);
        if new {
            known.swap(0, at);
        }
        new && at > 0
    }

    /// All keys of an epoch that are not erased.
    pub fn whole(&self, epoch: &EpochId) -> Option<&EpochKeys> {
        self.whole.get(epoch)
    }

    /// The same, to erase some of them.
    pub fn whole_mut(&mut self, epoch: &EpochId) -> Option<&mut EpochKeys> {
        self.whole.get_mut(epoch)
    }

    /// The epochs this node is or was in.
    pub fn whole_epochs(&self) -> impl Iterator<Item = &EpochId> {
        self.whole.keys()
    }

    /// The key that opens entries of a class in an epoch.
    pub fn class_key(&self, epoch: &EpochId, class: Class) -> Option<ClassKey> {
        let key = match class {
            Class::Control => self.control(epoch),
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
        let stored = keys.to_bytes();
        let mut all: Vec<[u8; 32]> = stored.chunks_exact(32).map(|c| c.try_into().unwrap()).collect();
        all.push(*peer_key(keys.control()).as_bytes());
        all.push([1; 32]);
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
        let back = EpochKeys::from_bytes(&keys.to_bytes()).unwrap();
        assert_eq!(back.to_bytes(), keys.to_bytes());
        assert!(EpochKeys::from_bytes(&keys.to_bytes()[1..]).is_none());
        let before_there_was_an_end = EpochKeys::from_bytes(&stored[..KEYS_LEN - 8]).unwrap();
        assert_eq!(before_there_was_an_end.to_bytes(), stored);
    }

    #[test]
    fn erased_keys_are_gone_and_the_others_stay() {
        let whole = EpochKeys::derive(&Secret::new([1; 32]));
        let mut keys = whole.clone();
        keys.drop_outer();
        assert!(keys.drop_class(Class::Chat) && !keys.drop_class(Class::Chat));
        keys.end(Some(Timestamp::from_secs(77)));
        let stored = keys.to_bytes();
        let back = EpochKeys::from_bytes(&stored).unwrap();
        assert!(!back.has_state() && back.envelope().is_none() && back.seek().is_none());
        assert_eq!((back.class(Class::Chat), back.ended()), (None, Some(Timestamp::from_secs(77))));
        assert_eq!(
            (back.control(), back.class(Class::Record)),
            (whole.control(), whole.class(Class::Record))
        );
        let gone = [whole.envelope(), whole.seek(), whole.class(Class::Chat)].map(Option::unwrap);
        assert!(gone.iter().all(|key| !stored.windows(32).any(|part| part == key.as_bytes())));
    }

    const EPOCH: EpochId = EpochId([9; 32]);

    fn told(ring: &mut KeyRing, n: u8, by_keyholder: bool) -> Secret {
        let key = Secret::new([n; 32]);
        ring.learn(EPOCH, key.clone(), by_keyholder);
        key
    }

    #[test]
    fn an_opened_statement_never_replaces_a_key() {
        let mut ring = KeyRing::default();
        ring.insert(EPOCH, EpochKeys::derive(&Secret::new([1; 32])));
        let held = ring.control(&EPOCH).cloned();
        let lie = told(&mut ring, 2, true);
        assert!(!ring.prove(&EPOCH, &lie));
        assert_eq!(ring.control(&EPOCH).cloned(), held);
    }

    #[test]
    fn a_key_holders_word_replaces_anothers_lie() {
        let mut ring = KeyRing::default();
        let lie = told(&mut ring, 66, false);
        told(&mut ring, 67, false);
        assert_eq!(ring.control(&EPOCH), Some(&lie));
        let truth = told(&mut ring, 2, true);
        assert_eq!(ring.control(&EPOCH), Some(&truth));
        ring.prove(&EPOCH, &truth);
        told(&mut ring, 68, true);
        assert_eq!(ring.control(&EPOCH), Some(&truth), "nobody takes away what has opened something");
        assert_eq!(ring.controls(&EPOCH).len(), 4);
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
