//! Who is in: a pure function of the set of membership acts (spec membership).
//!
//! The function has five steps of falling gravity: dismissals, verdicts, grants, removals and
//! endings, admissions; an act can be voided only by an act of an earlier step, so nothing needs a
//! tie-break. A draft is a group whose council is one person: no majority is ever under two, so
//! that no majority act completes there and the first three steps stay empty.
//!
//! What an act means is read in its own past and fixed when it arrives (M-1); what stands is
//! computed from the whole set, by `judge`. Evaluation is from scratch, O(acts) a view.

mod act;
mod judge;
mod ops;
mod proposal;
mod rules;
mod view;

pub use act::{Channel, Operation, Right, Void};
pub use ops::{OpSet, OpState, OpStates};
pub use proposal::{Proposal, ProposalState};
pub use rules::{Admission, Founding, MAX_VOUCHES, MAX_WAIT, Parameter, Rules};
pub use view::{Ended, Ground, InviteInfo, InviteState, MemberInfo, View};

use std::collections::{BTreeMap, BTreeSet};

use crate::id::{DeviceKey, EntryId, MemberId};
use act::{Act, Code, Door, Signature};

/// All membership acts of one group.
#[derive(Clone, Debug)]
pub struct Membership {
    founding: Founding,
    /// Acts that are not void, in order of arrival (a causal order).
    acts: Vec<Act>,
    index: BTreeMap<EntryId, usize>,
    /// For each act those that sign it, itself among them.
    signatures: Vec<Vec<usize>>,
}

impl Membership {
    /// A draft: a council of one (M-20).
    pub fn draft(founder: DeviceKey) -> Self {
        Self::founded(Founding::draft(founder))
    }

    /// A group as its genesis says.
    pub fn founded(founding: Founding) -> Self {
        Self { founding, acts: Vec::new(), index: BTreeMap::new(), signatures: Vec::new() }
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
        let act = self.read(id, author, past, operation)?;
        let at = self.acts.len();
        self.signatures.push(Vec::new());
        if let Some(signed) = act.signs.as_ref().and_then(|signature| self.signatures.get_mut(signature.of)) {
            signed.push(at);
        }
        self.index.insert(id, at);
        self.acts.push(act);
        Ok(())
    }

    /// V(S) for everything received.
    pub fn view(&self) -> View {
        judge::judge(self, &(0..self.acts.len()).collect())
    }

    /// V(e) for an entry with these acts in its past.
    pub fn view_of(&self, past: &OpSet) -> View {
        judge::judge(self, &past.iter().filter_map(|id| self.index.get(id).copied()).collect())
    }

    /// Whether an act by `author` that knows all of these would count.
    ///
    /// # Errors
    /// Why it would be void.
    pub fn check(&self, author: DeviceKey, operation: &Operation) -> Result<(), Void> {
        let all = OpSet::new(self.acts.iter().map(|act| act.id).collect());
        self.read(EntryId::default(), author, &all, operation.clone()).map(|_| ())
    }

    /// The operation of an act that is not void.
    pub fn operation(&self, id: &EntryId) -> Option<&Operation> {
        self.act(id).map(|act| &act.operation)
    }

    /// Who wrote an act that is not void.
    pub fn author(&self, id: &EntryId) -> Option<MemberId> {
        self.act(id).map(|act| act.author)
    }

    /// Whether an act that lets somebody in waits for more signatures.
    pub fn is_awaited(&self, device: &DeviceKey, view: &View) -> bool {
        self.acts.iter().any(|act| {
            matches!(&act.operation, Operation::Admit { device: of, .. } if of == device)
                && !view.stands(&act.id)
                && !view.fell.contains(&act.id)
        })
    }

    fn act(&self, id: &EntryId) -> Option<&Act> {
        self.index.get(id).and_then(|at| self.acts.get(*at))
    }

    /// An act as its own past makes it.
    fn read(&self, id: EntryId, author: DeviceKey, past: &OpSet, operation: Operation) -> Result<Act, Void> {
        let then = self.view_of(past);
        let author = then.person_of(&author).ok_or(Void::Author)?;
        then.entitles(&author, &operation)?;
        then.permits(&operation)?;
        let mut act = Act {
            id,
            author,
            past: past.clone(),
            asks: operation.channel().map(Right::from),
            operation,
            needed: 0,
            barred: Vec::new(),
            decided: BTreeSet::new(),
            signs: None,
            door: None,
            admitted: BTreeSet::new(),
        };
        self.set_terms(&mut act, &then)?;
        let votes = act.asks == Some(Right::Roll) || matches!(act.operation, Operation::Approve { .. });
        if !votes && !then.members.contains_key(&author) {
            return Err(Void::Author);
        }
        act.signs = self.signature(&act, &then)?;
        if let Operation::Admit { invite, .. } = &act.operation {
            act.door = Some(self.door(&act, invite.as_ref(), &then));
        }
        if matches!(act.operation, Operation::Rule { parameter: Parameter::Admit, .. }) {
            act.admitted = then.stands.clone();
        }
        let issuer = act.door.iter().flat_map(|door| &door.code).map(|code| code.issuer);
        let concerned: BTreeSet<MemberId> =
            act.operation.names().into_iter().chain([author]).chain(issuer).collect();
        let standing = concerned.iter().flat_map(|member| then.endings_of(member));
        act.decided = standing.map(|(ending, _)| ending).collect();
        Ok(act)
    }

    /// Who may sign an act, how many have to, and whose signature never counts.
    fn set_terms(&self, act: &mut Act, then: &View) -> Result<(), Void> {
        match &act.operation {
            Operation::Dismiss { act: named } => {
                let dismissed = self.named(act, named)?;
                let channel = dismissed.operation.channel().ok_or(Void::Named)?;
                if then.stands(named) {
                    return Err(Void::Decided);
                }
                act.barred = dismissed.barred.clone();
                act.asks = Some(channel.into());
            }
            Operation::Remove { .. } | Operation::Revoke { .. } => {
                act.asks = Some(Right::Council);
                act.needed = then.rules.few as usize;
                return Ok(());
            }
            Operation::Admit { .. } => {
                act.asks = Some(Right::Member);
                return Ok(());
            }
            operation if operation.is_verdict() => act.barred = operation.names(),
            _ => {}
        }
        if let Some(right) = act.asks {
            act.needed = (then.holders(right) / 2 + 1).max(2);
        }
        Ok(())
    }

    /// What an act's author signs with it: the act itself, or the one that an approval names.
    fn signature(&self, act: &Act, then: &View) -> Result<Option<Signature>, Void> {
        let Operation::Approve { act: named } = &act.operation else {
            let at = self.acts.len();
            return Ok(act.asks.and_then(|right| sign(act, at, right, &act.barred, [then, then])));
        };
        let signed = self.named(act, named)?;
        let at = self.index.get(named).copied().ok_or(Void::Named)?;
        let right = signed.asks.ok_or(Void::Named)?;
        let before = self.view_of(&signed.past);
        sign(act, at, right, &signed.barred, [&before, then]).map(Some).ok_or(Void::Author)
    }

    /// An act that another names has to be known to it.
    fn named(&self, act: &Act, named: &EntryId) -> Result<&Act, Void> {
        self.act(named).filter(|_| act.past.contains(named)).ok_or(Void::Named)
    }

    fn door(&self, act: &Act, invite: Option<&DeviceKey>, then: &View) -> Door {
        let person = act.operation.names();
        let is_rule = |id: &&EntryId| {
            matches!(self.operation(id), Some(Operation::Rule { parameter: Parameter::Admit, .. }))
        };
        let code = invite.and_then(|key| then.invites.get(key)).and_then(|info| {
            let made = self.view_of(&self.act(&info.act)?.past);
            let [made, now] = [&made, then].map(|view| view.grounds_of(&info.issuer, Right::Member));
            let grounds = made.intersection(now).copied().collect();
            Some(Code { act: info.act, issuer: info.issuer, uses: info.uses, grounds })
        });
        Door {
            rule: then.rules.admission(),
            after_removal: person.iter().any(|member| then.was_removed(member)),
            rules: then.stands.iter().filter(is_rule).copied().collect(),
            code,
        }
    }
}

/// A signature of the author of `act`, if it holds the right in both views: that of the act signed, and
/// its own.
fn sign(act: &Act, of: usize, right: Right, barred: &[MemberId], views: [&View; 2]) -> Option<Signature> {
    let [before, then] = views;
    let both = |right| -> BTreeSet<Ground> {
        let grounds = before.grounds_of(&act.author, right).intersection(then.grounds_of(&act.author, right));
        grounds.copied().collect()
    };
    let may =
        before.holds(&act.author, right) && then.holds(&act.author, right) && !barred.contains(&act.author);
    may.then(|| Signature {
        of,
        grounds: both(right),
        offices: both(Right::Council),
        sponsor: before.members.get(&act.author).and_then(|info| info.sponsor),
    })
}

#[cfg(test)]
mod tests;
