//! What the acts that stand come to: who is what and by which ground, which rules hold, what codes do.

use std::collections::BTreeSet;
use std::sync::Arc;

use imbl::{OrdMap, OrdSet};

use super::act::{Act, DeviceCode, Operation};
use super::advance::Advance;
use super::rules::Parameter;
use super::view::{Ended, Ground, Grounds, InviteInfo, Linked, MemberInfo, View};
use crate::id::{DeviceKey, EntryId, MemberId};

/// What changed about somebody.
#[derive(Default)]
pub(super) struct Touched {
    /// Grounds that stand, or do no more.
    pub(super) grounds: BTreeSet<Ground>,
    /// Something ended it.
    pub(super) ended: bool,
    /// Something that ended it does no more.
    pub(super) freed: bool,
}

/// What one ground gives after all that ended it.
#[derive(Default)]
struct Rights {
    office: bool,
    roll: bool,
    member: bool,
    waiting: bool,
}

impl Advance<'_> {
    /// Works out persons and codes; nothing that is judged depends on them.
    pub(super) fn settle(&mut self) {
        for (member, touched) in std::mem::take(&mut self.persons) {
            self.settle_person(member, touched);
        }
        for key in std::mem::take(&mut self.codes) {
            self.settle_code(key);
        }
        for device in std::mem::take(&mut self.devices) {
            self.settle_device(device);
        }
    }

    /// Of the standing changes of a rule that no other succeeds, the strictest.
    pub(super) fn settle_rule(&mut self, parameter: Parameter) {
        let changes = self.view.changes.iter().filter_map(|id| {
            let act = self.group.acts.find(id)?;
            match act.operation {
                Operation::Rule { parameter: of, value, .. } if of == parameter => Some((act, value)),
                _ => None,
            }
        });
        let changes: Vec<(&Act, u32)> = changes.collect();
        let succeeded = |act: &Act| changes.iter().any(|(other, _)| other.past.contains(act.number));
        let last = changes.iter().filter(|(act, _)| !succeeded(act)).map(|(_, value)| *value);
        let strictest = last.max_by_key(|value| parameter.strictness(*value));
        self.view.rules.set(parameter, strictest.unwrap_or(self.group.founding.rules.get(parameter)));
    }

    fn settle_person(&mut self, member: MemberId, touched: Touched) {
        let Touched { grounds: mut changed, ended, freed } = touched;
        let mut grounds = self.view.grounds.get(&member).map(|of| (**of).clone()).unwrap_or_default();
        if freed {
            changed.insert(None);
            let naming = self.within(self.group.links.naming.of(&member));
            changed.extend(naming.map(|act| Some(act.id)));
        } else if ended {
            let Grounds { office, roll, member, waiting } = &grounds;
            changed.extend([office, roll, member, waiting].into_iter().flatten());
        }
        for ground in changed {
            let rights = self.rights(&member, ground);
            set(&mut grounds.office, ground, rights.office);
            set(&mut grounds.roll, ground, rights.roll);
            set(&mut grounds.member, ground, rights.member);
            set(&mut grounds.waiting, ground, rights.waiting);
        }
        self.seat(member, grounds);
    }

    /// What a ground gives somebody after all that ended it and was not decided before.
    fn rights(&self, member: &MemberId, ground: Ground) -> Rights {
        let founding = &self.group.founding;
        let act = match ground.map(|id| self.group.acts.find(&id).filter(|act| self.view.stands(&act.id))) {
            None if !founding.members.contains(member) => return Rights::default(),
            None => None,
            Some(None) => return Rights::default(),
            Some(act) => act,
        };
        let (office, roll) = match act.map(|act| &act.operation) {
            None => (founding.council.contains(member), founding.roll.contains(member)),
            Some(Operation::Promote { .. }) => (true, true),
            Some(Operation::Enrol { .. }) => (false, true),
            Some(_) => (false, false),
        };
        let endings = match act {
            Some(act) => self.view.endings_since(member, &act.then),
            None => self.view.endings_of(member).collect(),
        };
        let (mut gone, mut removed, mut unseated) = (false, false, false);
        for (_, how) in endings {
            gone |= matches!(how, Ended::Expelled | Ended::Left);
            removed |= matches!(how, Ended::Removed(_));
            unseated |= how.office_alone();
        }
        let office = office && !gone && !unseated;
        let alive = !gone && (!removed || office);
        let code = act.and_then(|act| act.door.as_ref()).and_then(|door| door.code.as_ref());
        let overused = code.is_some_and(|code| {
            self.view.used.get(&code.act).is_some_and(|used| used.len() > usize::from(code.uses))
        });
        Rights { office, roll: roll && !gone, member: alive && !overused, waiting: alive && overused }
    }

    fn seat(&mut self, member: MemberId, grounds: Grounds) {
        set(&mut self.view.council, member, !grounds.office.is_empty());
        set(&mut self.view.roll, member, !grounds.roll.is_empty());
        set(&mut self.view.waiting, member, !grounds.waiting.is_empty() && grounds.member.is_empty());
        let info = (!grounds.member.is_empty()).then(|| Arc::new(self.shown(&grounds)));
        put(&mut self.view.members, member, info);
        put(&mut self.view.grounds, member, (!grounds.is_empty()).then(|| Arc::new(grounds)));
    }

    /// What one founded or admitted is shown, whatever its id beside that of a grant: an admission by a code before
    /// one by hand; nobody let in who was founded or enrolled, even if an admission alone makes it a member again
    /// (M-16).
    fn shown(&self, grounds: &Grounds) -> MemberInfo {
        let founded = grounds.member.contains(&None);
        let acts = grounds.member.iter().filter_map(|ground| self.group.acts.find(&(*ground)?));
        let shown = acts
            .filter_map(|act| match act.operation {
                Operation::Admit { invite, .. } if !founded => Some((act, invite)),
                _ => None,
            })
            .min_by_key(|(act, invite)| (invite.is_none(), act.id));
        let Some((act, invite)) = shown else { return MemberInfo::default() };
        let code = act.door.as_ref().and_then(|door| door.code.as_ref());
        let sponsor = code.map_or(act.author, |code| code.issuer);
        MemberInfo {
            admission: Some(act.id),
            admitted_by: Some(act.author),
            invite,
            sponsor: grounds.roll.is_empty().then_some(sponsor),
        }
    }

    /// Of the invites with a key the one with the smallest id counts, in any order of arrival.
    fn settle_code(&mut self, key: DeviceKey) {
        let invites = self.within(self.group.links.invites.of(&key));
        let Some(invite) = invites.min_by_key(|act| act.id) else { return };
        let Some(mut info) = InviteInfo::of(invite) else { return };
        let revocations = self.within(self.group.links.revocations.of(&key));
        let binding = revocations.filter(|act| self.view.stands(&act.id) || act.author == info.issuer);
        info.revoked = binding.map(|act| act.id).min();
        if info.devices != Some(DeviceCode::Recovery) {
            let closed = || self.put_out_since(&invite.author, &invite.then);
            info.revoked = info.revoked.or_else(closed).or_else(|| self.closed_with_its_maker(invite));
        }
        info.used = self.view.used.get(&invite.id).cloned().unwrap_or_default();
        put(&mut self.view.invites, key, Some(Arc::new(info)));
    }

    /// A device that is taken from its member takes its codes with it (M-18).
    fn closed_with_its_maker(&self, invite: &Act) -> Option<EntryId> {
        let dropped = self.view.dropped.get(&invite.device).and_then(|acts| acts.get_min().copied());
        let by_name = || invite.further_device().and_then(|name| self.put_out_since(&name, &invite.then));
        dropped.or_else(by_name)
    }

    /// Whose further device one is: by the link with the smallest id, of those that stand by a code that was not
    /// used too often (M-18).
    fn settle_device(&mut self, device: DeviceKey) {
        let links = self.within(self.group.links.linking.of(&device));
        let counts = |act: &&Act| self.view.stands(&act.id) && !self.is_overused(act);
        let link = links.filter(counts).min_by_key(|act| act.id);
        let linked = link.and_then(|act| Some(Linked { owner: act.link.as_ref()?.owner, act: act.id }));
        if let Some(before) = self.view.linked.get(&device).map(|linked| linked.owner) {
            let kin = self.view.kin.entry(before).or_default();
            kin.remove(&device);
            if kin.is_empty() {
                self.view.kin.remove(&before);
            }
        }
        if let Some(linked) = &linked {
            self.view.kin.entry(linked.owner).or_default().insert(device);
        }
        put(&mut self.view.linked, device, linked.map(Arc::new));
    }

    fn is_overused(&self, act: &Act) -> bool {
        act.link.as_ref().is_some_and(|link| {
            let used = self.view.used.get(&link.act).map_or(0, |used| used.len());
            link.by == DeviceCode::Link && used > usize::from(link.uses)
        })
    }

    /// Who is put out loses the codes made before.
    fn put_out_since(&self, issuer: &MemberId, then: &View) -> Option<EntryId> {
        let endings = self.view.endings_since(issuer, then);
        let closing = |(_, how): &(EntryId, Ended)| !matches!(how, Ended::Left | Ended::Resigned);
        endings.into_iter().filter(closing).map(|(act, _)| act).min()
    }
}

/// Puts something into a set or takes it out; copies nothing if that is so already.
fn set<T: Ord + Clone>(set: &mut OrdSet<T>, item: T, is: bool) {
    match set.contains(&item) {
        false if is => drop(set.insert(item)),
        true if !is => drop(set.remove(&item)),
        _ => {}
    }
}

/// Gives a key a value or none; copies nothing if it has it already.
fn put<K: Ord + Clone, V: PartialEq>(map: &mut OrdMap<K, Arc<V>>, key: K, value: Option<Arc<V>>) {
    if map.get(&key) == value.as_ref() {
        return;
    }
    match value {
        Some(value) => drop(map.insert(key, value)),
        None => drop(map.remove(&key)),
    }
}
