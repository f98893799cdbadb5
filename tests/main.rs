//! Real processes, real libp2p, real disks; and the house rules.

mod laptop;
mod nodes;
mod person;
mod tidy;
mod tour;
