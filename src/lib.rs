//! Piquet's IO: what stands between the protocol's core and a disk, a network and people.

pub mod net;
pub mod store;
