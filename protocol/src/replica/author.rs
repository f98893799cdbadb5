//! Entries of one's own: composed under the clean head, sealed, signed, staged. Nothing leaves
//! before the batch they are staged in is durable.

use ed25519_dalek::SigningKey;
use thiserror::Error;
use zeroize::Zeroizing;

use std::collections::{BTreeMap, BTreeSet};

use super::receive::Shelved;
use super::shelf::{self, Shelf};
use super::{Event, Frozen, Replica, Round};
use crate::action::beacon::Beacon;
use crate::codec::{DecodeError, to_cbor};
use crate::crypto::{self, Secret};
use crate::entry::{Body, Entry, Header, Lane, Language, MAX_ACT_CITES, author_entry};
use crate::group::epoch::{EpochKeys, EpochTree, KeyRing};
use crate::group::genesis::{Genesis, GenesisParameters, group_id};
use crate::group::membership::Membership;
use crate::group::operation::{Control, Empty, Profile};
use crate::group::seal::hpke::MailKey;
use crate::group::seal::{EpochState, GenesisTree, SealError, Suite};
use crate::id::{EntryId, EpochId};
use crate::kind::Kind;
use crate::log::{Logs, Meta};
use crate::store::StoreError;

/// Why nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AuthorError {
    /// See [`Frozen`].
    #[error("this device does not write here any more")]
    Frozen(Frozen),
    /// The head still has leaves of people who are out: wait for the commit that removes them.
    #[error("the group is being re-keyed")]
    Rekeying,
    /// This device has no leaf in the head.
    #[error("this device has no keys here")]
    Unusable,
    /// A body out of bounds.
    #[error("not possible: {0}")]
    Body(#[from] DecodeError),
    /// The suite is not supported.
    #[error("not possible: {0}")]
    Seal(#[from] SealError),
    /// The store fails.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes a draft and its first entries: genesis, profile.
pub(super) fn found(
    key: SigningKey,
    parameters: GenesisParameters,
    suite: Suite,
    person: &str,
    round: &mut Round<'_>,
) -> Result<Replica, AuthorError> {
    let bytes = to_cbor(&parameters);
    let (state, tree) = EpochState::create(&group_id(&bytes), &key, suite, round.rng)?;
    let genesis = Genesis {
        parameters: bytes.into(),
        group_info: tree.group_info.into(),
        tree: tree.tree.into(),
        consents: None,
    };
    begin(key, parameters, &genesis, state, person, round)
}

/// Starts a group whose genesis is complete, in the state of its first epoch.
pub(super) fn begin(
    key: SigningKey,
    parameters: GenesisParameters,
    genesis: &Genesis,
    state: EpochState,
    person: &str,
    round: &mut Round<'_>,
) -> Result<Replica, AuthorError> {
    genesis.read()?;
    let (group, suite) = (genesis.group(), state.suite()?);
    let root = EpochId::from(group);
    let keys = EpochKeys::derive(&state.export(&root)?);
    let tree = GenesisTree { group_info: genesis.group_info.to_vec(), tree: genesis.tree.to_vec() };
    let mut replica = Replica::blank(key, parameters, tree, suite, root);
    shelf::put_secret(round.overlay, &group, b"device", Zeroizing::new(replica.key.to_bytes().to_vec()));
    shelf::put_named(round.overlay, &group, b"genesis", genesis.to_payload());
    shelf::put_named(round.overlay, &group, b"root", root.as_bytes().to_vec());
    shelf::put_epoch_keys(round.overlay, &group, &root, &keys);
    shelf::put_secret(round.overlay, &group, &shelf::state_name(&root), state.to_bytes());
    replica.ring.insert(root, keys);
    replica.draw_ties(round)?;
    replica.add_first_devices(round);
    replica.reload_head(round)?;
    replica.post(Kind::Genesis, &genesis.to_payload(), round)?;
    replica.introduce(person, round)?;
    Ok(replica)
}

impl Replica {
    /// A copy with nothing in it.
    pub(super) fn blank(
        key: SigningKey,
        parameters: GenesisParameters,
        genesis: crate::group::seal::GenesisTree,
        suite: Suite,
        root: EpochId,
    ) -> Self {
        let group = group_id(&to_cbor(&parameters));
        let device = crypto::device_key(&key);
        let membership = Membership::founded(parameters.founding());
        let mut tree = EpochTree::new(EpochId::from(group), parameters.founder, parameters.is_draft());
        tree.enter(root);
        Self {
            group,
            key,
            device,
            genesis,
            suite,
            logs: Logs::new(group, device),
            view: membership.view(),
            membership,
            tree,
            parameters,
            ring: KeyRing::default(),
            state: None,
            leaves: BTreeSet::new(),
            number: 0,
            board: crate::action::board::Board::default(),
            profiles: BTreeMap::new(),
            called: BTreeMap::new(),
            reached: Vec::new(),
            beacons: BTreeMap::new(),
            told_in: None,
            told: BTreeMap::new(),
            hints: Vec::new(),
            last_heard: BTreeMap::new(),
            devices: BTreeSet::new(),
            spoke_in: BTreeMap::new(),
            doors: BTreeMap::new(),
            packages: BTreeMap::new(),
            proposed: BTreeMap::new(),
            moves: BTreeMap::new(),
            brought: BTreeMap::new(),
            resyncs: BTreeMap::new(),
            made: BTreeMap::new(),
            hearsay: super::hearsay::Hearsay::default(),
            branches: BTreeSet::new(),
            noted_with: 0,
            sought: BTreeMap::new(),
            placeable: false,
            unplaced: BTreeMap::new(),
            fulfils: true,
            quota: super::quota::Quota::default(),
            clock: 0,
            frozen: None,
            pending: None,
            ties: Secret::new([0; 32]),
            doubt: None,
            states_stored: 1,
            unsettled: false,
        }
    }

    /// Draws the key of [`Replica::tie`], unless an earlier device of this profile has.
    pub(super) fn draw_ties(&mut self, round: &mut Round<'_>) -> Result<(), StoreError> {
        let kept = self.shelf(round).secret(b"ties")?;
        self.ties = match kept.and_then(|bytes| Secret::from_slice(&bytes)) {
            Some(ties) => ties,
            None => Secret::random(round.rng),
        };
        let ties = Zeroizing::new(self.ties.as_bytes().to_vec());
        shelf::put_secret(round.overlay, &self.group, b"ties", ties);
        Ok(())
    }

    /// Posts this device's name and mail key.
    ///
    /// # Errors
    /// See [`AuthorError`].
    pub fn introduce(&mut self, person: &str, round: &mut Round<'_>) -> Result<EntryId, AuthorError> {
        let mail = MailKey::generate(self.suite, round.rng)?;
        let profile = Profile { name: person.to_owned(), mail: mail.public.clone().into() };
        profile.check()?;
        shelf::put_secret(round.overlay, &self.group, b"mail", mail.to_bytes());
        self.post(Kind::Profile, &profile.to_payload(), round)
    }

    /// Whether this device has introduced itself.
    pub fn is_introduced(&self) -> bool {
        self.profiles.contains_key(&self.device)
    }

    /// Whether something of this kind could be written now.
    ///
    /// # Errors
    /// Why not.
    pub fn may_write(&self, kind: Kind) -> Result<(), AuthorError> {
        match self.frozen {
            // Whoever a branch put out still owes the others an act that cites it (L-6).
            Some(Frozen::Ended) if kind == Kind::Merge => {}
            None => {}
            Some(why) => return Err(AuthorError::Frozen(why)),
        }
        // Whose states are lost can still ask for new keys under those of the last epoch it was in.
        if !self.leaves.contains(&self.device) && kind != Kind::Resync {
            return Err(AuthorError::Unusable);
        }
        // The statement that tells an epoch's keys follows its commit at once.
        if self.is_clean() || kind.repairs() { Ok(()) } else { Err(AuthorError::Rekeying) }
    }

    /// Writes one entry of one's own and applies it.
    ///
    /// # Errors
    /// See [`AuthorError`]; nothing is staged then but, at most, a `merge`.
    pub fn post(
        &mut self,
        kind: Kind,
        payload: &[u8],
        round: &mut Round<'_>,
    ) -> Result<EntryId, AuthorError> {
        self.may_write(kind)?;
        while kind.class().lane().is_chained()
            && self.logs.cites_for(kind.class().lane()).0.len() > MAX_ACT_CITES
        {
            let merge = self.compose(Kind::Merge, &Empty {}.to_payload(), round)?;
            self.publish(merge, round)?;
        }
        let entry = self.compose(kind, payload, round)?;
        self.publish(entry, round)
    }

    /// The position the next own entry of this kind will have.
    pub fn next_seq(&self, kind: Kind) -> u32 {
        self.logs.head(&self.own_log(kind.class().lane())).map_or(0, |(seq, _)| seq).saturating_add(1)
    }

    /// Seals and signs under the head; nothing is staged yet.
    pub(super) fn compose(
        &mut self,
        kind: Kind,
        payload: &[u8],
        round: &Round<'_>,
    ) -> Result<Entry, AuthorError> {
        let epoch = self.head();
        let class = kind.class();
        let key = self.ring.class_key(&epoch, class).ok_or(AuthorError::Unusable)?;
        let (seq, prev) = self.logs.head(&self.own_log(class.lane())).unwrap_or_default();
        let prev = if class.lane().is_chained() { prev } else { EntryId::default() };
        let mut header = Header::new(class, &self.device, &epoch, seq.saturating_add(1), prev);
        let (acts, talk) = self.logs.cites_for(class.lane());
        header.act_cites = acts.into_iter().take(MAX_ACT_CITES).collect();
        header.talk_cites = talk;
        let body = Body {
            kind: kind as u16,
            schema: 1,
            time: round.now.as_entry_secs(),
            language: Language::default(),
            payload: payload.to_vec(),
        };
        Ok(author_entry(&self.group, &epoch, &self.key, header, &key, &body)?)
    }

    /// Stages and applies an entry of one's own.
    pub(super) fn publish(&mut self, entry: Entry, round: &mut Round<'_>) -> Result<EntryId, AuthorError> {
        let id = entry.id();
        self.logs.ingest(&Meta::from(&entry), &Shelved(Shelf { sight: round.sight(), group: self.group }));
        self.keep(&entry, round);
        self.apply_all(round)?;
        Ok(id)
    }

    /// Posts where this device can be reached and what it has.
    ///
    /// # Errors
    /// See [`AuthorError`].
    pub fn post_beacon(
        &mut self,
        contacts: Vec<String>,
        round: &mut Round<'_>,
    ) -> Result<EntryId, AuthorError> {
        let tips = |lane: Lane| {
            let heads = self.logs.heads().filter(|(log, ..)| log.lane == lane && log.device != self.device);
            heads.map(|(_, _, id, _)| id).take(64).collect()
        };
        let beacon = Beacon { contacts, acts: tips(Lane::Acts), talk: tips(Lane::Talk) };
        self.post(Kind::Beacon, &crate::action::Action::to_payload(&beacon), round)
    }

    /// Leaves: the last entry of this device here.
    ///
    /// # Errors
    /// See [`AuthorError`].
    pub fn leave(&mut self, round: &mut Round<'_>) -> Result<EntryId, AuthorError> {
        let id = self.post(Kind::Leave, &Empty {}.to_payload(), round)?;
        round.events.retain(|event| *event != Event::Removed);
        Ok(id)
    }
}
