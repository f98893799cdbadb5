//! Groups, members, codes, and mistakes on the command line.

use super::{error, said};
use crate::laptop::{Laptop, until};

#[test]
fn mistakes_are_told_to_programs_with_what_to_do() {
    let alice = Laptop::of("alice");
    alice.one(&["group", "create", "picket line"]);
    alice.one(&["group", "create", "picket two"]);
    let wrong = error(&alice, &["grievance", "file", "picket"]);
    assert_eq!((&wrong["code"], &wrong["hint"]), (&"usage".into(), &"piquet grievance file --help".into()));
    assert_eq!(error(&alice, &["group", "show", "nice"])["hint"], "piquet group list");
    let several = error(&alice, &["group", "show", "pick"]);
    assert_eq!(several["code"], "ambiguous");
    for group in alice.json(&["group", "list"]) {
        let (name, id) = (group["name"].as_str().unwrap(), &group["group"].as_str().unwrap()[..16]);
        let named = several["message"].as_str().unwrap().contains(&format!("{id} ({name})"));
        assert!(named, "{several}");
        assert_eq!(alice.one(&["group", "show", id])["name"], name);
    }
    let quoted = error(&alice, &["group", "remove", "picket line", "nobody"]);
    assert_eq!(quoted["hint"], "piquet group members 'picket line'", "as a shell takes it");
}

#[test]
fn what_does_not_fit_is_named_with_its_bound_and_where_to_read_on() {
    let alice = Laptop::of("alice");
    let name = error(&alice, &["group", "create", &"é".repeat(40)]);
    assert_eq!((&name["code"], &name["hint"]), (&"bad_field".into(), &"piquet group create --help".into()));
    let message = name["message"].as_str().unwrap();
    assert!(message.contains("“name”") && message.contains("64 bytes"), "{message}");
    alice.one(&["group", "create", "picket"]);
    let strike = ["strike", "call", "picket", "--zone", "UTC", "--start", "2031-12-05T18:00"];
    let strike = [strike.as_slice(), &["--end", "2031-12-05T22:00", "--title", ""]].concat();
    let title = error(&alice, &strike);
    assert!(title["message"].as_str().unwrap().contains("“title”"), "{title}");
    assert_eq!(error(&alice, &["send", "picket", ""])["hint"], "piquet send --help");
}

#[test]
fn a_join_without_a_node_is_kept_and_says_so() {
    let (alice, bob) = (Laptop::of("alice"), Laptop::of("bob"));
    alice.one(&["group", "create", "picket"]);
    let code = alice.invite("picket");
    let output = bob.run(&["join", &code]);
    assert_eq!(output.status.code(), Some(3));
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(err.starts_with("This code is for the group "), "the words stand first: {err}");
    assert!(
        out.starts_with("Waiting for") && err.contains("piquet --home") && err.contains(" up"),
        "{out} {err}"
    );
    assert_eq!(bob.one(&["status"])["joining"], 1);
    assert_eq!(error(&alice, &["invite", "picket", "--expires", "0s"])["code"], "usage");
}

/// What a camera makes of lines of half blocks, each four dots wide, where `lit` ones are bright.
fn seen_by_a_camera(drawing: &[&str]) -> Option<String> {
    const DOT: usize = 4;
    let lit = |line: &str, upper: bool| -> Vec<bool> {
        line.chars().map(|c| c == '█' || c == if upper { '▀' } else { '▄' }).collect()
    };
    let rows: Vec<Vec<bool>> =
        drawing.iter().flat_map(|line| [true, false].map(|upper| lit(line, upper))).collect();
    let width = rows.iter().map(Vec::len).max()?;
    let bright =
        |x: usize, y: usize| if rows[y / DOT].get(x / DOT).is_some_and(|lit| *lit) { 255 } else { 0 };
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(width * DOT, rows.len() * DOT, bright);
    let found = image.detect_grids();
    found.first()?.decode().ok().map(|(_, text)| text)
}

#[test]
fn a_camera_reads_the_code_off_the_screen() {
    let mut alice = Laptop::of("alice");
    alice.one(&["group", "create", "picket"]);
    alice.up();
    let shown = String::from_utf8(alice.run(&["invite", "picket", "--qr"]).stdout).unwrap();
    let code = shown.lines().find(|line| line.starts_with("PQ1")).unwrap();
    let drawing: Vec<&str> = shown.lines().filter(|line| line.contains('█')).collect();
    assert_eq!(seen_by_a_camera(&drawing).as_deref(), Some(code));
    assert!(code.len() > 59, "with an address");
}

#[test]
fn whoever_watches_a_node_is_told_who_comes_and_goes_by_whom_and_what_is_called() {
    let [mut alice, mut bob, mut carla] = ["alice", "bob", "carla"].map(Laptop::of);
    for laptop in [&mut alice, &mut bob, &mut carla] {
        laptop.up();
    }
    alice.one(&["group", "create", "picket"]);
    bob.one(&["join", &alice.invite("picket")]);
    carla.one(&["join", &alice.invite("picket")]);
    let came = bob.event("members");
    assert_eq!(
        (&came["change"], &came["by"], &came["name"]),
        (&"in".into(), &"alice".into(), &"picket".into())
    );
    let named = bob.event("named");
    assert_eq!((&named["who"], &named["member"]), (&"carla".into(), &came["member"]));
    let mut call = vec!["strike", "call", "picket", "--title", "Evening off", "--zone", "UTC"];
    call.extend(["--start", "2031-12-05T18:00", "--end", "2031-12-05T22:00"]);
    let call = alice.one(&call);
    let told = bob.event("record");
    assert_eq!(
        (&told["kind"], &told["title"], &told["id"]),
        (&"call".into(), &"Evening off".into(), &call["id"])
    );
    alice.one(&["group", "remove", "picket", "carla"]);
    let gone = bob.event("members");
    assert_eq!(
        (&gone["change"], &gone["by"], &gone["who"]),
        (&"out".into(), &"alice".into(), &"carla".into())
    );
    carla.event("removed");
}

#[test]
fn scripts_read_the_result_and_people_what_else_there_is_to_say() {
    let mut alice = Laptop::of("alice");
    alice.one(&["group", "create", "picket"]);
    let made = |laptop: &Laptop| {
        let output = laptop.run(&["invite", "picket"]);
        let (out, err) =
            (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert!(out.lines().last().unwrap().starts_with("PQ1"), "{out}");
        err
    };
    let said = made(&alice);
    assert!(said.contains("tells no address") && said.contains("Nothing was sent yet"), "{said}");
    alice.up();
    assert_eq!(made(&alice), "", "now it tells one");
    let empty = alice.run(&["grievance", "list", "picket"]);
    assert!(empty.stdout.is_empty() && !empty.stderr.is_empty());
}

#[test]
fn a_refused_code_stays_on_the_status_of_whoever_brought_it() {
    let (mut alice, mut bob) = (Laptop::of("alice"), Laptop::of("bob"));
    alice.up();
    bob.up();
    alice.one(&["group", "create", "picket"]);
    let invite = alice.one(&["invite", "picket"]);
    alice.one(&["invite", "revoke", "picket", invite["invite"].as_str().unwrap()]);
    // Nobody waits for the answer on his side.
    assert_eq!(bob.refused(&["join", invite["code"].as_str().unwrap(), "--wait", "0s"]).0, 3);
    until("he is told", || bob.one(&["status"])["refused"] == serde_json::json!(["code_revoked"]));
    assert_eq!(bob.one(&["status"])["joining"], 0);
    let shown = said(&bob, "en", &["status"]);
    assert!(shown.contains("This code was revoked. Ask for a new one."), "{shown}");
}

#[test]
fn a_founder_leaves_others_behind_only_on_purpose() {
    let (mut alice, mut bob) = (Laptop::of("alice"), Laptop::of("bob"));
    alice.up();
    bob.up();
    alice.one(&["group", "create", "picket"]);
    bob.one(&["join", &alice.invite("picket")]);
    assert_eq!(alice.refused(&["group", "leave", "picket"]), (1, "not_confirmed".into()));
    assert_eq!(alice.one(&["group", "show", "picket"])["role"], "keyholder");
    let members = alice.json(&["group", "members", "picket"]);
    assert_eq!(members[0]["role"], "keyholder", "whoever was there first stands first");
    assert_eq!(alice.one(&["group", "leave", "picket", "--yes"])["role"], "none");
    assert_eq!(bob.one(&["group", "leave", "picket"])["role"], "none", "any other goes without a question");
}

#[test]
fn members_say_who_let_whom_in_and_a_removal_what_was_there_to_read() {
    let (mut alice, mut bob) = (Laptop::of("alice"), Laptop::of("alice"));
    alice.up();
    bob.up();
    alice.one(&["group", "create", "picket"]);
    bob.one(&["join", &alice.invite("picket")]);
    alice.one(&["send", "picket", "one"]);
    until("both names are there", || {
        alice.json(&["group", "members", "picket"]).iter().all(|m| m["name"].as_str().unwrap().contains('#'))
    });
    let members = alice.json(&["group", "members", "picket"]);
    let of = |me: bool| members.iter().find(|member| member["me"] == me).unwrap();
    let (founder, other) = (of(true), of(false));
    assert!(founder["name"] != other["name"], "two of one name are told apart");
    assert_eq!((&founder["invited"], &founder["share"]), (&1.into(), &100.into()));
    assert!(founder["invited_by"].is_null() && other["invited_by"] == founder["name"]);
    assert!(members.iter().all(|member| member["joined"].as_str().unwrap().ends_with('Z')));
    let twice = error(&alice, &["group", "remove", "picket", "alice"]);
    assert_eq!(twice["code"], "ambiguous");
    let id = other["member"].as_str().unwrap();
    let gone = alice.one(&["group", "remove", "picket", &id[..8]]);
    assert_eq!((&gone["member"], &gone["epoch"]), (&id.into(), &2.into()));
    let readable = &gone["readable"];
    assert_eq!((&readable["messages"], &readable["members"]), (&1.into(), &2.into()));
    until("he knows", || bob.one(&["group", "show", "picket"])["role"] == "none");
    let left = said(&alice, "fr", &["group", "leave", "picket"]);
    assert!(left.contains("Vous avez quitté picket."), "{left}");
}

#[test]
fn the_manual_and_the_shells_know_every_command() {
    let laptop = Laptop::empty();
    let manual = String::from_utf8(laptop.run(&["man"]).stdout).unwrap();
    let script = String::from_utf8(laptop.run(&["completions", "fish"]).stdout).unwrap();
    for command in ["GRIEVANCE FILE", "STRIKE CALL\\-OFF", "INVITE REVOKE", "GROUP MEMBERS"] {
        let plain = command.replace('\\', "");
        assert!(
            manual.contains(command) || manual.contains(&plain) || manual.contains(&plain.replace('-', " ")),
            "{command}"
        );
    }
    for option in ["answer-window", "no-web", "new-file", "qr"] {
        assert!(manual.contains(&option.replace('-', "\\-")), "{option}");
        assert!(script.contains(option), "{option}");
    }
}

#[cfg(unix)]
#[test]
fn a_node_told_to_stop_ends_well() {
    use std::io::{BufRead, BufReader};
    let alice = Laptop::of("alice");
    for signal in ["-TERM", "-INT"] {
        let mut command = alice.command(&alice.home());
        command.args(["--json", "up", "--no-web", "--listen", "/ip4/127.0.0.1/tcp/0"]);
        let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready: serde_json::Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        assert!(ready["event"] == "ready" && ready["web"].is_null(), "{ready}");
        let id = child.id().to_string();
        assert!(std::process::Command::new("kill").args([signal, &id]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(0), "{signal}");
    }
    // Whoever stops it and starts it again does not have to wait in between.
    let mut alice = alice;
    alice.up();
    for _ in 0..5 {
        let id = alice.pid().to_string();
        assert!(std::process::Command::new("kill").arg(&id).status().unwrap().success());
        alice.up();
    }
}
