//! What sync asks of the node: values, never a group or an action.

use std::collections::BTreeSet;

use ed25519_dalek::SigningKey;

use super::handshake::Claim;
use crate::crypto::Secret;
use crate::id::{DeviceKey, EntryId, GroupId};
use crate::log::LogId;

/// Where a log stands on this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogHead {
    /// Which log.
    pub log: LogId,
    /// Newest stored position; of a forked log, the fork's.
    pub seq: u32,
    /// Newest stored entry; of a forked log, the hash of its proof.
    pub id: EntryId,
    /// Whether it is proven forked.
    pub forked: bool,
}

/// A code this node wants in with.
#[derive(Clone)]
pub struct Door {
    /// Its claim.
    pub claim: Claim,
    /// i_sk.
    pub signer: SigningKey,
    /// The sealed request.
    pub request: Vec<u8>,
}

/// Whether a code still opens; the numbers are those of `Refused`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum DoorState {
    /// It does.
    Open = 0,
    /// As often used as allowed.
    Used = 1,
    /// By this node's clock.
    Expired = 2,
    /// Closed by an act.
    Revoked = 3,
}

impl DoorState {
    /// The state of a number.
    pub fn from_number(number: u8) -> Option<Self> {
        [Self::Open, Self::Used, Self::Expired, Self::Revoked]
            .into_iter()
            .find(|state| *state as u8 == number)
    }
}

/// A code of a group this node is in, whether it still opens or not.
#[derive(Clone)]
pub struct HeldInvite {
    /// The group.
    pub group: GroupId,
    /// I_pk.
    pub key: DeviceKey,
    /// Handshake key of joiners.
    pub peer_key: Secret,
    /// Whether a member waits behind it for new keys (K-11).
    pub of_member: bool,
}

/// The node's groups, as sync sees them.
pub trait Groups {
    /// What to show to a peer that was dialled at an address its members told: the head if clean,
    /// and the epoch the device of that address last spoke from (Y-5).
    fn shown(&self, dialled: &str) -> Vec<Claim>;
    /// Epochs by which callers are recognised, newest first, at most so many a group.
    fn recognised(&self, depth: usize) -> Vec<Claim>;
    /// Codes to knock with at this address.
    fn doors(&self, dialled: &str) -> Vec<Door>;
    /// Codes of this node's groups.
    fn invites(&self) -> Vec<HeldInvite>;
    /// Whether a device speaks for a current member.
    fn on_roster(&self, group: &GroupId, device: &DeviceKey) -> bool;
    /// This node's own device key in a group.
    fn signer(&self, group: &GroupId) -> Option<SigningKey>;
    /// Where all logs of a group stand.
    fn heads(&self, group: &GroupId) -> Vec<LogHead>;
    /// The entry this node holds at a position of a log.
    fn id_at(&self, group: &GroupId, log: LogId, seq: u32) -> Option<EntryId>;
    /// Entries of a log after a position, at least one if there is any, at most `bytes` beyond the
    /// first.
    fn read(&self, group: &GroupId, log: LogId, after: u32, bytes: usize) -> Vec<Vec<u8>>;
    /// Whether more of a log is taken now, or its author has written more than anybody may.
    fn takes_more(&self, group: &GroupId, log: LogId) -> bool;
    /// Entries of forked logs' branches that others build on and that are not here.
    fn missing(&self, group: &GroupId) -> BTreeSet<EntryId>;
    /// An entry's author, the entry and those before it in its log, newest first, at most `bytes` if
    /// more than one.
    fn chain(&self, group: &GroupId, id: &EntryId, bytes: usize) -> Option<(DeviceKey, Vec<Vec<u8>>)>;
    /// The group in which an author with this hint writes under an epoch with that hint: a draft and the
    /// group it became have the same authors.
    fn group_of(&self, author_hint: &[u8; 8], epoch_hint: &[u8; 8]) -> Option<GroupId>;
}
