//! Every order in which entries reach honest nodes and these write, by depth-first search. What one node
//! makes of one step is asked of the real code once and remembered; a state of the whole is then a number a node.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::node::{Key, Lacking, Node, Say, Written};
use super::script::Script;
use crate::group::membership::View;
use crate::id::EntryId;

/// Most honest nodes.
const NODES: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    /// Takes the entry of this number.
    Take(usize),
    /// Writes what it owes.
    Settle,
    /// Writes something of its own accord.
    Say(Say),
}

/// What must hold, and does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Broken {
    /// Honest nodes with the same entries have applied others, or see another group.
    Convergence,
    /// A verdict that stood on an honest node does not stand on all, nor was it dismissed.
    Verdict,
    /// Something applied is applied no more, or a verdict fell without a dismissal.
    Unapplied,
    /// Something of a branch counts that nobody else built on.
    Branch,
}

/// How much was explored.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Figures {
    pub(super) states: usize,
    pub(super) ends: usize,
    /// Orders of steps from the start to where nothing is left to do.
    pub(super) orders: f64,
    /// Ends where the verdict stands.
    pub(super) stands: usize,
    /// Ends where a branch beyond a fork counts.
    pub(super) drawn: usize,
}

struct Local {
    node: Node,
    view: View,
    applied: BTreeSet<EntryId>,
    stands: bool,
    closed: bool,
    /// Whether something beyond a fork counts, and whether nobody else built on some of that.
    draws: bool,
    unfounded: bool,
    /// Scripted entries it has.
    has: u64,
    own: Vec<usize>,
    steps: BTreeMap<Step, usize>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct State {
    nodes: [u32; NODES],
    /// Whether the verdict ever stood somewhere.
    stood: bool,
}

pub(super) struct Explorer<'a> {
    script: &'a Script,
    locals: Vec<Local>,
    numbers: BTreeMap<(usize, Key), usize>,
    entries: Vec<Written>,
    entry_numbers: BTreeMap<EntryId, usize>,
    seen: HashMap<State, f64>,
    trail: Vec<(usize, Step)>,
    broken: BTreeMap<Broken, String>,
    figures: Figures,
}

impl<'a> Explorer<'a> {
    /// Explores all of a script; gives what is broken, and by which steps.
    pub(super) fn explore(script: &'a Script, lacking: Lacking) -> (Figures, BTreeMap<Broken, String>) {
        let mut explorer = Self {
            script,
            locals: Vec::new(),
            numbers: BTreeMap::new(),
            entries: Vec::new(),
            entry_numbers: BTreeMap::new(),
            seen: HashMap::new(),
            trail: Vec::new(),
            broken: BTreeMap::new(),
            figures: Figures::default(),
        };
        for written in &script.entries {
            explorer.number_of(written);
        }
        let mut start = State { nodes: [0; NODES], stood: false };
        for (at, device) in script.honest.iter().enumerate() {
            let mut node = Node::new(*device, script.founding(), lacking);
            script.known.iter().for_each(|written| node.take(written));
            start.nodes[at] = explorer.intern(node) as u32;
        }
        let orders = explorer.visit(start);
        (Figures { orders, states: explorer.seen.len(), ..explorer.figures }, explorer.broken)
    }

    fn number_of(&mut self, written: &Written) -> usize {
        let next = self.entries.len();
        let number = *self.entry_numbers.entry(written.meta.id).or_insert(next);
        if number == next {
            self.entries.push(written.clone());
        }
        number
    }

    fn intern(&mut self, node: Node) -> usize {
        let at = self.script.honest.iter().position(|device| *device == node.me).unwrap();
        let key = (at, node.key());
        if let Some(number) = self.numbers.get(&key) {
            return *number;
        }
        let own = node.own.clone().iter().map(|written| self.number_of(written)).collect();
        let view = node.view();
        let scripted = self.script.entries.iter().enumerate();
        let has = scripted.filter(|(_, w)| node.has(&w.meta.id)).fold(0, |has, (at, _)| has | 1 << at);
        let (stands, closed) =
            (view.stands(&self.script.verdict), view.closed.contains(&self.script.verdict));
        let (applied, [draws, unfounded]) = (node.applied(), node.beyond_forks());
        let steps = BTreeMap::new();
        self.locals.push(Local { node, view, applied, stands, closed, draws, unfounded, has, own, steps });
        self.numbers.insert(key, self.locals.len() - 1);
        self.locals.len() - 1
    }

    /// What a step makes of a node; the node itself if nothing.
    fn step(&mut self, from: usize, step: Step) -> usize {
        if let Some(to) = self.locals[from].steps.get(&step) {
            return *to;
        }
        let mut node = self.locals[from].node.clone();
        match step {
            Step::Take(number) => node.take(&self.entries[number].clone()),
            Step::Settle => node.settle(),
            Step::Say(say) => node.say(say, self.script.verdict),
        }
        let to = self.intern(node);
        let (before, after) = (&self.locals[from], &self.locals[to]);
        let fell = before.stands && !after.stands && !after.closed;
        if fell || !before.applied.is_subset(&after.applied) {
            self.breaks(Broken::Unapplied);
        }
        self.locals[from].steps.insert(step, to);
        to
    }

    fn breaks(&mut self, broken: Broken) {
        let trail = format!("{:?}", self.trail);
        self.broken.entry(broken).or_insert(trail);
    }

    /// Explores all that may follow; gives the number of orders to where nothing is left.
    fn visit(&mut self, state: State) -> f64 {
        if let Some(orders) = self.seen.get(&state) {
            return *orders;
        }
        let (mut orders, mut at_rest) = (0.0, true);
        for (at, step, due) in self.moves(state) {
            let from = state.nodes[at] as usize;
            self.trail.push((at, step));
            let to = self.step(from, step);
            if to != from {
                at_rest &= !due;
                let mut next = state;
                next.nodes[at] = to as u32;
                next.stood |= self.locals[to].stands;
                orders += self.visit(next);
            }
            self.trail.pop();
        }
        if at_rest {
            self.check(state);
        }
        let orders = if orders == 0.0 { 1.0 } else { orders };
        self.seen.insert(state, orders);
        orders
    }

    fn nodes(&self, state: State) -> impl Iterator<Item = &Local> {
        state.nodes.into_iter().take(self.script.honest.len()).map(|number| &self.locals[number as usize])
    }

    /// All steps, and whether each is due: what somebody honest has reaches all others in the end, and
    /// what a node owes it writes; what the dishonest show to whom is up to them.
    fn moves(&self, state: State) -> Vec<(usize, Step, bool)> {
        let shared = self.nodes(state).fold(0, |all, local| all | local.has);
        let mut moves = Vec::new();
        for (at, local) in self.nodes(state).enumerate() {
            let scripted = (0..self.script.entries.len()).map(|number| (number, shared >> number & 1 == 1));
            let written = self.nodes(state).flat_map(|other| &other.own).map(|number| (*number, true));
            moves.extend(scripted.chain(written).map(|(number, due)| (at, Step::Take(number), due)));
            if local.node.owes_settling() {
                moves.push((at, Step::Settle, true));
            }
            let says = self.script.says.iter().filter(|(who, _)| *who == local.node.me).map(|(_, say)| *say);
            let would = |say: &Say| local.node.would_say(*say, self.script.verdict);
            moves.extend(says.filter(would).map(|say| (at, Step::Say(say), false)));
        }
        moves
    }

    fn check(&mut self, state: State) {
        let nodes: Vec<&Local> = self.nodes(state).collect();
        let alike = |pair: &[&Local]| pair[0].applied == pair[1].applied && pair[0].view == pair[1].view;
        let everywhere = nodes.iter().all(|local| local.stands || local.closed);
        let holds = [
            (Broken::Convergence, nodes.windows(2).all(alike)),
            (Broken::Verdict, everywhere || !state.stood),
            (Broken::Branch, !nodes.iter().any(|local| local.unfounded)),
        ];
        let (stands, draws) = (nodes[0].stands, nodes[0].draws);
        self.figures.ends += 1;
        self.figures.stands += usize::from(stands);
        self.figures.drawn += usize::from(draws);
        holds.iter().filter(|(_, holds)| !holds).for_each(|(broken, _)| self.breaks(*broken));
    }
}
