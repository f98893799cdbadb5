//! Making a group of a draft, and moving there (M-20).

use std::collections::BTreeSet;

use super::{Node, NodeError};
use crate::crypto;
use crate::group::genesis::{GenesisParameters, GenesisRules, MAX_COUNCIL};
use crate::group::membership::Rules;
use crate::group::operation::{Control, Doorway, Move};
use crate::id::{DeviceKey, EntryId, GroupId, MemberId};
use crate::kind::Kind;
use crate::replica::{AuthorError, Errand, Event, Replica};
use crate::store::{Store, StoreError};
use crate::time::Timestamp;

impl<S: Store> Node<S> {
    /// Proposes to make a group of a draft. Its key-holders are those named and this member; everybody
    /// in the draft is a member and votes.
    ///
    /// # Errors
    /// [`NodeError::NotAllowed`] unless this is the founder of a draft; [`NodeError::NotFound`] if
    /// somebody named is no member; [`NodeError::Council`] without a second key-holder.
    pub fn found(
        &mut self,
        group: GroupId,
        keyholders: &BTreeSet<MemberId>,
        rules: Rules,
        now: Timestamp,
    ) -> Result<EntryId, NodeError> {
        self.require_keyholder(&group)?;
        let replica = self.replica(&group)?;
        if !replica.is_draft() || replica.successor().is_some() {
            return Err(NodeError::Founded);
        }
        let view = replica.view();
        if keyholders.iter().any(|member| !view.members.contains_key(member)) {
            return Err(NodeError::NotFound);
        }
        // Each moves with one laptop, and links the others again in the group.
        let own = replica.member();
        let device = |member: &MemberId| {
            if *member == own { Some(replica.device()) } else { view.devices_of(member).next() }
        };
        let council: BTreeSet<DeviceKey> = keyholders.iter().chain([&own]).filter_map(device).collect();
        if !(2..=MAX_COUNCIL).contains(&council.len()) {
            return Err(NodeError::Council);
        }
        let everybody: BTreeSet<DeviceKey> = view.members.keys().filter_map(device).collect();
        let everybody: Vec<DeviceKey> = everybody.into_iter().collect();
        let (suite, founder, name) = (replica.suite() as u16, replica.device(), replica.name().to_owned());
        let mut random = [0; 32];
        self.rng.fill_bytes(&mut random);
        let parameters = GenesisParameters {
            suite,
            founder,
            random: random.into(),
            name,
            council: council.into_iter().collect(),
            members: everybody.clone(),
            roll: everybody,
            rules: GenesisRules { admit: rules.admit, few: rules.few, wait: Some(rules.wait) },
            predecessor: Some(group),
        };
        let proposed =
            self.in_group(group, None, now, |replica, round| replica.propose_founding(&parameters, round));
        let id = proposed.ok_or(NodeError::NoGroup)??;
        self.after(group, now)?;
        Ok(id)
    }

    /// The group that a draft of this profile's has become, where this profile is in it; else the same.
    pub fn successor_of(&self, group: &GroupId) -> GroupId {
        let next = self.replicas.get(group).and_then(leads_to);
        next.filter(|next| self.replicas.contains_key(next)).unwrap_or(*group)
    }

    /// The draft that a group of this profile's was founded from.
    pub fn draft_of(&self, group: &GroupId) -> Option<GroupId> {
        let draft = self.replicas.values().find(|replica| leads_to(replica) == Some(*group));
        draft.map(Replica::group)
    }

    /// What follows from a draft's having become a group: its founder starts it, the others ask for
    /// their leaf, and whoever is in brings them.
    pub(super) fn plan_succession(&mut self, draft: GroupId, now: Timestamp) -> Result<(), StoreError> {
        let Some(replica) = self.replicas.get(&draft).filter(|replica| replica.is_draft()) else {
            return Ok(());
        };
        let Some(proposed) = replica.successor() else { return Ok(()) };
        let next = proposed.found.group();
        if self.replicas.contains_key(&next) {
            self.remember_drafts();
            return self.plan_duty(next, now);
        }
        let named = proposed.parameters.members.contains(&replica.device());
        let founder = proposed.parameters.founder == replica.device();
        let moving = self.joins.values().any(|join| join.joining.errand() == Errand::Move(next));
        let done = match (founder, named && !moving && !self.closed.contains(&next)) {
            (true, _) => self.start_group(draft, now),
            (false, true) => self.ask_to_move(draft, next, now),
            (false, false) => Ok(()),
        };
        match done {
            Err(AuthorError::Store(error)) => Err(error),
            // It can't be written now: the next act of the draft brings it up again.
            _ => Ok(()),
        }
    }

    fn start_group(&mut self, draft: GroupId, now: Timestamp) -> Result<(), AuthorError> {
        let person = self.person_in(&draft);
        let begun = self.in_group(draft, None, now, |replica, round| replica.succeed(&person, round));
        let Some(replica) = begun.transpose()?.flatten() else { return Ok(()) };
        let group = replica.group();
        self.replicas.insert(group, replica);
        self.list_group(group)?;
        self.remember_drafts();
        self.events.push((group, Event::Joined));
        Ok(())
    }

    /// Groups go on with the names and addresses of the drafts they were, until people have told them
    /// there.
    pub(super) fn remember_drafts(&mut self) {
        let told = |draft: &Replica| Some((leads_to(draft)?, draft.names(), draft.contacts()));
        for (group, names, contacts) in self.replicas.values().filter_map(told).collect::<Vec<_>>() {
            if let Some(replica) = self.replicas.get_mut(&group) {
                replica.remember(names, contacts);
            }
        }
    }

    /// What this person is called in a group.
    pub(super) fn person_in(&self, group: &GroupId) -> String {
        let replica = self.replicas.get(group);
        replica.and_then(|replica| replica.name_of(&replica.member())).unwrap_or_default()
    }

    fn ask_to_move(&mut self, draft: GroupId, next: GroupId, now: Timestamp) -> Result<(), AuthorError> {
        let Some(replica) = self.replicas.get(&draft) else { return Ok(()) };
        replica.may_write(Kind::Move)?;
        let key = replica.mover().clone();
        let asked = self.ask_with(draft, Errand::Move(next), now)?;
        let proof = crypto::sign(&key, &Move::proof_message(&next, &asked.key_package));
        let asked_move = Move {
            group: next,
            device: crypto::device_key(&key),
            key_package: asked.key_package.clone().into(),
            proof: proof.into(),
            door: Some(asked.door.clone()),
        };
        let payload = asked_move.to_payload();
        self.set_out(draft, asked, (Kind::Move, &payload), now)
    }

    /// Those of the draft that a group was who ask for their leaf, and whom nobody has brought yet.
    pub(super) fn to_bring(&self, group: &GroupId) -> Vec<Move> {
        let Some(new) = self.replicas.get(group) else { return Vec::new() };
        let leading = self.replicas.values().filter(|replica| leads_to(replica) == Some(*group));
        let asked = leading.flat_map(Replica::moves).filter(|asked| asked.group == *group);
        if new.may_write(Kind::Move).is_ok() { new.to_bring(asked) } else { Vec::new() }
    }

    /// Posts, in the new group, what brings those who asked for their leaf.
    pub(super) fn bring(&mut self, group: GroupId, now: Timestamp) -> Result<(), StoreError> {
        let asked = self.to_bring(&group);
        let brought = self.in_group(group, None, now, |replica, round| {
            asked
                .iter()
                .try_for_each(|asked| replica.post(Kind::Move, &asked.to_payload(), round).map(|_| ()))
        });
        match brought {
            Some(Err(AuthorError::Store(error))) => Err(error),
            _ => Ok(()),
        }
    }
}

/// The group a draft has become.
pub(super) fn leads_to(replica: &Replica) -> Option<GroupId> {
    replica.successor().map(|proposed| proposed.found.group())
}

/// Devices that move to a group, and where they wait.
pub(super) fn doorways<'a>(
    replicas: impl Iterator<Item = &'a Replica>,
    group: &'a GroupId,
) -> impl Iterator<Item = (DeviceKey, &'a Doorway)> {
    let leading = replicas.filter(move |replica| leads_to(replica) == Some(*group));
    let moves = leading.flat_map(Replica::moves).filter(move |asked| asked.group == *group);
    moves.filter_map(|asked| Some((asked.device, asked.door.as_ref()?)))
}
