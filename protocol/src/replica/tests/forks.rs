//! Forked logs whose branches decide who is in.

use super::*;

/// What Alice signs for one place of her log: Bob's removal, and something else.
fn two_faces(alice: &Desk, bob: &Desk) -> [Entry; 2] {
    let head = alice.replica.head();
    [alice.forge(Kind::Remove, head, &remove(bob)), alice.forge(Kind::Merge, head, &empty())]
}

fn settle(desk: &mut Desk) {
    desk.act(Replica::settle_forks).unwrap();
}

#[test]
fn whoever_a_branch_put_out_says_so_to_those_who_never_saw_it() {
    let (alice, mut bob, mut carla) = three();
    let [removal, other] = two_faces(&alice, &bob);
    bob.take(removal.bytes());
    assert_eq!(bob.replica.frozen(), Some(Frozen::Ended));
    carla.take(other.bytes());
    bob.take(other.bytes());
    settle(&mut bob);
    carla.sync(&bob);
    assert!(!carla.is_member(bob.replica.device()), "or he would be out on his own laptop alone");
    assert!(!bob.replica.is_over(), "he goes on calling until he knows that somebody has heard it");
    carla.post(Kind::Merge, &empty());
    bob.sync(&carla);
    assert!(bob.replica.is_over());
    assert_eq!(carla.replica.view(), bob.replica.view());
    let own = bob.replica.next_seq(Kind::Merge);
    settle(&mut bob);
    assert_eq!(bob.replica.next_seq(Kind::Merge), own, "he has nothing more to say");
}

#[test]
fn what_forked_talk_drew_in_is_drawn_in_for_everybody() {
    let (mut alice, mut bob, mut carla) = three();
    let mut dan = newcomer(&mut alice, 4);
    alice.sync(&dan);
    for desk in [&mut bob, &mut carla, &mut dan] {
        desk.sync(&alice);
    }
    let [removal, other] = two_faces(&alice, &bob);
    let message =
        crate::action::message::Message { text: "hm".into(), reply_to: None, clock: 9, edits: None };
    let text = crate::action::Action::to_payload(&message);
    let blind = bob.forge(Kind::Message, bob.replica.head(), &text);
    bob.take(removal.bytes());
    let citing = bob.forge(Kind::Message, bob.replica.head(), &text);
    for desk in [&mut carla, &mut dan] {
        desk.take(other.bytes());
        desk.take(removal.bytes());
        settle(desk);
    }
    carla.take(citing.bytes());
    assert!(!carla.is_member(bob.replica.device()), "his talk builds on the branch");
    dan.take(blind.bytes());
    dan.take(citing.bytes());
    assert!(dan.is_member(bob.replica.device()), "forked talk counts for nothing");
    carla.take(blind.bytes());
    settle(&mut carla);
    dan.sync(&carla);
    assert_eq!(dan.replica.view(), carla.replica.view());
    assert!(!dan.is_member(bob.replica.device()));
}

/// Alice removes Dan and has shown Bob the commit for it; and Alice as she was before, who signs something else at
/// its place.
fn a_commit_on_a_branch() -> (Desk, Desk, Desk, Desk) {
    let (mut alice, mut bob, mut carla) = three();
    let dan = newcomer(&mut alice, 4);
    alice.sync(&dan);
    for desk in [&mut bob, &mut carla] {
        desk.sync(&alice);
    }
    alice.post(Kind::Remove, &remove(&dan));
    bob.sync(&alice);
    carla.sync(&alice);
    let before = alice.copy();
    alice.act(Replica::carry_out).unwrap();
    bob.sync(&alice);
    bob.message("under her commit");
    (before, alice, bob, carla)
}

/// Whoever had the other branch could not even place what is sealed under the epoch that it makes.
#[test]
fn what_is_sealed_under_a_branchs_commit_reaches_those_who_saw_the_other() {
    let (before, _, mut bob, mut carla) = a_commit_on_a_branch();
    let other = before.forge(Kind::Merge, before.replica.head(), &empty());
    carla.take(other.bytes());
    bob.take(other.bytes());
    settle(&mut bob);
    for _ in 0..3 {
        carla.sync(&bob);
        settle(&mut carla);
        bob.sync(&carla);
    }
    assert_eq!(carla.texts(), ["under her commit"]);
    assert_eq!(carla.replica.head(), bob.replica.head());
}

#[test]
fn a_commit_of_a_third_branch_is_asked_for_by_the_hint_of_its_epoch() {
    let (before, _, mut bob, mut carla) = a_commit_on_a_branch();
    let commit = EntryId(bob.replica.head().0);
    let (seq, prev) = {
        let stored = bob.act(|replica, round| replica.shelf(round).by_id(&commit)).unwrap().unwrap();
        (stored.entry.header().seq, stored.entry.header().prev)
    };
    let parent = carla.replica.head();
    // Her two other faces are those of the proof.
    let face = |n: u32| before.forge_at(Kind::Revoke, parent, seq, prev, &n.to_be_bytes());
    let smaller: Vec<Entry> = (0..).map(face).filter(|face| face.id() < commit).take(2).collect();
    for face in &smaller {
        carla.take(face.bytes());
    }
    let bytes = |desk: &mut Desk, id: EntryId| {
        let chain = desk.act(|replica, round| replica.chain(&id, 1 << 20, round.sight()));
        chain.map(|(_, entries)| entries).unwrap_or_default()
    };
    let sent = bytes(&mut bob, commit);
    assert_eq!(carla.take(&sent[0]), Received::Duplicate, "nobody she knows of has built on it");
    carla.sync(&bob);
    let missing = carla.act(|replica, round| replica.missing(round.sight()));
    let [asked] = missing.into_iter().collect::<Vec<_>>()[..] else { panic!("one thing") };
    assert_eq!((&asked.0[..8], &asked.0[8..]), (&commit.0[..8], &[0; 24][..]));
    for entry in bytes(&mut bob, asked) {
        carla.take(&entry);
    }
    // Then what was sealed under it has its place, and what that cites is asked for by its id.
    carla.sync(&bob);
    carla.sync(&bob);
    assert_eq!(carla.texts(), ["under her commit"]);
    assert_eq!(carla.replica.head(), bob.replica.head());
    assert_eq!(carla.act(|replica, round| replica.missing(round.sight())), BTreeSet::new());
}

#[test]
fn of_two_commits_that_one_maker_shows_to_two_either_counts_for_both() {
    let (mut before, _, mut bob, mut carla) = a_commit_on_a_branch();
    before.act(Replica::carry_out).unwrap();
    carla.sync(&before);
    carla.message("under her other commit");
    assert_ne!(carla.replica.head(), bob.replica.head());
    for _ in 0..3 {
        carla.sync(&bob);
        settle(&mut carla);
        bob.sync(&carla);
        settle(&mut bob);
    }
    for desk in [&mut bob, &mut carla] {
        let texts: BTreeSet<String> = desk.texts().into_iter().collect();
        assert_eq!(texts, BTreeSet::from(["under her commit", "under her other commit"].map(str::to_owned)));
    }
    assert_eq!(carla.replica.head(), bob.replica.head());
}

#[test]
fn an_edit_at_a_fork_changes_nothing() {
    let (_, mut bob, mut carla) = three();
    let first = bob.message("first");
    carla.sync(&bob);
    let edit = |bob: &Desk, text: &str| {
        let body = crate::action::message::Message {
            text: text.into(),
            reply_to: None,
            clock: 9,
            edits: Some(first),
        };
        bob.forge(Kind::Message, bob.replica.head(), &crate::action::Action::to_payload(&body))
    };
    let [left, right] = ["left", "right"].map(|text| edit(&bob, text));
    carla.take(left.bytes());
    assert_eq!(carla.texts(), ["left"]);
    carla.take(right.bytes());
    assert_eq!(carla.texts(), ["first"], "nobody can say which of the two he meant");
}
