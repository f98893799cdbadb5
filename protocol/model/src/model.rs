//! States, steps, and what is asked of every state.

use std::fmt;
use std::sync::Arc;

use stateright::{Model, Property};

use crate::entry::{
    Commit, Derived, EVE, Entry, GENESIS, History, Id, NINA, Named, PERSONS, Person, What, honest, name,
    person,
};
use crate::property;
use crate::scope::{Scope, Wish};
use crate::set::Set;
use crate::tree::Tree;
use crate::variant::Variant;
use crate::view::{Judge, View, is_void};

/// Everything that was ever written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// The entries.
    pub history: History,
    /// How many of them were made blind to another.
    blind: usize,
    /// Which way ties go: see [`Tree::reversed`].
    pub reversed: bool,
    /// All that a node can hold, the whole last.
    holdings: Derived<Vec<Arc<Holding>>>,
}

/// A set of entries that holds the past of each.
#[derive(Debug)]
pub struct Holding {
    /// The set.
    pub set: Set,
    /// It in an order of arrival.
    pub arrival: Vec<Id>,
    /// V of it.
    pub view: Arc<View>,
}

impl State {
    fn first(reversed: bool) -> Self {
        let view = Arc::new(View::genesis());
        let nothing = Holding { set: Set::NONE, arrival: Vec::new(), view };
        let holdings = Derived(vec![Arc::new(nothing)]);
        Self { history: History::default(), blind: 0, reversed, holdings }
    }

    /// What a node can hold.
    pub fn holdings(&self) -> &[Arc<Holding>] {
        &self.holdings.0
    }

    /// All entries.
    pub fn whole(&self) -> &Holding {
        &self.holdings.0[self.holdings.0.len() - 1]
    }

    /// What somebody who holds a set sees.
    pub fn tree<'a>(&'a self, holding: &'a Holding, variant: Variant) -> Tree<'a> {
        let (set, view) = (holding.set, &*holding.view);
        Tree {
            history: &self.history,
            arrival: &holding.arrival,
            set,
            view,
            reversed: self.reversed,
            variant,
        }
    }

    /// The sets that hold the new entry, too.
    fn grow(&mut self, new: Id, past: Set, variant: Variant) {
        let grown: Vec<_> = self.holdings.0.iter().filter(|held| held.set.holds(past)).cloned().collect();
        for held in grown {
            let set = held.set.with(new);
            let mut arrival = held.arrival.clone();
            arrival.push(new);
            let judge = Judge { history: &self.history, arrival: &arrival, set, variant };
            let view = match self.history.get(new).is_act() {
                true => Arc::new(judge.view()),
                false => Arc::clone(&held.view),
            };
            self.holdings.0.push(Arc::new(Holding { set, arrival, view }));
        }
    }
}

/// Somebody who holds some of the entries makes another.
#[derive(Clone, PartialEq)]
pub struct Step {
    /// Who.
    pub by: Person,
    /// What it says.
    pub what: What,
    /// What he holds: all of it is cited.
    pub past: Set,
    /// Under which epoch it is sealed.
    pub epoch: Id,
    /// Whether there is more than he holds.
    blind: bool,
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} under {}: ", person(self.by), name(self.epoch))?;
        match self.what {
            What::Dismiss(act) => write!(f, "dismiss {}", name(act))?,
            What::Expel(who) => write!(f, "expel {}", person(who))?,
            What::Demote(who) => write!(f, "demote {}", person(who))?,
            What::Promote(who) => write!(f, "promote {}", person(who))?,
            What::Remove(who) => write!(f, "remove {}", person(who))?,
            What::Admit(who) => write!(f, "admit {}", person(who))?,
            What::Approve(act) => write!(f, "approve {}", name(act))?,
            What::Leave => write!(f, "leave")?,
            What::Merge => write!(f, "merge")?,
            What::Resync(epochs) => write!(f, "resync for {}", Named(epochs))?,
            What::Commit(commit) => {
                let leaves: Vec<_> = commit.leaves.iter().map(person).collect();
                write!(f, "commit of [{}], then leaves {}", Named(commit.operations), leaves.join(" "))?;
            }
        }
        if self.blind { write!(f, ", holding [{}]", Named(self.past)) } else { Ok(()) }
    }
}

impl Scope {
    /// All that can be done next by whoever holds this.
    fn offers(&self, state: &State, holding: &Holding, steps: &mut Vec<Step>) {
        let tree = state.tree(holding, self.variant);
        let blind = holding.set != state.whole().set;
        for by in 0..PERSONS as Person {
            let Some(epoch) = tree.head(by) else { continue };
            if !holding.set.holds(state.history.log(by)) || state.history.next(by).is_none() {
                continue;
            }
            let mut offer = |epoch, what| steps.push(Step { by, what, past: holding.set, epoch, blind });
            if let Some(commit) = tree.due(by) {
                offer(epoch, What::Commit(commit));
            }
            if let Some(resync) = tree.wish(by) {
                offer(epoch, resync);
            }
            self.wishes(state, &tree, by, epoch).into_iter().for_each(|(epoch, what)| offer(epoch, what));
        }
    }

    /// What somebody may decide to do.
    fn wishes(&self, state: &State, tree: &Tree<'_>, by: Person, head: Id) -> Vec<(Id, What)> {
        let acts = state.whole().set.iter().filter(|id| state.history.get(*id).is_act()).count();
        if acts >= self.acts {
            return Vec::new();
        }
        let mine = self.wishes.iter().filter(|(who, _)| *who == by);
        let all = mine.flat_map(|(_, wish)| wish_to_say(*wish, tree, by, head));
        all.filter(|(_, what)| {
            let fits = by == EVE || passes(*what) || tree.is_clean(head);
            let void = is_void(&state.history, by, *what, tree.set, tree.view, self.variant);
            fits && !void && !has_said(&state.history, by, *what)
        })
        .collect()
    }
}

fn wish_to_say(wish: Wish, tree: &Tree<'_>, by: Person, head: Id) -> Vec<(Id, What)> {
    let majority =
        |what| matches!(what, What::Expel(_) | What::Demote(_) | What::Promote(_) | What::Dismiss(_));
    let open = tree
        .set
        .iter()
        .filter(|id| majority(tree.history.get(*id).what) && tree.history.get(*id).author != by);
    match wish {
        Wish::Remove(who) => vec![(head, What::Remove(who))],
        Wish::Expel(who) => vec![(head, What::Expel(who))],
        Wish::Demote(who) => vec![(head, What::Demote(who))],
        Wish::Promote(who) => vec![(head, What::Promote(who))],
        Wish::Admit(who) => vec![(head, What::Admit(who))],
        Wish::Approve => open.map(|act| (head, What::Approve(act))).collect(),
        Wish::Dismiss => open.map(|act| (head, What::Dismiss(act))).collect(),
        Wish::Leave => vec![(head, What::Leave)],
        Wish::Merge => vec![(head, What::Merge)],
        Wish::Stray => {
            let held = tree.commits().chain([GENESIS]).filter(|epoch| tree.leaves(*epoch).has(by));
            held.map(|epoch| (epoch, What::Merge)).collect()
        }
        Wish::Smuggle => vec![(head, smuggled(tree, head))],
    }
}

fn smuggled(tree: &Tree<'_>, epoch: Id) -> What {
    let adds = Set::one(NINA);
    let leaves = tree.leaves(epoch).and(tree.view.members()) | adds;
    What::Commit(Commit { operations: Set::NONE, adds, leaves, path: tree.path(epoch), believed: false })
}

/// Whether the gate lets an act through under an epoch that is not clean (K-9).
fn passes(what: What) -> bool {
    !matches!(what, What::Admit(_) | What::Promote(_))
}

fn has_said(history: &History, by: Person, what: What) -> bool {
    history.log(by).iter().any(|id| match (history.get(id).what, what) {
        (What::Commit(one), What::Commit(other)) => one.operations == other.operations,
        (one, other) => one == other,
    })
}

impl Model for Scope {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![State::first(false), State::first(true)]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        for holding in state.holdings() {
            let blind = holding.set != state.whole().set;
            if !blind || state.blind < self.blind {
                self.offers(state, holding, steps);
            }
        }
    }

    fn next_state(&self, last: &State, step: Step) -> Option<State> {
        let id = last.history.next(step.by)?;
        let holding = last.holdings().iter().find(|holding| holding.set == step.past)?;
        let tree = last.tree(holding, self.variant);
        let mut what = step.what;
        if let What::Commit(commit) = &mut what {
            commit.believed = tree.believes(step.by, step.epoch, commit);
            commit.path = commit.path.with(id);
        }
        let view = Derived(Arc::clone(&holding.view));
        let mut next = last.clone();
        next.blind += usize::from(step.blind);
        next.history.push(Entry { author: step.by, what, past: step.past, epoch: step.epoch, view });
        next.grow(id, step.past, self.variant);
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        property::all()
    }
}

/// Those whose nodes can still do something: honest members with keys of an epoch, who hold everything.
pub fn awake(tree: &Tree<'_>) -> Vec<(Person, Id)> {
    let members = honest().and(tree.view.members()).iter();
    members.filter_map(|member| tree.head(member).map(|head| (member, head))).collect()
}

/// Whether somebody who holds everything has anything to do.
pub fn is_busy(tree: &Tree<'_>, member: Person) -> bool {
    tree.due(member).is_some() || tree.wish(member).is_some()
}
