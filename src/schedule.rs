//! Times, spans and amounts as people write them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use piquet_protocol::action::grievance::{AMOUNT_KINDS, AMOUNT_PERIODS, Amount};

use crate::control::Failure;

/// Before the first start of a call, when its pledging ends unless said otherwise.
pub const QUIET: u64 = 12 * 3600;

/// Seconds since 1970 of a wall-clock time in a zone. A time that a clock change skips or repeats is
/// refused: a strike must not start at two moments, or at none.
///
/// # Errors
/// A time or zone that isn't one; a time that isn't one moment.
pub fn local(time: &str, zone: &str) -> Result<u64, Failure> {
    let bad_time = || Failure::new("bad_time", 1).with("time", time);
    let tz = TimeZone::get(zone).map_err(|_| Failure::new("bad_zone", 1).with("zone", zone))?;
    let civil: DateTime = time.parse().map_err(|_| bad_time())?;
    let moment = tz.to_ambiguous_timestamp(civil).unambiguous();
    let moment = moment.map_err(|_| Failure::new("no_such_time", 1).with("time", time).with("zone", zone))?;
    u64::try_from(moment.as_second()).map_err(|_| bad_time())
}

/// RFC 3339 in UTC.
pub fn utc(seconds: u64) -> String {
    i64::try_from(seconds)
        .ok()
        .and_then(|s| Timestamp::from_second(s).ok())
        .map(|t| t.to_string())
        .unwrap_or_default()
}

/// A moment as a wall clock in its zone shows it, for people.
pub fn wall(seconds: u64, zone: &str) -> String {
    let moment = i64::try_from(seconds).ok().and_then(|s| Timestamp::from_second(s).ok());
    let zoned = moment.zip(TimeZone::get(zone).ok()).map(|(moment, tz)| moment.to_zoned_datetime(tz));
    zoned.map(|z| z.strftime("%Y-%m-%d %H:%M").to_string()).unwrap_or_else(|| utc(seconds))
}

/// Seconds of `90`, `60s`, `5m`, `1h`, `7d`.
///
/// # Errors
/// Anything else.
pub fn span(text: &str) -> Result<u64, String> {
    let (digits, unit) = match text.find(|c: char| !c.is_ascii_digit()) {
        Some(at) => text.split_at(at),
        None => (text, "s"),
    };
    let factor = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(format!("`{text}` is not a span of time like 60s, 5m, 1h or 7d")),
    };
    let number: u64 =
        digits.parse().map_err(|_| format!("`{text}` is not a span of time like 60s, 5m, 1h or 7d"))?;
    number.checked_mul(factor).filter(|s| *s <= 3650 * 86_400).ok_or_else(|| format!("`{text}` is too long"))
}

/// When pledging ends: as said, or twelve hours before the start, but never in the past.
///
/// # Errors
/// As for [`local`].
pub fn closes(said: Option<&str>, zone: &str, start: u64, now: u64) -> Result<u64, Failure> {
    match said {
        Some(time) => local(time, zone),
        None => Ok(start.saturating_sub(QUIET).max(now).min(start)),
    }
}

/// `paid=4.50EUR/task`.
///
/// # Errors
/// Anything that isn't of that form.
pub fn amount(text: &str) -> Result<Amount, Failure> {
    parse_amount(text).ok_or_else(|| Failure::new("bad_amount", 1).with("amount", text))
}

fn parse_amount(text: &str) -> Option<Amount> {
    let (kind, rest) = text.split_once('=')?;
    let (number, per) = rest.split_once('/').unwrap_or((rest, "total"));
    let at = number.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (digits, unit) = number.split_at(at);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let scale = u8::try_from(fraction.len()).ok().filter(|scale| *scale <= 4)?;
    let value = format!("{whole}{fraction}").parse().ok()?;
    let known =
        AMOUNT_KINDS.contains(&kind) && AMOUNT_PERIODS.contains(&per) && (1..=8).contains(&unit.len());
    known.then(|| Amount { kind: kind.to_owned(), value, scale, unit: unit.to_owned(), per: per.to_owned() })
}

/// The same form back.
pub fn write_amount(amount: &Amount) -> String {
    let scale = usize::from(amount.scale);
    let digits = format!("{:0width$}", amount.value, width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len().saturating_sub(scale));
    let point = if scale == 0 { "" } else { "." };
    format!("{}={whole}{point}{fraction}{}/{}", amount.kind, amount.unit, amount.per)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wall_clock_time_is_one_moment_or_none() {
        assert_eq!(local("2026-12-04T18:00", "Europe/Paris").unwrap(), 1_796_403_600);
        assert_eq!(local("2026-12-04T18:00", "Africa/Nairobi").unwrap(), 1_796_396_400);
        // The clocks go forward over the one and back over the other.
        assert_eq!(local("2027-03-28T02:30", "Europe/Paris").unwrap_err().code, "no_such_time");
        assert_eq!(local("2026-10-25T02:30", "Europe/Paris").unwrap_err().code, "no_such_time");
        assert_eq!(local("2026-12-04T18:00", "Europe/Lutetia").unwrap_err().code, "bad_zone");
        assert_eq!(local("tomorrow", "Europe/Paris").unwrap_err().code, "bad_time");
    }

    #[test]
    fn times_are_written_in_utc_and_on_the_wall() {
        assert_eq!(utc(1_796_403_600), "2026-12-04T17:00:00Z");
        assert_eq!(wall(1_796_403_600, "Europe/Paris"), "2026-12-04 18:00");
    }

    #[test]
    fn spans_have_units() {
        for (text, seconds) in
            [("0s", 0), ("60s", 60), ("5m", 300), ("1h", 3600), ("7d", 604_800), ("42", 42)]
        {
            assert_eq!(span(text), Ok(seconds));
        }
        for text in ["", "h", "1w", "-1h", "99999999d", "1h30"] {
            assert!(span(text).is_err(), "{text}");
        }
    }

    #[test]
    fn pledging_never_ends_in_the_past_or_after_the_start() {
        assert_eq!(closes(None, "UTC", 100_000, 0), Ok(100_000 - QUIET));
        assert_eq!(closes(None, "UTC", 100_000, 90_000), Ok(90_000));
        assert_eq!(closes(None, "UTC", 100_000, 200_000), Ok(100_000));
    }

    #[test]
    fn amounts_round_trip() {
        for text in ["paid=4.50EUR/task", "hours=7h/day", "owed=1200KES/month", "waiting=0.25h/task"] {
            assert_eq!(write_amount(&amount(text).unwrap()), text);
        }
        assert_eq!(write_amount(&amount("paid=5EUR").unwrap()), "paid=5EUR/total");
        for text in
            ["", "paid", "paid=EUR/task", "paid=4.5/task", "stolen=1EUR", "paid=1.23456EUR", "paid=1EUR/moon"]
        {
            assert!(amount(text).is_err(), "{text}");
        }
    }
}
