//! Backups with real processes: written while a node runs or not, read after everything else is gone.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::groups::union;
use crate::laptop::{Laptop, until};

/// Files that hold passphrases and phrases.
struct Papers {
    folder: tempfile::TempDir,
}

impl Papers {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("words"), "six words for a backup\n").unwrap();
        std::fs::write(folder.path().join("wrong"), "other words\n").unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// A command with one of these at hand: exit code, and the lines of its answer or failure.
    fn run(&self, laptop: &Laptop, words: &str, args: &[&str]) -> (i32, Vec<Value>) {
        let mut command = laptop.command(&laptop.home());
        command.env("PIQUET_BACKUP_PASSPHRASE_FILE", self.path(words));
        command.env("PIQUET_PHRASE_FILE", self.path("phrase"));
        let output = command.arg("--json").args(args).output().unwrap();
        let text = if output.status.success() { output.stdout } else { output.stderr };
        let lines = String::from_utf8(text).unwrap();
        let lines = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        (output.status.code().unwrap(), lines)
    }

    fn fails(&self, laptop: &Laptop, words: &str, args: &[&str]) -> (i32, String) {
        let (exit, lines) = self.run(laptop, words, args);
        (exit, lines[0]["error"]["code"].as_str().unwrap_or_default().to_owned())
    }
}

fn said(laptop: &Laptop, text: &str) -> bool {
    laptop.texts("riders").iter().any(|said| said == text)
}

fn has_profile(laptop: &Laptop) -> bool {
    laptop.home().join("header").exists()
}

#[test]
fn after_a_wipe_the_backup_is_read_and_the_phrase_brings_its_reader_back() {
    let mut laptops = union(&["amina", "bruno", "carla", "dia"]);
    let papers = Papers::new();
    let (file, phrase) = (papers.text("backup"), papers.text("phrase"));
    laptops[1].json(&["recovery", "new", "--file", &phrase]);
    laptops[1].one(&["send", "riders", "before the wipe"]);
    laptops[1].one(&["grievance", "file", "riders", "--category", "pay.late", "--platform", "Uber Eats"]);
    until("carla has heard it", || said(&laptops[2], "before the wipe"));
    let (exit, written) = papers.run(&laptops[1], "words", &["backup", &file]);
    assert_eq!((exit, &written[0]["file"], &written[0]["groups"]), (0, &file.as_str().into(), &1.into()));
    assert!(written[0]["entries"].as_u64() > Some(10) && written[0]["left_out"] == serde_json::json!([]));
    assert_eq!(papers.fails(&laptops[1], "words", &["backup", &file]), (1, "backup_exists".into()));
    laptops[3].one(&["send", "riders", "after the backup"]);
    until("carla has heard that, too", || said(&laptops[2], "after the backup"));
    let (members, own) = (laptops[1].json(&["group", "members", "riders"]), own_id(&laptops[1]));
    laptops[1].run(&["wipe", "--yes"]);
    assert!(!has_profile(&laptops[1]));
    laptops[1].kill();

    let (exit, made) = papers.run(&laptops[1], "words", &["restore", &file, "--no-passphrase"]);
    assert_eq!((exit, &made[0]["groups"], &made[0]["entries"]), (0, &1.into(), &written[0]["entries"]));
    assert!(said(&laptops[1], "before the wipe") && !said(&laptops[1], "after the backup"));
    let names = |members: &[Value]| members.iter().map(|m| m["name"].to_string()).collect::<Vec<_>>();
    assert_eq!(names(&laptops[1].json(&["group", "members", "riders"])), names(&members));
    assert_eq!(laptops[1].json(&["grievance", "list", "riders"]).len(), 1);
    assert_eq!(laptops[1].one(&["status"])["groups"][0]["frozen"], "restored");
    for args in [&["send", "riders", "hello?"][..], &["invite", "riders"], &["device", "add", "riders"]] {
        assert_eq!(laptops[1].refused(args), (4, "restored".into()));
    }
    laptops[1].up();
    let any_code = laptops[2].invite("riders");
    let (exit, joined) = papers.run(&laptops[1], "words", &["recovery", "join", &any_code]);
    assert_eq!((exit, &joined[0]["state"], &joined[0]["member"]), (0, &"joined".into(), &own.into()));
    until("it can write", || laptops[1].run(&["send", "riders", "back again"]).status.success());
    until("dia reads it as bruno's", || {
        let read = laptops[3].json(&["read", "riders"]);
        read.iter().any(|message| message["text"] == "back again" && message["name"] == "bruno")
    });
    let all = ["before the wipe", "after the backup", "back again"];
    until("bruno reads before and after", || all.iter().all(|text| said(&laptops[1], text)));
    assert_eq!(laptops[1].json(&["grievance", "list", "riders"]).len(), 1);
    let findings = laptops[1].json(&["doctor"]);
    assert!(findings.iter().all(|finding| finding["detail"] != "restored"), "{findings:?}");
    let equivocators = &laptops[3].one(&["status"])["groups"][0]["equivocators"];
    assert!(equivocators.is_null(), "{equivocators}");
}

fn own_id(laptop: &Laptop) -> String {
    let list = laptop.json(&["group", "members", "riders"]);
    list.iter().find(|member| member["me"] == true).unwrap()["member"].as_str().unwrap().to_owned()
}

/// Somebody alone with a group, without a node.
fn alone() -> Laptop {
    let laptop = Laptop::of("amina");
    laptop.one(&["group", "create", "riders"]);
    laptop.one(&["send", "riders", "hello"]);
    laptop
}

#[test]
fn what_is_no_backup_leaves_no_profile() {
    let (amina, papers, reader) = (alone(), Papers::new(), Laptop::empty());
    let file = papers.text("backup");
    assert_eq!(papers.run(&amina, "words", &["backup", &file]).0, 0);
    let restore = ["restore", &file, "--no-passphrase"];
    let whole = std::fs::read(&file).unwrap();
    let mut changed = whole.clone();
    *changed.last_mut().unwrap() ^= 1;
    let newer = [b"age-encryption.org/v2\n", &whole[22..]].concat();
    for bytes in [&whole[..whole.len() - 1], &whole[..100], &changed, b"", b"a shopping list", &newer] {
        std::fs::write(&file, bytes).unwrap();
        let (exit, code) = papers.fails(&reader, "words", &restore);
        assert!(exit == 5 && ["backup_damaged", "newer_backup"].contains(&code.as_str()), "{exit} {code}");
        assert!(!has_profile(&reader), "{code}");
    }
    std::fs::write(&file, &whole).unwrap();
    assert_eq!(papers.fails(&reader, "wrong", &restore), (4, "backup_passphrase".into()));
    assert_eq!(reader.refused(&restore), (1, "no_backup_passphrase".into()));
    assert!(!has_profile(&reader));
    assert_eq!(papers.run(&reader, "words", &restore).0, 0);
    assert_eq!(reader.texts("riders"), ["hello"]);
    assert_eq!(papers.fails(&reader, "words", &restore), (1, "profile_exists".into()));
    assert_eq!(papers.fails(&amina, "words", &restore), (1, "profile_exists".into()), "never into another");
}

/// No file may be longer than so many blocks of 512 bytes: too few for a profile, or for what comes into it.
#[cfg(target_os = "linux")]
#[test]
fn a_disk_without_room_for_a_backup_gets_no_half_of_a_profile() {
    let (amina, papers, mut reader) = (alone(), Papers::new(), Laptop::empty());
    let long = "never again ".repeat(1_300);
    amina.one(&["send", "riders", &long]);
    let file = papers.text("backup");
    assert_eq!(papers.run(&amina, "words", &["backup", &file]).0, 0);
    let restore = ["restore", &file, "--no-passphrase"];
    for most in ["0", "20", "unlimited"] {
        let limited = format!("trap '' XFSZ; ulimit -S -f {most}; exec \"$@\"");
        reader.within = ["sh", "-c", &limited, "sh"].map(str::to_owned).to_vec();
        let (exit, answer) = papers.run(&reader, "words", &restore);
        assert_eq!(has_profile(&reader), exit == 0, "{most}");
        let code = &answer[0]["error"]["code"];
        assert!(exit == 1 && code == "disk_full" || most == "unlimited" && exit == 0, "{most}: {code}");
    }
    assert_eq!(reader.texts("riders").len(), 2);
}

#[test]
fn a_backup_of_the_first_version_opens_for_ever() {
    let (papers, reader) = (Papers::new(), Laptop::empty());
    std::fs::write(papers.path("backup"), include_bytes!("kept/backup-1.age")).unwrap();
    let restore = ["restore", &papers.text("backup"), "--no-passphrase"];
    assert_eq!(papers.run(&reader, "words", &restore).0, 0);
    assert_eq!(reader.texts("riders"), ["first words"]);
    assert_eq!(reader.json(&["group", "members", "riders"])[0]["name"], "amina");
    assert_eq!(reader.json(&["grievance", "list", "riders"])[0]["platform"], "Uber Eats");
}

#[test]
fn a_group_that_can_not_be_read_is_named_and_the_others_are_kept() {
    let (amina, papers, reader) = (Laptop::of("amina"), Papers::new(), Laptop::empty());
    let segments = || {
        let journal = std::fs::read_dir(amina.home().join("journal")).unwrap();
        journal.map(|entry| entry.unwrap().path()).collect::<std::collections::BTreeSet<_>>()
    };
    let before = segments();
    let lost = amina.one(&["group", "create", "porters"])["group"].as_str().unwrap().to_owned();
    let after = segments();
    amina.one(&["group", "create", "riders"]);
    amina.one(&["send", "riders", "hello"]);
    // In the smallest is that there is such a group, and nothing else of it.
    let mut broken: Vec<&PathBuf> = after.difference(&before).collect();
    broken.sort_by_key(|segment| segment.metadata().unwrap().len());
    broken.into_iter().skip(1).for_each(|segment| break_file(segment));
    let file = papers.text("backup");
    let (exit, written) = papers.run(&amina, "words", &["backup", &file]);
    assert_eq!((exit, &written[0]["groups"]), (0, &1.into()), "{written:?}");
    assert_eq!(written[0]["left_out"], serde_json::json!([lost[..8]]));
    assert_eq!(papers.run(&reader, "words", &["restore", &file, "--no-passphrase"]).0, 0);
    assert_eq!(reader.texts("riders"), ["hello"]);
}

/// As a failing disk does, everywhere.
fn break_file(file: &Path) {
    let mut bytes = std::fs::read(file).unwrap();
    bytes.iter_mut().skip(64).step_by(512).for_each(|byte| *byte ^= 1);
    std::fs::write(file, bytes).unwrap();
}
