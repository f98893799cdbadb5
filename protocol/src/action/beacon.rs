//! Where a device can be reached and what it has.

use minicbor::{Decode, Encode};

use super::{Action, text};
use crate::codec::DecodeError;
use crate::id::EntryId;

/// Most addresses of one beacon.
pub const MAX_CONTACTS: usize = 8;
/// Longest address in bytes.
const MAX_ADDRESS: usize = 128;
/// Most tips of one lane.
const MAX_TIPS: usize = 64;

/// The newest one of a device counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Beacon {
    /// libp2p addresses, for members only.
    #[n(0)]
    pub contacts: Vec<String>,
    /// Heads of the acts applied.
    #[n(1)]
    pub acts: Vec<EntryId>,
    /// Heads of the talk applied.
    #[n(2)]
    pub talk: Vec<EntryId>,
}

impl Action for Beacon {
    fn check(&self) -> Result<(), DecodeError> {
        if self.contacts.len() > MAX_CONTACTS || self.acts.len() > MAX_TIPS || self.talk.len() > MAX_TIPS {
            return Err(DecodeError::TooLarge);
        }
        self.contacts.iter().try_for_each(|contact| text::line("contact", contact, MAX_ADDRESS))
    }
}
