//! Replicas side by side, and people in them who write what no honest node would.

mod coming_in;
mod commits;
pub(crate) mod craft;
mod forks;
mod gate;
mod restart;
mod restoring;

use ed25519_dalek::SigningKey;

use super::*;
use crate::entry::{Body, Class, Header, Language, UnverifiedEntry, author_entry};
use crate::group::invite::{InviteCode, InviteKeys, JoinRequest};
use crate::group::operation::{Admit, Control, Empty, Invite, Remove};
use crate::kind::Kind;
use crate::sim::SeededRng;
use crate::store::MemoryStore;

impl Replica {
    /// Whether an epoch led to the head, or is it.
    pub(crate) fn is_on_the_way(&self, epoch: &EpochId) -> bool {
        self.tree.way_to(self.head()).any(|at| at == *epoch)
    }

    /// When, by its own clock, a device made its newest commit of those that led to the head.
    pub(crate) fn committed(&self, device: &DeviceKey) -> Option<u32> {
        self.last_commit(device, &self.head())
    }

    /// The epoch of this device's newest act.
    pub(crate) fn wrote_in(&self) -> Option<EpochId> {
        self.tree.spoke(&self.device)
    }
}

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

/// One person's replica, on a disk of its own.
struct Desk {
    replica: Replica,
    store: MemoryStore,
    overlay: Overlay,
    rng: SeededRng,
    events: Vec<Event>,
    /// Entries this desk has stored, its own and others', in order.
    entries: Vec<Vec<u8>>,
    /// What its clock says in what it forges, in seconds.
    clock: u32,
}

fn round<R>(
    store: &MemoryStore,
    overlay: &mut Overlay,
    rng: &mut SeededRng,
    work: impl FnOnce(&mut Round<'_>) -> R,
) -> (R, Vec<Event>, Vec<Vec<u8>>) {
    let (mut events, mut stored) = (Vec::new(), Vec::new());
    let result = work(&mut Round { store, overlay, rng, now: NOW, events: &mut events, stored: &mut stored });
    (result, events, stored.into_iter().map(|(_, entry)| entry.bytes().to_vec()).collect())
}

impl Desk {
    fn with(seed: u64, make: impl FnOnce(&mut Round<'_>) -> Option<Replica>) -> Option<Self> {
        let (store, mut overlay, mut rng) = (MemoryStore::new(), Overlay::default(), SeededRng::new(seed));
        let (replica, events, entries) = round(&store, &mut overlay, &mut rng, make);
        Some(Self { replica: replica?, store, overlay, rng, events, entries, clock: 0 })
    }

    /// Alice, with a new draft.
    fn founder() -> Self {
        Self::with(1, |round| Replica::found("picket", Suite::Classical, "alice", round).ok()).unwrap()
    }

    /// The same desk, to try something on.
    fn copy(&self) -> Self {
        Self {
            replica: self.replica.clone(),
            store: self.store.clone(),
            overlay: self.overlay.clone(),
            rng: self.rng.clone(),
            events: self.events.clone(),
            entries: self.entries.clone(),
            clock: self.clock,
        }
    }

    fn act<R>(&mut self, work: impl FnOnce(&mut Replica, &mut Round<'_>) -> R) -> R {
        let replica = &mut self.replica;
        let (result, events, entries) =
            round(&self.store, &mut self.overlay, &mut self.rng, |round| work(replica, round));
        self.events.extend(events);
        self.entries.extend(entries);
        result
    }

    fn post(&mut self, kind: Kind, payload: &[u8]) -> EntryId {
        self.act(|replica, round| replica.post(kind, payload, round)).unwrap()
    }

    fn take(&mut self, bytes: &[u8]) -> Received {
        let received = self.act(|replica, round| replica.receive(bytes, round)).unwrap();
        if received == Received::Unknown {
            self.replica.note_unplaced(&UnverifiedEntry::decode(bytes).unwrap());
        }
        received
    }

    /// Takes everything another desk has.
    fn sync(&mut self, other: &Desk) {
        for entry in &other.entries {
            self.take(entry);
        }
    }

    fn rejected(&self, id: &EntryId) -> bool {
        self.events.contains(&Event::Rejected(*id))
    }

    /// A code of this person's and the act for it.
    fn invite(&mut self, uses: u16) -> InviteCode {
        let expires = NOW.after(std::time::Duration::from_secs(86_400));
        let code =
            InviteCode::generate(&self.replica.group(), self.replica.suite(), expires, vec![], &mut self.rng);
        let keys = code.keys();
        let (group, issuer) = (self.replica.group(), self.replica.device());
        let body = Invite::publish(&keys, &group, &issuer, uses, expires.as_entry_secs());
        self.post(Kind::Invite, &body.to_payload());
        code
    }

    /// Lets somebody in by what the request says, as a door-opener does.
    fn admit(&mut self, request: &JoinRequest, invite: DeviceKey) -> EntryId {
        let body = admission(request, invite);
        let id = self.post(Kind::Admit, &body.to_payload());
        self.act(Replica::carry_out).unwrap();
        id
    }

    /// An entry of this device's at the next place of a lane, sealed and signed as it should be, under
    /// any epoch whose keys it has; not applied here.
    fn forge(&self, kind: Kind, epoch: EpochId, payload: &[u8]) -> Entry {
        let lane = kind.class().lane();
        let (seq, prev) = self.replica.logs.head(&self.replica.own_log(lane)).unwrap_or_default();
        self.forge_at(kind, epoch, seq + 1, prev, payload)
    }

    fn forge_at(&self, kind: Kind, epoch: EpochId, seq: u32, prev: EntryId, payload: &[u8]) -> Entry {
        self.forge_numbered(kind as u16, kind.class(), epoch, (seq, prev), payload)
    }

    fn forge_numbered(
        &self,
        kind: u16,
        class: Class,
        epoch: EpochId,
        (seq, prev): (u32, EntryId),
        payload: &[u8],
    ) -> Entry {
        let replica = &self.replica;
        let key = replica.ring.class_key(&epoch, class).unwrap();
        let prev = if class.lane().is_chained() { prev } else { EntryId::default() };
        let mut header = Header::new(class, &replica.device, &epoch, seq, prev);
        let (acts, talk) = replica.logs.cites_for(class.lane());
        (header.act_cites, header.talk_cites) = (acts, talk);
        let body = Body {
            kind,
            schema: 1,
            time: self.clock,
            language: Language::default(),
            payload: payload.to_vec(),
        };
        author_entry(&replica.group, &epoch, &replica.key, header, &key, &body).unwrap()
    }

    fn is_member(&self, device: DeviceKey) -> bool {
        self.replica.view().member_of(&device).is_some()
    }

    fn message(&mut self, text: &str) -> EntryId {
        let clock = self.replica.next_clock();
        let body = crate::action::message::Message { text: text.into(), reply_to: None, clock, edits: None };
        self.post(Kind::Message, &crate::action::Action::to_payload(&body))
    }

    fn texts(&mut self) -> Vec<String> {
        let list = self.act(|replica, round| replica.messages(None, 100, round)).unwrap();
        list.into_iter().map(|message| message.text).collect()
    }
}

fn admission(request: &JoinRequest, invite: DeviceKey) -> Admit {
    Admit {
        device: request.device,
        key_package: request.key_package.clone().into(),
        invite: Some(invite),
        proof: Some(request.proof.into()),
    }
}

/// Somebody with a code, and what the door-opener makes of the request.
struct Joiner {
    joining: Joining,
    request: JoinRequest,
    invite: DeviceKey,
    keys: InviteKeys,
    seed: u64,
}

fn joiner(code: &InviteCode, group: &GroupId, seed: u64) -> Joiner {
    let mut rng = SeededRng::new(seed);
    let joining = Joining::start(code.clone(), "somebody", &mut rng).unwrap();
    let (keys, invite) = (code.keys(), code.keys().public());
    let request = JoinRequest::open(&joining.door().request, &keys.request, group, &invite).unwrap();
    Joiner { joining, request, invite, keys, seed }
}

impl Joiner {
    fn device(&self) -> DeviceKey {
        self.request.device
    }

    /// What a door-opener mailed, and the entries somebody showed, come to.
    fn complete(&self, mail: &[u8], entries: &[Vec<u8>]) -> Result<Desk, BootstrapError> {
        self.finish(self.joining.receive(mail)?, entries)
    }

    fn finish(&self, mut bootstrap: Bootstrap, entries: &[Vec<u8>]) -> Result<Desk, BootstrapError> {
        for entry in entries {
            bootstrap.hold(entry)?;
        }
        let (store, mut overlay, mut rng) =
            (MemoryStore::new(), Overlay::default(), SeededRng::new(self.seed + 1000));
        let (joined, events, _) =
            round(&store, &mut overlay, &mut rng, |round| bootstrap.complete(None, round));
        let replica = joined?.replica;
        let mut desk = Desk { replica, store, overlay, rng, events, entries: entries.to_vec(), clock: 0 };
        desk.act(|replica, round| replica.introduce("somebody", round)).unwrap();
        Ok(desk)
    }
}

/// Lets one more in through Alice.
fn newcomer(alice: &mut Desk, seed: u64) -> Desk {
    let code = alice.invite(1);
    let joiner = joiner(&code, &alice.replica.group(), seed);
    alice.admit(&joiner.request, joiner.invite);
    let device = joiner.device();
    let mail = alice.act(|replica, round| replica.welcome(&device, round)).unwrap().unwrap();
    joiner.complete(&mail, &alice.entries).unwrap()
}

/// Alice's draft with Bob and Carla in it, all of whom have everything.
fn three() -> (Desk, Desk, Desk) {
    let mut alice = Desk::founder();
    let mut bob = newcomer(&mut alice, 2);
    alice.sync(&bob);
    let mut carla = newcomer(&mut alice, 3);
    alice.sync(&carla);
    bob.sync(&alice);
    carla.sync(&bob);
    assert_eq!(bob.replica.head(), alice.replica.head());
    assert_eq!(carla.replica.head(), alice.replica.head());
    (alice, bob, carla)
}

fn remove(desk: &Desk) -> Vec<u8> {
    Remove { members: vec![desk.replica.device()] }.to_payload()
}

fn empty() -> Vec<u8> {
    Empty {}.to_payload()
}

/// A signing key out of nowhere.
fn stranger(n: u8) -> SigningKey {
    SigningKey::from_bytes(&[n; 32])
}
