//! What people ask a node to do. Everything here takes effect with the next [`Node::flush`].

use std::sync::Arc;

use thiserror::Error;
use zeroize::Zeroizing;

use super::pledges::counter_secret;
use super::{Node, Output};
use crate::action::Action;
use crate::action::grievance::{Grievance, Support};
use crate::action::message::Message;
use crate::action::strike::{Call, CallOff, Leg};
use crate::codec::DecodeError;
use crate::group::invite::{Hint, InviteCode};
use crate::group::membership::{DeviceCode, InviteInfo, InviteState, Operation};
use crate::group::operation::{Control, Invite, Remove, Revoke, check_name};
use crate::group::seal::hpke::MailKey;
use crate::group::seal::{SealError, Suite};
use crate::id::{DeviceKey, EntryId, GroupId, MemberId};
use crate::kind::Kind;
use crate::replica::{AuthorError, Errand, Event, Frozen, Joining, Replica, Round};
use crate::store::{Store, StoreError};
use crate::sync::DoorState;
use crate::time::Timestamp;

/// Why a command did nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NodeError {
    /// No such group in this profile.
    #[error("no such group")]
    NoGroup,
    /// No such member, invite, grievance or call in the group.
    #[error("not found")]
    NotFound,
    /// The author may not do this here.
    #[error("not allowed")]
    NotAllowed,
    /// A key-holder is not removed by one hand.
    #[error("a key-holder can't be removed by one hand")]
    KeyHolder,
    /// A group needs two key-holders at least, and has 32 at most.
    #[error("a group has two key-holders or more")]
    Council,
    /// The draft is a group already, or this is none.
    #[error("founded already")]
    Founded,
    /// A draft decides nothing by majority.
    #[error("a draft decides nothing by majority")]
    Draft,
    /// It is decided, dismissed or fallen already.
    #[error("decided already")]
    Decided,
    /// What was heard is not what the member's device would have it read (M-21).
    #[error("read something else")]
    Mismatch,
    /// The member rests on no admission: nobody has to vouch for it.
    #[error("rests on no admission")]
    Unneeded,
    /// The code has passed its last day.
    #[error("the code has expired")]
    Expired,
    /// This profile is in the code's group already.
    #[error("already a member")]
    AlreadyMember,
    /// No commit has room for one more.
    #[error("the group is full")]
    Full,
    /// Pledging has ended, or the call is over.
    #[error("too late")]
    TooLate,
    /// See [`AuthorError`].
    #[error(transparent)]
    Author(#[from] AuthorError),
}

impl From<StoreError> for NodeError {
    fn from(error: StoreError) -> Self {
        Self::Author(error.into())
    }
}

impl From<DecodeError> for NodeError {
    fn from(error: DecodeError) -> Self {
        Self::Author(error.into())
    }
}

impl From<SealError> for NodeError {
    fn from(error: SealError) -> Self {
        Self::Author(error.into())
    }
}

/// A call as its maker plans it; keys, counter and sequence are the node's.
#[derive(Clone, Debug)]
pub struct CallPlan {
    /// The call this changes; none for a new one.
    pub changes: Option<EntryId>,
    /// In one line.
    pub title: String,
    /// What is asked.
    pub demands: Vec<String>,
    /// See [`crate::action::strike::FORMS`].
    pub forms: Vec<String>,
    /// Where and when.
    pub legs: Vec<Leg>,
    /// 0 for none.
    pub threshold: u32,
    /// Seconds since 1970.
    pub closes: u64,
    /// Seconds.
    pub answer_window: u32,
    /// Version of the zone table used.
    pub tzdb: String,
}

/// An invite code for its list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InviteView {
    /// I_pk.
    pub key: DeviceKey,
    /// The code, where this node made it.
    pub code: Option<String>,
    /// Who made it.
    pub issuer: MemberId,
    /// How many may come in.
    pub uses: u16,
    /// How many have.
    pub used: usize,
    /// Seconds since 1970.
    pub expires: u32,
    /// What it does now.
    pub state: InviteState,
}

fn code_note(key: &DeviceKey) -> Vec<u8> {
    [b"code".as_slice(), key.as_bytes()].concat()
}

impl<S: Store> Node<S> {
    /// Makes a draft.
    ///
    /// # Errors
    /// A name out of bounds.
    pub fn create_group(
        &mut self,
        name: &str,
        person: &str,
        suite: Suite,
        now: Timestamp,
    ) -> Result<GroupId, NodeError> {
        check_name(name)?;
        check_name(person)?;
        let (mut events, mut stored) = (Vec::new(), Vec::new());
        let mut round = Round {
            store: &self.store,
            overlay: &mut self.overlay,
            rng: &mut *self.rng,
            now,
            events: &mut events,
            stored: &mut stored,
        };
        let replica = Replica::found(name, suite, person, &mut round)?;
        let group = replica.group();
        self.replicas.insert(group, replica);
        self.list_group(group)?;
        Ok(group)
    }

    /// Writes one entry of one's own.
    pub(super) fn post(
        &mut self,
        group: GroupId,
        kind: Kind,
        payload: &[u8],
        now: Timestamp,
    ) -> Result<EntryId, NodeError> {
        let posted = self.in_group(group, None, now, |replica, round| replica.post(kind, payload, round));
        let id = posted.ok_or(NodeError::NoGroup)??;
        self.after(group, now)?;
        Ok(id)
    }

    pub(super) fn replica(&self, group: &GroupId) -> Result<&Replica, NodeError> {
        self.replicas.get(group).ok_or(NodeError::NoGroup)
    }

    pub(super) fn require_keyholder(&self, group: &GroupId) -> Result<(), NodeError> {
        let replica = self.replica(group)?;
        if replica.view().is_keyholder(&replica.member()) { Ok(()) } else { Err(NodeError::NotAllowed) }
    }

    /// Says something.
    ///
    /// # Errors
    /// See [`NodeError`].
    pub fn send(&mut self, group: GroupId, text: &str, now: Timestamp) -> Result<EntryId, NodeError> {
        self.say(group, text, None, now)
    }

    /// Replaces what a message of this device's says; without text, takes it back.
    ///
    /// # Errors
    /// [`NodeError::NotFound`] if there is none that is shown; [`NodeError::NotAllowed`] if another device wrote it.
    pub fn edit(
        &mut self,
        group: GroupId,
        of: EntryId,
        text: &str,
        now: Timestamp,
    ) -> Result<EntryId, NodeError> {
        let found = self.ask(group, now, |replica, round| replica.message_by_id(&of, round));
        let view = found.transpose()?.flatten().ok_or(NodeError::NotFound)?;
        if view.reach.is_none() {
            return Err(NodeError::NotAllowed);
        }
        self.say(group, text, Some(of), now)
    }

    fn say(
        &mut self,
        group: GroupId,
        text: &str,
        edits: Option<EntryId>,
        now: Timestamp,
    ) -> Result<EntryId, NodeError> {
        let clock = self.replica(&group)?.next_clock();
        let body = Message { text: text.to_owned(), reply_to: None, clock, edits };
        body.check()?;
        self.post(group, Kind::Message, &body.to_payload(), now)
    }

    /// Makes an invite code that names where this node listens.
    ///
    /// # Errors
    /// [`NodeError::NotAllowed`] unless this member may admit; [`NodeError::Full`] if a code would lead nowhere.
    pub fn invite(
        &mut self,
        group: GroupId,
        uses: u16,
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<InviteView, NodeError> {
        if !self.replica(&group)?.may_admit() {
            return Err(NodeError::NotAllowed);
        }
        if self.in_group(group, None, now, |replica, round| replica.has_room(round)) == Some(false) {
            return Err(NodeError::Full);
        }
        let hints = self.own_hints().take(2).collect();
        let code =
            InviteCode::generate(&group, self.replica(&group)?.suite(), expires, hints, &mut *self.rng);
        let key = self.publish_code(group, &code, (uses, expires.as_entry_secs()), None, now)?;
        let text = Zeroizing::new(code.to_text().into_bytes());
        self.in_group(group, None, now, |replica, round| {
            replica.put_secret_note(&code_note(&key), Some(text), round)
        });
        let invites = self.invites(group, now)?;
        invites.into_iter().find(|view| view.key == key).ok_or(NodeError::NotFound)
    }

    /// Where codes say that this node can be reached.
    pub(super) fn own_hints(&self) -> impl Iterator<Item = Hint> {
        self.listening.iter().filter_map(|address| Hint::from_multiaddr(address))
    }

    /// Tells the group the public half of a code.
    pub(super) fn publish_code(
        &mut self,
        group: GroupId,
        code: &InviteCode,
        (uses, expires): (u16, u32),
        devices: Option<DeviceCode>,
        now: Timestamp,
    ) -> Result<DeviceKey, NodeError> {
        let (keys, replica) = (code.keys(), self.replica(&group)?);
        let key = keys.public();
        replica.check(&Operation::Invite { key, uses, expires, devices })?;
        let body = Invite { devices, ..Invite::publish(&keys, &group, &replica.device(), uses, expires) };
        body.check()?;
        self.post(group, Kind::Invite, &body.to_payload(), now)?;
        Ok(key)
    }

    /// All invite codes of a group.
    ///
    /// # Errors
    /// See [`NodeError`].
    pub fn invites(&mut self, group: GroupId, now: Timestamp) -> Result<Vec<InviteView>, NodeError> {
        let list = self.ask(group, now, |replica, round| {
            let view = |(key, info): (&DeviceKey, &Arc<InviteInfo>)| {
                let code = replica.secret_note(&code_note(key), round)?;
                let code = code.and_then(|bytes| String::from_utf8(bytes.to_vec()).ok());
                let state = info.state(now.as_secs());
                let (uses, used, expires) = (info.uses, info.used.len(), info.expires);
                Ok(InviteView { key: *key, code, issuer: info.issuer, uses, used, expires, state })
            };
            let for_people = |(_, info): &(&DeviceKey, &Arc<InviteInfo>)| info.devices.is_none();
            replica.view().invites.iter().filter(for_people).map(view).collect::<Result<Vec<_>, StoreError>>()
        });
        Ok(list.ok_or(NodeError::NoGroup)??)
    }

    /// Closes an invite code.
    ///
    /// # Errors
    /// [`NodeError::NotAllowed`] unless one's own, or a key-holder and the code lets members in.
    pub fn revoke(&mut self, group: GroupId, invite: DeviceKey, now: Timestamp) -> Result<(), NodeError> {
        self.replica(&group)?.check(&Operation::Revoke { key: invite })?;
        self.post(group, Kind::Revoke, &Revoke { invite }.to_payload(), now)?;
        self.in_group(group, None, now, |replica, round| {
            replica.put_secret_note(&code_note(&invite), None, round)
        });
        Ok(())
    }

    /// Starts coming in by a code; goes on at every start until it is in, refused or expired.
    ///
    /// # Errors
    /// See [`NodeError`].
    pub fn join(&mut self, code: InviteCode, name: &str, now: Timestamp) -> Result<DeviceKey, NodeError> {
        check_name(name)?;
        if now >= code.expires() {
            return Err(NodeError::Expired);
        }
        let invite = code.keys().public();
        let same = |replica: &&Replica| {
            replica.group().fingerprint() == code.fingerprint && replica.frozen().is_none()
        };
        if self.replicas.values().any(|replica| same(&replica)) {
            return Err(NodeError::AlreadyMember);
        }
        if self.joins.contains_key(&invite) {
            return Ok(invite);
        }
        let addresses: Vec<String> = code.hints.iter().map(Hint::multiaddr).collect();
        let joining = Joining::start(code, name, &mut *self.rng)?;
        let invite = self.keep_join(joining);
        for address in addresses {
            self.call_again(&address, now);
        }
        Ok(invite)
    }

    /// Codes in use, with the group's fingerprint.
    pub fn joining(&self) -> impl Iterator<Item = (DeviceKey, [u8; 12])> + '_ {
        self.joins
            .iter()
            .filter(|(_, join)| join.refused.is_none() && !join.is_resync())
            .map(|(key, join)| (*key, join.joining.code.fingerprint))
    }

    /// Whether this device waits for new keys in a group (K-11).
    pub fn waits_for_keys(&self, group: &GroupId) -> bool {
        let of_group = |join: &super::Join| join.joining.errand() == Errand::Resync(*group);
        self.joins.iter().any(|(invite, join)| of_group(join) && self.agenda.knocks.contains_key(invite))
    }

    /// Codes that were refused since this node started, and why.
    pub fn refused(&self) -> impl Iterator<Item = (DeviceKey, DoorState)> + '_ {
        self.joins.iter().filter_map(|(key, join)| join.refused.map(|why| (*key, why)))
    }

    /// Puts a member out at once, and closes the codes he made.
    ///
    /// # Errors
    /// See [`NodeError`].
    pub fn remove(&mut self, group: GroupId, member: MemberId, now: Timestamp) -> Result<(), NodeError> {
        self.require_keyholder(&group)?;
        let view = self.replica(&group)?.view();
        if !view.members.contains_key(&member) {
            return Err(NodeError::NotFound);
        }
        if view.is_keyholder(&member) {
            return Err(NodeError::KeyHolder);
        }
        let codes: Vec<DeviceKey> = view
            .invites
            .iter()
            .filter(|(_, i)| i.issuer == member && i.revoked.is_none() && i.devices.is_none())
            .map(|(key, _)| *key)
            .collect();
        self.post(group, Kind::Remove, &Remove { members: vec![DeviceKey(member.0)] }.to_payload(), now)?;
        for code in codes {
            self.revoke(group, code, now)?;
        }
        Ok(())
    }

    /// Leaves a group.
    ///
    /// # Errors
    /// See [`NodeError`].
    pub fn leave(&mut self, group: GroupId, now: Timestamp) -> Result<(), NodeError> {
        let left = self.in_group(group, None, now, |replica, round| replica.leave(round));
        left.ok_or(NodeError::NoGroup)??;
        Ok(())
    }

    /// Files a grievance.
    ///
    /// # Errors
    /// A field out of bounds.
    pub fn file_grievance(
        &mut self,
        group: GroupId,
        body: &Grievance,
        now: Timestamp,
    ) -> Result<EntryId, NodeError> {
        body.check()?;
        self.post(group, Kind::Grievance, &body.to_payload(), now)
    }

    /// Backs a grievance.
    ///
    /// # Errors
    /// [`NodeError::NotFound`] if there is none of this id.
    pub fn support(&mut self, group: GroupId, body: &Support, now: Timestamp) -> Result<EntryId, NodeError> {
        self.replica(&group)?.board().grievance(&body.grievance).ok_or(NodeError::NotFound)?;
        self.post(group, Kind::Support, &body.to_payload(), now)
    }

    /// Calls a strike, or changes a call.
    ///
    /// # Errors
    /// [`NodeError::NotAllowed`] without the mandate.
    pub fn call_strike(
        &mut self,
        group: GroupId,
        plan: CallPlan,
        now: Timestamp,
    ) -> Result<EntryId, NodeError> {
        self.require_keyholder(&group)?;
        let replica = self.replica(&group)?;
        let (suite, member) = (replica.suite(), replica.member());
        let earlier = plan
            .changes
            .map(|call| replica.board().call_view(&call).ok_or(NodeError::NotFound))
            .transpose()?;
        let sequence = plan.changes.map_or(1, |call| replica.board().next_sequence(&call));
        // A change keeps the key, or answers already given would be lost.
        let fresh = if earlier.is_none() { Some(MailKey::generate(suite, &mut *self.rng)?) } else { None };
        let counter_key = earlier
            .map(|call| call.body.counter_key.to_vec())
            .or(fresh.as_ref().map(|key| key.public.clone()));
        let body = Call {
            changes: plan.changes,
            sequence,
            title: plan.title,
            demands: plan.demands,
            forms: plan.forms,
            expires: plan.legs.iter().map(|leg| leg.end).max().unwrap_or(0),
            legs: plan.legs,
            threshold: plan.threshold,
            closes: plan.closes,
            answer_window: plan.answer_window,
            counter_key: counter_key.unwrap_or_default().into(),
            counters: vec![member],
            tzdb: plan.tzdb,
        };
        body.check()?;
        if now.as_secs() >= body.end() {
            return Err(NodeError::TooLate);
        }
        if let Some(key) = fresh {
            let name = counter_secret(&key.public);
            self.in_group(group, None, now, |replica, round| {
                replica.put_secret_note(&name, Some(key.to_bytes()), round)
            });
        }
        self.post(group, Kind::Call, &body.to_payload(), now)
    }

    /// Calls a call off.
    ///
    /// # Errors
    /// [`NodeError::NotAllowed`] without the mandate.
    pub fn call_off(
        &mut self,
        group: GroupId,
        call: EntryId,
        reason: &str,
        now: Timestamp,
    ) -> Result<EntryId, NodeError> {
        self.require_keyholder(&group)?;
        let board = self.replica(&group)?.board();
        board.call_view(&call).ok_or(NodeError::NotFound)?;
        let body = CallOff { call, sequence: board.next_sequence(&call), reason: reason.to_owned() };
        body.check()?;
        self.post(group, Kind::CallOff, &body.to_payload(), now)
    }

    /// Pledges to take part: the answer goes out at its moment, or at once if one has gone out.
    ///
    /// # Errors
    /// [`NodeError::TooLate`] after the close or a call-off.
    pub fn pledge_to(&mut self, group: GroupId, call: EntryId, now: Timestamp) -> Result<(), NodeError> {
        self.answer_call(group, call, true, now)
    }

    /// Takes a pledge back, on the same terms.
    ///
    /// # Errors
    /// [`NodeError::TooLate`] after the close or a call-off.
    pub fn withdraw_pledge(
        &mut self,
        group: GroupId,
        call: EntryId,
        now: Timestamp,
    ) -> Result<(), NodeError> {
        self.answer_call(group, call, false, now)
    }

    fn answer_call(
        &mut self,
        group: GroupId,
        call: EntryId,
        yes: bool,
        now: Timestamp,
    ) -> Result<(), NodeError> {
        let replica = self.replica(&group)?;
        replica.may_write(Kind::PledgeAnswer)?;
        let view = replica.board().call_view(&call).ok_or(NodeError::NotFound)?;
        if view.called_off.is_some() || now.as_secs() >= view.body.closes {
            return Err(NodeError::TooLate);
        }
        self.decide(group, call, yes, now)?;
        self.after(group, now)?;
        Ok(())
    }

    /// Says yes or no to whether this profile writes in a group.
    ///
    /// # Errors
    /// See [`NodeError`].
    pub fn is_frozen(&self, group: &GroupId) -> Result<Option<Frozen>, NodeError> {
        Ok(self.replica(group)?.frozen())
    }

    /// Tells everybody at the other end that this node goes.
    pub fn hang_up(&mut self) {
        let conns: std::collections::BTreeSet<_> = self.sync.peers().map(|(conn, ..)| conn).collect();
        self.held.extend(conns.into_iter().map(Output::Close));
    }

    /// Events not yet handed out, for front ends without a loop.
    pub fn take_events(&mut self) -> Vec<(GroupId, Event)> {
        let mut events = Vec::new();
        self.ready.retain(|output| match output {
            Output::Event(group, event) => {
                events.push((*group, event.clone()));
                false
            }
            _ => true,
        });
        events
    }
}
