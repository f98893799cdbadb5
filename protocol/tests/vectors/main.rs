//! The test vectors in `../vectors`: what the crate makes and refuses, against files that other
//! implementations read too (`tests/verify.py` does).
//!
//! A vector is made from fixed keys. To make the files anew, after a decision to change a format:
//! `PIQUET_VECTORS=write cargo test -p piquet-protocol --test vectors`, then read the difference.

// Helpers of tests may fail loudly, as tests do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bodies;
mod codec;
mod entries;
mod epochs;
mod file;
mod invites;
mod members;
mod primitives;
mod raw;
mod sessions;
