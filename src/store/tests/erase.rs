//! Erased means erased: no file holds a key that opens it.

use std::fs;
use std::io::ErrorKind;

use piquet_protocol::store::{Batch, Retention, Store, StoreError};
use zeroize::Zeroizing;

use super::support::{Call, Fate, Faulty, Home, erase, files, key, put, put_secret, secret};
use crate::store::DiskStore;
use crate::store::plan::secret_ad;
use crate::store::record::{Op, read_all};
use crate::store::scan::Cursor;
use crate::store::seal::open;
use crate::store::vault::Kept;

/// Everything that the folder's files hold, as they are and opened with every key that is left.
fn everything(home: &Home, store: &DiskStore) -> Vec<Vec<u8>> {
    let mut all: Vec<_> = files(&home.dir()).iter().map(|path| fs::read(path).unwrap()).collect();
    all.push(store.keyring.vault.encode().to_vec());
    all.extend(frames(store));
    all
}

/// Plaintexts of all frames.
fn frames(store: &DiskStore) -> Vec<Vec<u8>> {
    let vault = &store.keyring.vault;
    let mut frames = Vec::new();
    for number in vault.segments.keys() {
        let mut scan = store.segments.scan(vault, *number, Cursor::default()).unwrap().unwrap();
        while let Some(frame) = scan.next().unwrap() {
            frames.push(frame.plain.to_vec());
        }
    }
    frames
}

fn holds(all: &[Vec<u8>], needle: &[u8]) -> bool {
    all.iter().any(|bytes| bytes.windows(needle.len()).any(|window| window == needle))
}

/// Whether any 32 bytes of anything that is left open a sealed secret in the journal.
fn opens_with_what_is_left(store: &DiskStore) -> bool {
    let frames = frames(store);
    let vault = store.keyring.vault.encode();
    let sealed =
        frames.iter().flat_map(|frame| read_all(frame, 16)).filter(|record| record.op == Op::SecretHere);
    let mut sealed = sealed.map(|record| record.secret().map(|(id, rest)| (id, rest.to_vec())).unwrap());
    sealed.any(|(id, body)| {
        let ad = secret_ad(store.keyring.profile(), &id);
        vault.windows(32).any(|key| open(key.try_into().unwrap(), &ad, &body).is_some())
    })
}

#[test]
fn after_erasing_no_file_holds_the_secret_or_its_key() {
    let home = Home::new();
    let mut store = home.create();
    let (small, large) = (b"a small secret of 32 bytes, yes.", vec![0xa5; 300]);
    store.commit(put_secret(1, small)).unwrap();
    store.commit(put_secret(2, &large)).unwrap();
    store.commit(put(1, b"a record")).unwrap();
    let large_key = store.keyring.vault.secrets.values().find_map(|kept| match kept {
        Kept::Key(key) => Some(key.clone()),
        Kept::Inline(_) => None,
    });
    let large_key = large_key.unwrap();
    let before = everything(&home, &store);
    assert!(holds(&before, small) && holds(&before, &*large_key), "the search finds what is there");
    assert!(opens_with_what_is_left(&store));

    store.commit(erase(1)).unwrap();
    store.commit(erase(2)).unwrap();
    for _ in 0..2 {
        let after = everything(&home, &store);
        assert!(!holds(&after, small) && !holds(&after, &*large_key) && !holds(&after, &large));
        assert!(!opens_with_what_is_left(&store));
        assert_eq!((secret(&store, 1), secret(&store, 2)), (None, None));
        drop(store);
        store = home.open();
    }
}

#[test]
fn a_vault_file_from_before_is_opened_by_nothing() {
    let home = Home::new();
    let mut store = home.create();
    store.commit(put_secret(1, b"secret")).unwrap();
    let old = fs::read(home.dir().join("vault")).unwrap();
    store.commit(erase(1)).unwrap();
    drop(store);
    fs::write(home.dir().join("vault"), old).unwrap();
    assert_eq!(home.try_open().err().unwrap().code(), "vault-damaged");
}

#[test]
fn replacing_a_secret_destroys_the_old_one() {
    let home = Home::new();
    let mut store = home.create();
    store.commit(put_secret(1, b"the old secret")).unwrap();
    let old = fs::read(home.dir().join("vault")).unwrap();
    store.commit(put_secret(1, b"the new secret")).unwrap();
    assert!(!holds(&everything(&home, &store), b"the old secret"));
    drop(store);
    let present = fs::read(home.dir().join("vault")).unwrap();
    fs::write(home.dir().join("vault"), old).unwrap();
    assert!(home.try_open().is_err());
    fs::write(home.dir().join("vault"), present).unwrap();
    assert_eq!(secret(&home.open(), 1), Some(b"the new secret".to_vec()));
}

#[test]
fn an_erasure_the_disk_refuses_stays_pending_until_it_is_done() {
    for reopen in [false, true] {
        let home = Home::with_profile();
        let disk = Faulty::new(|_| Fate::Done);
        let mut store = home.open_on(&disk).unwrap();
        store.commit(put_secret(1, b"the old secret")).unwrap();
        let old = fs::read(home.dir().join("vault")).unwrap();
        // The frame still fits, the next vault does not.
        disk.plan(|call| match call {
            Call::Write(len) if len > 1000 => Fate::Failed(ErrorKind::StorageFull),
            _ => Fate::Done,
        });
        store.commit(erase(1)).unwrap();
        assert!(store.erasure_pending());
        assert_eq!(secret(&store, 1), None);
        disk.plan(|_| Fate::Done);
        if reopen {
            drop(store);
            store = home.open();
        } else {
            store.commit(put(1, b"next")).unwrap();
        }
        assert!(!store.erasure_pending());
        drop(store);
        fs::write(home.dir().join("vault"), old).unwrap();
        assert!(home.try_open().is_err(), "the old vault is opened by nothing");
    }
}

#[test]
fn a_secret_of_a_refused_batch_is_destroyed_too() {
    let home = Home::with_profile();
    let disk = Faulty::new(|_| Fate::Done);
    let mut store = home.open_on(&disk).unwrap();
    // The next vault fits, the frame does not.
    disk.plan(|call| match call {
        Call::Write(len) if len < 1000 => Fate::Failed(ErrorKind::StorageFull),
        _ => Fate::Done,
    });
    assert_eq!(store.commit(put_secret(1, b"refused")), Err(StoreError::Full));
    assert_eq!(secret(&store, 1), None);
    let vault_with_it = fs::read(home.dir().join("vault")).unwrap();
    disk.plan(|_| Fate::Done);
    store.commit(put(1, b"next")).unwrap();
    drop(store);
    let present = fs::read(home.dir().join("vault")).unwrap();
    fs::write(home.dir().join("vault"), vault_with_it).unwrap();
    assert!(home.try_open().is_err(), "opened by nothing");
    fs::write(home.dir().join("vault"), present).unwrap();
    assert_eq!(secret(&home.open(), 1), None);
}

#[test]
fn nothing_readable_reaches_the_disk() {
    let home = Home::new();
    let mut store = home.create();
    let mut batch = Batch::default();
    batch.put(key(1), Retention::Chat, b"a telling sentence".to_vec());
    batch.put_secret(key(2), Zeroizing::new(b"a telling secret".to_vec()));
    store.commit(batch).unwrap();
    drop(store);
    let all: Vec<_> = files(&home.dir()).iter().map(|path| fs::read(path).unwrap()).collect();
    for text in [&b"a telling sentence"[..], b"a telling secret", b"scope"] {
        assert!(!holds(&all, text));
    }
}
