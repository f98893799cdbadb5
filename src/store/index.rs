//! The index (S-22): from keyed hashes to positions in the journal. It holds no content and may be lost
//! at any time: it is rebuilt from the journal. A panic inside sled is contained and counts as loss.
//!
//! Sled's file is not synced while in use, which is harmless when a process dies and not when the power
//! does: then pages can be missing without a trace. So a mark beside it says when it can be trusted: it
//! was closed and synced, or the machine has not been restarted since it was opened.

mod table;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

#[cfg(test)]
pub(super) use table::NO_ROOM;
use table::{Pairs, Staged, Table};

use super::Damage;
use super::bytes::Reader;
use super::files::{RealDisk, make_folder, read_bounded, replace};
use super::record::Address;
use super::scan::Cursor;
use super::vault::SecretId;

/// The index's folder.
pub(super) const INDEX: &str = "index";
const SLED: &str = "sled";
const MARK: &str = "mark";
const CLOSED: &[u8] = b"closed";
/// Most records given up at once.
const LOST: usize = 4096;

const RECORD: u8 = b'r';
const SECRET: u8 = b's';
const CURSOR: u8 = b'c';
const DAMAGE: u8 = b'd';
const OPENING: &[u8] = b"o";

/// The index can't be used any more and must be rebuilt.
#[derive(Debug)]
pub(super) struct Broken;

/// Where a record lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) segment: u32,
    /// Offset of the frame in its segment.
    pub(super) offset: u32,
    /// The frame's index.
    pub(super) frame: u32,
    /// Offset of the record in the frame.
    pub(super) at: u32,
}

/// Something whose frame can't be read any more.
pub(super) enum Lost {
    /// A record, and the segment it was in.
    Record(Address, u32),
    /// The name of a secret.
    Secret(Address, SecretId),
}

/// Changes of the index. A segment's cursor is never there without what it covers: that is replayed.
#[derive(Default)]
pub(super) struct Changes(Staged);

/// An open index.
pub(super) struct Index {
    /// None of one that is in memory only.
    dir: Option<PathBuf>,
    table: Table,
}

impl Index {
    /// Opens or makes an index.
    pub(super) fn open(dir: &Path) -> Result<Self, Broken> {
        let dir = dir.join(INDEX);
        make_folder(&dir).map_err(|_| Broken)?;
        mark(&dir, &boot_id()).map_err(|_| Broken)?;
        let table = Table::open(dir.join(SLED))?;
        Ok(Self { dir: Some(dir), table })
    }

    /// Makes an index that leaves the one on disk alone.
    pub(super) fn in_memory() -> Self {
        Self { dir: None, table: Table::in_memory() }
    }

    /// Whether the index on disk lost nothing in a power cut.
    pub(super) fn is_trusted(dir: &Path) -> bool {
        let mark = read_bounded(&dir.join(INDEX).join(MARK), 64).ok().flatten().unwrap_or_default();
        mark == CLOSED || (!mark.is_empty() && mark == boot_id())
    }

    /// Removes an index that is not open.
    pub(super) fn destroy(dir: &Path) -> io::Result<()> {
        match fs::remove_dir_all(dir.join(INDEX)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// The opening in which it was last in step with the journal.
    pub(super) fn opening(&self) -> Result<Option<u64>, Broken> {
        let bytes = self.table.get(OPENING)?;
        Ok(bytes.and_then(|bytes| Reader::new(&bytes).u64()))
    }

    /// Notes that it is in step, durably: what follows can be replayed.
    pub(super) fn set_opening(&self, opening: u64) -> Result<(), Broken> {
        let mut changes = Changes::default();
        changes.0.then.insert(OPENING.to_vec(), Some(opening.to_be_bytes().to_vec()));
        self.apply(changes)?;
        self.table.flush()
    }

    pub(super) fn record(&self, address: &Address) -> Result<Option<Position>, Broken> {
        self.table.get(&record_key(address))?.map(|bytes| decode_position(&bytes)).transpose()
    }

    pub(super) fn secret(&self, address: &Address) -> Result<Option<(SecretId, Position)>, Broken> {
        self.table.get(&secret_key(address))?.map(|bytes| decode_secret(&bytes)).transpose()
    }

    /// At most `limit` positions from one address to another, ascending or descending.
    pub(super) fn range(
        &self,
        from: &Address,
        to: &Address,
        limit: usize,
        back: bool,
    ) -> Result<Vec<(Address, Position)>, Broken> {
        let found = self.table.range(&record_key(from), &record_key(to), limit, back, |_| true)?;
        found.iter().map(|(key, value)| Ok((decode_address(key)?, decode_position(value)?))).collect()
    }

    /// The names of all secrets.
    pub(super) fn secrets(&self) -> Result<Vec<SecretId>, Broken> {
        let found = self.all(SECRET, usize::MAX, |_| true)?;
        found.iter().map(|(_, value)| Ok(decode_secret(value)?.0)).collect()
    }

    /// What lies where `lost` says, a few thousand at most.
    pub(super) fn lost(&self, lost: impl Fn(&Position) -> bool) -> Result<Vec<Lost>, Broken> {
        let mut found = Vec::new();
        for prefix in [RECORD, SECRET] {
            let entries = self.all(prefix, LOST, |value| {
                position_in(prefix, value).is_none_or(|position| lost(&position))
            })?;
            for (key, value) in entries {
                let address = decode_address(&key)?;
                found.push(match prefix {
                    RECORD => Lost::Record(address, decode_position(&value)?.segment),
                    _ => Lost::Secret(address, decode_secret(&value)?.0),
                });
            }
        }
        Ok(found)
    }

    /// How far a segment is indexed.
    pub(super) fn cursor(&self, segment: u32) -> Result<Option<Cursor>, Broken> {
        self.table.get(&cursor_key(segment))?.map(|bytes| decode_cursor(&bytes).ok_or(Broken)).transpose()
    }

    /// Damage met while indexing.
    pub(super) fn damage(&self) -> Result<Vec<Damage>, Broken> {
        let found = self.all(DAMAGE, usize::MAX, |_| true)?;
        found.iter().map(|(key, _)| decode_damage(key).ok_or(Broken)).collect()
    }

    pub(super) fn apply(&self, changes: Changes) -> Result<(), Broken> {
        self.table.apply(changes.0)
    }

    /// Makes the index durable and lets go of it. If anything fails on the way it is not marked, and made
    /// anew when in doubt.
    pub(super) fn close(self) {
        if let (Ok(()), Some(dir)) = (self.table.close(), self.dir) {
            let _ = mark(&dir, CLOSED);
        }
    }

    /// Lets go of an index that is to be made anew.
    pub(super) fn abandon(self) {
        self.table.abandon();
    }

    /// At most `limit` pairs of one kind, that `choose` wants.
    fn all(&self, prefix: u8, limit: usize, choose: impl Fn(&[u8]) -> bool) -> Result<Pairs, Broken> {
        self.table.range(&[prefix], &[prefix + 1], limit, false, choose)
    }
}

impl Changes {
    pub(super) fn put_record(&mut self, address: &Address, position: Position) {
        self.insert(&record_key(address), &position.encode());
    }

    pub(super) fn remove_record(&mut self, address: &Address) {
        self.remove(&record_key(address));
    }

    pub(super) fn put_secret(&mut self, address: &Address, id: &SecretId, position: Position) {
        self.insert(&secret_key(address), &[&id[..], &position.encode()].concat());
    }

    pub(super) fn remove_secret(&mut self, address: &Address) {
        self.remove(&secret_key(address));
    }

    pub(super) fn set_cursor(&mut self, segment: u32, cursor: Cursor) {
        let value = [&cursor.offset.to_be_bytes()[..], &cursor.index.to_be_bytes()].concat();
        self.0.then.insert(cursor_key(segment).to_vec(), Some(value));
    }

    pub(super) fn add_damage(&mut self, damage: Damage) {
        let numbers = [damage.segment, damage.first, damage.last].map(u32::to_be_bytes);
        self.insert(&[&[DAMAGE], numbers.as_flattened()].concat(), &[]);
    }

    /// How many there are, beside cursors.
    pub(super) fn len(&self) -> usize {
        self.0.first.len()
    }

    fn insert(&mut self, key: &[u8], value: &[u8]) {
        self.0.first.insert(key.to_vec(), Some(value.to_vec()));
    }

    fn remove(&mut self, key: &[u8]) {
        self.0.first.insert(key.to_vec(), None);
    }
}

impl Position {
    fn encode(self) -> [u8; 16] {
        let mut out = [0; 16];
        let fields = [self.segment, self.offset, self.frame, self.at];
        out.chunks_exact_mut(4)
            .zip(fields)
            .for_each(|(out, field)| out.copy_from_slice(&field.to_be_bytes()));
        out
    }
}

fn mark(dir: &Path, text: &[u8]) -> io::Result<()> {
    replace(&RealDisk, &dir.join(MARK), text)
}

/// Changes when the machine is restarted; empty where the system does not tell.
fn boot_id() -> Vec<u8> {
    if !cfg!(target_os = "linux") {
        return Vec::new();
    }
    let id = read_bounded(Path::new("/proc/sys/kernel/random/boot_id"), 64);
    id.ok().flatten().unwrap_or_default()
}

fn record_key(address: &Address) -> [u8; 33] {
    prefixed(RECORD, address)
}

fn secret_key(address: &Address) -> [u8; 33] {
    prefixed(SECRET, address)
}

fn prefixed(prefix: u8, address: &Address) -> [u8; 33] {
    let mut key = [prefix; 33];
    key[1..].copy_from_slice(address);
    key
}

fn cursor_key(segment: u32) -> [u8; 5] {
    let mut key = [CURSOR; 5];
    key[1..].copy_from_slice(&segment.to_be_bytes());
    key
}

fn position_in(prefix: u8, value: &[u8]) -> Option<Position> {
    match prefix {
        RECORD => decode_position(value).ok(),
        _ => decode_secret(value).ok().map(|(_, position)| position),
    }
}

fn decode_address(key: &[u8]) -> Result<Address, Broken> {
    key.get(1..).and_then(|address| address.try_into().ok()).ok_or(Broken)
}

fn decode_position(bytes: &[u8]) -> Result<Position, Broken> {
    let mut reader = Reader::new(bytes);
    position(&mut reader).filter(|_| reader.is_empty()).ok_or(Broken)
}

fn decode_secret(bytes: &[u8]) -> Result<(SecretId, Position), Broken> {
    let mut reader = Reader::new(bytes);
    let id = reader.array().ok_or(Broken)?;
    Ok((id, position(&mut reader).ok_or(Broken)?))
}

fn position(reader: &mut Reader<'_>) -> Option<Position> {
    let (segment, offset) = (reader.u32()?, reader.u32()?);
    Some(Position { segment, offset, frame: reader.u32()?, at: reader.u32()? })
}

fn decode_damage(key: &[u8]) -> Option<Damage> {
    let mut reader = Reader::new(key.get(1..)?);
    Some(Damage { segment: reader.u32()?, first: reader.u32()?, last: reader.u32()? })
}

fn decode_cursor(bytes: &[u8]) -> Option<Cursor> {
    let mut reader = Reader::new(bytes);
    Some(Cursor { offset: reader.u64()?, index: reader.u32()? })
}

/// For the fuzz targets: reads bytes as each of the index's keys and values.
#[cfg(fuzzing)]
pub(super) fn fuzzed(bytes: &[u8]) {
    if let Ok(position) = decode_position(bytes) {
        assert_eq!(position.encode(), bytes);
    }
    let _ = (decode_address(bytes), decode_secret(bytes), decode_damage(bytes), decode_cursor(bytes));
}
