//! Profiles in temporary folders, and disks that fail when told to.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use piquet_protocol::store::{Batch, Key, Retention, Store, Table};
use tempfile::TempDir;
use zeroize::Zeroizing;

use crate::store::disk::{DiskStore, Opened};
use crate::store::files::{Disk, RealDisk};
use crate::store::{KdfCost, Machine, OpenError, Unlock};

/// A machine with one profile.
pub(super) struct Home {
    root: TempDir,
    machine: Vec<u8>,
}

impl Home {
    pub(super) fn new() -> Self {
        Self { root: tempfile::tempdir().unwrap(), machine: b"this machine".to_vec() }
    }

    /// Another machine, on which nothing is remembered.
    pub(super) fn elsewhere() -> Self {
        Self { machine: b"another machine".to_vec(), ..Self::new() }
    }

    /// A home with a profile, closed again.
    pub(super) fn with_profile() -> Self {
        let home = Self::new();
        drop(home.create());
        home
    }

    pub(super) fn dir(&self) -> PathBuf {
        self.root.path().join("profile")
    }

    pub(super) fn machine(&self) -> Machine {
        Machine::new(self.machine.clone(), self.root.path().join("state"))
    }

    /// Without a passphrase, since deriving keys takes time.
    pub(super) fn create(&self) -> DiskStore {
        DiskStore::create(&self.dir(), &Unlock::KeyFile, KdfCost::FLOOR, &self.machine()).unwrap()
    }

    pub(super) fn try_open(&self) -> Result<Opened, OpenError> {
        DiskStore::open(&self.dir(), &Unlock::KeyFile, &self.machine())
    }

    pub(super) fn open(&self) -> DiskStore {
        self.try_open().unwrap().store
    }

    pub(super) fn open_on(&self, disk: &Arc<Faulty>) -> Result<DiskStore, OpenError> {
        let format = &crate::store::migrate::FORMAT;
        let opened = DiskStore::open_on(disk.clone(), &self.dir(), &Unlock::KeyFile, &self.machine(), format);
        opened.map(|opened| opened.store)
    }

    /// The journal's segments, oldest first.
    pub(super) fn segments(&self) -> Vec<PathBuf> {
        let mut paths: Vec<_> =
            fs::read_dir(self.dir().join("journal")).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
    }

    /// A copy of everything, machine state included.
    pub(super) fn image(&self) -> TempDir {
        let copy = tempfile::tempdir().unwrap();
        copy_all(self.root.path(), copy.path());
        copy
    }

    /// Puts the profile of an image in the place of the present one.
    pub(super) fn restore(&self, image: &TempDir) {
        let _ = fs::remove_dir_all(self.dir());
        copy_all(&image.path().join("profile"), &self.dir());
    }
}

pub(super) fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
        if path.is_dir() {
            copy_all(&path, &to.join(name));
        } else {
            fs::copy(&path, to.join(name)).unwrap();
        }
    }
}

/// All files below a folder.
pub(super) fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

pub(super) fn key(order: u128) -> Key {
    Key::new(Table::Log, *b"scope", order)
}

pub(super) fn secret_key(order: u128) -> Key {
    Key::new(Table::Secret, *b"scope", order)
}

pub(super) fn put(order: u128, value: &[u8]) -> Batch {
    let mut batch = Batch::default();
    batch.put(key(order), Retention::Kept, value.to_vec());
    batch
}

pub(super) fn put_secret(order: u128, value: &[u8]) -> Batch {
    let mut batch = Batch::default();
    batch.put_secret(secret_key(order), Zeroizing::new(value.to_vec()));
    batch
}

pub(super) fn erase(order: u128) -> Batch {
    let mut batch = Batch::default();
    batch.erase(secret_key(order));
    batch
}

/// All values in the usual scope.
pub(super) fn values(store: &impl Store) -> Vec<Vec<u8>> {
    store.range(Table::Log, b"scope", 0, u128::MAX, usize::MAX).unwrap().into_iter().map(|(_, v)| v).collect()
}

pub(super) fn secret(store: &impl Store, order: u128) -> Option<Vec<u8>> {
    store.secret(&secret_key(order)).unwrap().map(|value| value.to_vec())
}

/// A call to a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    Create,
    Write(usize),
    Sync,
    Discard,
    Truncate,
    Rename,
    Remove,
    SyncFolder,
}

/// What becomes of it.
pub(super) enum Fate {
    Done,
    Failed(io::ErrorKind),
    /// A write of which only so many bytes arrive.
    Partly(usize, io::ErrorKind),
}

type Plan = Box<dyn FnMut(Call) -> Fate + Send>;

/// A disk that does as planned.
pub(super) struct Faulty(Mutex<Plan>);

impl Faulty {
    pub(super) fn new(plan: impl FnMut(Call) -> Fate + Send + 'static) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Box::new(plan))))
    }

    pub(super) fn plan(&self, plan: impl FnMut(Call) -> Fate + Send + 'static) {
        *self.0.lock().unwrap() = Box::new(plan);
    }

    fn ask(&self, call: Call) -> io::Result<()> {
        match (self.0.lock().unwrap())(call) {
            Fate::Done => Ok(()),
            Fate::Failed(kind) | Fate::Partly(_, kind) => Err(kind.into()),
        }
    }
}

impl Disk for Faulty {
    fn create(&self, path: &Path) -> io::Result<File> {
        self.ask(Call::Create)?;
        RealDisk.create(path)
    }

    fn write_at(&self, file: &File, at: u64, bytes: &[u8]) -> io::Result<()> {
        let fate = (self.0.lock().unwrap())(Call::Write(bytes.len()));
        match fate {
            Fate::Done => RealDisk.write_at(file, at, bytes),
            Fate::Failed(kind) => Err(kind.into()),
            Fate::Partly(len, kind) => {
                RealDisk.write_at(file, at, &bytes[..len.min(bytes.len())])?;
                Err(kind.into())
            }
        }
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        self.ask(Call::Sync)?;
        RealDisk.sync(file)
    }

    fn discard(&self, file: &File, at: u64, len: u64) {
        if self.ask(Call::Discard).is_ok() {
            RealDisk.discard(file, at, len);
        }
    }

    fn truncate(&self, file: &File, len: u64) -> io::Result<()> {
        self.ask(Call::Truncate)?;
        RealDisk.truncate(file, len)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.ask(Call::Rename)?;
        RealDisk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.ask(Call::Remove)?;
        RealDisk.remove(path)
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.ask(Call::SyncFolder)?;
        RealDisk.sync_folder(path)
    }
}

/// Lets a disk die at its n-th call from now: that write arrives in part, nothing works afterwards.
pub(super) fn die_at(disk: &Faulty, n: usize) {
    let mut calls = 0;
    disk.plan(move |call| {
        calls += 1;
        match call {
            _ if calls < n => Fate::Done,
            Call::Write(len) if calls == n => Fate::Partly(len / 2, io::ErrorKind::Other),
            _ => Fate::Failed(io::ErrorKind::Other),
        }
    });
}
