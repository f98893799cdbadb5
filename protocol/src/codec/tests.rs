//! Properties of every body: what is encoded is decoded again, and nothing else is.

use std::fmt::Debug;

use minicbor::bytes::ByteVec;
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;

use super::*;
use crate::id::{DeviceKey, EntryId, EpochId, MemberId};

use shapes::{actions, operations};

mod shapes;

/// A body with the ways in and out of bytes, its type forgotten.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub(super) name: &'static str,
    pub(super) payload: Vec<u8>,
    /// The encoding of what bytes decode to.
    pub(super) again: fn(&[u8]) -> Option<Vec<u8>>,
}

proptest! {
    #[test]
    fn every_body_decodes_to_itself(shape in prop_oneof![operations(), actions()]) {
        prop_assert_eq!(check_canonical(&shape.payload), Ok(()), "{}", shape.name);
        prop_assert_eq!((shape.again)(&shape.payload), Some(shape.payload.clone()), "{}", shape.name);
    }

    #[test]
    fn no_body_has_a_second_encoding(
        shape in prop_oneof![operations(), actions()],
        at in any::<prop::sample::Index>(),
        with in vec(any::<u8>(), 0..4),
        cut in 0usize..4,
    ) {
        let mut bytes = shape.payload.clone();
        let at = at.index(bytes.len());
        let end = at.saturating_add(cut).min(bytes.len());
        bytes.splice(at..end, with);
        if let Some(again) = (shape.again)(&bytes) {
            // Fields of a later schema pass and are left out; nothing else differs.
            prop_assert!(again == bytes || again.len() < bytes.len(), "{}", shape.name);
            prop_assert_eq!((shape.again)(&again), Some(again.clone()), "{}", shape.name);
        }
    }

    #[test]
    fn garbage_never_panics(shape in prop_oneof![operations(), actions()], bytes in vec(any::<u8>(), 0..300)) {
        let _ = check_canonical(&bytes);
        if let Some(again) = (shape.again)(&bytes) {
            prop_assert_eq!((shape.again)(&again), Some(again.clone()));
        }
    }

    #[test]
    fn longer_heads_of_the_same_number_are_refused(number: u32, major in 0u8..6) {
        let mut short = vec![];
        minicbor::Encoder::new(&mut short).u32(number).unwrap();
        for (info, width) in [(24u8, 1usize), (25, 2), (26, 4), (27, 8)] {
            let Some(from) = 8usize.checked_sub(width) else { continue };
            let bytes = u64::from(number).to_be_bytes();
            if bytes[..from].iter().any(|byte| *byte != 0) || short.len() == width + 1 {
                continue;
            }
            let mut long = vec![major << 5 | info];
            long.extend_from_slice(&bytes[from..]);
            prop_assert_eq!(check_canonical(&long), Err(DecodeError::NotCanonical));
        }
    }

    #[test]
    fn varints_decode_to_what_they_encode(bytes in vec(any::<u8>(), 0..8), number: u32) {
        let mut out = Vec::new();
        put_varint(&mut out, u64::from(number));
        prop_assert_eq!(Reader::new(&out).varint(u64::from(u32::MAX)), Ok(u64::from(number)));
        let mut reader = Reader::new(&bytes);
        if let Ok(number) = reader.varint(u64::from(u32::MAX)) {
            let mut out = Vec::new();
            put_varint(&mut out, number);
            prop_assert_eq!(out.as_slice(), &bytes[..bytes.len() - reader.rest().len()]);
        }
    }
}

#[test]
fn a_field_that_is_null_is_no_second_way_to_leave_it_out() {
    use crate::action::Action;
    let message =
        crate::action::message::Message { text: "salut".into(), reply_to: None, clock: 1, edits: None };
    let bytes = message.to_payload();
    assert_eq!(bytes[0], 0xa2);
    // {0: text, 1: null, 2: clock}
    let text_end = 1 + 1 + 1 + 5;
    let with_null = [&[0xa3][..], &bytes[1..text_end], &[0x01, 0xf6], &bytes[text_end..]].concat();
    assert_eq!(crate::action::message::Message::from_payload(&with_null), Err(DecodeError::NotCanonical));
}

pub(super) fn one<T: PartialEq + Debug>(
    from: Result<T, DecodeError>,
    to: impl Fn(&T) -> Vec<u8>,
) -> Option<Vec<u8>> {
    from.ok().map(|value| to(&value))
}

#[test]
fn every_second_encoding_is_refused() {
    for (bytes, why) in [
        (&[0x18, 0x05][..], DecodeError::NotCanonical), // 5 in two bytes
        (&[0x19, 0x00, 0xff], DecodeError::NotCanonical), // 255 in three
        (&[0x9f, 0x01, 0xff], DecodeError::NotCanonical), // indefinite array
        (&[0xa2, 0x02, 0x00, 0x01, 0x00], DecodeError::NotCanonical), // keys descending
        (&[0xa2, 0x01, 0x00, 0x01, 0x00], DecodeError::NotCanonical), // key twice
        (&[0xf9, 0x3c, 0x00], DecodeError::NotCanonical), // a float
        (&[0xa1, 0x01, 0xf6], DecodeError::NotCanonical), // a field that is null
        (&[0xc0, 0x00], DecodeError::Value),            // a tag
        (&[0x61, 0xff], DecodeError::Value),            // not UTF-8
        (&[0x01, 0x01], DecodeError::Trailing),
        (&[0x42, 0x01], DecodeError::Truncated),
        (&[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], DecodeError::Truncated),
    ] {
        assert_eq!(check_canonical(bytes), Err(why), "{bytes:02x?}");
    }
    assert_eq!(check_canonical(&[0xa2, 0x01, 0x81, 0xf6, 0x02, 0xf5]), Ok(()));
}

#[test]
fn nesting_is_bounded() {
    let mut deep = vec![0x81; 7];
    deep.push(0);
    assert_eq!(check_canonical(&deep), Ok(()));
    deep.insert(0, 0x81);
    assert_eq!(check_canonical(&deep), Err(DecodeError::TooLarge));
}

#[test]
fn varints_have_one_form() {
    for value in [0, 1, 127, 128, 300, 65_535, u64::from(u32::MAX)] {
        let mut bytes = Vec::new();
        put_varint(&mut bytes, value);
        assert_eq!(Reader::new(&bytes).varint(u64::from(u32::MAX)), Ok(value));
    }
    assert_eq!(Reader::new(&[0x80, 0x00]).varint(9), Err(DecodeError::NotCanonical));
    assert_eq!(Reader::new(&[0xff; 9]).varint(9), Err(DecodeError::TooLarge));
    assert_eq!(Reader::new(&[10]).varint(9), Err(DecodeError::TooLarge));
}
