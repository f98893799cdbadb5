//! Profiles that were copied to another machine or restored from an old image.

use std::fs;

use piquet_protocol::store::Store;

use super::support::{Home, copy_all, put};
use crate::store::Continuity;

#[test]
fn on_its_own_machine_a_profile_goes_on() {
    let home = Home::with_profile();
    for _ in 0..3 {
        assert_eq!(home.try_open().unwrap().continuity, Continuity::Same);
    }
}

#[test]
fn a_copy_is_noticed_on_another_machine_and_stays_noticed_until_settled() {
    let (home, elsewhere) = (Home::with_profile(), Home::elsewhere());
    elsewhere.restore(&home.image());
    assert_eq!(elsewhere.try_open().unwrap().continuity, Continuity::Copied);
    let mut opened = elsewhere.try_open().unwrap();
    assert_eq!(opened.continuity, Continuity::Copied, "a restart does not make it right");
    opened.store.settle().unwrap();
    drop(opened);
    assert_eq!(elsewhere.try_open().unwrap().continuity, Continuity::Same);
    assert_eq!(home.try_open().unwrap().continuity, Continuity::Same, "the original goes on");
}

#[test]
fn a_copy_is_noticed_though_the_whole_home_was_copied() {
    let (home, elsewhere) = (Home::with_profile(), Home::elsewhere());
    copy_all(home.image().path(), elsewhere.dir().parent().unwrap());
    assert_eq!(elsewhere.try_open().unwrap().continuity, Continuity::Copied);
}

#[test]
fn an_old_image_is_noticed_as_often_as_it_is_restored() {
    let home = Home::with_profile();
    let image = home.image();
    home.open();
    for _ in 0..2 {
        home.restore(&image);
        let mut opened = home.try_open().unwrap();
        assert_eq!(opened.continuity, Continuity::RolledBack);
        opened.store.settle().unwrap();
        drop(opened);
        assert_eq!(home.try_open().unwrap().continuity, Continuity::Same);
    }
}

#[test]
fn a_profile_that_was_used_elsewhere_in_between_is_a_copy() {
    let (home, clone) = (Home::with_profile(), Home::new());
    clone.restore(&home.image());
    assert_eq!(clone.try_open().unwrap().continuity, Continuity::Copied, "this clone remembers nothing");
    clone.open();
    home.restore(&clone.image());
    assert_eq!(home.try_open().unwrap().continuity, Continuity::Copied);
}

#[test]
fn a_machine_that_forgot_takes_a_profile_for_a_copy() {
    let home = Home::with_profile();
    drop(home.open());
    fs::remove_dir_all(home.dir().parent().unwrap().join("state")).unwrap();
    assert_eq!(home.try_open().unwrap().continuity, Continuity::Copied);
}

#[test]
fn batches_of_a_restored_profile_never_repeat_the_numbers_of_lost_ones() {
    let home = Home::with_profile();
    let image = home.image();
    let mut store = home.open();
    store.commit(put(1, b"lost")).unwrap();
    let lost = store.keyring.vault.segments.values().map(|segment| segment.first_batch).max();
    drop(store);
    home.restore(&image);
    let mut store = home.open();
    store.commit(put(1, b"new")).unwrap();
    assert!(store.keyring.vault.segments.values().map(|segment| segment.first_batch).max() > lost);
}
