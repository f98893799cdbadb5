//! The tree of commits and the choice of its head (K-6 … K-8).
//!
//! The head names the branch this node seals under; it decides nothing about membership. In a
//! draft the founder alone commits what concerns others and anybody may carry out a `leave`, so
//! the rule is short: the branch with a commit of the founder's before one without, then the
//! smaller id. In a group anybody commits, and the branch wins in which more members write.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::id::{DeviceKey, EntryId, EpochId, MemberId};

/// One epoch in the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpochNode {
    /// The epoch its commit was made in; none for the first.
    pub parent: Option<EpochId>,
    /// Who made the commit.
    pub maker: DeviceKey,
    /// Whether this commit, or one below it, was made by a key-holder of its time.
    pub keyholder_below: bool,
    /// Whether this device holds this epoch, or one below it.
    held_below: bool,
    /// Whether it has the state of this epoch, or of one below it.
    live_below: bool,
    /// Whether the commit carries out somebody's ending.
    ends: bool,
    /// Members who wrote their newest act here or below.
    voices: usize,
}

/// A commit that is to be added.
#[derive(Clone, Copy, Debug)]
pub struct NewEpoch {
    /// Its id.
    pub epoch: EpochId,
    /// The epoch it was made in.
    pub parent: EpochId,
    /// By whom.
    pub maker: DeviceKey,
    /// Whether its maker held the keys.
    pub by_keyholder: bool,
    /// Whether it carries out somebody's ending.
    pub ends: bool,
}

/// All commits known of a group, and which of them this device holds: those that it has checked and has keys of. An
/// epoch is live while its state is here, too: states are erased in time (K-12).
#[derive(Clone, Debug)]
pub struct EpochTree {
    first: EpochId,
    /// The epoch that the newest Welcome led to: the head, as long as its commit is not known.
    entered: EpochId,
    head: EpochId,
    draft: bool,
    held: BTreeSet<EpochId>,
    live: BTreeSet<EpochId>,
    nodes: BTreeMap<EpochId, EpochNode>,
    children: BTreeMap<EpochId, BTreeSet<EpochId>>,
    /// Place, id and epoch of each device's newest act.
    spoke: BTreeMap<DeviceKey, (u32, EntryId, EpochId)>,
}

impl EpochTree {
    /// A tree of the first epoch alone, which is not held.
    pub fn new(first: EpochId, founder: DeviceKey, draft: bool) -> Self {
        let node = EpochNode {
            parent: None,
            maker: founder,
            keyholder_below: true,
            held_below: false,
            live_below: false,
            ends: false,
            voices: 0,
        };
        Self {
            first,
            entered: first,
            head: first,
            draft,
            held: BTreeSet::new(),
            live: BTreeSet::new(),
            nodes: BTreeMap::from([(first, node)]),
            children: BTreeMap::new(),
            spoke: BTreeMap::new(),
        }
    }

    /// Holds an epoch that a Welcome led to, known or not.
    pub fn enter(&mut self, epoch: EpochId) {
        self.entered = epoch;
        self.hold(epoch);
    }

    /// Notes that this device has the keys and the state of an epoch, now or when its commit is known.
    pub fn hold(&mut self, epoch: EpochId) {
        self.live.insert(epoch);
        self.hold_keys(epoch);
    }

    /// Notes that this device has had an epoch's state, and still has keys of it.
    pub fn hold_keys(&mut self, epoch: EpochId) {
        self.held.insert(epoch);
        self.mark_held(epoch);
        self.choose();
    }

    fn mark_held(&mut self, epoch: EpochId) {
        self.mark_upwards(epoch, |node| !std::mem::replace(&mut node.held_below, true));
        if self.live.contains(&epoch) {
            self.mark_upwards(epoch, |node| !std::mem::replace(&mut node.live_below, true));
        }
    }

    /// Notes that the state of an epoch is erased: nothing can be followed from there any more.
    pub fn lose(&mut self, epoch: EpochId) {
        self.live.remove(&epoch);
        let mut at = Some(epoch);
        while let Some(epoch) = at.filter(|epoch| !self.leads_to_a_state(epoch)) {
            let Some(node) = self.nodes.get_mut(&epoch) else { break };
            node.live_below = false;
            at = node.parent;
        }
        self.choose();
    }

    fn leads_to_a_state(&self, epoch: &EpochId) -> bool {
        let live = |child: &EpochId| self.nodes.get(child).is_some_and(|node| node.live_below);
        self.live.contains(epoch) || self.children_of(epoch).any(live)
    }

    /// Whether this device holds an epoch.
    pub fn holds(&self, epoch: &EpochId) -> bool {
        self.held.contains(epoch)
    }

    /// Whether this device holds an epoch or one that it led to.
    pub fn led_here(&self, epoch: &EpochId) -> bool {
        self.nodes.get(epoch).is_some_and(|node| node.held_below)
    }

    /// The node of an epoch.
    pub fn get(&self, epoch: &EpochId) -> Option<&EpochNode> {
        self.nodes.get(epoch)
    }

    /// All epochs.
    pub fn epochs(&self) -> impl Iterator<Item = &EpochId> {
        self.nodes.keys()
    }

    /// The commits of this maker's in this epoch that are held.
    pub fn commits_by(&self, parent: &EpochId, maker: &DeviceKey) -> impl Iterator<Item = &EpochId> {
        let by_maker = |child: &EpochId| self.nodes.get(child).is_some_and(|node| node.maker == *maker);
        self.children_of(parent).filter(move |child| self.holds(child) && by_maker(child))
    }

    /// The epoch of a device's newest act.
    pub fn spoke(&self, device: &DeviceKey) -> Option<EpochId> {
        self.spoke.get(device).map(|(.., epoch)| *epoch)
    }

    /// Notes an applied act; true if its author's newest is in another epoch now.
    pub fn speak(&mut self, device: DeviceKey, seq: u32, id: EntryId, epoch: EpochId) -> bool {
        let before = self.spoke.get(&device).copied();
        if before.is_some_and(|(place, earlier, _)| (place, earlier) >= (seq, id)) {
            return false;
        }
        self.spoke.insert(device, (seq, id, epoch));
        before.is_none_or(|(_, _, earlier)| earlier != epoch)
    }

    /// Counts anew who writes where. `member`: whose a device is, if a current member's. Who writes on several branches
    /// by several devices counts in each.
    pub fn count(&mut self, member: impl Fn(&DeviceKey) -> Option<MemberId>) {
        let single = self.children.values().all(|children| children.len() < 2);
        if single && self.nodes.values().all(|node| node.live_below) {
            return;
        }
        let mut voices: BTreeMap<EpochId, BTreeSet<MemberId>> = BTreeMap::new();
        for (device, (_, _, epoch)) in &self.spoke {
            let Some(member) = member(device) else { continue };
            let mut at = Some(*epoch);
            while let Some(node) = at.and_then(|epoch| Some((epoch, self.nodes.get(&epoch)?))) {
                voices.entry(node.0).or_default().insert(member);
                at = node.1.parent;
            }
        }
        for (epoch, node) in &mut self.nodes {
            node.voices = voices.get(epoch).map_or(0, BTreeSet::len);
        }
        self.choose();
    }

    /// Adds a commit; false if the parent is unknown or it is known.
    pub fn insert(&mut self, new: NewEpoch) -> bool {
        let NewEpoch { epoch, parent, maker, by_keyholder, ends } = new;
        if !self.nodes.contains_key(&parent) || self.nodes.contains_key(&epoch) {
            return false;
        }
        let node = EpochNode {
            parent: Some(parent),
            maker,
            keyholder_below: false,
            held_below: false,
            live_below: false,
            ends,
            voices: 0,
        };
        self.nodes.insert(epoch, node);
        self.children.entry(parent).or_default().insert(epoch);
        if by_keyholder {
            self.mark_upwards(epoch, |node| !std::mem::replace(&mut node.keyholder_below, true));
        }
        if self.holds(&epoch) {
            self.mark_held(epoch);
            self.choose();
        }
        true
    }

    /// Marks an epoch and its ancestors, up to the first that is marked.
    fn mark_upwards(&mut self, epoch: EpochId, mark: impl Fn(&mut EpochNode) -> bool) {
        let mut at = Some(epoch);
        while let Some(node) = at.and_then(|epoch| self.nodes.get_mut(&epoch)) {
            if !mark(node) {
                return;
            }
            at = node.parent;
        }
    }

    /// The epoch to seal under (K-8).
    pub fn head(&self) -> EpochId {
        self.head
    }

    fn choose(&mut self) {
        let mut head = if self.nodes.contains_key(&self.entered) { self.first } else { self.entered };
        while let Some(next) = self.best_child(&head, |node| node.live_below) {
            head = next;
        }
        self.head = head;
    }

    /// The epoch in which a branch begins that members write in and that wins against the head's (K-8), though this
    /// device has no state there.
    pub fn rival(&self) -> Option<EpochId> {
        let mut at = self.first;
        loop {
            let ours = self.best_child(&at, |node| node.live_below);
            let best = self.best_child(&at, |node| node.live_below || node.voices > 0);
            if best != ours {
                return best;
            }
            at = ours?;
        }
    }

    /// An epoch and its ancestors, newest first.
    pub fn way_to(&self, epoch: EpochId) -> impl Iterator<Item = EpochId> {
        let mut at = Some(epoch);
        std::iter::from_fn(move || {
            let epoch = at?;
            at = self.nodes.get(&epoch).and_then(|node| node.parent);
            Some(epoch)
        })
    }

    fn best_child(&self, epoch: &EpochId, counts: impl Fn(&EpochNode) -> bool) -> Option<EpochId> {
        let children = self.children.get(epoch).into_iter().flatten();
        let nodes = children.filter_map(|child| Some((*child, self.nodes.get(child)?)));
        let counted = nodes.filter(|(_, node)| counts(node));
        counted.min_by_key(|(child, node)| self.rank(child, node)).map(|(child, _)| child)
    }

    /// The commits made in an epoch.
    pub fn children_of(&self, epoch: &EpochId) -> impl Iterator<Item = &EpochId> {
        self.children.get(epoch).into_iter().flatten()
    }

    fn rank(&self, epoch: &EpochId, node: &EpochNode) -> (bool, Reverse<usize>, bool, EpochId) {
        if self.draft {
            (!node.keyholder_below, Reverse(0), true, *epoch)
        } else {
            (true, Reverse(node.voices), !node.ends, *epoch)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epoch(n: u8) -> EpochId {
        EpochId([n; 32])
    }
    fn of(roster: &BTreeSet<DeviceKey>) -> impl Fn(&DeviceKey) -> Option<MemberId> {
        move |device| roster.contains(device).then(|| MemberId::from(*device))
    }

    const FOUNDER: DeviceKey = DeviceKey([100; 32]);
    const BOB: DeviceKey = DeviceKey([101; 32]);
    const CARLA: DeviceKey = DeviceKey([102; 32]);

    fn tree(draft: bool) -> EpochTree {
        let mut tree = EpochTree::new(epoch(0), FOUNDER, draft);
        tree.enter(epoch(0));
        tree
    }

    fn draft() -> EpochTree {
        tree(true)
    }

    fn commit(tree: &mut EpochTree, number: u8, parent: u8, maker: DeviceKey) -> bool {
        let new = NewEpoch {
            epoch: epoch(number),
            parent: epoch(parent),
            maker,
            by_keyholder: maker == FOUNDER,
            ends: false,
        };
        let new_here = tree.insert(new);
        if new_here {
            tree.hold(new.epoch);
        }
        new_here
    }

    #[test]
    fn the_founders_commit_wins_whatever_arrived_first() {
        let mut tree = draft();
        assert!(commit(&mut tree, 1, 0, BOB));
        assert!(commit(&mut tree, 2, 1, CARLA));
        assert_eq!(tree.head(), epoch(2));
        assert!(commit(&mut tree, 9, 0, FOUNDER));
        assert_eq!(tree.head(), epoch(9));
        assert!(tree.way_to(tree.head()).eq([epoch(9), epoch(0)]));
    }

    #[test]
    fn a_branch_that_the_founder_built_on_is_never_left() {
        let mut tree = draft();
        assert!(commit(&mut tree, 5, 0, BOB));
        assert!(commit(&mut tree, 6, 5, FOUNDER));
        assert!(commit(&mut tree, 1, 0, CARLA), "smaller, but too late");
        assert_eq!(tree.head(), epoch(6));
    }

    #[test]
    fn a_commit_in_an_unknown_epoch_is_not_taken() {
        let mut tree = draft();
        assert!(commit(&mut tree, 5, 0, BOB));
        assert!(!commit(&mut tree, 6, 77, CARLA));
        assert_eq!(tree.head(), epoch(5));
        assert!(tree.commits_by(&epoch(0), &BOB).eq([&epoch(5)]));
    }

    #[test]
    fn the_branch_that_more_people_write_in_wins() {
        let mut tree = tree(false);
        let everybody = BTreeSet::from([FOUNDER, BOB, CARLA]);
        assert!(commit(&mut tree, 1, 0, FOUNDER));
        assert!(commit(&mut tree, 2, 0, BOB));
        assert!(commit(&mut tree, 3, 2, CARLA));
        assert_eq!(tree.head(), epoch(1), "nobody has written yet: the smaller id");
        let act = |n: u8| EntryId([n; 32]);
        assert!(tree.speak(FOUNDER, 1, act(1), epoch(1)));
        assert!(tree.speak(BOB, 1, act(2), epoch(2)));
        assert!(tree.speak(CARLA, 1, act(3), epoch(3)));
        assert!(!tree.speak(CARLA, 1, act(2), epoch(1)), "an older act");
        tree.count(of(&everybody));
        assert_eq!(tree.head(), epoch(3), "two below it");
        tree.count(of(&BTreeSet::from([FOUNDER])));
        assert_eq!(tree.head(), epoch(1), "who is out has no voice");
        assert!(tree.speak(CARLA, 2, act(4), epoch(1)));
        tree.count(of(&everybody));
        assert_eq!(tree.head(), epoch(1));
    }

    #[test]
    fn of_branches_with_as_many_voices_the_one_that_puts_somebody_out_wins() {
        let mut tree = tree(false);
        assert!(commit(&mut tree, 1, 0, FOUNDER));
        let ends =
            NewEpoch { epoch: epoch(2), parent: epoch(0), maker: BOB, by_keyholder: false, ends: true };
        assert!(tree.insert(ends));
        tree.hold(epoch(2));
        assert_eq!(tree.head(), epoch(2));
    }

    #[test]
    fn a_branch_whose_states_are_erased_is_not_led_and_one_is_behind_it_if_it_wins() {
        let mut tree = tree(false);
        let everybody = BTreeSet::from([FOUNDER, BOB, CARLA]);
        for (number, parent, maker) in [(1, 0, FOUNDER), (2, 0, BOB), (3, 1, FOUNDER), (4, 2, BOB)] {
            assert!(commit(&mut tree, number, parent, maker));
        }
        tree.speak(FOUNDER, 1, EntryId([1; 32]), epoch(3));
        tree.count(of(&everybody));
        assert_eq!(tree.head(), epoch(3));
        for erased in [0, 1, 2] {
            tree.lose(epoch(erased));
            assert_eq!((tree.head(), tree.rival()), (epoch(3), None), "{erased}: states lead on below");
        }
        tree.lose(epoch(4));
        assert!(tree.holds(&epoch(4)) && tree.led_here(&epoch(2)), "it was believed");
        for (device, act) in [(BOB, 2), (CARLA, 3)] {
            tree.speak(device, 1, EntryId([act; 32]), epoch(4));
        }
        tree.count(of(&everybody));
        assert_eq!((tree.head(), tree.rival()), (epoch(3), Some(epoch(2))));
        assert!(commit(&mut tree, 5, 4, CARLA), "new keys have come");
        tree.count(of(&everybody));
        assert_eq!((tree.head(), tree.rival()), (epoch(5), None));
    }

    #[test]
    fn who_came_in_twice_is_on_the_branch_that_wins() {
        let mut tree = EpochTree::new(epoch(0), FOUNDER, false);
        let new = |number: u8, parent: u8, maker| NewEpoch {
            epoch: epoch(number),
            parent: epoch(parent),
            maker,
            by_keyholder: true,
            ends: false,
        };
        tree.enter(epoch(2));
        assert_eq!(tree.head(), epoch(2), "its commit is not known yet");
        assert!(tree.insert(new(1, 0, FOUNDER)) && tree.insert(new(2, 0, BOB)));
        assert_eq!((tree.head(), tree.rival()), (epoch(2), None));
        let everybody = BTreeSet::from([FOUNDER, BOB, CARLA]);
        tree.speak(FOUNDER, 1, EntryId([1; 32]), epoch(1));
        tree.count(of(&everybody));
        assert_eq!((tree.head(), tree.rival()), (epoch(2), Some(epoch(1))), "it is behind");
        tree.enter(epoch(1));
        assert_eq!((tree.head(), tree.rival()), (epoch(1), None));
        for (device, act) in [(BOB, 2), (CARLA, 3)] {
            tree.speak(device, 1, EntryId([act; 32]), epoch(2));
        }
        tree.count(of(&everybody));
        assert_eq!((tree.head(), tree.rival()), (epoch(2), None), "it can go back");
    }
}
