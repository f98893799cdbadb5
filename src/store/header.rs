//! The header: two blocks of 4 KiB, of which one is in force (S-15).
//!
//! Each block is whole in itself: how to get from a passphrase to the master key, and the vault key
//! wrapped by the master key. To change anything, the block not in force is written and made durable,
//! and only then is the other overwritten with noise. So a crash leaves at least one that works, and
//! afterwards nothing on the disk opens what the old vault key opened.
//!
//! One slot leads to the master key. The other is noise, or it is that of a duress passphrase (S-27): only
//! who knows that passphrase can tell, and only who knows the first can tell which of the two is whose.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

use super::OpenError;
use super::bytes::Reader;
use super::files::{Disk, replace};
use super::memory::SecretKey;
use super::seal::{OVERHEAD, expand, open, random, seal};
use super::unlock::{KdfCost, SlotKeys, Unlock};
use sha2::{Digest, Sha256};

/// The header's file.
pub(super) const HEADER: &str = "header";
/// Bytes in a block: one sector of today's disks, so that a block is written as a whole.
pub(super) const BLOCK: usize = 4096;

const MAGIC: [u8; 8] = *b"piquet\r\n";
const WRAPPED: usize = 32 + OVERHEAD;
const CHECKSUM: usize = 32;

/// The random name of a profile; never sent anywhere.
pub(super) type ProfileId = [u8; 16];

/// A wrapped key. Both slots of a header always look the same; one that nothing opens is noise. They have one
/// salt, so that whatever is typed is derived once (those of older profiles have two).
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Slot {
    salt: [u8; 32],
    wrapped: [u8; WRAPPED],
}

/// What a passphrase or key file opens.
pub(super) enum Opens {
    /// The profile: the number of the slot, and the master key in it.
    Profile(usize, SecretKey),
    /// An empty profile, in the place of this one.
    Empty(Empty),
}

/// How the empty profile is opened that a duress passphrase leads to: by the same passphrase, which is
/// derived in advance, so that it takes no longer than the other.
pub(super) struct Empty {
    salt: [u8; 32],
    slot_key: SecretKey,
}

/// One block of the header.
#[derive(Clone)]
pub(super) struct Block {
    /// Version of the whole profile's format.
    pub(super) version: u32,
    pub(super) profile: ProfileId,
    /// Rises with each block written; the higher is the newer.
    pub(super) sequence: u64,
    /// [`Unlock::kind`].
    pub(super) kind: u8,
    pub(super) cost: KdfCost,
    slots: [Slot; 2],
    vault_key: [u8; WRAPPED],
}

/// Why a block can't be used.
#[derive(Debug, PartialEq, Eq)]
enum Fault {
    Unreadable,
    Newer,
}

impl Slot {
    fn noise(salt: [u8; 32]) -> io::Result<Self> {
        Ok(Self { salt, wrapped: random()? })
    }

    fn wrap(slot_key: &[u8; 32], salt: [u8; 32], profile: &ProfileId, master: &[u8; 32]) -> io::Result<Self> {
        let wrapped = wrap(slot_key, &slot_ad(profile), master)?;
        Ok(Self { salt, wrapped })
    }

    /// The slot of a duress passphrase: it holds the key of a slot of the profile to come.
    fn duress(slot_key: &[u8; 32], salt: [u8; 32], profile: &ProfileId, next: &[u8; 32]) -> io::Result<Self> {
        let wrapped = wrap(slot_key, &duress_ad(profile), next)?;
        Ok(Self { salt, wrapped })
    }

    /// A slot and noise, in any order, and where the slot is.
    fn beside_noise(self) -> io::Result<([Self; 2], usize)> {
        let noise = Self::noise(self.salt)?;
        let place = coin()?;
        Ok((if place == 0 { [self, noise] } else { [noise, self] }, place))
    }

    fn master(&self, slot_key: &[u8; 32], profile: &ProfileId) -> Option<SecretKey> {
        unwrap(slot_key, &slot_ad(profile), &self.wrapped)
    }

    fn empty(&self, slot_key: &[u8; 32], profile: &ProfileId) -> io::Result<Option<Empty>> {
        let Some(next) = unwrap(slot_key, &duress_ad(profile), &self.wrapped) else { return Ok(None) };
        Ok(Some(Empty { salt: next_salt(slot_key)?, slot_key: next }))
    }
}

impl Block {
    /// The first block of a new profile, and the number of its slot.
    pub(super) fn first(
        dir: &Path,
        version: u32,
        unlock: &Unlock,
        cost: KdfCost,
        master: &[u8; 32],
        vault_key: &[u8; 32],
    ) -> Result<(Self, usize), OpenError> {
        let (profile, salt) = (random()?, random()?);
        let slot_key = unlock.slot_key(dir, cost, &salt)?;
        let (slots, slot) = Slot::wrap(&slot_key, salt, &profile, master)?.beside_noise()?;
        let vault_key = wrap(master, &vault_key_ad(&profile, 1), vault_key)?;
        Ok((Self { version, profile, sequence: 1, kind: unlock.kind(), cost, slots, vault_key }, slot))
    }

    /// The first block of the empty profile that takes the place of this one, and the number of its slot. It
    /// says, to who opens it, which profile is to be cleared away before the empty one has a vault; the
    /// next block is numbered as the first of any profile.
    pub(super) fn replacing(
        &self,
        version: u32,
        empty: &Empty,
        master: &[u8; 32],
    ) -> io::Result<(Self, usize)> {
        let (profile, cost, kind) = (random()?, self.cost, self.kind);
        let (slots, slot) = Slot::wrap(&empty.slot_key, empty.salt, &profile, master)?.beside_noise()?;
        let mut replaced = [0; 32];
        replaced[..16].copy_from_slice(&self.profile);
        let vault_key = wrap(master, &replaced_ad(&profile), &replaced)?;
        Ok((Self { version, profile, sequence: 0, kind, cost, slots, vault_key }, slot))
    }

    /// The successor of this block with another vault key and version.
    pub(super) fn with_vault_key(
        &self,
        version: u32,
        master: &[u8; 32],
        vault_key: &[u8; 32],
    ) -> io::Result<Self> {
        let sequence = self.sequence.saturating_add(1);
        let vault_key = wrap(master, &vault_key_ad(&self.profile, sequence), vault_key)?;
        Ok(Self { version, sequence, vault_key, ..self.clone() })
    }

    /// The successor of this block that opens in another way, with another master key, and the number of its
    /// slot: whoever kept an old block and knows the old passphrase opens nothing with them. The other slot
    /// stays what it is, which nobody here knows, as long as there is a passphrase.
    ///
    /// # Errors
    /// [`OpenError::SamePassphrase`] if this is the duress passphrase.
    pub(super) fn with_unlock(
        &self,
        dir: &Path,
        unlock: &Unlock,
        slot: usize,
        master: &[u8; 32],
        vault_key: &[u8; 32],
    ) -> Result<(Self, usize), OpenError> {
        let mut next = self.with_vault_key(self.version, master, vault_key)?;
        let stays = unlock.kind() == self.kind;
        let salt = if stays { self.slots[slot].salt } else { random()? };
        let slot_key = unlock.slot_key(dir, self.cost, &salt)?;
        let wrapped = Slot::wrap(&slot_key, salt, &self.profile, master)?;
        if !stays {
            next.kind = unlock.kind();
            let (slots, slot) = wrapped.beside_noise()?;
            next.slots = slots;
            return Ok((next, slot));
        }
        if self.slots[1 - slot].empty(&slot_key, &self.profile)?.is_some() {
            return Err(OpenError::SamePassphrase);
        }
        next.slots[slot] = wrapped;
        next.slots[1 - slot].salt = salt;
        Ok((next, slot))
    }

    /// The successor of this block with another duress passphrase, or none. Only the other slot differs, as
    /// after a change of the first passphrase.
    ///
    /// # Errors
    /// [`OpenError::SamePassphrase`] if this is the first passphrase.
    pub(super) fn with_duress(
        &self,
        dir: &Path,
        duress: Option<&Unlock>,
        slot: usize,
        master: &[u8; 32],
        vault_key: &[u8; 32],
    ) -> Result<Self, OpenError> {
        let mut next = self.with_vault_key(self.version, master, vault_key)?;
        let salt = self.slots[slot].salt;
        next.slots[1 - slot] = match duress {
            None => Slot::noise(salt)?,
            Some(duress) => {
                let slot_key = duress.slot_key(dir, self.cost, &salt)?;
                if self.slots[slot].master(&slot_key, &self.profile).is_some() {
                    return Err(OpenError::SamePassphrase);
                }
                let later = duress.slot_key(dir, self.cost, &next_salt(&slot_key)?)?;
                Slot::duress(&slot_key, salt, &self.profile, &later)?
            }
        };
        Ok(next)
    }

    /// What is behind the slots.
    ///
    /// # Errors
    /// [`OpenError::WrongPassphrase`] if neither opens.
    pub(super) fn unlock(&self, keys: &mut SlotKeys<'_>) -> Result<Opens, OpenError> {
        if keys.kind() != self.kind {
            return Err(OpenError::WrongPassphrase);
        }
        for (number, slot) in self.slots.iter().enumerate() {
            let slot_key = keys.get(self.cost, &slot.salt)?;
            if let Some(master) = slot.master(&slot_key, &self.profile) {
                return Ok(Opens::Profile(number, master));
            }
            if let Some(empty) = slot.empty(&slot_key, &self.profile)? {
                return Ok(Opens::Empty(empty));
            }
        }
        Err(OpenError::WrongPassphrase)
    }

    /// The profile in whose place this one is, if it has not been cleared away.
    pub(super) fn replaces(&self, master: &[u8; 32]) -> Option<ProfileId> {
        let replaced = unwrap(master, &replaced_ad(&self.profile), &self.vault_key)?;
        replaced.first_chunk().copied()
    }

    /// For the fuzz targets: the encoding of what these bytes decode to.
    #[cfg(fuzzing)]
    pub(super) fn fuzzed(bytes: &[u8]) -> Option<Vec<u8>> {
        Self::decode(bytes, super::migrate::FORMAT.version).ok().map(|block| block.encode())
    }

    /// The vault key, if this block is genuine.
    pub(super) fn vault_key(&self, master: &[u8; 32]) -> Option<SecretKey> {
        unwrap(master, &vault_key_ad(&self.profile, self.sequence), &self.vault_key)
    }

    fn encode(&self) -> Vec<u8> {
        let (memory, passes) = self.cost.numbers();
        let mut out = Vec::with_capacity(BLOCK);
        out.extend(MAGIC);
        out.extend(self.version.to_be_bytes());
        out.extend(self.profile);
        out.extend(self.sequence.to_be_bytes());
        out.push(self.kind);
        out.extend(memory.to_be_bytes());
        out.extend(passes.to_be_bytes());
        for slot in &self.slots {
            out.extend(slot.salt);
            out.extend(slot.wrapped);
        }
        out.extend(self.vault_key);
        out.resize(BLOCK - CHECKSUM, 0);
        let checksum = Sha256::digest(&out);
        out.extend(checksum);
        out
    }

    /// Reads a block, this program's version being `version`. Sizes and costs are bounded here, before
    /// anything is derived.
    fn decode(bytes: &[u8], version: u32) -> Result<Self, Fault> {
        let (body, checksum) = bytes.split_at_checked(BLOCK - CHECKSUM).ok_or(Fault::Unreadable)?;
        if Sha256::digest(body).as_slice() != checksum {
            return Err(Fault::Unreadable);
        }
        let mut reader = Reader::new(body);
        if reader.array() != Some(MAGIC) {
            return Err(Fault::Unreadable);
        }
        match reader.u32() {
            Some(found) if found > version => Err(Fault::Newer),
            Some(found) => Self::decode_rest(found, &mut reader).ok_or(Fault::Unreadable),
            None => Err(Fault::Unreadable),
        }
    }

    fn decode_rest(version: u32, reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            version,
            profile: reader.array()?,
            sequence: reader.u64()?,
            kind: reader.u8()?,
            cost: KdfCost::new(reader.u32()?, reader.u32()?)?,
            slots: [decode_slot(reader)?, decode_slot(reader)?],
            vault_key: reader.array()?,
        })
    }
}

/// The header's file and the block in force.
pub(super) struct Header {
    file: File,
    place: usize,
    pub(super) block: Block,
}

impl Header {
    /// Makes the header of a new profile, durably and at once: half a header would be neither a profile
    /// nor room for one.
    pub(super) fn create(disk: &dyn Disk, dir: &Path, block: Block) -> io::Result<Self> {
        let (place, other) = (coin()?, random::<BLOCK>()?.to_vec());
        // In either place, as in a profile that took the place of another.
        let blocks = if place == 0 { [block.encode(), other] } else { [other, block.encode()] };
        replace(disk, &dir.join(HEADER), &blocks.concat())?;
        Self::with(dir, place, block)
    }

    /// All usable blocks with their places, the newest first.
    ///
    /// # Errors
    /// [`OpenError::NewerVersion`] if any block was written by a newer program.
    pub(super) fn read(dir: &Path, version: u32) -> Result<Vec<(usize, Block)>, OpenError> {
        let bytes = read_blocks(dir)?;
        let mut blocks = Vec::new();
        for (place, bytes) in bytes.chunks(BLOCK).enumerate().take(2) {
            match Block::decode(bytes, version) {
                Ok(block) => blocks.push((place, block)),
                Err(Fault::Newer) => return Err(OpenError::NewerVersion),
                Err(Fault::Unreadable) => {}
            }
        }
        blocks.sort_by_key(|(_, block)| std::cmp::Reverse(block.sequence));
        if blocks.is_empty() { Err(OpenError::HeaderDamaged) } else { Ok(blocks) }
    }

    /// Goes on with a block that [`Header::read`] found.
    pub(super) fn with(dir: &Path, place: usize, block: Block) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open(dir.join(HEADER))?;
        Ok(Self { file, place, block })
    }

    /// Writes a successor into the other place, durably, and lets it be in force. The old block still
    /// opens until [`Header::forget_other`].
    pub(super) fn succeed(&mut self, disk: &dyn Disk, block: Block) -> io::Result<()> {
        (self.place, self.block) = (self.write(disk, 1 - self.place, &block)?, block);
        Ok(())
    }

    /// Writes the block in its place, durably: one that is in memory only so far.
    pub(super) fn keep(&self, disk: &dyn Disk) -> io::Result<()> {
        self.write(disk, self.place, &self.block).map(drop)
    }

    fn write(&self, disk: &dyn Disk, place: usize, block: &Block) -> io::Result<usize> {
        disk.write_at(&self.file, (place * BLOCK) as u64, &block.encode())?;
        disk.sync(&self.file)?;
        Ok(place)
    }

    /// Overwrites the block not in force and tells the disk that it may forget the place. An SSD may keep
    /// the old bytes in a spare cell all the same.
    pub(super) fn forget_other(&self, disk: &dyn Disk) -> io::Result<()> {
        self.cover_other(disk)?;
        disk.discard(&self.file, self.other(), BLOCK as u64);
        Ok(())
    }

    /// Lets the place of the block not in force hold noise, as in a new profile.
    pub(super) fn cover_other(&self, disk: &dyn Disk) -> io::Result<()> {
        disk.write_at(&self.file, self.other(), &random::<BLOCK>()?)?;
        disk.sync(&self.file)
    }

    fn other(&self) -> u64 {
        ((1 - self.place) * BLOCK) as u64
    }
}

fn read_blocks(dir: &Path) -> Result<Vec<u8>, OpenError> {
    let file = match File::open(dir.join(HEADER)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(OpenError::NoProfile),
        other => other?,
    };
    let mut bytes = Vec::with_capacity(2 * BLOCK);
    file.take(2 * BLOCK as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn decode_slot(reader: &mut Reader<'_>) -> Option<Slot> {
    Some(Slot { salt: reader.array()?, wrapped: reader.array()? })
}

fn slot_ad(profile: &ProfileId) -> Vec<u8> {
    [&b"piquet v1 slot"[..], profile].concat()
}

fn duress_ad(profile: &ProfileId) -> Vec<u8> {
    [&b"piquet v1 duress"[..], profile].concat()
}

fn replaced_ad(profile: &ProfileId) -> Vec<u8> {
    [&b"piquet v1 replaced"[..], profile].concat()
}

/// The salt of the empty profile: nobody who does not know the passphrase sees that it follows from this one.
fn next_salt(slot_key: &[u8; 32]) -> io::Result<[u8; 32]> {
    Ok(*expand(slot_key, b"piquet v1 duress salt")?)
}

/// 0 or 1.
fn coin() -> io::Result<usize> {
    Ok(usize::from(random::<1>()?[0] & 1))
}

fn vault_key_ad(profile: &ProfileId, sequence: u64) -> Vec<u8> {
    [&b"piquet v1 vault key"[..], profile, &sequence.to_be_bytes()].concat()
}

fn wrap(key: &[u8; 32], ad: &[u8], secret: &[u8; 32]) -> io::Result<[u8; WRAPPED]> {
    seal(key, ad, secret)?.try_into().map_err(|_| io::ErrorKind::InvalidData.into())
}

fn unwrap(key: &[u8; 32], ad: &[u8], wrapped: &[u8; WRAPPED]) -> Option<SecretKey> {
    let plain = open(key, ad, wrapped)?;
    SecretKey::from_slice(&plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block() -> Block {
        block_and_slot().0
    }

    fn block_and_slot() -> (Block, usize) {
        let dir = tempfile::tempdir().unwrap();
        Unlock::KeyFile.prepare(&super::super::files::RealDisk, dir.path()).unwrap();
        Block::first(dir.path(), 1, &Unlock::KeyFile, KdfCost::FLOOR, &[1; 32], &[2; 32]).unwrap()
    }

    fn checksummed(mut bytes: Vec<u8>) -> Vec<u8> {
        let checksum = Sha256::digest(&bytes[..BLOCK - CHECKSUM]);
        bytes[BLOCK - CHECKSUM..].copy_from_slice(&checksum);
        bytes
    }

    #[test]
    fn costs_that_would_exhaust_the_machine_are_refused_before_any_derivation() {
        for (memory, passes) in [(u32::MAX, 3), (64 << 10, u32::MAX), (8, 3), (64 << 10, 0)] {
            let mut bytes = block().encode();
            bytes[37..41].copy_from_slice(&u32::to_be_bytes(memory));
            bytes[41..45].copy_from_slice(&u32::to_be_bytes(passes));
            assert_eq!(Block::decode(&checksummed(bytes), 1).err(), Some(Fault::Unreadable));
        }
        let (memory, passes) = KdfCost::CEILING.numbers();
        let mut bytes = block().encode();
        bytes[37..41].copy_from_slice(&memory.to_be_bytes());
        bytes[41..45].copy_from_slice(&passes.to_be_bytes());
        assert_eq!(Block::decode(&checksummed(bytes), 1).unwrap().cost, KdfCost::CEILING);
    }

    #[test]
    fn a_flipped_bit_makes_a_block_unusable() {
        let bytes = block().encode();
        for at in (0..BLOCK).step_by(7) {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert_eq!(Block::decode(&changed, 1).err(), Some(Fault::Unreadable), "byte {at}");
        }
    }

    #[test]
    fn both_slots_look_alike_whether_used_or_not() {
        let block = block();
        for slot in &block.slots {
            assert!(slot.salt.iter().any(|byte| *byte != 0) && slot.wrapped.iter().any(|byte| *byte != 0));
        }
        let places: std::collections::BTreeSet<_> = (0..64).map(|_| block_and_slot().1).collect();
        assert_eq!(places.len(), 2, "nor does the place tell");
    }

    #[test]
    fn a_newer_block_is_told_from_a_broken_one() {
        let mut bytes = block().encode();
        bytes[8..12].copy_from_slice(&2u32.to_be_bytes());
        assert_eq!(Block::decode(&checksummed(bytes), 1).err(), Some(Fault::Newer));
    }
}
