//! What a person, or a script, sees of the command line.

mod grievances;
mod groups;
mod strikes;
mod talk;

use serde_json::Value;

use crate::laptop::Laptop;

/// What a command says to a person who speaks this language.
fn said(laptop: &Laptop, lang: &str, args: &[&str]) -> String {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_piquet"));
    command.arg("--home").arg(laptop.home()).args(["--lang", lang]).args(args);
    command.env("PIQUET_STATE", laptop.folder.path().join("state")).env("TZ", "UTC");
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}

/// The error object of a command that must fail.
fn error(laptop: &Laptop, args: &[&str]) -> Value {
    let output = laptop.command(&laptop.home()).arg("--json").args(args).output().unwrap();
    assert!(!output.status.success(), "{args:?}: {output:?}");
    let value: Value = serde_json::from_slice(&output.stderr).unwrap();
    let mut error = value["error"].clone();
    // Advice works as it stands, with the folder that was named.
    let home = format!(" --home {}", laptop.home().display());
    error["hint"] = error["hint"].as_str().unwrap().replace(&home, "").into();
    error
}

/// What a command's advice leads to, followed to the letter by a shell.
#[cfg(unix)]
#[test]
fn advice_can_be_followed_as_it_stands() {
    let laptop = Laptop::of("alice");
    let output = laptop.command(&laptop.home()).args(["--json", "group", "show", "nice"]).output().unwrap();
    let value: Value = serde_json::from_slice(&output.stderr).unwrap();
    let hint = value["error"]["hint"].as_str().unwrap();
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_piquet"));
    let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", hint]).env("PATH", path).env("PIQUET_STATE", laptop.folder.path().join("state"));
    assert!(shell.env_remove("PIQUET_HOME").status().unwrap().success(), "{hint}");
    // Whoever has not installed it calls it by its path.
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", "./piquet --lang en --home nowhere status"]).current_dir(program.parent().unwrap());
    let said = String::from_utf8(shell.output().unwrap().stderr).unwrap();
    assert!(said.contains("`./piquet --home nowhere init`"), "{said}");
}

#[test]
fn without_a_profile_every_command_says_how_to_make_one() {
    let laptop = Laptop::empty();
    for args in [&["status"][..], &["group", "list"], &["read", "picket"], &["join", "PQ1"]] {
        assert_eq!(laptop.refused(args), (1, "no_profile".into()));
    }
}

#[test]
fn wrong_usage_is_exit_code_2() {
    let laptop = Laptop::empty();
    for args in [
        &["nonsense"][..],
        &["group"],
        &["invite", "g", "--uses", "0"],
        &["strike", "call", "g", "--title", "t"],
    ] {
        assert_eq!(laptop.run(args).status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn every_command_explains_itself() {
    let laptop = Laptop::empty();
    for command in [
        "up",
        "init",
        "status",
        "group",
        "invite",
        "join",
        "send",
        "read",
        "grievance",
        "strike",
        "passphrase",
        "lock",
        "wipe",
        "doctor",
    ] {
        let output = laptop.run(&[command, "--help"]);
        assert!(output.status.success() && output.stdout.len() > 100, "{command}");
    }
    assert!(String::from_utf8(laptop.run(&["man"]).stdout).unwrap().contains(".TH piquet"));
    assert!(String::from_utf8(laptop.run(&["completions", "bash"]).stdout).unwrap().contains("_piquet"));
}

#[test]
fn a_passphrase_opens_the_profile_and_can_be_changed() {
    let laptop = Laptop::empty();
    let file = |name: &str, text: &str| {
        let path = laptop.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let (old, new, wrong) =
        (file("old", "six random words\n"), file("new", "six other words\n"), file("wrong", "1234\n"));
    let run = |passphrase: &std::path::Path, args: &[&str]| {
        laptop
            .command(&laptop.home())
            .env("PIQUET_PASSPHRASE_FILE", passphrase)
            .args(args)
            .output()
            .unwrap()
            .status
            .code()
    };
    assert_eq!(run(&old, &["init"]), Some(0));
    assert_eq!(run(&wrong, &["status"]), Some(4));
    assert_eq!(laptop.refused(&["status"]), (1, "no_terminal".into()), "never from arguments");
    assert_eq!(run(&old, &["passphrase", "--new-file", new.to_str().unwrap()]), Some(0));
    assert_eq!(run(&old, &["status"]), Some(4));
    assert_eq!(run(&new, &["group", "create", "picket"]), Some(0));
}

#[test]
fn wiping_destroys_and_asks_first() {
    let laptop = Laptop::of("alice");
    laptop.one(&["group", "create", "picket"]);
    assert_eq!(laptop.refused(&["wipe"]), (1, "not_confirmed".into()));
    assert_eq!(laptop.json(&["group", "list"]).len(), 1);
    assert!(laptop.run(&["wipe", "--yes"]).status.success());
    assert_eq!(laptop.refused(&["status"]), (1, "no_profile".into()));
}

#[test]
fn a_second_node_on_one_profile_is_refused() {
    let mut laptop = Laptop::of("alice");
    laptop.up();
    assert_eq!(laptop.refused(&["up"]), (1, "already_running".into()));
    laptop.kill();
    laptop.up();
}

#[test]
fn it_speaks_french() {
    let laptop = Laptop::of("alice");
    let output = laptop.run(&["--lang", "fr", "group", "list"]);
    assert_eq!(output.status.code(), Some(2), "--lang is given twice");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_piquet"));
    command.arg("--home").arg(laptop.home()).env("PIQUET_STATE", laptop.folder.path().join("state"));
    let output = command.args(["--lang", "fr", "group", "list"]).output().unwrap();
    assert!(String::from_utf8(output.stderr).unwrap().contains("Pas encore de groupe"));
}

#[test]
fn a_node_that_starts_while_a_command_runs_waits_for_it() {
    let mut laptop = Laptop::of("alice");
    laptop.one(&["group", "create", "picket"]);
    for _ in 0..5 {
        let mut commands: Vec<_> = (0..4)
            .map(|_| {
                let mut command = laptop.command(&laptop.home());
                command.args(["group", "list"]).stdout(std::process::Stdio::null()).spawn().unwrap()
            })
            .collect();
        laptop.up();
        for command in &mut commands {
            command.wait().unwrap();
        }
        laptop.kill();
    }
}
