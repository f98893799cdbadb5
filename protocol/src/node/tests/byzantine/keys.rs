//! Keys that a hostile member gives to some and not to others, or makes up.

use super::super::founding::{let_in, union};
use super::super::*;
use crate::entry::Lane;
use crate::id::EpochId;

/// A key-holder.
const EVE: usize = 2;
const HONEST: [usize; 4] = [0, 1, 3, 4];

fn by_eve<R>(sim: &mut Sim, group: GroupId, work: impl FnOnce(&mut Replica, &mut Round<'_>) -> R) -> R {
    sim.act(EVE, |node, now| node.in_group(group, None, now, work)).unwrap()
}

/// Whether the honest ones are one group in which all can write.
fn are_one(sim: &mut Sim, group: GroupId) -> bool {
    let state = |sim: &mut Sim, laptop: usize| {
        let replica = sim.laptop(laptop).node.as_ref().unwrap().group(&group).unwrap();
        let talks = replica.is_clean() && replica.may_write(Kind::Message).is_ok();
        (talks, replica.head(), replica.view().clone())
    };
    let first = state(sim, HONEST[0]);
    first.0 && HONEST.iter().all(|laptop| state(sim, *laptop) == first)
}

fn hear_one_another(sim: &mut Sim, group: GroupId) {
    for laptop in HONEST {
        say(sim, laptop, group, &format!("from {laptop}"));
    }
    let heard = |sim: &mut Sim, laptop: usize| {
        let read = texts(sim, laptop, group);
        HONEST.iter().all(|of| read.contains(&format!("from {of}")))
    };
    assert!(sim.run_until(10 * MINUTE, |sim| HONEST.iter().all(|laptop| heard(sim, *laptop))));
}

#[test]
fn a_key_holder_who_tells_false_keys_takes_nothing_from_anybody() {
    let (mut sim, group) = union(50, 5, 3);
    let lie = |epoch| OpenedEpoch { epoch, control: [66; 32].into() };
    let before = head(&mut sim, EVE, group);
    let_in(&mut sim, 0, group, "gus");
    let between = head(&mut sim, 0, group);
    let fatou = let_in(&mut sim, 0, group, "fatou");
    sim.run_for(MINUTE);
    let epochs = [EpochId::from(group), before, between].map(lie).to_vec();
    let body = Opened { epochs }.to_payload();
    by_eve(&mut sim, group, |replica, round| replica.post(Kind::Opened, &body, round)).unwrap();
    sim.run_for(5 * MINUTE);
    // Who was not there at the start reads it by keys that were told.
    for laptop in HONEST.into_iter().chain([fatou]) {
        sim.crash(laptop);
        sim.start(laptop);
    }
    assert!(sim.run_until(10 * MINUTE, |sim| are_one(sim, group)));
    assert!([4, fatou].iter().all(|laptop| members(&mut sim, *laptop, group) == 7));
    hear_one_another(&mut sim, group);
}

#[test]
fn whoever_can_not_read_a_commit_that_others_read_is_brought_over() {
    for (seed, left_out) in [(51, &[4][..]), (52, &[1, 4]), (53, &HONEST)] {
        let (mut sim, group) = union(seed, 5, 3);
        let device = |laptop: &usize| DeviceKey(member(&mut sim, *laptop, group).0);
        let deaf: BTreeSet<DeviceKey> = left_out.iter().map(device).collect();
        let made = by_eve(&mut sim, group, |replica, round| {
            let commit = replica.craft_deaf_commit(&deaf, round).unwrap();
            assert!(replica.adopt(&commit, round));
            EpochId::from(commit.id())
        });
        let follows = |sim: &mut Sim, laptop: &usize| {
            sim.laptop(*laptop).node.as_ref().unwrap().group(&group).unwrap().has_keys_of(&made)
        };
        sim.run_for(MINUTE);
        let behind: Vec<usize> = HONEST.into_iter().filter(|laptop| !follows(&mut sim, laptop)).collect();
        // Who is reached by a key that it shares with others may be spared.
        assert!(!behind.is_empty() && behind.iter().all(|laptop| left_out.contains(laptop)), "seed {seed}");
        for laptop in HONEST {
            say(&mut sim, laptop, group, "nobody is kept from writing");
        }
        assert!(sim.run_until(180 * MINUTE, |sim| are_one(sim, group)), "seed {seed}");
        hear_one_another(&mut sim, group);
    }
}

#[test]
fn an_act_that_no_key_opens_stalls_its_author_alone() {
    let (mut sim, group) = union(54, 5, 3);
    let garbled = by_eve(&mut sim, group, |replica, round| {
        let stand = replica.next_stand(Lane::Acts);
        let entry = replica.craft_under(&[66; 32], Kind::Merge, &stand, round).unwrap();
        assert!(replica.adopt(&entry, round));
        entry.id()
    });
    sim.run_for(5 * MINUTE);
    for laptop in HONEST {
        let replica = sim.laptop(laptop).node.as_ref().unwrap().group(&group).unwrap();
        assert!(!replica.has_applied(&garbled), "nobody could say what it does");
        sim.crash(laptop);
        sim.start(laptop);
    }
    assert!(sim.run_until(10 * MINUTE, |sim| are_one(sim, group)));
    hear_one_another(&mut sim, group);
}
