//! Destroying a profile (S-24): keys first, so that an interrupted wipe has already done the essential.

use std::fs;
use std::io;
use std::path::Path;

use super::OpenError;
use super::files::{Disk, RealDisk, next_name, remove_if_there, shred};
use super::header::{HEADER, Header};
use super::index::Index;
use super::journal::JOURNAL;
use super::keyring::VAULT;
use super::machine::Machine;
use super::opening::{LOCK, lock};
use super::unlock::KEY_FILE;

/// The socket of a node that was killed.
const CONTROL: &str = "control";

/// Destroys the profile in `dir` for good, without asking for its passphrase: header and key file are
/// overwritten, then the vault, then all files of the store and the folder, if nothing else is in it.
/// On an SSD old sectors may survive; with a good passphrase they open nothing.
///
/// # Errors
/// [`OpenError::NoProfile`] if nothing of a profile is there, [`OpenError::Locked`] while a process uses
/// it, [`OpenError::Io`] if the disk refuses; then it can be called again.
pub fn wipe(dir: &Path, machine: &Machine) -> Result<(), OpenError> {
    wipe_on(&RealDisk, dir, machine)
}

pub(super) fn wipe_on(disk: &dyn Disk, dir: &Path, machine: &Machine) -> Result<(), OpenError> {
    let files = [HEADER, KEY_FILE, VAULT];
    let there = |name: &str| dir.join(name).exists();
    // A wipe that was interrupted after its keys were gone leaves a lock and a journal.
    let unfinished = there(LOCK) && there(JOURNAL);
    if !unfinished && !files.into_iter().any(there) {
        return Err(OpenError::NoProfile);
    }
    let lock = lock(dir)?;
    let profile = Header::read(dir, u32::MAX).ok().and_then(|blocks| Some(blocks.first()?.1.profile));
    for name in files {
        shred(disk, &dir.join(name))?;
        shred(disk, &next_name(&dir.join(name)))?;
    }
    if let Some(profile) = profile {
        machine.forget(&profile)?;
    }
    remove_journal(disk, &dir.join(JOURNAL))?;
    Index::destroy(dir)?;
    remove_if_there(disk, &dir.join(CONTROL))?;
    // The lock goes last: it says that there is something to go on with.
    disk.sync_folder(dir)?;
    drop(lock);
    disk.remove(&dir.join(LOCK))?;
    // What other files are here is not ours to remove.
    let _ = fs::remove_dir(dir);
    Ok(())
}

fn remove_journal(disk: &dyn Disk, folder: &Path) -> io::Result<()> {
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
