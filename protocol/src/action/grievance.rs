//! Grievances and support for them.

use minicbor::{Decode, Encode};

use super::{Action, text};
use crate::codec::DecodeError;
use crate::id::EntryId;

const MAX_AMOUNTS: usize = 16;
const MAX_NARRATIVE: usize = 16 * 1024;
const MAX_LINE: usize = 128;

/// The categories, `area.matter`; areas without matters stand alone.
pub const CATEGORIES: [&str; 34] = [
    "pay.below_rate",
    "pay.unpaid_or_rejected",
    "pay.waiting",
    "pay.distance",
    "pay.grouped_orders",
    "pay.bonus",
    "pay.tips",
    "pay.deductions",
    "pay.late",
    "pay.expenses",
    "account.deactivated",
    "account.suspended",
    "account.id_check",
    "account.rating",
    "account.locked_out",
    "account.customer_complaint",
    "algorithm.dispatch",
    "algorithm.pay_change",
    "algorithm.monitoring",
    "algorithm.no_human_review",
    "algorithm.data_refused",
    "safety.accident",
    "safety.equipment",
    "safety.weather",
    "safety.assault",
    "safety.psychological",
    "respect.discrimination",
    "respect.harassment",
    "respect.no_reply",
    "retaliation",
    "contract.change",
    "contract.nda",
    "contract.status",
    "other",
];

/// What an amount is.
pub const AMOUNT_KINDS: [&str; 10] =
    ["paid", "expected", "owed", "deducted", "tip", "bonus", "hours", "waiting", "km", "tasks"];

/// What an amount is counted by.
pub const AMOUNT_PERIODS: [&str; 6] = ["task", "hour", "day", "week", "month", "total"];

/// What an amount rests on.
pub const AMOUNT_BASES: [&str; 3] = ["document", "measured", "estimate"];

/// How often something happens again.
pub const RHYTHMS: [&str; 4] = ["day", "week", "month", "task"];

/// A number with its meaning: `value / 10^scale unit per period`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Amount {
    /// One of [`AMOUNT_KINDS`].
    #[n(0)]
    pub kind: String,
    /// The digits.
    #[n(1)]
    pub value: u64,
    /// Digits after the point, at most 4.
    #[n(2)]
    pub scale: u8,
    /// ISO 4217 code, or a unit.
    #[n(3)]
    pub unit: String,
    /// One of [`AMOUNT_PERIODS`].
    #[n(4)]
    pub per: String,
    /// One of [`AMOUNT_BASES`], if its author says so.
    #[n(5)]
    pub basis: Option<String>,
}

/// What went wrong, for whom it may concern in the group.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Grievance {
    /// One of [`CATEGORIES`].
    #[n(0)]
    pub category: String,
    /// The platform's name.
    #[n(1)]
    pub platform: String,
    /// A day (`2026-11-20`), a month or a year: as precise as its author wants; or from one to another
    /// (`2026-11-03..2026-11-20`). May be empty.
    #[n(2)]
    pub when: String,
    /// City or zone, never coordinates; may be empty.
    #[n(3)]
    pub place: String,
    /// What it was about, in numbers.
    #[n(4)]
    pub amounts: Vec<Amount>,
    /// In the author's words; may be empty.
    #[n(5)]
    pub text: String,
    /// One of [`RHYTHMS`], if it goes on happening.
    #[n(6)]
    pub every: Option<String>,
    /// The IANA time zone of its dates.
    #[n(7)]
    pub zone: Option<String>,
}

impl Action for Grievance {
    fn check(&self) -> Result<(), DecodeError> {
        text::all([
            CATEGORIES.contains(&self.category.as_str()),
            is_when(&self.when),
            self.amounts.len() <= MAX_AMOUNTS,
            self.every.as_deref().is_none_or(|every| RHYTHMS.contains(&every)),
        ])?;
        text::line("platform", &self.platform, MAX_LINE)?;
        text::optional_line("place", &self.place, MAX_LINE)?;
        self.zone.as_deref().map_or(Ok(()), |zone| text::line("zone", zone, MAX_LINE))?;
        text::paragraph("text", &self.text, MAX_NARRATIVE)?;
        self.amounts.iter().try_for_each(check_amount)
    }
}

fn check_amount(amount: &Amount) -> Result<(), DecodeError> {
    text::all([
        AMOUNT_KINDS.contains(&amount.kind.as_str()),
        AMOUNT_PERIODS.contains(&amount.per.as_str()),
        amount.scale <= 4,
        amount.basis.as_deref().is_none_or(|basis| AMOUNT_BASES.contains(&basis)),
    ])?;
    text::line("amount", &amount.unit, 8)
}

/// Empty, a date, or two dates with `..` between them.
fn is_when(when: &str) -> bool {
    match when.split_once("..") {
        Some((from, to)) => is_date(from) && is_date(to),
        None => when.is_empty() || is_date(when),
    }
}

/// `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
fn is_date(when: &str) -> bool {
    let digits = |text: &str, len: usize| text.len() == len && text.bytes().all(|b| b.is_ascii_digit());
    let mut parts = when.split('-');
    let year = parts.next().is_some_and(|year| digits(year, 4));
    year && parts.clone().count() <= 2 && parts.all(|part| digits(part, 2))
}

/// How somebody backs a grievance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum SupportKind {
    /// The same happened to me.
    #[n(0)]
    Same,
    /// I saw it.
    #[n(1)]
    Witness,
    /// I have a document.
    #[n(2)]
    Document,
}

/// "Me too": one a member counts.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Support {
    /// The grievance.
    #[n(0)]
    pub grievance: EntryId,
    /// How.
    #[n(1)]
    pub kind: SupportKind,
}

impl Action for Support {
    fn check(&self) -> Result<(), DecodeError> {
        Ok(())
    }
}

#[cfg(test)]
impl Grievance {
    /// One that counts.
    pub(crate) fn sample() -> Self {
        Self {
            category: "pay.below_rate".into(),
            platform: "Deliverix".into(),
            when: "2026-11-20".into(),
            place: "Lyon".into(),
            amounts: vec![],
            text: "Three euros for six kilometres".into(),
            every: None,
            zone: None,
        }
    }
}
