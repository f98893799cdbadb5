//! Bytes in and out: a bounds-checked reader for fixed-width formats, and the schema-less walk
//! that keeps CBOR bodies canonical (RFC 8949 §4.2.1; spec terms, D-1 … D-4).

mod cbor;

pub use cbor::{from_cbor, to_cbor};

use thiserror::Error;

/// Deepest nesting of a CBOR body (D-3).
const MAX_DEPTH: usize = 8;
/// CBOR's null.
const NULL: u8 = 0xf6;

/// Why bytes were refused before their meaning was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// Bytes ended before the format did.
    #[error("truncated")]
    Truncated,
    /// Bytes went on after the format ended.
    #[error("trailing bytes")]
    Trailing,
    /// A second encoding of a value that has a canonical one.
    #[error("not canonical")]
    NotCanonical,
    /// A count or length over the limit of its field.
    #[error("too large")]
    TooLarge,
    /// A value that the field doesn't allow.
    #[error("value not allowed")]
    Value,
    /// A text that is empty where it may not be, too long, or has control characters.
    #[error("{field}: 1 to {max} bytes, no control characters")]
    Text {
        /// Which.
        field: &'static str,
        /// Its bound in bytes.
        max: usize,
    },
}

/// Reads fixed-width big-endian fields from hostile bytes.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A reader at the start of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What is not read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next `len` bytes.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`].
    pub fn bytes(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let (head, rest) = self.rest.split_at_checked(len).ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(head)
    }

    /// The next `N` bytes.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`].
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (head, rest) = self.rest.split_first_chunk::<N>().ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(*head)
    }

    /// One byte.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`].
    pub fn u8(&mut self) -> Result<u8, DecodeError> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// Two bytes, big-endian.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`].
    pub fn u16(&mut self) -> Result<u16, DecodeError> {
        self.array().map(u16::from_be_bytes)
    }

    /// Four bytes, big-endian.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`].
    pub fn u32(&mut self) -> Result<u32, DecodeError> {
        self.array().map(u32::from_be_bytes)
    }

    /// Eight bytes, big-endian.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`].
    pub fn u64(&mut self) -> Result<u64, DecodeError> {
        self.array().map(u64::from_be_bytes)
    }

    /// An unsigned LEB128 number in its shortest form, at most `max` (D-4).
    ///
    /// # Errors
    /// [`DecodeError::NotCanonical`] for a longer form, [`DecodeError::TooLarge`] over `max`.
    pub fn varint(&mut self, max: u64) -> Result<u64, DecodeError> {
        let mut value: u64 = 0;
        for shift in [0u32, 7, 14, 21, 28] {
            let byte = self.u8()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                if byte == 0 && shift > 0 {
                    return Err(DecodeError::NotCanonical);
                }
                return if value <= max { Ok(value) } else { Err(DecodeError::TooLarge) };
            }
        }
        Err(DecodeError::TooLarge)
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// [`DecodeError::Trailing`] if something is left.
    pub fn finish(self) -> Result<(), DecodeError> {
        if self.rest.is_empty() { Ok(()) } else { Err(DecodeError::Trailing) }
    }
}

/// Appends an unsigned LEB128 number in its shortest form (D-4).
pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Checks that `bytes` are exactly one CBOR item in its deterministic encoding: shortest heads,
/// definite lengths, map keys strictly ascending by their encoding, no floats, no tags, no map value
/// that is null: an absent field is left out, or "none" had two encodings (D-1, D-2).
///
/// Unknown fields pass: a newer schema's body is canonical without being understood.
///
/// # Errors
/// The first rule broken.
pub fn check_canonical(bytes: &[u8]) -> Result<(), DecodeError> {
    let mut reader = Reader::new(bytes);
    walk(&mut reader, MAX_DEPTH)?;
    reader.finish()
}

fn walk(reader: &mut Reader<'_>, depth: usize) -> Result<(), DecodeError> {
    let depth = depth.checked_sub(1).ok_or(DecodeError::TooLarge)?;
    let (major, argument) = head(reader)?;
    match major {
        0 | 1 => Ok(()),
        2 => skip(reader, argument).map(|_| ()),
        3 => match std::str::from_utf8(skip(reader, argument)?) {
            Ok(_) => Ok(()),
            Err(_) => Err(DecodeError::Value),
        },
        4 => (0..argument).try_for_each(|_| walk(reader, depth)),
        5 => walk_map(reader, argument, depth),
        7 if (20..=22).contains(&argument) => Ok(()),
        _ => Err(DecodeError::Value),
    }
}

fn walk_map(reader: &mut Reader<'_>, pairs: u64, depth: usize) -> Result<(), DecodeError> {
    let mut last: Option<&[u8]> = None;
    for _ in 0..pairs {
        let before = reader.rest();
        walk(reader, depth)?;
        let used = before.len().saturating_sub(reader.rest().len());
        let key = before.get(..used).ok_or(DecodeError::Truncated)?;
        if last.is_some_and(|last| last >= key) {
            return Err(DecodeError::NotCanonical);
        }
        last = Some(key);
        if reader.rest().first() == Some(&NULL) {
            return Err(DecodeError::NotCanonical);
        }
        walk(reader, depth)?;
    }
    Ok(())
}

fn skip<'a>(reader: &mut Reader<'a>, len: u64) -> Result<&'a [u8], DecodeError> {
    reader.bytes(usize::try_from(len).map_err(|_| DecodeError::Truncated)?)
}

/// Major type and argument of an item, in their shortest form (RFC 8949 §3).
fn head(reader: &mut Reader<'_>) -> Result<(u8, u64), DecodeError> {
    let first = reader.u8()?;
    let (major, short) = (first >> 5, first & 31);
    let (argument, least) = match short {
        0..=23 => return Ok((major, u64::from(short))),
        24 => (u64::from(reader.u8()?), 24),
        25 => (u64::from(reader.u16()?), 0x100),
        26 => (u64::from(reader.u32()?), 0x1_0000),
        27 => (reader.u64()?, 0x1_0000_0000),
        _ => return Err(DecodeError::NotCanonical),
    };
    if major == 7 || argument < least { Err(DecodeError::NotCanonical) } else { Ok((major, argument)) }
}

#[cfg(test)]
mod tests;
