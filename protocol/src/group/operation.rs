//! Bodies of control entries (spec actions, B-2 … B-12).

use minicbor::bytes::{ByteArray, ByteVec};
use minicbor::{Decode, Encode};

use crate::codec::{DecodeError, from_cbor, to_cbor};
use crate::crypto;
use crate::entry::MAX_PAYLOAD;
use crate::group::seal::MAX_KEY_PACKAGE;
use crate::id::{DeviceKey, EntryId, EpochId, GroupId};

/// Longest name of a group or person, in bytes.
pub const MAX_NAME: usize = 64;
/// Longest genesis parameters in bytes.
const MAX_PARAMETERS: usize = 4096;
/// Most persons named by one operation, most epochs by one statement.
const MAX_NAMED: usize = 512;

/// Who may admit (membership.md §2, parameter `admit`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum AdmitRule {
    /// A key-holder.
    #[n(0)]
    KeyHolder,
}

/// The rules a group starts with.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Rules {
    /// Who admits.
    #[n(0)]
    pub admit: AdmitRule,
    /// How many key-holders remove: 1 or 2.
    #[n(1)]
    pub few: u8,
}

/// What a group is; its hash is the group's id (B-2).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct GenesisParameters {
    /// MLS suite.
    #[n(0)]
    pub suite: u16,
    /// The founder's device.
    #[n(1)]
    pub founder: DeviceKey,
    /// Makes every group another.
    #[n(2)]
    pub random: ByteArray<32>,
    /// What people call it.
    #[n(3)]
    pub name: String,
    /// First devices of the first key-holders.
    #[n(4)]
    pub council: Vec<DeviceKey>,
    /// First devices of the first members.
    #[n(5)]
    pub members: Vec<DeviceKey>,
    /// Who votes.
    #[n(6)]
    pub roll: Vec<DeviceKey>,
    /// The rules at the start.
    #[n(7)]
    pub rules: Rules,
    /// The group this one succeeds.
    #[n(8)]
    pub predecessor: Option<GroupId>,
}

impl GenesisParameters {
    /// A draft: a council of one, an empty roll (membership.md §1).
    pub fn draft(suite: u16, founder: DeviceKey, random: [u8; 32], name: &str) -> Self {
        Self {
            suite,
            founder,
            random: random.into(),
            name: name.to_owned(),
            council: vec![founder],
            members: vec![founder],
            roll: Vec::new(),
            rules: Rules { admit: AdmitRule::KeyHolder, few: 1 },
            predecessor: None,
        }
    }

    /// Whether these are the parameters of a draft, the only kind this version founds.
    pub fn is_draft(&self) -> bool {
        *self == Self::draft(self.suite, self.founder, self.random.into(), &self.name)
    }
}

/// The first entry of a group (B-2).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Genesis {
    /// Canonical [`GenesisParameters`].
    #[n(0)]
    pub parameters: ByteVec,
    /// MLS GroupInfo of epoch 0.
    #[n(1)]
    pub group_info: ByteVec,
    /// MLS tree of epoch 0.
    #[n(2)]
    pub tree: ByteVec,
}

impl Genesis {
    /// The group these parameters make.
    pub fn group(&self) -> GroupId {
        group_id(&self.parameters)
    }

    /// Reads the parameters. Other than in other bodies a field more, or a null, is refused: the
    /// group's id is the hash of these bytes, and two encodings would be two groups (B-2).
    ///
    /// # Errors
    /// Bytes that are no parameters of a draft.
    pub fn read(&self) -> Result<GenesisParameters, DecodeError> {
        let parameters: GenesisParameters = from_cbor(&self.parameters, MAX_PARAMETERS)?;
        check_name(&parameters.name)?;
        if to_cbor(&parameters) != *self.parameters {
            return Err(DecodeError::NotCanonical);
        }
        if parameters.is_draft() { Ok(parameters) } else { Err(DecodeError::Value) }
    }
}

/// The id that parameters make (B-2).
pub fn group_id(parameters: &[u8]) -> GroupId {
    GroupId(crypto::hash("group", &[parameters]))
}

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

/// A body without fields: `leave`, `merge` (B-7, B-11).
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

impl Control for Genesis {}
impl Control for Revoke {}
impl Control for Empty {}

impl Control for Invite {
    fn check(&self) -> Result<(), DecodeError> {
        if self.uses == 0 { Err(DecodeError::Value) } else { Ok(()) }
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
