//! The rules with one of them changed: what a check is worth shows when it fails.

/// Which rule is changed, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Variant {
    /// None: what the specification says.
    #[default]
    Spec,
    /// K-9: everybody speaks under any head.
    NoGate,
    /// K-8: the head is where the first commit to arrive leads.
    FirstArrivalLeads,
    /// K-8: everybody stays on the branch that he made.
    OwnBranchFirst,
    /// K-10: nobody carries out an ending.
    NobodyCarriesOut,
    /// K-11: nobody asks for keys.
    NobodyAsks,
    /// G-6, G-9: what a commit adds is not checked.
    AddsUnchecked,
    /// M-2: a verdict falls when one of its signers leaves.
    VerdictsFall,
    /// M-3: the accused signs, too.
    AccusedSigns,
    /// M-4: one key-holder removes another.
    FewUnseat,
    /// M-5: what somebody signed blind to his ending counts.
    NothingCut,
    /// M-6: what gave a signer the right need not stand.
    NotHeld,
    /// M-12: any member lets in who was removed.
    AnybodyReadmits,
    /// V: a removal counts for nothing.
    RemovalNotCounted,
    /// V: of an ending and what lets in the one counts that arrived last.
    LastArrivalDecides,
    /// K-10: a member who rests on no admission is given a leaf by none.
    RestedOnAlone,
}
