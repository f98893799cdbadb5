//! Profiles in odd places, copied, or put back in time.

use std::ffi::OsString;
use std::fs;

use serde_json::Value;

use super::{Running, picket, put_back, sees_equivocation};
use crate::laptop::{Laptop, until};

#[test]
fn a_profile_put_back_in_time_stops_at_the_first_peer_and_asks_for_a_new_code() {
    let (alice, mut bob) = picket(Laptop::empty(), Laptop::empty());
    bob.kill();
    let image = tempfile::tempdir().unwrap();
    put_back(bob.folder.path(), image.path());
    bob.up();
    bob.one(&["send", "picket", "said since"]);
    until("alice has it", || alice.texts("picket") == ["said since"]);
    bob.kill();
    // The whole machine is put back, what it remembers of the profile too: nothing shows it at opening.
    put_back(&image.path().join("home"), &bob.home());
    put_back(&image.path().join("state"), &bob.folder.path().join("state"));
    bob.one(&["send", "picket", "at the same place"]);
    bob.up();
    bob.event("rolled_back");
    assert_eq!(bob.refused(&["send", "picket", "more"]), (4, "rolled_back".into()));
    alice.one(&["send", "picket", "bob?"]);
    until("bob still reads", || bob.texts("picket").contains(&"bob?".to_owned()));
    assert_eq!(alice.texts("picket"), ["said since", "bob?"], "nothing of the old copy left it");
    assert!(!sees_equivocation(&alice));
    // What the hint says works.
    assert_eq!(bob.one(&["join", &alice.invite("picket")])["state"], "joined");
    bob.one(&["send", "picket", "as a new device"]);
    until("alice reads it", || alice.texts("picket").contains(&"as a new device".to_owned()));
}

#[test]
fn a_profile_put_back_while_the_machine_remembers_stops_at_opening() {
    let (alice, mut bob) = picket(Laptop::empty(), Laptop::empty());
    bob.kill();
    let image = tempfile::tempdir().unwrap();
    put_back(&bob.home(), image.path());
    bob.one(&["send", "picket", "said since"]);
    put_back(image.path(), &bob.home());
    assert_eq!(bob.refused(&["send", "picket", "at the same place"]), (4, "rolled_back".into()));
    assert!(bob.run(&["read", "picket"]).status.success(), "it still reads");
    bob.up();
    assert!(!sees_equivocation(&alice));
}

#[test]
fn a_profile_whose_machine_forgot_it_is_taken_for_a_copy() {
    let laptop = Laptop::of("alice");
    laptop.one(&["group", "create", "picket"]);
    for entry in fs::read_dir(laptop.folder.path().join("state")).unwrap().map(Result::unwrap) {
        fs::write(entry.path(), b"?").unwrap();
    }
    assert_eq!(laptop.refused(&["send", "picket", "hello"]), (4, "rolled_back".into()));
    assert!(laptop.run(&["read", "picket"]).status.success());
}

#[test]
fn one_process_at_a_time_uses_a_profile() {
    let mut laptop = Laptop::of("alice");
    laptop.one(&["group", "create", "picket"]);
    let held = fs::File::open(laptop.home().join("lock")).unwrap();
    held.lock().unwrap();
    for args in [&["up"][..], &["send", "picket", "hello"], &["doctor"]] {
        assert_eq!(laptop.refused(args), (1, "profile_locked".into()), "{args:?}");
    }
    drop(held);
    laptop.up();
    assert_eq!(laptop.refused(&["up"]), (1, "already_running".into()));
    assert_eq!(laptop.json(&["group", "list"]).len(), 1);
}

#[cfg(target_os = "linux")]
#[test]
fn any_path_will_do() {
    use std::os::unix::ffi::OsStringExt;
    let names = [b"with some spaces, \xc3\xa9t\xc3\xa9".to_vec(), b"not \xff text".to_vec(), vec![b'x'; 200]];
    for name in names {
        let laptop = Laptop::empty();
        let home = laptop.folder.path().join(OsString::from_vec(name));
        let run = |args: &[&str]| laptop.command(&home).arg("--json").args(args).output().unwrap();
        let done = |args: &[&str]| {
            let output = run(args);
            assert!(output.status.success(), "{home:?} {args:?}: {output:?}");
            output.stdout
        };
        done(&["init", "--no-passphrase"]);
        done(&["group", "create", "picket"]);
        let mut node = laptop.command(&home);
        let node = Running::start(node.args(["--json", "up", "--listen", "/ip4/127.0.0.1/tcp/0"]));
        let status: Value = serde_json::from_slice(&done(&["status"])).unwrap();
        assert!(status["peer"].is_string(), "the node answers: {status}");
        done(&["send", "picket", "hello"]);
        drop(node);
        done(&["wipe", "--yes"]);
        assert!(!home.exists(), "{home:?}");
    }
}

#[test]
fn a_file_is_no_home() {
    let laptop = Laptop::empty();
    fs::write(laptop.home(), "a letter").unwrap();
    for args in
        [&["status"][..], &["init", "--no-passphrase"], &["up", "--no-passphrase"], &["wipe", "--yes"]]
    {
        assert_eq!(laptop.refused(args), (1, "home_is_file".into()), "{args:?}");
    }
    assert_eq!(fs::read_to_string(laptop.home()).unwrap(), "a letter");
}

#[test]
fn a_folder_that_can_not_be_written_is_said_so() {
    let Some(disk) = crate::faults::full::SmallDisk::new(16) else { return };
    let laptop = Laptop::in_folder(tempfile::tempdir_in(disk.path()).unwrap());
    assert!(laptop.run(&["init", "--no-passphrase"]).status.success());
    laptop.one(&["group", "create", "picket"]);
    disk.read_only(true);
    for args in [&["send", "picket", "hello"][..], &["up"], &["status"], &["wipe", "--yes"]] {
        assert_eq!(laptop.refused(args), (1, "read_only".into()), "{args:?}");
    }
    disk.read_only(false);
    laptop.one(&["send", "picket", "hello"]);
    assert_eq!(laptop.texts("picket"), ["hello"]);
}
