//! How fast piquet is: ratios to what it can't do without, both sides measured in one run.
//!
//! `cargo bench --bench goals` runs all; `cargo bench --bench goals -- delivery spread` some of them.

// A bench that can't measure fails loudly.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bare;
mod catchup;
mod delivery;
mod laptop;
mod party;
mod peer;
mod proxy;
mod report;
mod rest;
mod sealed;
mod spread;
mod tree;
mod wire;

/// What can be asked for.
const BENCHES: [(&str, fn()); 5] = [
    ("delivery", delivery::run),
    ("spread", spread::run),
    ("catchup", catchup::run),
    ("wire", wire::run),
    ("rest", rest::run),
];

fn main() {
    // Cargo adds flags of its own.
    let asked: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    if asked.first().is_some_and(|first| first == bare::ECHO) {
        return bare::echo();
    }
    for name in &asked {
        let names = BENCHES.map(|(name, _)| name).join(", ");
        assert!(BENCHES.iter().any(|(known, _)| known == name), "{name}: there are {names}");
    }
    for (name, run) in BENCHES {
        if asked.is_empty() || asked.iter().any(|one| one == name) {
            run();
        }
    }
}
