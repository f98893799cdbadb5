//! What people do in a group: bodies, the rule each obeys, and the fold of all of them into a
//! [`board::Board`] (spec actions, A-1 …).
//!
//! An action is judged in the view of its own past (M-19) and never hidden; what its author was not
//! entitled to changes nothing. Folding is independent of the order of arrival: ties are settled by
//! sequence numbers in the bodies, then by the smaller entry id, never by a clock.

pub mod beacon;
pub mod board;
pub mod grievance;
pub mod message;
pub mod pledge;
pub mod strike;
pub mod text;

use minicbor::{Decode, Encode};

use crate::codec::{DecodeError, from_cbor, to_cbor};
use crate::entry::MAX_PAYLOAD;

/// A body with bounds beyond what its type says.
pub trait Action: Encode<()> + for<'b> Decode<'b, ()> {
    /// Bounds of texts, counts and numbers.
    ///
    /// # Errors
    /// The bound broken.
    fn check(&self) -> Result<(), DecodeError>;

    /// Canonical bytes.
    fn to_payload(&self) -> Vec<u8> {
        to_cbor(self)
    }

    /// Reads a payload: size, form, meaning, bounds.
    ///
    /// # Errors
    /// The first that doesn't hold.
    fn from_payload(payload: &[u8]) -> Result<Self, DecodeError> {
        let body: Self = from_cbor(payload, MAX_PAYLOAD)?;
        body.check()?;
        Ok(body)
    }
}
