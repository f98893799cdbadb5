//! Keeping a process's memory to itself.

/// What [`harden`] achieved. Of memory only the store's keys are locked ([`super::keys_locked`]): what is being
/// read or written, and MLS states in use, can go to swap, and hibernation writes everything. Locking all memory is
/// not tried: under the usual limit, 8 MiB, a process that did would soon be refused any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hardening {
    /// A crash writes no core file.
    pub no_core: bool,
    /// Other processes of the same user can't trace this one or read its memory.
    pub not_traceable: bool,
}

/// Shields the memory of this process, as far as the platform lets it; to be called before any key is
/// read.
#[cfg(unix)]
pub fn harden() -> Hardening {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    Hardening { no_core: setrlimit(Resource::Core, none).is_ok(), not_traceable: forbid_tracing() }
}

/// Shields nothing: there is no safe call for it on this platform.
#[cfg(not(unix))]
pub fn harden() -> Hardening {
    Hardening { no_core: false, not_traceable: false }
}

#[cfg(target_os = "linux")]
fn forbid_tracing() -> bool {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};
    set_dumpable_behavior(DumpableBehavior::NotDumpable).is_ok()
}

#[cfg(all(unix, not(target_os = "linux")))]
fn forbid_tracing() -> bool {
    false
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};

    use super::*;

    #[test]
    fn a_hardened_process_leaves_no_core_and_is_not_traceable() {
        assert_eq!(harden(), Hardening { no_core: true, not_traceable: true });
        assert_eq!(getrlimit(Resource::Core).current, Some(0));
        assert_eq!(dumpable_behavior(), Ok(DumpableBehavior::NotDumpable));
    }
}
