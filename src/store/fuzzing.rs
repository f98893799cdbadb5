//! Doors for the fuzz targets, in no other build: each takes bytes a disk might hold.

use std::io::Write;

use sha2::{Digest, Sha256};

use super::frame::{FRAME_HEAD, FrameKeys, Part};
use super::header::{BLOCK, Block};
use super::index;
use super::memory::SecretKey;
use super::record::{read_all, read_at};
use super::scan::{Cursor, Scan};
use super::vault::{Segment, Vault};

/// A header block with a checksum that fits.
pub fn header(bytes: &[u8]) {
    let mut block = bytes.to_vec();
    block.resize(BLOCK - 32, 0);
    let checksum = Sha256::digest(&block);
    block.extend(checksum);
    if let Some(found) = Block::fuzzed(&block) {
        assert_eq!(Block::fuzzed(&found), Some(found.clone()));
    }
}

/// A vault's plaintext.
pub fn vault(bytes: &[u8]) {
    if let Some(vault) = Vault::decode(bytes) {
        let again = vault.encode();
        assert_eq!(Vault::decode(&again).map(|vault| vault.encode()), Some(again));
    }
}

/// A frame's plaintext.
pub fn records(bytes: &[u8]) {
    let _ = Part::decode(bytes);
    for record in read_all(bytes, 0) {
        assert_eq!(read_at(bytes, record.at), Some(record));
    }
}

/// Keys and values of the index.
pub fn index(bytes: &[u8]) {
    index::fuzzed(bytes);
}

/// A segment written piece by piece, even ones genuine frames, odd ones anything: every genuine frame
/// is found, in order, and nothing else.
pub fn segment(pieces: &[(u8, &[u8])]) {
    let Some(key) = SecretKey::from_slice(&[7; 32]) else { return };
    let segment = Segment { key, class: 1, first_batch: 0, end: None };
    let Ok(keys) = FrameKeys::new(&[1; 16], 2, &segment) else { return };
    let (mut bytes, mut written) = (Vec::new(), Vec::new());
    for (kind, piece) in pieces {
        if kind % 2 == 0 {
            let index = written.len() as u32;
            let plain = [&Part { batch: 1, part: 0, parts: 1 }.encode()[..], piece].concat();
            let Ok(frame) = keys.seal(index, &plain) else { return };
            bytes.extend(frame);
            written.push(plain);
        } else if kind % 4 == 1 {
            bytes.extend(*piece);
        } else {
            // The head of a frame whose rest was lost.
            let Ok(frame) = keys.seal(written.len() as u32, &[0; 40]) else { return };
            bytes.extend(&frame[..FRAME_HEAD + piece.len().min(30)]);
        }
    }
    let Ok(mut file) = tempfile::tempfile() else { return };
    if file.write_all(&bytes).is_err() {
        return;
    }
    let mut scan = Scan::new(file, keys, bytes.len() as u64, Cursor::default());
    let mut found = Vec::new();
    while let Ok(Some(frame)) = scan.next() {
        assert_eq!(frame.index as usize, found.len());
        found.push(frame.plain.to_vec());
    }
    assert_eq!(found, written);
    let _ = (scan.tail(), scan.cursor(), scan.gaps().len());
}
