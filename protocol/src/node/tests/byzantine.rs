//! Hostile members, from seeds: one or two of a founded group sign twice for one place, act from the past, cite what
//! there is not, commit what nobody decided, poison keys, flood and withhold, with the keys that they really have, while
//! the others decide, fall apart and crash as they do without them. What must hold is looked at after every step; in
//! the end the honest ones are one group.

mod keys;
mod liar;
mod watch;

use self::liar::{DEEDS, Liar};
use self::watch::Watch;
use super::splits::{COUNCIL, FOUNDERS, Split, seeds};
use super::*;
use crate::group::membership::{Channel, Operation};
use crate::node::{Decision, Matter, ProposalView};

const STEPS: usize = 120;
/// How much each of them does of what could be done.
const TEMPER: u64 = 7;
const DAY: i64 = 86_400_000;

/// What one of the hostile members does; true if it came to that.
type Deed = fn(&mut Siege, usize) -> bool;

struct Siege {
    seed: u64,
    split: Split,
    liars: Vec<Liar>,
    watch: Watch,
}

impl Siege {
    fn new(seed: u64) -> Self {
        let mut split = Split::new(seed, false, None);
        let watch = Watch::new(&mut split);
        // No majority of the council: one of it at most, or two that hold no keys.
        let first = split.rng.below(FOUNDERS as u64) as usize;
        let second = COUNCIL + split.rng.below((FOUNDERS - COUNCIL) as u64) as usize;
        split.hostile = if split.rng.below(2) == 0 { [first].into() } else { [first, second].into() };
        let tempers = [temper(seed), temper(split.rng.below(1 << 20))];
        let liars =
            split.hostile.iter().zip(tempers).map(|(laptop, temper)| Liar::new(*laptop, temper)).collect();
        Self { seed, split, liars, watch }
    }

    fn chance(&mut self, of: u64) -> bool {
        self.split.rng.below(of) == 0
    }

    fn step(&mut self, number: usize) {
        match self.split.rng.below(6) {
            0..=1 => self.split.step(),
            2 => self.honest_or_odd(),
            _ => self.deed(),
        }
        self.look(&format!("step {number}"));
        let pause = self.split.rng.below(10_000);
        self.split.sim.run_for(Duration::from_millis(pause));
        self.look(&format!("after step {number}"));
    }

    fn look(&mut self, when: &str) {
        let when = format!("seed {}, {when}", self.seed);
        self.watch.look(&mut self.split, &when);
    }

    fn deed(&mut self) {
        let liar = self.split.rng.below(self.liars.len() as u64) as usize;
        let temper = self.liars[liar].temper.clone();
        let Some((name, deed)) = self.split.one_of(&temper).map(|at| DEEDS[at]) else { return };
        if self.is_up(liar) {
            let done = deed(self, liar);
            self.split.did(name, done);
        }
    }

    /// What honest people do about it, and what the world does to everybody.
    fn honest_or_odd(&mut self) {
        let laptop = self.split.rng.below(self.split.sim.laptops() as u64) as usize;
        match self.split.rng.below(4) {
            0 => {
                let most = if self.split.hostile.contains(&laptop) { 400 * DAY } else { DAY / 24 };
                let ahead = self.split.rng.below(2 * most as u64) as i64 - most;
                self.split.sim.set_clock(laptop, ahead);
            }
            1..=2 => {
                let other = self.split.rng.below(self.split.sim.laptops() as u64) as usize;
                self.split.sim.one_way.insert((laptop, other));
            }
            _ => self.accuse(),
        }
    }

    /// An honest key-holder proposes to put one of the hostile out.
    fn accuse(&mut self) {
        let (inside, group) = (self.split.inside(), self.split.group);
        let honest: Vec<usize> = inside.into_iter().filter(|l| !self.split.hostile.contains(l)).collect();
        let liar = self.split.rng.below(self.liars.len() as u64) as usize;
        let Some(laptop) = self.split.one_of(&honest) else { return };
        if self.chance(2) {
            return self.convict(laptop);
        }
        if self.is_up(liar) {
            let person = self.split.replica(self.liars[liar].laptop).member();
            let expel = Decision::Expel(vec![person]);
            let act = |node: &mut Node<_>, now| node.propose(group, &expel, Channel::Council, now).is_ok();
            let done = self.split.sim.act(laptop, act);
            self.split.did("accused", done);
        }
    }

    /// Signs what is proposed against the hostile.
    fn convict(&mut self, laptop: usize) {
        let up: Vec<usize> = (0..self.liars.len()).filter(|liar| self.is_up(*liar)).collect();
        let persons: Vec<MemberId> =
            up.into_iter().map(|liar| self.split.replica(self.liars[liar].laptop).member()).collect();
        let group = self.split.group;
        let against = |view: &ProposalView| match &view.matter {
            Matter::Act(Operation::Expel { members, .. }) => {
                view.waits_for_me && members.iter().any(|member| persons.contains(member))
            }
            _ => false,
        };
        let open = self.split.sim.laptop(laptop).node.as_ref().unwrap().proposals(&group).unwrap_or_default();
        if let Some(view) = open.into_iter().find(against) {
            let act = view.act;
            let done = self.split.sim.act(laptop, |node, now| node.approve(group, act, now)).is_ok();
            self.split.did("convicted", done);
        }
    }

    /// What honest laptops noticed of it.
    fn noticed(&mut self) {
        for laptop in
            (0..self.split.sim.laptops()).filter(|l| !self.split.hostile.contains(l)).collect::<Vec<_>>()
        {
            let events = std::mem::take(&mut self.split.sim.laptop(laptop).events);
            for (_, event) in events {
                self.split.did("fork seen", matches!(event, Event::Equivocation(_)));
                self.split.did("new keys seen", matches!(event, Event::Rekeyed(_)));
                self.split.did("rejected", matches!(event, Event::Rejected(_)));
            }
        }
    }

    fn end(&mut self) {
        self.split.sim.one_way.clear();
        for laptop in (0..self.split.sim.laptops()).filter(|l| !self.split.hostile.contains(l)) {
            self.split.sim.set_clock(laptop, 0);
        }
        self.split.mend();
        self.look("mended");
        self.split.check(self.seed);
        self.look("at the end");
    }
}

/// What somebody does of all that could be done: any few seeds in a row have all of it.
fn temper(seed: u64) -> Vec<usize> {
    let all = DEEDS.len() as u64;
    let stride = 1 + seed / all % (all - 1);
    (0..TEMPER).map(|part| ((seed * TEMPER + part) * stride % all) as usize).collect()
}

#[test]
fn whatever_hostile_members_do_the_honest_ones_lose_nothing_and_end_as_one() {
    let mut done: BTreeMap<&str, usize> = BTreeMap::new();
    for seed in seeds() {
        let mut siege = Siege::new(seed);
        for number in 0..STEPS {
            siege.step(number);
        }
        siege.end();
        siege.noticed();
        siege.split.done.into_iter().for_each(|(what, often)| *done.entry(what).or_default() += often);
    }
    println!("{done:?}");
    let never: Vec<&str> =
        DEEDS.iter().map(|(name, _)| *name).filter(|name| !done.contains_key(name)).collect();
    // Whether there is an occasion for each depends on ids, which no seed fixes.
    let may_lack = match seeds().count() {
        1 => DEEDS.len(),
        2..10 => DEEDS.len() / 4,
        _ => 0,
    };
    assert!(never.len() <= may_lack, "{never:?} of {done:?}");
}
