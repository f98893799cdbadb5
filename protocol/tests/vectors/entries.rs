//! Entries: shape, author, seal (E-1 … E-14).

use piquet_protocol::crypto::{self, Secret};
use piquet_protocol::entry::{Body, Class, ClassKey, Entry, Header, Language, UnverifiedEntry, author_entry};
use piquet_protocol::id::{DeviceKey, EntryId, EpochId, GroupId};
use serde_json::{Value, json};

use crate::file::{array, bytes, committed, hex, list, text};
use crate::raw::{CLASS_KEY, EPOCH, GROUP, Raw, alice, bob, padded, sign};

fn class_key() -> ClassKey {
    ClassKey(Secret::new(CLASS_KEY))
}

fn body(payload: &[u8]) -> Body {
    Body { kind: 64, schema: 1, time: 1_763_000_000, language: Language(2), payload: payload.to_vec() }
}

fn accepted(rule: &str, name: &str, header: Header, payload: &[u8]) -> Value {
    let entry = author_entry(&GROUP, &EPOCH, &alice(), header, &class_key(), &body(payload)).unwrap();
    let (lane, seq) = (entry.header().lane, entry.header().seq);
    json!({
        "rule": rule, "name": name,
        "lane": lane as u8, "class": entry.header().class as u8, "seq": seq, "prev": hex(entry.header().prev.0),
        "act_cites": entry.header().act_cites.iter().map(|c| hex(c.0)).collect::<Vec<_>>(),
        "talk_cites": entry.header().talk_cites.iter().map(|c| hex(c.0)).collect::<Vec<_>>(),
        "kind": 64, "schema": 1, "time": 1_763_000_000, "language": 2, "payload": hex(payload),
        "entry_key": hex(class_key().entry_key(&entry.device(), lane, seq).as_bytes()),
        "entry": hex(entry.bytes()), "id": hex(entry.id().0),
    })
}

fn all_accepted() -> Vec<Value> {
    let device = crypto::device_key(&alice());
    let header = |class, seq: u32| {
        let prev = if seq == 1 || class == Class::Beacon { [0; 32] } else { [5; 32] };
        Header::new(class, &device, &EPOCH, seq, EntryId(prev))
    };
    let ids = |range: std::ops::RangeInclusive<u8>| range.map(|n| EntryId([n; 32])).collect::<Vec<_>>();
    vec![
        accepted("E-1", "a first message", header(Class::Chat, 1), b"salut"),
        accepted("E-4", "a second one", header(Class::Chat, 2), b"salut"),
        accepted("E-13", "two texts at one seq: this one", header(Class::Chat, 7), b"texte un"),
        accepted("E-13", "two texts at one seq: and this one", header(Class::Chat, 7), b"texte 01"),
        accepted(
            "E-5",
            "all the cites there can be",
            Header { act_cites: ids(1..=64), talk_cites: ids(100..=115), ..header(Class::Chat, 2) },
            b"",
        ),
        accepted("E-6", "an act", Header { act_cites: ids(9..=10), ..header(Class::Control, 2) }, &[0xa0]),
        accepted("E-2", "a record", header(Class::Record, 3), &[0xa0]),
        accepted("E-2", "a short message", header(Class::Short, 3), &[0xa0]),
        accepted("E-4", "a beacon", header(Class::Beacon, 4_000_000_000), &[0xa0]),
        accepted("E-9", "the longest payload", header(Class::Chat, 2), &[b'x'; 600]),
    ]
}

fn shape(rule: &str, name: &str, bytes: &[u8]) -> Value {
    json!({"rule": rule, "name": name, "entry": hex(bytes)})
}

fn misshapen() -> Vec<Value> {
    let good = Raw::default();
    let act = Raw { lane_class: 0x00, ..good.clone() };
    let beacon = Raw { lane_class: 0x24, prev: [0; 32], ..good.clone() };
    let cites = |n: u8| (1..=n).map(|n| [n; 32]).collect::<Vec<_>>();
    let raw = |rule, name, raw: Raw| shape(rule, name, &raw.make());
    let whole = good.make();
    vec![
        raw("E-1", "version 0", Raw { version: 0, ..good.clone() }),
        raw("E-1", "version 2", Raw { version: 2, ..good.clone() }),
        shape("E-1", "nothing", &[]),
        shape("E-1", "cut in the header", &whole[..40]),
        shape("E-1", "cut in the signature", &whole[..whole.len() - 1]),
        shape("E-11", "a byte more", &[whole.as_slice(), &[0]].concat()),
        raw("E-2", "class control in lane talk", Raw { lane_class: 0x10, ..good.clone() }),
        raw("E-2", "class chat in lane acts", Raw { lane_class: 0x02, ..good.clone() }),
        raw("E-2", "class beacon in lane talk", Raw { lane_class: 0x14, ..good.clone() }),
        raw("E-2", "lane 3", Raw { lane_class: 0x32, ..good.clone() }),
        raw("E-2", "class 5", Raw { lane_class: 0x15, ..good.clone() }),
        raw("E-4", "seq 0", Raw { seq: 0, ..good.clone() }),
        raw("E-4", "a beacon at seq 0", Raw { seq: 0, ..beacon.clone() }),
        raw("E-4", "seq 1 with prev", Raw { seq: 1, ..good.clone() }),
        raw("E-4", "seq 2 without prev", Raw { prev: [0; 32], ..good.clone() }),
        raw("E-4", "a beacon with prev", Raw { prev: [5; 32], ..beacon.clone() }),
        raw("E-5", "65 acts", Raw { acts: cites(65), ..good.clone() }),
        raw("E-5", "17 talk entries", Raw { talk: cites(17), ..good.clone() }),
        raw("E-5", "cites descending", Raw { acts: vec![[2; 32], [1; 32]], ..good.clone() }),
        raw("E-5", "a cite twice", Raw { acts: vec![[1; 32], [1; 32]], ..good.clone() }),
        raw("E-5", "cites zero", Raw { acts: vec![[0; 32]], ..good.clone() }),
        raw("E-5", "talk cites descending", Raw { talk: vec![[2; 32], [1; 32]], ..good.clone() }),
        raw("E-6", "an act cites talk", Raw { talk: cites(1), ..act }),
        raw("E-6", "a beacon cites an act", Raw { acts: cites(1), ..beacon.clone() }),
        raw("E-6", "a beacon cites talk", Raw { talk: cites(1), ..beacon }),
        raw("E-11", "no ciphertext", Raw { plain: vec![], ..good.clone() }),
        raw("E-11", "a ciphertext of 63 bytes", Raw { plain: vec![0; 63], ..good.clone() }),
        raw("E-11", "a ciphertext of 576 + 1 bytes", Raw { plain: vec![0; 577], ..good }),
    ]
}

/// Names under which the author of `entry` is asked for.
fn signed(
    rule: &str,
    name: &str,
    entry: &[u8],
    group: &GroupId,
    device: &DeviceKey,
    epoch: &EpochId,
) -> Value {
    json!({"rule": rule, "name": name, "entry": hex(entry), "group": hex(group.0), "device": hex(device.0), "epoch": hex(epoch.0)})
}

fn forged() -> Vec<Value> {
    let entry = Raw::default().make();
    let device = crypto::device_key(&alice());
    let (mut twin_device, mut twin_epoch) = (device, EPOCH);
    twin_device.0[31] ^= 1;
    twin_epoch.0[31] ^= 1;
    let flip = |at: usize| {
        let mut bytes = entry.clone();
        bytes[at] ^= 1;
        bytes
    };
    let at_end = entry.len();
    let mut neutral = DeviceKey([0; 32]);
    neutral.0[0] = 1;
    let mut by_neutral = entry.clone();
    by_neutral[2..10].copy_from_slice(&neutral.hint());
    by_neutral[at_end - 64..].fill(0);
    by_neutral[at_end - 64] = 1;
    vec![
        signed("E-7", "for another group", &entry, &GroupId([9; 32]), &device, &EPOCH),
        signed("E-7", "by another device of the same hint", &entry, &GROUP, &twin_device, &EPOCH),
        signed("E-7", "under another epoch of the same hint", &entry, &GROUP, &device, &twin_epoch),
        signed(
            "E-7",
            "another lane and class",
            &{
                let mut e = entry.clone();
                e[1] = 0x13;
                e
            },
            &GROUP,
            &device,
            &EPOCH,
        ),
        signed("E-7", "another seq", &flip(21), &GROUP, &device, &EPOCH),
        signed("E-7", "another prev", &flip(22), &GROUP, &device, &EPOCH),
        signed("E-7", "another commitment", &flip(56), &GROUP, &device, &EPOCH),
        signed("E-7", "another tag", &flip(88), &GROUP, &device, &EPOCH),
        signed("E-7", "another ciphertext", &flip(104), &GROUP, &device, &EPOCH),
        signed("E-7", "another signature", &flip(at_end - 40), &GROUP, &device, &EPOCH),
        signed("E-3", "a hint of another author", &flip(2), &GROUP, &device, &EPOCH),
        signed("E-3", "a hint of another epoch", &flip(10), &GROUP, &device, &EPOCH),
        signed("C-5", "S is not below the order", &with_higher_s(&entry), &GROUP, &device, &EPOCH),
        signed("C-5", "a device key of small order", &by_neutral, &GROUP, &neutral, &EPOCH),
    ]
}

/// The signature's S plus the order of the group: lax verifiers take it.
fn with_higher_s(entry: &[u8]) -> Vec<u8> {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut out = entry.to_vec();
    let start = out.len() - 32;
    let mut carry = 0u16;
    for (byte, order) in out[start..].iter_mut().zip(ORDER) {
        carry += u16::from(*byte) + u16::from(order);
        *byte = carry as u8;
        carry >>= 8;
    }
    out
}

fn sealed(rule: &str, name: &str, entry: Vec<u8>, device: DeviceKey, class_key: [u8; 32]) -> Value {
    json!({"rule": rule, "name": name, "entry": hex(&entry), "device": hex(device.0), "class_key": hex(class_key), "error": opened(&entry, device, class_key).unwrap_err()})
}

fn opened(bytes: &[u8], device: DeviceKey, class_key: [u8; 32]) -> Result<Body, String> {
    let entry = UnverifiedEntry::decode(bytes).unwrap().verify(&GROUP, &device, &EPOCH).expect("signed");
    entry.open(&GROUP, &ClassKey(Secret::new(class_key))).map_err(|error| error.to_string())
}

fn unopened() -> Vec<Value> {
    let good = Raw::default();
    let (device, other) = (crypto::device_key(&alice()), crypto::device_key(&bob()));
    let entry = good.make();
    let unsigned = |entry: &[u8]| entry[..entry.len() - 64].to_vec();
    let mut stolen = unsigned(&entry);
    stolen[2..10].copy_from_slice(&other.hint());
    let mut torn = unsigned(&entry);
    torn[88] ^= 1;
    let mut scrambled = unsigned(&entry);
    scrambled[104] ^= 1;
    let (_, foreign) = Secret::new([9; 32]).expand_pair("body", &[]);
    let dirty = {
        let mut plain = padded(&[7; 3], 64);
        plain[63] = 1;
        plain
    };
    let long = {
        let mut plain = padded(&[7; 3], 64);
        plain[8..10].copy_from_slice(&55u16.to_be_bytes());
        plain
    };
    let own = |rule, name, raw: Raw| sealed(rule, name, raw.make(), device, CLASS_KEY);
    vec![
        sealed("E-14", "under the key of another class", entry.clone(), device, [6; 32]),
        own(
            "E-14",
            "a commitment to another key, of a ciphertext that would open",
            Raw { commitment: Some(foreign), ..good.clone() },
        ),
        own("E-12", "sealed for another position", Raw { sealed_for: Some((1, 3)), ..good.clone() }),
        own("E-12", "sealed for another lane", Raw { sealed_for: Some((0, 2)), ..good.clone() }),
        sealed("E-12", "a body signed again by another", sign(&bob(), stolen), other, CLASS_KEY),
        sealed("E-13", "a tag signed again", sign(&alice(), torn), device, CLASS_KEY),
        sealed("E-13", "a ciphertext signed again", sign(&alice(), scrambled), device, CLASS_KEY),
        own("E-11", "padding that is not zero", Raw { plain: dirty, ..good.clone() }),
        own("E-11", "more padding than needed", Raw { plain: padded(&[7; 3], 128), ..good.clone() }),
        own("E-9", "a length beyond the end", Raw { plain: long, ..good }),
    ]
}

fn made() -> Value {
    json!({
        "about": "Entries of one device in one group and epoch, under one class key. refused_shape fails before anything is known of the author, refused_author under the names given, refused_seal after the signature held.",
        "group": hex(GROUP.0), "epoch": hex(EPOCH.0), "seed": hex(alice().to_bytes()),
        "device": hex(crypto::device_key(&alice()).0), "class_key": hex(CLASS_KEY),
        "languages": (0..16).map(|n| Language(n).tag()).collect::<Vec<_>>(),
        "accepted": all_accepted(),
        "refused_shape": misshapen(),
        "refused_author": forged(),
        "refused_seal": unopened(),
    })
}

fn verify(file: &Value, vector: &Value) -> Entry {
    let entry = UnverifiedEntry::decode(&bytes(vector, "entry")).expect("shape");
    let names =
        (GroupId(array(file, "group")), DeviceKey(array(file, "device")), EpochId(array(file, "epoch")));
    entry.verify(&names.0, &names.1, &names.2).expect("signature")
}

#[test]
fn entries_are_as_written() {
    let file = committed("entry", &made());
    for vector in list(&file, "accepted") {
        let entry = verify(&file, vector);
        assert_eq!(hex(entry.id().0), text(vector, "id"));
        let disclosed = entry.open_disclosed(&GROUP, &Secret::new(array(vector, "entry_key"))).unwrap();
        assert_eq!(disclosed, entry.open(&GROUP, &class_key()).unwrap());
        assert_eq!(hex(&disclosed.payload), text(vector, "payload"));
    }
}

#[test]
fn misshapen_entries_are_refused() {
    for vector in list(&committed("entry", &made()), "refused_shape") {
        assert!(UnverifiedEntry::decode(&bytes(vector, "entry")).is_err(), "{vector}");
    }
    assert!(UnverifiedEntry::decode(&vec![1; 65_537]).is_err(), "E-1: longer than any entry");
}

#[test]
fn entries_by_others_are_refused() {
    for vector in list(&committed("entry", &made()), "refused_author") {
        let entry = UnverifiedEntry::decode(&bytes(vector, "entry")).expect("shape");
        let names = (
            GroupId(array(vector, "group")),
            DeviceKey(array(vector, "device")),
            EpochId(array(vector, "epoch")),
        );
        assert!(entry.verify(&names.0, &names.1, &names.2).is_none(), "{vector}");
    }
}

#[test]
fn broken_seals_are_refused() {
    for vector in list(&committed("entry", &made()), "refused_seal") {
        let refused =
            opened(&bytes(vector, "entry"), DeviceKey(array(vector, "device")), array(vector, "class_key"));
        assert_eq!(refused.unwrap_err(), text(vector, "error"), "{vector}");
    }
}

#[test]
fn two_texts_at_one_seq_show_nothing_but_that_they_differ() {
    let file = committed("entry", &made());
    let same_seq: Vec<Vec<u8>> =
        list(&file, "accepted").iter().filter(|v| v["seq"] == 7).map(|v| bytes(v, "entry")).collect();
    let [one, other] = same_seq.try_into().unwrap();
    assert_eq!(one[56..88], other[56..88], "one key, one commitment");
    let alike = one[104..].iter().zip(&other[104..168]).filter(|(a, b)| a == b).count();
    assert!(alike < 8, "{alike} bytes of two near-equal ciphertexts are alike");
}
