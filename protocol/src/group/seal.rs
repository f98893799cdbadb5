//! The only place that knows MLS (RFC 9420): one value per epoch, a closed checklist before any
//! commit is believed (spec epochs, G-1 … G-14).
//!
//! An [`EpochState`] never changes: committing or applying makes a new one, so that siblings of a
//! fork can be held, compared and dropped without trace. OpenMLS files its secrets under group and
//! epoch number, hence one storage per state. It may panic on hostile bytes: everything decoded
//! here is contained by unwinding.

mod checklist;
pub mod hpke;
mod key_package;
mod provider;
mod replay;
mod state;
mod trial;

pub use checklist::{Expected, binding};
pub use key_package::{JoinerSecrets, MAX_KEY_PACKAGE, check_key_package, key_package};
pub use provider::Suite;
pub use replay::PublicReplay;
pub use state::{Change, Commit, EpochState, GenesisTree};

use thiserror::Error;

/// Longest MLS message taken from anyone, in bytes: what fits an entry's body.
pub const MAX_MESSAGE: usize = 48 * 1024;

/// Why MLS bytes were refused. The state they were tried on is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SealError {
    /// Not an MLS message of the expected kind, or over its size.
    #[error("malformed MLS bytes")]
    Malformed,
    /// OpenMLS refused it: signature, tag, tree or path don't fit this epoch.
    #[error("not valid in this epoch")]
    Invalid,
    /// Sent by someone who is no leaf, or not by the entry's author (G-3).
    #[error("not by the entry's author")]
    Sender,
    /// The associated data name another parent or other operations (G-4).
    #[error("bound to other operations")]
    Binding,
    /// A proposal that is not an inline Add or Remove (G-5).
    #[error("a proposal that is not allowed")]
    Proposal,
    /// Adds or removes other than the cited operations ask for (G-6).
    #[error("changes other than cited")]
    Changes,
    /// No update path, or one that renames its leaf (G-7).
    #[error("path missing or renamed")]
    Path,
    /// The group context's extensions change (G-8).
    #[error("group context changed")]
    Context,
    /// A leaf of the new tree belongs to nobody on the roster (G-9).
    #[error("a leaf that is not on the roster")]
    Roster,
    /// A public key that nothing can be sealed to (G-10).
    #[error("a poisoned public key")]
    Poisoned,
    /// A lifetime other than unlimited (G-11).
    #[error("a limited lifetime")]
    Lifetime,
    /// This device is removed by the commit: there is no next state for it.
    #[error("this device was removed")]
    Removed,
    /// A commit that no entry has room for: the group is full (G-14).
    #[error("longer than an entry may be")]
    TooLong,
    /// A group, suite or credential other than expected.
    #[error("for another group, suite or device")]
    Other,
}

/// Runs `work` with OpenMLS' panics contained.
fn contained<T>(work: impl FnOnce() -> Result<T, SealError>) -> Result<T, SealError> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_or(Err(SealError::Malformed))
}

#[cfg(test)]
pub(crate) mod tests;
