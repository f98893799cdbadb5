//! From the format of an older program to this one's, one version at a time (S-7).

use std::path::Path;

use zeroize::Zeroizing;

use super::OpenError;

/// The format this program writes.
pub(super) const FORMAT: Format = Format { version: 1, steps: &[] };

/// A vault's plaintext.
pub(super) type Plain = Zeroizing<Vec<u8>>;

/// From one version to the next: rewrites the vault's plaintext, and may change the folder in ways that
/// the old version still reads. The new vault and version become durable together, afterwards; a
/// step that is interrupted runs again.
pub(super) struct Step {
    /// The version it starts from.
    pub(super) from: u32,
    /// What it does.
    pub(super) run: fn(&Path, Plain) -> Result<Plain, OpenError>,
}

/// A version and the way to it.
pub(super) struct Format {
    pub(super) version: u32,
    pub(super) steps: &'static [Step],
}

impl Format {
    /// Runs the steps from version `from` on.
    ///
    /// # Errors
    /// [`OpenError::VaultDamaged`] if there is no way: such a version was never released.
    pub(super) fn migrate(&self, from: u32, dir: &Path, mut plain: Plain) -> Result<Plain, OpenError> {
        for version in from..self.version {
            let step = self.steps.iter().find(|step| step.from == version).ok_or(OpenError::VaultDamaged)?;
            plain = (step.run)(dir, plain)?;
        }
        Ok(plain)
    }
}
