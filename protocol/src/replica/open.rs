//! Opening a group from the store: the same effects in causal order, without checking again what
//! was checked before it was stored.

use std::collections::{BTreeMap, BTreeSet};

use ed25519_dalek::SigningKey;

use super::mend;
use super::receive::Shelved;
use super::shelf::{Shelf, Stored};
use super::{Frozen, OpenError, Replica, Round};
use crate::action::Action;
use crate::action::message::Message;
use crate::codec::Reader;
use crate::crypto::Secret;
use crate::entry::{Entry, Lane, MAX_TALK_CITES};
use crate::group::genesis::Genesis;
use crate::group::operation::Control;
use crate::group::seal::{GenesisTree, Suite};
use crate::id::{DeviceKey, EntryId, EpochId, GroupId};
use crate::log::{Cites, Facts, LogId, Meta};

impl Replica {
    /// Opens a group from its records. What is staged on the way repeats what is stored: the caller
    /// drops it.
    ///
    /// # Errors
    /// Records that are missing or damaged.
    pub fn open(group: GroupId, round: &mut Round<'_>) -> Result<Self, OpenError> {
        let shelf = Shelf { sight: round.sight(), group };
        let key = shelf.secret(b"device")?.ok_or(OpenError::Incomplete)?;
        let key = SigningKey::from_bytes(key.as_slice().try_into().map_err(|_| OpenError::Incomplete)?);
        let genesis = shelf.named(b"genesis")?.ok_or(OpenError::Incomplete)?;
        let genesis = Genesis::from_payload(&genesis).map_err(|_| OpenError::Incomplete)?;
        let parameters = genesis.read().map_err(|_| OpenError::Incomplete)?;
        let suite = Suite::from_number(parameters.suite).ok_or(OpenError::Incomplete)?;
        let root = shelf
            .named(b"root")?
            .and_then(|root| Reader::new(&root).array().ok())
            .ok_or(OpenError::Incomplete)?;
        let devices = shelf.named(b"devices")?.ok_or(OpenError::Incomplete)?;
        let frozen = shelf.named(b"frozen")?;
        let hints = shelf.named(b"hints")?.unwrap_or_default();
        let states = shelf.states()?;
        let tree = GenesisTree { group_info: genesis.group_info.to_vec(), tree: genesis.tree.to_vec() };
        let root = EpochId(root);
        let root_keys = shelf.epoch_keys(&root)?.ok_or(OpenError::Incomplete)?;
        let mut replica = Self::blank(key, parameters, tree, suite, root);
        if !root_keys.has_state() {
            replica.tree.lose(root);
        }
        replica.ring.insert(root, root_keys);
        let ties = Shelf { sight: round.sight(), group }.secret(b"ties")?;
        replica.ties = ties.and_then(|ties| Secret::from_slice(&ties)).ok_or(OpenError::Incomplete)?;
        replica.devices = devices.chunks_exact(32).filter_map(|d| d.try_into().ok()).map(DeviceKey).collect();
        if !states.iter().all(|recipe| replica.logs.states_mut().restore(recipe)) {
            return Err(OpenError::Incomplete);
        }
        replica.hints = String::from_utf8_lossy(&hints).lines().map(str::to_owned).collect();
        replica.states_stored = replica.logs.states().len();
        replica.doubt = mend::read(Shelf { sight: round.sight(), group })?;
        for (log, fork) in replica.shelf(round).forks()? {
            replica.logs.restore_fork(log, fork);
            replica.note_branches(log, round)?;
            replica.unsettled = true;
        }
        let parents = replica.replay_acts(round)?;
        replica.restore_talk(&parents, round)?;
        // The newest messages' keys may be erased: their places still tell how far the clock is.
        if let Some(newest) = replica.shelf(round).timeline(u128::MAX, 1)?.first() {
            replica.note_clock(u32::try_from(newest.order >> 64).unwrap_or(0));
        }
        replica.restore_beacons(round)?;
        replica.restore_quota(round)?;
        replica.frozen = frozen.and_then(|why| frozen_from(&why)).or(replica.frozen);
        if replica.frozen.is_none() && replica.must_wait(round)? {
            replica.frozen = Some(Frozen::Mending);
        }
        replica.reload_head(round)?;
        replica.restore_promised(round)?;
        replica.restore_hearsay(round)?;
        Ok(replica)
    }

    /// What is stored of those whom branches alone let in.
    fn restore_promised(&mut self, round: &Round<'_>) -> Result<(), OpenError> {
        self.note_branches_again(round)?;
        let promised: Vec<DeviceKey> = self.logs.promised().copied().collect();
        for device in promised {
            for lane in [Lane::Acts, Lane::Talk] {
                let trunk = self.shelf(round).from(LogId { device, lane }, 1, usize::MAX)?;
                self.restore_trunk(&trunk);
            }
        }
        Ok(())
    }

    /// What is told by statements that wait.
    fn restore_hearsay(&mut self, round: &Round<'_>) -> Result<(), OpenError> {
        for device in self.devices.clone() {
            let log = LogId { device, lane: Lane::Acts };
            let Some(first) = self.logs.first_waiting(&log) else { continue };
            for stored in self.shelf(round).from(log, first, usize::MAX)? {
                self.note_hearsay(&stored.entry);
            }
        }
        Ok(())
    }

    /// Applies all acts again in causal order; gives each one's parents.
    fn replay_acts(&mut self, round: &mut Round<'_>) -> Result<Parents, OpenError> {
        let mut applied = Vec::new();
        for device in self.devices.clone() {
            let log = LogId { device, lane: Lane::Acts };
            let mut trunk = self.shelf(round).from(log, 1, usize::MAX)?;
            if self.doubt.is_some() {
                trunk = mend::contiguous(trunk);
            }
            self.restore_trunk(&trunk);
            let entries = trunk.into_iter().chain(self.shelf(round).beside(log)?);
            applied.extend(entries.filter_map(|stored| stored.facts.map(|facts| (facts, stored.entry))));
        }
        applied.sort_by_key(|(facts, entry)| (facts.depth, entry.id()));
        if self.doubt.is_some() {
            self.leave_unsound(&mut applied);
        }
        let mut parents = Parents::default();
        for (facts, entry) in applied {
            self.recall_control(&entry, round)?;
            let meta = Meta::from(&entry);
            let past = self.logs.past_of(&meta, &Shelved(Shelf { sight: round.sight(), group: self.group }));
            self.settle_key(&entry, round);
            let body = self.open_body(&entry);
            let operation = self.effect(&entry, body.as_ref(), past, round)?;
            parents.insert(&meta, facts.depth);
            self.logs.restore(&meta, facts);
            self.after_applied(&entry, body.as_ref(), facts, round);
            if operation {
                self.view = self.membership.view();
            }
        }
        self.view = self.membership.view();
        self.count_voices();
        Ok(parents)
    }

    /// What is built on a lost act waits until that is here again.
    fn leave_unsound(&mut self, acts: &mut Vec<(Facts, Entry)>) {
        let sound = mend::sound(self.group, acts.iter());
        let unsound = |entry: &Entry| !sound.contains(&entry.id());
        for (facts, entry) in acts.iter().filter(|(_, entry)| unsound(entry)) {
            self.logs.wait_for(&Meta::from(entry), facts.seq);
        }
        acts.retain(|(_, entry)| !unsound(entry));
    }

    /// Control keys that were told, from the store; or the keys of the first epoch, which no commit
    /// leads to, where this device began again in a later one (K-11).
    fn recall_control(&mut self, entry: &Entry, round: &Round<'_>) -> Result<(), OpenError> {
        let epoch = entry.epoch();
        if self.ring.whole(&epoch).is_some() || self.key_of(entry).is_some() {
            return Ok(());
        }
        if let Some(keys) = self.shelf(round).epoch_keys(&epoch)? {
            self.hold(epoch, keys);
        }
        for control in self.shelf(round).control_keys(&epoch)? {
            self.ring.learn(epoch, control, false);
        }
        Ok(())
    }

    fn restore_trunk(&mut self, trunk: &[Stored]) {
        let first = trunk.iter().find(|stored| stored.facts.is_none());
        if let Some(newest) = trunk.last() {
            self.logs.restore_trunk(&Meta::from(&newest.entry), first.map(|first| Meta::from(&first.entry)));
        }
    }

    /// Of talk only the newest applied entry of each log and the first that waits are needed.
    fn restore_talk(&mut self, parents: &Parents, round: &mut Round<'_>) -> Result<(), OpenError> {
        let mut tips = Vec::new();
        for device in self.devices.clone() {
            let log = LogId { device, lane: Lane::Talk };
            let newest = match self.doubt {
                None => self.shelf(round).newest(log)?,
                Some(_) => mend::newest_before_gap(self.shelf(round), log)?,
            };
            let Some(newest) = newest else { continue };
            let mut at = newest.entry.header().seq;
            let mut first_waiting = None;
            while let Some(stored) = self.shelf(round).at(log, at)? {
                let beyond = self.logs.fork(&log).is_some_and(|fork| at >= fork.seq);
                if let Some(facts) = stored.facts.filter(|_| !beyond) {
                    tips.push((facts, stored.entry));
                    break;
                }
                first_waiting = Some(stored);
                at = at.saturating_sub(1);
            }
            let first = first_waiting.map(|first| Meta::from(&first.entry));
            self.logs.restore_trunk(&Meta::from(&newest.entry), first);
        }
        tips.sort_by_key(|(facts, entry)| (facts.depth, entry.id()));
        let own = |lane| self.logs.head(&self.own_log(lane)).map(|(_, id)| id);
        let last_act = own(Lane::Acts).into_iter().collect();
        let last_talk = tips.iter().find(|(facts, _)| facts.device == self.device).map(|(_, entry)| entry);
        let cites = parents.cites(&last_act, last_talk, &tips);
        self.logs.restore_cites(cites);
        for (facts, entry) in tips {
            self.logs.restore(&Meta::from(&entry), facts);
            self.spoke_in.insert(entry.device(), entry.epoch());
            let body = self.open_body(&entry);
            let message = body.as_ref().and_then(|body| Message::from_payload(&body.payload).ok());
            self.note_clock(message.map_or(0, |message| message.clock));
            let time = body.map_or(0, |body| body.time);
            self.heard_at(entry.device(), time);
        }
        Ok(())
    }

    fn restore_beacons(&mut self, round: &mut Round<'_>) -> Result<(), OpenError> {
        for device in self.devices.clone() {
            let log = LogId { device, lane: Lane::Beacon };
            let Some(stored) = self.shelf(round).at(log, 0)? else { continue };
            let Some(facts) = stored.facts else { continue };
            let meta = Meta::from(&stored.entry);
            self.logs.restore_trunk(&meta, None);
            self.logs.restore(&meta, facts);
            if let Some(body) = self.open_body(&stored.entry) {
                self.heard_at(device, body.time);
                self.beacon(&stored.entry, &body, round);
            }
        }
        Ok(())
    }
}

/// What all acts are built on, for finding out what the next own entries have to cite: everything
/// applied that isn't in the past of the last own ones.
#[derive(Default)]
struct Parents(BTreeMap<EntryId, (u32, Vec<EntryId>)>);

impl Parents {
    fn insert(&mut self, meta: &Meta, depth: u32) {
        let epoch = EntryId(meta.epoch.0);
        let parents = meta.header.act_cites.iter().copied().chain([meta.header.prev, epoch]);
        self.0.insert(meta.id, (depth, parents.collect()));
    }

    fn cites(
        &self,
        last_act: &BTreeSet<EntryId>,
        last_talk: Option<&Entry>,
        talk: &[(Facts, Entry)],
    ) -> Cites {
        let header = last_talk.map(Entry::header);
        let epoch = last_talk.map(|entry| EntryId(entry.epoch().0));
        let known = header.into_iter().flat_map(|header| &header.act_cites).copied().chain(epoch);
        let cited = |entry: &Entry| {
            Some(entry.id()) == last_talk.map(Entry::id)
                || header.is_some_and(|header| header.talk_cites.contains(&entry.id()))
        };
        let mut tips: Vec<_> = talk
            .iter()
            .filter(|(_, entry)| !cited(entry))
            .map(|(facts, entry)| (facts.depth, entry.id()))
            .collect();
        tips.sort_unstable();
        let tips = tips.into_iter().rev().take(MAX_TALK_CITES).map(|(depth, id)| (id, depth));
        Cites::restored(self.heads_beyond(last_act), self.heads_beyond(&known.collect()), tips.collect())
    }

    /// Acts outside the past of these, and below no other such act; with their depths.
    fn heads_beyond(&self, of: &BTreeSet<EntryId>) -> BTreeMap<EntryId, u32> {
        let mut covered = BTreeSet::new();
        let mut open: Vec<&EntryId> = of.iter().collect();
        while let Some(id) = open.pop() {
            if let (true, Some((_, parents))) = (covered.insert(*id), self.0.get(id)) {
                open.extend(parents);
            }
        }
        let beyond = || self.0.iter().filter(|(id, _)| !covered.contains(id));
        let built_on: BTreeSet<&EntryId> = beyond().flat_map(|(_, (_, parents))| parents).collect();
        beyond().filter(|(id, _)| !built_on.contains(id)).map(|(id, (depth, _))| (*id, *depth)).collect()
    }
}

fn frozen_from(record: &[u8]) -> Option<Frozen> {
    let kept = [Frozen::RolledBack, Frozen::NeedsNewer, Frozen::Ended, Frozen::Restored];
    kept.into_iter().find(|why| record == [*why as u8])
}
