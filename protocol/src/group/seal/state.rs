//! A member's MLS state in one epoch, as a value.

use std::collections::BTreeSet;
use std::sync::Arc;

use ed25519_dalek::SigningKey;
use openmls::prelude::{
    GroupId as MlsGroupId, KeyPackage, LeafNodeIndex, MlsGroup, MlsGroupCreateConfig, MlsGroupJoinConfig,
    MlsMessageBodyIn, MlsMessageIn, OpenMlsProvider, PURE_PLAINTEXT_WIRE_FORMAT_POLICY, ProtocolMessage,
    StagedWelcome, Welcome,
};
use rand_core::CryptoRng;
use tls_codec::{DeserializeBytes, Serialize};
use zeroize::Zeroizing;

use super::checklist::{self, Expected};
use super::key_package::{self, JoinerSecrets};
use super::provider::{self, DeviceSigner, Provider, Records, Suite};
use super::{MAX_MESSAGE, SealError, contained, trial};
use crate::crypto::{self, Secret};
use crate::id::{DeviceKey, EntryId, EpochId, GroupId};

/// Longest Welcome taken, tree included, in bytes.
const MAX_WELCOME: usize = 3 << 20;

/// A member's state in one epoch. Cloning is cheap; nothing changes a state.
#[derive(Clone)]
pub struct EpochState {
    pub(super) group: GroupId,
    pub(super) records: Arc<Records>,
}

/// What a genesis entry carries so that anyone can follow the tree from the start (G-15).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GenesisTree {
    /// The signed GroupInfo of epoch 0.
    pub group_info: Vec<u8>,
    /// The ratchet tree of epoch 0.
    pub tree: Vec<u8>,
}

/// What a commit is to change.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// Key packages to add, by device.
    pub adds: Vec<(DeviceKey, Vec<u8>)>,
    /// Devices whose leaves go.
    pub removes: BTreeSet<DeviceKey>,
}

/// A commit of one's own, not yet published.
pub struct Commit {
    /// The PublicMessage for the commit entry.
    pub message: Vec<u8>,
    /// The Welcome for those added, if any.
    pub welcome: Option<Vec<u8>>,
    /// The state the commit leads to.
    pub next: EpochState,
}

impl EpochState {
    /// Epoch 0 of a group, with one leaf.
    ///
    /// # Errors
    /// [`SealError::Invalid`] if the suite isn't supported.
    pub fn create(
        group: &GroupId,
        device: &SigningKey,
        suite: Suite,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<(Self, GenesisTree), SealError> {
        let seed = Secret::random(rng);
        contained(|| Self::make(group, device, suite, seed))
    }

    fn make(
        group: &GroupId,
        device: &SigningKey,
        suite: Suite,
        seed: Secret,
    ) -> Result<(Self, GenesisTree), SealError> {
        let provider = Provider::new(&Records::new(), seed);
        let config = MlsGroupCreateConfig::builder()
            .ciphersuite(suite.mls())
            .capabilities(suite.capabilities())
            .lifetime(key_package::unlimited())
            .wire_format_policy(PURE_PLAINTEXT_WIRE_FORMAT_POLICY)
            .max_past_epochs(0)
            .number_of_resumption_psks(0)
            .use_ratchet_tree_extension(true)
            .build();
        let id = MlsGroupId::from_slice(group.as_bytes());
        let credential = key_package::credential(&crypto::device_key(device));
        let mls = MlsGroup::new_with_group_id(&provider, &DeviceSigner(device), &config, id, credential)
            .map_err(|_| SealError::Invalid)?;
        let info = mls
            .export_group_info(provider.crypto(), &DeviceSigner(device), false)
            .map_err(|_| SealError::Invalid)?;
        let genesis = GenesisTree {
            group_info: info.tls_serialize_detached().map_err(|_| SealError::Malformed)?,
            tree: mls.export_ratchet_tree().tls_serialize_detached().map_err(|_| SealError::Malformed)?,
        };
        Ok((Self::snapshot(*group, &provider), genesis))
    }

    /// Enters by a Welcome. `secrets` stay usable whatever happens here (G-12).
    ///
    /// # Errors
    /// Why the Welcome is not for this joiner, or not well-formed.
    pub fn join(welcome: &[u8], secrets: &JoinerSecrets) -> Result<Self, SealError> {
        if welcome.len() > MAX_WELCOME {
            return Err(SealError::Malformed);
        }
        contained(|| {
            let welcome = Welcome::tls_deserialize_exact_bytes(welcome).map_err(|_| SealError::Malformed)?;
            let provider = Provider::reading(secrets.records());
            let mls = StagedWelcome::new_from_welcome(&provider, &join_config(), welcome, None)
                .and_then(|staged| staged.into_group(&provider))
                .map_err(|_| SealError::Invalid)?;
            let group = GroupId(mls.group_id().as_slice().try_into().map_err(|_| SealError::Other)?);
            checklist::leaves(mls.public_group())?;
            Ok(Self::snapshot(group, &provider))
        })
    }

    /// Makes a commit that carries out `operations`. This state is unchanged.
    ///
    /// # Errors
    /// A key package or leaf that doesn't fit this epoch; [`SealError::TooLong`] if no entry has room for it.
    pub fn commit(
        &self,
        parent: &EpochId,
        device: &SigningKey,
        change: &Change,
        operations: &BTreeSet<EntryId>,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Commit, SealError> {
        let seed = Secret::random(rng);
        contained(|| self.make_commit(parent, device, change, operations, seed))
    }

    fn make_commit(
        &self,
        parent: &EpochId,
        device: &SigningKey,
        change: &Change,
        operations: &BTreeSet<EntryId>,
        seed: Secret,
    ) -> Result<Commit, SealError> {
        let provider = Provider::new(&self.records, seed);
        let mut mls = self.load(&provider)?;
        let adds = self.packages(change)?;
        let removes = indices(&mls, &change.removes)?;
        mls.set_aad(checklist::binding(parent, operations));
        let bundle = mls
            .commit_builder()
            .propose_adds(adds)
            .propose_removals(removes)
            .force_self_update(true)
            .load_psks(provider.storage())
            .map_err(|_| SealError::Invalid)?
            .build(provider.rand(), provider.crypto(), &DeviceSigner(device), |_| true)
            .map_err(|_| SealError::Invalid)?
            .stage_commit(&provider)
            .map_err(|_| SealError::Invalid)?;
        let (message, welcome, _) = bundle.into_contents();
        mls.merge_pending_commit(&provider).map_err(|_| SealError::Invalid)?;
        let message = message.tls_serialize_detached().map_err(|_| SealError::Malformed)?;
        if message.len() > MAX_MESSAGE {
            return Err(SealError::TooLong);
        }
        let welcome =
            welcome.map(|w| w.tls_serialize_detached()).transpose().map_err(|_| SealError::Malformed)?;
        Ok(Commit { message, welcome, next: Self::snapshot(self.group, &provider) })
    }

    /// Applies another member's commit after the whole checklist. This state is unchanged.
    ///
    /// # Errors
    /// The first rule the commit breaks; [`SealError::Removed`] if it is in order and ends this
    /// device.
    pub fn apply(&self, parent: &EpochId, message: &[u8], expected: &Expected) -> Result<Self, SealError> {
        contained(|| {
            let message = read_commit(message)?;
            let provider = Provider::reading(&self.records);
            let mut mls = self.load(&provider)?;
            let processed = mls.process_message(&provider, message).map_err(|_| SealError::Invalid)?;
            let staged = checklist::check(processed, mls.public_group(), parent, expected)?;
            let gone = staged.self_removed();
            let before = self.load(&provider)?;
            mls.merge_staged_commit(&provider, staged).map_err(|_| SealError::Invalid)?;
            checklist::check_tree(mls.public_group(), expected)?;
            trial::new_keys(before.public_group(), mls.public_group(), self.suite()?)?;
            if gone { Err(SealError::Removed) } else { Ok(Self::snapshot(self.group, &provider)) }
        })
    }

    /// X_e: MLS-Exporter("piquet v1", group id ‖ epoch id, 32) (RFC 9420 §8.5; K-1).
    ///
    /// # Errors
    /// [`SealError::Invalid`] if the state is unusable.
    pub fn export(&self, epoch: &EpochId) -> Result<Secret, SealError> {
        let provider = Provider::reading(&self.records);
        let context = [self.group.as_bytes().as_slice(), epoch.as_bytes()].concat();
        let mls = self.load(&provider)?;
        let secret = mls.export_secret(provider.crypto(), "piquet v1", &context, 32);
        let secret = Zeroizing::new(secret.map_err(|_| SealError::Invalid)?);
        Secret::from_slice(&secret).ok_or(SealError::Invalid)
    }

    /// The group this state belongs to, as the Welcome named it.
    pub fn group(&self) -> GroupId {
        self.group
    }

    /// The devices that have a leaf.
    ///
    /// # Errors
    /// [`SealError::Invalid`] if the state is unusable.
    pub fn leaves(&self) -> Result<BTreeSet<DeviceKey>, SealError> {
        let provider = Provider::reading(&self.records);
        checklist::leaves(self.load(&provider)?.public_group())
    }

    /// The commits since genesis, the same on sibling branches: to be shown, never to name an epoch by.
    ///
    /// # Errors
    /// [`SealError::Invalid`] if the state is unusable.
    pub fn number(&self) -> Result<u64, SealError> {
        let provider = Provider::reading(&self.records);
        Ok(self.load(&provider)?.epoch().as_u64())
    }

    /// The suite of the group.
    ///
    /// # Errors
    /// [`SealError::Other`] if it is none of piquet's.
    pub fn suite(&self) -> Result<Suite, SealError> {
        let provider = Provider::reading(&self.records);
        Suite::of(self.load(&provider)?.ciphersuite()).ok_or(SealError::Other)
    }

    /// The serialized GroupContext, to compare with a replay from genesis.
    ///
    /// # Errors
    /// [`SealError::Invalid`] if the state is unusable.
    pub fn context_bytes(&self) -> Result<Vec<u8>, SealError> {
        let provider = Provider::reading(&self.records);
        let mls = self.load(&provider)?;
        mls.public_group().group_context().tls_serialize_detached().map_err(|_| SealError::Malformed)
    }

    /// For the store, where every state has a key of its own.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(self.group.as_bytes().to_vec());
        out.extend_from_slice(&provider::encode(&self.records));
        out
    }

    /// Reads what [`EpochState::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`SealError::Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SealError> {
        let (group, records) = bytes.split_first_chunk::<32>().ok_or(SealError::Malformed)?;
        Ok(Self { group: GroupId(*group), records: Arc::new(provider::decode(records)?) })
    }

    pub(super) fn snapshot(group: GroupId, provider: &Provider) -> Self {
        Self { group, records: Arc::new(provider.records()) }
    }

    pub(super) fn load(&self, provider: &Provider) -> Result<MlsGroup, SealError> {
        let id = MlsGroupId::from_slice(self.group.as_bytes());
        MlsGroup::load(provider.storage(), &id).ok().flatten().ok_or(SealError::Invalid)
    }

    fn packages(&self, change: &Change) -> Result<Vec<KeyPackage>, SealError> {
        let suite = self.suite()?;
        change.adds.iter().map(|(device, bytes)| key_package::read(bytes, device, suite)).collect()
    }
}

/// A commit as a PublicMessage, nothing else (G-1).
pub(super) fn read_commit(bytes: &[u8]) -> Result<ProtocolMessage, SealError> {
    if bytes.len() > MAX_MESSAGE {
        return Err(SealError::Malformed);
    }
    let message = MlsMessageIn::tls_deserialize_exact_bytes(bytes).map_err(|_| SealError::Malformed)?;
    match message.extract() {
        MlsMessageBodyIn::PublicMessage(message) => Ok(message.into()),
        _ => Err(SealError::Malformed),
    }
}

fn join_config() -> MlsGroupJoinConfig {
    MlsGroupJoinConfig::builder()
        .wire_format_policy(PURE_PLAINTEXT_WIRE_FORMAT_POLICY)
        .max_past_epochs(0)
        .number_of_resumption_psks(0)
        .use_ratchet_tree_extension(true)
        .build()
}

fn indices(mls: &MlsGroup, devices: &BTreeSet<DeviceKey>) -> Result<Vec<LeafNodeIndex>, SealError> {
    let found: Vec<_> = mls
        .members()
        .filter(|member| devices.iter().any(|device| device.as_bytes().as_slice() == member.signature_key))
        .map(|member| member.index)
        .collect();
    if found.len() == devices.len() { Ok(found) } else { Err(SealError::Changes) }
}
