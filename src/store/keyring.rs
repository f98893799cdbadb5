//! Header and vault together: the keys of a profile, and the two ways they change on disk.
//!
//! *Saving* replaces the vault file under the same vault key. *Rotating* replaces it under a new one,
//! in this order (S-18): next vault file, next header block (from here on the new state holds), the file takes
//! its place, the old block is overwritten. Opening finishes what a crash left undone.
//!
//! Where a duress passphrase opened it, this is the keyring of an empty profile that takes the place of the one
//! on the disk ([`super::duress`]).

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroize::Zeroizing;

use super::OpenError;
use super::files::{Disk, next_name, read_bounded, remove_if_there, shred, take_place, write_next};
use super::header::{Block, Empty, Header, Opens, ProfileId};
use super::memory::SecretKey;
use super::migrate::Format;
use super::seal::{OVERHEAD, open, random_key, seal};
use super::unlock::{KEY_FILE, KdfCost, SlotKeys, Unlock};
use super::vault::{MAX_VAULT, Vault};

/// The vault's file.
pub(super) const VAULT: &str = "vault";

/// The keys of an unlocked profile.
pub(super) struct Keyring {
    dir: PathBuf,
    disk: Arc<dyn Disk>,
    pub(super) header: Header,
    /// Number of the slot that leads to the master key.
    slot: usize,
    master: SecretKey,
    vault_key: SecretKey,
    /// Changed here, then [`Keyring::save`]d or [`Keyring::rotate`]d.
    pub(super) vault: Vault,
    /// A rotation reached the header but not its last step.
    unfinished: Unfinished,
    /// The profile that is still to be cleared away.
    replaces: Option<ProfileId>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Unfinished {
    Nothing,
    /// The block is in memory only: that of a profile which is to take the place of another.
    Header,
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
        let (block, slot) = Block::first(dir, version, unlock, cost, &master, &vault_key)?;
        let vault = vault(&block.profile)?;
        let sealed = seal(&vault_key, &vault_ad(&block.profile), &vault.encode())?;
        write_next(&*disk, &dir.join(VAULT), &sealed)?;
        take_place(&*disk, &dir.join(VAULT))?;
        let header = Header::create(&*disk, dir, block)?;
        let (dir, unfinished) = (dir.to_path_buf(), Unfinished::Nothing);
        Ok(Self { dir, disk, header, slot, master, vault_key, vault, unfinished, replaces: None })
    }

    /// Unlocks a profile and changes nothing; [`Keyring::settle`] follows before anything is.
    pub(super) fn open(
        disk: Arc<dyn Disk>,
        dir: &Path,
        unlock: &Unlock,
        format: &Format,
    ) -> Result<Self, OpenError> {
        let blocks = Header::read(dir, format.version)?;
        let (slot, master) = match unlock_any(dir, unlock, &blocks)? {
            Opens::Profile(slot, master) => (slot, master),
            Opens::Empty(empty) => return Self::replacing(disk, dir, &blocks, &empty, format.version),
        };
        let alike: Vec<_> = blocks.iter().filter(|(_, block)| block.vault_key(&master).is_some()).collect();
        let best = candidates(dir, &alike, &master)?.into_iter().max_by_key(|found| found.generation);
        let unmade = blocks.iter().find_map(|(place, block)| Some((*place, block, block.replaces(&master)?)));
        if let (None, Some((place, block, replaced))) = (&best, unmade) {
            let header = Header::with(dir, place, block.clone())?;
            return Self::empty(disk, dir, header, slot, master, replaced);
        }
        // A block that this passphrase does not open is that of a newer one: then this one opens no more.
        let none =
            if alike.len() < blocks.len() { OpenError::WrongPassphrase } else { OpenError::VaultDamaged };
        let best = best.ok_or(none)?;
        let plain = format.migrate(best.block.version, dir, best.plain)?;
        let vault = Vault::decode(&plain).ok_or(OpenError::VaultDamaged)?;
        let header = Header::with(dir, best.place, best.block)?;
        let unfinished = match (best.in_next, blocks.len()) {
            (true, _) => Unfinished::Place,
            (false, 1) => Unfinished::Nothing,
            (false, _) => Unfinished::OldBlock,
        };
        let (dir, vault_key) = (dir.to_path_buf(), best.vault_key);
        Ok(Self { dir, disk, header, slot, master, vault_key, vault, unfinished, replaces: None })
    }

    /// An empty profile in the place of the one with these blocks, in memory so far. Its block is to go where
    /// the newest is not.
    fn replacing(
        disk: Arc<dyn Disk>,
        dir: &Path,
        blocks: &[(usize, Block)],
        empty: &Empty,
        version: u32,
    ) -> Result<Self, OpenError> {
        let (newest, block) = blocks.first().ok_or(OpenError::HeaderDamaged)?;
        let master = random_key()?;
        let (next, slot) = block.replacing(version, empty, &master)?;
        let header = Header::with(dir, 1 - newest, next)?;
        let empty = Self::empty(disk, dir, header, slot, master, block.profile)?;
        Ok(Self { unfinished: Unfinished::Header, ..empty })
    }

    fn empty(
        disk: Arc<dyn Disk>,
        dir: &Path,
        header: Header,
        slot: usize,
        master: SecretKey,
        replaced: ProfileId,
    ) -> Result<Self, OpenError> {
        // The machine is named in it before it is kept.
        let (vault_key, vault) = (random_key()?, Vault::new([0; 32])?);
        let (dir, unfinished, replaces) = (dir.to_path_buf(), Unfinished::Nothing, Some(replaced));
        Ok(Self { dir, disk, header, slot, master, vault_key, vault, unfinished, replaces })
    }

    /// The profile on the disk that this one takes the place of.
    pub(super) fn replaces(&self) -> Option<ProfileId> {
        self.replaces
    }

    /// Lets the header be this profile's. Until the old block begins to go nothing has happened; from then
    /// on nothing opens what was here.
    pub(super) fn take_header(&mut self) -> io::Result<()> {
        if self.unfinished == Unfinished::Header {
            self.header.keep(&*self.disk)?;
            self.unfinished = Unfinished::Nothing;
        }
        self.header.forget_other(&*self.disk)
    }

    /// Makes the first vault of a profile that took the place of another, and lets its header look like that
    /// of any new one.
    pub(super) fn begin_anew(&mut self) -> io::Result<()> {
        self.rotate()?;
        self.header.cover_other(&*self.disk)?;
        self.replaces = None;
        Ok(())
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
        let (block, slot) = self.header.block.with_unlock(&self.dir, unlock, self.slot, &master, &key)?;
        self.write_vault(&key)?;
        self.header.succeed(&*self.disk, block)?;
        (self.slot, self.master, self.vault_key) = (slot, master, key);
        self.unfinished = Unfinished::Place;
        self.finish()?;
        if !matches!(unlock, Unlock::KeyFile) {
            shred(&*self.disk, &self.dir.join(KEY_FILE))?;
        }
        Ok(())
    }

    /// Sets, changes or takes away the duress passphrase. Until the last step the old one or the new one
    /// works, or both.
    pub(super) fn set_duress(&mut self, duress: Option<&Unlock>) -> Result<(), OpenError> {
        if self.header.block.kind == Unlock::KeyFile.kind() {
            return Err(OpenError::NoPassphrase);
        }
        self.finish()?;
        let key = random_key()?;
        let block = self.header.block.with_duress(&self.dir, duress, self.slot, &self.master, &key)?;
        Ok(self.put(block, key)?)
    }

    fn rotate_to(&mut self, version: u32) -> io::Result<()> {
        self.finish()?;
        let key = random_key()?;
        let block = self.header.block.with_vault_key(version, &self.master, &key)?;
        self.put(block, key)
    }

    /// Lets a successor under the same master key be in force, with this vault key.
    fn put(&mut self, block: Block, key: SecretKey) -> io::Result<()> {
        self.write_vault(&key)?;
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

/// What this passphrase opens: after a crash amid a change of passphrase the two blocks open in different
/// ways, and the one that was used stays.
fn unlock_any(dir: &Path, unlock: &Unlock, blocks: &[(usize, Block)]) -> Result<Opens, OpenError> {
    let mut keys = SlotKeys::new(dir, unlock);
    for (_, block) in blocks {
        match block.unlock(&mut keys) {
            Err(OpenError::WrongPassphrase) => {}
            opens => return opens,
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
