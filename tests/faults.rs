//! What can happen to a process, a disk and a profile folder: nothing acknowledged is lost, the rest goes on,
//! and people are told what happened and what to do.

mod damage;
#[cfg(unix)]
mod forced;
mod full;
#[cfg(unix)]
mod killed;
mod places;
mod traces;
#[cfg(unix)]
mod wiped;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::laptop::Laptop;

/// Alice's group with Bob in it, on laptops of the story's choice, both nodes up.
fn picket(mut alice: Laptop, mut bob: Laptop) -> (Laptop, Laptop) {
    for (laptop, name) in [(&mut alice, "alice"), (&mut bob, "bob")] {
        let made = laptop.run(&["init", "--no-passphrase", "--name", name]);
        assert!(made.status.success(), "{made:?}");
        laptop.up();
    }
    alice.one(&["group", "create", "picket"]);
    assert_eq!(bob.one(&["join", &alice.invite("picket")])["state"], "joined");
    (alice, bob)
}

/// A node that a story started by itself; killed at its end.
struct Running(Child);

impl Running {
    /// Starts it and waits until it has said that it is ready.
    fn start(command: &mut Command) -> Self {
        let mut running = Self(command.stdout(Stdio::piped()).spawn().unwrap());
        let mut line = String::new();
        BufReader::new(running.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.contains("ready"), "{line}");
        running
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Copies a folder's files, in the place of what is there.
fn put_back(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (path, kind) = (to.join(entry.file_name()), entry.file_type().unwrap());
        if kind.is_dir() {
            put_back(&entry.path(), &path);
        } else if kind.is_file() {
            fs::copy(entry.path(), path).unwrap();
        }
    }
}

/// All regular files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            found.extend(files(&entry.path()));
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
    found.sort();
    found
}

/// Whether somebody was caught signing two entries for one place, in the eyes of this laptop.
fn sees_equivocation(laptop: &Laptop) -> bool {
    let groups = laptop.one(&["status"])["groups"].clone();
    groups
        .as_array()
        .unwrap()
        .iter()
        .any(|group| group["equivocators"].as_array().is_some_and(|who| !who.is_empty()))
}
