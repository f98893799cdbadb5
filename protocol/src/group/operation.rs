//! Bodies of control entries (spec actions, B-3 … B-22).

use minicbor::bytes::{ByteArray, ByteVec};
use minicbor::{Decode, Encode};

use crate::codec::{DecodeError, from_cbor, to_cbor};
use crate::crypto;
use crate::entry::MAX_PAYLOAD;
use crate::group::invite::InviteKeys;
use crate::group::membership::{Channel, DeviceCode, Parameter};
use crate::group::seal::MAX_KEY_PACKAGE;
use crate::id::{DeviceKey, EntryId, EpochId, GroupId};

/// Longest name of a group or person, in bytes.
pub const MAX_NAME: usize = 64;
/// Most epochs that a device says it is behind.
pub const MAX_BEHIND: usize = 16;
/// Most persons named by one operation, most epochs by one statement.
const MAX_NAMED: usize = 512;

/// An invite code's public half (B-3, I-2).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Invite {
    /// I_pk: verifies requests.
    #[n(0)]
    pub key: DeviceKey,
    /// Opens requests.
    #[n(1)]
    pub request: ByteArray<32>,
    /// Seek key of the code's mailbox.
    #[n(2)]
    pub mailbox: ByteArray<32>,
    /// Handshake key of joiners.
    #[n(3)]
    pub peer: ByteArray<32>,
    /// How many may come in by it.
    #[n(4)]
    pub uses: u16,
    /// Seconds since 1970 after which honest door-openers refuse it.
    #[n(5)]
    pub expires: u32,
    /// By the code's key over group and issuer.
    #[n(6)]
    pub proof: ByteArray<64>,
    /// If it lets in devices of its issuer's, rather than members (M-18).
    #[n(7)]
    pub devices: Option<DeviceCode>,
}

impl Invite {
    /// The public half of a code, as its maker publishes it.
    pub fn publish(keys: &InviteKeys, group: &GroupId, issuer: &DeviceKey, uses: u16, expires: u32) -> Self {
        let devices = None;
        Self {
            devices,
            key: keys.public(),
            request: (*keys.request.as_bytes()).into(),
            mailbox: (*keys.mailbox.as_bytes()).into(),
            peer: (*keys.peer.as_bytes()).into(),
            uses,
            expires,
            proof: crypto::sign(&keys.sign, &Self::proof_message(group, issuer)).into(),
        }
    }

    /// What the code's key signs (B-3).
    pub fn proof_message(group: &GroupId, issuer: &DeviceKey) -> Vec<u8> {
        crypto::labelled("invite", &[group.as_bytes(), issuer.as_bytes()])
    }

    /// Whether its author has the code: nobody makes another's code his own.
    pub fn is_proven(&self, group: &GroupId, issuer: &DeviceKey) -> bool {
        crypto::verify(self.key.as_bytes(), &Self::proof_message(group, issuer), &self.proof)
    }
}

/// Lets a device in (B-4).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Admit {
    /// Whom.
    #[n(0)]
    pub device: DeviceKey,
    /// The key package of the request.
    #[n(1)]
    pub key_package: ByteVec,
    /// The code used.
    #[n(2)]
    pub invite: Option<DeviceKey>,
    /// The code's signature over the request, for everyone to check (I-5).
    #[n(3)]
    pub proof: Option<ByteArray<64>>,
}

/// Takes a device from its member (B-22).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DeviceDrop {
    /// Which.
    #[n(0)]
    pub device: DeviceKey,
    /// I_pk of the recovery phrase that says so; without, a device of the same member does.
    #[n(1)]
    pub phrase: Option<DeviceKey>,
    /// By that key over group and device.
    #[n(2)]
    pub proof: Option<ByteArray<64>>,
}

impl DeviceDrop {
    /// By the phrase: whoever is in may carry it.
    pub fn by_phrase(keys: &InviteKeys, group: &GroupId, device: DeviceKey) -> Self {
        let proof = crypto::sign(&keys.sign, &Self::message(group, &device)).into();
        Self { device, phrase: Some(keys.public()), proof: Some(proof) }
    }

    fn message(group: &GroupId, device: &DeviceKey) -> Vec<u8> {
        crypto::labelled("device-drop", &[group.as_bytes(), device.as_bytes()])
    }

    /// Whether the phrase it names has signed it; one without a phrase needs no more than its author.
    pub fn is_proven(&self, group: &GroupId) -> bool {
        let (Some(phrase), Some(proof)) = (&self.phrase, &self.proof) else { return true };
        crypto::verify(phrase.as_bytes(), &Self::message(group, &self.device), proof)
    }
}

/// Puts members out (B-5).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Remove {
    /// First devices of whom.
    #[n(0)]
    pub members: Vec<DeviceKey>,
}

/// Closes an invite code (B-6).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Revoke {
    /// I_pk of the code.
    #[n(0)]
    pub invite: DeviceKey,
}

/// Puts members out for good, takes their offices, or enrols them (B-14).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Persons {
    /// First devices of whom.
    #[n(0)]
    pub members: Vec<DeviceKey>,
    /// Whose majority.
    #[n(1)]
    pub channel: Channel,
}

/// Gives an office (B-15).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Promote {
    /// First device of whom.
    #[n(0)]
    pub member: DeviceKey,
    /// Whose majority.
    #[n(1)]
    pub channel: Channel,
}

/// Changes a rule (B-16).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Rule {
    /// Which.
    #[n(0)]
    pub parameter: Parameter,
    /// To what.
    #[n(1)]
    pub value: u32,
    /// Whose majority.
    #[n(2)]
    pub channel: Channel,
}

/// Closes an open act (B-17).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Dismiss {
    /// Which.
    #[n(0)]
    pub act: EntryId,
}

/// Signs another's act (B-18).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Approve {
    /// Which.
    #[n(0)]
    pub act: EntryId,
    /// Of a `found`, the consent to hold an office in the new group.
    #[n(1)]
    pub consent: Option<ByteArray<64>>,
}

/// Asks for a leaf in a group whose genesis names this device (B-20).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Move {
    /// The group to move to.
    #[n(0)]
    pub group: GroupId,
    /// Who moves.
    #[n(1)]
    pub device: DeviceKey,
    /// Its MLS key package there.
    #[n(2)]
    pub key_package: ByteVec,
    /// By the device over group and key package.
    #[n(3)]
    pub proof: ByteArray<64>,
    /// Where its keys are to be brought: in the draft only.
    #[n(4)]
    pub door: Option<Doorway>,
}

/// A member's device asks for a new leaf (B-21).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Resync {
    /// Its MLS key package.
    #[n(0)]
    pub key_package: ByteVec,
    /// Where its keys are to be brought.
    #[n(1)]
    pub door: Doorway,
    /// Hints of epochs in which members write and of which it has no keys.
    #[n(2)]
    pub behind: Vec<ByteArray<8>>,
}

/// The public half of a code that only its maker uses.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Doorway {
    /// I_pk.
    #[n(0)]
    pub key: DeviceKey,
    /// Opens requests.
    #[n(1)]
    pub request: ByteArray<32>,
    /// Handshake key.
    #[n(2)]
    pub peer: ByteArray<32>,
}

impl Move {
    /// What the device signs (B-20).
    pub fn proof_message(group: &GroupId, key_package: &[u8]) -> Vec<u8> {
        let package = crypto::hash("key package", &[key_package]);
        crypto::labelled("move", &[group.as_bytes(), &package])
    }

    /// Whether the device itself asks.
    pub fn is_proven(&self) -> bool {
        let message = Self::proof_message(&self.group, &self.key_package);
        crypto::verify(self.device.as_bytes(), &message, &self.proof)
    }
}

/// A body without fields: `leave`, `merge`, `resign` (B-7, B-11).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Empty {}

/// A device's name and mail key, its first entry in a group (B-8).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Profile {
    /// What others call this person here; stays readable to later members.
    #[n(0)]
    pub name: String,
    /// HPKE public key.
    #[n(1)]
    pub mail: ByteVec,
}

/// An MLS commit and what it carries out (B-9).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Commit {
    /// A PublicMessage.
    #[n(0)]
    pub message: ByteVec,
    /// The operations, ascending.
    #[n(1)]
    pub operations: Vec<EntryId>,
}

/// Control keys of earlier epochs, sealed under a later one (B-10).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Opened {
    /// Which.
    #[n(0)]
    pub epochs: Vec<OpenedEpoch>,
}

/// One control key.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct OpenedEpoch {
    /// The epoch.
    #[n(0)]
    pub epoch: EpochId,
    /// Its C.
    #[n(1)]
    pub control: ByteArray<32>,
}

impl std::fmt::Debug for OpenedEpoch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OpenedEpoch({:?})", self.epoch)
    }
}

/// A body's fields beyond what the types say.
pub trait Control: Encode<()> + for<'b> Decode<'b, ()> {
    /// Bounds of counts and lengths.
    ///
    /// # Errors
    /// The bound broken.
    fn check(&self) -> Result<(), DecodeError> {
        Ok(())
    }

    /// Canonical bytes.
    fn to_payload(&self) -> Vec<u8> {
        to_cbor(self)
    }

    /// Reads a payload: size, form, meaning, bounds.
    ///
    /// # Errors
    /// The first that doesn't hold.
    fn from_payload(payload: &[u8]) -> Result<Self, DecodeError> {
        let body: Self = from_cbor(payload, MAX_PAYLOAD)?;
        body.check()?;
        Ok(body)
    }
}

impl Control for Revoke {}
impl Control for Empty {}
impl Control for Promote {}
impl Control for Dismiss {}
impl Control for Approve {}

impl Control for Persons {
    fn check(&self) -> Result<(), DecodeError> {
        if (1..=MAX_NAMED).contains(&self.members.len()) { Ok(()) } else { Err(DecodeError::TooLarge) }
    }
}

impl Control for Rule {
    fn check(&self) -> Result<(), DecodeError> {
        if self.parameter.allows(self.value) { Ok(()) } else { Err(DecodeError::Value) }
    }
}

impl Control for Move {
    fn check(&self) -> Result<(), DecodeError> {
        if self.key_package.len() <= MAX_KEY_PACKAGE { Ok(()) } else { Err(DecodeError::TooLarge) }
    }
}

impl Control for Resync {
    fn check(&self) -> Result<(), DecodeError> {
        let bounded = self.key_package.len() <= MAX_KEY_PACKAGE && self.behind.len() <= MAX_BEHIND;
        if bounded { Ok(()) } else { Err(DecodeError::TooLarge) }
    }
}

impl Control for Invite {
    fn check(&self) -> Result<(), DecodeError> {
        if self.uses == 0 { Err(DecodeError::Value) } else { Ok(()) }
    }
}

impl Control for DeviceDrop {
    fn check(&self) -> Result<(), DecodeError> {
        if self.phrase.is_some() == self.proof.is_some() { Ok(()) } else { Err(DecodeError::Value) }
    }
}

impl Control for Admit {
    fn check(&self) -> Result<(), DecodeError> {
        let by_code = self.invite.is_some() == self.proof.is_some();
        if self.key_package.len() <= MAX_KEY_PACKAGE && by_code { Ok(()) } else { Err(DecodeError::Value) }
    }
}

impl Control for Remove {
    fn check(&self) -> Result<(), DecodeError> {
        if (1..=MAX_NAMED).contains(&self.members.len()) { Ok(()) } else { Err(DecodeError::TooLarge) }
    }
}

impl Control for Profile {
    fn check(&self) -> Result<(), DecodeError> {
        check_name(&self.name)
    }
}

impl Control for Commit {
    fn check(&self) -> Result<(), DecodeError> {
        let ascending = self.operations.windows(2).all(|pair| matches!(pair, [a, b] if a < b));
        if ascending && self.operations.len() <= MAX_NAMED { Ok(()) } else { Err(DecodeError::NotCanonical) }
    }
}

impl Control for Opened {
    fn check(&self) -> Result<(), DecodeError> {
        if self.epochs.len() <= MAX_NAMED { Ok(()) } else { Err(DecodeError::TooLarge) }
    }
}

/// A name of 1 to [`MAX_NAME`] bytes without control characters.
///
/// # Errors
/// [`DecodeError::Text`] otherwise.
pub fn check_name(name: &str) -> Result<(), DecodeError> {
    let fits =
        (1..=MAX_NAME).contains(&name.len()) && !name.chars().any(char::is_control) && name.trim() == name;
    if fits { Ok(()) } else { Err(DecodeError::Text { field: "name", max: MAX_NAME }) }
}
