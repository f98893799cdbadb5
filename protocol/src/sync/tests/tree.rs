//! Of all links those stay in use that brought something first, both ways.

use std::time::Duration;

use super::world::*;
use crate::entry::Lane;
use crate::sync::message::{Message, Place};
use crate::sync::{ConnectionId, Output};

/// Connections on which an entry was pushed.
fn pushed(outputs: &[Output]) -> Vec<u64> {
    let entry = |output: &Output| match output {
        Output::Send(ConnectionId(conn), frame) => {
            matches!(Message::decode(frame), Ok(Message::Entry(_))).then_some(*conn)
        }
        _ => None,
    };
    outputs.iter().filter_map(entry).collect()
}

#[test]
fn who_brings_what_is_here_is_pushed_nothing_until_it_is_needed() {
    let mut node = Node::new(1);
    let (own, talk) = (log(1, Lane::Talk), log(3, Lane::Talk));
    node.meet(1, 2, &[claim(1, 2)]);
    let (hand, _) = node.meet(2, 4, &[claim(1, 2)]);
    for conn in [1, 2] {
        node.take(conn, &Message::Heads { group: 0, more: false, heads: vec![] });
    }
    assert_eq!(pushed(&node.say(1, Lane::Talk, 100)), [1, 2]);

    node.take(1, &Message::Entry(entry(talk, 1, 100)));
    let answer = node.take(2, &Message::Entry(entry(talk, 1, 100)));
    assert_eq!(sent(&answer), [Message::Prune { group: 0 }]);
    assert_eq!(pushed(&node.say(1, Lane::Talk, 100)), [1], "the other way is not needed either");

    // What was announced there does not come from elsewhere: both ways are needed.
    let place = Place { log: hand.name(1, talk), seq: 2 };
    node.take(2, &Message::Have { group: 0, places: vec![place] });
    let asked = node.wait(Duration::from_millis(400));
    assert!(sent(&asked).iter().any(|message| matches!(message, Message::Want { live: true, .. })));
    let (log, entries) = (hand.name(1, talk), vec![entry(talk, 2, 100)]);
    node.take(2, &Message::Entries { group: 0, log, end: false, entries });
    let end = Message::Entries { group: 0, log: [0; 8], end: true, entries: vec![] };
    node.take(2, &end);
    // Both have to know what was only announced before anything can follow it.
    node.wait(SECOND);
    let known = Place { log: hand.name(1, own), seq: 2 };
    node.take(2, &Message::Have { group: 0, places: vec![known] });
    assert_eq!(pushed(&node.say(1, Lane::Talk, 100)), [1, 2]);
}

#[test]
fn who_is_put_out_is_pushed_the_act_that_does_it() {
    let mut node = Node::new(1);
    let talk = log(3, Lane::Talk);
    node.meet(1, 2, &[claim(1, 2)]);
    node.meet(2, 4, &[claim(1, 2)]);
    for conn in [1, 2] {
        node.take(conn, &Message::Heads { group: 0, more: false, heads: vec![] });
    }
    // What the other link brings first makes this one an announcing one.
    node.take(1, &Message::Entry(entry(talk, 1, 100)));
    node.take(2, &Message::Entry(entry(talk, 1, 100)));
    node.take(2, &Message::Prune { group: 0 });
    assert_eq!(pushed(&node.say(1, Lane::Acts, 100)), [1]);
    node.wait(SECOND);
    node.world.groups.get_mut(&group(1)).unwrap().roster.remove(&device(4));
    assert_eq!(pushed(&node.say(1, Lane::Acts, 100)), [1, 2]);
}
