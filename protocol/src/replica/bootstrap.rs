//! Coming in: from a code to a group that is proven to be the code's group (I-6 … I-9).
//!
//! Entries are held in memory until the whole chain holds: genesis hashes to the fingerprint, the
//! control chain leads back to it, an entitled member issued the code, an admission cites it and
//! this device, a commit cites that, and following all commits from genesis ends in exactly the
//! context of the Welcome. Until then nothing is sealed and nothing is believed.

use std::collections::{BTreeMap, BTreeSet};

use ed25519_dalek::SigningKey;
use rand_core::CryptoRng;
use thiserror::Error;
use zeroize::Zeroizing;

use super::again::{self, Earlier};
use super::epochs::Case;
use super::shelf;
use super::{Replica, Round};
use crate::codec::Reader;
use crate::crypto::{self, Secret};
use crate::entry::{self, Class, ClassKey, UnverifiedEntry};
use crate::group::epoch::{EpochKeys, peer_key};
use crate::group::genesis::Genesis;
use crate::group::invite::{CodeError, Hint, InviteCode, JoinRequest};
use crate::group::membership::Operation;
use crate::group::operation::{Commit, Control, Opened};
use crate::group::seal::{self, EpochState, GenesisTree, JoinerSecrets, PublicReplay, SealError, Suite};
use crate::id::{DeviceKey, EntryId, EpochId, GroupId};
use crate::kind::Kind;
use crate::store::StoreError;
use crate::sync::{Claim, Door};

/// Most bytes of entries held while joining.
const MAX_HELD: usize = 32 << 20;

/// A code in use: what is kept until this device is in.
#[derive(Clone)]
pub struct Joining {
    /// The code.
    pub code: InviteCode,
    /// What this person wants to be called.
    pub name: String,
    key: SigningKey,
    secrets: JoinerSecrets,
    request: Vec<u8>,
    errand: Errand,
}

/// What a code is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errand {
    /// Somebody's invitation, to a group that only its fingerprint tells.
    Join,
    /// The group that a draft of this device's has become: the code is this device's own (M-20).
    Move(GroupId),
    /// New keys in a group that this device is in: the code is its own (K-11).
    Resync(GroupId),
}

impl Errand {
    /// The group, if it is known.
    pub fn group(self) -> Option<GroupId> {
        match self {
            Self::Join => None,
            Self::Move(group) | Self::Resync(group) => Some(group),
        }
    }

    fn to_bytes(self) -> Vec<u8> {
        let tag: &[u8] = if matches!(self, Self::Resync(_)) { &[1] } else { &[] };
        let group = self.group();
        let group: &[u8] = group.as_ref().map_or(&[], |group| group.as_bytes());
        [group, tag].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        match bytes.split_first_chunk() {
            None if bytes.is_empty() => Some(Self::Join),
            Some((group, [])) => Some(Self::Move(GroupId(*group))),
            Some((group, [1])) => Some(Self::Resync(GroupId(*group))),
            _ => None,
        }
    }
}

impl Joining {
    /// Prepares a request with a fresh device key.
    ///
    /// # Errors
    /// [`SealError`] if no key package can be made.
    pub fn start(code: InviteCode, name: &str, rng: &mut dyn CryptoRng) -> Result<Self, SealError> {
        let key = SigningKey::generate(rng);
        Ok(Self::with_key(code, Errand::Join, name, key, rng)?.0)
    }

    /// Prepares an errand with the key that a device has, by a code of its own making. Gives the key package
    /// to ask with.
    ///
    /// # Errors
    /// [`SealError`] if no key package can be made.
    pub fn with_key(
        code: InviteCode,
        errand: Errand,
        name: &str,
        key: SigningKey,
        rng: &mut dyn CryptoRng,
    ) -> Result<(Self, Vec<u8>), SealError> {
        let (package, secrets) = seal::key_package(&key, code.suite, rng)?;
        let keys = code.keys();
        let request = JoinRequest::sign(&keys, &code.fingerprint, crypto::device_key(&key), package.clone());
        let request = request.seal(&keys.request, rng);
        Ok((Self { code, name: name.to_owned(), key, secrets, request, errand }, package))
    }

    /// What the code is for.
    pub fn errand(&self) -> Errand {
        self.errand
    }

    /// I_pk of the code.
    pub fn invite(&self) -> DeviceKey {
        self.code.keys().public()
    }

    /// The device that wants in.
    pub fn device(&self) -> DeviceKey {
        crypto::device_key(&self.key)
    }

    /// How to knock.
    pub fn door(&self) -> Door {
        let keys = self.code.keys();
        Door {
            claim: Claim::joiner(&self.code.fingerprint, keys.peer),
            signer: keys.sign,
            request: self.request.clone(),
        }
    }

    /// For the store's vault.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(self.key.to_bytes().to_vec());
        let secrets = self.secrets.to_bytes();
        let errand = self.errand.to_bytes();
        for part in [self.code.to_text().as_bytes(), self.name.as_bytes(), &self.request, &secrets, &errand] {
            out.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            out.extend_from_slice(part);
        }
        out
    }

    /// Reads what [`Joining::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let key = SigningKey::from_bytes(&reader.array().ok()?);
        let mut part = || {
            let length = usize::try_from(reader.u32().ok()?).ok()?;
            reader.bytes(length).ok()
        };
        let code = InviteCode::parse(std::str::from_utf8(part()?).ok()?).ok()?;
        let name = std::str::from_utf8(part()?).ok()?.to_owned();
        let request = part()?.to_vec();
        let secrets = JoinerSecrets::from_bytes(part()?).ok()?;
        let errand = Errand::from_bytes(part()?)?;
        Some(Self { code, name, key, secrets, request, errand })
    }

    /// Takes the answer to the request: the group's state, not yet believed (I-7).
    ///
    /// # Errors
    /// Why the answer is none.
    pub fn receive(&self, mail: &[u8]) -> Result<Bootstrap, BootstrapError> {
        let mail = Mail::decode(mail).ok_or(BootstrapError::Malformed)?;
        let state = EpochState::join(&mail.welcome, &self.secrets)?;
        let group = state.group();
        let expected = self.errand.group().is_none_or(|expected| expected == group);
        if !expected || group.fingerprint() != self.code.fingerprint {
            return Err(BootstrapError::OtherGroup);
        }
        let keys = EpochKeys::derive(&state.export(&mail.epoch)?);
        let leaves = state.leaves()?;
        Ok(Bootstrap {
            joining: self.clone(),
            group,
            epoch: mail.epoch,
            state,
            keys,
            leaves,
            held: BTreeMap::new(),
            bytes: 0,
        })
    }
}

/// The answer to a request: the epoch the Welcome leads to, and the Welcome.
pub struct Mail {
    /// Epoch id.
    pub epoch: EpochId,
    /// MLS Welcome.
    pub welcome: Vec<u8>,
}

impl Mail {
    /// Reads the form; nothing is believed.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (epoch, welcome) = bytes.split_first_chunk::<32>()?;
        Some(Self { epoch: EpochId(*epoch), welcome: welcome.to_vec() })
    }
}

/// Why a group is not (yet) the code's group.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BootstrapError {
    /// Not an answer.
    #[error("malformed answer")]
    Malformed,
    /// The Welcome is for another group than the code's.
    #[error("an answer for another group")]
    OtherGroup,
    /// The MLS side doesn't hold.
    #[error("the answer does not open: {0}")]
    Seal(#[from] SealError),
    /// Entries are missing: go on syncing.
    #[error("not complete yet")]
    Incomplete,
    /// What was sent is not the group of the code: no entitled invite, admission or commit leads
    /// to this Welcome.
    #[error("not the group of this code")]
    Shadow,
    /// Too much was sent.
    #[error("more than a group can be")]
    TooLarge,
    /// The code is malformed.
    #[error(transparent)]
    Code(#[from] CodeError),
    /// The store fails.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A group this device has keys of but does not believe yet.
pub struct Bootstrap {
    joining: Joining,
    group: GroupId,
    epoch: EpochId,
    state: EpochState,
    keys: EpochKeys,
    leaves: BTreeSet<DeviceKey>,
    held: BTreeMap<(u32, Vec<u8>), UnverifiedEntry>,
    bytes: usize,
}

/// What a bootstrap becomes.
pub struct Joined {
    /// The group, with this device in it.
    pub replica: Replica,
}

impl Bootstrap {
    /// The group the Welcome names; it fits the code's fingerprint.
    pub fn group(&self) -> GroupId {
        self.group
    }

    /// The join this belongs to.
    pub fn joining(&self) -> &Joining {
        &self.joining
    }

    /// This device's signing key.
    pub fn signer(&self) -> &SigningKey {
        &self.joining.key
    }

    /// The claim to show to members.
    pub fn claim(&self) -> Claim {
        Claim::member(self.group, self.epoch, peer_key(self.keys.control()))
    }

    /// The devices the Welcome names: whom to sync with, until more is known.
    pub fn leaves(&self) -> &BTreeSet<DeviceKey> {
        &self.leaves
    }

    /// How many entries are held.
    pub fn held(&self) -> usize {
        self.held.len()
    }

    /// Holds an entry some member sent.
    ///
    /// # Errors
    /// [`BootstrapError::TooLarge`] when more is sent than a group can be.
    pub fn hold(&mut self, bytes: &[u8]) -> Result<(), BootstrapError> {
        let Ok(entry) = UnverifiedEntry::decode(bytes) else { return Ok(()) };
        let name = (entry.header().seq, crypto::hash("held", &[bytes]).to_vec());
        if self.held.insert(name, entry).is_none() {
            self.bytes = self.bytes.saturating_add(bytes.len());
        }
        if self.bytes > MAX_HELD { Err(BootstrapError::TooLarge) } else { Ok(()) }
    }

    /// Whether this device is in the group and comes for new keys.
    pub fn is_resync(&self) -> bool {
        matches!(self.joining.errand, Errand::Resync(_))
    }

    /// Tries to complete the chain with what is held; `live`: this node's copy of the group, if it has one.
    /// What is staged counts only if this succeeds.
    ///
    /// # Errors
    /// [`BootstrapError::Incomplete`] to go on; anything else ends this attempt.
    pub fn complete(&self, live: Option<&Replica>, round: &mut Round<'_>) -> Result<Joined, BootstrapError> {
        let chain = self.control_chain(live.filter(|_| self.is_resync()));
        let (mut replica, earlier) = match (self.is_resync(), live) {
            (true, live) => {
                (self.adopt(live.ok_or(BootstrapError::Incomplete)?, &chain, round), Earlier::default())
            }
            (false, _) => self.found(&chain, round)?,
        };
        self.feed(&mut replica, round)?;
        if replica.logs.act(&EntryId(self.epoch.0)).is_none() {
            return Err(BootstrapError::Incomplete);
        }
        replica.take_along(&earlier, round)?;
        self.check_invitation(&replica)?;
        self.check_context(&mut replica, round)?;
        replica.open_below(&self.epoch, round)?;
        replica.reload_head(round)?;
        Ok(Joined { replica })
    }

    /// Control keys back to genesis: each `opened` statement tells those of earlier epochs. Of two
    /// keys told for one epoch the one that opens something counts, for any leaf can tell a false one. What
    /// is known of the group already leads on, too.
    fn control_chain(&self, live: Option<&Replica>) -> BTreeMap<EpochId, Secret> {
        let held = |epoch: &EpochId| Some((*epoch, live?.ring.control(epoch)?.clone()));
        let known = live.into_iter().flat_map(|live| live.ring.epochs()).filter_map(held);
        let mut chain: BTreeMap<EpochId, Secret> = known.collect();
        chain.insert(self.epoch, self.keys.control().clone());
        let mut fresh: Vec<EpochId> = chain.keys().copied().collect();
        while let Some(epoch) = fresh.pop() {
            for (epoch, control) in self.opened_under(&epoch, &chain) {
                let better = match chain.get(&epoch) {
                    None => true,
                    Some(held) if *held == control => false,
                    Some(held) => !self.opens_any(&epoch, held) && self.opens_any(&epoch, &control),
                };
                if better {
                    fresh.push(epoch);
                    chain.insert(epoch, control);
                }
            }
        }
        chain
    }

    /// Whether a control key opens any entry of its epoch that a leaf has signed.
    fn opens_any(&self, epoch: &EpochId, control: &Secret) -> bool {
        let key = ClassKey(control.clone());
        let control = self.held.values().filter(|entry| entry.header().class == Class::Control);
        let of_epoch = control.filter(|entry| entry.header().epoch_hint == epoch.hint());
        let mut signed = of_epoch.filter_map(|entry| {
            self.leaves.iter().find_map(|device| entry.verify(&self.group, device, epoch))
        });
        signed.any(|entry| entry.open(&self.group, &key).is_ok())
    }

    fn opened_under(&self, epoch: &EpochId, chain: &BTreeMap<EpochId, Secret>) -> Vec<(EpochId, Secret)> {
        let mut told = Vec::new();
        for entry in self.held.values().filter(|entry| entry.header().class == Class::Control) {
            let Some(entry) = self.leaves.iter().find_map(|device| entry.verify(&self.group, device, epoch))
            else {
                continue;
            };
            let Some((Kind::Opened, payload)) = self.open(&entry, chain) else { continue };
            let Ok(opened) = Opened::from_payload(&payload) else { continue };
            told.extend(opened.epochs.into_iter().map(|e| (e.epoch, Secret::new(*e.control))));
        }
        told
    }

    fn open(&self, entry: &entry::Entry, chain: &BTreeMap<EpochId, Secret>) -> Option<(Kind, Vec<u8>)> {
        let key = ClassKey(chain.get(&entry.epoch())?.clone());
        let body = entry.open(&self.group, &key).ok()?;
        Some((Kind::from_number(body.kind, entry.header().class)?, body.payload))
    }

    /// The genesis whose parameters hash to the group id, whoever sent it: its author follows from
    /// them.
    fn find_genesis(&self, chain: &BTreeMap<EpochId, Secret>) -> Option<Genesis> {
        let root = EpochId::from(self.group);
        let first =
            self.held.values().filter(|e| e.header().seq == 1 && e.header().epoch_hint == root.hint());
        first
            .flat_map(|entry| {
                self.leaves.iter().filter_map(|device| entry.verify(&self.group, device, &root))
            })
            .find_map(|entry| {
                let (Kind::Genesis, payload) = self.open(&entry, chain)? else { return None };
                let genesis = Genesis::from_payload(&payload).ok()?;
                (genesis.group() == self.group).then_some(genesis)
            })
    }

    /// A copy of the group with nothing in it but its genesis, and what an earlier copy had.
    fn found(
        &self,
        chain: &BTreeMap<EpochId, Secret>,
        round: &mut Round<'_>,
    ) -> Result<(Replica, Earlier), BootstrapError> {
        let genesis = self.find_genesis(chain).ok_or(BootstrapError::Incomplete)?;
        let parameters = genesis.read().map_err(|_| BootstrapError::Shadow)?;
        let suite = Suite::from_number(parameters.suite).ok_or(BootstrapError::Shadow)?;
        let tree = GenesisTree { group_info: genesis.group_info.to_vec(), tree: genesis.tree.to_vec() };
        let key = self.joining.key.clone();
        let earlier = again::take_out(self.group, round)?;
        again::drop_contradicted(self.group, chain, round)?;
        shelf::put_secret(round.overlay, &self.group, b"device", Zeroizing::new(key.to_bytes().to_vec()));
        shelf::put_named(round.overlay, &self.group, b"genesis", genesis.to_payload());
        let mut replica = Replica::blank(key, parameters, tree, suite, self.epoch);
        self.keep_keys(&mut replica, chain, round);
        replica.draw_ties(round)?;
        replica.hold_first(round)?;
        shelf::forget_device(round, &self.group)?;
        replica.add_first_devices(round);
        replica.hints = self.joining.code.hints.iter().map(Hint::multiaddr).collect();
        shelf::put_named(round.overlay, &self.group, b"hints", replica.hints.join("\n").into_bytes());
        Ok((replica, earlier))
    }

    /// This node's copy of the group, going on from the epoch that the Welcome leads to: what it held stays.
    fn adopt(&self, live: &Replica, chain: &BTreeMap<EpochId, Secret>, round: &mut Round<'_>) -> Replica {
        let mut replica = live.clone();
        replica.tree.enter(self.epoch);
        self.keep_keys(&mut replica, chain, round);
        replica
    }

    fn keep_keys(&self, replica: &mut Replica, chain: &BTreeMap<EpochId, Secret>, round: &mut Round<'_>) {
        shelf::put_named(round.overlay, &self.group, b"root", self.epoch.as_bytes().to_vec());
        shelf::put_epoch_keys(round.overlay, &self.group, &self.epoch, &self.keys);
        shelf::put_secret(round.overlay, &self.group, &shelf::state_name(&self.epoch), self.state.to_bytes());
        replica.ring.insert(self.epoch, self.keys.clone());
        for (epoch, control) in chain {
            replica.learn_control(*epoch, control, false, round);
        }
    }

    /// Offers all that is held, until nothing more fits.
    fn feed(&self, replica: &mut Replica, round: &mut Round<'_>) -> Result<(), BootstrapError> {
        let mut left: Vec<&UnverifiedEntry> = self.held.values().collect();
        loop {
            let before = left.len();
            let mut rest = Vec::new();
            for entry in left {
                if replica.receive(entry.bytes(), round)? == super::Received::Unknown {
                    rest.push(entry);
                }
            }
            if rest.is_empty() || rest.len() == before {
                return Ok(());
            }
            left = rest;
        }
    }

    /// An admission by someone then entitled lets this device in by this code.
    fn check_invitation(&self, replica: &Replica) -> Result<(), BootstrapError> {
        let device = self.joining.device();
        let member = replica.view.member_of(&device).ok_or(BootstrapError::Incomplete)?;
        let info = replica.view.members.get(&member).ok_or(BootstrapError::Incomplete)?;
        // Whoever moves is named in the genesis that the draft's founder proposed and the council signed.
        if self.joining.errand != Errand::Join {
            return Ok(());
        }
        let invite = self.joining.invite();
        let invited = replica.view.invites.contains_key(&invite);
        let by_this = |act: &EntryId| matches!(replica.membership.operation(act), Some(Operation::Link { key, .. }) if *key == invite);
        let by_code = match replica.view.linked.get(&device) {
            Some(linked) => by_this(&linked.act),
            None => info.invite == Some(invite),
        };
        if invited && by_code { Ok(()) } else { Err(BootstrapError::Shadow) }
    }

    /// Following the commits from genesis ends in exactly the Welcome's context: else an insider
    /// could welcome somebody into a group of his own with the same id.
    fn check_context(&self, replica: &mut Replica, round: &Round<'_>) -> Result<(), BootstrapError> {
        let mut path = Vec::new();
        let mut at = self.epoch;
        while at != EpochId::from(self.group) {
            let stored = replica.shelf(round).by_id(&EntryId(at.0))?.ok_or(BootstrapError::Incomplete)?;
            at = stored.entry.epoch();
            path.push(stored);
        }
        let founder = replica.founder();
        let mut public = PublicReplay::start(&replica.genesis, &self.group, &founder)
            .map_err(|_| BootstrapError::Shadow)?;
        for stored in path.into_iter().rev() {
            let body = replica.open_body(&stored.entry).ok_or(BootstrapError::Shadow)?;
            let commit = Commit::from_payload(&body.payload).map_err(|_| BootstrapError::Shadow)?;
            let past = stored.facts.ok_or(BootstrapError::Incomplete)?.ops;
            let view = replica.view_at(past);
            let leaves = public.leaves()?;
            let (author, parent) = (stored.entry.device(), stored.entry.epoch());
            let case = Case { author, parent, time: body.time, past, view: &view, leaves: &leaves };
            let expected = replica.expected(&commit, &case).ok_or(BootstrapError::Shadow)?;
            public
                .apply(&stored.entry.epoch(), &commit.message, &expected)
                .map_err(|_| BootstrapError::Shadow)?;
        }
        let same = public.context_bytes()? == self.state.context_bytes()?;
        if same { Ok(()) } else { Err(BootstrapError::Shadow) }
    }
}

#[cfg(test)]
impl Bootstrap {
    /// As if the Welcome had led into another group of the same id, with the same leaves.
    pub(super) fn shadowed(self, state: EpochState) -> Self {
        Self { state, ..self }
    }
}
