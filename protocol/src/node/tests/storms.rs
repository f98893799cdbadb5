//! Everything at once, from seeds: people talk, file, come, go and are put out while nodes crash,
//! disks fill, connections break and the network falls apart; then it heals, and what must hold is
//! checked against what people saw acknowledged.

use super::*;
use crate::sim::SeededRng;

const FOUNDERS: usize = 5;

struct Storm {
    rng: SeededRng,
    sim: Sim,
    group: GroupId,
    /// Texts acknowledged on their author's screen.
    said: Vec<(usize, String)>,
    /// Texts by somebody who knew that a laptop's person was out.
    withheld: Vec<(usize, String)>,
    /// Laptops whose person was put out or left.
    out: BTreeMap<usize, MemberId>,
    full: BTreeSet<usize>,
    count: usize,
}

impl Storm {
    fn new(seed: u64) -> Self {
        let (sim, group) = picket(seed, FOUNDERS);
        let (said, withheld, out, full) = Default::default();
        Self { rng: SeededRng::new(seed), sim, group, said, withheld, out, full, count: 0 }
    }

    fn pick(&mut self, below: usize) -> usize {
        self.rng.below(below as u64) as usize
    }

    fn laptops(&mut self) -> usize {
        self.sim.laptops()
    }

    fn is_on(&mut self, laptop: usize) -> bool {
        self.sim.laptop(laptop).node.is_some()
    }

    /// A laptop that is on and in the group.
    fn somebody(&mut self) -> Option<usize> {
        let all = self.laptops();
        let laptop = self.pick(all);
        let group = self.group;
        let in_group = |node: &Node<_>| node.group(&group).is_some_and(|replica| replica.frozen().is_none());
        self.sim.laptop(laptop).node.as_ref().is_some_and(in_group).then_some(laptop)
    }

    fn say(&mut self) {
        let (Some(laptop), group) = (self.somebody(), self.group) else { return };
        self.count += 1;
        let text = format!("{} from {laptop}", self.count);
        // While a group is re-keyed, or a disk is full, the person is told so: nothing acknowledged.
        let _ = self.sim.act(laptop, |node, now| node.send(group, &text, now));
        if !texts(&mut self.sim, laptop, group).contains(&text) {
            return;
        }
        let roster = self.sim.laptop(laptop).node.as_ref().unwrap().group(&group).unwrap().view().clone();
        for (gone, person) in self.out.clone() {
            if !roster.members.contains_key(&person) {
                self.withheld.push((gone, text.clone()));
            }
        }
        self.said.push((laptop, text));
    }

    fn file(&mut self) {
        let (Some(laptop), group) = (self.somebody(), self.group) else { return };
        let _ = self.sim.act(laptop, |node, now| node.file_grievance(group, &grievance(), now));
    }

    fn back(&mut self) {
        let (Some(laptop), group) = (self.somebody(), self.group) else { return };
        let first =
            board_of(&mut self.sim, laptop, group, |board| board.grievances().next().map(|(id, _)| *id));
        if let Some(grievance) = first {
            let body = Support { grievance, kind: SupportKind::Witness };
            let _ = self.sim.act(laptop, |node, now| node.support(group, &body, now));
        }
    }

    fn call(&mut self) {
        let (plan, group) = (plan(&self.sim, 30), self.group);
        if self.is_on(0) {
            let _ = self.sim.act(0, |node, now| node.call_strike(group, plan, now));
        }
    }

    fn invite(&mut self) {
        let group = self.group;
        if !self.is_on(0) || self.laptops() > FOUNDERS + 2 {
            return;
        }
        let expires = self.sim.now().after(Duration::from_secs(7 * 86_400));
        let Ok(invite) = self.sim.act(0, |node, now| node.invite(group, 1, expires, now)) else { return };
        let newcomer = self.sim.add();
        join(&mut self.sim, newcomer, &invite.code.unwrap(), "newcomer");
    }

    fn put_out(&mut self) {
        let (Some(laptop), group) = (self.somebody(), self.group) else { return };
        if laptop == 0 || !self.is_on(0) || self.out.len() == 2 {
            return;
        }
        let person = member(&mut self.sim, laptop, group);
        if self.sim.act(0, |node, now| node.remove(group, person, now)).is_ok() {
            self.out.insert(laptop, person);
        }
    }

    fn leave(&mut self) {
        let (Some(laptop), group) = (self.somebody(), self.group) else { return };
        if laptop == 0 || self.full.contains(&laptop) || self.out.len() == 2 {
            return;
        }
        let person = member(&mut self.sim, laptop, group);
        if self.sim.act(laptop, |node, now| node.leave(group, now)).is_ok() {
            self.out.insert(laptop, person);
        }
    }

    fn switch(&mut self) {
        let all = self.laptops();
        let laptop = self.pick(all);
        if !self.is_on(laptop) {
            return self.sim.start(laptop);
        }
        self.sim.crash(laptop);
        let full = self.pick(3) == 0;
        self.sim.fill_disk(laptop, full);
        if full {
            self.full.insert(laptop)
        } else {
            self.full.remove(&laptop)
        };
    }

    fn cut(&mut self) {
        let all = self.laptops();
        let (left, right): (Vec<usize>, Vec<usize>) = (0..all).partition(|_| self.pick(2) == 0);
        let cut = self.pick(2) == 0;
        self.sim.partition(&left, &right, cut);
        self.sim.breaks = if cut { 30 } else { 0 };
    }

    fn step(&mut self) {
        match self.pick(24) {
            0..=8 => self.say(),
            9..=11 => self.file(),
            12..=14 => self.back(),
            15 => self.call(),
            16 => self.invite(),
            17 => self.put_out(),
            18 => self.leave(),
            19 | 20 => self.switch(),
            21 | 22 => self.cut(),
            _ => {
                // Over a week everybody who is there renews keys (K-14).
                let span = if self.pick(24) == 0 { 9 * 86_400 } else { self.rng.below(60) };
                self.sim.run_for(Duration::from_secs(span));
            }
        }
        for _ in 0..self.rng.below(40) {
            self.sim.step();
        }
    }

    fn heal(&mut self) {
        let all: Vec<usize> = (0..self.laptops()).collect();
        self.sim.breaks = 0;
        self.sim.partition(&all, &all, false);
        for laptop in all {
            self.sim.crash(laptop);
            self.sim.fill_disk(laptop, false);
            self.sim.start(laptop);
        }
    }

    /// Laptops whose people are in by the founder's roster.
    fn inside(&mut self) -> Vec<usize> {
        let group = self.group;
        let roster = self.sim.laptop(0).node.as_ref().unwrap().group(&group).unwrap().view().clone();
        let is_in = |storm: &mut Self, laptop: &usize| {
            let node = storm.sim.laptop(*laptop).node.as_ref().unwrap();
            node.group(&group).is_some_and(|replica| roster.members.contains_key(&replica.member()))
        };
        (0..self.laptops()).filter(|laptop| is_in(self, laptop)).collect()
    }

    fn state(&mut self, laptop: usize) -> impl PartialEq + std::fmt::Debug + use<> {
        let group = self.group;
        let replica = self.sim.laptop(laptop).node.as_ref().unwrap().group(&group).unwrap();
        let board = replica.board();
        let grievances: Vec<_> = board.grievances().map(|(id, _)| (*id, board.support_of(id))).collect();
        let calls: Vec<_> = board.calls().map(|(id, call)| (id, call.version)).collect();
        (replica.head(), replica.is_clean(), replica.view().roster(), grievances, calls)
    }

    /// Those who were in from the start and stayed.
    fn loyal(&mut self) -> Vec<usize> {
        self.inside().into_iter().filter(|laptop| *laptop < FOUNDERS).collect()
    }

    fn agree(&mut self) -> bool {
        let (inside, group) = (self.inside(), self.group);
        let roster = {
            let replica = self.sim.laptop(0).node.as_ref().unwrap().group(&group).unwrap();
            replica.view().members.len()
        };
        let first = self.state(0);
        let loyal = self.loyal();
        let shown = texts(&mut self.sim, 0, group);
        inside.len() == roster
            && loyal.iter().all(|laptop| self.state(*laptop) == first)
            && loyal.iter().all(|laptop| texts(&mut self.sim, *laptop, group) == shown)
    }
}

/// A few, or those from `PIQUET_STORMS` ("2000-2999") for a long run.
fn seeds() -> std::ops::RangeInclusive<u64> {
    let wanted = std::env::var("PIQUET_STORMS").ok();
    let ends = wanted.as_deref().and_then(|ends| ends.split_once('-'));
    let number = |text: &str| text.parse::<u64>().unwrap();
    ends.map_or(1000..=1007, |(first, last)| number(first)..=number(last))
}

#[test]
fn after_any_storm_everybody_agrees_and_nothing_acknowledged_is_lost() {
    let mut said = 0;
    for seed in seeds() {
        let mut storm = Storm::new(seed);
        for _ in 0..60 {
            storm.step();
        }
        storm.heal();
        let end = storm.sim.now().after(180 * MINUTE);
        while !storm.agree() {
            assert!(storm.sim.now() < end, "seed {seed}: {:?}", storm.inside());
            storm.sim.run_for(MINUTE);
        }
        let (group, loyal) = (storm.group, storm.loyal());
        for (author, text) in storm.said.clone() {
            for laptop in loyal.iter().filter(|_| loyal.contains(&author)) {
                assert!(
                    texts(&mut storm.sim, *laptop, group).contains(&text),
                    "seed {seed}: {laptop} lacks {text}"
                );
            }
        }
        for (laptop, text) in storm.withheld.clone() {
            assert!(
                !texts(&mut storm.sim, laptop, group).contains(&text),
                "seed {seed}: {laptop} reads {text}"
            );
        }
        for laptop in 0..storm.laptops() {
            let equivocates =
                |(_, event): &(GroupId, Event)| matches!(event, Event::Equivocation(_) | Event::RolledBack);
            assert!(!storm.sim.laptop(laptop).events.iter().any(equivocates), "seed {seed}");
        }
        said += storm.said.len();
    }
    assert!(said > 8 * seeds().count(), "the runs do what they are meant to: {said}");
}
