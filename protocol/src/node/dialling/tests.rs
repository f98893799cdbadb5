//! Calls: few at once, few a second, and never for nothing.

use super::*;
use crate::group::seal::Suite;
use crate::id::GroupId;
use crate::node::{Input, Output};
use crate::sim::SeededRng;
use crate::store::MemoryStore;
use crate::sync::Connected;

fn now() -> Timestamp {
    Timestamp::from_secs(1_800_000_000)
}

/// A node that wants to come in by a code and so calls whatever it sees on the local network.
fn joiner() -> Node<MemoryStore> {
    let mut founder = Node::open(MemoryStore::new(), Box::new(SeededRng::new(1)), now()).unwrap();
    let group: GroupId = founder.create_group("picket", "alice", Suite::Classical, now()).unwrap();
    let code = founder.invite(group, 1, now().after(GOOD), now()).unwrap().code.unwrap();
    let code = crate::group::invite::InviteCode::parse(&code).unwrap();
    let mut node = Node::open(MemoryStore::new(), Box::new(SeededRng::new(2)), now()).unwrap();
    node.join(code, "bob", now()).unwrap();
    node
}

fn address(number: usize) -> String {
    format!("/ip4/192.0.2.{}/tcp/{}", number % 250, 4000 + number)
}

fn calls(node: &mut Node<MemoryStore>, at: Timestamp) -> Vec<String> {
    node.flush(at).unwrap();
    let outputs = std::iter::from_fn(|| node.poll_output());
    outputs
        .filter_map(|output| if let Output::Dial(address) = output { Some(address) } else { None })
        .collect()
}

#[test]
fn ten_thousand_announced_addresses_make_no_storm() {
    let mut node = joiner();
    for number in 0..10_000 {
        node.handle(Input::Discovered(address(number)), now()).unwrap();
        for address in calls(&mut node, now()) {
            node.handle(Input::DialFailed(address), now()).unwrap();
        }
    }
    assert!(node.discovered.len() <= MAX_DISCOVERED);
    assert!(
        node.calls.dials.len() <= MAX_DISCOVERED + MAX_FORGOTTEN + MAX_DIALLING,
        "{}",
        node.calls.dials.len()
    );
    let (mut at, end, mut made, mut ticks) = (now(), now().after(Duration::from_secs(600)), 0, 0);
    while let Some(next) = node.deadline().filter(|next| *next <= end) {
        ticks += 1;
        assert!(ticks < 2000, "a timer that never stops");
        at = at.max(next);
        node.handle(Input::Tick, at).unwrap();
        let called = calls(&mut node, at);
        made += called.len();
        for address in called {
            node.handle(Input::DialFailed(address), at).unwrap();
        }
    }
    assert!((64..=616).contains(&made), "{made} calls in ten minutes");
}

#[test]
fn addresses_that_never_answer_take_eight_places_and_no_turn_of_the_clock() {
    let mut node = joiner();
    for number in 0..30 {
        node.handle(Input::Discovered(address(number)), now()).unwrap();
    }
    let called = calls(&mut node, now());
    assert_eq!(called.len(), MAX_DIALLING);
    assert!(node.deadline().is_none_or(|next| next > now()), "nothing to do before one of them ends");
    node.handle(Input::DialFailed(called[0].clone()), now()).unwrap();
    assert_eq!(calls(&mut node, now()).len(), 1);
}

#[test]
fn who_did_not_answer_waits_longer_each_time_and_new_ones_go_first() {
    let mut node = joiner();
    node.handle(Input::Discovered(address(1)), now()).unwrap();
    let (mut at, mut pauses) = (now(), Vec::new());
    for _ in 0..12 {
        assert_eq!(calls(&mut node, at), [address(1)]);
        node.handle(Input::DialFailed(address(1)), at).unwrap();
        let next = node.deadline().unwrap();
        pauses.push(next.since(at).as_secs());
        at = next;
        node.handle(Input::Tick, at).unwrap();
    }
    assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
}

#[test]
fn a_new_network_calls_everybody_again() {
    let mut node = joiner();
    node.handle(Input::Listening(vec![address(9)]), now()).unwrap();
    node.handle(Input::Discovered(address(1)), now()).unwrap();
    for _ in 0..9 {
        node.handle(Input::DialFailed(address(1)), now()).unwrap();
    }
    calls(&mut node, now());
    node.handle(Input::Listening(vec![address(10)]), now()).unwrap();
    assert_eq!(calls(&mut node, now()), [address(1)]);
}

#[test]
fn a_clock_set_back_stops_no_calls() {
    let mut node = joiner();
    node.handle(Input::Discovered(address(1)), now()).unwrap();
    calls(&mut node, now());
    node.handle(Input::DialFailed(address(1)), now()).unwrap();
    let yesterday = Timestamp::from_secs(now().as_secs() - 86_400);
    node.handle(Input::Tick, yesterday).unwrap();
    let due = yesterday.after(Duration::from_secs(1));
    assert_eq!((calls(&mut node, yesterday), node.deadline()), (vec![], Some(due)), "a second is one");
    node.handle(Input::Tick, due).unwrap();
    assert_eq!(calls(&mut node, due), [address(1)]);
}

#[test]
fn who_is_busy_is_left_alone_as_long_as_asked() {
    let mut node = joiner();
    node.handle(Input::Discovered(address(1)), now()).unwrap();
    calls(&mut node, now());
    let conn = ConnectionId(1);
    let connected = Connected { conn, dialled: Some(address(1)), local: vec![1], remote: vec![2] };
    node.handle(Input::Connected(connected), now()).unwrap();
    node.turned_away(conn, 60, now());
    node.handle(Input::Closed(conn), now()).unwrap();
    assert_eq!(node.deadline(), Some(now().after(Duration::from_secs(60))));
}
