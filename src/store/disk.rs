//! A profile's store: its parts, and looking after it.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use piquet_protocol::store::StoreError;
use zeroize::Zeroizing;

use super::files::{RealDisk, next_name, remove_if_there, replace};
use super::header::Header;
use super::index::{Broken, Index, Position};
use super::journal::{Journal, Segments};
use super::keyring::Keyring;
use super::machine::Machine;
use super::migrate::FORMAT;
use super::opening::{fresh_index, reading_index};
use super::plan::{Hasher, Plan};
use super::private::is_private;
use super::reader::FrameReader;
use super::scan::{Cursor, Tail};
use super::unlock::{KdfCost, Unlock};
use super::vault::Continuity;
use super::{Damage, Kind, OpenError, store_error};

/// What a store needs to go on for a while, in bytes.
const ROOM: usize = 256 << 10;

/// A profile's store on disk. One per profile at a time: it holds the profile's lock.
pub struct DiskStore {
    pub(super) dir: PathBuf,
    pub(super) keyring: Keyring,
    pub(super) segments: Segments,
    pub(super) journal: Journal,
    pub(super) hasher: Hasher,
    /// Something is out of the vault, or never was valid in it, that an old vault file may still hold.
    pub(super) stale: bool,
    /// What the disk said when the opening could not be noted: then nothing is written at all.
    pub(super) refused: Option<io::ErrorKind>,
    pub(super) week: fn() -> u32,
    pub(super) index: Mutex<Option<Index>>,
    pub(super) reader: Mutex<FrameReader>,
    pub(super) damage: Mutex<BTreeSet<Damage>>,
    /// Let go of last.
    pub(super) _lock: File,
}

/// A store, and what opening it found.
pub struct Opened {
    /// The store.
    pub store: DiskStore,
    /// Whether this is the machine's own last state. If it is not, nothing of one's own may be written
    /// to a group with it; every opening says so until [`DiskStore::settle`].
    pub continuity: Continuity,
}

/// Whether [`Unlock::Passphrase`] is needed to open the profile.
///
/// # Errors
/// As for [`DiskStore::open`].
pub fn wants_passphrase(dir: &Path) -> Result<bool, OpenError> {
    let blocks = Header::read(dir, FORMAT.version)?;
    Ok(blocks.first().is_some_and(|(_, block)| block.kind != Unlock::KeyFile.kind()))
}

impl DiskStore {
    /// Makes a profile in `dir`, which is created if need be, for its owner only.
    ///
    /// # Errors
    /// [`OpenError::Exists`], [`OpenError::Locked`], [`OpenError::Io`]. A profile whose making was
    /// interrupted can be made again.
    pub fn create(dir: &Path, unlock: &Unlock, cost: KdfCost, machine: &Machine) -> Result<Self, OpenError> {
        Self::create_on(Arc::new(RealDisk), dir, unlock, cost, machine)
    }

    /// Opens the profile in `dir`, finishing or undoing what a crash interrupted. Where the disk has no room even
    /// for that, it is opened for reading: see [`DiskStore::writable`].
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(dir: &Path, unlock: &Unlock, machine: &Machine) -> Result<Opened, OpenError> {
        Self::open_on(Arc::new(RealDisk), dir, unlock, machine, &FORMAT)
    }

    /// Damage found while indexing, now or at an earlier opening, and in what was read since this one.
    /// [`DiskStore::check`] reads everything.
    pub fn damage(&self) -> Vec<Damage> {
        locked(&self.damage).iter().copied().collect()
    }

    /// Reads the whole journal and says what is damaged.
    ///
    /// # Errors
    /// [`StoreError::Io`] if the disk does not answer at all.
    pub fn check(&self) -> Result<Vec<Damage>, StoreError> {
        for number in self.keyring.vault.segments.keys() {
            let known = self.with_index(|index| index.cursor(*number))?.unwrap_or_default();
            self.check_segment(*number, known).map_err(|error| store_error(&error))?;
        }
        Ok(self.damage())
    }

    /// Gives up the records that can't be read, so that ranges no longer meet them and no older version of
    /// them comes back. What is lost is lost; the frames stay in [`DiskStore::damage`].
    ///
    /// # Errors
    /// As for [`piquet_protocol::store::Store::commit`].
    pub fn forget_damaged(&mut self) -> Result<(), StoreError> {
        let vault = &self.keyring.vault;
        let gone = |number: &u32| !matches!(self.segments.open(vault, *number), Ok(Some(_)));
        let gone: BTreeSet<u32> = vault.segments.keys().copied().filter(gone).collect();
        let damage = self.damage();
        let within = |damage: &Damage, position: &Position| {
            damage.segment == position.segment && (damage.first..=damage.last).contains(&position.frame)
        };
        loop {
            let lost = self.with_index(|index| {
                index.lost(|at| gone.contains(&at.segment) || damage.iter().any(|damage| within(damage, at)))
            })?;
            if lost.is_empty() {
                return Ok(());
            }
            self.carry_out(Plan::giving_up(&lost, &self.keyring.vault))?;
        }
    }

    /// What a damaged segment held.
    pub fn kind_of(&self, damage: &Damage) -> Kind {
        let class = self.keyring.vault.segments.get(&damage.segment).map(|segment| segment.class);
        class.map_or(Kind::Unknown, Kind::of)
    }

    /// Whether this opening may write. If not, nothing is written in it, not even that it took place, so
    /// that the next one finds what this one found (S-25).
    ///
    /// # Errors
    /// What the disk said when the profile was opened, as every commit will.
    pub fn writable(&self) -> Result<(), StoreError> {
        self.may_write().map_err(|error| store_error(&error))
    }

    pub(super) fn may_write(&self) -> io::Result<()> {
        self.refused.map_or(Ok(()), |why| Err(why.into()))
    }

    /// Whether there is room for a vault and some messages.
    ///
    /// # Errors
    /// What the disk says if not.
    pub fn has_room(&self) -> Result<(), StoreError> {
        try_room(&self.dir).map_err(|error| store_error(&error))
    }

    /// Whether other users of the machine are kept from the profile's folder.
    pub fn is_private(&self) -> bool {
        is_private(&self.dir)
    }

    /// Whether something erased is still waiting for its key to be destroyed, because the disk refused
    /// so far. It is tried again with every commit and opening.
    pub fn erasure_pending(&self) -> bool {
        self.stale
    }

    /// Changes how the profile is opened; its contents stay as they are, and a duress passphrase stays in
    /// force, unless the passphrase is taken away. On error, the old way opens it, or both do.
    ///
    /// # Errors
    /// [`OpenError::Io`]; [`OpenError::SamePassphrase`] for the duress passphrase.
    pub fn change_passphrase(&mut self, unlock: &Unlock) -> Result<(), OpenError> {
        self.may_write()?;
        self.keyring.rewrap(unlock)
    }

    /// Sets, changes or takes away the duress passphrase: at every opening from then on it destroys the
    /// profile and opens an empty one in its place. Nothing here tells whether one is set, not even to
    /// who knows the first passphrase. On error the old one is in force, or both are.
    ///
    /// # Errors
    /// [`OpenError::SamePassphrase`] for the first passphrase, [`OpenError::NoPassphrase`] in a profile without
    /// one, [`OpenError::Io`].
    pub fn set_duress(&mut self, passphrase: Option<Zeroizing<String>>) -> Result<(), OpenError> {
        self.may_write()?;
        let unlock = passphrase.map(Unlock::Passphrase);
        self.keyring.set_duress(unlock.as_ref())
    }

    /// Takes this state as the machine's own from here on: the caller has become a new device, or a peer
    /// has shown that nothing is missing.
    ///
    /// # Errors
    /// As for [`piquet_protocol::store::Store::commit`].
    pub fn settle(&mut self) -> Result<(), StoreError> {
        self.writable()?;
        self.keyring.vault.continuity = Continuity::Same;
        self.keyring.save().map_err(|error| store_error(&error))
    }

    /// Asks the index; if it breaks, rebuilds it and asks again.
    pub(super) fn with_index<T>(&self, ask: impl Fn(&Index) -> Result<T, Broken>) -> Result<T, StoreError> {
        let mut slot = locked(&self.index);
        if let Some(Ok(answer)) = slot.as_ref().map(&ask) {
            return Ok(answer);
        }
        self.rebuild(&mut slot)?;
        match slot.as_ref().map(&ask) {
            Some(Ok(answer)) => Ok(answer),
            _ => Err(index_error()),
        }
    }

    /// Makes the index anew from the journal.
    pub(super) fn rebuild(&self, slot: &mut Option<Index>) -> Result<(), StoreError> {
        if let Some(index) = slot.take() {
            index.abandon();
        }
        let vault = &self.keyring.vault;
        let index = match self.refused {
            None => fresh_index(&self.dir, &self.segments, vault).map(|(index, _)| index),
            Some(_) => reading_index(&self.segments, vault),
        };
        let index = index.map_err(|_| index_error())?;
        index.set_opening(vault.opening).map_err(|_| index_error())?;
        locked(&self.damage).extend(index.damage().map_err(|_| index_error())?);
        *slot = Some(index);
        Ok(())
    }

    /// Notes damage.
    pub(super) fn damaged(&self, segment: u32, first: u32, last: u32) -> StoreError {
        locked(&self.damage).insert(Damage { segment, first, last });
        StoreError::Damaged
    }

    /// Reads a segment which is indexed up to `known`.
    fn check_segment(&self, number: u32, known: Cursor) -> io::Result<()> {
        let Some(mut scan) = self.segments.scan(&self.keyring.vault, number, Cursor::default())? else {
            self.damaged(number, 0, 0);
            return Ok(());
        };
        while scan.next()?.is_some() {}
        for (first, last) in scan.gaps().to_vec() {
            self.damaged(number, first, last);
        }
        let end = scan.cursor().index;
        if known.index > end || scan.tail()? == Tail::Damaged {
            self.damaged(number, end, known.index.saturating_sub(1).max(end));
        }
        Ok(())
    }
}

impl Drop for DiskStore {
    /// The index is only a cache, but flushing it now saves replaying at the next opening.
    fn drop(&mut self) {
        if let Some(index) = locked(&self.index).take() {
            index.close();
        }
    }
}

/// Whether there is [`ROOM`] in this folder.
pub(super) fn try_room(dir: &Path) -> io::Result<()> {
    let (disk, path) = (RealDisk, dir.join("room"));
    let tried = replace(&disk, &path, &vec![0; ROOM]);
    let tidied = remove_if_there(&disk, &next_name(&path)).and(remove_if_there(&disk, &path));
    tried.and(tidied)
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn index_error() -> StoreError {
    StoreError::Io("the index can't be rebuilt".into())
}
