//! Making and opening a profile.

use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::OpenError;
use super::disk::{DiskStore, Opened, locked};
use super::files::{Disk, make_folder, open_or_create, remove_if_there};
use super::header::HEADER;
use super::index::{Broken, Index};
use super::journal::{JOURNAL, Journal, Segments};
use super::keyring::{Keyring, VAULT};
use super::machine::Machine;
use super::migrate::{FORMAT, Format};
use super::plan::Hasher;
use super::replay::{ReplayError, Torn, replay};
use super::seal::random_key;
use super::unlock::{KdfCost, Unlock};
use super::vault::{Continuity, Vault};

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
        remove_if_there(&*disk, &dir.join(VAULT))?;
        make_folder(&dir.join(JOURNAL))?;
        Index::destroy(dir)?;
        let keyring = Keyring::create(disk.clone(), dir, unlock, cost, FORMAT.version, |profile| {
            machine.remember(&*disk, profile, 0)?;
            new_vault(machine.tag(profile))
        })?;
        Self::start(disk, dir, keyring, machine, lock)
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
        let mut keyring = Keyring::open(disk.clone(), dir, unlock, format)?;
        let found = machine.compare(keyring.profile(), &keyring.vault)?;
        match found {
            Continuity::Same => machine.catch_up(&*disk, keyring.profile(), keyring.vault.opening)?,
            other => keyring.vault.continuity = other,
        }
        let continuity = keyring.vault.continuity;
        Ok(Opened { store: Self::start(disk, dir, keyring, machine, lock)?, continuity })
    }

    /// Begins an opening: counts it in vault and state folder, then brings the index in step.
    fn start(
        disk: Arc<dyn Disk>,
        dir: &Path,
        mut keyring: Keyring,
        machine: &Machine,
        lock: File,
    ) -> Result<Self, OpenError> {
        let profile = *keyring.profile();
        let before = keyring.vault.opening;
        keyring.vault.opening = before.max(machine.openings(&profile)?.unwrap_or(0)) + 1;
        keyring.vault.machine = machine.tag(&profile);
        keyring.save()?;
        machine.remember(&*disk, &profile, keyring.vault.opening)?;
        let opening = keyring.vault.opening;
        let segments = Segments::new(dir, profile);
        segments.remove_abandoned(&*disk, &keyring.vault)?;
        let (index, torn) = open_index(dir, &segments, &keyring.vault, before)?;
        cut_torn(&*disk, &segments, &torn);
        let damage = index.damage().map_err(broken)?;
        index.set_opening(opening).map_err(broken)?;
        let hasher = Hasher::new(&keyring.vault.index_key);
        let mut store = Self {
            dir: dir.to_path_buf(),
            keyring,
            segments,
            journal: Journal::new(disk, opening),
            hasher,
            stale: false,
            week: week_now,
            index: Mutex::new(Some(index)),
            reader: Mutex::default(),
            damage: Mutex::new(damage.into_iter().collect()),
            _lock: lock,
        };
        store.drop_unnamed_secrets()?;
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

fn new_vault(machine: [u8; 32]) -> Result<Vault, OpenError> {
    Ok(Vault {
        generation: 1,
        opening: 0,
        machine,
        continuity: Continuity::Same,
        index_key: random_key()?,
        segments: Default::default(),
        secrets: Default::default(),
    })
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

fn broken(_: Broken) -> OpenError {
    OpenError::Io(io::Error::other("index"))
}

/// Weeks since 1970: journal segments are a week long at most. The store looks at the clock for nothing
/// else.
fn week_now() -> u32 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u32::try_from(now.as_secs() / (7 * 24 * 3600)).unwrap_or(u32::MAX)
}
