//! What nodes may rely on whoever is at the other end, and on their own disks.

use super::*;
use crate::node::known::Known;
use crate::sync::{Groups as _, Message};

/// Frames a node would send now, by type.
fn leaving(outputs: &[Output]) -> Vec<Message> {
    let frame = |output: &Output| match output {
        Output::Send(_, frame) => Message::decode(frame).ok(),
        _ => None,
    };
    outputs.iter().filter_map(frame).collect()
}

#[test]
fn nothing_of_ones_own_leaves_before_it_is_on_the_disk() {
    let (mut sim, group) = picket(401, 2);
    sim.run_for(MINUTE);
    assert_eq!(sim.laptop(1).node.as_ref().unwrap().peers().count(), 1);
    sim.fill_disk(1, true);
    let now = sim.now();
    let node = sim.laptop(1).node.as_mut().unwrap();
    let (conn, ..) = node.peers().next().unwrap();
    node.send(group, "too early", now).unwrap();
    // Asked now, it would list the new entry among its heads.
    let question = Message::Digest { group: 0, lanes: [[0; 16]; 3], up: vec![] };
    node.handle(Input::Frame(conn, question.encode()), now).unwrap();
    assert!(node.poll_output().is_none(), "nothing before the flush");
    assert_eq!(node.flush(now), Err(StoreError::Full));
    let outputs: Vec<Output> = std::iter::from_fn(|| node.poll_output()).collect();
    assert!(leaving(&outputs).is_empty(), "{outputs:?}");
    assert!(matches!(outputs[..], [Output::Close(_)]), "sessions begin anew from what is on the disk");
    sim.fill_disk(1, false);
    let node = sim.laptop(1).node.as_mut().unwrap();
    node.flush(now).unwrap();
    let outputs: Vec<Output> = std::iter::from_fn(|| node.poll_output()).collect();
    assert!(leaving(&outputs).is_empty(), "nor later: {outputs:?}");
    sim.fill_disk(1, true);
    // What others send is not acknowledged either.
    sim.crash(1);
    sim.start(1);
    sim.run_for(Duration::from_secs(5));
    say(&mut sim, 0, group, "for bob");
    sim.run_for(5 * MINUTE);
    let reach = sim.act(0, |node, now| node.ask(group, now, |r, round| r.messages(None, 1, round)));
    assert_eq!(reach.unwrap().unwrap()[0].reach.unwrap().delivered, 0);
    sim.fill_disk(1, false);
    say(&mut sim, 1, group, "now");
    assert!(sim.run_until(10 * MINUTE, |sim| all_read(sim, &[0, 1], group, 2)));
}

#[test]
fn a_third_that_announces_and_never_delivers_delays_and_stops_nobody() {
    let (mut sim, group) = picket(402, 6);
    sim.run_for(2 * MINUTE);
    sim.teasers = BTreeSet::from([1, 2]);
    for number in 0..5 {
        say(&mut sim, 0, group, &format!("m{number}"));
        say(&mut sim, 4, group, &format!("n{number}"));
        sim.run_for(Duration::from_secs(3));
    }
    assert!(sim.run_until(2 * MINUTE, |sim| all_read(sim, &[0, 3, 4, 5], group, 10)));
}

#[test]
fn who_comes_back_to_teasers_and_one_honest_member_gets_everything() {
    let (mut sim, group) = picket(403, 5);
    sim.run_for(2 * MINUTE);
    sim.crash(4);
    for number in 0..20 {
        say(&mut sim, number % 4, group, &format!("m{number}"));
        sim.run_for(Duration::from_millis(300));
    }
    assert!(sim.run_until(5 * MINUTE, |sim| all_read(sim, &[0, 1, 2, 3], group, 20)));
    sim.teasers = BTreeSet::from([0, 1, 2]);
    sim.start(4);
    assert!(sim.run_until(10 * MINUTE, |sim| all_read(sim, &[4], group, 20)));
}

#[test]
fn who_was_away_for_many_epochs_and_can_not_be_called_is_recognised_when_it_calls() {
    let (mut sim, group) = picket(407, 2);
    sim.run_for(MINUTE);
    sim.hidden.insert(1);
    sim.crash(1);
    let first = head(&mut sim, 0, group);
    for number in 0..10 {
        let laptop = sim.add();
        admit(&mut sim, group, laptop, &format!("rider{number}"));
        let person = member(&mut sim, laptop, group);
        sim.act(0, |node, now| node.remove(group, person, now)).unwrap();
        sim.crash(laptop);
    }
    let known = |sim: &mut Sim, depth| {
        let claims = sim.laptop(0).node.as_ref().unwrap().group(&group).unwrap().recognised(depth);
        claims.iter().any(|claim| claim.epoch == first)
    };
    assert!(!known(&mut sim, 16) && known(&mut sim, 512), "more than sixteen epochs");
    sim.start(1);
    assert!(sim.run_until(5 * MINUTE, |sim| head(sim, 1, group) == head(sim, 0, group)));
}

#[test]
fn connected_nodes_at_rest_set_no_timers() {
    let (mut sim, group) = picket(404, 3);
    say(&mut sim, 0, group, "good night");
    assert!(sim.run_until(5 * MINUTE, |sim| all_read(sim, &[0, 1, 2], group, 1)));
    sim.run_for(30 * MINUTE);
    let before = sim.sent.0;
    let calm = sim.now();
    sim.run_for(8 * 60 * MINUTE);
    assert_eq!(sim.sent.0, before, "not a frame in a night");
    for laptop in 0..3 {
        let deadline = sim.laptop(laptop).node.as_ref().unwrap().deadline();
        let daily = |at: Timestamp| at.since(calm).as_secs() >= 22 * 3600;
        assert!(deadline.is_none_or(daily), "but for what is erased once a day (K-12), since {calm:?}");
    }
}

#[test]
fn a_lost_neighbour_is_called_again_less_and_less_often() {
    let (mut sim, _) = picket(405, 2);
    sim.run_for(MINUTE);
    sim.crash(1);
    let before = sim.dials;
    sim.run_for(60 * MINUTE);
    let made = sim.dials - before;
    assert!((12..60).contains(&made), "{made} calls in an hour");
    sim.start(1);
    assert!(sim.run_until(MINUTE, |sim| sim.laptop(0).node.as_ref().unwrap().peers().count() == 1));
}

#[test]
fn a_flood_stays_with_its_author_is_shown_and_harms_nobody_else() {
    let (mut sim, group) = picket(406, 3);
    sim.run_for(MINUTE);
    let eve = sim.laptop(2).node.as_ref().unwrap().group(&group).unwrap().device();
    let acts = crate::log::LogId { device: eve, lane: crate::entry::Lane::Acts };
    let held = |sim: &mut Sim, laptop: usize| {
        let heads = sim.laptop(laptop).node.as_ref().unwrap().group(&group).unwrap().heads();
        heads.into_iter().find(|head| head.log == acts).map_or(0, |head| head.seq)
    };
    let shown = |sim: &mut Sim, laptop: usize| {
        let now = sim.now();
        sim.laptop(laptop).node.as_ref().unwrap().group(&group).unwrap().at_quota(now).contains(&eve)
    };
    sim.partition(&[0, 1], &[2], true);
    for number in 0..4_100 {
        let body = Grievance { text: format!("{number}"), ..grievance() };
        sim.act(2, |node, now| node.file_grievance(group, &body, now)).unwrap();
    }
    sim.partition(&[0, 1], &[2], false);
    let full = sim.run_until(10 * MINUTE, |sim| held(sim, 0) == 4_000 && held(sim, 1) == 4_000);
    assert!(full, "{} {} of {}", held(&mut sim, 0), held(&mut sim, 1), held(&mut sim, 2));
    sim.run_for(10 * MINUTE);
    assert_eq!((held(&mut sim, 0), held(&mut sim, 1)), (4_000, 4_000), "two thousand a day, two days given");
    assert!(shown(&mut sim, 0) && shown(&mut sim, 2), "to others, and to whoever wrote it");
    // Pushes are not taken either; what others say is.
    sim.act(2, |node, now| node.file_grievance(group, &grievance(), now)).unwrap();
    say(&mut sim, 1, group, "we go on");
    assert!(sim.run_until(5 * MINUTE, |sim| all_read(sim, &[0, 1, 2], group, 1)));
    assert_eq!(held(&mut sim, 0), 4_000);
    // A restart forgets nothing, and a day later there is room.
    sim.crash(0);
    sim.start(0);
    sim.run_for(5 * MINUTE);
    assert_eq!(held(&mut sim, 0), 4_000);
    sim.run_for(Duration::from_secs(86_400));
    say(&mut sim, 2, group, "the rest");
    assert!(sim.run_until(10 * MINUTE, |sim| held(sim, 0) > 4_100));
    assert!(!shown(&mut sim, 0));
}

#[test]
fn a_disk_that_stays_full_keeps_nobody_busy() {
    let (mut sim, group) = picket(402, 3);
    for laptop in [0, 1, 2] {
        sim.run_for(MINUTE);
        say(&mut sim, laptop, group, "before");
    }
    sim.run_for(5 * MINUTE);
    // A call that is to be answered, and talk that never ends.
    let plan = plan(&sim, 600);
    let call = sim.act(0, |node, now| node.call_strike(group, plan, now)).unwrap();
    let seen = |sim: &mut Sim| board_of(sim, 1, group, |b| b.call_view(&call).is_some());
    assert!(sim.run_until(MINUTE, seen));
    sim.fill_disk(1, true);
    let (start, dials, mut steps) = (sim.now(), sim.dials, 0u32);
    for minute in 0..60 {
        say(&mut sim, 0, group, "more");
        while sim.now() < start.after(MINUTE * (minute + 1)) && sim.step() {
            steps += 1;
            assert!(steps < 5_000, "busy at minute {minute}");
        }
    }
    assert!(sim.dials - dials < 150, "{} calls in an hour", sim.dials - dials);
    assert_eq!(sim.laptop(1).node.as_ref().unwrap().refusal(), Some(&StoreError::Full));
    sim.fill_disk(1, false);
    assert!(sim.run_until(10 * MINUTE, |sim| all_read(sim, &[0, 1, 2], group, 63)));
    let answers = |sim: &mut Sim| board_of(sim, 0, group, |b| b.answers(&call).count());
    assert!(sim.run_until(10 * MINUTE, |sim| answers(sim) == 3), "its own answer too");
    assert_eq!(sim.laptop(1).node.as_ref().unwrap().refusal(), None);
}

/// Groups that the first laptop would show whoever answers at an address.
fn shown(sim: &mut Sim, address: &str) -> Vec<GroupId> {
    let now = sim.now();
    let node = sim.laptop(0).node.as_ref().unwrap();
    let known = Known::new(&node.replicas, &node.joins, &node.store, &node.discovered, now);
    known.shown(address).iter().map(|claim| claim.group).collect()
}

#[test]
fn a_group_is_shown_only_where_one_of_its_members_said_to_be() {
    let (mut sim, group) = picket(411, 2);
    let other = sim.act(0, |node, now| node.create_group("other", "alice", Suite::Classical, now)).unwrap();
    let carla = sim.add();
    admit(&mut sim, other, carla, "carla");
    let told = |sim: &mut Sim, group| {
        let contacts = sim.laptop(0).node.as_ref().unwrap().group(&group).unwrap().contacts();
        contacts.first().map(|(_, address)| address.clone())
    };
    assert!(sim.run_until(5 * MINUTE, |sim| told(sim, group).is_some() && told(sim, other).is_some()));
    let (bobs, carlas) = (told(&mut sim, group).unwrap(), told(&mut sim, other).unwrap());
    assert_eq!(shown(&mut sim, &bobs), [group]);
    assert_eq!(shown(&mut sim, &carlas), [other], "not even that the same person is in both");
    assert_eq!(shown(&mut sim, "/ip4/10.9.9.9/tcp/1"), []);
    let bob = member(&mut sim, 1, group);
    sim.act(0, |node, now| node.remove(group, bob, now)).unwrap();
    assert_eq!(shown(&mut sim, &bobs), [], "nor to who is out");
}
