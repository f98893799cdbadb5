//! What several decide together: proposing, signing, dismissing (M-1 … M-11).

use super::{Node, NodeError};
use crate::group::membership::{Channel, Operation, Parameter, ProposalState, Void};
use crate::group::operation::{Approve, Control, Dismiss, Empty, Persons, Promote, Rule};
use crate::id::{DeviceKey, EntryId, GroupId, MemberId};
use crate::kind::Kind;
use crate::replica::Replica;
use crate::store::Store;
use crate::time::Timestamp;

/// Something a majority decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Puts members out for good.
    Expel(Vec<MemberId>),
    /// Takes offices.
    Demote(Vec<MemberId>),
    /// Gives an office.
    Promote(MemberId),
    /// Puts members on the roll.
    Enrol(Vec<MemberId>),
    /// Changes a rule.
    Rule(Parameter, u32),
}

/// An act that several have to sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProposalView {
    /// The act.
    pub act: EntryId,
    /// What it would do.
    pub matter: Matter,
    /// Who proposed it.
    pub author: MemberId,
    /// Who has signed it.
    pub signed: Vec<MemberId>,
    /// How many have to.
    pub needed: usize,
    /// What became of it.
    pub state: ProposalState,
    /// Whether this member's signature would count, and is missing.
    pub waits_for_me: bool,
}

/// What a proposal is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Matter {
    /// A membership act.
    Act(Operation),
    /// A draft is to become a group with these key-holders.
    Found(Vec<MemberId>),
}

impl From<Void> for NodeError {
    fn from(void: Void) -> Self {
        match void {
            Void::Author | Void::Expelled | Void::Device => Self::NotAllowed,
            Void::KeyHolder => Self::KeyHolder,
            Void::Invite | Void::Named => Self::NotFound,
            Void::Decided => Self::Decided,
        }
    }
}

impl<S: Store> Node<S> {
    /// Proposes a decision, with this member's signature under it. Where one signature is enough, that
    /// is all.
    ///
    /// # Errors
    /// [`NodeError::Draft`] in a draft, where no majority can be had; [`NodeError::NotAllowed`] unless
    /// this member may sign it; [`NodeError::NotFound`] if it names somebody unknown.
    pub fn propose(
        &mut self,
        group: GroupId,
        decision: &Decision,
        channel: Channel,
        now: Timestamp,
    ) -> Result<EntryId, NodeError> {
        let replica = self.replica(&group)?;
        if replica.is_draft() {
            return Err(NodeError::Draft);
        }
        let (kind, payload, operation) = act_of(decision, channel);
        let known = |member: &MemberId| replica.knows(member);
        if !operation.names().iter().all(known) {
            return Err(NodeError::NotFound);
        }
        replica.check(&operation)?;
        self.post(group, kind, &payload, now)
    }

    /// Signs what somebody else proposed.
    ///
    /// # Errors
    /// [`NodeError::NotAllowed`] unless this member's signature counts; [`NodeError::NotFound`] if there
    /// is no such act; [`NodeError::Decided`] if it needs none any more.
    pub fn approve(&mut self, group: GroupId, act: EntryId, now: Timestamp) -> Result<EntryId, NodeError> {
        let view = self.proposal(&group, &act)?;
        if view.state != ProposalState::Open {
            return Err(NodeError::Decided);
        }
        if !view.waits_for_me {
            return Err(NodeError::NotAllowed);
        }
        if matches!(view.matter, Matter::Found(_)) {
            let consented = self.in_group(group, None, now, |replica, round| replica.consent(act, round));
            let id = consented.ok_or(NodeError::NoGroup)??;
            self.after(group, now)?;
            return Ok(id);
        }
        self.post(group, Kind::Approve, &Approve { act, consent: None }.to_payload(), now)
    }

    /// Proposes to close what is open, with this member's signature under it.
    ///
    /// # Errors
    /// As [`Node::approve`]; [`NodeError::NotFound`] also if it is nothing that a majority decides.
    pub fn dismiss(&mut self, group: GroupId, act: EntryId, now: Timestamp) -> Result<EntryId, NodeError> {
        self.replica(&group)?.check(&Operation::Dismiss { act })?;
        self.post(group, Kind::Dismiss, &Dismiss { act }.to_payload(), now)
    }

    /// Gives this member's office back.
    ///
    /// # Errors
    /// [`NodeError::NotAllowed`] without an office.
    pub fn resign(&mut self, group: GroupId, now: Timestamp) -> Result<EntryId, NodeError> {
        self.replica(&group)?.check(&Operation::Resign)?;
        self.post(group, Kind::Resign, &Empty {}.to_payload(), now)
    }

    /// All that several have to sign in a group, oldest first.
    ///
    /// # Errors
    /// [`NodeError::NoGroup`].
    pub fn proposals(&self, group: &GroupId) -> Result<Vec<ProposalView>, NodeError> {
        let replica = self.replica(group)?;
        let founding = replica.proposed().map(|(act, _)| *act);
        let acts = replica.proposals().into_iter().map(|proposal| proposal.act);
        acts.chain(founding).map(|act| self.proposal(group, &act)).collect()
    }

    /// One of them.
    ///
    /// # Errors
    /// [`NodeError::NotFound`].
    pub fn proposal(&self, group: &GroupId, act: &EntryId) -> Result<ProposalView, NodeError> {
        let replica = self.replica(group)?;
        if let Some(view) = founding_view(replica, act) {
            return Ok(view);
        }
        let proposal = replica.proposals().into_iter().find(|p| p.act == *act).ok_or(NodeError::NotFound)?;
        let operation = replica.operation(act).cloned().ok_or(NodeError::NotFound)?;
        let own = replica.member();
        let counts = replica.check(&Operation::Approve { act: *act }).is_ok();
        Ok(ProposalView {
            act: *act,
            matter: Matter::Act(operation),
            author: proposal.author,
            waits_for_me: proposal.state == ProposalState::Open && counts && !proposal.signed.contains(&own),
            signed: proposal.signed.into_iter().collect(),
            needed: proposal.needed,
            state: proposal.state,
        })
    }
}

fn founding_view(replica: &Replica, act: &EntryId) -> Option<ProposalView> {
    let (_, proposed) = replica.proposed().find(|(id, _)| *id == act)?;
    let persons =
        |devices: &mut dyn Iterator<Item = &DeviceKey>| devices.copied().map(MemberId::from).collect();
    let device = replica.device();
    let open = !proposed.is_decided();
    Some(ProposalView {
        act: *act,
        matter: Matter::Found(persons(&mut proposed.parameters.council.iter())),
        author: proposed.parameters.founder.into(),
        signed: persons(&mut proposed.consents.keys()),
        needed: proposed.parameters.council.len(),
        state: if open { ProposalState::Open } else { ProposalState::Decided },
        waits_for_me: open
            && proposed.parameters.council.contains(&device)
            && !proposed.consents.contains_key(&device),
    })
}

/// A decision as an act: its kind, its body, and what membership makes of it.
fn act_of(decision: &Decision, channel: Channel) -> (Kind, Vec<u8>, Operation) {
    let persons = |members: &[MemberId]| {
        let members = members.iter().map(|member| DeviceKey(member.0)).collect();
        Persons { members, channel }.to_payload()
    };
    match decision {
        Decision::Expel(members) => {
            (Kind::Expel, persons(members), Operation::Expel { members: members.clone(), channel })
        }
        Decision::Demote(members) => {
            (Kind::Demote, persons(members), Operation::Demote { members: members.clone(), channel })
        }
        Decision::Enrol(members) => {
            (Kind::Enrol, persons(members), Operation::Enrol { members: members.clone(), channel })
        }
        Decision::Promote(member) => {
            let body = Promote { member: DeviceKey(member.0), channel };
            (Kind::Promote, body.to_payload(), Operation::Promote { member: *member, channel })
        }
        Decision::Rule(parameter, value) => {
            let (parameter, value) = (*parameter, *value);
            let body = Rule { parameter, value, channel };
            (Kind::Rule, body.to_payload(), Operation::Rule { parameter, value, channel })
        }
    }
}
