//! `piquet strike …`

use clap::{Args, Subcommand};
use piquet_protocol::action::strike::FORMS;

use crate::control::request::{CallRequest, LegRequest};
use crate::control::{Failure, Request};
use crate::schedule::span;

#[derive(Subcommand)]
pub(super) enum Strike {
    /// Call a strike, or change a call.
    Call(Box<Call>),
    /// List a group's calls.
    List {
        /// Name, id, or a unique prefix of either.
        group: String,
    },
    /// Show a call and where it came from.
    Show {
        /// Name, id, or a unique prefix of either.
        group: String,
        /// Its id, or a unique prefix.
        id: String,
    },
    /// Pledge to take part. The counters named in the call can see it, nobody else.
    Pledge {
        /// Name, id, or a unique prefix of either.
        group: String,
        /// Its id, or a unique prefix.
        id: String,
        /// Take your pledge back; the last answer counts.
        #[arg(long)]
        withdraw: bool,
    },
    /// Call a strike off.
    CallOff {
        /// Name, id, or a unique prefix of either.
        group: String,
        /// Its id, or a unique prefix.
        id: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
}

#[derive(Args)]
pub(super) struct Call {
    /// Name, id, or a unique prefix of either.
    group: String,
    /// In one line.
    #[arg(long)]
    title: String,
    /// Local start, such as 2026-12-04T18:00.
    #[arg(long, required_unless_present = "legs", requires_all = ["end", "zone"], value_name = "LOCAL")]
    start: Option<String>,
    /// Local end.
    #[arg(long, required_unless_present = "legs", requires_all = ["start", "zone"], value_name = "LOCAL")]
    end: Option<String>,
    /// Time zone, such as Europe/Paris.
    #[arg(long, required_unless_present = "legs", requires_all = ["start", "end"], value_name = "IANA")]
    zone: Option<String>,
    /// Where, for --start and --end.
    #[arg(long, default_value = "", hide_default_value = true, requires = "start")]
    place: String,
    /// What people are asked to do; may be given several times.
    #[arg(long = "form", default_value = "log_off", value_parser = clap::builder::PossibleValuesParser::new(FORMS))]
    forms: Vec<String>,
    /// What is asked of the other side; may be given several times.
    #[arg(long = "demand")]
    demands: Vec<String>,
    /// Pledges the call asks for; 0 for none.
    #[arg(long, default_value_t = 0)]
    threshold: u32,
    /// When pledging ends, local in the first leg's zone [default: 12 h before the first start, or half-way
    /// to a start that is nearer].
    #[arg(long, value_name = "LOCAL")]
    closes: Option<String>,
    /// Every node answers once, yes or blank, at a random moment within this time; 0s: at once.
    #[arg(long, default_value = "1h", value_parser = span)]
    answer_window: u64,
    /// One more place and time: "ZONE;PLACE;START;END;THRESHOLD"; may be given several times. PLACE and
    /// THRESHOLD may be empty.
    #[arg(long = "leg", value_name = "ZONE;PLACE;START;END;THRESHOLD")]
    legs: Vec<String>,
    /// Change this call instead of making a new one: say all of it again, pledges given stay.
    #[arg(long, value_name = "ID")]
    changes: Option<String>,
}

impl Strike {
    pub(super) fn request(self) -> Result<Request, Failure> {
        Ok(match self {
            Self::Call(call) => call.request()?,
            Self::List { group } => Request::StrikeList { group },
            Self::Show { group, id } => Request::StrikeShow { group, id },
            Self::Pledge { group, id, withdraw } => Request::StrikePledge { group, id, yes: !withdraw },
            Self::CallOff { group, id, reason } => Request::StrikeCallOff { group, id, reason },
        })
    }
}

impl Call {
    fn request(self) -> Result<Request, Failure> {
        let mut legs = Vec::new();
        if let (Some(start), Some(end), Some(zone)) = (self.start, self.end, self.zone) {
            legs.push(LegRequest { zone, place: self.place, start, end, threshold: 0 });
        }
        for text in &self.legs {
            legs.push(leg(text).ok_or_else(|| Failure::new("bad_leg", 1))?);
        }
        let call = CallRequest {
            changes: self.changes,
            title: self.title,
            demands: self.demands,
            forms: self.forms,
            legs,
            threshold: self.threshold,
            closes: self.closes,
            answer_window: u32::try_from(self.answer_window).unwrap_or(u32::MAX),
        };
        Ok(Request::StrikeCall { group: self.group, call })
    }
}

fn leg(text: &str) -> Option<LegRequest> {
    let mut parts = text.split(';').map(|part| part.trim().to_owned());
    let (zone, place, start, end) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let threshold = parts.next().filter(|t| !t.is_empty()).map_or(Some(0), |t| t.parse().ok())?;
    parts.next().is_none().then_some(LegRequest { zone, place, start, end, threshold })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leg_has_four_or_five_parts() {
        let full = leg("Africa/Nairobi;Nairobi CBD;2026-12-04T20:00;2026-12-05T00:00;40").unwrap();
        assert_eq!(
            (full.zone.as_str(), full.place.as_str(), full.threshold),
            ("Africa/Nairobi", "Nairobi CBD", 40)
        );
        assert_eq!(leg("UTC;;2026-12-04T20:00;2026-12-05T00:00").unwrap().threshold, 0);
        for text in ["", "UTC", "UTC;x;a;b;many", "UTC;x;a;b;1;2"] {
            assert!(leg(text).is_none(), "{text}");
        }
    }
}
