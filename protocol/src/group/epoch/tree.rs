//! The tree of commits and the choice of its head (K-6 … K-8).
//!
//! The head names the branch this node seals under; it decides nothing about membership. In a
//! draft the founder alone commits what concerns others and anybody may carry out a `leave`, so
//! the rule is short: the branch with a commit of the founder's before one without, then the
//! smaller id. In a group anybody commits, and the branch wins in which more members write.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::id::{DeviceKey, EntryId, EpochId};

/// One epoch in the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpochNode {
    /// The epoch its commit was made in; none for the first.
    pub parent: Option<EpochId>,
    /// Who made the commit.
    pub maker: DeviceKey,
    /// Whether this commit, or one below it, was made by a key-holder of its time.
    pub keyholder_below: bool,
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

/// All valid commits known of a group.
#[derive(Clone, Debug)]
pub struct EpochTree {
    root: EpochId,
    draft: bool,
    nodes: BTreeMap<EpochId, EpochNode>,
    children: BTreeMap<EpochId, BTreeSet<EpochId>>,
    /// Place, id and epoch of each device's newest act.
    spoke: BTreeMap<DeviceKey, (u32, EntryId, EpochId)>,
}

impl EpochTree {
    /// A tree of the first epoch alone.
    pub fn new(root: EpochId, founder: DeviceKey, draft: bool) -> Self {
        let node = EpochNode { parent: None, maker: founder, keyholder_below: true, ends: false, voices: 0 };
        let nodes = BTreeMap::from([(root, node)]);
        Self { root, draft, nodes, children: BTreeMap::new(), spoke: BTreeMap::new() }
    }

    /// The first epoch of the tree.
    pub fn root(&self) -> EpochId {
        self.root
    }

    /// Begins anew at an epoch: of what led there, and of other branches, this node has no states to follow.
    pub fn restart(&mut self, root: EpochId, founder: DeviceKey) {
        let spoke = std::mem::take(&mut self.spoke);
        *self = Self { spoke, ..Self::new(root, founder, self.draft) };
    }

    /// The node of an epoch.
    pub fn get(&self, epoch: &EpochId) -> Option<&EpochNode> {
        self.nodes.get(epoch)
    }

    /// All epochs.
    pub fn epochs(&self) -> impl Iterator<Item = &EpochId> {
        self.nodes.keys()
    }

    /// Whether this maker has committed in this epoch before: a second commit is misbehaviour
    /// and is not processed (K-7).
    pub fn has_commit_by(&self, parent: &EpochId, maker: &DeviceKey) -> bool {
        self.children_of(parent).any(|child| self.nodes.get(child).is_some_and(|node| node.maker == *maker))
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

    /// Counts anew who writes where. `roster`: devices of current members.
    pub fn count(&mut self, roster: &BTreeSet<DeviceKey>) {
        if self.draft || self.children.values().all(|children| children.len() < 2) {
            return;
        }
        let mut voices: BTreeMap<EpochId, usize> = BTreeMap::new();
        let spoken = self.spoke.iter().filter(|(device, _)| roster.contains(device));
        for (_, (_, _, epoch)) in spoken {
            let mut at = Some(*epoch);
            while let Some(node) = at.and_then(|epoch| Some((epoch, self.nodes.get(&epoch)?))) {
                *voices.entry(node.0).or_default() += 1;
                at = node.1.parent;
            }
        }
        for (epoch, node) in &mut self.nodes {
            node.voices = voices.get(epoch).copied().unwrap_or(0);
        }
    }

    /// Adds a checked commit; false if the parent is unknown or the maker has one there already.
    pub fn insert(&mut self, new: NewEpoch) -> bool {
        let NewEpoch { epoch, parent, maker, by_keyholder, ends } = new;
        let fits = self.nodes.contains_key(&parent) && !self.nodes.contains_key(&epoch);
        if !fits || self.has_commit_by(&parent, &maker) {
            return false;
        }
        let node = EpochNode { parent: Some(parent), maker, keyholder_below: false, ends, voices: 0 };
        self.nodes.insert(epoch, node);
        self.children.entry(parent).or_default().insert(epoch);
        if by_keyholder {
            self.mark_upwards(epoch);
        }
        true
    }

    fn mark_upwards(&mut self, epoch: EpochId) {
        let mut at = Some(epoch);
        while let Some(node) = at.and_then(|epoch| self.nodes.get_mut(&epoch)) {
            if node.keyholder_below {
                return;
            }
            node.keyholder_below = true;
            at = node.parent;
        }
    }

    /// The epoch to seal under (K-8).
    pub fn head(&self) -> EpochId {
        let mut head = self.root;
        while let Some(next) = self.children_of(&head).min_by_key(|child| self.rank(child)) {
            head = *next;
        }
        head
    }

    /// The head and its ancestors, newest first, at most `depth`.
    pub fn chain(&self, depth: usize) -> Vec<EpochId> {
        let mut at = Some(self.head());
        std::iter::from_fn(|| {
            let epoch = at?;
            at = self.nodes.get(&epoch).and_then(|node| node.parent);
            Some(epoch)
        })
        .take(depth)
        .collect()
    }

    /// Siblings of an epoch: the branches an `opened` statement lists beside the parent.
    pub fn siblings(&self, epoch: &EpochId) -> Vec<EpochId> {
        let parent = self.nodes.get(epoch).and_then(|node| node.parent);
        parent.iter().flat_map(|p| self.children_of(p)).filter(|child| *child != epoch).copied().collect()
    }

    fn children_of(&self, epoch: &EpochId) -> impl Iterator<Item = &EpochId> {
        self.children.get(epoch).into_iter().flatten()
    }

    fn rank(&self, epoch: &EpochId) -> (bool, Reverse<usize>, bool, EpochId) {
        let Some(node) = self.nodes.get(epoch) else { return (true, Reverse(0), true, *epoch) };
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
    const FOUNDER: DeviceKey = DeviceKey([100; 32]);
    const BOB: DeviceKey = DeviceKey([101; 32]);
    const CARLA: DeviceKey = DeviceKey([102; 32]);

    fn draft() -> EpochTree {
        EpochTree::new(epoch(0), FOUNDER, true)
    }

    fn commit(tree: &mut EpochTree, number: u8, parent: u8, maker: DeviceKey) -> bool {
        let new = NewEpoch {
            epoch: epoch(number),
            parent: epoch(parent),
            maker,
            by_keyholder: maker == FOUNDER,
            ends: false,
        };
        tree.insert(new)
    }

    #[test]
    fn the_founders_commit_wins_whatever_arrived_first() {
        let mut tree = draft();
        assert!(commit(&mut tree, 1, 0, BOB));
        assert!(commit(&mut tree, 2, 1, CARLA));
        assert_eq!(tree.head(), epoch(2));
        assert!(commit(&mut tree, 9, 0, FOUNDER));
        assert_eq!(tree.head(), epoch(9));
        assert_eq!(tree.siblings(&epoch(9)), [epoch(1)]);
        assert_eq!(tree.chain(16), [epoch(9), epoch(0)]);
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
    fn a_second_commit_in_one_parent_is_not_taken() {
        let mut tree = draft();
        assert!(commit(&mut tree, 5, 0, BOB));
        assert!(!commit(&mut tree, 1, 0, BOB));
        assert!(!commit(&mut tree, 6, 77, CARLA));
        assert_eq!(tree.head(), epoch(5));
    }

    #[test]
    fn the_branch_that_more_people_write_in_wins() {
        let mut tree = EpochTree::new(epoch(0), FOUNDER, false);
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
        tree.count(&everybody);
        assert_eq!(tree.head(), epoch(3), "two below it");
        tree.count(&BTreeSet::from([FOUNDER]));
        assert_eq!(tree.head(), epoch(1), "who is out has no voice");
        assert!(tree.speak(CARLA, 2, act(4), epoch(1)));
        tree.count(&everybody);
        assert_eq!(tree.head(), epoch(1));
    }

    #[test]
    fn of_branches_with_as_many_voices_the_one_that_puts_somebody_out_wins() {
        let mut tree = EpochTree::new(epoch(0), FOUNDER, false);
        assert!(commit(&mut tree, 1, 0, FOUNDER));
        let ends =
            NewEpoch { epoch: epoch(2), parent: epoch(0), maker: BOB, by_keyholder: false, ends: true };
        assert!(tree.insert(ends));
        assert_eq!(tree.head(), epoch(2));
    }
}
