//! Profiles kept as vectors (S-15 to S-20, S-27): what this program reads in them, and `verify.py` from the specification alone.
//!
//! Keys and nonces are random when a profile is made, so a file is made anew only after a decision to change the format:
//! `PIQUET_VECTORS=write cargo test --lib golden`.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use piquet_protocol::id::hex;
use piquet_protocol::store::{Batch, Key, Retention, Store, Table};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::support::{Home, key, put, put_secret, secret_key};
use crate::store::files::RealDisk;
use crate::store::journal::Segments;
use crate::store::keyring::Keyring;
use crate::store::migrate::FORMAT;
use crate::store::scan::Cursor;
use crate::store::{DiskStore, KdfCost, Unlock};

const FILES: [&str; 3] = ["header", "vault", "key"];
/// Passphrases and duress passphrases.
const WAYS: [(&str, Option<&str>, Option<&str>); 3] = [
    ("key file", None, None),
    ("passphrase", Some("six words that nobody guesses"), None),
    ("two passphrases", Some("six words that nobody guesses"), Some("six words that are asked for")),
];

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("protocol/vectors/store.json")
}

fn bytes(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn unlock(passphrase: Option<&str>) -> Unlock {
    passphrase.map_or(Unlock::KeyFile, |text| Unlock::Passphrase(Zeroizing::new(text.to_owned())))
}

/// A short life with one of everything: classes, a record replaced and one deleted, secrets of both sizes, one erased.
fn live(store: &mut DiskStore) {
    let mut several = Batch::default();
    several.put(key(2), Retention::Chat, b"said".to_vec());
    several.put(key(3), Retention::Record, b"gone".to_vec());
    several.put_secret(secret_key(1), Zeroizing::new(b"small".to_vec()));
    several.put_secret(secret_key(2), Zeroizing::new(vec![7; 100]));
    let mut last = Batch::default();
    last.delete(key(3));
    last.erase(secret_key(3));
    for batch in [put(1, b"hello"), several, put_secret(3, b"erased"), put(1, b"hello again"), last] {
        store.commit(batch).unwrap();
    }
}

/// What a reader is to find.
fn contents(store: &impl Store) -> Value {
    let records = [1, 2, 3].map(|order| (Table::Log, order, store.get(&key(order)).unwrap()));
    let secrets = [1, 2, 3].map(|order| {
        let value = store.secret(&secret_key(order)).unwrap().map(|value| value.to_vec());
        (Table::Secret, order, value)
    });
    let found = records.into_iter().chain(secrets).map(|(table, order, value)| {
        let Key { scope, .. } = key(order);
        json!({ "table": table as u8, "scope": hex(&scope), "order": order as u64, "value": value.map(|value| hex(&value)) })
    });
    found.collect()
}

/// The plaintexts that header and vault lead to, with nothing changed on the way.
fn plaintexts(home: &Home, unlock: &Unlock) -> Value {
    let keyring = Keyring::open(Arc::new(RealDisk), &home.dir(), unlock, &FORMAT).unwrap();
    let segments = Segments::new(&home.dir(), *keyring.profile());
    let mut frames = Vec::new();
    for number in keyring.vault.segments.keys() {
        let mut scan = segments.scan(&keyring.vault, *number, Cursor::default()).unwrap().unwrap();
        while let Some(frame) = scan.next().unwrap() {
            frames.push(json!({ "segment": number, "index": frame.index, "plain": hex(&frame.plain) }));
        }
    }
    json!({ "vault": hex(&keyring.vault.encode()), "frames": frames })
}

fn made() -> Value {
    let profiles = WAYS.map(|(name, passphrase, duress)| {
        let (home, unlock) = (Home::new(), unlock(passphrase));
        let mut store = DiskStore::create(&home.dir(), &unlock, KdfCost::FLOOR, &home.machine()).unwrap();
        live(&mut store);
        if let Some(duress) = duress {
            store.set_duress(Some(duress.to_owned().into())).unwrap();
        }
        let contents = contents(&store);
        drop(store);
        let file = |name: &str| fs::read(home.dir().join(name)).ok().map(|bytes| hex(&bytes));
        let files: BTreeMap<_, _> = FILES.map(|name| (name, file(name))).into();
        let journal: BTreeMap<_, _> = home
            .segments()
            .into_iter()
            .map(|path| {
                (path.file_name().unwrap().to_string_lossy().into_owned(), hex(&fs::read(&path).unwrap()))
            })
            .collect();
        json!({
            "rule": "S-15 to S-20, S-27", "name": name, "passphrase": passphrase, "duress": duress,
            "machine": hex(b"this machine"), "files": files, "journal": journal,
            "plaintexts": plaintexts(&home, &unlock), "contents": contents,
        })
    });
    json!({ "about": "Files of profiles, the plaintexts in them, and the records and secrets they come to.", "profiles": profiles })
}

fn profiles() -> Vec<(Home, Unlock, Value)> {
    if std::env::var_os("PIQUET_VECTORS").is_some_and(|asked| asked == "write") {
        fs::write(path(), serde_json::to_string_pretty(&made()).unwrap() + "\n").unwrap();
    }
    let file: Value = serde_json::from_slice(&fs::read(path()).unwrap()).unwrap();
    let profiles = file["profiles"].as_array().unwrap().iter().map(|vector| {
        let home = Home::new();
        fs::create_dir_all(home.dir().join("journal")).unwrap();
        for name in FILES.into_iter().filter(|name| vector["files"][name].is_string()) {
            fs::write(home.dir().join(name), bytes(&vector["files"][name])).unwrap();
        }
        for (name, segment) in vector["journal"].as_object().unwrap() {
            fs::write(home.dir().join("journal").join(name), bytes(segment)).unwrap();
        }
        (home, unlock(vector["passphrase"].as_str()), vector.clone())
    });
    profiles.collect()
}

#[test]
fn profiles_kept_as_vectors_are_read_as_they_were_written() {
    let profiles = profiles();
    assert_eq!(profiles.len(), WAYS.len());
    for (home, unlock, vector) in profiles {
        assert_eq!(plaintexts(&home, &unlock), vector["plaintexts"], "and made again byte for byte");
        let opened = DiskStore::open(&home.dir(), &unlock, &home.machine()).unwrap();
        assert_eq!(contents(&opened.store), vector["contents"]);
        assert_eq!(opened.store.check(), Ok(vec![]));
        drop(opened);
        if let Some(duress) = vector["duress"].as_str() {
            let opened = DiskStore::open(&home.dir(), &self::unlock(Some(duress)), &home.machine()).unwrap();
            assert!(opened.store.keyring.vault.segments.is_empty(), "what the duress passphrase opens");
        }
    }
}
