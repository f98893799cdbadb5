//! Who may sign, how many must, and what no single hand does (M-1 to M-4).

use serde_json::Value;

use super::*;

pub fn stories() -> Vec<Value> {
    [own_past(), raw(), majority(), crossing(), offices()].concat()
}

fn own_past() -> Vec<Value> {
    vec![
        OPEN.story("M-1", "any member admits where the rule says so", &[Act(1, "d", &[], admit("p"))]),
        THREE.story(
            "M-1",
            "who has lost the right does not sign what was proposed before",
            &[
                Act(1, "a", &[], expel("d", COUNCIL)),
                Act(2, "a", &[1], demote("c", COUNCIL)),
                Act(3, "b", &[2], approve(2)),
                Act(4, "c", &[3], approve(1)),
            ],
        ),
        THREE.story(
            "M-1",
            "who got the right later does not sign what was proposed before",
            &[
                Act(1, "a", &[], expel("d", COUNCIL)),
                Act(2, "a", &[1], promote("e", COUNCIL)),
                Act(3, "b", &[2], approve(2)),
                Act(4, "e", &[3], approve(1)),
            ],
        ),
        FIVE.story(
            "M-1",
            "a council that shrank does not lower what was asked",
            &[
                Act(1, "a", &[], expel("g", COUNCIL)),
                Act(2, "a", &[1], demote("de", COUNCIL)),
                Act(3, "b", &[2], approve(2)),
                Act(4, "c", &[3], approve(2)),
                Act(5, "b", &[4], approve(1)),
            ],
        ),
        THREE.story(
            "M-1",
            "majority acts, approvals, resignations of those without the right",
            &[
                Act(1, "d", &[], expel("a", COUNCIL)),
                Act(2, "d", &[], remove("e")),
                Act(3, "d", &[], resign()),
                Act(4, "a", &[], promote("e", COUNCIL)),
                Act(5, "d", &[4], approve(4)),
                Act(6, "b", &[], approve(4)),
                Act(7, "s", &[4], approve(4)),
            ],
        ),
        OPEN.story(
            "M-1",
            "nobody signs what its author does alone, nor what he does not know",
            &[
                Act(1, "a", &[], invite("k", 1)),
                Act(2, "b", &[], leave()),
                Act(3, "a", &[], expel("d", COUNCIL)),
                Act(4, "c", &[3], approve(3)),
                Act(5, "c", &[1], approve(1)),
                Act(6, "c", &[2], approve(2)),
                Act(7, "c", &[4], approve(4)),
                Act(8, "a", &[], approve(4)),
            ],
        ),
    ]
}

fn raw() -> Vec<Value> {
    vec![
        THREE.story(
            "M-2",
            "a signer who left before he signed, on another branch of his log",
            &[
                Act(1, "a", &[], expel("d", COUNCIL)),
                Act(2, "b", &[1], approve(1)),
                Act(3, "b", &[], leave()),
            ],
        ),
        THREE.story(
            "M-2",
            "a signer who resigned before he signed a dismissal",
            &[
                Act(1, "a", &[], expel("d", COUNCIL)),
                Act(2, "b", &[1], dismiss(1)),
                Act(3, "c", &[2], approve(2)),
                Act(4, "c", &[], resign()),
            ],
        ),
        THREE.story(
            "M-2",
            "a signer put out blind to his signature: the verdict counts, the grant does not",
            &[
                Act(1, "c", &[], expel("d", COUNCIL)),
                Act(2, "b", &[1], approve(1)),
                Act(3, "c", &[], promote("e", COUNCIL)),
                Act(4, "b", &[3], approve(3)),
                Act(5, "a", &[], expel("c", COUNCIL)),
                Act(6, "b", &[5], approve(5)),
            ],
        ),
    ]
}

fn majority() -> Vec<Value> {
    vec![
        THREE.story("M-3", "one key-holder expels nobody", &[Act(1, "a", &[], expel("b", COUNCIL))]),
        Group("abcd", "abcde", "abcde", 0, 1).story(
            "M-3",
            "half of an even council decides nothing",
            &[Act(1, "a", &[], expel("c", COUNCIL)), Act(2, "b", &[1], approve(1))],
        ),
        Group("ab", "abcde", "abcde", 0, 1).story(
            "M-3",
            "of two key-holders neither fells the other; the roll does",
            &[
                Act(1, "a", &[], expel("b", COUNCIL)),
                Act(2, "b", &[], expel("a", COUNCIL)),
                Act(3, "b", &[1], approve(1)),
                Act(4, "c", &[], demote("b", ROLL)),
                Act(5, "d", &[4], approve(4)),
                Act(6, "e", &[4], approve(4)),
            ],
        ),
        THREE.story(
            "M-3",
            "the accused does not complete his own demotion",
            &[
                Act(1, "c", &[], promote("d", COUNCIL)),
                Act(2, "b", &[1], approve(1)),
                Act(3, "a", &[], demote("c", COUNCIL)),
                Act(4, "c", &[3], approve(3)),
            ],
        ),
        THREE.story(
            "M-3",
            "nobody counts against himself, nor for the dismissal",
            &[
                Act(1, "a", &[], expel("a", COUNCIL)),
                Act(2, "b", &[1], approve(1)),
                Act(3, "a", &[2], dismiss(1)),
                Act(4, "c", &[3], approve(3)),
            ],
        ),
        FIVE.story(
            "M-3",
            "of several accused none counts",
            &[
                Act(1, "a", &[], demote("ab", COUNCIL)),
                Act(2, "b", &[1], approve(1)),
                Act(3, "c", &[1], approve(1)),
                Act(4, "d", &[1], approve(1)),
            ],
        ),
        THREE.story(
            "M-3",
            "one signature on two branches is one",
            &[
                Act(1, "a", &[], expel("c", COUNCIL)),
                Act(2, "a", &[], expel("c", COUNCIL)),
                Act(3, "d", &[], expel("c", ROLL)),
                Act(4, "e", &[3], approve(3)),
                Act(5, "e", &[3], approve(3)),
            ],
        ),
        story(
            "M-3",
            "in a draft no majority act completes",
            &[
                Act(1, "f", &[], admit("a")),
                Act(2, "f", &[1], expel("a", COUNCIL)),
                Act(3, "f", &[1], promote("a", COUNCIL)),
                Act(4, "f", &[1], rule("admit", 1, COUNCIL)),
                Act(5, "a", &[3], approve(3)),
                Act(6, "a", &[1], enrol("a", ROLL)),
            ],
        ),
    ]
}

fn crossing() -> Vec<Value> {
    vec![
        FIVE.story(
            "M-3",
            "two majorities cross: both are carried out",
            &[
                Act(1, "a", &[], expel("d", COUNCIL)),
                Act(2, "b", &[1], approve(1)),
                Act(3, "c", &[1], approve(1)),
                Act(4, "d", &[], expel("a", COUNCIL)),
                Act(5, "e", &[4], approve(4)),
                Act(6, "c", &[4], approve(4)),
            ],
        ),
        FIVE.story(
            "M-3",
            "a chain: each signed against the next before he was put out",
            &[
                Act(1, "a", &[], expel("d", COUNCIL)),
                Act(2, "b", &[1], approve(1)),
                Act(3, "c", &[1], approve(1)),
                Act(4, "d", &[], demote("e", COUNCIL)),
                Act(5, "b", &[4], approve(4)),
                Act(6, "c", &[4], approve(4)),
                Act(7, "e", &[], expel("a", COUNCIL)),
                Act(8, "b", &[7], approve(7)),
                Act(9, "c", &[7], approve(7)),
            ],
        ),
        THREE.story(
            "M-3",
            "a ring of three: nobody remains, and the roll elects",
            &[
                Act(1, "a", &[], expel("c", COUNCIL)),
                Act(2, "b", &[1], approve(1)),
                Act(3, "b", &[], expel("a", COUNCIL)),
                Act(4, "c", &[3], approve(3)),
                Act(5, "c", &[], expel("b", COUNCIL)),
                Act(6, "a", &[5], approve(5)),
                Act(7, "d", &[2, 4, 6], promote("d", ROLL)),
                Act(8, "e", &[7], approve(7)),
            ],
        ),
        THREE.story(
            "M-3",
            "one signs with both sides, remains alone and decides nothing; the roll elects",
            &[
                Act(1, "a", &[], demote("c", COUNCIL)),
                Act(2, "b", &[1], approve(1)),
                Act(3, "c", &[], demote("a", COUNCIL)),
                Act(4, "b", &[3], approve(3)),
                Act(5, "b", &[2, 4], expel("d", COUNCIL)),
                Act(6, "a", &[2, 4], promote("d", ROLL)),
                Act(7, "c", &[6], approve(6)),
                Act(8, "d", &[7], approve(6)),
            ],
        ),
    ]
}

fn offices() -> Vec<Value> {
    let promoted = || [Act(1, "a", &[], promote("d", COUNCIL)), Act(2, "b", &[1], approve(1))];
    let [one, two] = promoted();
    let [one_again, two_again] = promoted();
    vec![
        THREE.story(
            "M-4",
            "a removal that names a key-holder is void as a whole",
            &[Act(1, "a", &[], remove("b")), Act(2, "a", &[], remove("bd")), Act(3, "a", &[], remove("a"))],
        ),
        THREE.story(
            "M-4",
            "a removal that cites the day before the promotion has no effect",
            &[one, two, Act(3, "c", &[], remove("d"))],
        ),
        THREE.story(
            "M-4",
            "a removal that crossed a promotion bites once the office ends",
            &[
                one_again,
                two_again,
                Act(3, "c", &[], remove("d")),
                Act(4, "a", &[2, 3], demote("d", COUNCIL)),
                Act(5, "b", &[4], approve(4)),
                Act(6, "c", &[4], approve(4)),
            ],
        ),
    ]
}
