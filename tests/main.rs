//! Real processes, real libp2p, real disks; and the house rules.

// Helpers of tests may fail loudly, as tests do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod backups;
mod devices;
mod faults;
mod groups;
#[cfg(target_os = "linux")]
mod lan;
mod laptop;
mod manual;
mod net;
mod nodes;
mod person;
mod rules;
mod tidy;
mod tour;
