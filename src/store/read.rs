//! Reading records and secrets.

use piquet_protocol::store::{Batch, Key, Store, StoreError, Table};
use zeroize::Zeroizing;

use super::disk::{DiskStore, locked};
use super::frame::BATCH_HEAD;
use super::index::Position;
use super::plan::secret_ad;
use super::record::{Address, Op, Record, read_at};
use super::seal::open;
use super::store_error;
use super::vault::Kept;

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

impl DiskStore {
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
}

fn order(address: &Address) -> u128 {
    let mut order = [0; 16];
    order.copy_from_slice(&address[16..]);
    u128::from_be_bytes(order)
}
