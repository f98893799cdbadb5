//! Calls: few at once, few a second, and never for nothing.

use super::*;
use crate::group::invite::InviteCode;
use crate::group::seal::Suite;
use crate::id::GroupId;
use crate::node::{Input, Output};
use crate::sim::{SeededRng, Sim};
use crate::store::MemoryStore;
use crate::sync::Connected;

fn now() -> Timestamp {
    Timestamp::from_secs(1_800_000_000)
}

/// A node that wants to come in by a code and so calls whatever it sees on the local network.
fn joiner() -> Node<MemoryStore> {
    let mut founder = Node::open(MemoryStore::new(), Box::new(SeededRng::new(1)), now()).unwrap();
    let group: GroupId = founder.create_group("picket", "alice", Suite::Classical, now()).unwrap();
    let code = founder.invite(group, 1, now().after(GOOD), now()).unwrap().code.unwrap();
    let code = InviteCode::parse(&code).unwrap();
    let mut node = Node::open(MemoryStore::new(), Box::new(SeededRng::new(2)), now()).unwrap();
    node.join(code, "bob", now()).unwrap();
    node
}

fn address(number: usize) -> String {
    format!("/ip4/192.0.2.{}/tcp/{}", number % 250, 4000 + number)
}

fn calls(node: &mut Node<MemoryStore>, at: Timestamp) -> Vec<String> {
    node.flush(at).unwrap();
    let outputs = std::iter::from_fn(|| node.poll_output());
    outputs
        .filter_map(|output| if let Output::Dial(address) = output { Some(address) } else { None })
        .collect()
}

#[test]
fn ten_thousand_announced_addresses_make_no_storm() {
    let mut node = joiner();
    for number in 0..10_000 {
        node.handle(Input::Discovered(address(number)), now()).unwrap();
        for address in calls(&mut node, now()) {
            node.handle(Input::DialFailed(address), now()).unwrap();
        }
    }
    assert!(node.discovered.len() <= MAX_DISCOVERED);
    assert!(
        node.calls.dials.len() <= MAX_DISCOVERED + MAX_FORGOTTEN + MAX_DIALLING,
        "{}",
        node.calls.dials.len()
    );
    let (mut at, end, mut made, mut ticks) = (now(), now().after(Duration::from_secs(600)), 0, 0);
    while let Some(next) = node.deadline().filter(|next| *next <= end) {
        ticks += 1;
        assert!(ticks < 2000, "a timer that never stops");
        at = at.max(next);
        node.handle(Input::Tick, at).unwrap();
        let called = calls(&mut node, at);
        made += called.len();
        for address in called {
            node.handle(Input::DialFailed(address), at).unwrap();
        }
    }
    assert!((64..=616).contains(&made), "{made} calls in ten minutes");
}

#[test]
fn addresses_that_never_answer_take_eight_places_and_no_turn_of_the_clock() {
    let mut node = joiner();
    for number in 0..30 {
        node.handle(Input::Discovered(address(number)), now()).unwrap();
    }
    let called = calls(&mut node, now());
    assert_eq!(called.len(), MAX_DIALLING);
    assert!(node.deadline().is_none_or(|next| next > now()), "nothing to do before one of them ends");
    node.handle(Input::DialFailed(called[0].clone()), now()).unwrap();
    assert_eq!(calls(&mut node, now()).len(), 1);
}

#[test]
fn who_did_not_answer_waits_longer_each_time_and_new_ones_go_first() {
    let mut node = joiner();
    node.handle(Input::Discovered(address(1)), now()).unwrap();
    let (mut at, mut pauses) = (now(), Vec::new());
    for _ in 0..12 {
        assert_eq!(calls(&mut node, at), [address(1)]);
        node.handle(Input::DialFailed(address(1)), at).unwrap();
        let next = node.deadline().unwrap();
        pauses.push(next.since(at).as_secs());
        at = next;
        node.handle(Input::Tick, at).unwrap();
    }
    assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
}

#[test]
fn a_new_network_calls_everybody_again() {
    let mut node = joiner();
    node.handle(Input::Listening(vec![address(9)]), now()).unwrap();
    node.handle(Input::Discovered(address(1)), now()).unwrap();
    for _ in 0..9 {
        node.handle(Input::DialFailed(address(1)), now()).unwrap();
    }
    calls(&mut node, now());
    node.handle(Input::Listening(vec![address(10)]), now()).unwrap();
    assert_eq!(calls(&mut node, now()), [address(1)]);
}

#[test]
fn a_clock_set_back_stops_no_calls() {
    let mut node = joiner();
    node.handle(Input::Discovered(address(1)), now()).unwrap();
    calls(&mut node, now());
    node.handle(Input::DialFailed(address(1)), now()).unwrap();
    let yesterday = Timestamp::from_secs(now().as_secs() - 86_400);
    node.handle(Input::Tick, yesterday).unwrap();
    let due = yesterday.after(Duration::from_secs(1));
    assert_eq!((calls(&mut node, yesterday), node.deadline()), (vec![], Some(due)), "a second is one");
    node.handle(Input::Tick, due).unwrap();
    assert_eq!(calls(&mut node, due), [address(1)]);
}

#[test]
fn who_is_busy_is_left_alone_as_long_as_asked() {
    let mut node = joiner();
    node.handle(Input::Discovered(address(1)), now()).unwrap();
    calls(&mut node, now());
    let conn = ConnectionId(1);
    let connected = Connected { conn, dialled: Some(address(1)), local: vec![1], remote: vec![2] };
    node.handle(Input::Connected(connected), now()).unwrap();
    node.turned_away(conn, 60, now());
    node.handle(Input::Closed(conn), now()).unwrap();
    assert_eq!(node.deadline(), Some(now().after(Duration::from_secs(60))));
}

const MINUTE: Duration = Duration::from_secs(60);

/// So many people in one group, all of whom have met.
fn crowd(seed: u64, people: usize) -> (Sim, GroupId) {
    let mut sim = Sim::new(seed);
    sim.add();
    let group = sim.act(0, |node, now| node.create_group("picket", "alice", Suite::Classical, now)).unwrap();
    let expires = sim.now().after(MINUTE * 1440);
    let uses = people as u16;
    let code = sim.act(0, |node, now| node.invite(group, uses, expires, now)).unwrap().code.unwrap();
    for laptop in 1..people {
        sim.add();
        let code = InviteCode::parse(&code).unwrap();
        sim.act(laptop, |node, now| {
            node.join(code, "rider", now).unwrap();
            node.handle(Input::Tick, now).unwrap();
        });
        assert!(sim.run_until(5 * MINUTE, |sim| here(sim, laptop).1 > 0));
    }
    let told = |sim: &mut Sim, laptop: usize| {
        let contacts = sim.laptop(laptop).node.as_ref().unwrap().group(&group).unwrap().contacts();
        contacts.into_iter().map(|(device, _)| device).collect::<BTreeSet<_>>().len() == people - 1
    };
    assert!(sim.run_until(30 * MINUTE, |sim| (0..people).all(|laptop| told(sim, laptop))));
    (sim, group)
}

/// Sessions of a laptop: of its own making, and all.
fn here(sim: &mut Sim, laptop: usize) -> (usize, usize) {
    let node = sim.laptop(laptop).node.as_ref().unwrap();
    let own = node.peers().filter(|(conn, ..)| node.sync.dialled(*conn).is_some()).count();
    (own, node.peers().count())
}

#[test]
fn a_quiet_group_has_two_neighbours_of_ones_own_and_five_once_something_happens() {
    let (mut sim, group) = crowd(470, 9);
    let all: Vec<usize> = (0..9).collect();
    let cut = |sim: &mut Sim| {
        sim.partition(&all, &all, true);
        sim.partition(&all, &all, false);
        sim.run_for(5 * MINUTE);
    };
    let enough = |sim: &mut Sim, laptop: &usize| here(sim, *laptop).0 >= 5 || here(sim, *laptop).1 == 8;
    cut(&mut sim);
    assert!(all.iter().all(|laptop| enough(&mut sim, laptop)), "a moment ago they spoke");
    sim.run_for(30 * MINUTE);
    cut(&mut sim);
    let own: Vec<usize> = all.iter().map(|laptop| here(&mut sim, *laptop).0).collect();
    // A call that was slow to answer may have been given up for another one, and answered after all.
    assert!(own.iter().all(|own| *own <= 3) && (12..=20).contains(&own.iter().sum::<usize>()), "{own:?}");
    sim.act(3, |node, now| node.send(group, "wake up", now)).unwrap();
    sim.run_for(MINUTE);
    for laptop in &all {
        let read = sim.act(*laptop, |node, now| node.ask(group, now, |r, round| r.messages(None, 9, round)));
        assert_eq!(read.unwrap().unwrap().len(), 1, "{laptop} was woken too");
        assert!(enough(&mut sim, laptop), "{laptop} {:?}", here(&mut sim, *laptop));
    }
}

#[test]
fn parts_of_a_group_that_are_enough_for_themselves_look_for_each_other_all_the_same() {
    let (mut sim, group) = crowd(473, 16);
    let all: Vec<usize> = (0..16).collect();
    let (left, right) = all.split_at(8);
    let across = |sim: &mut Sim| {
        let devices = |sim: &mut Sim, part: &[usize]| -> BTreeSet<DeviceKey> {
            let device =
                |laptop: &usize| sim.laptop(*laptop).node.as_ref().unwrap().group(&group).unwrap().device();
            part.iter().map(device).collect()
        };
        let far = devices(sim, right);
        let node = |laptop: &usize| {
            sim.laptop(*laptop)
                .node
                .as_ref()
                .unwrap()
                .peers()
                .filter(|(.., device)| far.contains(device))
                .count()
        };
        left.iter().map(node).sum::<usize>()
    };
    sim.run_for(30 * MINUTE);
    // All is quiet, and everybody finds two in its own part; nobody of the other has answered for long.
    sim.partition(&all, &all, true);
    [left, right].into_iter().for_each(|part| sim.partition(part, part, false));
    sim.run_for(30 * MINUTE);
    sim.partition(left, right, false);
    assert_eq!(across(&mut sim), 0);
    let before: Vec<usize> = all.iter().map(|laptop| here(&mut sim, *laptop).0).collect();
    assert!(before.iter().all(|own| *own >= 2), "else they go on calling anyway: {before:?}");
    assert!(sim.run_until(30 * MINUTE, |sim| across(sim) > 0), "somebody looks around");
    sim.run_for(6 * 60 * MINUTE);
    let own: Vec<usize> = all.iter().map(|laptop| here(&mut sim, *laptop).0).collect();
    let as_before = own.iter().zip(&before).all(|(own, before)| *own <= *before.max(&3));
    assert!(as_before, "looking around makes no more sessions: {before:?} {own:?}");
    assert!(across(&mut sim) > 3, "they have grown together: {}", across(&mut sim));
}

#[test]
fn whoever_others_are_connected_with_is_called_first_every_other_time() {
    let (mut sim, _) = crowd(471, 5);
    // Of those who are there, the fifth reaches the first only.
    sim.crash(3);
    sim.partition(&[4], &[1, 2], true);
    sim.crash(4);
    sim.start(4);
    assert!(sim.run_until(5 * MINUTE, |sim| here(sim, 4).1 == 1));
    sim.run_for(MINUTE);
    let node = sim.laptop(4).node.as_ref().unwrap();
    let (wanted, _) = node.wanted(node.clock.reached());
    let up = |laptop| wanted.get(&Sim::address(laptop)).map(|want| want.told);
    assert_eq!([0, 1, 2, 3].map(up), [None, Some(true), Some(true), Some(false)]);

    let (dial, failed) = (Dial::default(), Dial { failures: 1, ..Dial::default() });
    let (up, more) = (Want { serves: 1, told: true, look: false }, Want { serves: 2, ..Want::default() });
    assert!(rank(&dial, up, 0) < rank(&dial, more, 0));
    assert!(rank(&dial, up, 1) > rank(&dial, more, 1), "a liar's friends are not all that is called");
    assert!(rank(&failed, up, 0) > rank(&dial, more, 0), "nor again and again");
}

/// Else whoever knows nobody's address, and can only be called, would stay alone.
#[test]
fn sessions_with_both_laptops_of_one_member_are_none_with_another() {
    let (mut sim, group) = crowd(472, 3);
    let expires = sim.now().after(Duration::from_secs(86_400));
    let code = sim.act(1, |node, now| node.link_code(group, expires, now)).unwrap();
    let second = sim.add();
    sim.act(second, |node, now| node.join(code, "second", now).map(|_| node.handle(Input::Tick, now)))
        .unwrap()
        .unwrap();
    assert!(sim.run_until(5 * MINUTE, |sim| here(sim, 0).1 == 3), "with everybody");
    sim.crash(2);
    assert!(sim.run_until(5 * MINUTE, |sim| here(sim, 0).1 == 2), "with both laptops of the one left");
    let node = sim.laptop(0).node.as_ref().unwrap();
    assert!(node.wanted(node.clock.reached()).0.contains_key(&Sim::address(2)));
}
