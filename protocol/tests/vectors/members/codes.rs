//! Codes in a founded group (M-15).

use serde_json::Value;

use super::*;

pub fn stories() -> Vec<Value> {
    [two_hands(), closed(), leaked(), copied()].concat()
}

fn two_hands() -> Vec<Value> {
    let by_code = || [Act(1, "d", &[], invite("k", 3)), Act(2, "e", &[1], by("p", "k"))];
    let told = |more: Vec<Act>| by_code().into_iter().chain(more).collect::<Vec<_>>();
    vec![
        OPEN.story(
            "M-15",
            "any member makes a code where any admits, and another opens",
            &told(vec![Act(3, "p", &[2], by("q", "k"))]),
        ),
        OPEN.story(
            "M-15",
            "the issuer was ended blind to the admission",
            &told(vec![Act(3, "a", &[1], remove("d"))]),
        ),
        OPEN.story(
            "M-15",
            "the door-opener was ended blind to the admission",
            &told(vec![Act(3, "a", &[1], remove("e"))]),
        ),
        OPEN.story(
            "M-15",
            "issuer and door-opener were ended knowing it",
            &told(vec![Act(3, "a", &[2], remove("de")), Act(4, "b", &[3], by("q", "k"))]),
        ),
        OPEN.story(
            "M-15",
            "the issuer's own admission falls",
            &[
                Act(1, "d", &[], admit("p")),
                Act(2, "p", &[1], invite("k", 2)),
                Act(3, "e", &[2], by("q", "k")),
                Act(4, "a", &[], remove("d")),
            ],
        ),
    ]
}

fn closed() -> Vec<Value> {
    vec![
        OPEN.story(
            "M-15",
            "a plain issuer's revocation binds those who know it",
            &[
                Act(1, "d", &[], invite("k", 3)),
                Act(2, "d", &[1], revoke("k")),
                Act(3, "e", &[1], by("p", "k")),
                Act(4, "e", &[2], by("q", "k")),
            ],
        ),
        Group("abc", "abcde", "abcde", 1, 2).story(
            "M-15",
            "where two remove, two revoke",
            &[
                Act(1, "d", &[], invite("k", 3)),
                Act(2, "d", &[], invite("l", 3)),
                Act(3, "a", &[1, 2], revoke("k")),
                Act(4, "a", &[1, 2], revoke("l")),
                Act(5, "b", &[4], approve(4)),
                Act(6, "e", &[1, 2], by("p", "k")),
                Act(7, "e", &[1, 2], by("q", "l")),
            ],
        ),
        OPEN.story(
            "M-15",
            "a revocation by one expelled blind to it falls, and is listed",
            &[
                Act(1, "d", &[], invite("k", 3)),
                Act(2, "c", &[1], revoke("k")),
                Act(3, "e", &[1], by("p", "k")),
                Act(4, "a", &[], expel("c", COUNCIL)),
                Act(5, "b", &[4], approve(4)),
            ],
        ),
        OPEN.story(
            "M-15",
            "a code closes with its issuer's removal, and opens nothing once he left",
            &[
                Act(1, "d", &[], invite("k", 3)),
                Act(2, "e", &[], invite("l", 3)),
                Act(3, "a", &[1], remove("d")),
                Act(4, "e", &[2], leave()),
                Act(5, "b", &[3, 4], by("p", "k")),
                Act(6, "b", &[3, 4], by("q", "l")),
                Act(7, "b", &[3, 4], admit("d")),
                Act(8, "b", &[7], by("r", "k")),
                Act(9, "d", &[7], invite("m", 1)),
                Act(10, "b", &[9], by("s", "m")),
            ],
        ),
    ]
}

fn leaked() -> Vec<Value> {
    vec![
        OPEN.story(
            "M-15",
            "a code is used in both halves: the surplus waits, but for those enrolled or let in by hand",
            &[
                Act(1, "d", &[], invite("k", 2)),
                Act(2, "d", &[1], by("p", "k")),
                Act(3, "a", &[2], enrol("p", COUNCIL)),
                Act(4, "b", &[3], approve(3)),
                Act(5, "e", &[1], by("q", "k")),
                Act(6, "e", &[5], by("r", "k")),
                Act(7, "a", &[4, 6], admit("r")),
            ],
        ),
        OPEN.story(
            "M-15",
            "a revoked code is opened from the past by an accomplice",
            &[
                Act(1, "d", &[], invite("k", 1)),
                Act(2, "a", &[1], revoke("k")),
                Act(3, "e", &[1], by("p", "k")),
                Act(4, "e", &[1], by("q", "k")),
                Act(5, "b", &[2, 3], admit("p")),
            ],
        ),
        OPEN.story(
            "M-15",
            "who waits lets nobody in",
            &[
                Act(1, "d", &[], invite("k", 1)),
                Act(2, "d", &[1], by("p", "k")),
                Act(3, "e", &[1], by("q", "k")),
                Act(4, "p", &[2, 3], admit("r")),
            ],
        ),
    ]
}

/// Two invites for one key: the code is known, or its holder signed another from the past.
fn copied() -> Vec<Value> {
    vec![
        OPEN.story(
            "M-15",
            "a code that is known is made by nobody again, not even when it is closed",
            &[
                Act(2, "d", &[], invite("k", 1)),
                Act(1, "e", &[2], invite("k", 5)),
                Act(3, "d", &[2], invite("k", 5)),
                Act(4, "d", &[2], by("p", "k")),
                Act(5, "e", &[4], by("q", "k")),
                Act(6, "a", &[5], revoke("k")),
                Act(7, "a", &[6], invite("k", 5)),
            ],
        ),
        OPEN.story(
            "M-15",
            "a back-dated copy of an invite spoils nobody's admission",
            &[
                Act(2, "d", &[], invite("k", 5)),
                Act(3, "d", &[2], by("p", "k")),
                Act(4, "d", &[3], by("q", "k")),
                Act(1, "e", &[], invite("k", 1)),
                Act(5, "a", &[], remove("e")),
            ],
        ),
        OPEN.story(
            "M-15",
            "a back-dated copy with more uses lets in nobody who waits",
            &[
                Act(2, "d", &[], invite("k", 1)),
                Act(3, "d", &[2], by("p", "k")),
                Act(4, "e", &[2], by("q", "k")),
                Act(1, "e", &[], invite("k", 5)),
            ],
        ),
        OPEN.story(
            "M-15",
            "each came in by the invite that its door-opener knew",
            &[
                Act(2, "d", &[], invite("k", 1)),
                Act(1, "e", &[], invite("k", 1)),
                Act(3, "a", &[2], by("p", "k")),
                Act(4, "a", &[1, 2], by("q", "k")),
                Act(5, "b", &[1], by("r", "k")),
            ],
        ),
        OPEN.story(
            "M-15",
            "of two who made one code each answers for those who came in by his",
            &[
                Act(2, "d", &[], invite("k", 3)),
                Act(1, "e", &[], invite("k", 3)),
                Act(3, "a", &[2], by("p", "k")),
                Act(4, "a", &[1], by("q", "k")),
                Act(5, "b", &[1, 2], remove("e")),
            ],
        ),
        OPEN.story(
            "M-15",
            "a revocation by a key-holder closes both of two invites for one key",
            &[
                Act(2, "d", &[], invite("k", 3)),
                Act(1, "e", &[], invite("k", 3)),
                Act(3, "a", &[2], by("p", "k")),
                Act(4, "b", &[1], revoke("k")),
                Act(5, "c", &[1, 2], by("q", "k")),
                Act(6, "c", &[4], by("r", "k")),
            ],
        ),
    ]
}
