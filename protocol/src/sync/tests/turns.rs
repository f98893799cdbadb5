//! Order and turns: acts before talk, groups by bytes, budgets; one session a peer.

use super::world::*;
use crate::entry::Lane;
use crate::sync::message::{Message, Seek};
use crate::sync::{ConnectionId, Output};

fn want(hand: &Hand, number: u8, seed: u8, lane: Lane) -> Message {
    let logs = vec![Seek { log: hand.name(number, log(seed, lane)), have: vec![] }];
    Message::Want { group: number - 1, live: false, budget: 1 << 20, logs }
}

/// Groups of the frames of entries, in order, with their logs and bytes.
fn served(outputs: &[Output]) -> Vec<(u8, [u8; 8], usize)> {
    let frame = |message: Message| match message {
        Message::Entries { group, log, entries, .. } if !entries.is_empty() => {
            Some((group, log, entries.iter().map(Vec::len).sum()))
        }
        _ => None,
    };
    sent(outputs).into_iter().filter_map(frame).collect()
}

/// Lets everything leave that waits.
fn drain(node: &mut Node, conn: u64, mut outputs: Vec<Output>) -> Vec<Output> {
    let mut waiting = outputs.len();
    while waiting > 0 {
        let more = node.left(conn, 64 * 1024);
        waiting = more.len();
        outputs.extend(more);
    }
    outputs
}

#[test]
fn nothing_is_read_from_the_store_before_the_line_has_room() {
    let mut node = Node::new(1);
    node.write(1, log(3, Lane::Talk), 1000, 1000);
    let (hand, _) = node.meet(1, 2, &[claim(1, 2)]);
    let first = node.take(1, &want(&hand, 1, 3, Lane::Talk));
    let bytes: usize = served(&first).iter().map(|(.., bytes)| bytes).sum();
    assert!(bytes <= 3 * 64 * 1024, "{bytes} at once");
    let all = drain(&mut node, 1, first);
    assert_eq!(served(&all).iter().map(|(.., bytes)| bytes).sum::<usize>(), 1_000_000);
    let ends = sent(&all).iter().filter(|m| matches!(m, Message::Entries { end: true, .. })).count();
    assert_eq!(ends, 1);
}

#[test]
fn acts_overtake_beacons_and_beacons_overtake_talk_of_other_groups() {
    let mut node = Node::new(3);
    for (number, lane) in [(1, Lane::Talk), (2, Lane::Beacon), (3, Lane::Acts)] {
        node.write(number, log(3, lane), if lane.is_chained() { 400 } else { 1 }, 1000);
    }
    let claims: Vec<_> = (1..=3).map(|number| claim(number, 2)).collect();
    let (hand, _) = node.meet(1, 2, &claims);
    let mut outputs = node.take(1, &want(&hand, 1, 3, Lane::Talk));
    outputs.extend(node.take(1, &want(&hand, 2, 3, Lane::Beacon)));
    outputs.extend(node.take(1, &want(&hand, 3, 3, Lane::Acts)));
    let order: Vec<u8> = served(&drain(&mut node, 1, outputs)).into_iter().map(|(group, ..)| group).collect();
    let (before, rest) = order.split_at(order.iter().position(|group| *group == 2).unwrap());
    let talk = before.iter().take_while(|group| **group == 0).count();
    assert!(talk <= 3, "what was under way when the acts were asked for: {order:?}");
    assert!(before[talk..].iter().all(|group| *group == 2), "all acts");
    let acts = rest.iter().take_while(|group| **group == 2).count();
    assert_eq!(rest[acts], 1, "then the beacon: {order:?}");
    assert!(rest[acts + 1..].iter().all(|group| *group == 0), "then talk again");
}

#[test]
fn groups_take_turns_by_bytes() {
    let mut node = Node::new(2);
    node.write(1, log(3, Lane::Talk), 900, 1000);
    node.write(2, log(3, Lane::Talk), 300, 1000);
    let (hand, _) = node.meet(1, 2, &[claim(1, 2), claim(2, 2)]);
    let mut outputs = node.take(1, &want(&hand, 1, 3, Lane::Talk));
    outputs.extend(node.take(1, &want(&hand, 2, 3, Lane::Talk)));
    let all = served(&drain(&mut node, 1, outputs));
    let second: Vec<usize> = all.iter().enumerate().filter(|(_, f)| f.0 == 1).map(|(at, _)| at).collect();
    assert!(second.windows(2).all(|pair| pair[1] - pair[0] <= 2), "every other frame: {all:?}");
    assert!(all.len() > second.last().unwrap() + 3, "the longer one goes on alone");
}

#[test]
fn one_session_is_asked_for_a_mebibyte_and_all_for_eight() {
    let mut node = Node::new(10);
    let claims: Vec<_> = (1..=10).map(|number| claim(number, 2)).collect();
    let mut all = 0;
    for conn in 1..=9u64 {
        let member = conn as u8;
        let (hand, _) = node.meet(conn, member, &claims);
        let mut here = 0;
        for (number, lane) in (1..=10).map(|n| (n, if n < 8 { Lane::Talk } else { Lane::Acts })) {
            // Logs of nobody known, so that no other session has them under way.
            let mut head = hand.head(number, log(3, lane), 9);
            head.log = [conn as u8; 8];
            let heads = vec![head];
            let outputs = node.take(conn, &Message::Heads { group: number - 1, more: false, heads });
            here += wants(&outputs).iter().map(|(.., budget)| *budget as usize).sum::<usize>();
            if number == 7 {
                assert!(here <= 768 << 10, "talk leaves a quarter to acts");
            }
        }
        assert!(here <= 1 << 20, "{here}");
        if conn == 1 {
            assert_eq!(here, 1 << 20);
        }
        all += here;
    }
    assert!(all <= 8 << 20, "{all}");
    assert!(all > 7 << 20);
}

#[test]
fn a_group_that_had_to_wait_is_asked_for_when_another_is_done() {
    let mut node = Node::new(8);
    let claims: Vec<_> = (1..=8).map(|number| claim(number, 2)).collect();
    let (hand, _) = node.meet(1, 2, &claims);
    let mut waiting = Vec::new();
    for number in 1..=8 {
        let heads = vec![hand.first(number, log(3, Lane::Talk), 100)];
        let outputs = node.take(1, &Message::Heads { group: number - 1, more: false, heads });
        if wants(&outputs).is_empty() {
            waiting.push(number - 1);
        }
    }
    assert_eq!(waiting, [3, 4, 5, 6, 7], "three quarters of a mebibyte in quarters");
    let entries = vec![entry(log(3, Lane::Talk), 1, 100)];
    let name = hand.name(1, log(3, Lane::Talk));
    let outputs = node.take(1, &Message::Entries { group: 0, log: name, end: true, entries });
    assert!(waiting.contains(&wants(&outputs)[0].0), "{outputs:?}");
}

#[test]
fn of_two_sessions_dialled_at_once_both_ends_keep_the_same() {
    let mut nodes = [Node::of(1, 1), Node::of(2, 1)];
    let first = nodes[0].connect(1, &[2; 4], true);
    nodes[1].connect(1, &[1; 4], false);
    let second = nodes[1].connect(2, &[1; 4], true);
    nodes[0].connect(2, &[2; 4], false);
    carry(&mut nodes, [first, second]);
    let outputs = [nodes[0].wait(SECOND / 2), nodes[1].wait(SECOND / 2)];
    carry(&mut nodes, outputs);
    for node in &nodes {
        let open: Vec<ConnectionId> = node.sync.peers().map(|(conn, ..)| conn).collect();
        assert_eq!(open, [ConnectionId(1)], "the one dialled by the smaller peer id");
    }
}

#[test]
fn who_comes_again_has_lost_the_older_connection() {
    let mut node = Node::new(1);
    node.meet(1, 2, &[claim(1, 2)]);
    for conn in 2..10 {
        node.wait(60 * SECOND);
        let (_, outputs) = node.meet(conn, 2, &[claim(1, 2)]);
        assert!(closes(&outputs, conn - 1), "the line was cut, this side did not know");
        let open: Vec<ConnectionId> = node.sync.peers().map(|(conn, ..)| conn).collect();
        assert_eq!(open, [ConnectionId(conn)]);
    }
}

#[test]
fn a_frame_of_short_entries_is_no_longer_than_a_frame_may_be() {
    let mut node = Node::new(1);
    node.write(1, log(3, Lane::Talk), 5000, 60);
    let (hand, _) = node.meet(1, 2, &[claim(1, 2)]);
    let first = node.take(1, &want(&hand, 1, 3, Lane::Talk));
    let all = drain(&mut node, 1, first);
    let longest =
        all.iter().map(|output| if let Output::Send(_, frame) = output { frame.len() } else { 0 }).max();
    assert!(longest <= Some(crate::sync::MAX_FRAME));
    assert_eq!(
        served(&all).iter().map(|(.., bytes)| bytes).sum::<usize>(),
        5000 * 60,
        "and nothing is left out"
    );
}
