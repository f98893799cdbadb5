//! Destroying a profile (S-24): keys first, so that an interrupted wipe has already done the essential. Nor
//! does it wait for whoever uses the profile: a lock is no reason to keep keys.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::OpenError;
use super::files::{Disk, RealDisk, next_name, open_existing, overwrite, remove_if_there};
use super::header::{HEADER, Header};
use super::index::Index;
use super::journal::JOURNAL;
use super::keyring::VAULT;
use super::machine::Machine;
use super::opening::{LOCK, lock};
use super::unlock::KEY_FILE;

/// The socket of a node that was killed.
pub(super) const CONTROL: &str = "control";

/// Destroys the profile in `dir` for good, without asking for its passphrase: header and key file are
/// overwritten, then the vault, then all files of the store and the folder, if nothing else is in it.
/// Once the keys are gone, `stop` is to end whoever uses the profile. On an SSD old sectors may survive;
/// with a good passphrase they open nothing.
///
/// # Errors
/// [`OpenError::NoProfile`] if nothing of a profile is there, [`OpenError::Locked`] if all is gone from the
/// disk, but a process still uses it, [`OpenError::Io`] if the disk refuses; then it can be called again.
pub fn wipe(dir: &Path, machine: &Machine, stop: impl FnOnce()) -> Result<(), OpenError> {
    wipe_on(&RealDisk, dir, machine, stop)
}

pub(super) fn wipe_on(
    disk: &dyn Disk,
    dir: &Path,
    machine: &Machine,
    stop: impl FnOnce(),
) -> Result<(), OpenError> {
    let there = |name: &str| dir.join(name).exists();
    // A wipe that was interrupted after its keys were gone leaves a lock and a journal.
    let unfinished = there(LOCK) && there(JOURNAL);
    if !unfinished && ![HEADER, KEY_FILE, VAULT].into_iter().any(there) {
        return Err(OpenError::NoProfile);
    }
    let profile = Header::read(dir, u32::MAX).ok().and_then(|blocks| Some(blocks.first()?.1.profile));
    let keys = [HEADER, KEY_FILE, VAULT];
    let destroyed = destroy(disk, dir, &keys)?;
    stop();
    let lock = match lock(dir) {
        Err(OpenError::Locked) => None,
        lock => Some(lock?),
    };
    // Whoever was stopped may have written them once more on the way.
    destroyed.iter().try_for_each(|file| overwrite(disk, file))?;
    destroy(disk, dir, &keys)?;
    if let Some(profile) = profile {
        machine.forget(disk, &profile)?;
    }
    remove_journal(disk, &dir.join(JOURNAL))?;
    Index::destroy(dir)?;
    remove_if_there(disk, &dir.join(CONTROL))?;
    // The lock goes last: it says that there is something to go on with.
    disk.sync_folder(dir)?;
    let still_used = lock.is_none();
    drop(lock);
    disk.remove(&dir.join(LOCK))?;
    // What other files are here is not ours to remove.
    let _ = fs::remove_dir(dir);
    if still_used { Err(OpenError::Locked) } else { Ok(()) }
}

/// Overwrites and removes files that hold keys, in this order; returns them, which have no name any more.
pub(super) fn destroy(disk: &dyn Disk, dir: &Path, names: &[&str]) -> io::Result<Vec<File>> {
    let mut destroyed = Vec::new();
    let versions = |name| [dir.join(name), next_name(&dir.join(name))];
    for path in names.iter().flat_map(versions) {
        let Some(file) = open_existing(&path)? else { continue };
        overwrite(disk, &file)?;
        disk.remove(&path)?;
        destroyed.push(file);
    }
    Ok(destroyed)
}

pub(super) fn remove_journal(disk: &dyn Disk, folder: &Path) -> io::Result<()> {
    let segments = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    for segment in segments.map(|segment| segment.map(|segment| segment.path())) {
        let segment = segment?;
        if segment.is_file() {
            disk.remove(&segment)?;
        }
    }
    disk.sync_folder(folder)?;
    fs::remove_dir_all(folder)
}
