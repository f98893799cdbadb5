//! Amounts as people write them: `paid=4.50EUR/task:document`, `hours=7h/day`.

use iso_currency::Currency;
use piquet_protocol::action::grievance::{AMOUNT_BASES, AMOUNT_KINDS, AMOUNT_PERIODS, Amount};

use crate::control::Failure;

/// Most digits after the point of what is not money.
const MAX_SCALE: usize = 4;

/// What an amount of one kind may be counted in; the first if nothing is said. None: money.
fn units(kind: &str) -> Option<&'static [&'static str]> {
    match kind {
        "hours" => Some(&["h", "min"]),
        "waiting" => Some(&["min", "h", "s"]),
        "km" => Some(&["km", "mi"]),
        "tasks" => Some(&["tasks"]),
        _ => None,
    }
}

/// Reads `KIND=NUMBER[UNIT][/PER][:BASIS]`. Money is kept in minor units of its currency.
///
/// # Errors
/// Anything that isn't of that form; a currency that ISO 4217 doesn't know; decimals it doesn't have.
pub fn amount(text: &str) -> Result<Amount, Failure> {
    let bad = || Failure::new("bad_amount", 1).with("amount", text);
    let (kind, rest) = text.split_once('=').ok_or_else(bad)?;
    let (rest, basis) = rest.split_once(':').map_or((rest, None), |(rest, basis)| (rest, Some(basis)));
    let (number, per) = rest.split_once('/').unwrap_or((rest, "total"));
    let known = AMOUNT_KINDS.contains(&kind) && AMOUNT_PERIODS.contains(&per);
    if !known || basis.is_some_and(|basis| !AMOUNT_BASES.contains(&basis)) {
        return Err(bad());
    }
    let at = number.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ',').unwrap_or(number.len());
    let (digits, unit) = number.split_at(at);
    let digits = digits.replace(',', ".");
    let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
    if whole.is_empty() || fraction.contains('.') {
        return Err(bad());
    }
    let scale = scale(kind, unit.trim(), fraction.len(), text)?;
    let value = format!("{whole}{fraction:0<width$}", width = scale.decimals).parse().map_err(|_| bad())?;
    Ok(Amount {
        kind: kind.to_owned(),
        value,
        scale: u8::try_from(scale.decimals).map_err(|_| bad())?,
        unit: scale.unit,
        per: per.to_owned(),
        basis: basis.map(str::to_owned),
    })
}

struct Scale {
    unit: String,
    decimals: usize,
}

fn scale(kind: &str, unit: &str, decimals: usize, text: &str) -> Result<Scale, Failure> {
    if let Some(units) = units(kind) {
        let unit = if unit.is_empty() { units.first().copied().unwrap_or_default() } else { unit };
        let fits = units.contains(&unit) && decimals <= MAX_SCALE;
        return if fits {
            Ok(Scale { unit: unit.to_owned(), decimals })
        } else {
            Err(Failure::new("bad_amount", 1).with("amount", text))
        };
    }
    let code = unit.to_ascii_uppercase();
    let unknown = || Failure::new("unknown_currency", 1).with("currency", unit).with("amount", text);
    let has = usize::from(Currency::from_code(&code).and_then(Currency::exponent).ok_or_else(unknown)?);
    if decimals > has {
        return Err(Failure::new("bad_decimals", 1).with("currency", code).with("decimals", has.to_string()));
    }
    Ok(Scale { unit: code, decimals: has })
}

/// A number of `scale` digits after the point.
pub fn decimal(value: u128, scale: u8) -> String {
    let scale = usize::from(scale);
    let digits = format!("{value:0width$}", width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len().saturating_sub(scale));
    if scale == 0 { whole.to_owned() } else { format!("{whole}.{fraction}") }
}

/// The same form back.
pub fn write_amount(amount: &Amount) -> String {
    let number = decimal(u128::from(amount.value), amount.scale);
    let basis = amount.basis.as_ref().map(|basis| format!(":{basis}")).unwrap_or_default();
    format!("{}={number}{}/{}{basis}", amount.kind, amount.unit, amount.per)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_round_trip() {
        for text in [
            "paid=4.50EUR/task",
            "hours=7h/day",
            "owed=1200.00KES/month",
            "waiting=0.25h/task",
            "km=6.5km/task:measured",
            "tasks=12tasks/day:estimate",
            "deducted=1.250KWD/week:document",
            "expected=600JPY/hour",
        ] {
            assert_eq!(write_amount(&amount(text).unwrap()), text);
        }
    }

    #[test]
    fn what_is_left_out_is_filled_in() {
        for (text, whole) in [
            ("paid=5EUR", "paid=5.00EUR/total"),
            ("paid=4,5eur/task", "paid=4.50EUR/task"),
            ("tip=1KWD", "tip=1.000KWD/total"),
            ("hours=7/day", "hours=7h/day"),
            ("waiting=20/task", "waiting=20min/task"),
            ("tasks=12/day", "tasks=12tasks/day"),
        ] {
            assert_eq!(write_amount(&amount(text).unwrap()), whole);
        }
    }

    #[test]
    fn money_is_whole_minor_units_of_a_known_currency() {
        let paid = amount("paid=4.5EUR/task").unwrap();
        assert_eq!((paid.value, paid.scale), (450, 2));
        for (text, code) in [
            ("paid=4.5XYZ/task", "unknown_currency"),
            ("paid=4.5/task", "unknown_currency"),
            ("paid=4.5XAU", "unknown_currency"),
            ("paid=4.5h/task", "unknown_currency"),
            ("paid=600.5JPY/hour", "bad_decimals"),
            ("paid=1.234EUR", "bad_decimals"),
            ("paid=1.2345KWD", "bad_decimals"),
        ] {
            assert_eq!(amount(text).unwrap_err().code, code, "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in [
            "",
            "paid",
            "paid=EUR/task",
            "paid=1.2.3EUR",
            "paid=-1EUR",
            "stolen=1EUR",
            "paid=1EUR/moon",
            "paid=1EUR/task:rumour",
            "hours=7EUR/day",
            "km=1.23456km",
            "paid=99999999999999999999EUR",
        ] {
            assert_eq!(amount(text).unwrap_err().code, "bad_amount", "{text}");
        }
    }
}
