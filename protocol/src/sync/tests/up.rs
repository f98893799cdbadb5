//! Who says to be connected with whom.

use super::world::*;
use crate::entry::Lane;
use crate::id::DeviceKey;
use crate::sync::Output;
use crate::sync::message::Message;

fn told(outputs: &[Output]) -> Vec<[u8; 8]> {
    let up = |message: Message| if let Message::Digest { up, .. } = message { Some(up) } else { None };
    sent(outputs).into_iter().find_map(up).unwrap()
}

fn said_up(node: &Node, number: u8) -> Vec<DeviceKey> {
    node.sync.said_up(&group(number)).into_iter().collect()
}

#[test]
fn members_are_told_who_else_is_there_in_their_group() {
    let mut node = Node::new(2);
    let (_, opened) = node.meet(1, 2, &[claim(1, 2)]);
    assert!(told(&opened).is_empty(), "nobody is told of himself");
    node.meet(2, 3, &[claim(2, 2)]);
    let (hand, opened) = node.meet(3, 4, &[claim(1, 2)]);
    assert_eq!(told(&opened), [hand.device(1, device(2))], "of others, not of those of another group");
    node.sync.closed(crate::sync::ConnectionId(1));
    let (_, opened) = node.meet(4, 5, &[claim(1, 2)]);
    assert_eq!(told(&opened).len(), 1, "nor of who has gone");
}

#[test]
fn sixteen_of_those_who_are_there_are_told() {
    let mut node = Node::new(1);
    for conn in 1..=20 {
        node.world.groups.get_mut(&group(1)).unwrap().roster.insert(device(conn));
        let (_, opened) = node.meet(conn.into(), conn, &[claim(1, 2)]);
        assert_eq!(told(&opened).len(), usize::from(conn - 1).min(16));
    }
}

#[test]
fn what_is_said_holds_until_something_else_is_and_makes_nobody_up() {
    let mut node = Node::new(1);
    for author in [3, 4] {
        node.write(1, log(author, Lane::Acts), 1, 100);
    }
    let (hand, _) = node.meet(1, 2, &[claim(1, 2)]);
    let digest = |up: Vec<[u8; 8]>| Message::Digest { group: 0, lanes: [[0; 16]; 3], up };
    node.take(1, &digest(vec![hand.device(1, device(3)), [9; 8], hand.device(1, device(200))]));
    assert_eq!(said_up(&node, 1), [device(3)]);
    node.take(1, &digest(vec![hand.device(1, device(4))]));
    assert_eq!(said_up(&node, 1), [device(4)]);
    node.sync.closed(crate::sync::ConnectionId(1));
    assert!(said_up(&node, 1).is_empty(), "nothing about a peer is kept between sessions");
}
