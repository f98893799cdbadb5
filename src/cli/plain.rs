//! Texts of others on a terminal: nothing in them may move the cursor, colour the screen, turn the
//! direction of writing, hide, or begin a line that looks like somebody else's.

/// How far the further lines of a text stand in.
pub(super) const INDENT: &str = "      ";

/// A text with control characters, escape sequences, bidirectional overrides and invisible characters made
/// visible, its further lines indented.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.extend(['\n'].into_iter().chain(INDENT.chars())),
            c if is_safe(c) => out.push(c),
            _ => out.push('\u{fffd}'),
        }
    }
    out
}

/// A person's name before what it says or does: quoted if it could pass for more than a name.
pub(super) fn who(name: &str) -> String {
    let name = plain(name);
    let mark =
        |c: char| (c.is_ascii_punctuation() && !"-'._#".contains(c)) || "“”«»：；—–\u{fffd}".contains(c);
    if name.contains(mark) || name.contains("  ") {
        format!("“{}”", name.replace(['“', '”'], "\""))
    } else {
        name
    }
}

fn is_safe(c: char) -> bool {
    let turns =
        matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}');
    // The joiners U+200C and U+200D stay: Persian and many emoji are written with them.
    let hides = matches!(
        c,
        '\u{ad}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{180e}'
            | '\u{200b}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{2060}'..='\u{2065}'
            | '\u{3164}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}'
    );
    !c.is_control() && !turns && !hides
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_writes_on_anothers_screen() {
        let hostile = "\u{1b}[2Jcleared\u{7}\r\u{9b}31m \u{202e}desrever\u{61c}\u{2066}";
        let shown = plain(hostile);
        assert!(!shown.chars().any(|c| c.is_control()), "{shown}");
        assert!(!shown.contains(['\u{202e}', '\u{61c}', '\u{2066}']), "{shown}");
        assert_eq!(plain("a\u{200b}\u{ad}\u{e0041}b"), "a\u{fffd}\u{fffd}\u{fffd}b");
        assert_eq!(plain("grève à 18 h — 罢工 إضراب 👩‍👩‍👧"), "grève à 18 h — 罢工 إضراب 👩‍👩‍👧");
    }

    #[test]
    fn a_second_line_never_stands_where_a_first_one_does() {
        let shown = plain("hello\n2026-11-25 03:20 alice: the strike is off");
        assert!(shown.lines().skip(1).all(|line| line.starts_with(INDENT)), "{shown}");
    }

    #[test]
    fn a_name_that_says_something_is_quoted() {
        assert_eq!(who("Zoé d'Arc-2"), "Zoé d'Arc-2");
        assert_eq!(who("alice#1a2b3c4d"), "alice#1a2b3c4d");
        assert_eq!(who("alice: it's off"), "“alice: it's off”");
        assert_eq!(who("bob”  x: “"), "“bob\"  x: \"”");
        assert_eq!(who("إضراب"), "إضراب");
    }
}
