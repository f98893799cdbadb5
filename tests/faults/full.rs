//! A disk that is really full: a small file system of its own, and, for users who may not mount one, a limit on the
//! size of files, which refuses writes in the same places.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::picket;
use crate::laptop::{Laptop, until};

/// A small file system of its own, in memory; none where this user may not mount.
pub(super) struct SmallDisk(TempDir);

impl SmallDisk {
    /// With room for so many MiB.
    pub(super) fn new(mib: usize) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mount = |args: &[&str]| Command::new("mount").args(args).arg(folder.path()).output();
        let mounted = mount(&["-t", "tmpfs", "-o", &format!("size={mib}m"), "piquet-test"]);
        if !mounted.is_ok_and(|output| output.status.success()) {
            // Past the test harness, so that it is seen in every run.
            let _ = std::io::stderr().write_all(b"SKIPPED: this user may not mount a small disk\n");
            return None;
        }
        Some(Self(folder))
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(super) fn read_only(&self, yes: bool) {
        let how = if yes { "remount,ro" } else { "remount,rw" };
        let done = Command::new("mount").args(["-o", how]).arg(self.path()).status().unwrap();
        assert!(done.success());
    }

    fn filler(&self) -> PathBuf {
        self.path().join("filler")
    }

    /// Takes all the room there is.
    pub(super) fn fill(&self) {
        let mut file = fs::File::create(self.filler()).unwrap();
        for size in [64 << 10, 1 << 10, 1] {
            while file.write_all(&vec![7; size]).is_ok() {}
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

/// A way to leave a laptop without room.
enum Full {
    Mounted(SmallDisk),
    /// No file of the laptop's processes may have a byte.
    #[cfg(target_os = "linux")]
    Limited,
}

impl Full {
    fn mounted() -> Option<Self> {
        SmallDisk::new(64).map(Self::Mounted)
    }

    fn laptop(&self) -> Laptop {
        match self {
            Self::Mounted(disk) => Laptop::in_folder(tempfile::tempdir_in(disk.path()).unwrap()),
            #[cfg(target_os = "linux")]
            Self::Limited => Laptop::within(&limited("unlimited")),
        }
    }

    fn fill(&self, laptop: &mut Laptop) {
        match self {
            Self::Mounted(disk) => disk.fill(),
            #[cfg(target_os = "linux")]
            Self::Limited => limit(laptop, Some(0)),
        }
    }

    fn make_room(&self, laptop: &mut Laptop) {
        match self {
            Self::Mounted(disk) => fs::remove_file(disk.filler()).unwrap(),
            #[cfg(target_os = "linux")]
            Self::Limited => limit(laptop, None),
        }
    }
}

/// What runs a program under a limit on its files, with the error for what goes beyond in the place of a signal.
#[cfg(target_os = "linux")]
fn limited(most: &str) -> [String; 4] {
    ["sh", "-c", &format!("trap '' XFSZ; ulimit -S -f {most}; exec \"$@\""), "sh"].map(str::to_owned)
}

/// Sets the limit for a laptop's commands, and for its node if one runs.
#[cfg(target_os = "linux")]
fn limit(laptop: &mut Laptop, most: Option<u64>) {
    use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
    laptop.within = limited(&most.map_or("unlimited".to_owned(), |most| most.to_string())).to_vec();
    let Some(node) = laptop.running() else { return };
    let node = Pid::from_raw(node.try_into().unwrap());
    prlimit(node, Resource::Fsize, Rlimit { current: most, ..getrlimit(Resource::Fsize) }).unwrap();
}

#[test]
fn a_full_disk_loses_nothing_and_goes_on_when_there_is_room() {
    if let Some(full) = Full::mounted() {
        loses_nothing_and_goes_on(&full);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn files_that_may_not_grow_lose_nothing_and_go_on_when_they_may() {
    loses_nothing_and_goes_on(&Full::Limited);
}

fn loses_nothing_and_goes_on(full: &Full) {
    let (alice, mut bob) = picket(Laptop::empty(), full.laptop());
    bob.one(&["send", "picket", "one"]);
    until("alice has it", || alice.texts("picket") == ["one"]);

    full.fill(&mut bob);
    // What is left of the last block may hold a little more.
    let mut said = vec!["one".to_owned()];
    let refused = (0..10_000).find_map(|number| {
        let text = format!("{number} {}", "x".repeat(900));
        let output = bob.command(&bob.home()).args(["--json", "send", "picket", &text]).output().unwrap();
        if output.status.success() {
            said.push(text);
            return None;
        }
        Some(output)
    });
    let refused = refused.expect("the disk is full at some time");
    let error: serde_json::Value = serde_json::from_slice(&refused.stderr).unwrap();
    assert_eq!((refused.status.code(), error["error"]["code"].as_str()), (Some(1), Some("disk_full")));
    assert!(error["error"]["hint"].as_str().unwrap().contains("room"), "{error}");
    assert_eq!(bob.texts("picket"), said, "it goes on reading");
    assert!(
        bob.json(&["doctor"]).iter().any(|finding| finding["check"] == "disk"
            && finding["ok"] == false
            && finding["hint"].is_string())
    );

    // What comes from others does not fit either: it is not acknowledged.
    let sent = alice.one(&["send", "picket", &"from alice ".repeat(400)]);
    for _ in 0..10 {
        assert_eq!(bob.texts("picket"), said);
        let message = alice.json(&["read", "picket", "--limit", "1"]).pop().unwrap();
        assert_eq!((&message["id"], &message["state"]), (&sent["id"], &"saved".into()));
    }

    // Killed and started again on the full disk, nothing is lost either.
    bob.kill();
    assert_eq!(bob.refused(&["up"]), (1, "disk_full".into()));
    for _ in 0..3 {
        assert_eq!(bob.texts("picket"), said, "it is read without a node, too");
        assert_eq!(bob.refused(&["send", "picket", "no room"]), (1, "disk_full".into()));
    }
    assert_eq!(bob.one(&["group", "list"])["name"], "picket");
    assert_eq!(bob.one(&["status"])["groups"].as_array().unwrap().len(), 1);
    let output = bob.run(&["read", "picket"]);
    let told = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    assert!(told.contains("disk is full"), "people are told: {told}");

    full.make_room(&mut bob);
    bob.up();
    until("it is fetched again", || bob.texts("picket").len() == said.len() + 1);
    bob.one(&["send", "picket", "two"]);
    until("alice has everything of bob", || {
        let texts = alice.texts("picket");
        said.iter().all(|text| texts.contains(text)) && texts.contains(&"two".to_owned())
    });
    until("alice is told", || {
        alice.json(&["read", "picket"]).iter().any(|m| m["id"] == sent["id"] && m["state"] == "delivered")
    });
}

#[test]
fn a_node_on_a_full_disk_fetches_again_when_there_is_room() {
    if let Some(full) = Full::mounted() {
        fetches_again(&full);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_node_whose_files_may_not_grow_fetches_again_when_they_may() {
    fetches_again(&Full::Limited);
}

fn fetches_again(full: &Full) {
    let (alice, mut bob) = picket(Laptop::empty(), full.laptop());
    full.fill(&mut bob);
    for number in 0..20 {
        alice.one(&["send", "picket", &format!("{number} {}", "y".repeat(3000))]);
    }
    let before = bob.texts("picket").len();
    assert!(before < 20, "they don't fit");
    bob.event("disk_full");
    full.make_room(&mut bob);
    // The same process, with no command and no restart.
    until("all is there", || bob.texts("picket").len() == 20);
    bob.event("disk_again");
}

#[test]
fn a_profile_on_a_full_disk_can_be_destroyed() {
    let Some(disk) = SmallDisk::new(16) else { return };
    let laptop = Laptop::in_folder(tempfile::tempdir_in(disk.path()).unwrap());
    assert!(laptop.run(&["init", "--no-passphrase"]).status.success());
    laptop.one(&["group", "create", "picket"]);
    disk.fill();
    assert!(laptop.run(&["wipe", "--yes"]).status.success());
    assert!(!laptop.home().exists());
}
