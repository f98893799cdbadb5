//! The tree of epochs as somebody sees it who holds a set of entries: heads, the gate, what is due.

use crate::entry::{Commit, Entry, GENESIS, History, Id, PERSONS, Person, What, first_members};
use crate::set::Set;
use crate::variant::Variant;
use crate::view::View;

/// A set of entries, judged.
pub struct Tree<'a> {
    /// Where the entries are.
    pub history: &'a History,
    /// The set, each after its past.
    pub arrival: &'a [Id],
    /// The same.
    pub set: Set,
    /// V of it.
    pub view: &'a View,
    /// Whether of two ids the one that is greater here counts as the smaller: ids are hashes, either may be.
    pub reversed: bool,
    /// By which rules.
    pub variant: Variant,
}

impl Tree<'_> {
    /// Who has a leaf in an epoch, and so all of its keys.
    pub fn leaves(&self, epoch: Id) -> Set {
        self.commit(epoch).map_or(first_members(), |commit| commit.leaves)
    }

    /// The epochs from the first to this.
    pub fn path(&self, epoch: Id) -> Set {
        self.commit(epoch).map_or(Set::one(GENESIS), |commit| commit.path)
    }

    /// The commits that make an epoch.
    pub fn commits(&self) -> impl Iterator<Item = Id> + '_ {
        let made = |id: &Id| self.commit(*id).is_some_and(|commit| commit.believed);
        self.arrival.iter().copied().filter(made)
    }

    /// The epochs that follow one.
    pub fn children(&self, epoch: Id) -> Vec<Id> {
        self.commits().filter(|commit| self.entry(*commit).epoch == epoch).collect()
    }

    /// The head under which somebody seals, if he has any keys (K-8).
    pub fn head(&self, person: Person) -> Option<Id> {
        let mut at = GENESIS;
        loop {
            let held = self.children(at).into_iter().filter(|child| self.holds_below(person, *child));
            match self.first(held.collect(), person) {
                Some(child) => at = child,
                None => return self.leaves(at).has(person).then_some(at),
            }
        }
    }

    /// K-9: whether content may be sealed under an epoch.
    pub fn is_open(&self, head: Id) -> bool {
        self.variant == Variant::NoGate || self.is_clean(head)
    }

    /// Whether every leaf is a current member's.
    pub fn is_clean(&self, epoch: Id) -> bool {
        self.view.members().holds(self.leaves(epoch))
    }

    /// The child that a member holds no keys of though it comes first, others having written there (K-11).
    pub fn behind(&self, person: Person) -> Option<Id> {
        let mut at = GENESIS;
        loop {
            let first = self.first(self.children(at), person)?;
            if self.holds_below(person, first) {
                at = first;
            } else if self.voices(first) > 0 {
                return Some(first);
            } else {
                let held = self.children(at).into_iter().filter(|child| self.holds_below(person, *child));
                at = self.first(held.collect(), person)?;
            }
        }
    }

    /// The `resync` that somebody owes himself: for what he is behind of, unless he has asked for it (K-11).
    pub fn wish(&self, person: Person) -> Option<What> {
        if self.variant == Variant::NobodyAsks || !self.view.members().has(person) {
            return None;
        }
        let behind = self.behind(person)?;
        let asked = self.asked(person).is_some_and(|(_, epochs)| epochs.has(behind));
        (!asked).then_some(What::Resync(Set::one(behind)))
    }

    /// What somebody commits on his head: all that is due there (K-10), if anything is.
    pub fn due(&self, person: Person) -> Option<Commit> {
        let (members, head) = (self.view.members(), self.head(person)?);
        if !members.has(person) {
            return None;
        }
        let out = self.to_go(head);
        let helps = self.behind(person).is_none() || self.are_all_behind();
        let askers = members.iter().filter(|asker| helps && *asker != person);
        let resyncs: Set = askers.filter_map(|asker| self.open_resync(asker, head)).collect();
        let back = self.authors(resyncs);
        let missing = members.without(self.leaves(head) | back).iter();
        let admissions: Set = missing.filter_map(|member| self.admission(member)).collect();
        let endings: Set = out.iter().filter_map(|gone| self.ending(gone)).collect();
        let adds = back | self.targets(admissions);
        let leaves = self.leaves(head).without(out) | adds;
        let operations = endings | resyncs | admissions;
        let commit = Commit { operations, adds, leaves, path: self.path(head), believed: false };
        (!adds.is_empty() || !out.is_empty()).then_some(commit)
    }

    fn to_go(&self, head: Id) -> Set {
        match self.variant {
            Variant::NobodyCarriesOut => Set::NONE,
            _ => self.leaves(head).without(self.view.members()),
        }
    }

    /// Whether everybody believes a commit that is made under this head, with all of this set in its past.
    pub fn believes(&self, author: Person, head: Id, commit: &Commit) -> bool {
        let members = self.view.members();
        let removes = self.leaves(head).without(members);
        let again = self.commits().any(|id| self.entry(id).author == author && self.entry(id).epoch == head);
        let k6 = members.has(author) && !(commit.adds.is_empty() && removes.is_empty());
        let g3 = self.leaves(head).has(author);
        let leaves = self.leaves(head).without(removes) | commit.adds;
        k6 && g3
            && !again
            && commit.leaves == leaves
            && self.cites_rightly(head, commit)
            && self.adds_rightly(head, commit)
            && self.removes_rightly(head, commit, removes)
    }

    /// G-6: what may be cited.
    fn cites_rightly(&self, head: Id, commit: &Commit) -> bool {
        self.set.holds(commit.operations)
            && commit.operations.iter().all(|id| match self.entry(id).what {
                What::Resync(_) => self.is_open_resync(id, head),
                What::Admit(_) => true,
                _ => self.entry(id).puts_out(),
            })
    }

    /// G-6, G-9: exactly those whom what is cited lets in or brings back, all members, get leaves.
    fn adds_rightly(&self, head: Id, commit: &Commit) -> bool {
        let members = self.view.members();
        let admits = self.operations(commit, |what| matches!(what, What::Admit(_)));
        let resyncs = self.operations(commit, |what| matches!(what, What::Resync(_)));
        let adds = self.targets(admits).without(self.leaves(head)) | self.authors(resyncs);
        let right = commit.adds == adds && members.holds(adds) && members.holds(commit.leaves);
        right || self.variant == Variant::AddsUnchecked
    }

    /// G-6: whom it ends goes, and nobody goes whom something else ended.
    fn removes_rightly(&self, head: Id, commit: &Commit, removes: Set) -> bool {
        let endings = |what| matches!(what, What::Expel(_) | What::Remove(_) | What::Leave);
        let ended = self.targets(self.operations(commit, endings));
        let reasons = removes.iter().all(|gone| ended.has(gone) || self.ending(gone).is_none());
        removes.holds(ended.and(self.leaves(head))) && reasons
    }

    /// Those whose newest act in this set is sealed in an epoch or below it, and who are in.
    pub fn voices(&self, epoch: Id) -> usize {
        self.view.members().iter().filter(|member| self.is_heard_below(*member, epoch)).count()
    }

    /// Whether a person can seal in an epoch or below it.
    pub fn holds_below(&self, person: Person, epoch: Id) -> bool {
        self.leaves(epoch).has(person)
            || self.commits().any(|id| self.path(id).has(epoch) && self.leaves(id).has(person))
    }

    /// The first of siblings by K-8. *Whom it is asked for matters to a variant alone.*
    fn first(&self, siblings: Vec<Id>, person: Person) -> Option<Id> {
        if self.variant == Variant::FirstArrivalLeads {
            return siblings.first().copied();
        }
        let own = |id: Id| self.variant == Variant::OwnBranchFirst && self.entry(id).author == person;
        let rank = |id: Id| if self.reversed { id } else { GENESIS - id };
        siblings.into_iter().max_by_key(|id| (own(*id), self.voices(*id), self.puts_out(*id), rank(*id)))
    }

    /// Whether a commit cites an act that puts somebody out.
    pub fn puts_out(&self, id: Id) -> bool {
        let operations = self.commit(id).map_or(Set::NONE, |commit| commit.operations);
        operations.iter().any(|act| self.entry(act).puts_out())
    }

    fn is_heard_below(&self, person: Person, epoch: Id) -> bool {
        self.history
            .newest(person, self.set)
            .is_some_and(|newest| self.path(self.entry(newest).voice(newest)).has(epoch))
    }

    /// Who helps nobody else knows no head to bring anybody to; if all are, somebody has to (K-10).
    fn are_all_behind(&self) -> bool {
        let able = |person: &Person| self.head(*person).is_some() && self.view.members().has(*person);
        (0..PERSONS as Person).filter(able).all(|person| self.behind(person).is_some())
    }

    /// A standing ending of somebody, his leaving before others.
    fn ending(&self, gone: Person) -> Option<Id> {
        let endings = self
            .view
            .stands
            .iter()
            .filter(|act| self.entry(*act).puts_out() && self.entry(*act).target() == Some(gone));
        endings.min_by_key(|act| (self.entry(*act).what != What::Leave, *act))
    }

    /// The newest `resync` of somebody, and what it names.
    fn asked(&self, person: Person) -> Option<(Id, Set)> {
        let log = self.history.log(person).and(self.set);
        log.iter().rev().find_map(|id| match self.entry(id).what {
            What::Resync(epochs) => Some((id, epochs)),
            _ => None,
        })
    }

    /// The `resync` of a member that is to be carried out under a head (K-10).
    pub fn open_resync(&self, member: Person, head: Id) -> Option<Id> {
        let (resync, epochs) = self.asked(member)?;
        (self.is_open_resync(resync, head) && epochs.meets(self.path(head))).then_some(resync)
    }

    fn is_open_resync(&self, resync: Id, head: Id) -> bool {
        let newest = self.asked(self.entry(resync).author).is_some_and(|(id, _)| id == resync);
        let carried = |epoch: Id| self.commit(epoch).is_some_and(|commit| commit.operations.has(resync));
        newest && !self.path(head).iter().any(carried)
    }

    /// The admission that a member rests on, or else the newest that names it, unless its package is used up.
    fn admission(&self, member: Person) -> Option<Id> {
        let names = |id: &Id| self.entry(*id).what == What::Admit(member);
        let rests_on = self.view.rests_on(member).iter().filter(|id| *id != GENESIS).filter(names);
        let rank = |id: &Id| if self.reversed { GENESIS - *id } else { *id };
        let any = || self.set.iter().filter(names).max().filter(|_| self.variant != Variant::RestedOnAlone);
        let admission = rests_on.min_by_key(rank).or_else(any)?;
        (!self.is_used(admission, member)).then_some(admission)
    }

    /// Whether a believed commit has carried an admission out and the member has spoken since.
    fn is_used(&self, admission: Id, member: Person) -> bool {
        let log = self.history.log(member).and(self.set);
        let has_spoken = |since: Id| log.iter().any(|id| self.entry(id).past.has(since));
        let carries = |commit: &Commit| commit.operations.has(admission) && commit.adds.has(member);
        self.commits().any(|id| self.commit(id).is_some_and(carries) && has_spoken(id))
    }

    fn operations(&self, commit: &Commit, is: impl Fn(What) -> bool) -> Set {
        commit.operations.iter().filter(|id| is(self.entry(*id).what)).collect()
    }

    fn targets(&self, acts: Set) -> Set {
        acts.iter().filter_map(|act| self.entry(act).target()).collect()
    }

    fn authors(&self, entries: Set) -> Set {
        entries.iter().map(|id| self.entry(id).author).collect()
    }

    /// The commit that made an epoch, or would have.
    pub fn commit(&self, epoch: Id) -> Option<&Commit> {
        match epoch {
            GENESIS => None,
            id => match &self.entry(id).what {
                What::Commit(commit) => Some(commit),
                _ => None,
            },
        }
    }

    fn entry(&self, id: Id) -> &Entry {
        self.history.get(id)
    }
}
