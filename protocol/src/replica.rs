//! One node's copy of one group: its entries, keys, roster and board, and what this device does in
//! it. The one door for remote bytes and for one's own: verify → log → open → authorise → fold
//! (spec overview).
//!
//! Everything here works on a [`Round`]: changes are staged over the store and become durable
//! together. What memory holds follows from what the store holds; after a failed commit a replica
//! is opened again.

mod again;
mod apply;
mod author;
mod backup;
mod bootstrap;
mod duty;
mod epochs;
mod erasure;
mod forks;
mod founding;
mod hearsay;
mod mend;
mod open;
mod opened;
mod provenance;
mod quota;
mod receive;
mod renewal;
mod restoring;
mod resync;
mod shelf;
mod views;

pub use author::AuthorError;
pub use backup::{MAX_SECTION, Section};
pub use bootstrap::{Bootstrap, BootstrapError, Errand, Joined, Joining, Mail};
pub use erasure::Schedule;
pub use founding::Proposed;
pub use mend::doubt;
pub use receive::Received;
pub use restoring::RestoreError;
pub use views::{DeviceView, MemberView, MessageView, Reach};

use std::collections::{BTreeMap, BTreeSet};

use ed25519_dalek::SigningKey;
use rand_core::CryptoRng;

use crate::action::beacon::Beacon;
use crate::action::board::Board;
use crate::crypto::{self, Secret};
use crate::entry::Entry;
use crate::group::epoch::{EpochTree, KeyRing};
use crate::group::genesis::GenesisParameters;
use crate::group::membership::{Membership, View};
use crate::group::operation::{Move, Profile};
use crate::group::seal::{EpochState, GenesisTree, Suite};
use crate::id::{DeviceKey, EntryId, EpochId, GroupId, MemberId};
use crate::log::{LogId, Logs};
use crate::store::{Overlay, Sight, Store, StoreError};
use crate::time::Timestamp;

/// What one round of work reads and stages.
pub struct Round<'a> {
    /// What is durable.
    pub store: &'a dyn Store,
    /// What is staged.
    pub overlay: &'a mut Overlay,
    /// Randomness.
    pub rng: &'a mut dyn CryptoRng,
    /// The node's clock.
    pub now: Timestamp,
    /// What happened, in order.
    pub events: &'a mut Vec<Event>,
    /// Entries that were stored in this round, for passing on.
    pub stored: &'a mut Vec<(LogId, Entry)>,
}

impl Round<'_> {
    pub(crate) fn sight(&self) -> Sight<'_> {
        Sight { store: self.store, overlay: self.overlay }
    }
}

/// What a person may want to know of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Somebody said something.
    Message(EntryId),
    /// A record entry was folded: a grievance, a call, a pledge count….
    Record(EntryId),
    /// Somebody has come in or gone.
    Members(MemberId, Change),
    /// Somebody else goes by another name than before.
    Named(MemberId),
    /// This device is in.
    Joined,
    /// Somebody's device has new keys.
    Rekeyed(MemberId),
    /// A further device speaks for somebody (true), or one does no more.
    Device(MemberId, DeviceKey, bool),
    /// Somebody proposes what several have to sign.
    Proposal(EntryId),
    /// Everybody named has consented: the draft is a group from here on.
    Founded,
    /// This device was put out.
    Removed,
    /// A device signed two entries for one place.
    Equivocation(DeviceKey),
    /// Somebody has entries of this very device that this profile lacks: it is an old copy.
    RolledBack,
    /// An entry that this version does not understand.
    NeedsNewer,
    /// Somebody with a good code was not let in: no commit has room for one more.
    Full,
    /// An entry changed nothing: its author was not entitled, or it was malformed.
    Rejected(EntryId),
}

/// How somebody came in or went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Let in, by whom.
    In(Option<MemberId>),
    /// Put out, by whom.
    Out(MemberId),
    /// Put out by a majority.
    Expelled,
    /// Gone by itself.
    Left,
    /// What let it in does not stand any more.
    Fell,
}

/// Why this device writes nothing in a group any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frozen {
    /// The profile is an old copy (S-9).
    RolledBack,
    /// A control entry of a newer version was seen (B-1).
    NeedsNewer,
    /// This device is no member any more.
    Ended,
    /// Records of this profile were lost, its own entries perhaps among them: it writes again once a member
    /// has shown what it has of them (S-4).
    Mending,
    /// The group comes out of a backup: this device is not in it (S-30).
    Restored,
}

/// One node's copy of one group.
#[derive(Clone)]
pub struct Replica {
    group: GroupId,
    key: SigningKey,
    device: DeviceKey,
    parameters: GenesisParameters,
    genesis: GenesisTree,
    suite: Suite,
    logs: Logs,
    membership: Membership,
    view: View,
    tree: EpochTree,
    ring: KeyRing,
    /// The state of the head, kept at hand.
    state: Option<(EpochId, EpochState)>,
    /// The leaves of the head: a node that has none is not in.
    leaves: BTreeSet<DeviceKey>,
    /// Commits since genesis to the head.
    number: u64,
    board: Board,
    profiles: BTreeMap<DeviceKey, (EntryId, Profile)>,
    /// What people were called in the draft that this group was.
    called: BTreeMap<DeviceKey, String>,
    /// Where they said there that they can be reached.
    reached: Vec<(DeviceKey, String)>,
    beacons: BTreeMap<DeviceKey, Beacon>,
    /// The epoch that seals this device's own beacon: later members can't read it.
    told_in: Option<EpochId>,
    /// What `opened` statements under each epoch told.
    told: BTreeMap<EpochId, Vec<opened::Told>>,
    /// Where the code this device came in by said its issuer can be reached.
    hints: Vec<String>,
    /// The latest clock among each device's entries, shown as "last heard".
    last_heard: BTreeMap<DeviceKey, u32>,
    /// Every device that was ever let in: whose entries are taken.
    devices: BTreeSet<DeviceKey>,
    /// Epoch of each device's newest entry, for finding it again.
    spoke_in: BTreeMap<DeviceKey, EpochId>,
    /// Request and handshake keys of the invite codes.
    doors: BTreeMap<DeviceKey, (Secret, Secret)>,
    /// The key packages that acts bring.
    packages: BTreeMap<EntryId, Vec<u8>>,
    /// Of a draft: what it may become, and who asks for a leaf there (M-20).
    proposed: BTreeMap<EntryId, Proposed>,
    moves: BTreeMap<DeviceKey, Move>,
    /// Acts that bring the keys of members named in genesis.
    brought: BTreeMap<DeviceKey, EntryId>,
    /// Devices that asked for a new leaf (K-11).
    resyncs: BTreeMap<EntryId, resync::Asked>,
    /// What commits say they carry out.
    made: BTreeMap<EpochId, resync::Made>,
    /// The newest entries of members in epochs of which nothing is known here: where, and the epoch's hint.
    unplaced: BTreeMap<LogId, (u32, [u8; 8])>,
    /// Whether it gives others new keys.
    fulfils: bool,
    /// Keys told by statements that can't be applied yet.
    hearsay: hearsay::Hearsay,
    /// Acts stored at or beyond a fork: entries sealed under the epochs that they make have their place.
    branches: BTreeSet<EntryId>,
    /// Entries of unknown epochs that would come next in their logs: where, and the epoch's hint.
    sought: BTreeMap<LogId, (u32, [u8; 8])>,
    /// How many keys were known when these were read.
    noted_with: usize,
    /// Whether what was passed over may have its place now.
    placeable: bool,
    /// How much of each author is taken.
    quota: quota::Quota,
    /// Highest plausible Lamport clock of a message.
    clock: u32,
    frozen: Option<Frozen>,
    /// The state a commit of this round leads to, until its entry is applied.
    pending: Option<(EntryId, EpochState)>,
    /// See [`Replica::tie`].
    ties: Secret,
    /// Whether records of this group were lost and are being fetched again.
    doubt: Option<mend::Doubt>,
    /// Sets of operations already in the store.
    states_stored: usize,
    /// Whether an act may be owed that cites branches built on (L-6).
    unsettled: bool,
}

impl Replica {
    /// The group.
    pub fn group(&self) -> GroupId {
        self.group
    }

    /// This node's device in it.
    pub fn device(&self) -> DeviceKey {
        self.device
    }

    /// Its signing key, for the handshake.
    pub fn signer(&self) -> &SigningKey {
        &self.key
    }

    /// This node's person in it.
    pub fn member(&self) -> MemberId {
        self.view.owner_of(&self.device)
    }

    /// What the group is called.
    pub fn name(&self) -> &str {
        &self.parameters.name
    }

    /// Who is in, by all acts received.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// Grievances and calls.
    pub fn board(&self) -> &Board {
        &self.board
    }

    /// The epoch to seal under.
    pub fn head(&self) -> EpochId {
        self.tree.head()
    }

    /// The number of commits to the head.
    pub fn epoch_number(&self) -> u64 {
        self.number
    }

    /// Whether every leaf of the head belongs to a current member: the gate (K-9). Of an epoch whose state is lost
    /// nobody knows the leaves.
    pub fn is_clean(&self) -> bool {
        let at_hand = self.state.as_ref().is_some_and(|(epoch, _)| *epoch == self.head());
        at_hand && self.leaves.is_subset(&self.view.roster())
    }

    /// The Lamport clock of the next message: above all plausible ones. An honest clock never
    /// exceeds the number of entries there are.
    pub fn next_clock(&self) -> u32 {
        self.clock.saturating_add(1)
    }

    /// Why this device writes nothing here, if so.
    pub fn frozen(&self) -> Option<Frozen> {
        self.frozen
    }

    /// The MLS suite.
    pub fn suite(&self) -> Suite {
        self.suite
    }

    fn shelf<'a>(&self, round: &'a Round<'_>) -> shelf::Shelf<'a> {
        shelf::Shelf { sight: round.sight(), group: self.group }
    }

    /// What orders records of one number in the store. Orders lie there readable, so this is not the
    /// entry's id or anything that somebody else could compute from it (S-3).
    fn tie(&self, id: &EntryId) -> u64 {
        let mac = self.ties.mac("tie", &[id.as_bytes()]);
        mac.first_chunk().copied().map_or(0, u64::from_be_bytes)
    }

    fn own_log(&self, lane: crate::entry::Lane) -> LogId {
        LogId { device: self.device, lane }
    }

    /// Request key and handshake key of an invite code.
    pub fn door(&self, invite: &DeviceKey) -> Option<&(Secret, Secret)> {
        self.doors.get(invite)
    }

    /// Whether this is a draft: a group of one key-holder, its founder (M-20).
    pub fn is_draft(&self) -> bool {
        self.parameters.is_draft()
    }

    /// The founder's device.
    pub fn founder(&self) -> DeviceKey {
        self.parameters.founder
    }

    /// Makes a draft with this device as its founder.
    ///
    /// # Errors
    /// A name out of bounds, a suite that isn't supported, a store that fails.
    pub fn found(name: &str, suite: Suite, person: &str, round: &mut Round<'_>) -> Result<Self, AuthorError> {
        let key = SigningKey::generate(round.rng);
        let device = crypto::device_key(&key);
        let mut random = [0; 32];
        round.rng.fill_bytes(&mut random);
        let parameters = GenesisParameters::draft(suite as u16, device, random, name);
        author::found(key, parameters, suite, person, round)
    }
}

/// Errors of reading back what this node wrote.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The store fails.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The records of the group don't fit together.
    #[error("the group's records are incomplete")]
    Incomplete,
}

#[cfg(test)]
pub(crate) mod tests;
