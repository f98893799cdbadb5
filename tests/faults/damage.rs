//! Files that were cut, overwritten or lost: what can't be read is named, the rest goes on.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{files, picket, put_back, sees_equivocation};
use crate::laptop::{Laptop, until};

/// Overwrites some bytes in the middle of a file.
fn harm(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    let end = (middle + 40).min(bytes.len());
    bytes[middle..end].iter_mut().for_each(|byte| *byte ^= 0xa5);
    fs::write(path, bytes).unwrap();
}

fn segments(laptop: &Laptop) -> Vec<PathBuf> {
    let segments = files(&laptop.home().join("journal"));
    segments.into_iter().filter(|path| fs::metadata(path).unwrap().len() > 0).collect()
}

/// What `doctor` is not content with.
fn troubles(laptop: &Laptop) -> Vec<Value> {
    let findings = laptop.json(&["doctor"]);
    findings.into_iter().filter(|finding| finding["ok"] == false && finding["check"] != "daemon").collect()
}

/// Alice and Bob who have talked for a while, and a group of Bob's alone.
fn talkative() -> (Laptop, Laptop) {
    let (alice, bob) = picket(Laptop::empty(), Laptop::empty());
    for number in 0..4 {
        alice.one(&["send", "picket", &format!("alice {number}")]);
        bob.one(&["send", "picket", &format!("bob {number}")]);
    }
    until("both have it", || alice.texts("picket").len() == 8 && bob.texts("picket").len() == 8);
    bob.one(&["group", "create", "notes"]);
    bob.one(&["send", "notes", "to myself"]);
    (alice, bob)
}

/// How it goes on with a group after damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    /// Everything is there, and it writes again.
    Whole,
    /// Own newest entries are lost: it takes a new code.
    OldCopy,
    /// What it stands on is lost: it takes a new code.
    Closed,
}

fn after(laptop: &Laptop, group: &str, messages: usize) -> Option<After> {
    let findings = laptop.json(&["doctor"]);
    let trouble = |check: &str| findings.iter().find(|finding| finding["check"] == check);
    let Some(found) = trouble(&format!("group {group}")) else {
        return trouble("closed").map(|_| After::Closed);
    };
    if found["ok"] == true {
        return (laptop.texts(group).len() == messages).then_some(After::Whole);
    }
    found["detail"].as_str().unwrap().contains("rolled_back").then_some(After::OldCopy)
}

#[test]
fn whichever_segment_is_harmed_it_is_named_and_what_others_have_comes_back() {
    let (mut alice, mut bob) = talkative();
    let listen = alice.one(&["status"])["listen"][0].as_str().unwrap().to_owned();
    let images = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    for (laptop, image) in [&mut alice, &mut bob].into_iter().zip(&images) {
        laptop.kill();
        put_back(laptop.folder.path(), image.path());
    }
    let count = segments(&bob).len();
    assert!(count >= 4, "of every kind one at least");
    let mut ends = Vec::new();
    for number in 0..count {
        for (laptop, image) in [&mut alice, &mut bob].into_iter().zip(&images) {
            laptop.kill();
            put_back(&image.path().join("home"), &laptop.home());
            put_back(&image.path().join("state"), &laptop.folder.path().join("state"));
        }
        alice.up_at(&listen);
        let harmed = segments(&bob)[number].clone();
        harm(&harmed);
        let name = format!("journal/{}", harmed.file_name().unwrap().to_str().unwrap());
        let named = troubles(&bob).into_iter().filter(|finding| finding["check"] == "journal");
        let named: Vec<_> = named.collect();
        assert!(!named.is_empty(), "{name}");
        for finding in named {
            assert!(finding["detail"].as_str().unwrap().contains(&name), "{finding}");
            assert!(finding["hint"].is_string());
        }
        bob.up();
        let mut end = None;
        until(&format!("bob goes on after {name}, or says why not"), || {
            end = after(&bob, "picket", 8);
            end.is_some()
        });
        ends.extend(end.map(|end| (troubles(&bob)[0]["detail"].to_string(), end)));
        bob.kill();
        assert!(!sees_equivocation(&alice), "{name}");
    }
    let whole = ends.iter().filter(|(_, end)| *end == After::Whole).count();
    assert!(whole * 2 >= ends.len(), "{ends:?}");
}

#[test]
fn a_message_that_can_not_be_read_costs_no_other_and_comes_back() {
    let (alice, mut bob) = talkative();
    bob.kill();
    // Talk lies in the segment that grew with it.
    let before: Vec<u64> = segments(&bob).iter().map(|path| fs::metadata(path).unwrap().len()).collect();
    let talk = before.iter().enumerate().max_by_key(|(_, len)| **len).map(|(at, _)| at).unwrap();
    let _ = talk;
    let kinds = |laptop: &Laptop| -> Vec<String> {
        troubles(laptop).iter().map(|finding| finding["detail"].as_str().unwrap().to_owned()).collect()
    };
    let image = tempfile::tempdir().unwrap();
    put_back(bob.folder.path(), image.path());
    let harmed = segments(&bob).into_iter().find(|path| {
        harm(path);
        let found = kinds(&bob).iter().any(|kind| kind.starts_with("talk"));
        if !found {
            put_back(&image.path().join("home"), &bob.home());
            put_back(&image.path().join("state"), &bob.folder.path().join("state"));
        }
        found
    });
    assert!(harmed.is_some());
    // Without a node: what is readable is read, nothing is written over what may be lost.
    let texts = bob.texts("picket");
    assert!((4..8).contains(&texts.len()), "{texts:?}");
    assert_eq!(bob.texts("notes"), ["to myself"]);
    assert_eq!(bob.refused(&["send", "picket", "too early"]), (1, "mending".into()));
    bob.up();
    until("all is back", || after(&bob, "picket", 8) == Some(After::Whole));
    bob.one(&["send", "picket", "and on"]);
    until("alice reads it", || alice.texts("picket").len() == 9);
    assert!(!sees_equivocation(&alice) && !sees_equivocation(&bob));
    bob.kill();
    assert!(kinds(&bob).iter().any(|kind| kind.starts_with("talk")), "the disk's fault is still named");
    bob.one(&["send", "picket", "once more, offline"]);
}

#[test]
fn a_running_node_that_meets_damage_goes_on() {
    let (alice, bob) = talkative();
    for path in segments(&bob) {
        let mut bytes = fs::read(&path).unwrap();
        let from = bytes.len().saturating_sub(300);
        bytes[from..].iter_mut().for_each(|byte| *byte ^= 0x5a);
        fs::write(&path, bytes).unwrap();
    }
    // It still knows what it holds in memory; what it must read it finds to be damaged, and says so.
    assert!(!troubles(&bob).is_empty());
    until("it has mended what it could, or says what it takes", || after(&bob, "picket", 8).is_some());
    assert!(!sees_equivocation(&alice));
}

#[test]
fn a_lost_index_costs_nothing() {
    let (_, mut bob) = talkative();
    bob.kill();
    for round in 0..3 {
        for path in files(&bob.home().join("index")) {
            match round {
                0 => fs::remove_file(&path).unwrap(),
                1 => fs::write(&path, b"").unwrap(),
                _ => harm(&path),
            }
        }
        assert_eq!((bob.texts("picket").len(), bob.texts("notes").len()), (8, 1));
        assert_eq!(troubles(&bob), Vec::<Value>::new());
    }
    bob.one(&["send", "picket", "and on"]);
}

#[test]
fn one_half_of_the_header_is_enough_and_without_any_it_is_said_what_is_lost() {
    let laptop = Laptop::of("alice");
    laptop.one(&["group", "create", "picket"]);
    let header = laptop.home().join("header");
    let whole = fs::read(&header).unwrap();
    let in_force = usize::from(!whole.starts_with(b"piquet"));
    let mut other = whole.clone();
    other[(1 - in_force) * 4096..][..4096].fill(0xff);
    fs::write(&header, other).unwrap();
    assert_eq!(laptop.json(&["group", "list"]).len(), 1);

    let image = fs::read(&header).unwrap();
    for harmed in [vec![0xff; 8192], vec![], image[..100].to_vec()] {
        fs::write(&header, harmed).unwrap();
        assert_eq!(laptop.refused(&["status"]), (5, "header_damaged".into()));
        assert_eq!(laptop.refused(&["doctor"]), (5, "header_damaged".into()));
    }
    fs::write(&header, image).unwrap();
    let vault = laptop.home().join("vault");
    let whole = fs::read(&vault).unwrap();
    for harmed in [vec![7; 5000], vec![], whole[..whole.len() - 1].to_vec()] {
        fs::write(&vault, harmed).unwrap();
        assert_eq!(laptop.refused(&["status"]), (5, "vault_damaged".into()));
        assert_eq!(laptop.refused(&["up"]), (5, "vault_damaged".into()));
    }
    fs::write(&vault, whole).unwrap();
    assert_eq!(laptop.json(&["group", "list"]).len(), 1);
    // The way out that is recommended works.
    fs::write(&vault, b"").unwrap();
    assert!(laptop.run(&["wipe", "--yes"]).status.success());
    assert!(laptop.run(&["init", "--no-passphrase"]).status.success());
}

#[test]
fn odd_files_in_the_folder_harm_nobody() {
    let mut laptop = Laptop::of("alice");
    laptop.one(&["group", "create", "picket"]);
    for name in ["lock", "control", "vault.next", "header.next", "journal/0000ffff", "journal/note", "room"] {
        fs::write(laptop.home().join(name), b"rubbish").unwrap();
    }
    laptop.up();
    laptop.one(&["send", "picket", "hello"]);
    laptop.kill();
    assert_eq!(laptop.texts("picket"), ["hello"]);
}
