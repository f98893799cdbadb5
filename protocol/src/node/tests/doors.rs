//! Codes and requests shown again, too late, or by whoever was put out.

use super::*;
use crate::store::{Key, Table};

/// A code with several uses, and what a joiner on a laptop of its own asks with.
fn asked(sim: &mut Sim, group: GroupId, lasts: Duration) -> (usize, DeviceKey, Vec<u8>) {
    let expires = sim.now().after(lasts);
    let invite = sim.act(0, |node, now| node.invite(group, 5, expires, now)).unwrap();
    let laptop = sim.add();
    join(sim, laptop, &invite.code.unwrap(), "bob");
    let node = sim.laptop(laptop).node.as_ref().unwrap();
    let request = node.joins[&invite.key].joining.door().request;
    (laptop, invite.key, request)
}

fn is_in(sim: &mut Sim, laptop: usize, group: GroupId) -> bool {
    sim.laptop(laptop).node.as_ref().unwrap().group(&group).is_some()
}

fn used(sim: &mut Sim, group: GroupId, invite: DeviceKey) -> usize {
    let invites = sim.act(0, |node, now| node.invites(group, now)).unwrap();
    invites.into_iter().find(|view| view.key == invite).unwrap().used
}

/// Shows a request to Alice's node, whoever has it.
fn show(sim: &mut Sim, group: GroupId, invite: DeviceKey, request: &[u8]) {
    sim.act(0, |node, now| node.knocked(ConnectionId(1 << 40), group, invite, request, now)).unwrap();
}

#[test]
fn a_request_shown_again_counts_once_and_brings_nobody_back() {
    let (mut sim, group) = picket(51, 1);
    let (bob, invite, request) = asked(&mut sim, group, 7 * 1440 * MINUTE);
    assert!(sim.run_until(5 * MINUTE, |sim| is_in(sim, bob, group)));
    show(&mut sim, group, invite, &request);
    assert_eq!((used(&mut sim, group, invite), members(&mut sim, 0, group)), (1, 2));
    let bobs = member(&mut sim, bob, group);
    sim.act(0, |node, now| node.remove(group, bobs, now)).unwrap();
    assert_eq!(members(&mut sim, 0, group), 1);
    // The code is good for four more, and the request was good: he shows it again.
    show(&mut sim, group, invite, &request);
    sim.run_for(MINUTE);
    assert_eq!(members(&mut sim, 0, group), 1, "no door-opener lets him in unknowingly");
}

#[test]
fn a_code_past_its_act_opens_nothing_and_says_so() {
    let (mut sim, group) = picket(52, 1);
    let (bob, invite, request) = {
        sim.partition(&[0], &[1], true);
        let asked = asked(&mut sim, group, MINUTE);
        assert_eq!(asked.0, 1);
        asked
    };
    sim.run_for(2 * MINUTE);
    sim.partition(&[0], &[1], false);
    sim.run_for(10 * MINUTE);
    assert!(!is_in(&mut sim, bob, group));
    assert_eq!(sim.laptop(bob).node.as_ref().unwrap().joining().count(), 0, "refused, and told so");
    show(&mut sim, group, invite, &request);
    assert_eq!((used(&mut sim, group, invite), members(&mut sim, 0, group)), (0, 1));
}

#[test]
fn the_private_half_of_a_request_is_gone_once_its_owner_is_in() {
    let (mut sim, group) = picket(53, 1);
    let (bob, invite, _) = asked(&mut sim, group, 1440 * MINUTE);
    let kept = |sim: &mut Sim| {
        let key = Key::new(Table::Secret, [b"join".as_slice(), invite.as_bytes()].concat(), 0);
        sim.laptop(bob).node.as_ref().unwrap().store().secret(&key).unwrap().is_some()
    };
    assert!(kept(&mut sim), "it lasts over a restart");
    assert!(sim.run_until(5 * MINUTE, |sim| is_in(sim, bob, group)));
    assert!(!kept(&mut sim), "else it would open every epoch since, together with the mail");
}

#[test]
fn whoever_no_commit_could_add_is_not_let_in() {
    let (mut sim, group) = picket(54, 1);
    let (bob, invite, _) = asked(&mut sim, group, 1440 * MINUTE);
    assert!(sim.run_until(5 * MINUTE, |sim| is_in(sim, bob, group)));
    // Two devices with a code, and one leaf key in both packages: each well-formed, the second in vain.
    let expires = sim.now().after(MINUTE);
    let code = sim.act(0, |node, now| node.invite(group, 5, expires, now)).unwrap();
    let keys = InviteCode::parse(&code.code.unwrap()).unwrap().keys();
    let seeded = || crate::sim::SeededRng::new(99);
    let mut show_package = |device: &ed25519_dalek::SigningKey| {
        let (package, _) = crate::group::seal::key_package(device, Suite::Classical, &mut seeded()).unwrap();
        let request = crate::group::invite::JoinRequest::sign(
            &keys,
            &group.fingerprint(),
            crate::crypto::device_key(device),
            package,
        );
        let sealed = request.seal(&keys.request, &mut seeded());
        show(&mut sim, group, keys.public(), &sealed);
        members(&mut sim, 0, group)
    };
    assert_eq!(show_package(&ed25519_dalek::SigningKey::from_bytes(&[5; 32])), 3);
    assert_eq!(show_package(&ed25519_dalek::SigningKey::from_bytes(&[6; 32])), 3, "a member without keys");
    assert_eq!((used(&mut sim, group, keys.public()), used(&mut sim, group, invite)), (1, 1));
}

#[test]
fn a_group_of_the_hybrid_suite_lets_in_by_code_like_any_other() {
    let mut sim = Sim::new(900);
    let alice = sim.add();
    let group = sim.act(alice, |node, now| node.create_group("later", "alice", Suite::Hybrid, now)).unwrap();
    let bob = sim.add();
    admit(&mut sim, group, bob, "bob");
    say(&mut sim, bob, group, "for a long time");
    assert!(sim.run_until(5 * MINUTE, |sim| all_read(sim, &[alice, bob], group, 1)));
}

/// Each member is a ciphertext more in every commit of the founder's, and a commit is one entry.
#[test]
fn a_full_group_says_so_lets_out_and_then_in_again() {
    let mut sim = Sim::new(901);
    let alice = sim.add();
    let group = sim.act(alice, |node, now| node.create_group("later", "alice", Suite::Hybrid, now)).unwrap();
    let bob = sim.add();
    admit(&mut sim, group, bob, "bob");
    sim.crash(bob);
    let expires = sim.now().after(MINUTE);
    let code = sim.act(alice, |node, now| node.invite(group, 100, expires, now)).unwrap().code.unwrap();
    let full = |sim: &mut Sim| sim.laptop(alice).events.iter().any(|(_, event)| *event == Event::Full);
    for seed in 0.. {
        if full(&mut sim) {
            break;
        }
        let joining = crate::replica::Joining::start(
            InviteCode::parse(&code).unwrap(),
            "somebody",
            &mut crate::sim::SeededRng::new(seed),
        );
        let joining = joining.unwrap();
        show(&mut sim, group, joining.invite(), &joining.door().request);
    }
    let most = members(&mut sim, alice, group);
    assert!((30..60).contains(&most), "{most} members");
    let invited = sim.act(alice, |node, now| node.invite(group, 1, expires, now));
    assert_eq!(invited.unwrap_err(), NodeError::Full, "no code that leads nowhere");

    sim.start(bob);
    assert!(sim.run_until(5 * MINUTE, |sim| members(sim, bob, group) == most));
    sim.act(bob, |node, now| node.leave(group, now)).unwrap();
    assert!(sim.run_until(5 * MINUTE, |sim| members(sim, alice, group) == most - 1));
    sim.act(alice, |node, now| node.invite(group, 1, expires, now)).unwrap();
}
