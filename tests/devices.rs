//! Several laptops of one person, and the phrase that brings somebody back, with real processes.

use std::path::Path;

use serde_json::Value;

use crate::groups::union;
use crate::laptop::{Laptop, until};

fn code(laptop: &Laptop) -> String {
    laptop.one(&["device", "add", "riders"])["code"].as_str().unwrap().to_owned()
}

fn devices(laptop: &Laptop, of: &str) -> Vec<Value> {
    laptop.json(&["device", "list", "riders", of])
}

fn own_id(laptop: &Laptop) -> String {
    let list = laptop.json(&["group", "members", "riders"]);
    list.iter().find(|member| member["me"] == true).unwrap()["member"].as_str().unwrap().to_owned()
}

/// A command with a recovery phrase at hand.
fn with_phrase(laptop: &Laptop, phrase: &Path, args: &[&str]) -> (Option<i32>, Vec<Value>) {
    let mut command = laptop.command(&laptop.home());
    let output = command.env("PIQUET_PHRASE_FILE", phrase).arg("--json").args(args).output().unwrap();
    let text = if output.status.success() { output.stdout } else { output.stderr };
    let lines = String::from_utf8(text).unwrap();
    (output.status.code(), lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

#[test]
fn a_second_laptop_speaks_for_its_member_until_it_is_taken_out() {
    let laptops = union(&["amina", "bruno", "carla", "dia"]);
    let mut second = Laptop::of("second laptop");
    second.up();
    let joined = second.one(&["join", &code(&laptops[1])]);
    assert_eq!((&joined["state"], &joined["member"]), (&"joined".into(), &own_id(&laptops[1]).into()));
    until("all see one more laptop and no more members", || {
        laptops.iter().all(|laptop| {
            devices(laptop, "bruno").len() == 2 && laptop.json(&["group", "members", "riders"]).len() == 4
        })
    });
    until("it can write", || second.run(&["send", "riders", "from the library"]).status.success());
    until("dia reads it as bruno's", || {
        let read = laptops[3].json(&["read", "riders"]);
        read.iter().any(|message| message["text"] == "from the library" && message["name"] == "bruno")
    });
    let here = |laptop: &Laptop| devices(laptop, "bruno").into_iter().find(|device| device["here"] == true);
    let lost = here(&second).unwrap()["device"].as_str().unwrap().to_owned();
    assert_eq!(second.refused(&["device", "drop", "riders", &lost]), (1, "this_device".into()));
    assert_eq!(laptops[3].refused(&["device", "drop", "riders", &lost]), (4, "not_your_device".into()));
    assert_eq!(laptops[1].refused(&["device", "drop", "riders", "none"]), (1, "no_such_device".into()));
    // Seized and switched off; when it is on again, in whoever's hands, it learns nothing.
    second.kill();
    assert_eq!(laptops[1].one(&["device", "drop", "riders", &lost])["dropped"], true);
    until("all know", || laptops.iter().all(|laptop| devices(laptop, "bruno").len() == 1));
    until("dia can write", || laptops[3].run(&["send", "riders", "at the depot"]).status.success());
    until("amina reads it", || laptops[0].texts("riders").iter().any(|text| text == "at the depot"));
    second.up();
    until("amina has said more", || laptops[0].run(&["send", "riders", "at nine"]).status.success());
    until("carla reads it", || laptops[2].texts("riders").iter().any(|text| text == "at nine"));
    assert_eq!(second.texts("riders").last().map(String::as_str), Some("from the library"));
    assert_eq!(laptops[1].json(&["group", "members", "riders"]).len(), 4, "bruno stays");
    // One that is on and connected is told, and that its member is in all the same.
    let mut third = Laptop::of("third laptop");
    third.up();
    third.one(&["join", &code(&laptops[1])]);
    until("it is connected", || third.one(&["status"])["groups"][0]["peers"].as_u64() > Some(0));
    let taken = here(&third).unwrap()["device"].as_str().unwrap().to_owned();
    until("bruno knows it", || devices(&laptops[1], "bruno").len() == 2);
    laptops[1].one(&["device", "drop", "riders", &taken]);
    until("it is told", || third.one(&["status"])["groups"][0]["frozen"] == "taken_out");
}

#[test]
fn whoever_lost_the_laptop_comes_back_by_the_phrase_as_the_same_member() {
    let mut laptops = union(&["amina", "bruno", "carla", "dia"]);
    let phrase = laptops[1].folder.path().join("phrase");
    let file = phrase.to_str().unwrap();
    let set = laptops[1].json(&["recovery", "new", "--file", file]);
    assert_eq!((set.len(), &set[0]["state"]), (1, &"set".into()));
    let again = laptops[1].json(&["recovery", "new", "--file", &format!("{file}2")]);
    assert_eq!(again[0]["state"], "kept", "nobody replaces it");
    assert_eq!(laptops[1].refused(&["recovery", "new", "--file", file]), (1, "phrase_file".into()));
    assert_eq!(laptops[1].one(&["status"])["groups"][0]["phrase"], true);
    let bruno = own_id(&laptops[1]);
    let lost = devices(&laptops[1], "bruno")[0]["device"].as_str().unwrap().to_owned();
    // Whoever has it has it off for good.
    laptops[1].one(&["send", "riders", "last words"]);
    until("carla has heard everything", || laptops[2].texts("riders").contains(&"last words".into()));
    laptops[1].kill();
    let mut new = Laptop::of("new laptop");
    new.up();
    let any_code = laptops[2].invite("riders");
    let words = std::fs::read_to_string(&phrase).unwrap();
    let wrong = new.folder.path().join("wrong");
    let (_, rest) = words.trim().split_once(' ').unwrap();
    std::fs::write(&wrong, format!("picket {rest}")).unwrap();
    let (exit, error) = with_phrase(&new, &wrong, &["recovery", "join", &any_code]);
    assert_eq!((exit, &error[0]["error"]["code"]), (Some(5), &"bad_phrase".into()), "no word of the list");
    let (exit, joined) = with_phrase(&new, &phrase, &["recovery", "join", &any_code]);
    assert_eq!((exit, &joined[0]["state"], &joined[0]["member"]), (Some(0), &"joined".into(), &bruno.into()));
    until("with the office", || new.one(&["group", "show", "riders"])["role"] == "keyholder");
    until("the old one is taken out", || new.run(&["device", "drop", "riders", &lost]).status.success());
    until("all know", || {
        [&laptops[0], &laptops[2], &laptops[3]].iter().all(|laptop| devices(laptop, "bruno").len() == 1)
    });
    until("it can write", || new.run(&["send", "riders", "I am back"]).status.success());
    until("dia reads it as bruno's", || {
        let read = laptops[3].json(&["read", "riders"]);
        read.iter().any(|message| message["text"] == "I am back" && message["name"] == "bruno")
    });
}
