//! Where a group's entries, keys and views lie in the store (spec store, S-10 … S-14).

use zeroize::Zeroizing;

use super::Round;
use crate::codec::Reader;
use crate::crypto::Secret;
use crate::entry::{Class, Entry, Lane, UnverifiedEntry};
use crate::group::epoch::EpochKeys;
use crate::group::membership::OpState;
use crate::group::seal::EpochState;
use crate::id::{DeviceKey, EntryId, EpochId, GroupId};
use crate::log::{Facts, Fork, LogId};
use crate::store::{Key, Overlay, Retention, Sight, StoreError, Table};

/// An entry as it lies in the store.
pub(crate) struct Stored {
    pub(crate) entry: Entry,
    /// Known once the entry has been applied.
    pub(crate) facts: Option<Facts>,
}

/// A place in the screen order of messages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown {
    pub(crate) order: u128,
    pub(crate) log: LogId,
    pub(crate) seq: u32,
    /// When it came here, by this node's clock; unknown where an earlier version took it.
    pub(crate) received: Option<u32>,
}

impl Shown {
    /// Clock and tie.
    pub(crate) fn place(&self) -> (u32, u64) {
        let low = self.order & u128::from(u64::MAX);
        (u32::try_from(self.order >> 64).unwrap_or(u32::MAX), u64::try_from(low).unwrap_or(u64::MAX))
    }
}

/// Reads one group's records.
#[derive(Clone, Copy)]
pub(crate) struct Shelf<'a> {
    pub(crate) sight: Sight<'a>,
    pub(crate) group: GroupId,
}

impl Shelf<'_> {
    /// The entry at a position of a log's trunk.
    pub(crate) fn at(&self, log: LogId, seq: u32) -> Result<Option<Stored>, StoreError> {
        Ok(self.sight.get(&log_key(&self.group, log, seq))?.and_then(|record| decode(log, &record)))
    }

    /// Entries of a log from `from` on, oldest first.
    pub(crate) fn from(&self, log: LogId, from: u32, limit: usize) -> Result<Vec<Stored>, StoreError> {
        let scope = log_scope(&self.group, log);
        let found = self.sight.range(Table::Log, &scope, u128::from(from), u128::from(u32::MAX), limit)?;
        Ok(found.iter().filter_map(|(_, record)| decode(log, record)).collect())
    }

    /// The newest entry of a log.
    pub(crate) fn newest(&self, log: LogId) -> Result<Option<Stored>, StoreError> {
        let scope = log_scope(&self.group, log);
        let found = self.sight.range_back(Table::Log, &scope, 0, u128::from(u32::MAX), 1)?;
        Ok(found.first().and_then(|(_, record)| decode(log, record)))
    }

    /// An entry by its id, on a trunk or beside it (S-11).
    pub(crate) fn by_id(&self, id: &EntryId) -> Result<Option<Stored>, StoreError> {
        let Some((log, seq)) = self.place(id)? else { return Ok(None) };
        let on_trunk = self.at(log, seq)?.filter(|stored| stored.entry.id() == *id);
        if on_trunk.is_some() || !log.lane.is_chained() {
            return Ok(on_trunk);
        }
        let here = (place_of(seq, 0), place_of(seq, u64::MAX));
        let found =
            self.sight.range(Table::Log, &beside_scope(&self.group, log), here.0, here.1, usize::MAX)?;
        let mut stored = found.iter().filter_map(|(_, record)| decode(log, record));
        Ok(stored.find(|stored| stored.entry.id() == *id))
    }

    /// Where an entry lies; `None` if it is not stored.
    pub(crate) fn place(&self, id: &EntryId) -> Result<Option<(LogId, u32)>, StoreError> {
        let record = self.sight.get(&Key::new(Table::Entry, scoped(&self.group, id.as_bytes()), 0))?;
        Ok(record.and_then(|record| decode_place(&record)))
    }

    /// Entries of a forked log that are not on its trunk, by position.
    pub(crate) fn beside(&self, log: LogId) -> Result<Vec<Stored>, StoreError> {
        let scope = beside_scope(&self.group, log);
        let found = self.sight.range(Table::Log, &scope, 0, u128::MAX, usize::MAX)?;
        Ok(found.iter().filter_map(|(_, record)| decode(log, record)).collect())
    }

    /// All devices that were ever let in.
    pub(crate) fn devices(&self) -> Result<Vec<DeviceKey>, StoreError> {
        let list = self.named(DEVICES)?.unwrap_or_default();
        Ok(list.chunks_exact(32).filter_map(|device| device.try_into().ok()).map(DeviceKey).collect())
    }

    /// Everything a device wrote.
    pub(crate) fn entries_of(&self, device: DeviceKey) -> Result<Vec<Stored>, StoreError> {
        let mut entries: Vec<Stored> =
            self.at(LogId { device, lane: Lane::Beacon }, 0)?.into_iter().collect();
        for lane in [Lane::Acts, Lane::Talk] {
            let log = LogId { device, lane };
            entries.extend(self.from(log, 1, usize::MAX)?);
            entries.extend(self.beside(log)?);
        }
        Ok(entries)
    }

    /// Proven forks.
    pub(crate) fn forks(&self) -> Result<Vec<(LogId, Fork)>, StoreError> {
        let record = self.named(FORKS)?.unwrap_or_default();
        Ok(record.chunks_exact(FORK_LEN).filter_map(decode_fork).collect())
    }

    /// Shown entries in screen order, newest first, up to a place (S-12).
    pub(crate) fn timeline(&self, to: u128, limit: usize) -> Result<Vec<Shown>, StoreError> {
        let found = self.sight.range_back(Table::Timeline, &messages_scope(&self.group), 0, to, limit)?;
        Ok(found.into_iter().filter_map(decode_shown).collect())
    }

    /// The same, oldest first, from a place on.
    pub(crate) fn timeline_from(&self, from: u128, limit: usize) -> Result<Vec<Shown>, StoreError> {
        let scope = messages_scope(&self.group);
        let found = self.sight.range(Table::Timeline, &scope, from, u128::MAX, limit)?;
        Ok(found.into_iter().filter_map(decode_shown).collect())
    }

    /// One of them.
    pub(crate) fn shown(&self, clock: u32, tie: u64) -> Result<Option<Shown>, StoreError> {
        let order = place_of(clock, tie);
        let record = self.sight.get(&Key::new(Table::Timeline, messages_scope(&self.group), order))?;
        Ok(record.and_then(|record| decode_shown((order, record))))
    }

    /// Where the newest entry of a device's lies that edits a message.
    pub(crate) fn edit(&self, of: &EntryId, device: DeviceKey) -> Result<Option<(LogId, u32)>, StoreError> {
        let scope = edits_scope(&self.group, of, device);
        let newest = self.sight.range_back(Table::Timeline, &scope, 0, u128::MAX, 1)?;
        Ok(newest.first().and_then(|(_, record)| decode_place(record)))
    }

    /// Stored recipes of operation sets, in order (S-13).
    pub(crate) fn states(&self) -> Result<Vec<Vec<u8>>, StoreError> {
        let scope = scoped(&self.group, b"states");
        let found = self.sight.range(Table::Group, &scope, 0, u128::MAX, usize::MAX)?;
        Ok(found.into_iter().map(|(_, recipe)| recipe).collect())
    }

    /// A named record of the group.
    pub(crate) fn named(&self, name: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.sight.get(&named_key(&self.group, name))
    }

    /// A named secret of the group.
    pub(crate) fn secret(&self, name: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        self.sight.secret(&secret_key(&self.group, name))
    }

    /// All keys of an epoch this device was in.
    pub(crate) fn epoch_keys(&self, epoch: &EpochId) -> Result<Option<EpochKeys>, StoreError> {
        Ok(self.secret(&epoch_name(epoch))?.and_then(|bytes| EpochKeys::from_bytes(&bytes)))
    }

    /// The control keys that were told of an epoch.
    pub(crate) fn control_keys(&self, epoch: &EpochId) -> Result<Vec<Secret>, StoreError> {
        let stored = self.secret(&control_name(epoch))?;
        let keys = stored.iter().flat_map(|bytes| bytes.chunks_exact(32));
        Ok(keys.filter_map(Secret::from_slice).collect())
    }

    /// The MLS state of an epoch.
    pub(crate) fn state(&self, epoch: &EpochId) -> Result<Option<EpochState>, StoreError> {
        Ok(self.secret(&state_name(epoch))?.and_then(|bytes| EpochState::from_bytes(&bytes).ok()))
    }
}

/// Stages an entry of a log's trunk.
pub(crate) fn put(overlay: &mut Overlay, group: &GroupId, log: LogId, entry: &Entry, facts: Option<&Facts>) {
    let seq = if log.lane.is_chained() { entry.header().seq } else { 0 };
    let retention = retention(entry.header().class);
    overlay.put(log_key(group, log, seq), retention, encode(entry, facts));
    if log.lane.is_chained() {
        overlay.put(
            Key::new(Table::Entry, scoped(group, entry.id().as_bytes()), 0),
            retention,
            encode_place(log, seq),
        );
    }
}

/// Stages an entry of a forked log that is not on its trunk.
pub(crate) fn put_beside(
    overlay: &mut Overlay,
    group: &GroupId,
    entry: &Entry,
    facts: Option<&Facts>,
    tie: u64,
) {
    let (id, seq) = (entry.id(), entry.header().seq);
    let log = LogId { device: entry.device(), lane: entry.header().lane };
    let retention = retention(entry.header().class);
    let key = Key::new(Table::Log, beside_scope(group, log), place_of(seq, tie));
    overlay.put(key, retention, encode(entry, facts));
    overlay.put(Key::new(Table::Entry, scoped(group, id.as_bytes()), 0), retention, encode_place(log, seq));
}

/// Stages the end of all that is here of a log.
pub(crate) fn drop_log(round: &mut Round<'_>, group: &GroupId, log: LogId) -> Result<(), StoreError> {
    for scope in [log_scope(group, log), beside_scope(group, log)] {
        for (order, record) in round.sight().range(Table::Log, &scope, 0, u128::MAX, usize::MAX)? {
            if let Some(stored) = decode(log, &record) {
                let id = stored.entry.id();
                round.overlay.delete(Key::new(Table::Entry, scoped(group, id.as_bytes()), 0));
            }
            round.overlay.delete(Key::new(Table::Log, scope.clone(), order));
        }
    }
    Ok(())
}

/// Stages the proven forks.
pub(crate) fn put_forks(overlay: &mut Overlay, group: &GroupId, forks: impl Iterator<Item = (LogId, Fork)>) {
    put_named(overlay, group, FORKS, forks.flat_map(|(log, fork)| encode_fork(log, &fork)).collect());
}

/// Stages the end of what an earlier device of this profile noted for itself in a group it now comes into
/// again; keys stay, and are found again.
pub(crate) fn forget_device(round: &mut Round<'_>, group: &GroupId) -> Result<(), StoreError> {
    let states = Shelf { sight: round.sight(), group: *group }.states()?.len();
    for number in 0..states {
        round.overlay.delete(Key::new(Table::Group, scoped(group, b"states"), number as u128));
    }
    for name in [&b"frozen"[..], b"doubt", FORKS] {
        round.overlay.delete(named_key(group, name));
    }
    Ok(())
}

/// Stages the end of a place in the screen order of messages.
pub(crate) fn drop_message(overlay: &mut Overlay, group: &GroupId, clock: u32, tie: u64) {
    drop_shown(overlay, group, place_of(clock, tie));
}

/// The same by its order.
pub(crate) fn drop_shown(overlay: &mut Overlay, group: &GroupId, order: u128) {
    overlay.delete(Key::new(Table::Timeline, messages_scope(group), order));
}

/// Stages that an entry edits a message.
pub(crate) fn put_edit(overlay: &mut Overlay, group: &GroupId, of: &EntryId, entry: &Entry) {
    let (device, seq) = (entry.device(), entry.header().seq);
    let log = LogId { device, lane: entry.header().lane };
    let key = Key::new(Table::Timeline, edits_scope(group, of, device), u128::from(seq));
    overlay.put(key, retention(entry.header().class), encode_place(log, seq));
}

/// Stages the end of that.
pub(crate) fn drop_edit(overlay: &mut Overlay, group: &GroupId, of: &EntryId, entry: &Entry) {
    let scope = edits_scope(group, of, entry.device());
    overlay.delete(Key::new(Table::Timeline, scope, u128::from(entry.header().seq)));
}

/// Stages the end of a message on the screen, and of its edits.
pub(crate) fn drop_edited(round: &mut Round<'_>, group: &GroupId, shown: &Shown) -> Result<(), StoreError> {
    let shelf = Shelf { sight: round.sight(), group: *group };
    if let Some(stored) = shelf.at(shown.log, shown.seq)? {
        let scope = edits_scope(group, &stored.entry.id(), shown.log.device);
        for (order, _) in shelf.sight.range(Table::Timeline, &scope, 0, u128::MAX, usize::MAX)? {
            round.overlay.delete(Key::new(Table::Timeline, scope.clone(), order));
        }
    }
    drop_shown(round.overlay, group, shown.order);
    Ok(())
}

fn edits_scope(group: &GroupId, of: &EntryId, device: DeviceKey) -> Vec<u8> {
    scoped(group, &[b"edits", of.as_bytes().as_slice(), device.as_bytes()].concat())
}

fn messages_scope(group: &GroupId) -> Vec<u8> {
    scoped(group, b"messages")
}

/// Stages a place in the screen order of messages.
pub(crate) fn put_message(
    overlay: &mut Overlay,
    group: &GroupId,
    log: LogId,
    entry: &Entry,
    (clock, tie): (u32, u64),
    received: u32,
) {
    let key = Key::new(Table::Timeline, messages_scope(group), place_of(clock, tie));
    let place = encode_place(log, entry.header().seq);
    let record = [place.as_slice(), &received.to_be_bytes()].concat();
    overlay.put(key, retention(entry.header().class), record);
}

/// Where a record stands among others of one scope: by a number, then by [`super::Replica::tie`].
fn place_of(number: u32, tie: u64) -> u128 {
    u128::from(number) << 64 | u128::from(tie)
}

/// Order on screen: the author's Lamport clock, then hash; never a wall clock.
pub(crate) fn screen_order(clock: u32, id: &EntryId) -> u128 {
    u128::from(clock) << 64 | u128::from(u64::from_be_bytes(id.hint()))
}

/// Stages the recipe of an operation set.
pub(crate) fn put_state_recipe(overlay: &mut Overlay, group: &GroupId, number: usize, recipe: Vec<u8>) {
    let key = Key::new(Table::Group, scoped(group, b"states"), number as u128);
    overlay.put(key, Retention::Kept, recipe);
}

/// Stages a named record.
pub(crate) fn put_named(overlay: &mut Overlay, group: &GroupId, name: &[u8], value: Vec<u8>) {
    overlay.put(named_key(group, name), Retention::Kept, value);
}

/// Stages the end of a named record.
pub(crate) fn drop_named(overlay: &mut Overlay, group: &GroupId, name: &[u8]) {
    overlay.delete(named_key(group, name));
}

/// Stages a named secret.
pub(crate) fn put_secret(overlay: &mut Overlay, group: &GroupId, name: &[u8], value: Zeroizing<Vec<u8>>) {
    overlay.put_secret(secret_key(group, name), value);
}

/// Stages the destruction of a named secret.
pub(crate) fn erase_secret(overlay: &mut Overlay, group: &GroupId, name: &[u8]) {
    overlay.erase(secret_key(group, name));
}

/// Stages the keys of an epoch.
pub(crate) fn put_epoch_keys(overlay: &mut Overlay, group: &GroupId, epoch: &EpochId, keys: &EpochKeys) {
    put_secret(overlay, group, &epoch_name(epoch), keys.to_bytes());
}

/// Stages what was told of an epoch's control key.
pub(crate) fn put_control_keys(overlay: &mut Overlay, group: &GroupId, epoch: &EpochId, keys: &[Secret]) {
    let mut bytes = Zeroizing::new(Vec::with_capacity(keys.len() * 32));
    keys.iter().for_each(|key| bytes.extend_from_slice(key.as_bytes()));
    put_secret(overlay, group, &control_name(epoch), bytes);
}

/// Stages the end of all keys of an epoch.
pub(crate) fn erase_keys(overlay: &mut Overlay, group: &GroupId, epoch: &EpochId) {
    erase_secret(overlay, group, &epoch_name(epoch));
    erase_secret(overlay, group, &control_name(epoch));
}

/// Name of an epoch's MLS state among the secrets.
pub(crate) fn state_name(epoch: &EpochId) -> Vec<u8> {
    named(b"state", epoch.as_bytes())
}

fn epoch_name(epoch: &EpochId) -> Vec<u8> {
    named(b"epoch", epoch.as_bytes())
}

fn control_name(epoch: &EpochId) -> Vec<u8> {
    named(b"control", epoch.as_bytes())
}

/// `prefix ‖ id`: prefixes differ in length or letters, so names never collide.
pub(crate) fn named(prefix: &[u8], id: &[u8; 32]) -> Vec<u8> {
    [prefix, id].concat()
}

fn retention(class: Class) -> Retention {
    match class {
        Class::Control => Retention::Kept,
        Class::Record => Retention::Record,
        Class::Chat => Retention::Chat,
        Class::Short => Retention::Short,
        Class::Beacon => Retention::Passing,
    }
}

fn named_key(group: &GroupId, name: &[u8]) -> Key {
    Key::new(Table::Group, scoped(group, name), 0)
}

fn secret_key(group: &GroupId, name: &[u8]) -> Key {
    Key::new(Table::Secret, scoped(group, name), 0)
}

fn scoped(group: &GroupId, rest: &[u8]) -> Vec<u8> {
    [group.as_bytes(), rest].concat()
}

fn log_scope(group: &GroupId, log: LogId) -> Vec<u8> {
    [group.as_bytes().as_slice(), log.device.as_bytes(), &[log.lane as u8]].concat()
}

fn log_key(group: &GroupId, log: LogId, seq: u32) -> Key {
    Key::new(Table::Log, log_scope(group, log), u128::from(seq))
}

fn beside_scope(group: &GroupId, log: LogId) -> Vec<u8> {
    [log_scope(group, log).as_slice(), b"beside"].concat()
}

const DEVICES: &[u8] = b"devices";
const FORKS: &[u8] = b"forks";
const FORK_LEN: usize = 32 + 1 + 4 + 64;

/// device 32, lane 1, seq 4, ids 32 + 32.
fn encode_fork(log: LogId, fork: &Fork) -> Vec<u8> {
    let [one, other] = &fork.entries;
    [&encode_place(log, fork.seq), one.as_bytes().as_slice(), other.as_bytes()].concat()
}

fn decode_fork(record: &[u8]) -> Option<(LogId, Fork)> {
    let mut reader = Reader::new(record);
    let device = DeviceKey(reader.array().ok()?);
    let lane = Lane::from_number(reader.u8().ok()?)?;
    let seq = reader.u32().ok()?;
    let entries = [EntryId(reader.array().ok()?), EntryId(reader.array().ok()?)];
    Some((LogId { device, lane }, Fork { seq, entries }))
}

/// id 32, epoch 32, applied 1, depth 4, operations 4, marks 4 + 4, entry.
fn encode(entry: &Entry, facts: Option<&Facts>) -> Vec<u8> {
    let mut out = Vec::with_capacity(81 + entry.bytes().len());
    out.extend_from_slice(entry.id().as_bytes());
    out.extend_from_slice(entry.epoch().as_bytes());
    out.push(u8::from(facts.is_some()));
    let fields = facts.map_or([0; 4], |f| [f.depth, f.ops.0, f.mark_acts, f.mark_talk]);
    for field in fields {
        out.extend_from_slice(&field.to_be_bytes());
    }
    out.extend_from_slice(entry.bytes());
    out
}

fn decode(log: LogId, record: &[u8]) -> Option<Stored> {
    let mut reader = Reader::new(record);
    let id = EntryId(reader.array().ok()?);
    let epoch = EpochId(reader.array().ok()?);
    let applied = reader.u8().ok()? == 1;
    let mut field = || reader.u32().ok();
    let (depth, ops, mark_acts, mark_talk) = (field()?, OpState(field()?), field()?, field()?);
    let entry = UnverifiedEntry::decode(reader.rest()).ok()?;
    let seq = entry.header().seq;
    let facts = Facts { device: log.device, lane: log.lane, seq, depth, ops, mark_acts, mark_talk };
    Some(Stored { entry: entry.trust_stored(id, log.device, epoch), facts: applied.then_some(facts) })
}

fn encode_place(log: LogId, seq: u32) -> Vec<u8> {
    [log.device.as_bytes().as_slice(), &[log.lane as u8], &seq.to_be_bytes()].concat()
}

fn decode_shown((order, record): (u128, Vec<u8>)) -> Option<Shown> {
    let (log, seq) = decode_place(&record)?;
    let received = record.get(encode_place(log, seq).len()..).and_then(|rest| rest.try_into().ok());
    Some(Shown { order, log, seq, received: received.map(u32::from_be_bytes) })
}

fn decode_place(record: &[u8]) -> Option<(LogId, u32)> {
    let mut reader = Reader::new(record);
    let device = DeviceKey(reader.array().ok()?);
    let lane = Lane::from_number(reader.u8().ok()?)?;
    Some((LogId { device, lane }, reader.u32().ok()?))
}
