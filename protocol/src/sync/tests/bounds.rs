//! What one peer can cost: sessions, groups, frames beyond credit, heads, pushes.

use super::world::*;
use crate::entry::Lane;
use crate::sync::message::{Head, Message, Place};
use crate::sync::{ConnectionId, Output};

fn listed() -> Message {
    Message::Heads { group: 0, more: false, heads: vec![] }
}

#[test]
fn a_full_node_says_busy_and_puts_nobody_out() {
    let mut node = Node::new(9);
    // Members of many groups: no group has too many.
    let of = |conn: u64| if conn <= 64 { 1 } else { 2 + (conn as u8 - 65) / 12 };
    for conn in 1..=96u64 {
        node.world.groups.get_mut(&group(of(conn))).unwrap().roster.insert(device(conn as u8));
        let (_, opened) = node.meet(conn, conn as u8, &[claim(of(conn), 2)]);
        assert!(opens(&opened));
    }
    node.world.groups.get_mut(&group(9)).unwrap().roster.insert(device(200));
    let (_, outputs) = node.meet(500, 200, &[claim(9, 2)]);
    assert!(!opens(&outputs));
    assert!(sent(&outputs).contains(&Message::Busy(60)), "who has proven what he is is told");
    assert!(closes(&outputs, 500));
    assert_eq!(node.sync.peers().count(), 96);
    // There is room again when somebody goes.
    node.sync.closed(ConnectionId(7));
    let (_, outputs) = node.meet(501, 200, &[claim(9, 2)]);
    assert!(opens(&outputs));
}

#[test]
fn a_joiner_gets_the_longest_mail_as_fast_as_he_reads_and_asks_for_it_once() {
    let mut node = Node::new(1);
    let door = node.hold_code(false);
    node.meet(1, 50, &[door]);
    node.left(1, usize::MAX);
    node.take(1, &Message::Knock(vec![0; 4096]));
    let longest: Vec<u8> = (0..64 * 48 * 1024u32).map(|n| n as u8).collect();
    node.sync.mail(ConnectionId(1), &longest);
    let mut got = Vec::new();
    let mut outputs = node.left(1, 0);
    while !outputs.is_empty() {
        let parts = sent(&outputs);
        let bytes = |m: &Message| if let Message::Mail { bytes, .. } = m { bytes.len() } else { 0 };
        assert!(parts.iter().map(bytes).sum::<usize>() < 192 * 1024, "a window at a time");
        for part in parts {
            let Message::Mail { bytes, .. } = part else { panic!("{part:?}") };
            got.extend(bytes);
        }
        outputs = node.left(1, 64 * 1024);
    }
    assert!(got == longest, "{} of {}", got.len(), longest.len());
    for asked in [false, true] {
        let outputs = node.take(1, &Message::Knock(vec![0; 4096]));
        assert!(outputs.iter().any(|output| matches!(output, Output::Knocked { .. })));
        node.sync.mail(ConnectionId(1), &longest);
        assert_eq!(closes(&node.left(1, 0), 1), asked, "as long as he takes none of it");
    }
}

#[test]
fn whatever_happens_while_a_peer_reads_nothing_waits_in_256_kib_and_is_told_then() {
    let mut node = Node::new(4);
    let claims: Vec<_> = (1..=4).map(|number| claim(number, 2)).collect();
    let (hand, _) = node.meet(1, 2, &claims);
    let mut bytes = 0;
    let mut count = |outputs: Vec<Output>| {
        let frames = outputs.iter().map(|o| if let Output::Send(_, frame) = o { frame.len() } else { 0 });
        bytes += frames.sum::<usize>();
    };
    for handle in 0..4u8 {
        count(node.take(1, &Message::Heads { group: handle, more: false, heads: vec![] }));
    }
    for _ in 0..8000 {
        for number in 1..=4 {
            count(node.say(number, Lane::Talk, 500));
        }
        count(node.wait(SECOND / 5));
    }
    assert!((100_000..256 * 1024).contains(&bytes), "{bytes}");
    node.left(1, bytes);
    let told = sent(&node.wait(2 * SECOND));
    let (log, seq) = (hand.name(3, log(1, Lane::Talk)), 8000);
    let newest =
        |m: &Message| matches!(m, Message::Have { group: 2, places } if places.contains(&Place { log, seq }));
    assert!(told.iter().any(newest), "{told:?}");
}

#[test]
fn a_node_that_is_two_thirds_full_has_room_for_groups_with_few_sessions_only() {
    let mut node = Node::new(2);
    let mut meet = |conn: u8, number: u8| {
        node.world.groups.get_mut(&group(number)).unwrap().roster.insert(device(conn));
        let (_, outputs) = node.meet(conn.into(), conn, &[claim(number, 2)]);
        (opens(&outputs), sent(&outputs).contains(&Message::Busy(60)))
    };
    for conn in 1..=64 {
        assert_eq!(meet(conn, 1), (true, false), "{conn}: as long as there is room, whoever calls");
    }
    assert_eq!(meet(65, 1), (false, true));
    for conn in 66..=77 {
        assert_eq!(meet(conn, 2), (true, false), "twelve of another group");
    }
    assert_eq!(meet(78, 2), (false, true));
}

#[test]
fn who_is_told_busy_says_when_to_come_back() {
    let mut node = Node::new(1);
    node.meet(1, 2, &[claim(1, 2)]);
    let outputs = node.take(1, &Message::Busy(60));
    assert!(outputs.contains(&Output::Busy(ConnectionId(1), 60)));
    assert!(closes(&outputs, 1));
    node.greet(2, 9);
    let outputs = node.take(2, &Message::Busy(60));
    assert!(!outputs.iter().any(|o| matches!(o, Output::Busy(..))), "a stranger's word counts for nothing");
}

#[test]
fn sixteen_joiners_stand_at_the_door_and_the_next_is_told_to_come_back() {
    let mut node = Node::new(1);
    let claim = node.hold_code(false);
    let knock = |node: &mut Node, conn| {
        let (_, mut outputs) = node.meet(conn, 50, std::slice::from_ref(&claim));
        outputs.extend(node.take(conn, &Message::Knock(vec![0; 4096])));
        outputs
    };
    let heard = |outputs: &[Output]| outputs.iter().any(|o| matches!(o, Output::Knocked { .. }));
    for conn in 1..=16 {
        assert!(heard(&knock(&mut node, conn)));
    }
    let outputs = knock(&mut node, 17);
    assert!(sent(&outputs).contains(&Message::Busy(60)) && closes(&outputs, 17) && !heard(&outputs));
    assert!((1..=16).all(|conn| !closes(&outputs, conn)), "nobody is put out");
    let (_, member) = node.meet(100, 2, &[super::world::claim(1, 2)]);
    assert!(opens(&member), "members have places of their own");
    node.sync.closed(ConnectionId(7));
    assert!(heard(&knock(&mut node, 18)), "there is room when somebody goes");
}

#[test]
fn one_session_serves_64_groups() {
    let mut node = Node::new(70);
    let claims: Vec<_> = (1..=70).map(|number| claim(number, 2)).collect();
    let (_, opened) = node.meet(1, 2, &claims);
    let links = opened.iter().filter(|output| matches!(output, Output::Opened { .. })).count();
    assert_eq!(links, 64);
}

#[test]
fn entries_nobody_asked_for_end_the_session() {
    let mut node = Node::new(1);
    let (hand, _) = node.meet(1, 2, &[claim(1, 2)]);
    node.take(1, &listed());
    let (log, entries) = (hand.name(1, log(3, Lane::Talk)), vec![entry(log(3, Lane::Talk), 1, 100)]);
    assert!(closes(&node.take(1, &Message::Entries { group: 0, log, end: false, entries }), 1));
}

#[test]
fn entries_of_another_log_than_asked_for_end_the_session() {
    let mut node = Node::new(1);
    let (hand, _) = node.meet(1, 2, &[claim(1, 2)]);
    let heads = vec![hand.head(1, log(3, Lane::Talk), 3)];
    node.take(1, &Message::Heads { group: 0, more: false, heads });
    let (log, entries) = (hand.name(1, log(4, Lane::Talk)), vec![entry(log(4, Lane::Talk), 1, 100)]);
    assert!(closes(&node.take(1, &Message::Entries { group: 0, log, end: false, entries }), 1));
}

#[test]
fn entries_beyond_the_budget_end_the_session() {
    let mut node = Node::new(1);
    let (hand, _) = node.meet(1, 2, &[claim(1, 2)]);
    let talk = log(3, Lane::Talk);
    let heads = vec![hand.head(1, talk, 10_000)];
    let asked = wants(&node.take(1, &Message::Heads { group: 0, more: false, heads }));
    let budget = asked[0].2 as usize;
    let mut got = 0usize;
    for seq in 1.. {
        let entries = vec![entry(talk, seq, 60_000)];
        let outputs =
            node.take(1, &Message::Entries { group: 0, log: hand.name(1, talk), end: false, entries });
        if closes(&outputs, 1) {
            break;
        }
        got += 60_000;
        assert!(got <= budget + 64 * 1024, "one entry over, not more");
    }
    assert!(got > budget - 60_000);
}

#[test]
fn a_flood_of_pushes_ends_the_session_and_acknowledged_ones_do_not() {
    let mut node = Node::new(1);
    node.meet(1, 2, &[claim(1, 2)]);
    node.take(1, &listed());
    let (talk, mut seq) = (log(2, Lane::Talk), 0);
    for _ in 0..20 {
        for _ in 0..10 {
            seq += 1;
            assert!(!closes(&node.take(1, &Message::Entry(entry(talk, seq, 5000))), 1));
        }
        let acknowledged = node.wait(2 * SECOND);
        assert!(sent(&acknowledged).iter().any(|m| matches!(m, Message::Have { .. })));
    }
    let mut unacknowledged = 0;
    while !closes(&node.take(1, &Message::Entry(entry(talk, seq + 1, 5000))), 1) {
        (seq, unacknowledged) = (seq + 1, unacknowledged + 5000);
        assert!(unacknowledged <= 64 * 1024);
    }
    assert!(unacknowledged > 55_000);
}

#[test]
fn pushes_beyond_credit_turn_into_announcements_and_come_back_with_acknowledgements() {
    let mut node = Node::new(1);
    let (hand, _) = node.meet(1, 2, &[claim(1, 2)]);
    node.take(1, &listed());
    let pushed = |outputs: &[Output]| sent(outputs).iter().filter(|m| matches!(m, Message::Entry(_))).count();
    let mut first = 0;
    while pushed(&node.say(1, Lane::Talk, 5000)) == 1 {
        first += 1;
        assert!(first < 100, "without end");
    }
    assert_eq!(first, 13, "64 KiB");
    assert!(sent(&node.wait(SECOND)).iter().any(|m| matches!(m, Message::Have { .. })));
    let seq = first as u32 + 1;
    node.take(
        1,
        &Message::Have { group: 0, places: vec![Place { log: hand.name(1, log(1, Lane::Talk)), seq }] },
    );
    assert_eq!(pushed(&node.say(1, Lane::Talk, 5000)), 1);
}

#[test]
fn who_acknowledges_nothing_for_long_is_doubted() {
    let mut node = Node::new(1);
    let (hand, _) = node.meet(1, 2, &[claim(1, 2)]);
    node.take(1, &listed());
    node.say(1, Lane::Talk, 100);
    let acknowledged = Place { log: hand.name(1, log(1, Lane::Talk)), seq: 1 };
    node.take(1, &Message::Have { group: 0, places: vec![acknowledged] });
    assert!(!node.wait(100 * SECOND).contains(&Output::Doubt(ConnectionId(1))));
    node.say(1, Lane::Talk, 100);
    assert!(node.wait(31 * SECOND).contains(&Output::Doubt(ConnectionId(1))));
}

#[test]
fn a_peer_that_does_not_read_is_pushed_and_served_one_window() {
    let mut node = Node::new(10);
    let claims: Vec<_> = (1..=10).map(|number| claim(number, 2)).collect();
    node.meet(1, 2, &claims);
    let mut bytes = 0;
    for group in 0..10u8 {
        node.take(1, &Message::Heads { group, more: false, heads: vec![] });
    }
    for number in 1..=10 {
        for _ in 0..50 {
            let outputs = node.say(number, Lane::Talk, 5000);
            bytes +=
                outputs.iter().map(|o| if let Output::Send(_, f) = o { f.len() } else { 0 }).sum::<usize>();
        }
    }
    assert!(bytes < 3 * 64 * 1024 && bytes > 100_000, "{bytes}: a window, not a credit for each group");
}

#[test]
fn more_heads_than_there_is_room_for_are_worked_off_in_turns() {
    let mut node = Node::new(1);
    let (hand, _) = node.meet(1, 2, &[claim(1, 2)]);
    let made_up = |n: u32| {
        let mut log = [9; 8];
        log[..4].copy_from_slice(&n.to_be_bytes());
        Head { log, lane: 1, seq: 1, id: [7; 8], forked: false }
    };
    let own = hand.head(1, log(1, Lane::Talk), 77);
    let heads: Vec<Head> = (0..6000).map(made_up).chain([own]).collect();
    let frames = heads.chunks(1024).count();
    let mut outputs = Vec::new();
    for (number, heads) in heads.chunks(1024).enumerate() {
        let more = number + 1 < frames;
        outputs = node.take(1, &Message::Heads { group: 0, more, heads: heads.to_vec() });
    }
    assert!(!closes(&outputs, 1), "an honest member of many groups is not cut off");
    let link = &node.sync.sessions[&ConnectionId(1)].links[&0];
    assert!(link.theirs.len() <= 4096 + 1, "{}", link.theirs.len());
    assert!(link.theirs.contains_key(&own.log), "what is said of this node's own log is never dropped");
    assert!(node.sync.confirmed.is_empty(), "and keeps it from showing its own");
    let mut asked = wants(&outputs).len();
    let mut asked_again = false;
    while !asked_again && asked < 100 {
        let log = wants(&outputs).pop().map_or([0; 8], |(_, logs, _)| logs[0]);
        outputs = node.take(1, &Message::Entries { group: 0, log, end: true, entries: vec![] });
        asked += 1;
        asked_again = closes(&outputs, 1);
    }
    assert!(asked_again, "a thousand of them lies: enough");
}
