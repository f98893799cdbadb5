//! Somebody is at the door: the profile goes, whatever its node is doing.

use std::fs::File;
use std::io::{Read, Seek};
use std::process::Command;

use crate::laptop::Laptop;

/// What is left in a file, whether it has a name or not.
fn left(mut file: &File) -> Vec<u8> {
    let mut bytes = Vec::new();
    file.rewind().unwrap();
    file.read_to_end(&mut bytes).unwrap();
    bytes
}

/// A laptop with a group and a node, and its files that hold keys.
fn in_use() -> (Laptop, Vec<(File, Vec<u8>)>) {
    let mut laptop = Laptop::of("alice");
    laptop.up();
    laptop.one(&["group", "create", "picket"]);
    laptop.one(&["send", "picket", "hello"]);
    let keys = ["header", "key", "vault"].map(|name| File::open(laptop.home().join(name)).unwrap());
    let keys = keys.into_iter().map(|file| (left(&file), file)).map(|(bytes, file)| (file, bytes)).collect();
    (laptop, keys)
}

fn is_gone(laptop: &Laptop, keys: &[(File, Vec<u8>)]) {
    assert!(!laptop.home().exists());
    for (file, before) in keys {
        let after = left(file);
        // Of random bytes few are where they were.
        let same = before.iter().zip(&after).filter(|(before, after)| before == after).count();
        assert!(same < before.len() / 8, "{same} of {}", before.len());
    }
    assert_eq!(laptop.refused(&["read", "picket"]), (1, "no_profile".into()));
}

#[test]
fn a_profile_with_its_node_running_is_wiped_and_the_node_ends() {
    let (mut laptop, keys) = in_use();
    laptop.one(&["wipe", "--yes"]);
    assert!(laptop.ended().success());
    is_gone(&laptop, &keys);
    assert!(laptop.run(&["init", "--no-passphrase"]).status.success(), "a new one can be made at once");
}

#[test]
fn a_node_that_hangs_keeps_nothing_from_being_wiped() {
    let (mut laptop, keys) = in_use();
    let signal = |name: &str| {
        let sent = Command::new("kill").args([name, &laptop.pid().to_string()]).status();
        assert!(sent.unwrap().success());
    };
    signal("-STOP");
    assert_eq!(laptop.refused(&["wipe", "--yes"]), (1, "still_running".into()));
    is_gone(&laptop, &keys);
    // What it does once it wakes up brings nothing back.
    signal("-CONT");
    assert!(laptop.ended().success(), "it was told to end");
    is_gone(&laptop, &keys);
}
