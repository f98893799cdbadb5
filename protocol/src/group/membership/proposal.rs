//! Acts that several have to sign, as people follow them.

use std::collections::BTreeSet;

use super::Membership;
use super::act::{Act, Operation};
use super::rules::Admission;
use super::view::View;
use crate::id::{EntryId, MemberId};

/// An act that several have to sign, and how far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The act.
    pub act: EntryId,
    /// Who proposed it.
    pub author: MemberId,
    /// Who has signed it.
    pub signed: BTreeSet<MemberId>,
    /// How many have to.
    pub needed: usize,
    /// What became of it.
    pub state: ProposalState,
}

/// What became of an act that several have to sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProposalState {
    /// More have to sign.
    Open,
    /// It stands.
    Decided,
    /// A majority closed it.
    Dismissed,
    /// Enough signed, but not enough of that counts any more (M-5, M-6): to be done again.
    Fell,
}

impl Membership {
    /// All acts that more than one has to sign, in a causal order, as they stand in a view of everything.
    pub fn proposals(&self, view: &View) -> Vec<Proposal> {
        let shared = |act: &Act| {
            let needed = self.needed(act);
            (needed > 1).then(|| Proposal {
                act: act.id,
                author: act.author,
                signed: self.signers(act),
                needed,
                state: state(view, &act.id),
            })
        };
        self.acts.iter().filter_map(shared).collect()
    }

    /// Whether more than one has to sign an act.
    pub fn is_proposal(&self, act: &EntryId) -> bool {
        self.act(act).is_some_and(|act| self.needed(act) > 1)
    }

    /// Admissions of somebody by hand, without a code, each with who has signed it.
    pub fn admissions_by_hand(&self, member: &MemberId) -> Vec<(EntryId, BTreeSet<MemberId>)> {
        let naming = self.links.naming.of(member).iter().filter_map(|number| self.acts.get(*number));
        let by_hand = naming.filter(|act| matches!(act.operation, Operation::Admit { invite: None, .. }));
        by_hand.map(|act| (act.id, self.signers(act))).collect()
    }

    fn signers(&self, act: &Act) -> BTreeSet<MemberId> {
        let signing = self.links.signatures.of(&act.number).iter();
        signing.filter_map(|by| self.acts.get(*by)).map(|by| by.author).collect()
    }

    /// Of an admission it depends on who signs: as its own view asked.
    fn needed(&self, act: &Act) -> usize {
        match (&act.operation, &act.door) {
            (Operation::Admit { .. }, Some(door)) => match door.rule {
                Admission::KeyHolder => 1,
                Admission::Vouches(needed) => needed,
            },
            _ => act.needed,
        }
    }
}

fn state(view: &View, act: &EntryId) -> ProposalState {
    if view.stands(act) {
        ProposalState::Decided
    } else if view.closed.contains(act) {
        ProposalState::Dismissed
    } else if view.fell.contains(act) {
        ProposalState::Fell
    } else {
        ProposalState::Open
    }
}
