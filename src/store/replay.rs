//! From the journal to the index (S-21): all batches in the order they were written, across segments.
//!
//! A batch has one or more frames, in one or more segments. It counts when all its parts are there, or
//! when a later batch of the same opening is: that one was only written once this one was durable.
//! Otherwise it was never acknowledged and is left out.

use std::collections::{BTreeMap, VecDeque};
use std::io;

use super::index::{Broken, Changes, Index, Position};
use super::journal::{Segments, opening_of};
use super::record::{Op, Record, read_all};
use super::scan::{Cursor, Frame, Scan, Tail};
use super::vault::Vault;
use super::{Damage, frame::BATCH_HEAD};

/// Index changes applied together while replaying.
const CHUNK: usize = 4096;

/// Segments that end in a frame cut short, and where it begins.
pub(super) type Torn = Vec<(u32, u64)>;

/// A replay failed as a whole.
pub(super) enum ReplayError {
    Index,
    Io(io::Error),
}

impl From<Broken> for ReplayError {
    fn from(_: Broken) -> Self {
        Self::Index
    }
}

impl From<io::Error> for ReplayError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Brings the index in step with the journal, from where it stands. Only the segments of the last opening
/// that wrote any may end in a torn frame: an opening cuts those off before it writes.
pub(super) fn replay(segments: &Segments, vault: &Vault, index: &Index) -> Result<Torn, ReplayError> {
    let mut replay = Replay::new(segments, vault, index);
    while let Some((segment, frame)) = replay.next_frame()? {
        replay.take(segment, &frame)?;
    }
    replay.settle(None)?;
    replay.finish()
}

/// One batch, as far as it was read.
struct Pending {
    batch: u64,
    parts: u32,
    read: u32,
    changes: Vec<Change>,
}

enum Change {
    Put(super::record::Address, Position),
    Delete(super::record::Address),
    PutSecret(super::record::Address, super::vault::SecretId, Position),
    Erase(super::record::Address),
}

struct Replay<'a> {
    segments: &'a Segments,
    vault: &'a Vault,
    index: &'a Index,
    last_opening: u64,
    /// Segments not begun, by their first batch.
    waiting: VecDeque<(u64, u32)>,
    /// The next frame of each segment begun, by batch.
    heads: BTreeMap<(u64, u32), (Scan, Frame)>,
    pending: Option<Pending>,
    changes: Changes,
    cursors: Vec<(u32, Cursor)>,
    torn: Torn,
}

impl<'a> Replay<'a> {
    fn new(segments: &'a Segments, vault: &'a Vault, index: &'a Index) -> Self {
        let mut waiting: Vec<_> =
            vault.segments.iter().map(|(number, segment)| (segment.first_batch, *number)).collect();
        waiting.sort_unstable();
        let last_opening = waiting.last().map_or(0, |(first, _)| opening_of(*first));
        Self {
            segments,
            vault,
            index,
            last_opening,
            waiting: waiting.into(),
            heads: BTreeMap::new(),
            pending: None,
            changes: Changes::default(),
            cursors: Vec::new(),
            torn: Torn::new(),
        }
    }

    /// The frame of the lowest batch. A segment is opened only when its turn comes, so that few files
    /// are open at once.
    fn next_frame(&mut self) -> Result<Option<(u32, Frame)>, ReplayError> {
        while let Some((first, number)) = self.waiting.front().copied() {
            if self.heads.first_key_value().is_some_and(|((batch, _), _)| *batch < first) {
                break;
            }
            self.waiting.pop_front();
            self.begin(number)?;
        }
        let Some(((_, number), (scan, frame))) = self.heads.pop_first() else { return Ok(None) };
        self.advance(number, scan)?;
        Ok(Some((number, frame)))
    }

    fn begin(&mut self, number: u32) -> Result<(), ReplayError> {
        let from = self.index.cursor(number)?.unwrap_or_default();
        match self.segments.scan(self.vault, number, from)? {
            Some(scan) => self.advance(number, scan),
            None => {
                self.damaged(number, from.index, from.index);
                Ok(())
            }
        }
    }

    fn advance(&mut self, number: u32, mut scan: Scan) -> Result<(), ReplayError> {
        match scan.next()? {
            Some(frame) => {
                self.heads.insert((frame.part.batch, number), (scan, frame));
                Ok(())
            }
            None => self.end(number, scan),
        }
    }

    fn end(&mut self, number: u32, mut scan: Scan) -> Result<(), ReplayError> {
        for (first, last) in scan.gaps().to_vec() {
            self.damaged(number, first, last);
        }
        let cursor = scan.cursor();
        match scan.tail()? {
            Tail::Clean => {}
            Tail::Torn if self.may_be_torn(number) => self.torn.push((number, cursor.offset)),
            Tail::Torn | Tail::Damaged => self.damaged(number, cursor.index, cursor.index),
        }
        self.cursors.push((number, cursor));
        Ok(())
    }

    fn may_be_torn(&self, number: u32) -> bool {
        let segment = self.vault.segments.get(&number);
        segment.is_some_and(|segment| opening_of(segment.first_batch) >= self.last_opening)
    }

    fn take(&mut self, number: u32, frame: &Frame) -> Result<(), ReplayError> {
        let batch = frame.part.batch;
        if self.pending.as_ref().is_some_and(|pending| pending.batch != batch) {
            self.settle(Some(batch))?;
        }
        let parts = frame.part.parts;
        let pending = self.pending.get_or_insert(Pending { batch, parts, read: 0, changes: Vec::new() });
        pending.read += 1;
        for record in read_all(&frame.plain, BATCH_HEAD) {
            pending.changes.extend(change(&record, number, frame));
        }
        Ok(())
    }

    /// Decides about the pending batch, now that `next` is known to follow it.
    fn settle(&mut self, next: Option<u64>) -> Result<(), ReplayError> {
        let Some(pending) = self.pending.take() else { return Ok(()) };
        let followed = next.is_some_and(|next| opening_of(next) == opening_of(pending.batch));
        if followed || pending.read >= pending.parts {
            pending.changes.into_iter().for_each(|change| change.apply(&mut self.changes));
        }
        if self.changes.len() >= CHUNK {
            self.index.apply(std::mem::take(&mut self.changes))?;
        }
        Ok(())
    }

    /// The cursors come last: an index without them is replayed again.
    fn finish(mut self) -> Result<Torn, ReplayError> {
        for (number, cursor) in &self.cursors {
            self.changes.set_cursor(*number, *cursor);
        }
        self.index.apply(self.changes)?;
        Ok(self.torn)
    }

    /// Noted in the index, since the next opening will not read these frames again.
    fn damaged(&mut self, segment: u32, first: u32, last: u32) {
        self.changes.add_damage(Damage { segment, first, last });
    }
}

impl Change {
    fn apply(self, changes: &mut Changes) {
        match self {
            Self::Put(address, position) => changes.put_record(&address, position),
            Self::Delete(address) => changes.remove_record(&address),
            Self::PutSecret(address, id, position) => changes.put_secret(&address, &id, position),
            Self::Erase(address) => changes.remove_secret(&address),
        }
    }
}

/// What a record means for the index; `None` for one that makes no sense.
fn change(record: &Record<'_>, segment: u32, frame: &Frame) -> Option<Change> {
    let offset = u32::try_from(frame.offset).ok()?;
    let position = Position { segment, offset, frame: frame.index, at: record.at };
    Some(match record.op {
        Op::Put => Change::Put(record.address, position),
        Op::Delete => Change::Delete(record.address),
        Op::SecretInVault | Op::SecretHere => Change::PutSecret(record.address, record.secret()?.0, position),
        Op::Erase => Change::Erase(record.address),
    })
}

/// What frames just written mean for the index: the same as when they are replayed.
pub(super) fn index_changes(frames: &[(u32, Frame)], cursors: &[(u32, Cursor)]) -> Changes {
    let mut changes = Changes::default();
    for (segment, frame) in frames {
        read_all(&frame.plain, BATCH_HEAD)
            .filter_map(|record| change(&record, *segment, frame))
            .for_each(|change| change.apply(&mut changes));
    }
    cursors.iter().for_each(|(segment, cursor)| changes.set_cursor(*segment, *cursor));
    changes
}
