//! From a connection to groups in common, or to silence (Y-3 … Y-6); joiners at the door (Y-8).

use std::collections::BTreeMap;
use std::time::Duration;

use rand_core::CryptoRng;

use super::groups::{DoorState, Groups, HeldInvite};
use super::handshake::{self, Claim, Role, Transcript};
use super::message::{Message, SLOT_LEN};
use super::session::{ConnectionId, Link, Shown, State};
use super::{HELLO_TIME, KNOCK_TIME, Output, REPLY_DELAY, Sync};
use crate::id::{DeviceKey, GroupId};
use crate::time::Moment;

/// Sessions with members at once (Y-25).
pub(super) const MAX_SESSIONS: usize = 96;
/// With more sessions, room is left for groups that have few.
const AMPLE: usize = 64;
/// Sessions with which a group has many.
const MANY: usize = 12;
/// Groups in one session.
pub(super) const MAX_GROUPS: usize = 64;
/// Joiners with an open code at once.
const MAX_DOORS: usize = 16;
/// Epochs of a group by which every caller is recognised.
const HORIZON: usize = 16;
/// Epochs by which a few callers are, and how many of them in [`DEEP_TIME`]: looking up costs time,
/// and anybody may call.
const DEEP: usize = 512;
/// See [`DEEP`].
const DEEP_CALLERS: usize = 2;
/// See [`DEEP`].
const DEEP_TIME: Duration = Duration::from_secs(1);
/// When whoever was turned away may come again, in seconds.
const BUSY_TIME: u16 = 60;

impl Sync {
    pub(super) fn on_hello(
        &mut self,
        conn: ConnectionId,
        nonce: [u8; 32],
        now: Moment,
        groups: &dyn Groups,
        rng: &mut dyn CryptoRng,
    ) -> Option<()> {
        let session = self.sessions.get_mut(&conn)?;
        if !matches!(session.state, State::AwaitHello) {
            return None;
        }
        let transcript = session.transcript(&nonce);
        session.short_key = transcript.short_key();
        session.until = Some(now.after(HELLO_TIME));
        if session.role == Role::Responder {
            session.state = State::AwaitSlots(transcript);
            let hello = session.hello();
            self.send_frame(conn, hello);
            return Some(());
        }
        let (shown, slots) = claims(session.dialled.as_deref()?, &transcript, groups);
        session.state = State::AwaitReply(transcript, shown);
        self.send(conn, &Message::Slots(handshake::pad(slots, rng)));
        Some(())
    }

    pub(super) fn on_slots(
        &mut self,
        conn: ConnectionId,
        slots: &[[u8; SLOT_LEN]],
        now: Moment,
        groups: &dyn Groups,
        rng: &mut dyn CryptoRng,
    ) -> Option<()> {
        let session = self.sessions.get_mut(&conn)?;
        match std::mem::replace(&mut session.state, State::Silent) {
            State::AwaitSlots(transcript) => self.answer(conn, slots, &transcript, now, groups, rng),
            State::AwaitReply(transcript, shown) => {
                self.read_reply(conn, slots, &transcript, &shown, now, groups)
            }
            _ => None,
        }
    }

    /// Looks the caller's slots up and prepares an equally long answer, the same for everyone from
    /// outside.
    fn answer(
        &mut self,
        conn: ConnectionId,
        slots: &[[u8; SLOT_LEN]],
        transcript: &Transcript,
        now: Moment,
        groups: &dyn Groups,
        rng: &mut dyn CryptoRng,
    ) -> Option<()> {
        let depth = self.depth(now);
        let mut found = Lookup::new(transcript, depth, groups);
        let mut reply = Vec::with_capacity(slots.len());
        let mut links = BTreeMap::new();
        let mut next = State::Silent;
        for (number, slot) in slots.iter().enumerate() {
            let answer = match found.look_up(slot, groups) {
                Some(Caller::Member(claim, device))
                    if links.len() < MAX_GROUPS && !serves(&links, &claim.group) =>
                {
                    let signer = groups.signer(&claim.group)?;
                    links.insert(u8::try_from(number).ok()?, Link::new(claim.group, device));
                    if !matches!(next, State::Door { .. }) {
                        next = State::Open;
                    }
                    claim.show(transcript, Role::Responder, &signer)
                }
                // Whether the code still opens is said to the request: it may be somebody who was let in
                // and has not got the answer.
                Some(Caller::Joiner(claim, invite))
                    if !invite.of_member || !serves(&links, &invite.group) =>
                {
                    let HeldInvite { group, key: invite, .. } = invite;
                    let signer = groups.signer(&group)?;
                    next = State::Door { group, invite };
                    claim.show(transcript, Role::Responder, &signer)
                }
                _ => handshake::random_slot(rng),
            };
            reply.push(answer);
        }
        // A door is a session of its own: the caller comes again for the groups it is in.
        if matches!(next, State::Door { .. }) {
            links.clear();
        }
        let frame = Message::Slots(reply).encode();
        let session = self.sessions.get_mut(&conn)?;
        session.links = links;
        session.state = State::Replying { at: now.after(REPLY_DELAY), frame, next: Box::new(next) };
        Some(())
    }

    /// How far back a caller is looked for now: who was away for long is found as long as few call.
    fn depth(&mut self, now: Moment) -> usize {
        self.deep.retain(|at| now.since(*at) < DEEP_TIME);
        if self.deep.len() >= DEEP_CALLERS {
            return HORIZON;
        }
        self.deep.push(now);
        DEEP
    }

    /// Sends an answer whose delay is over, and opens what it opened.
    pub(super) fn send_reply(&mut self, conn: ConnectionId, now: Moment, groups: &dyn Groups) {
        let Some(session) = self.sessions.get_mut(&conn) else {
            return;
        };
        if !matches!(&session.state, State::Replying { at, .. } if *at <= now) {
            return;
        }
        let State::Replying { frame, next, .. } = std::mem::replace(&mut session.state, State::Silent) else {
            return;
        };
        session.state = *next;
        let door = matches!(session.state, State::Door { .. });
        if door {
            session.until = Some(now.after(KNOCK_TIME));
            self.outputs.push_back(Output::Trust(conn));
        }
        self.send_frame(conn, frame);
        let at_doors = self.sessions.values().filter(|s| matches!(s.state, State::Door { .. })).count();
        if door && at_doors > MAX_DOORS {
            return self.turn_away(conn);
        }
        self.open_links(conn, now, groups);
    }

    fn read_reply(
        &mut self,
        conn: ConnectionId,
        slots: &[[u8; SLOT_LEN]],
        transcript: &Transcript,
        shown: &[Shown],
        now: Moment,
        groups: &dyn Groups,
    ) -> Option<()> {
        let mut links: BTreeMap<u8, Link> = BTreeMap::new();
        let mut knock = None;
        for (number, (shown, slot)) in shown.iter().zip(slots).enumerate() {
            match shown {
                Shown::Member(claim) => {
                    let Some(device) = claim.read(transcript, Role::Responder, slot) else { continue };
                    let known = links.values().any(|link| link.group == claim.group);
                    if groups.on_roster(&claim.group, &device) && !known && links.len() < MAX_GROUPS {
                        links.insert(u8::try_from(number).ok()?, Link::new(claim.group, device));
                    }
                }
                // Whether the door-opener may open is checked with the whole group, after the mail.
                Shown::Joiner(door) => {
                    if door.claim.read(transcript, Role::Responder, slot).is_some() {
                        knock = Some((crate::crypto::device_key(&door.signer), door.request.clone()));
                    }
                }
            }
        }
        let session = self.sessions.get_mut(&conn)?;
        let Some((invite, request)) = knock else {
            if links.is_empty() {
                return None;
            }
            session.links = links;
            session.state = State::Open;
            self.open_links(conn, now, groups);
            return Some(());
        };
        session.state = State::Knocking { invite, parts: Vec::new() };
        session.until = Some(now.after(KNOCK_TIME));
        self.outputs.push_back(Output::Trust(conn));
        self.send(conn, &Message::Knock(request));
        Some(())
    }

    /// Announces the groups of a session that has just opened, and starts comparing.
    fn open_links(&mut self, conn: ConnectionId, now: Moment, groups: &dyn Groups) {
        let Some(session) = self.sessions.get_mut(&conn) else {
            return;
        };
        if session.links.is_empty() {
            return;
        }
        session.until = None;
        session.opened = Some(now);
        self.outputs.push_back(Output::Trust(conn));
        self.drop_twin(conn);
        let open = self.sessions.values().filter(|session| session.opened.is_some()).count();
        if open > MAX_SESSIONS || open > AMPLE && self.is_one_of_many(conn) {
            return self.turn_away(conn);
        }
        let links = self.sessions.get(&conn).map(|session| session.devices()).unwrap_or_default();
        for (group, device) in links {
            self.outputs.push_back(Output::Opened { conn, group, device });
        }
        self.compare_all(conn, now, groups);
    }

    /// Whether all groups of a session have many others.
    fn is_one_of_many(&self, conn: ConnectionId) -> bool {
        let sessions = |group: &GroupId| self.peers().filter(|(_, of, _)| of == group).count();
        let session = self.sessions.get(&conn);
        session.is_some_and(|session| session.links.values().all(|link| sessions(&link.group) > MANY))
    }

    /// Full: says so to whoever has proven what he is. Nobody is put out to let another in (Y-21).
    fn turn_away(&mut self, conn: ConnectionId) {
        self.send(conn, &Message::Busy(BUSY_TIME));
        self.drop_session(conn);
    }

    pub(super) fn on_busy(&mut self, conn: ConnectionId, seconds: u16) -> Option<()> {
        let session = self.sessions.get(&conn)?;
        if session.opened.is_some() || matches!(session.state, State::Knocking { .. }) {
            self.outputs.push_back(Output::Busy(conn, seconds));
        }
        None
    }

    /// One session a peer: ends the one of two that is worth less (Y-22).
    fn drop_twin(&mut self, conn: ConnectionId) {
        let Some(session) = self.sessions.get(&conn) else { return };
        let others = self.sessions.values().filter(|o| o.conn != conn && o.opened.is_some());
        let worse = others.filter_map(|other| session.worse_of(other)).collect::<Vec<_>>();
        for conn in worse {
            self.drop_session(conn);
        }
    }

    pub(super) fn on_refused(&mut self, conn: ConnectionId, why: u8) -> Option<()> {
        let session = self.sessions.get(&conn)?;
        if let (State::Knocking { invite, .. }, Some(why)) = (&session.state, DoorState::from_number(why)) {
            self.outputs.push_back(Output::Refused { invite: *invite, why });
        }
        None
    }

    /// Tells a joiner that the code opens nothing for him.
    pub fn refuse(&mut self, conn: ConnectionId, why: DoorState) {
        self.send(conn, &Message::Refused(why as u8));
        self.drop_session(conn);
    }
}

/// What to show to an address, in slots.
fn claims(dialled: &str, transcript: &Transcript, groups: &dyn Groups) -> (Vec<Shown>, Vec<[u8; SLOT_LEN]>) {
    let mut shown = Vec::new();
    let mut slots = Vec::new();
    for claim in groups.shown(dialled) {
        if let Some(signer) = groups.signer(&claim.group) {
            slots.push(claim.show(transcript, Role::Initiator, &signer));
            shown.push(Shown::Member(claim));
        }
    }
    for door in groups.doors(dialled) {
        slots.push(door.claim.show(transcript, Role::Initiator, &door.signer));
        shown.push(Shown::Joiner(Box::new(door)));
    }
    (shown, slots)
}

fn serves(links: &BTreeMap<u8, Link>, group: &GroupId) -> bool {
    links.values().any(|link| link.group == *group)
}

/// Who a slot turned out to be by.
enum Caller {
    Member(Claim, DeviceKey),
    Joiner(Claim, HeldInvite),
}

/// Tags this node recognises in one session.
struct Lookup<'a> {
    transcript: &'a Transcript,
    members: BTreeMap<[u8; 16], Claim>,
    joiners: BTreeMap<[u8; 16], (Claim, HeldInvite)>,
}

impl<'a> Lookup<'a> {
    fn new(transcript: &'a Transcript, depth: usize, groups: &dyn Groups) -> Self {
        let tag = |claim: &Claim| claim.tag(transcript, Role::Initiator);
        let members = groups.recognised(depth).into_iter().map(|claim| (tag(&claim), claim)).collect();
        let joiners = groups.invites().into_iter().map(|invite| {
            let claim = Claim::joiner(&invite.group.fingerprint(), invite.peer_key.clone());
            (tag(&claim), (claim, invite))
        });
        Self { transcript, members, joiners: joiners.collect() }
    }

    /// A member is accepted only if its device is on the roster *now*, whatever the epoch of its
    /// proof: a removed prober fails here.
    fn look_up(&mut self, slot: &[u8; SLOT_LEN], groups: &dyn Groups) -> Option<Caller> {
        let tag: &[u8; 16] = slot.first_chunk()?;
        if let Some(claim) = self.members.get(tag) {
            let device = claim.read(self.transcript, Role::Initiator, slot)?;
            return groups.on_roster(&claim.group, &device).then(|| Caller::Member(claim.clone(), device));
        }
        let (claim, invite) = self.joiners.get(tag)?;
        let shown = claim.read(self.transcript, Role::Initiator, slot)?;
        (shown == invite.key).then(|| Caller::Joiner(claim.clone(), invite.clone()))
    }
}
