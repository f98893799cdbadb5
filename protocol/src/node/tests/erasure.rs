//! What a laptop that is seized does not show any more, and what erasing costs nobody.

use super::founding::{let_in, union};
use super::swaps::{heard, ready};
use super::*;
use crate::id::EpochId;
use crate::store::{Key, Table};

const DAY: Duration = Duration::from_secs(86_400);

/// Somebody commits new keys so many times, a day apart.
pub(super) fn renew(sim: &mut Sim, laptop: usize, group: GroupId, times: usize) {
    for _ in 0..times {
        sim.run_for(DAY);
        assert!(renews(sim, laptop, group));
        sim.run_for(5 * MINUTE);
    }
}

/// Where nobody renews keys without being told to.
pub(super) fn still((mut sim, group): (Sim, GroupId)) -> (Sim, GroupId) {
    let never = Schedule { renew: Duration::MAX, ..Schedule::USUAL };
    sim.schedule = Some(never);
    (0..sim.laptops()).for_each(|laptop| sim.laptop(laptop).node.as_mut().unwrap().set_schedule(never));
    (sim, group)
}

fn renews(sim: &mut Sim, laptop: usize, group: GroupId) -> bool {
    let renewed =
        sim.act(laptop, |node, now| node.in_group(group, None, now, |replica, round| replica.renew(round)));
    renewed.unwrap().unwrap()
}

fn secret(sim: &mut Sim, laptop: usize, group: GroupId, name: &[u8], epoch: EpochId) -> Option<Vec<u8>> {
    let scope = [group.as_bytes().as_slice(), name, epoch.as_bytes()].concat();
    let secret = sim.image(laptop).secret(&Key::new(Table::Secret, scope, 0)).unwrap();
    secret.map(|secret| secret.to_vec())
}

/// The keys of an epoch by which its entries and envelopes open, with the classes they are of.
pub(super) fn keys(
    sim: &mut Sim,
    laptop: usize,
    group: GroupId,
    epoch: EpochId,
) -> BTreeMap<&'static str, Vec<u8>> {
    let all = secret(sim, laptop, group, b"epoch", epoch).unwrap();
    let names = ["control", "envelope", "seek", "record", "chat", "short", "beacon"];
    names.into_iter().zip(all.chunks_exact(32).map(<[u8]>::to_vec)).collect()
}

pub(super) fn restart(sim: &mut Sim, laptop: usize) {
    sim.crash(laptop);
    sim.start(laptop);
}

/// These laptops are shut for so long: they have noted before what is over, and erase it when they are opened.
fn shut(sim: &mut Sim, laptops: &[usize], span: Duration) {
    laptops.iter().for_each(|laptop| restart(sim, *laptop));
    sim.run_for(2 * MINUTE);
    laptops.iter().for_each(|laptop| sim.crash(*laptop));
    sim.run_for(span);
    laptops.iter().for_each(|laptop| sim.start(*laptop));
    sim.run_for(2 * MINUTE);
}

/// Which of these epochs' states are on a disk.
fn states(sim: &mut Sim, laptop: usize, group: GroupId, epochs: &[EpochId]) -> Vec<bool> {
    epochs.iter().map(|epoch| secret(sim, laptop, group, b"state", *epoch).is_some()).collect()
}

#[test]
fn a_seized_laptop_shows_no_state_from_before_the_last_sixteen_commits_and_seven_days() {
    let (mut sim, group) = still(picket(600, 3));
    say(&mut sim, 1, group, "early");
    assert!(sim.run_until(MINUTE, |sim| all_read(sim, &[0, 1, 2], group, 1)));
    let early = head(&mut sim, 1, group);
    let (state, before) =
        (secret(&mut sim, 1, group, b"state", early).unwrap(), keys(&mut sim, 1, group, early));
    // OpenMLS files the secrets of an epoch in records of their own: any of them would do.
    let tail = state[state.len() - 32..].to_vec();
    assert!(sim.image(1).shows(&tail) && sim.image(1).shows(&before["envelope"]));

    renew(&mut sim, 0, group, 15);
    sim.run_for(DAY * 10);
    assert_eq!(states(&mut sim, 1, group, &[early]), [true], "fifteen commits");
    renew(&mut sim, 0, group, 1);
    sim.run_for(DAY * 2);
    for laptop in 0..3 {
        let image = sim.image(laptop);
        for gone in ["envelope", "seek", "beacon"] {
            assert!(!image.shows(&before[gone]), "{gone} on {laptop}");
        }
        assert_eq!(states(&mut sim, laptop, group, &[early]), [false]);
        assert!(!image.shows(&tail));
        for kept in ["control", "record", "chat"] {
            assert!(image.shows(&before[kept]), "{kept} on {laptop}");
        }
        restart(&mut sim, laptop);
    }
    sim.run_for(5 * MINUTE);
    // Records and control still open, also for who comes in now; and all go on.
    let dia = sim.add();
    admit(&mut sim, group, dia, "dia");
    say(&mut sim, dia, group, "late");
    assert!(sim.run_until(5 * MINUTE, |sim| all_read(sim, &[0, 1, 2], group, 2)));
    assert_eq!((members(&mut sim, dia, group), texts(&mut sim, dia, group)), (4, vec!["late".to_owned()]));
}

#[test]
fn sixteen_commits_in_a_day_erase_nothing_before_a_week() {
    let (mut sim, group) = still(picket(601, 2));
    let early = head(&mut sim, 1, group);
    for _ in 0..20 {
        assert!(renews(&mut sim, 0, group));
        sim.run_for(MINUTE);
    }
    sim.run_for(DAY * 6);
    assert_eq!(states(&mut sim, 1, group, &[early]), [true]);
    sim.run_for(DAY * 3);
    assert_eq!(states(&mut sim, 1, group, &[early]), [false]);
}

#[test]
fn a_state_goes_after_45_days_however_few_commits_there_were_but_never_the_heads() {
    let (mut sim, group) = still(picket(602, 2));
    let early = head(&mut sim, 1, group);
    renew(&mut sim, 0, group, 1);
    let last = head(&mut sim, 1, group);
    sim.run_for(DAY * 44);
    assert_eq!(states(&mut sim, 1, group, &[early, last]), [true, true]);
    sim.run_for(DAY * 100);
    assert_eq!(states(&mut sim, 1, group, &[early, last]), [false, true]);
    restart(&mut sim, 1);
    say(&mut sim, 1, group, "still here");
    assert!(sim.run_until(5 * MINUTE, |sim| all_read(sim, &[0, 1], group, 1)));
}

#[test]
fn whoever_was_heard_of_lately_and_has_not_written_since_keeps_states_for_its_return() {
    let (mut sim, group) = still(picket(603, 3));
    sim.run_for(MINUTE);
    let early = head(&mut sim, 1, group);
    sim.crash(2);
    renew(&mut sim, 0, group, 17);
    sim.run_for(DAY * 2);
    assert_eq!(states(&mut sim, 0, group, &[early]), [true], "19 days after rider2 was there");
    sim.run_for(DAY * 15);
    assert_eq!(states(&mut sim, 0, group, &[early]), [false], "34 days");
}

#[test]
fn whoever_was_away_for_forty_days_walks_forward_by_its_own_states() {
    for days in [40, 70] {
        let (mut sim, group) = still(picket(604, 3));
        sim.crash(2);
        renew(&mut sim, 0, group, days / 2);
        say(&mut sim, 1, group, "while you were away");
        sim.run_for(DAY * u32::try_from(days / 2).unwrap());
        sim.start(2);
        assert!(sim.run_until(10 * MINUTE, |sim| all_read(sim, &[2], group, 1)), "{days}");
        say(&mut sim, 2, group, "back");
        assert!(sim.run_until(10 * MINUTE, |sim| all_read(sim, &[0, 1, 2], group, 2)));
        let rekeyed = |(_, event): &(GroupId, Event)| matches!(event, Event::Rekeyed(_));
        assert!(!sim.laptop(0).events.iter().any(rekeyed), "no new keys were needed");
    }
}

#[test]
fn halves_that_were_apart_until_their_common_states_were_erased_are_one_group_again() {
    for seed in 605..607 {
        let (mut sim, group) = still(union(seed, 5, 3));
        let fork = head(&mut sim, 0, group);
        sim.partition(&[0, 1], &[2, 3, 4], true);
        let fatou = let_in(&mut sim, 0, group, "fatou");
        sim.partition(&[fatou], &[2, 3, 4], true);
        let gus = let_in(&mut sim, 2, group, "gus");
        sim.partition(&[gus], &[0, 1, fatou], true);
        let everybody = [0, 1, 2, 3, 4, fatou, gus];
        shut(&mut sim, &everybody, DAY * 50);
        for laptop in 0..5 {
            assert_eq!(states(&mut sim, laptop, group, &[fork]), [false], "{laptop}");
        }
        sim.partition(&everybody, &everybody, false);
        ready(&mut sim, &everybody, group);
        for laptop in everybody {
            say(&mut sim, laptop, group, &format!("from {laptop}"));
        }
        let all_heard =
            |sim: &mut Sim| everybody.iter().all(|of| heard(sim, &everybody, group, &format!("from {of}")));
        assert!(sim.run_until(10 * MINUTE, all_heard), "seed {seed}");
        everybody.into_iter().for_each(|laptop| restart(&mut sim, laptop));
        ready(&mut sim, &everybody, group);
    }
}

#[test]
fn of_a_branch_that_lost_nothing_is_kept_and_nobodys_voice_stays_in_it() {
    let (mut sim, group) = still(union(609, 5, 3));
    sim.partition(&[0, 1], &[2, 3, 4], true);
    let fatou = let_in(&mut sim, 0, group, "fatou");
    sim.partition(&[fatou], &[2, 3, 4], true);
    let gus = let_in(&mut sim, 2, group, "gus");
    sim.partition(&[gus], &[0, 1, fatou], true);
    sim.run_for(5 * MINUTE);
    let branches = [head(&mut sim, 0, group), head(&mut sim, 2, group)];
    let everybody = [0, 1, 2, 3, 4, fatou, gus];
    sim.partition(&everybody, &everybody, false);
    ready(&mut sim, &everybody, group);
    let way: Vec<EpochId> = {
        let replica = sim.laptop(1).node.as_ref().unwrap().group(&group).unwrap();
        branches.into_iter().filter(|epoch| !replica.is_on_the_way(epoch)).collect()
    };
    let [lost] = way[..] else { panic!("one of {} lost", way.len()) };
    assert!(everybody.iter().any(|laptop| states(&mut sim, *laptop, group, &[lost]) == [true]));
    sim.run_for(DAY * 46);
    for laptop in everybody {
        assert_eq!(states(&mut sim, laptop, group, &[lost]), [false], "{laptop}");
        let replica = sim.laptop(laptop).node.as_ref().unwrap().group(&group).unwrap();
        assert_ne!(replica.wrote_in(), Some(lost), "{laptop}");
    }
    ready(&mut sim, &everybody, group);
}

#[test]
fn a_disk_that_was_full_when_it_was_time_erases_a_day_later() {
    let (mut sim, group) = still(picket(610, 2));
    let early = head(&mut sim, 1, group);
    renew(&mut sim, 0, group, 1);
    sim.run_for(DAY * 44);
    sim.fill_disk(1, true);
    sim.run_for(DAY * 3);
    assert_eq!(states(&mut sim, 1, group, &[early]), [true]);
    sim.fill_disk(1, false);
    restart(&mut sim, 1);
    sim.run_for(DAY * 2);
    assert_eq!(states(&mut sim, 1, group, &[early]), [false]);
    say(&mut sim, 1, group, "room again");
    assert!(sim.run_until(5 * MINUTE, |sim| all_read(sim, &[0, 1], group, 1)));
}

#[test]
fn a_clock_that_was_years_ahead_keeps_nothing_for_years() {
    let (mut sim, group) = still(picket(611, 2));
    let early = head(&mut sim, 1, group);
    sim.set_clock(1, 3 * 365 * 86_400_000);
    renew(&mut sim, 0, group, 1);
    sim.run_for(DAY * 2);
    sim.set_clock(1, 0);
    sim.run_for(DAY * 50);
    assert_eq!(states(&mut sim, 1, group, &[early]), [false]);
}

#[test]
fn where_others_can_be_found_is_known_after_their_keys_are_erased() {
    let (mut sim, group) = still(picket(612, 4));
    sim.run_for(5 * MINUTE);
    let early = head(&mut sim, 1, group);
    sim.crash(2);
    // Laptop 1 came in by the code of laptop 0: of laptop 2 it knows by a beacon alone.
    renew(&mut sim, 0, group, 1);
    sim.run_for(DAY * 60);
    restart(&mut sim, 1);
    sim.run_for(2 * MINUTE);
    assert_eq!(states(&mut sim, 1, group, &[early]), [false]);
    let contacts = sim.laptop(1).node.as_ref().unwrap().group(&group).unwrap().contacts();
    assert!(contacts.iter().any(|(_, address)| *address == Sim::address(2)), "{contacts:?}");
}

#[test]
fn whoever_was_alone_on_a_branch_tells_its_keys_so_that_others_read_on() {
    let (mut sim, group) = still(union(613, 5, 3));
    let (others, dia) = ([0, 1, 2, 3], 4);
    sim.partition(&others, &[dia], true);
    let gus = let_in(&mut sim, dia, group, "gus");
    sim.partition(&others, &[gus], true);
    [dia, gus].into_iter().for_each(|laptop| sim.crash(laptop));
    renew(&mut sim, 0, group, 1);
    shut(&mut sim, &others, DAY * 50);
    // She still has the state that both branches begin with, and goes over by herself.
    sim.partition(&others, &[dia], false);
    sim.start(dia);
    let calm = |sim: &mut Sim| {
        let entries = counts(sim, dia, group);
        [0, 1, 2, 3, dia].iter().all(|laptop| {
            let waits = sim.laptop(*laptop).node.as_ref().unwrap().waits_for_keys(&group);
            !waits
                && counts(sim, *laptop, group) == entries
                && head(sim, *laptop, group) == head(sim, 0, group)
        })
    };
    assert!(sim.run_until(180 * MINUTE, calm), "she is no key-holder, and nobody else was on her branch");
}
