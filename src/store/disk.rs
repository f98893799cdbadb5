//! A profile's store: making, opening, reading, looking after it.

use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use piquet_protocol::store::{Batch, Key, Store, StoreError, Table};
use zeroize::Zeroizing;

use super::files::{Disk, RealDisk, make_folder, open_or_create, remove_if_there};
use super::frame::BATCH_HEAD;
use super::header::{HEADER, Header};
use super::index::{Broken, Index, Position};
use super::journal::{Journal, Segments};
use super::keyring::{Keyring, VAULT};
use super::machine::Machine;
use super::migrate::{FORMAT, Format};
use super::plan::{Hasher, secret_ad};
use super::reader::FrameReader;
use super::record::{Address, Op, Record, read_at};
use super::replay::{ReplayError, Torn, replay};
use super::scan::{Cursor, Tail};
use super::seal::{open, random_key};
use super::unlock::{KdfCost, Unlock};
use super::vault::{Continuity, Kept, Vault};
use super::{Damage, OpenError, store_error, wipe};

/// The lock's file.
pub(super) const LOCK: &str = "lock";

/// A profile's store on disk. One per profile at a time: it holds the profile's lock.
pub struct DiskStore {
    pub(super) dir: PathBuf,
    pub(super) keyring: Keyring,
    pub(super) segments: Segments,
    pub(super) journal: Journal,
    pub(super) hasher: Hasher,
    /// Something is out of the vault, or never was valid in it, that an old vault file may still hold.
    pub(super) stale: bool,
    pub(super) week: fn() -> u32,
    index: Mutex<Option<Index>>,
    reader: Mutex<FrameReader>,
    damage: Mutex<BTreeSet<Damage>>,
    machine: Machine,
    _lock: File,
}

/// A store, and what opening it found.
pub struct Opened {
    /// The store.
    pub store: DiskStore,
    /// Whether this is the machine's own last state. If it is not, nothing of one's own may be written
    /// to a group with it; every opening says so until [`DiskStore::settle`].
    pub continuity: Continuity,
}

/// Whether [`Unlock::Passphrase`] is needed to open the profile.
///
/// # Errors
/// As for [`DiskStore::open`].
pub fn wants_passphrase(dir: &Path) -> Result<bool, OpenError> {
    let blocks = Header::read(dir, FORMAT.version)?;
    Ok(blocks.first().is_some_and(|(_, block)| block.kind != Unlock::KeyFile.kind()))
}

impl DiskStore {
    /// Makes a profile in `dir`, which is created if need be, for its owner only.
    ///
    /// # Errors
    /// [`OpenError::Exists`], [`OpenError::Locked`], [`OpenError::Io`]. A profile whose making was
    /// interrupted can be made again.
    pub fn create(dir: &Path, unlock: &Unlock, cost: KdfCost, machine: &Machine) -> Result<Self, OpenError> {
        Self::create_on(Arc::new(RealDisk), dir, unlock, cost, machine)
    }

    /// Opens the profile in `dir`, finishing or undoing what a crash interrupted.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(dir: &Path, unlock: &Unlock, machine: &Machine) -> Result<Opened, OpenError> {
        Self::open_on(Arc::new(RealDisk), dir, unlock, machine, &FORMAT)
    }

    /// Damage found while indexing, now or at an earlier opening, and in what was read since this one.
    /// [`DiskStore::check`] reads everything.
    pub fn damage(&self) -> Vec<Damage> {
        locked(&self.damage).iter().copied().collect()
    }

    /// Reads the whole journal and says what is damaged.
    ///
    /// # Errors
    /// [`StoreError::Io`] if the disk does not answer at all.
    pub fn check(&self) -> Result<Vec<Damage>, StoreError> {
        for number in self.keyring.vault.segments.keys() {
            self.check_segment(*number).map_err(|error| store_error(&error))?;
        }
        Ok(self.damage())
    }

    /// Drops the records that can't be read, so that ranges no longer meet them. What is lost is lost; the
    /// frames stay in [`DiskStore::damage`].
    ///
    /// # Errors
    /// [`StoreError::Io`] if the index can't be rebuilt.
    pub fn forget_damaged(&mut self) -> Result<(), StoreError> {
        self.rebuild(&mut locked(&self.index))
    }

    /// Whether something erased is still waiting for its key to be destroyed, because the disk refused
    /// so far. It is tried again with every commit and opening.
    pub fn erasure_pending(&self) -> bool {
        self.stale
    }

    /// Changes how the profile is opened; its contents stay as they are. On error, the old way opens it,
    /// or both do.
    ///
    /// # Errors
    /// [`OpenError::Io`].
    pub fn change_passphrase(&mut self, unlock: &Unlock) -> Result<(), OpenError> {
        self.keyring.rewrap(unlock)
    }

    /// Takes this state as the machine's own from here on: the caller has become a new device, or a peer
    /// has shown that nothing is missing.
    ///
    /// # Errors
    /// As for [`Store::commit`].
    pub fn settle(&mut self) -> Result<(), StoreError> {
        self.keyring.vault.continuity = Continuity::Same;
        self.keyring.save().map_err(|error| store_error(&error))
    }

    /// Destroys the profile; see [`super::wipe`].
    ///
    /// # Errors
    /// [`OpenError::Io`]; the keys go first.
    pub fn wipe(self) -> Result<(), OpenError> {
        let (dir, machine) = (self.dir.clone(), self.machine.clone());
        // Windows removes no open file, so everything is let go of first.
        drop(self);
        wipe(&dir, &machine)
    }

    pub(super) fn create_on(
        disk: Arc<dyn Disk>,
        dir: &Path,
        unlock: &Unlock,
        cost: KdfCost,
        machine: &Machine,
    ) -> Result<Self, OpenError> {
        make_folder(dir)?;
        let lock = lock(dir)?;
        if dir.join(HEADER).try_exists()? {
            return Err(OpenError::Exists);
        }
        remove_if_there(&*disk, &dir.join(VAULT))?;
        make_folder(&dir.join(super::journal::JOURNAL))?;
        Index::destroy(dir)?;
        let keyring = Keyring::create(disk.clone(), dir, unlock, cost, FORMAT.version, |profile| {
            machine.remember(&*disk, profile, 0)?;
            new_vault(machine.tag(profile))
        })?;
        Self::start(disk, dir, keyring, machine, lock)
    }

    pub(super) fn open_on(
        disk: Arc<dyn Disk>,
        dir: &Path,
        unlock: &Unlock,
        machine: &Machine,
        format: &Format,
    ) -> Result<Opened, OpenError> {
        if !dir.join(HEADER).try_exists()? {
            return Err(OpenError::NoProfile);
        }
        let lock = lock(dir)?;
        let mut keyring = Keyring::open(disk.clone(), dir, unlock, format)?;
        let found = machine.compare(keyring.profile(), &keyring.vault)?;
        match found {
            Continuity::Same => machine.catch_up(&*disk, keyring.profile(), keyring.vault.opening)?,
            other => keyring.vault.continuity = other,
        }
        let continuity = keyring.vault.continuity;
        Ok(Opened { store: Self::start(disk, dir, keyring, machine, lock)?, continuity })
    }

    /// Begins an opening: counts it in vault and state folder, then brings the index in step.
    fn start(
        disk: Arc<dyn Disk>,
        dir: &Path,
        mut keyring: Keyring,
        machine: &Machine,
        lock: File,
    ) -> Result<Self, OpenError> {
        let profile = *keyring.profile();
        let before = keyring.vault.opening;
        keyring.vault.opening = before.max(machine.openings(&profile)?.unwrap_or(0)) + 1;
        keyring.vault.machine = machine.tag(&profile);
        keyring.save()?;
        machine.remember(&*disk, &profile, keyring.vault.opening)?;
        let opening = keyring.vault.opening;
        let segments = Segments::new(dir, profile);
        let (index, torn) = open_index(dir, &segments, &keyring.vault, before)?;
        cut_torn(&*disk, &segments, &torn);
        let damage = index.damage().map_err(broken)?;
        index.set_opening(opening).map_err(broken)?;
        let hasher = Hasher::new(&keyring.vault.index_key);
        let mut store = Self {
            dir: dir.to_path_buf(),
            keyring,
            segments,
            journal: Journal::new(disk, opening),
            hasher,
            stale: false,
            week: week_now,
            index: Mutex::new(Some(index)),
            reader: Mutex::default(),
            damage: Mutex::new(damage.into_iter().collect()),
            machine: machine.clone(),
            _lock: lock,
        };
        store.drop_unnamed_secrets()?;
        Ok(store)
    }

    /// Destroys secrets that a crash left in the vault though nothing names them: erased in the journal, or
    /// of a batch that never became durable. Not where the journal is damaged: there a name may be lost
    /// whose secret must not be.
    fn drop_unnamed_secrets(&mut self) -> Result<(), OpenError> {
        let named = self.with_index(Index::secrets).map_err(|_| OpenError::Damaged)?;
        let named: BTreeSet<_> = named.into_iter().collect();
        let before = self.keyring.vault.secrets.len();
        if locked(&self.damage).is_empty() {
            self.keyring.vault.secrets.retain(|id, _| named.contains(id));
        }
        if self.keyring.vault.secrets.len() < before {
            self.keyring.rotate()?;
        }
        Ok(())
    }

    /// Asks the index; if it breaks, rebuilds it and asks again.
    pub(super) fn with_index<T>(&self, ask: impl Fn(&Index) -> Result<T, Broken>) -> Result<T, StoreError> {
        let mut slot = locked(&self.index);
        if let Some(Ok(answer)) = slot.as_ref().map(&ask) {
            return Ok(answer);
        }
        self.rebuild(&mut slot)?;
        match slot.as_ref().map(&ask) {
            Some(Ok(answer)) => Ok(answer),
            _ => Err(index_error()),
        }
    }

    /// Makes the index anew from the journal.
    pub(super) fn rebuild(&self, slot: &mut Option<Index>) -> Result<(), StoreError> {
        if let Some(index) = slot.take() {
            index.close();
        }
        let vault = &self.keyring.vault;
        let (index, _) =
            fresh_index(&self.dir, &self.segments, vault, vault.opening).map_err(|_| index_error())?;
        index.set_opening(vault.opening).map_err(|_| index_error())?;
        locked(&self.damage).extend(index.damage().map_err(|_| index_error())?);
        *slot = Some(index);
        Ok(())
    }

    fn read_range(
        &self,
        (from, to): (Address, Address),
        limit: usize,
        back: bool,
    ) -> Result<Vec<(u128, Vec<u8>)>, StoreError> {
        if from > to {
            return Ok(Vec::new());
        }
        let found = self.with_index(|index| index.range(&from, &to, limit, back))?;
        found
            .iter()
            .map(|(address, position)| Ok((order(address), self.record(address, *position)?)))
            .collect()
    }

    fn record(&self, address: &Address, position: Position) -> Result<Vec<u8>, StoreError> {
        self.read_record(address, position, |record| (record.op == Op::Put).then(|| record.value.to_vec()))
    }

    /// Reads what the index says lies at a position, and believes it only if it names its address itself.
    fn read_record<T>(
        &self,
        address: &Address,
        position: Position,
        read: impl FnOnce(&Record<'_>) -> Option<T>,
    ) -> Result<T, StoreError> {
        let plain = locked(&self.reader)
            .frame(&self.segments, &self.keyring.vault, position)
            .map_err(|error| store_error(&error))?;
        let record = plain.as_ref().filter(|_| position.at as usize >= BATCH_HEAD);
        let record = record.and_then(|plain| read_at(plain, position.at));
        let value = record.filter(|record| record.address == *address).as_ref().and_then(read);
        value.ok_or_else(|| self.damaged(position.segment, position.frame, position.frame))
    }

    fn damaged(&self, segment: u32, first: u32, last: u32) -> StoreError {
        locked(&self.damage).insert(Damage { segment, first, last });
        StoreError::Damaged
    }

    fn check_segment(&self, number: u32) -> io::Result<()> {
        let Some(mut scan) = self.segments.scan(&self.keyring.vault, number, Cursor::default())? else {
            self.damaged(number, 0, 0);
            return Ok(());
        };
        while scan.next()?.is_some() {}
        for (first, last) in scan.gaps().to_vec() {
            self.damaged(number, first, last);
        }
        if scan.tail()? == Tail::Damaged {
            self.damaged(number, scan.cursor().index, scan.cursor().index);
        }
        Ok(())
    }
}

impl Store for DiskStore {
    fn get(&self, key: &Key) -> Result<Option<Vec<u8>>, StoreError> {
        let address = self.hasher.address(key.table, &key.scope, key.order);
        let position = self.with_index(|index| index.record(&address))?;
        position.map(|position| self.record(&address, position)).transpose()
    }

    fn range(
        &self,
        table: Table,
        scope: &[u8],
        from: u128,
        to: u128,
        limit: usize,
    ) -> Result<Vec<(u128, Vec<u8>)>, StoreError> {
        let address = |order| self.hasher.address(table, scope, order);
        self.read_range((address(from), address(to)), limit, false)
    }

    fn range_back(
        &self,
        table: Table,
        scope: &[u8],
        from: u128,
        to: u128,
        limit: usize,
    ) -> Result<Vec<(u128, Vec<u8>)>, StoreError> {
        let address = |order| self.hasher.address(table, scope, order);
        self.read_range((address(from), address(to)), limit, true)
    }

    fn secret(&self, key: &Key) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        let address = self.hasher.address(key.table, &key.scope, key.order);
        let Some((id, position)) = self.with_index(|index| index.secret(&address))? else { return Ok(None) };
        match self.keyring.vault.secrets.get(&id) {
            None => Err(StoreError::Damaged),
            Some(Kept::Inline(value)) => Ok(Some(value.clone())),
            Some(Kept::Key(key)) => {
                let ad = secret_ad(self.keyring.profile(), &id);
                self.read_record(&address, position, |record| open(key, &ad, record.secret()?.1)).map(Some)
            }
        }
    }

    fn commit(&mut self, batch: Batch) -> Result<(), StoreError> {
        self.commit_batch(batch)
    }
}

impl Drop for DiskStore {
    /// The index is only a cache, but flushing it now saves replaying at the next opening.
    fn drop(&mut self) {
        if let Some(index) = locked(&self.index).take() {
            let _ = index.flush();
            index.close();
        }
    }
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn index_error() -> StoreError {
    StoreError::Io("the index can't be rebuilt".into())
}

/// Takes the profile's lock, which the system lets go of when the process ends, however it ends.
pub(super) fn lock(dir: &Path) -> Result<File, OpenError> {
    let file = open_or_create(&dir.join(LOCK))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

fn new_vault(machine: [u8; 32]) -> Result<Vault, OpenError> {
    Ok(Vault {
        generation: 1,
        opening: 0,
        machine,
        continuity: Continuity::Same,
        index_key: random_key()?,
        segments: Default::default(),
        secrets: Default::default(),
    })
}

/// The index in step with the journal: the one on disk, if it is from the last opening, else a new one.
fn open_index(dir: &Path, segments: &Segments, vault: &Vault, last: u64) -> Result<(Index, Torn), OpenError> {
    if let Ok(index) = Index::open(dir) {
        if matches!(index.opening(), Ok(Some(opening)) if opening == last) {
            match replay(segments, vault, &index, last) {
                Ok(torn) => return Ok((index, torn)),
                Err(ReplayError::Io(error)) => return Err(error.into()),
                Err(ReplayError::Index) => {}
            }
        }
        index.close();
    }
    fresh_index(dir, segments, vault, last)
}

fn fresh_index(
    dir: &Path,
    segments: &Segments,
    vault: &Vault,
    last: u64,
) -> Result<(Index, Torn), OpenError> {
    Index::destroy(dir)?;
    let index = Index::open(dir).map_err(broken)?;
    match replay(segments, vault, &index, last) {
        Ok(torn) => Ok((index, torn)),
        Err(ReplayError::Io(error)) => Err(error.into()),
        Err(ReplayError::Index) => Err(broken(Broken)),
    }
}

/// Removes what a crash left behind the last frame. If that fails it is only found again.
fn cut_torn(disk: &dyn Disk, segments: &Segments, torn: &Torn) {
    for (number, end) in torn {
        if let Ok(file) = open_or_create(&segments.path(*number)) {
            let _ = disk.truncate(&file, *end).and_then(|()| disk.sync(&file));
        }
    }
}

fn broken(_: Broken) -> OpenError {
    OpenError::Io(io::Error::other("index"))
}

fn order(address: &Address) -> u128 {
    let mut order = [0; 16];
    order.copy_from_slice(&address[16..]);
    u128::from_be_bytes(order)
}

/// Weeks since 1970: journal segments are a week long at most. The store looks at the clock for nothing
/// else.
fn week_now() -> u32 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u32::try_from(now.as_secs() / (7 * 24 * 3600)).unwrap_or(u32::MAX)
}
