//! Groups founded out of drafts, and what they decide, with real processes.

use crate::laptop::{Laptop, until};

/// A founded group of these people; the first three hold its keys.
pub fn union(names: &[&str]) -> Vec<Laptop> {
    let mut laptops: Vec<Laptop> = names.iter().map(|name| Laptop::of(name)).collect();
    laptops.iter_mut().for_each(Laptop::up);
    laptops[0].one(&["group", "create", "riders"]);
    for laptop in &laptops[1..] {
        let joined = laptop.one(&["join", &laptops[0].invite("riders")]);
        assert_eq!(joined["state"], "joined");
    }
    laptops[0].one(&["send", "riders", "said in the draft"]);
    until("everybody reads it", || laptops.iter().all(|laptop| laptop.texts("riders").len() <= 1));
    let proposal =
        laptops[0].one(&["group", "found", "riders", "--keyholder", names[1], "--keyholder", names[2]]);
    assert_eq!(
        (&proposal["state"], &proposal["signed"], &proposal["needed"]),
        (&"open".into(), &1.into(), &3.into())
    );
    let id = proposal["proposal"].as_str().unwrap();
    for laptop in &laptops[1..3] {
        until("the proposal arrives", || waits(laptop, id));
        laptop.one(&["proposal", "approve", "riders", id]);
    }
    until("everybody has moved", || laptops.iter().all(|laptop| kind(laptop) == "group"));
    until("all are keyed", || {
        let epochs: Vec<_> =
            laptops.iter().map(|laptop| laptop.one(&["group", "show", "riders"])["epoch"].clone()).collect();
        epochs.windows(2).all(|pair| pair[0] == pair[1])
    });
    laptops
}

fn kind(laptop: &Laptop) -> String {
    laptop.one(&["group", "show", "riders"])["kind"].as_str().unwrap().to_owned()
}

/// Whether a proposal is here and this profile's signature would count.
fn waits(laptop: &Laptop, id: &str) -> bool {
    let list = laptop.json(&["proposal", "list", "riders"]);
    list.iter().any(|proposal| proposal["proposal"] == id && proposal["waits_for_me"] == true)
}

fn members(laptop: &Laptop) -> Vec<String> {
    let list = laptop.json(&["group", "members", "riders"]);
    let mut names: Vec<String> =
        list.iter().map(|member| member["name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_draft_becomes_a_group_that_goes_on_without_its_founder() {
    let mut laptops = union(&["amina", "bruno", "carla", "dia"]);
    let group = laptops[3].one(&["group", "show", "riders"])["group"].clone();
    assert_eq!(laptops[3].json(&["group", "list"]).len(), 1, "the draft is listed no more");
    assert_eq!(laptops[3].refused(&["group", "found", "riders", "--keyholder", "bruno"]).0, 4);
    laptops[3].one(&["send", "riders", "said in the group"]);
    until("it is read after what was said in the draft", || {
        laptops[0].texts("riders") == ["said in the draft", "said in the group"]
    });
    // The founder's laptop is seized: any member lets people in, the two others decide.
    laptops[0].kill();
    let mut eva = Laptop::of("eva");
    eva.up();
    let joined = eva.one(&["join", &laptops[3].invite("riders")]);
    assert_eq!((&joined["state"], &joined["group"]), (&"joined".into(), &group));
    let proposal = laptops[1].one(&["group", "expel", "riders", "amina"]);
    let id = proposal["proposal"].as_str().unwrap();
    until("carla is asked", || waits(&laptops[2], id));
    assert_eq!(laptops[2].one(&["proposal", "approve", "riders", id])["state"], "decided");
    let rest = ["bruno", "carla", "dia", "eva"];
    until("she is out everywhere", || {
        [&laptops[1], &laptops[2], &laptops[3], &eva].iter().all(|l| members(l) == rest)
    });
    laptops[2].one(&["send", "riders", "without her laptop"]);
    until("eva reads it", || eva.texts("riders") == ["without her laptop"]);
    // Whoever has the laptop now learns nothing.
    laptops[0].up();
    laptops[2].one(&["send", "riders", "still without"]);
    until("eva reads that too", || eva.texts("riders").len() == 2);
    assert_eq!(laptops[0].texts("riders"), ["said in the draft", "said in the group"]);
}

#[test]
fn two_who_meet_compare_words_and_one_vouches_for_the_other() {
    let laptops = union(&["amina", "bruno", "carla", "dia"]);
    let mut eva = Laptop::of("eva");
    eva.up();
    eva.one(&["join", &laptops[3].invite("riders")]);
    let all_named = |laptop: &Laptop| members(laptop) == ["amina", "bruno", "carla", "dia", "eva"];
    until("all know one another", || laptops.iter().chain([&eva]).all(all_named));
    let reads = |laptop: &Laptop, to: &str| {
        let shown = laptop.one(&["group", "verify", "riders", to]);
        assert_eq!((&shown["verified"], &shown["vouched"]), (&false.into(), &false.into()));
        shown["reading"].as_str().unwrap().to_owned()
    };
    let own = reads(&laptops[0], "eva");
    let heard = reads(&eva, "amina").to_uppercase().replace('-', " ");
    let verify = |words: &[&str]| laptops[0].one(&[&["group", "verify", "riders", "eva"], words].concat());
    let refused =
        |words: &[&str]| laptops[0].refused(&[&["group", "verify", "riders", "eva"], words].concat());
    assert_eq!(refused(&["--heard", &own]), (4, "not_the_same".into()), "her own words");
    assert_eq!(refused(&["--vouch"]), (1, "not_verified".into()));
    assert_eq!(verify(&["--heard", &heard])["verified"], true);
    assert_eq!(verify(&["--vouch"])["vouched"], true);
    assert_eq!(laptops[0].refused(&["group", "verify", "riders", "amina"]), (1, "not_found".into()));
    let seen = |laptop: &Laptop| {
        let list = laptop.json(&["group", "members", "riders"]);
        let eva = list.iter().find(|member| member["name"] == "eva").unwrap().clone();
        (eva["verified"].clone(), eva["vouched_by"].clone(), eva["invited_by"].clone())
    };
    assert_eq!(seen(&laptops[0]).0, true);
    let told = (false.into(), serde_json::json!(["amina"]), "dia".into());
    until("the vouch is seen, the mark is not", || seen(&laptops[2]) == told);
    assert_eq!(verify(&["--forget"])["verified"], false);
}

#[test]
fn one_hand_puts_out_a_member_but_no_key_holder() {
    let laptops = union(&["amina", "bruno", "carla", "dia"]);
    assert_eq!(laptops[3].refused(&["group", "remove", "riders", "bruno"]).0, 4, "dia holds no keys");
    until("dia is connected", || laptops[3].one(&["status"])["groups"][0]["peers"].as_u64() > Some(0));
    let removed = laptops[1].one(&["group", "remove", "riders", "dia"]);
    assert_eq!(removed["name"], "dia");
    until("dia is told", || laptops[3].one(&["status"])["groups"][0]["frozen"] == "ended");
    let proposal = laptops[1].one(&["group", "remove", "riders", "carla"]);
    assert_eq!((&proposal["kind"], &proposal["state"]), (&"expel".into(), &"open".into()));
    let id = proposal["proposal"].as_str().unwrap();
    until("carla sees it", || laptops[2].json(&["proposal", "list", "riders"]).len() == 1);
    assert_eq!(laptops[2].refused(&["proposal", "approve", "riders", id]), (4, "not_allowed".into()));
    assert_eq!(laptops[1].refused(&["proposal", "approve", "riders", id]), (4, "not_allowed".into()));
    // Amina closes it with Bruno, who has thought better of it.
    until("amina sees it", || waits(&laptops[0], id));
    let dismissal = laptops[0].one(&["proposal", "dismiss", "riders", id]);
    let dismissal = dismissal["proposal"].as_str().unwrap();
    until("bruno sees that", || waits(&laptops[1], dismissal));
    laptops[1].one(&["proposal", "approve", "riders", dismissal]);
    let dismissed = |laptop: &Laptop| laptop.one(&["proposal", "show", "riders", id])["state"] == "dismissed";
    until("all see it closed", || laptops[..3].iter().all(dismissed));
    assert_eq!(laptops[0].refused(&["proposal", "approve", "riders", id]), (1, "decided".into()));
    until("carla stays", || members(&laptops[2]) == ["amina", "bruno", "carla"]);
}

#[test]
fn a_group_cut_in_two_that_let_people_in_apart_grows_together() {
    let mut laptops = union(&["amina", "bruno", "carla", "dia"]);
    let address = |laptop: &Laptop| laptop.one(&["status"])["listen"][0].as_str().unwrap().to_owned();
    let kill = |laptops: &mut Vec<Laptop>, which: &[usize]| {
        which.iter().for_each(|at| laptops[*at].kill());
    };
    let mut stays: Vec<String> = laptops.iter().map(address).collect();
    let come_in = |laptops: &mut Vec<Laptop>, name: &str, through: usize| {
        let mut newcomer = Laptop::of(name);
        newcomer.up();
        assert_eq!(newcomer.one(&["join", &laptops[through].invite("riders")])["state"], "joined");
        newcomer.one(&["send", "riders", &format!("{name} to this half")]);
        let read = |at: usize| laptops[at].texts("riders").last().is_some_and(|text| text.starts_with(name));
        until("this half reads it", || read(through) && read(through + 1));
        let at = address(&newcomer);
        laptops.push(newcomer);
        at
    };
    let peers = |laptop: &Laptop| laptop.one(&["status"])["groups"][0]["peers"].as_u64().unwrap();
    until("everybody is connected with everybody", || laptops.iter().all(|laptop| peers(laptop) == 3));
    kill(&mut laptops, &[0, 1]);
    stays.push(come_in(&mut laptops, "eva", 2));
    kill(&mut laptops, &[2, 3, 4]);
    [0, 1].iter().for_each(|at| laptops[*at].up_at(&stays[*at]));
    come_in(&mut laptops, "finn", 0);
    // The cable is mended. Of the two branches of keys one wins; whoever was let in on the other gets new ones.
    [2, 3, 4].iter().for_each(|at| laptops[*at].up_at(&stays[*at]));
    let everybody = ["amina", "bruno", "carla", "dia", "eva", "finn"];
    let whole = |laptop: &Laptop| {
        let status = laptop.one(&["status"])["groups"][0].clone();
        members(laptop) == everybody && status["waits_for_keys"] == false
    };
    until("all are members, everywhere", || laptops.iter().all(whole));
    let said = |laptop: &Laptop, text: &str| laptop.texts("riders").iter().any(|read| read == text);
    for (laptop, name) in laptops.iter().zip(everybody) {
        laptop.one(&["send", "riders", &format!("{name} to all")]);
    }
    until("everybody reads everybody", || {
        everybody.iter().all(|name| laptops.iter().all(|laptop| said(laptop, &format!("{name} to all"))))
    });
    assert!(said(&laptops[4], "eva to this half") && said(&laptops[5], "finn to this half"));
    let epochs: Vec<_> =
        laptops.iter().map(|laptop| laptop.one(&["group", "show", "riders"])["epoch"].clone()).collect();
    assert!(epochs.windows(2).all(|pair| pair[0] == pair[1]), "{epochs:?}");
}
