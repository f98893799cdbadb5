//! Reading a segment from some frame to its end, across damage.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use zeroize::Zeroizing;

use super::frame::{FRAME_HEAD, FrameKeys, Head, MAGIC, Part};

const WINDOW: usize = 64 << 10;

/// Where to read on in a segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cursor {
    /// Byte offset of the next frame.
    pub(super) offset: u64,
    /// Its index.
    pub(super) index: u32,
}

/// A genuine frame.
pub(super) struct Frame {
    pub(super) offset: u64,
    pub(super) index: u32,
    pub(super) part: Part,
    pub(super) plain: Zeroizing<Vec<u8>>,
}

/// What lies behind the last genuine frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tail {
    /// Nothing.
    Clean,
    /// The beginning of a frame whose writing was cut short.
    Torn,
    /// Whole frames, or what was one, that do not authenticate.
    Damaged,
}

/// A walk along the genuine frames of a segment.
pub(super) struct Scan {
    file: File,
    keys: FrameKeys,
    /// Where the frames end: the file's size, or less if the vault says so.
    limit: u64,
    /// Behind the last genuine frame.
    at: Cursor,
    /// First and last index of frames that are missing between genuine ones.
    gaps: Vec<(u32, u32)>,
}

impl Scan {
    pub(super) fn new(file: File, keys: FrameKeys, limit: u64, from: Cursor) -> Self {
        Self { file, keys, limit, at: from, gaps: Vec::new() }
    }

    /// The next genuine frame, `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Frame>> {
        let mut offset = self.at.offset;
        loop {
            if let Some((frame, end)) = self.frame_at(offset)? {
                self.pass(&frame, end);
                return Ok(Some(frame));
            }
            match self.find_head(offset + 1)? {
                Some(next) => offset = next,
                None => return Ok(None),
            }
        }
    }

    /// Where the genuine frames end.
    pub(super) fn cursor(&self) -> Cursor {
        self.at
    }

    /// Frames missing so far.
    pub(super) fn gaps(&self) -> &[(u32, u32)] {
        &self.gaps
    }

    /// What follows the last genuine frame; to be asked at the end.
    pub(super) fn tail(&mut self) -> io::Result<Tail> {
        let left = self.limit.saturating_sub(self.at.offset);
        if left == 0 {
            return Ok(Tail::Clean);
        }
        let torn = left < FRAME_HEAD as u64 || self.is_cut_short(left)? || self.is_zeros()?;
        Ok(if torn { Tail::Torn } else { Tail::Damaged })
    }

    fn pass(&mut self, frame: &Frame, end: u64) {
        if frame.index > self.at.index {
            self.gaps.push((self.at.index, frame.index - 1));
        }
        self.at = Cursor { offset: end, index: frame.index.saturating_add(1) };
    }

    /// The frame at an offset and where it ends, if it is genuine and no repetition of an earlier one.
    fn frame_at(&mut self, offset: u64) -> io::Result<Option<(Frame, u64)>> {
        let Some(head) = self.head_at(offset)?.filter(|head| head.index >= self.at.index) else {
            return Ok(None);
        };
        let start = offset + FRAME_HEAD as u64;
        let end = start + head.body as u64;
        if end > self.limit {
            return Ok(None);
        }
        let body = self.read(start, head.body)?;
        let Some(plain) = self.keys.open(head.index, &body) else { return Ok(None) };
        let Some(part) = Part::decode(&plain) else { return Ok(None) };
        Ok(Some((Frame { offset, index: head.index, part, plain }, end)))
    }

    fn head_at(&mut self, offset: u64) -> io::Result<Option<Head>> {
        let bytes = self.read(offset, FRAME_HEAD)?;
        Ok(self.keys.head(&bytes))
    }

    /// The next offset at which a genuine head stands.
    fn find_head(&mut self, from: u64) -> io::Result<Option<u64>> {
        let mut base = from;
        while base < self.limit {
            let window = self.read(base, WINDOW)?;
            for (at, bytes) in window.windows(MAGIC.len()).enumerate() {
                if bytes == MAGIC && self.head_at(base + at as u64)?.is_some() {
                    return Ok(Some(base + at as u64));
                }
            }
            base += window.len().saturating_sub(MAGIC.len() - 1).max(1) as u64;
        }
        Ok(None)
    }

    fn is_cut_short(&mut self, left: u64) -> io::Result<bool> {
        let head = self.head_at(self.at.offset)?;
        Ok(head.is_some_and(|head| (FRAME_HEAD + head.body) as u64 > left))
    }

    fn is_zeros(&mut self) -> io::Result<bool> {
        let mut base = self.at.offset;
        while base < self.limit {
            let window = self.read(base, WINDOW)?;
            if window.is_empty() || window.iter().any(|byte| *byte != 0) {
                return Ok(false);
            }
            base += window.len() as u64;
        }
        Ok(true)
    }

    /// At most `len` bytes: fewer at the end.
    fn read(&mut self, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        let len = self.limit.saturating_sub(offset).min(len as u64);
        let mut bytes = Vec::with_capacity(len as usize);
        self.file.seek(SeekFrom::Start(offset))?;
        (&self.file).take(len).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}
