//! What each fuzz target does with hostile bytes: never panic, and more than that where more can be
//! said (one encoding a value, nothing forged, a store that reads back what it wrote).
//!
//! The program's own decoders are built in from their sources (`store`, `control` and `schedule` are links to them): depending
//! on the whole program would build libp2p with sanitizers for nothing.

mod codecs;
#[cfg(fuzzing)]
mod disk;
mod forms;
mod mls;
mod nodes;
mod script;
pub mod seeds;
#[allow(dead_code, unused_imports)]
mod store;
mod wire;

/// Requests and replies, without the socket.
#[allow(dead_code)]
mod control {
    pub mod reply;
    pub mod request;
    pub use reply::Failure;
    pub use request::Request;
}
#[allow(dead_code)]
#[allow(unused_imports)]
mod schedule;

pub use codecs::{body, cbor, code, entry, frame, request};
#[cfg(fuzzing)]
pub use disk::{store_journal, store_keys};
pub use forms::forms;
pub use mls::{answer, commit, genesis, kept, key_package, welcome};
pub use nodes::{insider, restored, session};

/// Lets panics unwind that `group::seal` contains, where the fuzzer would end the run at the panic
/// itself; what nobody contains still ends it. Each is told once.
pub fn contained() {
    static TOLD: std::sync::Mutex<std::collections::BTreeSet<String>> =
        std::sync::Mutex::new(std::collections::BTreeSet::new());
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let new = TOLD.lock().is_ok_and(|mut told| told.insert(place));
        if new {
            eprintln!("{panic}");
        }
    }));
}
