//! From a draft to a group, and what a group decides.

use std::collections::BTreeSet;

use super::*;
use crate::group::membership::{Channel, ProposalState, Rules};
use crate::node::{Decision, Matter};

const RULES: Rules = Rules { admit: 1, few: 1, wait: 7, chat: 0 };

/// A group founded out of a draft of so many people: the first `council` of them hold its keys.
pub(super) fn union(seed: u64, people: usize, council: usize) -> (Sim, GroupId) {
    let (mut sim, draft) = picket(seed, people);
    let holders: BTreeSet<MemberId> = (1..council).map(|laptop| member(&mut sim, laptop, draft)).collect();
    let act = sim.act(0, |node, now| node.found(draft, &holders, RULES, now)).unwrap();
    for laptop in 1..council {
        let waits = |sim: &mut Sim| open_for(sim, laptop, draft, act);
        assert!(sim.run_until(5 * MINUTE, waits), "the proposal has reached {laptop}");
        sim.act(laptop, |node, now| node.approve(draft, act, now)).unwrap();
    }
    let group = proposed(&mut sim, draft);
    let moved = |sim: &mut Sim| (0..people).all(|laptop| is_in(sim, laptop, group));
    assert!(sim.run_until(30 * MINUTE, moved), "everybody has moved");
    assert!(sim.run_until(30 * MINUTE, |sim| same_head(sim, people, group)));
    (sim, group)
}

/// The group that the draft's founder has proposed.
fn proposed(sim: &mut Sim, draft: GroupId) -> GroupId {
    let replica = sim.laptop(0).node.as_ref().unwrap().group(&draft).unwrap();
    replica.proposed().next().unwrap().1.found.group()
}

pub(super) fn open_for(sim: &mut Sim, laptop: usize, group: GroupId, act: EntryId) -> bool {
    let node = sim.laptop(laptop).node.as_ref().unwrap();
    node.proposal(&group, &act).is_ok_and(|proposal| proposal.waits_for_me)
}

pub(super) fn is_in(sim: &mut Sim, laptop: usize, group: GroupId) -> bool {
    sim.laptop(laptop).node.as_ref().unwrap().group(&group).is_some()
}

pub(super) fn same_head(sim: &mut Sim, people: usize, group: GroupId) -> bool {
    let first = head(sim, 0, group);
    (1..people).all(|laptop| head(sim, laptop, group) == first)
}

#[test]
fn a_draft_becomes_a_group_once_everybody_named_consents() {
    let (mut sim, group) = union(1, 4, 3);
    for laptop in 0..4 {
        let replica = sim.laptop(laptop).node.as_ref().unwrap().group(&group).unwrap();
        assert!(!replica.is_draft());
        assert_eq!(replica.view().council.len(), 3);
        assert_eq!((replica.view().members.len(), replica.view().roll.len()), (4, 4));
    }
    for laptop in 0..4 {
        say(&mut sim, laptop, group, &format!("from {laptop}"));
    }
    assert!(sim.run_until(5 * MINUTE, |sim| all_read(sim, &[0, 1, 2, 3], group, 4)));
    for laptop in 0..4 {
        sim.crash(laptop);
        sim.start(laptop);
    }
    assert!(sim.run_until(5 * MINUTE, |sim| all_read(sim, &[0, 1, 2, 3], group, 4)));
}

#[test]
fn whoever_has_moved_is_heard_by_everybody_at_once() {
    for seed in 10..20 {
        let (mut sim, group) = union(seed, 4, 3);
        for laptop in 0..4 {
            say(&mut sim, laptop, group, &format!("from {laptop}"));
        }
        let soon = Duration::from_secs(20);
        assert!(sim.run_until(soon, |sim| all_read(sim, &[0, 1, 2, 3], group, 4)), "seed {seed}");
    }
}

#[test]
fn a_majority_of_the_council_expels_one_of_its_own_who_reads_nothing_more() {
    let (mut sim, group) = union(2, 4, 3);
    let (eve, eves) = (2, member(&mut sim, 2, group));
    let expel = Decision::Expel(vec![eves]);
    let act = sim.act(0, |node, now| node.propose(group, &expel, Channel::Council, now)).unwrap();
    assert!(sim.run_until(5 * MINUTE, |sim| open_for(sim, 1, group, act)));
    assert!(!open_for(&mut sim, eve, group, act), "the accused does not sign");
    assert!(sim.act(eve, |node, now| node.approve(group, act, now)).is_err());
    assert!(sim.act(3, |node, now| node.approve(group, act, now)).is_err(), "nor who holds no keys");
    sim.act(1, |node, now| node.approve(group, act, now)).unwrap();
    let out = |sim: &mut Sim| [0, 1, 3].iter().all(|laptop| members(sim, *laptop, group) == 3);
    assert!(sim.run_until(5 * MINUTE, out));
    let clean = |sim: &mut Sim| {
        [0, 1, 3].iter().all(|l| sim.laptop(*l).node.as_ref().unwrap().group(&group).unwrap().is_clean())
    };
    assert!(sim.run_until(5 * MINUTE, clean), "re-keyed");
    say(&mut sim, 3, group, "among us");
    assert!(sim.run_until(5 * MINUTE, |sim| all_read(sim, &[0, 1, 3], group, 1)));
    sim.run_for(5 * MINUTE);
    assert!(texts(&mut sim, eve, group).is_empty());
    let state = sim.laptop(0).node.as_ref().unwrap().proposal(&group, &act).unwrap();
    assert_eq!((state.state, state.signed.len(), state.needed), (ProposalState::Decided, 2, 2));
    assert!(matches!(state.matter, Matter::Act(_)));
}

#[test]
fn of_two_foundings_neither_moves_anybody() {
    let (mut sim, draft) = picket(3, 3);
    let other = |sim: &mut Sim, laptop| BTreeSet::from([member(sim, laptop, draft)]);
    let (bob, carla) = (other(&mut sim, 1), other(&mut sim, 2));
    // Bob and carla consent before either hears of the other's consent: both proposals are decided.
    let first = sim.act(0, |node, now| node.found(draft, &bob, RULES, now)).unwrap();
    let second = sim.act(0, |node, now| node.found(draft, &carla, RULES, now)).unwrap();
    assert!(
        sim.run_until(5 * MINUTE, |sim| open_for(sim, 1, draft, first) && open_for(sim, 2, draft, second))
    );
    sim.partition(&[0], &[1, 2], true);
    sim.partition(&[1], &[2], true);
    sim.act(1, |node, now| node.approve(draft, first, now)).unwrap();
    sim.act(2, |node, now| node.approve(draft, second, now)).unwrap();
    sim.partition(&[0], &[1, 2], false);
    sim.partition(&[1], &[2], false);
    sim.run_for(10 * MINUTE);
    for laptop in 0..3 {
        let replica = sim.laptop(laptop).node.as_ref().unwrap().group(&draft).unwrap();
        assert_eq!(replica.proposed().filter(|(_, proposed)| proposed.is_decided()).count(), 2);
        assert!(replica.successor().is_none(), "people choose; nobody is moved");
    }
}

#[test]
fn whoever_is_away_at_the_founding_moves_when_back() {
    let (mut sim, draft) = picket(4, 4);
    let carla = 3;
    sim.crash(carla);
    let holders = BTreeSet::from([member(&mut sim, 1, draft)]);
    let act = sim.act(0, |node, now| node.found(draft, &holders, RULES, now)).unwrap();
    assert!(sim.run_until(5 * MINUTE, |sim| open_for(sim, 1, draft, act)));
    sim.act(1, |node, now| node.approve(draft, act, now)).unwrap();
    let group = proposed(&mut sim, draft);
    assert!(sim.run_until(30 * MINUTE, |sim| (0..3).all(|laptop| is_in(sim, laptop, group))));
    say(&mut sim, 2, group, "among us");
    sim.run_for(60 * MINUTE);
    assert_eq!(members(&mut sim, 0, group), 4, "a member, without a leaf yet");
    sim.start(carla);
    assert!(sim.run_until(30 * MINUTE, |sim| is_in(sim, carla, group)));
    say(&mut sim, carla, group, "back");
    assert!(sim.run_until(5 * MINUTE, |sim| all_read(sim, &[0, 1, 2], group, 2)));
    assert_eq!(
        texts(&mut sim, carla, group),
        ["back"],
        "what was said before it had keys stays closed to it"
    );
}

pub(super) fn let_in(sim: &mut Sim, by: usize, group: GroupId, name: &str) -> usize {
    let laptop = sim.add();
    let expires = sim.now().after(Duration::from_secs(86_400));
    let invite = sim.act(by, |node, now| node.invite(group, 1, expires, now)).unwrap();
    join(sim, laptop, &invite.code.unwrap(), name);
    assert!(sim.run_until(10 * MINUTE, |sim| is_in(sim, laptop, group)), "{name} is in");
    laptop
}

pub(super) fn roster(sim: &mut Sim, laptop: usize, group: GroupId) -> BTreeSet<MemberId> {
    let replica = sim.laptop(laptop).node.as_ref().unwrap().group(&group).unwrap();
    replica.view().members.keys().copied().collect()
}

#[test]
fn two_halves_that_decide_apart_end_with_one_group() {
    let (mut sim, group) = union(5, 5, 3);
    let (amina, bruno, carla, dia, eve) = (0, 1, 2, 3, 4);
    let [dias, eves] = [dia, eve].map(|laptop| member(&mut sim, laptop, group));
    sim.partition(&[amina, bruno, dia], &[carla, eve], true);
    sim.partition(&[dia], &[carla, eve], true);
    // Here a majority expels eve, and dia lets somebody in; there carla puts dia out, and eve lets somebody in.
    let act = sim
        .act(amina, |node, now| node.propose(group, &Decision::Expel(vec![eves]), Channel::Council, now))
        .unwrap();
    assert!(sim.run_until(5 * MINUTE, |sim| open_for(sim, bruno, group, act)));
    sim.act(bruno, |node, now| node.approve(group, act, now)).unwrap();
    let fatou = let_in(&mut sim, dia, group, "fatou");
    sim.partition(&[fatou], &[carla, eve], true);
    sim.act(carla, |node, now| node.remove(group, dias, now)).unwrap();
    let gus = let_in(&mut sim, eve, group, "gus");
    sim.partition(&[gus], &[amina, bruno, dia, fatou], true);
    let [fatous, guss] = [fatou, gus].map(|laptop| member(&mut sim, laptop, group));
    let known = |sim: &mut Sim| {
        roster(sim, amina, group).contains(&fatous) && roster(sim, carla, group).contains(&guss)
    };
    assert!(sim.run_until(30 * MINUTE, known), "each half has its newcomer");
    sim.partition(&[amina, bruno, dia, fatou], &[carla, eve, gus], false);
    // Both decisions are carried out; who came in by the hand of somebody put out meanwhile is not in.
    let council: BTreeSet<MemberId> =
        [amina, bruno, carla].map(|laptop| member(&mut sim, laptop, group)).into();
    let agreed =
        |sim: &mut Sim| [amina, bruno, carla].iter().all(|laptop| roster(sim, *laptop, group) == council);
    assert!(sim.run_until(30 * MINUTE, agreed), "one roster");
    let keyed = |sim: &mut Sim| {
        let clean =
            |sim: &mut Sim, l: usize| sim.laptop(l).node.as_ref().unwrap().group(&group).unwrap().is_clean();
        same_head(sim, 3, group) && [amina, bruno, carla].iter().all(|laptop| clean(sim, *laptop))
    };
    assert!(sim.run_until(30 * MINUTE, keyed), "one head, and none but members in it");
    for laptop in [amina, bruno, carla] {
        say(&mut sim, laptop, group, "among the three of us");
    }
    assert!(sim.run_until(10 * MINUTE, |sim| all_read(sim, &[amina, bruno, carla], group, 3)));
    sim.run_for(10 * MINUTE);
    for laptop in [dia, eve, fatou, gus] {
        assert!(texts(&mut sim, laptop, group).is_empty(), "{laptop} reads nothing of it");
    }
    let fell = sim.laptop(amina).node.as_ref().unwrap().group(&group).unwrap().view().fell.len();
    assert_eq!(fell, 2, "both admissions are listed to be done again");
}

#[test]
fn a_key_holder_of_whom_nothing_is_heard_for_two_weeks_is_pointed_out() {
    let (mut sim, group) = union(72, 4, 3);
    sim.crash(2);
    sim.run_for(Duration::from_secs(13 * 86_400));
    let silent = |sim: &mut Sim| {
        let now = sim.now();
        sim.laptop(0).node.as_ref().unwrap().group(&group).unwrap().silent_holders(now)
    };
    assert_eq!(silent(&mut sim), []);
    say(&mut sim, 1, group, "who has seen carla?");
    sim.run_for(Duration::from_secs(2 * 86_400));
    let carla = {
        sim.start(2);
        member(&mut sim, 2, group)
    };
    sim.crash(2);
    assert_eq!(
        silent(&mut sim).iter().map(|(who, _)| *who).collect::<Vec<_>>(),
        [carla],
        "not dia, not bruno"
    );
}

#[test]
fn who_finds_that_the_one_who_let_it_in_has_left_goes_on_alone() {
    let (mut sim, group) = union(73, 3, 2);
    let (dia, fatou) = (2, sim.add());
    sim.partition(&[0, 1], &[dia, fatou], true);
    let expires = sim.now().after(Duration::from_secs(86_400));
    let invite = sim.act(dia, |node, now| node.invite(group, 1, expires, now)).unwrap();
    join(&mut sim, fatou, &invite.code.unwrap(), "fatou");
    assert!(sim.run_until(MINUTE, |sim| roster(sim, dia, group).len() == 4), "she is let in");
    assert!(!is_in(&mut sim, fatou, group));
    sim.act(dia, |node, now| node.leave(group, now)).unwrap();
    assert!(sim.run_until(5 * MINUTE, |sim| is_in(sim, fatou, group)));
    let settled = |sim: &mut Sim| {
        let replica = sim.laptop(fatou).node.as_ref().unwrap().group(&group).unwrap();
        replica.is_introduced()
            && replica.may_write(Kind::Message).is_ok()
            && replica.view().members.len() == 3
    };
    assert!(sim.run_until(5 * MINUTE, settled), "she carries the leaving out herself, and tells her name");
}

/// Found by the model: no admission that anything rests on names whoever is back by a majority (K-10).
#[test]
fn whoever_was_expelled_before_having_keys_and_is_enrolled_gets_some() {
    let (mut sim, group) = union(40, 4, 3);
    let (amina, bruno, carla) = (0, 1, 2);
    let key = ed25519_dalek::SigningKey::from_bytes(&[40; 32]);
    let (device, nina) = (crate::crypto::device_key(&key), crate::crypto::device_key(&key).into());
    let mut rng = crate::sim::SeededRng::new(40);
    let (package, _) = crate::group::seal::key_package(&key, Suite::Classical, &mut rng).unwrap();
    let admit =
        crate::group::operation::Admit { device, key_package: package.into(), invite: None, proof: None };
    let body = admit.to_payload();
    let posted = sim.act(amina, |node, now| {
        let done = node.in_group(group, None, now, |replica, round| replica.post(Kind::Admit, &body, round));
        (done, node.flush(now))
    });
    assert!(posted.0.unwrap().is_ok() && posted.1.is_ok());
    let knows = |sim: &mut Sim, laptop| roster(sim, laptop, group).contains(&nina);
    assert!(sim.run_until(MINUTE, |sim| knows(sim, bruno) && knows(sim, carla)));
    sim.crash(amina);
    let by_two = |sim: &mut Sim, decision: Decision| {
        let act = sim.act(bruno, |node, now| node.propose(group, &decision, Channel::Council, now)).unwrap();
        assert!(sim.run_until(MINUTE, |sim| open_for(sim, carla, group, act)));
        sim.act(carla, |node, now| node.approve(group, act, now)).unwrap();
    };
    by_two(&mut sim, Decision::Expel(vec![nina]));
    let keyed = |sim: &mut Sim| {
        let replica = sim.laptop(carla).node.as_ref().unwrap().group(&group).unwrap();
        replica.members().iter().any(|view| view.member == nina && view.keyed)
    };
    assert!(sim.run_until(MINUTE, |sim| !knows(sim, bruno) && !knows(sim, carla)) && !keyed(&mut sim));
    let epoch = epoch_number(&mut sim, carla, group);
    by_two(&mut sim, Decision::Enrol(vec![nina]));
    assert!(sim.run_until(10 * MINUTE, keyed), "a member has keys");
    assert!(epoch_number(&mut sim, carla, group) > epoch, "that no commit had given before");
}
