//! Answering calls, and counting the answers (A-10 … A-12).
//!
//! Every node that has seen a call answers once, yes or blank, at a random moment within the call's
//! window, so that an answer tells nothing. What is decided after that goes out at once.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Node, part_of};
use crate::action::Action;
use crate::action::board::CallView;
use crate::action::pledge::{self, PledgeAnswer, PledgeCount};
use crate::codec::Reader;
use crate::group::seal::hpke::{self, MailKey};
use crate::id::{EntryId, GroupId};
use crate::kind::Kind;
use crate::replica::{AuthorError, Replica, Round};
use crate::store::{Store, StoreError};
use crate::time::Timestamp;

/// What this node will answer, or has answered, to one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PledgeState {
    /// When the answer is due.
    pub at: Timestamp,
    /// Whether it is yes.
    pub yes: bool,
    /// What the posted answer said; none before.
    pub answered: Option<bool>,
    /// When pledging ends.
    closes: Timestamp,
    /// When this node closes the count, if it is a counter that has not.
    counts_at: Option<Timestamp>,
}

/// Until what could not be written while the group is being re-keyed is tried again.
const RETRY: Duration = Duration::from_secs(5);

impl PledgeState {
    fn encode(self) -> Vec<u8> {
        let mut out = self.at.as_millis().to_be_bytes().to_vec();
        out.extend_from_slice(&[u8::from(self.yes), self.answered.map_or(2, u8::from)]);
        out
    }

    fn decode(record: &[u8], closes: Timestamp, counting: bool) -> Option<Self> {
        let counts_at = counting.then_some(closes);
        let mut reader = Reader::new(record);
        let at = Timestamp::from_millis(reader.u64().ok()?);
        let yes = reader.u8().ok()? == 1;
        let answered = Some(reader.u8().ok()?).filter(|a| *a < 2).map(|a| a == 1);
        Some(Self { at, yes, answered, closes, counts_at })
    }

    /// Whether an answer is to be posted: the first, or another than was posted.
    fn is_open(&self) -> bool {
        self.answered != Some(self.yes)
    }

    fn due(&self) -> Option<Timestamp> {
        let answer = self.is_open().then_some(self.at);
        answer.into_iter().chain(self.counts_at).min()
    }
}

fn note(call: &EntryId) -> Vec<u8> {
    [b"pledge".as_slice(), call.as_bytes()].concat()
}

/// Name of the secret a call's answers are sealed to.
pub(super) fn counter_secret(call_key: &[u8]) -> Vec<u8> {
    [b"counter".as_slice(), &crate::crypto::hash("counter key", &[call_key])].concat()
}

impl<S: Store> Node<S> {
    /// Takes note of calls seen for the first time, and counts what has come in.
    pub(super) fn plan_pledges(&mut self, group: GroupId, now: Timestamp) -> Result<(), StoreError> {
        let Some(replica) = self.replicas.get(&group) else { return Ok(()) };
        let calls: Vec<(EntryId, CallView)> = replica.board().calls().collect();
        for (id, call) in calls {
            self.plan_answer(group, id, &call, now);
            self.count(group, id, &call, now)?;
        }
        Ok(())
    }

    fn plan_answer(&mut self, group: GroupId, id: EntryId, call: &CallView, now: Timestamp) {
        let closes = Timestamp::from_secs(call.body.closes);
        if let Some(state) = self.pledges.get_mut(&(group, id)) {
            // A change may have moved it.
            if state.closes != closes {
                state.closes = closes;
                state.counts_at = state.counts_at.map(|_| closes);
            }
            return;
        }
        if now >= closes {
            return;
        }
        let window = Duration::from_secs(u64::from(call.body.answer_window));
        let wait = part_of(window, &mut *self.rng);
        let counting = self.replicas.get(&group).is_some_and(|r| call.body.counters.contains(&r.member()));
        let state = PledgeState {
            at: now.after(wait),
            yes: false,
            answered: None,
            closes,
            counts_at: counting.then_some(closes),
        };
        self.set_pledge(group, id, state, now);
    }

    fn set_pledge(&mut self, group: GroupId, call: EntryId, state: PledgeState, now: Timestamp) {
        self.pledges.insert((group, call), state);
        self.in_group(group, None, now, |replica, round| {
            replica.put_note(&note(&call), state.encode(), round)
        });
    }

    /// Decides what to answer to a call.
    pub(super) fn decide(
        &mut self,
        group: GroupId,
        call: EntryId,
        yes: bool,
        now: Timestamp,
    ) -> Result<(), AuthorError> {
        let Some(mut state) = self.pledges.get(&(group, call)).copied() else { return Ok(()) };
        state.yes = yes;
        if state.answered.is_some() {
            state.at = now;
        }
        self.set_pledge(group, call, state, now);
        self.tick_pledges(now)?;
        Ok(())
    }

    /// This node's own answer to a call.
    pub fn pledge(&self, group: &GroupId, call: &EntryId) -> Option<PledgeState> {
        self.pledges.get(&(*group, *call)).copied()
    }

    pub(super) fn next_pledge(&self) -> Option<Timestamp> {
        self.open_pledges().filter_map(|(_, state)| state.due()).min()
    }

    /// Those of groups this node writes in: a frozen one waits without a timer.
    fn open_pledges(&self) -> impl Iterator<Item = (&(GroupId, EntryId), &PledgeState)> {
        let writes = |group| self.replicas.get(group).is_some_and(|replica| replica.frozen().is_none());
        self.pledges.iter().filter(move |((group, _), _)| writes(group))
    }

    pub(super) fn tick_pledges(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let due: Vec<(GroupId, EntryId)> = self
            .open_pledges()
            .filter(|(_, state)| state.due().is_some_and(|at| at <= now))
            .map(|(id, _)| *id)
            .collect();
        for (group, call) in due {
            self.answer(group, call, now)?;
            let view = self.replicas.get(&group).and_then(|replica| replica.board().call_view(&call));
            if let Some(view) = view {
                self.count(group, call, &view, now)?;
            }
        }
        Ok(())
    }

    fn answer(&mut self, group: GroupId, call: EntryId, now: Timestamp) -> Result<(), StoreError> {
        let Some(mut state) = self.pledges.get(&(group, call)).copied() else { return Ok(()) };
        if now >= state.closes {
            // Too late: nothing is posted after the close, and nothing waits any more.
            state.answered = Some(state.yes);
            self.pledges.insert((group, call), state);
            return Ok(());
        }
        if !state.is_open() || state.at > now {
            return Ok(());
        }
        let yes = state.yes;
        match self.in_group(group, None, now, |replica, round| post_answer(replica, call, yes, round)) {
            Some(Ok(())) => {
                state.answered = Some(yes);
                self.set_pledge(group, call, state, now);
            }
            Some(Err(AuthorError::Store(error))) => return Err(error),
            refused => {
                let rekeying = matches!(refused, Some(Err(AuthorError::Rekeying)));
                state.at = if rekeying { now.after(RETRY) } else { state.closes };
                self.pledges.insert((group, call), state);
            }
        }
        Ok(())
    }

    /// A counter's node opens what came in, tells whole steps, and at the close the end; then the
    /// key of the call is destroyed.
    fn count(
        &mut self,
        group: GroupId,
        id: EntryId,
        call: &CallView,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let told = self.replicas.get(&group).and_then(|replica| replica.board().count(&id));
        let counting = self.replicas.get(&group).is_some_and(|r| call.body.counters.contains(&r.member()));
        if !counting || told.is_some_and(|(_, closed)| closed) {
            self.count_again(group, id, None);
            return Ok(());
        }
        let Some(yes) = self.tally(group, id, now)? else {
            self.count_again(group, id, None);
            return Ok(());
        };
        let closed = now.as_secs() >= call.body.closes;
        let step = yes / pledge::STEP * pledge::STEP;
        if !closed && step <= told.map_or(0, |(count, _)| count) {
            return Ok(());
        }
        let body = PledgeCount { call: id, count: if closed { yes } else { step }, closed };
        let key = counter_secret(&call.body.counter_key);
        let posted = self.in_group(group, None, now, |replica, round| {
            replica.post(Kind::PledgeCount, &body.to_payload(), round)?;
            if closed {
                replica.put_secret_note(&key, None, round);
            }
            Ok(())
        });
        if closed {
            self.tallies.remove(&(group, id));
        }
        if let Some(Err(AuthorError::Store(error))) = posted {
            return Err(error);
        }
        if closed {
            let rekeying = matches!(posted, Some(Err(AuthorError::Rekeying)));
            self.count_again(group, id, rekeying.then(|| now.after(RETRY)));
        }
        Ok(())
    }

    fn count_again(&mut self, group: GroupId, call: EntryId, at: Option<Timestamp>) {
        if let Some(state) = self.pledges.get_mut(&(group, call)) {
            state.counts_at = at;
        }
    }

    /// The running count, on a counter's node only.
    ///
    /// # Errors
    /// The store's.
    pub fn tally(
        &mut self,
        group: GroupId,
        call: EntryId,
        now: Timestamp,
    ) -> Result<Option<u32>, StoreError> {
        let Some(answered) = self.replicas.get(&group).map(|r| r.board().answered(&call)) else {
            return Ok(None);
        };
        // Opening every answer again for each message that comes in would cost a counter's node dear.
        if let Some((_, yes)) = self.tallies.get(&(group, call)).filter(|(at, _)| *at == answered) {
            return Ok(Some(*yes));
        }
        let tally = self.in_group(group, None, now, |replica, round| tally(replica, &call, round));
        let yes = tally.transpose()?.flatten();
        if let Some(yes) = yes {
            self.tallies.insert((group, call), (answered, yes));
        }
        Ok(yes)
    }

    /// This node is another device in this group from here on: its answers are still to be given.
    pub(super) fn begin_pledges(&mut self, group: GroupId, now: Timestamp) -> Result<(), StoreError> {
        self.pledges.retain(|(of, _), _| *of != group);
        self.tallies.retain(|(of, _), _| *of != group);
        self.plan_pledges(group, now)
    }

    pub(super) fn load_pledges(&mut self, now: Timestamp) -> Result<(), StoreError> {
        self.pledges.clear();
        self.tallies.clear();
        let groups: Vec<GroupId> = self.replicas.keys().copied().collect();
        for group in groups {
            let Some(replica) = self.replicas.get(&group) else { continue };
            let calls: Vec<(EntryId, CallView)> = replica.board().calls().collect();
            for (id, call) in calls {
                let kept = self
                    .ask(group, now, |replica, round| replica.note(&note(&id), round))
                    .transpose()?
                    .flatten();
                let closes = Timestamp::from_secs(call.body.closes);
                let replica = self.replicas.get(&group);
                let open = !replica.and_then(|r| r.board().count(&id)).is_some_and(|(_, closed)| closed);
                let counting = open && replica.is_some_and(|r| call.body.counters.contains(&r.member()));
                if let Some(state) = kept.and_then(|record| PledgeState::decode(&record, closes, counting)) {
                    self.pledges.insert((group, id), state);
                }
            }
        }
        Ok(())
    }
}

fn post_answer(
    replica: &mut Replica,
    call: EntryId,
    yes: bool,
    round: &mut Round<'_>,
) -> Result<(), AuthorError> {
    let Some(view) = replica.board().call_view(&call) else { return Ok(()) };
    replica.may_write(Kind::PledgeAnswer)?;
    let seq = replica.next_seq(Kind::PledgeAnswer);
    let associated = pledge::associated(&replica.group(), &call, &replica.device(), seq);
    let sealed =
        hpke::seal(replica.suite(), &view.body.counter_key, pledge::INFO, &associated, &pledge::plain(yes))?;
    let body = PledgeAnswer { call, sealed: sealed.into() };
    replica.post(Kind::PledgeAnswer, &body.to_payload(), round).map(|_| ())
}

/// Opens the standing answers and counts the persons among whose devices one says yes; `None` where this node has not
/// the key.
fn tally(replica: &Replica, call: &EntryId, round: &Round<'_>) -> Result<Option<u32>, StoreError> {
    let Some(view) = replica.board().call_view(call) else { return Ok(None) };
    let kept = replica.secret_note(&counter_secret(&view.body.counter_key), round)?;
    let Some(key) = kept.and_then(|bytes| MailKey::from_bytes(&bytes)) else { return Ok(None) };
    let mut yes = BTreeSet::new();
    for (device, answer) in replica.board().answers(call) {
        let associated = pledge::associated(&replica.group(), call, device, answer.seq);
        let opened = key.open(replica.suite(), pledge::INFO, &associated, &answer.sealed);
        if opened.is_ok_and(|opened| pledge::is_yes(&opened)) {
            yes.insert(replica.view().owner_of(device));
        }
    }
    Ok(Some(u32::try_from(yes.len()).unwrap_or(u32::MAX)))
}
