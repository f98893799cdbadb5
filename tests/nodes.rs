//! Stories of two and three nodes.

use crate::laptop::{Laptop, until};

/// Alice's group with Bob in it, both nodes up.
fn picket() -> (Laptop, Laptop) {
    let (mut alice, mut bob) = (Laptop::of("alice"), Laptop::of("bob"));
    alice.up();
    bob.up();
    alice.one(&["group", "create", "picket"]);
    let joined = bob.one(&["join", &alice.invite("picket")]);
    assert_eq!(joined["state"], "joined");
    assert_eq!(joined["name"], "picket");
    (alice, bob)
}

#[test]
fn what_one_says_the_other_reads_and_the_first_is_told() {
    let (alice, bob) = picket();
    assert_eq!(bob.refused(&["send", "picket", "\u{1b}[31mred"]), (1, "bad_field".into()));
    let sent = bob.one(&["send", "picket", "salut \u{202e}!"]);
    assert_eq!(sent["kind"], "message");
    until("alice reads it", || alice.texts("picket") == ["salut \u{202e}!"]);
    let shown = String::from_utf8(alice.run(&["read", "picket"]).stdout).unwrap();
    assert!(!shown.contains('\u{202e}'), "nobody turns another's screen around: {shown}");
    until("bob is told", || {
        let message = &bob.json(&["read", "picket"])[0];
        message["state"] == "delivered" && message["delivered"] == 1 && message["of"] == 1
    });
}

#[test]
fn kill_9_loses_nothing_acknowledged() {
    let (mut alice, mut bob) = picket();
    let listen = alice.one(&["status"])["listen"][0].as_str().unwrap().to_owned();
    let mut said = Vec::new();
    for round in 0..3 {
        for number in 0..5 {
            let text = format!("{round}.{number}");
            bob.one(&["send", "picket", &text]);
            said.push(text);
        }
        bob.kill();
        assert_eq!(bob.texts("picket"), said, "on the disk of whoever wrote it");
        if round == 1 {
            alice.kill();
            alice.up_at(&listen);
        }
        bob.up();
    }
    until("alice has all of it", || alice.texts("picket") == said);
}

#[test]
fn what_is_written_without_a_node_goes_out_when_it_runs() {
    let (alice, mut bob) = picket();
    bob.kill();
    let output = bob.run(&["send", "picket", "from the tunnel"]);
    assert!(output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains("Nothing was sent yet"));
    assert!(alice.texts("picket").is_empty());
    bob.up();
    until("alice reads it", || alice.texts("picket") == ["from the tunnel"]);
}

#[test]
fn what_somebody_corrects_or_takes_back_is_so_for_the_others_and_nobody_else_can() {
    let (alice, bob) = picket();
    bob.one(&["send", "picket", "at six"]);
    until("alice reads it", || alice.texts("picket") == ["at six"]);
    let id = alice.json(&["read", "picket"])[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(alice.refused(&["retract", "picket", "--message", &id]), (4, "not_yours".into()));
    bob.one(&["edit", "picket", "at seven", "--message", &id]);
    until("alice reads it", || alice.texts("picket") == ["at seven"]);
    bob.one(&["retract", "picket"]);
    until("alice is told", || {
        let message = &alice.json(&["read", "picket"])[0];
        message["text"] == "" && message["edited"] == true && message["id"] == id.as_str()
    });
    until("bob is told", || bob.json(&["read", "picket"])[0]["state"] == "delivered");
}

#[test]
fn a_follower_sees_messages_as_they_come() {
    let (alice, bob) = picket();
    bob.one(&["send", "picket", "one"]);
    until("it arrives", || alice.texts("picket").len() == 1);
    bob.one(&["send", "picket", "two"]);
    assert_eq!(alice.event("message")["text"], "one");
    assert_eq!(alice.event("message")["text"], "two");
}

#[test]
fn a_code_is_good_once_and_mistypes_are_noticed() {
    let (alice, bob) = picket();
    let mut carla = Laptop::of("carla");
    carla.up();
    let used = alice.json(&["invite", "list", "picket"])[0].clone();
    assert_eq!(used["state"], "used");
    assert_eq!(carla.refused(&["join", used["code"].as_str().unwrap()]), (4, "code_used".into()));
    let fresh = alice.one(&["invite", "picket"]);
    let code = fresh["code"].as_str().unwrap();
    let other = if code[30..].starts_with('Q') { 'P' } else { 'Q' };
    let wrong = format!("{}{other}{}", &code[..30], &code[31..]);
    assert_eq!(carla.refused(&["join", &wrong]), (5, "bad_code".into()));
    let revoked = alice.one(&["invite", "revoke", "picket", fresh["invite"].as_str().unwrap()]);
    assert_eq!(revoked["state"], "revoked");
    assert_eq!(carla.refused(&["join", code]), (4, "code_revoked".into()));
    assert_eq!(bob.refused(&["invite", "picket"]), (4, "not_allowed".into()));
    assert_eq!(bob.refused(&["join", code]), (1, "already_member".into()));
}

#[test]
fn a_join_with_nobody_there_is_kept_and_completes_later() {
    let (mut alice, mut bob) = (Laptop::of("alice"), Laptop::of("bob"));
    alice.up();
    let listen = alice.one(&["status"])["listen"][0].as_str().unwrap().to_owned();
    alice.one(&["group", "create", "picket"]);
    let code = alice.invite("picket");
    alice.kill();
    bob.up();
    let waiting = bob.run(&["join", &code, "--wait", "1s"]);
    assert_eq!(waiting.status.code(), Some(3), "{waiting:?}");
    bob.kill();
    bob.up();
    alice.up_at(&listen);
    until("bob is in", || !bob.json(&["group", "list"]).is_empty());
}

#[test]
fn a_removed_member_is_told_and_reads_no_more() {
    let (alice, bob) = picket();
    alice.one(&["send", "picket", "before"]);
    until("bob reads it", || bob.texts("picket").len() == 1);
    alice.one(&["group", "remove", "picket", "bob"]);
    until("bob is told", || bob.one(&["group", "show", "picket"])["role"] == "none");
    alice.one(&["send", "picket", "after"]);
    assert_eq!(bob.refused(&["send", "picket", "hello?"]), (4, "ended".into()));
    assert_eq!(bob.texts("picket"), ["before"]);
    assert_eq!(alice.json(&["group", "members", "picket"]).len(), 1);
}

#[test]
fn nobody_forges_a_call_and_pledges_stay_hidden() {
    let (alice, bob) = picket();
    let call = [
        "strike",
        "call",
        "picket",
        "--title",
        "Evening off",
        "--start",
        "2030-12-04T18:00",
        "--end",
        "2030-12-04T22:00",
        "--zone",
        "Europe/Paris",
        "--place",
        "Lyon",
        "--threshold",
        "2",
        "--answer-window",
        "0s",
    ];
    assert_eq!(bob.refused(&call), (4, "not_allowed".into()));
    let made = alice.one(&call);
    assert_eq!(made["start"], "2030-12-04T17:00:00Z");
    let id = made["id"].as_str().unwrap();
    until("bob sees it", || !bob.json(&["strike", "list", "picket"]).is_empty());
    assert_eq!(
        bob.refused(&["strike", "call-off", "picket", id, "--reason", "it's over"]),
        (4, "not_allowed".into())
    );
    bob.one(&["strike", "pledge", "picket", id]);
    until("the counter sees one", || alice.one(&["strike", "show", "picket", id])["pledges"] == 1);
    assert!(bob.one(&["strike", "show", "picket", id])["pledges"].is_null());
    alice.one(&["strike", "call-off", "picket", id, "--reason", "agreement reached"]);
    until("bob knows", || bob.one(&["strike", "show", "picket", id])["state"] == "called_off");
    assert_eq!(bob.refused(&["strike", "pledge", "picket", id]), (4, "too_late".into()));
}

#[test]
fn who_was_off_catches_up_in_order() {
    let (alice, mut bob) = picket();
    bob.kill();
    let said: Vec<String> = (0..200).map(|number| format!("m{number}")).collect();
    for text in &said {
        alice.one(&["send", "picket", text]);
    }
    bob.up();
    until("bob has all of it", || bob.texts("picket").len() == said.len());
    assert_eq!(bob.texts("picket"), said);
}

#[test]
fn garbage_on_the_port_disturbs_nobody() {
    use std::io::Write;
    let (alice, bob) = picket();
    let listen = alice.one(&["status"])["listen"][0].as_str().unwrap().to_owned();
    let port: u16 = listen.rsplit('/').next().unwrap().parse().unwrap();
    for number in 0..30u8 {
        let mut socket = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        // The node may hang up in the middle of it: that is what it should do.
        let _ = socket.write_all(&[number; 3000]);
    }
    bob.one(&["send", "picket", "still here"]);
    until("alice reads it", || alice.texts("picket") == ["still here"]);
}

#[test]
fn a_copied_profile_notices_and_writes_nothing() {
    let (alice, mut bob) = picket();
    bob.kill();
    let elsewhere = Laptop::empty();
    copy(&bob.home(), &elsewhere.home());
    // Another machine remembers nothing of this profile.
    assert_eq!(elsewhere.refused(&["send", "picket", "from the copy"]), (4, "rolled_back".into()));
    bob.up();
    bob.one(&["send", "picket", "from the laptop"]);
    until("alice reads one", || alice.texts("picket") == ["from the laptop"]);
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (path, kind) = (to.join(entry.file_name()), entry.file_type().unwrap());
        if kind.is_dir() {
            copy(&entry.path(), &path);
        } else if kind.is_file() {
            std::fs::copy(entry.path(), path).unwrap();
        }
    }
}
