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
    let message = crate::action::message::Message { text: "hm".into(), reply_to: None, clock: 9 };
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
