//! Several laptops of one person (M-18).

use super::founding::{is_in, open_for, roster, union};
use super::*;
use crate::group::invite::{Hint, Phrase};
use crate::group::membership::Channel;
use crate::node::{Decision, NodeError};

const AMINA: usize = 0;
const BRUNO: usize = 1;
const CARLA: usize = 2;
const DIA: usize = 3;

fn replica(sim: &mut Sim, laptop: usize, group: GroupId) -> &Replica {
    sim.laptop(laptop).node.as_ref().unwrap().group(&group).unwrap()
}

fn device(sim: &mut Sim, laptop: usize, group: GroupId) -> DeviceKey {
    replica(sim, laptop, group).device()
}

/// Another laptop of the person who has this one comes in by a code that it shows.
fn link(sim: &mut Sim, of: usize, group: GroupId) -> usize {
    let expires = sim.now().after(Duration::from_secs(86_400));
    let code = sim.act(of, |node, now| node.link_code(group, expires, now)).unwrap();
    let laptop = sim.add();
    join(sim, laptop, &code.to_text(), "second laptop");
    assert!(sim.run_until(10 * MINUTE, |sim| is_in(sim, laptop, group)), "it is in");
    laptop
}

/// Another laptop of somebody's comes in by the phrase; a comrade's code says where the group is.
fn restore(sim: &mut Sim, phrase: &Phrase, through: usize, group: GroupId) -> usize {
    let suite = replica(sim, through, group).suite();
    let hints = vec![Hint::from_multiaddr(&Sim::address(through)).unwrap()];
    let code = InviteCode::of_phrase(phrase, group.fingerprint(), suite, hints);
    let laptop = sim.add();
    join(sim, laptop, &code.to_text(), "restored");
    assert!(sim.run_until(10 * MINUTE, |sim| is_in(sim, laptop, group)), "it is in");
    laptop
}

fn writes(sim: &mut Sim, laptop: usize, group: GroupId) -> bool {
    replica(sim, laptop, group).may_write(Kind::Message).is_ok()
}

fn heard(sim: &mut Sim, laptops: &[usize], group: GroupId, text: &str) -> bool {
    laptops.iter().all(|laptop| texts(sim, *laptop, group).iter().any(|said| said == text))
}

fn devices_of(sim: &mut Sim, seen_by: usize, member: MemberId, group: GroupId) -> BTreeSet<DeviceKey> {
    replica(sim, seen_by, group).view().devices_of(&member).collect()
}

#[test]
fn a_second_laptop_speaks_for_its_member_and_is_no_member() {
    let (mut sim, group) = union(81, 4, 3);
    let second = link(&mut sim, BRUNO, group);
    let bruno = member(&mut sim, BRUNO, group);
    assert_eq!(member(&mut sim, second, group), bruno);
    let everybody = [AMINA, BRUNO, CARLA, DIA, second];
    assert!(sim.run_until(10 * MINUTE, |sim| everybody.iter().all(|laptop| writes(sim, *laptop, group))));
    say(&mut sim, second, group, "from the library");
    say(&mut sim, BRUNO, group, "from home");
    let both = |sim: &mut Sim| {
        heard(sim, &everybody, group, "from the library") && heard(sim, &everybody, group, "from home")
    };
    assert!(sim.run_until(10 * MINUTE, both));
    let said = sim
        .act(DIA, |node, now| node.ask(group, now, |replica, round| replica.messages(None, 100, round)))
        .unwrap()
        .unwrap();
    assert!(said.iter().all(|message| message.author == bruno), "one author");
    assert_eq!(roster(&mut sim, AMINA, group).len(), 4, "no fifth member");
    let views = replica(&mut sim, DIA, group).members();
    let brunos = views.iter().find(|view| view.member == bruno).unwrap();
    assert_eq!((brunos.name.as_deref(), brunos.devices), (Some("rider1"), 2), "under the name they know");
    let second_device = device(&mut sim, second, group);
    let told = |sim: &mut Sim, laptop: usize| {
        sim.laptop(laptop).events.contains(&(group, Event::Device(bruno, second_device, true)))
    };
    assert!([AMINA, BRUNO, CARLA, DIA].iter().all(|laptop| told(&mut sim, *laptop)), "all are told");
    for laptop in everybody {
        sim.crash(laptop);
        sim.start(laptop);
    }
    assert!(sim.run_until(10 * MINUTE, |sim| everybody.iter().all(|laptop| writes(sim, *laptop, group))));
    assert_eq!(member(&mut sim, second, group), bruno, "after a restart, too");
}

#[test]
fn two_laptops_of_one_key_holder_are_one_signature() {
    let (mut sim, group) = union(82, 4, 3);
    let second = link(&mut sim, BRUNO, group);
    let dia = member(&mut sim, DIA, group);
    let expel = Decision::Expel(vec![dia]);
    let act = sim.act(second, |node, now| node.propose(group, &expel, Channel::Council, now)).unwrap();
    assert!(sim.run_until(10 * MINUTE, |sim| open_for(sim, AMINA, group, act)));
    assert!(!open_for(&mut sim, BRUNO, group, act), "he has signed");
    let again = sim.act(BRUNO, |node, now| node.approve(group, act, now));
    assert!(matches!(again, Err(NodeError::NotAllowed)), "not counted twice");
    sim.act(AMINA, |node, now| node.approve(group, act, now)).unwrap();
    assert!(sim.run_until(10 * MINUTE, |sim| roster(sim, CARLA, group).len() == 3));
}

#[test]
fn a_seized_laptop_that_is_dropped_reads_nothing_of_those_who_know() {
    let (mut sim, group) = union(83, 4, 3);
    let second = link(&mut sim, BRUNO, group);
    let ready = |sim: &mut Sim| [AMINA, BRUNO, CARLA, DIA].iter().all(|laptop| writes(sim, *laptop, group));
    assert!(sim.run_until(10 * MINUTE, ready));
    let lost = device(&mut sim, second, group);
    sim.partition(&[second], &[AMINA, BRUNO, CARLA, DIA], true);
    let others = sim.act(AMINA, |node, now| node.drop_device(group, lost, None, now));
    assert!(matches!(others, Err(NodeError::NotAllowed)), "it is Bruno's");
    sim.act(BRUNO, |node, now| node.drop_device(group, lost, None, now)).unwrap();
    let bruno = bruno_of(&mut sim, group);
    let gone = |sim: &mut Sim| {
        let out = |sim: &mut Sim, laptop| !devices_of(sim, laptop, bruno, group).contains(&lost);
        ready(sim) && out(sim, AMINA) && out(sim, DIA)
    };
    assert!(sim.run_until(10 * MINUTE, gone));
    say(&mut sim, DIA, group, "meet at the depot");
    assert!(sim.run_until(10 * MINUTE, |sim| heard(sim, &[AMINA, BRUNO], group, "meet at the depot")));
    sim.partition(&[second], &[AMINA, BRUNO, CARLA, DIA], false);
    sim.run_for(30 * MINUTE);
    assert!(!heard(&mut sim, &[second], group, "meet at the depot"));
    assert_eq!(roster(&mut sim, AMINA, group).len(), 4, "Bruno stays");
    assert!(writes(&mut sim, BRUNO, group));
}

fn bruno_of(sim: &mut Sim, group: GroupId) -> MemberId {
    member(sim, BRUNO, group)
}

#[test]
fn whoever_lost_every_laptop_is_back_by_the_phrase_with_office_and_voice() {
    let (mut sim, group) = union(84, 4, 3);
    let phrase = || Phrase::new([7; 16]);
    sim.act(BRUNO, |node, now| node.set_phrase(group, &phrase(), now)).unwrap();
    let twice = sim.act(BRUNO, |node, now| node.set_phrase(group, &Phrase::new([8; 16]), now));
    assert!(matches!(twice, Err(NodeError::NotAllowed)), "a thief can't set another");
    let bruno = bruno_of(&mut sim, group);
    let known = |sim: &mut Sim| replica(sim, CARLA, group).view().has_phrase(&bruno);
    assert!(sim.run_until(10 * MINUTE, known));
    let lost = device(&mut sim, BRUNO, group);
    sim.crash(BRUNO);
    let new = restore(&mut sim, &phrase(), CARLA, group);
    assert_eq!(member(&mut sim, new, group), bruno);
    assert!(sim.run_until(10 * MINUTE, |sim| writes(sim, new, group)));
    let by_another =
        sim.act(CARLA, |node, now| node.drop_device(group, lost, Some(&Phrase::new([9; 16])), now));
    assert!(matches!(by_another, Err(NodeError::NotAllowed)), "another phrase is not his");
    sim.act(new, |node, now| node.drop_device(group, lost, Some(&phrase()), now)).unwrap();
    let own = BTreeSet::from([device(&mut sim, new, group)]);
    assert!(sim.run_until(10 * MINUTE, |sim| devices_of(sim, AMINA, bruno, group) == own));
    let demote = Decision::Demote(vec![member(&mut sim, CARLA, group)]);
    let act = sim.act(new, |node, now| node.propose(group, &demote, Channel::Council, now)).unwrap();
    assert!(sim.run_until(10 * MINUTE, |sim| open_for(sim, AMINA, group, act)), "with his office");
    // The laptop turns up again, in whoever's hands: it is out.
    sim.start(BRUNO);
    sim.run_for(30 * MINUTE);
    say(&mut sim, AMINA, group, "to those who are in");
    assert!(sim.run_until(10 * MINUTE, |sim| heard(sim, &[CARLA, DIA, new], group, "to those who are in")));
    sim.run_for(10 * MINUTE);
    assert!(!heard(&mut sim, &[BRUNO], group, "to those who are in"));
}

#[test]
fn a_laptop_linked_in_one_half_and_one_dropped_in_the_other_end_alike_everywhere() {
    for seed in 85..88 {
        let (mut sim, group) = union(seed, 4, 3);
        let second = link(&mut sim, BRUNO, group);
        let all = |sim: &mut Sim| {
            [AMINA, BRUNO, CARLA, DIA, second].iter().all(|laptop| writes(sim, *laptop, group))
        };
        assert!(sim.run_until(10 * MINUTE, all), "seed {seed}");
        let lost = device(&mut sim, second, group);
        let met = |sim: &mut Sim| {
            replica(sim, second, group).contacts().iter().any(|(_, address)| *address == Sim::address(CARLA))
        };
        assert!(sim.run_until(30 * MINUTE, met), "seed {seed}: it knows where others are");
        sim.partition(&[AMINA, BRUNO], &[CARLA, DIA, second], true);
        sim.act(BRUNO, |node, now| node.drop_device(group, lost, None, now)).unwrap();
        let dias = link(&mut sim, DIA, group);
        sim.partition(&[dias], &[AMINA, BRUNO], true);
        say(&mut sim, CARLA, group, "to my half");
        say(&mut sim, AMINA, group, "to mine");
        sim.run_for(5 * MINUTE);
        assert!(heard(&mut sim, &[second], group, "to my half"), "who has not heard seals to it");
        sim.partition(&[AMINA, BRUNO], &[CARLA, DIA, second, dias], false);
        let everybody = [AMINA, BRUNO, CARLA, DIA, dias];
        let together = |sim: &mut Sim| {
            let first = head(sim, AMINA, group);
            everybody.iter().all(|laptop| head(sim, *laptop, group) == first && writes(sim, *laptop, group))
        };
        assert!(sim.run_until(180 * MINUTE, together), "seed {seed}");
        say(&mut sim, AMINA, group, "to all who are in");
        assert!(
            sim.run_until(10 * MINUTE, |sim| heard(sim, &everybody, group, "to all who are in")),
            "seed {seed}"
        );
        sim.run_for(10 * MINUTE);
        assert!(!heard(&mut sim, &[second], group, "to all who are in"), "seed {seed}");
        let (bruno, dia) = (bruno_of(&mut sim, group), member(&mut sim, DIA, group));
        for laptop in everybody {
            assert_eq!(devices_of(&mut sim, laptop, bruno, group).len(), 1, "seed {seed}");
            assert_eq!(devices_of(&mut sim, laptop, dia, group).len(), 2, "seed {seed}");
        }
    }
}

#[test]
fn in_a_draft_a_second_laptop_comes_in_too_and_the_founders_acts_for_him() {
    let (mut sim, group) = picket(89, 2);
    let riders = link(&mut sim, 1, group);
    let founders = link(&mut sim, 0, group);
    assert!(sim.run_until(10 * MINUTE, |sim| writes(sim, founders, group) && writes(sim, riders, group)));
    sim.crash(0);
    let expires = sim.now().after(Duration::from_secs(86_400));
    let code = sim.act(founders, |node, now| node.invite(group, 1, expires, now)).unwrap();
    let newcomer = sim.add();
    join(&mut sim, newcomer, &code.code.unwrap(), "fatou");
    assert!(sim.run_until(10 * MINUTE, |sim| is_in(sim, newcomer, group)), "let in by the other laptop");
    sim.start(0);
    let everybody = [0, 1, riders, founders, newcomer];
    let together = |sim: &mut Sim| {
        everybody.iter().all(|laptop| writes(sim, *laptop, group) && members(sim, *laptop, group) == 3)
    };
    assert!(sim.run_until(30 * MINUTE, together));
    say(&mut sim, riders, group, "hello");
    assert!(sim.run_until(10 * MINUTE, |sim| heard(sim, &everybody, group, "hello")));
}

#[test]
fn a_person_with_two_laptops_pledges_once() {
    let (mut sim, group) = picket(90, 3);
    let second = link(&mut sim, 1, group);
    assert!(sim.run_until(10 * MINUTE, |sim| writes(sim, second, group) && writes(sim, 0, group)));
    let plan = plan(&sim, 60);
    let call = sim.act(0, |node, now| node.call_strike(group, plan, now)).unwrap();
    let seen = |sim: &mut Sim| {
        [0, 1, 2, second].iter().all(|l| board_of(sim, *l, group, |b| b.call_view(&call).is_some()))
    };
    assert!(sim.run_until(5 * MINUTE, seen));
    for laptop in [1, second] {
        sim.act(laptop, |node, now| node.pledge_to(group, call, now)).unwrap();
    }
    let answered = |sim: &mut Sim| board_of(sim, 0, group, |b| b.answers(&call).count()) == 4;
    assert!(sim.run_until(5 * MINUTE, answered));
    assert_eq!(sim.act(0, |node, now| node.tally(group, call, now)).unwrap(), Some(1));
}
