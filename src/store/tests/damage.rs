//! Damaged, forged and misplaced files: what is harmed is named, the rest is read.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use piquet_protocol::store::{Batch, Retention, Store, StoreError};

use super::support::{Call, Fate, Faulty, Home, copy_all, files, key, put, put_secret, secret, values};
use crate::store::index::{Changes, Index, NO_ROOM};
use crate::store::scan::{Cursor, Tail};
use crate::store::{Damage, DiskStore};

const FRAMES: u128 = 5;

/// A profile with one frame per record, in one segment, and the ends of those frames.
fn filled() -> (Home, Vec<u64>) {
    let home = Home::new();
    let mut store = home.create();
    let mut ends = Vec::new();
    for order in 0..FRAMES {
        store.commit(put(order, &[order as u8; 20])).unwrap();
        ends.push(fs::metadata(&home.segments()[0]).unwrap().len());
    }
    drop(store);
    (home, ends)
}

fn lose_index(home: &Home) {
    fs::remove_dir_all(home.dir().join("index")).unwrap();
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 0x10;
    fs::write(path, bytes).unwrap();
}

fn orders(store: &DiskStore) -> BTreeSet<u8> {
    values(store).iter().map(|value| value[0]).collect()
}

#[test]
fn a_flipped_byte_costs_one_frame_and_no_other() {
    let (home, ends) = filled();
    let store = home.open();
    let path = &home.segments()[0];
    let whole = fs::read(path).unwrap();
    for at in 0..whole.len() {
        let harmed = ends.iter().position(|end| (at as u64) < *end).unwrap() as u32;
        flip(path, at);
        let mut scan = store.segments.scan(&store.keyring.vault, 0, Cursor::default()).unwrap().unwrap();
        let mut read = Vec::new();
        while let Some(frame) = scan.next().unwrap() {
            read.push(frame.index);
        }
        assert_eq!(
            read,
            (0..FRAMES as u32).filter(|index| *index != harmed).collect::<Vec<_>>(),
            "byte {at}"
        );
        let last = harmed == FRAMES as u32 - 1;
        assert_eq!(scan.tail().unwrap(), if last { Tail::Damaged } else { Tail::Clean }, "byte {at}");
        assert_eq!(scan.gaps(), if last { vec![] } else { vec![(harmed, harmed)] }, "byte {at}");
        fs::write(path, &whole).unwrap();
    }
}

#[test]
fn a_damaged_frame_is_named_with_and_without_the_index() {
    let (home, ends) = filled();
    for (harmed, without_index) in [(0, true), (2, true), (4, true), (1, false), (4, false)] {
        let (path, image) = (home.segments()[0].clone(), home.image());
        flip(&path, ends[harmed] as usize - 3);
        if without_index {
            lose_index(&home);
        }
        let store = home.open();
        let named = Damage { segment: 0, first: harmed as u32, last: harmed as u32 };
        let expected = if without_index { Ok(None) } else { Err(StoreError::Damaged) };
        assert_eq!(store.get(&key(harmed as u128)), expected);
        assert_eq!(store.damage(), [named]);
        let others = (0..FRAMES).filter(|order| *order != harmed as u128);
        assert!(others.into_iter().all(|order| store.get(&key(order)) == Ok(Some(vec![order as u8; 20]))));
        assert_eq!(store.check(), Ok(vec![named]));
        drop(store);
        home.restore(&image);
        fs::remove_dir_all(home.dir().parent().unwrap().join("state")).unwrap();
        copy_all(&image.path().join("state"), &home.dir().parent().unwrap().join("state"));
    }
}

#[test]
fn ranges_stop_at_damage_until_it_is_given_up() {
    let (home, ends) = filled();
    flip(&home.segments()[0], ends[1] as usize + 50);
    let mut store = home.open();
    let all = |store: &DiskStore| store.range(key(0).table, &key(0).scope, 0, u128::MAX, 100);
    assert_eq!(all(&store), Err(StoreError::Damaged));
    store.forget_damaged().unwrap();
    assert_eq!(orders(&store), BTreeSet::from([0, 1, 3, 4]));
    assert_eq!(store.damage(), [Damage { segment: 0, first: 2, last: 2 }]);
    store.commit(put(2, &[2; 20])).unwrap();
    assert_eq!(orders(&store).len(), 5, "a peer can give it back");
}

#[test]
fn what_was_given_up_stays_so_and_no_older_version_comes_back() {
    let (home, _) = filled();
    let mut store = home.open();
    let before = fs::metadata(&home.segments()[0]).unwrap().len();
    store.commit(put(1, b"newer")).unwrap();
    assert_eq!(fs::metadata(&home.segments()[0]).unwrap().len(), before, "in another segment");
    flip(&home.segments()[1], 50);
    assert_eq!(store.get(&key(1)), Err(StoreError::Damaged));
    store.forget_damaged().unwrap();
    assert_eq!(store.get(&key(1)), Ok(None));
    drop(store);
    lose_index(&home);
    let store = home.open();
    assert_eq!((store.get(&key(1)), orders(&store).len()), (Ok(None), 4), "not even after the index is lost");
    assert_eq!(store.damage(), [Damage { segment: 1, first: 0, last: 0 }], "it is still named");
}

#[test]
fn a_secret_in_the_vault_outlives_the_frame_that_names_it() {
    let home = Home::new();
    let mut store = home.create();
    store.commit(put_secret(1, b"small")).unwrap();
    store.commit(put_secret(2, &[2; 200])).unwrap();
    for at in [60, 200] {
        flip(&home.segments()[0], at);
    }
    assert_eq!(store.check().unwrap().len(), 1);
    store.forget_damaged().unwrap();
    drop(store);
    lose_index(&home);
    let store = home.open();
    assert_eq!((secret(&store, 1), secret(&store, 2)), (Some(b"small".to_vec()), None));
}

#[test]
fn all_that_lay_in_a_lost_segment_is_given_up() {
    let (home, _) = filled();
    let mut store = home.open();
    store.commit(put(20, &[20; 20])).unwrap();
    drop(store);
    fs::remove_file(&home.segments()[0]).unwrap();
    let mut store = home.open();
    assert!(store.range(key(0).table, &key(0).scope, 0, u128::MAX, 100).is_err());
    store.forget_damaged().unwrap();
    assert_eq!(orders(&store), BTreeSet::from([20]));
}

#[test]
fn a_frame_moved_to_another_segment_or_profile_is_refused() {
    let (home, ends) = filled();
    let frame = fs::read(&home.segments()[0]).unwrap()[..ends[0] as usize].to_vec();
    let mut store = home.open();
    store.commit(put(20, &[20; 20])).unwrap();
    drop(store);
    for (other, path) in [(None, home.segments()[1].clone()), (Some(filled().0), Default::default())] {
        let other_home = other.as_ref().unwrap_or(&home);
        let path = other.as_ref().map_or(path, |other| other.segments()[0].clone());
        let own = fs::read(&path).unwrap();
        fs::write(&path, [&frame[..], &own[frame.len()..]].concat()).unwrap();
        lose_index(other_home);
        let store = other_home.open();
        let segment = store.damage()[0].segment;
        assert_eq!(store.damage(), [Damage { segment, first: 0, last: 0 }]);
        assert_eq!(values(&store).len(), if other.is_some() { 4 } else { 5 });
    }
}

#[test]
fn a_repeated_frame_does_not_bring_an_old_value_back() {
    let home = Home::new();
    let mut store = home.create();
    store.commit(put(1, b"old")).unwrap();
    let path = home.segments()[0].clone();
    let old = fs::read(&path).unwrap();
    store.commit(put(1, b"new")).unwrap();
    drop(store);
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, [bytes, old].concat()).unwrap();
    lose_index(&home);
    let store = home.open();
    assert_eq!(store.get(&key(1)), Ok(Some(b"new".to_vec())));
    assert_eq!(store.damage().len(), 1);
}

#[test]
fn a_lost_or_shortened_segment_of_an_earlier_opening_is_named() {
    let (home, ends) = filled();
    home.open().commit(put(20, &[20])).unwrap();
    let path = home.segments()[0].clone();
    fs::write(&path, &fs::read(&path).unwrap()[..ends[2] as usize - 1]).unwrap();
    lose_index(&home);
    let store = home.open();
    assert_eq!((orders(&store), store.damage().len()), (BTreeSet::from([0, 1, 20]), 1));
    drop(store);
    fs::remove_file(&path).unwrap();
    let store = home.open();
    assert_eq!(store.get(&key(0)), Err(StoreError::Damaged));
    assert_eq!(store.damage()[0].segment, 0);
}

#[test]
fn frames_missing_at_the_end_are_named_as_long_as_the_index_knows_of_them() {
    let (home, ends) = filled();
    let store = home.open();
    let path = &home.segments()[0];
    fs::write(path, &fs::read(path).unwrap()[..ends[1] as usize]).unwrap();
    assert_eq!(store.check(), Ok(vec![Damage { segment: 0, first: 2, last: 4 }]));
    assert_eq!(store.get(&key(3)), Err(StoreError::Damaged));
    assert_eq!(store.get(&key(1)), Ok(Some(vec![1; 20])));
}

#[test]
fn a_damaged_index_is_made_anew() {
    let (home, _) = filled();
    for fill in [0x00, 0xff, 0x41] {
        for path in files(&home.dir().join("index")) {
            let len = fs::metadata(&path).unwrap().len() as usize;
            fs::write(&path, vec![fill; len]).unwrap();
        }
        assert_eq!(values(&home.open()).len(), 5, "filled with {fill}");
    }
}

#[test]
fn bytes_flipped_in_the_index_cost_nothing() {
    let home = Home::new();
    let mut store = home.create();
    for batch in 0..40 {
        let mut changes = Batch::default();
        (0..50).for_each(|n| changes.put(key(batch * 50 + n), Retention::Chat, vec![n as u8; 5]));
        store.commit(changes).unwrap();
    }
    let expected = values(&store);
    drop(store);
    let state = home.dir().parent().unwrap().join("state");
    let image = home.image();
    for round in 0..24 {
        home.restore(&image);
        fs::remove_dir_all(&state).unwrap();
        copy_all(&image.path().join("state"), &state);
        for path in files(&home.dir().join("index")) {
            let bytes = fs::read(&path).unwrap();
            let used = bytes.iter().rposition(|byte| *byte != 0).unwrap_or(0) + 1;
            flip(&path, used * round / 24);
        }
        assert!(values(&home.open()) == expected, "round {round}");
    }
}

/// What a power cut can do to an index: one record is missing, nothing tells of it.
fn with_a_hole_in_the_index(mark: Option<&str>) -> Result<Option<Vec<u8>>, StoreError> {
    let (home, _) = filled();
    let store = home.open();
    let address = store.hasher.address(key(0).table, &key(0).scope, 1);
    let lose = |index: &Index| {
        let mut changes = Changes::default();
        changes.remove_record(&address);
        index.apply(changes)
    };
    store.with_index(lose).unwrap();
    drop(store);
    mark.into_iter().for_each(|mark| fs::write(home.dir().join("index/mark"), mark).unwrap());
    home.open().get(&key(1))
}

#[test]
fn an_index_in_use_when_the_power_went_is_made_anew() {
    assert_eq!(with_a_hole_in_the_index(Some("another boot")), Ok(Some(vec![1; 20])));
    assert_eq!(with_a_hole_in_the_index(Some("")), Ok(Some(vec![1; 20])), "nor if the system does not tell");
    assert_eq!(with_a_hole_in_the_index(None), Ok(None), "a closed one is used as it is");
}

#[test]
fn a_batch_that_no_index_can_show_has_not_happened() {
    let (home, _) = filled();
    let disk = Faulty::new(|_| Fate::Done);
    let mut store = home.open_on(&disk).unwrap();
    store.commit(put(20, &[20; 20])).unwrap();
    // The last block goes into the journal: from then on there is no room even for an empty index.
    disk.plan(|call| {
        NO_ROOM.set(NO_ROOM.get() || call == Call::Sync);
        Fate::Done
    });
    // More than the index holds in memory: it is handed over while the next batch comes, which learns that
    // it failed.
    let many = |first: u128, value: &[u8]| {
        let mut batch = Batch::default();
        (first..first + 1100).for_each(|order| batch.put(key(order), Retention::Kept, value.to_vec()));
        batch
    };
    store.commit(many(1000, b"shown from memory")).unwrap();
    assert!(store.commit(many(3000, b"not shown")).is_err());
    assert!(store.get(&key(0)).is_err(), "it can't be read without one either");
    disk.plan(|_| Fate::Done);
    NO_ROOM.set(false);
    assert_eq!(orders(&store).len(), 7);
    store.commit(put(21, &[21; 20])).unwrap();
    drop(store);
    lose_index(&home);
    let store = home.open();
    assert_eq!(orders(&store).len(), 8);
    assert_eq!(store.check(), Ok(vec![]));
}

#[test]
fn an_index_in_use_is_not_marked_as_closed() {
    let home = Home::new();
    let store = home.create();
    let mark = || fs::read(home.dir().join("index/mark")).unwrap();
    assert_ne!(mark(), b"closed");
    drop(store);
    assert_eq!(mark(), b"closed");
    let _store = home.open();
    assert_ne!(mark(), b"closed");
}

#[test]
fn an_index_ahead_of_a_restored_journal_is_not_believed() {
    let (home, _) = filled();
    let image = home.image();
    let mut store = home.open();
    store.commit(put(0, &[9; 20])).unwrap();
    drop(store);
    let ahead = tempfile::tempdir().unwrap();
    copy_all(&home.dir().join("index"), ahead.path());
    home.restore(&image);
    lose_index(&home);
    copy_all(ahead.path(), &home.dir().join("index"));
    assert_eq!(home.open().get(&key(0)), Ok(Some(vec![0; 20])));
}

#[test]
fn an_index_that_lies_never_makes_one_record_pass_for_another() {
    let (home, _) = filled();
    let store = home.open();
    let address = |order| store.hasher.address(key(0).table, &key(0).scope, order);
    let other = store.with_index(|index| index.record(&address(2))).unwrap().unwrap();
    let lie = |index: &Index| {
        let mut changes = Changes::default();
        changes.put_record(&address(1), other);
        index.apply(changes)
    };
    store.with_index(lie).unwrap();
    assert_eq!(store.get(&key(1)), Err(StoreError::Damaged));
    assert_eq!(store.get(&key(2)), Ok(Some(vec![2; 20])));
}

#[test]
fn damage_never_costs_a_secret_whose_name_it_hides() {
    let home = Home::new();
    let mut store = home.create();
    store.commit(put_secret(1, b"one")).unwrap();
    store.commit(put_secret(2, b"two")).unwrap();
    drop(store);
    let (path, image) = (home.segments()[0].clone(), fs::read(&home.segments()[0]).unwrap());
    flip(&path, 60);
    lose_index(&home);
    for _ in 0..2 {
        let store = home.open();
        assert_eq!((secret(&store, 1), store.damage().len()), (None, 1), "named at every opening");
    }
    fs::write(&path, image).unwrap();
    lose_index(&home);
    assert_eq!(secret(&home.open(), 1), Some(b"one".to_vec()), "the file came back, and so did the secret");
}
