//! Dates of grievances: a day, a month, a year, or from one to another.

use jiff::civil::Date;

use crate::control::Failure;

/// Checks that `when` names days that exist, in order.
///
/// # Errors
/// Anything else.
pub fn check_when(when: &str) -> Result<(), Failure> {
    let sound = match when.split_once("..") {
        Some((from, to)) => first_day(from).zip(last_day(to)).is_some_and(|(from, to)| from <= to),
        None => when.is_empty() || first_day(when).is_some(),
    };
    if sound { Ok(()) } else { Err(Failure::new("bad_when", 1).with("when", when)) }
}

/// Checks that a place is told in words: where somebody is to the metre is nobody's business.
///
/// # Errors
/// Coordinates.
pub fn check_place(place: &str) -> Result<(), Failure> {
    let number = |word: &&str| word.contains('.') && word.parse::<f64>().is_ok();
    let words = place.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '/' | '(' | ')' | ':'));
    let coordinates = place.contains(['°', '′', '″']) || words.filter(number).count() > 1;
    if coordinates { Err(Failure::new("coordinates", 1)) } else { Ok(()) }
}

fn parts(text: &str) -> Option<(i16, Option<i8>, Option<i8>)> {
    let digits = |part: &str, length: usize| part.len() == length && part.bytes().all(|b| b.is_ascii_digit());
    let mut parts = text.split('-');
    let year = parts.next().filter(|year| digits(year, 4))?.parse().ok()?;
    let two = |part: &str| digits(part, 2).then(|| part.parse().ok()).flatten();
    let month = parts.next().map(two);
    let day = parts.next().map(two);
    let sound = parts.next().is_none() && month != Some(None) && day != Some(None);
    sound.then_some((year, month.flatten(), day.flatten()))
}

fn first_day(text: &str) -> Option<Date> {
    let (year, month, day) = parts(text)?;
    Date::new(year, month.unwrap_or(1), day.unwrap_or(1)).ok()
}

fn last_day(text: &str) -> Option<Date> {
    let (year, month, day) = parts(text)?;
    let month = Date::new(year, month.unwrap_or(12), 1).ok()?;
    match day {
        Some(day) => Date::new(year, month.month(), day).ok(),
        None => Some(month.last_of_month()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_exist_and_go_forward() {
        for when in ["", "2026", "2026-11", "2026-11-20", "2028-02-29", "2026-11..2026-11-20", "2026..2026"] {
            assert_eq!(check_when(when), Ok(()), "{when}");
        }
        for when in [
            "hier",
            "2026-13",
            "2026-11-31",
            "2027-02-29",
            "2026-12..2026-11",
            "2026..",
            "26-11",
            "2026-11-2",
        ] {
            assert_eq!(check_when(when).unwrap_err().code, "bad_when", "{when}");
        }
    }

    #[test]
    fn places_are_words() {
        for place in ["", "Lyon", "Lyon, Part-Dieu", "Paris 11", "Zone 4.2", "18/20 rue X"] {
            assert_eq!(check_place(place), Ok(()), "{place}");
        }
        for place in
            ["48.8566, 2.3522", "48.8566,2.3522", "geo:48.85;-2.35", "48°51′N 2°21′E", "Lyon (45.7/4.8)"]
        {
            assert!(check_place(place).is_err(), "{place}");
        }
    }
}
