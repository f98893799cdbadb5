//! Whether enough have signed an admission.

use std::collections::{BTreeMap, BTreeSet};

use super::act::{Act, Door, Signature};
use super::rules::Admission;
use crate::id::MemberId;

/// One who signs an admission.
pub(super) struct Voice {
    pub(super) member: MemberId,
    pub(super) office: bool,
    pub(super) sponsor: Option<MemberId>,
}

impl Voice {
    /// Whatever became of what it rests on.
    pub(super) fn raw((by, signature): (&Act, &Signature)) -> Self {
        Self { member: by.author, office: !signature.offices.is_empty(), sponsor: signature.sponsor }
    }
}

impl Door {
    /// Whether these have signed what a rule asks, and what a removal before it does.
    pub(super) fn is_satisfied(&self, rule: Admission, voices: &[Voice]) -> bool {
        let by_office = voices.iter().any(|voice| voice.office);
        let enough = match rule {
            Admission::KeyHolder => by_office,
            Admission::Vouches(needed) => independent(voices) >= needed,
        };
        enough && (by_office || !self.after_removal)
    }
}

/// How many of these there are at most of whom none let another in (M-16). Everybody was let in by one
/// at most, so that whoever has let in nobody who is left can always be taken.
fn independent(voices: &[Voice]) -> usize {
    let mut left: BTreeMap<MemberId, Option<MemberId>> =
        voices.iter().map(|voice| (voice.member, voice.sponsor)).collect();
    let mut count = 0;
    while let Some(next) = next_voice(&left) {
        let sponsor = left.remove(&next).flatten();
        left.retain(|member, by| Some(*member) != sponsor && *by != Some(next));
        count += 1;
    }
    count
}

/// Somebody who let in nobody of these; if they all let one another in, around a circle, any.
fn next_voice(left: &BTreeMap<MemberId, Option<MemberId>>) -> Option<MemberId> {
    let sponsors: BTreeSet<MemberId> = left.values().flatten().copied().collect();
    left.keys().find(|member| !sponsors.contains(member)).or(left.keys().next()).copied()
}
