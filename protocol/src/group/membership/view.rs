//! What a set of acts amounts to: members, key-holders, voters, rules, codes.

use std::collections::BTreeSet;
use std::sync::Arc;

use imbl::ordmap::DiffItem;
use imbl::{OrdMap, OrdSet};

use super::act::{Act, DeviceCode, Operation, Right, further};
use super::rules::Rules;
use crate::id::{DeviceKey, EntryId, MemberId};

/// What a membership or an office rests on: an act, or (`None`) genesis.
pub type Ground = Option<EntryId>;

/// How somebody's membership, or office, ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Put out by a majority.
    Expelled,
    /// Put out by key-holders, on the proposal of this one.
    Removed(MemberId),
    /// By itself.
    Left,
    /// Its office alone, by a majority.
    Demoted,
    /// Its office alone, by itself.
    Resigned,
}

impl Ended {
    /// Whether it ends the office and nothing else.
    pub fn office_alone(self) -> bool {
        matches!(self, Self::Demoted | Self::Resigned)
    }
}

/// One current member.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemberInfo {
    /// The standing admission this membership rests on, if any.
    pub admission: Option<EntryId>,
    /// Who opened the door.
    pub admitted_by: Option<MemberId>,
    /// The code used.
    pub invite: Option<DeviceKey>,
    /// Who let it in, by hand or code, if it rests on admissions alone (M-16).
    pub sponsor: Option<MemberId>,
}

/// One invite code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InviteInfo {
    /// The invite act.
    pub act: EntryId,
    /// Whose code it is.
    pub issuer: MemberId,
    /// The device that made it.
    pub maker: DeviceKey,
    /// If it lets in devices of its issuer's (M-18).
    pub devices: Option<DeviceCode>,
    /// How many may come in by it.
    pub uses: u16,
    /// Who came in by it, still a member or not.
    pub used: OrdSet<DeviceKey>,
    /// Seconds since 1970.
    pub expires: u32,
    /// The act that closed it: a revocation, or what put its issuer out.
    pub revoked: Option<EntryId>,
}

impl InviteInfo {
    /// As its act says; none if that is of another kind.
    pub(super) fn of(act: &Act) -> Option<Self> {
        let Operation::Invite { uses, expires, devices, .. } = act.operation else { return None };
        let (issuer, maker) = (act.author, act.device);
        Some(Self { act: act.id, issuer, maker, devices, uses, used: OrdSet::new(), expires, revoked: None })
    }

    /// What a door-opener may do with the code at `now` (seconds since 1970).
    pub fn state(&self, now: u64) -> InviteState {
        if self.revoked.is_some() {
            InviteState::Revoked
        } else if now >= u64::from(self.expires) {
            InviteState::Expired
        } else if self.used.len() >= usize::from(self.uses) {
            InviteState::Used
        } else {
            InviteState::Open
        }
    }
}

/// Whether a code still opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InviteState {
    /// It does.
    Open,
    /// As often used as allowed.
    Used,
    /// By the door-opener's clock.
    Expired,
    /// Closed by an act.
    Revoked,
}

/// What each right of a person rests on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Grounds {
    pub(super) office: OrdSet<Ground>,
    pub(super) roll: OrdSet<Ground>,
    pub(super) member: OrdSet<Ground>,
    /// Would give membership, but for a code used too often.
    pub(super) waiting: OrdSet<Ground>,
}

impl Grounds {
    pub(super) fn is_empty(&self) -> bool {
        [&self.office, &self.roll, &self.member, &self.waiting].into_iter().all(OrdSet::is_empty)
    }
}

/// A member's device beside its first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linked {
    /// For whom it speaks, or spoke.
    pub owner: MemberId,
    /// The act that linked it.
    pub act: EntryId,
}

/// V(S): the view of a set of acts. Copies share what they have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Current members.
    pub members: OrdMap<MemberId, Arc<MemberInfo>>,
    /// Who holds the keys.
    pub council: OrdSet<MemberId>,
    /// Who votes.
    pub roll: OrdSet<MemberId>,
    /// The rules that hold.
    pub rules: Rules,
    /// Invite codes.
    pub invites: OrdMap<DeviceKey, Arc<InviteInfo>>,
    /// Further devices of members, dropped ones among them (M-18).
    pub linked: OrdMap<DeviceKey, Arc<Linked>>,
    /// Devices that speak for nobody any more, by the acts that took them from their members.
    pub dropped: OrdMap<DeviceKey, OrdSet<EntryId>>,
    /// Admitted by a code that was used more often than allowed: they wait (M-15).
    pub waiting: OrdSet<MemberId>,
    /// Acts that enough have signed, but not enough of it counts (M-5, M-6, M-15): to be done again.
    pub fell: OrdSet<EntryId>,
    /// Acts that a dismissal closed (M-9).
    pub closed: OrdSet<EntryId>,
    /// Acts that stand.
    pub(super) stands: OrdSet<EntryId>,
    /// Of those, changes of rules.
    pub(super) changes: OrdSet<EntryId>,
    /// Admissions that do not stand.
    pub(super) unmet: OrdSet<EntryId>,
    /// What ended whom.
    pub(super) endings: OrdMap<MemberId, OrdMap<EntryId, Ended>>,
    pub(super) grounds: OrdMap<MemberId, Arc<Grounds>>,
    /// The linked devices of each person.
    pub(super) kin: OrdMap<MemberId, OrdSet<DeviceKey>>,
    /// Who came in by each invite act, still a member or not.
    pub(super) used: OrdMap<EntryId, OrdSet<DeviceKey>>,
}

impl View {
    pub(super) fn empty(rules: Rules) -> Self {
        Self {
            members: OrdMap::new(),
            council: OrdSet::new(),
            roll: OrdSet::new(),
            rules,
            invites: OrdMap::new(),
            linked: OrdMap::new(),
            dropped: OrdMap::new(),
            waiting: OrdSet::new(),
            fell: OrdSet::new(),
            closed: OrdSet::new(),
            stands: OrdSet::new(),
            changes: OrdSet::new(),
            unmet: OrdSet::new(),
            endings: OrdMap::new(),
            grounds: OrdMap::new(),
            kin: OrdMap::new(),
            used: OrdMap::new(),
        }
    }

    /// Whether an act stands.
    pub fn stands(&self, act: &EntryId) -> bool {
        self.stands.contains(act)
    }

    /// The acts that ended a member or its office, whatever came after.
    pub fn endings_of(&self, member: &MemberId) -> impl Iterator<Item = (EntryId, Ended)> {
        self.endings.get(member).into_iter().flatten().map(|(act, how)| (*act, *how))
    }

    /// Those of them that did not stand in an earlier view.
    pub(super) fn endings_since(&self, member: &MemberId, then: &Self) -> Vec<(EntryId, Ended)> {
        let Some(now) = self.endings.get(member) else { return Vec::new() };
        let Some(then) = then.endings.get(member) else {
            return now.iter().map(|(act, how)| (*act, *how)).collect();
        };
        let new = |item| match item {
            DiffItem::Add(act, how) => Some((*act, *how)),
            DiffItem::Update { .. } | DiffItem::Remove(..) => None,
        };
        then.diff(now).filter_map(new).collect()
    }

    /// Whom an act ended, or whose office.
    pub fn ended_by(&self, act: &EntryId) -> impl Iterator<Item = MemberId> {
        self.endings.iter().filter(|(_, endings)| endings.contains_key(act)).map(|(member, _)| *member)
    }

    /// How somebody who is no member any more ended: by the gravest act, not by the last.
    pub fn ended(&self, member: &MemberId) -> Option<Ended> {
        if self.members.contains_key(member) {
            return None;
        }
        let gravity = |how: &Ended| match how {
            Ended::Expelled => 0,
            Ended::Removed(_) => 1,
            _ => 2,
        };
        let endings = self.endings_of(member).filter(|(_, how)| !how.office_alone());
        endings.min_by_key(|(act, how)| (gravity(how), *act)).map(|(_, how)| how)
    }

    /// The acts by which a device is out: what ended its member, or took it from him.
    pub fn endings_of_device(&self, device: &DeviceKey) -> impl Iterator<Item = (EntryId, Ended)> {
        let owner = self.owner_of(device);
        let out = !self.members.contains_key(&owner);
        let person = self.endings.get(&owner).filter(|_| out).into_iter().flatten();
        let struck = further(device, &owner).and_then(|name| self.endings.get(&name)).into_iter().flatten();
        let struck = struck.filter(|(_, how)| **how == Ended::Expelled);
        let endings = person.filter(|(_, how)| !how.office_alone()).chain(struck);
        let dropped = self.dropped.get(device).into_iter().flatten().map(|act| (*act, Ended::Left));
        endings.map(|(act, how)| (*act, *how)).chain(dropped)
    }

    /// The person a device is of, whatever became of either.
    pub fn owner_of(&self, device: &DeviceKey) -> MemberId {
        let person = MemberId::from(*device);
        let linked = self.linked.get(device).filter(|_| !self.grounds.contains_key(&person));
        linked.map_or(person, |linked| linked.owner)
    }

    /// Whether a device was not taken from its person, by that person's word or by a verdict that names it alone.
    fn is_live(&self, device: &DeviceKey, owner: &MemberId) -> bool {
        let struck = || further(device, owner).is_some_and(|name| self.is_expelled(&name));
        !self.dropped.contains_key(device) && !struck()
    }

    /// The person a device speaks for, member or only on the roll (M-8).
    pub(super) fn person_of(&self, device: &DeviceKey) -> Option<MemberId> {
        let person = self.owner_of(device);
        let counts = self.members.contains_key(&person) || self.roll.contains(&person);
        (counts && self.is_live(device, &person)).then_some(person)
    }

    /// The member a device speaks for.
    pub fn member_of(&self, device: &DeviceKey) -> Option<MemberId> {
        self.person_of(device).filter(|person| self.members.contains_key(person))
    }

    /// The devices beside the first that speak for somebody.
    pub(super) fn further_devices(&self, member: &MemberId) -> impl Iterator<Item = DeviceKey> {
        let own = *member;
        self.all_devices_of(member).skip(1).filter(move |device| self.is_live(device, &own))
    }

    /// The devices that speak for somebody, or did: the first, and those that were linked.
    pub fn all_devices_of(&self, member: &MemberId) -> impl Iterator<Item = DeviceKey> {
        let own = *member;
        let linked = self.kin.get(member).into_iter().flatten().copied();
        [DeviceKey(member.0)].into_iter().chain(linked.filter(move |device| self.owner_of(device) == own))
    }

    /// The devices that speak for somebody: none if all were dropped.
    pub fn devices_of(&self, member: &MemberId) -> impl Iterator<Item = DeviceKey> {
        let own = *member;
        self.all_devices_of(member).filter(move |device| self.is_live(device, &own))
    }

    /// Whether somebody has set a recovery phrase.
    pub fn has_phrase(&self, member: &MemberId) -> bool {
        let by_phrase = |code: &Arc<InviteInfo>| code.devices == Some(DeviceCode::Recovery);
        self.invites.values().any(|code| code.issuer == *member && by_phrase(code))
    }

    /// Whether somebody holds the keys.
    pub fn is_keyholder(&self, member: &MemberId) -> bool {
        self.council.contains(member)
    }

    /// Whether somebody's word on keys of earlier epochs counts everywhere (K-5): a key-holder's; anybody's where
    /// there is none.
    pub fn tells_keys(&self, member: &MemberId) -> bool {
        self.is_keyholder(member) || self.council.is_empty()
    }

    /// Whether somebody has a right.
    pub fn holds(&self, member: &MemberId, right: Right) -> bool {
        !self.grounds_of(member, right).is_empty()
    }

    /// How many have a right.
    pub fn holders(&self, right: Right) -> usize {
        match right {
            Right::Council => self.council.len(),
            Right::Roll => self.roll.len(),
            Right::Member => self.members.len(),
        }
    }

    /// What somebody's right rests on.
    pub(super) fn grounds_of(&self, member: &MemberId, right: Right) -> OrdSet<Ground> {
        let Some(grounds) = self.grounds.get(member) else { return OrdSet::new() };
        match right {
            Right::Council => &grounds.office,
            Right::Roll => &grounds.roll,
            Right::Member => &grounds.member,
        }
        .clone()
    }

    /// All devices of current members.
    pub fn roster(&self) -> BTreeSet<DeviceKey> {
        self.members.keys().flat_map(|member| self.devices_of(member)).collect()
    }

    /// Whether a code lets in, uses and expiry aside.
    pub(super) fn is_open(&self, key: &DeviceKey) -> bool {
        self.invites
            .get(key)
            .is_some_and(|invite| invite.revoked.is_none() && self.members.contains_key(&invite.issuer))
    }

    pub(super) fn is_expelled(&self, member: &MemberId) -> bool {
        self.endings_of(member).any(|(_, how)| how == Ended::Expelled)
    }

    pub(super) fn was_removed(&self, member: &MemberId) -> bool {
        self.endings_of(member).any(|(_, how)| matches!(how, Ended::Removed(_)))
    }
}
