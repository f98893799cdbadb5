//! Members who lie about what they have, tease, keep silent, repeat themselves.

use super::world::*;
use crate::entry::Lane;
use crate::sync::message::{Message, Place, Seek};
use crate::sync::{ConnectionId, Output};

fn lists(outputs: &[Output]) -> usize {
    sent(outputs).iter().filter(|message| matches!(message, Message::Heads { .. })).count()
}

#[test]
fn who_claims_entries_he_does_not_have_is_asked_once_and_not_for_ever() {
    let mut node = Node::new(1);
    let (liar, _) = node.meet(1, 2, &[claim(1, 2)]);
    let heads = vec![liar.head(1, log(3, Lane::Talk), 1_000_000)];
    let mut asked = 0;
    let mut outputs = node.take(1, &Message::Heads { group: 0, more: false, heads });
    while !wants(&outputs).is_empty() {
        asked += 1;
        assert!(asked < 10);
        outputs = node.take(1, &Message::Entries { group: 0, log: [0; 8], end: true, entries: vec![] });
    }
    assert_eq!(asked, 1);
}

#[test]
fn mail_that_nobody_asked_for_ends_a_session() {
    let part = |part| Message::Mail { part, parts: 2, bytes: vec![7; 100] };
    for asked in [false, true] {
        let mut node = Node::new(1);
        node.meet(1, 2, &[claim(1, 2)]);
        if asked {
            node.sync.ask_member(crate::sync::ConnectionId(1), device(60), &[0; 4096]);
        }
        assert_eq!(closes(&node.take(1, &part(0)), 1), !asked);
        if asked {
            let outputs = node.take(1, &part(1));
            let mail = Output::Mail { invite: device(60), bytes: vec![7; 200] };
            assert!(outputs.contains(&mail) && !closes(&outputs, 1), "the session goes on");
            assert!(closes(&node.take(1, &part(0)), 1), "once");
        }
    }
}

#[test]
fn a_member_who_knocks_without_end_is_heard_twice_a_second() {
    let mut node = Node::new(1);
    node.meet(1, 2, &[claim(1, 2)]);
    let mut heard = 0;
    for _ in 0..100 {
        let outputs = node.take(1, &Message::Knock(vec![0; 4096]));
        heard += outputs.iter().filter(|output| matches!(output, Output::Asked { .. })).count();
        assert!(!closes(&outputs, 1));
    }
    assert_eq!(heard, 1);
    node.wait(SECOND);
    let outputs = node.take(1, &Message::Knock(vec![0; 4096]));
    assert!(outputs.iter().any(|output| matches!(output, Output::Asked { .. })));
}

#[test]
fn what_one_promises_and_does_not_deliver_is_asked_of_the_next_and_he_is_given_up() {
    let mut node = Node::new(1);
    let (teaser, _) = node.meet(1, 2, &[claim(1, 2)]);
    let (honest, _) = node.meet(2, 4, &[claim(1, 2)]);
    let missing = log(3, Lane::Acts);
    node.write(1, missing, 1, 100);
    let told = |hand: &Hand| Message::Heads { group: 0, more: false, heads: vec![hand.head(1, missing, 3)] };
    assert_eq!(wants(&node.take(1, &told(&teaser))).len(), 1);
    assert!(wants(&node.take(2, &told(&honest))).is_empty(), "one source at a time");
    let later = node.wait(10 * SECOND);
    assert!(later.iter().any(|output| matches!(output, Output::Send(ConnectionId(2), _))));
    assert_eq!(wants(&later).len(), 1, "the next source");
    let entries = (2..=3).map(|seq| entry(missing, seq, 100)).collect();
    let named = honest.name(1, missing);
    node.take(2, &Message::Entries { group: 0, log: named, end: true, entries });
    assert_eq!(node.held(1, missing), 3);
    // He does it again.
    let again = vec![teaser.head(1, log(5, Lane::Acts), 9)];
    assert_eq!(wants(&node.take(1, &Message::Heads { group: 0, more: false, heads: again })).len(), 1);
    let end = node.wait(10 * SECOND);
    assert!(closes(&end, 1), "his place is for another neighbour");
    assert!(!closes(&end, 2));
}

#[test]
fn announced_and_never_delivered_a_thousand_times_ends_the_session() {
    let mut node = Node::new(1);
    let (teaser, _) = node.meet(1, 2, &[claim(1, 2)]);
    node.take(1, &Message::Heads { group: 0, more: false, heads: vec![] });
    let mut round = 0u32;
    loop {
        round += 1;
        assert!(round < 100, "he is borne for ever");
        let places = (0..64).map(|n| Place { log: [n; 8], seq: round }).collect();
        let mut outputs = node.take(1, &Message::Have { group: 0, places });
        outputs.extend(node.wait(SECOND));
        if !wants(&outputs).is_empty() {
            outputs.extend(
                node.take(1, &Message::Entries { group: 0, log: [0; 8], end: true, entries: vec![] }),
            );
        }
        if closes(&outputs, 1) {
            break;
        }
    }
    let _ = teaser;
}

#[test]
fn an_author_one_member_withholds_comes_from_another() {
    let mut node = Node::new(1);
    let (withholder, _) = node.meet(1, 2, &[claim(1, 2)]);
    let (other, _) = node.meet(2, 4, &[claim(1, 2)]);
    node.take(1, &Message::Heads { group: 0, more: false, heads: vec![] });
    let withheld = log(3, Lane::Talk);
    let heads = vec![other.head(1, withheld, 2)];
    let asked = wants(&node.take(2, &Message::Heads { group: 0, more: false, heads }));
    assert_eq!(asked, [(0, vec![other.name(1, withheld)], 786_432)]);
    let entries = (1..=2).map(|seq| entry(withheld, seq, 100)).collect();
    let log = other.name(1, withheld);
    node.take(2, &Message::Entries { group: 0, log, end: true, entries });
    assert_eq!(node.held(1, withheld), 2);
    let _ = withholder;
}

#[test]
fn comparing_is_no_endless_ping_pong() {
    let mut node = Node::new(1);
    node.write(1, log(3, Lane::Talk), 10, 100);
    let (liar, _) = node.meet(1, 2, &[claim(1, 2)]);
    let (mut listed, mut asked) = (0, 0);
    for round in 0..600u32 {
        let lanes = [[round as u8; 16]; 3];
        let mut outputs = node.take(1, &Message::Digest { group: 0, lanes, up: vec![] });
        let heads = vec![liar.head(1, log(4, Lane::Talk), round)];
        outputs.extend(node.take(1, &Message::Heads { group: 0, more: false, heads }));
        if !wants(&outputs).is_empty() {
            outputs.extend(
                node.take(1, &Message::Entries { group: 0, log: [0; 8], end: true, entries: vec![] }),
            );
        }
        outputs.extend(node.wait(SECOND / 10));
        (listed, asked) = (listed + lists(&outputs), asked + wants(&outputs).len());
    }
    assert!(listed <= 2, "{listed} lists in a minute");
    assert!(asked <= 12, "{asked} wants in a minute");
}

#[test]
fn a_digest_that_lies_is_found_out_by_the_next_list() {
    let mut node = Node::new(1);
    let (liar, opened) = node.meet(1, 2, &[claim(1, 2)]);
    // He repeats this node's digest: "the same here".
    let digest = sent(&opened).into_iter().find(|m| matches!(m, Message::Digest { .. })).unwrap();
    assert!(node.take(1, &digest).iter().any(|output| matches!(output, Output::Compared { .. })));
    let (honest, _) = node.meet(2, 4, &[claim(1, 2)]);
    let heads = vec![honest.head(1, log(3, Lane::Acts), 1)];
    assert_eq!(wants(&node.take(2, &Message::Heads { group: 0, more: false, heads })).len(), 1);
    let _ = liar;
}

#[test]
fn the_same_again_and_again_is_sent_a_few_times_only() {
    let mut node = Node::new(1);
    let talk = log(3, Lane::Talk);
    node.write(1, talk, 100, 1000);
    let (looper, _) = node.meet(1, 2, &[claim(1, 2)]);
    let want = Message::Want {
        group: 0,
        live: false,
        budget: 1 << 20,
        logs: vec![Seek { log: looper.name(1, talk), have: vec![] }],
    };
    let mut sent_bytes = 0usize;
    for round in 0..1000 {
        let mut outputs = node.take(1, &want);
        outputs.extend(node.left(1, 1 << 20));
        outputs.extend(node.left(1, 1 << 20));
        sent_bytes += outputs
            .iter()
            .map(|o| if let Output::Send(_, frame) = o { frame.len() } else { 0 })
            .sum::<usize>();
        if closes(&outputs, 1) {
            assert!(sent_bytes < 20 * 101_000, "{sent_bytes} after {round} rounds");
            return;
        }
    }
    panic!("{sent_bytes} bytes and no end");
}

#[test]
fn what_can_not_be_judged_yet_is_compared_again_once_more_is_known() {
    let mut node = Node::new(1);
    let (friend, _) = node.meet(1, 2, &[claim(1, 2)]);
    node.take(1, &Message::Heads { group: 0, more: false, heads: vec![] });
    let early = entry(log(3, Lane::Talk), 5, 100);
    assert!(sent(&node.take(1, &Message::Entry(early))).is_empty());
    let outputs = node.take(1, &Message::Entry(entry(log(4, Lane::Acts), 1, 100)));
    assert!(sent(&outputs).iter().any(|message| matches!(message, Message::Digest { .. })), "{outputs:?}");
    let _ = friend;
}

#[test]
fn of_an_author_who_floods_no_more_is_asked_for() {
    let mut node = Node::new(1);
    let flood = log(3, Lane::Talk);
    node.write(1, flood, 5, 100);
    node.world.full.insert(device(3));
    let (hand, _) = node.meet(1, 2, &[claim(1, 2)]);
    let heads = vec![hand.head(1, flood, 1000), hand.head(1, log(4, Lane::Talk), 1)];
    let asked = wants(&node.take(1, &Message::Heads { group: 0, more: false, heads }));
    assert_eq!(asked[0].1, [hand.name(1, log(4, Lane::Talk))], "of the others it is");
}
