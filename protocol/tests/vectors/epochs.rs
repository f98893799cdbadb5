//! The key schedule of an epoch and of carriers; what a group and a commit are bound to.

use std::collections::BTreeSet;

use piquet_protocol::codec::to_cbor;
use piquet_protocol::crypto::{self, Secret};
use piquet_protocol::entry::{Class, ClassKey, Lane};
use piquet_protocol::envelope::{EnvelopeKeys, address, bundle_key, write_capability};
use piquet_protocol::group::epoch::{EpochKeys, peer_key};
use piquet_protocol::group::genesis::{Genesis, GenesisParameters, GenesisRules, consent_message, group_id};
use piquet_protocol::group::operation::Control;
use piquet_protocol::group::seal;
use piquet_protocol::id::{DeviceKey, EntryId, EpochId, GroupId};
use serde_json::{Value, json};

use crate::file::{bytes, committed, hex, list, text};
use crate::raw::{Raw, alice};

const EXPORTED: [u8; 32] = [0x0e; 32];

fn keys() -> EpochKeys {
    EpochKeys::derive(&Secret::new(EXPORTED))
}

fn epoch() -> Value {
    let keys = keys();
    let device = crypto::device_key(&alice());
    let content = [Class::Record, Class::Chat, Class::Short, Class::Beacon]
        .map(|class| json!({"rule": "K-2", "class": class as u8, "key": hex(keys.class(class).unwrap().as_bytes())}));
    let entry_key = |class: Class, lane: Lane, seq: u32| {
        let key = ClassKey(keys.class(class).unwrap().clone());
        json!({
            "rule": "K-3", "class": class as u8, "lane": lane as u8, "seq": seq, "device": hex(device.0),
            "author_key": hex(key.0.expand("author", &[device.as_bytes()]).as_bytes()),
            "entry_key": hex(key.entry_key(&device, lane, seq).as_bytes()),
        })
    };
    json!({
        "about": "All keys of an epoch from its exported secret X.",
        "exported": hex(EXPORTED),
        "keys": [
            {"rule": "K-2", "name": "control", "key": hex(keys.control().as_bytes())},
            {"rule": "K-2", "name": "envelope", "key": hex(keys.envelope().unwrap().as_bytes())},
            {"rule": "K-2", "name": "seek", "key": hex(keys.seek().unwrap().as_bytes())},
            {"rule": "K-4", "name": "peer", "key": hex(peer_key(keys.control()).as_bytes())},
        ],
        "content": content,
        "entry_keys": [
            entry_key(Class::Control, Lane::Acts, 1),
            entry_key(Class::Record, Lane::Acts, 1),
            entry_key(Class::Chat, Lane::Talk, 1),
            entry_key(Class::Chat, Lane::Talk, 4_294_967_295),
        ],
    })
}

#[test]
fn the_key_schedule_is_as_written() {
    let file = committed("epoch", &epoch());
    let mut all: Vec<&str> =
        ["keys", "content"].iter().flat_map(|l| list(&file, l)).map(|v| text(v, "key")).collect();
    all.extend(list(&file, "entry_keys").iter().map(|v| text(v, "entry_key")));
    let distinct: BTreeSet<&str> = all.iter().copied().collect();
    assert_eq!(distinct.len(), all.len(), "no key is used twice");
}

fn carriers() -> Value {
    let keys = keys();
    let (envelope, entry) = (EnvelopeKeys::derive(keys.envelope().unwrap()), Raw::default().make());
    let box_of = |entry: &[u8]| crypto::seal_box(envelope.key(), &envelope.nonce(entry), &[7; 32], entry);
    let mailbox = |relay: &[u8]| {
        let write = write_capability(keys.seek().unwrap(), relay);
        json!({"rule": "R-2", "relay": hex(relay), "write": hex(write.as_bytes()), "address": hex(address(&write))})
    };
    json!({
        "about": "Keys that carriers' envelopes, mailboxes and bundles get from the epoch of epoch.json.",
        "envelope": hex(keys.envelope().unwrap().as_bytes()), "seek": hex(keys.seek().unwrap().as_bytes()),
        "envelopes": [{"rule": "R-1", "key": hex(envelope.key().as_bytes()), "entry": hex(&entry), "nonce": hex(envelope.nonce(&entry)),
                       "associated": hex([7; 32]), "unpadded_box": hex(box_of(&entry))}],
        "mailboxes": [mailbox(b"relay one"), mailbox(b"relay two"),
                      mailbox(&[0, 36, 8, 1, 18, 32, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32])],
        "read_capabilities": [{"rule": "R-3", "write": hex([3; 32]), "address": hex(address(&Secret::new([3; 32])))}],
        "bundles": [{"rule": "R-4", "key": hex(bundle_key(keys.envelope().unwrap()).as_bytes())}],
    })
}

#[test]
fn the_keys_of_carriers_are_as_written() {
    committed("carriers", &carriers());
}

fn parameters() -> GenesisParameters {
    GenesisParameters::draft(0x0003, crypto::device_key(&alice()), [6; 32], "Piquet Lyon")
}

/// A group of three, two of whom hold its keys.
fn founded() -> GenesisParameters {
    let [alice, bob] = [alice(), crate::raw::bob()].map(|key| crypto::device_key(&key));
    let list = |mut devices: Vec<DeviceKey>| {
        devices.sort();
        devices
    };
    GenesisParameters {
        council: list(vec![alice, bob]),
        members: list(vec![alice, bob, DeviceKey([9; 32])]),
        roll: list(vec![alice, bob]),
        rules: GenesisRules { admit: 2, few: 1, wait: Some(7) },
        predecessor: Some(GroupId([7; 32])),
        ..parameters()
    }
}

/// A genesis whose council has consented.
fn consented() -> Genesis {
    let parameters = founded();
    let (info, tree) = (vec![1; 5], vec![2; 6]);
    let message = consent_message(&parameters.group(), &info, &tree);
    let mut keys = [alice(), crate::raw::bob()];
    keys.sort_by_key(crypto::device_key);
    let consents = keys.iter().map(|key| crypto::sign(key, &message).into()).collect();
    Genesis {
        parameters: to_cbor(&parameters).into(),
        group_info: info.into(),
        tree: tree.into(),
        consents: Some(consents),
    }
}

fn genesis_entries() -> [Vec<Value>; 2] {
    let of = |name: &str, genesis: Genesis| json!({"rule": "B-2", "name": name, "payload": hex(genesis.to_payload())});
    let good = consented();
    let consents = good.consents.clone().unwrap();
    let with = |consents| Genesis { consents, ..good.clone() };
    let swapped = consents.iter().rev().cloned().collect();
    let accepted = vec![of("a group whose council has consented", good.clone())];
    let refused = vec![
        of("no consents", with(None)),
        of("one of two consents", with(Some(vec![consents[0]]))),
        of("consents in another order", with(Some(swapped))),
        of("one consents twice", with(Some(vec![consents[0]; 2]))),
        of("consents to another first epoch", Genesis { tree: vec![3; 6].into(), ..good.clone() }),
        of(
            "consents to another group",
            Genesis {
                parameters: to_cbor(&GenesisParameters { name: "Piquet Lille".to_owned(), ..founded() })
                    .into(),
                ..good.clone()
            },
        ),
        of("a draft with a consent", Genesis { parameters: to_cbor(&parameters()).into(), ..good }),
    ];
    [accepted, refused]
}

fn refused_groups() -> Vec<Value> {
    let of = |name: &str, parameters: GenesisParameters| json!({"rule": "B-2", "name": name, "parameters": hex(to_cbor(&parameters))});
    let stranger = DeviceKey([9; 32]);
    let backwards = |list: &[DeviceKey]| list.iter().rev().copied().collect::<Vec<_>>();
    let ruled =
        |admit, few, wait| GenesisParameters { rules: GenesisRules { admit, few, wait }, ..founded() };
    vec![
        of(
            "a council out of order",
            GenesisParameters { council: backwards(&founded().council), ..founded() },
        ),
        of("members out of order", GenesisParameters { members: backwards(&founded().members), ..founded() }),
        of("a key-holder twice", GenesisParameters { council: vec![founded().council[0]; 2], ..founded() }),
        of("a council without the founder", GenesisParameters { founder: stranger, ..founded() }),
        of(
            "a key-holder off the roll",
            GenesisParameters { roll: founded().roll[..1].to_vec(), ..founded() },
        ),
        of(
            "a voter who is no member",
            GenesisParameters { members: founded().council, roll: founded().members, ..founded() },
        ),
        of("17 vouches", ruled(17, 1, Some(7))),
        of("nobody removes", ruled(2, 0, Some(7))),
        of("no wait", ruled(2, 1, None)),
        of("more than a year's wait", ruled(2, 1, Some(366))),
    ]
}

fn refused_parameters() -> Vec<Value> {
    let good = to_cbor(&parameters());
    let named = |name: &str| to_cbor(&GenesisParameters { name: name.to_owned(), ..parameters() });
    let founder = parameters().founder;
    let one_more = |extra: &[u8]| [&[good[0] + 1], &good[1..], extra].concat();
    let of = |rule: &str, name: &str, bytes: Vec<u8>| json!({"rule": rule, "name": name, "parameters": hex(bytes)});
    vec![
        of("B-2", "a null predecessor: a second encoding", one_more(&[0x08, 0xf6])),
        of("B-2", "an unknown field: a second encoding", one_more(&[0x09, 0x00])),
        of(
            "B-2",
            "two key-holders: not a draft",
            to_cbor(&GenesisParameters { council: vec![founder; 2], ..parameters() }),
        ),
        of(
            "B-2",
            "a voter: not a draft",
            to_cbor(&GenesisParameters { roll: vec![founder], ..parameters() }),
        ),
        of(
            "B-2",
            "another founder than member",
            to_cbor(&GenesisParameters { founder: crypto::device_key(&crate::raw::bob()), ..parameters() }),
        ),
        of(
            "B-2",
            "a predecessor",
            to_cbor(&GenesisParameters { predecessor: Some(group_id(&good)), ..parameters() }),
        ),
        of("B-13", "no name", named("")),
        of("B-13", "a name of 65 bytes", named(&"x".repeat(65))),
        of("B-13", "a name with a line feed", named("a\nb")),
        of("B-13", "a name that ends in a space", named("a ")),
        of("D-5", "a field missing", [&[good[0] - 1], &good[4..]].concat()),
        of("D-2", "something after it", [good.as_slice(), &[0]].concat()),
    ]
}

fn group() -> Value {
    let bytes = to_cbor(&parameters());
    let group = to_cbor(&founded());
    let [entries, refused_entries] = genesis_entries();
    let ids: BTreeSet<EntryId> = [[9; 32], [2; 32]].into_iter().map(EntryId).collect();
    let bound = |operations: &BTreeSet<EntryId>| {
        json!({
            "rule": "G-4", "parent": hex([8; 32]), "operations": operations.iter().map(|o| hex(o.0)).collect::<Vec<_>>(),
            "associated": hex(seal::binding(&EpochId([8; 32]), operations)),
        })
    };
    json!({
        "about": "Group ids from genesis parameters, and the associated data of commits.",
        "accepted": [
            {"rule": "B-2", "name": "a draft", "suite": 3, "founder": hex(parameters().founder.0), "random": hex([6; 32]), "group_name": "Piquet Lyon",
             "parameters": hex(&bytes), "group": hex(group_id(&bytes).0), "fingerprint": hex(group_id(&bytes).fingerprint())},
            {"rule": "B-2", "name": "a group", "parameters": hex(&group), "group": hex(group_id(&group).0)},
            {"rule": "D-6", "name": "the id is that of the bytes, whatever they mean", "parameters": "a0", "group": hex(group_id(&[0xa0]).0)},
        ],
        "bindings": [bound(&ids), bound(&BTreeSet::new())],
        "refused": Value::Array([refused_parameters(), refused_groups()].concat()),
        "entries": entries,
        "refused_entries": refused_entries,
    })
}

fn read(parameters: Vec<u8>) -> Result<GenesisParameters, piquet_protocol::codec::DecodeError> {
    GenesisParameters::read(&parameters)
}

#[test]
fn a_group_is_named_by_its_parameters() {
    let file = committed("group", &group());
    let draft = &list(&file, "accepted")[0];
    assert_eq!(read(bytes(draft, "parameters")), Ok(parameters()));
    for vector in list(&file, "refused") {
        assert!(read(bytes(vector, "parameters")).is_err(), "{vector}");
    }
}
