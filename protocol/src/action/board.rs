//! The fold of all record entries: grievances with their support, calls with their pledges.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use super::Action;
use super::grievance::{Grievance, Support, SupportKind};
use super::pledge::{PledgeAnswer, PledgeCount};
use super::strike::{Call, CallOff};
use crate::codec::DecodeError;
use crate::id::{DeviceKey, EntryId, MemberId};
use crate::kind::Kind;

/// An applied record entry, and what its author was in its own past.
#[derive(Clone, Copy, Debug)]
pub struct Applied<'a> {
    /// The entry.
    pub id: EntryId,
    /// Its author's device.
    pub device: DeviceKey,
    /// Position in the acts lane.
    pub seq: u32,
    /// Its author, if a member in V(entry).
    pub member: Option<MemberId>,
    /// Whether the author held the mandate in V(entry): in a draft, was a key-holder.
    pub mandate: bool,
    /// The author's clock, shown only.
    pub time: u32,
    /// The payload.
    pub payload: &'a [u8],
}

/// Why a record entry changes nothing. It stays in its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Rejected {
    /// The author was no member.
    #[error("its author was not a member")]
    Stranger,
    /// The author had no mandate.
    #[error("its author had no mandate")]
    Mandate,
    /// The body breaks a rule of form.
    #[error("malformed: {0}")]
    Malformed(#[from] DecodeError),
}

/// A grievance as the group sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrievanceView {
    /// Who filed it.
    pub author: MemberId,
    /// The author's clock.
    pub time: u32,
    /// What it says.
    pub body: Grievance,
}

/// A call as the group sees it: the version with the highest sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallView {
    /// Who called.
    pub author: MemberId,
    /// The author's clock.
    pub time: u32,
    /// The entry of this version.
    pub version: EntryId,
    /// What it says.
    pub body: Call,
    /// Called off, with the reason.
    pub called_off: Option<CallOff>,
    /// The entry that called it off.
    pub off: Option<EntryId>,
    /// Two versions share the highest sequence: shown as conflicting.
    pub conflicting: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct CallFold {
    versions: BTreeMap<EntryId, (MemberId, u32, Call)>,
    offs: BTreeMap<EntryId, CallOff>,
}

/// An answer that only a counter can open. They are ordered: the greatest of a device counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Answer {
    /// Its position in its author's log.
    pub seq: u32,
    /// The sealed answer; it decides between two of a forked log, the same on every node.
    pub sealed: Vec<u8>,
}

/// Everything folded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Board {
    grievances: BTreeMap<EntryId, GrievanceView>,
    support: BTreeMap<EntryId, BTreeMap<MemberId, (u32, SupportKind)>>,
    calls: BTreeMap<EntryId, CallFold>,
    answers: BTreeMap<EntryId, BTreeMap<DeviceKey, Answer>>,
    /// How many answers have come in for each call, counted again or not.
    answered: BTreeMap<EntryId, u64>,
    counts: BTreeMap<EntryId, BTreeSet<(bool, u32, MemberId)>>,
}

impl Board {
    /// Folds one applied entry.
    ///
    /// # Errors
    /// Why it changes nothing.
    pub fn apply(&mut self, kind: Kind, entry: &Applied<'_>) -> Result<(), Rejected> {
        let member = entry.member.ok_or(Rejected::Stranger)?;
        match kind {
            Kind::Grievance => {
                let body = Grievance::from_payload(entry.payload)?;
                self.grievances.insert(entry.id, GrievanceView { author: member, time: entry.time, body });
            }
            Kind::Support => self.support(member, entry.seq, &Support::from_payload(entry.payload)?),
            Kind::Call => self.call(member, entry)?,
            Kind::CallOff => {
                let body = CallOff::from_payload(entry.payload)?;
                if !entry.mandate {
                    return Err(Rejected::Mandate);
                }
                self.calls.entry(body.call).or_default().offs.insert(entry.id, body);
            }
            Kind::PledgeAnswer => {
                let body = PledgeAnswer::from_payload(entry.payload)?;
                let answer = Answer { seq: entry.seq, sealed: body.sealed.to_vec() };
                *self.answered.entry(body.call).or_default() += 1;
                let standing = self
                    .answers
                    .entry(body.call)
                    .or_default()
                    .entry(entry.device)
                    .or_insert_with(|| answer.clone());
                if *standing < answer {
                    *standing = answer;
                }
            }
            Kind::PledgeCount => {
                let body = PledgeCount::from_payload(entry.payload)?;
                self.counts.entry(body.call).or_default().insert((body.closed, body.count, member));
            }
            _ => {}
        }
        Ok(())
    }

    fn support(&mut self, member: MemberId, seq: u32, body: &Support) {
        let standing =
            self.support.entry(body.grievance).or_default().entry(member).or_insert((seq, body.kind));
        *standing = (*standing).max((seq, body.kind));
    }

    fn call(&mut self, member: MemberId, entry: &Applied<'_>) -> Result<(), Rejected> {
        let body = Call::from_payload(entry.payload)?;
        if !entry.mandate || body.counters != [member] {
            return Err(Rejected::Mandate);
        }
        let call = body.changes.unwrap_or(entry.id);
        self.calls.entry(call).or_default().versions.insert(entry.id, (member, entry.time, body));
        Ok(())
    }

    /// All grievances.
    pub fn grievances(&self) -> impl Iterator<Item = (&EntryId, &GrievanceView)> {
        self.grievances.iter()
    }

    /// One grievance.
    pub fn grievance(&self, id: &EntryId) -> Option<&GrievanceView> {
        self.grievances.get(id)
    }

    /// Who backs a grievance, and how; its author is not counted.
    pub fn support_of(&self, grievance: &EntryId) -> BTreeMap<MemberId, SupportKind> {
        let author = self.grievances.get(grievance).map(|g| g.author);
        let support = self.support.get(grievance).into_iter().flatten();
        support
            .filter(|(member, _)| Some(**member) != author)
            .map(|(member, (_, kind))| (*member, *kind))
            .collect()
    }

    /// All calls.
    pub fn calls(&self) -> impl Iterator<Item = (EntryId, CallView)> + '_ {
        self.calls.keys().filter_map(|id| self.call_view(id).map(|view| (*id, view)))
    }

    /// One call: its first version must be here, and be by someone with the mandate.
    pub fn call_view(&self, id: &EntryId) -> Option<CallView> {
        let fold = self.calls.get(id)?;
        fold.versions.get(id)?;
        let newest = fold.versions.values().map(|(_, _, body)| body.sequence).max()?;
        let mut at_newest = fold.versions.iter().filter(|(_, (_, _, body))| body.sequence == newest);
        let (version, (author, time, body)) = at_newest.next()?;
        let off = fold
            .offs
            .iter()
            .filter(|(_, off)| off.sequence > newest)
            .max_by_key(|(id, off)| (off.sequence, **id));
        Some(CallView {
            author: *author,
            time: *time,
            version: *version,
            body: body.clone(),
            called_off: off.map(|(_, off)| off.clone()),
            off: off.map(|(id, _)| *id),
            conflicting: at_newest.next().is_some(),
        })
    }

    /// The number a change or call-off of this call must carry.
    pub fn next_sequence(&self, call: &EntryId) -> u32 {
        let fold = self.calls.get(call);
        let versions = fold.iter().flat_map(|f| f.versions.values().map(|(_, _, body)| body.sequence));
        let offs = fold.iter().flat_map(|f| f.offs.values().map(|off| off.sequence));
        versions.chain(offs).max().unwrap_or(0).saturating_add(1)
    }

    /// The standing answers to a call, by device.
    pub fn answers(&self, call: &EntryId) -> impl Iterator<Item = (&DeviceKey, &Answer)> {
        self.answers.get(call).into_iter().flatten()
    }

    /// How many answers to a call have come in: as long as it stands, so does a tally.
    pub fn answered(&self, call: &EntryId) -> u64 {
        self.answered.get(call).copied().unwrap_or(0)
    }

    /// The highest count that one of the call's counters has signed, and whether it is final.
    pub fn count(&self, call: &EntryId) -> Option<(u32, bool)> {
        let counters = self.call_view(call)?.body.counters;
        let signed = self.counts.get(call).into_iter().flatten();
        signed.filter(|(_, _, by)| counters.contains(by)).max().map(|(closed, count, _)| (*count, *closed))
    }
}

#[cfg(test)]
mod tests;
