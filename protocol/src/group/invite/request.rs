//! A request to join: key package and the code's signature over it, sealed to whoever knows the
//! invite act, always of one length (I-4, I-5).

use rand_core::CryptoRng;
use thiserror::Error;

use super::code::InviteKeys;
use crate::codec::Reader;
use crate::crypto::{self, Secret};
use crate::group::seal::MAX_KEY_PACKAGE;
use crate::id::{DeviceKey, GroupId};

/// Every request has this length on the wire.
pub const REQUEST_LEN: usize = 4096;

const NONCE: usize = 24;
const PLAIN: usize = REQUEST_LEN - NONCE - crypto::BOX_OVERHEAD;

/// Why a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RequestError {
    /// Not sealed with this code's request key, or not of a request's form.
    #[error("not a request for this code")]
    Malformed,
    /// The code's signature doesn't hold.
    #[error("not signed with the code")]
    Forged,
}

/// What a joiner asks with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinRequest {
    /// The device that wants in.
    pub device: DeviceKey,
    /// Its MLS key package.
    pub key_package: Vec<u8>,
    /// By the code's key over [`proof_message`]: a signature, so that every member can check a use
    /// and none can forge one.
    pub proof: [u8; 64],
}

/// What the code's key signs: fingerprint ‖ I_pk ‖ device ‖ H(key package) (I-5).
pub fn proof_message(group: &GroupId, invite: &DeviceKey, device: &DeviceKey, key_package: &[u8]) -> Vec<u8> {
    message(&group.fingerprint(), invite, device, key_package)
}

fn message(fingerprint: &[u8; 12], invite: &DeviceKey, device: &DeviceKey, key_package: &[u8]) -> Vec<u8> {
    let package = crypto::hash("key package", &[key_package]);
    crypto::labelled("join request", &[fingerprint, invite.as_bytes(), device.as_bytes(), &package])
}

impl JoinRequest {
    /// Signs a request with the code's key.
    pub fn sign(keys: &InviteKeys, fingerprint: &[u8; 12], device: DeviceKey, key_package: Vec<u8>) -> Self {
        let proof = crypto::sign(&keys.sign, &message(fingerprint, &keys.public(), &device, &key_package));
        Self { device, key_package, proof }
    }

    /// Whether the proof holds for this group and invite.
    pub fn verify(&self, group: &GroupId, invite: &DeviceKey) -> bool {
        let message = proof_message(group, invite, &self.device, &self.key_package);
        crypto::verify(invite.as_bytes(), &message, &self.proof)
    }

    /// Seals the request to the code's request key, padded to [`REQUEST_LEN`].
    pub fn seal(&self, request_key: &Secret, rng: &mut (impl CryptoRng + ?Sized)) -> Vec<u8> {
        let mut plain = Vec::with_capacity(PLAIN);
        plain.extend_from_slice(self.device.as_bytes());
        plain.extend_from_slice(&self.proof);
        plain.extend_from_slice(&(self.key_package.len() as u16).to_be_bytes());
        plain.extend_from_slice(&self.key_package);
        plain.resize(PLAIN, 0);
        let mut nonce = [0; NONCE];
        rng.fill_bytes(&mut nonce);
        let mut out = nonce.to_vec();
        out.extend_from_slice(&crypto::seal_box(request_key, &nonce, b"join request", &plain));
        out
    }

    /// Opens and checks a request from a stranger who shows the code's key.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub fn open(
        bytes: &[u8],
        request_key: &Secret,
        group: &GroupId,
        invite: &DeviceKey,
    ) -> Result<Self, RequestError> {
        let request = Self::unseal(bytes, request_key).ok_or(RequestError::Malformed)?;
        if request.verify(group, invite) { Ok(request) } else { Err(RequestError::Forged) }
    }

    fn unseal(bytes: &[u8], request_key: &Secret) -> Option<Self> {
        if bytes.len() != REQUEST_LEN {
            return None;
        }
        let (nonce, boxed) = bytes.split_first_chunk::<NONCE>()?;
        let plain = crypto::open_box(request_key, nonce, b"join request", boxed)?;
        let mut reader = Reader::new(&plain);
        let device = DeviceKey(reader.array().ok()?);
        let proof = reader.array().ok()?;
        let length = usize::from(reader.u16().ok()?);
        if length > MAX_KEY_PACKAGE {
            return None;
        }
        let key_package = reader.bytes(length).ok()?.to_vec();
        if reader.rest().iter().any(|byte| *byte != 0) {
            return None;
        }
        Some(Self { device, key_package, proof })
    }
}

#[cfg(test)]
mod tests {
    use super::super::InviteCode;
    use super::*;
    use crate::time::Timestamp;
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    const GROUP: GroupId = GroupId([7; 32]);

    fn setting() -> (InviteKeys, JoinRequest, Vec<u8>) {
        let mut rng = ChaCha20Rng::from_seed([1; 32]);
        let code = InviteCode::generate(
            &GROUP,
            crate::group::seal::Suite::Classical,
            Timestamp::from_secs(2_000_000_000),
            vec![],
            &mut rng,
        );
        let keys = code.keys();
        let request = JoinRequest::sign(&keys, &code.fingerprint, DeviceKey([3; 32]), vec![5; 300]);
        let sealed = request.seal(&keys.request, &mut rng);
        (keys, request, sealed)
    }

    #[test]
    fn a_request_opens_for_the_door_opener_and_has_one_length() {
        let (keys, request, sealed) = setting();
        assert_eq!(sealed.len(), REQUEST_LEN);
        assert_eq!(JoinRequest::open(&sealed, &keys.request, &GROUP, &keys.public()), Ok(request));
    }

    #[test]
    fn a_member_who_knows_the_invite_act_can_not_forge_a_use() {
        let (keys, request, _) = setting();
        let mut rng = ChaCha20Rng::from_seed([2; 32]);
        // The act shows I_pk and the request key, but not i_sk.
        let forged =
            JoinRequest { device: DeviceKey([9; 32]), ..request.clone() }.seal(&keys.request, &mut rng);
        assert_eq!(
            JoinRequest::open(&forged, &keys.request, &GROUP, &keys.public()),
            Err(RequestError::Forged)
        );
        let swapped = JoinRequest { key_package: vec![6; 300], ..request }.seal(&keys.request, &mut rng);
        assert_eq!(
            JoinRequest::open(&swapped, &keys.request, &GROUP, &keys.public()),
            Err(RequestError::Forged)
        );
    }

    #[test]
    fn a_request_is_good_for_one_group_and_one_code() {
        let (keys, request, sealed) = setting();
        assert!(!request.verify(&GroupId([8; 32]), &keys.public()));
        assert!(!request.verify(&GROUP, &DeviceKey([1; 32])));
        let refused = JoinRequest::open(&sealed, &Secret::new([0; 32]), &GROUP, &keys.public());
        assert_eq!(refused, Err(RequestError::Malformed));
    }

    #[test]
    fn a_request_has_one_padding() {
        let (keys, request, sealed) = setting();
        let (nonce, boxed) = sealed.split_first_chunk::<NONCE>().unwrap();
        let plain = crypto::open_box(&keys.request, nonce, b"join request", boxed).unwrap();
        for at in [32 + 64 + 2 + request.key_package.len(), plain.len() - 1] {
            let mut dirty = plain.to_vec();
            dirty[at] = 1;
            let boxed = crypto::seal_box(&keys.request, nonce, b"join request", &dirty);
            let refused =
                JoinRequest::open(&[&nonce[..], &boxed].concat(), &keys.request, &GROUP, &keys.public());
            assert_eq!(refused, Err(RequestError::Malformed));
        }
    }

    #[test]
    fn cut_and_flipped_requests_are_refused() {
        let (keys, _, sealed) = setting();
        assert!(JoinRequest::open(&sealed[1..], &keys.request, &GROUP, &keys.public()).is_err());
        for at in (0..sealed.len()).step_by(97) {
            let mut flipped = sealed.clone();
            flipped[at] ^= 1;
            assert!(JoinRequest::open(&flipped, &keys.request, &GROUP, &keys.public()).is_err());
        }
    }
}
