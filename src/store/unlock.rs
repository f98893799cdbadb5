//! From a passphrase, or a key file, to the key that wraps the master key (S-16).

use std::fmt;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use argon2::{Algorithm, Argon2, Params, Version};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::OpenError;
use super::files::{Disk, read_bounded, replace};
use super::memory::SecretKey;
use super::seal::random_key;

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

#[cfg(test)]
thread_local! {
    /// Passphrases tried so far.
    pub(super) static DERIVED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

impl KdfCost {
    /// 256 MiB, 3 passes: about a second on a laptop.
    pub const DEFAULT: Self = Self { memory_kib: 256 << 10, passes: 3 };
    /// How long trying one passphrase should take, on the machine the profile is made on.
    pub const PATIENCE: Duration = Duration::from_secs(1);
    /// The cheapest accepted, for small machines: 64 MiB, 3 passes.
    pub const FLOOR: Self = Self { memory_kib: 64 << 10, passes: 3 };
    /// The dearest accepted, so that a forged header can't exhaust a machine: 1 GiB, 12 passes.
    pub const CEILING: Self = Self { memory_kib: 1 << 20, passes: 12 };

    /// What takes about [`KdfCost::PATIENCE`] here: [`KdfCost::DEFAULT`], with less memory on a slow machine
    /// and more passes on a fast one, within [`KdfCost::FLOOR`] and [`KdfCost::CEILING`].
    pub fn tuned() -> Self {
        let start = Instant::now();
        match Self::FLOOR.derive("", &[0; 32]) {
            Ok(_) => Self::scaled(start.elapsed()),
            // Not even that much memory: then no more is asked for.
            Err(_) => Self::FLOOR,
        }
    }

    /// The cost for a machine on which [`KdfCost::FLOOR`] took so long.
    fn scaled(floor: Duration) -> Self {
        let times = Self::PATIENCE.as_secs_f64() / floor.as_secs_f64().max(0.001);
        let mib = (f64::from(Self::FLOOR.memory_kib >> 10) * times) as u32;
        let memory_kib = mib.saturating_mul(1 << 10).clamp(Self::FLOOR.memory_kib, Self::DEFAULT.memory_kib);
        let more = f64::from(Self::FLOOR.memory_kib) * times / f64::from(memory_kib);
        let passes = (f64::from(Self::DEFAULT.passes) * more) as u32;
        Self { memory_kib, passes: passes.clamp(Self::DEFAULT.passes, Self::CEILING.passes) }
    }

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
        let mut key = SecretKey::zeroed();
        #[cfg(test)]
        DERIVED.with(|derived| derived.set(derived.get() + 1));
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.as_bytes(), salt, key.fill())
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

/// The keys that one passphrase or key file comes to: each salt is derived once, however often it is asked for.
pub(super) struct SlotKeys<'a> {
    dir: &'a Path,
    unlock: &'a Unlock,
    derived: Vec<(KdfCost, [u8; 32], SecretKey)>,
}

impl<'a> SlotKeys<'a> {
    pub(super) fn new(dir: &'a Path, unlock: &'a Unlock) -> Self {
        Self { dir, unlock, derived: Vec::new() }
    }

    pub(super) fn kind(&self) -> u8 {
        self.unlock.kind()
    }

    /// The key that wraps what is in a slot with this salt.
    pub(super) fn get(&mut self, cost: KdfCost, salt: &[u8; 32]) -> Result<SecretKey, OpenError> {
        if let Some((.., key)) = self.derived.iter().find(|(of, by, _)| (of, by) == (&cost, salt)) {
            return Ok(key.clone());
        }
        let key = self.unlock.slot_key(self.dir, cost, salt)?;
        self.derived.push((cost, *salt, key.clone()));
        Ok(key)
    }
}

fn from_key_file(dir: &Path, salt: &[u8; 32]) -> Result<SecretKey, OpenError> {
    let bytes = read_bounded(&dir.join(KEY_FILE), 32)?.ok_or(OpenError::WrongPassphrase)?;
    let bytes = Zeroizing::new(bytes);
    let mut key = SecretKey::zeroed();
    Hkdf::<Sha256>::new(Some(salt), &bytes)
        .expand(b"piquet v1 key file", key.fill())
        .map_err(|error| OpenError::Io(io::Error::other(error)))?;
    Ok(key)
}

fn out_of_memory(_: argon2::Error) -> OpenError {
    OpenError::Io(io::ErrorKind::OutOfMemory.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_machine_gets_less_memory_and_a_fast_one_more_passes_within_bounds() {
        let cost = |millis| KdfCost::scaled(Duration::from_millis(millis)).numbers();
        assert_eq!(cost(250), (256 << 10, 3));
        assert_eq!(cost(500), (128 << 10, 3));
        assert_eq!(cost(125), (256 << 10, 6));
        assert_eq!(cost(60_000), KdfCost::FLOOR.numbers());
        assert_eq!(cost(0), (256 << 10, 12));
    }
}
