//! membership.md §10, as far as a draft goes, and its invariants on random histories.

mod devices;
mod histories;

use std::collections::BTreeSet;

use imbl::ordset;
use proptest::prelude::*;

use super::*;

const FOUNDER: DeviceKey = DeviceKey([1; 32]);
const BOB: DeviceKey = DeviceKey([2; 32]);
const CARLA: DeviceKey = DeviceKey([3; 32]);
const CODE: DeviceKey = DeviceKey([9; 32]);

fn id(n: u8) -> EntryId {
    EntryId([n; 32])
}

fn past(acts: &[u8]) -> BTreeSet<EntryId> {
    acts.iter().map(|n| id(*n)).collect()
}

/// A group and the sets of acts that are known to whoever knows one of its own.
struct Group {
    membership: Membership,
    states: OpStates,
    after: BTreeMap<EntryId, OpState>,
}

impl Group {
    fn new(founding: Founding) -> Self {
        let (states, after) = (OpStates::default(), BTreeMap::new());
        Self { membership: Membership::founded(founding), states, after }
    }

    fn draft() -> Self {
        Self::new(Founding::draft(FOUNDER))
    }

    fn known(&mut self, acts: &BTreeSet<EntryId>) -> OpState {
        let known = acts.iter().filter_map(|act| self.after.get(act)).copied();
        self.states.union(&known.collect(), &[])
    }

    fn add(
        &mut self,
        id: EntryId,
        author: DeviceKey,
        past: &BTreeSet<EntryId>,
        operation: Operation,
    ) -> Result<(), Void> {
        let past = self.known(past);
        self.membership.add(id, author, past, operation, &mut self.states)?;
        self.after.insert(id, self.states.union(&BTreeSet::from([past]), &[id]));
        Ok(())
    }

    fn view(&self) -> View {
        self.membership.view()
    }
}

fn admit(device: DeviceKey) -> Operation {
    Operation::Admit { device, invite: None }
}

fn by_code(device: DeviceKey) -> Operation {
    Operation::Admit { device, invite: Some(CODE) }
}

fn code(uses: u16) -> Operation {
    Operation::Invite { key: CODE, uses, expires: 100, devices: None }
}

fn remove(device: DeviceKey) -> Operation {
    Operation::Remove { members: vec![device.into()] }
}

/// A draft after these acts, each (id, author, past, operation); all must be entitled.
fn draft(acts: &[(u8, DeviceKey, &[u8], Operation)]) -> Group {
    let mut group = Group::draft();
    for (n, author, known, operation) in acts {
        group.add(id(*n), *author, &past(known), operation.clone()).unwrap();
    }
    group
}

fn is_member(group: &Group, device: DeviceKey) -> bool {
    group.view().member_of(&device).is_some()
}

#[test]
fn m1_only_the_founder_of_a_draft_admits_removes_and_invites() {
    let mut group = draft(&[(1, FOUNDER, &[], admit(BOB)), (4, FOUNDER, &[1], code(1))]);
    for operation in [admit(CARLA), remove(FOUNDER), code(1), Operation::Revoke { key: CODE }] {
        assert_eq!(group.add(id(2), BOB, &past(&[1, 4]), operation), Err(Void::Author));
    }
    assert_eq!(group.add(id(3), CARLA, &past(&[1]), Operation::Leave), Err(Void::Author), "a stranger");
    assert!(is_member(&group, BOB) && !is_member(&group, CARLA));
}

#[test]
fn m4_the_founder_can_not_be_removed_even_by_himself() {
    let mut group = draft(&[]);
    assert_eq!(group.add(id(1), FOUNDER, &past(&[]), remove(FOUNDER)), Err(Void::KeyHolder));
}

#[test]
fn m12_a_removed_member_is_back_only_by_an_admission_that_knows_it() {
    let mut group = draft(&[(1, FOUNDER, &[], admit(BOB)), (2, FOUNDER, &[1], remove(BOB))]);
    assert!(!is_member(&group, BOB));
    // The founder's other branch, blind to the removal, admits again: no effect.
    group.add(id(3), FOUNDER, &past(&[1]), admit(BOB)).unwrap();
    assert!(!is_member(&group, BOB));
    group.add(id(4), FOUNDER, &past(&[1, 2, 3]), admit(BOB)).unwrap();
    assert!(is_member(&group, BOB));
}

#[test]
fn m13_a_back_dated_leaving_ends_its_author_alone() {
    let mut group = draft(&[(1, FOUNDER, &[], admit(BOB)), (2, FOUNDER, &[1], admit(CARLA))]);
    group.add(id(3), FOUNDER, &past(&[]), Operation::Leave).unwrap();
    assert!(!is_member(&group, FOUNDER));
    assert!(is_member(&group, BOB) && is_member(&group, CARLA), "those he let in stay");
    assert_eq!(group.add(id(4), FOUNDER, &past(&[1, 2, 3]), admit(DeviceKey([7; 32]))), Err(Void::Author));
}

#[test]
fn m15_a_code_used_too_often_lets_nobody_in_who_rests_only_on_it() {
    let mut group = draft(&[(1, FOUNDER, &[], code(1)), (2, FOUNDER, &[1], by_code(BOB))]);
    assert!(is_member(&group, BOB));
    // The founder's forked branch uses the one-use code again: it has leaked, both wait.
    group.add(id(3), FOUNDER, &past(&[1]), by_code(CARLA)).unwrap();
    assert!(!is_member(&group, BOB) && !is_member(&group, CARLA));
    assert_eq!(group.view().waiting.len(), 2);
    group.add(id(4), FOUNDER, &past(&[1, 2, 3]), admit(BOB)).unwrap();
    assert!(is_member(&group, BOB), "admitted by hand");
    assert_eq!(group.view().waiting, ordset![CARLA.into()]);
}

#[test]
fn m15_who_came_in_by_a_code_falls_with_what_let_its_issuer_in() {
    let [other, dan, yves] = [7, 8, 6].map(|n| DeviceKey([n; 32]));
    let of = |people: &[DeviceKey]| people.iter().map(|device| MemberId::from(*device)).collect();
    let mut group = Group::new(Founding {
        council: of(&[FOUNDER, other]),
        members: of(&[FOUNDER, other, dan]),
        roll: BTreeSet::new(),
        rules: Rules { admit: 1, ..Rules::DRAFT },
    });
    group.add(id(1), dan, &past(&[]), admit(BOB)).unwrap();
    group.add(id(2), BOB, &past(&[1]), code(5)).unwrap();
    group.add(id(3), FOUNDER, &past(&[1, 2]), by_code(yves)).unwrap();
    assert!(is_member(&group, BOB) && is_member(&group, yves));
    group.add(id(4), other, &past(&[]), remove(dan)).unwrap();
    assert!(!is_member(&group, BOB) && !is_member(&group, yves));
    assert_eq!(group.view().fell, ordset![id(1), id(3)]);
}

#[test]
fn m15_a_revoked_code_opens_nothing_known_or_blind() {
    let mut group = draft(&[(1, FOUNDER, &[], code(5)), (2, FOUNDER, &[1], Operation::Revoke { key: CODE })]);
    assert_eq!(group.add(id(3), FOUNDER, &past(&[1, 2]), by_code(BOB)), Err(Void::Invite));
    group.add(id(4), FOUNDER, &past(&[1]), by_code(BOB)).unwrap();
    assert!(!is_member(&group, BOB), "blind to the revocation");
    assert_eq!(group.view().fell, ordset![id(4)], "listed to be done again");
    let mut earlier = draft(&[(1, FOUNDER, &[], code(5)), (2, FOUNDER, &[1], by_code(BOB))]);
    earlier.add(id(3), FOUNDER, &past(&[1, 2]), Operation::Revoke { key: CODE }).unwrap();
    assert!(is_member(&earlier, BOB), "came in before, as the revocation knew");
}

#[test]
fn m3_no_single_act_or_pair_of_acts_completes_a_majority() {
    // need() is never under two, and a draft has one key-holder: nothing he or anybody else signs ends
    // or makes an office, whichever way it is told.
    let mut group = draft(&[(1, FOUNDER, &[], admit(BOB)), (2, FOUNDER, &[1], admit(CARLA))]);
    for (n, author) in [(3, FOUNDER), (4, BOB), (5, CARLA)] {
        assert!(group.add(id(n), author, &past(&[1, 2]), remove(FOUNDER)).is_err());
    }
    assert!(group.view().is_keyholder(&FOUNDER.into()));
    assert!(!group.view().is_keyholder(&BOB.into()) && !group.view().is_keyholder(&CARLA.into()));
}

#[test]
fn m15_a_codes_revocation_by_who_may_not_changes_nothing() {
    let mut group = draft(&[(1, FOUNDER, &[], code(5)), (2, FOUNDER, &[1], admit(BOB))]);
    let revoke = Operation::Revoke { key: CODE };
    assert_eq!(group.add(id(3), BOB, &past(&[1, 2]), revoke.clone()), Err(Void::Author));
    assert_eq!(group.add(id(4), CARLA, &past(&[1, 2]), revoke), Err(Void::Author), "a stranger");
    group.add(id(5), FOUNDER, &past(&[1, 2]), by_code(CARLA)).unwrap();
    assert!(is_member(&group, CARLA));
}

#[test]
fn m16_who_let_whom_in_and_by_which_code_is_kept() {
    let group = draft(&[
        (1, FOUNDER, &[], code(5)),
        (2, FOUNDER, &[1], by_code(BOB)),
        (3, FOUNDER, &[1, 2], admit(CARLA)),
    ]);
    let view = group.view();
    let of = |device: DeviceKey| view.members[&MemberId::from(device)].clone();
    let (bob, carla) = (of(BOB), of(CARLA));
    assert_eq!((bob.admission, bob.admitted_by, bob.invite), (Some(id(2)), Some(FOUNDER.into()), Some(CODE)));
    assert_eq!((carla.admission, carla.admitted_by, carla.invite), (Some(id(3)), Some(FOUNDER.into()), None));
    assert_eq!(of(FOUNDER).admitted_by, None);
    assert_eq!(view.invites[&CODE].used, ordset![BOB]);
}

#[test]
fn m15_an_unknown_code_opens_nothing() {
    let mut group = draft(&[]);
    assert_eq!(group.add(id(1), FOUNDER, &past(&[]), by_code(BOB)), Err(Void::Invite));
}

#[test]
fn m15_a_code_tells_what_it_still_does() {
    let info = |group: &Group| group.view().invites.get(&CODE).cloned().unwrap();
    let mut group = draft(&[(1, FOUNDER, &[], code(1))]);
    assert_eq!(info(&group).state(99), InviteState::Open);
    assert_eq!(info(&group).state(100), InviteState::Expired);
    group.add(id(2), FOUNDER, &past(&[1]), by_code(BOB)).unwrap();
    assert_eq!(info(&group).state(99), InviteState::Used);
    group.add(id(3), FOUNDER, &past(&[1, 2]), Operation::Revoke { key: CODE }).unwrap();
    assert_eq!(info(&group).state(99), InviteState::Revoked);
    assert_eq!(info(&group).issuer, FOUNDER.into());
}

/// A random history: each step an author, what it does, and how much of the acts before it knows.
fn histories() -> impl Strategy<Value = Vec<(u8, u8, u8, u64)>> {
    proptest::collection::vec((0u8..5, 0u8..6, 0u8..5, any::<u64>()), 1..14)
}

/// Acts of a history, each with a causally closed past.
fn acts_of(history: &[(u8, u8, u8, u64)]) -> Vec<Written> {
    let device = |n: u8| DeviceKey([n + 1; 32]);
    let mut acts: Vec<Written> = Vec::new();
    for (step, (author, what, whom, mask)) in history.iter().enumerate() {
        let mut known = BTreeSet::new();
        for (n, (before, _, theirs, _)) in acts.iter().enumerate() {
            if mask >> (n % 64) & 1 == 1 {
                known.insert(*before);
                known.extend(theirs.iter().copied());
            }
        }
        let operation = match what {
            0 | 1 => admit(device(*whom)),
            2 => by_code(device(*whom)),
            3 => remove(device(*whom)),
            4 => code(1),
            _ if whom % 2 == 0 => Operation::Leave,
            _ => Operation::Revoke { key: CODE },
        };
        acts.push((id(step as u8 + 50), device(*author), known, operation));
    }
    acts
}

fn judge(acts: &[Written]) -> (View, BTreeSet<EntryId>) {
    let mut group = Group::draft();
    let mut entitled = BTreeSet::new();
    for (id, author, past, operation) in acts {
        if group.add(*id, *author, past, operation.clone()).is_ok() {
            entitled.insert(*id);
        }
    }
    (group.view(), entitled)
}

/// Another causal order of the same acts.
fn reordered(acts: &[Written], seed: u64) -> Vec<Written> {
    let (mut rest, mut done, mut out) = (acts.to_vec(), BTreeSet::new(), Vec::new());
    let mut turn = seed;
    while !rest.is_empty() {
        let ready: Vec<usize> =
            (0..rest.len()).filter(|i| rest[*i].2.iter().all(|act| done.contains(act))).collect();
        turn = turn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let act = rest.remove(ready[(turn >> 33) as usize % ready.len()]);
        done.insert(act.0);
        out.push(act);
    }
    out
}

type Written = (EntryId, DeviceKey, BTreeSet<EntryId>, Operation);

/// Whether an act's author might sign it, read in the act's own past.
fn entitled(acts: &[Written], act: &Written) -> bool {
    let then = by_the_paper(acts, &act.2);
    let founder = act.1 == FOUNDER && then.contains(&FOUNDER);
    let known = || acts.iter().filter(|other| act.2.contains(&other.0) && entitled(acts, other));
    let issued = || known().any(|other| matches!(other.3, Operation::Invite { .. }));
    let closed = || known().any(|other| matches!(other.3, Operation::Revoke { .. }));
    match &act.3 {
        Operation::Leave => then.contains(&act.1),
        Operation::Remove { members } => founder && !members.contains(&FOUNDER.into()),
        Operation::Admit { invite: Some(_), .. } => founder && issued() && !closed(),
        Operation::Revoke { .. } => founder && issued(),
        Operation::Admit { .. } | Operation::Invite { .. } => founder,
        _ => false,
    }
}

/// §3 read aloud for a draft, with no regard to cost: who is a member of V(S)?
fn by_the_paper(acts: &[Written], set: &BTreeSet<EntryId>) -> BTreeSet<DeviceKey> {
    let within = acts.iter().filter(|act| set.contains(&act.0));
    let standing: Vec<_> = within.filter(|act| entitled(acts, act)).collect();
    let ends = |act: &Written, who: &DeviceKey| match &act.3 {
        Operation::Leave => act.1 == *who,
        Operation::Remove { members } => members.contains(&MemberId::from(*who)),
        _ => false,
    };
    let blind_revoked = |act: &Written| {
        standing.iter().any(|o| {
            matches!(o.3, Operation::Revoke { .. }) && !o.2.contains(&act.0) && !act.2.contains(&o.0)
        })
    };
    let by_code: BTreeSet<DeviceKey> = standing
        .iter()
        .filter(|act| !blind_revoked(act))
        .filter_map(|act| match &act.3 {
            Operation::Admit { device, invite: Some(_) } => Some(*device),
            _ => None,
        })
        .collect();
    (1..=6)
        .map(|n| DeviceKey([n; 32]))
        .filter(|who| {
            let endings: Vec<_> = standing.iter().filter(|act| ends(act, who)).collect();
            let by_genesis = *who == FOUNDER && endings.is_empty();
            let by_admission = standing.iter().any(|act| match &act.3 {
                Operation::Admit { device, invite } if device == who => {
                    let leaked = invite.is_some() && (blind_revoked(act) || by_code.len() > 1);
                    !leaked && endings.iter().all(|ending| act.2.contains(&ending.0))
                }
                _ => false,
            });
            by_genesis || by_admission
        })
        .collect()
}

proptest! {
    #[test]
    fn i1_the_same_acts_give_the_same_view_in_any_order(history in histories(), seed: u64) {
        let acts = acts_of(&history);
        let (view, entitled) = judge(&acts);
        let (other, also) = judge(&reordered(&acts, seed));
        prop_assert_eq!(view, other);
        prop_assert_eq!(entitled, also);
    }

    #[test]
    fn the_function_agrees_with_the_paper(history in histories()) {
        let acts = acts_of(&history);
        let all = acts.iter().map(|act| act.0).collect();
        prop_assert_eq!(judge(&acts).0.roster(), by_the_paper(&acts, &all));
    }

    #[test]
    fn i5_i6_no_single_hand_unseats_the_founder_and_no_admission_puts_out(history in histories()) {
        let acts = acts_of(&history);
        let left = acts.iter().any(|act| act.1 == FOUNDER && act.3 == Operation::Leave);
        prop_assert!(left || judge(&acts).0.is_keyholder(&FOUNDER.into()));
        for cut in 1..=acts.len() {
            let (before, _) = judge(&acts[..cut - 1]);
            let (after, _) = judge(&acts[..cut]);
            if matches!(acts[cut - 1].3, Operation::Admit { invite: None, .. }) {
                prop_assert!(before.roster().is_subset(&after.roster()));
            }
        }
    }
}
