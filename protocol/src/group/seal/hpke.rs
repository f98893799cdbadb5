//! Single-shot HPKE (RFC 9180) with the suite's KEM: mail keys and sealed answers (C-9).

use openmls::prelude::OpenMlsCrypto;
use openmls_rust_crypto::RustCrypto;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::provider::Suite;
use super::{SealError, contained, trial};
use crate::codec::{Reader, put_varint};
use crate::crypto::Secret;

/// Longest sealed content taken, in bytes.
const MAX_SEALED: u64 = 64 * 1024;

/// A key pair for receiving.
#[derive(Clone)]
pub struct MailKey {
    /// What senders seal to.
    pub public: Vec<u8>,
    secret: Zeroizing<Vec<u8>>,
}

impl MailKey {
    /// A fresh key pair.
    ///
    /// # Errors
    /// [`SealError::Invalid`] if the suite isn't supported.
    pub fn generate(suite: Suite, rng: &mut (impl CryptoRng + ?Sized)) -> Result<Self, SealError> {
        let seed = Secret::random(rng);
        let pair = RustCrypto::default()
            .derive_hpke_keypair(suite.mls().hpke_config(), seed.as_bytes())
            .map_err(|_| SealError::Invalid)?;
        Ok(Self { public: pair.public, secret: Zeroizing::new(pair.private.to_vec()) })
    }

    /// For the store's vault.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::new());
        put_varint(&mut out, self.public.len() as u64);
        out.extend_from_slice(&self.public);
        out.extend_from_slice(&self.secret);
        out
    }

    /// Reads what [`MailKey::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let length = usize::try_from(reader.varint(MAX_SEALED).ok()?).ok()?;
        let public = reader.bytes(length).ok()?.to_vec();
        Some(Self { public, secret: Zeroizing::new(reader.rest().to_vec()) })
    }

    /// Opens what was sealed to this key.
    ///
    /// # Errors
    /// [`SealError::Invalid`] if it was not, or under other `info` or `associated` data.
    pub fn open(
        &self,
        suite: Suite,
        info: &[u8],
        associated: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let mut reader = Reader::new(sealed);
        let length = reader.varint(MAX_SEALED).map_err(|_| SealError::Malformed)?;
        let length = usize::try_from(length).map_err(|_| SealError::Malformed)?;
        let kem_output = reader.bytes(length).map_err(|_| SealError::Malformed)?.to_vec().into();
        let input =
            openmls::prelude::HpkeCiphertext { kem_output, ciphertext: reader.rest().to_vec().into() };
        contained(|| {
            let config = suite.mls().hpke_config();
            let opened = RustCrypto::default().hpke_open(config, &input, &self.secret, info, associated);
            opened.map(Zeroizing::new).map_err(|_| SealError::Invalid)
        })
    }
}

/// Whether a public key of somebody else's can be sealed to (G-10).
///
/// # Errors
/// [`SealError::Poisoned`] if not, or if it is of another length than the suite's.
pub fn check(suite: Suite, public: &[u8]) -> Result<(), SealError> {
    trial::key(suite, public)
}

/// Seals to a public key.
///
/// # Errors
/// [`SealError::Poisoned`] if nothing can be sealed to the key.
pub fn seal(
    suite: Suite,
    public: &[u8],
    info: &[u8],
    associated: &[u8],
    content: &[u8],
) -> Result<Vec<u8>, SealError> {
    contained(|| {
        let sealed = RustCrypto::default()
            .hpke_seal(suite.mls().hpke_config(), public, info, associated, content)
            .map_err(|_| SealError::Poisoned)?;
        let mut out = Vec::new();
        put_varint(&mut out, sealed.kem_output.as_slice().len() as u64);
        out.extend_from_slice(sealed.kem_output.as_slice());
        out.extend_from_slice(sealed.ciphertext.as_slice());
        Ok(out)
    })
}
