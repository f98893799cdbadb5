//! An author who signs two entries for one place, in whole nodes.

use super::founding::union;
use super::*;
use crate::entry::Lane;
use crate::id::EntryId;

const ALICE: usize = 0;
const BOB: usize = 1;
const EVE: usize = 2;
const CARLA: usize = 3;

fn file(sim: &mut Sim, laptop: usize, group: GroupId, text: &str) -> EntryId {
    let body = Grievance { text: text.into(), ..grievance() };
    sim.act(laptop, |node, now| node.file_grievance(group, &body, now)).unwrap()
}

fn back(sim: &mut Sim, laptop: usize, group: GroupId, grievance: EntryId) {
    let body = Support { grievance, kind: SupportKind::Same };
    sim.act(laptop, |node, now| node.support(group, &body, now)).unwrap();
}

/// Filed grievances and how many back each.
fn filed(sim: &mut Sim, laptop: usize, group: GroupId) -> Vec<(String, usize)> {
    let board = sim.laptop(laptop).node.as_ref().unwrap().group(&group).unwrap().board();
    let all = board.grievances().map(|(id, view)| (view.body.text.clone(), board.support_of(id).len()));
    all.collect::<BTreeSet<_>>().into_iter().collect()
}

fn knows_fork(sim: &mut Sim, laptop: usize, group: GroupId) -> bool {
    !sim.laptop(laptop).node.as_ref().unwrap().group(&group).unwrap().equivocators().is_empty()
}

/// Alice and Carla on one side, Bob on the other; Eve shows each side another entry at the same
/// place of a log, by putting an old image of her disk back in between.
fn two_faced(seed: u64, act: impl FnMut(&mut Sim, GroupId, usize, &str)) -> (Sim, GroupId) {
    two_faced_in(picket(seed, 4), act)
}

fn two_faced_in(
    (mut sim, group): (Sim, GroupId),
    mut act: impl FnMut(&mut Sim, GroupId, usize, &str),
) -> (Sim, GroupId) {
    sim.run_for(2 * MINUTE);
    let image = sim.image(EVE);
    sim.partition(&[ALICE, CARLA], &[BOB, EVE], true);
    act(&mut sim, group, BOB, "to bob");
    sim.crash(EVE);
    sim.put_image(EVE, image);
    sim.partition(&[EVE], &[BOB], true);
    sim.partition(&[EVE], &[ALICE, CARLA], false);
    sim.start(EVE);
    act(&mut sim, group, ALICE, "to alice");
    sim.crash(EVE);
    sim.partition(&[BOB], &[ALICE, CARLA], false);
    (sim, group)
}

#[test]
fn what_others_built_on_either_branch_stays_for_everybody() {
    for (seed, backed) in [(301, true), (302, false)] {
        let (mut sim, group) = two_faced(seed, |sim, group, to, text| {
            let mut ids = Vec::new();
            let count = if to == BOB { 3 } else { 5 };
            for number in 0..count {
                ids.push(file(sim, EVE, group, &format!("{text} {number}")));
            }
            let all = |sim: &mut Sim| filed(sim, to, group).len() == count;
            assert!(sim.run_until(5 * MINUTE, all), "{text}");
            if backed {
                back(sim, to, group, ids[2]);
            }
        });
        let agree = |sim: &mut Sim| {
            let boards: Vec<_> = [ALICE, BOB, CARLA].iter().map(|l| filed(sim, *l, group)).collect();
            boards[0].len() == 8 && boards.windows(2).all(|pair| pair[0] == pair[1])
        };
        assert!(sim.run_until(10 * MINUTE, agree), "both branches had been seen by somebody honest");
        assert_eq!(
            filed(&mut sim, CARLA, group).iter().map(|(_, n)| n).sum::<usize>(),
            2 * usize::from(backed)
        );
        for laptop in [ALICE, BOB, CARLA] {
            assert!(knows_fork(&mut sim, laptop, group));
            let told = |(_, event): &(GroupId, Event)| matches!(event, Event::Equivocation(_));
            assert!(sim.laptop(laptop).events.iter().any(told), "it is shown");
            sim.crash(laptop);
            sim.start(laptop);
            assert!(knows_fork(&mut sim, laptop, group), "and not forgotten");
        }
        assert!(agree(&mut sim), "the same after a restart");
        say(&mut sim, ALICE, group, "we go on");
        assert!(sim.run_until(5 * MINUTE, |sim| all_read(sim, &[ALICE, BOB, CARLA], group, 1)));
    }
}

#[test]
fn of_forked_talk_nobody_is_shown_anything() {
    let (mut sim, group) = two_faced(303, |sim, group, to, text| {
        say(sim, EVE, group, text);
        say(sim, EVE, group, "and so on");
        let all = |sim: &mut Sim| texts(sim, to, group) == [text, "and so on"];
        assert!(sim.run_until(5 * MINUTE, all));
    });
    let known = |sim: &mut Sim| [ALICE, BOB, CARLA].iter().all(|laptop| knows_fork(sim, *laptop, group));
    assert!(sim.run_until(10 * MINUTE, known));
    assert!(all_read(&mut sim, &[ALICE, BOB, CARLA], group, 0));
    for laptop in [ALICE, BOB, CARLA] {
        sim.crash(laptop);
        sim.start(laptop);
        say(&mut sim, laptop, group, "we go on");
    }
    assert!(sim.run_until(5 * MINUTE, |sim| all_read(sim, &[ALICE, BOB, CARLA], group, 3)));
}

#[test]
fn a_newcomer_learns_of_an_old_fork() {
    let (mut sim, group) = two_faced(304, |sim, group, to, text| {
        let id = file(sim, EVE, group, text);
        assert!(sim.run_until(5 * MINUTE, |sim| filed(sim, to, group).len() == 1));
        back(sim, to, group, id);
    });
    assert!(sim.run_until(10 * MINUTE, |sim| filed(sim, ALICE, group).len() == 2));
    let dan = sim.add();
    admit(&mut sim, group, dan, "dan");
    assert!(sim.run_until(5 * MINUTE, |sim| knows_fork(sim, dan, group)));
    let acts = |sim: &mut Sim, laptop: usize| {
        let heads = sim.laptop(laptop).node.as_ref().unwrap().group(&group).unwrap().heads();
        heads
            .into_iter()
            .filter(|head| head.log.lane == Lane::Acts)
            .map(|head| (head.log, head.id))
            .collect::<Vec<_>>()
    };
    assert!(sim.run_until(5 * MINUTE, |sim| acts(sim, dan) == acts(sim, ALICE)));
    assert_eq!(sim.laptop(dan).node.as_ref().unwrap().group(&group).unwrap().counts().1, 0, "nothing waits");
}

#[test]
fn who_shows_each_half_another_newcomer_parts_nobody() {
    let others = [ALICE, BOB, CARLA];
    for seed in 305..309 {
        let mut newcomers = Vec::new();
        let (mut sim, group) = two_faced_in(union(seed, 4, 3), |sim, group, to, name| {
            let newcomer = sim.add();
            let far: Vec<usize> = if to == BOB { vec![ALICE, CARLA] } else { vec![BOB, newcomers[0]] };
            sim.partition(&[newcomer], &far, true);
            sim.partition(&[EVE, ALICE, CARLA], &newcomers, true);
            let expires = sim.now().after(Duration::from_secs(86_400));
            let invite = sim.act(EVE, |node, now| node.invite(group, 1, expires, now)).unwrap();
            join(sim, newcomer, &invite.code.unwrap(), name);
            let meets = |sim: &mut Sim| {
                sim.laptop(newcomer).node.as_ref().unwrap().group(&group).is_some()
                    && head(sim, newcomer, group) == head(sim, to, group)
            };
            assert!(sim.run_until(10 * MINUTE, meets), "seed {seed}: {name}");
            say(sim, newcomer, group, name);
            assert!(sim.run_until(10 * MINUTE, |sim| texts(sim, to, group) == [name]), "seed {seed}: {name}");
            newcomers.push(newcomer);
        });
        sim.partition(&newcomers, &others, false);
        sim.partition(&newcomers[..1], &newcomers[1..], false);
        let everybody: Vec<usize> = others.iter().chain(&newcomers).copied().collect();
        let whole = |sim: &mut Sim| {
            everybody.iter().all(|laptop| {
                let one_head = head(sim, *laptop, group) == head(sim, ALICE, group);
                let replica = sim.laptop(*laptop).node.as_ref().unwrap().group(&group).unwrap();
                let may_write = replica.is_clean() && replica.may_write(Kind::Message).is_ok();
                one_head && may_write && replica.view().members.len() == 6
            })
        };
        assert!(sim.run_until(180 * MINUTE, whole), "seed {seed}");
        for laptop in &everybody {
            say(&mut sim, *laptop, group, &format!("from {laptop}"));
        }
        let heard = |sim: &mut Sim| everybody.iter().all(|laptop| texts(sim, *laptop, group).len() >= 6);
        assert!(sim.run_until(10 * MINUTE, heard), "seed {seed}");
    }
}
