//! Both sides of a door: letting joiners in, and coming in.

use std::collections::BTreeSet;

use super::errands::SWAP_PAUSE;
use super::{Join, Node, Output};
use crate::entry::Entry;
use crate::group::invite::JoinRequest;
use crate::group::membership::{InviteState, Operation};
use crate::group::operation::{Admit, Control};
use crate::group::seal::{self, SealError};
use crate::id::{DeviceKey, GroupId};
use crate::kind::Kind;
use crate::log::LogId;
use crate::replica::{AuthorError, Bootstrap, BootstrapError, Errand, Event, Joining, Mail, Replica, Round};
use crate::store::{Key, Retention, Store, StoreError, Table};
use crate::sync::{ConnectionId, DoorState};
use crate::time::Timestamp;

/// What this device is to be called in a group.
const NAME: &[u8] = b"name";

/// The list of codes in use.
fn joins_key() -> Key {
    Key::new(Table::Profile, *b"joins", 0)
}

/// What is kept of one code in use.
fn join_key(invite: &DeviceKey) -> Key {
    Key::new(Table::Secret, [b"join".as_slice(), invite.as_bytes()].concat(), 0)
}

impl<S: Store> Node<S> {
    /// A joiner shows a request: lets him in if the code still opens and the request holds. The
    /// same device asking again gets the same answer: its mail may have been lost (I-3).
    pub(super) fn knocked(
        &mut self,
        conn: ConnectionId,
        group: GroupId,
        invite: DeviceKey,
        request: &[u8],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if let Some(mail) = self.mail_on_errand(group, invite, request, now)? {
            self.sync.mail(conn, &mail);
            return Ok(());
        }
        let answer =
            self.in_group(group, None, now, |replica, round| let_in(replica, invite, request, round));
        match answer {
            Some(Ok(Some(Answer::Mail(mail)))) => self.sync.mail(conn, &mail),
            Some(Ok(Some(Answer::Refused(why)))) => self.sync.refuse(conn, why),
            Some(Err(AuthorError::Store(error))) => return Err(error),
            _ => {}
        }
        self.after(group, now)
    }

    pub(super) fn mailed(&mut self, invite: DeviceKey, mail: &[u8], now: Timestamp) {
        let Some(join) = self.joins.get_mut(&invite) else { return };
        if let Errand::Resync(group) = join.joining.errand() {
            // Several may have carried the wish out at once: of each answer the keys are wanted once, while it waits.
            let waits = self.agenda.knocks.contains_key(&invite) && join.bootstrap.is_none();
            let epoch = Mail::decode(mail).map(|mail| mail.epoch);
            let known = |replica: &Replica| epoch.is_none_or(|epoch| replica.has_keys_of(&epoch));
            if !waits || self.replicas.get(&group).is_none_or(known) {
                return;
            }
        }
        // A bogus answer uses nothing up: the request stays, the next answer is tried.
        if let Ok(bootstrap) = join.joining.receive(mail) {
            // What could not be placed was passed over: sessions begin again, so that it is offered again.
            let again = bootstrap.is_resync().then(|| bootstrap.group());
            (join.bootstrap, join.held) = (Some(bootstrap), None);
            let addresses: Vec<String> =
                join.joining.code.hints.iter().map(|hint| hint.multiaddr()).collect();
            again.into_iter().for_each(|group| self.begin_again(group, now));
            for address in addresses {
                self.dial_soon(&address, now);
            }
        }
    }

    /// Calls those who are known to be reachable in a group without waiting.
    fn call_soon(&mut self, group: GroupId, now: Timestamp) {
        let contacts = self.replicas.get(&group).map(Replica::contacts).unwrap_or_default();
        for (_, address) in contacts {
            self.dial_soon(&address, now);
        }
    }

    pub(super) fn join_refused(&mut self, invite: DeviceKey, why: DoorState) {
        if let Some(join) = self.joins.get_mut(&invite) {
            join.refused = Some(why);
            self.forget_join(&invite);
            self.held.push_back(Output::JoinRefused(invite, why));
        }
    }

    /// Holds entries of a group this device is coming into; false if it is none.
    pub(super) fn hold_for_joining(&mut self, group: GroupId, entries: &[Vec<u8>]) -> bool {
        if self.replicas.get(&group).is_some_and(|replica| replica.frozen().is_none()) {
            return false;
        }
        let joining =
            self.joins.values_mut().find(|j| j.bootstrap.as_ref().is_some_and(|b| b.group() == group));
        let Some(join) = joining else { return false };
        let too_much = |bootstrap: &mut Bootstrap| entries.iter().any(|entry| bootstrap.hold(entry).is_err());
        if join.bootstrap.as_mut().is_some_and(too_much) {
            join.bootstrap = None;
        }
        true
    }

    /// Holds an entry that can't be placed until the keys that this device has come for are complete.
    pub(super) fn hold_for_resync(&mut self, group: GroupId, entry: &[u8]) {
        let bootstraps = self.joins.values_mut().filter_map(|join| join.bootstrap.as_mut());
        for bootstrap in bootstraps.filter(|b| b.group() == group && b.is_resync()) {
            // What is too much is not held; a member that sends so much is another's neighbour too.
            let _ = bootstrap.hold(entry);
        }
    }

    /// Tries to complete a join with what is held.
    pub(super) fn complete_join(&mut self, group: GroupId, now: Timestamp) -> Result<(), StoreError> {
        let found = self.joins.iter().find(|(_, j)| j.bootstrap.as_ref().is_some_and(|b| b.group() == group));
        let Some((invite, join)) = found else { return Ok(()) };
        let (invite, name) = (*invite, join.joining.name.clone());
        let Some(bootstrap) = &join.bootstrap else { return Ok(()) };
        let mut scratch = self.overlay.clone();
        let (mut events, mut stored) = (Vec::new(), Vec::new());
        let mut round = Round {
            store: &self.store,
            overlay: &mut scratch,
            rng: &mut *self.rng,
            now,
            events: &mut events,
            stored: &mut stored,
        };
        match bootstrap.complete(self.replicas.get(&group), &mut round) {
            Ok(joined) if bootstrap.is_resync() => {
                self.overlay = scratch;
                self.swapped_in(group, joined.replica, events, stored, now)
            }
            Ok(joined) => {
                self.overlay = scratch;
                self.replicas.insert(group, joined.replica);
                self.list_group(group)?;
                self.remember_drafts();
                self.closed.remove(&group);
                self.joins.remove(&invite);
                self.forget_join(&invite);
                self.events.push((group, Event::Joined));
                self.begin_pledges(group, now)?;
                self.begin_again(group, now);
                // A further device goes by the name that its member has.
                let named = |replica: &mut Replica, round: &mut Round<'_>| {
                    let name = replica.name_of(&replica.member()).unwrap_or(name.clone());
                    replica.put_note(NAME, name.into_bytes(), round);
                };
                self.in_group(group, None, now, named);
                self.after(group, now)
            }
            Err(BootstrapError::Incomplete) => Ok(()),
            Err(BootstrapError::Store(error)) => Err(error),
            Err(_) => {
                // Not the code's group: what was sent is dropped, the code goes on.
                if let Some(join) = self.joins.get_mut(&invite) {
                    join.bootstrap = None;
                }
                Ok(())
            }
        }
    }

    /// Sessions that began without a group behind them start again with one.
    fn begin_again(&mut self, group: GroupId, now: Timestamp) {
        let of_group = |(conn, of, _): (ConnectionId, GroupId, DeviceKey)| (of == group).then_some(conn);
        for conn in self.sync.peers().filter_map(of_group).collect::<BTreeSet<_>>() {
            self.sync.closed(conn);
            self.held.push_back(Output::Close(conn));
            self.hung_up(conn, now);
        }
        self.call_soon(group, now);
    }

    /// This device has the keys it came for.
    fn swapped_in(
        &mut self,
        group: GroupId,
        mut replica: Replica,
        events: Vec<Event>,
        stored: Vec<(LogId, Entry)>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let own = replica.member();
        replica.set_fulfils(true);
        self.replicas.insert(group, replica);
        self.rest_resync(&group);
        let soon = self.clock.at(now).after(SWAP_PAUSE);
        self.agenda.resyncs.insert(group, soon);
        self.agenda.behind.remove(&group);
        self.events.extend(events.into_iter().chain([Event::Rekeyed(own)]).map(|event| (group, event)));
        self.stored.extend(stored.into_iter().map(|(log, entry)| (group, None, log, entry)));
        self.begin_again(group, now);
        self.after(group, now)
    }

    /// Tells the group the name that this device came in with, as soon as anything may be said there.
    pub(super) fn introduce(&mut self, group: GroupId, now: Timestamp) -> Result<(), StoreError> {
        let due = |replica: &Replica| !replica.is_introduced() && replica.may_write(Kind::Profile).is_ok();
        if !self.replicas.get(&group).is_some_and(due) {
            return Ok(());
        }
        let name = self.ask(group, now, |replica, round| replica.note(NAME, round)).transpose()?.flatten();
        let Some(name) = name.and_then(|name| String::from_utf8(name).ok()) else { return Ok(()) };
        let done = self.in_group(group, None, now, |replica, round| replica.introduce(&name, round));
        match done {
            Some(Err(AuthorError::Store(error))) => Err(error),
            _ => Ok(()),
        }
    }

    pub(super) fn keep_join(&mut self, joining: Joining) -> DeviceKey {
        let invite = joining.invite();
        self.overlay.put_secret(join_key(&invite), joining.to_bytes());
        self.joins.insert(invite, Join { joining, bootstrap: None, held: None, refused: None });
        self.save_joins();
        invite
    }

    pub(super) fn end_join(&mut self, invite: &DeviceKey) {
        self.joins.remove(invite);
        self.agenda.knocks.remove(invite);
        self.forget_join(invite);
    }

    fn forget_join(&mut self, invite: &DeviceKey) {
        self.overlay.erase(join_key(invite));
        self.save_joins();
    }

    fn save_joins(&mut self) {
        let waiting = self.joins.iter().filter(|(_, join)| join.refused.is_none());
        let list: Vec<u8> = waiting.flat_map(|(invite, _)| *invite.as_bytes()).collect();
        self.overlay.put(joins_key(), Retention::Kept, list);
    }

    pub(super) fn load_joins(&mut self) -> Result<(), StoreError> {
        self.joins.clear();
        let list = self.store.get(&joins_key())?.unwrap_or_default();
        for invite in list.chunks_exact(32).filter_map(|key| key.try_into().ok()).map(DeviceKey) {
            let kept = self.store.secret(&join_key(&invite))?;
            if let Some(joining) = kept.and_then(|bytes| Joining::from_bytes(&bytes)) {
                self.joins.insert(invite, Join { joining, bootstrap: None, held: None, refused: None });
            }
        }
        Ok(())
    }
}

enum Answer {
    Mail(Vec<u8>),
    Refused(DoorState),
}

/// Admission, commit and the mail for it; `None` if the request does not hold.
fn let_in(
    replica: &mut Replica,
    invite: DeviceKey,
    request: &[u8],
    round: &mut Round<'_>,
) -> Result<Option<Answer>, AuthorError> {
    let Some((request_key, _)) = replica.door(&invite).cloned() else { return Ok(None) };
    let Ok(request) = JoinRequest::open(request, &request_key, &replica.group(), &invite) else {
        return Ok(None);
    };
    if replica.view().member_of(&request.device).is_some() {
        return Ok(replica.welcome(&request.device, round)?.map(Answer::Mail));
    }
    let state = replica.view().invites.get(&invite).map(|invite| invite.state(round.now.as_secs()));
    match state {
        None => return Ok(None),
        Some(InviteState::Open) => {}
        Some(InviteState::Used) => return Ok(Some(Answer::Refused(DoorState::Used))),
        Some(InviteState::Expired) => return Ok(Some(Answer::Refused(DoorState::Expired))),
        Some(InviteState::Revoked) => return Ok(Some(Answer::Refused(DoorState::Revoked))),
    }
    // Whoever was put out or left comes back by a hand that knows it, not by an old request (M-12).
    let ended = replica.view().endings_of(&request.device.into()).next().is_some();
    if ended || seal::check_key_package(&request.key_package, &request.device, replica.suite()).is_err() {
        return Ok(None);
    }
    let operation = Operation::Admit { device: request.device, invite: Some(invite) };
    if replica.is_awaited(&request.device) || replica.check(&operation).is_err() {
        return Ok(None);
    }
    match replica.can_add(request.device, &request.key_package, round) {
        Ok(()) => {}
        Err(SealError::TooLong) => {
            round.events.push(Event::Full);
            return Ok(None);
        }
        Err(_) => return Ok(None),
    }
    let admit = Admit {
        device: request.device,
        key_package: request.key_package.into(),
        invite: Some(invite),
        proof: Some(request.proof.into()),
    };
    replica.post(Kind::Admit, &admit.to_payload(), round)?;
    replica.carry_out(round)?;
    Ok(replica.welcome(&request.device, round)?.map(Answer::Mail))
}
