//! Somebody stands behind whoever types: what opens is empty, and what was there is gone.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use super::full::SmallDisk;
use super::{Running, files};
use crate::laptop::{Laptop, until};

/// Bob's laptop, and the words he knows, a file each.
struct Bob {
    laptop: Laptop,
    first: PathBuf,
    duress: PathBuf,
}

impl Bob {
    fn new() -> Self {
        Self::on(Laptop::empty())
    }

    fn on(laptop: Laptop) -> Self {
        let file = |name: &str, words: &str| {
            let path = laptop.folder.path().join(name);
            fs::write(&path, words).unwrap();
            path
        };
        let (first, duress) =
            (file("first", "six words for every day\n"), file("duress", "six for the rest\n"));
        let bob = Self { laptop, first, duress };
        bob.one(&bob.first, &["init", "--name", "bob"]);
        bob
    }

    fn command(&self, typed: &Path, args: &[&str]) -> Command {
        let mut command = self.laptop.command(&self.laptop.home());
        command.env("PIQUET_PASSPHRASE_FILE", typed).arg("--json").args(args);
        command
    }

    fn run(&self, typed: &Path, args: &[&str]) -> Output {
        self.command(typed, args).output().unwrap()
    }

    fn json(&self, typed: &Path, args: &[&str]) -> Vec<Value> {
        let output = self.run(typed, args);
        assert!(output.status.success(), "{args:?}: {output:?}");
        assert!(output.stderr.is_empty(), "not a word beside: {output:?}");
        String::from_utf8(output.stdout)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    fn one(&self, typed: &Path, args: &[&str]) -> Value {
        self.json(typed, args).into_iter().next().unwrap_or_else(|| panic!("{args:?} printed nothing"))
    }

    /// Exit code and error code of what must fail.
    fn refused(&self, typed: &Path, args: &[&str]) -> (i32, String) {
        let output = self.run(typed, args);
        let error: Value = serde_json::from_slice(&output.stderr).unwrap();
        (output.status.code().unwrap(), error["error"]["code"].as_str().unwrap().to_owned())
    }

    fn up(&self, typed: &Path) -> Running {
        Running::start(&mut self.command(typed, &["up", "--listen", "/ip4/127.0.0.1/tcp/0"]))
    }

    fn set_duress(&self) {
        let file = self.duress.to_str().unwrap();
        self.one(&self.first, &["passphrase", "--duress", "--new-file", file]);
    }
}

#[test]
fn whoever_is_forced_opens_an_empty_profile_and_can_come_in_again() {
    let mut alice = Laptop::of("alice");
    alice.up();
    alice.one(&["group", "create", "picket"]);
    let bob = Bob::new();
    let node = bob.up(&bob.first);
    assert_eq!(bob.one(&bob.first, &["join", &alice.invite("picket")])["state"], "joined");
    bob.one(&bob.first, &["send", "picket", "meet at the depot"]);
    until("it has gone out", || alice.texts("picket") == ["meet at the depot"]);
    assert_eq!(bob.refused(&bob.first, &["passphrase", "--duress"]), (1, "profile_locked".into()));
    // A node that runs asks for no passphrase: it is ended first.
    assert_eq!(bob.one(&bob.duress, &["read", "picket"])["text"], "meet at the depot");
    bob.one(&bob.duress, &["lock"]);
    drop(node);
    assert_eq!(bob.refused(&bob.duress, &["status"]), (4, "wrong_passphrase".into()), "not set yet");
    bob.set_duress();
    assert_eq!(bob.json(&bob.first, &["read", "picket"]).len(), 1);

    let home = bob.laptop.home();
    let keys = ["header", "vault"].map(|name| File::open(home.join(name)).unwrap());
    let before = keys.each_ref().map(bytes);
    let segments = files(&home.join("journal"));
    assert_eq!(bob.json(&bob.duress, &["group", "list"]), Vec::<Value>::new());
    let status = bob.one(&bob.duress, &["status"]);
    assert_eq!((status["groups"].clone(), status["joining"].clone()), (serde_json::json!([]), 0.into()));
    for (file, before) in keys.iter().zip(&before) {
        let after = bytes(file);
        let same = before.iter().zip(&after).filter(|(before, after)| before == after).count();
        assert!(same < before.len() / 2, "{same} of {}", before.len());
    }
    let old = segments.iter().filter(|path| path.exists()).count();
    assert_eq!((segments.is_empty(), old), (false, 0), "no file of before is left");
    assert_eq!(bob.refused(&bob.first, &["status"]), (4, "wrong_passphrase".into()));

    let node = bob.up(&bob.duress);
    let code = alice.invite("picket");
    assert_eq!(bob.one(&bob.duress, &["join", &code, "--name", "bob again"])["state"], "joined");
    bob.one(&bob.duress, &["send", "picket", "here again"]);
    // A newcomer's first words may stand before what it could not read.
    until("alice reads what the new profile says", || {
        let texts = alice.texts("picket");
        texts.len() == 2 && texts.contains(&"here again".to_owned())
    });
    drop(node);
    assert_eq!(bob.one(&bob.duress, &["group", "list"])["name"], "picket");
}

/// What is in a file, whether it has a name or not.
fn bytes(mut file: &File) -> Vec<u8> {
    let mut bytes = Vec::new();
    std::io::Seek::rewind(&mut file).unwrap();
    file.read_to_end(&mut bytes).unwrap();
    bytes
}

#[test]
fn a_duress_passphrase_is_set_changed_and_taken_away() {
    let bob = Bob::new();
    bob.one(&bob.first, &["group", "create", "picket"]);
    let first = bob.first.to_str().unwrap().to_owned();
    let duress = bob.duress.to_str().unwrap().to_owned();
    let set = |file: &str| bob.refused(&bob.first, &["passphrase", "--duress", "--new-file", file]);
    assert_eq!(set(&first), (1, "same_passphrase".into()));
    assert_eq!(
        bob.refused(&bob.duress, &["passphrase", "--duress", "--remove"]),
        (4, "wrong_passphrase".into())
    );
    bob.set_duress();
    assert_eq!(
        bob.refused(&bob.first, &["passphrase", "--new-file", &duress]),
        (1, "same_passphrase".into())
    );
    bob.one(&bob.first, &["passphrase", "--duress", "--remove"]);
    assert_eq!(bob.refused(&bob.duress, &["status"]), (4, "wrong_passphrase".into()));
    assert_eq!(bob.json(&bob.first, &["group", "list"]).len(), 1);

    let laptop = Laptop::of("alice");
    assert_eq!(
        laptop.refused(&["passphrase", "--duress", "--new-file", &duress]),
        (1, "no_passphrase".into())
    );
}

#[test]
fn a_full_disk_saves_nothing_from_a_duress_passphrase() {
    let Some(disk) = SmallDisk::new(64) else { return };
    let bob = Bob::on(Laptop::in_folder(tempfile::tempdir_in(disk.path()).unwrap()));
    bob.one(&bob.first, &["group", "create", "picket"]);
    bob.one(&bob.first, &["send", "picket", "meet at the depot"]);
    bob.set_duress();
    disk.fill();
    assert_eq!(bob.json(&bob.duress, &["group", "list"]), Vec::<Value>::new());
    assert_eq!(bob.refused(&bob.first, &["group", "list"]), (4, "wrong_passphrase".into()));
    assert_eq!(bob.json(&bob.duress, &["group", "list"]), Vec::<Value>::new());
}

#[test]
fn what_is_said_of_it_is_said_in_both_languages() {
    let bob = Bob::new();
    let mut heard = Vec::new();
    for lang in ["en", "fr"] {
        for args in [&["--duress", "--new-file", bob.duress.to_str().unwrap()][..], &["--duress", "--remove"]]
        {
            let mut command = Command::new(env!("CARGO_BIN_EXE_piquet"));
            command.arg("--home").arg(bob.laptop.home()).args(["--lang", lang, "passphrase"]).args(args);
            command.env("PIQUET_STATE", bob.laptop.folder.path().join("state"));
            let output = command.env("PIQUET_PASSPHRASE_FILE", &bob.first).output().unwrap();
            heard.push(String::from_utf8(output.stdout).unwrap());
        }
    }
    for (said, word) in heard.iter().zip(["destroys", "No duress", "détruit", "Aucune phrase de contrainte"])
    {
        assert!(said.contains(word), "{said}");
    }
}

#[test]
fn a_running_node_is_locked_at_once() {
    let mut laptop = Laptop::of("alice");
    let before = laptop.run(&["lock"]);
    assert!(before.status.success() && String::from_utf8(before.stdout).unwrap().contains("nothing to lock"));
    laptop.up();
    laptop.one(&["group", "create", "picket"]);
    laptop.one(&["lock"]);
    assert!(laptop.ended().success());
    assert_eq!(laptop.json(&["group", "list"]).len(), 1, "nothing was lost");
    assert_eq!(Laptop::empty().refused(&["lock"]), (1, "no_profile".into()));
}

#[test]
fn a_node_that_does_not_end_is_said_not_to_be_locked() {
    let mut laptop = Laptop::of("alice");
    laptop.up();
    let signal = |name: &str| {
        let sent = Command::new("kill").args([name, &laptop.pid().to_string()]).status();
        assert!(sent.unwrap().success());
    };
    signal("-STOP");
    assert_eq!(laptop.refused(&["lock"]), (1, "not_locked".into()));
    signal("-CONT");
    assert!(laptop.ended().success(), "it was told to end");
}
