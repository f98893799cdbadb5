//! The store's one way to seal: XChaCha20-Poly1305 under a random 24-byte nonce, written in front.

use std::io;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use hmac::Hmac;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::memory::SecretKey;

pub(super) const NONCE: usize = 24;
const TAG: usize = 16;
/// What sealing adds to a plaintext.
pub(super) const OVERHEAD: usize = NONCE + TAG;

/// Fresh bytes from the operating system.
pub(super) fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes)
}

/// A fresh key.
pub(super) fn random_key() -> io::Result<SecretKey> {
    let mut key = SecretKey::zeroed();
    getrandom::fill(key.fill()).map_err(io::Error::other)?;
    Ok(key)
}

/// `HKDF-Expand(key, label)`.
pub(super) fn expand(key: &[u8; 32], label: &[u8]) -> io::Result<SecretKey> {
    let mut out = SecretKey::zeroed();
    let hkdf = Hkdf::<Sha256>::from_prk(key).map_err(io::Error::other)?;
    hkdf.expand(label, out.fill()).map_err(io::Error::other)?;
    Ok(out)
}

/// HMAC-SHA256, ready for many messages.
pub(super) fn mac(key: &[u8; 32]) -> Hmac<Sha256> {
    // A shorter key is padded with zeros by definition (RFC 2104).
    let mut block = Zeroizing::new([0; 64]);
    block[..32].copy_from_slice(key);
    Hmac::new((&*block).into())
}

/// A cipher ready for many messages.
pub(super) fn cipher(key: &[u8; 32]) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.into())
}

/// Nonce and ciphertext.
pub(super) fn seal(key: &[u8; 32], ad: &[u8], plain: &[u8]) -> io::Result<Vec<u8>> {
    seal_with(&cipher(key), ad, plain)
}

/// The same with a ready cipher.
pub(super) fn seal_with(cipher: &XChaCha20Poly1305, ad: &[u8], plain: &[u8]) -> io::Result<Vec<u8>> {
    let nonce = random::<NONCE>()?;
    let payload = Payload { msg: plain, aad: ad };
    let sealed = cipher.encrypt(&XNonce::from(nonce), payload).map_err(io::Error::other)?;
    Ok([&nonce[..], &sealed].concat())
}

/// The plaintext, if nonce and ciphertext are genuine under this key and associated data.
pub(super) fn open(key: &[u8; 32], ad: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    open_with(&cipher(key), ad, sealed)
}

/// The same with a ready cipher.
pub(super) fn open_with(cipher: &XChaCha20Poly1305, ad: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, body) = sealed.split_first_chunk::<NONCE>()?;
    let payload = Payload { msg: body, aad: ad };
    cipher.decrypt(&XNonce::from(*nonce), payload).ok().map(Zeroizing::new)
}
