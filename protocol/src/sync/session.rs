//! The state of one connection, and of each group it serves.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use rand_core::CryptoRng;

use super::Connected;
use super::groups::{Door, LogHead};
use super::handshake::{Claim, Role, Transcript};
use super::mail::Asked;
use super::message::{Head, Message, ShortDevice, ShortId, ShortLog};
use crate::crypto::Secret;
use crate::entry::Lane;
use crate::id::{DeviceKey, EntryId, GroupId};
use crate::log::LogId;
use crate::time::Moment;

/// Connections that open within this time were dialled without knowing of one another.
const AT_ONCE: Duration = Duration::from_secs(10);

/// Names a connection of the net's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// How far a session has come.
pub(super) enum State {
    /// Waits for the other's nonce.
    AwaitHello,
    /// Was dialled; waits for the caller's slots.
    AwaitSlots(Transcript),
    /// Has shown claims; waits for the answer.
    AwaitReply(Transcript, Vec<Shown>),
    /// Has an answer to give once the fixed delay is over.
    Replying { at: Moment, frame: Vec<u8>, next: Box<State> },
    /// At least one group in common.
    Open,
    /// Has asked to come in.
    Knocking { invite: DeviceKey, parts: Vec<Vec<u8>> },
    /// A joiner with a known code is at the other end.
    Door { group: GroupId, invite: DeviceKey },
    /// A stranger: nothing more is said.
    Silent,
}

/// What was shown in one slot.
pub(super) enum Shown {
    Member(Claim),
    Joiner(Box<Door>),
}

pub(super) struct Session {
    pub(super) conn: ConnectionId,
    pub(super) role: Role,
    pub(super) dialled: Option<String>,
    local: Vec<u8>,
    remote: Vec<u8>,
    nonce: [u8; 32],
    pub(super) state: State,
    /// When a session that has not opened ends.
    pub(super) until: Option<Moment>,
    pub(super) short_key: Secret,
    pub(super) links: BTreeMap<u8, Link>,
    /// When its groups were found.
    pub(super) opened: Option<Moment>,
    /// What this side asked for.
    pub(super) asked: Option<Asked>,
    /// When the other side may ask again.
    pub(super) ask_after: Option<Moment>,
    /// Parts of mail that wait for room on the line.
    pub(super) mail: VecDeque<Message>,
    /// Bytes handed out and not yet said to have left.
    pub(super) sent: usize,
}

impl Session {
    pub(super) fn new(connected: Connected, until: Moment, rng: &mut dyn CryptoRng) -> Self {
        let mut nonce = [0; 32];
        rng.fill_bytes(&mut nonce);
        Self {
            conn: connected.conn,
            role: if connected.dialled.is_some() { Role::Initiator } else { Role::Responder },
            dialled: connected.dialled,
            local: connected.local,
            remote: connected.remote,
            nonce,
            state: State::AwaitHello,
            until: Some(until),
            short_key: Secret::new([0; 32]),
            links: BTreeMap::new(),
            opened: None,
            asked: None,
            ask_after: None,
            mail: VecDeque::new(),
            sent: 0,
        }
    }

    pub(super) fn hello(&self) -> Vec<u8> {
        Message::Hello { nonce: self.nonce }.encode()
    }

    pub(super) fn transcript(&self, other: &[u8; 32]) -> Transcript {
        match self.role {
            Role::Initiator => Transcript::new([&self.local, &self.remote], [&self.nonce, other]),
            Role::Responder => Transcript::new([&self.remote, &self.local], [other, &self.nonce]),
        }
    }

    /// Devices at the other end, by group.
    pub(super) fn devices(&self) -> BTreeSet<(GroupId, DeviceKey)> {
        self.links.values().map(|link| (link.group, link.device)).collect()
    }

    /// Which of two open sessions with the same devices is to end, this or an older one; none if both
    /// are needed.
    ///
    /// A start of a node has one peer id: whoever comes with another one, or again a good while later,
    /// has lost the older connection, whatever this side knows of that. Of two that were dialled at
    /// once the one with more groups stays, else the one dialled by the smaller peer id; both ends
    /// judge alike.
    pub(super) fn worse_of(&self, older: &Self) -> Option<ConnectionId> {
        let (mine, theirs) = (self.devices(), older.devices());
        let span = self.opened.unwrap_or_default().since(older.opened.unwrap_or_default());
        let at_once = self.remote == older.remote && span < AT_ONCE;
        let rank = |session: &Self| (session.dialler().to_vec(), session.short_key.mac("twin", &[]));
        match (theirs.is_subset(&mine), mine.is_subset(&theirs)) {
            (true, true) if at_once && rank(older) < rank(self) => Some(self.conn),
            (true, _) => Some(older.conn),
            (false, true) if at_once => Some(self.conn),
            _ => None,
        }
    }

    /// Heads of the other side that are remembered, in all groups.
    pub(super) fn known(&self) -> usize {
        self.links.values().map(|link| link.theirs.len()).sum()
    }

    /// The peer id of whoever dialled.
    pub(super) fn dialler(&self) -> &[u8] {
        if self.role == Role::Initiator { &self.local } else { &self.remote }
    }

    pub(super) fn is_overdue(&self, now: Moment) -> bool {
        self.until.is_some_and(|until| until <= now)
    }

    pub(super) fn deadline(&self) -> Option<Moment> {
        let reply = if let State::Replying { at, .. } = &self.state { Some(*at) } else { None };
        self.links.values().filter_map(Link::deadline).chain(self.until).chain(reply).min()
    }

    pub(super) fn short_log(&self, group: &GroupId, log: LogId) -> ShortLog {
        eight(self.short_key.mac("log", &[group.as_bytes(), log.device.as_bytes(), &[log.lane as u8]]))
    }

    pub(super) fn short_id(&self, id: &EntryId) -> ShortId {
        eight(self.short_key.mac("id", &[id.as_bytes()]))
    }

    pub(super) fn short_device(&self, group: &GroupId, device: &DeviceKey) -> ShortDevice {
        eight(self.short_key.mac("up", &[group.as_bytes(), device.as_bytes()]))
    }

    /// The logs of a group by their names; worked out again only when there are new ones.
    pub(super) fn named(&mut self, handle: u8, heads: &[LogHead]) -> Option<&BTreeMap<ShortLog, LogId>> {
        let link = self.links.get(&handle)?;
        if link.names.len() != heads.len() {
            let names = heads.iter().map(|head| (self.short_log(&link.group, head.log), head.log)).collect();
            self.links.get_mut(&handle)?.names = names;
        }
        self.links.get(&handle).map(|link| &link.names)
    }

    pub(super) fn link_of(&mut self, group: &GroupId) -> Option<(&u8, &mut Link)> {
        self.links.iter_mut().find(|(_, link)| link.group == *group)
    }
}

fn eight(mac: [u8; 32]) -> [u8; 8] {
    let mut out = [0; 8];
    out.copy_from_slice(mac.split_at(8).0);
    out
}

/// The id of a head that was told by its position only.
pub(super) const UNTOLD: ShortId = [0; 8];

/// What was asked for and not yet answered in full.
pub(super) struct Wanted {
    /// Logs, and how they stood here when they were asked for.
    pub(super) logs: BTreeMap<ShortLog, Option<Head>>,
    /// Bytes still allowed.
    pub(super) credit: usize,
    pub(super) until: Moment,
}

/// What one side asked for.
pub(super) enum Item {
    /// What follows a position of a log.
    Log { head: Head, log: LogId, after: u32 },
    /// An entry of a forked log, with those before it.
    ById(EntryId),
}

/// An answer under way.
pub(super) struct Serving {
    pub(super) items: VecDeque<Item>,
    /// Bytes still allowed.
    pub(super) left: usize,
}

/// One group in one session.
pub(super) struct Link {
    pub(super) group: GroupId,
    pub(super) device: DeviceKey,
    /// Where the other side's logs stand, as far as it said or was told.
    pub(super) theirs: BTreeMap<ShortLog, Head>,
    /// Whom the other side said to be connected with.
    pub(super) up: BTreeSet<DeviceKey>,
    /// Whether all its heads were told.
    pub(super) listed: bool,
    /// Whether heads that are equal here were forgotten, to make room.
    pub(super) trimmed: bool,
    /// Whether heads were told for which there was no room: compare again once these are done.
    pub(super) partial: bool,
    /// This side's own list is being sent: after which log it goes on.
    pub(super) listing: Option<Option<ShortLog>>,
    /// Digests and lists of the other side since a moment.
    pub(super) compares: (Moment, u32),
    pub(super) serving: Option<Serving>,
    /// Bytes served, for taking turns.
    pub(super) served: u64,
    /// Up to where logs were sent since the last comparing, and wants for the same again.
    pub(super) sent_to: BTreeMap<ShortLog, u32>,
    pub(super) repeats: u32,
    /// Wants that brought nothing in time, since one brought something.
    pub(super) died: u32,
    /// Something is missing, but no budget was left: how urgent it is, and when to try again.
    pub(super) hungry: Option<(usize, Moment)>,
    /// Bytes asked for, for taking turns.
    pub(super) got: u64,
    /// Something came that can't be judged yet: compare again once more is known.
    pub(super) stale: bool,
    /// When this side last listed its own.
    pub(super) listed_mine: Option<Moment>,
    pub(super) wanted: Option<Wanted>,
    /// Logs of which what follows this side's head was not to be had: to be searched for a fork.
    pub(super) searched: BTreeSet<ShortLog>,
    /// Ids asked for since the last comparison.
    pub(super) asked: BTreeSet<EntryId>,
    /// When the other side may be told keys again.
    pub(super) tell_at: Option<Moment>,
    /// Logs that an ended want brought nothing of, with the head then claimed.
    pub(super) barren: BTreeSet<(ShortLog, u32)>,
    /// A want has ended: go on once its entries are judged.
    pub(super) due: bool,
    pub(super) compared: bool,
    /// Whether to push new entries to the other side, or announce only.
    pub(super) push: bool,
    /// Pushed and not acknowledged.
    pub(super) unacked: VecDeque<(ShortLog, u32, usize)>,
    /// When an acknowledgement is overdue.
    pub(super) doubt_at: Option<Moment>,
    /// Bytes pushed by the other side and not acknowledged.
    pub(super) taken: usize,
    /// Announcements and acknowledgements that wait.
    pub(super) have: BTreeMap<ShortLog, u32>,
    pub(super) have_at: Option<Moment>,
    /// When to ask for what was announced and has not come.
    pub(super) graft_at: Option<Moment>,
    /// When to compare again, if anything has happened since.
    pub(super) digest_at: Option<Moment>,
    /// What this node's logs are called in this session, as far as worked out.
    names: BTreeMap<ShortLog, LogId>,
}

impl Link {
    pub(super) fn new(group: GroupId, device: DeviceKey) -> Self {
        Self {
            group,
            device,
            theirs: BTreeMap::new(),
            up: BTreeSet::new(),
            listed: false,
            trimmed: false,
            partial: false,
            listing: None,
            compares: (Moment::default(), 0),
            serving: None,
            served: 0,
            sent_to: BTreeMap::new(),
            repeats: 0,
            died: 0,
            hungry: None,
            got: 0,
            stale: false,
            listed_mine: None,
            wanted: None,
            searched: BTreeSet::new(),
            asked: BTreeSet::new(),
            tell_at: None,
            barren: BTreeSet::new(),
            due: false,
            compared: false,
            push: true,
            unacked: VecDeque::new(),
            doubt_at: None,
            taken: 0,
            have: BTreeMap::new(),
            have_at: None,
            graft_at: None,
            digest_at: None,
            names: BTreeMap::new(),
        }
    }

    pub(super) fn unacked_bytes(&self) -> usize {
        self.unacked.iter().map(|(_, _, bytes)| bytes).sum()
    }

    /// Remembers that the other side has a log up to a position.
    pub(super) fn learn(&mut self, log: ShortLog, lane: Lane, seq: u32) {
        let head =
            self.theirs.entry(log).or_insert(Head { log, lane: lane as u8, seq, id: [0; 8], forked: false });
        head.seq = head.seq.max(seq);
    }

    pub(super) fn announce(&mut self, log: ShortLog, seq: u32, at: Moment) {
        let place = self.have.entry(log).or_insert(seq);
        *place = (*place).max(seq);
        self.have_at = Some(self.have_at.map_or(at, |earlier| earlier.min(at)));
    }

    fn deadline(&self) -> Option<Moment> {
        let want = self.wanted.as_ref().map(|wanted| wanted.until);
        let hungry = self.hungry.map(|(_, at)| at);
        [self.have_at, self.graft_at, self.digest_at, self.doubt_at, hungry, want].into_iter().flatten().min()
    }
}
