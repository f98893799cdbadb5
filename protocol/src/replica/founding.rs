//! From a draft to a group (M-20): its founder proposes the whole genesis, every key-holder named in it
//! consents, then each member's node asks for its leaf by a `move`, and whoever is in the new group
//! brings it in.

use std::collections::BTreeMap;

use ed25519_dalek::SigningKey;

use super::author::{self, AuthorError};
use super::shelf;
use super::{Event, Replica, Round};
use crate::codec::to_cbor;
use crate::crypto;
use crate::entry::Entry;
use crate::group::genesis::{Found, Genesis, GenesisParameters};
use crate::group::membership::OpState;
use crate::group::operation::{Approve, Control, Move};
use crate::group::seal::{self, EpochState};
use crate::id::{DeviceKey, EntryId, GroupId};
use crate::kind::Kind;

/// A draft's proposal to become a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposed {
    /// As its founder signed it.
    pub found: Found,
    /// What the group would be.
    pub parameters: GenesisParameters,
    /// Who has consented to hold an office.
    pub consents: BTreeMap<DeviceKey, [u8; 64]>,
}

impl Proposed {
    /// Whether every key-holder named has consented.
    pub fn is_decided(&self) -> bool {
        self.consents.len() == self.parameters.council.len()
    }

    /// The group's first entry, once decided.
    fn genesis(&self) -> Genesis {
        let found = &self.found;
        let consents = self.parameters.council.iter().filter_map(|device| self.consents.get(device));
        Genesis {
            parameters: found.parameters.clone(),
            group_info: found.group_info.clone(),
            tree: found.tree.clone(),
            consents: Some(consents.map(|consent| (*consent).into()).collect()),
        }
    }
}

/// The state of a group's first epoch, kept by its founder until the council has consented.
fn first_state(group: &GroupId) -> Vec<u8> {
    shelf::named(b"first", group.as_bytes())
}

impl Replica {
    /// This draft's proposals to become a group.
    pub fn proposed(&self) -> impl Iterator<Item = (&EntryId, &Proposed)> {
        self.proposed.iter()
    }

    /// The group that this draft has become, if there is exactly one.
    pub fn successor(&self) -> Option<&Proposed> {
        let mut decided = self.proposed.values().filter(|proposed| proposed.is_decided());
        decided.next().filter(|_| decided.next().is_none())
    }

    /// Those who ask for a leaf in the group that follows a draft.
    pub fn moves(&self) -> impl Iterator<Item = &Move> {
        self.moves.values()
    }

    /// Proposes to make a group of this draft. Whoever is named consents by [`Replica::consent`].
    ///
    /// # Errors
    /// [`AuthorError::Body`] if the parameters are not those of a group.
    pub fn propose_founding(
        &mut self,
        parameters: &GenesisParameters,
        round: &mut Round<'_>,
    ) -> Result<EntryId, AuthorError> {
        let bytes = to_cbor(parameters);
        GenesisParameters::read(&bytes)?;
        let group = parameters.group();
        let (state, tree) = EpochState::create(&group, &self.key, self.suite, round.rng)?;
        let mut found = Found {
            parameters: bytes.into(),
            group_info: tree.group_info.into(),
            tree: tree.tree.into(),
            consent: [0; 64].into(),
        };
        found.consent = crypto::sign(&self.key, &found.message()).into();
        shelf::put_secret(round.overlay, &self.group, &first_state(&group), state.to_bytes());
        self.post(Kind::Found, &found.to_payload(), round)
    }

    /// Consents to hold an office in the group that is proposed.
    ///
    /// # Errors
    /// See [`AuthorError`].
    pub fn consent(&mut self, proposal: EntryId, round: &mut Round<'_>) -> Result<EntryId, AuthorError> {
        let proposed = self.proposed.get(&proposal).ok_or(AuthorError::Unusable)?;
        let consent = crypto::sign(&self.key, &proposed.found.message());
        let body = Approve { act: proposal, consent: Some(consent.into()) };
        self.post(Kind::Approve, &body.to_payload(), round)
    }

    /// Makes the group that this draft has become: its founder's node does, once.
    ///
    /// # Errors
    /// See [`AuthorError`].
    pub fn succeed(&self, person: &str, round: &mut Round<'_>) -> Result<Option<Replica>, AuthorError> {
        let Some(proposed) = self.successor().filter(|p| p.parameters.founder == self.device) else {
            return Ok(None);
        };
        let group = proposed.found.group();
        let Some(state) = self.shelf(round).secret(&first_state(&group))? else { return Ok(None) };
        let state = EpochState::from_bytes(&state)?;
        let (key, parameters) = (self.key.clone(), proposed.parameters.clone());
        author::begin(key, parameters, &proposed.genesis(), state, person, round).map(Some)
    }

    /// This device's signing key for a request to move.
    pub fn mover(&self) -> &SigningKey {
        &self.key
    }

    /// Members of this group who ask for a leaf, and have none and no act that brings it yet.
    pub fn to_bring<'a>(&'a self, asked: impl Iterator<Item = &'a Move>) -> Vec<Move> {
        let member = |asked: &&Move| self.view.member_of(&asked.device).is_some();
        let fresh =
            |asked: &&Move| !self.leaves.contains(&asked.device) && !self.brought.contains_key(&asked.device);
        asked.filter(member).filter(fresh).map(|asked| Move { door: None, ..asked.clone() }).collect()
    }

    pub(super) fn founding_act(&mut self, kind: Kind, entry: &Entry, payload: &[u8], past: OpState) -> bool {
        match kind {
            Kind::Found => self.found_act(entry, payload, past).is_some(),
            Kind::Approve => self.consent_act(entry, payload, past).is_some(),
            _ => self.move_act(entry, payload).is_some(),
        }
    }

    /// Whether an act is about what a draft becomes, rather than about who is in.
    pub(super) fn is_founding(&self, kind: Kind, payload: &[u8]) -> bool {
        match kind {
            Kind::Approve => {
                Approve::from_payload(payload).is_ok_and(|approve| self.proposed.contains_key(&approve.act))
            }
            Kind::Move => self.is_draft(),
            _ => kind == Kind::Found,
        }
    }

    /// Only a draft's founder proposes, and only people of the draft.
    fn found_act(&mut self, entry: &Entry, payload: &[u8], past: OpState) -> Option<()> {
        let found = Found::from_payload(payload).ok()?;
        let parameters = GenesisParameters::read(&found.parameters).ok()?;
        let author = entry.device();
        let by_founder = self.view_at(past).member_of(&author) == Some(self.founder().into());
        let fits = self.is_draft()
            && by_founder
            && parameters.founder == author
            && parameters.suite == self.parameters.suite
            && parameters.predecessor == Some(self.group);
        let view = self.view_at(past);
        let known = parameters.members.iter().all(|device| view.member_of(device).is_some());
        if !(fits && known && found.has_consent(&author, &found.consent)) {
            return None;
        }
        let consents = BTreeMap::from([(author, *found.consent)]);
        self.proposed.insert(entry.id(), Proposed { found, parameters, consents });
        Some(())
    }

    fn consent_act(&mut self, entry: &Entry, payload: &[u8], past: OpState) -> Option<()> {
        let approve = Approve::from_payload(payload).ok()?;
        let device = entry.device();
        self.view_at(past).member_of(&device)?;
        let proposed = self.proposed.get_mut(&approve.act)?;
        let consent = *approve.consent?;
        let holds =
            proposed.parameters.council.contains(&device) && proposed.found.has_consent(&device, &consent);
        if !holds {
            return None;
        }
        proposed.consents.insert(device, consent);
        Some(())
    }

    /// A member of the draft asks for the leaf that the genesis promises it.
    fn move_act(&mut self, entry: &Entry, payload: &[u8]) -> Option<()> {
        let asked = Move::from_payload(payload).ok()?;
        let named = |proposed: &Proposed| {
            proposed.found.group() == asked.group && proposed.parameters.members.contains(&asked.device)
        };
        let fits = asked.device == entry.device() && asked.door.is_some() && asked.is_proven();
        let sound = seal::check_key_package(&asked.key_package, &asked.device, self.suite).is_ok();
        if !fits || !sound || !self.proposed.values().any(named) {
            return None;
        }
        self.moves.insert(asked.device, asked);
        Some(())
    }

    /// A move that a member of the new group brings: the device itself asked for it.
    pub(super) fn is_brought(&self, asked: &Move) -> bool {
        asked.group == self.group
            && asked.door.is_none()
            && asked.is_proven()
            && seal::check_key_package(&asked.key_package, &asked.device, self.suite).is_ok()
    }

    /// What people are told of a draft's foundings after one of its acts.
    pub(super) fn founding_changed(&self, before: bool, act: &EntryId, round: &mut Round<'_>) {
        if !before && self.successor().is_some() {
            round.events.push(Event::Founded);
        }
        if self.proposed.get(act).is_some_and(|proposed| proposed.parameters.founder != self.device) {
            round.events.push(Event::Proposal(*act));
        }
    }

    /// All devices that genesis names: their entries are taken from the start.
    pub(super) fn add_first_devices(&mut self, round: &mut Round<'_>) {
        for device in self.parameters.members.clone() {
            self.add_device(device, round);
        }
    }
}
