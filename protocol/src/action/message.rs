//! Chat.

use minicbor::{Decode, Encode};

use super::{Action, text};
use crate::codec::DecodeError;
use crate::id::EntryId;

/// Longest message in bytes.
pub const MAX_TEXT: usize = 16 * 1024;

/// One message.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Message {
    /// What is said.
    #[n(0)]
    pub text: String,
    /// The message it answers.
    #[n(1)]
    pub reply_to: Option<EntryId>,
    /// A Lamport clock: one above the highest its author had seen. It gives all screens one order;
    /// cites between talk entries can't, since they are never waited for. A liar misplaces his own
    /// message only.
    #[n(2)]
    pub clock: u32,
    /// The message of the same device's that this one replaces on the screens; without text, takes back.
    #[n(3)]
    pub edits: Option<EntryId>,
}

impl Action for Message {
    fn check(&self) -> Result<(), DecodeError> {
        if self.text.is_empty() && self.edits.is_none() {
            return Err(DecodeError::Text { field: "text", max: MAX_TEXT });
        }
        text::paragraph("text", &self.text, MAX_TEXT)
    }
}
