//! Persons, entries, and the history that they are.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::set::Set;
use crate::view::View;

/// A member-to-be: one person, one device, one log.
pub type Person = u8;
/// A key-holder.
pub const ALICE: Person = 0;
/// A key-holder.
pub const BOB: Person = 1;
/// A key-holder.
pub const CARLA: Person = 2;
/// A member, and an informer: keeps every key she ever had, and obeys no gate.
pub const EVE: Person = 3;
/// No member at the start.
pub const NINA: Person = 4;
/// No member at the start.
pub const OMAR: Person = 5;
/// How many there are.
pub const PERSONS: usize = 6;

const NAMES: [&str; PERSONS] = ["alice", "bob", "carla", "eve", "nina", "omar"];

/// An entry, by author and place in the log; or genesis. The epoch that a commit makes has the commit's id (K-1).
pub type Id = u8;
/// Genesis, and the epoch that it makes.
pub const GENESIS: Id = 63;
/// How long a log may become.
pub const LONGEST: usize = 10;

/// The council at the start.
pub fn founders() -> Set {
    [ALICE, BOB, CARLA].into_iter().collect()
}

/// The members at the start, each with a leaf in the first epoch.
pub fn first_members() -> Set {
    founders().with(EVE)
}

/// Those whose nodes do what the specification says.
pub fn honest() -> Set {
    founders().with(NINA).with(OMAR)
}

/// What an entry says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum What {
    /// Closes an open majority act. Majority.
    Dismiss(Id),
    /// Majority.
    Expel(Person),
    /// Majority.
    Demote(Person),
    /// Majority; also admits.
    Promote(Person),
    /// One key-holder.
    Remove(Person),
    /// One member.
    Admit(Person),
    /// One more signature under an act.
    Approve(Id),
    /// Of its author.
    Leave,
    /// Says nothing; but where its author is.
    Merge,
    /// Asks for keys of these epochs (K-11).
    Resync(Set),
    /// Carries acts out.
    Commit(Commit),
}

/// A commit, sealed under its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Commit {
    /// The acts it cites to be carried out.
    pub operations: Set,
    /// Whom it gives a new leaf.
    pub adds: Set,
    /// Who has a leaf in the epoch that it makes.
    pub leaves: Set,
    /// The epochs from the first to its own.
    pub path: Set,
    /// Whether it passed what everybody checks (K-6, K-7, G-3, G-6, G-9).
    pub believed: bool,
}

/// A signed entry.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// Who signed it.
    pub author: Person,
    /// What it says.
    pub what: What,
    /// All that it cites, directly or not.
    pub past: Set,
    /// The epoch that it is sealed under.
    pub epoch: Id,
    /// V(entry).
    pub view: Derived<Arc<View>>,
}

impl Entry {
    /// Where its author is heard after it. *A maker posts `opened` right after a commit, under the new epoch (K-5).*
    pub fn voice(&self, id: Id) -> Id {
        match self.what {
            What::Commit(commit) if commit.believed => id,
            _ => self.epoch,
        }
    }

    /// The person whom it is about.
    pub fn target(&self) -> Option<Person> {
        match self.what {
            What::Expel(person)
            | What::Demote(person)
            | What::Promote(person)
            | What::Remove(person)
            | What::Admit(person) => Some(person),
            What::Leave => Some(self.author),
            _ => None,
        }
    }

    /// Whether it is an `expel` or a `demote`.
    pub fn is_verdict(&self) -> bool {
        matches!(self.what, What::Expel(_) | What::Demote(_))
    }

    /// Whether it puts somebody out of the group, if it stands.
    pub fn puts_out(&self) -> bool {
        matches!(self.what, What::Expel(_) | What::Remove(_) | What::Leave)
    }

    /// Whether it is what people decide by, and no node by itself.
    pub fn is_act(&self) -> bool {
        !matches!(self.what, What::Commit(_) | What::Resync(_))
    }
}

/// What follows from the rest of a state: it tells no two states apart.
#[derive(Clone, Debug)]
pub struct Derived<T>(pub T);

impl<T> PartialEq for Derived<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<T> Eq for Derived<T> {}

impl<T> Hash for Derived<T> {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

/// Every entry there is, whoever has got it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct History {
    logs: [Vec<Arc<Entry>>; PERSONS],
}

impl History {
    /// The id of an author's next entry, if there is room.
    pub fn next(&self, author: Person) -> Option<Id> {
        let length = self.logs[usize::from(author)].len();
        (length < LONGEST).then(|| id(author, length))
    }

    /// Appends to its author's log.
    pub fn push(&mut self, entry: Entry) {
        self.logs[usize::from(entry.author)].push(Arc::new(entry));
    }

    /// An entry of this history.
    pub fn get(&self, id: Id) -> &Entry {
        let id = usize::from(id);
        &self.logs[id / LONGEST][id % LONGEST]
    }

    /// All of its entries.
    pub fn all(&self) -> Set {
        (0..PERSONS as Person).map(|author| self.log(author)).fold(Set::NONE, |all, log| all | log)
    }

    /// All entries of one author.
    pub fn log(&self, author: Person) -> Set {
        (0..self.logs[usize::from(author)].len()).map(|place| id(author, place)).collect()
    }

    /// The newest entry of an author within a set.
    pub fn newest(&self, author: Person, set: Set) -> Option<Id> {
        self.log(author).and(set).iter().next_back()
    }

    /// Two orders in which the entries of a set may arrive: each after its past, and else each pair both ways.
    pub fn arrivals(&self, set: Set) -> [Vec<Id>; 2] {
        let first = self.arrival(set, |waiting| waiting.iter().next());
        let last = self.arrival(set, |waiting| waiting.iter().next_back());
        [first, last]
    }

    fn arrival(&self, set: Set, choose: impl Fn(Set) -> Option<Id>) -> Vec<Id> {
        let mut here = Set::NONE;
        let mut order = Vec::with_capacity(set.len());
        let free = |here: Set| set.without(here).iter().filter(|id| here.holds(self.get(*id).past)).collect();
        while let Some(next) = choose(free(here)) {
            here = here.with(next);
            order.push(next);
        }
        order
    }
}

fn id(author: Person, place: usize) -> Id {
    author * LONGEST as Id + place as Id
}

/// Names for people who read traces.
pub struct Named(pub Set);

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.0.iter().map(name).collect();
        write!(f, "{}", names.join(" "))
    }
}

/// A person's name.
pub fn person(person: Person) -> &'static str {
    NAMES[usize::from(person)]
}

/// An entry's name: its author's, and its place in the log from 1; `genesis`.
pub fn name(id: Id) -> String {
    match id {
        GENESIS => "genesis".to_owned(),
        id => format!("{}{}", person(id / LONGEST as Id), usize::from(id) % LONGEST + 1),
    }
}
