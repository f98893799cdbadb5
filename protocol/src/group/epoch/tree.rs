//! The tree of commits and the choice of its head (K-6 … K-8).
//!
//! The head names the branch this node seals under; it decides nothing about membership. In a
//! draft the founder alone commits what concerns others and anybody may carry out a `leave`, so
//! the rule is short: the branch with a commit of the founder's before one without, then the
//! smaller id. The founder always commits on his own head, so he is never in two branches, and no
//! Welcome can die with a losing one, since only he adds.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::{DeviceKey, EpochId};

/// One epoch in the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpochNode {
    /// The epoch its commit was made in; none for the first.
    pub parent: Option<EpochId>,
    /// Who made the commit.
    pub maker: DeviceKey,
    /// Whether this commit, or one below it, was made by a key-holder of its time.
    pub keyholder_below: bool,
}

/// All valid commits known of a group.
#[derive(Clone, Debug)]
pub struct EpochTree {
    root: EpochId,
    nodes: BTreeMap<EpochId, EpochNode>,
    children: BTreeMap<EpochId, BTreeSet<EpochId>>,
}

impl EpochTree {
    /// A tree of the first epoch alone.
    pub fn new(root: EpochId, founder: DeviceKey) -> Self {
        let node = EpochNode { parent: None, maker: founder, keyholder_below: true };
        Self { root, nodes: BTreeMap::from([(root, node)]), children: BTreeMap::new() }
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

    /// Adds a checked commit; false if the parent is unknown or the maker has one there already.
    pub fn insert(&mut self, epoch: EpochId, parent: EpochId, maker: DeviceKey, by_keyholder: bool) -> bool {
        let fits = self.nodes.contains_key(&parent) && !self.nodes.contains_key(&epoch);
        if !fits || self.has_commit_by(&parent, &maker) {
            return false;
        }
        self.nodes.insert(epoch, EpochNode { parent: Some(parent), maker, keyholder_below: false });
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

    fn rank(&self, epoch: &EpochId) -> (bool, EpochId) {
        (!self.nodes.get(epoch).is_some_and(|node| node.keyholder_below), *epoch)
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

    #[test]
    fn the_founders_commit_wins_whatever_arrived_first() {
        let mut tree = EpochTree::new(epoch(0), FOUNDER);
        assert!(tree.insert(epoch(1), epoch(0), BOB, false));
        assert!(tree.insert(epoch(2), epoch(1), CARLA, false));
        assert_eq!(tree.head(), epoch(2));
        assert!(tree.insert(epoch(9), epoch(0), FOUNDER, true));
        assert_eq!(tree.head(), epoch(9));
        assert_eq!(tree.siblings(&epoch(9)), [epoch(1)]);
        assert_eq!(tree.chain(16), [epoch(9), epoch(0)]);
    }

    #[test]
    fn a_branch_that_the_founder_built_on_is_never_left() {
        let mut tree = EpochTree::new(epoch(0), FOUNDER);
        assert!(tree.insert(epoch(5), epoch(0), BOB, false));
        assert!(tree.insert(epoch(6), epoch(5), FOUNDER, true));
        assert!(tree.insert(epoch(1), epoch(0), CARLA, false), "smaller, but too late");
        assert_eq!(tree.head(), epoch(6));
    }

    #[test]
    fn a_second_commit_in_one_parent_is_not_taken() {
        let mut tree = EpochTree::new(epoch(0), FOUNDER);
        assert!(tree.insert(epoch(5), epoch(0), BOB, false));
        assert!(!tree.insert(epoch(1), epoch(0), BOB, false));
        assert!(!tree.insert(epoch(6), epoch(77), CARLA, false));
        assert_eq!(tree.head(), epoch(5));
    }
}
