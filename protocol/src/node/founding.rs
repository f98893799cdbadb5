//! Making a group of a draft, and moving there (M-20).

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Node, NodeError};
use crate::crypto;
use crate::group::genesis::{GenesisParameters, GenesisRules, MAX_COUNCIL};
use crate::group::invite::{Hint, InviteCode, JoinRequest};
use crate::group::membership::Rules;
use crate::group::operation::{Control, Doorway, Move};
use crate::id::{DeviceKey, EntryId, GroupId, MemberId};
use crate::kind::Kind;
use crate::replica::{AuthorError, Event, Joining, Replica};
use crate::store::{Store, StoreError};
use crate::time::Timestamp;

/// How long a request to move is good for: nobody else can use it.
const MOVE_TIME: Duration = Duration::from_secs(10 * 365 * 24 * 3600);
/// First and longest pause before whoever moves knocks again.
const KNOCK_PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(300));
/// Most addresses at which whoever moves knocks.
const MAX_DOORS: usize = 16;

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
        let council: BTreeSet<DeviceKey> =
            keyholders.iter().map(|member| DeviceKey(member.0)).chain([replica.device()]).collect();
        if !(2..=MAX_COUNCIL).contains(&council.len()) {
            return Err(NodeError::Council);
        }
        let everybody: Vec<DeviceKey> = view.roster().into_iter().collect();
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
        let moving = self.joins.values().any(|join| join.joining.moves_to() == Some(next));
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
    fn person_in(&self, group: &GroupId) -> String {
        let replica = self.replicas.get(group);
        replica.and_then(|replica| replica.name_of(&replica.member())).unwrap_or_default()
    }

    fn ask_to_move(&mut self, draft: GroupId, next: GroupId, now: Timestamp) -> Result<(), AuthorError> {
        let Some(replica) = self.replicas.get(&draft) else { return Ok(()) };
        replica.may_write(Kind::Move)?;
        let person = self.person_in(&draft);
        let hints = replica.contacts().into_iter().filter_map(|(_, address)| Hint::from_multiaddr(&address));
        let hints: Vec<Hint> = hints.take(MAX_DOORS).collect();
        let (suite, key) = (replica.suite(), replica.mover().clone());
        let code = InviteCode::generate(&next, suite, now.after(MOVE_TIME), hints, &mut *self.rng);
        let keys = code.keys();
        let (joining, key_package) = Joining::moving(code, next, &person, key.clone(), &mut *self.rng)?;
        let proof = crypto::sign(&key, &Move::proof_message(&next, &key_package));
        let door = Doorway {
            key: keys.public(),
            request: (*keys.request.as_bytes()).into(),
            peer: (*keys.peer.as_bytes()).into(),
        };
        let asked = Move {
            group: next,
            device: crypto::device_key(&key),
            key_package: key_package.into(),
            proof: proof.into(),
            door: Some(door),
        };
        let posted = self.in_group(draft, None, now, |replica, round| {
            replica.post(Kind::Move, &asked.to_payload(), round)
        });
        posted.transpose()?;
        let invite = self.keep_join(joining);
        self.knock_later(invite, 0, now);
        Ok(())
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

    /// Where somebody who moves to a group of this node's waits for the keys.
    fn doorway(&self, group: &GroupId, invite: &DeviceKey) -> Option<(DeviceKey, Doorway)> {
        doorways(self.replicas.values(), group).find(|(_, door)| door.key == *invite)
    }

    /// The mail for somebody who moves, if its leaf is there.
    pub(super) fn mail_for_mover(
        &mut self,
        group: GroupId,
        invite: DeviceKey,
        request: &[u8],
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let Some((device, door)) = self.doorway(&group, &invite) else { return Ok(None) };
        let key = crypto::Secret::new(*door.request);
        let opened = JoinRequest::open(request, &key, &group, &invite);
        if !opened.is_ok_and(|request| request.device == device) {
            return Ok(None);
        }
        self.ask(group, now, |replica, round| replica.welcome(&device, round)).unwrap_or(Ok(None))
    }

    fn knock_later(&mut self, invite: DeviceKey, failures: u32, now: Timestamp) {
        let (first, longest) = KNOCK_PAUSE;
        let pause = first.saturating_mul(1 << failures.min(9)).min(longest);
        self.agenda.knocks.insert(invite, (self.clock.at(now).after(pause), failures));
    }

    /// Whoever moves knocks where members of the draft can be reached, until somebody has its keys.
    pub(super) fn tick_knocks(&mut self, now: Timestamp) {
        let moment = self.clock.at(now);
        let due = |(_, (at, _)): &(&DeviceKey, &(_, u32))| *at <= moment;
        let due: Vec<_> = self
            .agenda
            .knocks
            .iter()
            .filter(due)
            .map(|(invite, (_, failures))| (*invite, *failures))
            .collect();
        for (invite, failures) in due {
            self.agenda.knocks.remove(&invite);
            let Some(waits) = self.joins.get(&invite).map(|join| join.bootstrap.is_none()) else { continue };
            self.knock_later(invite, failures.saturating_add(1), now);
            if waits {
                self.refresh_hints(invite);
                self.knock(invite, now);
            }
        }
    }

    /// Members of the draft may have moved since.
    fn refresh_hints(&mut self, invite: DeviceKey) {
        let Some(join) = self.joins.get_mut(&invite) else { return };
        let next = join.joining.moves_to();
        let draft = self.replicas.values().find(|replica| leads_to(replica) == next);
        let contacts = draft.map(Replica::contacts).unwrap_or_default();
        let hints = contacts.iter().filter_map(|(_, address)| Hint::from_multiaddr(address));
        join.joining.code.hints = hints.take(MAX_DOORS).collect();
    }

    fn knock(&mut self, invite: DeviceKey, now: Timestamp) {
        let Some(join) = self.joins.get(&invite) else { return };
        let addresses: Vec<String> = join.joining.code.hints.iter().map(Hint::multiaddr).collect();
        for address in addresses {
            self.call_again(&address, now);
        }
    }

    /// Those who were on their way when this node stopped go on.
    pub(super) fn resume_moves(&mut self, now: Timestamp) {
        let moving = self.joins.iter().filter(|(_, join)| join.joining.moves_to().is_some());
        for invite in moving.map(|(invite, _)| *invite).collect::<Vec<_>>() {
            self.knock_later(invite, 0, now);
        }
    }
}

/// The group a draft has become.
fn leads_to(replica: &Replica) -> Option<GroupId> {
    replica.successor().map(|proposed| proposed.found.group())
}

/// Devices that move to a group, and where they wait.
pub(super) fn doorways<'a>(
    replicas: impl Iterator<Item = &'a Replica>,
    group: &'a GroupId,
) -> impl Iterator<Item = (DeviceKey, Doorway)> {
    let leading = replicas.filter(move |replica| leads_to(replica) == Some(*group));
    let moves = leading.flat_map(Replica::moves).filter(move |asked| asked.group == *group);
    moves.filter_map(|asked| Some((asked.device, asked.door.clone()?)))
}
