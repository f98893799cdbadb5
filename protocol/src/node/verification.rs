//! Members whom this one has met in person (M-21).

use std::collections::BTreeSet;

use super::{Node, NodeError};
use crate::group::membership::Operation;
use crate::group::operation::{Approve, Control};
use crate::group::verification::{is_reading, reading};
use crate::id::{EntryId, GroupId, MemberId};
use crate::kind::Kind;
use crate::replica::{AuthorError, Replica};
use crate::store::Store;
use crate::time::Timestamp;

/// The record of them: their ids, one after the other.
const VERIFIED: &[u8] = b"verified";

fn read(record: &[u8]) -> BTreeSet<MemberId> {
    record.chunks_exact(32).filter_map(|id| id.try_into().ok()).map(MemberId).collect()
}

impl<S: Store> Node<S> {
    /// What this member reads to another.
    ///
    /// # Errors
    /// [`NodeError::NotFound`] if it is no other member of the group.
    pub fn reads_to(&self, group: &GroupId, member: &MemberId) -> Result<String, NodeError> {
        let replica = self.other_member(group, member)?;
        Ok(reading(group, &replica.member(), member))
    }

    /// Marks a member as met, if what it read is what its device in the group would have it read.
    ///
    /// # Errors
    /// [`NodeError::NotFound`] if it is no other member of the group; [`NodeError::Mismatch`] if it read
    /// something else.
    pub fn verify(
        &mut self,
        group: GroupId,
        member: MemberId,
        heard: &str,
        now: Timestamp,
    ) -> Result<(), NodeError> {
        let replica = self.other_member(&group, &member)?;
        if !is_reading(heard, &reading(&group, &member, &replica.member())) {
            return Err(NodeError::Mismatch);
        }
        self.mark(group, now, |marked| {
            marked.insert(member);
        })
    }

    /// Takes the mark off again.
    ///
    /// # Errors
    /// [`NodeError::NoGroup`]; the store's.
    pub fn unverify(&mut self, group: GroupId, member: MemberId, now: Timestamp) -> Result<(), NodeError> {
        self.replica(&group)?;
        self.mark(group, now, |marked| {
            marked.remove(&member);
        })
    }

    /// Members marked as met. A record that can't be read costs the marks alone.
    pub fn verified(&mut self, group: GroupId, now: Timestamp) -> BTreeSet<MemberId> {
        let record = self.ask(group, now, |replica, round| replica.note(VERIFIED, round).ok().flatten());
        read(&record.flatten().unwrap_or_default())
    }

    /// Tells all that this member vouches for another: lets it in by hand, so that it stays even if who let it in
    /// falls (M-6), or signs what somebody else has signed to that end.
    ///
    /// # Errors
    /// [`NodeError::NotFound`] if it is no other member of the group; [`NodeError::Unneeded`] if it rests on no
    /// admission; [`NodeError::NotAllowed`] if this member lets nobody in; [`NodeError::Decided`] if it has signed.
    pub fn vouch(&mut self, group: GroupId, member: MemberId, now: Timestamp) -> Result<EntryId, NodeError> {
        let replica = self.other_member(&group, &member)?;
        let admissions = replica.admissions_by_hand(&member);
        let mut signed = admissions.iter().flat_map(|(_, signed)| signed);
        if signed.any(|signer| *signer == replica.member()) {
            return Err(NodeError::Decided);
        }
        let approvable = |act: &EntryId| replica.check(&Operation::Approve { act: *act }).is_ok();
        if let Some(act) = admissions.iter().map(|(act, _)| *act).find(approvable) {
            return self.post(group, Kind::Approve, &Approve { act, consent: None }.to_payload(), now);
        }
        let admit = replica.admission_by_hand(&member).ok_or(NodeError::Unneeded)?;
        replica.check(&Operation::Admit { device: admit.device, invite: None })?;
        self.post(group, Kind::Admit, &admit.to_payload(), now)
    }

    fn other_member(&self, group: &GroupId, member: &MemberId) -> Result<&Replica, NodeError> {
        let replica = self.replica(group)?;
        let other = *member != replica.member() && replica.view().members.contains_key(member);
        if other { Ok(replica) } else { Err(NodeError::NotFound) }
    }

    fn mark(
        &mut self,
        group: GroupId,
        now: Timestamp,
        change: impl FnOnce(&mut BTreeSet<MemberId>),
    ) -> Result<(), NodeError> {
        let record = self.ask(group, now, |replica, round| replica.note(VERIFIED, round));
        let record = record.ok_or(NodeError::NoGroup)?.map_err(AuthorError::Store)?;
        let mut marked = read(&record.unwrap_or_default());
        change(&mut marked);
        let record: Vec<u8> = marked.iter().flat_map(|member| member.0).collect();
        self.in_group(group, None, now, |replica, round| replica.put_note(VERIFIED, record, round))
            .ok_or(NodeError::NoGroup)
    }
}
