//! One provider for everything MLS: RustCrypto's primitives, a storage that is a value, and
//! randomness drawn from the caller's.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use ed25519_dalek::SigningKey;
use openmls::prelude::{Capabilities, Ciphersuite, OpenMlsProvider, OpenMlsRand, SignatureScheme};
use openmls_rust_crypto::{MemoryStorage, RustCrypto};
use openmls_traits::signatures::{Signer, SignerError};
use zeroize::Zeroizing;

use super::SealError;
use crate::codec::Reader;
use crate::crypto::{self, Secret};

/// Most records of one state, and most bytes of one: far above a group of 10,000.
const MAX_RECORDS: usize = 1 << 16;
const MAX_RECORD: usize = 1 << 26;

/// The suite of a group: chosen at its creation, part of its id (G-13).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u16)]
pub enum Suite {
    /// X25519, ChaCha20-Poly1305, SHA-256, Ed25519 (RFC 9420, 0x0003).
    Classical = 0x0003,
    /// ML-KEM-768 with X25519, AES-128-GCM, SHA-256, Ed25519 (provisional, 0x004F).
    Hybrid = 0x004F,
}

impl Suite {
    /// The suite of a code point.
    pub fn from_number(number: u16) -> Option<Self> {
        [Self::Classical, Self::Hybrid].into_iter().find(|suite| *suite as u16 == number)
    }

    pub(super) fn mls(self) -> Ciphersuite {
        match self {
            Self::Classical => Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519,
            Self::Hybrid => Ciphersuite::MLS_128_MLKEM768X25519_AES128GCM_SHA256_Ed25519,
        }
    }

    /// Of the suite's HPKE public keys, in bytes (RFC 9180 §7.1; X-Wing draft 06 §5).
    pub(super) fn public_key_length(self) -> usize {
        match self {
            Self::Classical => 32,
            Self::Hybrid => 1216,
        }
    }

    pub(super) fn of(mls: Ciphersuite) -> Option<Self> {
        [Self::Classical, Self::Hybrid].into_iter().find(|suite| suite.mls() == mls)
    }

    pub(super) fn capabilities(self) -> Capabilities {
        Capabilities::builder().ciphersuites(vec![self.mls()]).build()
    }
}

/// What OpenMLS stores of one state.
pub(super) type Records = BTreeMap<Vec<u8>, Zeroizing<Vec<u8>>>;

pub(super) struct Provider {
    crypto: RustCrypto,
    rand: Rand,
    storage: MemoryStorage,
}

impl Provider {
    /// A provider over a copy of `records`, with randomness that follows from `seed`.
    pub(super) fn new(records: &Records, seed: Secret) -> Self {
        let storage = MemoryStorage::default();
        if let Ok(mut values) = storage.values.write() {
            values.extend(records.iter().map(|(key, value)| (key.clone(), value.to_vec())));
        }
        Self { crypto: RustCrypto::default(), rand: Rand { seed, drawn: AtomicU64::new(0) }, storage }
    }

    /// A provider for reading and checking, which draws no randomness of consequence.
    pub(super) fn reading(records: &Records) -> Self {
        Self::new(records, Secret::new([0; 32]))
    }

    /// What is stored now.
    pub(super) fn records(&self) -> Records {
        let values = self.storage.values.read();
        values
            .map(|v| v.iter().map(|(k, v)| (k.clone(), Zeroizing::new(v.clone()))).collect())
            .unwrap_or_default()
    }
}

impl OpenMlsProvider for Provider {
    type CryptoProvider = RustCrypto;
    type RandProvider = Rand;
    type StorageProvider = MemoryStorage;

    fn storage(&self) -> &MemoryStorage {
        &self.storage
    }

    fn crypto(&self) -> &RustCrypto {
        &self.crypto
    }

    fn rand(&self) -> &Rand {
        &self.rand
    }
}

/// Random bytes expanded from a seed of the caller's, so that simulations repeat.
pub(super) struct Rand {
    seed: Secret,
    drawn: AtomicU64,
}

impl Rand {
    fn fill(&self, out: &mut [u8]) {
        for chunk in out.chunks_mut(32) {
            let number = self.drawn.fetch_add(1, Ordering::Relaxed);
            let block = self.seed.expand("mls random", &[&number.to_be_bytes()]);
            for (byte, random) in chunk.iter_mut().zip(block.as_bytes()) {
                *byte = *random;
            }
        }
    }
}

impl OpenMlsRand for Rand {
    type Error = std::convert::Infallible;

    fn random_array<const N: usize>(&self) -> Result<[u8; N], Self::Error> {
        let mut out = [0; N];
        self.fill(&mut out);
        Ok(out)
    }

    fn random_vec(&self, len: usize) -> Result<Vec<u8>, Self::Error> {
        let mut out = vec![0; len];
        self.fill(&mut out);
        Ok(out)
    }
}

/// Signs for MLS with the device key.
pub(super) struct DeviceSigner<'a>(pub(super) &'a SigningKey);

impl Signer for DeviceSigner<'_> {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        Ok(crypto::sign(self.0, payload).to_vec())
    }

    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

/// Records as bytes: count, then length-prefixed keys and values in key order.
pub(super) fn encode(records: &Records) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::new());
    for (key, value) in records {
        for part in [key.as_slice(), value.as_slice()] {
            out.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            out.extend_from_slice(part);
        }
    }
    out
}

/// Reads what [`encode`] wrote.
pub(super) fn decode(bytes: &[u8]) -> Result<Records, SealError> {
    let mut reader = Reader::new(bytes);
    let mut records = Records::new();
    while !reader.rest().is_empty() {
        let key = part(&mut reader)?;
        let value = Zeroizing::new(part(&mut reader)?);
        records.insert(key, value);
        if records.len() > MAX_RECORDS {
            return Err(SealError::Malformed);
        }
    }
    Ok(records)
}

fn part(reader: &mut Reader<'_>) -> Result<Vec<u8>, SealError> {
    let length = reader.u32().map_err(|_| SealError::Malformed)?;
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > MAX_RECORD {
        return Err(SealError::Malformed);
    }
    reader.bytes(length).map(<[u8]>::to_vec).map_err(|_| SealError::Malformed)
}
