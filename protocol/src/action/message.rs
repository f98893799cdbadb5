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
}

impl Action for Message {
    fn check(&self) -> Result<(), DecodeError> {
        text::all([!self.text.is_empty()])?;
        text::paragraph(&self.text, MAX_TEXT)
    }
}
