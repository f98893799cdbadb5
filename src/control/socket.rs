//! Where the socket of a profile is.

use std::io;
use std::path::{Path, PathBuf};

use interprocess::local_socket::{GenericFilePath, Name, ToFsName};
use sha2::{Digest, Sha256};

/// Longest path most systems take for a socket.
const MAX_PATH: usize = 100;

/// The socket lies in the profile's folder; if that path is too long, in a folder of its own, open
/// to its owner alone.
pub(super) fn path(home: &Path) -> io::Result<PathBuf> {
    if cfg!(windows) {
        return Ok(PathBuf::from(format!(r"\\.\pipe\piquet-{}", short(home))));
    }
    let near = home.join("control");
    if near.as_os_str().len() < MAX_PATH {
        return Ok(near);
    }
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = runtime.join(format!("piquet-{}", short(home)));
    owner_only(&folder)?;
    Ok(folder.join("control"))
}

pub(super) fn name(path: &Path) -> io::Result<Name<'_>> {
    path.to_fs_name::<GenericFilePath>()
}

fn short(home: &Path) -> String {
    let digest = Sha256::digest(home.as_os_str().as_encoded_bytes());
    piquet_protocol::id::hex(digest.split_at(8).0)
}

#[cfg(unix)]
fn owner_only(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, MetadataExt};
    match std::fs::DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    // Somebody else may have made it first: then it is no place for a socket.
    let about = std::fs::symlink_metadata(folder)?;
    let mine =
        about.is_dir() && about.mode() & 0o077 == 0 && about.uid() == rustix::process::getuid().as_raw();
    if mine { Ok(()) } else { Err(io::ErrorKind::PermissionDenied.into()) }
}

#[cfg(not(unix))]
fn owner_only(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)
}
