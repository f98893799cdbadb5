//! What holds on every honest laptop at every moment, whatever hostile members do.

use super::super::splits::Split;
use super::super::*;
use crate::entry::Lane;
use crate::group::membership::{Ended, Operation, Plain, View};
use crate::id::EpochId;
use crate::replica::AuthorError;
use crate::replica::tests::craft::Believed;

/// What was seen so far.
pub(super) struct Watch {
    /// All acts that anybody honest counts, judged from scratch.
    plain: Plain,
    /// The council of genesis.
    council: BTreeSet<MemberId>,
    /// The newest own entries of each laptop, whenever they were looked at.
    kept: BTreeMap<usize, BTreeSet<(Lane, u32, EntryId)>>,
    /// Verdicts that stood on each laptop.
    verdicts: BTreeMap<usize, BTreeSet<EntryId>>,
    /// Epochs of each laptop whose commits have been judged.
    judged: BTreeMap<usize, BTreeSet<EpochId>>,
}

/// What a laptop's disk says.
struct Disk {
    newest: BTreeSet<(Lane, u32, EntryId)>,
    lost: Option<(Lane, u32, EntryId)>,
    leaves: Option<BTreeSet<DeviceKey>>,
    believed: Vec<Believed>,
}

impl Watch {
    pub(super) fn new(split: &mut Split) -> Self {
        let replica = split.replica(0);
        let plain = Plain::of(replica.membership());
        let council = replica.view().council.iter().copied().collect();
        Self { plain, council, kept: BTreeMap::new(), verdicts: BTreeMap::new(), judged: BTreeMap::new() }
    }

    pub(super) fn look(&mut self, split: &mut Split, when: &str) {
        for laptop in 0..split.sim.laptops() {
            let group = split.group;
            let is_in = |node: &Node<_>| node.group(&group).is_some();
            let there = split.sim.laptop(laptop).node.as_ref().is_some_and(is_in);
            if !there {
                continue;
            }
            self.reads_nothing_withheld(split, laptop, when);
            if !split.hostile.contains(&laptop) {
                self.honest(split, laptop, when);
            }
        }
    }

    fn honest(&mut self, split: &mut Split, laptop: usize, when: &str) {
        let disk = self.read(split, laptop);
        assert_eq!(disk.lost, None, "{when}: {laptop} has lost what it had acknowledged");
        let newest = self.kept.entry(laptop).or_default();
        newest.extend(disk.newest);
        let replica = split.replica(laptop);
        let view = self.plain.follow(replica.membership());
        let view = view.unwrap_or_else(|void| panic!("{when}: {laptop} counts {void:?}"));
        assert_eq!(*replica.view(), *view, "{when}: {laptop}, from scratch");
        let left_out =
            self.plain.acts().find(|act| replica.has_applied(act) && replica.operation(act).is_none());
        assert_eq!(left_out, None, "{when}: {laptop} passes over what others count");
        let entitled = disk.leaves.is_some_and(|leaves| leaves.is_subset(&view.roster()));
        let talks: Result<(), AuthorError> = replica.may_write(Kind::Message);
        assert!(entitled || talks.is_err(), "{when}: {laptop} writes to who is out");
        self.no_single_hand_unseats(replica, &view, &format!("{when}: {laptop}"));
        for commit in &disk.believed {
            self.judged.entry(laptop).or_default().insert(commit.epoch);
            assert_eq!(self.fault(replica, commit), None, "{when}: {laptop} believes {commit:?}");
        }
        let standing = Plain::verdicts(replica.membership(), &view);
        let before = self.verdicts.insert(laptop, standing.clone()).unwrap_or_default();
        let undone = before.iter().find(|act| !standing.contains(*act) && !view.closed.contains(*act));
        assert_eq!(undone, None, "{when}: {laptop} undoes a verdict");
        assert!(replica.counts().1 <= replica.heads().len(), "{when}: {laptop}");
    }

    fn read(&self, split: &mut Split, laptop: usize) -> Disk {
        let (group, kept) = (split.group, self.kept.get(&laptop).cloned().unwrap_or_default());
        let judged = self.judged.get(&laptop).cloned().unwrap_or_default();
        let read = |replica: &Replica, round: &Round<'_>| {
            let own = |lane: &Lane| LogId { device: replica.device(), lane: *lane };
            let chained = [Lane::Acts, Lane::Talk];
            let heads = replica.heads();
            let newest = chained.iter().filter_map(|lane| heads.iter().find(|head| head.log == own(lane)));
            let is_there = |(lane, seq, id): &&(Lane, u32, EntryId)| {
                replica.id_at(own(lane), *seq, round.sight()) == Some(*id)
            };
            Disk {
                newest: newest.map(|head| (head.log.lane, head.seq, head.id)).collect(),
                lost: kept.iter().find(|own| !is_there(own)).copied(),
                leaves: replica.leaves_of_head(round),
                believed: replica.believed(&judged, round),
            }
        };
        split.sim.act(laptop, |node, now| node.ask(group, now, read)).unwrap()
    }

    /// What a commit does that nobody decided, or leaves undone, by the acts in its past alone.
    fn fault(&mut self, replica: &Replica, commit: &Believed) -> Option<&'static str> {
        let view = self.plain.view_where(|act| replica.is_in_past(commit.past, act));
        let (roster, Believed { before, after, said, .. }) = (view.roster(), commit);
        let named = |device: &DeviceKey| {
            let brings = |act: &EntryId| match replica.operation(act) {
                Some(Operation::Admit { device, .. } | Operation::Link { device, .. }) => Some(*device),
                Some(Operation::Bring { device }) => Some(*device),
                _ => None,
            };
            said.iter().any(|act| brings(act) == Some(*device))
        };
        let ended = |device: &DeviceKey| {
            let mut endings = view.endings_of_device(device).map(|(act, _)| act).peekable();
            endings.peek().is_none() || endings.any(|act| said.contains(&act))
        };
        let maker = view.member_of(&commit.maker);
        let changes = before != after || said.iter().any(|act| replica.wishes_by(act).is_some());
        let renews = said.is_empty() && commit.since.is_none_or(|since| since >= 6 * 86_400);
        let faults = [
            ("who made it was no member", maker.is_none()),
            ("somebody is in who is no member", !after.is_subset(&roster)),
            ("a member is out", before.difference(after).any(|device| roster.contains(device))),
            ("somebody is out and nothing said", !before.difference(after).all(ended)),
            ("somebody is in and nothing said", !after.difference(before).all(named)),
            ("nothing", !changes && !renews && !maker.is_some_and(|maker| view.is_keyholder(&maker))),
            (
                "once more",
                !replica.equivocators().contains(&commit.maker)
                    && replica.commits_held(&commit.parent, &commit.maker) > 1,
            ),
        ];
        faults.iter().find(|(_, is_so)| *is_so).map(|(what, _)| *what)
    }

    /// Who held the keys from the start holds them until a majority says otherwise, or he himself.
    fn no_single_hand_unseats(&self, replica: &Replica, view: &View, when: &str) {
        for holder in self.council.iter().filter(|holder| !view.council.contains(*holder)) {
            let in_order = |(act, how): (EntryId, Ended)| match how {
                Ended::Expelled | Ended::Demoted => {
                    let signers = Plain::signers(replica.membership(), &act);
                    signers.len() >= 2 && !signers.contains(holder)
                }
                Ended::Left | Ended::Resigned => true,
                Ended::Removed(_) => false,
            };
            assert!(view.endings_of(holder).any(in_order), "{when}: unseats {holder:?}");
        }
    }

    /// Who was out, as far as an honest sender knew, has no key of what it said then.
    fn reads_nothing_withheld(&self, split: &mut Split, laptop: usize, when: &str) {
        let device = split.replica(laptop).device();
        let of_device = split.withheld.iter().filter(|(of, ..)| *of == device);
        let epochs: BTreeSet<EpochId> = of_device.map(|(.., epoch)| *epoch).collect();
        let leaked = epochs.into_iter().find(|epoch| split.replica(laptop).has_keys_of(epoch));
        assert_eq!(leaked, None, "{when}: {laptop} has keys of what was said without it");
    }
}
