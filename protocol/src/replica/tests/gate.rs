//! Under an epoch with somebody in it who is out, nothing is sealed but what repairs it (K-9).

use super::*;
use crate::action::Action;
use crate::action::grievance::Grievance;
use crate::action::strike::{Call, Leg};
use crate::group::operation::Profile;

const KINDS: [Kind; 18] = [
    Kind::Genesis,
    Kind::Invite,
    Kind::Admit,
    Kind::Remove,
    Kind::Revoke,
    Kind::Leave,
    Kind::Profile,
    Kind::Commit,
    Kind::Opened,
    Kind::Merge,
    Kind::Grievance,
    Kind::Support,
    Kind::Call,
    Kind::CallOff,
    Kind::PledgeAnswer,
    Kind::PledgeCount,
    Kind::Message,
    Kind::Beacon,
];

#[test]
fn an_unclean_epoch_seals_removals_leavings_and_their_commits_alone() {
    let (mut alice, bob, mut carla) = three();
    assert!(KINDS.iter().all(|kind| carla.replica.may_write(*kind).is_ok()));
    alice.post(Kind::Remove, &remove(&bob));
    carla.sync(&alice);
    assert!(!carla.replica.is_clean());
    let allowed: Vec<Kind> =
        KINDS.into_iter().filter(|kind| carla.replica.may_write(*kind).is_ok()).collect();
    assert_eq!(allowed, [Kind::Remove, Kind::Revoke, Kind::Leave, Kind::Commit, Kind::Merge]);
    let refused = carla.act(|replica, round| replica.post_beacon(vec!["/ip4/10.0.0.3/tcp/1".into()], round));
    assert_eq!(refused, Err(AuthorError::Rekeying), "no address either");
    let told = carla.entries.len();
    assert_eq!(
        carla.act(|replica, round| replica.post(Kind::Message, &empty(), round)),
        Err(AuthorError::Rekeying)
    );
    assert_eq!(carla.entries.len(), told, "nothing was staged");
    assert!(carla.replica.claims_for("/ip4/10.0.0.9/tcp/1").is_empty(), "nor is the epoch shown");
    alice.act(Replica::carry_out).unwrap();
    carla.sync(&alice);
    assert!(carla.replica.is_clean() && carla.replica.may_write(Kind::Message).is_ok());
}

#[test]
fn whoever_was_put_out_reads_and_writes_nothing_any_more() {
    let (mut alice, mut bob, mut carla) = three();
    alice.message("while he was in");
    bob.sync(&alice);
    assert_eq!(bob.texts(), ["while he was in"]);
    let old = bob.replica.head();
    alice.post(Kind::Remove, &remove(&bob));
    alice.act(Replica::carry_out).unwrap();
    alice.message("without him");
    let mut later = Vec::new();
    std::mem::swap(&mut later, &mut alice.entries);
    alice.entries = later.clone();
    carla.sync(&alice);
    assert_eq!(carla.texts(), ["while he was in", "without him"]);
    // He has every byte of it.
    for entry in &later {
        bob.take(entry);
    }
    assert_eq!(bob.texts(), ["while he was in"]);
    let head = alice.replica.head();
    assert!(bob.replica.ring.class_key(&head, Class::Control).is_none(), "no key of the new epoch");
    assert_eq!(bob.replica.frozen(), Some(Frozen::Ended));
    // What he writes knowing it, by a client that doesn't care, is nobody's news.
    let body =
        crate::action::message::Message { text: "let me in".into(), reply_to: None, clock: 9, edits: None };
    let shout = bob.forge(Kind::Message, old, &crate::action::Action::to_payload(&body));
    assert_eq!(carla.take(shout.bytes()), Received::Stored);
    assert!(carla.rejected(&shout.id()));
    let grievance = bob.forge(Kind::Support, old, &empty());
    carla.take(grievance.bytes());
    assert!(carla.rejected(&grievance.id()));
    assert_eq!(carla.texts(), ["while he was in", "without him"]);
}

#[test]
fn what_was_said_before_he_heard_of_his_removal_is_shown_and_nothing_said_after() {
    let (mut alice, mut bob, mut carla) = three();
    alice.post(Kind::Remove, &remove(&bob));
    alice.act(Replica::carry_out).unwrap();
    carla.sync(&alice);
    // Offline, he doesn't know: what he says is judged by what he knew (M-19).
    bob.message("on my way");
    let late = bob.entries.clone();
    for entry in &late {
        carla.take(entry);
    }
    assert_eq!(carla.texts(), ["on my way"]);
}

/// A call whose one counter is `counter`.
fn evening_off(counter: &Desk, changes: Option<EntryId>) -> Call {
    let leg = Leg {
        zone: "Europe/Paris".into(),
        place: "Lyon".into(),
        start_local: "2027-01-16T18:00".into(),
        end_local: "2027-01-16T22:00".into(),
        start: 1_900_000_000,
        end: 1_900_010_000,
        threshold: 0,
    };
    Call {
        changes,
        sequence: 1 + u32::from(changes.is_some()),
        title: "Evening off".into(),
        demands: vec![],
        forms: vec!["log_off".into()],
        legs: vec![leg],
        threshold: 0,
        closes: 1_900_000_000,
        answer_window: 0,
        expires: 1_900_010_000,
        counter_key: vec![7; 32].into(),
        counters: vec![counter.replica.member()],
        tzdb: String::new(),
    }
}

#[test]
fn a_call_by_a_plain_member_is_refused_by_every_node() {
    let (mut alice, mut bob, mut carla) = three();
    let forged = bob.post(Kind::Call, &evening_off(&bob, None).to_payload());
    let real = alice.post(Kind::Call, &evening_off(&alice, None).to_payload());
    bob.sync(&alice);
    let changed = bob.post(Kind::Call, &evening_off(&bob, Some(real)).to_payload());
    let off = crate::action::strike::CallOff { call: real, sequence: 9, reason: "it's over".into() };
    let called_off = bob.post(Kind::CallOff, &off.to_payload());
    let count = crate::action::pledge::PledgeCount { call: real, count: 500, closed: true };
    bob.post(Kind::PledgeCount, &count.to_payload());
    for desk in [&mut alice, &mut carla] {
        desk.sync(&bob);
        for id in [forged, changed, called_off] {
            assert!(desk.rejected(&id));
        }
        let board = desk.replica.board();
        let view = board.call_view(&real).unwrap();
        assert_eq!((view.body.sequence, view.called_off), (1, None));
        assert_eq!(board.calls().count(), 1);
        assert_eq!(board.count(&real), None, "he is no counter");
    }
}

/// An act of a kind that only a later version knows.
fn of_tomorrow(author: &Desk) -> Entry {
    let own = author.replica.own_log(Class::Control.lane());
    let (seq, prev) = author.replica.logs.head(&own).unwrap();
    let number = (0..).find(|number| Kind::from_number(*number, Class::Control).is_none()).unwrap();
    author.forge_numbered(number, Class::Control, author.replica.head(), (seq + 1, prev), &empty())
}

#[test]
fn an_act_of_the_founders_that_is_not_understood_stops_a_node() {
    let (alice, mut bob, mut carla) = three();
    let entry = of_tomorrow(&alice);
    assert_eq!(bob.take(entry.bytes()), Received::Stored);
    assert_eq!(bob.replica.frozen(), Some(Frozen::NeedsNewer));
    assert!(bob.events.contains(&Event::NeedsNewer), "and he is told");
    let refused = bob.act(|replica, round| replica.post(Kind::Message, &empty(), round));
    assert_eq!(refused, Err(AuthorError::Frozen(Frozen::NeedsNewer)), "it may have put somebody out");
    carla.sync(&bob);
    assert_eq!(carla.replica.frozen(), Some(Frozen::NeedsNewer), "it is passed on all the same");
}

#[test]
fn a_members_act_that_is_not_understood_stops_nobody() {
    let (mut alice, bob, mut carla) = three();
    let entry = of_tomorrow(&bob);
    for desk in [&mut alice, &mut carla] {
        desk.take(entry.bytes());
        assert_eq!(desk.replica.frozen(), None);
        assert!(desk.events.contains(&Event::NeedsNewer), "but it is told");
        desk.message("and on it goes");
    }
    carla.sync(&alice);
    assert_eq!(carla.texts().len(), 2);
}

#[test]
fn nobody_counts_with_a_key_that_nothing_can_be_sealed_to() {
    let (mut alice, mut bob, mut carla) = three();
    let known = carla.replica.name_of(&bob.replica.member());
    for key in [vec![], vec![9; 31], vec![9; 33], vec![0; 32]] {
        let call = Call { counter_key: key.clone().into(), ..evening_off(&alice, None) };
        let call = alice.post(Kind::Call, &call.to_payload());
        let profile = Profile { name: "bob, poisoned".into(), mail: key.into() };
        let profile = bob.post(Kind::Profile, &profile.to_payload());
        carla.sync(&bob);
        carla.sync(&alice);
        assert!(carla.rejected(&call) && alice.rejected(&call));
        assert!(carla.replica.board().call_view(&call).is_none(), "nobody could answer it");
        assert!(carla.rejected(&profile));
        assert_eq!(carla.replica.name_of(&bob.replica.member()), known);
    }
}

/// M-19: what somebody filed as a member is judged by what was known there, wherever it comes later.
#[test]
fn what_was_filed_before_its_author_was_put_out_counts_wherever_it_comes_later() {
    let (mut alice, mut bob, mut carla) = three();
    let filed = bob.post(Kind::Grievance, &Grievance::sample().to_payload());
    alice.post(Kind::Remove, &remove(&bob));
    carla.sync(&alice);
    assert!(!carla.is_member(bob.replica.device()));
    carla.sync(&bob);
    assert!(carla.replica.board().grievances().any(|(id, _)| *id == filed));
}
