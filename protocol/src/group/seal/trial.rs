//! Trial seals: OpenMLS checks neither length nor order of public keys, and one key that nothing
//! can be sealed to stops every later commit (G-10).

use std::collections::BTreeSet;

use openmls::prelude::{KeyPackage, OpenMlsCrypto, PublicGroup};
use openmls_rust_crypto::RustCrypto;
use tls_codec::{DeserializeBytes, Serialize, VLBytes};

use super::provider::Suite;
use super::{SealError, contained};

/// A key that members seal to outside MLS: a device's mail key, a call's counter key.
pub(super) fn key(suite: Suite, public: &[u8]) -> Result<(), SealError> {
    contained(|| try_seal(&RustCrypto::default(), suite, public))
}

/// Init and leaf key of a key package.
pub(super) fn keys_of(package: &KeyPackage, suite: Suite) -> Result<(), SealError> {
    let crypto = RustCrypto::default();
    try_seal(&crypto, suite, package.hpke_init_key().as_slice())?;
    try_seal(&crypto, suite, &first_vector(package.leaf_node().encryption_key())?)
}

/// Every node key of a tree that was not in it before.
pub(super) fn new_keys(old: &PublicGroup, new: &PublicGroup, suite: Suite) -> Result<(), SealError> {
    let crypto = RustCrypto::default();
    let known = tree_keys(old)?;
    for key in tree_keys(new)?.difference(&known) {
        try_seal(&crypto, suite, key)?;
    }
    Ok(())
}

fn tree_keys(group: &PublicGroup) -> Result<BTreeSet<Vec<u8>>, SealError> {
    let leaves = group.members().map(|member| Ok(member.encryption_key));
    let parents = group.treesync().full_parents().map(|(_, parent)| first_vector(parent));
    leaves.chain(parents).collect()
}

/// The first field of a TLS structure, which is its encryption key (RFC 9420 §7.1, §7.2).
fn first_vector(structure: &impl Serialize) -> Result<Vec<u8>, SealError> {
    let bytes = structure.tls_serialize_detached().map_err(|_| SealError::Malformed)?;
    let (key, _) = VLBytes::tls_deserialize_bytes(&bytes).map_err(|_| SealError::Malformed)?;
    Ok(key.as_slice().to_vec())
}

fn try_seal(crypto: &RustCrypto, suite: Suite, key: &[u8]) -> Result<(), SealError> {
    if key.len() != suite.public_key_length() {
        return Err(SealError::Poisoned);
    }
    let sealed = crypto.hpke_seal(suite.mls().hpke_config(), key, b"piquet v1 trial", &[], &[]);
    sealed.map(|_| ()).map_err(|_| SealError::Poisoned)
}
