//! Canonical bytes (D-1 … D-4) and padding (E-11).

use piquet_protocol::codec::{DecodeError, Reader, check_canonical, put_varint};
use piquet_protocol::crypto::{self, Secret};
use piquet_protocol::entry::{Body, Class, ClassKey, Header, Language, author_entry};
use piquet_protocol::id::EntryId;
use serde_json::{Value, json};

use crate::file::{bytes, committed, hex, list, number, text};
use crate::raw::{EPOCH, GROUP, alice};

/// Rule, name, bytes, and what the crate says of them.
const REFUSED: [(&str, &str, &[u8], DecodeError); 20] = [
    ("D-2", "5 in two bytes", &[0x18, 0x05], DecodeError::NotCanonical),
    ("D-2", "255 in three bytes", &[0x19, 0x00, 0xff], DecodeError::NotCanonical),
    ("D-2", "65,535 in five bytes", &[0x1a, 0, 0, 0xff, 0xff], DecodeError::NotCanonical),
    ("D-2", "2^32 - 1 in nine bytes", &[0x1b, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff], DecodeError::NotCanonical),
    ("D-2", "a length in two bytes", &[0x58, 0x01, 0xaa], DecodeError::NotCanonical),
    ("D-2", "indefinite array", &[0x9f, 0x01, 0xff], DecodeError::NotCanonical),
    ("D-2", "indefinite map", &[0xbf, 0xff], DecodeError::NotCanonical),
    ("D-2", "indefinite bytes", &[0x5f, 0x41, 0xaa, 0xff], DecodeError::NotCanonical),
    ("D-2", "keys descending", &[0xa2, 0x02, 0x00, 0x01, 0x00], DecodeError::NotCanonical),
    ("D-2", "a key twice", &[0xa2, 0x01, 0x00, 0x01, 0x00], DecodeError::NotCanonical),
    ("D-2", "half-precision float", &[0xf9, 0x3c, 0x00], DecodeError::NotCanonical),
    ("D-2", "single-precision float", &[0xfa, 0x3f, 0x80, 0, 0], DecodeError::NotCanonical),
    ("D-2", "a tag", &[0xc0, 0x00], DecodeError::Value),
    ("D-2", "undefined", &[0xf7], DecodeError::Value),
    ("D-2", "another simple value", &[0xe0], DecodeError::Value),
    ("D-2", "not UTF-8", &[0x61, 0xff], DecodeError::Value),
    ("D-2", "something after the item", &[0x01, 0x01], DecodeError::Trailing),
    ("D-2", "cut short", &[0x42, 0x01], DecodeError::Truncated),
    (
        "D-2",
        "an unknown field out of order",
        &[0xa2, 0x18, 0x64, 0x00, 0x02, 0x00],
        DecodeError::NotCanonical,
    ),
    ("D-3", "nine levels", &[0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x00], DecodeError::TooLarge),
];

const ACCEPTED: [(&str, &str, &[u8]); 8] = [
    ("D-2", "an empty map", &[0xa0]),
    ("D-2", "23 and 24", &[0x82, 0x17, 0x18, 0x18]),
    ("D-2", "256, 65,536 and 2^32", &[0x83, 0x19, 1, 0, 0x1a, 0, 1, 0, 0, 0x1b, 0, 0, 0, 1, 0, 0, 0, 0]),
    ("D-2", "a negative number", &[0x20]),
    ("D-2", "false, true, null", &[0x83, 0xf4, 0xf5, 0xf6]),
    ("D-2", "keys of several types, ascending as bytes", &[0xa3, 0x0a, 0x01, 0x18, 0x64, 0x02, 0x20, 0x03]),
    ("D-2", "text in UTF-8", &[0x62, 0xc3, 0xa9]),
    ("D-3", "eight levels", &[0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x00]),
];

#[test]
fn cbor_has_one_form() {
    let made = json!({
        "about": "Whole items of CBOR: accepted as canonical, or refused.",
        "accepted": ACCEPTED.map(|(rule, name, item)| json!({"rule": rule, "name": name, "bytes": hex(item)})),
        "refused": REFUSED.map(|(rule, name, item, error)| json!({
            "rule": rule, "name": name, "bytes": hex(item), "error": error.to_string(),
        })),
    });
    let file = committed("cbor", &made);
    for vector in list(&file, "accepted") {
        assert_eq!(check_canonical(&bytes(vector, "bytes")), Ok(()), "{vector}");
    }
    for vector in list(&file, "refused") {
        let refused = check_canonical(&bytes(vector, "bytes")).unwrap_err();
        assert_eq!(refused.to_string(), text(vector, "error"), "{vector}");
    }
}

fn varint(value: u64) -> Value {
    let mut out = Vec::new();
    put_varint(&mut out, value);
    json!({"rule": "D-4", "value": value, "bytes": hex(out)})
}

#[test]
fn varints_have_one_form() {
    let refused = |name: &str, max: u64, bytes: &[u8]| json!({"rule": "D-4", "name": name, "max": max, "bytes": hex(bytes)});
    let values = [0, 1, 127, 128, 300, 16_383, 16_384, 66_560, 4_294_967_295u64];
    let made = json!({
        "about": "Unsigned LEB128, each to be read with a bound of 2^32 - 1 or `max`.",
        "accepted": values.map(varint),
        "refused": [
            refused("zero in two bytes", 9, &[0x80, 0x00]),
            refused("127 in two bytes", 200, &[0xff, 0x00]),
            refused("above its bound", 9, &[10]),
            refused("six bytes", 4_294_967_295, &[0x80, 0x80, 0x80, 0x80, 0x80, 0x01]),
            refused("cut short", 9, &[0x80]),
        ],
    });
    let file = committed("varint", &made);
    for vector in list(&file, "accepted") {
        let bytes = bytes(vector, "bytes");
        assert_eq!(Reader::new(&bytes).varint(u64::from(u32::MAX)), Ok(number(vector, "value")));
    }
    for vector in list(&file, "refused") {
        let bytes = bytes(vector, "bytes");
        assert!(Reader::new(&bytes).varint(number(vector, "max")).is_err(), "{vector}");
    }
}

/// How long the ciphertext of a payload of this length is: all but header, commitment, tag, signature.
fn bucket(payload: usize) -> usize {
    let header = Header::new(Class::Chat, &crypto::device_key(&alice()), &EPOCH, 1, EntryId::default());
    let body = Body { kind: 64, schema: 1, time: 0, language: Language(0), payload: vec![0; payload] };
    let entry = author_entry(&GROUP, &EPOCH, &alice(), header, &ClassKey(Secret::new([1; 32])), &body);
    entry.unwrap().bytes().len() - 56 - 48 - 64
}

#[test]
fn padding_tells_little() {
    let one = |payload: usize| json!({"rule": "E-11", "payload": payload, "ciphertext": bucket(payload)});
    let lengths = [
        0, 54, 55, 118, 300, 310, 311, 502, 503, 600, 1000, 1014, 1015, 2100, 4096, 10_000, 16_394, 40_000,
        49_152,
    ];
    committed(
        "padding",
        &json!({"about": "Length of the ciphertext by length of the payload.", "accepted": lengths.map(one)}),
    );
    let header = Header::new(Class::Chat, &crypto::device_key(&alice()), &EPOCH, 1, EntryId::default());
    let body = Body { kind: 64, schema: 1, time: 0, language: Language(0), payload: vec![0; 49_153] };
    let over = author_entry(&GROUP, &EPOCH, &alice(), header, &ClassKey(Secret::new([1; 32])), &body);
    assert_eq!(over, Err(DecodeError::TooLarge));
}
