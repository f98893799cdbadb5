//! Who is at the other end, shown only to those who know already (crypto paper §8; Y-2 … Y-6).
//!
//! The Noise handshake hash is out of reach, so proofs are bound to what the channel
//! authenticates: both peer ids, and a nonce of each side.

use ed25519_dalek::SigningKey;
use rand_core::CryptoRng;

use super::message::{SLOT_COUNTS, SLOT_LEN};
use crate::codec::Reader;
use crate::crypto::{self, Secret};
use crate::id::{DeviceKey, EpochId, GroupId};

const TAG_LEN: usize = 16;

/// Which side of a connection a proof speaks for: a reflected proof has the wrong one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Role {
    /// Whoever dialled.
    Initiator = 1,
    /// Whoever was dialled.
    Responder = 2,
}

/// T: what both sides' proofs are bound to (Y-2).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Transcript([u8; 32]);

impl Transcript {
    /// From both peer ids and nonces, the initiator's first.
    pub fn new(peers: [&[u8]; 2], nonces: [&[u8; 32]; 2]) -> Self {
        let length = |peer: &[u8]| u16::try_from(peer.len()).unwrap_or(u16::MAX).to_be_bytes();
        let [initiator, responder] = peers;
        let parts: [&[u8]; 6] =
            [&length(initiator), initiator, &length(responder), responder, nonces[0], nonces[1]];
        Self(crypto::hash("handshake", &parts))
    }

    /// T itself.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Keys short names of this session (Y-7).
    pub fn short_key(&self) -> Secret {
        Secret::new(self.0).expand("short", &[])
    }
}

/// Whose membership a slot shows: a group in an epoch, or an invite code.
#[derive(Clone, Debug)]
pub struct Claim {
    /// P: the epoch's peer key, or the code's.
    pub peer_key: Secret,
    /// The group, or for a code its fingerprint and zeros.
    pub group: GroupId,
    /// The epoch, or zeros.
    pub epoch: EpochId,
}

impl Claim {
    /// A member's claim.
    pub fn member(group: GroupId, epoch: EpochId, peer_key: Secret) -> Self {
        Self { peer_key, group, epoch }
    }

    /// A joiner's claim by code.
    pub fn joiner(fingerprint: &[u8; 12], peer_key: Secret) -> Self {
        let mut group = [0; 32];
        for (byte, known) in group.iter_mut().zip(fingerprint) {
            *byte = *known;
        }
        Self { peer_key, group: GroupId(group), epoch: EpochId::default() }
    }

    /// What a slot of this claim starts with.
    pub fn tag(&self, transcript: &Transcript, role: Role) -> [u8; TAG_LEN] {
        let mac = self.peer_key.mac("slot", &[&transcript.0, &[role as u8]]);
        let mut tag = [0; TAG_LEN];
        tag.copy_from_slice(mac.split_at(TAG_LEN).0);
        tag
    }

    /// Shows the claim: tag ‖ box of device key and signature. The box key is of one transcript and
    /// role, so its nonce can be constant.
    pub fn show(&self, transcript: &Transcript, role: Role, signer: &SigningKey) -> [u8; SLOT_LEN] {
        let signature = crypto::sign(signer, &self.signed(transcript, role));
        let content = [crypto::device_key(signer).as_bytes().as_slice(), &signature].concat();
        let boxed = crypto::seal_box(&self.box_key(transcript, role), &[0; 24], &[], &content);
        let mut slot = [0; SLOT_LEN];
        let bytes = self.tag(transcript, role).into_iter().chain(boxed);
        for (to, from) in slot.iter_mut().zip(bytes) {
            *to = from;
        }
        slot
    }

    /// The device that showed this claim in a slot, if its tag and signature hold.
    pub fn read(&self, transcript: &Transcript, role: Role, slot: &[u8; SLOT_LEN]) -> Option<DeviceKey> {
        let (tag, boxed) = slot.split_at_checked(TAG_LEN)?;
        if !crypto::same(tag, &self.tag(transcript, role)) {
            return None;
        }
        let content = crypto::open_box(&self.box_key(transcript, role), &[0; 24], &[], boxed)?;
        let mut reader = Reader::new(&content);
        let device = DeviceKey(reader.array().ok()?);
        let signature = reader.array().ok()?;
        crypto::verify(device.as_bytes(), &self.signed(transcript, role), &signature).then_some(device)
    }

    fn box_key(&self, transcript: &Transcript, role: Role) -> Secret {
        self.peer_key.expand("box", &[&transcript.0, &[role as u8]])
    }

    fn signed(&self, transcript: &Transcript, role: Role) -> Vec<u8> {
        crypto::labelled(
            "slot",
            &[&transcript.0, &[role as u8], self.group.as_bytes(), self.epoch.as_bytes()],
        )
    }
}

/// A slot that means nothing.
pub fn random_slot(rng: &mut (impl CryptoRng + ?Sized)) -> [u8; SLOT_LEN] {
    let mut slot = [0; SLOT_LEN];
    rng.fill_bytes(&mut slot);
    slot
}

/// Pads slots with random ones to 8, 32 or 128; beyond that the rest waits for another session.
pub fn pad(mut slots: Vec<[u8; SLOT_LEN]>, rng: &mut (impl CryptoRng + ?Sized)) -> Vec<[u8; SLOT_LEN]> {
    let most = SLOT_COUNTS.last().copied().unwrap_or(0);
    let count = SLOT_COUNTS.into_iter().find(|count| slots.len() <= *count).unwrap_or(most);
    slots.truncate(count);
    while slots.len() < count {
        slots.push(random_slot(rng));
    }
    slots
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    fn transcript(initiator: &[u8], responder: &[u8]) -> Transcript {
        Transcript::new([initiator, responder], [&[1; 32], &[2; 32]])
    }

    fn claim() -> Claim {
        Claim::member(GroupId([3; 32]), EpochId([4; 32]), Secret::new([5; 32]))
    }

    fn alice() -> SigningKey {
        SigningKey::from_bytes(&[6; 32])
    }

    #[test]
    fn a_member_is_recognised_by_whoever_shares_the_epoch() {
        let t = transcript(b"a", b"b");
        let slot = claim().show(&t, Role::Initiator, &alice());
        assert_eq!(claim().read(&t, Role::Initiator, &slot), Some(crypto::device_key(&alice())));
        let other_epoch = Claim { peer_key: Secret::new([9; 32]), ..claim() };
        assert_eq!(other_epoch.read(&t, Role::Initiator, &slot), None);
    }

    #[test]
    fn a_reflected_slot_proves_nothing() {
        let t = transcript(b"a", b"b");
        let slot = claim().show(&t, Role::Initiator, &alice());
        assert_eq!(claim().read(&t, Role::Responder, &slot), None);
    }

    #[test]
    fn a_slot_relayed_between_two_victims_or_replayed_proves_nothing() {
        let slot = claim().show(&transcript(b"a", b"mallory"), Role::Initiator, &alice());
        assert_eq!(claim().read(&transcript(b"mallory", b"b"), Role::Initiator, &slot), None);
        let later = Transcript::new([b"a", b"mallory"], [&[1; 32], &[7; 32]]);
        assert_eq!(claim().read(&later, Role::Initiator, &slot), None);
    }

    #[test]
    fn a_listener_who_knows_the_epoch_can_not_speak_for_another_device() {
        let t = transcript(b"a", b"b");
        let mut slot = claim().show(&t, Role::Initiator, &alice());
        // Mallory has P and so opens the box, puts another device in and seals it again.
        let key = claim().box_key(&t, Role::Initiator);
        let mut content = crypto::open_box(&key, &[0; 24], &[], &slot[TAG_LEN..]).unwrap().to_vec();
        content[0] ^= 1;
        slot[TAG_LEN..].copy_from_slice(&crypto::seal_box(&key, &[0; 24], &[], &content));
        assert_eq!(claim().read(&t, Role::Initiator, &slot), None);
    }

    #[test]
    fn slots_come_in_three_length_classes() {
        let mut rng = ChaCha20Rng::from_seed([1; 32]);
        for (shown, padded) in [(0, 8), (8, 8), (9, 32), (33, 128), (500, 128)] {
            let slots = pad(vec![[0; SLOT_LEN]; shown], &mut rng);
            assert_eq!(slots.len(), padded);
        }
    }
}
