//! The node's groups as sync asks for them. Reads only what is durable.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use ed25519_dalek::SigningKey;

use super::Join;
use super::founding::doorways;
use crate::crypto::Secret;
use crate::id::{DeviceKey, EntryId, GroupId};
use crate::log::LogId;
use crate::replica::{Bootstrap, Frozen, Replica};
use crate::store::{Overlay, Sight, Store};
use crate::sync::{Claim, Door, Groups, HeldInvite, LogHead};
use crate::time::Timestamp;

pub(super) struct Known<'a> {
    replicas: &'a BTreeMap<GroupId, Replica>,
    joins: &'a BTreeMap<DeviceKey, Join>,
    store: &'a dyn Store,
    lan: &'a VecDeque<String>,
    now: Timestamp,
}

impl<'a> Known<'a> {
    pub(super) fn new(
        replicas: &'a BTreeMap<GroupId, Replica>,
        joins: &'a BTreeMap<DeviceKey, Join>,
        store: &'a dyn Store,
        lan: &'a VecDeque<String>,
        now: Timestamp,
    ) -> Self {
        Self { replicas, joins, store, lan, now }
    }

    fn bootstraps(&self) -> impl Iterator<Item = &Bootstrap> {
        self.joins.values().filter_map(|join| join.bootstrap.as_ref())
    }

    /// A group this device is in. One that it is coming into again, as a new device, and one out of a backup, is
    /// as one it does not know yet.
    fn replica(&self, group: &GroupId) -> Option<&Replica> {
        self.replicas.get(group).filter(|_| !self.is_foreign(group))
    }

    fn groups(&self) -> impl Iterator<Item = &Replica> {
        self.replicas.values().filter(|replica| !self.is_foreign(&replica.group()))
    }

    fn is_foreign(&self, group: &GroupId) -> bool {
        self.replicas.get(group).is_some_and(Replica::is_restored)
            || self.bootstrap(group).is_some_and(|bootstrap| !bootstrap.is_resync())
    }

    fn bootstrap(&self, group: &GroupId) -> Option<&Bootstrap> {
        self.bootstraps().find(|bootstrap| bootstrap.group() == *group)
    }

    /// Whether an address belongs to somebody this node was told of, in any group or code, or was
    /// seen on a network where discovery is on.
    fn hinted(&self, join: &Join, address: &str) -> bool {
        self.lan.iter().any(|seen| seen == address)
            || join.joining.code.hints.iter().any(|hint| hint.multiaddr() == address)
    }
}

impl Groups for Known<'_> {
    fn shown(&self, dialled: &str) -> Vec<Claim> {
        let told = |replica: &&Replica| replica.contacts().iter().any(|(_, contact)| contact == dialled);
        let live = |replica: &&Replica| !replica.is_over();
        let seen = |address: &str| self.lan.iter().any(|seen| seen == address);
        let groups = self.groups().filter(live).filter(|r| seen(dialled) || told(r));
        let claims = groups.flat_map(|replica| replica.claims_for(dialled));
        let hinted = self.joins.values().filter(|join| self.hinted(join, dialled));
        claims.chain(hinted.filter_map(|join| join.bootstrap.as_ref()).map(Bootstrap::claim)).collect()
    }

    fn recognised(&self, depth: usize) -> Vec<Claim> {
        self.groups().flat_map(|replica| replica.recognised(depth)).collect()
    }

    fn doors(&self, dialled: &str) -> Vec<Door> {
        let knocking = self.joins.values().filter(|join| join.bootstrap.is_none() && join.refused.is_none());
        knocking.filter(|join| self.hinted(join, dialled)).map(|join| join.joining.door()).collect()
    }

    fn invites(&self) -> Vec<HeldInvite> {
        let opens = |replica: &&Replica| replica.may_admit();
        let codes = self.replicas.values().filter(opens).flat_map(|replica| {
            replica.view().invites.keys().filter_map(|key| {
                let (_, peer_key) = replica.door(key)?;
                Some(HeldInvite {
                    group: replica.group(),
                    key: *key,
                    peer_key: peer_key.clone(),
                    of_member: false,
                })
            })
        });
        let ours = self.replicas.iter().filter(|(_, replica)| !replica.is_restored());
        let away = ours.flat_map(|(group, replica)| {
            let moving = doorways(self.replicas.values(), group).map(|(_, door)| door);
            let moving = moving.map(|door| (door, false));
            let doors = moving.chain(replica.doorways().map(|(_, _, door)| (door, true)));
            doors.map(|(door, of_member)| {
                let peer_key = Secret::new(*door.peer);
                HeldInvite { group: *group, key: door.key, peer_key, of_member }
            })
        });
        codes.chain(away).collect()
    }

    fn on_roster(&self, group: &GroupId, device: &DeviceKey) -> bool {
        match self.replica(group) {
            Some(replica) => replica.view().member_of(device).is_some(),
            None => self.bootstrap(group).is_some_and(|bootstrap| bootstrap.leaves().contains(device)),
        }
    }

    fn signer(&self, group: &GroupId) -> Option<SigningKey> {
        let own = self.replica(group).map(Replica::signer);
        own.or_else(|| self.bootstrap(group).map(Bootstrap::signer)).cloned()
    }

    fn heads(&self, group: &GroupId) -> Vec<LogHead> {
        self.replica(group).map(Replica::heads).unwrap_or_default()
    }

    fn id_at(&self, group: &GroupId, log: LogId, seq: u32) -> Option<EntryId> {
        let durable = Overlay::default();
        let sight = Sight { store: self.store, overlay: &durable };
        self.replica(group).and_then(|replica| replica.id_at(log, seq, sight))
    }

    fn read(&self, group: &GroupId, log: LogId, after: u32, bytes: usize) -> Vec<Vec<u8>> {
        let durable = Overlay::default();
        let sight = Sight { store: self.store, overlay: &durable };
        // What an old copy of this profile wrote never leaves: it would be an equivocation.
        let shown = |replica: &&Replica| {
            replica.frozen() != Some(Frozen::RolledBack) || replica.device() != log.device
        };
        let replica = self.replica(group).filter(shown);
        replica.map(|replica| replica.read(log, after, bytes, sight)).unwrap_or_default()
    }

    fn missing(&self, group: &GroupId) -> BTreeSet<EntryId> {
        let durable = Overlay::default();
        let sight = Sight { store: self.store, overlay: &durable };
        self.replica(group).map(|replica| replica.missing(sight)).unwrap_or_default()
    }

    fn takes_more(&self, group: &GroupId, log: LogId) -> bool {
        self.replica(group).is_none_or(|replica| replica.takes_more(log, self.now))
    }

    fn chain(&self, group: &GroupId, id: &EntryId, bytes: usize) -> Option<(DeviceKey, Vec<Vec<u8>>)> {
        let durable = Overlay::default();
        let sight = Sight { store: self.store, overlay: &durable };
        let replica = self.replica(group)?;
        replica
            .chain(id, bytes, sight)
            .filter(|(device, _)| replica.frozen() != Some(Frozen::RolledBack) || replica.device() != *device)
    }

    fn group_of(&self, author_hint: &[u8; 8], epoch_hint: &[u8; 8]) -> Option<GroupId> {
        let of_author = || self.groups().filter(|replica| replica.knows_hint(author_hint));
        let under_epoch = of_author().find(|replica| replica.knows_epoch_hint(epoch_hint));
        let is_leaf = |b: &&Bootstrap| b.leaves().iter().any(|device| device.hint() == *author_hint);
        let coming = || self.bootstraps().find(is_leaf).map(Bootstrap::group);
        // An epoch that is new here is rather one of a group than of the draft it was.
        let latest = || of_author().min_by_key(|replica| replica.is_draft()).map(Replica::group);
        under_epoch.map(Replica::group).or_else(coming).or_else(latest)
    }
}
