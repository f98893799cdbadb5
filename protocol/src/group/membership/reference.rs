//! V(S) from all of S, as the specification says it, with no regard to cost (spec membership, *The
//! function*).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::act::{Act, Code, DeviceCode, Door, Operation, Signature};
use super::doors::Voice;
use super::rules::{Admission, Parameter, admission};
use super::view::{Ended, Ground, InviteInfo, Linked, MemberInfo, View};
use super::{Membership, OpSet, OpState, OpStates, Void};
use crate::id::{DeviceKey, EntryId, MemberId};

impl Membership {
    /// As `add`, read in a view from scratch. Of the group only what `judge` reads is kept up.
    pub(super) fn add_plainly(
        &mut self,
        id: EntryId,
        author: DeviceKey,
        (past, then): (OpState, Arc<View>),
        operation: Operation,
        states: &mut OpStates,
    ) -> Result<(), Void> {
        let known = (states.set(past), then);
        let act = self.read((id, states.number(&id)), author, known, operation)?;
        self.links.insert(&act);
        self.acts.insert(act);
        Ok(())
    }
}

pub(super) fn judge(group: &Membership, set: &OpSet) -> View {
    let view = View::empty(group.founding.rules);
    let mut judge = Judge { group, set, view, verdicts: Graver::new(), few: Graver::new() };
    judge.step_1();
    judge.step_2();
    judge.step_3();
    judge.step_4();
    judge.step_5();
    judge.links();
    judge.devices();
    judge.settle();
    judge.view
}

/// Standing acts that end somebody, by whom they end.
type Graver<'a> = BTreeMap<MemberId, Vec<&'a Act>>;

struct Judge<'a> {
    group: &'a Membership,
    set: &'a OpSet,
    view: View,
    /// X
    verdicts: Graver<'a>,
    /// The removals of R.
    few: Graver<'a>,
}

impl<'a> Judge<'a> {
    fn acts(&self) -> impl Iterator<Item = &'a Act> + use<'a> {
        let set = self.set;
        self.group.acts.iter().filter(move |act| set.contains(act.number))
    }

    /// The acts of S that sign an act, raw.
    fn signatures(&self, signed: &Act) -> Vec<(&'a Act, &'a Signature)> {
        let signing = self.group.links.signatures.of(&signed.number).iter();
        let signing = signing.filter(|by| self.set.contains(**by)).filter_map(|by| self.group.acts.get(*by));
        signing.filter_map(|by| by.signs.as_ref().map(|signature| (by, signature))).collect()
    }

    fn has_need(&self, act: &Act) -> bool {
        let signers: BTreeSet<MemberId> = self.signatures(act).iter().map(|(by, _)| by.author).collect();
        act.needed > 0 && signers.len() >= act.needed
    }

    /// Dismissals; what each names is closed.
    fn step_1(&mut self) {
        for act in self.acts() {
            if let (Operation::Dismiss { act: named }, true) = (&act.operation, self.has_need(act)) {
                self.view.stands.insert(act.id);
                self.view.closed.insert(*named);
            }
        }
    }

    /// Verdicts. Signatures count whatever became of the signers (M-2).
    fn step_2(&mut self) {
        for act in self.acts().filter(|act| act.operation.is_verdict()) {
            if self.view.closed.contains(&act.id) || !self.has_need(act) {
                continue;
            }
            let how = if matches!(act.operation, Operation::Expel { .. }) {
                Ended::Expelled
            } else {
                Ended::Demoted
            };
            self.view.stands.insert(act.id);
            for member in act.operation.names() {
                self.end(member, act.id, how);
                self.verdicts.entry(member).or_default().push(act);
            }
        }
    }

    /// Grants.
    fn step_3(&mut self) {
        for act in self.acts().filter(|act| act.operation.is_grant()) {
            if !self.view.closed.contains(&act.id) && self.has_need(act) {
                let counts = self.counted(act).len() >= act.needed;
                self.decide(act.id, counts);
            }
        }
        self.rules();
    }

    /// Removals, revocations, and what people end themselves.
    fn step_4(&mut self) {
        for act in self.acts() {
            match &act.operation {
                Operation::Leave | Operation::Resign => {
                    let left = matches!(act.operation, Operation::Leave);
                    self.view.stands.insert(act.id);
                    self.end(act.author, act.id, if left { Ended::Left } else { Ended::Resigned });
                }
                Operation::Invite { key, .. } => {
                    let Some(info) = InviteInfo::of(act).map(Arc::new) else { continue };
                    // Of two acts for one key the smaller id counts, in any order of arrival.
                    let standing = self.view.invites.entry(*key).or_insert_with(|| info.clone());
                    if info.act < standing.act {
                        *standing = info;
                    }
                }
                Operation::Remove { members } if self.has_need(act) => {
                    let counts = self.counted(act).len() >= act.needed;
                    self.decide(act.id, counts);
                    for member in members.iter().filter(|_| counts) {
                        self.end(*member, act.id, Ended::Removed(act.author));
                        self.few.entry(*member).or_default().push(act);
                    }
                }
                Operation::Drop { device, .. } => {
                    self.view.stands.insert(act.id);
                    self.view.dropped.entry(*device).or_default().insert(act.id);
                }
                _ => {}
            }
        }
        for act in self.acts() {
            if let Operation::Revoke { key } = &act.operation {
                self.revoke(act, key);
            }
        }
        self.close_codes_of_the_ended();
    }

    /// By the few it stands; by the issuer alone it binds those who know it (M-15).
    fn revoke(&mut self, act: &Act, key: &DeviceKey) {
        let enough = self.has_need(act);
        let counts = enough && self.counted(act).len() >= act.needed;
        if enough {
            self.decide(act.id, counts);
        }
        if let Some(invite) = self.view.invites.get_mut(key)
            && (counts || invite.issuer == act.author)
        {
            let invite = Arc::make_mut(invite);
            invite.revoked = Some(invite.revoked.map_or(act.id, |earlier| earlier.min(act.id)));
        }
    }

    /// Who is put out loses the codes made before; a device that is taken from its member takes its codes with it.
    fn close_codes_of_the_ended(&mut self) {
        for (key, mut invite) in self.view.invites.clone() {
            let Some(made) = self.group.acts.find(&invite.act) else { continue };
            if invite.devices == Some(DeviceCode::Recovery) {
                continue;
            }
            let closing = |of: &MemberId| {
                let graver = [self.verdicts.get(of), self.few.get(of)];
                graver.into_iter().flatten().flatten().map(|act| act.id).filter(|id| !made.decided(id)).min()
            };
            let dropped = self.view.dropped.get(&invite.maker).and_then(|acts| acts.get_min().copied());
            let with_its_maker = dropped.or(made.further_device().and_then(|name| closing(&name)));
            let revoked = invite.revoked.or(closing(&invite.issuer)).or(with_its_maker);
            Arc::make_mut(&mut invite).revoked = revoked;
            self.view.invites.insert(key, invite);
        }
    }

    /// Links stand unless the device whose code they used was dropped, or expelled by name, blind to them.
    fn links(&mut self) {
        for act in self.acts() {
            let (Operation::Link { device, .. }, Some(link)) = (&act.operation, &act.link) else { continue };
            let dropped = self.view.dropped.get(&link.maker).into_iter().flatten();
            let blind =
                |id: &EntryId| self.group.acts.find(id).is_some_and(|drop| !drop.past.contains(act.number));
            let blind_drop = dropped.filter(|id| blind(id)).count() > 0;
            let none = Graver::new();
            let name = MemberId::from(link.maker);
            let struck = name != link.owner && self.is_cut(&name, act, [&self.verdicts, &none]);
            let stands = link.by == DeviceCode::Recovery || !blind_drop && !struck;
            self.decide(act.id, stands);
            if stands {
                self.view.used.entry(link.act).or_default().insert(*device);
            }
        }
    }

    /// Whose each further device is, by the link with the smallest id.
    fn devices(&mut self) {
        let mut links: Vec<&Act> = self.acts().filter(|act| self.view.stands.contains(&act.id)).collect();
        links.sort_by_key(|act| act.id);
        for act in links {
            let (Operation::Link { device, .. }, Some(link)) = (&act.operation, &act.link) else { continue };
            let used = self.view.used.get(&link.act).map_or(0, |used| used.len());
            let overused = link.by == DeviceCode::Link && used > usize::from(link.uses);
            if !overused && !self.view.linked.contains_key(device) {
                let linked = Linked { owner: link.owner, act: act.id };
                self.view.linked.insert(*device, Arc::new(linked));
                self.view.kin.entry(link.owner).or_default().insert(*device);
            }
        }
    }

    /// Admissions, in causal order: what each is held by lies in its past.
    fn step_5(&mut self) {
        for act in self.acts() {
            let (Operation::Admit { device, invite }, Some(door)) = (&act.operation, &act.door) else {
                continue;
            };
            let counted = self.voices(act);
            let counts = door.is_satisfied(door.rule, &counted) && self.is_code_sound(act, door, *invite);
            let raw: Vec<Voice> = self.signatures(act).into_iter().map(Voice::raw).collect();
            if !counts && !door.is_satisfied(door.rule, &raw) {
                continue;
            }
            if counts && !self.blind_rules(act).all(|rule| door.is_satisfied(rule, &counted)) {
                // Waits for what the new rule asks (M-10).
                continue;
            }
            self.decide(act.id, counts);
            if !counts {
                continue;
            }
            if let Some(code) = &door.code {
                self.view.used.entry(code.act).or_default().insert(*device);
            }
        }
    }

    /// Changes of the admission rule that stand and are blind to an admission.
    fn blind_rules(&self, act: &Act) -> impl Iterator<Item = Admission> {
        self.acts().filter_map(|rule| match rule.operation {
            Operation::Rule { parameter: Parameter::Admit, value, .. }
                if self.view.stands.contains(&rule.id)
                    && !act.decided(&rule.id)
                    && !rule.decided(&act.id) =>
            {
                Some(admission(value))
            }
            _ => None,
        })
    }

    /// Who opens a door by a code acts in its issuer's name too (M-15).
    fn is_code_sound(&self, act: &Act, door: &Door, key: Option<DeviceKey>) -> bool {
        let Some(code) = &door.code else { return true };
        let closed_blind = self.acts().any(|other| {
            matches!(&other.operation, Operation::Revoke { key: closed } if Some(*closed) == key)
                && self.view.stands.contains(&other.id)
                && !self.knows(other, act)
        });
        let none = Graver::new();
        let struck = code.further.is_some_and(|name| self.is_cut(&name, act, [&self.verdicts, &none]));
        let cut = struck || self.is_cut(&code.issuer, act, [&self.verdicts, &self.few]);
        !closed_blind && self.is_held(&code.grounds) && !cut
    }

    fn decide(&mut self, id: EntryId, stands: bool) {
        let into = if stands { &mut self.view.stands } else { &mut self.view.fell };
        into.insert(id);
    }

    fn end(&mut self, member: MemberId, act: EntryId, how: Ended) {
        self.view.endings.entry(member).or_default().insert(act, how);
    }

    /// Authors of the signatures that are held and not cut by a verdict: what grants and removals
    /// are counted by.
    fn counted(&self, act: &Act) -> BTreeSet<MemberId> {
        let none = Graver::new();
        let counts = |(by, signature): &(&Act, &Signature)| {
            self.is_held(&signature.grounds) && !self.is_author_cut(by, &none)
        };
        self.signatures(act).into_iter().filter(counts).map(|(by, _)| by.author).collect()
    }

    /// Signatures of an admission that are held and not cut by a verdict or removal.
    fn voices(&self, act: &Act) -> Vec<Voice> {
        let counts = |(by, signature): &(&Act, &Signature)| {
            self.is_held(&signature.grounds) && !self.is_author_cut(by, &self.few)
        };
        let voice = |signed: (&Act, &Signature)| Voice {
            office: self.is_held(&signed.1.offices),
            ..Voice::raw(signed)
        };
        self.signatures(act).into_iter().filter(counts).map(voice).collect()
    }

    /// M-6: something that gave the right still stands.
    fn is_held<'g>(&self, grounds: impl IntoIterator<Item = &'g Ground>) -> bool {
        grounds.into_iter().any(|ground| ground.is_none_or(|act| self.view.stands.contains(&act)))
    }

    /// Whether its author, or by a verdict that names it its very device, was ended blind to it.
    fn is_author_cut(&self, by: &Act, few: &Graver<'a>) -> bool {
        let name = MemberId::from(by.device);
        let struck = name != by.author && self.is_cut(&name, by, [&self.verdicts, &Graver::new()]);
        struck || self.is_cut(&by.author, by, [&self.verdicts, few])
    }

    /// M-5: some ending of `who` that the act's author did not know does not know the act, and no
    /// verdict among such endings does.
    fn is_cut(&self, who: &MemberId, act: &Act, endings: [&Graver<'a>; 2]) -> bool {
        let open = |graver: &Graver<'a>| {
            let of = graver.get(who).into_iter().flatten();
            of.copied().filter(|ending| !act.decided(&ending.id)).collect::<Vec<_>>()
        };
        let [verdicts, few] = endings.map(open);
        let unknown = verdicts.iter().chain(&few).any(|ending| !self.knows(ending, act));
        unknown && !verdicts.iter().any(|ending| self.knows(ending, act))
    }

    /// Whether enough of those who signed an act did so knowing another. Where one hand is enough,
    /// it is the author's: else an accomplice's signature would lend knowledge afterwards.
    fn knows(&self, act: &Act, other: &Act) -> bool {
        if act.needed <= 1 {
            return act.past.contains(other.number);
        }
        let signing = self.signatures(act).into_iter().filter(|(by, _)| by.past.contains(other.number));
        let knowing: BTreeSet<MemberId> = signing.map(|(by, _)| by.author).collect();
        knowing.len() >= act.needed
    }

    /// Of the standing changes of each rule that no other succeeds, the strictest.
    fn rules(&mut self) {
        for parameter in Parameter::ALL {
            let changes: Vec<(&Act, u32)> = self
                .acts()
                .filter(|act| self.view.stands.contains(&act.id))
                .filter_map(|act| match act.operation {
                    Operation::Rule { parameter: of, value, .. } if of == parameter => Some((act, value)),
                    _ => None,
                })
                .collect();
            let succeeded = |act: &Act| changes.iter().any(|(other, _)| other.past.contains(act.number));
            let last = changes.iter().filter(|(act, _)| !succeeded(act)).map(|(_, value)| *value);
            if let Some(value) = last.max_by_key(|value| parameter.strictness(*value)) {
                self.view.rules.set(parameter, value);
            }
        }
    }

    /// Who is what, and by which ground.
    fn settle(&mut self) {
        let founding = &self.group.founding;
        for member in &founding.members {
            let (office, roll) = (founding.council.contains(member), founding.roll.contains(member));
            self.ground(*member, None, None, office, roll);
        }
        let mut standing: Vec<&Act> = self.acts().filter(|act| self.view.stands.contains(&act.id)).collect();
        standing.sort_by_key(|act| act.id);
        for act in standing {
            let (office, roll) = match act.operation {
                Operation::Promote { .. } => (true, true),
                Operation::Enrol { .. } => (false, true),
                Operation::Admit { .. } => (false, false),
                _ => continue,
            };
            for member in act.operation.names() {
                self.ground(member, Some(act.id), Some(act), office, roll);
            }
        }
        self.view.changes = self.standing(|operation| matches!(operation, Operation::Rule { .. }));
        let admissions = self.acts().filter(|act| act.door.is_some()).map(|act| act.id);
        self.view.unmet = admissions.filter(|act| !self.view.stands.contains(act)).collect();
        for (key, mut invite) in self.view.invites.clone() {
            Arc::make_mut(&mut invite).used = self.view.used.get(&invite.act).cloned().unwrap_or_default();
            self.view.invites.insert(key, invite);
        }
        let View { members, roll, grounds, waiting, .. } = &mut self.view;
        *waiting = waiting.iter().filter(|member| !members.contains_key(*member)).copied().collect();
        *grounds = grounds.clone().into_iter().filter(|(_, grounds)| !grounds.is_empty()).collect();
        // Nobody let in who was founded or enrolled, even if an admission alone makes it a member again (M-16).
        for (member, mut info) in members.clone() {
            if roll.contains(&member) || grounds.get(&member).is_some_and(|of| of.member.contains(&None)) {
                Arc::make_mut(&mut info).sponsor = None;
                members.insert(member, info);
            }
        }
    }

    fn standing(&self, is: impl Fn(&Operation) -> bool) -> imbl::OrdSet<EntryId> {
        let standing = self.acts().filter(|act| self.view.stands.contains(&act.id) && is(&act.operation));
        standing.map(|act| act.id).collect()
    }

    /// What one ground gives somebody after all that ended it and was not decided before.
    fn ground(&mut self, member: MemberId, ground: Ground, act: Option<&Act>, office: bool, roll: bool) {
        let known = |ending: &EntryId| act.is_some_and(|act| act.decided(ending));
        let (mut gone, mut removed, mut unseated) = (false, false, false);
        for (_, how) in self.view.endings_of(&member).filter(|(ending, _)| !known(ending)) {
            gone |= matches!(how, Ended::Expelled | Ended::Left);
            removed |= matches!(how, Ended::Removed(_));
            unseated |= how.office_alone();
        }
        let in_office = office && !gone && !unseated;
        let invite = match act.map(|act| &act.operation) {
            Some(Operation::Admit { invite, .. }) => *invite,
            _ => None,
        };
        let alive = !gone && (!removed || in_office);
        let code = act.and_then(|act| act.door.as_ref()).and_then(|door| door.code.as_ref());
        let used = |code: &Code| self.view.used.get(&code.act).map_or(0, |used| used.len());
        let overused = code.is_some_and(|code| used(code) > usize::from(code.uses));
        if alive && overused {
            self.view.waiting.insert(member);
        }
        let grounds = Arc::make_mut(self.view.grounds.entry(member).or_default());
        if alive && overused {
            grounds.waiting.insert(ground);
        }
        if in_office {
            grounds.office.insert(ground);
            self.view.council.insert(member);
        }
        if roll && !gone {
            grounds.roll.insert(ground);
            self.view.roll.insert(member);
        }
        if alive && !overused {
            grounds.member.insert(ground);
            let admission = act.filter(|act| matches!(act.operation, Operation::Admit { .. }));
            let info = Arc::new(MemberInfo {
                admission: admission.map(|act| act.id),
                admitted_by: admission.map(|act| act.author),
                invite,
                sponsor: admission.map(|act| code.map_or(act.author, |code| code.issuer)),
            });
            // What one founded or admitted is shown, whatever its id beside that of a grant; an admission by a code
            // before one by hand (M-16).
            let rank = |info: &MemberInfo| (info.admission.is_none(), info.invite.is_none(), info.admission);
            let shown = self.view.members.entry(member).or_insert_with(|| info.clone());
            if rank(&info) < rank(shown) && !grounds.member.contains(&None) {
                *shown = info;
            }
        }
    }
}
