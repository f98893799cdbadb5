//! A member who changes what OpenMLS encrypts or publishes on his way: everything is signed and tagged
//! as it should be, over what he chose.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ed25519_dalek::SigningKey;
use openmls::prelude::{Ciphersuite, KeyPackage, MlsGroup, OpenMlsCrypto, OpenMlsProvider, SignatureScheme};
use openmls_rust_crypto::{MemoryStorage, RustCrypto};
use openmls_traits::types::{
    AeadType, CryptoError, ExporterSecret, HashType, HpkeCiphertext, HpkeConfig, HpkeKeyPair, KemOutput,
};
use tls_codec::{SecretVLBytes, Serialize};
use zeroize::Zeroizing;

use super::super::provider::{DeviceSigner, Records};
use super::super::{EpochState, Suite, checklist, key_package};
use crate::crypto;
use crate::id::{DeviceKey, EpochId};

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

    fn records(&self) -> Records {
        let values = self.storage.values.read().unwrap();
        values.iter().map(|(key, value)| (key.clone(), Zeroizing::new(value.clone()))).collect()
    }
}

/// A key package signed by its owner, one of whose keys nothing can be sealed to: the first is the
/// init key, the second the leaf's.
pub(crate) fn poisoned(suite: Suite, owner: &SigningKey, at: usize, poison: &[u8]) -> KeyPackage {
    let provider = EvilProvider::new(Evil::poisoning(at, poison), &Records::new());
    let built = KeyPackage::builder()
        .key_package_lifetime(key_package::unlimited())
        .leaf_node_capabilities(suite.capabilities())
        .build(
            suite.mls(),
            &provider,
            &DeviceSigner(owner),
            key_package::credential(&crypto::device_key(owner)),
        );
    built.unwrap().key_package().clone()
}

impl EpochState {
    /// A commit of new keys of its maker's alone, which these devices can't open, and the state that it leads to.
    pub(crate) fn commit_without(
        &self,
        parent: &EpochId,
        device: &SigningKey,
        deaf: &BTreeSet<DeviceKey>,
    ) -> Option<(Vec<u8>, Self)> {
        let honest = EvilProvider::new(Evil::default(), &self.records);
        let mls = self.mls(&honest)?;
        let is_deaf = |member: &openmls::prelude::Member| {
            deaf.iter().any(|device| device.as_bytes() == member.signature_key.as_slice())
        };
        let keys = mls.members().filter(is_deaf).map(|member| member.encryption_key).collect();
        let provider = EvilProvider::new(Evil::deafening(keys), &self.records);
        let mut mls = self.mls(&provider)?;
        mls.set_aad(checklist::binding(parent, &BTreeSet::new()));
        let built = mls.commit_builder().force_self_update(true).load_psks(provider.storage()).ok()?;
        let built = built.build(provider.rand(), provider.crypto(), &DeviceSigner(device), |_| true).ok()?;
        let message = built.stage_commit(&provider).ok()?.into_commit().tls_serialize_detached().ok()?;
        mls.merge_pending_commit(&provider).ok()?;
        Some((message, Self { group: self.group(), records: Arc::new(provider.records()) }))
    }

    fn mls(&self, provider: &EvilProvider) -> Option<MlsGroup> {
        let id = openmls::prelude::GroupId::from_slice(self.group().as_bytes());
        MlsGroup::load(provider.storage(), &id).ok().flatten()
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
