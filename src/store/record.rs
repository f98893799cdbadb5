//! Records as they lie in a frame (S-20): operation, address, length, value.

use super::bytes::Reader;
use super::vault::SecretId;

/// Largest value of a record, in bytes.
pub(super) const MAX_RECORD: usize = 16 << 20;
/// Bytes before a record's value.
pub(super) const RECORD_HEAD: usize = 1 + 32 + 4;

/// Keyed hash of table and scope (16 B), then the order (16 B, big-endian): all that the disk knows of
/// a [`piquet_protocol::store::Key`].
pub(super) type Address = [u8; 32];

/// What a record does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Op {
    /// The value is the record's.
    Put = 1,
    /// There is no record of this address any more.
    Delete = 2,
    /// The value names a secret that lies in the vault.
    SecretInVault = 3,
    /// The value names a secret and is the secret, sealed under a key in the vault.
    SecretHere = 4,
    /// There is no secret of this address any more.
    Erase = 5,
}

impl Op {
    fn from_byte(byte: u8) -> Option<Self> {
        let all = [Self::Put, Self::Delete, Self::SecretInVault, Self::SecretHere, Self::Erase];
        all.into_iter().find(|op| *op as u8 == byte)
    }
}

/// A record inside a frame.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record<'a> {
    pub(super) op: Op,
    pub(super) address: Address,
    /// Offset of the record in its frame.
    pub(super) at: u32,
    pub(super) value: &'a [u8],
}

impl Record<'_> {
    /// The secret this record names, and what follows the name.
    pub(super) fn secret(&self) -> Option<(SecretId, &[u8])> {
        let (id, rest) = self.value.split_first_chunk()?;
        Some((*id, rest))
    }
}

/// Appends a record.
pub(super) fn write(out: &mut Vec<u8>, op: Op, address: &Address, value: &[&[u8]]) {
    let len: usize = value.iter().map(|part| part.len()).sum();
    out.push(op as u8);
    out.extend(address);
    out.extend((len as u32).to_be_bytes());
    value.iter().for_each(|part| out.extend(*part));
}

/// The record at an offset of a frame.
pub(super) fn read_at(frame: &[u8], at: u32) -> Option<Record<'_>> {
    let mut reader = Reader::new(frame.get(at as usize..)?);
    read(&mut reader, at)
}

/// All records from an offset on; what can't be read ends them.
pub(super) fn read_all(frame: &[u8], from: usize) -> impl Iterator<Item = Record<'_>> {
    let mut reader = Reader::new(frame.get(from..).unwrap_or_default());
    std::iter::from_fn(move || {
        let at = u32::try_from(frame.len() - reader.len()).ok()?;
        read(&mut reader, at)
    })
}

fn read<'a>(reader: &mut Reader<'a>, at: u32) -> Option<Record<'a>> {
    let op = Op::from_byte(reader.u8()?)?;
    let address = reader.array()?;
    let len = reader.u32()? as usize;
    Some(Record { op, address, at, value: reader.take(len)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_back_in_order_and_by_offset() {
        let mut frame = vec![9; 3];
        write(&mut frame, Op::Put, &[1; 32], &[b"ab", b"c"]);
        write(&mut frame, Op::Delete, &[2; 32], &[]);
        let records: Vec<_> = read_all(&frame, 3).collect();
        assert_eq!(records.len(), 2);
        assert_eq!((records[0].value, records[1].op), (&b"abc"[..], Op::Delete));
        assert_eq!(read_at(&frame, records[1].at).unwrap(), records[1]);
    }

    #[test]
    fn nothing_is_read_past_the_end() {
        let mut frame = Vec::new();
        write(&mut frame, Op::Put, &[1; 32], &[b"abc"]);
        assert!((0..frame.len()).all(|len| read_at(&frame[..len], 0).is_none()));
        assert!(read_at(&frame, u32::MAX).is_none());
    }
}
