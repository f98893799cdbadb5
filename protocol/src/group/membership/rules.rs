//! What a group starts with, and the rules that its acts are read by.

use std::collections::BTreeSet;

use minicbor::{Decode, Encode};

use crate::id::{DeviceKey, MemberId};

/// Most vouches a rule may ask for.
pub const MAX_VOUCHES: u32 = 16;
/// Longest waiting time before enrolment, in days.
pub const MAX_WAIT: u32 = 365;
/// Longest time that chat is kept under a rule, in days.
pub const MAX_CHAT: u32 = 3_650;

/// What a rule is about (spec membership, M-10). Of two values that cross the stricter holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum Parameter {
    /// Who admits: 0 a key-holder, n = 1 … 16 that many members.
    #[n(0)]
    Admit,
    /// How many key-holders remove: 1 or 2.
    #[n(1)]
    Few,
    /// Days until enrolment is proposed.
    #[n(2)]
    Wait,
    /// Days that chat is kept; 0 for ever.
    #[n(3)]
    Chat,
}

impl Parameter {
    /// All, by number.
    pub const ALL: [Self; 4] = [Self::Admit, Self::Few, Self::Wait, Self::Chat];

    /// Whether a value is one.
    pub fn allows(self, value: u32) -> bool {
        match self {
            Self::Admit => value <= MAX_VOUCHES,
            Self::Few => (1..=2).contains(&value),
            Self::Wait => value <= MAX_WAIT,
            Self::Chat => value <= MAX_CHAT,
        }
    }

    /// Orders values: the greatest is the strictest.
    pub fn strictness(self, value: u32) -> u32 {
        match (self, value) {
            (Self::Admit, 0) => u32::MAX,
            (Self::Chat, 1..) => u32::MAX.saturating_sub(value),
            _ => value,
        }
    }
}

/// Who admits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// A key-holder.
    KeyHolder,
    /// So many members, none of whom another of them let in (M-16).
    Vouches(usize),
}

/// The rules that hold in a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Who admits; see [`Parameter::Admit`].
    pub admit: u32,
    /// How many key-holders remove: 1 or 2.
    pub few: u32,
    /// Days until enrolment is proposed.
    pub wait: u32,
    /// Days that chat is kept; 0 for ever.
    pub chat: u32,
}

impl Rules {
    /// Those of every draft: a key-holder admits, one removes.
    pub const DRAFT: Self = Self { admit: 0, few: 1, wait: 0, chat: 0 };

    /// The value of one parameter.
    pub fn get(&self, parameter: Parameter) -> u32 {
        match parameter {
            Parameter::Admit => self.admit,
            Parameter::Few => self.few,
            Parameter::Wait => self.wait,
            Parameter::Chat => self.chat,
        }
    }

    pub(super) fn set(&mut self, parameter: Parameter, value: u32) {
        match parameter {
            Parameter::Admit => self.admit = value,
            Parameter::Few => self.few = value,
            Parameter::Wait => self.wait = value,
            Parameter::Chat => self.chat = value,
        }
    }

    /// Who admits.
    pub fn admission(&self) -> Admission {
        admission(self.admit)
    }
}

/// What a value of [`Parameter::Admit`] asks.
pub(super) fn admission(value: u32) -> Admission {
    match value {
        0 => Admission::KeyHolder,
        n => Admission::Vouches(n as usize),
    }
}

/// Who is what in a group's genesis, and the rules it starts with (B-2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Founding {
    /// Key-holders.
    pub council: BTreeSet<MemberId>,
    /// Who is in.
    pub members: BTreeSet<MemberId>,
    /// Who votes.
    pub roll: BTreeSet<MemberId>,
    /// The rules.
    pub rules: Rules,
}

impl Founding {
    /// A council of one and an empty roll.
    pub fn draft(founder: DeviceKey) -> Self {
        let founder = BTreeSet::from([MemberId::from(founder)]);
        Self { council: founder.clone(), members: founder, roll: BTreeSet::new(), rules: Rules::DRAFT }
    }
}
