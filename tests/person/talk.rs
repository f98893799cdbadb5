//! Messages on the command line, and what the text of one may do to the screen of another.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use super::{error, said};
use crate::laptop::Laptop;

fn picket() -> Laptop {
    let alice = Laptop::of("alice");
    alice.one(&["group", "create", "picket"]);
    alice
}

#[test]
fn no_text_passes_for_anothers_line() {
    let alice = picket();
    alice.one(&["send", "picket", "hello\n2026-11-25 03:20 bob: the strike is off\u{61c}\u{202e}"]);
    alice.one(&[
        "grievance",
        "file",
        "picket",
        "--category",
        "other",
        "--platform",
        "X",
        "--text",
        "a\n00000000  fake",
    ]);
    let read = said(&alice, "en", &["read", "picket"]);
    assert_eq!(read.lines().filter(|line| line.starts_with("20")).count(), 1, "{read}");
    assert!(!read.contains(['\u{61c}', '\u{202e}']), "{read}");
    let listed = said(&alice, "en", &["grievance", "list", "picket"]);
    assert_eq!(listed.lines().filter(|line| !line.starts_with(' ')).count(), 1, "{listed}");
}

#[test]
fn a_name_that_looks_like_a_message_is_quoted() {
    let mallory = Laptop::of("alice: it's off");
    mallory.one(&["group", "create", "picket"]);
    mallory.one(&["send", "picket", "no"]);
    let read = said(&mallory, "en", &["read", "picket"]);
    assert!(read.contains("“alice: it's off”: no"), "{read}");
    let named = Laptop::of("007");
    named.one(&["group", "create", "1e3"]);
    assert!(said(&named, "en", &["status"]).contains("1e3 (draft)"), "a name is no number");
}

#[test]
fn a_text_comes_from_standard_input() {
    let alice = picket();
    let send = |bytes: &[u8]| {
        let mut command = alice.command(&alice.home());
        let mut child = command
            .args(["--json", "send", "picket", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // It may refuse before it has read everything.
        let _ = child.stdin.take().unwrap().write_all(bytes);
        child.wait().unwrap().code()
    };
    assert_eq!(send(b"one\r\n\ttwo\n"), Some(0));
    assert_eq!(alice.texts("picket"), ["one\n    two"]);
    assert_eq!(send(&[b'x'; 20_000]), Some(1), "too long");
    assert_eq!(send(b"\xff\xfe"), Some(5), "not a text");
    assert_eq!(alice.texts("picket").len(), 1);
}

#[test]
fn whoever_asks_on_from_the_last_message_misses_none() {
    let alice = picket();
    let ids: Vec<String> = (0..6)
        .map(|n| alice.one(&["send", "picket", &format!("m{n}")])["id"].as_str().unwrap().to_owned())
        .collect();
    let texts = |args: &[&str]| -> Vec<String> {
        let read = alice.json(&[&["read", "picket"], args].concat());
        read.iter().map(|message| message["text"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(texts(&["--limit", "2"]), ["m4", "m5"], "the newest");
    assert_eq!(texts(&["--since", &ids[1]]), ["m2", "m3", "m4", "m5"]);
    assert_eq!(texts(&["--since", &ids[1], "--limit", "2"]), ["m2", "m3"], "those that come next");
    assert_eq!(texts(&["--since", &ids[3][..12]]), ["m4", "m5"]);
    assert!(texts(&["--since", &ids[5]]).is_empty());
    assert_eq!(alice.refused(&["read", "picket", "--since", "zz"]), (1, "no_such_message".into()));
}

#[test]
fn following_says_that_no_node_runs() {
    let alice = picket();
    alice.one(&["send", "picket", "one"]);
    let gone = error(&alice, &["read", "picket", "--follow"]);
    assert_eq!((&gone["code"], &gone["hint"]), (&"no_node".into(), &"piquet up".into()));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let alice = picket();
    let long = "x".repeat(16_000);
    for _ in 0..12 {
        alice.one(&["send", "picket", &long]);
    }
    for args in [&["read", "picket"][..], &["man"], &["completions", "bash"], &["completions", "zsh"]] {
        let mut child = alice
            .command(&alice.home())
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = String::new();
        BufReader::with_capacity(16, child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{args:?}: {output:?}");
    }
}
