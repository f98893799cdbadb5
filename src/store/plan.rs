//! From a batch of changes to frames: one change a key, hashed keys, records grouped by class.

use std::collections::BTreeMap;
use std::io;

use hmac::{Hmac, Mac};
use piquet_protocol::store::{Batch, Change, Key, Retention, Table};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::frame::BATCH_HEAD;
use super::header::ProfileId;
use super::index::{Broken, Index, Lost, Position};
use super::journal::Drafts;
use super::record::{Address, MAX_RECORD, Op, RECORD_HEAD, write};
use super::seal::{mac, random, random_key, seal};
use super::vault::{INLINE, Kept, SecretId, Vault};

/// Class of the segments that hold secrets and their tombstones; the others are [`Retention`]'s.
pub(super) const SECRETS: u8 = 6;
/// Records are gathered into frames of about this size: large enough for bulk, small enough to open for
/// the sake of one record.
const FRAME: usize = 64 << 10;
/// Largest batch, in bytes.
const MAX_BATCH: usize = 256 << 20;

/// Makes addresses of keys.
pub(super) struct Hasher(Hmac<Sha256>);

impl Hasher {
    pub(super) fn new(index_key: &[u8; 32]) -> Self {
        Self(mac(index_key))
    }

    /// Keyed hash of table and scope, then the order (S-3).
    pub(super) fn address(&self, table: Table, scope: &[u8], order: u128) -> Address {
        let mac = self.0.clone().chain_update([table as u8]).chain_update(scope).finalize().into_bytes();
        let mut address = [0; 32];
        address[..16].copy_from_slice(&mac[..16]);
        address[16..].copy_from_slice(&order.to_be_bytes());
        address
    }

    fn of(&self, key: &Key) -> Address {
        self.address(key.table, &key.scope, key.order)
    }
}

/// Why a batch can't be planned.
pub(super) enum PlanError {
    Index,
    TooLarge,
    Io(io::Error),
}

impl From<Broken> for PlanError {
    fn from(_: Broken) -> Self {
        Self::Index
    }
}

impl From<io::Error> for PlanError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// The last word on each address, as [`Batch`] asks.
#[derive(Default)]
pub(super) struct Folded {
    records: BTreeMap<Address, Option<(Retention, Vec<u8>)>>,
    secrets: BTreeMap<Address, Option<Zeroizing<Vec<u8>>>>,
}

impl Folded {
    pub(super) fn new(batch: Batch, hasher: &Hasher) -> Result<Self, PlanError> {
        let (mut folded, mut total) = (Self::default(), 0usize);
        for change in batch.changes {
            let size = folded.add(change, hasher);
            total = total.saturating_add(size + RECORD_HEAD);
            if size > MAX_RECORD || total > MAX_BATCH {
                return Err(PlanError::TooLarge);
            }
        }
        Ok(folded)
    }

    fn add(&mut self, change: Change, hasher: &Hasher) -> usize {
        match change {
            Change::Put(key, retention, value) => {
                let size = value.len();
                self.records.insert(hasher.of(&key), Some((retention, value)));
                size
            }
            Change::PutSecret(key, value) => {
                let size = value.len();
                self.secrets.insert(hasher.of(&key), Some(value));
                size
            }
            Change::Delete(key) => {
                self.records.insert(hasher.of(&key), None);
                0
            }
            Change::Erase(key) => {
                self.secrets.insert(hasher.of(&key), None);
                0
            }
        }
    }
}

/// What a batch writes.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) drafts: Drafts,
    /// New in the vault: durable before the journal.
    pub(super) added: Vec<(SecretId, Kept)>,
    /// To be destroyed: after the journal.
    pub(super) erased: Vec<SecretId>,
}

impl Plan {
    /// Plans a batch against the state that the index shows.
    pub(super) fn new(
        folded: &Folded,
        profile: &ProfileId,
        vault: &Vault,
        index: &Index,
    ) -> Result<Self, PlanError> {
        let mut plan = Self::default();
        for (address, value) in &folded.records {
            match value {
                Some((retention, value)) => plan.write(*retention as u8, Op::Put, address, &[value]),
                None => plan.delete(vault, index.record(address)?, address),
            }
        }
        for (address, value) in &folded.secrets {
            let old = index.secret(address)?;
            match value {
                Some(value) => plan.put_secret(profile, address, value)?,
                None if old.is_some() => plan.write(SECRETS, Op::Erase, address, &[]),
                None => {}
            }
            plan.erased.extend(old.map(|(id, _)| id));
        }
        Ok(plan)
    }

    /// What says of lost records that they are gone, so that a rebuilt index does not bring older ones back.
    /// A secret that is whole in the vault is named again.
    pub(super) fn giving_up(lost: &[Lost], vault: &Vault) -> Self {
        let mut plan = Self::default();
        for lost in lost {
            match lost {
                Lost::Record(address, segment) => {
                    let class = vault.segments.get(segment).map(|segment| segment.class);
                    plan.write(class.unwrap_or(Retention::Kept as u8), Op::Delete, address, &[]);
                }
                Lost::Secret(address, id) => match vault.secrets.get(id) {
                    Some(Kept::Inline(_)) => plan.write(SECRETS, Op::SecretInVault, address, &[id]),
                    _ => {
                        plan.write(SECRETS, Op::Erase, address, &[]);
                        plan.erased.push(*id);
                    }
                },
            }
        }
        plan
    }

    /// A tombstone lies in the class of what it deletes, so that it never goes first.
    fn delete(&mut self, vault: &Vault, old: Option<Position>, address: &Address) {
        let class = old.and_then(|old| vault.segments.get(&old.segment)).map(|segment| segment.class);
        if let Some(class) = class {
            self.write(class, Op::Delete, address, &[]);
        }
    }

    fn put_secret(
        &mut self,
        profile: &ProfileId,
        address: &Address,
        value: &Zeroizing<Vec<u8>>,
    ) -> io::Result<()> {
        let id = random()?;
        if value.len() <= INLINE {
            self.write(SECRETS, Op::SecretInVault, address, &[&id]);
            self.added.push((id, Kept::inline(value)));
        } else {
            let key = random_key()?;
            let sealed = seal(&key, &secret_ad(profile, &id), value)?;
            self.write(SECRETS, Op::SecretHere, address, &[&id, &sealed]);
            self.added.push((id, Kept::Key(key)));
        }
        Ok(())
    }

    fn write(&mut self, class: u8, op: Op, address: &Address, value: &[&[u8]]) {
        let size = RECORD_HEAD + value.iter().map(|part| part.len()).sum::<usize>();
        let frames = self.drafts.entry(class).or_default();
        if frames.last().is_none_or(|frame| frame.len() + size > FRAME) {
            let mut frame = Zeroizing::new(Vec::with_capacity(BATCH_HEAD + size));
            frame.resize(BATCH_HEAD, 0);
            frames.push(frame);
        }
        if let Some(frame) = frames.last_mut() {
            write(frame, op, address, value);
        }
    }
}

/// What a large secret is bound to.
pub(super) fn secret_ad(profile: &ProfileId, id: &SecretId) -> Vec<u8> {
    [&b"piquet v1 secret"[..], profile, id].concat()
}
