//! What goes into a backup, and the profile that comes out of one.

use std::collections::BTreeMap;
use std::path::Path;

use piquet_protocol::group::operation::check_name;
use piquet_protocol::id::GroupId;
use piquet_protocol::node::{NodeError, Restored};
use piquet_protocol::replica::{AuthorError, RestoreError, Section};
use piquet_protocol::store::StoreError;
use zeroize::Zeroizing;

use super::archive::{self, Content};
use super::engine::{Answer, Engine, failure};
use super::{now, profile};
use crate::control::request::BackupLock;
use crate::control::{Failure, Reply};

/// Content ready to be written, and what is said of it.
pub struct Gathered {
    content: Content,
    groups: usize,
    entries: usize,
    left_out: Vec<String>,
}

impl Gathered {
    /// Writes it: takes a second, of a passphrase's cost.
    ///
    /// # Errors
    /// See [`archive::write`].
    pub fn write(&self, file: &str, lock: &BackupLock) -> Result<Reply, Failure> {
        archive::write(Path::new(file), lock, &self.content)?;
        let (groups, entries, left_out) = (self.groups, self.entries, self.left_out.clone());
        Ok(Reply::Backup { file: file.to_owned(), groups, entries, left_out })
    }
}

/// A backup that was opened and checked, with nothing of it on any disk.
pub struct Checked {
    name: String,
    groups: Vec<Restored>,
}

impl Checked {
    /// Checks every entry and key.
    ///
    /// # Errors
    /// What is no group, or contradicts itself; what a newer version wrote.
    pub fn of(content: &Content) -> Result<Self, Failure> {
        if !content.name.is_empty() && check_name(&content.name).is_err() {
            return Err(archive::damaged());
        }
        let (now, mut rng) = (now(), profile::os_rng());
        let mut groups: Vec<Restored> = Vec::new();
        for section in &content.sections {
            let group = Restored::check(section, &mut rng, now).map_err(|error| match error {
                RestoreError::Newer => Failure::new("newer_backup", 5),
                _ => archive::damaged(),
            })?;
            if groups.iter().any(|other| other.group() == group.group()) {
                return Err(archive::damaged());
            }
            groups.push(group);
        }
        Ok(Self { name: content.name.clone(), groups })
    }
}

impl Engine {
    /// Writes a backup.
    pub(super) fn backup(&mut self, file: &str, lock: &BackupLock) -> Answer {
        Ok(vec![self.gather()?.write(file, lock)?])
    }

    /// What goes into a backup. What can't be read any more is left out and named.
    ///
    /// # Errors
    /// A disk that does not answer.
    pub fn gather(&mut self) -> Result<Gathered, Failure> {
        let gathered = self.gather_once()?;
        // Damage is found by reading: what is given up then no longer stands in the way of the rest.
        if self.mend() { self.gather_once() } else { Ok(gathered) }
    }

    fn gather_once(&mut self) -> Result<Gathered, Failure> {
        let groups: Vec<(GroupId, String)> =
            self.node.groups().map(|replica| (replica.group(), replica.name().to_owned())).collect();
        let closed = self.node.closed().map(|group| group.to_hex().chars().take(8).collect());
        let (mut written, mut entries, mut left_out) =
            (BTreeMap::new(), 0usize, closed.collect::<Vec<String>>());
        for (group, name) in groups {
            match self.node.backup(&group, now()) {
                Ok(Some(Section { bytes, entries: count })) => {
                    written.insert(group, bytes);
                    entries = entries.saturating_add(count);
                }
                Ok(None) | Err(NodeError::Author(AuthorError::Store(StoreError::Damaged))) => {
                    left_out.push(name);
                }
                Err(error) => return Err(failure(&error)),
            }
        }
        let name = self.node.name().ok().flatten().unwrap_or_default();
        // A draft is the past of the group that it became, and no group of its own.
        let groups = self.groups().iter().filter(|replica| written.contains_key(&replica.group())).count();
        let content = Content { name, sections: written.into_values().collect() };
        Ok(Gathered { content, groups, entries, left_out })
    }

    /// Makes a profile of a backup. If it can't be completed there is none.
    ///
    /// # Errors
    /// A profile that is there already; a disk that refuses.
    pub fn restore(
        home: &Path,
        passphrase: Option<Zeroizing<String>>,
        checked: Checked,
        file: &Path,
    ) -> Result<Reply, Failure> {
        let name = Some(checked.name.as_str()).filter(|name| !name.is_empty());
        let mut engine = Self::create(home, passphrase, None)?;
        if let Some(name) = name {
            engine.node.set_name(name);
        }
        let entries = checked.groups.iter().map(|group| group.entries).sum();
        let done = engine.node.restore(checked.groups, now()).map_err(|error| failure(&error));
        let groups = engine.groups().len();
        drop(engine);
        match done {
            Ok(()) => Ok(Reply::Restored { file: file.to_string_lossy().into_owned(), groups, entries }),
            Err(failure) => {
                // Better none than half of one: it is of no use, and the backup is still there.
                let _ = profile::wipe(home);
                Err(failure)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use piquet_protocol::group::seal::Suite;
    use piquet_protocol::node::Node;
    use piquet_protocol::store::MemoryStore;

    use super::*;

    fn section() -> Zeroizing<Vec<u8>> {
        let mut node = Node::open(MemoryStore::new(), Box::new(profile::os_rng()), now()).unwrap();
        let group = node.create_group("riders", "amina", Suite::Classical, now()).unwrap();
        node.flush(now()).unwrap();
        node.backup(&group, now()).unwrap().unwrap().bytes
    }

    fn refused(name: &str, sections: &[&Zeroizing<Vec<u8>>]) -> Option<(String, u8)> {
        let sections = sections.iter().map(|section| (*section).clone()).collect();
        let failure = Checked::of(&Content { name: name.to_owned(), sections }).err()?;
        Some((failure.code, failure.exit))
    }

    #[test]
    fn a_backup_with_a_group_twice_or_a_name_that_is_none_is_refused() {
        let (one, other) = (section(), section());
        let damaged = Some(("backup_damaged".to_owned(), 5));
        assert_eq!(refused("amina", &[&one, &other]), None);
        assert_eq!(refused("", &[]), None);
        assert_eq!(refused("amina", &[&one, &other, &one]), damaged);
        assert_eq!(refused("amina\u{1b}[2J", &[&one]), damaged);
        assert_eq!(refused("amina", &[&Zeroizing::new(one[..one.len() - 1].to_vec())]), damaged);
        assert_eq!(refused("amina", &[&Zeroizing::new(Vec::new())]), damaged);
    }
}
