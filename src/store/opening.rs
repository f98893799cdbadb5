//! Making and opening a profile.

use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use piquet_protocol::store::StoreError;

use super::disk::{DiskStore, Opened, locked, try_room};
use super::duress::clear_away;
use super::files::{Disk, make_folder, open_or_create, remove_if_there};
use super::header::HEADER;
use super::index::{Broken, Index};
use super::journal::{JOURNAL, Journal, Segments};
use super::keyring::{Keyring, VAULT};
use super::machine::Machine;
use super::migrate::{FORMAT, Format};
use super::plan::Hasher;
use super::private::make_private;
use super::replay::{ReplayError, Torn, replay};
use super::unlock::{KdfCost, Unlock};
use super::vault::{Continuity, Vault};
use super::{OpenError, store_error};

/// The lock's file.
pub(super) const LOCK: &str = "lock";

impl DiskStore {
    pub(super) fn create_on(
        disk: Arc<dyn Disk>,
        dir: &Path,
        unlock: &Unlock,
        cost: KdfCost,
        machine: &Machine,
    ) -> Result<Self, OpenError> {
        make_folder(dir)?;
        let lock = lock(dir)?;
        if dir.join(HEADER).try_exists()? {
            return Err(OpenError::Exists);
        }
        make_private(dir);
        remove_if_there(&*disk, &dir.join(VAULT))?;
        make_folder(&dir.join(JOURNAL))?;
        Index::destroy(dir)?;
        let mut keyring = Keyring::create(disk.clone(), dir, unlock, cost, FORMAT.version, |profile| {
            machine.remember(&*disk, profile, 0)?;
            Ok(Vault::new(machine.tag(profile))?)
        })?;
        let segments = Segments::new(dir, *keyring.profile());
        let index = begin(&*disk, dir, &mut keyring, &segments, machine)?;
        Self::with(disk, dir, (keyring, segments, index), None, lock)
    }

    pub(super) fn open_on(
        disk: Arc<dyn Disk>,
        dir: &Path,
        unlock: &Unlock,
        machine: &Machine,
        format: &Format,
    ) -> Result<Opened, OpenError> {
        if !dir.join(HEADER).try_exists()? {
            return Err(OpenError::NoProfile);
        }
        let lock = lock(dir)?;
        make_private(dir);
        let mut keyring = Keyring::open(disk.clone(), dir, unlock, format)?;
        let segments = Segments::new(dir, *keyring.profile());
        let found = match keyring.replaces() {
            Some(_) => Continuity::Same,
            None => machine.compare(keyring.profile(), &keyring.vault)?,
        };
        if found != Continuity::Same {
            keyring.vault.continuity = found;
        }
        let continuity = keyring.vault.continuity;
        let begun = clear_away(&*disk, dir, &mut keyring, machine);
        let begun = begun.and_then(|()| Ok(keyring.settle(format)?));
        let begun = begun.and_then(|()| {
            if found == Continuity::Same {
                machine.catch_up(&*disk, keyring.profile(), keyring.vault.opening)?;
            }
            begin(&*disk, dir, &mut keyring, &segments, machine)
        });
        let (index, refused) = match begun {
            Ok(index) => (index, None),
            Err(error) => (reading_index(&segments, &keyring.vault)?, Some(no_room(dir, error)?)),
        };
        let store = Self::with(disk, dir, (keyring, segments, index), refused, lock)?;
        Ok(Opened { store, continuity })
    }

    fn with(
        disk: Arc<dyn Disk>,
        dir: &Path,
        (keyring, segments, index): (Keyring, Segments, Index),
        refused: Option<io::ErrorKind>,
        lock: File,
    ) -> Result<Self, OpenError> {
        let damage = index.damage().map_err(broken)?;
        let hasher = Hasher::new(&keyring.vault.index_key);
        let journal = Journal::new(disk, keyring.vault.opening);
        let mut store = Self {
            dir: dir.to_path_buf(),
            keyring,
            segments,
            journal,
            hasher,
            stale: false,
            refused,
            week: week_now,
            index: Mutex::new(Some(index)),
            reader: Mutex::default(),
            damage: Mutex::new(damage.into_iter().collect()),
            _lock: lock,
        };
        if store.refused.is_none() {
            store.drop_unnamed_secrets()?;
        }
        Ok(store)
    }

    /// Destroys secrets that a crash left in the vault though nothing names them: erased in the journal, or
    /// of a batch that never became durable. Not where the journal is damaged: there a name may be lost
    /// whose secret must not be.
    fn drop_unnamed_secrets(&mut self) -> Result<(), OpenError> {
        let named = self.with_index(Index::secrets).map_err(|_| broken(Broken))?;
        let named: BTreeSet<_> = named.into_iter().collect();
        let before = self.keyring.vault.secrets.len();
        if locked(&self.damage).is_empty() {
            self.keyring.vault.secrets.retain(|id, _| named.contains(id));
        }
        if self.keyring.vault.secrets.len() < before {
            self.stale = self.keyring.rotate().is_err();
        }
        Ok(())
    }
}

/// Begins an opening: counts it in vault and state folder, then brings the index in step.
fn begin(
    disk: &dyn Disk,
    dir: &Path,
    keyring: &mut Keyring,
    segments: &Segments,
    machine: &Machine,
) -> Result<Index, OpenError> {
    let profile = *keyring.profile();
    let before = keyring.vault.opening;
    keyring.vault.opening = before.max(machine.openings(&profile)?.unwrap_or(0)) + 1;
    keyring.vault.machine = machine.tag(&profile);
    keyring.save()?;
    machine.remember(disk, &profile, keyring.vault.opening)?;
    segments.remove_abandoned(disk, &keyring.vault)?;
    let (index, torn) = open_index(dir, segments, &keyring.vault, before)?;
    cut_torn(disk, segments, &torn);
    index.set_opening(keyring.vault.opening).map_err(broken)?;
    Ok(index)
}

/// What a disk without room said; any other error stays one. An index that could not be made does not say why.
fn no_room(dir: &Path, error: OpenError) -> Result<io::ErrorKind, OpenError> {
    let is_full = |error: &io::Error| store_error(error) == StoreError::Full;
    match error {
        OpenError::Io(error) if is_full(&error) => Ok(error.kind()),
        OpenError::Io(error) => match try_room(dir) {
            Err(room) if is_full(&room) => Ok(room.kind()),
            _ => Err(error.into()),
        },
        error => Err(error),
    }
}

/// Another command may hold the profile for a moment: a node that starts then waits this long for it.
const LOCK_PATIENCE: Duration = Duration::from_secs(3);
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// Takes the profile's lock (S-6), which the system lets go of when the process ends, however it ends.
pub(super) fn lock(dir: &Path) -> Result<File, OpenError> {
    let file = open_or_create(&dir.join(LOCK))?;
    let end = Instant::now() + LOCK_PATIENCE;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < end => std::thread::sleep(LOCK_PAUSE),
            Err(TryLockError::WouldBlock) => return Err(OpenError::Locked),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
    }
}

/// The index in step with the journal: the one on disk, if it can be trusted and is from the last opening,
/// else a new one.
fn open_index(dir: &Path, segments: &Segments, vault: &Vault, last: u64) -> Result<(Index, Torn), OpenError> {
    let trusted = Index::is_trusted(dir);
    if let Some(index) = trusted.then(|| Index::open(dir).ok()).flatten() {
        if matches!(index.opening(), Ok(Some(opening)) if opening == last) {
            match replay(segments, vault, &index) {
                Ok(torn) => return Ok((index, torn)),
                Err(ReplayError::Io(error)) => return Err(error.into()),
                Err(ReplayError::Index) => {}
            }
        }
        index.abandon();
    }
    fresh_index(dir, segments, vault)
}

/// An index of what is there, for an opening that writes nothing.
pub(super) fn reading_index(segments: &Segments, vault: &Vault) -> Result<Index, OpenError> {
    let index = Index::in_memory();
    match replay(segments, vault, &index) {
        Ok(_) => Ok(index),
        Err(ReplayError::Io(error)) => Err(error.into()),
        Err(ReplayError::Index) => Err(broken(Broken)),
    }
}

/// An index made anew from the journal.
pub(super) fn fresh_index(
    dir: &Path,
    segments: &Segments,
    vault: &Vault,
) -> Result<(Index, Torn), OpenError> {
    Index::destroy(dir)?;
    let index = Index::open(dir).map_err(broken)?;
    match replay(segments, vault, &index) {
        Ok(torn) => Ok((index, torn)),
        Err(ReplayError::Io(error)) => Err(error.into()),
        Err(ReplayError::Index) => Err(broken(Broken)),
    }
}

/// Removes what a crash left behind the last frame. If that fails it is only found again.
fn cut_torn(disk: &dyn Disk, segments: &Segments, torn: &Torn) {
    for (number, end) in torn {
        if let Ok(file) = open_or_create(&segments.path(*number)) {
            let _ = disk.truncate(&file, *end).and_then(|()| disk.sync(&file));
        }
    }
}

/// Whether no process uses the profile in `dir`, one that is ending included.
///
/// # Errors
/// A disk that does not answer.
pub fn is_free(dir: &Path) -> Result<bool, OpenError> {
    match lock(dir) {
        Err(OpenError::Locked) => Ok(false),
        lock => lock.map(|_| true),
    }
}

fn broken(_: Broken) -> OpenError {
    OpenError::Io(io::Error::other("index"))
}

/// Weeks since 1970: journal segments are a week long at most. The store looks at the clock for nothing
/// else.
fn week_now() -> u32 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u32::try_from(now.as_secs() / (7 * 24 * 3600)).unwrap_or(u32::MAX)
}
