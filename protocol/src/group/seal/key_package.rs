//! Key packages: one per request, unlimited in time, used up by nothing (G-11, G-12).

use ed25519_dalek::SigningKey;
use openmls::prelude::{
    BasicCredential, CredentialWithKey, KeyPackage, KeyPackageIn, Lifetime, OpenMlsProvider, ProtocolVersion,
    SignaturePublicKey,
};
use rand_core::CryptoRng;
use tls_codec::{DeserializeBytes, Serialize};
use zeroize::Zeroizing;

use super::provider::{self, DeviceSigner, Provider, Records, Suite};
use super::{SealError, contained, trial};
use crate::crypto::{self, Secret};
use crate::id::DeviceKey;

/// Longest key package in bytes; a hybrid one has about 2,700.
pub const MAX_KEY_PACKAGE: usize = 3_500;

/// The private half of a key package, kept by a joiner until it is in. Every attempt at a Welcome
/// works on a copy: a bogus Welcome uses nothing up (G-12).
#[derive(Clone)]
pub struct JoinerSecrets(Records);

impl JoinerSecrets {
    pub(super) fn records(&self) -> &Records {
        &self.0
    }

    /// For the store's vault.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        provider::encode(&self.0)
    }

    /// Reads what [`JoinerSecrets::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`SealError::Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SealError> {
        provider::decode(bytes).map(Self)
    }
}

/// The lifetime of everything: expiry belongs to operations, not to a library's clock (G-11).
pub(super) fn unlimited() -> Lifetime {
    Lifetime::init(0, u64::MAX)
}

pub(super) fn is_unlimited(lifetime: &Lifetime) -> bool {
    lifetime.not_before() == 0 && lifetime.not_after() == u64::MAX
}

/// The credential of a device: identity = signature key = device key (G-2).
pub(super) fn credential(device: &DeviceKey) -> CredentialWithKey {
    CredentialWithKey {
        credential: BasicCredential::new(device.as_bytes().to_vec()).into(),
        signature_key: SignaturePublicKey::from(device.as_bytes().to_vec()),
    }
}

/// A fresh key package of a device.
///
/// # Errors
/// [`SealError::Invalid`] if the suite isn't supported.
pub fn key_package(
    device: &SigningKey,
    suite: Suite,
    rng: &mut (impl CryptoRng + ?Sized),
) -> Result<(Vec<u8>, JoinerSecrets), SealError> {
    let provider = Provider::new(&Records::new(), Secret::random(rng));
    let bundle = KeyPackage::builder()
        .key_package_lifetime(unlimited())
        .leaf_node_capabilities(suite.capabilities())
        .build(suite.mls(), &provider, &DeviceSigner(device), credential(&crypto::device_key(device)))
        .map_err(|_| SealError::Invalid)?;
    let bytes = bundle.key_package().tls_serialize_detached().map_err(|_| SealError::Malformed)?;
    Ok((bytes, JoinerSecrets(provider.records())))
}

/// Checks a stranger's key package before it is admitted or cited (G-10, G-11).
///
/// # Errors
/// The first rule it breaks.
pub fn check_key_package(bytes: &[u8], device: &DeviceKey, suite: Suite) -> Result<(), SealError> {
    contained(|| read(bytes, device, suite).map(|_| ()))
}

pub(super) fn read(bytes: &[u8], device: &DeviceKey, suite: Suite) -> Result<KeyPackage, SealError> {
    if bytes.len() > MAX_KEY_PACKAGE {
        return Err(SealError::Malformed);
    }
    let package = KeyPackageIn::tls_deserialize_exact_bytes(bytes).map_err(|_| SealError::Malformed)?;
    let provider = Provider::reading(&Records::new());
    let package =
        package.validate(provider.crypto(), ProtocolVersion::Mls10).map_err(|_| SealError::Invalid)?;
    if Suite::of(package.ciphersuite()) != Some(suite) || leaf_device(package.leaf_node())? != *device {
        return Err(SealError::Other);
    }
    if !is_plain(package.leaf_node(), suite) {
        return Err(SealError::Other);
    }
    if !is_unlimited(package.life_time()) {
        return Err(SealError::Lifetime);
    }
    trial::keys_of(&package, suite)?;
    Ok(package)
}

/// The device of a leaf, if credential and signature key agree (G-2).
pub(super) fn leaf_device(leaf: &openmls::prelude::LeafNode) -> Result<DeviceKey, SealError> {
    let key = DeviceKey(leaf.signature_key().as_slice().try_into().map_err(|_| SealError::Other)?);
    if leaf.credential() == &credential(&key).credential { Ok(key) } else { Err(SealError::Other) }
}

/// Whether a leaf can do what the suite asks, and carries nothing (G-2). A package that says it can do
/// less is signed and valid, and stops every commit that would add it; what a leaf carries is kept by
/// every member and sent in every Welcome.
pub(super) fn is_plain(leaf: &openmls::prelude::LeafNode, suite: Suite) -> bool {
    leaf.capabilities() == &suite.capabilities() && leaf.extensions().iter().next().is_none()
}
