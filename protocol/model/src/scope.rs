//! What is explored: who may wish for what, and how much of it.

use crate::entry::{ALICE, BOB, CARLA, EVE, NINA, OMAR, Person};
use crate::variant::Variant;

/// What a person may decide to do once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// To put a member out by hand.
    Remove(Person),
    /// To propose an expulsion.
    Expel(Person),
    /// To propose that somebody's office ends.
    Demote(Person),
    /// To propose an office for somebody.
    Promote(Person),
    /// To let somebody in.
    Admit(Person),
    /// To sign any majority act, each once.
    Approve,
    /// To propose that any open majority act is closed, each once.
    Dismiss,
    /// To go.
    Leave,
    /// To be heard, and no more.
    Merge,
    /// To be heard in any epoch of which one has keys, head or not.
    Stray,
    /// To add Nina without any reason.
    Smuggle,
}

/// A bounded world.
#[derive(Clone, Debug)]
pub struct Scope {
    /// Its name.
    pub name: &'static str,
    /// Who may wish for what.
    pub wishes: Vec<(Person, Wish)>,
    /// How many acts there may be.
    pub acts: usize,
    /// How many entries may be made blind to another: how much happens at once, or apart.
    pub blind: usize,
    /// By which rules.
    pub variant: Variant,
}

impl Scope {
    /// Admissions cross removals; who was let in by whom is put out meanwhile.
    pub fn doors() -> Self {
        let wishes = vec![
            (ALICE, Wish::Remove(EVE)),
            (BOB, Wish::Remove(NINA)),
            (CARLA, Wish::Admit(EVE)),
            (CARLA, Wish::Admit(NINA)),
            (EVE, Wish::Admit(NINA)),
            (NINA, Wish::Admit(EVE)),
            (NINA, Wish::Admit(OMAR)),
            (NINA, Wish::Merge),
        ];
        Self::new("doors", wishes)
    }

    /// Eve commits what nobody decided.
    pub fn smugglers() -> Self {
        let wishes = vec![
            (ALICE, Wish::Remove(EVE)),
            (BOB, Wish::Admit(NINA)),
            (CARLA, Wish::Remove(NINA)),
            (EVE, Wish::Smuggle),
        ];
        Self::new("smugglers", wishes)
    }

    /// A majority decides against a key-holder who goes on meanwhile.
    pub fn verdicts() -> Self {
        let wishes = vec![
            (ALICE, Wish::Expel(CARLA)),
            (ALICE, Wish::Remove(CARLA)),
            (BOB, Wish::Approve),
            (BOB, Wish::Dismiss),
            (BOB, Wish::Leave),
            (CARLA, Wish::Approve),
            (CARLA, Wish::Remove(EVE)),
            (CARLA, Wish::Admit(NINA)),
            (NINA, Wish::Merge),
        ];
        Self::new("verdicts", wishes)
    }

    /// People go and come back.
    pub fn leavings() -> Self {
        let wishes = vec![
            (ALICE, Wish::Admit(EVE)),
            (BOB, Wish::Leave),
            (CARLA, Wish::Admit(BOB)),
            (CARLA, Wish::Remove(EVE)),
            (EVE, Wish::Leave),
            (EVE, Wish::Admit(NINA)),
            (NINA, Wish::Leave),
        ];
        Self::new("leavings", wishes)
    }

    /// Offices given and taken.
    pub fn offices() -> Self {
        let wishes = vec![
            (ALICE, Wish::Promote(EVE)),
            (BOB, Wish::Approve),
            (BOB, Wish::Demote(CARLA)),
            (CARLA, Wish::Approve),
            (CARLA, Wish::Remove(EVE)),
            (EVE, Wish::Approve),
            (EVE, Wish::Admit(NINA)),
        ];
        Self::new("offices", wishes)
    }

    /// Who was expelled gets an office, whether he ever had a leaf or not.
    pub fn returns() -> Self {
        let wishes = vec![
            (ALICE, Wish::Expel(NINA)),
            (ALICE, Wish::Approve),
            (BOB, Wish::Approve),
            (BOB, Wish::Promote(NINA)),
            (CARLA, Wish::Admit(NINA)),
            (CARLA, Wish::Dismiss),
        ];
        Self::new("returns", wishes)
    }

    /// Voices, true and false, sway which branch wins.
    pub fn voices() -> Self {
        let wishes = vec![
            (ALICE, Wish::Remove(NINA)),
            (ALICE, Wish::Merge),
            (BOB, Wish::Admit(NINA)),
            (CARLA, Wish::Merge),
            (CARLA, Wish::Admit(OMAR)),
            (EVE, Wish::Stray),
            (NINA, Wish::Merge),
        ];
        Self::new("voices", wishes)
    }

    fn new(name: &'static str, wishes: Vec<(Person, Wish)>) -> Self {
        Self { name, wishes, acts: 2, blind: 1, variant: Variant::Spec }
    }

    /// The same with other bounds.
    #[must_use]
    pub fn within(self, acts: usize, blind: usize) -> Self {
        Self { acts, blind, ..self }
    }

    /// The same by other rules.
    #[must_use]
    pub fn by(self, variant: Variant) -> Self {
        Self { variant, ..self }
    }
}
