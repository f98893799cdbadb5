//! MLS' own encodings (RFC 9420 §2.1.2, §5.1, §12.4.3), to sign and seal what an attacker could.

use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use ed25519_dalek::{Signer, SigningKey};
use hkdf::Hkdf;
use piquet_protocol::group::seal::Suite;
use piquet_protocol::group::seal::hpke;
use sha2::{Digest, Sha256};

/// A vector with its length before it.
pub(crate) fn vector(bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len() as u32;
    let head = match length {
        0..64 => vec![length as u8],
        64..0x4000 => (length as u16 | 0x4000).to_be_bytes().to_vec(),
        _ => (length | 0x8000_0000).to_be_bytes().to_vec(),
    };
    [&head, bytes].concat()
}

/// `content`, then its signature under a label (SignWithLabel).
pub(crate) fn signed(label: &str, content: &[u8], key: &SigningKey) -> Vec<u8> {
    let message = [vector(format!("MLS 1.0 {label}").as_bytes()), vector(content)].concat();
    [content, &vector(&key.sign(&message).to_bytes())].concat()
}

fn init_key(package: &[u8]) -> &[u8] {
    let length = usize::from(package[4] & 63) << 8 | usize::from(package[5]);
    if package[4] < 64 { &package[5..5 + usize::from(package[4])] } else { &package[6..6 + length] }
}

/// A Welcome whose group secrets are truly sealed to the owner of `package`.
pub(crate) fn welcome(suite: Suite, package: &[u8], secrets: &[u8], group_info: &[u8]) -> Vec<u8> {
    let input = [vector(b"MLS 1.0 KeyPackage Reference"), vector(package)].concat();
    let info = [vector(b"MLS 1.0 Welcome"), vector(group_info)].concat();
    let sealed = hpke::seal(suite, init_key(package), &info, &[], secrets).unwrap();
    // Ours: a varint, then the rest.
    let (length, head) = match sealed[0] {
        short @ 0..128 => (usize::from(short), 1),
        long => (usize::from(long & 127) | usize::from(sealed[1]) << 7, 2),
    };
    let (kem, sealed) = sealed[head..].split_at(length);
    let one = [vector(&Sha256::digest(&input)), vector(kem), vector(sealed)].concat();
    [&(suite as u16).to_be_bytes()[..], &vector(&one), &vector(group_info)].concat()
}

fn expand(secret: &[u8], label: &str, length: usize) -> Vec<u8> {
    let mut out = vec![0; length];
    let label = vector(format!("MLS 1.0 {label}").as_bytes());
    let info = [&(length as u16).to_be_bytes()[..], &label, &[0]].concat();
    Hkdf::<Sha256>::from_prk(secret).unwrap().expand(&info, &mut out).unwrap();
    out
}

/// A group info sealed as the Welcome of this joiner secret would (classical suite).
pub(crate) fn seal_group_info(joiner_secret: &[u8; 32], info: &[u8]) -> Vec<u8> {
    let (member, _) = Hkdf::<Sha256>::extract(Some(joiner_secret), &[0; 32]);
    let welcome = expand(&member, "welcome", 32);
    let (key, nonce) = (expand(&welcome, "key", 32), expand(&welcome, "nonce", 12));
    let nonce = Nonce::try_from(nonce.as_slice()).unwrap();
    ChaCha20Poly1305::new_from_slice(&key).unwrap().encrypt(&nonce, info).unwrap()
}
