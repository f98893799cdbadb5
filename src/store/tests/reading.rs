//! A disk that has no room even for noting that the profile was opened: it can be read.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;

use piquet_protocol::store::{Store, StoreError};

use super::support::{Call, Fate, Faulty, Home, erase, files, put, put_secret, secret, values};
use crate::store::disk::Opened;
use crate::store::migrate::FORMAT;
use crate::store::{Continuity, DiskStore, Unlock};

/// A disk on which, after so many writes, half of one still fits, and then not even a name.
fn full_after(mut writes: usize) -> Arc<Faulty> {
    let mut full = false;
    Faulty::new(move |call| match call {
        Call::Create | Call::Write(_) if full => Fate::Failed(ErrorKind::StorageFull),
        Call::Write(len) if writes == 0 => {
            full = true;
            Fate::Partly(len / 2, ErrorKind::StorageFull)
        }
        Call::Write(_) => {
            writes -= 1;
            Fate::Done
        }
        _ => Fate::Done,
    })
}

fn open_on(home: &Home, disk: Arc<Faulty>) -> Opened {
    DiskStore::open_on(disk, &home.dir(), &Unlock::KeyFile, &home.machine(), &FORMAT).unwrap()
}

/// A profile with a record and two secrets, one of them large.
fn filled() -> Home {
    let home = Home::new();
    let mut store = home.create();
    store.commit(put(1, b"hello")).unwrap();
    store.commit(put_secret(1, b"small")).unwrap();
    store.commit(put_secret(2, &[7; 500])).unwrap();
    home
}

fn reads(store: &DiskStore) {
    assert_eq!(values(store), [b"hello"]);
    assert_eq!(secret(store, 1), Some(b"small".to_vec()));
    assert_eq!(secret(store, 2), Some(vec![7; 500]));
}

fn contents(home: &Home) -> BTreeMap<PathBuf, Vec<u8>> {
    files(home.dir().parent().unwrap())
        .into_iter()
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect()
}

#[test]
fn on_a_full_disk_everything_is_read_and_nothing_is_written() {
    let home = filled();
    let before = contents(&home);
    for _ in 0..3 {
        let disk = full_after(0);
        let Opened { mut store, continuity } = open_on(&home, disk.clone());
        assert_eq!(continuity, Continuity::Same);
        reads(&store);
        // Room that comes later is the next opening's: this one was not noted.
        disk.plan(|_| Fate::Done);
        assert_eq!(store.writable(), Err(StoreError::Full));
        for batch in [put(2, b"new"), put(1, b"other"), put_secret(1, b"other"), erase(1)] {
            assert_eq!(store.commit(batch), Err(StoreError::Full));
        }
        assert_eq!(store.settle(), Err(StoreError::Full));
        assert!(store.change_passphrase(&Unlock::Passphrase("six words".to_owned().into())).is_err());
        reads(&store);
        drop(store);
        assert!(contents(&home) == before, "not a byte differs");
    }
    let Opened { mut store, continuity } = home.try_open().unwrap();
    assert_eq!((continuity, store.writable()), (Continuity::Same, Ok(())));
    reads(&store);
    store.commit(put(2, b"there is room")).unwrap();
}

#[test]
fn wherever_the_room_ends_while_opening_it_is_read_and_the_next_opening_goes_on() {
    let mut refused = 0;
    for fits in 0.. {
        let home = filled();
        let Opened { store, continuity } = open_on(&home, full_after(fits));
        let done = store.writable().is_ok();
        refused += u32::from(!done);
        assert_eq!(continuity, Continuity::Same, "{fits}");
        reads(&store);
        drop(store);
        for disk in [full_after(0), full_after(usize::MAX)] {
            let opened = open_on(&home, disk);
            assert_eq!(opened.continuity, Continuity::Same, "{fits}");
            reads(&opened.store);
        }
        if done {
            break;
        }
    }
    assert!(refused >= 2, "of the vault and of the counter: {refused}");
}

#[test]
fn reading_an_old_image_on_a_full_disk_hides_nothing_from_the_next_opening() {
    let home = filled();
    let image = home.image();
    home.open().commit(put(2, b"said since")).unwrap();
    home.restore(&image);
    for _ in 0..2 {
        let opened = open_on(&home, full_after(0));
        assert_eq!(opened.continuity, Continuity::RolledBack);
        reads(&opened.store);
    }
    assert_eq!(home.try_open().unwrap().continuity, Continuity::RolledBack);
}

#[test]
fn another_failure_than_a_full_disk_keeps_the_profile_closed() {
    let home = filled();
    let broken = Faulty::new(|call| match call {
        Call::Write(_) => Fate::Failed(ErrorKind::Other),
        _ => Fate::Done,
    });
    assert_eq!(home.open_on(&broken).err().map(|error| error.code()), Some("disk"));
    reads(&home.open());
}
