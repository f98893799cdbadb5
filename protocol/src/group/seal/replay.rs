//! Following the commits of a group from its genesis without being in it: how a joiner finds out
//! that the group it was welcomed to is the group of its code (I-8).

use std::collections::BTreeSet;

use openmls::prelude::{
    MlsMessageBodyIn, MlsMessageIn, OpenMlsProvider, ProposalStore, PublicGroup, RatchetTreeIn,
};
use tls_codec::{DeserializeBytes, Serialize};

use super::checklist::{self, Expected};
use super::provider::{Provider, Records, Suite};
use super::state::read_commit;
use super::{GenesisTree, MAX_MESSAGE, SealError, contained, trial};
use crate::id::{DeviceKey, EpochId, GroupId};

/// The public side of a group's tree, epoch by epoch.
pub struct PublicReplay {
    provider: Provider,
    group: PublicGroup,
    suite: Suite,
}

impl PublicReplay {
    /// Starts at epoch 0, which must be a tree of the founder alone.
    ///
    /// # Errors
    /// Why this is no genesis of `group` by `founder`.
    pub fn start(genesis: &GenesisTree, group: &GroupId, founder: &DeviceKey) -> Result<Self, SealError> {
        contained(|| {
            if genesis.group_info.len() > MAX_MESSAGE || genesis.tree.len() > MAX_MESSAGE {
                return Err(SealError::Malformed);
            }
            let info = MlsMessageIn::tls_deserialize_exact_bytes(&genesis.group_info);
            let MlsMessageBodyIn::GroupInfo(info) = info.map_err(|_| SealError::Malformed)?.extract() else {
                return Err(SealError::Malformed);
            };
            let tree = RatchetTreeIn::tls_deserialize_exact_bytes(&genesis.tree)
                .map_err(|_| SealError::Malformed)?;
            let provider = Provider::reading(&Records::new());
            let (public, _) = PublicGroup::from_external(
                provider.crypto(),
                provider.storage(),
                tree,
                info,
                ProposalStore::default(),
            )
            .map_err(|_| SealError::Invalid)?;
            let suite = Suite::of(public.ciphersuite()).ok_or(SealError::Other)?;
            checklist::check_founding(&public)?;
            let alone = checklist::leaves(&public)? == BTreeSet::from([*founder]);
            if public.group_id().as_slice() != group.as_bytes()
                || public.group_context().epoch().as_u64() != 0
                || !alone
            {
                return Err(SealError::Other);
            }
            Ok(Self { provider, group: public, suite })
        })
    }

    /// Follows one commit, by the same checklist as a member.
    ///
    /// # Errors
    /// The first rule the commit breaks; the replay stays where it was.
    pub fn apply(&mut self, parent: &EpochId, message: &[u8], expected: &Expected) -> Result<(), SealError> {
        contained(|| {
            let message = read_commit(message)?;
            let processed = self
                .group
                .process_message(self.provider.crypto(), message)
                .map_err(|_| SealError::Invalid)?;
            let staged = checklist::check(processed, &self.group, parent, expected)?;
            let provider = Provider::reading(&self.provider.records());
            let loaded = PublicGroup::load(provider.storage(), self.group.group_id());
            let mut next = loaded.ok().flatten().ok_or(SealError::Invalid)?;
            next.merge_commit(provider.storage(), staged).map_err(|_| SealError::Invalid)?;
            checklist::check_tree(&next, expected)?;
            trial::new_keys(&self.group, &next, self.suite)?;
            (self.provider, self.group) = (provider, next);
            Ok(())
        })
    }

    /// The serialized GroupContext reached.
    ///
    /// # Errors
    /// [`SealError::Malformed`] if it can't be serialized.
    pub fn context_bytes(&self) -> Result<Vec<u8>, SealError> {
        self.group.group_context().tls_serialize_detached().map_err(|_| SealError::Malformed)
    }

    /// The devices that have a leaf.
    ///
    /// # Errors
    /// [`SealError::Other`] for a leaf without a device.
    pub fn leaves(&self) -> Result<BTreeSet<DeviceKey>, SealError> {
        checklist::leaves(&self.group)
    }
}
