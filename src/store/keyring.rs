//! Header and vault together: the keys of a profile, and the two ways they change on disk.
//!
//! *Saving* replaces the vault file under the same vault key. *Rotating* replaces it under a new one,
//! in this order (S-18): next vault file, next header block (from here on the new state holds), the file takes
//! its place, the old block is overwritten. Opening finishes what a crash left undone.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroize::Zeroizing;

use super::OpenError;
use super::files::{Disk, next_name, read_bounded, remove_if_there, shred, take_place, write_next};
use super::header::{Block, Header, ProfileId};
use super::memory::SecretKey;
use super::migrate::Format;
use super::seal::{OVERHEAD, open, random_key, seal};
use super::unlock::{KEY_FILE, KdfCost, Unlock};
use super::vault::{MAX_VAULT, Vault};

/// The vault's file.
pub(super) const VAULT: &str = "vault";

/// The keys of an unlocked profile.
pub(super) struct Keyring {
    dir: PathBuf,
    disk: Arc<dyn Disk>,
    pub(super) header: Header,
    master: SecretKey,
    vault_key: SecretKey,
    /// Changed here, then [`Keyring::save`]d or [`Keyring::rotate`]d.
    pub(super) vault: Vault,
    /// A rotation reached the header but not its last step.
    unfinished: Unfinished,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Unfinished {
    Nothing,
    /// The next vault has not taken its place.
    Place,
    /// The old header block still opens.
    OldBlock,
}

/// A vault file that a header block opens.
struct Candidate {
    place: usize,
    block: Block,
    vault_key: SecretKey,
    generation: u64,
    plain: Zeroizing<Vec<u8>>,
    in_next: bool,
}

impl Keyring {
    /// Makes header and vault of a new profile. The header comes last: with it, the profile exists.
    pub(super) fn create(
        disk: Arc<dyn Disk>,
        dir: &Path,
        unlock: &Unlock,
        cost: KdfCost,
        version: u32,
        vault: impl FnOnce(&ProfileId) -> Result<Vault, OpenError>,
    ) -> Result<Self, OpenError> {
        let (master, vault_key) = (random_key()?, random_key()?);
        unlock.prepare(&*disk, dir)?;
        let block = Block::first(dir, version, unlock, cost, &master, &vault_key)?;
        let vault = vault(&block.profile)?;
        let sealed = seal(&vault_key, &vault_ad(&block.profile), &vault.encode())?;
        write_next(&*disk, &dir.join(VAULT), &sealed)?;
        take_place(&*disk, &dir.join(VAULT))?;
        let header = Header::create(&*disk, dir, block)?;
        let dir = dir.to_path_buf();
        Ok(Self { dir, disk, header, master, vault_key, vault, unfinished: Unfinished::Nothing })
    }

    /// Unlocks a profile and changes nothing; [`Keyring::settle`] follows before anything is.
    pub(super) fn open(
        disk: Arc<dyn Disk>,
        dir: &Path,
        unlock: &Unlock,
        format: &Format,
    ) -> Result<Self, OpenError> {
        let blocks = Header::read(dir, format.version)?;
        let (master, opened) = unlock_any(dir, unlock, &blocks)?;
        let alike: Vec<_> = blocks.iter().filter(|(_, block)| block.opens_like(&opened)).collect();
        let best = candidates(dir, &alike, &master)?;
        // A block that this passphrase does not open is that of a newer one: then this one opens no more.
        let none =
            if alike.len() < blocks.len() { OpenError::WrongPassphrase } else { OpenError::VaultDamaged };
        let best = best.into_iter().max_by_key(|found| found.generation).ok_or(none)?;
        let plain = format.migrate(best.block.version, dir, best.plain)?;
        let vault = Vault::decode(&plain).ok_or(OpenError::VaultDamaged)?;
        let header = Header::with(dir, best.place, best.block)?;
        let unfinished = match (best.in_next, blocks.len()) {
            (true, _) => Unfinished::Place,
            (false, 1) => Unfinished::Nothing,
            (false, _) => Unfinished::OldBlock,
        };
        let dir = dir.to_path_buf();
        Ok(Self { dir, disk, header, master, vault_key: best.vault_key, vault, unfinished })
    }

    /// Finishes what a crash interrupted, and makes the migration to `format` durable.
    pub(super) fn settle(&mut self, format: &Format) -> io::Result<()> {
        self.finish()?;
        remove_if_there(&*self.disk, &next_name(&self.vault_path()))?;
        if self.header.block.version == format.version { Ok(()) } else { self.rotate_to(format.version) }
    }

    pub(super) fn profile(&self) -> &ProfileId {
        &self.header.block.profile
    }

    /// Makes the vault durable under its present key.
    pub(super) fn save(&mut self) -> io::Result<()> {
        self.finish()?;
        self.write_vault(&self.vault_key.clone())?;
        take_place(&*self.disk, &self.vault_path())
    }

    /// Makes the vault durable under a new key and destroys the old one: what is no longer in the
    /// vault can't be opened by anything on the disk.
    pub(super) fn rotate(&mut self) -> io::Result<()> {
        self.rotate_to(self.header.block.version)
    }

    /// Lets the profile be opened in another way, with new master and vault keys (S-8). Until the last step
    /// the old way or the new one opens it, or both.
    pub(super) fn rewrap(&mut self, unlock: &Unlock) -> Result<(), OpenError> {
        self.finish()?;
        if unlock.kind() != self.header.block.kind {
            unlock.prepare(&*self.disk, &self.dir)?;
        }
        let (master, key) = (random_key()?, random_key()?);
        self.write_vault(&key)?;
        let block = self.header.block.with_unlock(&self.dir, unlock, &master, &key)?;
        self.header.succeed(&*self.disk, block)?;
        (self.master, self.vault_key) = (master, key);
        self.unfinished = Unfinished::Place;
        self.finish()?;
        if !matches!(unlock, Unlock::KeyFile) {
            shred(&*self.disk, &self.dir.join(KEY_FILE))?;
        }
        Ok(())
    }

    fn rotate_to(&mut self, version: u32) -> io::Result<()> {
        self.finish()?;
        let key = random_key()?;
        self.write_vault(&key)?;
        let block = self.header.block.with_vault_key(version, &self.master, &key)?;
        self.header.succeed(&*self.disk, block)?;
        self.vault_key = key;
        self.unfinished = Unfinished::Place;
        self.finish()
    }

    /// Does the steps of a rotation that are still to do.
    fn finish(&mut self) -> io::Result<()> {
        if self.unfinished == Unfinished::Place {
            take_place(&*self.disk, &self.vault_path())?;
            self.unfinished = Unfinished::OldBlock;
        }
        if self.unfinished == Unfinished::OldBlock {
            self.header.forget_other(&*self.disk)?;
            self.unfinished = Unfinished::Nothing;
        }
        Ok(())
    }

    fn write_vault(&mut self, key: &[u8; 32]) -> io::Result<()> {
        self.vault.generation += 1;
        let plain = self.vault.encode();
        if (plain.len() + OVERHEAD) as u64 > MAX_VAULT {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let sealed = seal(key, &vault_ad(self.profile()), &plain)?;
        write_next(&*self.disk, &self.vault_path(), &sealed)
    }

    fn vault_path(&self) -> PathBuf {
        self.dir.join(VAULT)
    }
}

/// The master key and the block this passphrase opens: after a crash amid a change of passphrase the
/// two blocks open in different ways, and the one that was used stays.
fn unlock_any(
    dir: &Path,
    unlock: &Unlock,
    blocks: &[(usize, Block)],
) -> Result<(SecretKey, Block), OpenError> {
    for (_, block) in blocks {
        match block.unlock(dir, unlock) {
            Err(OpenError::WrongPassphrase) => {}
            other => return Ok((other?, block.clone())),
        }
    }
    Err(OpenError::WrongPassphrase)
}

fn candidates(
    dir: &Path,
    blocks: &[&(usize, Block)],
    master: &[u8; 32],
) -> Result<Vec<Candidate>, OpenError> {
    let path = dir.join(VAULT);
    let files = [(false, read_vault(&path)?), (true, read_vault(&next_name(&path))?)];
    let mut found = Vec::new();
    // From the oldest block up: of equals, the last wins.
    for (place, block) in blocks.iter().rev() {
        let Some(vault_key) = block.vault_key(master) else { continue };
        for (in_next, sealed) in &files {
            let Some(plain) = open(&vault_key, &vault_ad(&block.profile), sealed) else { continue };
            let Some(generation) = plain.first_chunk().copied().map(u64::from_be_bytes) else { continue };
            let (vault_key, block) = (vault_key.clone(), block.clone());
            found.push(Candidate { place: *place, block, vault_key, generation, plain, in_next: *in_next });
        }
    }
    Ok(found)
}

fn read_vault(path: &Path) -> Result<Vec<u8>, OpenError> {
    Ok(read_bounded(path, MAX_VAULT)?.unwrap_or_default())
}

fn vault_ad(profile: &ProfileId) -> Vec<u8> {
    [&b"piquet v1 vault"[..], profile].concat()
}
