//! What judging membership acts costs: a whole history, and one act more.
//!
//! `cargo bench -p piquet-protocol`; goals: 100,000 acts of 1,000 members in 5 s, and one act more at the
//! same cost whatever the number of acts and members.

// A bench that can't measure fails loudly.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use piquet_protocol::group::membership::{
    Channel, Founding, Membership, OpState, OpStates, Operation, Rules,
};
use piquet_protocol::id::{DeviceKey, EntryId, MemberId};

const COUNCIL: u32 = 5;
/// Acts from which the cost of one more is told.
const MORE: usize = 500;

fn main() {
    println!(
        "{:>8} {:>8} {:>10} {:>12} {:>12} {:>10}",
        "members", "acts", "all", "one more", "p99", "memory"
    );
    for acts in [1000, 3000, 10_000, 30_000, 100_000] {
        measure(1000, acts);
    }
    for members in [100, 10_000] {
        measure(members, 10_000);
    }
}

/// Loads a history, then adds some acts more, one by one.
fn measure(members: u32, acts: usize) {
    let history = History::new(members).write(acts + MORE);
    let before = resident();
    let mut group = Group::new(members);
    let start = Instant::now();
    for act in &history[..acts] {
        group.add(act);
    }
    let all = start.elapsed();
    assert!(group.void * 50 < acts, "{} of {acts} acts are void", group.void);
    let memory = resident().saturating_sub(before) / acts;
    let mut more: Vec<Duration> = Vec::new();
    for act in &history[acts..] {
        let start = Instant::now();
        group.add(act);
        more.push(start.elapsed());
    }
    let mean = more.iter().sum::<Duration>() / u32::try_from(more.len()).unwrap();
    more.sort_unstable();
    let p99 = more[more.len() * 99 / 100];
    println!(
        "{members:>8} {acts:>8} {:>8.2} s {:>9.1} µs {:>9.1} µs {memory:>8} B",
        all.as_secs_f64(),
        us(mean),
        us(p99)
    );
}

fn us(span: Duration) -> f64 {
    span.as_secs_f64() * 1e6
}

/// Bytes of memory in use, where the system tells.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    status.split_whitespace().nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or(0) * 4096
}

fn person(n: u32) -> DeviceKey {
    let mut key = [0; 32];
    key[..4].copy_from_slice(&n.wrapping_mul(0x9E37_79B1).to_be_bytes());
    key[4..8].copy_from_slice(&n.to_be_bytes());
    DeviceKey(key)
}

/// A history's act, as signed entries would bring it.
struct Act {
    id: EntryId,
    author: DeviceKey,
    /// The newest acts its author knew, by place.
    parents: Vec<usize>,
    operation: Operation,
}

/// A group as a node keeps it.
struct Group {
    membership: Membership,
    states: OpStates,
    /// What who knows an act knows.
    known: Vec<OpState>,
    void: usize,
}

impl Group {
    fn new(members: u32) -> Self {
        let of = |n: u32| (0..n).map(|n| MemberId::from(person(n))).collect::<BTreeSet<_>>();
        let rules = Rules { admit: 1, ..Rules::DRAFT };
        let founding = Founding { council: of(COUNCIL), members: of(members), roll: of(COUNCIL), rules };
        Self {
            membership: Membership::founded(founding),
            states: OpStates::default(),
            known: Vec::new(),
            void: 0,
        }
    }

    fn add(&mut self, act: &Act) {
        let parents = act.parents.iter().map(|at| self.known[*at]).collect();
        let past = self.states.union(&parents, &[]);
        let added = self.membership.add(act.id, act.author, past, act.operation.clone(), &mut self.states);
        // Whoever came in by somebody whom others put out meanwhile may do nothing.
        self.void += usize::from(added.is_err());
        let own = added.map_or(vec![], |()| vec![act.id]);
        self.known.push(self.states.union(&BTreeSet::from([past]), &own));
    }
}

/// Writes the acts of a group whose members come and go; one in twenty is blind to some before it.
struct History {
    dice: u64,
    acts: Vec<Act>,
    /// Acts that no other knows yet.
    heads: Vec<usize>,
    /// Who is in, key-holders left out; who was removed; how many were ever in.
    members: Vec<u32>,
    removed: Vec<u32>,
    people: u32,
    most: usize,
    /// Open codes and how often they will be used still.
    codes: BTreeMap<DeviceKey, u16>,
}

impl History {
    fn new(members: u32) -> Self {
        Self {
            dice: 1,
            acts: Vec::new(),
            heads: Vec::new(),
            members: (COUNCIL..members).collect(),
            removed: Vec::new(),
            people: members,
            most: members as usize,
            codes: BTreeMap::new(),
        }
    }

    fn write(mut self, acts: usize) -> Vec<Act> {
        while self.acts.len() < acts {
            match self.below(100) {
                0..5 => self.blind(),
                5..65 if self.members.len() < self.most => self.admission(),
                5..65 => self.removal(),
                65..73 => self.expulsion(),
                73..76 => self.enrolment(),
                76..82 => self.invite(),
                82..84 => self.revocation(),
                84..92 => self.removal(),
                _ => self.leaving(),
            }
        }
        self.acts
    }

    fn below(&mut self, bound: usize) -> usize {
        self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.dice >> 33) as usize % bound.max(1)
    }

    fn push(&mut self, author: u32, parents: Vec<usize>, operation: Operation) -> EntryId {
        let mut id = [0; 32];
        for bytes in id.chunks_mut(4) {
            bytes.copy_from_slice(&u32::try_from(self.below(1 << 31)).unwrap().to_be_bytes());
        }
        self.acts.push(Act { id: EntryId(id), author: person(author), parents, operation });
        EntryId(id)
    }

    /// An act that knows all before it.
    fn act(&mut self, author: u32, operation: Operation) -> EntryId {
        let parents = std::mem::replace(&mut self.heads, vec![self.acts.len()]);
        self.push(author, parents, operation)
    }

    fn keyholder(&mut self) -> u32 {
        u32::try_from(self.below(COUNCIL as usize)).unwrap()
    }

    /// Takes somebody out of a list.
    fn someone(&mut self, removed: bool) -> Option<u32> {
        let length = if removed { self.removed.len() } else { self.members.len() };
        let at = self.below(length);
        let list = if removed { &mut self.removed } else { &mut self.members };
        (length > 0).then(|| list.swap_remove(at))
    }

    fn newcomer(&mut self) -> u32 {
        self.people += 1;
        self.people - 1
    }

    /// By a key-holder, by any member, or by a code; half of those who come were in before.
    fn admission(&mut self) {
        let back = self.below(2) == 0;
        let code = self.codes.keys().next().copied().filter(|_| !back);
        let author = match self.below(2) {
            0 if !back && !self.members.is_empty() => {
                let at = self.below(self.members.len());
                self.members[at]
            }
            _ => self.keyholder(),
        };
        let whom = if back { self.someone(true) } else { None };
        let whom = whom.unwrap_or_else(|| self.newcomer());
        if let Some(uses) = code.and_then(|code| self.codes.get_mut(&code)) {
            *uses -= 1;
        }
        self.codes.retain(|_, uses| *uses > 0);
        self.members.push(whom);
        self.act(author, Operation::Admit { device: person(whom), invite: code });
    }

    fn removal(&mut self) {
        let Some(whom) = self.someone(false) else { return };
        self.removed.push(whom);
        let author = self.keyholder();
        self.act(author, Operation::Remove { members: vec![person(whom).into()] });
    }

    /// Three of five key-holders sign.
    fn decide(&mut self, operation: Operation) {
        let first = self.keyholder();
        let act = self.act(first, operation);
        for next in 1..3 {
            self.act((first + next) % COUNCIL, Operation::Approve { act });
        }
    }

    fn expulsion(&mut self) {
        let Some(whom) = self.someone(false) else { return };
        self.decide(Operation::Expel { members: vec![person(whom).into()], channel: Channel::Council });
    }

    fn enrolment(&mut self) {
        let at = self.below(self.members.len());
        let Some(whom) = self.members.get(at).copied() else { return };
        self.decide(Operation::Enrol { members: vec![person(whom).into()], channel: Channel::Council });
    }

    fn invite(&mut self) {
        let key = person(u32::MAX - u32::try_from(self.acts.len()).unwrap());
        self.codes.insert(key, 20);
        let author = self.keyholder();
        self.act(author, Operation::Invite { key, uses: 30, expires: u32::MAX, devices: None });
    }

    fn revocation(&mut self) {
        let Some((key, _)) = self.codes.pop_first() else { return };
        let author = self.keyholder();
        self.act(author, Operation::Revoke { key });
    }

    fn leaving(&mut self) {
        let Some(whom) = self.someone(false) else { return };
        self.removed.push(whom);
        self.act(whom, Operation::Leave);
    }

    /// Somebody who does not know up to a hundred acts before admits or removes.
    fn blind(&mut self) {
        let author = self.keyholder();
        let Some(known) = self.acts.len().checked_sub(2 + self.below(100)) else { return };
        let operation = if self.below(2) == 0 {
            let whom = self.newcomer();
            Operation::Admit { device: person(whom), invite: None }
        } else {
            let Some(whom) = self.someone(false) else { return };
            Operation::Remove { members: vec![person(whom).into()] }
        };
        self.heads.push(self.acts.len());
        self.push(author, vec![known], operation);
    }
}
