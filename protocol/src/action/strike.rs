//! Strike calls and their end (A-6 … A-9).
//!
//! Who may call is a question of mandate, judged in the call's own past: in a draft a key-holder.
//! A change is the same call with a higher sequence number. Times of legs are shown by the reader's
//! clock; they decide nothing between members.

use minicbor::{Decode, Encode};

use super::{Action, text};
use crate::codec::DecodeError;
use crate::id::{EntryId, MemberId};

const MAX_LEGS: usize = 64;
const MAX_DEMANDS: usize = 32;
const MAX_TITLE: usize = 200;
const MAX_DEMAND: usize = 1000;
const MAX_LINE: usize = 128;
const MAX_KEY: usize = 2048;

/// What people are asked to do.
pub const FORMS: [&str; 9] = [
    "log_off",
    "refuse_orders",
    "set_resting",
    "some_orders",
    "go_slow",
    "picket",
    "motorcade",
    "no_tasks_from_requester",
    "letter_day",
];

/// One place and time of a call.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Leg {
    /// IANA time zone.
    #[n(0)]
    pub zone: String,
    /// Where; may be empty.
    #[n(1)]
    pub place: String,
    /// Local wall-clock start, `2026-12-04T18:00`.
    #[n(2)]
    pub start_local: String,
    /// Local wall-clock end.
    #[n(3)]
    pub end_local: String,
    /// The same in seconds since 1970, by the caller's zone table.
    #[n(4)]
    pub start: u64,
    /// The same in seconds since 1970.
    #[n(5)]
    pub end: u64,
    /// Pledges this leg asks for; 0 for none.
    #[n(6)]
    pub threshold: u32,
}

/// A call to action.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Call {
    /// The call this one changes; none for a new one.
    #[n(0)]
    pub changes: Option<EntryId>,
    /// Strictly above every earlier number of this call.
    #[n(1)]
    pub sequence: u32,
    /// In one line.
    #[n(2)]
    pub title: String,
    /// What is asked of the other side.
    #[n(3)]
    pub demands: Vec<String>,
    /// One or more of [`FORMS`], each once.
    #[n(4)]
    pub forms: Vec<String>,
    /// Where and when.
    #[n(5)]
    pub legs: Vec<Leg>,
    /// Pledges the whole call asks for; 0 for none.
    #[n(6)]
    pub threshold: u32,
    /// When pledging ends, in seconds since 1970: before the first start.
    #[n(7)]
    pub closes: u64,
    /// Every node answers within this many seconds of seeing the call.
    #[n(8)]
    pub answer_window: u32,
    /// After this the call is stale, in seconds since 1970.
    #[n(9)]
    pub expires: u64,
    /// Answers are sealed to this key, made for this call and erased at its close.
    #[n(10)]
    pub counter_key: minicbor::bytes::ByteVec,
    /// Who can see who pledged.
    #[n(11)]
    pub counters: Vec<MemberId>,
    /// Version of the zone table the caller used.
    #[n(12)]
    pub tzdb: String,
}

impl Call {
    /// The first start of all legs.
    pub fn start(&self) -> u64 {
        self.legs.iter().map(|leg| leg.start).min().unwrap_or(0)
    }

    /// The last end of all legs.
    pub fn end(&self) -> u64 {
        self.legs.iter().map(|leg| leg.end).max().unwrap_or(0)
    }
}

impl Action for Call {
    fn check(&self) -> Result<(), DecodeError> {
        if self.legs.len() > MAX_LEGS || self.demands.len() > MAX_DEMANDS || self.counter_key.len() > MAX_KEY
        {
            return Err(DecodeError::TooLarge);
        }
        text::all([
            self.sequence > 0,
            !self.legs.is_empty(),
            are_forms(&self.forms),
            self.closes <= self.start(),
            self.expires >= self.end(),
            self.counters.len() == 1,
        ])?;
        text::line("title", &self.title, MAX_TITLE)?;
        text::optional_line("tzdb", &self.tzdb, 16)?;
        self.demands.iter().try_for_each(|demand| text::line("demand", demand, MAX_DEMAND))?;
        self.legs.iter().try_for_each(check_leg)
    }
}

fn are_forms(forms: &[String]) -> bool {
    let known = |form: &String| FORMS.contains(&form.as_str());
    let once = forms.iter().enumerate().all(|(at, form)| !forms.iter().skip(at + 1).any(|f| f == form));
    !forms.is_empty() && once && forms.iter().all(known)
}

fn check_leg(leg: &Leg) -> Result<(), DecodeError> {
    text::all([leg.start < leg.end])?;
    text::line("zone", &leg.zone, MAX_LINE)?;
    text::optional_line("place", &leg.place, MAX_LINE)?;
    text::line("start", &leg.start_local, 32)?;
    text::line("end", &leg.end_local, 32)
}

/// The end of a call before its time.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CallOff {
    /// The call.
    #[n(0)]
    pub call: EntryId,
    /// Strictly above every earlier number of this call.
    #[n(1)]
    pub sequence: u32,
    /// Why, in one line.
    #[n(2)]
    pub reason: String,
}

impl Action for CallOff {
    fn check(&self) -> Result<(), DecodeError> {
        text::all([self.sequence > 0])?;
        text::line("reason", &self.reason, MAX_DEMAND)
    }
}
