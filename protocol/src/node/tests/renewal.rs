//! New keys of a device's own (K-14): what a copy of a laptop's disk is good for, and for how long.

use super::founding::{let_in, same_head, union};
use super::*;
use crate::sim::{SeededRng, SimStore};
use crate::store::{Overlay, Sight};
use crate::sync::ConnectionId;

const DAY: Duration = Duration::from_secs(86_400);

/// Which of the laptops have made a commit of their own on the way to the head of the first.
fn renewed(sim: &mut Sim, people: usize, group: GroupId, since: Timestamp) -> Vec<usize> {
    let devices: Vec<DeviceKey> = (0..people)
        .map(|laptop| sim.laptop(laptop).node.as_ref().unwrap().group(&group).unwrap().device())
        .collect();
    let replica = sim.laptop(0).node.as_ref().unwrap().group(&group).unwrap();
    let lately = |laptop: &usize| {
        replica.committed(&devices[*laptop]).is_some_and(|time| u64::from(time) >= since.as_secs())
    };
    (0..people).filter(lately).collect()
}

/// All entries that a laptop has of a group.
fn everything(sim: &mut Sim, laptop: usize, group: GroupId) -> Vec<Vec<u8>> {
    let node = sim.laptop(laptop).node.as_ref().unwrap();
    let durable = Overlay::default();
    let sight = Sight { store: node.store(), overlay: &durable };
    let replica = node.group(&group).unwrap();
    replica.heads().iter().flat_map(|head| replica.read(head.log, 0, usize::MAX, sight)).collect()
}

/// Whether somebody with a copy of a disk, and all that was sent, has the keys that the group writes under.
fn follows(sim: &mut Sim, copy: &SimStore, group: GroupId) -> bool {
    let (head, sent, now) = (head(sim, 0, group), everything(sim, 0, group), sim.now());
    let mut thief = Node::open(copy.clone(), Box::new(SeededRng::new(9)), now).unwrap();
    for _ in 0..3 {
        for entry in &sent {
            thief
                .in_group(group, None, now, |replica, round| replica.receive(entry, round))
                .unwrap()
                .unwrap();
        }
    }
    thief.group(&group).unwrap().has_keys_of(&head)
}

#[test]
fn whoever_copied_a_laptop_reads_on_until_it_renews_its_keys_and_no_longer() {
    let (mut sim, group) = picket(700, 3);
    sim.run_for(MINUTE);
    let copy = sim.image(1);
    admit_one(&mut sim, group);
    assert!(follows(&mut sim, &copy, group), "by its states and what is sent");
    sim.run_for(9 * DAY);
    admit_one(&mut sim, group);
    assert!(!follows(&mut sim, &copy, group));
    say(&mut sim, 0, group, "after a week");
    assert!(sim.run_until(5 * MINUTE, |sim| all_read(sim, &[1, 2], group, 1)), "the laptop itself does");
}

/// A commit of somebody else's.
fn admit_one(sim: &mut Sim, group: GroupId) {
    let laptop = sim.add();
    admit(sim, group, laptop, "one more");
    sim.run_for(5 * MINUTE);
}

#[test]
fn within_eight_days_everybody_has_renewed_its_keys_once_and_all_are_together() {
    for (mut sim, group) in [picket(701, 4), union(702, 5, 3)] {
        let people = sim.laptops();
        let (since, before) = (sim.now(), epoch_number(&mut sim, 0, group));
        sim.run_for(6 * DAY);
        assert_eq!(epoch_number(&mut sim, 0, group), before, "not yet");
        sim.run_for(2 * DAY);
        assert_eq!(renewed(&mut sim, people, group, since), (0..people).collect::<Vec<_>>());
        assert_eq!(epoch_number(&mut sim, 0, group), before + people as u64, "each once");
        assert!(same_head(&mut sim, people, group));
        let newcomer = let_in(&mut sim, 0, group, "later");
        say(&mut sim, newcomer, group, "hello");
        let all: Vec<usize> = (0..people).collect();
        assert!(sim.run_until(5 * MINUTE, |sim| all_read(sim, &all, group, 1)));
    }
}

#[test]
fn a_laptop_that_is_alone_renews_nothing_and_does_so_when_somebody_is_there() {
    let (mut sim, group) = picket(703, 2);
    let (since, before) = (sim.now(), epoch_number(&mut sim, 0, group));
    sim.crash(1);
    sim.run_for(20 * DAY);
    assert_eq!(epoch_number(&mut sim, 0, group), before, "it would only begin a branch");
    sim.crash(0);
    sim.start(0);
    sim.start(1);
    assert!(sim.run_until(2 * 60 * MINUTE, |sim| renewed(sim, 2, group, since) == [0, 1]));
    assert!(sim.run_until(5 * MINUTE, |sim| same_head(sim, 2, group)));
}

#[test]
fn a_clock_that_was_ahead_when_a_laptop_came_in_keeps_it_from_no_renewal() {
    let mut sim = Sim::new(704);
    sim.add();
    let group = sim.act(0, |node, now| node.create_group("picket", "alice", Suite::Classical, now)).unwrap();
    let late = sim.add();
    sim.set_clock(late, 6 * 86_400_000);
    admit(&mut sim, group, late, "bob");
    sim.run_for(MINUTE);
    sim.set_clock(late, 0);
    sim.crash(late);
    sim.start(late);
    let since = sim.now();
    sim.run_for(9 * DAY);
    assert_eq!(renewed(&mut sim, 2, group, since), [0, 1]);
}

/// A pushed entry does not say which group it is of, and people are in a draft and in its group by one device.
#[test]
fn what_is_pushed_in_a_draft_makes_nobody_wait_for_keys_of_the_group_it_became() {
    let (mut sim, group) = union(705, 3, 2);
    let node = sim.laptop(0).node.as_ref().unwrap();
    let draft = node.groups().map(Replica::group).find(|other| *other != group).unwrap();
    sim.partition(&[0], &[1, 2], true);
    for _ in 0..2 {
        let renewed = |node: &mut Node<SimStore>, now| {
            node.in_group(draft, None, now, |replica, round| replica.renew(round)).unwrap()
        };
        assert_eq!(sim.act(0, renewed), Ok(true));
    }
    let sent = everything(&mut sim, 0, draft);
    for pushed in [true, false] {
        let lacking = sim.act(1, |node, now| {
            node.judge(ConnectionId(99), (group, pushed), &sent, now).unwrap();
            !node.group(&group).unwrap().lacking().is_empty()
        });
        assert_eq!(lacking, !pushed);
    }
}
