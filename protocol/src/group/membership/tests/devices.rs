//! One member, several devices, one voice (M-18).

use super::*;

const LINK: DeviceKey = DeviceKey([90; 32]);
const PHRASE: DeviceKey = DeviceKey([91; 32]);
const LAPTOP: DeviceKey = DeviceKey([11; 32]);
const OTHER: DeviceKey = DeviceKey([12; 32]);
const THIRD: DeviceKey = DeviceKey([13; 32]);

fn device_code(key: DeviceKey, kind: DeviceCode) -> Operation {
    Operation::Invite { key, uses: 1, expires: 100, devices: Some(kind) }
}

fn link(device: DeviceKey, key: DeviceKey) -> Operation {
    Operation::Admit { device, invite: Some(key) }
}

fn own_drop(device: DeviceKey) -> Operation {
    Operation::Drop { device, phrase: None }
}

fn phrase_drop(device: DeviceKey) -> Operation {
    Operation::Drop { device, phrase: Some(PHRASE) }
}

/// The founder, Bob and Carla hold the keys and vote; Bob has linked a laptop (acts 1 and 2) and set a phrase (3).
fn council() -> Group {
    let of = |people: &[DeviceKey]| people.iter().map(|device| MemberId::from(*device)).collect();
    let everybody = of(&[FOUNDER, BOB, CARLA]);
    let rules = Rules { admit: 1, few: 1, wait: 0, chat: 0 };
    let founding = Founding {
        council: of(&[FOUNDER, BOB, CARLA]),
        members: of(&[FOUNDER, BOB, CARLA]),
        roll: everybody,
        rules,
    };
    let mut group = Group::new(founding);
    group.add(id(1), BOB, &past(&[]), device_code(LINK, DeviceCode::Link)).unwrap();
    group.add(id(2), CARLA, &past(&[1]), link(LAPTOP, LINK)).unwrap();
    group.add(id(3), BOB, &past(&[1]), device_code(PHRASE, DeviceCode::Recovery)).unwrap();
    group
}

fn speaks_for(group: &Group, device: DeviceKey) -> Option<MemberId> {
    group.view().member_of(&device)
}

fn devices(group: &Group, member: DeviceKey) -> BTreeSet<DeviceKey> {
    group.view().devices_of(&member.into()).collect()
}

#[test]
fn m18_a_linked_laptop_has_its_members_voice_and_no_second_one() {
    let mut group = council();
    assert_eq!(speaks_for(&group, LAPTOP), Some(BOB.into()));
    assert_eq!(group.view().members.len(), 3, "a device is no member");
    assert!(group.view().roster().contains(&LAPTOP));
    let verdict = Operation::Demote { members: vec![CARLA.into()], channel: Channel::Council };
    group.add(id(4), LAPTOP, &past(&[1, 2, 3]), verdict).unwrap();
    group.add(id(5), BOB, &past(&[1, 2, 3, 4]), Operation::Approve { act: id(4) }).unwrap();
    assert!(group.view().is_keyholder(&CARLA.into()), "one person signed twice");
    group.add(id(6), FOUNDER, &past(&[1, 2, 3, 4]), Operation::Approve { act: id(4) }).unwrap();
    assert!(!group.view().is_keyholder(&CARLA.into()));
}

#[test]
fn m18_nobody_links_what_is_somebodys_or_takes_anothers() {
    let mut group = council();
    let known = past(&[1, 2, 3]);
    let mut refused = |n, author, operation| group.add(id(n), author, &known, operation);
    assert_eq!(refused(10, BOB, link(CARLA, PHRASE)), Err(Void::Device), "a member");
    assert_eq!(refused(11, BOB, link(LAPTOP, PHRASE)), Err(Void::Device), "it is linked");
    assert_eq!(refused(12, FOUNDER, admit(LAPTOP)), Err(Void::Device), "it is no person");
    assert_eq!(refused(13, FOUNDER, own_drop(LAPTOP)), Err(Void::Device), "Bob's");
    assert_eq!(
        refused(14, FOUNDER, Operation::Drop { device: LAPTOP, phrase: Some(LINK) }),
        Err(Void::Device)
    );
    assert_eq!(
        refused(15, FOUNDER, Operation::Drop { device: CARLA, phrase: Some(PHRASE) }),
        Err(Void::Device)
    );
    assert_eq!(
        refused(16, LAPTOP, device_code(OTHER, DeviceCode::Recovery)),
        Err(Void::Device),
        "a second phrase"
    );
    assert_eq!(
        refused(17, FOUNDER, Operation::Revoke { key: LINK }),
        Err(Void::Author),
        "not the key-holders'"
    );
    assert_eq!(refused(18, BOB, Operation::Revoke { key: PHRASE }), Err(Void::Author), "a thief would, too");
}

#[test]
fn m18_a_dropped_device_speaks_no_more_and_takes_its_codes_along() {
    let mut group = council();
    group.add(id(4), LAPTOP, &past(&[1, 2, 3]), code(5)).unwrap();
    group.add(id(5), BOB, &past(&[1, 2, 3, 4]), own_drop(LAPTOP)).unwrap();
    assert_eq!(speaks_for(&group, LAPTOP), None);
    assert!(!group.view().roster().contains(&LAPTOP) && is_member(&group, BOB));
    let known = past(&[1, 2, 3, 4, 5]);
    assert_eq!(group.add(id(6), LAPTOP, &known, Operation::Leave), Err(Void::Author));
    assert_eq!(group.add(id(7), CARLA, &known, by_code(OTHER)), Err(Void::Invite), "its code is closed");
    assert_eq!(group.add(id(8), CARLA, &known, link(LAPTOP, PHRASE)), Err(Void::Device), "never again");
    // What it did behind the owner's back counts as any blind act of a member (M-13).
    group.add(id(9), LAPTOP, &past(&[1, 2, 3, 4]), admit(THIRD)).unwrap();
    assert!(is_member(&group, THIRD));
}

#[test]
fn m18_what_a_dropped_device_linked_in_secret_falls_with_it() {
    let mut group = council();
    group.add(id(4), LAPTOP, &past(&[1, 2, 3]), device_code(OTHER, DeviceCode::Link)).unwrap();
    group.add(id(5), BOB, &past(&[1, 2, 3]), own_drop(LAPTOP)).unwrap();
    group.add(id(6), FOUNDER, &past(&[1, 2, 3, 4]), link(THIRD, OTHER)).unwrap();
    assert_eq!(speaks_for(&group, THIRD), None, "blind to the drop");
    assert!(group.view().fell.contains(&id(6)));
    let mut known = council();
    known.add(id(4), LAPTOP, &past(&[1, 2, 3]), device_code(OTHER, DeviceCode::Link)).unwrap();
    known.add(id(5), FOUNDER, &past(&[1, 2, 3, 4]), link(THIRD, OTHER)).unwrap();
    known.add(id(6), BOB, &past(&[1, 2, 3, 4, 5]), own_drop(LAPTOP)).unwrap();
    assert_eq!(speaks_for(&known, THIRD), Some(BOB.into()), "Bob saw it and kept it");
}

#[test]
fn m18_devices_that_drop_one_another_are_both_out_and_the_phrase_decides() {
    let mut group = council();
    group.add(id(4), BOB, &past(&[1, 2, 3]), own_drop(LAPTOP)).unwrap();
    group.add(id(5), LAPTOP, &past(&[1, 2, 3]), own_drop(BOB)).unwrap();
    assert_eq!(devices(&group, BOB), BTreeSet::new());
    assert!(group.view().is_keyholder(&BOB.into()), "the person is in, and in office");
    // Anybody carries what the phrase says.
    group.add(id(6), CARLA, &past(&[1, 2, 3, 4, 5]), link(THIRD, PHRASE)).unwrap();
    assert_eq!(devices(&group, BOB), BTreeSet::from([THIRD]));
    let remove = Operation::Remove { members: vec![DeviceKey([77; 32]).into()] };
    group.add(id(7), THIRD, &past(&[1, 2, 3, 4, 5, 6]), remove).unwrap();
    assert!(group.view().stands(&id(7)), "with the office's hand");
}

#[test]
fn m18_the_phrase_drops_and_what_it_linked_falls_with_no_device() {
    let mut group = council();
    group.add(id(4), FOUNDER, &past(&[1, 2, 3]), link(THIRD, PHRASE)).unwrap();
    group.add(id(5), CARLA, &past(&[1, 2, 3]), phrase_drop(BOB)).unwrap();
    group.add(id(6), CARLA, &past(&[1, 2, 3]), phrase_drop(LAPTOP)).unwrap();
    assert_eq!(devices(&group, BOB), BTreeSet::from([THIRD]));
}

#[test]
fn m18_a_code_that_two_devices_used_links_neither() {
    let mut group = council();
    group.add(id(4), FOUNDER, &past(&[1]), link(OTHER, LINK)).unwrap();
    assert_eq!(devices(&group, BOB), BTreeSet::from([BOB]), "nobody can say which is Bob's");
    assert_eq!(speaks_for(&group, OTHER), None);
    group.add(id(5), FOUNDER, &past(&[1, 2, 3, 4]), link(LAPTOP, PHRASE)).unwrap();
    assert_eq!(devices(&group, BOB), BTreeSet::from([BOB, LAPTOP]), "by another code it comes");
}

#[test]
fn m18_a_verdict_can_void_what_one_device_signed_and_spare_its_member() {
    let mut group = council();
    let [yves, zoe] = [60, 61].map(|n| DeviceKey([n; 32]));
    group.add(id(4), LAPTOP, &past(&[1, 2, 3]), admit(yves)).unwrap();
    group.add(id(5), BOB, &past(&[1, 2, 3]), admit(zoe)).unwrap();
    let verdict = Operation::Expel { members: vec![LAPTOP.into()], channel: Channel::Council };
    group.add(id(6), FOUNDER, &past(&[1, 2, 3]), verdict).unwrap();
    group.add(id(7), CARLA, &past(&[1, 2, 3, 6]), Operation::Approve { act: id(6) }).unwrap();
    assert!(!is_member(&group, yves) && is_member(&group, zoe));
    assert_eq!(devices(&group, BOB), BTreeSet::from([BOB]));
    assert!(group.view().is_keyholder(&BOB.into()));
}

#[test]
fn m18_one_key_holder_takes_no_device_of_anothers() {
    let mut group = council();
    group.add(id(4), FOUNDER, &past(&[1, 2, 3]), remove(LAPTOP)).unwrap();
    assert_eq!(devices(&group, BOB), BTreeSet::from([BOB, LAPTOP]));
}

#[test]
fn m18_a_person_has_so_many_devices() {
    let mut group = council();
    let mut known = vec![1, 2, 3];
    for n in 0..MAX_DEVICES as u8 {
        let full = n as usize + 1 == MAX_DEVICES;
        let added = group.add(id(20 + n), FOUNDER, &past(&known), link(DeviceKey([120 + n; 32]), PHRASE));
        assert_eq!(added, if full { Err(Void::Device) } else { Ok(()) });
        known.push(20 + n);
    }
}

#[test]
fn m18_put_out_is_every_device_and_back_are_all() {
    let mut group = council();
    let eve = DeviceKey([70; 32]);
    group.add(id(4), FOUNDER, &past(&[1, 2, 3]), admit(eve)).unwrap();
    group.add(id(5), eve, &past(&[1, 2, 3, 4]), device_code(CODE, DeviceCode::Link)).unwrap();
    group.add(id(6), CARLA, &past(&[1, 2, 3, 4, 5]), link(OTHER, CODE)).unwrap();
    let known = [1, 2, 3, 4, 5, 6];
    group.add(id(7), FOUNDER, &past(&known), remove(eve)).unwrap();
    assert!(!is_member(&group, eve) && speaks_for(&group, OTHER).is_none());
    assert_eq!(group.add(id(8), OTHER, &past(&[&known[..], &[7]].concat()), admit(THIRD)), Err(Void::Author));
    group.add(id(9), BOB, &past(&[&known[..], &[7]].concat()), admit(eve)).unwrap();
    assert_eq!(devices(&group, eve), BTreeSet::from([eve, OTHER]));
}
