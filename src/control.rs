//! The control socket: every front end asks the daemon through the same serde types, one JSON
//! object a line each way.

pub mod client;
pub mod reply;
pub mod request;
pub mod server;
mod socket;

pub use reply::{Failure, Reply};
pub use request::Request;

use serde::{Deserialize, Serialize};

/// One line of an answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    /// One more reply.
    Reply(Box<Reply>),
    /// Why there is none.
    Failure(Failure),
    /// The answer is complete.
    End,
}

/// Longest line taken, in bytes.
const MAX_LINE: u64 = 1 << 20;
