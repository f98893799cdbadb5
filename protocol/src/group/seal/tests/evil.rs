//! A member who changes what OpenMLS encrypts or publishes on his way: everything is signed and tagged
//! as it should be, over what he chose.

use std::sync::atomic::{AtomicUsize, Ordering};

use openmls::prelude::{Ciphersuite, OpenMlsCrypto, OpenMlsProvider, SignatureScheme};
use openmls_rust_crypto::{MemoryStorage, RustCrypto};
use openmls_traits::types::{
    AeadType, CryptoError, ExporterSecret, HashType, HpkeCiphertext, HpkeConfig, HpkeKeyPair, KemOutput,
};
use tls_codec::SecretVLBytes;

use super::super::provider::Records;

/// What he does.
#[derive(Default)]
pub(super) struct Evil {
    honest: RustCrypto,
    /// Public keys whose owners get another secret than everybody else.
    deaf: Vec<Vec<u8>>,
    /// Of the key pairs he makes, this one gets this public half.
    poison: Option<(usize, Vec<u8>)>,
    made: AtomicUsize,
}

impl Evil {
    pub(super) fn deafening(deaf: Vec<Vec<u8>>) -> Self {
        Self { deaf, ..Self::default() }
    }

    pub(super) fn poisoning(number: usize, public: &[u8]) -> Self {
        Self { poison: Some((number, public.to_vec())), ..Self::default() }
    }
}

/// OpenMLS' provider over it.
pub(super) struct EvilProvider {
    crypto: Evil,
    storage: MemoryStorage,
}

impl EvilProvider {
    pub(super) fn new(crypto: Evil, records: &Records) -> Self {
        let storage = MemoryStorage::default();
        let values = records.iter().map(|(key, value)| (key.clone(), value.to_vec()));
        storage.values.write().unwrap().extend(values);
        Self { crypto, storage }
    }
}

impl OpenMlsProvider for EvilProvider {
    type CryptoProvider = Evil;
    type RandProvider = RustCrypto;
    type StorageProvider = MemoryStorage;

    fn storage(&self) -> &MemoryStorage {
        &self.storage
    }

    fn crypto(&self) -> &Evil {
        &self.crypto
    }

    fn rand(&self) -> &RustCrypto {
        &self.crypto.honest
    }
}

impl OpenMlsCrypto for Evil {
    fn hpke_seal(
        &self,
        config: HpkeConfig,
        pk_r: &[u8],
        info: &[u8],
        aad: &[u8],
        ptxt: &[u8],
    ) -> Result<HpkeCiphertext, CryptoError> {
        let mut secret = ptxt.to_vec();
        if self.deaf.iter().any(|key| key == pk_r) {
            secret.reverse();
        }
        self.honest.hpke_seal(config, pk_r, info, aad, &secret)
    }

    fn derive_hpke_keypair(&self, config: HpkeConfig, ikm: &[u8]) -> Result<HpkeKeyPair, CryptoError> {
        let mut pair = self.honest.derive_hpke_keypair(config, ikm)?;
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        if let Some((_, public)) = self.poison.as_ref().filter(|(at, _)| *at == number) {
            pair.public = public.clone();
        }
        Ok(pair)
    }

    fn supports(&self, ciphersuite: Ciphersuite) -> Result<(), CryptoError> {
        self.honest.supports(ciphersuite)
    }

    fn supported_ciphersuites(&self) -> Vec<Ciphersuite> {
        self.honest.supported_ciphersuites()
    }

    fn hkdf_extract(&self, hash: HashType, salt: &[u8], ikm: &[u8]) -> Result<SecretVLBytes, CryptoError> {
        self.honest.hkdf_extract(hash, salt, ikm)
    }

    fn hmac(&self, hash: HashType, key: &[u8], message: &[u8]) -> Result<SecretVLBytes, CryptoError> {
        self.honest.hmac(hash, key, message)
    }

    fn hkdf_expand(
        &self,
        hash: HashType,
        prk: &[u8],
        info: &[u8],
        length: usize,
    ) -> Result<SecretVLBytes, CryptoError> {
        self.honest.hkdf_expand(hash, prk, info, length)
    }

    fn hash(&self, hash: HashType, bytes: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.honest.hash(hash, bytes)
    }

    fn aead_encrypt(
        &self,
        alg: AeadType,
        key: &[u8],
        bytes: &[u8],
        nonce: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        self.honest.aead_encrypt(alg, key, bytes, nonce, aad)
    }

    fn aead_decrypt(
        &self,
        alg: AeadType,
        key: &[u8],
        bytes: &[u8],
        nonce: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        self.honest.aead_decrypt(alg, key, bytes, nonce, aad)
    }

    fn signature_key_gen(&self, alg: SignatureScheme) -> Result<(Vec<u8>, Vec<u8>), CryptoError> {
        self.honest.signature_key_gen(alg)
    }

    fn verify_signature(
        &self,
        alg: SignatureScheme,
        bytes: &[u8],
        pk: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        self.honest.verify_signature(alg, bytes, pk, signature)
    }

    fn sign(&self, alg: SignatureScheme, bytes: &[u8], key: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.honest.sign(alg, bytes, key)
    }

    fn hpke_open(
        &self,
        config: HpkeConfig,
        input: &HpkeCiphertext,
        sk_r: &[u8],
        info: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        self.honest.hpke_open(config, input, sk_r, info, aad)
    }

    fn hpke_setup_sender_and_export(
        &self,
        config: HpkeConfig,
        pk_r: &[u8],
        info: &[u8],
        context: &[u8],
        length: usize,
    ) -> Result<(KemOutput, ExporterSecret), CryptoError> {
        self.honest.hpke_setup_sender_and_export(config, pk_r, info, context, length)
    }

    fn hpke_setup_receiver_and_export(
        &self,
        config: HpkeConfig,
        enc: &[u8],
        sk_r: &[u8],
        info: &[u8],
        context: &[u8],
        length: usize,
    ) -> Result<ExporterSecret, CryptoError> {
        self.honest.hpke_setup_receiver_and_export(config, enc, sk_r, info, context, length)
    }
}
