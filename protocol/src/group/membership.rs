//! Who is in: a pure function of the set of membership acts (spec membership, M-1 … M-16).
//!
//! The function has five steps of falling gravity: dismissals, verdicts, grants, removals and
//! endings, admissions; an act can be voided only by an act of an earlier step, so nothing needs a
//! tie-break. In a draft `need()` is never under two (M-3), so that the first three steps stay
//! empty: what a lone founder can do lives in steps four and five, and the kinds of a founded group
//! are added before them.
//!
//! What an act means is read in its own past and fixed when it arrives (M-1); what stands is
//! computed from the whole set. Evaluation is from scratch, O(acts) a view: right for drafts, whose
//! acts are counted in hundreds.

mod ops;
mod view;

pub use ops::{OpSet, OpState, OpStates};
pub use view::{Ended, InviteInfo, InviteState, MemberInfo, View};

use std::collections::BTreeMap;

use crate::id::{DeviceKey, EntryId, MemberId};

/// A membership act, as its body says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A code's public half.
    Invite {
        /// I_pk.
        key: DeviceKey,
        /// How many may come in by it.
        uses: u16,
        /// Seconds since 1970; binds honest door-openers only.
        expires: u32,
    },
    /// Lets a device in.
    Admit {
        /// Whom.
        device: DeviceKey,
        /// The code used, already proven by its signature.
        invite: Option<DeviceKey>,
    },
    /// Puts members out.
    Remove {
        /// Whom.
        members: Vec<MemberId>,
    },
    /// Closes a code.
    Revoke {
        /// I_pk.
        key: DeviceKey,
    },
    /// The author goes.
    Leave,
}

/// An act with what its own past makes of it.
#[derive(Clone, Debug)]
struct Act {
    id: EntryId,
    author: MemberId,
    past: OpSet,
    operation: Operation,
    /// Endings of the person admitted that stand in the act's past (decided, M-12).
    knows: Vec<EntryId>,
}

/// Why an act changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Void {
    /// Its author was no member, or no key-holder, in the act's own past (M-1).
    #[error("its author was not entitled")]
    Author,
    /// It removes a key-holder (M-4).
    #[error("a key-holder can't be removed by one hand")]
    KeyHolder,
    /// It uses a code that is unknown, or closed as its author knew (M-15).
    #[error("the code was unknown or closed")]
    Invite,
}

/// All membership acts of one group.
#[derive(Clone, Debug)]
pub struct Membership {
    founder: DeviceKey,
    /// Acts that were entitled in their own past, in order of arrival (a causal order).
    acts: Vec<Act>,
    index: BTreeMap<EntryId, usize>,
}

impl Membership {
    /// A draft: a council of one (membership.md §1).
    pub fn draft(founder: DeviceKey) -> Self {
        Self { founder, acts: Vec::new(), index: BTreeMap::new() }
    }

    /// Adds an act whose past is here. What it means in its own past is fixed now (M-1).
    ///
    /// # Errors
    /// Why it changes nothing, for ever; it is not kept.
    pub fn add(
        &mut self,
        id: EntryId,
        author: DeviceKey,
        past: &OpSet,
        operation: Operation,
    ) -> Result<(), Void> {
        let then = self.view_of(past);
        let member = then.member_of(&author).ok_or(Void::Author)?;
        let keyholder = then.is_keyholder(&member);
        let mut knows = Vec::new();
        match &operation {
            Operation::Leave => {}
            Operation::Invite { .. } if keyholder => {}
            Operation::Remove { members } if keyholder => {
                if members.iter().any(|member| then.is_keyholder(member)) {
                    return Err(Void::KeyHolder);
                }
            }
            Operation::Revoke { key } => {
                let invite = then.invites.get(key).ok_or(Void::Invite)?;
                if !keyholder && invite.issuer != member {
                    return Err(Void::Author);
                }
            }
            Operation::Admit { device, invite } if keyholder => {
                let open = |key| then.invites.get(key).is_some_and(|invite| invite.revoked.is_none());
                if invite.as_ref().is_some_and(|key| !open(key)) {
                    return Err(Void::Invite);
                }
                knows = then.endings_of(&MemberId::from(*device));
            }
            _ => return Err(Void::Author),
        }
        self.index.insert(id, self.acts.len());
        self.acts.push(Act { id, author: member, past: past.clone(), operation, knows });
        Ok(())
    }

    /// V(S) for everything received.
    pub fn view(&self) -> View {
        self.evaluate(|_| true)
    }

    /// V(e) for an entry with these acts in its past.
    pub fn view_of(&self, past: &OpSet) -> View {
        self.evaluate(|act| past.contains(&act.id))
    }

    /// The operation of an act that was entitled.
    pub fn operation(&self, id: &EntryId) -> Option<&Operation> {
        self.index.get(id).and_then(|at| self.acts.get(*at)).map(|act| &act.operation)
    }

    /// Steps 4 and 5 over the acts that `within` admits; steps 1 to 3 have no kinds in a draft.
    fn evaluate(&self, within: impl Fn(&Act) -> bool) -> View {
        let acts: Vec<&Act> = self.acts.iter().filter(|act| within(act)).collect();
        let mut view = View::founded(self.founder);
        step_4(&acts, &mut view);
        self.step_5(&acts, &mut view);
        view.settle();
        view
    }

    /// Admissions, counting only those of authors not ended blind to them (M-5), by codes not
    /// revoked blind to them by a key-holder (M-15).
    fn step_5(&self, acts: &[&Act], view: &mut View) {
        for act in acts {
            let Operation::Admit { device, invite } = &act.operation else {
                continue;
            };
            if self.is_cut(act, view) || invite.is_some_and(|key| self.revoked_blind(&key, act, acts)) {
                view.fell.insert(act.id);
                continue;
            }
            view.admit(*device, act.id, act.author, *invite, &act.knows);
        }
    }

    /// M-5: some removal of the act's author that neither knows the act nor is known to it. What a
    /// person ends by itself cuts nothing (M-13).
    fn is_cut(&self, act: &Act, view: &View) -> bool {
        view.removals_of(&act.author).any(|removal| self.blind(act, removal))
    }

    fn revoked_blind(&self, key: &DeviceKey, act: &Act, acts: &[&Act]) -> bool {
        acts.iter().any(|other| {
            let revokes = matches!(&other.operation, Operation::Revoke { key: closed } if closed == key);
            revokes && MemberId::from(self.founder) == other.author && self.blind(act, &other.id)
        })
    }

    /// Neither knew the other.
    fn blind(&self, act: &Act, other: &EntryId) -> bool {
        let other_knows =
            self.index.get(other).and_then(|at| self.acts.get(*at)).is_some_and(|o| o.past.contains(&act.id));
        !other_knows && !act.past.contains(other)
    }
}

/// Removals, revocations and what people end themselves. No verdict can cut them in a draft, and
/// what a key-holder signs is held by genesis.
fn step_4(acts: &[&Act], view: &mut View) {
    for act in acts {
        match &act.operation {
            Operation::Remove { members } => {
                for member in members {
                    view.end(*member, act.id, Ended::Removed(act.author));
                }
            }
            Operation::Leave => view.end(act.author, act.id, Ended::Left),
            Operation::Invite { key, uses, expires } => {
                view.invite(*key, InviteInfo::new(act.id, act.author, *uses, *expires));
            }
            Operation::Admit { .. } | Operation::Revoke { .. } => {}
        }
    }
    for act in acts {
        if let Operation::Revoke { key } = &act.operation {
            view.revoke(key, act.id);
        }
    }
}

#[cfg(test)]
mod tests;
