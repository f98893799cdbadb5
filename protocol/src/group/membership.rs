//! Who is in: a pure function of the set of membership acts (spec membership).
//!
//! The function has five steps of falling gravity: dismissals, verdicts, grants, removals and
//! endings, admissions; an act can be voided only by an act of an earlier step, so nothing needs a
//! tie-break. A draft is a group whose council is one person: no majority is ever under two, so
//! that no majority act completes there and the first three steps stay empty.
//!
//! What an act means is read in its own past and fixed when it arrives (M-1); what stands is
//! worked out by `advance` from a view that is here already and the acts that it lacks. Views
//! are persistent maps, so that one for each act can be kept. With n acts and m persons:
//!
//! - the view of everything, kept: O(1);
//! - one act more that knows the acts before it: O(log n + log m) for each act judged again, that is the
//!   act, what it signs, and what depends on what flips by it: signatures of whoever is put out, or by
//!   a ground that falls; admissions by a code that closes; admissions blind to a rule that changes;
//! - V(past) of an act or message that lacks d acts of the others: as much for each of the d, once;
//! - memory: O(log n + log m) and n / 8 bits an act.
//!
//! An act that is judged costs its signatures.

mod act;
mod advance;
mod counting;
mod doors;
mod links;
mod ops;
#[cfg(test)]
mod plain;
mod proposal;
#[cfg(test)]
mod reference;
mod rules;
mod set;
mod settle;
mod view;

pub use act::{Channel, DeviceCode, MAX_DEVICES, Operation, Right, Void};
pub use ops::{OpState, OpStates};
#[cfg(test)]
pub(crate) use plain::Plain;
pub use proposal::{Proposal, ProposalState};
pub use rules::{Admission, Founding, MAX_CHAT, MAX_VOUCHES, MAX_WAIT, Parameter, Rules};
pub use view::{Ended, Ground, InviteInfo, InviteState, Linked, MemberInfo, View};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use imbl::OrdSet;

use crate::id::{DeviceKey, EntryId, MemberId};
use act::{Act, Code, Door, Link, Signature};
use advance::{Advance, advance};
use links::{Acts, Links};
use set::OpSet;

/// All membership acts of one group.
#[derive(Clone, Debug)]
pub struct Membership {
    founding: Founding,
    acts: Acts,
    links: Links,
    all: OpSet,
    /// V of all.
    view: Arc<View>,
    /// V of sets that something had in its past.
    views: BTreeMap<OpState, Arc<View>>,
}

impl Membership {
    /// A draft: a council of one (M-20).
    pub fn draft(founder: DeviceKey) -> Self {
        Self::founded(Founding::draft(founder))
    }

    /// A group as its genesis says.
    pub fn founded(founding: Founding) -> Self {
        let view = Arc::new(View::empty(founding.rules));
        let (acts, links, all) = (Acts::default(), Links::default(), OpSet::default());
        let mut group = Self { founding, acts, links, all, view, views: BTreeMap::new() };
        group.view = Arc::new(Advance::start(&group));
        group.views.insert(OpState::default(), group.view.clone());
        group
    }

    /// Adds an act whose past is here. What it means in its own past is fixed now (M-1).
    ///
    /// # Errors
    /// Why it changes nothing, for ever; it is not kept.
    pub fn add(
        &mut self,
        id: EntryId,
        author: DeviceKey,
        past: OpState,
        operation: Operation,
        states: &mut OpStates,
    ) -> Result<(), Void> {
        let then = self.view_in(past, states);
        let act = self.read((id, states.number(&id)), author, (states.set(past), then), operation)?;
        let number = act.number;
        self.links.insert(&act);
        self.acts.insert(act);
        self.all.insert(number);
        // What is known to whoever knows this act: its view is one step from that of the act's past.
        let known = states.union(&BTreeSet::from([past]), &[id]);
        let known = states.set(known);
        if *known == self.all {
            // So that they share their blocks, and are soon compared.
            self.all = (*known).clone();
        }
        self.view = Arc::new(advance(self, &self.all, &self.view, &[number]));
        Ok(())
    }

    /// V(S) for everything received.
    pub fn view(&self) -> View {
        (*self.view).clone()
    }

    /// V(e) for an entry with these acts in its past.
    pub fn view_of(&mut self, past: OpState, states: &OpStates) -> View {
        (*self.view_in(past, states)).clone()
    }

    /// From the nearest view that is kept, and kept from now on.
    fn view_in(&mut self, past: OpState, states: &OpStates) -> Arc<View> {
        if let Some(view) = self.views.get(&past) {
            return view.clone();
        }
        let set = states.set(past);
        let (mut base, mut lacking) = (past, Vec::new());
        let view = if *set == self.all {
            self.view.clone()
        } else {
            let before = loop {
                let (smaller, added) = states.made_of(base);
                lacking.extend_from_slice(added);
                base = smaller;
                if let Some(view) = self.views.get(&base) {
                    break view;
                }
            };
            Arc::new(advance(self, &set, before, &lacking))
        };
        // After a loss acts that were known once may have to come again.
        if lacking.iter().all(|number| self.acts.get(*number).is_some()) {
            self.views.insert(past, view.clone());
        }
        view
    }

    /// Whether an act by `author` that knows all of these would count.
    ///
    /// # Errors
    /// Why it would be void.
    pub fn check(&self, author: DeviceKey, operation: &Operation) -> Result<(), Void> {
        let past = (Arc::new(self.all.clone()), self.view.clone());
        self.read((EntryId::default(), u32::MAX), author, past, operation.clone()).map(|_| ())
    }

    /// The operation of an act that is not void.
    pub fn operation(&self, id: &EntryId) -> Option<&Operation> {
        self.act(id).map(|act| &act.operation)
    }

    /// For whom an act that is not void speaks.
    pub fn author(&self, id: &EntryId) -> Option<MemberId> {
        self.act(id).map(|act| act.author)
    }

    /// The device that wrote it.
    pub fn maker(&self, id: &EntryId) -> Option<DeviceKey> {
        self.act(id).map(|act| act.device)
    }

    /// The newest admission of somebody that is not void, whatever became of it.
    pub fn newest_admission(&self, person: &MemberId) -> Option<EntryId> {
        let naming = self.links.naming.of(person).iter().rev().filter_map(|number| self.acts.get(*number));
        naming.filter(|act| act.door.is_some()).map(|act| act.id).next()
    }

    /// Whether an act that lets somebody in waits for more signatures.
    pub fn is_awaited(&self, device: &DeviceKey, view: &View) -> bool {
        let naming = self.links.naming.of(&(*device).into()).iter();
        let admissions = naming.filter_map(|number| self.acts.get(*number)).filter(|act| act.door.is_some());
        admissions.map(|act| &act.id).any(|id| !view.stands(id) && !view.fell.contains(id))
    }

    fn act(&self, id: &EntryId) -> Option<&Act> {
        self.acts.find(id)
    }

    /// An act as its own past makes it.
    fn read(
        &self,
        (id, number): (EntryId, u32),
        author: DeviceKey,
        (past, then): (Arc<OpSet>, Arc<View>),
        operation: Operation,
    ) -> Result<Act, Void> {
        let device = author;
        let author = then.person_of(&device).ok_or(Void::Author)?;
        let operation = then.by_its_code(operation);
        then.entitles(&author, &operation)?;
        then.permits(&author, &operation)?;
        if matches!(&operation, Operation::Admit { device, .. } if self.is_barred(&(*device).into(), &then)) {
            return Err(Void::Expelled);
        }
        let asks = operation.channel().map(Right::from);
        let link = self.link(&then, &operation);
        let (needed, barred, signs, door) = (0, Vec::new(), None, None);
        let mut act = Act {
            id,
            number,
            author,
            device,
            past,
            then,
            operation,
            asks,
            needed,
            barred,
            signs,
            door,
            link,
        };
        self.set_terms(&mut act)?;
        let votes = act.asks == Some(Right::Roll) || matches!(act.operation, Operation::Approve { .. });
        if !votes && !act.then.members.contains_key(&author) {
            return Err(Void::Author);
        }
        act.signs = self.signature(&act)?;
        if let Operation::Admit { device, invite } = &act.operation {
            act.door = Some(self.door(&act.then, &(*device).into(), *invite));
        }
        Ok(act)
    }

    /// Who may sign an act, how many have to, and whose signature never counts.
    fn set_terms(&self, act: &mut Act) -> Result<(), Void> {
        match &act.operation {
            Operation::Dismiss { act: named } => {
                let dismissed = self.named(act, named)?;
                let channel = dismissed.operation.channel().ok_or(Void::Named)?;
                if act.then.stands(named) {
                    return Err(Void::Decided);
                }
                act.barred = dismissed.barred.clone();
                act.asks = Some(channel.into());
            }
            Operation::Remove { .. } | Operation::Revoke { .. } => {
                act.asks = Some(Right::Council);
                act.needed = act.then.rules.few as usize;
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
            act.needed = (act.then.holders(right) / 2 + 1).max(2);
        }
        Ok(())
    }

    /// What an act's author signs with it: the act itself, or the one that an approval names.
    fn signature(&self, act: &Act) -> Result<Option<Signature>, Void> {
        let Operation::Approve { act: named } = &act.operation else {
            return Ok(act.asks.and_then(|right| sign(act, act, right)));
        };
        let signed = self.named(act, named)?;
        let right = signed.asks.ok_or(Void::Named)?;
        sign(act, signed, right).map(Some).ok_or(Void::Author)
    }

    /// An act that another names has to be known to it.
    fn named(&self, act: &Act, named: &EntryId) -> Result<&Act, Void> {
        self.act(named).filter(|named| act.past.contains(named.number)).ok_or(Void::Named)
    }

    /// Whether somebody was expelled, and no majority that knew it has brought him back (M-12).
    fn is_barred(&self, person: &MemberId, then: &View) -> bool {
        let grants = || {
            let naming = self.links.naming.of(person).iter().filter_map(|number| self.acts.get(*number));
            naming.filter(|act| act.operation.is_grant() && then.stands(&act.id))
        };
        let expelled = then.endings_of(person).filter(|(_, how)| *how == Ended::Expelled);
        expelled.into_iter().any(|(ending, _)| !grants().any(|grant| grant.decided(&ending)))
    }

    /// What a link rests on: the code alone, whoever carries it.
    fn link(&self, then: &View, operation: &Operation) -> Option<Link> {
        let Operation::Link { key, .. } = operation else { return None };
        let info = then.invites.get(key)?;
        let (act, owner, maker, uses, by) = (info.act, info.issuer, info.maker, info.uses, info.devices?);
        Some(Link { act, owner, maker, uses, by })
    }

    fn door(&self, then: &View, person: &MemberId, invite: Option<DeviceKey>) -> Door {
        let code = invite.and_then(|key| {
            let info = then.invites.get(&key)?;
            let made = &self.act(&info.act)?.then;
            let [made, now] = [made, then].map(|view| view.grounds_of(&info.issuer, Right::Member));
            let grounds = common(made, now);
            let (act, issuer, uses) = (info.act, info.issuer, info.uses);
            Some(Code { key, act, issuer, further: act::further(&info.maker, &issuer), uses, grounds })
        });
        Door { rule: then.rules.admission(), after_removal: then.was_removed(person), code }
    }
}

/// A signature of the author of `act`, if it holds the right in both views: that of the act signed, and
/// its own.
fn sign(act: &Act, signed: &Act, right: Right) -> Option<Signature> {
    let (before, then, who) = (&signed.then, &act.then, &act.author);
    let both = |right| common(before.grounds_of(who, right), then.grounds_of(who, right));
    let may = before.holds(who, right) && then.holds(who, right) && !signed.barred.contains(who);
    may.then(|| Signature {
        of: signed.number,
        grounds: both(right),
        offices: both(Right::Council),
        sponsor: before.members.get(who).and_then(|info| info.sponsor),
    })
}

/// Mostly nothing has changed between two views: then nothing is copied.
fn common(one: OrdSet<Ground>, other: OrdSet<Ground>) -> OrdSet<Ground> {
    if one.ptr_eq(&other) { one } else { one.intersection(other) }
}

#[cfg(test)]
mod tests;
