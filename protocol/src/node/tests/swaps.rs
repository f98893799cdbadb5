//! Members whose device has no keys of the epochs that others are in.

use super::founding::{is_in, let_in, roster, same_head, union};
use super::*;
use crate::store::{Key, Table};

fn ids(sim: &mut Sim, laptops: &[usize], group: GroupId) -> BTreeSet<MemberId> {
    laptops.iter().map(|laptop| member(sim, *laptop, group)).collect()
}

/// Whether these laptops are one group: the same members, one head, and a leaf in it for each.
fn together(sim: &mut Sim, laptops: &[usize], group: GroupId) -> bool {
    let everybody = ids(sim, laptops, group);
    let first = head(sim, laptops[0], group);
    laptops.iter().all(|laptop| {
        let replica = sim.laptop(*laptop).node.as_ref().unwrap().group(&group).unwrap();
        let whole = replica.is_clean() && replica.may_write(Kind::Message).is_ok();
        whole && head(sim, *laptop, group) == first && roster(sim, *laptop, group) == everybody
    })
}

/// However the dice fall, whoever asks again after an hour is served.
pub(super) fn ready(sim: &mut Sim, laptops: &[usize], group: GroupId) {
    assert!(sim.run_until(180 * MINUTE, |sim| together(sim, laptops, group)));
}

pub(super) fn heard(sim: &mut Sim, laptops: &[usize], group: GroupId, text: &str) -> bool {
    laptops.iter().all(|laptop| texts(sim, *laptop, group).iter().any(|said| said == text))
}

/// A group of four, and dia, who has lost the states that commits are followed with.
fn dia_lost_her_states(seed: u64) -> (Sim, GroupId, usize) {
    let (mut sim, group) = union(seed, 4, 3);
    let dia = 3;
    lose_states(&mut sim, dia);
    (sim, group, dia)
}

fn lose_states(sim: &mut Sim, laptop: usize) {
    sim.crash(laptop);
    let is_state = |key: &Key| key.scope.windows(5).any(|part| part == b"state");
    sim.lose(laptop, |key| key.table == Table::Secret && is_state(key));
    sim.start(laptop);
}

#[test]
fn a_founder_who_got_new_keys_opens_the_group_again_after_a_restart() {
    let (mut sim, group) = union(33, 4, 3);
    lose_states(&mut sim, 0);
    let fatou = let_in(&mut sim, 1, group, "fatou");
    let everybody = [0, 1, 2, 3, fatou];
    ready(&mut sim, &everybody, group);
    sim.crash(0);
    sim.start(0);
    ready(&mut sim, &everybody, group);
}

#[test]
fn who_can_not_open_a_commit_gets_new_keys() {
    let (mut sim, group, dia) = dia_lost_her_states(30);
    let fatou = let_in(&mut sim, 0, group, "fatou");
    let everybody = [0, 1, 2, dia, fatou];
    ready(&mut sim, &everybody, group);
    say(&mut sim, dia, group, "back");
    assert!(sim.run_until(5 * MINUTE, |sim| heard(sim, &everybody, group, "back")));
    let dias = member(&mut sim, dia, group);
    let told =
        |laptop: usize, sim: &mut Sim| sim.laptop(laptop).events.contains(&(group, Event::Rekeyed(dias)));
    assert!([0, 1, 2].iter().all(|laptop| told(*laptop, &mut sim)), "everybody is told of the new keys");
}

#[test]
fn a_wish_for_new_keys_outlives_a_crash_and_waits_for_whoever_can_fulfil_it() {
    let (mut sim, group, dia) = dia_lost_her_states(31);
    let fatou = let_in(&mut sim, 0, group, "fatou");
    let posted = |sim: &mut Sim| sim.laptop(dia).node.as_ref().unwrap().waits_for_keys(&group);
    assert!(sim.run_until(30 * MINUTE, posted), "she has asked");
    sim.crash(dia);
    sim.run_for(10 * MINUTE);
    // Whoever has carried it out meanwhile holds the mail: all go through a night, one by one.
    for laptop in [0, 1, 2, fatou] {
        sim.crash(laptop);
        sim.start(laptop);
    }
    sim.start(dia);
    ready(&mut sim, &[0, 1, 2, dia, fatou], group);
}

#[test]
fn a_false_mail_in_a_session_uses_nothing_up() {
    let (mut sim, group, dia) = dia_lost_her_states(32);
    let fatou = let_in(&mut sim, 0, group, "fatou");
    let asked = |sim: &mut Sim| sim.laptop(dia).node.as_ref().unwrap().waits_for_keys(&group);
    assert!(sim.run_until(30 * MINUTE, asked));
    let conns: Vec<_> = sim.laptop(dia).node.as_ref().unwrap().peers().map(|(conn, ..)| conn).collect();
    for conn in conns {
        let mail = crate::sync::Message::Mail { part: 0, parts: 1, bytes: vec![7; 500] };
        let _ = sim.act(dia, |node, now| node.handle(Input::Frame(conn, mail.encode()), now));
    }
    assert!(!together(&mut sim, &[0, 1, 2, dia, fatou], group));
    ready(&mut sim, &[0, 1, 2, dia, fatou], group);
}

#[test]
fn whoever_came_in_on_the_branch_that_loses_gets_keys_of_the_other() {
    for seed in 20..24 {
        let (mut sim, group) = union(seed, 4, 3);
        let (amina, bruno, carla, dia) = (0, 1, 2, 3);
        sim.partition(&[amina, bruno], &[carla, dia], true);
        let fatou = let_in(&mut sim, amina, group, "fatou");
        sim.partition(&[fatou], &[carla, dia], true);
        let gus = let_in(&mut sim, carla, group, "gus");
        sim.partition(&[gus], &[amina, bruno, fatou], true);
        say(&mut sim, fatou, group, "to my half");
        say(&mut sim, gus, group, "to mine");
        sim.run_for(5 * MINUTE);
        sim.partition(&[amina, bruno, fatou], &[carla, dia, gus], false);
        let everybody = [amina, bruno, carla, dia, fatou, gus];
        assert!(sim.run_until(30 * MINUTE, |sim| together(sim, &everybody, group)), "seed {seed}");
        for laptop in everybody {
            say(&mut sim, laptop, group, &format!("from {laptop}"));
        }
        let all_heard =
            |sim: &mut Sim| everybody.iter().all(|of| heard(sim, &everybody, group, &format!("from {of}")));
        assert!(sim.run_until(10 * MINUTE, all_heard), "seed {seed}: everybody reads everybody");
        for newcomer in [fatou, gus] {
            let own = if newcomer == fatou { "to my half" } else { "to mine" };
            assert!(texts(&mut sim, newcomer, group).contains(&own.to_owned()), "what was said stays");
            sim.crash(newcomer);
            sim.start(newcomer);
        }
        assert!(sim.run_until(10 * MINUTE, |sim| together(sim, &everybody, group)), "after a restart");
        assert!(same_head(&mut sim, 4, group) && is_in(&mut sim, gus, group));
    }
}
