//! Epochs: the key schedule below an MLS epoch, and the tree that commits form
//! (spec epochs, K-1 … K-9).

mod keys;
mod tree;

pub use keys::{EpochKeys, KEYS_LEN, KeyRing, peer_key};
pub use tree::{EpochNode, EpochTree, NewEpoch};
