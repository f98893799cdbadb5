//! Opening a group from the store: the same effects in causal order, without checking again what
//! was checked before it was stored.

use ed25519_dalek::SigningKey;

use super::receive::Shelved;
use super::shelf::{Shelf, Stored};
use super::{Frozen, OpenError, Replica, Round};
use crate::action::Action;
use crate::action::message::Message;
use crate::codec::Reader;
use crate::entry::Lane;
use crate::group::operation::{Control, Genesis};
use crate::group::seal::{GenesisTree, Suite};
use crate::id::{DeviceKey, EpochId, GroupId};
use crate::log::{LogId, Meta};

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
        replica.ring.insert(root, root_keys);
        replica.devices = devices.chunks_exact(32).filter_map(|d| d.try_into().ok()).map(DeviceKey).collect();
        if !states.iter().all(|recipe| replica.logs.states_mut().restore(recipe)) {
            return Err(OpenError::Incomplete);
        }
        replica.hints = String::from_utf8_lossy(&hints).lines().map(str::to_owned).collect();
        replica.states_stored = replica.logs.states().len();
        replica.replay_acts(round)?;
        replica.restore_talk(round)?;
        replica.restore_beacons(round)?;
        replica.frozen = frozen.and_then(|why| frozen_from(&why)).or(replica.frozen);
        replica.reload_head(round)?;
        Ok(replica)
    }

    fn replay_acts(&mut self, round: &mut Round<'_>) -> Result<(), OpenError> {
        let mut applied = Vec::new();
        for device in self.devices.clone() {
            let log = LogId { device, lane: Lane::Acts };
            let entries = self.shelf(round).from(log, 1, usize::MAX)?;
            self.restore_waiting(&entries);
            applied.extend(
                entries.into_iter().filter_map(|stored| stored.facts.map(|facts| (facts, stored.entry))),
            );
        }
        applied.sort_by_key(|(facts, entry)| (facts.depth, entry.id()));
        for (facts, entry) in applied {
            self.learn_control(&entry.epoch(), round)?;
            let meta = Meta::from(&entry);
            let past = self.logs.past_of(&meta, &Shelved(Shelf { sight: round.sight(), group: self.group }));
            let operation = self.effect(&entry, past, round)?;
            self.logs.restore(&meta, facts);
            self.after_applied(&entry, facts, round);
            if operation {
                self.view = self.membership.view();
            }
        }
        self.view = self.membership.view();
        Ok(())
    }

    /// A control key of before this device's time, from the store.
    fn learn_control(&mut self, epoch: &EpochId, round: &Round<'_>) -> Result<(), OpenError> {
        if self.ring.control(epoch).is_none()
            && let Some(control) = self.shelf(round).control_key(epoch)?
        {
            self.ring.learn(*epoch, control);
        }
        Ok(())
    }

    fn restore_waiting(&mut self, entries: &[Stored]) {
        let first = entries.iter().find(|stored| stored.facts.is_none());
        if let (Some(newest), Some(first)) = (entries.last(), first) {
            self.logs.restore_unapplied(&Meta::from(&newest.entry), Meta::from(&first.entry));
        }
    }

    /// Of talk only the newest applied entry of each log and the first that waits are needed.
    fn restore_talk(&mut self, round: &mut Round<'_>) -> Result<(), OpenError> {
        let mut tips = Vec::new();
        for device in self.devices.clone() {
            let log = LogId { device, lane: Lane::Talk };
            let Some(newest) = self.shelf(round).newest(log)? else { continue };
            let mut at = newest.entry.header().seq;
            let mut first_waiting = None;
            while let Some(stored) = self.shelf(round).at(log, at)? {
                if let Some(facts) = stored.facts {
                    tips.push((facts, stored.entry));
                    break;
                }
                first_waiting = Some(stored);
                at = at.saturating_sub(1);
            }
            if let Some(first) = first_waiting {
                self.logs.restore_unapplied(&Meta::from(&newest.entry), Meta::from(&first.entry));
            }
        }
        tips.sort_by_key(|(facts, entry)| (facts.depth, entry.id()));
        for (facts, entry) in tips {
            self.logs.restore(&Meta::from(&entry), facts);
            self.spoke_in.insert(entry.device(), entry.epoch());
            let body = self.open_body(&entry);
            let message = body.as_ref().and_then(|body| Message::from_payload(&body.payload).ok());
            self.note_clock(message.map_or(0, |message| message.clock));
            let time = body.map_or(0, |body| body.time);
            let heard = self.last_heard.entry(entry.device()).or_insert(time);
            *heard = (*heard).max(time);
        }
        Ok(())
    }

    fn restore_beacons(&mut self, round: &mut Round<'_>) -> Result<(), OpenError> {
        for device in self.devices.clone() {
            let log = LogId { device, lane: Lane::Beacon };
            let Some(stored) = self.shelf(round).at(log, 0)? else { continue };
            let Some(facts) = stored.facts else { continue };
            self.logs.restore(&Meta::from(&stored.entry), facts);
            if let Some(body) = self.open_body(&stored.entry) {
                self.beacon(device, &body, round);
            }
        }
        Ok(())
    }
}

fn frozen_from(record: &[u8]) -> Option<Frozen> {
    [Frozen::RolledBack, Frozen::NeedsNewer, Frozen::Ended].into_iter().find(|why| record == [*why as u8])
}
