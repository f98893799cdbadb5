//! Doors that should not have opened, and groups that only look like the code's.

use super::*;
use crate::group::operation::{Opened, OpenedEpoch};
use crate::group::seal::{Change, EpochState};

/// What a door-opener would mail for a commit.
fn mail(epoch: EpochId, welcome: &[u8]) -> Vec<u8> {
    [epoch.as_bytes().as_slice(), welcome].concat()
}

fn change_for(joiner: &Joiner) -> Change {
    let package = joiner.request.key_package.clone();
    Change { adds: vec![(joiner.device(), package)], removes: BTreeSet::new() }
}

/// A member lets somebody in behind Alice's back: admission, commit and Welcome, all his own.
fn open_the_door(insider: &mut Desk, joiner: &Joiner) -> (Vec<u8>, Vec<Vec<u8>>) {
    let head = insider.replica.head();
    let admit = insider.forge(Kind::Admit, head, &admission(&joiner.request, joiner.invite).to_payload());
    let state = insider.act(|replica, round| replica.shelf(round).state(&head)).unwrap().unwrap();
    let cited = BTreeSet::from([admit.id()]);
    let key = insider.replica.key.clone();
    let made = state.commit(&head, &key, &change_for(joiner), &cited, &mut insider.rng).unwrap();
    let body = crate::group::operation::Commit {
        message: made.message.into(),
        operations: cited.into_iter().collect(),
    };
    let seq = admit.header().seq + 1;
    let commit = insider.forge_at(Kind::Commit, head, seq, admit.id(), &body.to_payload());
    let epoch = EpochId::from(commit.id());
    // Under the new epoch he tells all earlier keys, as an honest committer would.
    let keys = crate::group::epoch::EpochKeys::derive(&made.next.export(&epoch).unwrap());
    insider.replica.ring.insert(epoch, keys);
    let known: Vec<EpochId> = insider.replica.ring.epochs().copied().filter(|e| *e != epoch).collect();
    let told = |epoch: EpochId| OpenedEpoch {
        epoch,
        control: (*insider.replica.ring.control(&epoch).unwrap().as_bytes()).into(),
    };
    let opened = Opened { epochs: known.into_iter().map(told).collect() };
    let opened = insider.forge_at(Kind::Opened, epoch, seq + 1, commit.id(), &opened.to_payload());
    let mut entries = insider.entries.clone();
    entries.extend([&admit, &commit, &opened].map(|entry| entry.bytes().to_vec()));
    (mail(epoch, &made.welcome.unwrap()), entries)
}

#[test]
fn a_member_who_may_not_admit_opens_no_door() {
    let (mut alice, mut bob, _) = three();
    let code = alice.invite(5);
    bob.sync(&alice);
    let joiner = joiner(&code, &alice.replica.group(), 9);
    let (mail, entries) = open_the_door(&mut bob, &joiner);
    assert!(joiner.complete(&mail, &entries).is_err());
    // The same code brings him in where he should be.
    alice.admit(&joiner.request, joiner.invite);
    let device = joiner.device();
    let mail = alice.act(|replica, round| replica.welcome(&device, round)).unwrap().unwrap();
    assert!(joiner.complete(&mail, &alice.entries).is_ok());
}

#[test]
fn a_removed_member_who_saw_the_code_can_not_show_the_group_as_it_was_before() {
    let (mut alice, mut bob, _) = three();
    let code = alice.invite(5);
    bob.sync(&alice);
    alice.post(Kind::Remove, &remove(&bob));
    alice.act(Replica::carry_out).unwrap();
    let joiner = joiner(&code, &alice.replica.group(), 9);
    let (mail, entries) = open_the_door(&mut bob, &joiner);
    assert!(joiner.complete(&mail, &entries).is_err());
}

#[test]
fn a_shadow_of_the_group_is_not_the_group() {
    let (mut alice, mut bob, _) = three();
    let code = alice.invite(5);
    let group = alice.replica.group();
    let joiner = joiner(&code, &group, 9);
    // Alice lets him in; Bob gets his mail through first: a group of his own of the same id, and all of
    // the real entries, which say that this device is in.
    let admit = alice.admit(&joiner.request, joiner.invite);
    bob.sync(&alice);
    let real = alice.replica.head();
    let key = bob.replica.key.clone();
    let (shadow, _) = EpochState::create(&group, &key, Suite::Classical, &mut bob.rng).unwrap();
    let cited = BTreeSet::from([admit]);
    let made = shadow.commit(&group.into(), &key, &change_for(&joiner), &cited, &mut bob.rng).unwrap();
    let refused = joiner.complete(&mail(real, &made.welcome.unwrap()), &alice.entries).err();
    assert!(refused.is_some());
    // Neither under the real epoch's name nor with its control keys told.
    let keys = crate::group::epoch::EpochKeys::derive(&made.next.export(&real).unwrap());
    let told = |epoch: &EpochId| OpenedEpoch {
        epoch: *epoch,
        control: (*alice.replica.ring.control(epoch).unwrap().as_bytes()).into(),
    };
    let opened = Opened { epochs: alice.replica.ring.epochs().filter(|e| **e != real).map(told).collect() };
    bob.replica.ring = KeyRing::default();
    bob.replica.ring.insert(real, keys);
    let opened = bob.forge(Kind::Opened, real, &opened.to_payload());
    let mut entries = alice.entries.clone();
    entries.push(opened.bytes().to_vec());
    let (shadow, _) = EpochState::create(&group, &key, Suite::Classical, &mut bob.rng).unwrap();
    let made = shadow.commit(&group.into(), &key, &change_for(&joiner), &cited, &mut bob.rng).unwrap();
    assert!(joiner.complete(&mail(real, &made.welcome.unwrap()), &entries).is_err());
    // The real one still opens.
    let device = joiner.device();
    let honest = alice.act(|replica, round| replica.welcome(&device, round)).unwrap().unwrap();
    assert!(joiner.complete(&honest, &entries).is_ok());
}

#[test]
fn a_welcome_into_another_tree_is_refused_though_everything_else_is_genuine() {
    // The best an insider could do: a tree of the same leaves, under the same id, that he made.
    let (mut alice, mut bob, _) = three();
    let code = alice.invite(1);
    let group = alice.replica.group();
    let joiner = joiner(&code, &group, 9);
    alice.admit(&joiner.request, joiner.invite);
    let device = joiner.device();
    let mail = alice.act(|replica, round| replica.welcome(&device, round)).unwrap().unwrap();
    let key = bob.replica.key.clone();
    let (shadow, _) = EpochState::create(&group, &key, Suite::Classical, &mut bob.rng).unwrap();
    let honest = || joiner.joining.receive(&mail).unwrap();
    let refused = joiner.finish(honest().shadowed(shadow), &alice.entries).err();
    assert_eq!(refused, Some(BootstrapError::Shadow));
    assert!(joiner.finish(honest(), &alice.entries).is_ok());
}

#[test]
fn an_admission_that_does_not_cite_the_code_is_not_the_answer_to_it() {
    let (mut alice, _, _) = three();
    let (code, other) = (alice.invite(1), alice.invite(1));
    let group = alice.replica.group();
    let (one, two) = (joiner(&code, &group, 9), joiner(&other, &group, 9));
    assert_eq!(one.device(), two.device(), "the same seed: one device, two codes");
    alice.admit(&two.request, two.invite);
    let device = one.device();
    let mail = alice.act(|replica, round| replica.welcome(&device, round)).unwrap().unwrap();
    assert_eq!(one.complete(&mail, &alice.entries).err(), Some(BootstrapError::Shadow));
    assert!(two.complete(&mail, &alice.entries).is_ok());
}

#[test]
fn a_group_of_another_fingerprint_is_refused_at_once() {
    let (alice, mut mallory) = (
        Desk::founder(),
        Desk::with(5, |round| Replica::found("picket", Suite::Classical, "mallory", round).ok()).unwrap(),
    );
    let mut alice = alice;
    let code = alice.invite(1);
    let joiner = joiner(&code, &alice.replica.group(), 9);
    // Mallory admits him by hand.
    let body = Admit { invite: None, proof: None, ..admission(&joiner.request, joiner.invite) };
    mallory.post(Kind::Admit, &body.to_payload());
    mallory.act(Replica::carry_out).unwrap();
    let device = joiner.device();
    let mail = mallory.act(|replica, round| replica.welcome(&device, round)).unwrap().unwrap();
    let refused = joiner.complete(&mail, &mallory.entries).err();
    assert_eq!(refused, Some(BootstrapError::OtherGroup));
}

#[test]
fn false_keys_of_earlier_epochs_keep_nobody_out() {
    let (mut alice, mut bob, mut carla) = three();
    let lies = |epochs: Vec<EpochId>| {
        let told = |epoch| OpenedEpoch { epoch, control: [6; 32].into() };
        Opened { epochs: epochs.into_iter().map(told).collect() }.to_payload()
    };
    let mut epochs: Vec<EpochId> = bob.replica.ring.epochs().copied().collect();
    epochs.extend((0..200).map(|n| EpochId([n; 32])));
    let lie = bob.post(Kind::Opened, &lies(epochs));
    for desk in [&mut alice, &mut carla] {
        desk.sync(&bob);
        assert!(desk.rejected(&lie), "only who made the epoch, or a key-holder, tells keys in it");
        assert!(desk.replica.ring.control(&EpochId([7; 32])).is_none());
    }
    let mut dan = newcomer(&mut alice, 4);
    assert!(dan.is_member(bob.replica.device()));
    assert_eq!(dan.replica.head(), alice.replica.head());
    assert!(dan.texts().is_empty());
}

#[test]
fn a_use_of_a_code_is_checked_by_every_member() {
    let (mut alice, _, mut carla) = three();
    let code = alice.invite(5);
    let group = alice.replica.group();
    let (honest, other) = (joiner(&code, &group, 9), joiner(&code, &group, 10));
    let real = admission(&honest.request, honest.invite);
    // Truly signed with the code, and nothing that could be added.
    let fingerprint = honest.joining.code.fingerprint;
    let garbage = JoinRequest::sign(&honest.keys, &fingerprint, honest.device(), vec![1; 300]);
    let swapped = JoinRequest::sign(
        &honest.keys,
        &fingerprint,
        crypto::device_key(&stranger(4)),
        honest.request.key_package.clone(),
    );
    let moved = [
        admission(&garbage, honest.invite),
        admission(&swapped, honest.invite),
        // Another's proof, another's package, another's device, another code, no proof at all.
        Admit { proof: Some(other.request.proof.into()), ..real.clone() },
        Admit { key_package: other.request.key_package.clone().into(), ..real.clone() },
        Admit { device: other.device(), ..real.clone() },
        Admit { invite: Some(crypto::device_key(&stranger(3))), ..real.clone() },
        Admit { proof: Some([0; 64].into()), ..real.clone() },
        Admit { proof: None, ..real.clone() },
        Admit { key_package: vec![1; 300].into(), ..real.clone() },
    ];
    for body in moved {
        let forged = alice.post(Kind::Admit, &body.to_payload());
        carla.sync(&alice);
        assert!(carla.rejected(&forged), "{body:?}");
    }
    assert_eq!(carla.replica.view().members.len(), 3);
    let admitted = alice.post(Kind::Admit, &real.to_payload());
    carla.sync(&alice);
    assert!(!carla.rejected(&admitted) && carla.is_member(honest.device()));
    assert_eq!(carla.replica.view().invites[&honest.invite].used.len(), 1);
    // The same device again counts once.
    alice.post(Kind::Admit, &real.to_payload());
    carla.sync(&alice);
    assert_eq!(carla.replica.view().invites[&honest.invite].used.len(), 1);
}

#[test]
fn nobody_makes_anothers_code_his_own() {
    let mut alice = Desk::founder();
    let code = alice.invite(1);
    let keys = code.keys();
    let group = alice.replica.group();
    let issuer = alice.replica.device();
    // A member who saw the act alone has no key of the code; one who saw a proof has another's.
    let mut copied = Invite::publish(&keys, &group, &DeviceKey([7; 32]), 1, u32::MAX);
    let id = alice.post(Kind::Invite, &copied.to_payload());
    assert!(alice.rejected(&id), "signed for another issuer");
    copied = Invite { proof: [0; 64].into(), ..Invite::publish(&keys, &group, &issuer, 1, u32::MAX) };
    let id = alice.post(Kind::Invite, &copied.to_payload());
    assert!(alice.rejected(&id), "not signed with the code");
    assert_eq!(alice.replica.view().invites.len(), 1);
}
