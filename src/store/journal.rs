//! The journal: segments of frames, appended and never changed. It is the truth; everything but the vault
//! can be rebuilt from it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroize::Zeroizing;

use super::files::Disk;
use super::frame::{FRAME_HEAD, FrameKeys, Part};
use super::header::ProfileId;
use super::scan::{Cursor, Frame, Scan};
use super::seal::{OVERHEAD, random_key};
use super::vault::{Segment, Vault};

/// The journal's folder.
pub(super) const JOURNAL: &str = "journal";
/// A segment this long is not begun anew; one batch may go beyond.
const SEGMENT: u64 = 64 << 20;
/// Bits of a batch number that count within one opening.
const OPENING_SHIFT: u32 = 40;

/// Plaintexts of a batch's frames, by class; the first bytes of each are room for the [`Part`].
pub(super) type Drafts = BTreeMap<u8, Vec<Zeroizing<Vec<u8>>>>;

/// The opening a batch belongs to. Numbers never repeat, even those of batches that were lost.
pub(super) fn opening_of(batch: u64) -> u64 {
    batch >> OPENING_SHIFT
}

/// Where segments lie and whose they are.
pub(super) struct Segments {
    dir: PathBuf,
    profile: ProfileId,
}

impl Segments {
    pub(super) fn new(dir: &Path, profile: ProfileId) -> Self {
        Self { dir: dir.join(JOURNAL), profile }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.dir
    }

    pub(super) fn path(&self, number: u32) -> PathBuf {
        self.dir.join(format!("{number:08x}"))
    }

    /// Removes the empty files of segments that no key was kept for.
    pub(super) fn remove_abandoned(&self, disk: &dyn Disk, vault: &Vault) -> io::Result<()> {
        for entry in fs::read_dir(&self.dir)? {
            let entry = entry?;
            let number = entry.file_name().to_str().and_then(|name| u32::from_str_radix(name, 16).ok());
            let known = number.is_none_or(|number| vault.segments.contains_key(&number));
            if !known && entry.metadata()?.len() == 0 {
                disk.remove(&entry.path())?;
            }
        }
        Ok(())
    }

    /// File and keys of a segment; `None` if it is gone.
    pub(super) fn open(&self, vault: &Vault, number: u32) -> io::Result<Option<(File, FrameKeys)>> {
        let Some(segment) = vault.segments.get(&number) else { return Ok(None) };
        match File::open(self.path(number)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            file => Ok(Some((file?, FrameKeys::new(&self.profile, number, segment)?))),
        }
    }

    /// A walk along a segment; `None` if it is gone or ends before `from`.
    pub(super) fn scan(&self, vault: &Vault, number: u32, from: Cursor) -> io::Result<Option<Scan>> {
        let Some((file, keys)) = self.open(vault, number)? else { return Ok(None) };
        let end = vault.segments.get(&number).and_then(|segment| segment.end);
        let limit = file.metadata()?.len().min(end.unwrap_or(u64::MAX));
        Ok((limit >= from.offset).then(|| Scan::new(file, keys, limit, from)))
    }
}

/// The segment that a class is being written to.
struct Writer {
    number: u32,
    week: u32,
    file: File,
    keys: FrameKeys,
    end: Cursor,
}

/// A batch as it was written.
pub(super) struct Written {
    /// Frames with their segments.
    pub(super) frames: Vec<(u32, Frame)>,
    /// New ends of the segments.
    pub(super) cursors: Vec<(u32, Cursor)>,
    /// Where their writers stood before, by class.
    before: Vec<(u8, Cursor)>,
}

/// Segments begun for a batch, in effect once the vault with their keys is durable.
#[derive(Default)]
pub(super) struct Begun(Vec<(u8, Writer)>);

/// The writing end of the journal.
pub(super) struct Journal {
    disk: Arc<dyn Disk>,
    opening: u64,
    count: u64,
    writers: BTreeMap<u8, Writer>,
    /// The vault says of some segment that it ends early, but not yet on disk.
    unsealed: bool,
}

impl Journal {
    pub(super) fn new(disk: Arc<dyn Disk>, opening: u64) -> Self {
        Self { disk, opening, count: 0, writers: BTreeMap::new(), unsealed: false }
    }

    /// Begins the segments that a batch needs: one per class, opening and week, and when one is full.
    pub(super) fn begin(
        &self,
        segments: &Segments,
        vault: &mut Vault,
        week: u32,
        drafts: &Drafts,
    ) -> io::Result<Begun> {
        let mut begun = Begun::default();
        for (class, frames) in drafts {
            if self.writers.get(class).is_some_and(|writer| writer.has_room(week, frames)) {
                continue;
            }
            match self.begin_one(segments, vault, week, *class) {
                Ok(writer) => begun.0.push((*class, writer)),
                Err(error) => {
                    Self::abandon(vault, &begun);
                    return Err(error);
                }
            }
        }
        Ok(begun)
    }

    /// Whether the vault must be durable before the next frame is.
    pub(super) fn needs_vault(&self, begun: &Begun) -> bool {
        self.unsealed || !begun.0.is_empty()
    }

    /// The vault is durable: uses the new segments.
    pub(super) fn adopt(&mut self, begun: Begun) {
        self.unsealed = false;
        self.writers.extend(begun.0);
    }

    /// The vault could not be made durable, or so it seems: forgets the new segments, but leaves their
    /// empty files, since a vault that did reach the disk names them.
    pub(super) fn abandon(vault: &mut Vault, begun: &Begun) {
        for (_, writer) in &begun.0 {
            vault.segments.remove(&writer.number);
        }
    }

    /// Appends a batch, durably.
    ///
    /// # Errors
    /// Whatever the error, nothing of the batch counts afterwards.
    pub(super) fn append(&mut self, vault: &mut Vault, drafts: Drafts) -> io::Result<Written> {
        let before: Vec<_> = drafts
            .keys()
            .filter_map(|class| self.writers.get(class).map(|writer| (*class, writer.end)))
            .collect();
        self.count += 1;
        let written = self.write(drafts).map_err(|error| (false, error));
        let written =
            written.and_then(|written| self.sync(&before).map(|()| written).map_err(|error| (true, error)));
        match written {
            Ok(written) => Ok(Written { before, ..written }),
            Err((give_up, error)) => {
                self.undo(vault, &before, give_up);
                Err(error)
            }
        }
    }

    /// All classes are written before the first is synced: a batch needs all its parts to count.
    fn write(&mut self, drafts: Drafts) -> io::Result<Written> {
        let parts = drafts.values().map(Vec::len).sum::<usize>() as u32;
        let mut part = Part { batch: self.batch(), part: 0, parts };
        let mut written = Written { frames: Vec::new(), cursors: Vec::new(), before: Vec::new() };
        for (class, frames) in drafts {
            let writer = self.writers.get_mut(&class).ok_or(io::ErrorKind::NotFound)?;
            writer.append(&*self.disk, &mut part, frames, &mut written.frames)?;
            written.cursors.push((writer.number, writer.end));
        }
        Ok(written)
    }

    /// A durable batch can't be made visible: takes it back.
    pub(super) fn take_back(&mut self, vault: &mut Vault, written: &Written) {
        self.undo(vault, &written.before, false);
    }

    fn sync(&self, touched: &[(u8, Cursor)]) -> io::Result<()> {
        for (class, _) in touched {
            let writer = self.writers.get(class).ok_or(io::ErrorKind::NotFound)?;
            self.disk.sync(&writer.file)?;
        }
        Ok(())
    }

    fn batch(&self) -> u64 {
        (self.opening << OPENING_SHIFT) | self.count
    }

    /// Cuts off what was written of a batch. Where that fails too, or the disk failed to sync and nobody
    /// knows what it holds, the segment is given up: the vault notes where it ends.
    fn undo(&mut self, vault: &mut Vault, before: &[(u8, Cursor)], give_up: bool) {
        for (class, end) in before {
            let Some(writer) = self.writers.get_mut(class) else { continue };
            writer.end = *end;
            let cut = self.disk.truncate(&writer.file, end.offset);
            if cut.and_then(|()| self.disk.sync(&writer.file)).is_ok() && !give_up {
                continue;
            }
            if let Some(segment) = vault.segments.get_mut(&writer.number) {
                segment.end = Some(end.offset);
                self.unsealed = true;
            }
            self.writers.remove(class);
        }
    }

    /// The file comes before the key in the vault: a segment whose file is missing is always damage.
    fn begin_one(&self, segments: &Segments, vault: &mut Vault, week: u32, class: u8) -> io::Result<Writer> {
        let segment = Segment { key: random_key()?, class, first_batch: self.batch() + 1, end: None };
        let (number, file) = self.create(segments, vault)?;
        self.disk.sync_folder(segments.folder())?;
        let keys = FrameKeys::new(&segments.profile, number, &segment)?;
        vault.segments.insert(number, segment);
        Ok(Writer { number, week, file, keys, end: Cursor::default() })
    }

    fn create(&self, segments: &Segments, vault: &Vault) -> io::Result<(u32, File)> {
        let mut number = vault.segments.last_key_value().map_or(Some(0), |(last, _)| last.checked_add(1));
        while let Some(next) = number {
            match self.disk.create(&segments.path(next)) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number = next.checked_add(1),
                other => return Ok((next, other?)),
            }
        }
        Err(io::ErrorKind::StorageFull.into())
    }
}

impl Writer {
    fn has_room(&self, week: u32, frames: &[Zeroizing<Vec<u8>>]) -> bool {
        let more: usize = frames.iter().map(|frame| FRAME_HEAD + OVERHEAD + frame.len()).sum();
        self.week == week && (self.end.offset == 0 || self.end.offset + more as u64 <= SEGMENT)
    }

    fn append(
        &mut self,
        disk: &dyn Disk,
        part: &mut Part,
        drafts: Vec<Zeroizing<Vec<u8>>>,
        written: &mut Vec<(u32, Frame)>,
    ) -> io::Result<()> {
        let mut end = self.end;
        let mut bytes = Vec::new();
        for mut plain in drafts {
            plain.splice(..part.encode().len(), part.encode());
            let sealed = self.keys.seal(end.index, &plain)?;
            written.push((self.number, Frame { offset: end.offset, index: end.index, part: *part, plain }));
            end = Cursor { offset: end.offset + sealed.len() as u64, index: end.index.saturating_add(1) };
            part.part += 1;
            bytes.extend(sealed);
        }
        disk.write_at(&self.file, self.end.offset, &bytes)?;
        self.end = end;
        Ok(())
    }
}
