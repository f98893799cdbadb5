//! The profile folder: making, opening, wiping.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use directories::ProjectDirs;
use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use zeroize::Zeroizing;

use crate::control::client::Client;
use crate::control::{Failure, Request};
use crate::store::{DiskStore, KdfCost, Machine, OpenError, Opened, Unlock};

/// The operating system's randomness. Without it nothing here can be trusted, so failing ends the
/// process.
pub fn os_rng() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}

/// The platform's folder for a profile.
///
/// # Errors
/// If the platform names none.
pub fn default_home() -> Result<PathBuf, Failure> {
    let dirs = ProjectDirs::from("", "", "piquet").ok_or_else(|| Failure::new("no_home", 1))?;
    Ok(dirs.data_dir().to_owned())
}

/// Whether there is a profile.
///
/// # Errors
/// A home that is no folder, or can't be looked into.
pub fn exists(home: &Path) -> Result<bool, Failure> {
    match crate::store::wants_passphrase(home) {
        Err(OpenError::NoProfile) => Ok(false),
        Err(error @ OpenError::Io(_)) => Err(failure(&error)),
        _ => Ok(true),
    }
}

/// Whether a profile asks for a passphrase.
///
/// # Errors
/// No profile, or a damaged one.
pub fn wants_passphrase(home: &Path) -> Result<bool, Failure> {
    crate::store::wants_passphrase(home).map_err(|error| failure(&error))
}

/// The machine's memory of its profiles; `PIQUET_STATE` puts it elsewhere, for tests and for
/// profiles on removable disks.
fn machine() -> Result<Machine, Failure> {
    let machine = match std::env::var_os("PIQUET_STATE") {
        Some(folder) => Machine::at(Path::new(&folder)),
        None => Machine::this(),
    };
    machine.map_err(|_| Failure::new("no_state", 1))
}

fn unlock(passphrase: Option<Zeroizing<String>>) -> Unlock {
    passphrase.map_or(Unlock::KeyFile, Unlock::Passphrase)
}

/// Makes a profile.
///
/// # Errors
/// One that is there already; a disk that refuses.
pub fn create(home: &Path, passphrase: Option<Zeroizing<String>>) -> Result<DiskStore, Failure> {
    let made = DiskStore::create(home, &unlock(passphrase), KdfCost::tuned(), &machine()?);
    made.map_err(|error| failure(&error))
}

/// Opens a profile, and tells whether it is this machine's own last state.
///
/// # Errors
/// Why it stays closed.
pub fn open(home: &Path, passphrase: Option<Zeroizing<String>>) -> Result<Opened, Failure> {
    DiskStore::open(home, &unlock(passphrase), &machine()?).map_err(|error| failure(&error))
}

/// Changes the passphrase, or takes it away.
///
/// # Errors
/// That it is the duress passphrase; a disk that refuses.
pub fn change_passphrase(opened: &mut Opened, new: Option<Zeroizing<String>>) -> Result<(), Failure> {
    opened.store.change_passphrase(&unlock(new)).map_err(|error| failure(&error))
}

/// Sets the duress passphrase, or takes it away.
///
/// # Errors
/// That it is the first passphrase; a profile without one; a disk that refuses.
pub fn set_duress(opened: &mut Opened, new: Option<Zeroizing<String>>) -> Result<(), Failure> {
    opened.store.set_duress(new).map_err(|error| failure(&error))
}

/// How long a running node is given to say that it ends.
const STOP_PATIENCE: Duration = Duration::from_secs(3);

/// Destroys a profile: the header first, then the keys; then a running node is told to end, and the files go.
///
/// # Errors
/// A disk that refuses; `still_running` if all is gone from the disk, but a process that has it in memory does
/// not end.
pub fn wipe(home: &Path) -> Result<(), Failure> {
    exists(home)?;
    crate::store::wipe(home, &machine()?, || _ = stop(home)).map_err(|error| match error {
        OpenError::Locked => Failure::new("still_running", 1),
        error => failure(&error),
    })
}

/// Ends a running node at once, so that no key is in memory any more; false if none runs.
///
/// # Errors
/// No profile; `not_locked` if a process goes on using it.
pub fn lock(home: &Path) -> Result<bool, Failure> {
    if !exists(home)? {
        return Err(Failure::new("no_profile", 1));
    }
    let ran = stop(home);
    match crate::store::is_free(home).map_err(|error| failure(&error))? {
        true => Ok(ran),
        false => Err(Failure::new("not_locked", 1)),
    }
}

/// Tells a running node to end; false if none runs. Asks in a thread, for a node that hangs never answers.
fn stop(home: &Path) -> bool {
    let (home, (ended, wait)) = (home.to_owned(), mpsc::channel());
    std::thread::spawn(move || {
        let mut node = Client::connect(&home);
        if let Some(node) = &mut node {
            // A node that is gone has ended too.
            let _ = node.call(&Request::Stop, |_| true);
        }
        let _ = ended.send(node.is_some());
    });
    wait.recv_timeout(STOP_PATIENCE).unwrap_or(true)
}

/// What the disk said, as far as somebody can do something about it.
fn disk_code(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => "disk_full",
        ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => "read_only",
        ErrorKind::NotADirectory => "home_is_file",
        ErrorKind::OutOfMemory => "no_memory",
        _ => "disk",
    }
}

fn failure(error: &OpenError) -> Failure {
    if let OpenError::Io(error) = error {
        return Failure::new(disk_code(error.kind()), 1);
    }
    let exit = match error {
        OpenError::HeaderDamaged | OpenError::VaultDamaged | OpenError::NewerVersion => 5,
        OpenError::WrongPassphrase => 4,
        _ => 1,
    };
    Failure::new(&error.code().replace('-', "_"), exit)
}
