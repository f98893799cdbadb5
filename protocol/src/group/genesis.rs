//! How a group starts: the parameters whose hash is its id, the entry that carries them, and the act of
//! a draft that makes a group of it (B-2, B-19, M-20).

use minicbor::bytes::{ByteArray, ByteVec};
use minicbor::{Decode, Encode};

use super::membership::{Founding, Parameter, Rules};
use super::operation::{Control, check_name};
use crate::codec::{DecodeError, from_cbor, to_cbor};
use crate::crypto;
use crate::id::{DeviceKey, GroupId, MemberId};

/// Longest genesis parameters in bytes.
const MAX_PARAMETERS: usize = 40_960;
/// Most key-holders of a genesis: each signs it.
pub const MAX_COUNCIL: usize = 32;

/// The rules a group starts with (M-10).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct GenesisRules {
    /// Who admits.
    #[n(0)]
    pub admit: u32,
    /// How many key-holders remove: 1 or 2.
    #[n(1)]
    pub few: u32,
    /// Days until enrolment; none in a draft.
    #[n(2)]
    pub wait: Option<u32>,
}

impl From<&GenesisRules> for Rules {
    fn from(rules: &GenesisRules) -> Self {
        Self { admit: rules.admit, few: rules.few, wait: rules.wait.unwrap_or(0), chat: 0 }
    }
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
    pub rules: GenesisRules,
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
            rules: GenesisRules { admit: 0, few: 1, wait: None },
            predecessor: None,
        }
    }

    /// Reads parameters. Other than in other bodies a field more, or a null, is refused: the group's
    /// id is the hash of these bytes, and two encodings would be two groups (B-2).
    ///
    /// # Errors
    /// Bytes that are no parameters of a draft or group.
    pub fn read(bytes: &[u8]) -> Result<Self, DecodeError> {
        let parameters: Self = from_cbor(bytes, MAX_PARAMETERS)?;
        check_name(&parameters.name)?;
        if to_cbor(&parameters) != bytes {
            return Err(DecodeError::NotCanonical);
        }
        if parameters.is_draft() || parameters.is_group() { Ok(parameters) } else { Err(DecodeError::Value) }
    }

    /// Whether these are a draft's.
    pub fn is_draft(&self) -> bool {
        *self == Self::draft(self.suite, self.founder, self.random.into(), &self.name)
    }

    /// Whether these are a group's: a council of at least two of whom the founder is one, all of them
    /// on the roll, all on the roll members, each list in order.
    fn is_group(&self) -> bool {
        let lists = [&self.council, &self.members, &self.roll];
        let ordered = lists.iter().all(|list| list.windows(2).all(|pair| matches!(pair, [a, b] if a < b)));
        let within = |small: &[DeviceKey], large: &[DeviceKey]| small.iter().all(|one| large.contains(one));
        let rules = &self.rules;
        ordered
            && (2..=MAX_COUNCIL).contains(&self.council.len())
            && self.council.contains(&self.founder)
            && within(&self.council, &self.roll)
            && within(&self.roll, &self.members)
            && Parameter::Admit.allows(rules.admit)
            && Parameter::Few.allows(rules.few)
            && rules.wait.is_some_and(|days| Parameter::Wait.allows(days))
    }

    /// Who is what at the start.
    pub fn founding(&self) -> Founding {
        let persons = |list: &[DeviceKey]| list.iter().copied().map(MemberId::from).collect();
        Founding {
            council: persons(&self.council),
            members: persons(&self.members),
            roll: persons(&self.roll),
            rules: Rules::from(&self.rules),
        }
    }

    /// The id these parameters make.
    pub fn group(&self) -> GroupId {
        group_id(&to_cbor(self))
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
    /// Each key-holder's consent, in the order of the council; none in a draft.
    #[n(3)]
    pub consents: Option<Vec<ByteArray<64>>>,
}

impl Genesis {
    /// The group these parameters make.
    pub fn group(&self) -> GroupId {
        group_id(&self.parameters)
    }

    /// Reads the parameters, and checks that every key-holder has signed them.
    ///
    /// # Errors
    /// Bytes that are no parameters; a consent that is missing or does not hold.
    pub fn read(&self) -> Result<GenesisParameters, DecodeError> {
        let parameters = GenesisParameters::read(&self.parameters)?;
        let message = consent_message(&self.group(), &self.group_info, &self.tree);
        let signed = match &self.consents {
            None => parameters.is_draft(),
            Some(consents) => {
                let pairs = || parameters.council.iter().zip(consents);
                let holds = |(device, consent): (&DeviceKey, &ByteArray<64>)| {
                    crypto::verify(device.as_bytes(), &message, consent)
                };
                !parameters.is_draft() && consents.len() == parameters.council.len() && pairs().all(holds)
            }
        };
        if signed { Ok(parameters) } else { Err(DecodeError::Value) }
    }
}

/// A draft's proposal to become a group (B-19): its founder's consent is in it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Found {
    /// As in [`Genesis`].
    #[n(0)]
    pub parameters: ByteVec,
    /// As in [`Genesis`].
    #[n(1)]
    pub group_info: ByteVec,
    /// As in [`Genesis`].
    #[n(2)]
    pub tree: ByteVec,
    /// The founder's.
    #[n(3)]
    pub consent: ByteArray<64>,
}

impl Found {
    /// The group it would make.
    pub fn group(&self) -> GroupId {
        group_id(&self.parameters)
    }

    /// What each key-holder signs to consent.
    pub fn message(&self) -> Vec<u8> {
        consent_message(&self.group(), &self.group_info, &self.tree)
    }

    /// Whether a consent of this device holds.
    pub fn has_consent(&self, device: &DeviceKey, consent: &[u8; 64]) -> bool {
        crypto::verify(device.as_bytes(), &self.message(), consent)
    }
}

impl Control for Genesis {}
impl Control for Found {}

/// What a key-holder of a new group signs: group id, and the epoch it starts with (B-2).
pub fn consent_message(group: &GroupId, group_info: &[u8], tree: &[u8]) -> Vec<u8> {
    let length = u32::try_from(group_info.len()).unwrap_or(u32::MAX).to_be_bytes();
    let start = crypto::hash("genesis", &[&length, group_info, tree]);
    crypto::labelled("consent", &[group.as_bytes(), &start])
}

/// The id that parameters make (B-2).
pub fn group_id(parameters: &[u8]) -> GroupId {
    GroupId(crypto::hash("group", &[parameters]))
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;

    use super::*;

    fn signer(n: u8) -> SigningKey {
        SigningKey::from_bytes(&[n; 32])
    }

    /// A group of two key-holders, the first its founder, both in order.
    fn founded() -> (Vec<SigningKey>, GenesisParameters) {
        let mut keys = vec![signer(1), signer(2)];
        keys.sort_by_key(crypto::device_key);
        let council: Vec<DeviceKey> = keys.iter().map(crypto::device_key).collect();
        let founder = council.first().copied().unwrap_or_default();
        let parameters = GenesisParameters {
            council: council.clone(),
            members: council.clone(),
            roll: council,
            rules: GenesisRules { admit: 1, few: 1, wait: Some(7) },
            predecessor: Some(GroupId([9; 32])),
            ..GenesisParameters::draft(3, founder, [5; 32], "riders")
        };
        (keys, parameters)
    }

    fn genesis(signers: &[SigningKey], parameters: &GenesisParameters) -> Genesis {
        let message = consent_message(&parameters.group(), b"info", b"tree");
        let consents = signers.iter().map(|key| crypto::sign(key, &message).into()).collect();
        Genesis {
            parameters: to_cbor(parameters).into(),
            group_info: b"info".to_vec().into(),
            tree: b"tree".to_vec().into(),
            consents: Some(consents),
        }
    }

    #[test]
    fn a_group_whose_council_has_not_consented_is_none() {
        let (keys, parameters) = founded();
        assert_eq!(genesis(&keys, &parameters).read(), Ok(parameters.clone()));
        let stranger = [keys[0].clone(), signer(3)];
        for signers in [&keys[..1], &stranger[..], &[keys[1].clone(), keys[0].clone()]] {
            assert_eq!(genesis(signers, &parameters).read(), Err(DecodeError::Value));
        }
        let alone = Genesis { consents: None, ..genesis(&keys, &parameters) };
        assert_eq!(alone.read(), Err(DecodeError::Value));
        let draft = GenesisParameters::draft(3, parameters.founder, [5; 32], "riders");
        assert_eq!(genesis(&keys[..1], &draft).read(), Err(DecodeError::Value), "a draft has no consents");
    }

    #[test]
    fn a_consent_is_good_for_one_group_and_one_first_epoch() {
        let (keys, parameters) = founded();
        let good = genesis(&keys, &parameters);
        let other =
            Genesis { tree: b"tre".to_vec().into(), group_info: b"infoe".to_vec().into(), ..good.clone() };
        assert_eq!(other.read(), Err(DecodeError::Value));
        let renamed = GenesisParameters { name: "couriers".to_owned(), ..parameters };
        let renamed = Genesis { parameters: to_cbor(&renamed).into(), ..good };
        assert_eq!(renamed.read(), Err(DecodeError::Value));
    }
}
