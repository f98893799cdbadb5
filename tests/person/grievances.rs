//! Grievances on the command line.

use super::{error, said};
use crate::laptop::{Laptop, until};

fn file<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let fixed = ["grievance", "file", "picket", "--category", "pay.below_rate", "--platform", "Deliverix"];
    fixed.into_iter().chain(more.iter().copied()).collect()
}

#[test]
fn everything_about_a_grievance_comes_back() {
    let alice = Laptop::of("alice");
    alice.one(&["group", "create", "picket"]);
    let filed = alice.one(&file(&[
        "--when",
        "2026-11-03..2026-11-20",
        "--every",
        "week",
        "--zone",
        "europe/paris",
        "--place",
        "Lyon, Part-Dieu",
        "--amount",
        "paid=3.1EUR/task:document",
        "--amount",
        "tip=1.250KWD",
        "--amount",
        "hours=7/day",
        "--text",
        "one\ntwo",
    ]));
    assert_eq!((&filed["when"], &filed["every"]), (&"2026-11-03..2026-11-20".into(), &"week".into()));
    assert_eq!((&filed["zone"], &filed["place"]), (&"Europe/Paris".into(), &"Lyon, Part-Dieu".into()));
    let paid = &filed["amounts"][0];
    assert_eq!((&paid["value"], &paid["decimals"]), (&310.into(), &2.into()), "whole minor units");
    assert_eq!((&paid["basis"], &paid["text"]), (&"document".into(), &"paid=3.10EUR/task:document".into()));
    assert_eq!(filed["amounts"][1]["value"], 1250, "the dinar has three decimals");
    assert_eq!((&filed["sent"]["state"], &filed["state"]), (&"saved".into(), &"open".into()));
    let bare = alice.one(&["grievance", "file", "picket", "--category", "other", "--platform", "X"]);
    assert_eq!(bare["text"], "", "a text is not needed");
    let shown = said(&alice, "fr", &["grievance", "show", "picket", filed["id"].as_str().unwrap()]);
    for words in ["paie : sous le tarif", "payé 3.10 EUR par tâche (d'après un document)", "chaque semaine"]
    {
        assert!(shown.contains(words), "{words} in {shown}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_by_name() {
    let alice = Laptop::of("alice");
    alice.one(&["group", "create", "picket"]);
    for (more, code) in [
        (["--amount", "paid=600.5JPY/hour"], "bad_decimals"),
        (["--amount", "paid=4XXL"], "unknown_currency"),
        (["--amount", "lots"], "bad_amount"),
        (["--when", "2026-11-31"], "bad_when"),
        (["--zone", "Europe/Lutetia"], "bad_zone"),
        (["--place", "45.7640, 4.8357"], "coordinates"),
    ] {
        assert_eq!(alice.refused(&file(&more)), (1, code.into()));
    }
    assert!(alice.json(&["grievance", "list", "picket"]).is_empty());
    let mine = alice.one(&file(&[]));
    let own = ["grievance", "support", "picket", mine["id"].as_str().unwrap()];
    assert_eq!(alice.refused(&own), (1, "own_grievance".into()));
    assert_eq!(error(&alice, &["grievance", "show", "picket", "zz"])["hint"], "piquet grievance list picket");
}

#[test]
fn one_absurd_figure_does_not_make_the_picture() {
    let alice = Laptop::of("alice");
    alice.one(&["group", "create", "picket"]);
    for amount in ["paid=2.50EUR/task", "paid=9000EUR/task", "paid=3.10EUR/task"] {
        alice.one(&file(&["--amount", amount]));
    }
    let listed = alice.json(&["grievance", "list", "picket"]);
    let all = &listed[0]["comparable"][0];
    assert_eq!((&all["count"], &all["median"]), (&3.into(), &"3.10".into()));
    assert_eq!((&all["min"], &all["max"]), (&"2.50".into(), &"9000.00".into()));
    let shown = said(&alice, "en", &["grievance", "list", "picket"]);
    assert!(shown.contains("3 figures on this matter, median 3.10, from 2.50 to 9000.00"), "{shown}");
}

#[test]
fn one_support_a_member_counts_and_its_author_is_told_that_it_arrived() {
    let (mut alice, mut bob) = (Laptop::of("alice"), Laptop::of("bob"));
    alice.up();
    bob.up();
    alice.one(&["group", "create", "picket"]);
    bob.one(&["join", &alice.invite("picket")]);
    let id = bob.one(&file(&[]))["id"].as_str().unwrap().to_owned();
    until("alice sees it", || !alice.json(&["grievance", "list", "picket"]).is_empty());
    alice.one(&["grievance", "support", "picket", &id[..6]]);
    let backed = alice.one(&["grievance", "support", "picket", &id[..6], "--kind", "witness"]);
    assert_eq!((&backed["support"], &backed["support_kinds"]["witness"]), (&1.into(), &1.into()));
    assert!(backed["sent"].is_null(), "it is bob's");
    until("bob sees both", || {
        let mine = bob.one(&["grievance", "show", "picket", &id]);
        mine["support"] == 1 && mine["sent"]["state"] == "delivered" && mine["sent"]["of"] == 1
    });
}
