//! Corrections, and what is taken back.

use super::*;
use crate::action::Action;
use crate::action::message::Message;
use crate::node::NodeError;
use crate::replica::MessageView;
use crate::sim::Laptop;

fn read(sim: &mut Sim, laptop: usize, group: GroupId) -> Vec<MessageView> {
    let list =
        |node: &mut Node<_>, now| node.ask(group, now, |replica, round| replica.messages(None, 9, round));
    sim.act(laptop, list).unwrap().unwrap()
}

/// What each message says, and whether it was edited.
fn shown(sim: &mut Sim, laptop: usize, group: GroupId) -> Vec<(String, bool)> {
    read(sim, laptop, group).into_iter().map(|message| (message.text, message.edited)).collect()
}

#[test]
fn what_its_author_corrects_or_takes_back_is_shown_so_to_everybody_in_its_place() {
    let (mut sim, group) = picket(710, 3);
    say(&mut sim, 1, group, "we meet at six");
    assert!(sim.run_until(5 * MINUTE, |sim| all_read(sim, &[0, 1, 2], group, 1)));
    say(&mut sim, 2, group, "where?");
    assert!(sim.run_until(5 * MINUTE, |sim| all_read(sim, &[0, 1, 2], group, 2)));
    let first = read(&mut sim, 1, group)[0].id;
    for (text, left) in [("we meet at seven", "we meet at seven"), ("at the depot", "at the depot"), ("", "")]
    {
        sim.act(1, |node, now| node.edit(group, first, text, now)).unwrap();
        let expected = [(left.to_owned(), true), ("where?".to_owned(), false)];
        assert!(sim.run_until(5 * MINUTE, |sim| (0..3).all(|laptop| shown(sim, laptop, group) == expected)));
        let own = read(&mut sim, 1, group)[0].clone();
        assert_eq!((own.id, own.reach.map(|reach| reach.of)), (first, Some(2)));
        for laptop in 0..3 {
            sim.crash(laptop);
            sim.start(laptop);
            assert_eq!(shown(&mut sim, laptop, group), expected, "after a restart");
        }
    }
    let told =
        |laptop: &Laptop| laptop.events.iter().filter(|(_, event)| *event == Event::Message(first)).count();
    assert!(told(sim.laptop(0)) >= 4, "of each change readers are told");
}

#[test]
fn nobody_edits_what_another_wrote_nor_what_is_not_there() {
    let (mut sim, group) = picket(711, 2);
    say(&mut sim, 0, group, "mine");
    assert!(sim.run_until(5 * MINUTE, |sim| all_read(sim, &[0, 1], group, 1)));
    let id = read(&mut sim, 0, group)[0].id;
    let edit = |sim: &mut Sim, id| sim.act(1, |node, now| node.edit(group, id, "yours", now));
    assert!(matches!(edit(&mut sim, id), Err(NodeError::NotAllowed)));
    assert!(matches!(edit(&mut sim, EntryId([7; 32])), Err(NodeError::NotFound)));
    // Whoever writes it nevertheless changes nothing.
    let forged = Message { text: String::new(), reply_to: None, clock: 9, edits: Some(id) };
    sim.act(1, |node, now| node.post(group, Kind::Message, &forged.to_payload(), now)).unwrap();
    sim.run_for(5 * MINUTE);
    for laptop in 0..2 {
        assert_eq!(shown(&mut sim, laptop, group), [("mine".to_owned(), false)]);
    }
}
