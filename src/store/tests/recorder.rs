//! A disk that writes down what it is asked to do, and can show what might be left of it after the power
//! went at any moment: what was synced is there; of the rest any part may be, in any order.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::support::files;
use crate::store::files::{Disk, RealDisk};

type Inode = u64;

/// One thing that was done.
#[derive(Clone)]
enum Op {
    Create(PathBuf, Inode),
    Write(Inode, u64, Vec<u8>),
    Discard(Inode, u64, u64),
    Truncate(Inode, u64),
    Sync(Inode),
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
    SyncFolder(PathBuf),
}

/// Which of the operations that were not synced arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    All,
    Nothing,
    /// Names without bytes: files have their size and zeros.
    Names,
    /// Bytes without names.
    Bytes,
    /// Half of the last write, all others.
    Torn,
    /// All but the n-th write.
    Without(usize),
}

#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
struct State {
    names: BTreeMap<PathBuf, Inode>,
    bytes: BTreeMap<Inode, Vec<u8>>,
}

/// The disk.
pub(super) struct Recorder {
    root: PathBuf,
    start: State,
    ops: Mutex<Vec<Op>>,
}

impl Recorder {
    /// Records what happens below `root` from here on.
    pub(super) fn new(root: &Path) -> Arc<Self> {
        let mut start = State::default();
        for path in files(root).into_iter().filter(|path| !in_index(path)) {
            let inode = fs::metadata(&path).unwrap().ino();
            start.bytes.insert(inode, fs::read(&path).unwrap());
            start.names.insert(path, inode);
        }
        Arc::new(Self { root: root.to_path_buf(), start, ops: Mutex::default() })
    }

    /// How much has happened.
    pub(super) fn len(&self) -> usize {
        self.ops.lock().unwrap().len()
    }

    /// Every image that the power could leave, had it gone after `len` operations, into a folder each time;
    /// none twice.
    pub(super) fn images(&self, len: usize, mut look: impl FnMut(&Path, Left)) {
        let ops = self.ops.lock().unwrap()[..len].to_vec();
        let open = unsynced(&ops);
        let writes = open.iter().filter(|at| matches!(ops[**at], Op::Write(..))).count();
        let ways = [Left::All, Left::Nothing, Left::Names, Left::Bytes, Left::Torn];
        let mut seen = BTreeSet::new();
        for left in ways.into_iter().chain((0..writes).map(Left::Without)) {
            let state = self.left(&ops, &open, left);
            if seen.insert(state.clone()) {
                let folder = tempfile::tempdir().unwrap();
                self.write(&state, folder.path());
                look(folder.path(), left);
            }
        }
    }

    fn left(&self, ops: &[Op], open: &BTreeSet<usize>, left: Left) -> State {
        let mut state = self.start.clone();
        let last = open.iter().rfind(|at| matches!(ops[**at], Op::Write(..)));
        let mut writes = 0;
        for (at, op) in ops.iter().enumerate() {
            let name = matches!(op, Op::Create(..) | Op::Rename(..) | Op::Remove(_));
            let write = matches!(op, Op::Write(..));
            let synced = !open.contains(&at);
            let number = writes;
            writes += usize::from(write && !synced);
            match left {
                _ if synced => state.apply(op),
                Left::Nothing => state.keep_room(op, false),
                Left::Names if !name => state.keep_room(op, true),
                Left::Bytes if name => state.keep_room(op, false),
                Left::Torn if Some(&at) == last => state.apply_half(op),
                Left::Without(n) if write && n == number => state.keep_room(op, true),
                _ => state.apply(op),
            }
        }
        state
    }

    fn write(&self, state: &State, folder: &Path) {
        for (path, inode) in &state.names {
            let path = folder.join(path.strip_prefix(&self.root).unwrap());
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, &state.bytes[inode]).unwrap();
        }
        if folder.join("profile").exists() {
            fs::create_dir_all(folder.join("profile/journal")).unwrap();
        }
    }

    /// Where a file that is gone goes on existing, so that its inode is not used again.
    fn grave(&self) -> PathBuf {
        self.root.join(format!("gone-{}", self.len()))
    }

    fn note(&self, op: Op) {
        self.ops.lock().unwrap().push(op);
    }
}

impl State {
    fn apply(&mut self, op: &Op) {
        match op {
            Op::Create(path, inode) => {
                self.names.insert(path.clone(), *inode);
                self.bytes.entry(*inode).or_default();
            }
            Op::Write(inode, at, bytes) => self.put(*inode, *at, bytes),
            Op::Discard(inode, at, len) => self.put(*inode, *at, &vec![0; *len as usize]),
            Op::Truncate(inode, len) => self.bytes.entry(*inode).or_default().resize(*len as usize, 0),
            Op::Rename(from, to) => {
                if let Some(inode) = self.names.remove(from) {
                    self.names.insert(to.clone(), inode);
                }
            }
            Op::Remove(path) => drop(self.names.remove(path)),
            Op::Sync(_) | Op::SyncFolder(_) => {}
        }
    }

    /// What did not arrive may still have made room.
    fn keep_room(&mut self, op: &Op, grow: bool) {
        match op {
            Op::Create(_, inode) => drop(self.bytes.entry(*inode).or_default()),
            Op::Write(inode, at, bytes) if grow => {
                let file = self.bytes.entry(*inode).or_default();
                let end = *at as usize + bytes.len();
                file.resize(file.len().max(end), 0);
            }
            _ => {}
        }
    }

    fn apply_half(&mut self, op: &Op) {
        if let Op::Write(inode, at, bytes) = op {
            self.put(*inode, *at, &bytes[..bytes.len() / 2]);
        }
    }

    fn put(&mut self, inode: Inode, at: u64, bytes: &[u8]) {
        let (file, at) = (self.bytes.entry(inode).or_default(), at as usize);
        file.resize(file.len().max(at + bytes.len()), 0);
        file[at..at + bytes.len()].copy_from_slice(bytes);
    }
}

/// Numbers of the operations that no later sync has made durable.
fn unsynced(ops: &[Op]) -> BTreeSet<usize> {
    let mut open = BTreeSet::new();
    for (at, op) in ops.iter().enumerate() {
        match op {
            Op::Sync(synced) => open.retain(|earlier| !touches(&ops[*earlier], *synced)),
            Op::SyncFolder(folder) => open.retain(|earlier| !names_in(&ops[*earlier], folder)),
            _ => drop(open.insert(at)),
        }
    }
    open
}

fn touches(op: &Op, synced: Inode) -> bool {
    match op {
        Op::Write(inode, ..) | Op::Discard(inode, ..) | Op::Truncate(inode, _) => *inode == synced,
        _ => false,
    }
}

fn names_in(op: &Op, folder: &Path) -> bool {
    match op {
        Op::Create(path, _) | Op::Rename(_, path) | Op::Remove(path) => path.parent() == Some(folder),
        _ => false,
    }
}

fn in_index(path: &Path) -> bool {
    path.iter().any(|part| part == "index")
}

fn inode(file: &File) -> Inode {
    file.metadata().unwrap().ino()
}

impl Disk for Recorder {
    fn create(&self, path: &Path) -> io::Result<File> {
        let file = RealDisk.create(path)?;
        self.note(Op::Create(path.to_path_buf(), inode(&file)));
        Ok(file)
    }

    fn write_at(&self, file: &File, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.note(Op::Write(inode(file), at, bytes.to_vec()));
        RealDisk.write_at(file, at, bytes)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        self.note(Op::Sync(inode(file)));
        RealDisk.sync(file)
    }

    fn discard(&self, file: &File, at: u64, len: u64) {
        self.note(Op::Discard(inode(file), at, len));
        RealDisk.discard(file, at, len);
    }

    fn truncate(&self, file: &File, len: u64) -> io::Result<()> {
        self.note(Op::Truncate(inode(file), len));
        RealDisk.truncate(file, len)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.note(Op::Rename(from.to_path_buf(), to.to_path_buf()));
        if to.exists() {
            fs::rename(to, self.grave())?;
        }
        RealDisk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.note(Op::Remove(path.to_path_buf()));
        fs::rename(path, self.grave())
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.note(Op::SyncFolder(path.to_path_buf()));
        RealDisk.sync_folder(path)
    }
}
