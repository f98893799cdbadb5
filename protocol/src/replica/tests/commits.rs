//! Commits that the checklist of MLS alone would believe.

use super::*;
use crate::group::operation::{Commit, Doorway, Resync};
use crate::group::seal::Change;

/// A commit entry of this desk's on an epoch, carrying out whatever it likes.
fn commit(desk: &mut Desk, on: EpochId, change: &Change, operations: &[EntryId]) -> Entry {
    let state = desk.act(|replica, round| replica.shelf(round).state(&on)).unwrap().unwrap();
    let cited = operations.iter().copied().collect();
    let made = state.commit(&on, &desk.replica.key, change, &cited, &mut desk.rng).unwrap();
    let body = Commit { message: made.message.into(), operations: cited.into_iter().collect() };
    desk.forge(Kind::Commit, on, &body.to_payload())
}

#[test]
fn a_commit_that_carries_nothing_out_is_believed_six_days_after_its_makers_last_one() {
    let (_, mut bob, mut carla) = three();
    assert_eq!(bob.act(Replica::renew), Ok(true), "his first");
    carla.sync(&bob);
    let head = carla.replica.head();
    assert_eq!(head, bob.replica.head());
    assert_eq!(bob.act(Replica::renew), Ok(false), "a state for everybody to keep, as often as he likes");
    let six_days = NOW.as_entry_secs() + 6 * 86_400;
    for (clock, believed) in [(0, false), (six_days - 1, false), (six_days, true)] {
        bob.clock = clock;
        let (idle, mut carla) = (commit(&mut bob, head, &Change::default(), &[]), carla.copy());
        carla.take(idle.bytes());
        assert_eq!(carla.rejected(&idle.id()), !believed, "{clock}");
        assert_eq!(carla.replica.head() != head, believed);
    }
}

#[test]
fn a_key_holder_renews_keys_at_any_time() {
    let (mut alice, bob, mut carla) = three();
    assert_eq!([(); 2].map(|()| alice.act(Replica::renew)), [Ok(true), Ok(true)]);
    carla.sync(&bob);
    carla.sync(&alice);
    assert_eq!(carla.replica.head(), alice.replica.head());
}

#[test]
fn a_leaving_that_was_carried_out_is_no_reason_for_another_commit() {
    let (mut alice, mut bob, mut carla) = three();
    let mut dan = newcomer(&mut alice, 4);
    let left = dan.act(|replica, round| replica.leave(round)).unwrap();
    alice.sync(&dan);
    alice.act(Replica::carry_out).unwrap();
    for desk in [&mut bob, &mut carla] {
        desk.sync(&dan);
        desk.sync(&alice);
    }
    let head = carla.replica.head();
    assert_eq!(head, alice.replica.head());
    let again = commit(&mut bob, head, &Change::default(), &[left]);
    carla.take(again.bytes());
    assert!(carla.rejected(&again.id()));
    assert_eq!(carla.replica.head(), head);
}

#[test]
fn a_plain_members_commit_that_puts_out_is_not_believed() {
    let (mut alice, mut bob, carla) = three();
    let head = carla.replica.head();
    let removal = alice.post(Kind::Remove, &remove(&carla));
    bob.sync(&alice);
    let change = Change { removes: BTreeSet::from([carla.replica.device()]), ..Change::default() };
    let putting_out = commit(&mut bob, head, &change, &[removal]);
    alice.take(putting_out.bytes());
    assert!(alice.rejected(&putting_out.id()), "the removal is Alice's, and so is its commit");
}

#[test]
fn a_plain_members_admission_lets_nobody_in() {
    let (mut alice, mut bob, mut carla) = three();
    let code = alice.invite(5);
    carla.sync(&alice);
    bob.sync(&alice);
    let joiner = joiner(&code, &alice.replica.group(), 9);
    let head = bob.replica.head();
    let admit = bob.forge(Kind::Admit, head, &admission(&joiner.request, joiner.invite).to_payload());
    carla.take(admit.bytes());
    assert!(carla.rejected(&admit.id()));
    assert!(!carla.is_member(joiner.device()));
}

#[test]
fn of_two_commits_in_one_parent_the_second_is_not_processed() {
    let (mut alice, bob, mut carla) = three();
    let parent = alice.replica.head();
    let removal = alice.post(Kind::Remove, &remove(&bob));
    let change = Change { removes: BTreeSet::from([bob.replica.device()]), ..Change::default() };
    let first = commit(&mut alice, parent, &change, &[removal]);
    let other = commit(&mut alice, parent, &change, &[removal]);
    // The same commit once more, at the next place of her log.
    let payload = alice.replica.open_body(&other).unwrap().payload;
    let second = alice.forge_at(Kind::Commit, parent, first.header().seq + 1, first.id(), &payload);
    carla.sync(&alice);
    carla.take(first.bytes());
    let head = carla.replica.head();
    assert_ne!(head, parent, "the first is believed");
    assert_eq!(carla.take(second.bytes()), Received::Stored);
    assert!(carla.rejected(&second.id()));
    assert_eq!(carla.replica.head(), head);
    assert!(carla.replica.ring.whole(&EpochId::from(second.id())).is_none(), "no keys of it are kept");
}

#[test]
fn an_admission_that_can_not_be_carried_out_stops_nothing_else() {
    let (mut alice, bob, mut carla) = three();
    // Two devices in league, whose packages share a leaf key: each is well-formed, both can't be in.
    let code = alice.invite(9);
    let group = alice.replica.group();
    let (one, other) = (joiner(&code, &group, 7), joiner(&code, &group, 7));
    let twin = twin_of(&one, &other);
    alice.admit(&one.request, one.invite);
    let admitted = alice.post(Kind::Admit, &admission(&twin, one.invite).to_payload());
    carla.sync(&alice);
    assert!(!carla.rejected(&admitted), "nobody can tell from the package alone");
    alice.post(Kind::Remove, &remove(&bob));
    alice.act(Replica::carry_out).unwrap();
    carla.sync(&alice);
    assert_eq!(carla.replica.head(), alice.replica.head());
    assert!(!carla.replica.leaves.contains(&bob.replica.device()), "the removal is carried out");
    assert!(carla.replica.is_clean());
    assert!(!carla.replica.leaves.contains(&twin.device));
    assert!(carla.replica.leaves.contains(&one.device()));
}

/// A wish of this device's for new keys.
fn wish(desk: &mut Desk, seed: u64) -> (EntryId, Vec<u8>) {
    let key = desk.replica.key.clone();
    let (package, _) =
        crate::group::seal::key_package(&key, Suite::Classical, &mut SeededRng::new(seed)).unwrap();
    let door = Doorway { key: desk.replica.device(), request: [1; 32].into(), peer: [2; 32].into() };
    let behind = desk.replica.tree.epochs().map(|epoch| epoch.hint().into()).collect();
    let body = Resync { key_package: package.clone().into(), door, behind };
    (desk.post(Kind::Resync, &body.to_payload()), package)
}

#[test]
fn a_wish_for_new_keys_is_carried_out_once_and_only_the_newest() {
    let (mut alice, mut bob, mut carla) = three();
    let bobs = bob.replica.device();
    let swap =
        |package: &[u8]| Change { adds: vec![(bobs, package.to_vec())], removes: BTreeSet::from([bobs]) };
    let (older, old_package) = wish(&mut bob, 70);
    let (newer, package) = wish(&mut bob, 71);
    alice.sync(&bob);
    carla.sync(&bob);
    let parent = alice.replica.head();
    let outdated = commit(&mut alice.copy(), parent, &swap(&old_package), &[older]);
    let mut reader = carla.copy();
    reader.take(outdated.bytes());
    assert!(reader.rejected(&outdated.id()), "there is a newer one");
    alice.act(Replica::carry_out).unwrap();
    let made = alice.replica.head();
    assert_ne!(made, parent);
    carla.sync(&alice);
    assert_eq!(carla.replica.head(), made, "the newest is carried out");
    assert!(alice.replica.duty().is_none(), "and no other");
    for (act, package) in [(newer, &package), (older, &old_package)] {
        let spent = commit(&mut alice, made, &swap(package), &[act]);
        let mut reader = carla.copy();
        reader.take(spent.bytes());
        assert!(reader.rejected(&spent.id()));
        assert_eq!(reader.replica.head(), made);
    }
}

#[test]
fn nobody_gets_a_leaf_by_anothers_package_or_after_he_is_out() {
    let (mut alice, mut bob, carla) = three();
    let (_, carlas) = {
        let mut guest = carla.copy();
        wish(&mut guest, 72)
    };
    let door = Doorway { key: bob.replica.device(), request: [1; 32].into(), peer: [2; 32].into() };
    let theft =
        bob.post(Kind::Resync, &Resync { key_package: carlas.into(), door, behind: vec![] }.to_payload());
    alice.sync(&bob);
    assert!(alice.rejected(&theft), "the package is another's");
    wish(&mut bob, 73);
    alice.post(Kind::Remove, &remove(&bob));
    alice.sync(&bob);
    alice.act(Replica::carry_out).unwrap();
    assert!(!alice.replica.leaves.contains(&bob.replica.device()));
}

/// Another device's request whose key package has the leaf key of the first: the same seed makes it.
fn twin_of(one: &Joiner, other: &Joiner) -> JoinRequest {
    let key = stranger(77);
    let mut rng = SeededRng::new(one.seed);
    // `Joining::start` draws the device key first.
    let _ = SigningKey::generate(&mut rng);
    let (package, _) = crate::group::seal::key_package(&key, Suite::Classical, &mut rng).unwrap();
    JoinRequest::sign(&other.keys, &other.joining.code.fingerprint, crypto::device_key(&key), package)
}
