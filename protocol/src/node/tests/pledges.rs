//! Who tries to be counted twice, in another's name, or after all is over.

use super::*;
use crate::action::Action;
use crate::action::pledge::{self, PledgeAnswer};
use crate::group::seal::hpke;
use crate::id::EntryId;
use crate::kind::Kind;

/// Four people and a call that everybody has answered: Bob, on laptop 1, with yes.
fn called(seed: u64) -> (Sim, GroupId, EntryId) {
    let (mut sim, group) = picket(seed, 4);
    let plan = plan(&sim, 60);
    let call = sim.act(0, |node, now| node.call_strike(group, plan, now)).unwrap();
    let seen = |sim: &mut Sim| (0..4).all(|l| board_of(sim, l, group, |b| b.call_view(&call).is_some()));
    assert!(sim.run_until(5 * MINUTE, seen));
    sim.act(1, |node, now| node.pledge_to(group, call, now)).unwrap();
    let answered = |sim: &mut Sim| board_of(sim, 0, group, |b| b.answers(&call).count()) == 4;
    assert!(sim.run_until(5 * MINUTE, answered));
    assert_eq!(tally(&mut sim, group, call), Some(1));
    (sim, group, call)
}

fn tally(sim: &mut Sim, group: GroupId, call: EntryId) -> Option<u32> {
    sim.act(0, |node, now| node.tally(group, call, now)).unwrap()
}

fn sealed_by(sim: &mut Sim, laptop: usize, group: GroupId, call: EntryId) -> Vec<u8> {
    let device = DeviceKey(member(sim, laptop, group).0);
    board_of(sim, 0, group, |b| b.answers(&call).find(|(d, _)| **d == device).unwrap().1.sealed.clone())
}

/// Posts an answer as it is, by a client that does what it likes, and waits until the caller has it.
fn post(sim: &mut Sim, laptop: usize, group: GroupId, call: EntryId, sealed: &[u8]) {
    let seq = sim.laptop(laptop).node.as_ref().unwrap().group(&group).unwrap().next_seq(Kind::PledgeAnswer);
    let body = PledgeAnswer { call, sealed: sealed.to_vec().into() };
    let posted = sim.act(laptop, |node, now| {
        let payload = body.to_payload();
        let posted = node
            .in_group(group, None, now, |replica, round| replica.post(Kind::PledgeAnswer, &payload, round));
        node.after(group, now).unwrap();
        posted
    });
    posted.unwrap().unwrap();
    let device = DeviceKey(member(sim, laptop, group).0);
    let there = |sim: &mut Sim| {
        board_of(sim, 0, group, |b| b.answers(&call).any(|(d, a)| *d == device && a.seq == seq))
    };
    assert!(sim.run_until(5 * MINUTE, there));
}

/// Seals an answer for the next place in a laptop's log.
fn seal(sim: &mut Sim, laptop: usize, group: GroupId, call: EntryId, yes: bool) -> Vec<u8> {
    let key = board_of(sim, 0, group, |b| b.call_view(&call).unwrap().body.counter_key.to_vec());
    let replica = sim.laptop(laptop).node.as_ref().unwrap().group(&group).unwrap();
    let seq = replica.next_seq(Kind::PledgeAnswer);
    let associated = pledge::associated(&group, &call, &replica.device(), seq);
    hpke::seal(replica.suite(), &key, pledge::INFO, &associated, &pledge::plain(yes)).unwrap()
}

#[test]
fn anothers_yes_posted_as_ones_own_is_not_counted() {
    let (mut sim, group, call) = called(41);
    let sealed = sealed_by(&mut sim, 1, group, call);
    post(&mut sim, 2, group, call, &sealed);
    assert_eq!(tally(&mut sim, group, call), Some(1), "bob's, and nobody else's");
}

#[test]
fn the_last_answer_counts_and_an_earlier_yes_is_not_shown_again() {
    let (mut sim, group, call) = called(42);
    let yes = sealed_by(&mut sim, 1, group, call);
    let blank = seal(&mut sim, 1, group, call, false);
    post(&mut sim, 1, group, call, &blank);
    assert_eq!(tally(&mut sim, group, call), Some(0), "bob has thought better of it");
    post(&mut sim, 1, group, call, &yes);
    assert_eq!(tally(&mut sim, group, call), Some(0), "it was sealed for an earlier place of his log");
    let again = seal(&mut sim, 1, group, call, true);
    post(&mut sim, 1, group, call, &again);
    post(&mut sim, 1, group, call, &again.clone());
    assert_eq!(tally(&mut sim, group, call), Some(0), "sealed for one place alone");
    let last = seal(&mut sim, 1, group, call, true);
    post(&mut sim, 1, group, call, &last);
    assert_eq!(tally(&mut sim, group, call), Some(1), "twice is once");
}

#[test]
fn a_pledge_can_be_taken_back_and_given_again_until_the_close() {
    let (mut sim, group, call) = called(49);
    for (yes, count) in [(false, 0), (true, 1), (false, 0)] {
        sim.act(1, |node, now| match yes {
            true => node.pledge_to(group, call, now),
            false => node.withdraw_pledge(group, call, now),
        })
        .unwrap();
        assert!(sim.run_until(5 * MINUTE, |sim| tally(sim, group, call) == Some(count)));
        sim.crash(1);
        sim.start(1);
    }
    let closes = board_of(&mut sim, 0, group, |b| b.call_view(&call).unwrap().body.closes);
    let left = closes - sim.now().as_secs();
    sim.run_for(Duration::from_secs(left + 600));
    assert_eq!(board_of(&mut sim, 3, group, |b| b.count(&call)), Some((0, true)));
    let late = sim.act(1, |node, now| node.withdraw_pledge(group, call, now));
    assert_eq!(late, Err(NodeError::TooLate));
}

#[test]
fn a_yes_to_one_call_is_none_to_another() {
    let (mut sim, group, call) = called(43);
    let plan = plan(&sim, 60);
    let other = sim.act(0, |node, now| node.call_strike(group, plan, now)).unwrap();
    let keys = board_of(&mut sim, 0, group, |b| {
        [call, other].map(|call| b.call_view(&call).unwrap().body.counter_key.to_vec())
    });
    assert_ne!(keys[0], keys[1], "a key of its own for each call");
    sim.run_for(5 * MINUTE);
    let sealed = sealed_by(&mut sim, 1, group, call);
    post(&mut sim, 1, group, other, &sealed);
    assert_eq!(tally(&mut sim, group, other), Some(0));
    assert_eq!(tally(&mut sim, group, call), Some(1));
}

#[test]
fn whoever_was_put_out_is_not_counted_afterwards() {
    let (mut sim, group, call) = called(44);
    let carla = member(&mut sim, 2, group);
    // Her yes, sealed and signed while she is in, but posted knowing that she is out.
    let yes = seal(&mut sim, 2, group, call, true);
    sim.act(0, |node, now| node.remove(group, carla, now)).unwrap();
    assert!(sim.run_until(5 * MINUTE, |sim| members(sim, 2, group) == 3));
    let body = PledgeAnswer { call, sealed: yes.into() };
    let refused = sim.act(2, |node, now| {
        let payload = body.to_payload();
        node.in_group(group, None, now, |replica, round| replica.post(Kind::PledgeAnswer, &payload, round))
    });
    assert!(refused.unwrap().is_err());
    sim.run_for(MINUTE);
    assert_eq!(tally(&mut sim, group, call), Some(1));
}

#[test]
fn counts_are_told_in_steps_of_five_and_at_the_close_by_the_caller_alone() {
    let (mut sim, group) = picket(45, 8);
    let plan = plan(&sim, 60);
    let closes = plan.closes;
    let call = sim.act(0, |node, now| node.call_strike(group, plan, now)).unwrap();
    let seen = |sim: &mut Sim| (0..8).all(|l| board_of(sim, l, group, |b| b.call_view(&call).is_some()));
    assert!(sim.run_until(5 * MINUTE, seen));
    for laptop in 1..7 {
        sim.act(laptop, |node, now| node.pledge_to(group, call, now)).unwrap();
    }
    let all = |sim: &mut Sim| sim.act(0, |node, now| node.tally(group, call, now)).unwrap() == Some(6);
    assert!(sim.run_until(5 * MINUTE, all));
    sim.run_for(5 * MINUTE);
    for laptop in 0..8 {
        assert_eq!(board_of(&mut sim, laptop, group, |b| b.count(&call)), Some((5, false)));
        let refused = |(_, event): &(GroupId, Event)| matches!(event, Event::Rejected(_));
        assert!(!sim.laptop(laptop).events.iter().any(refused), "no other count was ever posted");
        let known = sim.act(laptop, |node, now| node.tally(group, call, now)).unwrap();
        assert_eq!(known, (laptop == 0).then_some(6));
    }
    let left = closes - sim.now().as_secs();
    sim.run_for(Duration::from_secs(left + 600));
    for laptop in 0..8 {
        assert_eq!(board_of(&mut sim, laptop, group, |b| b.count(&call)), Some((6, true)));
        assert_eq!(sim.act(laptop, |node, now| node.tally(group, call, now)).unwrap(), None);
    }
}

#[test]
fn a_call_whose_close_is_moved_is_open_until_then() {
    let (mut sim, group, call) = called(46);
    let body = board_of(&mut sim, 0, group, |b| b.call_view(&call).unwrap().body);
    let mut later = plan(&sim, 60);
    later.changes = Some(call);
    later.legs[0].start = body.start() + 86_400;
    later.legs[0].end = body.end() + 86_400;
    later.closes = body.closes + 86_400;
    sim.act(0, |node, now| node.call_strike(group, later, now)).unwrap();
    let moved = |sim: &mut Sim| {
        (0..4).all(|l| board_of(sim, l, group, |b| b.call_view(&call).unwrap().body.closes > body.closes))
    };
    assert!(sim.run_until(5 * MINUTE, moved));
    let left = body.closes - sim.now().as_secs();
    sim.run_for(Duration::from_secs(left + 600));
    assert_eq!(board_of(&mut sim, 3, group, |b| b.count(&call)), None, "not closed yet");
    sim.act(2, |node, now| node.pledge_to(group, call, now)).unwrap();
    sim.run_for(5 * MINUTE);
    assert_eq!(tally(&mut sim, group, call), Some(2));
    sim.run_for(Duration::from_secs(86_400));
    assert_eq!(board_of(&mut sim, 3, group, |b| b.count(&call)), Some((2, true)));
}

/// Bob's laptop is put back in time, and comes in again by a new code.
fn bob_again(sim: &mut Sim, group: GroupId) -> DeviceKey {
    let before = member(sim, 1, group);
    let image = sim.image(1);
    say(sim, 1, group, "said since");
    assert!(sim.run_until(5 * MINUTE, |sim| all_read(sim, &[0, 1], group, 1)));
    sim.crash(1);
    sim.put_image(1, image);
    sim.start(1);
    let rolled_back = |sim: &mut Sim| sim.laptop(1).events.iter().any(|(_, e)| *e == Event::RolledBack);
    assert!(sim.run_until(5 * MINUTE, rolled_back));
    let expires = sim.now().after(MINUTE * 60);
    let invite = sim.act(0, |node, now| node.invite(group, 1, expires, now)).unwrap();
    join(sim, 1, &invite.code.unwrap(), "bob again");
    assert!(sim.run_until(5 * MINUTE, |sim| member(sim, 1, group) != before), "he is in again");
    DeviceKey(member(sim, 1, group).0)
}

#[test]
fn a_new_device_answers_for_itself_whatever_its_old_one_had_answered() {
    for crashes in [false, true] {
        let (mut sim, group, call) = called(47);
        let device = bob_again(&mut sim, group);
        if crashes {
            sim.crash(1);
            sim.start(1);
        }
        let pledge = |sim: &mut Sim| {
            let state = sim.laptop(1).node.as_ref().unwrap().pledge(&group, &call);
            state.map(|state| (state.yes, state.answered))
        };
        assert_ne!(pledge(&mut sim), Some((true, Some(true))), "that was another device's");
        let answered = |sim: &mut Sim| {
            board_of(sim, 0, group, |b| b.answers(&call).any(|(answering, _)| *answering == device))
        };
        assert!(sim.run_until(10 * MINUTE, answered), "as every node that sees the call");
        assert_eq!(pledge(&mut sim), Some((false, Some(false))));
        assert_eq!(tally(&mut sim, group, call), Some(1), "nobody was asked, so it is blank");
        sim.act(1, |node, now| node.pledge_to(group, call, now)).unwrap();
        assert!(sim.run_until(5 * MINUTE, |sim| tally(sim, group, call) == Some(2)));
    }
}

/// What a node can never do is no reason to wake up again and again.
#[test]
fn a_count_that_can_not_be_made_and_an_answer_that_can_not_be_given_wake_nobody() {
    let (mut sim, group, call) = called(48);
    let next = |sim: &mut Sim, laptop| sim.laptop(laptop).node.as_ref().unwrap().next_pledge();
    sim.act(2, |node, now| node.in_group(group, None, now, |replica, round| replica.freeze_as_copy(round)));
    let plan = plan(&sim, 60);
    let other = sim.act(0, |node, now| node.call_strike(group, plan, now)).unwrap();
    let seen = |sim: &mut Sim| board_of(sim, 2, group, |b| b.call_view(&other).is_some());
    assert!(sim.run_until(5 * MINUTE, seen));
    assert_eq!(next(&mut sim, 2), None, "nothing is answered where nothing is written");

    for call in [call, other] {
        let key = board_of(&mut sim, 0, group, |b| b.call_view(&call).unwrap().body.counter_key.to_vec());
        sim.act(0, |node, now| {
            let lost = super::super::pledges::counter_secret(&key);
            node.in_group(group, None, now, |replica, round| replica.put_secret_note(&lost, None, round))
        });
        let blank = seal(&mut sim, 1, group, call, false);
        post(&mut sim, 1, group, call, &blank);
    }
    let closes = board_of(&mut sim, 0, group, |b| b.call_view(&other).unwrap().body.closes);
    let left = closes - sim.now().as_secs();
    sim.run_for(Duration::from_secs(left + 600));
    assert_eq!(board_of(&mut sim, 1, group, |b| b.count(&call)), None, "there was nothing to count with");
    assert_eq!([0, 1, 2].map(|laptop| next(&mut sim, laptop)), [None; 3]);
}
