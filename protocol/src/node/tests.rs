//! Scenarios of whole nodes: people, laptops, cut cables.

use std::time::Duration;

use super::*;
use crate::action::grievance::{Grievance, Support, SupportKind};
use crate::action::strike::Leg;
use crate::group::invite::InviteCode;
use crate::group::operation::{Control, Opened, OpenedEpoch};
use crate::group::seal::Suite;
use crate::id::MemberId;
use crate::kind::Kind;
use crate::sim::Sim;

mod backup;
mod byzantine;
mod clocks;
mod devices;
mod doors;
mod edits;
mod erasure;
mod expiry;
mod forks;
mod founding;
mod meetings;
mod mending;
mod peers;
mod pledges;
mod records;
mod renewal;
mod splits;
mod storms;
mod swaps;

const MINUTE: Duration = Duration::from_secs(60);

/// A draft of alice's, everybody else let in by code.
fn picket(seed: u64, people: usize) -> (Sim, GroupId) {
    let mut sim = Sim::new(seed);
    let alice = sim.add();
    let group =
        sim.act(alice, |node, now| node.create_group("picket", "alice", Suite::Classical, now)).unwrap();
    for number in 1..people {
        let laptop = sim.add();
        admit(&mut sim, group, laptop, &format!("rider{number}"));
    }
    // What is sealed before somebody is known to be in can't be read by him: wait for all heads.
    let together = |sim: &mut Sim| (1..people).all(|laptop| head(sim, laptop, group) == head(sim, 0, group));
    assert!(sim.run_until(5 * MINUTE, together));
    (sim, group)
}

fn admit(sim: &mut Sim, group: GroupId, laptop: usize, name: &str) {
    let expires = sim.now().after(Duration::from_secs(7 * 86_400));
    let invite = sim.act(0, |node, now| node.invite(group, 1, expires, now)).unwrap();
    join(sim, laptop, &invite.code.unwrap(), name);
    let is_in = |sim: &mut Sim| sim.laptop(laptop).node.as_ref().unwrap().group(&group).is_some();
    assert!(sim.run_until(5 * MINUTE, is_in), "{name} is in");
}

fn join(sim: &mut Sim, laptop: usize, code: &str, name: &str) {
    let code = InviteCode::parse(code).unwrap();
    sim.act(laptop, |node, now| node.join(code, name, now).map(|_| node.handle(Input::Tick, now)))
        .unwrap()
        .unwrap();
}

fn texts(sim: &mut Sim, laptop: usize, group: GroupId) -> Vec<String> {
    let list = sim.act(laptop, |node, now| {
        node.ask(group, now, |replica, round| replica.messages(None, 100_000, round))
    });
    list.unwrap().unwrap().into_iter().map(|message| message.text).collect()
}

fn say(sim: &mut Sim, laptop: usize, group: GroupId, text: &str) {
    sim.act(laptop, |node, now| node.send(group, text, now)).unwrap();
}

/// Whether all these laptops show these messages, in any order.
fn all_read(sim: &mut Sim, laptops: &[usize], group: GroupId, count: usize) -> bool {
    laptops.iter().all(|laptop| texts(sim, *laptop, group).len() == count)
}

fn member(sim: &mut Sim, laptop: usize, group: GroupId) -> MemberId {
    sim.laptop(laptop).node.as_ref().unwrap().group(&group).unwrap().member()
}

fn members(sim: &mut Sim, laptop: usize, group: GroupId) -> usize {
    sim.laptop(laptop).node.as_ref().unwrap().group(&group).unwrap().view().members.len()
}

fn counts(sim: &mut Sim, laptop: usize, group: GroupId) -> (usize, usize) {
    sim.laptop(laptop).node.as_ref().unwrap().group(&group).unwrap().counts()
}

fn epoch_number(sim: &mut Sim, laptop: usize, group: GroupId) -> u64 {
    sim.laptop(laptop).node.as_ref().unwrap().group(&group).unwrap().epoch_number()
}

fn head(sim: &mut Sim, laptop: usize, group: GroupId) -> crate::id::EpochId {
    sim.laptop(laptop).node.as_ref().unwrap().group(&group).unwrap().head()
}

#[test]
fn three_people_come_in_by_code_and_talk() {
    let (mut sim, group) = picket(1, 3);
    for laptop in 0..3 {
        say(&mut sim, laptop, group, &format!("from {laptop}"));
    }
    assert!(sim.run_until(5 * MINUTE, |sim| all_read(sim, &[0, 1, 2], group, 3)));
    let orders: Vec<Vec<String>> = (0..3).map(|laptop| texts(&mut sim, laptop, group)).collect();
    assert!(orders.windows(2).all(|pair| pair[0] == pair[1]), "one order on all screens");
    let names = sim.laptop(2).node.as_ref().unwrap().group(&group).unwrap().members();
    let names: Vec<_> = names.into_iter().filter_map(|m| m.name).collect();
    assert_eq!(names.len(), 3);
    for restarted in [false, true] {
        let numbers = [0, 1, 2].map(|laptop| epoch_number(&mut sim, laptop, group));
        assert_eq!(numbers, [2; 3], "two commits since the group was made, whoever came when ({restarted})");
        (0..3).for_each(|laptop| sim.crash(laptop));
        (0..3).for_each(|laptop| sim.start(laptop));
    }
}

#[test]
fn a_newcomer_reads_who_is_in_but_nothing_said_before() {
    let (mut sim, group) = picket(2, 2);
    say(&mut sim, 0, group, "before");
    assert!(sim.run_until(MINUTE, |sim| all_read(sim, &[0, 1], group, 1)));
    let carla = sim.add();
    admit(&mut sim, group, carla, "carla");
    say(&mut sim, 0, group, "after");
    assert!(sim.run_until(5 * MINUTE, |sim| texts(sim, carla, group) == ["after"]));
    assert_eq!(members(&mut sim, carla, group), 3);
}

#[test]
fn a_code_is_used_once_and_its_second_user_is_told() {
    let (mut sim, group) = picket(3, 1);
    let expires = sim.now().after(Duration::from_secs(86_400));
    let code = sim.act(0, |node, now| node.invite(group, 1, expires, now)).unwrap().code.unwrap();
    let (bob, eve) = (sim.add(), sim.add());
    join(&mut sim, bob, &code, "bob");
    assert!(sim.run_until(5 * MINUTE, |sim| sim.laptop(bob).node.as_ref().unwrap().group(&group).is_some()));
    join(&mut sim, eve, &code, "eve");
    sim.run_for(5 * MINUTE);
    assert!(sim.laptop(eve).node.as_ref().unwrap().group(&group).is_none());
    assert_eq!(sim.laptop(eve).node.as_ref().unwrap().joining().count(), 0, "refused, and told so");
    assert_eq!(members(&mut sim, 0, group), 2);
}

#[test]
fn whoever_was_let_in_gets_his_answer_however_often_it_is_lost() {
    for steps in 0..40 {
        let (mut sim, group) = picket(400 + steps, 1);
        let expires = sim.now().after(Duration::from_secs(86_400));
        let code = sim.act(0, |node, now| node.invite(group, 1, expires, now)).unwrap().code.unwrap();
        let bob = sim.add();
        join(&mut sim, bob, &code, "bob");
        for _ in 0..steps {
            sim.step();
        }
        // Whatever he had heard by then, he has forgotten; the code may be used up, by himself.
        sim.crash(bob);
        sim.start(bob);
        let is_in = |sim: &mut Sim| sim.laptop(bob).node.as_ref().unwrap().group(&group).is_some();
        assert!(sim.run_until(20 * MINUTE, is_in), "after {steps} steps");
    }
}

#[test]
fn a_member_who_tells_false_keys_keeps_nobody_out() {
    let (mut sim, group) = picket(18, 3);
    let eve = 2;
    let epochs: Vec<_> = (0..3).map(|laptop| head(&mut sim, laptop, group)).chain([group.into()]).collect();
    let lie = |epoch| OpenedEpoch { epoch, control: [66; 32].into() };
    let body = Opened { epochs: epochs.into_iter().map(lie).collect() }.to_payload();
    for _ in 0..3 {
        let said = sim.act(eve, |node, now| {
            node.in_group(group, None, now, |replica, round| {
                replica.post(Kind::Opened, &body, round).map(|_| ())
            })
        });
        assert_eq!(said, Some(Ok(())));
    }
    sim.run_for(MINUTE);
    let dan = sim.add();
    admit(&mut sim, group, dan, "dan");
    say(&mut sim, dan, group, "in all the same");
    assert!(sim.run_until(5 * MINUTE, |sim| all_read(sim, &[0, 1, dan], group, 1)));
}

#[test]
fn a_revoked_code_opens_nothing() {
    let (mut sim, group) = picket(4, 1);
    let expires = sim.now().after(Duration::from_secs(86_400));
    let invite = sim.act(0, |node, now| node.invite(group, 5, expires, now)).unwrap();
    sim.act(0, |node, now| node.revoke(group, invite.key, now)).unwrap();
    let bob = sim.add();
    join(&mut sim, bob, &invite.code.unwrap(), "bob");
    sim.run_for(5 * MINUTE);
    assert_eq!(members(&mut sim, 0, group), 1);
}

#[test]
fn a_removed_member_reads_nothing_sent_by_those_who_know() {
    let (mut sim, group) = picket(5, 3);
    say(&mut sim, 0, group, "one");
    assert!(sim.run_until(MINUTE, |sim| all_read(sim, &[0, 1, 2], group, 1)));
    let bob = member(&mut sim, 1, group);
    sim.act(0, |node, now| node.remove(group, bob, now)).unwrap();
    assert!(sim.run_until(5 * MINUTE, |sim| {
        members(sim, 2, group) == 2 && head(sim, 2, group) == head(sim, 0, group)
    }));
    say(&mut sim, 0, group, "two");
    say(&mut sim, 2, group, "three");
    assert!(sim.run_until(5 * MINUTE, |sim| all_read(sim, &[0, 2], group, 3)));
    sim.run_for(5 * MINUTE);
    assert_eq!(texts(&mut sim, 1, group), ["one"]);
    assert!(sim.act(1, |node, now| node.send(group, "let me in", now)).is_err());
    assert!(sim.laptop(1).events.iter().any(|(_, event)| *event == Event::Removed), "he is told");
}

#[test]
fn only_the_founder_of_a_draft_lets_in_and_puts_out() {
    let (mut sim, group) = picket(6, 3);
    let (carla, alice) = (member(&mut sim, 2, group), member(&mut sim, 0, group));
    let expires = sim.now().after(MINUTE);
    assert_eq!(sim.act(1, |node, now| node.remove(group, carla, now)), Err(NodeError::NotAllowed));
    assert!(matches!(
        sim.act(1, |node, now| node.invite(group, 1, expires, now)),
        Err(NodeError::NotAllowed)
    ));
    assert_eq!(sim.act(0, |node, now| node.remove(group, alice, now)), Err(NodeError::KeyHolder));
}

#[test]
fn who_leaves_before_hearing_of_anybodys_address_is_heard_where_the_code_led() {
    let mut unheard = 0;
    for seed in 500..510 {
        let (mut sim, group) = picket(seed, 3);
        let expires = sim.now().after(60 * MINUTE);
        let code = sim.act(0, |node, now| node.invite(group, 1, expires, now)).unwrap().code.unwrap();
        let bob = sim.add();
        join(&mut sim, bob, &code, "bob");
        while sim.laptop(bob).node.as_ref().unwrap().group(&group).is_none() {
            assert!(sim.step());
        }
        let contacts = sim.laptop(bob).node.as_ref().unwrap().group(&group).unwrap().contacts();
        unheard += usize::from(contacts.len() == 1);
        sim.partition(&[0, 1, 2], &[bob], true);
        sim.act(bob, |node, now| node.leave(group, now)).unwrap();
        sim.partition(&[0, 1, 2], &[bob], false);
        assert!(sim.run_until(10 * MINUTE, |sim| members(sim, 0, group) == 3), "{contacts:?}");
    }
    assert!(unheard > 0, "some knew of nothing but the hint of their code");
}

#[test]
fn a_leaving_is_carried_out_by_whoever_is_there() {
    let (mut sim, group) = picket(7, 4);
    sim.run_for(MINUTE);
    sim.crash(0);
    sim.act(3, |node, now| node.leave(group, now)).unwrap();
    assert!(sim.run_until(10 * MINUTE, |sim| {
        let clean =
            |sim: &mut Sim, l: usize| sim.laptop(l).node.as_ref().unwrap().group(&group).unwrap().is_clean();
        members(sim, 1, group) == 3 && clean(sim, 1) && clean(sim, 2)
    }));
    say(&mut sim, 1, group, "without dan");
    assert!(sim.run_until(5 * MINUTE, |sim| all_read(sim, &[1, 2], group, 1)));
    assert!(texts(&mut sim, 3, group).is_empty());
    sim.start(0);
    assert!(
        sim.run_until(10 * MINUTE, |sim| all_read(sim, &[0], group, 1)),
        "alice follows the commit others made"
    );
}

#[test]
fn what_was_applied_before_a_restart_is_cited_after_it() {
    let (mut sim, group) = picket(15, 3);
    sim.run_for(MINUTE);
    sim.crash(0);
    sim.partition(&[1], &[2], true);
    for _ in 0..5 {
        sim.act(2, |node, now| node.file_grievance(group, &grievance(), now)).unwrap();
    }
    sim.act(1, |node, now| node.leave(group, now)).unwrap();
    sim.partition(&[1], &[2], false);
    assert!(sim.run_until(20 * MINUTE, |sim| members(sim, 2, group) == 2));
    sim.crash(2);
    sim.start(2);
    let clean = |sim: &mut Sim| sim.laptop(2).node.as_ref().unwrap().group(&group).unwrap().is_clean();
    assert!(sim.run_until(5 * MINUTE, clean), "carla commits the leaving");
    sim.start(0);
    assert!(sim.run_until(5 * MINUTE, |sim| head(sim, 0, group) == head(sim, 2, group)));
    let rejected = |(_, event): &(GroupId, Event)| matches!(event, Event::Rejected(_));
    assert!(!sim.laptop(0).events.iter().any(rejected), "her commit rests on the leaving it carries out");
}

#[test]
fn who_was_off_catches_up_from_whomever_it_meets() {
    let (mut sim, group) = picket(8, 3);
    sim.run_for(MINUTE);
    sim.crash(2);
    for number in 0..300 {
        say(&mut sim, number % 2, group, &format!("m{number}"));
        sim.run_for(Duration::from_millis(50));
    }
    assert!(sim.run_until(5 * MINUTE, |sim| all_read(sim, &[0, 1], group, 300)));
    sim.crash(0);
    sim.start(2);
    assert!(sim.run_until(10 * MINUTE, |sim| all_read(sim, &[2], group, 300)), "from bob alone");
    assert_eq!(texts(&mut sim, 2, group), texts(&mut sim, 1, group));
}

#[test]
fn ten_thousand_messages_later_calls_come_first_and_everything_in_order() {
    let (mut sim, group) = picket(19, 3);
    sim.run_for(2 * MINUTE);
    sim.crash(2);
    for number in 0..10_000 {
        let author = number % 2;
        let now = sim.now();
        let node = sim.laptop(author).node.as_mut().unwrap();
        node.send(group, &format!("{author} {number}"), now).unwrap();
        if number % 100 > 97 {
            sim.act(author, |_, _| ());
            sim.run_for(Duration::from_millis(500));
        }
    }
    let call = {
        let plan = plan(&sim, 0);
        sim.act(0, |node, now| node.call_strike(group, plan, now)).unwrap()
    };
    let both = |sim: &mut Sim| counts(sim, 0, group) == counts(sim, 1, group);
    assert!(sim.run_until(10 * MINUTE, both));
    sim.crash(0);
    sim.start(2);
    sim.laptop(2).events.clear();
    assert!(
        sim.run_until(30 * MINUTE, |sim| counts(sim, 2, group) == counts(sim, 1, group)),
        "from bob alone"
    );
    let events = &sim.laptop(2).events;
    let first = |wanted: fn(&Event) -> bool| events.iter().position(|(_, event)| wanted(event));
    let called = events.iter().position(|(_, event)| *event == Event::Record(call));
    assert!(
        called.is_some() && called < first(|event| matches!(event, Event::Message(_))),
        "calls before chat"
    );
    let read = texts(&mut sim, 2, group);
    assert_eq!(read.len(), 10_000);
    for author in ["0 ", "1 "] {
        let of_author = read.iter().filter_map(|text| text.strip_prefix(author));
        let numbers: Vec<u32> = of_author.map(|number| number.parse().unwrap()).collect();
        assert_eq!(numbers.len(), 5000);
        assert!(numbers.is_sorted(), "in order, author by author");
    }
}

#[test]
fn a_crash_at_any_moment_loses_nothing_acknowledged() {
    for seed in 0..12 {
        let (mut sim, group) = picket(100 + seed, 3);
        let mut sent = 0;
        for round in 0..8u64 {
            let laptop = ((seed + round) % 3) as usize;
            say(&mut sim, laptop, group, &format!("{round}"));
            sent += 1;
            for _ in 0..(seed * 7 + round * 5) % 23 {
                sim.step();
            }
            sim.crash(laptop);
            sim.run_for(Duration::from_millis(300));
            sim.start(laptop);
        }
        assert!(sim.run_until(20 * MINUTE, |sim| all_read(sim, &[0, 1, 2], group, sent)), "seed {seed}");
    }
}

#[test]
fn partitions_and_broken_connections_heal() {
    for seed in 0..8 {
        let (mut sim, group) = picket(200 + seed, 4);
        sim.run_for(MINUTE);
        sim.breaks = 40;
        sim.partition(&[0, 1], &[2, 3], true);
        for laptop in 0..4 {
            say(&mut sim, laptop, group, &format!("apart {laptop}"));
            sim.run_for(Duration::from_secs(20));
        }
        sim.partition(&[0, 1], &[2, 3], false);
        assert!(sim.run_until(30 * MINUTE, |sim| all_read(sim, &[0, 1, 2, 3], group, 4)), "seed {seed}");
        let orders: Vec<_> = (0..4).map(|laptop| texts(&mut sim, laptop, group)).collect();
        assert!(orders.windows(2).all(|pair| pair[0] == pair[1]));
    }
}

#[test]
fn a_full_disk_refuses_and_keeps_what_it_has() {
    let (mut sim, group) = picket(9, 2);
    say(&mut sim, 0, group, "kept");
    assert!(sim.run_until(MINUTE, |sim| all_read(sim, &[0, 1], group, 1)));
    sim.crash(1);
    sim.fill_disk(1, true);
    sim.start(1);
    let result = {
        let now = sim.now();
        let node = sim.laptop(1).node.as_mut().unwrap();
        node.send(group, "lost, and said so", now).unwrap();
        node.flush(now)
    };
    assert_eq!(result, Err(StoreError::Full));
    assert_eq!(texts(&mut sim, 1, group), ["kept"]);
    sim.crash(1);
    sim.fill_disk(1, false);
    sim.start(1);
    say(&mut sim, 1, group, "room again");
    assert!(sim.run_until(5 * MINUTE, |sim| all_read(sim, &[0, 1], group, 2)));
}

#[test]
fn a_rolled_back_profile_stops_before_it_equivocates() {
    let (mut sim, group) = picket(10, 2);
    sim.run_for(MINUTE);
    let image = sim.image(1);
    say(&mut sim, 1, group, "first");
    assert!(sim.run_until(MINUTE, |sim| all_read(sim, &[0, 1], group, 1)));
    sim.crash(1);
    sim.put_image(1, image);
    sim.start(1);
    // Offline he writes again, at the position he has used before.
    say(&mut sim, 1, group, "second, at the same place");
    assert!(
        sim.run_until(5 * MINUTE, |sim| sim.laptop(1).events.iter().any(|(_, e)| *e == Event::RolledBack))
    );
    sim.run_for(5 * MINUTE);
    assert_eq!(texts(&mut sim, 0, group), ["first"], "the second text never left");
    let equivocation =
        |sim: &mut Sim| sim.laptop(0).events.iter().any(|(_, e)| matches!(e, Event::Equivocation(_)));
    assert!(!equivocation(&mut sim));
    assert!(sim.act(1, |node, now| node.send(group, "more", now)).is_err());
}

fn grievance() -> Grievance {
    Grievance::sample()
}

fn plan(sim: &Sim, window: u32) -> CallPlan {
    let start = sim.now().as_secs() + 86_400;
    let leg = Leg {
        zone: "Europe/Paris".into(),
        place: "Lyon".into(),
        start_local: "2027-01-16T18:00".into(),
        end_local: "2027-01-16T22:00".into(),
        start,
        end: start + 4 * 3600,
        threshold: 0,
    };
    CallPlan {
        changes: None,
        title: "Evening off".into(),
        demands: vec!["5 EUR a task".into()],
        forms: vec!["log_off".into()],
        legs: vec![leg],
        threshold: 3,
        closes: start - 3600,
        answer_window: window,
        tzdb: String::new(),
    }
}

fn board_of<R>(
    sim: &mut Sim,
    laptop: usize,
    group: GroupId,
    f: impl FnOnce(&crate::action::board::Board) -> R,
) -> R {
    f(sim.laptop(laptop).node.as_ref().unwrap().group(&group).unwrap().board())
}

#[test]
fn a_grievance_is_backed_once_a_member() {
    let (mut sim, group) = picket(11, 3);
    let id = sim.act(1, |node, now| node.file_grievance(group, &grievance(), now)).unwrap();
    assert!(sim.run_until(5 * MINUTE, |sim| {
        (0..3).all(|l| board_of(sim, l, group, |b| b.grievance(&id).is_some()))
    }));
    for laptop in [0, 2, 2] {
        let body = Support { grievance: id, kind: SupportKind::Same };
        sim.act(laptop, |node, now| node.support(group, &body, now)).unwrap();
    }
    assert!(sim.run_until(5 * MINUTE, |sim| (0..3).all(|l| board_of(
        sim,
        l,
        group,
        |b| b.support_of(&id).len() == 2
    ))));
}

#[test]
fn pledges_are_counted_by_the_caller_and_shown_at_the_close() {
    let (mut sim, group) = picket(12, 4);
    let plan = plan(&sim, 600);
    let call = sim.act(0, |node, now| node.call_strike(group, plan, now)).unwrap();
    assert!(sim.run_until(5 * MINUTE, |sim| {
        (0..4).all(|l| board_of(sim, l, group, |b| b.call_view(&call).is_some()))
    }));
    for laptop in [1, 2] {
        sim.act(laptop, |node, now| node.pledge_to(group, call, now)).unwrap();
    }
    sim.run_for(15 * MINUTE);
    let answers = board_of(&mut sim, 3, group, |b| b.answers(&call).count());
    assert_eq!(answers, 4, "everyone has answered, yes or blank");
    let sizes: BTreeSet<usize> =
        board_of(&mut sim, 3, group, |b| b.answers(&call).map(|(_, a)| a.sealed.len()).collect());
    assert_eq!(sizes.len(), 1, "all answers look the same");
    assert_eq!(sim.act(0, |node, now| node.tally(group, call, now)), Ok(Some(2)));
    assert_eq!(sim.act(1, |node, now| node.tally(group, call, now)), Ok(None), "others can't open them");
    assert_eq!(board_of(&mut sim, 1, group, |b| b.count(&call)), None, "hidden until five, or the close");
    sim.run_for(Duration::from_secs(86_400));
    assert_eq!(board_of(&mut sim, 3, group, |b| b.count(&call)), Some((2, true)));
    assert_eq!(sim.act(0, |node, now| node.tally(group, call, now)), Ok(None), "the key of the call is gone");
    assert_eq!(sim.act(1, |node, now| node.pledge_to(group, call, now)), Err(NodeError::TooLate));
}

#[test]
fn a_call_off_reaches_everyone_and_only_the_founder_can_make_it() {
    let (mut sim, group) = picket(13, 3);
    let plan = plan(&sim, 0);
    assert!(matches!(
        sim.act(1, {
            let plan = plan.clone();
            |node, now| node.call_strike(group, plan, now)
        }),
        Err(NodeError::NotAllowed)
    ));
    let call = sim.act(0, |node, now| node.call_strike(group, plan, now)).unwrap();
    assert!(sim.act(1, |node, now| node.call_off(group, call, "it's over", now)).is_err());
    sim.act(0, |node, now| node.call_off(group, call, "agreement reached", now)).unwrap();
    let off = |sim: &mut Sim, l| {
        board_of(sim, l, group, |b| b.call_view(&call).is_some_and(|v| v.called_off.is_some()))
    };
    assert!(sim.run_until(5 * MINUTE, |sim| (0..3).all(|l| off(sim, l))));
}

#[test]
fn sent_messages_are_known_to_be_delivered() {
    let (mut sim, group) = picket(14, 3);
    sim.run_for(MINUTE);
    say(&mut sim, 1, group, "who has it?");
    let delivered = |sim: &mut Sim| {
        let list = sim.act(1, |node, now| node.ask(group, now, |r, round| r.messages(None, 1, round)));
        list.unwrap()
            .unwrap()
            .pop()
            .and_then(|message| message.reach)
            .is_some_and(|r| r.delivered == 2 && r.of == 2)
    };
    assert!(sim.run_until(10 * MINUTE, delivered));
}

#[test]
fn restarted_nodes_find_each_other_as_long_as_one_told_address_answers() {
    let (mut sim, group) = picket(15, 3);
    sim.run_for(5 * MINUTE);
    for laptop in 0..3 {
        sim.crash(laptop);
    }
    for laptop in [1, 2] {
        sim.start(laptop);
    }
    say(&mut sim, 1, group, "back");
    assert!(
        sim.run_until(10 * MINUTE, |sim| all_read(sim, &[1, 2], group, 1)),
        "without alice, who let both in"
    );
}

#[test]
fn garbage_costs_its_sender_the_session_and_nobody_else_anything() {
    let (mut sim, group) = picket(16, 2);
    for garbage in [vec![], vec![0], vec![99; 40], vec![2; 1025], vec![11; 600], vec![10; 66_000]] {
        let now = sim.now();
        let node = sim.laptop(0).node.as_mut().unwrap();
        let conn = ConnectionId(1 << 40);
        let connected = Connected { conn, dialled: None, local: vec![1], remote: vec![2] };
        node.handle(Input::Connected(connected), now).unwrap();
        node.handle(Input::Frame(conn, garbage), now).unwrap();
        node.flush(now).unwrap();
        let outputs: Vec<Output> = std::iter::from_fn(|| node.poll_output()).collect();
        assert_eq!(outputs, [Output::Close(conn)]);
    }
    say(&mut sim, 1, group, "still here");
    assert!(sim.run_until(5 * MINUTE, |sim| all_read(sim, &[0, 1], group, 1)));
}

#[test]
fn what_is_said_right_after_coming_in_arrives_at_once() {
    let mut sim = Sim::new(17);
    sim.delay = Duration::from_millis(2);
    let alice = sim.add();
    let group =
        sim.act(alice, |node, now| node.create_group("picket", "alice", Suite::Classical, now)).unwrap();
    let bob = sim.add();
    admit(&mut sim, group, bob, "bob");
    let expires = sim.now().after(MINUTE);
    sim.act(alice, |node, now| node.invite(group, 1, expires, now)).unwrap();
    say(&mut sim, bob, group, "bonjour");
    assert!(sim.run_until(Duration::from_secs(5), |sim| all_read(sim, &[alice, bob], group, 1)));
}

#[test]
fn an_old_copy_that_meets_several_peers_at_once_shows_nothing_of_its_own() {
    for seed in 300..310 {
        let (mut sim, group) = picket(seed, 4);
        sim.run_for(MINUTE);
        let image = sim.image(1);
        for text in ["first", "second"] {
            say(&mut sim, 1, group, text);
        }
        assert!(sim.run_until(MINUTE, |sim| all_read(sim, &[0, 1, 2, 3], group, 2)));
        sim.crash(1);
        sim.put_image(1, image);
        sim.start(1);
        for text in ["otherwise", "and more", "and more still"] {
            say(&mut sim, 1, group, text);
        }
        sim.run_for(10 * MINUTE);
        for laptop in [0, 2, 3] {
            assert_eq!(texts(&mut sim, laptop, group), ["first", "second"], "seed {seed}");
            assert!(
                !sim.laptop(laptop).events.iter().any(|(_, event)| matches!(event, Event::Equivocation(_)))
            );
        }
    }
}

#[test]
fn a_second_code_of_somebody_who_is_connected_is_used_at_once() {
    let (mut sim, first) = picket(31, 2);
    // Bob has called Alice, and the session stays open.
    sim.run_for(MINUTE);
    let second = sim.act(0, |node, now| node.create_group("second", "alice", Suite::Classical, now)).unwrap();
    admit(&mut sim, second, 1, "bob");
    say(&mut sim, 1, second, "here too");
    assert!(sim.run_until(MINUTE, |sim| all_read(sim, &[0, 1], second, 1)));
    say(&mut sim, 1, first, "and still here");
    assert!(sim.run_until(MINUTE, |sim| all_read(sim, &[0, 1], first, 1)));
}

#[test]
fn an_old_copy_comes_in_again_as_a_new_device_by_a_new_code() {
    let (mut sim, group) = picket(32, 2);
    sim.run_for(MINUTE);
    let image = sim.image(1);
    say(&mut sim, 1, group, "first");
    assert!(sim.run_until(MINUTE, |sim| all_read(sim, &[0, 1], group, 1)));
    sim.crash(1);
    sim.put_image(1, image);
    sim.start(1);
    let rolled_back = |sim: &mut Sim| sim.laptop(1).events.iter().any(|(_, e)| *e == Event::RolledBack);
    assert!(sim.run_until(5 * MINUTE, rolled_back));
    let expires = sim.now().after(MINUTE * 60);
    let invite = sim.act(0, |node, now| node.invite(group, 1, expires, now)).unwrap();
    join(&mut sim, 1, &invite.code.unwrap(), "bob again");
    let writes = |sim: &mut Sim| sim.act(1, |node, now| node.send(group, "anew", now)).is_ok();
    assert!(sim.run_until(5 * MINUTE, writes), "it is in again");
    let heard = |sim: &mut Sim| texts(sim, 0, group).contains(&"anew".to_owned());
    assert!(sim.run_until(5 * MINUTE, heard));
    sim.crash(1);
    sim.start(1);
    let said = texts(&mut sim, 0, group);
    assert!(sim.run_until(5 * MINUTE, |sim| texts(sim, 1, group) == said), "what it could read it reads");
    let distinct: BTreeSet<_> = said.iter().collect();
    assert_eq!(distinct.len(), said.len(), "{said:?}");
    say(&mut sim, 1, group, "and on");
    assert!(sim.run_until(5 * MINUTE, |sim| texts(sim, 0, group).len() == said.len() + 1));
}
