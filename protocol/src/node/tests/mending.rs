//! Records are lost: what others have comes back, nothing is written twice, the rest goes on.

use super::*;
use crate::replica::{AuthorError, Frozen};
use crate::store::{Key, Table};

/// Whether a record is an entry of a device's log at one of these positions.
fn entry_at(key: &Key, device: MemberId, lane: u8, seqs: &[u128]) -> bool {
    let log = [&device.0[..], &[lane]].concat();
    key.table == Table::Log && key.scope.ends_with(&log) && seqs.contains(&key.order)
}

const ACTS: u8 = crate::entry::Lane::Acts as u8;
const TALK: u8 = crate::entry::Lane::Talk as u8;

/// Two people and what they said.
fn talkative(seed: u64) -> (Sim, GroupId) {
    let (mut sim, group) = picket(seed, 2);
    for number in 0..6 {
        say(&mut sim, number % 2, group, &number.to_string());
        assert!(sim.run_until(MINUTE, |sim| all_read(sim, &[0, 1], group, number + 1)));
    }
    (sim, group)
}

/// Starts a laptop that has lost something, as its program does.
fn start_damaged(sim: &mut Sim, laptop: usize, which: impl FnMut(&Key) -> bool) {
    sim.crash(laptop);
    sim.lose(laptop, which);
    sim.start(laptop);
    sim.act(laptop, |node, now| node.mend(b"a frame", now)).unwrap();
}

fn frozen(sim: &mut Sim, laptop: usize, group: GroupId) -> Option<Frozen> {
    sim.laptop(laptop).node.as_ref().unwrap().group(&group).unwrap().frozen()
}

fn is_whole(sim: &mut Sim, laptop: usize, group: GroupId) -> bool {
    let node = sim.laptop(laptop).node.as_ref().unwrap();
    node.group(&group).is_some_and(|replica| !replica.is_mending() && replica.frozen().is_none())
}

fn nobody_equivocated(sim: &mut Sim) -> bool {
    [0, 1].iter().all(|laptop| {
        let mut events = sim.laptop(*laptop).events.iter();
        !events.any(|(_, event)| matches!(event, Event::Equivocation(_) | Event::RolledBack))
    })
}

#[test]
fn lost_messages_of_others_are_fetched_again() {
    for lost in [&[2][..], &[1], &[3], &[1, 2, 3]] {
        let (mut sim, group) = talkative(40);
        let alice = member(&mut sim, 0, group);
        start_damaged(&mut sim, 1, |key| entry_at(key, alice, TALK, lost));
        assert!(texts(&mut sim, 1, group).len() < 6);
        assert!(sim.run_until(5 * MINUTE, |sim| is_whole(sim, 1, group)), "{lost:?}");
        assert_eq!(texts(&mut sim, 1, group), texts(&mut sim, 0, group), "{lost:?}");
        sim.crash(1);
        sim.start(1);
        say(&mut sim, 1, group, "and on");
        assert!(sim.run_until(MINUTE, |sim| all_read(sim, &[0, 1], group, 7)));
        assert!(nobody_equivocated(&mut sim));
    }
}

#[test]
fn lost_acts_are_fetched_again_and_what_is_built_on_them_waits() {
    for seq in 2..7 {
        let (mut sim, group) = talkative(41);
        let (alice, head) = (member(&mut sim, 0, group), head(&mut sim, 0, group));
        start_damaged(&mut sim, 1, |key| entry_at(key, alice, ACTS, &[seq]));
        assert!(sim.run_until(5 * MINUTE, |sim| is_whole(sim, 1, group)), "act {seq}");
        let node = sim.laptop(1).node.as_ref().unwrap();
        let replica = node.group(&group).unwrap();
        assert_eq!((replica.head(), replica.members().len()), (head, 2));
        assert!(replica.members().iter().all(|member| member.name.is_some()), "act {seq}");
        say(&mut sim, 1, group, "and on");
        assert!(sim.run_until(MINUTE, |sim| all_read(sim, &[0, 1], group, 7)), "act {seq}");
        assert!(nobody_equivocated(&mut sim));
    }
}

#[test]
fn nothing_is_written_where_own_entries_may_be_lost_until_a_member_has_shown_its_own() {
    let (mut sim, group) = talkative(42);
    let bob = member(&mut sim, 1, group);
    sim.partition(&[0], &[1], true);
    start_damaged(&mut sim, 1, |key| entry_at(key, bob, TALK, &[2]));
    let refused = sim.act(1, |node, now| node.send(group, "too early", now));
    assert_eq!(refused, Err(NodeError::Author(AuthorError::Frozen(Frozen::Mending))));
    sim.run_for(5 * MINUTE);
    assert_eq!(frozen(&mut sim, 1, group), Some(Frozen::Mending));
    sim.partition(&[0], &[1], false);
    assert!(sim.run_until(10 * MINUTE, |sim| is_whole(sim, 1, group)));
    assert_eq!(texts(&mut sim, 1, group).len(), 6, "his own came back too");
    say(&mut sim, 1, group, "and on");
    assert!(sim.run_until(MINUTE, |sim| all_read(sim, &[0, 1], group, 7)));
    assert!(nobody_equivocated(&mut sim));
}

#[test]
fn whoever_lost_the_end_of_an_own_log_becomes_a_new_device() {
    let (mut sim, group) = talkative(43);
    let bob = member(&mut sim, 1, group);
    start_damaged(&mut sim, 1, |key| entry_at(key, bob, TALK, &[3]));
    let rolled_back = |sim: &mut Sim| frozen(sim, 1, group) == Some(Frozen::RolledBack);
    assert!(sim.run_until(5 * MINUTE, rolled_back));
    let node = sim.laptop(0).node.as_ref().unwrap();
    assert!(node.group(&group).unwrap().equivocators().is_empty());
}

#[test]
fn a_group_that_lost_what_it_stands_on_is_closed_and_the_others_go_on() {
    let (mut sim, group) = talkative(44);
    let other = sim.act(1, |node, now| node.create_group("other", "bob", Suite::Classical, now)).unwrap();
    start_damaged(&mut sim, 1, |key| {
        key.table == Table::Group
            && key.scope.starts_with(group.as_bytes())
            && key.scope.ends_with(b"genesis")
    });
    let node = sim.laptop(1).node.as_ref().unwrap();
    assert_eq!(node.closed().collect::<Vec<_>>(), [&group]);
    say(&mut sim, 1, other, "alone here");
    assert_eq!(texts(&mut sim, 1, other), ["alone here"]);
    // A new code leads in again.
    admit_again(&mut sim, group);
    sim.crash(1);
    sim.start(1);
    assert_eq!(sim.laptop(1).node.as_ref().unwrap().closed().count(), 0);
    say(&mut sim, 1, group, "back");
    assert!(sim.run_until(5 * MINUTE, |sim| texts(sim, 0, group).contains(&"back".to_owned())));
}

fn admit_again(sim: &mut Sim, group: GroupId) {
    let expires = sim.now().after(Duration::from_secs(86_400));
    let invite = sim.act(0, |node, now| node.invite(group, 1, expires, now)).unwrap();
    join(sim, 1, &invite.code.unwrap(), "bob");
    let is_in = |sim: &mut Sim| sim.laptop(1).node.as_ref().unwrap().group(&group).is_some();
    assert!(sim.run_until(5 * MINUTE, is_in));
}

#[test]
fn a_loss_is_acted_on_once() {
    let (mut sim, group) = talkative(45);
    let alice = member(&mut sim, 0, group);
    start_damaged(&mut sim, 1, |key| entry_at(key, alice, TALK, &[2]));
    assert!(sim.run_until(5 * MINUTE, |sim| is_whole(sim, 1, group)));
    assert_eq!(sim.act(1, |node, now| node.mend(b"a frame", now)), Ok(false));
    assert!(is_whole(&mut sim, 1, group));
    assert_eq!(sim.act(1, |node, now| node.mend(b"a frame, another", now)), Ok(true));
    assert_eq!(frozen(&mut sim, 1, group), Some(Frozen::Mending));
}

#[test]
fn a_gap_in_an_own_log_that_nobody_can_fill_is_not_written_over() {
    let (mut sim, group) = talkative(46);
    sim.partition(&[0], &[1], true);
    for text in ["unheard", "unheard too"] {
        say(&mut sim, 1, group, text);
    }
    let bob = member(&mut sim, 1, group);
    start_damaged(&mut sim, 1, |key| entry_at(key, bob, TALK, &[4]));
    sim.partition(&[0], &[1], false);
    sim.run_for(10 * MINUTE);
    assert_eq!(frozen(&mut sim, 1, group), Some(Frozen::Mending));
    assert!(texts(&mut sim, 1, group).contains(&"unheard too".to_owned()), "it can still be read");
    admit_again(&mut sim, group);
    let writes = |sim: &mut Sim| sim.act(1, |node, now| node.send(group, "anew", now)).is_ok();
    assert!(sim.run_until(5 * MINUTE, writes), "a new code helps");
}

#[test]
fn no_member_is_believed_while_another_knows_more_of_an_own_log() {
    for seed in 320..326 {
        let (mut sim, group) = picket(seed, 4);
        for text in ["first", "second"] {
            say(&mut sim, 1, group, text);
        }
        assert!(sim.run_until(MINUTE, |sim| all_read(sim, &[0, 1, 2, 3], group, 2)));
        sim.run_for(5 * MINUTE);
        let bob = member(&mut sim, 1, group);
        start_damaged(&mut sim, 1, |key| entry_at(key, bob, TALK, &[2]));
        let stopped = |sim: &mut Sim| {
            let why = frozen(sim, 1, group);
            assert!(why.is_some(), "seed {seed}: it must not write");
            why == Some(Frozen::RolledBack)
        };
        assert!(sim.run_until(10 * MINUTE, stopped), "seed {seed}");
    }
}

#[test]
fn what_was_taken_back_stays_so_where_the_record_of_that_is_lost() {
    let (mut sim, group) = picket(712, 2);
    say(&mut sim, 1, group, "oops");
    assert!(sim.run_until(5 * MINUTE, |sim| texts(sim, 0, group) == ["oops"]));
    let list =
        |node: &mut Node<_>, now| node.ask(group, now, |replica, round| replica.messages(None, 9, round));
    let id = sim.act(1, list).unwrap().unwrap()[0].id;
    sim.act(1, |node, now| node.edit(group, id, "", now)).unwrap();
    assert!(sim.run_until(5 * MINUTE, |sim| texts(sim, 0, group) == [""]));
    sim.partition(&[0], &[1], true);
    let author = member(&mut sim, 1, group);
    start_damaged(&mut sim, 0, |key| entry_at(key, author, TALK, &[2]));
    assert_eq!(texts(&mut sim, 0, group), [""; 0], "not what it said first");
    sim.partition(&[0], &[1], false);
    assert!(sim.run_until(5 * MINUTE, |sim| texts(sim, 0, group) == [""]));
}
