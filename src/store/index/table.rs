//! Keys and values in sled, with the newest changes in memory until there are enough of them to be worth
//! one of sled's batches: each makes its seven workers run. A thread hands them over meanwhile. What a
//! process that dies had not handed over is replayed from the journal.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use super::Broken;
use crate::store::files::{Disk, RealDisk};
use crate::store::workers;

/// Sled's own cache, in bytes.
const CACHE: u64 = 16 << 20;
/// Changes held in memory, about 150 bytes each; as many more are being handed over at most.
const WAITING: usize = 1024;
/// Changes in one of sled's batches; it frees no memory before a batch is through.
const CHUNK: usize = 256;

/// By key, what is put there, or that it is removed.
pub(super) type Edits = BTreeMap<Vec<u8>, Option<Vec<u8>>>;
/// Keys and values in order.
pub(super) type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

/// Changes that come in two parts: the second is never in sled without the first.
#[derive(Default)]
pub(super) struct Staged {
    pub(super) first: Edits,
    pub(super) then: Edits,
}

/// A table of keys and values.
pub(super) struct Table {
    /// Where they go; without it they stay in memory.
    sled: Option<(PathBuf, sled::Db)>,
    newest: RefCell<Newest>,
}

/// What is not in sled yet.
#[derive(Default)]
struct Newest {
    waiting: Staged,
    /// In sled perhaps, and how that goes.
    leaving: Option<(Arc<Staged>, HandOver)>,
}

type HandOver = JoinHandle<Result<(), Broken>>;

impl Table {
    /// Opens or makes one.
    pub(super) fn open(dir: PathBuf) -> Result<Self, Broken> {
        let config = sled::Config::new().path(&dir).cache_capacity(CACHE).flush_every_ms(None);
        let db = contained(|| workers::open(&config))?;
        Ok(Self { sled: Some((dir, db)), newest: RefCell::default() })
    }

    /// Makes one that touches no disk.
    pub(super) fn in_memory() -> Self {
        Self { sled: None, newest: RefCell::default() }
    }

    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Broken> {
        if let Some(edit) = self.newest.borrow().get(key) {
            return Ok(edit.clone());
        }
        let Some((_, db)) = &self.sled else { return Ok(None) };
        Ok(contained(|| db.get(key))?.map(|value| value.to_vec()))
    }

    /// At most `limit` pairs from one key to another, ascending or descending, that `choose` wants.
    pub(super) fn range(
        &self,
        from: &[u8],
        to: &[u8],
        limit: usize,
        back: bool,
        choose: impl Fn(&[u8]) -> bool,
    ) -> Result<Pairs, Broken> {
        let newest = self.newest.borrow().within(from, to);
        let stored = self.sled.as_ref().map_or(Ok(Vec::new()), |(_, db)| {
            contained(|| {
                let mut range = db.range(from..=to);
                let next = std::iter::from_fn(|| if back { range.next_back() } else { range.next() });
                let current = next.filter(|pair| match pair {
                    Ok((key, value)) => !newest.contains_key(&key[..]) && choose(value),
                    Err(_) => true,
                });
                current.take(limit).collect::<sled::Result<Vec<_>>>()
            })
        })?;
        let newest = newest.into_iter().filter_map(|(key, value)| Some((key, value?)));
        let mut all: Pairs = newest.filter(|(_, value)| choose(value)).collect();
        all.extend(stored.into_iter().map(|(key, value)| (key.to_vec(), value.to_vec())));
        all.sort_unstable();
        if back {
            all.reverse();
        }
        all.truncate(limit);
        Ok(all)
    }

    /// # Errors
    /// If what came before could not be handed over.
    pub(super) fn apply(&self, changes: Staged) -> Result<(), Broken> {
        let mut newest = self.newest.borrow_mut();
        newest.waiting.first.extend(changes.first);
        newest.waiting.then.extend(changes.then);
        match &self.sled {
            Some((_, db)) if newest.waiting.first.len() >= WAITING => newest.hand_over(db),
            _ => Ok(()),
        }
    }

    /// Makes everything durable.
    pub(super) fn flush(&self) -> Result<(), Broken> {
        let Some((_, db)) = &self.sled else { return Ok(()) };
        let mut newest = self.newest.borrow_mut();
        newest.hand_over(db)?;
        newest.wait()?;
        contained(|| db.flush()).map(|_| ())
    }

    /// Makes everything durable, whatever of it sled left to the system, and lets go of it.
    pub(super) fn close(self) -> io::Result<()> {
        let flushed = self.flush();
        let dir = self.sled.as_ref().map(|(dir, _)| dir.clone());
        self.abandon();
        flushed.map_err(|Broken| io::ErrorKind::Other)?;
        dir.map_or(Ok(()), |dir| sync_all(&dir))
    }

    /// Lets go of a table that is to be made anew; a panic on the way is of no consequence.
    pub(super) fn abandon(self) {
        let _ = self.newest.into_inner().wait();
        let _ = catch_unwind(AssertUnwindSafe(move || drop(self.sled)));
    }
}

impl Newest {
    fn get(&self, key: &[u8]) -> Option<&Option<Vec<u8>>> {
        let leaving = self.leaving.as_ref().map(|(leaving, _)| &**leaving);
        let mut newest_first = std::iter::once(&self.waiting).chain(leaving);
        newest_first.find_map(|staged| staged.first.get(key).or_else(|| staged.then.get(key)))
    }

    fn within(&self, from: &[u8], to: &[u8]) -> Edits {
        let bounds = (Bound::Included(from), Bound::Included(to));
        let leaving = self.leaving.iter().map(|(leaving, _)| &**leaving);
        let newest_last = leaving.chain([&self.waiting]);
        let edits = newest_last.flat_map(|staged| staged.first.range::<[u8], _>(bounds));
        edits.map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// Lets a thread put what waits into sled, once what it had to put there before is in.
    fn hand_over(&mut self, db: &sled::Db) -> Result<(), Broken> {
        self.wait()?;
        let leaving = Arc::new(std::mem::take(&mut self.waiting));
        let (db, staged) = (db.clone(), leaving.clone());
        #[cfg(test)]
        let no_room = NO_ROOM.get();
        let work = move || {
            #[cfg(test)]
            NO_ROOM.set(no_room);
            put(&db, &staged)
        };
        let thread = thread::Builder::new().name("index".into()).spawn(work).map_err(|_| Broken)?;
        self.leaving = Some((leaving, thread));
        Ok(())
    }

    fn wait(&mut self) -> Result<(), Broken> {
        match self.leaving.take() {
            Some((_, thread)) => thread.join().map_err(|_| Broken)?,
            None => Ok(()),
        }
    }
}

fn put(db: &sled::Db, staged: &Staged) -> Result<(), Broken> {
    for edits in [&staged.first, &staged.then] {
        let mut edits = edits.iter().peekable();
        while edits.peek().is_some() {
            let batch = batch(edits.by_ref().take(CHUNK));
            contained(|| db.apply_batch(batch))?;
        }
    }
    Ok(())
}

fn batch<'a>(edits: impl Iterator<Item = (&'a Vec<u8>, &'a Option<Vec<u8>>)>) -> sled::Batch {
    let mut batch = sled::Batch::default();
    for (key, value) in edits {
        match value {
            Some(value) => batch.insert(&key[..], &value[..]),
            None => batch.remove(&key[..]),
        }
    }
    batch
}

fn sync_all(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            sync_all(&path)?;
        } else {
            File::options().write(true).open(&path)?.sync_all()?;
        }
    }
    RealDisk.sync_folder(dir)
}

#[cfg(test)]
thread_local! {
    /// In tests: no index works, as on a disk without room for one.
    pub(in crate::store) static NO_ROOM: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

fn contained<T>(call: impl FnOnce() -> sled::Result<T>) -> Result<T, Broken> {
    #[cfg(test)]
    if NO_ROOM.get() {
        return Err(Broken);
    }
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => Ok(value),
        _ => Err(Broken),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> (tempfile::TempDir, Table) {
        let folder = tempfile::tempdir().unwrap();
        let table = Table::open(folder.path().join("sled")).unwrap();
        (folder, table)
    }

    fn db(table: &Table) -> &sled::Db {
        &table.sled.as_ref().unwrap().1
    }

    fn edit(key: u8, value: Option<u8>) -> Staged {
        let first = Edits::from([(vec![key], value.map(|value| vec![value]))]);
        Staged { first, then: Edits::new() }
    }

    /// Keys that are found, and whether each way of looking agrees.
    fn found(table: &Table, limit: usize, back: bool) -> Vec<u8> {
        let pairs = table.range(&[0], &[255], limit, back, |_| true).unwrap();
        assert!(pairs.iter().all(|(key, value)| table.get(key).unwrap().as_ref() == Some(value)));
        pairs.iter().map(|(key, _)| key[0]).collect()
    }

    #[test]
    fn a_panic_inside_is_contained_and_counts_as_loss() {
        assert!(contained::<()>(|| panic!("as sled does on some damaged files")).is_err());
    }

    #[test]
    fn what_waits_is_seen_in_its_place_before_and_after_it_is_handed_over() {
        let (_folder, table) = table();
        for key in [1, 3, 5, 7] {
            table.apply(edit(key, Some(0))).unwrap();
        }
        table.flush().unwrap();
        for (key, value) in [(3, None), (4, Some(1)), (5, Some(1)), (9, Some(1)), (7, Some(2)), (7, None)] {
            table.apply(edit(key, value)).unwrap();
        }
        for _ in 0..2 {
            assert_eq!(found(&table, 9, false), [1, 4, 5, 9]);
            assert_eq!(found(&table, 9, true), [9, 5, 4, 1]);
            assert_eq!((found(&table, 2, false), found(&table, 2, true)), (vec![1, 4], vec![9, 5]));
            assert!(table.get(&[3]).unwrap().is_none());
            table.flush().unwrap();
        }
        assert_eq!(db(&table).len(), 4);
    }

    #[test]
    fn little_waits_and_nothing_is_in_sled_without_what_it_stands_for() {
        let (_folder, table) = table();
        for number in 0..WAITING as u32 * 2 {
            let first = Edits::from([(number.to_be_bytes().to_vec(), Some(vec![1]))]);
            let then = Edits::from([(b"up to".to_vec(), Some(number.to_be_bytes().to_vec()))]);
            table.apply(Staged { first, then }).unwrap();
            assert!(table.newest.borrow().waiting.first.len() < WAITING);
            if let Some(up_to) = db(&table).get(b"up to").unwrap() {
                assert!(db(&table).contains_key(up_to).unwrap());
            }
        }
        table.newest.borrow_mut().wait().unwrap();
        assert_eq!(db(&table).len(), WAITING * 2 + 1);
    }

    #[test]
    fn what_is_being_handed_over_is_seen_in_its_place() {
        let (_folder, table) = table();
        table.apply(edit(1, Some(0))).unwrap();
        table.apply(edit(2, Some(0))).unwrap();
        table.newest.borrow_mut().hand_over(db(&table)).unwrap();
        table.apply(edit(2, None)).unwrap();
        table.apply(edit(3, Some(1))).unwrap();
        assert_eq!((found(&table, 9, false), found(&table, 1, true)), (vec![1, 3], vec![3]));
        table.flush().unwrap();
        assert_eq!(found(&table, 9, false), [1, 3]);
    }
}
