//! V(S ∪ E) from V(S): the five steps, for acts that more acts can have touched.
//!
//! Whether an act stands depends on its signatures, on the endings of those who signed, on the grounds
//! they signed by, on its code; an admission on blind changes of the rule too. All of these are of an
//! earlier step or have a smaller number. So acts are judged again in the order of step and number, each
//! once at most, and one that flips queues those that depend on it. Of a verdict, removal or revocation
//! it matters too who signed it (M-5).

use std::collections::{BTreeMap, BTreeSet};

use imbl::OrdSet;

use super::Membership;
use super::act::{Act, Code, Door, Link, Operation, Signature};
use super::counting::Outcome;
use super::doors::Voice;
use super::rules::Parameter;
use super::set::OpSet;
use super::settle::Touched;
use super::view::{Ended, View};
use crate::id::{DeviceKey, EntryId, MemberId};

/// The view of a set, from that of the set without the acts added.
pub(super) fn advance(group: &Membership, set: &OpSet, before: &View, added: &[u32]) -> View {
    let mut judge = Advance::new(group, set, before.clone());
    for number in added {
        judge.arrive(*number);
    }
    while let Some((_, number)) = judge.queue.pop_first() {
        group.acts.get(number).into_iter().for_each(|act| judge.judge(act));
    }
    judge.settle();
    judge.view
}

/// Whether an act stood, and stands.
#[derive(Clone, Copy)]
struct Turn {
    stood: bool,
    stands: bool,
}

impl Turn {
    fn flips(self) -> bool {
        self.stood != self.stands
    }
}

pub(super) struct Advance<'a> {
    pub(super) group: &'a Membership,
    set: &'a OpSet,
    pub(super) view: View,
    /// Acts to judge again, by step and number.
    queue: BTreeSet<(u8, u32)>,
    /// Acts that somebody more signed.
    gained: BTreeSet<u32>,
    /// What is worked out once all acts are judged.
    pub(super) persons: BTreeMap<MemberId, Touched>,
    pub(super) codes: BTreeSet<DeviceKey>,
    pub(super) devices: BTreeSet<DeviceKey>,
}

impl<'a> Advance<'a> {
    /// The view of no acts.
    pub(super) fn start(group: &'a Membership) -> View {
        let mut judge = Self::new(group, &group.all, View::empty(group.founding.rules));
        for member in &group.founding.members {
            judge.persons.entry(*member).or_default().grounds.insert(None);
        }
        judge.settle();
        judge.view
    }

    fn new(group: &'a Membership, set: &'a OpSet, view: View) -> Self {
        let (queue, gained, persons) = (BTreeSet::new(), BTreeSet::new(), BTreeMap::new());
        let (codes, devices) = (BTreeSet::new(), BTreeSet::new());
        Self { group, set, view, queue, gained, persons, codes, devices }
    }

    /// Those of S among some acts.
    pub(super) fn within(&self, numbers: &'a [u32]) -> impl Iterator<Item = &'a Act> + use<'a> {
        let (set, acts) = (self.set, &self.group.acts);
        numbers.iter().filter(|number| set.contains(**number)).filter_map(|number| acts.get(*number))
    }

    /// What signs an act, raw.
    pub(super) fn signatures(&self, act: &Act) -> impl Iterator<Item = (&'a Act, &'a Signature)> + use<'a> {
        let signing = self.within(self.group.links.signatures.of(&act.number));
        signing.filter_map(|by| by.signs.as_ref().map(|signature| (by, signature)))
    }

    /// A new act is judged, and so is what it signs.
    fn arrive(&mut self, number: u32) {
        let Some(act) = self.group.acts.get(number) else { return };
        self.queue(act);
        if let Some(signature) = &act.signs {
            self.gained.insert(signature.of);
            self.queue_signed(act, 0);
        }
    }

    fn queue(&mut self, act: &Act) {
        let step = act.operation.step();
        if step > 0 && self.set.contains(act.number) {
            self.queue.insert((step, act.number));
        }
    }

    /// Queues what an act signs, if that is judged after a step.
    fn queue_signed(&mut self, by: &Act, after: u8) {
        let signed = by.signs.as_ref().and_then(|signature| self.group.acts.get(signature.of));
        signed.filter(|act| act.operation.step() > after).into_iter().for_each(|act| self.queue(act));
    }

    fn judge(&mut self, act: &'a Act) {
        match &act.operation {
            Operation::Dismiss { act: named } => self.dismissal(act, *named),
            Operation::Expel { .. } => self.verdict(act, Ended::Expelled),
            Operation::Demote { .. } => self.verdict(act, Ended::Demoted),
            Operation::Promote { .. } | Operation::Enrol { .. } => self.grant(act),
            Operation::Rule { parameter, .. } => self.rule(act, *parameter),
            Operation::Remove { .. } => self.removal(act),
            Operation::Revoke { key } => self.revocation(act, *key),
            Operation::Leave => self.own_ending(act, Ended::Left),
            Operation::Resign => self.own_ending(act, Ended::Resigned),
            Operation::Invite { key, .. } => {
                self.codes.insert(*key);
            }
            Operation::Admit { device, .. } => {
                if let Some(door) = &act.door {
                    self.admission(act, door, *device);
                }
            }
            Operation::Drop { device, .. } => self.drop_device(act, *device),
            Operation::Link { key, .. } => {
                if let Some(link) = &act.link {
                    self.link(act, link, *key);
                }
            }
            Operation::Bring { .. } | Operation::Approve { .. } => {}
        }
    }

    fn put(&mut self, act: &Act, outcome: Outcome) -> Turn {
        let turn = Turn { stood: self.view.stands(&act.id), stands: outcome == Outcome::Stands };
        if turn.flips() && turn.stands {
            self.view.stands.insert(act.id);
        } else if turn.flips() {
            self.view.stands.remove(&act.id);
        }
        let fell = outcome == Outcome::Fell;
        if fell && !self.view.fell.contains(&act.id) {
            self.view.fell.insert(act.id);
        } else if !fell && self.view.fell.contains(&act.id) {
            self.view.fell.remove(&act.id);
        }
        turn
    }

    /// Step 1.
    fn dismissal(&mut self, act: &Act, named: EntryId) {
        let outcome = if self.has_need(act) { Outcome::Stands } else { Outcome::Open };
        if self.put(act, outcome).flips() {
            self.view.closed.insert(named);
            self.group.acts.find(&named).into_iter().for_each(|named| self.queue(named));
        }
    }

    /// Step 2. Signatures count whatever became of the signers (M-2).
    fn verdict(&mut self, act: &Act, how: Ended) {
        let decided = !self.view.closed.contains(&act.id) && self.has_need(act);
        let turn = self.put(act, if decided { Outcome::Stands } else { Outcome::Open });
        for member in act.operation.names() {
            self.end(member, act.id, how, turn);
        }
        self.cut_anew(act, turn);
    }

    /// Step 3.
    fn grant(&mut self, act: &Act) {
        let outcome = if self.view.closed.contains(&act.id) { Outcome::Open } else { self.count(act) };
        if self.put(act, outcome).flips() {
            self.ground_turned(act);
        }
    }

    fn rule(&mut self, act: &'a Act, parameter: Parameter) {
        let outcome = if self.view.closed.contains(&act.id) { Outcome::Open } else { self.count(act) };
        let turn = self.put(act, outcome);
        if !turn.flips() {
            return;
        }
        if turn.stands {
            self.view.changes.insert(act.id);
        } else {
            self.view.changes.remove(&act.id);
        }
        self.settle_rule(parameter);
        if parameter == Parameter::Admit {
            self.admissions_blind_to(act);
        }
    }

    /// What did not stand for the act's author, or was not known to him.
    fn admissions_blind_to(&mut self, rule: &'a Act) {
        let acts = &self.group.acts;
        let unmet = rule.then.unmet.iter().filter_map(|id| acts.find(id));
        let unknown = self.set.difference(&rule.past).filter_map(|number| acts.get(number));
        for act in unknown.chain(unmet).filter(|act| act.door.is_some() && !act.decided(&rule.id)) {
            self.queue(act);
        }
    }

    /// Step 4.
    fn removal(&mut self, act: &Act) {
        let outcome = self.count(act);
        let turn = self.put(act, outcome);
        for member in act.operation.names() {
            self.end(member, act.id, Ended::Removed(act.author), turn);
        }
        self.cut_anew(act, turn);
    }

    /// By the few it stands; by the issuer alone it binds those who know it (M-15).
    fn revocation(&mut self, act: &Act, key: DeviceKey) {
        let outcome = self.count(act);
        let turn = self.put(act, outcome);
        self.codes.insert(key);
        if self.counts_anew(act, turn) {
            for admission in self.within(self.group.links.admitted_by_code.of(&key)) {
                self.queue(admission);
            }
        }
    }

    fn own_ending(&mut self, act: &Act, how: Ended) {
        let turn = self.put(act, Outcome::Stands);
        self.end(act.author, act.id, how, turn);
    }

    /// Step 5.
    fn admission(&mut self, act: &'a Act, door: &'a Door, device: DeviceKey) {
        let voices = self.voices(act);
        let counts = door.is_satisfied(door.rule, &voices) && self.is_code_sound(act, door);
        let outcome = if counts {
            // Else it waits for what the new rule asks (M-10).
            let enough = self.blind_rules(act).all(|rule| door.is_satisfied(rule, &voices));
            if enough { Outcome::Stands } else { Outcome::Open }
        } else {
            let raw: Vec<Voice> = self.signatures(act).map(Voice::raw).collect();
            if door.is_satisfied(door.rule, &raw) { Outcome::Fell } else { Outcome::Open }
        };
        let turn = self.put(act, outcome);
        if turn.stands && self.view.unmet.contains(&act.id) {
            self.view.unmet.remove(&act.id);
        } else if !turn.stands && !self.view.unmet.contains(&act.id) {
            self.view.unmet.insert(act.id);
        }
        if turn.flips() {
            if let Some(code) = &door.code {
                self.use_code(code, device, turn);
            }
            self.ground_turned(act);
        }
    }

    /// Takes a device from its member, raw. Its codes close; what they linked is judged again.
    fn drop_device(&mut self, act: &Act, device: DeviceKey) {
        if self.put(act, Outcome::Stands).flips() {
            self.view.dropped.entry(device).or_default().insert(act.id);
            let links = &self.group.links;
            self.codes.extend(links.made.get(&device).into_iter().flatten());
            for linked in self.within(links.linked_by.of(&device)) {
                self.queue(linked);
            }
        }
    }

    /// Step 5, too. Devices that came by one code speak, or don't, together.
    fn link(&mut self, act: &Act, link: &Link, key: DeviceKey) {
        let outcome = self.count_link(act, link);
        if !self.put(act, outcome).flips() {
            return;
        }
        let of_code: Vec<&Act> = self.within(self.group.links.linked_by_invite.of(&link.act)).collect();
        self.devices.extend(of_code.iter().filter_map(|act| act.operation.linked()));
        let standing = of_code.into_iter().filter(|act| self.view.stands(&act.id));
        let used: OrdSet<DeviceKey> = standing.filter_map(|act| act.operation.linked()).collect();
        if used.is_empty() {
            self.view.used.remove(&link.act);
        } else {
            self.view.used.insert(link.act, used);
        }
        self.codes.insert(key);
    }

    /// Who came in by a code. If it becomes used too often, or isn't any more, that touches them all.
    fn use_code(&mut self, code: &Code, device: DeviceKey, turn: Turn) {
        let before = self.view.used.get(&code.act).map_or(0, |used| used.len());
        let mut admissions = self.within(self.group.links.admitted_by_invite.of(&code.act));
        if turn.stands {
            self.view.used.entry(code.act).or_default().insert(device);
        } else if !admissions
            .any(|act| self.view.stands(&act.id) && act.operation.names().contains(&device.into()))
        {
            let used = self.view.used.entry(code.act).or_default();
            used.remove(&device);
            if used.is_empty() {
                self.view.used.remove(&code.act);
            }
        }
        self.codes.insert(code.key);
        let after = self.view.used.get(&code.act).map_or(0, |used| used.len());
        let most = usize::from(code.uses);
        if (before > most) != (after > most) {
            for act in self.within(self.group.links.admitted_by_invite.of(&code.act)) {
                self.touch(act);
            }
        }
    }

    /// Somebody's ground stands, or does no more: what was signed by it is judged again.
    fn ground_turned(&mut self, act: &Act) {
        self.touch(act);
        for resting in self.within(self.group.links.resting.of(&act.id)) {
            self.queue(resting);
            self.queue_signed(resting, 0);
        }
    }

    fn touch(&mut self, act: &Act) {
        for member in act.operation.names() {
            self.persons.entry(member).or_default().grounds.insert(Some(act.id));
        }
    }

    /// Records that an act ends somebody, or does no more.
    fn end(&mut self, member: MemberId, act: EntryId, how: Ended, turn: Turn) {
        if !turn.flips() {
            return;
        }
        let endings = self.view.endings.entry(member).or_default();
        if turn.stands {
            endings.insert(act, how);
        } else {
            endings.remove(&act);
            if endings.is_empty() {
                self.view.endings.remove(&member);
            }
        }
        let touched = self.persons.entry(member).or_default();
        if turn.stands {
            touched.ended = true;
        } else {
            touched.freed = true;
        }
        let links = &self.group.links;
        self.codes.extend(links.issued.get(&member).into_iter().flatten());
        // A verdict can name a device.
        self.codes.extend(links.made.get(&DeviceKey(member.0)).into_iter().flatten());
    }

    /// Whether an act counts for others in another way than before.
    fn counts_anew(&self, act: &Act, turn: Turn) -> bool {
        turn.flips() || turn.stands && self.gained.contains(&act.number)
    }

    /// What those whom an act ends have signed, and admissions by their codes, are judged again.
    fn cut_anew(&mut self, act: &Act, turn: Turn) {
        if !self.counts_anew(act, turn) {
            return;
        }
        let links = &self.group.links;
        for member in act.operation.names() {
            for by in self.within(links.signed.of(&member)) {
                self.queue_signed(by, act.operation.step());
            }
            let linked = links.linked_by.of(&DeviceKey(member.0));
            for let_in in self.within(links.admitted_for.of(&member)).chain(self.within(linked)) {
                self.queue(let_in);
            }
        }
    }
}
