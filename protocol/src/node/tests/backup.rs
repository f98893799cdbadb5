//! Backups: what was can be read again, nothing is written with it, and whoever comes back reads on.

use zeroize::Zeroizing;

use super::founding::{same_head, union};
use super::*;
use crate::group::invite::{Hint, Phrase};
use crate::node::Restored;
use crate::replica::{AuthorError, Frozen};

const AMINA: usize = 0;
const BRUNO: usize = 1;
const DIA: usize = 3;

/// Every group of a laptop's, as its backup has it.
fn backup(sim: &mut Sim, laptop: usize) -> Vec<Zeroizing<Vec<u8>>> {
    let groups: Vec<GroupId> =
        sim.laptop(laptop).node.as_ref().unwrap().groups().map(Replica::group).collect();
    let one = |group: &GroupId| sim.act(laptop, |node, now| node.backup(group, now)).unwrap().unwrap().bytes;
    groups.iter().map(one).collect()
}

/// A new laptop with what a backup has.
fn restore(sim: &mut Sim, backup: &[Zeroizing<Vec<u8>>]) -> usize {
    let (laptop, now) = (sim.add(), sim.now());
    let mut rng = crate::sim::SeededRng::new(laptop as u64);
    let groups = backup.iter().map(|section| Restored::check(section, &mut rng, now).unwrap()).collect();
    sim.act(laptop, |node, now| node.restore(groups, now)).unwrap();
    laptop
}

fn replica(sim: &mut Sim, laptop: usize, group: GroupId) -> &Replica {
    sim.laptop(laptop).node.as_ref().unwrap().group(&group).unwrap()
}

fn writes(sim: &mut Sim, laptop: usize, group: GroupId) -> bool {
    replica(sim, laptop, group).may_write(Kind::Message).is_ok()
}

fn restart(sim: &mut Sim, laptop: usize) {
    sim.crash(laptop);
    sim.start(laptop);
}

fn nobody_equivocated(sim: &mut Sim, laptops: &[usize]) -> bool {
    laptops.iter().all(|laptop| {
        let mut events = sim.laptop(*laptop).events.iter();
        !events.any(|(_, event)| matches!(event, Event::Equivocation(_) | Event::RolledBack))
    })
}

/// A group of four who have talked, in the draft and since, and the draft.
fn talkative(seed: u64) -> (Sim, GroupId) {
    let (mut sim, group) = union(seed, 4, 3);
    for number in 0..8 {
        say(&mut sim, number % 4, group, &number.to_string());
        let all = [0, 1, 2, 3];
        assert!(sim.run_until(5 * MINUTE, |sim| all_read(sim, &all, group, number + 1)));
    }
    sim.act(DIA, |node, now| node.file_grievance(group, &super::grievance(), now)).unwrap();
    let told = |sim: &mut Sim| (0..4).all(|laptop| grievances(sim, laptop, group) == 1);
    assert!(sim.run_until(5 * MINUTE, told));
    (sim, group)
}

fn grievances(sim: &mut Sim, laptop: usize, group: GroupId) -> usize {
    replica(sim, laptop, group).board().grievances().count()
}

#[test]
fn a_restored_group_shows_what_was_and_writes_nothing() {
    let (mut sim, group) = talkative(700);
    let was = texts(&mut sim, BRUNO, group);
    let views = replica(&mut sim, BRUNO, group).members();
    let backup = backup(&mut sim, BRUNO);
    let laptop = restore(&mut sim, &backup);
    for restarted in [false, true] {
        assert_eq!(texts(&mut sim, laptop, group), was, "{restarted}");
        assert_eq!(grievances(&mut sim, laptop, group), 1);
        let restored = replica(&mut sim, laptop, group);
        let told = |view: &crate::replica::MemberView| (view.member, view.name.clone(), view.keyholder);
        assert_eq!(
            restored.members().iter().map(told).collect::<Vec<_>>(),
            views.iter().map(told).collect::<Vec<_>>()
        );
        assert!(!restored.view().members.contains_key(&restored.member()), "it is nobody there");
        let refused = sim.act(laptop, |node, now| node.send(group, "still here?", now));
        assert_eq!(refused, Err(NodeError::Author(AuthorError::Frozen(Frozen::Restored))));
        restart(&mut sim, laptop);
    }
    sim.run_for(30 * MINUTE);
    let (now, node) = (sim.now(), sim.laptop(laptop).node.as_ref().unwrap());
    assert_eq!(node.peers().count(), 0);
    let known = Known::new(&node.replicas, &node.joins, &node.store, &node.discovered, now);
    let nobody = sync::Groups::recognised(&known, 16).is_empty() && node.next_dial().is_none();
    assert!(nobody, "it calls nobody and knows no caller");
    assert!(nobody_equivocated(&mut sim, &[0, 1, 2, 3, laptop]));
}

/// How somebody who has restored a backup comes back.
enum Way {
    Phrase,
    Device,
    Invite,
}

fn code(sim: &mut Sim, way: &Way, group: GroupId) -> InviteCode {
    let expires = sim.now().after(Duration::from_secs(86_400));
    match way {
        Way::Phrase => {
            let hints = vec![Hint::from_multiaddr(&Sim::address(AMINA)).unwrap()];
            let suite = replica(sim, AMINA, group).suite();
            InviteCode::of_phrase(&Phrase::new([7; 16]), group.fingerprint(), suite, hints)
        }
        Way::Device => sim.act(BRUNO, |node, now| node.link_code(group, expires, now)).unwrap(),
        Way::Invite => {
            let invite = sim.act(AMINA, |node, now| node.invite(group, 1, expires, now)).unwrap();
            InviteCode::parse(&invite.code.unwrap()).unwrap()
        }
    }
}

#[test]
fn whoever_comes_back_after_a_restore_reads_before_and_after_and_writes_on() {
    for (number, way) in [Way::Phrase, Way::Device, Way::Invite].into_iter().enumerate() {
        let (mut sim, group) = talkative(710 + number as u64);
        sim.act(BRUNO, |node, now| node.set_phrase(group, &Phrase::new([7; 16]), now)).unwrap();
        sim.run_for(5 * MINUTE);
        let backup = backup(&mut sim, BRUNO);
        let bruno = member(&mut sim, BRUNO, group);
        say(&mut sim, DIA, group, "after the backup");
        let all = [0, 1, 2, 3];
        assert!(sim.run_until(5 * MINUTE, |sim| all_read(sim, &all, group, 9)));
        let was = texts(&mut sim, AMINA, group);
        let laptop = restore(&mut sim, &backup);
        let code = code(&mut sim, &way, group);
        if !matches!(way, Way::Device) {
            sim.crash(BRUNO);
        }
        join(&mut sim, laptop, &code.to_text(), "bruno again");
        assert!(sim.run_until(20 * MINUTE, |sim| writes(sim, laptop, group)), "{number}: it is in");
        assert_eq!(member(&mut sim, laptop, group) == bruno, !matches!(way, Way::Invite));
        let reads = |sim: &mut Sim| texts(sim, laptop, group) == was;
        assert!(sim.run_until(5 * MINUTE, reads), "{number}: {:?}", texts(&mut sim, laptop, group));
        assert_eq!(grievances(&mut sim, laptop, group), 1);
        say(&mut sim, laptop, group, "back");
        let heard =
            |sim: &mut Sim, laptop| texts(sim, laptop, group).last().is_some_and(|text| text == "back");
        assert!(sim.run_until(10 * MINUTE, |sim| heard(sim, AMINA) && heard(sim, DIA)));
        restart(&mut sim, laptop);
        assert_eq!(texts(&mut sim, laptop, group).len(), 10, "after a restart, too");
        say(&mut sim, DIA, group, "good to have you");
        assert!(sim.run_until(10 * MINUTE, |sim| texts(sim, laptop, group).len() == 11));
        assert!(nobody_equivocated(&mut sim, &[AMINA, DIA, laptop]));
        assert!(same_head(&mut sim, 1, group));
    }
}

#[test]
fn a_backup_has_no_secret_of_the_device_that_made_it() {
    let (mut sim, group) = talkative(720);
    let expires = sim.now().after(Duration::from_secs(86_400));
    sim.act(BRUNO, |node, now| node.invite(group, 1, expires, now)).unwrap();
    sim.act(BRUNO, |node, now| node.set_phrase(group, &Phrase::new([7; 16]), now)).unwrap();
    let backup = backup(&mut sim, BRUNO);
    let written: BTreeSet<&[u8]> = backup.iter().flat_map(|section| section.windows(32)).collect();
    let image = sim.image(BRUNO);
    // What others see of a group's start lies in the states, too.
    let genesis = |section: &Zeroizing<Vec<u8>>| {
        let length = u32::from_be_bytes(section[..4].try_into().unwrap()) as usize;
        section[4..4 + length].to_vec()
    };
    let genesis: Vec<Vec<u8>> = backup.iter().map(genesis).collect();
    let public: BTreeSet<&[u8]> = genesis.iter().flat_map(|start| start.windows(32)).collect();
    let (mut kept, mut names) = (0, BTreeSet::new());
    for (key, secret) in image.secrets() {
        let name = &key.scope[32..];
        let secrets: Vec<&[u8]> = if name.starts_with(b"epoch") {
            // Control and content keys are what a backup is for.
            kept += usize::from(written.contains(&secret[..32]) && written.contains(&secret[96..128]));
            vec![&secret[32..64], &secret[64..96]]
        } else if name.starts_with(b"control") {
            continue;
        } else {
            secret.windows(32).filter(|part| !public.contains(part)).collect()
        };
        names.insert(String::from_utf8_lossy(&name[..name.len().min(4)]).into_owned());
        for part in secrets.into_iter().filter(|part| part.iter().any(|byte| *byte != 0)) {
            assert!(!written.contains(part), "{:?}: {part:02x?}", String::from_utf8_lossy(name));
        }
    }
    assert!(kept >= 2, "{kept}");
    for name in ["devi", "ties", "mail", "stat", "epoc", "code"] {
        assert!(names.contains(name), "{name}: {names:?}");
    }
}

#[test]
fn what_nobody_had_heard_goes_out_when_its_author_is_back() {
    let (mut sim, group) = talkative(721);
    sim.act(BRUNO, |node, now| node.set_phrase(group, &Phrase::new([7; 16]), now)).unwrap();
    sim.run_for(5 * MINUTE);
    sim.partition(&[BRUNO], &[0, 2, 3], true);
    say(&mut sim, BRUNO, group, "nobody heard");
    let backup = backup(&mut sim, BRUNO);
    sim.crash(BRUNO);
    let laptop = restore(&mut sim, &backup);
    assert!(texts(&mut sim, laptop, group).contains(&"nobody heard".to_owned()));
    let code = code(&mut sim, &Way::Phrase, group);
    join(&mut sim, laptop, &code.to_text(), "bruno again");
    assert!(sim.run_until(20 * MINUTE, |sim| writes(sim, laptop, group)));
    let heard = |sim: &mut Sim| {
        [0, 2, 3, laptop].iter().all(|laptop| texts(sim, *laptop, group).contains(&"nobody heard".to_owned()))
    };
    assert!(sim.run_until(10 * MINUTE, heard));
    assert!(nobody_equivocated(&mut sim, &[0, 2, 3, laptop]));
}

#[test]
fn chat_that_had_gone_from_the_screen_does_not_come_back() {
    const DAY: Duration = Duration::from_secs(86_400);
    let (mut sim, group) = union(722, 4, 3);
    super::expiry::decide(&mut sim, group, 10);
    say(&mut sim, DIA, group, "early");
    sim.run_for(DAY * 8);
    say(&mut sim, DIA, group, "later");
    sim.run_for(DAY * 4);
    assert_eq!(texts(&mut sim, BRUNO, group), ["later"], "of one epoch, whose keys are here");
    let backup = backup(&mut sim, BRUNO);
    let (reader, back) = (restore(&mut sim, &backup), restore(&mut sim, &backup));
    assert_eq!(texts(&mut sim, reader, group), ["later"]);
    let code = code(&mut sim, &Way::Invite, group);
    join(&mut sim, back, &code.to_text(), "bruno again");
    assert!(sim.run_until(20 * MINUTE, |sim| writes(sim, back, group)));
    let shows =
        |sim: &mut Sim, count| [reader, back].map(|laptop| texts(sim, laptop, group).len()) == [count; 2];
    sim.run_for(DAY * 5);
    assert!(shows(&mut sim, 1), "nine days");
    sim.run_for(DAY * 2);
    assert!(shows(&mut sim, 0), "eleven days");
}

#[test]
fn a_founder_who_comes_back_reads_what_was_said_before_anybody_came() {
    let (mut sim, group) = picket(725, 1);
    say(&mut sim, AMINA, group, "is anybody here?");
    let link = |sim: &mut Sim, of: usize| {
        let expires = sim.now().after(Duration::from_secs(86_400));
        sim.act(of, |node, now| node.link_code(group, expires, now)).unwrap().to_text()
    };
    let (second, first) = (sim.add(), link(&mut sim, AMINA));
    join(&mut sim, second, &first, "second laptop");
    assert!(sim.run_until(10 * MINUTE, |sim| super::founding::is_in(sim, second, group)));
    assert!(sim.run_until(10 * MINUTE, |sim| writes(sim, second, group)));
    let backup = backup(&mut sim, AMINA);
    sim.crash(AMINA);
    let (laptop, code) = (restore(&mut sim, &backup), link(&mut sim, second));
    join(&mut sim, laptop, &code, "third laptop");
    assert!(sim.run_until(10 * MINUTE, |sim| writes(sim, laptop, group)));
    assert_eq!(texts(&mut sim, laptop, group), ["is anybody here?"]);
}

#[test]
fn a_false_key_out_of_a_backup_does_no_harm_to_whoever_comes_back() {
    let (mut sim, group) = talkative(723);
    let mut backup = backup(&mut sim, BRUNO);
    let epoch = head(&mut sim, BRUNO, group);
    let truth = super::erasure::keys(&mut sim, BRUNO, group, epoch)["control"].clone();
    for section in &mut backup {
        if let Some(at) = section.windows(32).position(|part| part == truth) {
            section[at..at + 32].copy_from_slice(&[66; 32]);
        }
    }
    let laptop = restore(&mut sim, &backup);
    // The code's own act is sealed under the key that the backup lies about.
    let code = code(&mut sim, &Way::Invite, group);
    join(&mut sim, laptop, &code.to_text(), "bruno again");
    assert!(sim.run_until(20 * MINUTE, |sim| writes(sim, laptop, group)));
    assert_eq!(members(&mut sim, laptop, group), members(&mut sim, AMINA, group));
    restart(&mut sim, laptop);
    assert!(sim.run_until(20 * MINUTE, |sim| writes(sim, laptop, group)));
}

#[test]
fn what_an_old_copy_wrote_stays_with_it_when_it_comes_in_again() {
    let (mut sim, group) = picket(724, 3);
    sim.run_for(MINUTE);
    let image = sim.image(BRUNO);
    say(&mut sim, BRUNO, group, "said by bruno");
    assert!(sim.run_until(MINUTE, |sim| all_read(sim, &[0, 1, 2], group, 1)));
    sim.crash(BRUNO);
    sim.put_image(BRUNO, image);
    sim.partition(&[BRUNO], &[0, 2], true);
    sim.start(BRUNO);
    for text in ["said by the copy", "and again"] {
        say(&mut sim, BRUNO, group, text);
    }
    sim.partition(&[BRUNO], &[0, 2], false);
    let told = |sim: &mut Sim| sim.laptop(BRUNO).events.iter().any(|(_, e)| *e == Event::RolledBack);
    assert!(sim.run_until(5 * MINUTE, told));
    let code = code(&mut sim, &Way::Invite, group);
    join(&mut sim, BRUNO, &code.to_text(), "bruno again");
    assert!(sim.run_until(20 * MINUTE, |sim| writes(sim, BRUNO, group)));
    for _ in 0..2 {
        restart(&mut sim, BRUNO);
        sim.run_for(10 * MINUTE);
    }
    assert_eq!(texts(&mut sim, BRUNO, group), ["said by bruno"]);
    assert_eq!(texts(&mut sim, AMINA, group), ["said by bruno"]);
    let nobody = |sim: &mut Sim, laptop: usize| replica(sim, laptop, group).equivocators().is_empty();
    assert!([0, 1, 2].iter().all(|laptop| nobody(&mut sim, *laptop)));
}
