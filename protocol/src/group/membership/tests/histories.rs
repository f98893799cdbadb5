//! evaluation act by act gives what evaluation from scratch gives, on random histories of groups.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::super::advance::advance;
use super::super::plain::Plain;
use super::*;

/// How many histories a test run tries; more, in more orders, by `PIQUET_HISTORIES`.
const HISTORIES: u64 = 1500;
/// Who may be in, and what codes there are.
const PEOPLE: u32 = 6;
const CODES: u32 = 2;
/// Devices that can be linked, codes by which they are, and phrases: each in the names of everybody.
const DEVICES: u32 = 3;
const DEVICE_CODES: u32 = 3;

/// Chance, somebody whom much of a history is about, and how much of it is about devices.
struct Dice(ChaCha8Rng, u32, u32);

impl Dice {
    fn below(&mut self, bound: u32) -> u32 {
        self.0.next_u32() % bound.max(1)
    }

    fn percent(&mut self, chance: u32) -> bool {
        self.below(100) < chance
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> Option<T> {
        of.get(self.below(of.len() as u32) as usize).copied()
    }

    fn new(seed: u64) -> Self {
        let mut dice = Self(ChaCha8Rng::seed_from_u64(seed), 0, 0);
        dice.1 = dice.below(PEOPLE);
        dice.2 = if dice.percent(30) { 45 } else { 5 };
        dice
    }

    fn person(&mut self) -> DeviceKey {
        person(if self.percent(30) { self.1 } else { self.below(PEOPLE) })
    }

    /// One that can be linked, sometimes somebody's first.
    fn device(&mut self) -> DeviceKey {
        if self.percent(80) { device(self.below(DEVICES)) } else { self.person() }
    }

    /// Whoever writes: sometimes from a further device.
    fn author(&mut self) -> DeviceKey {
        if self.percent(self.2) { device(self.below(DEVICES)) } else { self.person() }
    }

    fn persons(&mut self) -> Vec<MemberId> {
        let several = if self.percent(20) { 2 } else { 1 };
        (0..several).map(|_| self.person().into()).collect::<BTreeSet<_>>().into_iter().collect()
    }

    fn channel(&mut self) -> Channel {
        if self.percent(60) { Channel::Council } else { Channel::Roll }
    }
}

fn person(n: u32) -> DeviceKey {
    DeviceKey([n as u8 + 1; 32])
}

fn code(n: u32) -> DeviceKey {
    DeviceKey([n as u8 + 100; 32])
}

fn device(n: u32) -> DeviceKey {
    DeviceKey([n as u8 + 50; 32])
}

/// What a history has to do with devices: often nothing.
fn device_act(dice: &mut Dice) -> Operation {
    let key = code(CODES + dice.below(DEVICE_CODES));
    let kind = dice.pick(&[DeviceCode::Link, DeviceCode::Link, DeviceCode::Recovery]);
    let device = dice.device();
    match dice.below(10) {
        0..3 => Operation::Invite { key, uses: 1 + dice.below(2) as u16, expires: 100, devices: kind },
        3..7 => Operation::Admit { device, invite: Some(key) },
        7 => Operation::Drop { device, phrase: Some(key) },
        8 => Operation::Drop { device, phrase: None },
        _ if dice.percent(50) => Operation::Expel { members: vec![device.into()], channel: Channel::Council },
        _ => Operation::Demote { members: vec![device.into()], channel: Channel::Council },
    }
}

/// Ids don't follow the order of the acts.
fn name(dice: &mut Dice) -> EntryId {
    let mut id = [0; 32];
    dice.0.fill_bytes(&mut id);
    EntryId(id)
}

fn founding(dice: &mut Dice) -> Founding {
    let council = [1, 3, 3, 3, 4, 4, 5][dice.below(7) as usize];
    let members = council + dice.below(2);
    let roll: BTreeSet<MemberId> =
        (0..members).filter(|_| dice.percent(80)).map(|n| person(n).into()).collect();
    Founding {
        council: (0..council).map(|n| person(n).into()).collect(),
        members: (0..members).map(|n| person(n).into()).collect(),
        roll,
        rules: Rules {
            admit: [0, 1, 1, 2, 3][dice.below(5) as usize],
            few: 1 + dice.below(2),
            ..Rules::DRAFT
        },
    }
}

/// What the author of the next act knows, and on which side he is: two sides part after a while and know
/// little of one another. Some know what an author knew long ago, or what a forked log shows.
fn known(acts: &[Written], sides: &[u32], parted: usize, dice: &mut Dice) -> (BTreeSet<EntryId>, u32) {
    let side = dice.below(2);
    let (seen, chance, sided) = match dice.below(100) {
        0..40 => (acts.len(), 100, false),
        40..80 => (acts.len(), 100, true),
        80..90 => (dice.below(acts.len() as u32 + 1) as usize, 100, false),
        _ => (acts.len(), 20 + dice.below(80), false),
    };
    let mut known = BTreeSet::new();
    for (at, (id, _, past, _)) in acts.iter().enumerate().take(seen) {
        if (at < parted || !sided || sides.get(at) == Some(&side)) && dice.percent(chance) {
            known.insert(*id);
            known.extend(past);
        }
    }
    (known, side)
}

/// What somebody might do who knows these acts.
fn act(acts: &[Written], known: &BTreeSet<EntryId>, dice: &mut Dice) -> Operation {
    let of = |is: fn(&Operation) -> bool| {
        let known = acts.iter().filter(|act| known.contains(&act.0) && is(&act.3));
        known.map(|act| act.0).collect::<Vec<_>>()
    };
    if dice.percent(dice.2) {
        return device_act(dice);
    }
    let device = dice.person();
    let members = dice.persons();
    let channel = dice.channel();
    let key = code(dice.below(CODES));
    match dice.below(100) {
        0..8 => Operation::Admit { device, invite: None },
        8..18 => Operation::Admit { device, invite: Some(key) },
        18..22 => Operation::Invite { key, uses: 1 + dice.below(2) as u16, expires: 100, devices: None },
        22..24 => Operation::Revoke { key },
        24..28 => Operation::Remove { members },
        28 => Operation::Leave,
        29 => Operation::Resign,
        30..36 => Operation::Expel { members, channel },
        36..39 => Operation::Demote { members, channel },
        39..45 => Operation::Promote { member: device.into(), channel },
        45..48 => Operation::Enrol { members, channel },
        48..52 => {
            let parameter = dice.pick(&Parameter::ALL).unwrap();
            let value = if parameter == Parameter::Few { 1 + dice.below(2) } else { dice.below(4) };
            Operation::Rule { parameter, value, channel }
        }
        52..54 => match dice.pick(&of(|operation| operation.channel().is_some())) {
            Some(act) => Operation::Dismiss { act },
            None => Operation::Invite { key, uses: 1, expires: 100, devices: None },
        },
        _ => {
            let signable =
                of(|operation| operation.step() > 0 && !matches!(operation, Operation::Invite { .. }));
            // Of what is new more is signed.
            let recent = signable.len().saturating_sub(4);
            let act = if dice.percent(70) { dice.pick(&signable[recent..]) } else { dice.pick(&signable) };
            act.map_or(Operation::Admit { device, invite: None }, |act| Operation::Approve { act })
        }
    }
}

/// A history, judged from scratch as it is made: void acts are in nobody's past.
fn history(founding: Founding, dice: &mut Dice) -> (Vec<Written>, Plain) {
    let (mut acts, mut sides) = (Vec::new(), Vec::new());
    let mut plain = Plain::new(founding);
    let length = if dice.percent(10) { 60 } else { 6 + dice.below(25) };
    let parted = dice.below(length) as usize;
    for _ in 0..length * 5 {
        let (past, side) = known(&acts, &sides, parted, dice);
        let (id, author, operation) = (name(dice), dice.author(), act(&acts, &past, dice));
        let written = (id, author, past, operation);
        let (id, author, past, operation) = &written;
        if plain.add(*id, *author, past, operation).is_ok() {
            acts.push(written);
            sides.push(side);
        }
        if acts.len() == length as usize {
            break;
        }
    }
    (acts, plain)
}

/// V(e) of each act, and V of those so far after each or after the last, in one order of arrival.
fn follow(acts: &[Written], plain: &mut Plain, each: bool, seed: u64) {
    let mut group = Group::new(plain.membership.founding.clone());
    let mut here = BTreeSet::new();
    for (count, (id, author, past, operation)) in acts.iter().enumerate() {
        assert_eq!(group.add(*id, *author, past, operation.clone()), Ok(()), "seed {seed}, act {count}");
        let [mine, theirs] = [&group.membership, &plain.membership].map(|group| group.act(id).unwrap());
        assert_eq!(mine.then, theirs.then, "seed {seed}, V of act {count}, {operation:?}");
        here.insert(*id);
        if each || count + 1 == acts.len() {
            assert_eq!(group.view(), *plain.view(&here).1, "seed {seed}, after act {count}, {operation:?}");
        }
    }
    let Membership { all, acts, view, views, .. } = &group.membership;
    let numbers: Vec<u32> = acts.iter().map(|act| act.number).collect();
    let at_once = advance(&group.membership, all, &views[&OpState::default()], &numbers);
    assert_eq!(**view, at_once, "seed {seed}, all acts in one step");
}

/// How many histories had something to do with devices.
#[derive(Debug, Default)]
struct Met {
    linked: u32,
    fallen: u32,
    signed: u32,
    struck: u32,
}

impl Met {
    fn note(&mut self, acts: &[Written], plain: &mut Plain) {
        let (_, view) = plain.view(&acts.iter().map(|act| act.0).collect());
        let read: Vec<&Act> = plain.membership.acts.iter().collect();
        let any = |is: &dyn Fn(&Act) -> bool| u32::from(read.iter().any(|act| is(act)));
        self.linked += u32::from(!view.linked.is_empty());
        self.fallen += any(&|act| act.link.is_some() && view.fell.contains(&act.id));
        self.signed += any(&|act| act.signs.is_some() && act.further_device().is_some());
        let struck =
            |device: DeviceKey| view.linked.contains_key(&device) && view.is_expelled(&device.into());
        self.struck += u32::from((0..DEVICES).map(device).any(struck));
    }
}

#[test]
fn i11_act_by_act_is_as_from_scratch_in_any_order() {
    let asked: Option<u64> = std::env::var("PIQUET_HISTORIES").ok().and_then(|asked| asked.parse().ok());
    let (histories, orders) = asked.map_or((HISTORIES, 1), |asked| (asked, 3));
    let mut met = Met::default();
    for seed in 0..histories {
        let mut dice = Dice::new(seed);
        let founding = founding(&mut dice);
        let (acts, mut plain) = history(founding, &mut dice);
        met.note(&acts, &mut plain);
        follow(&acts, &mut plain, true, seed);
        for order in 0..orders {
            follow(&reordered(&acts, seed ^ order << 40), &mut plain, false, seed);
        }
    }
    let Met { linked, fallen, signed, struck } = met;
    assert!([linked, fallen, signed, struck].into_iter().all(|count| count > 0), "{met:?}");
}
