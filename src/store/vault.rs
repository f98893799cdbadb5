//! What the vault holds (S-17): every key that opens something in the journal, and the smallest secrets.

use std::collections::BTreeMap;
use std::io;

use zeroize::Zeroizing;

use super::bytes::Reader;
use super::memory::{SecretKey, lock};
use super::seal::random_key;

/// Secrets up to this many bytes lie in the vault itself, larger ones in the journal under their own key.
pub(super) const INLINE: usize = 64;
/// The vault is read whole: no larger one is accepted.
pub(super) const MAX_VAULT: u64 = 64 << 20;

/// Random name of one version of a secret.
pub(super) type SecretId = [u8; 16];

/// Where the profile's own history and the machine's memory of it stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Continuity {
    /// This machine's own last state.
    Same = 0,
    /// Last used on another machine, or cloned.
    Copied = 1,
    /// An older state of this machine's profile, restored from a copy.
    RolledBack = 2,
}

/// What opens one journal segment.
#[derive(Clone)]
pub(super) struct Segment {
    pub(super) key: SecretKey,
    pub(super) class: u8,
    /// Number of the first batch that could be in it.
    pub(super) first_batch: u64,
    /// Frames from here on never happened: writing them failed and they could not be cut off.
    pub(super) end: Option<u64>,
}

/// A secret, or the key of one in the journal.
#[derive(Clone)]
pub(super) enum Kept {
    Inline(Zeroizing<Vec<u8>>),
    Key(SecretKey),
}

/// Contents of the vault.
#[derive(Clone)]
pub(super) struct Vault {
    /// Rises with each version written.
    pub(super) generation: u64,
    /// How often the profile was opened.
    pub(super) opening: u64,
    /// Last machine, as [`super::machine::Machine::tag`].
    pub(super) machine: [u8; 32],
    /// What an opening found, until it is settled.
    pub(super) continuity: Continuity,
    pub(super) index_key: SecretKey,
    pub(super) segments: BTreeMap<u32, Segment>,
    pub(super) secrets: BTreeMap<SecretId, Kept>,
}

impl Vault {
    /// That of a new profile.
    pub(super) fn new(machine: [u8; 32]) -> io::Result<Self> {
        Ok(Self {
            generation: 1,
            opening: 0,
            machine,
            continuity: Continuity::Same,
            index_key: random_key()?,
            segments: BTreeMap::new(),
            secrets: BTreeMap::new(),
        })
    }

    /// The vault's bytes, padded so that its size tells little of what is in it.
    pub(super) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let size = 128 + self.segments.len() * 53 + self.secrets.len() * (21 + INLINE);
        // Reserved at once: a growing vector would leave copies of keys behind.
        let mut out = Zeroizing::new(Vec::with_capacity(size.next_multiple_of(4096)));
        out.extend(self.generation.to_be_bytes());
        out.extend(self.opening.to_be_bytes());
        out.extend(self.machine);
        out.push(self.continuity as u8);
        out.extend(self.index_key.iter());
        out.extend((self.segments.len() as u32).to_be_bytes());
        for (number, segment) in &self.segments {
            out.extend(number.to_be_bytes());
            out.extend(segment.key.iter());
            out.push(segment.class);
            out.extend(segment.first_batch.to_be_bytes());
            out.extend(segment.end.unwrap_or(u64::MAX).to_be_bytes());
        }
        out.extend((self.secrets.len() as u32).to_be_bytes());
        for (id, kept) in &self.secrets {
            let (kind, bytes) = kept.parts();
            out.extend(id);
            out.push(kind);
            out.push(bytes.len() as u8);
            out.extend(bytes);
        }
        let padded = out.len().next_multiple_of(4096);
        out.resize(padded, 0);
        out
    }

    /// Reads what [`Vault::encode`] wrote.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        Some(Self {
            generation: reader.u64()?,
            opening: reader.u64()?,
            machine: reader.array()?,
            continuity: Continuity::from_byte(reader.u8()?)?,
            index_key: SecretKey::from_slice(reader.take(32)?)?,
            segments: decode_segments(&mut reader)?,
            secrets: decode_secrets(&mut reader)?,
        })
    }
}

impl Continuity {
    fn from_byte(byte: u8) -> Option<Self> {
        [Self::Same, Self::Copied, Self::RolledBack].into_iter().find(|known| *known as u8 == byte)
    }
}

impl Kept {
    pub(super) fn inline(secret: &[u8]) -> Self {
        let secret = Zeroizing::new(secret.to_vec());
        lock(&secret);
        Self::Inline(secret)
    }

    fn parts(&self) -> (u8, &[u8]) {
        match self {
            Self::Inline(value) => (0, value),
            Self::Key(key) => (1, &key[..]),
        }
    }

    fn from_parts(kind: u8, bytes: &[u8]) -> Option<Self> {
        match kind {
            0 if bytes.len() <= INLINE => Some(Self::inline(bytes)),
            1 => SecretKey::from_slice(bytes).map(Self::Key),
            _ => None,
        }
    }
}

fn decode_segments(reader: &mut Reader<'_>) -> Option<BTreeMap<u32, Segment>> {
    let count = reader.u32()?;
    (0..count).map(|_| Some((reader.u32()?, decode_segment(reader)?))).collect()
}

fn decode_segment(reader: &mut Reader<'_>) -> Option<Segment> {
    Some(Segment {
        key: SecretKey::from_slice(reader.take(32)?)?,
        class: reader.u8()?,
        first_batch: reader.u64()?,
        end: Some(reader.u64()?).filter(|end| *end != u64::MAX),
    })
}

fn decode_secrets(reader: &mut Reader<'_>) -> Option<BTreeMap<SecretId, Kept>> {
    let count = reader.u32()?;
    (0..count).map(|_| decode_secret(reader)).collect()
}

fn decode_secret(reader: &mut Reader<'_>) -> Option<(SecretId, Kept)> {
    let id = reader.array()?;
    let kind = reader.u8()?;
    let len = usize::from(reader.u8()?);
    Some((id, Kept::from_parts(kind, reader.take(len)?)?))
}
