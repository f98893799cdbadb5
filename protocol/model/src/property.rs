//! What must hold in every state, and what must happen in some: said of entries and keys, not by asking V again.
//!
//! Every set that a node can hold is all that there is in some other state, since each state without what the node lacks
//! is reached, too. So what is asked of a node is asked of one that holds everything.

use stateright::Property;

use crate::entry::{
    EVE, Entry, GENESIS, History, Id, PERSONS, Person, What, first_members, founders, honest,
};
use crate::model::{State, awake, is_busy};
use crate::scope::Scope;
use crate::set::Set;
use crate::tree::Tree;
use crate::view::Judge;

/// V and heads are functions of sets.
pub const ORDER: &str = "equal sets are judged alike, in whatever order they came";
/// M-2, M-14.
pub const VERDICTS: &str = "a verdict that stood for somebody stands for all, unless dismissed";
/// M-3, M-4.
pub const HANDS: &str = "no single hand unseats a key-holder";
/// M-5, M-6.
pub const BACKS: &str = "nobody is in by those alone who were put out meanwhile";
/// M-12.
pub const RETURNS: &str = "who was put out or left is back only by an act that knows it, of the same weight";
/// K-9.
pub const WORDS: &str = "no word is readable by anybody whom its author knew to be out";
/// G-6, G-9.
pub const LEAVES: &str = "nobody gets a leaf without a cited act that stands, or his own wish as a member";
/// G-6 and K-10 fit.
pub const BELIEVED: &str = "what honest nodes commit is believed";
/// K-8, K-10, K-11.
pub const ONE: &str =
    "when all is done, all honest members have leaves in one clean head, and nobody has who is out";
/// K-10.
pub const FEWER: &str = "the same without any one of them";
/// K-10, K-11.
pub const ENDS: &str = "what is due comes to an end";

/// K-8 has something to choose.
pub const FORK: &str = "a fork";
/// K-9 stops somebody.
pub const GATE: &str = "a closed gate";
/// M-5 undoes something.
pub const FELL: &str = "an admission falls with who signed it";
/// K-11 brings somebody over.
pub const ASKED: &str = "a wish for keys carried out";
/// K-8's first criterion against its second.
pub const LOUDER: &str = "a branch that wins against one that puts somebody out";
/// A majority.
pub const DECIDED: &str = "a verdict";
/// Somebody in, out, and in again.
pub const AGAIN: &str = "a leaf given again";
/// M-4's other half.
pub const OFFICE: &str = "a removal that crosses a promotion";

/// All of them.
pub fn all() -> Vec<Property<Scope>> {
    vec![
        Property::always(ORDER, judges_alike),
        Property::always(VERDICTS, |_, state| verdicts_stay(state)),
        Property::always(HANDS, |_, state| founders().iter().all(|seated| unseated_rightly(state, seated))),
        Property::always(BACKS, |_, state| !members(state).iter().any(|member| is_hollow(state, member))),
        Property::always(RETURNS, |_, state| {
            members(state).iter().all(|member| returned_rightly(state, member))
        }),
        Property::always(WORDS, |scope, state| {
            words(scope, state).iter().all(|word| word.readers.without(word.known).is_empty())
        }),
        Property::always(LEAVES, |_, state| commits(state).all(|(_, entry)| adds_rightly(state, entry))),
        Property::always(BELIEVED, |_, state| honest_are_believed(state)),
        Property::always(ONE, |scope, state| is_one(&tree(scope, state), &[Set::NONE])),
        Property::always(FEWER, |scope, state| is_one(&tree(scope, state), &each_honest())),
        Property::always(ENDS, |_, state| has_ended(state)),
        Property::sometimes(FORK, |scope, state| forks(&tree(scope, state)).next().is_some()),
        Property::sometimes(GATE, |scope, state| is_stopped(&tree(scope, state))),
        Property::sometimes(FELL, |_, state| {
            those(state, |what| matches!(what, What::Admit(_))).any(|id| !stands(state, id))
        }),
        Property::sometimes(ASKED, |_, state| cited(state).any(|what| matches!(what, What::Resync(_)))),
        Property::sometimes(LOUDER, |scope, state| is_louder(&tree(scope, state))),
        Property::sometimes(DECIDED, |_, state| {
            those(state, |what| matches!(what, What::Expel(_) | What::Demote(_))).any(|id| stands(state, id))
        }),
        Property::sometimes(AGAIN, |_, state| is_again(state)),
        Property::sometimes(OFFICE, |_, state| is_shielded(state)),
    ]
}

/// What a member who holds everything could say now.
pub struct Word {
    /// Who can read it: whoever has the keys of its epoch keeps them.
    pub readers: Set,
    /// Who is in as far as its author knows.
    pub known: Set,
}

/// All words that honest members could say now. *Saying one changes nothing that anybody decides by.*
pub fn words(scope: &Scope, state: &State) -> Vec<Word> {
    let tree = tree(scope, state);
    let speakers = awake(&tree).into_iter().filter(|(_, head)| tree.is_open(*head));
    speakers.map(|(_, head)| Word { readers: tree.leaves(head), known: tree.view.members() }).collect()
}

fn tree<'a>(scope: &Scope, state: &'a State) -> Tree<'a> {
    state.tree(state.whole(), scope.variant)
}

fn members(state: &State) -> Set {
    state.whole().view.members()
}

fn stands(state: &State, id: Id) -> bool {
    state.whole().view.stands.has(id)
}

fn those(state: &State, is: impl Fn(What) -> bool) -> impl Iterator<Item = Id> {
    state.whole().set.iter().filter(move |id| is(state.history.get(*id).what))
}

fn commits(state: &State) -> impl Iterator<Item = (Id, &Entry)> {
    let entries = state.whole().set.iter().map(|id| (id, state.history.get(id)));
    entries.filter(|(_, entry)| matches!(entry.what, What::Commit(commit) if commit.believed))
}

fn cited(state: &State) -> impl Iterator<Item = What> {
    let operations = commits(state).filter_map(|(_, entry)| match entry.what {
        What::Commit(commit) => Some(commit.operations),
        _ => None,
    });
    operations.flat_map(|operations| operations.iter().map(|id| state.history.get(id).what))
}

fn judges_alike(scope: &Scope, state: &State) -> bool {
    let (set, variant) = (state.whole().set, scope.variant);
    let judged = state.history.arrivals(set).map(|arrival| {
        let view = Judge { history: &state.history, arrival: &arrival, set, variant }.view();
        let tree = Tree {
            history: &state.history,
            arrival: &arrival,
            set,
            view: &view,
            reversed: state.reversed,
            variant,
        };
        let heads: Vec<_> = (0..PERSONS as Person).map(|person| tree.head(person)).collect();
        (heads, view)
    });
    judged[0] == judged[1]
}

fn verdicts_stay(state: &State) -> bool {
    let now = &state.whole().view;
    state.holdings().iter().all(|held| {
        let verdicts = held.view.stands.iter().filter(|id| state.history.get(*id).is_verdict());
        (now.stands | now.closed).holds(verdicts.collect())
    })
}

/// Who is no key-holder any more left, or two others signed against him.
fn unseated_rightly(state: &State, founder: Person) -> bool {
    let left = those(state, |what| what == What::Leave).any(|id| state.history.get(id).author == founder);
    let against = |id: &Id| {
        let what = state.history.get(*id).what;
        what == What::Expel(founder) || what == What::Demote(founder)
    };
    let mut verdicts = state.whole().set.iter().filter(against);
    let view = &state.whole().view;
    view.council().and(view.members()).has(founder)
        || left
        || verdicts.any(|id| {
            let signers = those(state, |what| what == What::Approve(id)).chain([id]);
            let signers: Set =
                signers.map(|id| state.history.get(id).author).filter(|author| *author != founder).collect();
            signers.len() >= 2
        })
}

/// Whether all that lets somebody in was signed behind the backs of those who put its author out, or of those who put
/// out who let him in.
fn is_hollow(state: &State, member: Person) -> bool {
    !first_members().has(member)
        && lets_in(state, member, state.whole().set).iter().all(|id| is_void_of_ground(state, id))
}

fn lets_in(state: &State, member: Person, set: Set) -> Set {
    let names = |id: &Id| {
        matches!(state.history.get(*id).what, What::Admit(_) | What::Promote(_))
            && state.history.get(*id).target() == Some(member)
    };
    set.iter().filter(names).collect()
}

fn is_void_of_ground(state: &State, id: Id) -> bool {
    let entry = state.history.get(id);
    let own = lets_in(state, entry.author, entry.past);
    let hollow =
        !first_members().has(entry.author) && own.iter().all(|ground| is_void_of_ground(state, ground));
    matches!(entry.what, What::Admit(_)) && (hollow || is_behind_backs(state, id))
}

/// Whether those who put an entry's author out by hand did not know of it, nor it of them; and no verdict did.
fn is_behind_backs(state: &State, id: Id) -> bool {
    let entry = state.history.get(id);
    let mut removals = those(state, |what| what == What::Remove(entry.author));
    let verdict =
        those(state, |what| what == What::Expel(entry.author) || what == What::Demote(entry.author)).next();
    verdict.is_none()
        && removals.any(|removal| {
            let blind = !entry.past.has(removal) && !state.history.get(removal).past.has(id);
            blind && is_uncontested(state, removal)
        })
}

/// Whether an act is a first key-holder's against whom nobody ever wanted anything, on somebody who never had an office.
fn is_uncontested(state: &State, id: Id) -> bool {
    let act = state.history.get(id);
    let about = |id: Id| state.history.get(id).target();
    let contested = state.whole().set.iter().any(|other| about(other) == Some(act.author));
    let promoted =
        those(state, |what| matches!(what, What::Promote(_))).any(|other| about(other) == act.target());
    let seated = act.target().is_some_and(|target| founders().has(target));
    founders().has(act.author) && !contested && !promoted && !seated
}

/// Who is in after an ending is so by an act that has it in its past; after a removal by a key-holder's.
fn returned_rightly(state: &State, member: Person) -> bool {
    let history = &state.history;
    let endings = state.whole().set.iter().filter(|id| match history.get(*id).what {
        What::Remove(person) => person == member && is_uncontested(state, *id),
        What::Leave => history.get(*id).author == member,
        _ => false,
    });
    let back = lets_in(state, member, state.whole().set);
    endings.into_iter().all(|ending| {
        let heavy = history.get(ending).what == What::Remove(member);
        back.iter().any(|id| history.get(id).past.has(ending) && (!heavy || is_heavy(history, id)))
    })
}

fn is_heavy(history: &History, id: Id) -> bool {
    let act = history.get(id);
    matches!(act.what, What::Promote(_)) || act.view.0.council().has(act.author)
}

fn adds_rightly(state: &State, entry: &Entry) -> bool {
    let What::Commit(commit) = entry.what else { return true };
    commit.adds.iter().all(|added| {
        commit.operations.iter().any(|id| {
            let act = state.history.get(id);
            match act.what {
                What::Admit(person) => person == added && entry.view.0.stands.has(id),
                What::Resync(_) => act.author == added && entry.view.0.members().has(added),
                _ => false,
            }
        })
    })
}

fn honest_are_believed(state: &State) -> bool {
    let mut entries = state.whole().set.iter().map(|id| state.history.get(id));
    entries.all(|entry| match entry.what {
        What::Commit(commit) => commit.believed || entry.author == EVE,
        _ => true,
    })
}

/// Where nothing is left to do, all who can do anything are at one place, and it is as it should be, whoever of them is
/// `gone`. *Eve may be without a leaf: nobody makes her ask for one. So may who never brought a key package.*
fn is_one(tree: &Tree<'_>, gone: &[Set]) -> bool {
    let awake = awake(tree);
    let wrong = gone.iter().map(|gone| without(&awake, *gone)).filter(|rest| !are_together(tree, rest));
    let wrong: Vec<_> = wrong.collect();
    wrong.is_empty() || {
        let busy: Set =
            awake.iter().map(|(member, _)| *member).filter(|member| is_busy(tree, *member)).collect();
        wrong.iter().all(|rest| rest.iter().any(|(member, _)| busy.has(*member)))
    }
}

fn each_honest() -> Vec<Set> {
    honest().iter().map(Set::one).collect()
}

fn without(awake: &[(Person, Id)], gone: Set) -> Vec<(Person, Id)> {
    awake.iter().copied().filter(|(member, _)| !gone.has(*member)).collect()
}

fn are_together(tree: &Tree<'_>, awake: &[(Person, Id)]) -> bool {
    let Some((_, head)) = awake.first() else { return true };
    let (leaves, members) = (tree.leaves(*head), tree.view.members());
    let wanted: Set = awake.iter().map(|(member, _)| *member).collect();
    let knocked =
        |member: &Person| tree.set.iter().any(|id| tree.history.get(id).what == What::Admit(*member));
    let keyless = honest().and(members).iter().filter(|member| tree.head(*member).is_none()).filter(knocked);
    awake.iter().all(|(_, other)| other == head)
        && members.holds(leaves)
        && leaves.holds(wanted | keyless.collect())
}

fn forks<'a>(tree: &'a Tree<'_>) -> impl Iterator<Item = Vec<Id>> + 'a {
    let epochs = tree.commits().chain([GENESIS]);
    epochs.map(|epoch| tree.children(epoch)).filter(|children| children.len() > 1)
}

fn is_stopped(tree: &Tree<'_>) -> bool {
    awake(tree).iter().any(|(_, head)| !tree.is_clean(*head))
}

fn is_louder(tree: &Tree<'_>) -> bool {
    let ways: Vec<Set> = awake(tree).iter().map(|(_, head)| tree.path(*head)).collect();
    forks(tree).any(|children| {
        let (taken, left): (Vec<Id>, Vec<Id>) =
            children.iter().partition(|child| ways.iter().any(|way| way.has(**child)));
        left.iter().any(|child| tree.puts_out(*child))
            && !taken.is_empty()
            && taken.iter().all(|child| !tree.puts_out(*child))
    })
}

fn is_again(state: &State) -> bool {
    commits(state).any(|(_, entry)| match entry.what {
        What::Commit(commit) => commit.adds.meets(first_members()),
        _ => false,
    })
}

/// A removal that changes nothing though it stands: its target has got an office meanwhile.
fn is_shielded(state: &State) -> bool {
    let mut removals = those(state, |what| matches!(what, What::Remove(_))).filter(|id| stands(state, *id));
    removals.any(|id| {
        state.history.get(id).target().is_some_and(|target| state.whole().view.council().has(target))
    })
}

/// What is due adds entries: if that never ended, logs would fill.
fn has_ended(state: &State) -> bool {
    (0..PERSONS as Person).all(|person| state.history.next(person).is_some())
}
