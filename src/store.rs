//! The store on disk: an encrypted journal as the truth, a vault of keys that makes erasing real, and an
//! index that can be rebuilt (spec store).
//!
//! | In the profile folder | What it is |
//! |---|---|
//! | `header` | from the passphrase to the master key, from there to the vault key |
//! | `vault` | one key per journal segment and large secret, and the small secrets; rewritten whole |
//! | `journal/` | segments of authenticated frames, only ever appended to |
//! | `index/` | sled: keyed hashes to positions; no content |
//! | `lock` | held while a process uses the profile |
//! | `key` | only without a passphrase: the plain key. Whoever has the folder has everything in it |
//!
//! *Erased* means: the vault is rewritten without the key, under a new vault key, and the old vault key is
//! overwritten in the header. An SSD may keep an old sector in a spare cell, and a copy made earlier keeps
//! everything; against those only a good passphrase helps.

mod bytes;
mod commit;
mod disk;
mod duress;
mod files;
mod frame;
#[cfg(fuzzing)]
pub mod fuzzing;
mod header;
mod index;
mod journal;
mod keyring;
mod machine;
mod memory;
mod migrate;
mod opening;
mod plan;
mod private;
mod process;
mod read;
mod reader;
mod record;
mod replay;
mod scan;
mod seal;
mod unlock;
mod vault;
mod wipe;
mod workers;

#[cfg(test)]
mod tests;

use std::io;

use piquet_protocol::store::{Retention, StoreError};

pub use disk::{DiskStore, Opened, wants_passphrase};
pub use machine::Machine;
pub use memory::keys_locked;
pub use opening::is_free;
pub use process::{Hardening, harden};
pub use unlock::{KdfCost, Unlock};
pub use vault::Continuity;
pub use wipe::wipe;

/// Why a profile can't be made or opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no profile in this folder.
    #[error("there is no profile here")]
    NoProfile,
    /// There is one already.
    #[error("there is a profile here already")]
    Exists,
    /// Another process uses it.
    #[error("another process uses this profile")]
    Locked,
    /// The passphrase, or the key file, opens nothing.
    #[error("the passphrase does not open this profile")]
    WrongPassphrase,
    /// That is the profile's other passphrase, of the first and the duress one.
    #[error("the profile's two passphrases must differ")]
    SamePassphrase,
    /// A duress passphrase needs a first one.
    #[error("this profile has no passphrase")]
    NoPassphrase,
    /// A newer program wrote it.
    #[error("a newer version of the program wrote this profile")]
    NewerVersion,
    /// Neither block of the header can be read: the way from the passphrase to the keys is lost.
    #[error("the header of this profile is damaged")]
    HeaderDamaged,
    /// The vault can't be read: the keys to everything else are lost.
    #[error("the keys of this profile are damaged")]
    VaultDamaged,
    /// The disk, or memory for trying the passphrase, failed.
    #[error("the disk does not answer: {}", .0.kind())]
    Io(#[from] io::Error),
}

impl OpenError {
    /// A stable name for programs and translations.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoProfile => "no-profile",
            Self::Exists => "profile-exists",
            Self::Locked => "profile-locked",
            Self::WrongPassphrase => "wrong-passphrase",
            Self::SamePassphrase => "same-passphrase",
            Self::NoPassphrase => "no-passphrase",
            Self::NewerVersion => "newer-version",
            Self::HeaderDamaged => "header-damaged",
            Self::VaultDamaged => "vault-damaged",
            Self::Io(_) => "disk",
        }
    }
}

/// Frames of the journal that can't be read any more: their records are lost, all others are not (S-4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Damage {
    /// The segment: its file in `journal/` is this number in hexadecimal.
    pub segment: u32,
    /// Number of the first such frame in the segment.
    pub first: u32,
    /// And of the last, as far as can be told.
    pub last: u32,
}

/// What a segment of the journal holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Acts and this node's own notes.
    Acts,
    /// Grievances, calls, pledges.
    Records,
    /// Messages.
    Talk,
    /// Addresses and receipts, soon replaced.
    Passing,
    /// Keys and their names.
    Keys,
    /// The vault does not know the segment.
    Unknown,
}

impl Kind {
    fn of(class: u8) -> Self {
        match class {
            class if class == Retention::Kept as u8 => Self::Acts,
            class if class == Retention::Record as u8 => Self::Records,
            class if class == Retention::Chat as u8 || class == Retention::Short as u8 => Self::Talk,
            class if class == Retention::Passing as u8 => Self::Passing,
            plan::SECRETS => Self::Keys,
            _ => Self::Unknown,
        }
    }

    /// A stable name for programs and translations.
    pub fn code(self) -> &'static str {
        match self {
            Self::Acts => "acts",
            Self::Records => "records",
            Self::Talk => "talk",
            Self::Passing => "passing",
            Self::Keys => "keys",
            Self::Unknown => "unknown",
        }
    }
}

/// No text of the operating system's, which may name a path.
fn store_error(error: &io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            StoreError::Full
        }
        kind => StoreError::Io(kind.to_string()),
    }
}
