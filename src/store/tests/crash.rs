//! Power cuts, kills, full disks and disks that fail to sync: what was acknowledged stays, the rest is
//! there whole or not at all.

use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use piquet_protocol::store::{Batch, MemoryStore, Retention, Store, StoreError};
use zeroize::Zeroizing;

use super::support::{
    Call, Fate, Faulty, Home, copy_all, die_at, erase, key, put, put_secret, secret, secret_key, values,
};
use crate::store::{Continuity, DiskStore, Unlock};

/// Records of two classes: frames in two segments.
fn wide(order: u128, value: &[u8]) -> Batch {
    let mut batch = put(order, value);
    batch.put(key(order + 1), Retention::Chat, value.to_vec());
    batch
}

fn cut(path: &Path, len: u64) {
    OpenOptions::new().write(true).open(path).unwrap().set_len(len).unwrap();
}

#[test]
fn cut_anywhere_in_the_last_batch_all_earlier_ones_are_there() {
    let home = Home::new();
    let mut store = home.create();
    store.commit(wide(1, b"first")).unwrap();
    drop(store);
    let mut store = home.open();
    store.commit(wide(3, b"second")).unwrap();
    let image = home.image();
    let lengths =
        |home: &Home| home.segments().iter().map(|path| fs::metadata(path).unwrap().len()).collect();
    let before: Vec<u64> = lengths(&home);
    store.commit(wide(5, b"third")).unwrap();
    drop(store);
    let after: Vec<u64> = lengths(&home);
    let whole = tempfile::tempdir().unwrap();
    copy_all(&home.dir().join("journal"), whole.path());

    for segment in [2, 3] {
        for len in before[segment]..after[segment] {
            home.restore(&image);
            copy_all(whole.path(), &home.dir().join("journal"));
            cut(&home.segments()[segment], len);
            if len % 2 == 0 {
                fs::remove_dir_all(home.dir().join("index")).unwrap();
            }
            let mut store = home.open();
            assert_eq!(values(&store).len(), 4, "segment {segment} cut at {len}");
            assert_eq!(store.damage(), [], "what was not acknowledged is no damage");
            if len % 16 == 0 {
                store.commit(put(9, b"on")).unwrap();
                drop(store);
                fs::remove_dir_all(home.dir().join("index")).unwrap();
                let store = home.open();
                assert_eq!(values(&store).len(), 5, "the cut batch never comes back");
                assert_eq!(store.damage(), [], "nor is it damage later");
            }
        }
    }
}

/// Batches of all kinds.
fn batches() -> [Batch; 6] {
    let mut last = put_secret(1, &[2; 500]);
    last.put(key(5), Retention::Kept, b"c".to_vec());
    [wide(1, b"a"), put_secret(1, b"small"), put_secret(2, &[1; 500]), wide(3, b"b"), erase(2), last]
}

/// Commits them until one fails; the number of those acknowledged.
fn script(store: &mut DiskStore) -> usize {
    batches().into_iter().map_while(|batch| store.commit(batch).ok()).count()
}

/// What must be there after so many batches of the script.
fn state_after(batches: usize) -> (usize, Option<Vec<u8>>, Option<Vec<u8>>) {
    let records = [0, 2, 2, 2, 4, 4, 5][batches];
    let one = match batches {
        0 | 1 => None,
        2..=5 => Some(b"small".to_vec()),
        _ => Some(vec![2; 500]),
    };
    let two = matches!(batches, 3 | 4).then(|| vec![1; 500]);
    (records, one, two)
}

fn state(store: &impl Store) -> (usize, Option<Vec<u8>>, Option<Vec<u8>>) {
    (values(store).len(), secret(store, 1), secret(store, 2))
}

#[test]
fn whatever_step_a_crash_hits_every_batch_is_there_whole_or_not_at_all() {
    let fresh = Home::with_profile();
    let image = fresh.image();
    for n in 1.. {
        let home = Home::new();
        copy_all(image.path(), home.dir().parent().unwrap());
        let disk = Faulty::new(|_| Fate::Done);
        let mut store = home.open_on(&disk).unwrap();
        die_at(&disk, n);
        let acknowledged = script(&mut store);
        drop(store);
        if n % 2 == 0 {
            fs::remove_dir_all(home.dir().join("index")).unwrap();
        }
        let opened = home.try_open().unwrap();
        let found = state(&opened.store);
        let next = (acknowledged + 1).min(6);
        assert!(
            found == state_after(acknowledged) || found == state_after(next),
            "dead at call {n} after {acknowledged} batches: {found:?}"
        );
        assert_eq!(opened.continuity, Continuity::Same);
        assert_eq!(opened.store.check(), Ok(vec![]), "dead at call {n}");
        assert_eq!(
            opened.store.keyring.vault.secrets.len(),
            usize::from(found.1.is_some()) + usize::from(found.2.is_some())
        );
        if acknowledged == 6 {
            assert!(n > 30, "the script has many steps");
            return;
        }
    }
}

#[test]
fn whatever_call_fails_once_the_store_does_what_it_says_and_goes_on() {
    for n in 1usize.. {
        let home = Home::with_profile();
        let disk = Faulty::new(|_| Fate::Done);
        let mut store = home.open_on(&disk).unwrap();
        let calls = Arc::new(AtomicUsize::new(0));
        let counter = calls.clone();
        disk.plan(move |call| match (counter.fetch_add(1, Ordering::Relaxed) + 1, call) {
            (now, Call::Write(len)) if now == n => Fate::Partly(len / 2, ErrorKind::Other),
            (now, _) if now == n => Fate::Failed(ErrorKind::Other),
            _ => Fate::Done,
        });
        let mut twin = MemoryStore::new();
        for (batch, same) in batches().into_iter().zip(batches()) {
            if store.commit(batch).is_ok() {
                twin.commit(same).unwrap();
            }
            assert_eq!(state(&store), state(&twin), "call {n} failed");
        }
        let through = calls.load(Ordering::Relaxed) < n;
        disk.plan(|_| Fate::Done);
        let image = home.image();
        store.commit(put(9, b"on")).unwrap();
        assert!(!store.erasure_pending());
        drop(store);
        home.restore(&image);
        fs::remove_dir_all(home.dir().join("index")).unwrap();
        let store = home.open();
        assert_eq!(state(&store), state(&twin), "call {n} failed");
        assert_eq!(store.check(), Ok(vec![]), "call {n} failed");
        if through {
            return;
        }
    }
}

#[test]
fn whatever_step_of_opening_a_crash_hits_the_next_opening_works() {
    let home = Home::new();
    let mut store = home.create();
    store.commit(put(1, b"a")).unwrap();
    store.commit(put_secret(1, b"small")).unwrap();
    drop(store);
    for n in 1.. {
        let disk = Faulty::new(|_| Fate::Done);
        let mut store = home.open_on(&disk).unwrap();
        store.commit(put(1, b"a")).unwrap();
        die_at(&disk, 1);
        assert!(store.commit(put(2, b"torn")).is_err());
        drop(store);
        let mut done = true;
        for _ in 0..3 {
            die_at(&disk, n);
            done &= home.open_on(&disk).is_ok();
        }
        let opened = home.try_open().unwrap();
        assert_eq!(
            (state(&opened.store), opened.continuity),
            ((1, Some(b"small".to_vec()), None), Continuity::Same)
        );
        assert_eq!(opened.store.check(), Ok(vec![]), "dead at call {n}: a torn frame is no damage");
        if done {
            return;
        }
    }
}

#[test]
fn whatever_step_of_a_passphrase_change_a_crash_hits_the_old_or_the_new_one_opens() {
    let new = Unlock::Passphrase(Zeroizing::new("new".into()));
    for n in 1.. {
        let home = Home::with_profile();
        let disk = Faulty::new(|_| Fate::Done);
        let mut store = home.open_on(&disk).unwrap();
        die_at(&disk, n);
        let done = store.change_passphrase(&new).is_ok();
        drop(store);
        let with_new = |home: &Home| DiskStore::open(&home.dir(), &new, &home.machine()).is_ok();
        assert!(if done { with_new(&home) } else { home.try_open().is_ok() || with_new(&home) }, "call {n}");
        if done {
            return;
        }
    }
}

#[test]
fn whatever_step_of_a_new_wrapping_a_crash_hits_the_key_file_opens() {
    for n in 1.. {
        let home = Home::with_profile();
        let disk = Faulty::new(|_| Fate::Done);
        let mut store = home.open_on(&disk).unwrap();
        die_at(&disk, n);
        let done = store.change_passphrase(&Unlock::KeyFile).is_ok();
        drop(store);
        home.open();
        if done {
            return;
        }
    }
}

/// A disk with so many bytes left.
fn fill(disk: &Faulty, mut left: usize) {
    disk.plan(move |call| match call {
        Call::Write(len) if len > left => {
            let fits = std::mem::take(&mut left);
            Fate::Partly(fits, ErrorKind::StorageFull)
        }
        Call::Write(len) => {
            left -= len;
            Fate::Done
        }
        _ => Fate::Done,
    });
}

#[test]
fn a_full_disk_refuses_a_batch_whole_and_goes_on_when_there_is_room() {
    for left in (0..20_000).step_by(1500) {
        let home = Home::with_profile();
        let disk = Faulty::new(|_| Fate::Done);
        let mut store = home.open_on(&disk).unwrap();
        store.commit(wide(1, b"kept")).unwrap();

        fill(&disk, left);
        let mut large = wide(3, &[7; 9000]);
        large.put_secret(secret_key(1), Zeroizing::new(b"small".to_vec()));
        let result = store.commit(large);
        let there = if result.is_ok() { 4 } else { 2 };
        assert!(result == Ok(()) || result == Err(StoreError::Full));
        assert_eq!((values(&store).len(), secret(&store, 1).is_some()), (there, there == 4), "{left} B left");

        disk.plan(|_| Fate::Done);
        store.commit(put(9, b"room again")).unwrap();
        assert!(!store.erasure_pending(), "left-overs of the refused secret are destroyed");
        drop(store);
        fs::remove_dir_all(home.dir().join("index")).unwrap();
        let store = home.open();
        assert_eq!((values(&store).len(), secret(&store, 1).is_some()), (there + 1, there == 4));
        assert_eq!(store.check(), Ok(vec![]));
    }
}

#[test]
fn what_could_not_be_cut_off_never_counts() {
    let home = Home::with_profile();
    let disk = Faulty::new(|_| Fate::Done);
    let mut store = home.open_on(&disk).unwrap();
    store.commit(wide(1, b"kept")).unwrap();
    let mut writes = 0;
    disk.plan(move |call| match call {
        Call::Truncate => Fate::Failed(ErrorKind::Other),
        Call::Write(_) => {
            writes += 1;
            if writes == 2 { Fate::Failed(ErrorKind::StorageFull) } else { Fate::Done }
        }
        _ => Fate::Done,
    });
    assert_eq!(store.commit(wide(3, b"half")), Err(StoreError::Full));
    disk.plan(|_| Fate::Done);
    store.commit(wide(5, b"later")).unwrap();
    drop(store);
    fs::remove_dir_all(home.dir().join("index")).unwrap();
    let store = home.open();
    assert_eq!(values(&store), [&b"kept"[..], b"kept", b"later", b"later"]);
    assert_eq!(store.check(), Ok(vec![]));
}

#[test]
fn after_a_failed_sync_the_segment_is_given_up_and_nothing_is_pretended() {
    let home = Home::with_profile();
    let disk = Faulty::new(|_| Fate::Done);
    let mut store = home.open_on(&disk).unwrap();
    store.commit(put(1, b"kept")).unwrap();
    let before = home.segments().len();
    let mut failed = false;
    disk.plan(move |call| {
        let fail = call == Call::Sync && !std::mem::replace(&mut failed, true);
        if fail { Fate::Failed(ErrorKind::Other) } else { Fate::Done }
    });
    assert!(matches!(store.commit(put(2, b"lost")), Err(StoreError::Io(_))));
    assert_eq!(values(&store), [b"kept"]);
    disk.plan(|_| Fate::Done);
    store.commit(put(3, b"later")).unwrap();
    assert_eq!(home.segments().len(), before + 1, "a new segment");
    drop(store);
    fs::remove_dir_all(home.dir().join("index")).unwrap();
    assert_eq!(values(&home.open()), [b"kept".to_vec(), b"later".to_vec()]);
}

#[test]
fn a_torn_frame_written_again_shares_no_nonce_with_the_first() {
    let home = Home::with_profile();
    let disk = Faulty::new(|_| Fate::Done);
    let mut store = home.open_on(&disk).unwrap();
    store.commit(put(1, b"kept")).unwrap();
    let segment = home.segments().pop().unwrap();
    let start = fs::metadata(&segment).unwrap().len() as usize;
    let nonce = |bytes: &[u8]| bytes[start + 20..start + 44].to_vec();

    // The frame arrives whole, is not acknowledged, and can be seen before it is cut off.
    let (seen, path) = (Arc::new(std::sync::Mutex::new(Vec::new())), segment.clone());
    let sink = seen.clone();
    disk.plan(move |call| match call {
        Call::Write(len) => Fate::Partly(len, ErrorKind::StorageFull),
        Call::Truncate => {
            *sink.lock().unwrap() = fs::read(&path).unwrap();
            Fate::Done
        }
        _ => Fate::Done,
    });
    assert_eq!(store.commit(put(2, b"same")), Err(StoreError::Full));
    disk.plan(|_| Fate::Done);
    store.commit(put(2, b"same")).unwrap();
    let (torn, again) = (seen.lock().unwrap().clone(), fs::read(&segment).unwrap());
    assert_eq!(torn[..start + 12], again[..start + 12], "same place, same index");
    assert_ne!(nonce(&torn), nonce(&again));
}

#[test]
fn a_profile_whose_making_was_interrupted_can_be_made_again() {
    let home = Home::new();
    let disk = Faulty::new(|_| Fate::Done);
    let create = |n| {
        die_at(&disk, n);
        DiskStore::create_on(
            disk.clone(),
            &home.dir(),
            &Unlock::KeyFile,
            crate::store::KdfCost::FLOOR,
            &home.machine(),
        )
    };
    let mut n = 1;
    while create(n).is_err() && home.try_open().is_err() {
        n += 1;
    }
    assert!(n > 5);
    assert_eq!(home.try_open().unwrap().continuity, Continuity::Same);
}
