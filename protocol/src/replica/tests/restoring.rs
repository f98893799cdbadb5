//! Groups out of backups that somebody has had a hand in.

use super::*;
use crate::replica::backup::{MAX_SECTION, Parts};
use crate::store::Store;

impl Desk {
    fn section(&mut self) -> Vec<u8> {
        self.act(|replica, round| replica.backup(round)).unwrap().unwrap().bytes.to_vec()
    }
}

/// A new desk with what a section has, as a start finds it.
fn restored(section: &[u8]) -> Result<Desk, RestoreError> {
    let (mut store, mut overlay, mut rng) = (MemoryStore::new(), Overlay::default(), SeededRng::new(77));
    let (group, events, entries) =
        round(&store, &mut overlay, &mut rng, |round| Replica::restore(section, round));
    let (group, _) = group?;
    store.commit(overlay.take()).unwrap();
    let replica = round(&store, &mut overlay, &mut rng, |round| Replica::open(group, round)).0.unwrap();
    Ok(Desk { replica, store, overlay, rng, events, entries, clock: 0 })
}

/// Three who have talked, and Alice's section.
fn talkative() -> (Desk, Desk, Vec<u8>) {
    let (mut alice, mut bob, _) = three();
    for text in ["one", "two"] {
        alice.message(text);
        bob.sync(&alice);
        bob.message(&format!("{text} too"));
        alice.sync(&bob);
    }
    let section = alice.section();
    (alice, bob, section)
}

fn names(desk: &Desk) -> BTreeSet<(MemberId, Option<String>)> {
    desk.replica.members().into_iter().map(|view| (view.member, view.name)).collect()
}

/// Replaces bytes wherever they stand.
fn replace(section: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let mut changed = section.to_vec();
    let places: Vec<usize> =
        section.windows(old.len()).enumerate().filter(|(_, at)| *at == old).map(|(at, _)| at).collect();
    assert!(!places.is_empty());
    for at in places {
        changed[at..at + new.len()].copy_from_slice(new);
    }
    changed
}

fn with_entry(section: &[u8], entry: &Entry) -> Vec<u8> {
    let length = u32::try_from(entry.bytes().len()).unwrap().to_be_bytes();
    [section, &1u32.to_be_bytes(), &length, entry.bytes()].concat()
}

#[test]
fn a_restored_group_is_the_same_but_for_who_reads_it() {
    let (mut alice, _, section) = talkative();
    let mut again = restored(&section).unwrap();
    assert_eq!(again.texts(), alice.texts());
    assert_eq!(names(&again), names(&alice));
    assert_eq!(again.replica.counts(), alice.replica.counts());
    assert_ne!(again.replica.device(), alice.replica.device());
    let refused = again.act(|replica, round| replica.post(Kind::Leave, &empty(), round));
    assert_eq!(refused, Err(AuthorError::Frozen(Frozen::Restored)));
    assert_eq!(again.section(), section, "and its backup is the same");
}

#[test]
fn a_changed_or_shortened_section_is_refused_or_shows_less() {
    let (mut alice, _, section) = talkative();
    let (said, known) = (alice.texts(), names(&alice));
    let shows_no_more = |section: &[u8]| {
        let Ok(mut desk) = restored(section) else { return };
        assert!(desk.texts().iter().all(|text| said.contains(text)));
        let told = |(member, name): &(MemberId, Option<String>)| {
            known.iter().any(|(other, called)| other == member && (name.is_none() || name == called))
        };
        assert!(names(&desk).iter().all(told));
    };
    for at in (0..section.len()).step_by(61) {
        let mut changed = section.clone();
        changed[at] ^= 1 << (at % 8);
        shows_no_more(&changed);
        shows_no_more(&section[..at]);
    }
}

#[test]
fn what_is_no_section_is_refused_whatever_it_counts() {
    let (_, _, section) = talkative();
    let (genesis, rest) = {
        let length = u32::from_be_bytes(section[..4].try_into().unwrap()) as usize;
        (section[..4 + length].to_vec(), section[4 + length..].to_vec())
    };
    let root = rest[..32].to_vec();
    let endless = [genesis.as_slice(), &root, &u32::MAX.to_be_bytes()].concat();
    let none = [genesis.as_slice(), &root, &[0; 8]].concat();
    let huge = [&u32::MAX.to_be_bytes()[..], &section[4..]].concat();
    let twice = [genesis.as_slice(), &root, &[0, 0, 0, 0, 0, 0, 0, 2], &[[7; 32]; 4].concat()].concat();
    for bad in [vec![], endless, none, huge, twice] {
        assert!(matches!(restored(&bad), Err(RestoreError::Malformed(_))), "{} bytes", bad.len());
    }
    assert!(Parts::read(&section).is_ok() && section.len() < MAX_SECTION);
}

#[test]
fn an_insiders_false_key_hides_no_act_on_the_way_to_other_epochs() {
    let (alice, bob, section) = talkative();
    let first = EpochId::from(alice.replica.group());
    let (truth, lie) = (alice.replica.ring.control(&first).unwrap().clone(), Secret::new([66; 32]));
    let forged = replace(&section, truth.as_bytes(), lie.as_bytes());
    // He is a member, and signs something under the false key, which then opens something.
    let mut insider = bob.copy();
    insider.replica.ring = KeyRing::default();
    assert!(insider.replica.ring.learn(first, lie, true));
    let signed = insider.forge(Kind::Merge, first, &empty());
    for section in [forged.clone(), with_entry(&forged, &signed)] {
        assert_eq!(restored(&section).err(), Some(RestoreError::Contradiction));
    }
    let all: Vec<EpochId> = alice.replica.ring.epochs().copied().collect();
    let all_false = all.iter().fold(section, |section, epoch| {
        replace(&section, alice.replica.ring.control(epoch).unwrap().as_bytes(), &[66; 32])
    });
    assert_eq!(restored(&all_false).err(), Some(RestoreError::Contradiction));
}

#[test]
fn a_members_lie_beside_the_way_spoils_nobodys_backup() {
    let (mut alice, bob, _) = talkative();
    let (head, lie) = (alice.replica.head(), Secret::new([66; 32]));
    let mut liar = bob.copy();
    liar.replica.ring = KeyRing::default();
    assert!(liar.replica.ring.learn(head, lie, true));
    // It opens for nobody, and Alice was told a key as if it led somewhere.
    let sealed = liar.forge(Kind::Merge, head, &empty());
    assert_eq!(alice.take(sealed.bytes()), Received::Stored);
    assert!(alice.replica.ring.learn(EpochId::from(sealed.id()), Secret::new([67; 32]), true));
    let section = alice.section();
    assert_eq!(restored(&section).unwrap().texts(), alice.texts());
}

#[test]
fn what_nobody_of_the_group_signed_is_not_taken() {
    let (mut alice, _, section) = talkative();
    let said = alice.texts();
    let head = alice.replica.head();
    let mut eve = alice.copy();
    eve.replica.key = stranger(66);
    let body = crate::action::message::Message {
        text: "strike is off".into(),
        reply_to: None,
        clock: 9,
        edits: None,
    };
    let body = crate::action::Action::to_payload(&body);
    let as_alice = eve.forge(Kind::Message, head, &body);
    eve.replica.device = crypto::device_key(&stranger(66));
    let as_eve = eve.forge(Kind::Message, head, &body);
    for forged in [as_alice, as_eve] {
        let mut desk = restored(&with_entry(&section, &forged)).unwrap();
        assert_eq!(desk.texts(), said);
    }
    let genuine = alice.forge(Kind::Message, head, &body);
    let mut unsigned = with_entry(&section, &genuine);
    *unsigned.last_mut().unwrap() ^= 1;
    assert_eq!(restored(&unsigned).unwrap().texts(), said);
    assert_eq!(restored(&with_entry(&section, &genuine)).unwrap().texts().len(), said.len() + 1);
}

#[test]
fn a_key_of_an_epoch_that_no_commit_leads_to_is_not_kept() {
    let (_, _, section) = talkative();
    let parts = Parts::read(&section).unwrap();
    let epoch = *parts.whole.keys().find(|epoch| **epoch != parts.root).unwrap();
    // The same keys under a name that nothing made, in the same place of their order.
    let mut unknown = epoch;
    unknown.0[31] ^= 1;
    let at = section.windows(32).position(|part| part == epoch.as_bytes()).unwrap();
    let mut forged = section.clone();
    forged[at..at + 32].copy_from_slice(unknown.as_bytes());
    let mut desk = restored(&forged).unwrap();
    let kept = desk.act(|replica, round| replica.shelf(round).epoch_keys(&unknown)).unwrap();
    assert!(kept.is_none() && desk.replica.ring.whole(&unknown).is_none());
    assert!(restored(&section).unwrap().replica.ring.whole(&epoch).is_some());
}

#[test]
fn no_section_makes_a_key_of_carriers_be_kept() {
    let (alice, _, section) = talkative();
    let epochs: Vec<EpochId> = alice.replica.ring.whole_epochs().copied().collect();
    let mut forged = section.clone();
    let genesis = u32::from_be_bytes(section[..4].try_into().unwrap()) as usize;
    // After the root, which is one of them.
    let listed = 4 + genesis + 32;
    for epoch in &epochs {
        let at = section[listed..].windows(32).position(|part| part == epoch.as_bytes()).unwrap() + listed;
        forged[at + 64..at + 128].fill(66);
    }
    let desk = restored(&forged).unwrap();
    assert!(epochs.iter().all(|epoch| !desk.replica.ring.whole(epoch).unwrap().has_state()));
    assert!(!desk.store.shows(&[66; 32]));
}
