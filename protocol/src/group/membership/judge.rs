//! V(S), step by step (spec membership, *The function*).

use std::collections::{BTreeMap, BTreeSet};

use super::Membership;
use super::act::{Act, Code, Door, Operation, Signature};
use super::rules::{Admission, Parameter, admission};
use super::view::{Ended, Ground, InviteInfo, MemberInfo, View};
use crate::id::{DeviceKey, EntryId, MemberId};

/// Positions of the acts of a set, in a causal order.
pub(super) type Set = BTreeSet<usize>;

pub(super) fn judge(group: &Membership, set: &Set) -> View {
    let mut judge = Judge {
        group,
        set,
        view: View::empty(group.founding.rules),
        verdicts: Graver::new(),
        few: Graver::new(),
    };
    judge.step_1();
    judge.step_2();
    judge.step_3();
    judge.step_4();
    judge.step_5();
    judge.settle();
    judge.view
}

/// Standing acts that end somebody, by whom they end.
type Graver = BTreeMap<MemberId, Vec<usize>>;

struct Judge<'a> {
    group: &'a Membership,
    set: &'a Set,
    view: View,
    /// X
    verdicts: Graver,
    /// The removals of R.
    few: Graver,
}

impl<'a> Judge<'a> {
    fn acts(&self) -> impl Iterator<Item = (usize, &'a Act)> + use<'a> {
        let acts = &self.group.acts;
        self.set.iter().filter_map(|at| acts.get(*at).map(|act| (*at, act)))
    }

    /// The acts of S that sign an act, raw.
    fn signatures(&self, at: usize) -> impl Iterator<Item = (usize, &'a Act, &'a Signature)> {
        let signing = self.group.signatures.get(at).into_iter().flatten();
        signing.filter(|by| self.set.contains(by)).filter_map(|by| {
            let act = self.group.acts.get(*by)?;
            Some((*by, act, act.signs.as_ref()?))
        })
    }

    fn has_need(&self, at: usize, act: &Act) -> bool {
        let signers: BTreeSet<MemberId> = self.signatures(at).map(|(_, by, _)| by.author).collect();
        act.needed > 0 && signers.len() >= act.needed
    }

    /// Dismissals; what each names is closed.
    fn step_1(&mut self) {
        for (at, act) in self.acts() {
            if let (Operation::Dismiss { act: named }, true) = (&act.operation, self.has_need(at, act)) {
                self.view.stands.insert(act.id);
                self.view.closed.insert(*named);
            }
        }
    }

    /// Verdicts. Signatures count whatever became of the signers (M-2).
    fn step_2(&mut self) {
        for (at, act) in self.acts().filter(|(_, act)| act.operation.is_verdict()) {
            if self.view.closed.contains(&act.id) || !self.has_need(at, act) {
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
                self.verdicts.entry(member).or_default().push(at);
            }
        }
    }

    /// Grants.
    fn step_3(&mut self) {
        for (at, act) in self.acts().filter(|(_, act)| act.operation.is_grant()) {
            if !self.view.closed.contains(&act.id) && self.has_need(at, act) {
                let counts = self.counted(at).len() >= act.needed;
                self.decide(act.id, counts);
            }
        }
        self.rules();
    }

    /// Removals, revocations, and what people end themselves.
    fn step_4(&mut self) {
        for (at, act) in self.acts() {
            match &act.operation {
                Operation::Leave | Operation::Resign => {
                    let left = matches!(act.operation, Operation::Leave);
                    self.view.stands.insert(act.id);
                    self.end(act.author, act.id, if left { Ended::Left } else { Ended::Resigned });
                }
                Operation::Invite { key, uses, expires } => {
                    let info = InviteInfo::new(act.id, act.author, *uses, *expires);
                    // Of two acts for one key the smaller id counts, in any order of arrival.
                    let standing = self.view.invites.entry(*key).or_insert_with(|| info.clone());
                    if info.act < standing.act {
                        *standing = info;
                    }
                }
                Operation::Remove { members } if self.has_need(at, act) => {
                    let counts = self.counted(at).len() >= act.needed;
                    self.decide(act.id, counts);
                    for member in members.iter().filter(|_| counts) {
                        self.end(*member, act.id, Ended::Removed(act.author));
                        self.few.entry(*member).or_default().push(at);
                    }
                }
                _ => {}
            }
        }
        for (at, act) in self.acts() {
            if let Operation::Revoke { key } = &act.operation {
                self.revoke(at, act, key);
            }
        }
        self.close_codes_of_the_ended();
    }

    /// By the few it stands; by the issuer alone it binds those who know it (M-15).
    fn revoke(&mut self, at: usize, act: &Act, key: &DeviceKey) {
        let enough = self.has_need(at, act);
        let counts = enough && self.counted(at).len() >= act.needed;
        if enough {
            self.decide(act.id, counts);
        }
        if let Some(invite) = self.view.invites.get_mut(key)
            && (counts || invite.issuer == act.author)
        {
            invite.revoked = Some(invite.revoked.map_or(act.id, |earlier| earlier.min(act.id)));
        }
    }

    /// Who is put out loses the codes made before.
    fn close_codes_of_the_ended(&mut self) {
        for invite in self.view.invites.values_mut().filter(|invite| invite.revoked.is_none()) {
            let made = self.group.act(&invite.act);
            let endings = [&self.verdicts, &self.few].map(|graver| graver.get(&invite.issuer));
            let closing = endings.into_iter().flatten().flatten().filter_map(|at| self.group.acts.get(*at));
            let unknown =
                closing.map(|act| act.id).filter(|id| made.is_some_and(|made| !made.decided.contains(id)));
            invite.revoked = unknown.min();
        }
    }

    /// Admissions, in causal order: what each is held by lies in its past.
    fn step_5(&mut self) {
        for (at, act) in self.acts() {
            let (Operation::Admit { device, invite }, Some(door)) = (&act.operation, &act.door) else {
                continue;
            };
            let counted = self.voices(at);
            let counts = door.is_satisfied(door.rule, &counted) && self.is_code_sound(act, door, *invite);
            let raw: Vec<Voice> = self.signatures(at).map(Voice::raw).collect();
            if !counts && !door.is_satisfied(door.rule, &raw) {
                continue;
            }
            if counts && !self.blind_rules(act, door).all(|rule| door.is_satisfied(rule, &counted)) {
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
    fn blind_rules(&self, act: &Act, door: &Door) -> impl Iterator<Item = Admission> {
        self.acts().filter_map(|(_, rule)| match rule.operation {
            Operation::Rule { parameter: Parameter::Admit, value, .. }
                if self.view.stands.contains(&rule.id)
                    && !door.rules.contains(&rule.id)
                    && !rule.admitted.contains(&act.id) =>
            {
                Some(admission(value))
            }
            _ => None,
        })
    }

    /// Who opens a door by a code acts in its issuer's name too (M-15).
    fn is_code_sound(&self, act: &Act, door: &Door, key: Option<DeviceKey>) -> bool {
        let Some(code) = &door.code else { return true };
        let closed_blind = self.acts().any(|(at, other)| {
            matches!(&other.operation, Operation::Revoke { key: closed } if Some(*closed) == key)
                && self.view.stands.contains(&other.id)
                && !self.knows(at, act)
        });
        let cut = self.is_cut(&code.issuer, act, [&self.verdicts, &self.few]);
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
    fn counted(&self, at: usize) -> BTreeSet<MemberId> {
        let none = Graver::new();
        let counts = |(_, by, signature): &(usize, &Act, &Signature)| {
            self.is_held(&signature.grounds) && !self.is_cut(&by.author, by, [&self.verdicts, &none])
        };
        self.signatures(at).filter(counts).map(|(_, by, _)| by.author).collect()
    }

    /// Signatures of an admission that are held and not cut by a verdict or removal.
    fn voices(&self, at: usize) -> Vec<Voice> {
        let counts = |(_, by, signature): &(usize, &Act, &Signature)| {
            self.is_held(&signature.grounds) && !self.is_cut(&by.author, by, [&self.verdicts, &self.few])
        };
        let voice = |signed: (usize, &'a Act, &'a Signature)| Voice {
            office: self.is_held(&signed.2.offices),
            ..Voice::raw(signed)
        };
        self.signatures(at).filter(counts).map(voice).collect()
    }

    /// M-6: something that gave the right still stands.
    fn is_held(&self, grounds: &BTreeSet<Ground>) -> bool {
        grounds.iter().any(|ground| ground.is_none_or(|act| self.view.stands.contains(&act)))
    }

    /// M-5: some ending of `who` that the act's author did not know does not know the act, and no
    /// verdict among such endings does.
    fn is_cut(&self, who: &MemberId, act: &Act, endings: [&Graver; 2]) -> bool {
        let of = |graver: &Graver| graver.get(who).cloned().unwrap_or_default();
        let open =
            |at: &usize| self.group.acts.get(*at).is_some_and(|ending| !act.decided.contains(&ending.id));
        let knows = |at: &usize| self.knows(*at, act);
        let [verdicts, few] = endings.map(|graver| of(graver).into_iter().filter(open).collect::<Vec<_>>());
        let unknown = verdicts.iter().chain(&few).any(|ending| !knows(ending));
        unknown && !verdicts.iter().any(knows)
    }

    /// Whether enough of those who signed an act did so knowing another. Where one hand is enough,
    /// it is the author's: else an accomplice's signature would lend knowledge afterwards.
    fn knows(&self, at: usize, other: &Act) -> bool {
        let Some(act) = self.group.acts.get(at) else { return false };
        if act.needed <= 1 {
            return act.past.contains(&other.id);
        }
        let signing = self.signatures(at).filter(|(_, by, _)| by.past.contains(&other.id));
        let knowing: BTreeSet<MemberId> = signing.map(|(_, by, _)| by.author).collect();
        knowing.len() >= act.needed
    }

    /// Of the standing changes of each rule that no other succeeds, the strictest.
    fn rules(&mut self) {
        for parameter in Parameter::ALL {
            let changes: Vec<(&Act, u32)> = self
                .acts()
                .filter(|(_, act)| self.view.stands.contains(&act.id))
                .filter_map(|(_, act)| match act.operation {
                    Operation::Rule { parameter: of, value, .. } if of == parameter => Some((act, value)),
                    _ => None,
                })
                .collect();
            let succeeded = |act: &Act| changes.iter().any(|(other, _)| other.past.contains(&act.id));
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
        let mut standing: Vec<&Act> =
            self.acts().map(|(_, act)| act).filter(|act| self.view.stands.contains(&act.id)).collect();
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
        for invite in self.view.invites.values_mut() {
            invite.used = self.view.used.get(&invite.act).cloned().unwrap_or_default();
        }
        let View { members, roll, grounds, waiting, .. } = &mut self.view;
        waiting.retain(|member| !members.contains_key(member));
        // Nobody let in who was founded or enrolled, even if an admission alone makes it a member again (M-16).
        for (member, info) in members {
            if roll.contains(member) || grounds.get(member).is_some_and(|of| of.member.contains(&None)) {
                info.sponsor = None;
            }
        }
    }

    /// What one ground gives somebody after all that ended it and was not decided before.
    fn ground(&mut self, member: MemberId, ground: Ground, act: Option<&Act>, office: bool, roll: bool) {
        let known = |ending: &EntryId| act.is_some_and(|act| act.decided.contains(ending));
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
        let used = |code: &Code| self.view.used.get(&code.act).map_or(0, BTreeSet::len);
        let overused = code.is_some_and(|code| used(code) > usize::from(code.uses));
        if alive && overused {
            self.view.waiting.insert(member);
        }
        let grounds = self.view.grounds.entry(member).or_default();
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
            let info = MemberInfo {
                admission: admission.map(|act| act.id),
                admitted_by: admission.map(|act| act.author),
                invite,
                sponsor: admission.map(|act| code.map_or(act.author, |code| code.issuer)),
            };
            // What one founded or admitted is shown, whatever its id beside that of a grant (M-16).
            let shown = self.view.members.entry(member).or_insert_with(|| info.clone());
            if shown.admission.is_none() && !grounds.member.contains(&None) {
                *shown = info;
            }
        }
    }
}

/// One who signs an admission.
struct Voice {
    member: MemberId,
    office: bool,
    sponsor: Option<MemberId>,
}

impl Voice {
    fn raw((_, by, signature): (usize, &Act, &Signature)) -> Self {
        Self { member: by.author, office: !signature.offices.is_empty(), sponsor: signature.sponsor }
    }
}

impl Door {
    /// Whether these have signed what a rule asks, and what a removal before it does.
    fn is_satisfied(&self, rule: Admission, voices: &[Voice]) -> bool {
        let by_office = voices.iter().any(|voice| voice.office);
        let enough = match rule {
            Admission::KeyHolder => by_office,
            Admission::Vouches(needed) => independent(voices) >= needed,
        };
        enough && (by_office || !self.after_removal)
    }
}

/// How many of these there are at most of whom none let another in (M-16). Everybody was let in by one
/// at most, so that whoever has let in nobody who is left can always be taken.
fn independent(voices: &[Voice]) -> usize {
    let mut left: BTreeMap<MemberId, Option<MemberId>> =
        voices.iter().map(|voice| (voice.member, voice.sponsor)).collect();
    let mut count = 0;
    while let Some(next) = next_voice(&left) {
        let sponsor = left.remove(&next).flatten();
        left.retain(|member, by| Some(*member) != sponsor && *by != Some(next));
        count += 1;
    }
    count
}

/// Somebody who let in nobody of these; if they all let one another in, around a circle, any.
fn next_voice(left: &BTreeMap<MemberId, Option<MemberId>>) -> Option<MemberId> {
    let sponsors: BTreeSet<MemberId> = left.values().flatten().copied().collect();
    left.keys().find(|member| !sponsors.contains(member)).or(left.keys().next()).copied()
}
