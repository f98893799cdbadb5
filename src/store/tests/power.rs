//! The power goes between any two steps: whatever of the unsynced writes is left, what was acknowledged is
//! there and what was erased is not.

use std::path::Path;
use std::sync::Arc;

use piquet_protocol::store::{Batch, Retention, Store};
use zeroize::Zeroizing;

use super::recorder::{Left, Recorder};
use super::support::{Home, erase, files, key, put, put_secret, secret, values};
use crate::store::migrate::{FORMAT, Format};
use crate::store::wipe::wipe_on;
use crate::store::{Continuity, DiskStore, KdfCost, Machine, OpenError, Unlock, wipe};

/// The profile of an image, opened.
fn open(image: &Path) -> Result<crate::store::Opened, OpenError> {
    open_as(image, &FORMAT)
}

fn open_as(image: &Path, format: &Format) -> Result<crate::store::Opened, OpenError> {
    let disk = Arc::new(crate::store::files::RealDisk);
    DiskStore::open_on(disk, &image.join("profile"), &Unlock::KeyFile, &machine(image), format)
}

fn machine(image: &Path) -> Machine {
    Machine::new(*b"this machine", image.join("state"))
}

fn root(home: &Home) -> std::path::PathBuf {
    home.dir().parent().unwrap().to_path_buf()
}

fn recorded(home: &Home, disk: &Arc<Recorder>) -> DiskStore {
    let opened = DiskStore::open_on(disk.clone(), &home.dir(), &Unlock::KeyFile, &home.machine(), &FORMAT);
    opened.unwrap().store
}

/// Batches of all kinds: two classes at once, secrets small and large, replaced and erased.
fn batches() -> [Batch; 6] {
    let mut wide = put(1, b"a");
    wide.put(key(2), Retention::Chat, b"a".to_vec());
    let mut last = put_secret(1, b"the second secret");
    last.put(key(3), Retention::Kept, b"c".to_vec());
    [wide, put_secret(1, b"the first secret"), put_secret(2, &[1; 500]), erase(2), put(1, b"b"), last]
}

/// Records and secrets after so many of them.
fn after(batches: usize) -> (Vec<&'static str>, Option<&'static str>, bool) {
    let first = (batches > 1).then_some("the first secret");
    match batches {
        0 => (vec![], None, false),
        1 | 2 => (vec!["a", "a"], first, false),
        3 => (vec!["a", "a"], first, true),
        4 => (vec!["a", "a"], first, false),
        5 => (vec!["b", "a"], first, false),
        _ => (vec!["b", "a", "c"], Some("the second secret"), false),
    }
}

fn is_after(store: &DiskStore, batches: usize) -> bool {
    let (records, one, two) = after(batches);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    values(store).into_iter().map(text).eq(records)
        && secret(store, 1).map(text).as_deref() == one
        && secret(store, 2).is_some() == two
}

#[test]
fn a_batch_that_was_acknowledged_survives_and_no_other_comes_in_part() {
    let home = Home::with_profile();
    let disk = Recorder::new(&root(&home));
    let mut store = recorded(&home, &disk);
    let mut acknowledged = vec![disk.len()];
    for batch in batches() {
        store.commit(batch).unwrap();
        acknowledged.push(disk.len());
    }
    assert!(!store.erasure_pending());
    let steps = disk.len();
    drop(store);
    for len in 0..=steps {
        let done = acknowledged.iter().rposition(|at| *at <= len).unwrap_or(0);
        disk.images(len, |image, left| {
            let opened = open(image).unwrap_or_else(|error| panic!("step {len}, {left:?}: {error}"));
            let store = opened.store;
            assert!(
                is_after(&store, done) || is_after(&store, done + 1),
                "step {len}, {left:?}: {done} done"
            );
            assert_eq!(opened.continuity, Continuity::Same, "step {len}, {left:?}");
            assert_eq!(store.check(), Ok(vec![]), "step {len}, {left:?}: a cut is no damage");
        });
    }
}

#[test]
fn what_was_erased_is_gone_from_every_image() {
    let home = Home::with_profile();
    let mut store = home.open();
    store.commit(put_secret(1, b"a secret")).unwrap();
    drop(store);
    let old = std::fs::read(home.dir().join("vault")).unwrap();
    let disk = Recorder::new(&root(&home));
    let mut store = recorded(&home, &disk);
    let (before, opening) = (std::fs::read(home.dir().join("vault")).unwrap(), disk.len());
    store.commit(erase(1)).unwrap();
    assert!(disk.len() > opening);
    disk.images(disk.len(), |image, left| {
        assert_eq!(secret(&open(image).unwrap().store, 1), None, "{left:?}");
        for vault in [&old, &before] {
            std::fs::write(image.join("profile/vault"), vault).unwrap();
            assert!(open(image).is_err(), "{left:?}: an old vault file is opened by nothing");
        }
    });
}

#[test]
fn a_profile_being_made_is_there_or_can_be_made() {
    let home = Home::new();
    let disk = Recorder::new(&root(&home));
    let made =
        DiskStore::create_on(disk.clone(), &home.dir(), &Unlock::KeyFile, KdfCost::FLOOR, &home.machine());
    let done = disk.len();
    drop(made.unwrap());
    for len in 0..=done {
        disk.images(len, |image, left| {
            let opened = open(image);
            let missing = matches!(opened, Err(OpenError::NoProfile));
            drop(opened);
            if missing {
                assert!(len < done, "step {len}, {left:?}");
                let dir = image.join("profile");
                DiskStore::create(&dir, &Unlock::KeyFile, KdfCost::FLOOR, &machine(image)).unwrap();
            }
            assert_eq!(open(image).unwrap().continuity, Continuity::Same, "step {len}, {left:?}");
        });
    }
}

#[test]
fn a_passphrase_being_changed_is_the_old_one_or_the_new_one() {
    let home = Home::with_profile();
    home.open().commit(put(1, b"kept")).unwrap();
    let disk = Recorder::new(&root(&home));
    let mut store = recorded(&home, &disk);
    let start = disk.len();
    let new = Unlock::Passphrase(Zeroizing::new("six new words".into()));
    store.change_passphrase(&new).unwrap();
    let done = disk.len();
    drop(store);
    for len in start..=done {
        disk.images(len, |image, left| {
            let with_new = || DiskStore::open(&image.join("profile"), &new, &machine(image));
            let opened = if len == done { with_new() } else { open(image).or_else(|_| with_new()) };
            let store = opened.unwrap_or_else(|error| panic!("step {len}, {left:?}: {error}")).store;
            assert_eq!(values(&store), [b"kept"], "step {len}, {left:?}");
            drop(store);
            if len == done {
                assert!(open(image).is_err(), "{left:?}: the key file opens no more");
            }
        });
    }
}

#[test]
fn a_migration_that_is_cut_short_runs_again() {
    let home = Home::with_profile();
    home.open().commit(put(1, b"kept")).unwrap();
    let disk = Recorder::new(&root(&home));
    let format = super::life::NEXT;
    let opened =
        DiskStore::open_on(disk.clone(), &home.dir(), &Unlock::KeyFile, &home.machine(), &format).unwrap();
    drop(opened);
    let done = disk.len();
    for len in 0..=done {
        disk.images(len, |image, left| {
            let opened =
                open_as(image, &format).unwrap_or_else(|error| panic!("step {len}, {left:?}: {error}"));
            assert_eq!(values(&opened.store), [b"kept"], "step {len}, {left:?}");
            assert_eq!(opened.continuity, Continuity::Same);
            drop(opened);
            assert!(matches!(open(image), Err(OpenError::NewerVersion)));
        });
    }
}

#[test]
fn a_wipe_that_is_cut_short_has_destroyed_the_keys_and_can_go_on() {
    let home = Home::with_profile();
    home.open().commit(put(1, b"gone")).unwrap();
    let disk = Recorder::new(&root(&home));
    wipe_on(&*disk, &home.dir(), &home.machine(), || ()).unwrap();
    let done = disk.len();
    // The header is overwritten and synced first.
    let first = 2;
    for len in 0..=done {
        disk.images(len, |image, left| {
            let header = std::fs::read(image.join("profile/header")).unwrap_or_default();
            let opens = header.chunks(4096).any(|block| block.starts_with(b"piquet"));
            assert!(len < first || !opens, "step {len}, {left:?}: the header goes first");
            assert!(len < first || open(image).is_err(), "step {len}, {left:?}: nothing opens any more");
            if left != Left::All && len == done {
                return;
            }
            let again = wipe(&image.join("profile"), &machine(image), || ());
            assert!(matches!(again, Ok(()) | Err(OpenError::NoProfile)), "step {len}, {left:?}");
            let rest: Vec<_> = files(image).into_iter().filter(|path| path.is_file()).collect();
            let allowed = |path: &std::path::PathBuf| path.starts_with(image.join("state"));
            assert!(rest.iter().all(allowed), "step {len}, {left:?}: {rest:?}");
        });
    }
}
