//! Reading single frames, with a few open files and decrypted frames at hand.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

use zeroize::Zeroizing;

use super::frame::{FRAME_HEAD, FrameKeys};
use super::index::Position;
use super::journal::Segments;
use super::vault::Vault;

const OPEN_FILES: usize = 32;
const FRAMES: usize = 64;
/// Frames larger than this are not kept: they hold one large record, read once.
const KEPT_SIZE: usize = 128 << 10;
const KEPT_BYTES: usize = 2 << 20;

type Plain = Arc<Zeroizing<Vec<u8>>>;

/// Open files and decrypted frames, the last used at the back; both bounded, wiped when dropped.
#[derive(Default)]
pub(super) struct FrameReader {
    files: VecDeque<(u32, File, FrameKeys)>,
    frames: VecDeque<((u32, u32), Plain)>,
    bytes: usize,
}

impl FrameReader {
    /// The plaintext of the frame at a position; `None` if it is missing or not genuine.
    pub(super) fn frame(
        &mut self,
        segments: &Segments,
        vault: &Vault,
        position: Position,
    ) -> io::Result<Option<Plain>> {
        if let Some(plain) = self.kept(position) {
            return Ok(Some(plain));
        }
        let Some(plain) = self.read(segments, vault, position)?.map(Arc::new) else { return Ok(None) };
        self.keep(position, &plain);
        Ok(Some(plain))
    }

    fn kept(&mut self, position: Position) -> Option<Plain> {
        let name = (position.segment, position.offset);
        let at = self.frames.iter().rposition(|(kept, _)| *kept == name)?;
        let frame = self.frames.remove(at)?;
        let plain = frame.1.clone();
        self.frames.push_back(frame);
        Some(plain)
    }

    fn keep(&mut self, position: Position, plain: &Plain) {
        if plain.len() > KEPT_SIZE {
            return;
        }
        self.bytes += plain.len();
        self.frames.push_back(((position.segment, position.offset), plain.clone()));
        while self.frames.len() > FRAMES || self.bytes > KEPT_BYTES {
            let Some((_, gone)) = self.frames.pop_front() else { break };
            self.bytes -= gone.len();
        }
    }

    fn read(
        &mut self,
        segments: &Segments,
        vault: &Vault,
        position: Position,
    ) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        let Some((file, keys)) = self.file(segments, vault, position.segment)? else { return Ok(None) };
        let offset = u64::from(position.offset);
        let head = keys.head(&read_at(file, offset, FRAME_HEAD)?);
        let Some(head) = head.filter(|head| head.index == position.frame) else { return Ok(None) };
        let body = read_at(file, offset + FRAME_HEAD as u64, head.body)?;
        Ok(keys.open(head.index, &body))
    }

    fn file(
        &mut self,
        segments: &Segments,
        vault: &Vault,
        number: u32,
    ) -> io::Result<Option<(&File, &FrameKeys)>> {
        if let Some(at) = self.files.iter().rposition(|(open, _, _)| *open == number) {
            let last = self.files.len() - 1;
            self.files.swap(at, last);
        } else {
            let Some((file, keys)) = segments.open(vault, number)? else { return Ok(None) };
            self.files.push_back((number, file, keys));
            if self.files.len() > OPEN_FILES {
                self.files.pop_front();
            }
        }
        Ok(self.files.back().map(|(_, file, keys)| (file, keys)))
    }
}

/// At most `len` bytes: fewer at the end of the file.
fn read_at(mut file: &File, offset: u64, len: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(len);
    file.seek(SeekFrom::Start(offset))?;
    file.take(len as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}
