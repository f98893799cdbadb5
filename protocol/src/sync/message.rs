//! Frames of a sync stream: type byte, then fixed-width fields (spec sync, Y-1). Every count is
//! checked against its limit and the bytes that are there before anything is kept.

use crate::codec::{DecodeError, Reader};

/// Longest frame, type byte included.
pub const MAX_FRAME: usize = 65 * 1024;
/// Bytes of one slot.
pub const SLOT_LEN: usize = 128;
/// Slots are padded to one of these counts.
pub const SLOT_COUNTS: [usize; 3] = [8, 32, 128];
/// Most logs in one `Heads`.
pub const MAX_HEADS: usize = 1024;
/// Most members in one `Digest`.
pub const MAX_UP: usize = 16;
/// Most logs in one `Have`.
pub const MAX_HAVE: usize = 64;
/// Most logs in one `Want`.
pub const MAX_WANT: usize = 256;
/// Most positions told of one log in a `Want`.
pub const MAX_LOCATOR: usize = 16;
/// Most ids in one `Ask`.
pub const MAX_ASK: usize = 64;
/// Most epochs in one `Keys`.
pub const MAX_KEYS: usize = 64;
/// Most bytes one `Want` asks for.
pub const MAX_BUDGET: u32 = 1 << 20;
/// Most bytes of entries in one `Entries`.
pub const MAX_BATCH: usize = 64 * 1024 - 64;
/// Bytes of an `Entries` before its entries, and before each of them.
pub(super) const ENTRIES_HEADER: usize = 11;
/// See [`ENTRIES_HEADER`].
pub(super) const ENTRY_LENGTH: usize = 4;
/// Most bytes of one part of a `Mail`, and most parts.
pub const MAX_MAIL_PART: usize = 48 * 1024;
/// See [`MAX_MAIL_PART`].
pub const MAX_MAIL_PARTS: u8 = 64;

/// Bytes of a join request.
pub const KNOCK_LEN: usize = 4096;

const HELLO_LEN: usize = 64;

/// A log's name in one session: keyed, so that nobody can aim collisions.
pub type ShortLog = [u8; 8];
/// An entry's name in one session.
pub type ShortId = [u8; 8];

/// A device's name in one session.
pub type ShortDevice = [u8; 8];

/// The newest entry of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Which log.
    pub log: ShortLog,
    /// Its lane's number.
    pub lane: u8,
    /// Newest position.
    pub seq: u32,
    /// Newest entry.
    pub id: ShortId,
    /// Whether the log is proven forked.
    pub forked: bool,
}

/// A log and a position in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Which log.
    pub log: ShortLog,
    /// Position.
    pub seq: u32,
}

/// A log, and what is held of it: what follows the newest position both sides have alike is asked
/// for. Position 0 is alike everywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seek {
    /// Which log.
    pub log: ShortLog,
    /// Positions held, newest first.
    pub have: Vec<(u32, ShortId)>,
}

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Version and a nonce; both ways, first.
    Hello {
        /// Fresh in every session.
        nonce: [u8; 32],
    },
    /// Proofs of membership, padded with random ones.
    Slots(Vec<[u8; SLOT_LEN]>),
    /// To a joiner whose code is known: it opens nothing (1 used, 2 expired, 3 revoked).
    Refused(u8),
    /// A join request.
    Knock(Vec<u8>),
    /// A part of the answer to a join request.
    Mail {
        /// Which part.
        part: u8,
        /// Of how many.
        parts: u8,
        /// The part.
        bytes: Vec<u8>,
    },
    /// Fingerprints of the heads, a lane each.
    Digest {
        /// Which group.
        group: u8,
        /// Acts, talk, beacons.
        lanes: [[u8; 16]; 3],
        /// Devices that the sender is connected with in this group.
        up: Vec<ShortDevice>,
    },
    /// All heads, in one or several frames.
    Heads {
        /// Which group.
        group: u8,
        /// Whether more frames follow.
        more: bool,
        /// The heads.
        heads: Vec<Head>,
    },
    /// New heads: an announcement, and an acknowledgement of what was pushed.
    Have {
        /// Which group.
        group: u8,
        /// Where the logs stand.
        places: Vec<Place>,
    },
    /// Asks for what follows a position in each log.
    Want {
        /// Which group.
        group: u8,
        /// Push what is new from now on.
        live: bool,
        /// Most bytes of entries to send.
        budget: u32,
        /// What is held.
        logs: Vec<Seek>,
    },
    /// Tells the control keys of the branch that the sender is on.
    Keys {
        /// Which group.
        group: u8,
        /// Epoch ids, each with its control key.
        keys: Vec<[[u8; 32]; 2]>,
    },
    /// Asks for entries of forked logs by their ids, each with those before it.
    Ask {
        /// Which group.
        group: u8,
        /// The ids in full.
        ids: Vec<[u8; 32]>,
    },
    /// Entries that were asked for.
    Entries {
        /// Which group.
        group: u8,
        /// Which log; zeros in answer to an `Ask`.
        log: ShortLog,
        /// The answer to the `Want` or `Ask` ends here.
        end: bool,
        /// Canonical entries, in order.
        entries: Vec<Vec<u8>>,
    },
    /// One pushed entry, nothing else: its group and log follow from its author hint and lane.
    Entry(Vec<u8>),
    /// Announce only, don't push.
    Prune {
        /// Which group.
        group: u8,
    },
    /// No room; come back after this many seconds.
    Busy(u16),
    /// The end.
    Bye,
}

impl Message {
    /// Type byte and body.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::Hello { nonce } => {
                out.extend_from_slice(&[1, 1, 0, 0, 0, 0]);
                out.extend_from_slice(nonce);
                out.resize(1 + HELLO_LEN, 0);
            }
            Self::Slots(slots) => {
                out.push(2);
                slots.iter().for_each(|slot| out.extend_from_slice(slot));
            }
            Self::Refused(why) => out.extend_from_slice(&[3, *why]),
            Self::Knock(request) => {
                out.push(4);
                out.extend_from_slice(request);
            }
            Self::Mail { part, parts, bytes } => {
                out.extend_from_slice(&[5, *part, *parts]);
                out.extend_from_slice(bytes);
            }
            Self::Digest { group, lanes, up } => {
                out.extend_from_slice(&[6, *group]);
                lanes.iter().for_each(|lane| out.extend_from_slice(lane));
                up.iter().for_each(|device| out.extend_from_slice(device));
            }
            Self::Heads { group, more, heads } => {
                out.extend_from_slice(&[7, *group, u8::from(*more)]);
                heads.iter().for_each(|head| push_head(&mut out, head));
            }
            Self::Have { group, places } => {
                out.extend_from_slice(&[8, *group]);
                places.iter().for_each(|place| push_place(&mut out, place));
            }
            Self::Want { group, live, budget, logs } => {
                out.extend_from_slice(&[9, *group, u8::from(*live)]);
                out.extend_from_slice(&budget.to_be_bytes());
                logs.iter().for_each(|seek| push_seek(&mut out, seek));
            }
            Self::Ask { group, ids } => {
                out.extend_from_slice(&[15, *group]);
                ids.iter().for_each(|id| out.extend_from_slice(id));
            }
            Self::Keys { group, keys } => {
                out.extend_from_slice(&[16, *group]);
                keys.iter().flatten().for_each(|half| out.extend_from_slice(half));
            }
            Self::Entries { group, log, end, entries } => {
                out.extend_from_slice(&[10, *group, u8::from(*end)]);
                out.extend_from_slice(log);
                for entry in entries {
                    out.extend_from_slice(&u32::try_from(entry.len()).unwrap_or(u32::MAX).to_be_bytes());
                    out.extend_from_slice(entry);
                }
            }
            Self::Entry(entry) => {
                out.push(11);
                out.extend_from_slice(entry);
            }
            Self::Prune { group } => out.extend_from_slice(&[12, *group]),
            Self::Busy(seconds) => {
                out.push(13);
                out.extend_from_slice(&seconds.to_be_bytes());
            }
            Self::Bye => out.push(14),
        }
        out
    }

    /// Reads one frame.
    ///
    /// # Errors
    /// The first rule of form broken.
    pub fn decode(frame: &[u8]) -> Result<Self, DecodeError> {
        if frame.len() > MAX_FRAME {
            return Err(DecodeError::TooLarge);
        }
        let mut reader = Reader::new(frame);
        let message = match reader.u8()? {
            1 => hello(&mut reader)?,
            2 => slots(&mut reader)?,
            3 => Self::Refused(reader.u8()?),
            4 => Self::Knock(rest(&mut reader, KNOCK_LEN)?),
            5 => mail(&mut reader)?,
            6 => Self::Digest {
                group: reader.u8()?,
                lanes: [reader.array()?, reader.array()?, reader.array()?],
                up: many(&mut reader, MAX_UP, |reader| reader.array())?,
            },
            7 => Self::Heads {
                group: reader.u8()?,
                more: flag(&mut reader)?,
                heads: many(&mut reader, MAX_HEADS, head)?,
            },
            8 => Self::Have { group: reader.u8()?, places: many(&mut reader, MAX_HAVE, place)? },
            9 => want(&mut reader)?,
            10 => entries(&mut reader)?,
            11 => Self::Entry(rest(&mut reader, crate::entry::MAX_ENTRY)?),
            12 => Self::Prune { group: reader.u8()? },
            13 => Self::Busy(reader.u16()?),
            14 => Self::Bye,
            15 => {
                Self::Ask { group: reader.u8()?, ids: many(&mut reader, MAX_ASK, |reader| reader.array())? }
            }
            16 => {
                let group = reader.u8()?;
                let key = |reader: &mut Reader<'_>| Ok([reader.array()?, reader.array()?]);
                Self::Keys { group, keys: many(&mut reader, MAX_KEYS, key)? }
            }
            _ => return Err(DecodeError::Value),
        };
        reader.finish()?;
        Ok(message)
    }
}

fn push_head(out: &mut Vec<u8>, head: &Head) {
    out.extend_from_slice(&head.log);
    out.push(head.lane << 1 | u8::from(head.forked));
    out.extend_from_slice(&head.seq.to_be_bytes());
    out.extend_from_slice(&head.id);
}

fn push_place(out: &mut Vec<u8>, place: &Place) {
    out.extend_from_slice(&place.log);
    out.extend_from_slice(&place.seq.to_be_bytes());
}

fn push_seek(out: &mut Vec<u8>, seek: &Seek) {
    out.extend_from_slice(&seek.log);
    out.push(u8::try_from(seek.have.len()).unwrap_or(u8::MAX));
    for (seq, id) in &seek.have {
        out.extend_from_slice(&seq.to_be_bytes());
        out.extend_from_slice(id);
    }
}

fn hello(reader: &mut Reader<'_>) -> Result<Message, DecodeError> {
    let version = reader.u8()?;
    let _features = reader.u32()?;
    let nonce = reader.array()?;
    // Padding, and fields of later versions.
    reader.bytes(HELLO_LEN - 37)?;
    if version == 1 { Ok(Message::Hello { nonce }) } else { Err(DecodeError::Value) }
}

fn slots(reader: &mut Reader<'_>) -> Result<Message, DecodeError> {
    let count = reader.rest().len() / SLOT_LEN;
    if !SLOT_COUNTS.contains(&count) {
        return Err(DecodeError::Value);
    }
    (0..count).map(|_| reader.array()).collect::<Result<_, _>>().map(Message::Slots)
}

fn mail(reader: &mut Reader<'_>) -> Result<Message, DecodeError> {
    let (part, parts) = (reader.u8()?, reader.u8()?);
    if part >= parts || parts > MAX_MAIL_PARTS {
        return Err(DecodeError::Value);
    }
    Ok(Message::Mail { part, parts, bytes: rest(reader, MAX_MAIL_PART)? })
}

fn want(reader: &mut Reader<'_>) -> Result<Message, DecodeError> {
    let (group, live, budget) = (reader.u8()?, flag(reader)?, reader.u32()?);
    if budget > MAX_BUDGET {
        return Err(DecodeError::TooLarge);
    }
    Ok(Message::Want { group, live, budget, logs: many(reader, MAX_WANT, seek)? })
}

fn entries(reader: &mut Reader<'_>) -> Result<Message, DecodeError> {
    let (group, end, log) = (reader.u8()?, flag(reader)?, reader.array()?);
    let entries = many(reader, usize::MAX, |reader| {
        let length = usize::try_from(reader.u32()?).map_err(|_| DecodeError::TooLarge)?;
        reader.bytes(length).map(<[u8]>::to_vec)
    })?;
    Ok(Message::Entries { group, log, end, entries })
}

fn head(reader: &mut Reader<'_>) -> Result<Head, DecodeError> {
    let log = reader.array()?;
    let lane = reader.u8()?;
    Ok(Head { log, lane: lane >> 1, forked: lane & 1 == 1, seq: reader.u32()?, id: reader.array()? })
}

fn place(reader: &mut Reader<'_>) -> Result<Place, DecodeError> {
    Ok(Place { log: reader.array()?, seq: reader.u32()? })
}

fn seek(reader: &mut Reader<'_>) -> Result<Seek, DecodeError> {
    let (log, count) = (reader.array()?, usize::from(reader.u8()?));
    if count > MAX_LOCATOR {
        return Err(DecodeError::TooLarge);
    }
    let have = (0..count).map(|_| Ok((reader.u32()?, reader.array()?))).collect::<Result<_, _>>()?;
    Ok(Seek { log, have })
}

fn flag(reader: &mut Reader<'_>) -> Result<bool, DecodeError> {
    match reader.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(DecodeError::Value),
    }
}

/// Items to the end of the frame, at most `max`: the frame's length bounds memory.
fn many<T>(
    reader: &mut Reader<'_>,
    max: usize,
    item: impl Fn(&mut Reader<'_>) -> Result<T, DecodeError>,
) -> Result<Vec<T>, DecodeError> {
    let mut items = Vec::new();
    while !reader.rest().is_empty() {
        if items.len() == max {
            return Err(DecodeError::TooLarge);
        }
        items.push(item(reader)?);
    }
    Ok(items)
}

fn rest(reader: &mut Reader<'_>, max: usize) -> Result<Vec<u8>, DecodeError> {
    let length = reader.rest().len();
    if length > max { Err(DecodeError::TooLarge) } else { reader.bytes(length).map(<[u8]>::to_vec) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn samples() -> Vec<Message> {
        let place = Place { log: [1; 8], seq: 7 };
        let head = Head { log: [1; 8], lane: 1, seq: 9, id: [2; 8], forked: true };
        let seek = Seek { log: [1; 8], have: vec![(7, [2; 8]), (0, [0; 8])] };
        vec![
            Message::Hello { nonce: [3; 32] },
            Message::Slots(vec![[4; SLOT_LEN]; 8]),
            Message::Refused(2),
            Message::Knock(vec![5; 4096]),
            Message::Mail { part: 0, parts: 2, bytes: vec![6; 100] },
            Message::Digest { group: 1, lanes: [[7; 16]; 3], up: vec![] },
            Message::Heads { group: 1, more: true, heads: vec![head; 3] },
            Message::Have { group: 1, places: vec![place; 2] },
            Message::Want { group: 1, live: true, budget: 9, logs: vec![seek.clone(); 2] },
            Message::Ask { group: 1, ids: vec![[7; 32]; 2] },
            Message::Keys { group: 1, keys: vec![[[7; 32], [8; 32]]; 2] },
            Message::Entries { group: 1, log: [1; 8], end: true, entries: vec![vec![8; 30]; 2] },
            Message::Entry(vec![9; 520]),
            Message::Prune { group: 3 },
            Message::Busy(60),
            Message::Bye,
        ]
    }

    #[test]
    fn every_message_survives_the_wire_and_no_cut_of_it_does() {
        for message in samples() {
            let frame = message.encode();
            assert_eq!(Message::decode(&frame), Ok(message.clone()));
            let open_ended = matches!(frame[0], 4 | 5 | 7..=11 | 15 | 16);
            for len in 0..frame.len() {
                let cut = Message::decode(&frame[..len]);
                assert!(open_ended || cut.is_err(), "{message:?} cut to {len}");
            }
        }
    }

    #[test]
    fn limits_hold_before_anything_is_kept() {
        let place = Place { log: [1; 8], seq: 7 };
        let bare = Seek { log: [1; 8], have: vec![] };
        let long = Seek { log: [1; 8], have: vec![(7, [2; 8]); MAX_LOCATOR + 1] };
        let over = [
            Message::Digest { group: 1, lanes: [[7; 16]; 3], up: vec![[3; 8]; MAX_UP + 1] },
            Message::Have { group: 1, places: vec![place; MAX_HAVE + 1] },
            Message::Want { group: 1, live: false, budget: 1, logs: vec![bare; MAX_WANT + 1] },
            Message::Want { group: 1, live: false, budget: 1, logs: vec![long] },
            Message::Ask { group: 1, ids: vec![[7; 32]; MAX_ASK + 1] },
            Message::Keys { group: 1, keys: vec![[[7; 32]; 2]; MAX_KEYS + 1] },
            Message::Want { group: 1, live: false, budget: MAX_BUDGET + 1, logs: vec![] },
            Message::Mail { part: 2, parts: 2, bytes: vec![] },
            Message::Knock(vec![0; 4097]),
            Message::Slots(vec![[0; SLOT_LEN]; 9]),
        ];
        for message in over {
            assert!(Message::decode(&message.encode()).is_err(), "{message:?}");
        }
        assert_eq!(Message::decode(&vec![11; MAX_FRAME + 1]), Err(DecodeError::TooLarge));
    }

    proptest! {
        #[test]
        fn garbage_decodes_to_nothing_or_to_itself(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            if let Ok(message) = Message::decode(&bytes)
                && !matches!(message, Message::Hello { .. })
            {
                prop_assert_eq!(message.encode(), bytes);
            }
        }
    }
}
