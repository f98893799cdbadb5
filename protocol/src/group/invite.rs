//! The way in: codes on paper, what follows from them, and requests made with them
//! (spec invite, I-1 … I-9).

mod code;
mod phrase;
mod request;

pub use code::{CodeError, Hint, InviteCode, InviteKeys, MAX_CODE, syllables, words};
pub use phrase::Phrase;
pub use request::{JoinRequest, REQUEST_LEN, RequestError, proof_message};
