//! Frames of the journal (S-19): `magic 4 ‖ index 4 ‖ length 4 ‖ check 8 ‖ nonce 24 ‖ ciphertext`.
//!
//! The check, a MAC of the twelve bytes before it, lets a reader find the next frame after damage without
//! trusting a forged length. The associated data bind a frame to its profile, segment, class and index:
//! moved elsewhere it does not open.

use std::io;

use chacha20poly1305::XChaCha20Poly1305;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::bytes::Reader;
use super::header::ProfileId;
use super::record::{MAX_RECORD, RECORD_HEAD};
use super::seal::{OVERHEAD, cipher, expand, mac, open_with, seal_with};
use super::vault::Segment;

/// First bytes of a frame.
pub(super) const MAGIC: [u8; 4] = *b"pqf1";
/// Bytes before the nonce.
pub(super) const FRAME_HEAD: usize = 4 + 4 + 4 + 8;
/// Bytes before the records in a frame's plaintext: batch, part and number of parts.
pub(super) const BATCH_HEAD: usize = 8 + 4 + 4;

/// A frame holds one record of the largest size, with its name and seal if it is a secret.
const MAX_BODY: usize = MAX_RECORD + RECORD_HEAD + BATCH_HEAD + 2 * OVERHEAD + 16;

/// What opens and makes the frames of one segment.
pub(super) struct FrameKeys {
    cipher: XChaCha20Poly1305,
    check: Hmac<Sha256>,
    ad: Vec<u8>,
}

/// What a frame's head says, once its check holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) index: u32,
    /// Bytes of nonce and ciphertext.
    pub(super) body: usize,
}

/// Which part of which batch a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) batch: u64,
    pub(super) part: u32,
    pub(super) parts: u32,
}

impl FrameKeys {
    pub(super) fn new(profile: &ProfileId, number: u32, segment: &Segment) -> io::Result<Self> {
        let check = expand(&segment.key, b"piquet v1 frame check")?;
        let ad = [&b"piquet v1 frame"[..], profile, &number.to_be_bytes(), &[segment.class]].concat();
        Ok(Self { cipher: cipher(&segment.key), check: mac(&check), ad })
    }

    /// A whole frame.
    pub(super) fn seal(&self, index: u32, plain: &[u8]) -> io::Result<Vec<u8>> {
        let body = seal_with(&self.cipher, &self.ad(index), plain)?;
        Ok([&self.head_of(index, body.len())[..], &body].concat())
    }

    /// A frame's head, if it was made under this segment's key and is not too large.
    pub(super) fn head(&self, bytes: &[u8]) -> Option<Head> {
        let mut reader = Reader::new(bytes);
        let start = reader.take(12)?;
        if !start.starts_with(&MAGIC) || reader.array() != Some(self.check(start)) {
            return None;
        }
        let mut reader = Reader::new(&start[4..]);
        let (index, body) = (reader.u32()?, reader.u32()? as usize);
        (OVERHEAD + BATCH_HEAD..=MAX_BODY).contains(&body).then_some(Head { index, body })
    }

    /// The plaintext of a frame's body.
    pub(super) fn open(&self, index: u32, body: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        open_with(&self.cipher, &self.ad(index), body)
    }

    fn head_of(&self, index: u32, body: usize) -> Vec<u8> {
        let mut head = [MAGIC, index.to_be_bytes(), (body as u32).to_be_bytes()].concat();
        head.extend(self.check(&head));
        head
    }

    fn check(&self, start: &[u8]) -> [u8; 8] {
        let mac = self.check.clone().chain_update(start).finalize().into_bytes();
        let mut check = [0; 8];
        check.copy_from_slice(&mac[..8]);
        check
    }

    fn ad(&self, index: u32) -> Vec<u8> {
        [&self.ad[..], &index.to_be_bytes()].concat()
    }
}

impl Part {
    pub(super) fn encode(self) -> [u8; BATCH_HEAD] {
        let mut out = [0; BATCH_HEAD];
        out[..8].copy_from_slice(&self.batch.to_be_bytes());
        out[8..12].copy_from_slice(&self.part.to_be_bytes());
        out[12..].copy_from_slice(&self.parts.to_be_bytes());
        out
    }

    pub(super) fn decode(plain: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(plain);
        Some(Self { batch: reader.u64()?, part: reader.u32()?, parts: reader.u32()? })
    }
}

#[cfg(test)]
mod tests {
    use super::super::memory::SecretKey;
    use super::*;

    fn keys(profile: u8, number: u32, class: u8) -> FrameKeys {
        let segment =
            Segment { key: SecretKey::from_slice(&[7; 32]).unwrap(), class, first_batch: 0, end: None };
        FrameKeys::new(&[profile; 16], number, &segment).unwrap()
    }

    #[test]
    fn a_frame_opens_only_where_it_was_written() {
        let frame = keys(1, 2, 3).seal(4, &[0; 40]).unwrap();
        let body = &frame[FRAME_HEAD..];
        assert!(keys(1, 2, 3).open(4, body).is_some());
        for (elsewhere, index) in
            [(keys(9, 2, 3), 4), (keys(1, 9, 3), 4), (keys(1, 2, 9), 4), (keys(1, 2, 3), 9)]
        {
            assert!(elsewhere.open(index, body).is_none());
        }
    }

    #[test]
    fn the_same_bytes_written_twice_at_one_index_share_nothing() {
        let keys = keys(1, 2, 3);
        let (one, other) = (keys.seal(0, &[5; 64]).unwrap(), keys.seal(0, &[5; 64]).unwrap());
        assert_ne!(one[FRAME_HEAD..FRAME_HEAD + 24], other[FRAME_HEAD..FRAME_HEAD + 24], "nonces");
        assert_ne!(one[FRAME_HEAD + 24..], other[FRAME_HEAD + 24..]);
    }

    #[test]
    fn a_forged_length_is_not_believed() {
        let mut frame = keys(1, 2, 3).seal(4, &[0; 40]).unwrap();
        assert_eq!(keys(1, 2, 3).head(&frame).unwrap().index, 4);
        frame[11] ^= 1;
        assert_eq!(keys(1, 2, 3).head(&frame), None);
    }

    #[test]
    fn the_largest_secret_has_room_and_no_larger_length_is_believed() {
        let keys = keys(1, 2, 3);
        let secret = BATCH_HEAD + RECORD_HEAD + 16 + OVERHEAD + MAX_RECORD;
        assert!(keys.head(&keys.head_of(0, secret + OVERHEAD)).is_some());
        assert!(keys.head(&keys.head_of(0, MAX_BODY + 1)).is_none());
        assert!(keys.head(&keys.head_of(0, OVERHEAD)).is_none());
    }
}
