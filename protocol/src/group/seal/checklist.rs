//! The closed list of what a commit may do (G-3 … G-11). Whatever it does beyond is a reason to
//! drop it; dropping leaves no trace.

use std::collections::BTreeSet;

use openmls::prelude::{
    Extensions, GroupContext, LeafNode, ProcessedMessage, ProcessedMessageContent, Proposal,
    ProposalOrRefType, PublicGroup, Sender, StagedCommit,
};

use openmls::treesync::LeafNodeSource;

use super::SealError;
use super::key_package::{is_plain, is_unlimited, leaf_device};
use super::provider::Suite;
use crate::crypto;
use crate::id::{DeviceKey, EntryId, EpochId};

/// What the entry around a commit, and the acts it cites, entitle it to.
#[derive(Clone, Debug)]
pub struct Expected {
    /// The author of the commit entry.
    pub author: DeviceKey,
    /// Devices the cited operations admit and that have no leaf yet.
    pub adds: BTreeSet<DeviceKey>,
    /// Devices the cited operations end and that have a leaf.
    pub removes: BTreeSet<DeviceKey>,
    /// The cited operations.
    pub operations: BTreeSet<EntryId>,
    /// All devices of current members at the entry's causal point.
    pub roster: BTreeSet<DeviceKey>,
}

/// The associated data of a commit: its parent epoch and the operations it carries out (G-4).
pub fn binding(parent: &EpochId, operations: &BTreeSet<EntryId>) -> Vec<u8> {
    let mut out = crypto::labelled("commit", &[parent.as_bytes()]);
    for operation in operations {
        out.extend_from_slice(operation.as_bytes());
    }
    out
}

/// Checks a processed message against everything that can be known before merging, and hands out
/// the staged commit.
pub(super) fn check(
    message: ProcessedMessage,
    before: &PublicGroup,
    parent: &EpochId,
    expected: &Expected,
) -> Result<StagedCommit, SealError> {
    check_sender(message.sender(), before, expected)?;
    if message.aad() != binding(parent, &expected.operations) {
        return Err(SealError::Binding);
    }
    let ProcessedMessageContent::StagedCommitMessage(commit) = message.into_content() else {
        return Err(SealError::Proposal);
    };
    check_changes(&commit, before, expected)?;
    check_path(commit.update_path_leaf_node(), suite_of(before)?, expected)?;
    check_context(commit.group_context(), before.group_context().extensions())?;
    Ok(*commit)
}

/// Checks what no later commit can change: a context without extensions (G-8), a plain first leaf that
/// never expires (G-2, G-11).
pub(super) fn check_founding(group: &PublicGroup) -> Result<(), SealError> {
    if group.group_context().extensions().iter().next().is_some() {
        return Err(SealError::Context);
    }
    let suite = suite_of(group)?;
    if !group.treesync().full_leaves().all(|(_, leaf)| is_plain(leaf, suite)) {
        return Err(SealError::Other);
    }
    let limited = |leaf: &LeafNode| match leaf.leaf_node_source() {
        LeafNodeSource::KeyPackage(lifetime) => !is_unlimited(lifetime),
        _ => false,
    };
    let limited = group.treesync().full_leaves().any(|(_, leaf)| limited(leaf));
    if limited { Err(SealError::Lifetime) } else { Ok(()) }
}

/// Checks the tree a commit leads to (G-9).
pub(super) fn check_tree(after: &PublicGroup, expected: &Expected) -> Result<(), SealError> {
    if leaves(after)?.is_subset(&expected.roster) { Ok(()) } else { Err(SealError::Roster) }
}

/// The devices that have a leaf.
pub(super) fn leaves(group: &PublicGroup) -> Result<BTreeSet<DeviceKey>, SealError> {
    group.treesync().full_leaves().map(|(_, leaf)| leaf_device(leaf)).collect()
}

fn suite_of(group: &PublicGroup) -> Result<Suite, SealError> {
    Suite::of(group.ciphersuite()).ok_or(SealError::Other)
}

fn check_sender(sender: &Sender, before: &PublicGroup, expected: &Expected) -> Result<(), SealError> {
    let Sender::Member(index) = sender else {
        return Err(SealError::Sender);
    };
    let leaf = before.leaf(*index).ok_or(SealError::Sender)?;
    if leaf_device(leaf)? == expected.author { Ok(()) } else { Err(SealError::Sender) }
}

fn check_changes(commit: &StagedCommit, before: &PublicGroup, expected: &Expected) -> Result<(), SealError> {
    let suite = suite_of(before)?;
    let (mut adds, mut removes) = (BTreeSet::new(), BTreeSet::new());
    for queued in commit.queued_proposals() {
        if queued.proposal_or_ref_type() != ProposalOrRefType::Proposal {
            return Err(SealError::Proposal);
        }
        let fresh = match queued.proposal() {
            Proposal::Add(add) => {
                if !is_unlimited(add.key_package().life_time()) {
                    return Err(SealError::Lifetime);
                }
                if !is_plain(add.key_package().leaf_node(), suite) {
                    return Err(SealError::Other);
                }
                adds.insert(leaf_device(add.key_package().leaf_node())?)
            }
            Proposal::Remove(remove) => {
                let leaf = before.leaf(remove.removed()).ok_or(SealError::Changes)?;
                removes.insert(leaf_device(leaf)?)
            }
            _ => return Err(SealError::Proposal),
        };
        if !fresh {
            return Err(SealError::Changes);
        }
    }
    if adds == expected.adds && removes == expected.removes { Ok(()) } else { Err(SealError::Changes) }
}

fn check_path(leaf: Option<&LeafNode>, suite: Suite, expected: &Expected) -> Result<(), SealError> {
    let leaf = leaf.ok_or(SealError::Path)?;
    match leaf_device(leaf) {
        Ok(device) if device == expected.author && is_plain(leaf, suite) => Ok(()),
        _ => Err(SealError::Path),
    }
}

fn check_context(after: &GroupContext, before: &Extensions<GroupContext>) -> Result<(), SealError> {
    if after.extensions() == before { Ok(()) } else { Err(SealError::Context) }
}
