//! Chat that a group keeps for some days only.

use super::erasure::{keys, renew, restart, still};
use super::founding::{open_for, union};
use super::*;
use crate::group::membership::{Channel, Parameter};
use crate::node::Decision;
use crate::store::{Store, Table};

const DAY: Duration = Duration::from_secs(86_400);

/// A group of four decides how long chat is kept.
pub(super) fn decide(sim: &mut Sim, group: GroupId, days: u32) {
    let rule = Decision::Rule(Parameter::Chat, days);
    let act = sim.act(0, |node, now| node.propose(group, &rule, Channel::Council, now)).unwrap();
    assert!(sim.run_until(5 * MINUTE, |sim| open_for(sim, 1, group, act)));
    sim.act(1, |node, now| node.approve(group, act, now)).unwrap();
    let knows = |sim: &mut Sim, laptop: usize| {
        sim.laptop(laptop).node.as_ref().unwrap().group(&group).unwrap().view().rules.chat == days
    };
    assert!(sim.run_until(5 * MINUTE, |sim| (0..4).all(|laptop| knows(sim, laptop))));
}

fn backed(sim: &mut Sim, group: GroupId) -> bool {
    (0..4).all(|laptop| board_of(sim, laptop, group, |board| board.grievances().count() == 1))
}

#[test]
fn chat_that_has_expired_is_opened_by_nothing_on_the_disk_and_evidence_is() {
    let (mut sim, group) = still(union(620, 4, 3));
    decide(&mut sim, group, 10);
    say(&mut sim, 3, group, "early");
    let list =
        |node: &mut Node<_>, now| node.ask(group, now, |replica, round| replica.messages(None, 9, round));
    let first = sim.act(3, list).unwrap().unwrap()[0].id;
    sim.act(3, |node, now| node.edit(group, first, "earlier", now)).unwrap();
    let author = sim.laptop(3).node.as_ref().unwrap().group(&group).unwrap().device();
    let edits = [group.as_bytes().as_slice(), b"edits", first.as_bytes(), author.as_bytes()].concat();
    let edits_of = |sim: &mut Sim, laptop: usize| {
        sim.image(laptop).range(Table::Timeline, &edits, 0, u128::MAX, 9).unwrap().len()
    };
    sim.act(3, |node, now| node.file_grievance(group, &grievance(), now)).unwrap();
    assert!(sim.run_until(5 * MINUTE, |sim| all_read(sim, &[0, 1, 2, 3], group, 1) && backed(sim, group)));
    let edited = |sim: &mut Sim| (0..4).all(|laptop| edits_of(sim, laptop) == 1);
    assert!(sim.run_until(5 * MINUTE, edited));
    let epoch = head(&mut sim, 0, group);
    let before = keys(&mut sim, 2, group, epoch);
    renew(&mut sim, 0, group, 1);
    sim.run_for(DAY * 8);
    say(&mut sim, 3, group, "later");
    assert!(sim.run_until(5 * MINUTE, |sim| all_read(sim, &[0, 1, 2, 3], group, 2)), "nine days");
    sim.run_for(DAY * 4);
    for restarted in [false, true] {
        for laptop in 0..4 {
            assert_eq!(texts(&mut sim, laptop, group), ["later"], "{laptop} {restarted}");
            assert_eq!(edits_of(&mut sim, laptop), 0);
            let image = sim.image(laptop);
            for (class, gone) in [("chat", true), ("short", true), ("record", false), ("control", false)] {
                assert_eq!(image.shows(&before[class]), !gone, "{class} {laptop} {restarted}");
            }
            restart(&mut sim, laptop);
        }
        sim.run_for(2 * MINUTE);
        assert!(backed(&mut sim, group), "evidence stays");
    }
}

#[test]
fn a_rule_on_chat_that_is_loosened_shows_what_is_not_erased_yet() {
    let (mut sim, group) = still(union(621, 4, 3));
    say(&mut sim, 3, group, "early");
    assert!(sim.run_until(5 * MINUTE, |sim| all_read(sim, &[0, 1, 2, 3], group, 1)));
    sim.run_for(DAY * 20);
    assert!(all_read(&mut sim, &[0, 1, 2, 3], group, 1), "for ever, unless something else is decided");
    decide(&mut sim, group, 10);
    assert!(all_read(&mut sim, &[0, 1, 2, 3], group, 0), "at once");
    decide(&mut sim, group, 0);
    assert!(all_read(&mut sim, &[0, 1, 2, 3], group, 1), "a rule is changed before anything is erased");
    decide(&mut sim, group, 10);
    renew(&mut sim, 0, group, 1);
    sim.run_for(DAY * 12);
    say(&mut sim, 3, group, "late");
    decide(&mut sim, group, 0);
    assert!(
        sim.run_until(5 * MINUTE, |sim| all_read(sim, &[0, 1, 2, 3], group, 1)),
        "what is erased stays so"
    );
}

#[test]
fn whoever_was_away_keeps_what_it_fetches_for_as_long() {
    let (mut sim, group) = still(union(622, 4, 3));
    decide(&mut sim, group, 10);
    sim.crash(2);
    say(&mut sim, 3, group, "while you were away");
    assert!(sim.run_until(5 * MINUTE, |sim| all_read(sim, &[0, 1, 3], group, 1)));
    renew(&mut sim, 0, group, 1);
    sim.run_for(DAY * 20);
    assert!(all_read(&mut sim, &[0, 1, 3], group, 0));
    sim.start(2);
    assert!(sim.run_until(10 * MINUTE, |sim| all_read(sim, &[2], group, 1)));
    sim.run_for(DAY * 12);
    assert!(all_read(&mut sim, &[2], group, 0));
}

#[test]
fn the_clock_of_messages_goes_on_when_all_of_them_have_expired() {
    let (mut sim, group) = still(union(623, 4, 3));
    decide(&mut sim, group, 1);
    for number in 0..5 {
        say(&mut sim, number % 4, group, "soon gone");
    }
    renew(&mut sim, 0, group, 1);
    sim.run_for(DAY * 4);
    let clock = |sim: &mut Sim| sim.laptop(2).node.as_ref().unwrap().group(&group).unwrap().next_clock();
    let before = clock(&mut sim);
    restart(&mut sim, 2);
    assert_eq!(clock(&mut sim), before);
    assert!(before > 1, "{before}");
}
