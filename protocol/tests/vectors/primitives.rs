//! Labels and the primitives under them (C-1 … C-6).

use piquet_protocol::crypto::{self, Secret};
use serde_json::{Value, json};

use crate::file::{array, bytes, committed, hex, list, read};

const KEY: [u8; 32] = [0x0b; 32];

fn derivations() -> Value {
    let key = Secret::new(KEY);
    let parts: [(&str, Vec<&[u8]>); 4] = [
        ("control", vec![]),
        ("content", vec![&[2]]),
        ("entry", vec![&[1], &[0, 0, 0, 7]]),
        ("box", vec![b"", b"ab"]),
    ];
    let one = |(label, arguments): &(&str, Vec<&[u8]>)| {
        let (first, second) = key.expand_pair(label, arguments);
        json!({
            "rule": "C-3", "label": label, "arguments": arguments.iter().map(hex).collect::<Vec<_>>(),
            "expand": hex(key.expand(label, arguments).as_bytes()),
            "pair": hex([first.as_bytes().as_slice(), &second].concat()),
        })
    };
    Value::Array(parts.iter().map(one).collect())
}

fn made() -> Value {
    let nonce: Vec<u8> = (0..24).collect();
    let boxed = crypto::seal_box(&Secret::new(KEY), &nonce.clone().try_into().unwrap(), b"ad", b"content");
    json!({
        "about": "Hash, derivation, MAC and box with their labels, under a key of 32 bytes 0b.",
        "key": hex(KEY),
        "hash": [
            {"rule": "C-2", "label": "group", "parts": ["616263"], "out": hex(crypto::hash("group", &[b"abc"]))},
            {"rule": "C-2", "label": "handshake", "parts": ["00", "01ff"], "out": hex(crypto::hash("handshake", &[&[0], &[1, 255]]))},
        ],
        "expand": derivations(),
        "extract": [{"rule": "C-3", "label": "invite", "input": hex([9; 31]), "out": hex(crypto::extract("invite", &[9; 31]).as_bytes())}],
        "mac": [{"rule": "C-4", "label": "slot", "parts": [hex([1; 32]), "02"], "out": hex(Secret::new(KEY).mac("slot", &[&[1; 32], &[2]]))}],
        "box": [{"rule": "C-6", "nonce": hex(nonce), "associated": hex(b"ad"), "content": hex(b"content"), "out": hex(boxed)}],
        "labels": [
            {"rule": "C-1", "name": "a label and its argument are apart", "equal": false,
             "one": hex(Secret::new(KEY).expand("a", &[b"bc"]).as_bytes()), "other": hex(Secret::new(KEY).expand("ab", &[b"c"]).as_bytes())},
            {"rule": "C-8", "name": "borders of arguments count", "equal": false,
             "one": hex(Secret::new(KEY).expand("a", &[b"b", b"c"]).as_bytes()), "other": hex(Secret::new(KEY).expand("a", &[b"bc"]).as_bytes())},
        ],
    })
}

#[test]
fn primitives_are_as_written() {
    let file = committed("kdf", &made());
    for vector in list(&file, "labels") {
        assert_ne!(vector["one"], vector["other"], "{vector}");
    }
}

#[test]
fn a_box_of_the_file_opens_and_none_with_a_flipped_bit() {
    let file = read("kdf");
    for vector in list(&file, "box") {
        let (nonce, boxed) = (array(vector, "nonce"), bytes(vector, "out"));
        let open =
            |boxed: &[u8]| crypto::open_box(&Secret::new(KEY), &nonce, &bytes(vector, "associated"), boxed);
        assert_eq!(open(&boxed).unwrap().to_vec(), bytes(vector, "content"));
        for bit in 0..boxed.len() * 8 {
            let mut flipped = boxed.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(open(&flipped).is_none(), "bit {bit}");
        }
    }
}

#[test]
fn signatures_are_verified_strictly() {
    let file = read("signatures");
    for (name, holds) in [("accepted", true), ("refused", false)] {
        for vector in list(&file, name) {
            let verified =
                crypto::verify(&array(vector, "key"), &bytes(vector, "message"), &array(vector, "signature"));
            assert_eq!(verified, holds, "{vector}");
        }
    }
}
