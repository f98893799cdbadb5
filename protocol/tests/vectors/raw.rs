//! Entries made by hand, beside the crate, so that they can be wrong in every way.

use aes_gcm_siv::aead::{AeadInOut, KeyInit};
use aes_gcm_siv::{Aes256GcmSiv, Nonce};
use ed25519_dalek::SigningKey;
use piquet_protocol::crypto::{self, Secret};
use piquet_protocol::entry::{ClassKey, Lane};
use piquet_protocol::id::{DeviceKey, EpochId, GroupId};

pub const GROUP: GroupId = GroupId([1; 32]);
pub const EPOCH: EpochId = EpochId([2; 32]);
pub const CLASS_KEY: [u8; 32] = [4; 32];

pub fn alice() -> SigningKey {
    SigningKey::from_bytes(&[3; 32])
}

pub fn bob() -> SigningKey {
    SigningKey::from_bytes(&[8; 32])
}

/// Everything of an entry that can be chosen.
#[derive(Clone)]
pub struct Raw {
    pub version: u8,
    pub lane_class: u8,
    pub seq: u32,
    pub prev: [u8; 32],
    pub acts: Vec<[u8; 32]>,
    pub talk: Vec<[u8; 32]>,
    pub plain: Vec<u8>,
    /// Another commitment than the key's.
    pub commitment: Option<[u8; 32]>,
    /// The lane and position the key is made for, if others than the header's.
    pub sealed_for: Option<(u8, u32)>,
    pub device: SigningKey,
}

impl Default for Raw {
    fn default() -> Self {
        Self {
            version: 1,
            lane_class: 0x12,
            seq: 2,
            prev: [5; 32],
            acts: Vec::new(),
            talk: Vec::new(),
            plain: padded(&[7, 7, 7], 64),
            commitment: None,
            sealed_for: None,
            device: alice(),
        }
    }
}

/// A plaintext of kind 64 with this payload, of a length of its own.
pub fn padded(payload: &[u8], size: usize) -> Vec<u8> {
    let mut out = vec![0, 64, 1, 0, 0, 0, 9, 2];
    out.extend_from_slice(&(payload.len() as u16).to_be_bytes());
    out.extend_from_slice(payload);
    out.resize(size, 0);
    out
}

impl Raw {
    /// From version to commitment, with hints.
    fn head(&self, commitment: &[u8; 32]) -> Vec<u8> {
        let mut out = vec![self.version, self.lane_class];
        out.extend_from_slice(&crypto::device_key(&self.device).hint());
        out.extend_from_slice(&EPOCH.hint());
        out.extend_from_slice(&self.seq.to_be_bytes());
        out.extend_from_slice(&self.prev);
        out.extend_from_slice(&[self.acts.len() as u8, self.talk.len() as u8]);
        self.acts.iter().chain(&self.talk).for_each(|cite| out.extend_from_slice(cite));
        out.extend_from_slice(commitment);
        out
    }

    pub fn entry_key(&self) -> Secret {
        let (lane, seq) = self.sealed_for.unwrap_or((self.lane_class >> 4, self.seq));
        let lane = Lane::from_number(lane).unwrap_or(Lane::Talk);
        ClassKey(Secret::new(CLASS_KEY)).entry_key(&crypto::device_key(&self.device), lane, seq)
    }

    /// Sealed and signed, whatever it is.
    pub fn make(&self) -> Vec<u8> {
        let (cipher_key, commitment) = self.entry_key().expand_pair("body", &[]);
        let mut out = self.head(&self.commitment.unwrap_or(commitment));
        let mut text = self.plain.clone();
        let associated = signed(&crypto::device_key(&self.device), &out);
        let tag = Aes256GcmSiv::new(&(*cipher_key.as_bytes()).into())
            .encrypt_inout_detached(&Nonce::default(), &associated, text.as_mut_slice().into())
            .unwrap();
        out.extend_from_slice(&tag);
        out.extend_from_slice(&text);
        sign(&self.device, out)
    }
}

/// The signed bytes of an entry without its signature, by hand (E-7).
pub fn signed(device: &DeviceKey, unsigned: &[u8]) -> Vec<u8> {
    let mut out = b"piquet v1 entry".to_vec();
    out.extend_from_slice(GROUP.as_bytes());
    out.extend_from_slice(device.as_bytes());
    out.extend_from_slice(EPOCH.as_bytes());
    out.extend_from_slice(&unsigned[..2]);
    out.extend_from_slice(&unsigned[18..]);
    out
}

pub fn sign(device: &SigningKey, unsigned: Vec<u8>) -> Vec<u8> {
    let signature = crypto::sign(device, &signed(&crypto::device_key(device), &unsigned));
    [unsigned, signature.to_vec()].concat()
}
