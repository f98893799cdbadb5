//! Texts of others on a terminal: nothing in them may move the cursor, colour the screen or turn
//! the direction of writing.

/// A text with control characters, escape sequences and bidirectional overrides made visible.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|c| if is_safe(c) { c } else { '\u{fffd}' }).collect()
}

fn is_safe(c: char) -> bool {
    let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let hides = matches!(c, '\u{200b}' | '\u{2028}' | '\u{2029}' | '\u{feff}');
    c == '\n' || !c.is_control() && !turns && !hides
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_writes_on_anothers_screen() {
        let hostile = "\u{1b}[2Jcleared\u{7}\r\u{9b}31m \u{202e}desrever";
        let shown = plain(hostile);
        assert!(!shown.chars().any(|c| c.is_control()) && !shown.contains('\u{202e}'), "{shown}");
        assert_eq!(
            plain("grève à 18 h — 罢工 إضراب 👩‍👩‍👧\nsecond line"),
            "grève à 18 h — 罢工 إضراب 👩‍👩‍👧\nsecond line"
        );
    }
}
