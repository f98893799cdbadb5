//! Which signatures count: enough of them, held, and not cut (M-2, M-5, M-6).

use std::collections::BTreeSet;

use super::act::{Act, DeviceCode, Door, Link, Operation, Signature, further};
use super::advance::Advance;
use super::doors::Voice;
use super::rules::{Admission, Parameter, admission};
use super::view::{Ended, Ground};
use crate::id::MemberId;

/// What a verdict or removal cuts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// X
    Verdicts,
    /// X ∪ R
    Removals,
}

/// What an act comes to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Stands,
    Fell,
    Open,
}

impl<'a> Advance<'a> {
    pub(super) fn has_need(&self, act: &Act) -> bool {
        // Most that is open is so in any set.
        let signatures = self.group.links.signatures.of(&act.number).len();
        if act.needed == 0 || signatures < act.needed {
            return false;
        }
        let signers: BTreeSet<MemberId> = self.signatures(act).map(|(by, _)| by.author).collect();
        signers.len() >= act.needed
    }

    /// Grants, removals, revocations: of enough signers enough must be held and not cut by a verdict.
    pub(super) fn count(&self, act: &Act) -> Outcome {
        if !self.has_need(act) {
            return Outcome::Open;
        }
        let counts = |(by, signature): &(&Act, &Signature)| {
            self.is_held(&signature.grounds) && !self.is_author_cut(by, Cut::Verdicts)
        };
        let counted: BTreeSet<MemberId> =
            self.signatures(act).filter(counts).map(|(by, _)| by.author).collect();
        if counted.len() >= act.needed { Outcome::Stands } else { Outcome::Fell }
    }

    /// Signatures of an admission that are held and not cut by a verdict or removal.
    pub(super) fn voices(&self, act: &Act) -> Vec<Voice> {
        let counts = |(by, signature): &(&Act, &Signature)| {
            self.is_held(&signature.grounds) && !self.is_author_cut(by, Cut::Removals)
        };
        let voice = |signed: (&Act, &Signature)| Voice {
            office: self.is_held(&signed.1.offices),
            ..Voice::raw(signed)
        };
        self.signatures(act).filter(counts).map(voice).collect()
    }

    /// Changes of the admission rule that stand and are blind to an admission.
    pub(super) fn blind_rules(&self, act: &'a Act) -> impl Iterator<Item = Admission> {
        let changes = self.view.changes.iter().filter(|rule| !act.decided(rule));
        changes.filter_map(|rule| self.group.acts.find(rule)).filter_map(|rule| match rule.operation {
            Operation::Rule { parameter: Parameter::Admit, value, .. } if !rule.decided(&act.id) => {
                Some(admission(value))
            }
            _ => None,
        })
    }

    /// Who opens a door by a code acts in its issuer's name too (M-15).
    pub(super) fn is_code_sound(&self, act: &Act, door: &Door) -> bool {
        let Some(code) = &door.code else { return true };
        let closed_blind = self
            .within(self.group.links.revocations.of(&code.key))
            .any(|other| self.view.stands(&other.id) && !self.knows(other, act));
        let device_cut = code.further.is_some_and(|name| self.is_cut(&name, act, Cut::Verdicts));
        let cut = device_cut || self.is_cut(&code.issuer, act, Cut::Removals);
        !closed_blind && self.is_held(&code.grounds) && !cut
    }

    /// A link falls with the device whose code it used: if that was dropped, or expelled by name, blind to it. The
    /// phrase decides, so that nothing cuts what came by it (M-18).
    pub(super) fn count_link(&self, act: &Act, link: &Link) -> Outcome {
        let cut = || {
            let mut drops = self.within(self.group.links.drops.of(&link.maker));
            let name = further(&link.maker, &link.owner);
            drops.any(|drop| !drop.past.contains(act.number))
                || name.is_some_and(|name| self.is_cut(&name, act, Cut::Verdicts))
        };
        if link.by == DeviceCode::Link && cut() { Outcome::Fell } else { Outcome::Stands }
    }

    /// M-5, of what somebody signed: by verdicts that name the very device too (M-18).
    fn is_author_cut(&self, by: &Act, how: Cut) -> bool {
        let device = by.further_device();
        device.is_some_and(|name| self.is_cut(&name, by, Cut::Verdicts)) || self.is_cut(&by.author, by, how)
    }

    /// M-6: something that gave the right still stands.
    fn is_held<'g>(&self, grounds: impl IntoIterator<Item = &'g Ground>) -> bool {
        grounds.into_iter().any(|ground| ground.is_none_or(|act| self.view.stands(&act)))
    }

    /// M-5: some ending of `who` that the act's author did not know does not know the act, and no
    /// verdict among such endings does.
    fn is_cut(&self, who: &MemberId, act: &Act, by: Cut) -> bool {
        let mut unknown = false;
        for (ending, how) in self.view.endings_since(who, &act.then) {
            let verdict = matches!(how, Ended::Expelled | Ended::Demoted);
            let removal = by == Cut::Removals && matches!(how, Ended::Removed(_));
            let Some(ending) = self.group.acts.find(&ending).filter(|_| verdict || removal) else { continue };
            let knows = self.knows(ending, act);
            if verdict && knows {
                return false;
            }
            unknown |= !knows;
        }
        unknown
    }

    /// Whether enough of those who signed an act did so knowing another. Where one hand is enough,
    /// it is the author's: else an accomplice's signature would lend knowledge afterwards.
    fn knows(&self, act: &Act, other: &Act) -> bool {
        if act.needed <= 1 {
            return act.past.contains(other.number);
        }
        let signing = self.signatures(act).filter(|(by, _)| by.past.contains(other.number));
        let knowing: BTreeSet<MemberId> = signing.map(|(by, _)| by.author).collect();
        knowing.len() >= act.needed
    }
}
