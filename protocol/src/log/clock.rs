//! What is established about an entry when it is applied: causal depth, membership acts in its
//! past, how far it knows this node's own logs (L-7, L-8).

use crate::entry::Lane;
use crate::group::membership::OpState;
use crate::id::DeviceKey;

/// Fixed for ever once an entry is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The author.
    pub device: DeviceKey,
    /// The lane.
    pub lane: Lane,
    /// Position in the lane.
    pub seq: u32,
    /// 1 + the greatest depth among its parents: the order on screen.
    pub depth: u32,
    /// Membership acts in its past, itself included if it is one.
    pub ops: OpState,
    /// Newest position of this node's own acts lane in its past.
    pub mark_acts: u32,
    /// Newest position of this node's own talk lane in its past.
    pub mark_talk: u32,
}

/// How far a device is known to have this node's own logs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Position in the acts lane.
    pub acts: u32,
    /// Position in the talk lane.
    pub talk: u32,
}

impl Marks {
    /// The greater of each.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self { acts: self.acts.max(other.acts), talk: self.talk.max(other.talk) }
    }

    /// The mark of one lane; beacons are never acknowledged.
    pub fn of(self, lane: Lane) -> u32 {
        match lane {
            Lane::Acts => self.acts,
            Lane::Talk => self.talk,
            Lane::Beacon => 0,
        }
    }
}
