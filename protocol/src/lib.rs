//! Piquet's protocol, sans-IO: no socket, clock, disk, thread or async (see `spec/overview.md`).

pub mod id;
pub mod store;
pub mod time;
