//! Strike calls on the command line.

use super::{error, said};
use crate::laptop::{Laptop, until};

fn call<'a>(more: &[&'a str]) -> Vec<&'a str> {
    ["strike", "call", "picket", "--title", "Evening off"].into_iter().chain(more.iter().copied()).collect()
}

fn at<'a>(start: &'a str, end: &'a str) -> Vec<&'a str> {
    call(&["--start", start, "--end", end, "--zone", "Europe/Paris"])
}

#[test]
fn times_that_are_none_or_two_or_past_are_refused() {
    let alice = Laptop::of("alice");
    alice.one(&["group", "create", "picket"]);
    for (start, end, code) in [
        ("2020-12-04T18:00", "2020-12-04T22:00", "start_past"),
        ("2032-03-28T02:30", "2032-03-28T22:00", "no_such_time"),
        ("2031-10-26T02:30", "2031-10-26T22:00", "no_such_time"),
        ("2031-12-04T18:00+02:00", "2031-12-04T22:00", "bad_time"),
        ("2031-12-04", "2031-12-05", "bad_time"),
        ("2031-12-04T22:00", "2031-12-04T18:00", "bad_leg"),
    ] {
        assert_eq!(alice.refused(&at(start, end)), (1, code.into()), "{start}");
    }
    let sound = || at("2031-12-04T18:00", "2031-12-04T22:00");
    for (closes, code) in [("2026-01-01T10:00", "closes_past"), ("2031-12-04T19:00", "closes_late")] {
        assert_eq!(alice.refused(&[&sound()[..], &["--closes", closes]].concat()), (1, code.into()));
    }
    assert_eq!(alice.refused(&call(&["--leg", "UTC;x"])), (1, "bad_leg".into()));
    assert_eq!(error(&alice, &call(&["--start", "2031-12-04T18:00"]))["code"], "usage");
    assert!(alice.json(&["strike", "list", "picket"]).is_empty());
    assert_eq!(alice.one(&sound())["closes"], "2031-12-04T05:00:00Z", "twelve hours before");
}

#[test]
fn a_call_says_everything_about_itself() {
    let alice = Laptop::of("alice");
    alice.one(&["group", "create", "picket"]);
    let made = alice.one(&call(&[
        "--form",
        "log_off",
        "--form",
        "picket",
        "--demand",
        "5 EUR a task",
        "--threshold",
        "40",
        "--leg",
        "Europe/Paris;Lyon;2031-12-04T18:00;2031-12-05T01:00;25",
        "--leg",
        "africa/nairobi;;2031-12-04T19:00;2031-12-04T23:00",
    ]));
    assert_eq!(made["forms"], serde_json::json!(["log_off", "picket"]));
    assert_eq!(made["start"], "2031-12-04T16:00:00Z", "the first start of all legs");
    let second = &made["legs"][1];
    assert_eq!((&second["zone"], &second["place"]), (&"Africa/Nairobi".into(), &"".into()));
    assert_eq!((&second["start"], &second["doubtful"]), (&"2031-12-04T16:00:00Z".into(), &false.into()));
    assert_eq!((&made["sequence"], &made["expires"]), (&1.into(), &"2031-12-05T00:00:00Z".into()));
    let (id, origin) = (made["id"].as_str().unwrap(), &made["origin"]);
    assert_eq!((&origin["mandate"], &origin["verified"]), (&"founder".into(), &true.into()));
    assert_eq!(origin["issuer"].as_str().unwrap().len(), 64);
    let shown = said(&alice, "en", &["strike", "show", "picket", &id[..8]]);
    for words in [
        "Africa/Nairobi  2031-12-04 19:00 – 23:00",
        "25 asked for here",
        "Log off · Picket",
        "Version 1",
        "who founded this group and has the mandate",
        "Its signature was checked just now",
        "The counters named here can see who pledged; other members and outsiders can't; erased at the close: alice",
    ] {
        assert!(shown.contains(words), "{words} in {shown}");
    }
    let changed = alice.one(&[&at("2031-12-06T18:00", "2031-12-06T22:00")[..], &["--changes", id]].concat());
    assert_eq!((&changed["id"], &changed["sequence"]), (&id.into(), &2.into()));
    let off = alice.one(&["strike", "call-off", "picket", id, "--reason", "they gave in"]);
    assert_eq!((&off["sequence"], &off["reason"]), (&3.into(), &"they gave in".into()));
    assert_eq!(
        (&off["call_off"]["verified"], &off["call_off"]["mandate"]),
        (&true.into(), &"founder".into())
    );
    assert!(off["origin"]["version"] != off["call_off"]["version"]);
    assert_eq!(alice.refused(&["strike", "pledge", "picket", id]), (4, "too_late".into()));
}

#[test]
fn who_gets_a_call_can_check_where_it_came_from_and_who_sees_a_pledge() {
    let (mut alice, mut bob) = (Laptop::of("alice"), Laptop::of("bob"));
    alice.up();
    bob.up();
    alice.one(&["group", "create", "picket"]);
    bob.one(&["join", &alice.invite("picket")]);
    let founder = alice.one(&["group", "members", "picket"]);
    let made =
        alice.one(&[&at("2031-12-04T18:00", "2031-12-04T22:00")[..], &["--answer-window", "0s"]].concat());
    until("bob sees it", || !bob.json(&["strike", "list", "picket"]).is_empty());
    let seen = bob.one(&["strike", "show", "picket", &made["id"].as_str().unwrap()[..8]]);
    assert_eq!(seen["origin"], made["origin"]);
    assert!(
        [&founder["member"], &alice.json(&["group", "members", "picket"])[1]["member"]]
            .contains(&&seen["origin"]["issuer"])
    );
    assert!(seen["pledges"].is_null() && seen["sent"].is_null());
    let pledged = said(&bob, "en", &["strike", "pledge", "picket", made["id"].as_str().unwrap()]);
    assert!(pledged.contains("You have pledged.") && pledged.contains("can see who pledged"), "{pledged}");
    let id = made["id"].as_str().unwrap();
    let counted = |pledges: u32| {
        until("it is counted", || alice.one(&["strike", "show", "picket", id])["pledges"] == pledges);
    };
    counted(1);
    let change = [&at("2031-12-05T18:00", "2031-12-05T22:00")[..], &["--changes", id]].concat();
    alice.one(&change);
    until("bob sees the change", || bob.one(&["strike", "show", "picket", id])["sequence"] == 2);
    let shown = said(&bob, "en", &["strike", "show", "picket", id]);
    assert!(shown.contains("your pledge counts for what it says now"), "{shown}");
    assert_eq!(bob.one(&["strike", "pledge", "picket", id, "--withdraw"])["mine"], false);
    counted(0);
    until("it is delivered", || {
        alice.one(&["strike", "show", "picket", made["id"].as_str().unwrap()])["sent"]["state"] == "delivered"
    });
}
