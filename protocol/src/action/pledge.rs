//! Pledges, stage 1 (A-10 … A-12): every node that has seen a call answers once, yes or blank, in
//! an answer of fixed size that only the call's counters can open.

use minicbor::{Decode, Encode};

use super::{Action, text};
use crate::codec::DecodeError;
use crate::crypto;
use crate::id::{DeviceKey, EntryId, GroupId};

/// Counts are shown in steps of this many, and at the close.
pub const STEP: u32 = 5;

/// What is sealed: one byte and room, so that a later answer with more in it looks the same.
const PLAIN: usize = 32;
const MAX_SEALED: usize = 2048;

/// A sealed answer; the last of a device counts.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct PledgeAnswer {
    /// The call.
    #[n(0)]
    pub call: EntryId,
    /// HPKE to the call's counter key.
    #[n(1)]
    pub sealed: minicbor::bytes::ByteVec,
}

impl Action for PledgeAnswer {
    fn check(&self) -> Result<(), DecodeError> {
        text::all([(1..=MAX_SEALED).contains(&self.sealed.len())])
    }
}

/// A count, signed by a counter by posting it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct PledgeCount {
    /// The call.
    #[n(0)]
    pub call: EntryId,
    /// How many said yes.
    #[n(1)]
    pub count: u32,
    /// Whether pledging is over.
    #[n(2)]
    pub closed: bool,
}

impl Action for PledgeCount {
    /// Before the close only whole steps are told: nobody learns who was the sixth.
    fn check(&self) -> Result<(), DecodeError> {
        text::all([self.closed || self.count >= STEP && self.count.is_multiple_of(STEP)])
    }
}

/// The HPKE info string of answers.
pub const INFO: &[u8] = b"piquet v1 pledge";

/// What binds an answer to its place: group, call, device, seq.
pub fn associated(group: &GroupId, call: &EntryId, device: &DeviceKey, seq: u32) -> Vec<u8> {
    crypto::labelled("pledge", &[group.as_bytes(), call.as_bytes(), device.as_bytes(), &seq.to_be_bytes()])
}

/// The plaintext of an answer.
pub fn plain(yes: bool) -> [u8; PLAIN] {
    let mut out = [0; PLAIN];
    out[0] = u8::from(yes);
    out
}

/// Reads an opened answer; anything but a well-formed yes is blank.
pub fn is_yes(opened: &[u8]) -> bool {
    opened == plain(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::group::seal::Suite;
    use crate::group::seal::hpke::{MailKey, seal};
    use crate::sim::SeededRng;

    #[test]
    fn an_answer_is_bound_to_its_group_call_device_and_place() {
        let (group, call, device) = (GroupId([1; 32]), EntryId([2; 32]), DeviceKey([3; 32]));
        let here = associated(&group, &call, &device, 4);
        for suite in [Suite::Classical, Suite::Hybrid] {
            let key = MailKey::generate(suite, &mut SeededRng::new(1)).unwrap();
            let sealed = seal(suite, &key.public, INFO, &here, &plain(true)).unwrap();
            let blank = seal(suite, &key.public, INFO, &here, &plain(false)).unwrap();
            assert_eq!(sealed.len(), blank.len(), "a yes looks like a blank");
            assert!(is_yes(&key.open(suite, INFO, &here, &sealed).unwrap()));
            assert!(!is_yes(&key.open(suite, INFO, &here, &blank).unwrap()));
            for elsewhere in [
                associated(&GroupId([9; 32]), &call, &device, 4),
                associated(&group, &EntryId([9; 32]), &device, 4),
                associated(&group, &call, &DeviceKey([9; 32]), 4),
                associated(&group, &call, &device, 5),
            ] {
                assert!(key.open(suite, INFO, &elsewhere, &sealed).is_err());
            }
            assert!(key.open(suite, b"piquet v1 mail", &here, &sealed).is_err());
            let other = MailKey::generate(suite, &mut SeededRng::new(2)).unwrap();
            assert!(other.open(suite, INFO, &here, &sealed).is_err(), "a key of its own for each call");
        }
    }

    #[test]
    fn what_is_no_whole_yes_is_blank() {
        let mut odd = plain(true);
        odd[31] = 1;
        for opened in [&odd[..], &[], &[1], &[1; 32], &plain(true)[..31]] {
            assert!(!is_yes(opened));
        }
    }
}
