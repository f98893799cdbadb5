//! Clocks that are set, and laptops that sleep: nothing stalls, nothing storms.

use super::*;

const YEAR: i64 = 365 * 86_400_000;

/// Says something everywhere; all of it is read in a time that no timer of a node outlasts.
fn talk(sim: &mut Sim, group: GroupId, said: &mut usize) {
    for laptop in 0..sim.laptops() {
        say(sim, laptop, group, &format!("{said} from {laptop}"));
        *said += 1;
    }
    let all: Vec<usize> = (0..sim.laptops()).collect();
    assert!(sim.run_until(MINUTE, |sim| all_read(sim, &all, group, *said)), "after {said}");
}

/// How many of Alice's messages, of the newest, she knows to be with Bob.
fn delivered(sim: &mut Sim, group: GroupId) -> bool {
    let newest = sim.act(0, |node, now| node.ask(group, now, |r, round| r.messages(None, 1, round)));
    newest.unwrap().unwrap()[0].reach.unwrap().delivered == 1
}

#[test]
fn a_clock_set_a_year_back_and_forth_delays_nothing() {
    let (mut sim, group) = picket(450, 2);
    let mut said = 0;
    talk(&mut sim, group, &mut said);
    for ahead in [-YEAR, 0, YEAR, 0, YEAR, -YEAR, 0] {
        // Bob's clock is set right when he has something to do: he owes an acknowledgement.
        say(&mut sim, 0, group, "and just then");
        said += 1;
        assert!(sim.run_until(MINUTE, |sim| all_read(sim, &[1], group, said)));
        sim.set_clock(1, ahead);
        assert!(sim.run_until(MINUTE, |sim| delivered(sim, group)), "{ahead}");
        talk(&mut sim, group, &mut said);
        // Then when he waits before he calls again.
        sim.crash(0);
        sim.run_for(10 * MINUTE);
        sim.set_clock(1, ahead / 2);
        let before = sim.dials;
        sim.run_for(20 * MINUTE);
        let calls = sim.dials - before;
        assert!((2..=5).contains(&calls), "{calls} calls, one each five minutes: {ahead}");
        sim.start(0);
        let met = |sim: &mut Sim| sim.laptop(1).node.as_ref().unwrap().peers().count() == 1;
        assert!(sim.run_until(MINUTE, met));
    }
}

#[test]
fn clocks_that_jump_all_the_time_make_no_storm() {
    let (mut sim, group) = picket(451, 4);
    let mut said = 0;
    talk(&mut sim, group, &mut said);
    sim.run_for(30 * MINUTE);
    let before = (sim.sent.0, sim.dials);
    for hour in 0..24 {
        for laptop in 0..4 {
            sim.set_clock(laptop, if (hour + laptop) % 2 == 0 { YEAR } else { -YEAR });
            // Something makes each of them look at its clock.
            sim.act(laptop, |node, now| node.handle(Input::Tick, now)).unwrap();
        }
        sim.run_for(60 * MINUTE);
    }
    assert_eq!(sim.dials, before.1, "nobody is called");
    let frames = sim.sent.0 - before.0;
    assert!(frames < 24 * 50, "{frames} frames in a day of jumps");
    talk(&mut sim, group, &mut said);
}

#[test]
fn a_laptop_that_slept_eight_hours_has_everything_a_minute_later() {
    for line in ["dead", "alive"] {
        let (mut sim, group) = picket(452, 4);
        let mut said = 0;
        talk(&mut sim, group, &mut said);
        say(&mut sim, 2, group, "good night");
        sim.sleep(2);
        if line == "dead" {
            sim.partition(&[2], &[0, 1, 3], true);
        }
        for number in 0..20 {
            say(&mut sim, number % 2, group, &format!("{line} {number}"));
            sim.run_for(24 * MINUTE);
        }
        sim.partition(&[2], &[0, 1, 3], false);
        let dials = sim.dials;
        sim.wake(2);
        let all = sim.run_until(MINUTE, |sim| all_read(sim, &[0, 1, 2, 3], group, said + 21));
        assert!(all, "{line}: {}", texts(&mut sim, 2, group).len());
        assert!(sim.dials - dials < 20, "{line}: {} calls", sim.dials - dials);
    }
}
