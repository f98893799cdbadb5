//! A member's devices: linking another laptop, setting a recovery phrase, taking a device out (M-18).

use super::{Node, NodeError};
use crate::group::invite::{Hint, InviteCode, Phrase};
use crate::group::membership::{DeviceCode, Operation};
use crate::group::operation::{Control, DeviceDrop};
use crate::id::{DeviceKey, GroupId, MemberId};
use crate::kind::Kind;
use crate::replica::DeviceView;
use crate::store::Store;
use crate::time::Timestamp;

impl<S: Store> Node<S> {
    /// Makes a code by which one more device of this member's comes in, once (I-11). The code is not kept.
    ///
    /// # Errors
    /// [`NodeError::NotAllowed`] for who is no member.
    pub fn link_code(
        &mut self,
        group: GroupId,
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<InviteCode, NodeError> {
        let replica = self.replica(&group)?;
        let suite = replica.suite();
        let hints = self.own_hints().chain(self.founders_hints(&group)).collect();
        let code = InviteCode::generate(&group, suite, expires, hints, &mut *self.rng);
        self.publish_code(group, &code, (1, expires.as_entry_secs()), Some(DeviceCode::Link), now)?;
        Ok(code)
    }

    /// In a draft the founder alone carries an admission out (K-6), so the mail is there.
    fn founders_hints(&self, group: &GroupId) -> Vec<Hint> {
        let Some(replica) = self.replicas.get(group).filter(|replica| replica.is_draft()) else {
            return Vec::new();
        };
        let founder = MemberId::from(replica.founder());
        let of_founder = |device: &DeviceKey| replica.view().member_of(device) == Some(founder);
        let contacts = replica.contacts().into_iter().filter(|(device, _)| of_founder(device));
        contacts.filter_map(|(_, address)| Hint::from_multiaddr(&address)).collect()
    }

    /// Sets the recovery phrase of this member in a group, once and for ever.
    ///
    /// # Errors
    /// [`NodeError::NotAllowed`] where one is set, or for who is no member.
    pub fn set_phrase(&mut self, group: GroupId, phrase: &Phrase, now: Timestamp) -> Result<(), NodeError> {
        let code = self.code_of_phrase(&group, phrase)?;
        self.publish_code(group, &code, (u16::MAX, u32::MAX), Some(DeviceCode::Recovery), now)?;
        Ok(())
    }

    /// Whether this member has set a recovery phrase in a group: none is needed by who is no member.
    pub fn has_phrase(&self, group: &GroupId) -> bool {
        self.replicas.get(group).is_none_or(|replica| {
            let (view, own) = (replica.view(), replica.member());
            !view.members.contains_key(&own) || view.has_phrase(&own)
        })
    }

    fn code_of_phrase(&self, group: &GroupId, phrase: &Phrase) -> Result<InviteCode, NodeError> {
        let suite = self.replica(group)?.suite();
        Ok(InviteCode::of_phrase(phrase, group.fingerprint(), suite, Vec::new()))
    }

    /// Takes a device from its member, for ever: one of this member's own; with a phrase, of whoever's it is.
    ///
    /// # Errors
    /// [`NodeError::NotFound`] if it speaks for nobody; [`NodeError::NotAllowed`] if it is another's.
    pub fn drop_device(
        &mut self,
        group: GroupId,
        device: DeviceKey,
        phrase: Option<&Phrase>,
        now: Timestamp,
    ) -> Result<(), NodeError> {
        let keys =
            phrase.map(|phrase| self.code_of_phrase(&group, phrase)).transpose()?.map(|code| code.keys());
        let replica = self.replica(&group)?;
        replica.view().member_of(&device).ok_or(NodeError::NotFound)?;
        let body = match keys {
            Some(keys) => DeviceDrop::by_phrase(&keys, &group, device),
            None => DeviceDrop { device, phrase: None, proof: None },
        };
        replica.check(&Operation::Drop { device, phrase: body.phrase })?;
        self.post(group, Kind::DeviceDrop, &body.to_payload(), now)?;
        Ok(())
    }

    /// The devices that speak for a member, the first of them first.
    ///
    /// # Errors
    /// [`NodeError::NoGroup`].
    pub fn devices(&self, group: &GroupId, member: &MemberId) -> Result<Vec<DeviceView>, NodeError> {
        let replica = self.replica(group)?;
        Ok(replica.view().devices_of(member).map(|device| replica.device_view(device)).collect())
    }
}
