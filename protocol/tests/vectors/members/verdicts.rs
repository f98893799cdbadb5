//! What closes an open act, and what forks do not undo (M-9, M-14).

use serde_json::Value;

use super::*;

pub fn stories() -> Vec<Value> {
    [dismissed(), not_dismissed(), forks()].concat()
}

fn dismissed() -> Vec<Value> {
    vec![
        THREE.story(
            "M-9",
            "an old accusation is dismissed, and completed in vain",
            &[
                Act(1, "a", &[], expel("d", COUNCIL)),
                Act(2, "b", &[1], dismiss(1)),
                Act(3, "c", &[2], approve(2)),
                Act(4, "b", &[3], approve(1)),
            ],
        ),
        THREE.story(
            "M-9",
            "a dismissal beats a decision blind to it",
            &[
                Act(1, "a", &[], expel("d", COUNCIL)),
                Act(2, "b", &[1], approve(1)),
                Act(3, "c", &[1], dismiss(1)),
                Act(4, "b", &[3], approve(3)),
            ],
        ),
        THREE.story(
            "M-9",
            "a grant is dismissed, and what rests on it falls",
            &[
                Act(1, "a", &[], promote("d", COUNCIL)),
                Act(2, "b", &[1], approve(1)),
                Act(3, "d", &[2], admit("p")),
                Act(4, "c", &[1], dismiss(1)),
                Act(5, "b", &[4], approve(4)),
            ],
        ),
        Group("abc", "abcde", "cde", 0, 1).story(
            "M-9",
            "an act of the roll is dismissed by the roll",
            &[
                Act(1, "c", &[], rule("few", 2, ROLL)),
                Act(2, "d", &[1], dismiss(1)),
                Act(3, "e", &[2], approve(2)),
            ],
        ),
    ]
}

fn not_dismissed() -> Vec<Value> {
    vec![
        THREE.story(
            "M-9",
            "what is decided is not dismissed",
            &[
                Act(1, "a", &[], expel("d", COUNCIL)),
                Act(2, "b", &[1], approve(1)),
                Act(3, "c", &[2], dismiss(1)),
            ],
        ),
        THREE.story(
            "M-9",
            "nothing but open acts of a majority is dismissed, and nothing unknown",
            &[
                Act(1, "a", &[], remove("d")),
                Act(2, "b", &[1], dismiss(1)),
                Act(3, "a", &[1], expel("e", COUNCIL)),
                Act(4, "b", &[1], dismiss(3)),
                Act(5, "b", &[3], dismiss(3)),
                Act(6, "a", &[5], dismiss(5)),
            ],
        ),
        Group("abc", "abcde", "abcde", 0, 2).story(
            "M-9",
            "an open removal is not dismissed",
            &[
                Act(1, "a", &[], remove("d")),
                Act(2, "b", &[1], dismiss(1)),
                Act(3, "c", &[1], dismiss(1)),
                Act(4, "b", &[1], approve(1)),
            ],
        ),
        Group("abc", "abcde", "cde", 0, 1).story(
            "M-9",
            "key-holders who do not vote dismiss no act of the roll",
            &[
                Act(1, "c", &[], rule("few", 2, ROLL)),
                Act(2, "a", &[1], dismiss(1)),
                Act(3, "b", &[2], approve(2)),
                Act(4, "c", &[2], approve(2)),
            ],
        ),
        THREE.story(
            "M-9",
            "an approval is not withdrawn by an open dismissal",
            &[
                Act(1, "a", &[], expel("d", COUNCIL)),
                Act(2, "a", &[1], dismiss(1)),
                Act(3, "b", &[2], approve(1)),
            ],
        ),
    ]
}

fn forks() -> Vec<Value> {
    vec![
        OPEN.story(
            "M-14",
            "both branches of a log count",
            &[Act(1, "d", &[], admit("p")), Act(2, "d", &[], admit("q")), Act(3, "a", &[1, 2], admit("r"))],
        ),
        THREE.story(
            "M-14",
            "a signer forks at his approval: the verdict stands",
            &[
                Act(1, "a", &[], expel("d", COUNCIL)),
                Act(2, "b", &[1], approve(1)),
                Act(3, "b", &[1], admit("d")),
                Act(4, "b", &[1], expel("a", COUNCIL)),
            ],
        ),
        OPEN.story(
            "M-14",
            "of two branches a verdict keeps the one it knew",
            &[
                Act(1, "d", &[], admit("p")),
                Act(2, "d", &[], admit("q")),
                Act(3, "a", &[1], expel("d", COUNCIL)),
                Act(4, "b", &[3], approve(3)),
            ],
        ),
    ]
}
