//! The few ways the store changes files. Behind a trait, so that tests can fill the disk or pull the
//! plug at any of them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Every change the store makes to a file of its own (the index excepted, which can be rebuilt).
pub(super) trait Disk: Send + Sync {
    /// Creates a file that must not exist, readable by its owner only.
    fn create(&self, path: &Path) -> io::Result<File>;
    /// Writes all bytes at an offset.
    fn write_at(&self, file: &File, at: u64, bytes: &[u8]) -> io::Result<()>;
    /// Returns when the file's bytes are durable.
    fn sync(&self, file: &File) -> io::Result<()>;
    /// Tells the disk that it need not keep these bytes, which are zeros from here on, if it can be told.
    fn discard(&self, file: &File, at: u64, len: u64);
    /// Cuts a file.
    fn truncate(&self, file: &File, len: u64) -> io::Result<()>;
    /// Replaces `to` by `from`.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Returns when the folder's names are durable.
    fn sync_folder(&self, path: &Path) -> io::Result<()>;
}

/// The real disk.
pub(super) struct RealDisk;

impl Disk for RealDisk {
    fn create(&self, path: &Path) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        owner_only(&mut options).open(path)
    }

    fn write_at(&self, mut file: &File, at: u64, bytes: &[u8]) -> io::Result<()> {
        file.seek(SeekFrom::Start(at))?;
        file.write_all(bytes)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    /// A hole: a file system that is mounted so, or trimmed from time to time, passes it on to the disk.
    #[cfg(target_os = "linux")]
    fn discard(&self, file: &File, at: u64, len: u64) {
        use rustix::fs::{FallocateFlags, fallocate};
        // What was there is noise already; not every file system can do this.
        let _ = fallocate(file, FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE, at, len);
    }

    #[cfg(not(target_os = "linux"))]
    fn discard(&self, _file: &File, _at: u64, _len: u64) {}

    fn truncate(&self, file: &File, len: u64) -> io::Result<()> {
        file.set_len(len)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    #[cfg(unix)]
    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    /// Windows has no such call; its file systems order names by themselves.
    #[cfg(not(unix))]
    fn sync_folder(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }
}

/// The name a file's next version has until it replaces it.
pub(super) fn next_name(path: &Path) -> PathBuf {
    path.with_extension("next")
}

/// Writes a whole new file beside `path` under [`next_name`]. Its bytes are durable, its name only with
/// [`take_place`]: until then the file at `path` is in force. A part of it is not left behind: it would take
/// the last room of a full disk.
pub(super) fn write_next(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let next = next_name(path);
    remove_if_there(disk, &next)?;
    let file = disk.create(&next)?;
    let written = disk.write_at(&file, 0, bytes).and_then(|()| disk.sync(&file));
    if written.is_err() {
        // Where this fails, too, the next writing or opening removes it.
        let _ = disk.remove(&next);
    }
    written
}

/// Lets the file of [`write_next`] take its place; may be repeated until it succeeds.
pub(super) fn take_place(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    let next = next_name(path);
    if next.try_exists()? {
        disk.rename(&next, path)?;
    }
    sync_parent(disk, path)
}

/// Replaces a small file as a whole.
pub(super) fn replace(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_next(disk, path, bytes)?;
    take_place(disk, path)
}

/// Removes a file that may be missing.
pub(super) fn remove_if_there(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    if path.try_exists()? { disk.remove(path) } else { Ok(()) }
}

/// Opens a file for overwriting it, `None` if there is none.
pub(super) fn open_existing(path: &Path) -> io::Result<Option<File>> {
    match OpenOptions::new().write(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        file => file.map(Some),
    }
}

/// Overwrites a file with random bytes. On an SSD the old bytes may survive somewhere; nothing a program can
/// do reaches them.
pub(super) fn overwrite(disk: &dyn Disk, file: &File) -> io::Result<()> {
    let mut noise = vec![0; usize::try_from(file.metadata()?.len()).unwrap_or(0)];
    getrandom::fill(&mut noise).map_err(io::Error::other)?;
    disk.write_at(file, 0, &noise)?;
    disk.sync(file)
}

/// Overwrites a file, then removes it.
pub(super) fn shred(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    let Some(file) = open_existing(path)? else { return Ok(()) };
    overwrite(disk, &file)?;
    drop(file);
    disk.remove(path)
}

/// A file's bytes, `None` if there is no such file.
///
/// # Errors
/// `InvalidData` if it is larger than `limit`: its size is asked before memory is taken.
pub(super) fn read_bounded(path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::ErrorKind::InvalidData.into());
    }
    Ok(Some(bytes))
}

/// Makes a folder, and those above it, for its owner only.
pub(super) fn make_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Opens or creates a file for its owner only.
pub(super) fn open_or_create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    owner_only(&mut options).open(path)
}

fn owner_only(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

fn sync_parent(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |parent| disk.sync_folder(parent))
}
