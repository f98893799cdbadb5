//! The few primitives of piquet, with their labels (spec terms, C-1 … C-7).
//!
//! One hash (SHA-256), one signature (Ed25519, strict), one KDF (HKDF), one AEAD for everything
//! but entry bodies (XChaCha20-Poly1305). Every use carries its own label, so that bytes made for
//! one purpose mean nothing for another.

use std::fmt;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::id::DeviceKey;

/// Starts every label of this version of the protocol (C-1).
const PREFIX: &[u8] = b"piquet v1 ";

/// Length of an Ed25519 signature.
pub const SIGNATURE_LEN: usize = 64;

/// Bytes an XChaCha20-Poly1305 box is longer than its content.
pub const BOX_OVERHEAD: usize = 16;

/// A symmetric key: wiped when dropped, compared in constant time, never printed (C-10).
#[derive(Clone)]
pub struct Secret(Zeroizing<[u8; 32]>);

impl Secret {
    /// Takes key bytes over.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// A fresh random key.
    pub fn random(rng: &mut (impl rand_core::CryptoRng + ?Sized)) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        rng.fill_bytes(bytes.as_mut_slice());
        Self(bytes)
    }

    /// Reads a key of exactly 32 bytes.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self::new)
    }

    /// The key bytes, for a primitive or the store's vault.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// `E(self, label, arguments…)`, one key long (C-3).
    #[must_use]
    pub fn expand(&self, label: &str, arguments: &[&[u8]]) -> Self {
        let mut out = Zeroizing::new([0; 32]);
        self.expand_into(label, arguments, out.as_mut_slice());
        Self(out)
    }

    /// `E(self, label, arguments…)`, two keys long (C-3).
    pub fn expand_pair(&self, label: &str, arguments: &[&[u8]]) -> (Self, [u8; 32]) {
        let mut out = Zeroizing::new([0; 64]);
        self.expand_into(label, arguments, out.as_mut_slice());
        let (key, rest) = out.split_at(32);
        let mut first = [0; 32];
        first.copy_from_slice(key);
        let mut second = [0; 32];
        second.copy_from_slice(rest);
        (Self::new(first), second)
    }

    /// HKDF-Expand-SHA-256 (RFC 5869 §2.3) with info = prefix ‖ label ‖ length-prefixed arguments.
    fn expand_into(&self, label: &str, arguments: &[&[u8]], out: &mut [u8]) {
        let lengths: Vec<[u8; 4]> =
            arguments.iter().map(|a| u32::try_from(a.len()).unwrap_or(u32::MAX).to_be_bytes()).collect();
        let mut info: Vec<&[u8]> = vec![PREFIX, label.as_bytes()];
        for (length, argument) in lengths.iter().zip(arguments) {
            info.push(length);
            info.push(argument);
        }
        // Fails only for a short key or an output over 8,160 bytes: neither can be here.
        let expanded = Hkdf::<Sha256>::from_prk(self.as_bytes()).map(|h| h.expand_multi_info(&info, out));
        debug_assert!(matches!(expanded, Ok(Ok(()))));
    }

    /// HMAC-SHA-256 of the concatenated `parts`, under a label (C-4).
    pub fn mac(&self, label: &str, parts: &[&[u8]]) -> [u8; 32] {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.as_bytes()) else {
            return [0; 32];
        };
        mac.update(PREFIX);
        mac.update(label.as_bytes());
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes().ct_eq(other.as_bytes()).into()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// HKDF-Extract-SHA-256 (RFC 5869 §2.2) with the label as salt (C-3).
pub fn extract(label: &str, input: &[u8]) -> Secret {
    let salt = [PREFIX, label.as_bytes()].concat();
    let (prk, _) = Hkdf::<Sha256>::extract(Some(&salt), input);
    Secret::new(prk.into())
}

/// SHA-256 of label ‖ parts (C-2). Callers keep the parts' lengths fixed or told by earlier ones.
pub fn hash(label: &str, parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(PREFIX);
    hasher.update(label.as_bytes());
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// `label ‖ parts` as one buffer, for signatures and associated data.
pub fn labelled(label: &str, parts: &[&[u8]]) -> Vec<u8> {
    let mut out = [PREFIX, label.as_bytes()].concat();
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

/// The device key that belongs to a signing key.
pub fn device_key(key: &SigningKey) -> DeviceKey {
    DeviceKey(key.verifying_key().to_bytes())
}

/// Signs bytes that already start with a label (C-5).
pub fn sign(key: &SigningKey, labelled: &[u8]) -> [u8; SIGNATURE_LEN] {
    key.sign(labelled).to_bytes()
}

/// Strict Ed25519 verification: small-order keys and malleable signatures fail (C-5).
pub fn verify(key: &[u8; 32], labelled: &[u8], signature: &[u8; SIGNATURE_LEN]) -> bool {
    VerifyingKey::from_bytes(key)
        .is_ok_and(|key| key.verify_strict(labelled, &Signature::from_bytes(signature)).is_ok())
}

/// Constant-time equality of byte strings; lengths are public.
pub fn same(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

/// XChaCha20-Poly1305 (C-6). The nonce must be random or derived from the content.
pub fn seal_box(key: &Secret, nonce: &[u8; 24], associated: &[u8], content: &[u8]) -> Vec<u8> {
    let payload = Payload { msg: content, aad: associated };
    XChaCha20Poly1305::new(&(*key.as_bytes()).into())
        .encrypt(&XNonce::from(*nonce), payload)
        // Fails only past 256 GiB.
        .unwrap_or_default()
}

/// Opens what [`seal_box`] made, or `None`.
pub fn open_box(
    key: &Secret,
    nonce: &[u8; 24],
    associated: &[u8],
    boxed: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let payload = Payload { msg: boxed, aad: associated };
    XChaCha20Poly1305::new(&(*key.as_bytes()).into())
        .decrypt(&XNonce::from(*nonce), payload)
        .ok()
        .map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_argument_borders_separate_keys() {
        let key = Secret::new([7; 32]);
        assert_ne!(key.expand("a", &[b"bc"]), key.expand("ab", &[b"c"]));
        assert_ne!(key.expand("a", &[b"b", b"c"]), key.expand("a", &[b"bc"]));
        assert_eq!(key.expand("a", &[b"b"]), key.expand("a", &[b"b"]));
    }

    #[test]
    fn a_small_order_key_verifies_nothing() {
        // The neutral point: R = 0, S = 0 verifies loosely for any message.
        let mut neutral = [0; 32];
        neutral[0] = 1;
        let mut signature = [0; 64];
        signature[0] = 1;
        assert!(!verify(&neutral, b"piquet v1 anything", &signature));
    }

    /// All points of small order, and their second encodings.
    const SMALL: [&str; 14] = [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    ];

    #[test]
    fn no_small_order_key_signs_anything_though_the_equation_holds() {
        use ed25519_dalek::Verifier;
        let points = SMALL.map(|point| crate::id::from_hex(point).unwrap());
        let mut loosely = 0;
        for key in &points {
            for (r, text) in points.iter().flat_map(|r| (0..16u8).map(move |text| (r, [text]))) {
                let mut signature = [0; 64];
                signature[..32].copy_from_slice(r);
                loosely += u32::from(
                    VerifyingKey::from_bytes(key)
                        .is_ok_and(|loose| loose.verify(&text, &Signature::from_bytes(&signature)).is_ok()),
                );
                assert!(!verify(key, &text, &signature));
            }
        }
        assert!(loosely > 100, "else this shows nothing: {loosely}");
    }

    #[test]
    fn a_signature_has_one_form_and_is_judged_alone() {
        use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT as BASE, EIGHT_TORSION};
        use curve25519_dalek::scalar::Scalar;
        use sha2::Sha512;
        let (secret, nonce) = (Scalar::from(12_345u32), Scalar::from(67_890u32));
        let key = (BASE * secret).compress().to_bytes();
        let sign = |torsion: usize| {
            let r = (BASE * nonce + EIGHT_TORSION[torsion]).compress().to_bytes();
            let hash = Sha512::new().chain_update(r).chain_update(key).chain_update(b"text").finalize();
            let s = nonce + Scalar::from_bytes_mod_order_wide(&hash.into()) * secret;
            [r, s.to_bytes()].concat()
        };
        let signed: [u8; 64] = sign(0).try_into().unwrap();
        assert!(verify(&key, b"text", &signed));
        // With a point of small order added to R, batches that multiply by eight take it.
        for torsion in 1..8 {
            assert!(!verify(&key, b"text", &sign(torsion).try_into().unwrap()), "torsion {torsion}");
        }
        // S plus the group's order is the same number, and another signature.
        let order = crate::id::from_hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
        let mut second = signed;
        let mut carry = 0u16;
        for (byte, add) in second[32..].iter_mut().zip(order.unwrap()) {
            carry += u16::from(*byte) + u16::from(add);
            *byte = carry as u8;
            carry >>= 8;
        }
        assert!(!verify(&key, b"text", &second));
    }

    #[test]
    fn a_box_opens_only_as_it_was_made() {
        let key = Secret::new([1; 32]);
        let boxed = seal_box(&key, &[2; 24], b"ad", b"content");
        assert_eq!(
            open_box(&key, &[2; 24], b"ad", &boxed).as_deref().map(Vec::as_slice),
            Some(&b"content"[..])
        );
        assert!(open_box(&key, &[2; 24], b"AD", &boxed).is_none());
        assert!(open_box(&key, &[3; 24], b"ad", &boxed).is_none());
        assert!(open_box(&Secret::new([4; 32]), &[2; 24], b"ad", &boxed).is_none());
    }
}
