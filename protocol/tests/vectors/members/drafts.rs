//! A lone founder's group: its council is one, so that no majority act completes.

use serde_json::Value;

use super::{Act, admit, by, invite, leave, remove, revoke, story};

pub fn stories() -> Vec<Value> {
    [entitled(), endings(), codes()].concat()
}

fn entitled() -> Vec<Value> {
    vec![
        story("M-1", "the founder lets in", &[Act(1, "f", &[], admit("a"))]),
        story(
            "M-1",
            "a member lets nobody in, puts nobody out, makes no code",
            &[
                Act(1, "f", &[], admit("a")),
                Act(2, "f", &[1], admit("b")),
                Act(3, "a", &[2], admit("c")),
                Act(4, "a", &[2], remove("b")),
                Act(5, "a", &[2], invite("k", 1)),
            ],
        ),
        story("M-1", "a stranger does nothing", &[Act(1, "s", &[], admit("s")), Act(2, "s", &[], leave())]),
        story(
            "M-1",
            "what was entitled stays so, whatever its author became",
            &[Act(1, "f", &[], admit("a")), Act(2, "a", &[1], leave()), Act(3, "a", &[2], leave())],
        ),
        story(
            "M-4",
            "the founder is put out by nobody",
            &[Act(1, "f", &[], admit("a")), Act(2, "f", &[1], remove("f")), Act(3, "f", &[1], remove("af"))],
        ),
        story(
            "M-13",
            "the founder may go; then nobody holds the keys",
            &[Act(1, "f", &[], admit("a")), Act(2, "f", &[1], leave()), Act(3, "f", &[2], admit("b"))],
        ),
    ]
}

fn endings() -> Vec<Value> {
    let removed = || [Act(1, "f", &[], admit("a")), Act(2, "f", &[1], remove("a"))];
    let [one, two] = removed();
    let [one_again, two_again] = removed();
    vec![
        story("M-12", "removed, and let in again by who knew", &[one, two, Act(3, "f", &[2], admit("a"))]),
        story(
            "M-12",
            "removed, and let in again blind to it",
            &[one_again, two_again, Act(3, "f", &[1], admit("a"))],
        ),
        story(
            "M-12",
            "removed twice, the admission knows one",
            &[
                Act(1, "f", &[], admit("a")),
                Act(2, "f", &[1], remove("a")),
                Act(3, "f", &[1], remove("a")),
                Act(4, "f", &[2], admit("a")),
            ],
        ),
        story(
            "M-13",
            "a back-dated leaving ends its author alone",
            &[Act(1, "f", &[], admit("a")), Act(2, "f", &[1], admit("b")), Act(3, "a", &[1], leave())],
        ),
        story(
            "M-16",
            "of two admissions the one with the smaller id is shown",
            &[Act(5, "f", &[], admit("a")), Act(4, "f", &[], admit("a"))],
        ),
    ]
}

fn codes() -> Vec<Value> {
    vec![
        story("M-15", "by code", &[Act(1, "f", &[], invite("k", 1)), Act(2, "f", &[1], by("a", "k"))]),
        story("M-15", "by a code nobody made", &[Act(1, "f", &[], by("a", "k"))]),
        story(
            "M-15",
            "by a code its author did not know of",
            &[Act(1, "f", &[], invite("k", 1)), Act(2, "f", &[], by("a", "k"))],
        ),
        story(
            "M-15",
            "two by a code for one: both wait, however they came",
            &[
                Act(1, "f", &[], invite("k", 1)),
                Act(2, "f", &[1], by("a", "k")),
                Act(3, "f", &[1], by("b", "k")),
            ],
        ),
        story(
            "M-15",
            "of two who wait one is let in by hand",
            &[
                Act(1, "f", &[], invite("k", 1)),
                Act(2, "f", &[1], by("a", "k")),
                Act(3, "f", &[1], by("b", "k")),
                Act(4, "f", &[2, 3], admit("b")),
            ],
        ),
        story(
            "M-15",
            "one device twice is one use",
            &[
                Act(1, "f", &[], invite("k", 1)),
                Act(2, "f", &[1], by("a", "k")),
                Act(3, "f", &[1], by("a", "k")),
            ],
        ),
        story(
            "M-15",
            "who has gone has used the code",
            &[
                Act(1, "f", &[], invite("k", 1)),
                Act(2, "f", &[1], by("a", "k")),
                Act(3, "a", &[2], leave()),
                Act(4, "f", &[3], by("b", "k")),
            ],
        ),
        story(
            "M-15",
            "revoked, as its author knew",
            &[
                Act(1, "f", &[], invite("k", 1)),
                Act(2, "f", &[1], revoke("k")),
                Act(3, "f", &[2], by("a", "k")),
            ],
        ),
        story(
            "M-15",
            "revoked by the founder blind to the admission",
            &[
                Act(1, "f", &[], invite("k", 1)),
                Act(2, "f", &[1], by("a", "k")),
                Act(3, "f", &[1], revoke("k")),
            ],
        ),
        story(
            "M-15",
            "revoked knowing the admission, which stands",
            &[
                Act(1, "f", &[], invite("k", 1)),
                Act(2, "f", &[1], by("a", "k")),
                Act(3, "f", &[2], revoke("k")),
            ],
        ),
        story(
            "M-15",
            "a member revokes a code that is not his",
            &[
                Act(1, "f", &[], invite("k", 2)),
                Act(2, "f", &[1], by("a", "k")),
                Act(3, "a", &[2], revoke("k")),
            ],
        ),
        story(
            "M-15",
            "of two acts for one code the smaller id counts",
            &[
                Act(2, "f", &[], invite("k", 1)),
                Act(1, "f", &[], invite("k", 5)),
                Act(3, "f", &[1, 2], by("a", "k")),
                Act(4, "f", &[3], by("b", "k")),
            ],
        ),
    ]
}
