//! The part of an entry that carriers inside the group can read (E-1 … E-6).

use crate::codec::{DecodeError, Reader};
use crate::id::{DeviceKey, EntryId, EpochId};

/// Version of the entry format.
pub const VERSION: u8 = 1;
/// Longest entry in bytes.
pub const MAX_ENTRY: usize = 64 * 1024;
/// Most acts an entry cites.
pub const MAX_ACT_CITES: usize = 64;
/// Most talk entries an entry cites.
pub const MAX_TALK_CITES: usize = 16;

/// Version and lane/class byte, which stand before the hints.
const BEFORE_HINTS: usize = 2;
/// Author and epoch hint.
const HINTS: usize = 16;

/// One of an author's three logs in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Lane {
    /// What decides; kept.
    Acts = 0,
    /// What is said; prunable.
    Talk = 1,
    /// Addresses and receipts; only the newest counts.
    Beacon = 2,
}

impl Lane {
    /// All lanes, in the order of their numbers.
    pub const ALL: [Self; 3] = [Self::Acts, Self::Talk, Self::Beacon];

    /// The lane of a number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|lane| *lane as u8 == number)
    }

    /// Whether entries of this lane form a chain (beacons replace one another).
    pub fn is_chained(self) -> bool {
        self != Self::Beacon
    }
}

/// Which key seals a body, and so how long it can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Class {
    /// Operations, commits, statements: the kept, chained key.
    Control = 0,
    /// Grievances, calls, pledges: by the group's policy.
    Record = 1,
    /// Chat: until its time to live ends.
    Chat = 2,
    /// Disappearing messages.
    Short = 3,
    /// Beacons: erased with the epoch state.
    Beacon = 4,
}

impl Class {
    /// All classes, in the order of their numbers.
    pub const ALL: [Self; 5] = [Self::Control, Self::Record, Self::Chat, Self::Short, Self::Beacon];

    fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|class| *class as u8 == number)
    }

    /// The one lane whose entries have this class (E-2).
    pub fn lane(self) -> Lane {
        match self {
            Self::Control | Self::Record => Lane::Acts,
            Self::Chat | Self::Short => Lane::Talk,
            Self::Beacon => Lane::Beacon,
        }
    }
}

/// What an entry says outside its seal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The log of the author this entry belongs to.
    pub lane: Lane,
    /// The class of key that seals the body.
    pub class: Class,
    /// First 8 bytes of the author's device key.
    pub author_hint: [u8; 8],
    /// First 8 bytes of the epoch id.
    pub epoch_hint: [u8; 8],
    /// Position in the lane, from 1.
    pub seq: u32,
    /// The author's entry before this one in the lane; zero for the first and for beacons.
    pub prev: EntryId,
    /// Heads of the acts lanes that the author had applied, beyond `prev`'s past; ascending.
    pub act_cites: Vec<EntryId>,
    /// The same for talk lanes; empty for acts and beacons.
    pub talk_cites: Vec<EntryId>,
}

impl Header {
    /// A header by `device` under `epoch`; cites are sorted here.
    pub fn new(class: Class, device: &DeviceKey, epoch: &EpochId, seq: u32, prev: EntryId) -> Self {
        Self {
            lane: class.lane(),
            class,
            author_hint: device.hint(),
            epoch_hint: epoch.hint(),
            seq,
            prev,
            act_cites: Vec::new(),
            talk_cites: Vec::new(),
        }
    }

    /// Whether the header obeys every rule of shape (E-2 … E-6).
    ///
    /// # Errors
    /// The rule broken.
    pub fn check(&self) -> Result<(), DecodeError> {
        let first = self.seq == 1 || !self.lane.is_chained();
        let cites_fit = match self.lane {
            Lane::Acts => self.talk_cites.is_empty(),
            Lane::Talk => true,
            Lane::Beacon => self.act_cites.is_empty() && self.talk_cites.is_empty(),
        };
        if self.seq == 0
            || self.class.lane() != self.lane
            || first != (self.prev == EntryId::default())
            || !cites_fit
        {
            return Err(DecodeError::Value);
        }
        if self.act_cites.len() > MAX_ACT_CITES || self.talk_cites.len() > MAX_TALK_CITES {
            return Err(DecodeError::TooLarge);
        }
        if ascending(&self.act_cites) && ascending(&self.talk_cites) {
            Ok(())
        } else {
            Err(DecodeError::NotCanonical)
        }
    }

    /// Canonical bytes, version to cites (E-1).
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![VERSION, (self.lane as u8) << 4 | self.class as u8];
        out.extend_from_slice(&self.author_hint);
        out.extend_from_slice(&self.epoch_hint);
        out.extend_from_slice(&self.seq.to_be_bytes());
        out.extend_from_slice(self.prev.as_bytes());
        // check() bounds both counts far below 256.
        out.push(self.act_cites.len() as u8);
        out.push(self.talk_cites.len() as u8);
        for cite in self.act_cites.iter().chain(&self.talk_cites) {
            out.extend_from_slice(cite.as_bytes());
        }
        out
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if reader.u8()? != VERSION {
            return Err(DecodeError::Value);
        }
        let lane_class = reader.u8()?;
        let lane = Lane::from_number(lane_class >> 4).ok_or(DecodeError::Value)?;
        let class = Class::from_number(lane_class & 15).ok_or(DecodeError::Value)?;
        let author_hint = reader.array()?;
        let epoch_hint = reader.array()?;
        let seq = reader.u32()?;
        let prev = EntryId(reader.array()?);
        let (acts, talk) = (usize::from(reader.u8()?), usize::from(reader.u8()?));
        if acts > MAX_ACT_CITES || talk > MAX_TALK_CITES {
            return Err(DecodeError::TooLarge);
        }
        let act_cites = cites(reader, acts)?;
        let talk_cites = cites(reader, talk)?;
        let header = Self { lane, class, author_hint, epoch_hint, seq, prev, act_cites, talk_cites };
        header.check()?;
        Ok(header)
    }
}

fn cites(reader: &mut Reader<'_>, count: usize) -> Result<Vec<EntryId>, DecodeError> {
    (0..count).map(|_| reader.array().map(EntryId)).collect()
}

fn ascending(cites: &[EntryId]) -> bool {
    cites.windows(2).all(|pair| matches!(pair, [a, b] if a < b)) && !cites.contains(&EntryId::default())
}

/// Appends `bytes` of an entry without its two hints: the full names are signed in their place.
pub(super) fn push_without_hints(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend(bytes.iter().take(BEFORE_HINTS));
    out.extend(bytes.iter().skip(BEFORE_HINTS + HINTS));
}
