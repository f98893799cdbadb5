//! Piquet's IO: what stands between the protocol's core and a disk, a network and people.

pub mod cli;
pub mod control;
pub mod daemon;
pub mod i18n;
pub mod net;
pub mod schedule;
pub mod store;
