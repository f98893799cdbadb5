//! What is shown to whom: replays, reflections, relays, removed members, listeners.

use super::world::*;
use crate::crypto::Secret;
use crate::id::EpochId;
use crate::sim::SeededRng;
use crate::sync::message::Message;
use crate::sync::{Claim, Output, Role, handshake};

/// Frames the node sends on a connection from the slots on, and when.
fn reply(node: &mut Node, conn: u64, slots: Vec<[u8; 128]>) -> (Vec<usize>, bool) {
    assert!(node.take(conn, &Message::Slots(slots)).is_empty(), "nothing at once");
    let early = node.wait(std::time::Duration::from_millis(19));
    assert!(early.is_empty(), "nothing before the fixed delay: {early:?}");
    let outputs = node.wait(std::time::Duration::from_millis(1));
    let lengths = outputs.iter().filter_map(|output| match output {
        Output::Send(_, frame) => Some(frame.len()),
        _ => None,
    });
    (lengths.collect(), opens(&outputs))
}

#[test]
fn a_stranger_gets_what_a_member_gets_in_length_and_time_and_then_silence() {
    for (shown, padded) in [(1, 8), (9, 32), (33, 128)] {
        let mut node = Node::new(40);
        let member = node.greet(1, 2);
        let claims: Vec<_> = (1..=shown).map(|number| claim(number, 2)).collect();
        let (to_member, opened) = reply(&mut node, 1, member.slots(&claims));
        assert!(opened);
        node.greet(2, 9);
        let random = (0..padded).map(|n| [n as u8; 128]).collect();
        let (to_stranger, opened) = reply(&mut node, 2, random);
        assert!(!opened);
        assert_eq!(to_stranger, [1 + padded * 128], "as many slots as were shown, and nothing more");
        assert_eq!(to_stranger[0], to_member[0]);
        let later = node.wait(20 * SECOND);
        assert!(closes(&later, 2), "a fixed close");
        assert!(
            sent(&later).iter().all(|m| !matches!(m, Message::Busy(_) | Message::Bye | Message::Refused(_)))
        );
    }
}

#[test]
fn a_stranger_who_goes_on_talking_is_told_nothing() {
    for message in [
        Message::Digest { group: 0, lanes: [[0; 16]; 3], up: vec![] },
        Message::Heads { group: 0, more: false, heads: vec![] },
        Message::Want { group: 0, live: true, budget: 1, logs: vec![] },
        Message::Knock(vec![0; 4096]),
        Message::Hello { nonce: [0; 32] },
        Message::Slots(vec![[0; 128]; 8]),
        Message::Busy(1),
    ] {
        let mut node = Node::new(1);
        node.greet(1, 9);
        node.take(1, &Message::Slots(vec![[9; 128]; 8]));
        node.wait(SECOND);
        assert_eq!(node.take(1, &message), [Output::Close(crate::sync::ConnectionId(1))], "{message:?}");
    }
}

#[test]
fn a_replayed_handshake_opens_nothing() {
    let mut node = Node::new(1);
    let (member, opened) = node.meet(1, 2, &[claim(1, 2)]);
    assert!(opens(&opened));
    // The same frames from the same peer id once more: this node's nonce is another one.
    node.sync.closed(crate::sync::ConnectionId(1));
    node.greet(2, 2);
    node.take(2, &Message::Slots(member.slots(&[claim(1, 2)])));
    assert!(!opens(&node.wait(SECOND)));
}

#[test]
fn a_reflected_handshake_opens_nothing() {
    let mut node = Node::new(1);
    let hello = node.connect(1, b"mallory", true);
    let [Message::Hello { nonce }] = sent(&hello)[..] else { panic!("{hello:?}") };
    // The other side says what this node says.
    let slots = node.take(1, &Message::Hello { nonce });
    let [Message::Slots(slots)] = &sent(&slots)[..] else { panic!("{slots:?}") };
    assert!(!opens(&node.take(1, &Message::Slots(slots.clone()))));
    // Or uses it to dial back.
    node.connect(2, b"mallory", false);
    node.take(2, &Message::Hello { nonce });
    node.take(2, &Message::Slots(slots.clone()));
    assert!(!opens(&node.wait(SECOND)));
}

#[test]
fn a_handshake_relayed_between_two_victims_opens_nothing() {
    let (mut alice, mut bob) = (Node::of(1, 1), Node::of(2, 1));
    // Mallory answers Alice with what Bob says, and Bob with what Alice says; both see her peer id.
    let hello = alice.connect(1, b"mallory", true);
    bob.connect(1, b"mallory", false);
    let answer = bob.take(1, &sent(&hello)[0]);
    let slots = alice.take(1, &sent(&answer)[0]);
    bob.take(1, &sent(&slots)[0]);
    let reply = bob.wait(SECOND);
    assert!(!opens(&reply));
    assert!(!opens(&alice.take(1, &sent(&reply)[0])));
}

#[test]
fn the_same_two_open_when_nobody_is_between_them() {
    let mut nodes = [Node::of(1, 1), Node::of(2, 1)];
    let first = nodes[0].connect(1, &[2; 4], true);
    nodes[1].connect(1, &[1; 4], false);
    carry(&mut nodes, [first, vec![]]);
    let reply = nodes[1].wait(SECOND);
    let all = carry(&mut nodes, [vec![], reply]);
    assert!(all.iter().any(|(node, output)| *node == 0 && matches!(output, Output::Opened { .. })));
}

#[test]
fn a_removed_prober_fails_at_the_roster_with_any_tag() {
    let mut node = Node::new(1);
    node.world.groups.get_mut(&group(1)).unwrap().roster.remove(&device(5));
    for (conn, epoch) in [(1, 2), (2, 1)] {
        let hand = node.greet(conn, 5);
        let slots = hand.slots(&[claim(1, epoch)]);
        let (lengths, opened) = reply(&mut node, conn, slots);
        assert!(!opened);
        assert_eq!(lengths, [1 + 8 * 128], "he is told what any stranger is told");
    }
}

#[test]
fn a_stale_member_who_dials_is_recognised_and_told() {
    let mut node = Node::new(1);
    node.write(1, log(3, crate::entry::Lane::Acts), 5, 100);
    let (_, opened) = node.meet(1, 4, &[claim(1, 1)]);
    assert!(opens(&opened), "by an epoch that has ended");
    assert!(sent(&opened).iter().any(|message| matches!(message, Message::Digest { .. })));
}

#[test]
fn two_callers_a_second_are_looked_for_in_512_epochs_and_all_in_16() {
    let mut node = Node::new(1);
    let past = |back: u16| {
        let bytes: Vec<u8> = back.to_be_bytes().repeat(16);
        let epoch: [u8; 32] = bytes.try_into().unwrap();
        Claim::member(group(1), EpochId(epoch), Secret::new(epoch))
    };
    node.world.groups.get_mut(&group(1)).unwrap().claims = (0..600).map(past).collect();
    let calls = |node: &mut Node, conn: u64, back: u16| {
        let hand = node.greet(conn, conn as u8 + 1);
        node.take(conn, &Message::Slots(hand.slots(&[past(back)])));
        opens(&node.wait(std::time::Duration::from_millis(20)))
    };
    assert!(!calls(&mut node, 1, 512), "nobody further back");
    assert!(calls(&mut node, 2, 511));
    assert!(!calls(&mut node, 3, 16), "a third has to call again");
    assert!(calls(&mut node, 4, 15), "who was here lately has not");
    node.wait(SECOND);
    assert!(calls(&mut node, 5, 16));
}

#[test]
fn an_answerer_proves_himself_too() {
    let mut node = Node::new(1);
    node.world.groups.get_mut(&group(1)).unwrap().roster.remove(&device(5));
    // Somebody removed, at an address that is still told; and a member who is in.
    for (conn, seed, opened) in [(1, 5, false), (2, 6, true)] {
        let hello = node.connect(conn, &[seed; 4], true);
        let [Message::Hello { nonce }] = sent(&hello)[..] else { panic!("{hello:?}") };
        node.take(conn, &Message::Hello { nonce: [seed; 32] });
        let transcript = crate::sync::Transcript::new([&[1; 4], &[seed; 4]], [&nonce, &[seed; 32]]);
        let mut slots = vec![[0; 128]; 8];
        slots[0] = claim(1, 2).show(&transcript, Role::Responder, &key(seed));
        assert_eq!(opens(&node.take(conn, &Message::Slots(slots))), opened);
    }
}

#[test]
fn whoever_says_hello_and_nothing_more_is_not_waited_for() {
    let mut node = Node::new(1);
    node.connect(1, b"slow", false);
    assert!(closes(&node.wait(11 * SECOND), 1));
    node.greet(2, 9);
    assert!(closes(&node.wait(11 * SECOND), 2));
    node.connect(3, b"slow", true);
    assert!(closes(&node.wait(11 * SECOND), 3), "nor is who was dialled");
}

#[test]
fn who_waits_for_keys_and_knocks_is_still_in_the_group() {
    let mut node = Node::new(1);
    let door = node.hold_code(true);
    let hand = node.greet(1, 2);
    let show = |claim: &Claim, signer| claim.show(&hand.transcript, Role::Initiator, &key(signer));
    let slots = handshake::pad(vec![show(&claim(1, 2), 2), show(&door, 50)], &mut SeededRng::new(99));
    node.take(1, &Message::Slots(slots));
    let opened = node.wait(SECOND);
    let of_group = |output: &Output| matches!(output, Output::Opened { group: of, .. } if *of == group(1));
    assert!(opened.iter().any(of_group), "{opened:?}");
    let outputs = node.take(1, &Message::Knock(vec![0; 4096]));
    assert!(outputs.iter().any(|output| matches!(output, Output::Asked { .. })), "{outputs:?}");
}
