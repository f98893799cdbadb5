//! The rules on acts, commits and the gate, small enough that every state of them is visited.
//!
//! Written from the specification (`protocol/spec`: membership.md; epochs.md, K-6 to K-11, G-3, G-6 and G-9), not from
//! the code: it shares nothing with `piquet-protocol`, so the two can disagree. The tests run it (`cargo test
//! --release`), with one rule after the other broken, too: a check that never fails is none.
//!
//! # What is said
//!
//! Three key-holders, an ordinary member who is an informer, and two who may be let in. They remove, expel, demote, promote,
//! admit, approve, dismiss and leave ([`view`] judges: V in its five steps); commit what is due, fork, choose heads, ask
//! for keys ([`tree`]); and could speak where the gate lets them ([`property`]). [`scope`] bounds who does what.
//!
//! # States
//!
//! A state is all entries ever written, each with its past ([`entry::History`]). *Delivery is no step of its own*: whoever
//! writes first chooses which of them he holds, any set with the past of each; what somebody merely holds shows nowhere before.
//! So all orders of arrival and all partitions are there. An entry made by somebody who holds less than there is, is
//! *blind*; their number is bounded, and so is that of acts. What is due is bounded by nothing: that it ends is checked.
//! Every subset that a node could hold is a state, too, so that what is asked of nodes is asked of one that holds everything.
//! Ties between ids go both ways, in two initial states.
//!
//! | scope | bounds in CI: acts, blind | states | with `PIQUET_MODEL=2` | states |
//! |---|---|---|---|---|
//! | doors | 3, 1 | 179,106 | 3, 2 | 2,754,136 |
//! | smugglers | 2, 2 | 29,689 | 3, 1 | 50,160 |
//! | verdicts | 3, 1 | 29,903 | 4, 1 | 506,836 |
//! | leavings | 2, 2 | 21,244 | 3, 2 | 3,520,609 |
//! | offices | 3, 2 | 49,906 | 4, 2 | 2,540,748 |
//! | voices | 2, 2 | 12,607 | 3, 2 | 862,834 |
//! | returns | 5, 0 | 18,990 | the same | |
//!
//! A minute at most in CI; about twenty, and 2 GB, for the larger bounds.
//!
//! # What is left out, and why that may be
//!
//! - *Speaking* is no step: each state is asked for all words that could be said in it. Words decide nothing, but for "has
//!   spoken since" (K-10), for which acts do here.
//! - *Bytes, keys, MLS.* Who has a leaf has all keys of the epoch and keeps them; nobody else has any. That seal and MLS do
//!   this is tested elsewhere.
//! - *Control keys* (K-5): every entry can be read by whoever it reaches, and a commit and its maker's `opened` are one step.
//!   Who knows more has more to refuse: no word is let through by that. That keys are told is tested with whole nodes.
//! - *Mail*: who is added has the Welcome. Lost states and commits that some can't open are not here: they lead to K-11, as
//!   the wrong branch does.
//! - *Time*: whatever may happen after a delay may happen at once, or never, or when all else is done.
//! - *Forked logs* (L-5, L-6) and K-7's second half. The informer writes one log, but holds as little as she likes, and so dates back. What
//!   forks do is M-14's, with tests of its own.
//! - *Roll, rules, codes, vouching by several, devices, drafts.* `admit` and `few` are 1. They only add grounds and thresholds.
//! - *A member who is gone for good* hinders nobody: that is a property. More than one at once, and newcomers whom nobody
//!   ever hears, are not asked for.

#![forbid(unsafe_code)]

pub mod entry;
pub mod model;
pub mod property;
pub mod scope;
pub mod set;
pub mod tree;
pub mod variant;
pub mod view;
