//! Piquet's protocol, sans-IO: no socket, clock, disk, thread or async (see `spec/overview.md`).

pub mod action;
pub mod codec;
pub mod crypto;
pub mod entry;
pub mod envelope;
pub mod group;
pub mod id;
pub mod kind;
pub mod log;
pub mod node;
pub mod replica;
pub mod sim;
pub mod store;
pub mod sync;
pub mod time;
