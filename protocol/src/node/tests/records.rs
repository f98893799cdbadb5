//! Where the records of a node lie and what is in them, byte for byte (spec store, S-10 … S-14).

use super::*;
use crate::crypto::{self, Secret};
use crate::entry::UnverifiedEntry;
use crate::store::{Key, Table};

/// Alice's group with Bob in it, who holds one message of hers, its id and her device.
fn told(seed: u64) -> (Sim, GroupId, EntryId, DeviceKey) {
    let (mut sim, group) = picket(seed, 2);
    say(&mut sim, 0, group, "hello");
    assert!(sim.run_until(5 * MINUTE, |sim| all_read(sim, &[0, 1], group, 1)));
    let list = sim
        .act(1, |node, now| node.ask(group, now, |replica, round| replica.messages(None, 1, round)))
        .unwrap()
        .unwrap();
    let alice = DeviceKey(member(&mut sim, 0, group).0);
    (sim, group, list[0].id, alice)
}

fn all(sim: &mut Sim, laptop: usize, table: Table, scope: &[&[u8]]) -> Vec<(u128, Vec<u8>)> {
    let store = sim.laptop(laptop).node.as_ref().unwrap().store();
    store.range(table, &scope.concat(), 0, u128::MAX, usize::MAX).unwrap()
}

fn secret(sim: &mut Sim, scope: &[&[u8]]) -> Vec<u8> {
    let store = sim.laptop(1).node.as_ref().unwrap().store();
    store.secret(&Key::new(Table::Secret, scope.concat(), 0)).unwrap().unwrap().to_vec()
}

fn number(bytes: &[u8]) -> u32 {
    u32::from_be_bytes(bytes.try_into().unwrap())
}

const TALK: u8 = 1;

#[test]
fn an_entry_lies_by_its_place_and_is_found_by_its_id() {
    let (mut sim, group, id, alice) = told(49);
    let log = all(&mut sim, 1, Table::Log, &[group.as_bytes(), alice.as_bytes(), &[TALK]]);
    let [(seq, record)] = &log[..] else { panic!("{} records", log.len()) };
    assert_eq!(record[..32], *id.as_bytes());
    assert_eq!(record[32..64], *head(&mut sim, 0, group).as_bytes());
    assert_eq!(record[64], 1, "applied");
    let facts = |record: &[u8]| [65, 69, 73, 77].map(|at| number(&record[at..at + 4]));
    let [depth, operations, acts, talk] = facts(record);
    assert!(depth > 1, "{depth}");
    let states = all(&mut sim, 1, Table::Group, &[group.as_bytes(), b"states"]);
    assert_eq!(u128::from(operations), states.last().unwrap().0, "the newest set");
    assert_eq!((acts, talk), (0, 0), "it builds on nothing of bob's");
    let at_alice = all(&mut sim, 0, Table::Log, &[group.as_bytes(), alice.as_bytes(), &[TALK]]);
    let [_, _, acts, talk] = facts(&at_alice[0].1);
    assert!(acts > 0 && u128::from(talk) == *seq, "{acts} {talk}, of her own");
    let entry = UnverifiedEntry::decode(&record[81..]).unwrap();
    assert_eq!(u128::from(entry.header().seq), *seq);
    let place = all(&mut sim, 1, Table::Entry, &[group.as_bytes(), id.as_bytes()]);
    let expected = [alice.as_bytes().as_slice(), &[TALK], &entry.header().seq.to_be_bytes()].concat();
    assert_eq!(place, [(0, expected.clone())]);

    let shown = all(&mut sim, 1, Table::Timeline, &[group.as_bytes(), b"messages"]);
    let [(order, value)] = &shown[..] else { panic!("{} messages", shown.len()) };
    assert_eq!(value[..37], *expected);
    assert!(sim.now().as_secs() - u64::from(number(&value[37..])) < 300, "when it came");
    let ties = Secret::from_slice(&secret(&mut sim, &[group.as_bytes(), b"ties"])).unwrap();
    assert_eq!((*order as u64).to_be_bytes(), ties.mac("tie", &[id.as_bytes()])[..8]);
    assert!(order >> 64 > 0, "the author's clock");
}

#[test]
fn a_profile_lists_its_groups_twice_and_recipes_build_on_smaller_ones() {
    let (mut sim, group, ..) = told(50);
    for list in [&b"groups"[..], b"groups again"] {
        let groups = all(&mut sim, 1, Table::Profile, &[list]);
        assert_eq!(groups, [(0, group.as_bytes().to_vec())]);
    }
    let states = all(&mut sim, 1, Table::Group, &[group.as_bytes(), b"states"]);
    assert_eq!(states.iter().map(|(order, _)| *order).collect::<Vec<_>>(), [1, 2], "an invite, an admission");
    for (order, recipe) in states {
        assert_eq!(recipe.len(), 4 + 32, "a number and one act's id");
        assert_eq!(u128::from(number(&recipe[..4])), order - 1);
        assert_eq!(
            all(&mut sim, 1, Table::Entry, &[group.as_bytes(), &recipe[4..]]).len(),
            1,
            "an act that is here"
        );
    }
}

#[test]
fn secrets_lie_by_their_names() {
    let (mut sim, group, ..) = told(51);
    let (bob, epoch) = (DeviceKey(member(&mut sim, 1, group).0), head(&mut sim, 1, group));
    let group = group.as_bytes();
    let seed = secret(&mut sim, &[group, b"device"]).try_into().unwrap();
    assert_eq!(crypto::device_key(&ed25519_dalek::SigningKey::from_bytes(&seed)), bob);
    assert_eq!(secret(&mut sim, &[group, b"ties"]).len(), 32);
    let keys = secret(&mut sim, &[group, b"epoch", epoch.as_bytes()]);
    assert_eq!(keys.len(), 7 * 32 + 8, "C, V, S, four K and when it ended");
    assert!(keys.chunks_exact(32).collect::<BTreeSet<_>>().len() == 7, "no two alike");
    assert_eq!(keys[7 * 32..], [0; 8], "it is the head");
    let state = secret(&mut sim, &[group, b"state", epoch.as_bytes()]);
    assert_eq!(state[..32], *group);
    let mut rest = &state[32..];
    while !rest.is_empty() {
        let (length, after) = rest.split_at(4);
        rest = &after[number(length) as usize..];
    }
}

#[test]
fn proofs_of_a_fork_and_entries_beside_the_trunk_lie_where_the_spec_says() {
    let (mut sim, group) = picket(52, 3);
    sim.run_for(2 * MINUTE);
    let image = sim.image(2);
    let eve = DeviceKey(member(&mut sim, 2, group).0);
    sim.partition(&[0], &[1, 2], true);
    say(&mut sim, 2, group, "to bob");
    assert!(sim.run_until(5 * MINUTE, |sim| all_read(sim, &[1], group, 1)));
    sim.crash(2);
    sim.put_image(2, image);
    sim.partition(&[1], &[2], true);
    sim.partition(&[0], &[2], false);
    sim.start(2);
    say(&mut sim, 2, group, "to alice");
    assert!(sim.run_until(5 * MINUTE, |sim| all_read(sim, &[0], group, 1)));
    sim.crash(2);
    sim.partition(&[0], &[1], false);
    let proofs = |sim: &mut Sim| all(sim, 1, Table::Group, &[group.as_bytes(), b"forks"]);
    assert!(sim.run_until(10 * MINUTE, |sim| !proofs(sim).is_empty()));
    let [(0, proof)] = &proofs(&mut sim)[..] else { panic!("one record") };
    assert_eq!(proof.len(), 32 + 1 + 4 + 2 * 32);
    assert_eq!(proof[..33], *[eve.as_bytes().as_slice(), &[TALK]].concat());
    let (seq, ids) = (number(&proof[33..37]), [&proof[37..69], &proof[69..]]);
    assert_ne!(ids[0], ids[1]);

    let log = [group.as_bytes().as_slice(), eve.as_bytes(), &[TALK]].concat();
    let trunk = all(&mut sim, 1, Table::Log, &[&log]);
    let beside = all(&mut sim, 1, Table::Log, &[&log, b"beside"]);
    let ties = Secret::from_slice(&secret(&mut sim, &[group.as_bytes(), b"ties"])).unwrap();
    for (order, record) in &beside {
        let tie = ties.mac("tie", &[&record[..32]]);
        assert_eq!(
            (order >> 64, (*order as u64).to_be_bytes()),
            (u128::from(seq), tie[..8].try_into().unwrap())
        );
    }
    let stored: BTreeSet<&[u8]> = trunk.iter().chain(&beside).map(|(_, record)| &record[..32]).collect();
    assert!(
        !beside.is_empty() && ids.iter().all(|id| stored.contains(id)),
        "both entries of the proof are here"
    );
}
