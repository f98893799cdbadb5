//! Entries: what members sign, seal and pass on (spec entry, E-1 … E-14).
//!
//! Bytes become trusted in stages, one type each: bytes → [`UnverifiedEntry`] (well-formed) →
//! [`Entry`] (signed by a known device under a known epoch) → [`Body`] (opened with a key). Only
//! the right names can verify an entry: the header carries hints, the signature covers the group,
//! device and epoch in full.

mod body;
mod header;
mod sealing;

pub use body::{Body, Language, MAX_PAYLOAD};
pub use header::{Class, Header, Lane, MAX_ACT_CITES, MAX_ENTRY, MAX_TALK_CITES, VERSION};
pub use sealing::{ClassKey, OpenError, author_entry};

use std::fmt;

use crate::codec::{DecodeError, Reader};
use crate::crypto::{self, SIGNATURE_LEN};
use crate::id::{DeviceKey, EntryId, EpochId, GroupId};

/// Length of the commitment to the entry key.
const COMMITMENT_LEN: usize = 32;
/// Length of the AEAD tag.
const TAG_LEN: usize = 16;

/// A well-formed entry whose author nobody has checked yet.
#[derive(Clone, PartialEq, Eq)]
pub struct UnverifiedEntry {
    header: Header,
    /// Where the signed part of `bytes` that follows the hints begins and the header ends.
    header_len: usize,
    bytes: Vec<u8>,
}

impl UnverifiedEntry {
    /// Reads one canonical entry (E-1 … E-6): size first, then shape.
    ///
    /// # Errors
    /// The rule of shape that is broken.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > MAX_ENTRY {
            return Err(DecodeError::TooLarge);
        }
        let mut reader = Reader::new(bytes);
        let header = Header::decode(&mut reader)?;
        let header_len = bytes.len().saturating_sub(reader.rest().len());
        reader.bytes(COMMITMENT_LEN + TAG_LEN)?;
        let sealed = reader.rest().len().checked_sub(SIGNATURE_LEN).ok_or(DecodeError::Truncated)?;
        if !body::is_bucket(sealed) {
            return Err(DecodeError::NotCanonical);
        }
        Ok(Self { header, header_len, bytes: bytes.to_vec() })
    }

    /// What the entry says outside its seal.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The canonical bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether the hints fit these names; only then [`UnverifiedEntry::verify`] can succeed.
    pub fn matches(&self, device: &DeviceKey, epoch: &EpochId) -> bool {
        self.header.author_hint == device.hint() && self.header.epoch_hint == epoch.hint()
    }

    /// The id this entry has if these are its names; costs a hash and proves nothing.
    pub fn id(&self, group: &GroupId, device: &DeviceKey, epoch: &EpochId) -> Option<EntryId> {
        let (body, _) = self.bytes.split_last_chunk::<SIGNATURE_LEN>()?;
        Some(EntryId(sha256(&signed_bytes(group, device, epoch, body))))
    }

    /// Checks the signature under the full names (E-7): `None` if this was not signed by `device`
    /// in `group` under `epoch`. On a collision of hints, try each candidate.
    pub fn verify(&self, group: &GroupId, device: &DeviceKey, epoch: &EpochId) -> Option<Entry> {
        if !self.matches(device, epoch) {
            return None;
        }
        let (body, signature) = self.bytes.split_last_chunk::<SIGNATURE_LEN>()?;
        let signed = signed_bytes(group, device, epoch, body);
        crypto::verify(device.as_bytes(), &signed, signature).then(|| Entry {
            id: EntryId(sha256(&signed)),
            device: *device,
            epoch: *epoch,
            inner: self.clone(),
        })
    }

    /// Takes an entry back from this node's own store, where it lay under authentication: its
    /// signature was checked when it came in.
    pub fn trust_stored(self, id: EntryId, device: DeviceKey, epoch: EpochId) -> Entry {
        Entry { id, device, epoch, inner: self }
    }
}

impl fmt::Debug for UnverifiedEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UnverifiedEntry({:?} {} B)", self.header.lane, self.bytes.len())
    }
}

/// An entry whose author is certain.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    id: EntryId,
    device: DeviceKey,
    epoch: EpochId,
    inner: UnverifiedEntry,
}

impl Entry {
    /// SHA-256 of the signed bytes (E-8).
    pub fn id(&self) -> EntryId {
        self.id
    }

    /// The author.
    pub fn device(&self) -> DeviceKey {
        self.device
    }

    /// The epoch whose keys seal the body.
    pub fn epoch(&self) -> EpochId {
        self.epoch
    }

    /// What the entry says outside its seal.
    pub fn header(&self) -> &Header {
        &self.inner.header
    }

    /// The canonical bytes, the same on every carrier.
    pub fn bytes(&self) -> &[u8] {
        &self.inner.bytes
    }

    fn parts(&self) -> Option<Parts<'_>> {
        Parts::split(&self.inner.bytes, self.inner.header_len)
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Entry({:?} {:?} {:?} seq {})", self.id, self.device, self.header().lane, self.header().seq)
    }
}

/// The borders inside an entry's bytes.
struct Parts<'a> {
    /// Version to cites.
    header: &'a [u8],
    commitment: &'a [u8],
    tag: &'a [u8],
    ciphertext: &'a [u8],
}

impl<'a> Parts<'a> {
    fn split(bytes: &'a [u8], header_len: usize) -> Option<Self> {
        let (header, rest) = bytes.split_at_checked(header_len)?;
        let (commitment, rest) = rest.split_at_checked(COMMITMENT_LEN)?;
        let (tag, rest) = rest.split_at_checked(TAG_LEN)?;
        let (ciphertext, _) = rest.split_at_checked(rest.len().checked_sub(SIGNATURE_LEN)?)?;
        Some(Self { header, commitment, tag, ciphertext })
    }
}

/// The label and full names that every entry's signature and associated data start with.
fn preamble(group: &GroupId, device: &DeviceKey, epoch: &EpochId) -> Vec<u8> {
    crypto::labelled("entry", &[group.as_bytes(), device.as_bytes(), epoch.as_bytes()])
}

/// `unsigned` is everything of the entry before the signature; its hints are not signed (E-7).
fn signed_bytes(group: &GroupId, device: &DeviceKey, epoch: &EpochId, unsigned: &[u8]) -> Vec<u8> {
    let mut out = preamble(group, device, epoch);
    header::push_without_hints(&mut out, unsigned);
    out
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    use sha2::Digest;
    sha2::Sha256::digest(bytes).into()
}

#[cfg(test)]
mod tests;
