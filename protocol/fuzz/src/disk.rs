//! What lies on the disk: the doors are in the store itself.

use crate::script::Script;
use crate::store::fuzzing;

/// Header, vault, records and index, chosen by the first byte.
pub fn store_keys(data: &[u8]) {
    let mut script = Script::new(data);
    match script.byte() % 4 {
        0 => fuzzing::header(script.rest()),
        1 => fuzzing::vault(script.rest()),
        2 => fuzzing::records(script.rest()),
        _ => fuzzing::index(script.rest()),
    }
}

/// A segment of genuine frames with damage between them.
pub fn store_journal(data: &[u8]) {
    let mut script = Script::new(data);
    let mut pieces = Vec::new();
    while !script.is_over() && pieces.len() < 64 {
        pieces.push((script.byte(), script.bytes()));
    }
    fuzzing::segment(&pieces);
}
