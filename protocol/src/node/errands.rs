//! Keys by a code of one's own making: for whoever moves from a draft to a group (M-20), and for a member
//! whose device has no keys of the epochs that others are in (K-11). Such a device posts a wish with a door,
//! and knocks there where members can be reached, until somebody who has carried the wish out opens.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Node;
use super::founding::{doorways, leads_to};
use crate::crypto::Secret;
use crate::entry::UnverifiedEntry;
use crate::group::invite::{Hint, InviteCode, JoinRequest};
use crate::group::operation::{Control, Doorway, Resync};
use crate::id::{DeviceKey, EpochId, GroupId};
use crate::kind::Kind;
use crate::replica::{AuthorError, Errand, Joining, Replica, Schedule};
use crate::store::{Store, StoreError};
use crate::sync::ConnectionId;
use crate::time::{Moment, Timestamp};

/// How long a code of one's own is good for: nobody else can use it.
const OWN_CODE_TIME: Duration = Duration::from_secs(10 * 365 * 24 * 3600);
/// The same of one for new keys: no longer than a state is kept, for it opens one (K-12).
const WISH_TIME: Duration = Schedule::USUAL.longest;
/// First and longest pause before a device on an errand knocks again.
const KNOCK_PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(300));
/// Most addresses at which a device on an errand knocks.
const MAX_DOORS: usize = 16;
/// For so long nothing new must have come before a device that is behind asks for new keys: most who are
/// behind only wait for entries that are on their way.
const BEHIND_PATIENCE: Duration = Duration::from_secs(20);
/// For so long at most, where new things come all the time.
const MOST_PATIENCE: Duration = Duration::from_secs(120);
/// For so long a device that is behind leaves it to others to give new keys.
const OTHERS_PATIENCE: Duration = Duration::from_secs(600);
/// The mail for new keys may be lost: after so long they are asked for again.
const RESYNC_PAUSE: Duration = Duration::from_secs(3_600);
/// After so long, once they have come: they may be of a branch that loses, too.
pub(super) const SWAP_PAUSE: Duration = Duration::from_secs(300);

/// How long this device has been behind in a group.
pub(super) struct Lag {
    since: Moment,
    /// When it is looked at again.
    pub(super) due: Moment,
    /// How many entries there were when it was looked at last.
    entries: usize,
}

/// A wish for keys, to be posted.
pub(super) struct Wish {
    pub(super) key_package: Vec<u8>,
    pub(super) door: Doorway,
    joining: Joining,
}

impl<S: Store> Node<S> {
    /// Makes a code of one's own, told through `group`.
    pub(super) fn ask_with(
        &mut self,
        group: GroupId,
        errand: Errand,
        now: Timestamp,
    ) -> Result<Wish, AuthorError> {
        let Some(replica) = self.replicas.get(&group) else { return Err(AuthorError::Unusable) };
        let hints = replica.contacts().into_iter().filter_map(|(_, address)| Hint::from_multiaddr(&address));
        let hints: Vec<Hint> = hints.take(MAX_DOORS).collect();
        let (suite, key, person) = (replica.suite(), replica.mover().clone(), self.person_in(&group));
        let to = errand.group().unwrap_or(group);
        let time = if matches!(errand, Errand::Resync(_)) { WISH_TIME } else { OWN_CODE_TIME };
        let code = InviteCode::generate(&to, suite, now.after(time), hints, &mut *self.rng);
        let keys = code.keys();
        let (joining, key_package) = Joining::with_key(code, errand, &person, key, &mut *self.rng)?;
        let door = Doorway {
            key: keys.public(),
            request: (*keys.request.as_bytes()).into(),
            peer: (*keys.peer.as_bytes()).into(),
        };
        Ok(Wish { key_package, door, joining })
    }

    /// Posts a wish, and knocks from now on.
    pub(super) fn set_out(
        &mut self,
        group: GroupId,
        wish: Wish,
        (kind, payload): (Kind, &[u8]),
        now: Timestamp,
    ) -> Result<(), AuthorError> {
        let posted = self.in_group(group, None, now, |replica, round| replica.post(kind, payload, round));
        posted.transpose()?;
        let invite = self.keep_join(wish.joining);
        self.knock_later(invite, 0, now);
        Ok(())
    }

    /// Notes that somebody writes in an epoch that is unknown here. A pushed entry does not say of which group it is:
    /// who is in two by one device, a draft and what was founded from it, may write in the other.
    pub(super) fn note_unknown(&mut self, group: GroupId, live: bool, entry: &[u8]) {
        let Ok(entry) = UnverifiedEntry::decode(entry) else { return };
        let knows = |replica: &&Replica| replica.knows_hint(&entry.header().author_hint);
        let certain = !live || self.replicas.values().filter(knows).count() < 2;
        if let Some(replica) = self.replicas.get_mut(&group).filter(|_| certain) {
            replica.note_unplaced(&entry);
        }
    }

    /// Looks whether this device is left behind.
    pub(super) fn watch(&mut self, group: GroupId, now: Timestamp) {
        let Some(replica) = self.replicas.get_mut(&group) else { return };
        let moment = self.clock.at(now);
        if replica.is_behind() {
            let (entries, _) = replica.counts();
            let lag = Lag { since: moment, due: moment.after(BEHIND_PATIENCE), entries };
            let lag = self.agenda.behind.entry(group).or_insert(lag);
            // If nobody at all is better off, somebody has to.
            replica.set_fulfils(moment >= lag.since.after(OTHERS_PATIENCE));
        } else if self.agenda.behind.remove(&group).is_some() {
            replica.set_fulfils(true);
            self.rest_resync(&group);
        }
    }

    /// Asks for new keys where this device has been behind though nothing more came, or for long though much did.
    pub(super) fn tick_behind(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let moment = self.clock.at(now);
        let due = self.agenda.behind.iter().filter(|(_, lag)| lag.due <= moment);
        for group in due.map(|(group, _)| *group).collect::<Vec<_>>() {
            self.watch(group, now);
            let entries = self.replicas.get(&group).map_or(0, |replica| replica.counts().0);
            let Some(lag) = self.agenda.behind.get_mut(&group) else { continue };
            let grown = entries > lag.entries;
            (lag.due, lag.entries) = (moment.after(BEHIND_PATIENCE), entries);
            if !grown || moment >= lag.since.after(MOST_PATIENCE) {
                if moment >= lag.since.after(MOST_PATIENCE) {
                    self.tell_branch(&group, moment);
                }
                match self.resync(group, now) {
                    Err(AuthorError::Store(error)) => return Err(error),
                    _ => self.sync.compare_soon(&group, moment),
                }
            }
            self.plan_duty(group, now)?;
        }
        Ok(())
    }

    /// Nobody has answered, perhaps because nobody can read it: those who write in epochs that are unknown here may
    /// not be able to open the commits of this device's branch either (Y-31).
    fn tell_branch(&mut self, group: &GroupId, moment: Moment) {
        let Some(replica) = self.replicas.get(group).filter(|replica| replica.lacks_epochs()) else { return };
        let peers = self.sync.peers().filter(|(_, of, _)| of == group).map(|(conn, ..)| conn);
        for conn in peers.collect::<Vec<_>>() {
            self.sync.tell_keys(conn, group, replica.branch_keys(), moment);
        }
    }

    /// Keys of another branch, told by a member who can't follow this one: it is told this one's.
    pub(super) fn told_keys(
        &mut self,
        conn: ConnectionId,
        (group, device): (GroupId, DeviceKey),
        keys: Vec<(EpochId, Secret)>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let moment = self.clock.at(now);
        let Some(replica) = self.replicas.get_mut(&group) else { return Ok(()) };
        replica.hear_keys(device, keys);
        if replica.take_placeable() {
            self.sync.compare_soon(&group, moment);
        }
        self.sync.tell_keys(conn, &group, replica.branch_keys(), moment);
        // What waited for them may be here already.
        self.in_group(group, None, now, Replica::apply_all).transpose()?;
        self.after(group, now)
    }

    /// Asks for new keys; knocks again with the last wish, if that was made a short while ago.
    fn resync(&mut self, group: GroupId, now: Timestamp) -> Result<(), AuthorError> {
        let Some(replica) = self.replicas.get(&group) else { return Ok(()) };
        replica.may_write(Kind::Resync)?;
        let behind = replica.lacking().into_iter().map(Into::into).collect();
        let moment = self.clock.at(now);
        // One from before the start is good for as long as one made now.
        let kept = self.joins.values().any(|join| join.joining.errand() == Errand::Resync(group));
        let pause = moment.after(RESYNC_PAUSE);
        let next = self.agenda.resyncs.entry(group).or_insert(if kept { pause } else { moment });
        if moment < *next {
            self.knock_again(&group, now);
            return Ok(());
        }
        *next = pause;
        self.end_resync(&group);
        let wish = self.ask_with(group, Errand::Resync(group), now)?;
        let body = Resync { key_package: wish.key_package.clone().into(), door: wish.door.clone(), behind };
        self.set_out(group, wish, (Kind::Resync, &body.to_payload()), now)
    }

    /// The keys have come, or are not needed any more. Whoever else carried the wish out, on a branch that may win
    /// yet, still has mail for it.
    pub(super) fn rest_resync(&mut self, group: &GroupId) {
        for (invite, join) in &mut self.joins {
            if join.joining.errand() == Errand::Resync(*group) {
                (join.bootstrap, join.held) = (None, None);
                self.agenda.knocks.remove(invite);
            }
        }
    }

    /// Knocks again with the last wish.
    fn knock_again(&mut self, group: &GroupId, now: Timestamp) {
        let waits = |join: &super::Join| join.joining.errand() == Errand::Resync(*group);
        let waiting = self.joins.iter().filter(|(_, join)| waits(join)).map(|(invite, _)| *invite);
        for invite in waiting.collect::<Vec<_>>() {
            if !self.agenda.knocks.contains_key(&invite) {
                self.knock_later(invite, 0, now);
            }
        }
    }

    /// An earlier wish for new keys in a group is of no use any more.
    pub(super) fn end_resync(&mut self, group: &GroupId) {
        let of_group = |join: &super::Join| join.joining.errand() == Errand::Resync(*group);
        let earlier: Vec<DeviceKey> =
            self.joins.iter().filter(|(_, join)| of_group(join)).map(|(invite, _)| *invite).collect();
        for invite in earlier {
            self.end_join(&invite);
        }
    }

    /// A member asks in its session for the mail for a wish of its own.
    pub(super) fn asked(
        &mut self,
        conn: ConnectionId,
        request: &[u8],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let links: Vec<(GroupId, DeviceKey)> = self
            .sync
            .peers()
            .filter(|(of, ..)| *of == conn)
            .map(|(_, group, device)| (group, device))
            .collect();
        for (group, device) in links {
            let doors = self.replicas.get(&group).into_iter().flat_map(Replica::doorways);
            let own = doors.filter(|(_, of, _)| *of == device).map(|(.., door)| door.key);
            for invite in own.collect::<Vec<_>>() {
                if let Some(mail) = self.mail_on_errand(group, invite, request, now)? {
                    self.sync.mail(conn, &mail);
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// The mail for somebody who waits at a door of its own, if this device has made the commit for it.
    pub(super) fn mail_on_errand(
        &mut self,
        group: GroupId,
        invite: DeviceKey,
        request: &[u8],
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let moves = doorways(self.replicas.values(), &group).map(|(device, door)| (None, device, door));
        let resyncs = self.replicas.get(&group).into_iter().flat_map(Replica::doorways);
        let resyncs = resyncs.map(|(act, device, door)| (Some(act), device, door));
        let Some((act, device, door)) = moves.chain(resyncs).find(|(.., door)| door.key == invite) else {
            return Ok(None);
        };
        let key = Secret::new(*door.request);
        let opened = JoinRequest::open(request, &key, &group, &invite);
        if !opened.is_ok_and(|request| request.device == device) {
            return Ok(None);
        }
        let mail = self.ask(group, now, |replica, round| match act {
            Some(act) => replica.welcome_by(&act, round),
            None => replica.welcome(&device, round),
        });
        mail.unwrap_or(Ok(None))
    }

    fn knock_later(&mut self, invite: DeviceKey, failures: u32, now: Timestamp) {
        let (first, longest) = KNOCK_PAUSE;
        let pause = first.saturating_mul(1 << failures.min(9)).min(longest);
        self.agenda.knocks.insert(invite, (self.clock.at(now).after(pause), failures));
    }

    /// A device on an errand knocks where members can be reached, until somebody has its keys.
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
            let Some(join) = self.joins.get_mut(&invite) else { continue };
            join.drop_idle();
            let waits = join.bootstrap.is_none();
            self.knock_later(invite, failures.saturating_add(1), now);
            if waits {
                self.refresh_hints(invite);
                self.knock(invite, now);
            }
        }
    }

    /// Members may be reached elsewhere since.
    fn refresh_hints(&mut self, invite: DeviceKey) {
        let Some(join) = self.joins.get_mut(&invite) else { return };
        let through = match join.joining.errand() {
            Errand::Move(next) => self.replicas.values().find(|replica| leads_to(replica) == Some(next)),
            Errand::Resync(group) => self.replicas.get(&group),
            Errand::Join => None,
        };
        let contacts = through.map(Replica::contacts).unwrap_or_default();
        let hints = contacts.iter().filter_map(|(_, address)| Hint::from_multiaddr(address));
        join.joining.code.hints = hints.take(MAX_DOORS).collect();
    }

    fn knock(&mut self, invite: DeviceKey, now: Timestamp) {
        let Some(join) = self.joins.get(&invite) else { return };
        let addresses: Vec<String> = join.joining.code.hints.iter().map(Hint::multiaddr).collect();
        let open = match join.joining.errand() {
            Errand::Resync(group) => self.ask_members(group, invite),
            _ => BTreeSet::new(),
        };
        for address in addresses.into_iter().filter(|address| !open.contains(address)) {
            self.call_again(&address, now);
        }
    }

    /// Asks in the sessions of a group for new keys: some members may be reached by those only that they have opened
    /// themselves. Gives the addresses of those who are asked.
    fn ask_members(&mut self, group: GroupId, invite: DeviceKey) -> BTreeSet<String> {
        let Some(join) = self.joins.get(&invite) else { return BTreeSet::new() };
        let request = join.joining.door().request;
        let here: BTreeMap<DeviceKey, ConnectionId> = self
            .sync
            .peers()
            .filter(|(_, of, _)| *of == group)
            .map(|(conn, _, device)| (device, conn))
            .collect();
        for conn in here.values() {
            self.sync.ask_member(*conn, invite, &request);
        }
        let contacts = self.replicas.get(&group).map(Replica::contacts).unwrap_or_default();
        contacts
            .into_iter()
            .filter(|(device, _)| here.contains_key(device))
            .map(|(_, address)| address)
            .collect()
    }

    /// A session has opened: whoever waits for new keys in its group asks there.
    pub(super) fn ask_here(&mut self, conn: ConnectionId, group: GroupId) {
        let waits = |invite: &&DeviceKey| {
            let join = self.joins.get(*invite);
            join.is_some_and(|join| {
                join.joining.errand() == Errand::Resync(group) && join.bootstrap.is_none()
            })
        };
        let Some(invite) = self.agenda.knocks.keys().find(waits).copied() else { return };
        if let Some(join) = self.joins.get(&invite) {
            self.sync.ask_member(conn, invite, &join.joining.door().request);
        }
    }

    /// Those who were on their way when this node stopped go on; who lacks keys will see that it does.
    pub(super) fn resume_errands(&mut self, now: Timestamp) {
        let away = self.joins.iter().filter(|(_, join)| matches!(join.joining.errand(), Errand::Move(_)));
        for invite in away.map(|(invite, _)| *invite).collect::<Vec<_>>() {
            self.knock_later(invite, 0, now);
        }
    }
}
