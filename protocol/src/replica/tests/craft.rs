//! What a member can make of the keys that it really has: for whole nodes with hostile people among them.

use std::collections::BTreeSet;

use super::super::*;
use crate::entry::{Body, ClassKey, Header, Lane, Language, author_entry};
use crate::group::membership::OpState;
use crate::group::operation::{Commit, Control, Empty};
use crate::group::seal::{self, Change};
use crate::kind::Kind;

/// Where an entry says that it stands.
#[derive(Clone, Debug)]
pub(crate) struct Stand {
    pub(crate) seq: u32,
    pub(crate) prev: EntryId,
    pub(crate) cites: BTreeSet<EntryId>,
    pub(crate) epoch: EpochId,
}

/// A commit that a node believes, for whoever judges it anew.
#[derive(Debug)]
pub(crate) struct Believed {
    pub(crate) epoch: EpochId,
    pub(crate) parent: EpochId,
    pub(crate) maker: DeviceKey,
    pub(crate) said: BTreeSet<EntryId>,
    pub(crate) past: OpState,
    pub(crate) before: BTreeSet<DeviceKey>,
    pub(crate) after: BTreeSet<DeviceKey>,
    /// By its maker's clock, since its last commit before, if there is one.
    pub(crate) since: Option<i64>,
}

impl Stand {
    /// Right after an entry, by somebody who has heard of nothing since.
    pub(crate) fn after(entry: &Entry) -> Self {
        let seq = entry.header().seq.saturating_add(1);
        Self { seq, prev: entry.id(), cites: BTreeSet::new(), epoch: entry.epoch() }
    }
}

impl Replica {
    pub(crate) fn membership(&self) -> &Membership {
        &self.membership
    }

    /// Whether an act has been applied here.
    pub(crate) fn has_applied(&self, act: &EntryId) -> bool {
        self.logs.has_act(act)
    }

    /// Where this device's next entry would stand.
    pub(crate) fn next_stand(&self, lane: Lane) -> Stand {
        let (seq, prev) = self.logs.head(&self.own_log(lane)).unwrap_or_default();
        let cites = self.logs.cites_for(lane).0.into_iter().collect();
        Stand { seq: seq.saturating_add(1), prev, cites, epoch: self.head() }
    }

    /// An entry of this device's own log.
    pub(crate) fn own_entry(&self, lane: Lane, seq: u32, round: &Round<'_>) -> Option<Entry> {
        self.shelf(round).at(self.own_log(lane), seq).ok()?.map(|stored| stored.entry)
    }

    /// The leaves of the head, as its state has them.
    pub(crate) fn leaves_of_head(&self, round: &Round<'_>) -> Option<BTreeSet<DeviceKey>> {
        self.shelf(round).state(&self.head()).ok()??.leaves().ok()
    }

    /// Commits that it could check, but for some.
    pub(crate) fn believed(&self, but: &BTreeSet<EpochId>, round: &Round<'_>) -> Vec<Believed> {
        let time = |epoch: &EpochId| {
            let body = self.open_body(&self.shelf(round).by_id(&EntryId(epoch.0)).ok()??.entry)?;
            Some(i64::from(body.time))
        };
        let by = |epoch: &EpochId| self.tree.get(epoch).map(|node| node.maker);
        let leaves = |epoch: &EpochId| self.shelf(round).state(epoch).ok()??.leaves().ok();
        let believed = |epoch: &EpochId| {
            let (node, act) = (self.tree.get(epoch)?, self.logs.act(&EntryId(epoch.0))?);
            let body = self.open_body(&self.shelf(round).by_id(&EntryId(epoch.0)).ok()??.entry)?;
            let said = Commit::from_payload(&body.payload).ok()?.operations.into_iter().collect();
            let (parent, maker, past) = (node.parent?, node.maker, act.ops);
            let (before, after) = (leaves(&parent)?, leaves(epoch)?);
            // The first epoch is no commit's.
            let earlier =
                self.tree.way_to(parent).filter(|at| self.tree.get(at).is_some_and(|n| n.parent.is_some()));
            let last = earlier.into_iter().find(|at| by(at) == Some(maker)).and_then(|at| time(&at));
            let since = last.and_then(|last| Some(time(epoch)? - last));
            Some(Believed { epoch: *epoch, parent, maker, said, past, before, after, since })
        };
        let held = self.tree.epochs().filter(|epoch| self.tree.holds(epoch) && !but.contains(*epoch));
        held.filter_map(believed).collect()
    }

    /// How many commits by one maker in one epoch it believes.
    pub(crate) fn commits_held(&self, parent: &EpochId, maker: &DeviceKey) -> usize {
        self.tree.commits_by(parent, maker).count()
    }

    /// Whether an act is in the past of something.
    pub(crate) fn is_in_past(&self, past: OpState, act: &EntryId) -> bool {
        self.logs.states().contains(past, act)
    }

    /// Whose wish for new keys an act is.
    pub(crate) fn wishes_by(&self, act: &EntryId) -> Option<DeviceKey> {
        self.is_resync(act).then(|| self.membership.maker(act)).flatten()
    }

    /// Seals and signs whatever is asked for, as this device or as another whose key is at hand; none if there is no
    /// key to seal it with.
    pub(crate) fn craft(
        &self,
        signer: Option<&SigningKey>,
        kind: Kind,
        stand: &Stand,
        payload: &[u8],
        round: &Round<'_>,
    ) -> Option<Entry> {
        let key = self.ring.class_key(&stand.epoch, kind.class())?;
        self.seal((signer.unwrap_or(&self.key), &key), kind, stand, payload, round)
    }

    /// An entry without contents, sealed under any key.
    pub(crate) fn craft_under(
        &self,
        key: &[u8; 32],
        kind: Kind,
        stand: &Stand,
        round: &Round<'_>,
    ) -> Option<Entry> {
        self.seal((&self.key, &ClassKey(Secret::new(*key))), kind, stand, &Empty {}.to_payload(), round)
    }

    fn seal(
        &self,
        (signer, key): (&SigningKey, &ClassKey),
        kind: Kind,
        stand: &Stand,
        payload: &[u8],
        round: &Round<'_>,
    ) -> Option<Entry> {
        let device = crypto::device_key(signer);
        let mut header = Header::new(kind.class(), &device, &stand.epoch, stand.seq, stand.prev);
        header.act_cites = stand.cites.iter().copied().collect();
        let (kind, time, language) = (kind as u16, round.now.as_entry_secs(), Language::default());
        let body = Body { kind, schema: 1, time, language, payload: payload.to_vec() };
        author_entry(&self.group, &stand.epoch, signer, header, key, &body).ok()
    }

    /// What a commit's entry holds that changes an epoch's leaves and says that it carries these acts out.
    pub(crate) fn craft_commit(
        &self,
        on: &EpochId,
        change: &Change,
        said: &BTreeSet<EntryId>,
        round: &mut Round<'_>,
    ) -> Option<Vec<u8>> {
        let state = self.shelf(round).state(on).ok()??;
        let made = state.commit(on, &self.key, change, said, round.rng).ok()?;
        Some(commit_body(made.message, said))
    }

    /// The same for new keys of its own that some can't read; its own node goes on with them.
    pub(crate) fn craft_deaf_commit(
        &mut self,
        deaf: &BTreeSet<DeviceKey>,
        round: &mut Round<'_>,
    ) -> Option<Entry> {
        let stand = self.next_stand(Lane::Acts);
        let state = self.shelf(round).state(&stand.epoch).ok()??;
        let (message, next) = state.commit_without(&stand.epoch, &self.key, deaf)?;
        let entry = self.craft(None, Kind::Commit, &stand, &commit_body(message, &BTreeSet::new()), round)?;
        self.pending = Some((entry.id(), next));
        Some(entry)
    }

    /// Puts an entry into its own log if it comes next there, whatever its node thinks of it.
    pub(crate) fn adopt(&mut self, entry: &Entry, round: &mut Round<'_>) -> bool {
        let log = LogId { device: self.device, lane: entry.header().lane };
        let (seq, prev) = self.logs.head(&log).unwrap_or_default();
        let next = seq.saturating_add(1) == entry.header().seq && prev == entry.header().prev;
        next && !self.logs.is_forked(&log) && self.publish(entry.clone(), round).is_ok()
    }

    /// Goes on whatever has stopped its node.
    pub(crate) fn thaw(&mut self) {
        self.frozen = None;
    }
}

/// A key package that nothing can be sealed to: the first key is the init key, the second the leaf's.
pub(crate) fn poisoned_package(suite: Suite, owner: &SigningKey, at: usize) -> Vec<u8> {
    use tls_codec::Serialize;
    let package = seal::tests::evil::poisoned(suite, owner, at, &[0; 32]);
    package.tls_serialize_detached().unwrap()
}

fn commit_body(message: Vec<u8>, said: &BTreeSet<EntryId>) -> Vec<u8> {
    Commit { message: message.into(), operations: said.iter().copied().collect() }.to_payload()
}
