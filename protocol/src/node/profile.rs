//! What a profile keeps beside its groups: their list, its name, where it listened, what it lost.

use std::collections::BTreeSet;

use super::Node;
use crate::codec::Reader;
use crate::id::GroupId;
use crate::replica::{self, Replica};
use crate::store::{Key, Overlay, Retention, Sight, Store, StoreError, Table};
use crate::time::Timestamp;

/// The profile's groups, a record each and twice, where one damaged place does not cost both: a group that can't
/// be read must not be forgotten.
const GROUPS: [(&[u8], Retention); 2] = [(b"groups", Retention::Kept), (b"groups again", Retention::Record)];

/// What losses this node has drawn its conclusions from.
fn mended_key() -> Key {
    Key::new(Table::Profile, *b"mended", 0)
}

fn ports_key() -> Key {
    Key::new(Table::Profile, *b"ports", 0)
}

/// `None` for what is damaged.
pub(super) fn readable<T>(read: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match read {
        Err(StoreError::Damaged) => Ok(None),
        other => other.map(Some),
    }
}

impl<S: Store> Node<S> {
    /// What this person is called unless said otherwise.
    ///
    /// # Errors
    /// The store's.
    pub fn name(&self) -> Result<Option<String>, StoreError> {
        let name = self.store.get(&Key::new(Table::Profile, *b"name", 0))?;
        Ok(name.and_then(|name| String::from_utf8(name).ok()))
    }

    /// Sets it.
    pub fn set_name(&mut self, name: &str) {
        self.overlay.put(Key::new(Table::Profile, *b"name", 0), Retention::Kept, name.as_bytes().to_vec());
    }

    /// The ports this profile listened at last, with IPv4 and with IPv6; 0 for none.
    ///
    /// # Errors
    /// The store's.
    pub fn ports(&self) -> Result<[u16; 2], StoreError> {
        let kept = self.store.get(&ports_key())?.unwrap_or_default();
        let mut reader = Reader::new(&kept);
        Ok([reader.u16().unwrap_or(0), reader.u16().unwrap_or(0)])
    }

    /// Keeps them for the next start: addresses that members and codes were told go on answering.
    pub fn keep_ports(&mut self, ports: [u16; 2]) {
        let record = ports.iter().flat_map(|port| port.to_be_bytes()).collect();
        self.overlay.put(ports_key(), Retention::Kept, record);
    }

    /// Records were lost, as `what` tells, which differs whenever more are: every log is held up to its first gap
    /// from here on, and nothing of one's own is written in a group before a member has shown what it has of
    /// it. All sessions end. False if that has been done already.
    ///
    /// # Errors
    /// The store's.
    pub fn mend(&mut self, what: &[u8], now: Timestamp) -> Result<bool, StoreError> {
        if self.store.get(&mended_key())?.is_some_and(|known| known == what) {
            return Ok(false);
        }
        let mut overlay = Overlay::default();
        for group in self.listed()? {
            replica::doubt(&mut overlay, &group);
        }
        overlay.put(mended_key(), Retention::Kept, what.to_vec());
        self.store.commit(overlay.take())?;
        self.abandon(now);
        let groups: Vec<GroupId> = self.replicas.keys().copied().collect();
        for group in groups {
            self.in_group(group, None, now, Replica::trust_if_alone).transpose()?;
        }
        Ok(true)
    }

    /// All groups that either list has.
    pub(super) fn listed(&self) -> Result<BTreeSet<GroupId>, StoreError> {
        let mut groups = BTreeSet::new();
        for (scope, _) in GROUPS {
            let found = readable(self.store.range(Table::Profile, scope, 0, u128::MAX, usize::MAX))?;
            let ids = found.unwrap_or_default().into_iter().filter_map(|(_, id)| id.try_into().ok());
            groups.extend(ids.map(GroupId));
        }
        Ok(groups)
    }

    /// Stages that this profile is in a group.
    pub(super) fn list_group(&mut self, group: GroupId) -> Result<(), StoreError> {
        let sight = Sight { store: &self.store, overlay: &self.overlay };
        let mut news = Vec::new();
        for (scope, retention) in GROUPS {
            let listed = sight.range(Table::Profile, scope, 0, u128::MAX, usize::MAX)?;
            if !listed.iter().any(|(_, id)| id.as_slice() == group.as_bytes()) {
                let number = listed.last().map_or(0, |(number, _)| number + 1);
                news.push((Key::new(Table::Profile, scope, number), retention));
            }
        }
        for (key, retention) in news {
            self.overlay.put(key, retention, group.as_bytes().to_vec());
        }
        Ok(())
    }
}
