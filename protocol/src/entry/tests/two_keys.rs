//! A ciphertext made to open to two texts under two keys: why entries commit to their key.
//!
//! AES-GCM-SIV (RFC 8452) does not commit. Whoever chooses both keys can choose a tag, and solve two
//! linear equations over GF(2^128) for two blocks of ciphertext, so that both keys authenticate it.

use aes_gcm_siv::aead::{AeadInOut, KeyInit};
use aes_gcm_siv::aes::Aes256;
use aes_gcm_siv::aes::cipher::{Block, BlockCipherDecrypt, BlockCipherEncrypt};
use aes_gcm_siv::{Aes256GcmSiv, Nonce, Tag};

use super::*;

/// x^128 modulo POLYVAL's polynomial x^128 + x^127 + x^126 + x^121 + 1.
const REDUCED: u128 = 1 << 127 | 1 << 126 | 1 << 121 | 1;
const BLOCKS: usize = 4;

fn times(mut a: u128, b: u128) -> u128 {
    let mut product = 0;
    for bit in 0..128 {
        if b >> bit & 1 == 1 {
            product ^= a;
        }
        a = a << 1 ^ if a >> 127 == 1 { REDUCED } else { 0 };
    }
    product
}

fn power(base: u128, exponent: u128) -> u128 {
    (0..128).rev().fold(1, |sum, bit| {
        let square = times(sum, sum);
        if exponent >> bit & 1 == 1 { times(square, base) } else { square }
    })
}

fn inverse(a: u128) -> u128 {
    power(a, u128::MAX - 1)
}

/// The keys that AES-GCM-SIV derives from a key and the nonce zero (RFC 8452 §4).
struct Derived {
    cipher: Aes256,
    /// The authentication key times x^-128, by which each block is multiplied.
    factor: u128,
}

impl Derived {
    fn of(key: &[u8; 32]) -> Self {
        let generator = Aes256::new(&(*key).into());
        let half = |number: u8| {
            let mut block: Block<Aes256> = [0; 16].into();
            block[0] = number;
            generator.encrypt_block(&mut block);
            block[..8].to_vec()
        };
        let auth: [u8; 16] = [half(0), half(1)].concat().try_into().unwrap();
        let enc: [u8; 32] = [half(2), half(3), half(4), half(5)].concat().try_into().unwrap();
        let factor = times(u128::from_le_bytes(auth), inverse(REDUCED));
        Self { cipher: Aes256::new(&enc.into()), factor }
    }

    fn key_stream(&self, tag: u128, number: usize) -> u128 {
        let mut block: Block<Aes256> = (tag | 1 << 127).to_le_bytes().into();
        let counter = u32::from_le_bytes(block[..4].try_into().unwrap()).wrapping_add(number as u32);
        block[..4].copy_from_slice(&counter.to_le_bytes());
        self.cipher.encrypt_block(&mut block);
        u128::from_le_bytes(block.into())
    }

    /// What POLYVAL must give for this tag.
    fn target(&self, tag: u128) -> u128 {
        let mut block: Block<Aes256> = tag.to_le_bytes().into();
        self.cipher.decrypt_block(&mut block);
        u128::from_le_bytes(block.into())
    }

    /// POLYVAL over blocks, from a sum so far.
    fn polyval(&self, start: u128, blocks: impl IntoIterator<Item = u128>) -> u128 {
        blocks.into_iter().fold(start, |sum, block| times(sum ^ block, self.factor))
    }
}

fn blocks_of(bytes: &[u8]) -> Vec<u128> {
    let block = |chunk: &[u8]| {
        let mut block = [0; 16];
        block[..chunk.len()].copy_from_slice(chunk);
        u128::from_le_bytes(block)
    };
    bytes.chunks(16).map(block).collect()
}

/// Tag and ciphertext, 64 bytes, that both keys authenticate over `associated`; under the first they
/// open to a body of 54 bytes.
fn opens_twice(keys: [&[u8; 32]; 2], associated: &[u8]) -> ([u8; 16], Vec<u8>) {
    let derived = keys.map(Derived::of);
    let high = |value: u128| value >> 127 == 1;
    let tag = (1..).find(|tag| !derived.iter().any(|d| high(d.target(*tag)))).unwrap();
    let length = u128::from(BLOCKS as u64 * 128) << 64 | u128::from(associated.len() as u64 * 8);
    let mut head = [0; 16];
    head[8..10].copy_from_slice(&54u16.to_be_bytes());
    let known = [u128::from_le_bytes(head) ^ derived[0].key_stream(tag, 0), 7];
    // For each key: C2 · a + C3 · b = c.
    let equations = derived.each_ref().map(|d| {
        let stream = |number| d.key_stream(tag, number);
        let plain = [known[0] ^ stream(0), known[1] ^ stream(1), stream(2), stream(3)];
        let start = d.polyval(0, blocks_of(associated));
        let rest = d.polyval(start, plain.into_iter().chain([length]));
        (power(d.factor, 3), power(d.factor, 2), rest ^ d.target(tag))
    });
    let [(a, b, c), (d, e, f)] = equations;
    let determinant = inverse(times(a, e) ^ times(b, d));
    let third = times(times(c, e) ^ times(b, f), determinant);
    let fourth = times(times(a, f) ^ times(c, d), determinant);
    let blocks = [known[0], known[1], third, fourth];
    (tag.to_le_bytes(), blocks.iter().flat_map(|block| block.to_le_bytes()).collect())
}

#[test]
fn a_ciphertext_that_opens_under_two_keys_opens_under_the_committed_one_alone() {
    let (one, two) = (Secret::new([1; 32]), Secret::new([2; 32]));
    let ((key_one, commitment), (key_two, _)) = (one.expand_pair("body", &[]), two.expand_pair("body", &[]));
    let device = crypto::device_key(&alice());
    let mut bytes = [header(1).encode(), commitment.to_vec()].concat();
    let associated = signed_bytes(&GROUP, &device, &EPOCH, &bytes);
    let (tag, ciphertext) = opens_twice([key_one.as_bytes(), key_two.as_bytes()], &associated);
    let texts = [&key_one, &key_two].map(|key| {
        let mut text = ciphertext.clone();
        Aes256GcmSiv::new(&(*key.as_bytes()).into())
            .decrypt_inout_detached(
                &Nonce::default(),
                &associated,
                text.as_mut_slice().into(),
                &Tag::from(tag),
            )
            .expect("the cipher alone takes it under either key");
        text
    });
    assert_ne!(texts[0], texts[1]);
    bytes.extend_from_slice(&tag);
    bytes.extend_from_slice(&ciphertext);
    let signed = signed_bytes(&GROUP, &device, &EPOCH, &bytes);
    bytes.extend_from_slice(&crypto::sign(&alice(), &signed));
    let entry = verify(&bytes).unwrap();
    assert_eq!(entry.open_disclosed(&GROUP, &one).unwrap().payload, texts[0][10..]);
    assert_eq!(entry.open_disclosed(&GROUP, &two), Err(OpenError::OtherKey));
}
