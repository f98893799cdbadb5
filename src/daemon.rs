//! The daemon owns the node and the clock; without one, a command opens the profile itself.

mod addresses;
mod answers;
pub mod archive;
pub mod backup;
mod decisions;
mod devices;
mod doctor;
pub mod engine;
mod following;
mod grievances;
mod lookup;
mod members;
mod messages;
mod news;
pub mod profile;
pub mod recovery;
mod running;
mod strikes;

pub use engine::Engine;
pub use running::{UpEvent, UpOptions, up};

use std::time::SystemTime;

use piquet_protocol::time::Timestamp;

/// The machine's clock.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
