//! What hostile members do with the keys that they really have.

use ed25519_dalek::SigningKey;

use super::super::splits::Split;
use super::super::*;
use super::{Deed, Siege};
use crate::action::Action;
use crate::action::message::Message;
use crate::crypto;
use crate::entry::Lane;
use crate::group::invite::{InviteCode, InviteKeys};
use crate::group::membership::{Channel, Parameter};
use crate::group::operation::{
    Admit, Approve, Dismiss, Doorway, Empty, Invite, Opened, OpenedEpoch, Persons, Promote, Remove, Resync,
    Rule,
};
use crate::group::seal::{self, Change};
use crate::id::EpochId;
use crate::replica::tests::craft::{Stand, poisoned_package};
use crate::sim::SimStore;

/// The session in which an entry is brought: nothing is sent back in it.
const BROUGHT: ConnectionId = ConnectionId(u64::MAX);
const ENTRIES: usize = 40;

/// A hostile member.
pub(super) struct Liar {
    pub(super) laptop: usize,
    /// Where its log could go on, if those were believed that it has made so far.
    tips: Vec<(Lane, Stand)>,
    /// What it does of all that could be done: who forks his log can do little else.
    pub(super) temper: Vec<usize>,
    /// Those it let in who are nobody, by the admission of each.
    puppets: Vec<(SigningKey, Stand)>,
    /// What it said to nobody yet: others of its kind cite it.
    secret: Option<EntryId>,
    image: Option<SimStore>,
}

impl Liar {
    pub(super) fn new(laptop: usize, temper: Vec<usize>) -> Self {
        let (tips, puppets) = Default::default();
        Self { laptop, tips, temper, puppets, secret: None, image: None }
    }
}

/// What hostile members do, with a name for each.
pub(super) const DEEDS: [(&str, Deed); 19] = [
    ("two acts for one place", |siege, liar| siege.equivocate(liar, Lane::Acts)),
    ("two messages for one place", |siege, liar| siege.equivocate(liar, Lane::Talk)),
    ("an act from the past", Siege::back_date),
    ("an act beyond its rights", Siege::overreach),
    ("a stranger let in", Siege::let_stranger_in),
    ("an act of a stranger's", Siege::act_as_stranger),
    ("false keys", Siege::tell_false_keys),
    ("an act on a branch", Siege::grow_branch),
    ("cites of what there is not", Siege::cite_nothing),
    ("cites of what nobody was shown", Siege::cite_secret),
    ("a commit that adds unasked", Siege::add_unasked),
    ("a commit that removes undecided", Siege::remove_undecided),
    ("a commit that omits", Siege::commit_nothing),
    ("two commits in one parent", Siege::commit_twice),
    ("a commit that some can't read", Siege::commit_for_some),
    ("a poisoned package", Siege::poison),
    ("a flood", Siege::flood),
    ("nothing served", Siege::withhold),
    ("an old image", Siege::roll_back),
];

impl Siege {
    fn laptop(&self, liar: usize) -> usize {
        self.liars[liar].laptop
    }

    pub(super) fn is_up(&mut self, liar: usize) -> bool {
        let (laptop, group) = (self.laptop(liar), self.split.group);
        self.split.sim.laptop(laptop).node.as_ref().is_some_and(|node| node.group(&group).is_some())
    }

    /// Works with a hostile laptop's copy of the group, whatever its node thinks of that.
    fn with<R>(&mut self, liar: usize, work: impl FnOnce(&mut Replica, &mut Round<'_>) -> R) -> R {
        let (laptop, group) = (self.laptop(liar), self.split.group);
        let done = self.split.sim.act(laptop, |node, now| {
            node.in_group(group, None, now, |replica, round| {
                replica.thaw();
                work(replica, round)
            })
        });
        done.unwrap()
    }

    /// Honest laptops to which some hostile one, or this one, could show something now: no other session lasts.
    fn audience(&mut self) -> Vec<usize> {
        let group = self.split.group;
        let all: Vec<usize> =
            (0..self.split.sim.laptops()).filter(|l| !self.split.hostile.contains(l)).collect();
        let is_in = |node: &Node<_>| node.group(&group).is_some();
        let on = |split: &mut Split, laptop: usize| split.sim.laptop(laptop).node.as_ref().is_some_and(is_in);
        let liars: Vec<usize> = (0..self.liars.len()).filter(|liar| self.is_up(*liar)).collect();
        let meets = |siege: &mut Self, laptop: usize, liar: &usize| {
            let device = siege.split.replica(siege.laptop(*liar)).device();
            let counted_in = siege.split.replica(laptop).view().member_of(&device).is_some();
            counted_in && siege.split.sim.reaches(siege.laptop(*liar), laptop)
        };
        all.into_iter()
            .filter(|laptop| {
                on(&mut self.split, *laptop) && liars.iter().any(|liar| meets(self, *laptop, liar))
            })
            .collect()
    }

    /// Some of those who can be shown something, perhaps all.
    fn some(&mut self) -> Vec<usize> {
        let audience = self.audience();
        let all = self.chance(2);
        audience.into_iter().filter(|_| all || self.chance(2)).collect()
    }

    /// Shows entries to laptops, as a peer does in a session; says whether anybody was there.
    fn show(&mut self, entries: &[Entry], to: &[usize]) -> bool {
        let group = self.split.group;
        let bytes: Vec<Vec<u8>> = entries.iter().map(|entry| entry.bytes().to_vec()).collect();
        for laptop in to {
            self.split
                .sim
                .act(*laptop, |node, now| node.judge(BROUGHT, (group, false), &bytes, now))
                .unwrap();
        }
        !to.is_empty()
    }

    /// Signs something, and remembers that its log could go on from there.
    fn craft(&mut self, liar: usize, kind: Kind, stand: &Stand, payload: &[u8]) -> Option<Entry> {
        let entry = self.with(liar, |replica, round| replica.craft(None, kind, stand, payload, round))?;
        self.liars[liar].tips.push((entry.header().lane, Stand::after(&entry)));
        Some(entry)
    }

    /// Signs something, keeps it in its own log if it comes next there, and shows it to some.
    fn publish(&mut self, liar: usize, kind: Kind, stand: &Stand, payload: &[u8]) -> bool {
        let Some(entry) = self.craft(liar, kind, stand, payload) else { return false };
        let adopted = self.with(liar, |replica, round| replica.adopt(&entry, round));
        let some = self.some();
        let (after, shown) = (self.is_out_for_somebody(liar), self.show(&[entry], &some));
        self.split.did("struck after its end", after && shown);
        shown || adopted
    }

    fn is_out_for_somebody(&mut self, liar: usize) -> bool {
        let (device, group) = (self.split.replica(self.laptop(liar)).device(), self.split.group);
        let out = |node: &Node<_>| {
            node.group(&group).is_some_and(|replica| replica.view().member_of(&device).is_none())
        };
        let honest: Vec<usize> =
            (0..self.split.sim.laptops()).filter(|l| !self.split.hostile.contains(l)).collect();
        honest.into_iter().any(|l| self.split.sim.laptop(l).node.as_ref().is_some_and(out))
    }

    fn next(&mut self, liar: usize, lane: Lane) -> Stand {
        self.with(liar, |replica, _| replica.next_stand(lane))
    }

    /// After one of the last entries of its own log, as if it had heard of nothing since.
    fn in_the_past(&mut self, liar: usize, lane: Lane) -> Option<Stand> {
        let (head, back) = (self.next(liar, lane).seq, self.split.rng.below(4) as u32);
        let seq = head.checked_sub(1 + back).filter(|seq| *seq > 0)?;
        self.with(liar, |replica, round| replica.own_entry(lane, seq, round))
            .map(|entry| Stand::after(&entry))
    }

    fn some_stand(&mut self, liar: usize, lane: Lane) -> Stand {
        let past = if self.chance(2) { self.in_the_past(liar, lane) } else { None };
        past.unwrap_or_else(|| self.next(liar, lane))
    }

    fn equivocate(&mut self, liar: usize, lane: Lane) -> bool {
        let (stand, audience) = (self.some_stand(liar, lane), self.audience());
        let (left, right): (Vec<usize>, Vec<usize>) = audience.into_iter().partition(|_| self.chance(2));
        let mut shown = true;
        for half in [left, right] {
            let (kind, payload) = self.claim(liar, lane);
            let Some(entry) = self.craft(liar, kind, &stand, &payload) else { return false };
            let mut entries = vec![entry];
            if self.chance(2) {
                let (kind, payload) = self.claim(liar, lane);
                let after = Stand::after(&entries[0]);
                entries.extend(self.craft(liar, kind, &after, &payload));
            }
            shown &= self.show(&entries, &half);
        }
        shown
    }

    fn back_date(&mut self, liar: usize) -> bool {
        let Some(stand) = self.in_the_past(liar, Lane::Acts) else { return false };
        let (kind, payload) = self.claim(liar, Lane::Acts);
        self.publish(liar, kind, &stand, &payload)
    }

    /// At the end of its log, knowing all that there is.
    fn overreach(&mut self, liar: usize) -> bool {
        let (stand, (kind, payload)) = (self.next(liar, Lane::Acts), self.claim(liar, Lane::Acts));
        self.publish(liar, kind, &stand, &payload)
    }

    /// Lets somebody in who is nobody, by hand, knowing what there is or not.
    fn let_stranger_in(&mut self, liar: usize) -> bool {
        let stand = self.some_stand(liar, Lane::Acts);
        let (key, package) = self.stranger();
        let (device, key_package) = (crypto::device_key(&key), package.into());
        let admit = Admit { device, key_package, invite: None, proof: None };
        let done = self.publish(liar, Kind::Admit, &stand, &admit.to_payload());
        let admission = self.liars[liar].tips.last().map(|(_, after)| after.clone()).filter(|_| done);
        let first =
            |after: Stand| Stand { seq: 1, prev: EntryId::default(), cites: [after.prev].into(), ..after };
        self.liars[liar].puppets.extend(admission.map(|after| (key, first(after))));
        done
    }

    /// Writes in the name of one it let in, who has heard of the admission alone.
    fn act_as_stranger(&mut self, liar: usize) -> bool {
        let puppets: Vec<usize> = (0..self.liars[liar].puppets.len()).collect();
        let Some(at) = self.split.one_of(&puppets) else { return false };
        let (key, mut stand) = self.liars[liar].puppets[at].clone();
        if self.chance(2) {
            stand.cites.extend(self.next(liar, Lane::Acts).cites);
        }
        let (kind, payload) = if self.chance(2) { self.puppet() } else { self.claim(liar, Lane::Acts) };
        let made = self.with(liar, |replica, round| replica.craft(Some(&key), kind, &stand, &payload, round));
        let (Some(entry), some) = (made, self.some()) else { return false };
        self.liars[liar].puppets[at].1 = Stand::after(&entry);
        self.show(&[entry], &some)
    }

    /// Tells other keys of the epochs that there were than they had.
    fn tell_false_keys(&mut self, liar: usize) -> bool {
        let stand = self.next(liar, Lane::Acts);
        let root = EpochId::from(self.split.group);
        let lie = |epoch| OpenedEpoch { epoch, control: [66; 32].into() };
        let epochs = BTreeSet::from([root, stand.epoch]).into_iter().map(lie).collect();
        self.publish(liar, Kind::Opened, &stand, &Opened { epochs }.to_payload())
    }

    /// Goes on from something that it has shown to some.
    fn grow_branch(&mut self, liar: usize) -> bool {
        let acts = self.liars[liar].tips.iter().filter(|(lane, _)| *lane == Lane::Acts);
        let tips: Vec<usize> = (0..acts.count()).collect();
        let Some(at) = self.split.one_of(&tips) else { return false };
        let mut acts = self.liars[liar].tips.iter().filter(|(lane, _)| *lane == Lane::Acts);
        let mut stand = acts.nth(at).unwrap().1.clone();
        if self.chance(2) {
            stand.cites = self.next(liar, Lane::Acts).cites;
        }
        let (kind, payload) = self.claim(liar, Lane::Acts);
        self.publish(liar, kind, &stand, &payload)
    }

    fn cite_nothing(&mut self, liar: usize) -> bool {
        let mut stand = self.some_stand(liar, Lane::Acts);
        stand.cites.insert(self.random_id());
        let (kind, payload) = self.claim(liar, Lane::Acts);
        self.publish(liar, kind, &stand, &payload)
    }

    /// Cites what one of them has signed and shown to nobody.
    fn cite_secret(&mut self, liar: usize) -> bool {
        let other = self.split.rng.below(self.liars.len() as u64) as usize;
        if !self.is_up(other) {
            return false;
        }
        if self.liars[other].secret.is_none() {
            let stand = self.some_stand(other, Lane::Acts);
            let (kind, payload) = self.claim(other, Lane::Acts);
            self.liars[other].secret = self.craft(other, kind, &stand, &payload).map(|entry| entry.id());
        }
        let mut stand = self.some_stand(liar, Lane::Acts);
        stand.cites.extend(self.liars[other].secret);
        let (kind, payload) = self.claim(liar, Lane::Acts);
        self.publish(liar, kind, &stand, &payload)
    }

    /// A commit on its head that says it carries these acts out.
    fn commit(&mut self, liar: usize, change: &Change, said: &BTreeSet<EntryId>) -> bool {
        let stand = self.next(liar, Lane::Acts);
        let on = stand.epoch;
        let body = self.with(liar, |replica, round| replica.craft_commit(&on, change, said, round));
        body.is_some_and(|body| self.publish(liar, Kind::Commit, &stand, &body))
    }

    fn add_unasked(&mut self, liar: usize) -> bool {
        let (key, package) = self.stranger();
        let change = Change { adds: vec![(crypto::device_key(&key), package)], removes: BTreeSet::new() };
        let said = if self.chance(2) { self.an_act(liar) } else { None };
        self.commit(liar, &change, &said.into_iter().collect())
    }

    fn remove_undecided(&mut self, liar: usize) -> bool {
        let leaves = self.with(liar, |replica, round| replica.leaves_of_head(round)).unwrap_or_default();
        let own = self.with(liar, |replica, _| replica.device());
        let others: Vec<DeviceKey> = leaves.into_iter().filter(|leaf| *leaf != own).collect();
        let Some(victim) = self.split.one_of(&others) else { return false };
        let said = if self.chance(2) { self.an_act(liar) } else { None };
        let change = Change { adds: Vec::new(), removes: BTreeSet::from([victim]) };
        self.commit(liar, &change, &said.into_iter().collect())
    }

    /// Whatever is due, this carries none of it out; at best it cites some.
    fn commit_nothing(&mut self, liar: usize) -> bool {
        let said = if self.chance(2) { self.an_act(liar) } else { None };
        self.commit(liar, &Change::default(), &said.into_iter().collect())
    }

    fn commit_twice(&mut self, liar: usize) -> bool {
        let first = self.next(liar, Lane::Acts);
        let (on, none) = (first.epoch, BTreeSet::new());
        let mut stand = first;
        let mut entries = Vec::new();
        for _ in 0..2 {
            let made =
                self.with(liar, |replica, round| replica.craft_commit(&on, &Change::default(), &none, round));
            let Some(entry) = made.and_then(|body| self.craft(liar, Kind::Commit, &stand, &body)) else {
                return false;
            };
            // In a row, or for one place: others would build on either.
            if self.chance(2) {
                stand = Stand { epoch: on, ..Stand::after(&entry) };
            }
            entries.push(entry);
        }
        let (audience, in_order) = (self.audience(), self.chance(2));
        let (left, right): (Vec<usize>, Vec<usize>) = audience.into_iter().partition(|_| self.chance(2));
        let shown = self.show(&entries, &left);
        if !in_order {
            entries.reverse();
        }
        self.show(&entries, &right) || shown
    }

    fn commit_for_some(&mut self, liar: usize) -> bool {
        let own = self.with(liar, |replica, _| replica.device());
        let leaves = self.with(liar, |replica, round| replica.leaves_of_head(round)).unwrap_or_default();
        let deaf: BTreeSet<DeviceKey> =
            leaves.into_iter().filter(|leaf| *leaf != own && self.chance(3)).collect();
        let Some(entry) = self.with(liar, |replica, round| replica.craft_deaf_commit(&deaf, round)) else {
            return false;
        };
        let adopted = self.with(liar, |replica, round| replica.adopt(&entry, round));
        let some = self.some();
        !deaf.is_empty() && (self.show(&[entry], &some) || adopted)
    }

    fn poison(&mut self, liar: usize) -> bool {
        let (suite, at) = (self.split.replica(self.laptop(liar)).suite(), self.split.rng.below(2) as usize);
        let stand = self.some_stand(liar, Lane::Acts);
        if self.chance(2) {
            let (key, _) = self.stranger();
            let key_package = poisoned_package(suite, &key, at).into();
            let admit = Admit { device: crypto::device_key(&key), key_package, invite: None, proof: None };
            return self.publish(liar, Kind::Admit, &stand, &admit.to_payload());
        }
        let key = self.split.replica(self.laptop(liar)).signer().clone();
        let behind = vec![stand.epoch.hint().into()];
        let door = Doorway { key: crypto::device_key(&key), request: [1; 32].into(), peer: [2; 32].into() };
        let key_package = poisoned_package(suite, &key, at).into();
        let asked = Resync { key_package, door, behind };
        self.publish(liar, Kind::Resync, &stand, &asked.to_payload())
    }

    /// As much as it can, in the way of honest nodes.
    fn flood(&mut self, liar: usize) -> bool {
        let text = "x".repeat(self.split.rng.below(2000) as usize + 1);
        let acts = self.chance(2);
        let posted = self.with(liar, |replica, round| {
            (0..ENTRIES)
                .filter(|_| {
                    let (kind, payload) = match acts {
                        true => (Kind::Merge, Empty {}.to_payload()),
                        false => (Kind::Message, message(&text, replica.next_clock())),
                    };
                    replica.post(kind, &payload, round).is_ok()
                })
                .count()
        });
        posted == ENTRIES
    }

    fn withhold(&mut self, liar: usize) -> bool {
        let laptop = self.laptop(liar);
        let teasers = &mut self.split.sim.teasers;
        teasers.insert(laptop) || !teasers.remove(&laptop)
    }

    /// Keeps an image of its disk, or puts the one back that it has.
    fn roll_back(&mut self, liar: usize) -> bool {
        let laptop = self.laptop(liar);
        let Some(image) = self.liars[liar].image.take() else {
            self.liars[liar].image = Some(self.split.sim.image(laptop));
            return false;
        };
        self.split.sim.crash(laptop);
        self.split.sim.put_image(laptop, image);
        self.split.sim.start(laptop);
        true
    }

    /// Something that a member could say or do, entitled or not.
    fn claim(&mut self, liar: usize, lane: Lane) -> (Kind, Vec<u8>) {
        if lane == Lane::Talk {
            let clock = self.split.replica(self.laptop(liar)).next_clock();
            return (Kind::Message, message(&format!("lie {}", self.split.rng.below(1000)), clock));
        }
        let laptop = self.laptop(liar);
        let person = DeviceKey(self.split.person(laptop).0);
        let channel = if self.chance(2) { Channel::Council } else { Channel::Roll };
        let persons = || Persons { members: vec![person], channel }.to_payload();
        let act = self.an_act(liar).unwrap_or_default();
        match self.split.rng.below(16) {
            0..=1 => (Kind::Remove, Remove { members: vec![person] }.to_payload()),
            2..=3 => (Kind::Expel, persons()),
            4 => (Kind::Demote, persons()),
            5 => (Kind::Promote, Promote { member: person, channel }.to_payload()),
            6 => (Kind::Enrol, persons()),
            7..=9 => (Kind::Approve, Approve { act, consent: None }.to_payload()),
            10 => (Kind::Dismiss, Dismiss { act }.to_payload()),
            11 => self.puppet(),
            12 => self.rule(channel),
            13 => self.code(liar),
            14 if self.chance(3) => (Kind::Leave, Empty {}.to_payload()),
            14 => (Kind::Merge, Empty {}.to_payload()),
            _ => (Kind::Grievance, grievance().to_payload()),
        }
    }

    /// An act of the kind that several sign, decided or not.
    fn an_act(&mut self, liar: usize) -> Option<EntryId> {
        let acts: Vec<EntryId> =
            self.with(liar, |replica, _| replica.proposals().iter().map(|p| p.act).collect());
        self.split.one_of(&acts)
    }

    fn rule(&mut self, channel: Channel) -> (Kind, Vec<u8>) {
        let parameter = if self.chance(2) { Parameter::Admit } else { Parameter::Few };
        let value = 1 + self.split.rng.below(2) as u32;
        (Kind::Rule, Rule { parameter, value, channel }.to_payload())
    }

    /// Lets somebody in who is nobody.
    fn puppet(&mut self) -> (Kind, Vec<u8>) {
        let (key, package) = self.stranger();
        let (device, key_package) = (crypto::device_key(&key), package.into());
        (Kind::Admit, Admit { device, key_package, invite: None, proof: None }.to_payload())
    }

    fn code(&mut self, liar: usize) -> (Kind, Vec<u8>) {
        let replica = self.split.replica(self.laptop(liar));
        let (group, suite, device) = (replica.group(), replica.suite(), replica.device());
        let expires = self.split.sim.now().after(MINUTE * 60);
        let code = InviteCode::generate(&group, suite, expires, vec![], &mut self.split.rng);
        let keys: InviteKeys = code.keys();
        (Kind::Invite, Invite::publish(&keys, &group, &device, 3, expires.as_entry_secs()).to_payload())
    }

    fn stranger(&mut self) -> (SigningKey, Vec<u8>) {
        let key = SigningKey::generate(&mut self.split.rng);
        let (package, _) = seal::key_package(&key, Suite::Classical, &mut self.split.rng).unwrap();
        (key, package)
    }

    fn random_id(&mut self) -> EntryId {
        let mut id = EntryId::default();
        rand_core::Rng::fill_bytes(&mut self.split.rng, &mut id.0);
        id
    }
}

fn message(text: &str, clock: u32) -> Vec<u8> {
    Message { text: text.into(), reply_to: None, clock, edits: None }.to_payload()
}
