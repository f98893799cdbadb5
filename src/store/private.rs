//! Keeping a profile from other users of the machine. What the store makes is its owner's alone from the start;
//! folders that were there before, and copies, may not be (S-26).

use std::fs;
use std::path::{Path, PathBuf};

use super::header::HEADER;
use super::index::INDEX;
use super::journal::JOURNAL;
use super::keyring::VAULT;
use super::opening::LOCK;
use super::unlock::KEY_FILE;
use super::wipe::CONTROL;

/// All that lies in a profile's folder for long.
const OURS: [&str; 7] = [HEADER, KEY_FILE, VAULT, LOCK, JOURNAL, INDEX, CONTROL];

/// Takes what access others have: to all that is the store's, and to the folder, if nothing else lies in it.
/// What is not this user's to change stays as it is: [`is_private`] tells.
pub(super) fn make_private(dir: &Path) {
    ours(dir).for_each(|path| close(&path));
    if holds_nothing_else(dir) {
        close(dir);
    }
}

/// Whether others can neither open what is the store's nor put anything in its place.
pub(super) fn is_private(dir: &Path) -> bool {
    let access = |path: &Path| others_access(path).unwrap_or(0);
    access(dir) == 0 || (access(dir) & 0o022 == 0 && ours(dir).all(|path| access(&path) == 0))
}

fn ours(dir: &Path) -> impl Iterator<Item = PathBuf> {
    OURS.into_iter().map(|name| dir.join(name))
}

fn holds_nothing_else(dir: &Path) -> bool {
    let Ok(entries) = fs::read_dir(dir) else { return false };
    let known = |name: &std::ffi::OsStr| OURS.iter().any(|ours| name == *ours);
    entries.into_iter().all(|entry| entry.is_ok_and(|entry| known(&entry.file_name())))
}

/// What others may do with a file or folder of this user's; none for what is not there, or is a link.
#[cfg(unix)]
fn others_access(path: &Path) -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    let metadata = fs::symlink_metadata(path).ok().filter(|metadata| !metadata.is_symlink())?;
    Some(metadata.mode() & 0o077)
}

/// Other systems keep a user's folders from others by themselves.
#[cfg(not(unix))]
fn others_access(_: &Path) -> Option<u32> {
    None
}

#[cfg(unix)]
fn close(path: &Path) {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let own = |metadata: &fs::Metadata| metadata.uid() == rustix::process::geteuid().as_raw();
    if others_access(path).is_some_and(|access| access != 0)
        && let Ok(metadata) = fs::metadata(path)
        && own(&metadata)
    {
        // A file system without permissions: told by `is_private`.
        let _ = fs::set_permissions(path, fs::Permissions::from_mode(metadata.mode() & 0o700));
    }
}

#[cfg(not(unix))]
fn close(_: &Path) {}
