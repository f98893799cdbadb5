//! What a set of acts amounts to: members, key-holders, codes.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::{DeviceKey, EntryId, MemberId};

/// How somebody's membership ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Put out by a key-holder.
    Removed(MemberId),
    /// By itself.
    Left,
}

/// One current member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberInfo {
    /// The standing admission this membership rests on; none for the founder.
    pub admission: Option<EntryId>,
    /// Who opened the door.
    pub admitted_by: Option<MemberId>,
    /// The code used.
    pub invite: Option<DeviceKey>,
}

/// One invite code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InviteInfo {
    /// The invite act.
    pub act: EntryId,
    /// Whose code it is.
    pub issuer: MemberId,
    /// How many may come in by it.
    pub uses: u16,
    /// Who came in by it, still a member or not.
    pub used: BTreeSet<DeviceKey>,
    /// Seconds since 1970.
    pub expires: u32,
    /// The act that closed it.
    pub revoked: Option<EntryId>,
}

impl InviteInfo {
    pub(super) fn new(act: EntryId, issuer: MemberId, uses: u16, expires: u32) -> Self {
        Self { act, issuer, uses, used: BTreeSet::new(), expires, revoked: None }
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

/// V(S): the view of a set of acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    founder: MemberId,
    /// Current members.
    pub members: BTreeMap<MemberId, MemberInfo>,
    /// Invite codes.
    pub invites: BTreeMap<DeviceKey, InviteInfo>,
    /// Admitted by a code that was used more often than allowed: they wait (M-15).
    pub waiting: BTreeSet<MemberId>,
    /// Admissions that fell (M-5, M-15): listed to be done again.
    pub fell: BTreeSet<EntryId>,
    /// What ended whom.
    endings: BTreeMap<MemberId, BTreeMap<EntryId, Ended>>,
    admissions: Vec<Admission>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Admission {
    device: DeviceKey,
    act: EntryId,
    by: MemberId,
    invite: Option<DeviceKey>,
    knows: Vec<EntryId>,
}

impl View {
    pub(super) fn founded(founder: DeviceKey) -> Self {
        Self {
            founder: MemberId::from(founder),
            members: BTreeMap::new(),
            invites: BTreeMap::new(),
            waiting: BTreeSet::new(),
            fell: BTreeSet::new(),
            endings: BTreeMap::new(),
            admissions: Vec::new(),
        }
    }

    pub(super) fn end(&mut self, member: MemberId, act: EntryId, how: Ended) {
        self.endings.entry(member).or_default().insert(act, how);
    }

    pub(super) fn invite(&mut self, key: DeviceKey, info: InviteInfo) {
        // Of two acts for one key the smaller id counts, in any order of arrival.
        let standing = self.invites.entry(key).or_insert_with(|| info.clone());
        if info.act < standing.act {
            *standing = info;
        }
    }

    pub(super) fn revoke(&mut self, key: &DeviceKey, act: EntryId) {
        if let Some(invite) = self.invites.get_mut(key) {
            invite.revoked = Some(invite.revoked.map_or(act, |earlier| earlier.min(act)));
        }
    }

    pub(super) fn admit(
        &mut self,
        device: DeviceKey,
        act: EntryId,
        by: MemberId,
        invite: Option<DeviceKey>,
        knows: &[EntryId],
    ) {
        if let Some(info) = invite.and_then(|key| self.invites.get_mut(&key)) {
            info.used.insert(device);
        }
        self.admissions.push(Admission { device, act, by, invite, knows: knows.to_vec() });
    }

    /// member(y): genesis or a standing admission that knows every ending of y (M-12).
    pub(super) fn settle(&mut self) {
        let founder = MemberInfo { admission: None, admitted_by: None, invite: None };
        if !self.endings.contains_key(&self.founder) {
            self.members.insert(self.founder, founder);
        }
        let mut admissions = std::mem::take(&mut self.admissions);
        admissions.sort_by_key(|admission| admission.act);
        for admission in &admissions {
            self.settle_one(admission);
        }
        self.admissions = admissions;
        let members = &self.members;
        self.waiting.retain(|member| !members.contains_key(member));
    }

    fn settle_one(&mut self, admission: &Admission) {
        let member = MemberId::from(admission.device);
        let known = |ending: &EntryId| admission.knows.contains(ending);
        if self.endings_of(&member).iter().any(|ending| !known(ending)) {
            return;
        }
        if admission.invite.is_some_and(|key| self.is_overused(&key)) {
            self.waiting.insert(member);
            return;
        }
        let info = MemberInfo {
            admission: Some(admission.act),
            admitted_by: Some(admission.by),
            invite: admission.invite,
        };
        self.members.entry(member).or_insert(info);
    }

    fn is_overused(&self, key: &DeviceKey) -> bool {
        self.invites.get(key).is_none_or(|invite| invite.used.len() > usize::from(invite.uses))
    }

    /// The acts that ended a member, whatever came after.
    pub fn endings_of(&self, member: &MemberId) -> Vec<EntryId> {
        self.endings.get(member).into_iter().flat_map(BTreeMap::keys).copied().collect()
    }

    /// Whose leaving an act is.
    pub fn left_by(&self, act: &EntryId) -> impl Iterator<Item = MemberId> {
        let by =
            |(_, endings): &(&MemberId, &BTreeMap<EntryId, Ended>)| endings.get(act) == Some(&Ended::Left);
        self.endings.iter().find(by).map(|(member, _)| *member).into_iter()
    }

    /// How somebody who is no member any more ended.
    pub fn ended(&self, member: &MemberId) -> Option<Ended> {
        if self.members.contains_key(member) {
            return None;
        }
        self.endings
            .get(member)
            .and_then(|endings| endings.iter().max_by_key(|(act, _)| *act))
            .map(|(_, how)| *how)
    }

    pub(super) fn removals_of(&self, member: &MemberId) -> impl Iterator<Item = &EntryId> {
        let endings = self.endings.get(member).into_iter().flatten();
        endings.filter(|(_, how)| matches!(how, Ended::Removed(_))).map(|(act, _)| act)
    }

    /// The member a device speaks for. In a draft every member has one device.
    pub fn member_of(&self, device: &DeviceKey) -> Option<MemberId> {
        let member = MemberId::from(*device);
        self.members.contains_key(&member).then_some(member)
    }

    /// Whether somebody holds the keys: in a draft the founder, while a member.
    pub fn is_keyholder(&self, member: &MemberId) -> bool {
        *member == self.founder && self.members.contains_key(member)
    }

    /// All devices of current members.
    pub fn roster(&self) -> BTreeSet<DeviceKey> {
        self.members.keys().map(|member| DeviceKey(member.0)).collect()
    }
}
