//! What a duress passphrase does (S-27): an empty profile takes the place of the one that is there, in the order
//! of a wipe. The header first, then the other keys, then files.
//!
//! The empty profile's block is written beside the one in force, whose end is the moment that counts. Power
//! that goes before it leaves the old profile, which both passphrases know as before; after it only the new block is
//! left, and as long as that says what it replaces, the next opening goes on from there.

use std::path::Path;

use super::OpenError;
use super::files::{Disk, make_folder};
use super::index::Index;
use super::journal::JOURNAL;
use super::keyring::{Keyring, VAULT};
use super::machine::Machine;
use super::unlock::KEY_FILE;
use super::wipe::{destroy, remove_journal};

/// Clears away what this profile takes the place of, if anything; afterwards it is like any new one.
pub(super) fn clear_away(
    disk: &dyn Disk,
    dir: &Path,
    keyring: &mut Keyring,
    machine: &Machine,
) -> Result<(), OpenError> {
    let Some(replaced) = keyring.replaces() else { return Ok(()) };
    // On a full disk its room may be needed; of what is still whole it can be made anew.
    Index::destroy(dir)?;
    keyring.take_header()?;
    destroy(disk, dir, &[VAULT, KEY_FILE])?;
    let journal = dir.join(JOURNAL);
    remove_journal(disk, &journal)?;
    machine.forget(disk, &replaced)?;
    let profile = *keyring.profile();
    machine.remember(disk, &profile, 0)?;
    make_folder(&journal)?;
    keyring.vault.machine = machine.tag(&profile);
    keyring.begin_anew()?;
    Ok(())
}
