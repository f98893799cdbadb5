//! Sealing, opening and signing entries (E-12 … E-14): AES-256-GCM-SIV (RFC 8452) under a key of
//! its own for each entry, with a commitment to that key.
//!
//! The nonce is constant because the key is not: a rolled-back profile that seals two texts at one
//! seq reveals only whether they are equal. The commitment binds the entry to one key, so that no
//! ciphertext opens to two texts.

use aes_gcm_siv::aead::{AeadInOut, KeyInit};
use aes_gcm_siv::{Aes256GcmSiv, Nonce, Tag};
use ed25519_dalek::SigningKey;
use thiserror::Error;
use zeroize::Zeroizing;

use super::body::Body;
use super::header::{Header, Lane};
use super::{Entry, UnverifiedEntry, preamble, sha256, signed_bytes};
use crate::codec::DecodeError;
use crate::crypto::{self, Secret};
use crate::id::{DeviceKey, EntryId, EpochId, GroupId};

/// Why an authentic entry could not be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum OpenError {
    /// The commitment is to another key: this key is wrong, or the entry was made to open twice.
    #[error("sealed under another key")]
    OtherKey,
    /// The seal is broken; the author made it so.
    #[error("the seal does not hold")]
    Broken,
    /// The plaintext breaks a rule of form.
    #[error("malformed body: {0}")]
    Malformed(#[from] DecodeError),
}

/// The key of one class in one epoch, from which entry keys descend (spec epochs, K-3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassKey(pub Secret);

impl ClassKey {
    /// The key of one entry; disclosing it opens that entry alone (K-4).
    pub fn entry_key(&self, device: &DeviceKey, lane: Lane, seq: u32) -> Secret {
        let author = self.0.expand("author", &[device.as_bytes()]);
        author.expand("entry", &[&[lane as u8], &seq.to_be_bytes()])
    }
}

/// Cipher and commitment of an entry key.
fn split(entry_key: &Secret) -> (Aes256GcmSiv, [u8; 32]) {
    let (cipher_key, commitment) = entry_key.expand_pair("body", &[]);
    (Aes256GcmSiv::new(&(*cipher_key.as_bytes()).into()), commitment)
}

/// Pads, seals and signs: a new entry of one's own.
///
/// # Errors
/// A header or body that no decoder would take.
pub fn author_entry(
    group: &GroupId,
    epoch: &EpochId,
    key: &SigningKey,
    header: Header,
    class_key: &ClassKey,
    body: &Body,
) -> Result<Entry, DecodeError> {
    header.check()?;
    let device = crypto::device_key(key);
    let (cipher, commitment) = split(&class_key.entry_key(&device, header.lane, header.seq));
    let mut bytes = header.encode();
    let header_len = bytes.len();
    bytes.extend_from_slice(&commitment);
    let associated = signed_bytes(group, &device, epoch, &bytes);
    let mut text = Zeroizing::new(body.pad()?);
    let tag = cipher
        .encrypt_inout_detached(&Nonce::default(), &associated, text.as_mut_slice().into())
        .map_err(|_| DecodeError::TooLarge)?;
    bytes.extend_from_slice(&tag);
    bytes.extend_from_slice(&text);
    let signed = signed_bytes(group, &device, epoch, &bytes);
    bytes.extend_from_slice(&crypto::sign(key, &signed));
    let id = EntryId(sha256(&signed));
    Ok(Entry { id, device, epoch: *epoch, inner: UnverifiedEntry { header, header_len, bytes } })
}

impl Entry {
    /// Opens the body with its class key.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(&self, group: &GroupId, class_key: &ClassKey) -> Result<Body, OpenError> {
        self.open_disclosed(group, &class_key.entry_key(&self.device, self.header().lane, self.header().seq))
    }

    /// Whether the entry commits to this class key: no other opens it.
    pub fn is_under(&self, class_key: &ClassKey) -> bool {
        let entry_key = class_key.entry_key(&self.device, self.header().lane, self.header().seq);
        let (_, commitment) = split(&entry_key);
        self.parts().is_some_and(|parts| crypto::same(&commitment, parts.commitment))
    }

    /// Opens the body with the disclosed key of this one entry.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open_disclosed(&self, group: &GroupId, entry_key: &Secret) -> Result<Body, OpenError> {
        let parts = self.parts().ok_or(OpenError::Broken)?;
        let (cipher, commitment) = split(entry_key);
        if !crypto::same(&commitment, parts.commitment) {
            return Err(OpenError::OtherKey);
        }
        let mut associated = preamble(group, &self.device, &self.epoch);
        super::header::push_without_hints(&mut associated, parts.header);
        associated.extend_from_slice(parts.commitment);
        let tag = Tag::try_from(parts.tag).map_err(|_| OpenError::Broken)?;
        let mut text = Zeroizing::new(parts.ciphertext.to_vec());
        cipher
            .decrypt_inout_detached(&Nonce::default(), &associated, text.as_mut_slice().into(), &tag)
            .map_err(|_| OpenError::Broken)?;
        Ok(Body::unpad(&text)?)
    }
}
