//! From a passphrase, or a key file, to the key that wraps the master key (S-16).

use std::fmt;
use std::io;
use std::path::Path;

use argon2::{Algorithm, Argon2, Params, Version};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::OpenError;
use super::files::{Disk, read_bounded, replace};
use super::seal::{SecretKey, random_key};

/// The file of a profile without passphrase.
pub(super) const KEY_FILE: &str = "key";

/// How a profile is opened.
pub enum Unlock {
    /// With a passphrase; six diceware words are good, a PIN protects nothing.
    Passphrase(Zeroizing<String>),
    /// With the plain file `key` in the profile folder: whoever has the folder has everything in it.
    KeyFile,
}

impl fmt::Debug for Unlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Passphrase(_) => "Passphrase",
            Self::KeyFile => "KeyFile",
        })
    }
}

/// What it costs to try one passphrase: Argon2id v1.3 (RFC 9106) with one lane. It is written in the
/// header when the profile is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KdfCost {
    memory_kib: u32,
    passes: u32,
}

impl KdfCost {
    /// 256 MiB, 3 passes: about a second on a laptop.
    pub const DEFAULT: Self = Self { memory_kib: 256 << 10, passes: 3 };
    /// The cheapest accepted, for small machines: 64 MiB, 3 passes.
    pub const FLOOR: Self = Self { memory_kib: 64 << 10, passes: 3 };
    /// The dearest accepted, so that a forged header can't exhaust a machine: 1 GiB, 12 passes.
    pub const CEILING: Self = Self { memory_kib: 1 << 20, passes: 12 };

    /// A cost of `memory_kib` KiB and `passes`; `None` outside [`KdfCost::FLOOR`] to
    /// [`KdfCost::CEILING`].
    pub fn new(memory_kib: u32, passes: u32) -> Option<Self> {
        let fits = (Self::FLOOR.memory_kib..=Self::CEILING.memory_kib).contains(&memory_kib)
            && (Self::FLOOR.passes..=Self::CEILING.passes).contains(&passes);
        fits.then_some(Self { memory_kib, passes })
    }

    pub(super) fn numbers(self) -> (u32, u32) {
        (self.memory_kib, self.passes)
    }

    fn derive(self, passphrase: &str, salt: &[u8; 32]) -> Result<SecretKey, OpenError> {
        let params = Params::new(self.memory_kib, self.passes, 1, Some(32)).map_err(out_of_memory)?;
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.as_bytes(), salt, &mut *key)
            .map_err(out_of_memory)?;
        Ok(key)
    }
}

impl Unlock {
    /// Whether the profile says it opens in this way; part of the header, so that nobody is asked for
    /// a passphrase in vain.
    pub(super) fn kind(&self) -> u8 {
        match self {
            Self::KeyFile => 0,
            Self::Passphrase(_) => 1,
        }
    }

    /// The key that wraps the master key in a slot with this salt.
    pub(super) fn slot_key(
        &self,
        dir: &Path,
        cost: KdfCost,
        salt: &[u8; 32],
    ) -> Result<SecretKey, OpenError> {
        match self {
            Self::Passphrase(passphrase) => cost.derive(passphrase, salt),
            Self::KeyFile => from_key_file(dir, salt),
        }
    }

    /// Writes a new key file if this is one.
    pub(super) fn prepare(&self, disk: &dyn Disk, dir: &Path) -> io::Result<()> {
        match self {
            Self::Passphrase(_) => Ok(()),
            Self::KeyFile => replace(disk, &dir.join(KEY_FILE), &*random_key()?),
        }
    }
}

fn from_key_file(dir: &Path, salt: &[u8; 32]) -> Result<SecretKey, OpenError> {
    let bytes = read_bounded(&dir.join(KEY_FILE), 32)?.ok_or(OpenError::WrongPassphrase)?;
    let bytes = Zeroizing::new(bytes);
    let mut key = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(Some(salt), &bytes)
        .expand(b"piquet v1 key file", &mut *key)
        .map_err(|error| OpenError::Io(io::Error::other(error)))?;
    Ok(key)
}

fn out_of_memory(_: argon2::Error) -> OpenError {
    OpenError::Io(io::ErrorKind::OutOfMemory.into())
}
