//! What counts of those who were ended, and of what rests on them (M-5 to M-8).

use serde_json::Value;

use super::*;

pub fn stories() -> Vec<Value> {
    [cut(), captured(), informed(), held(), anew(), suspended(), voting()].concat()
}

fn cut() -> Vec<Value> {
    let two_remove = Group("abc", "abcde", "abcde", 1, 2);
    vec![
        OPEN.story(
            "M-5",
            "a removed member back-dates an admission",
            &[Act(1, "a", &[], remove("d")), Act(2, "d", &[], admit("p"))],
        ),
        OPEN.story(
            "M-5",
            "what the removal knew stays",
            &[Act(1, "d", &[], admit("p")), Act(2, "a", &[1], remove("d"))],
        ),
        OPEN.story(
            "M-5",
            "a removal keeps nothing that another did not know",
            &[Act(1, "d", &[], admit("p")), Act(2, "a", &[], remove("d")), Act(3, "b", &[1], remove("d"))],
        ),
        OPEN.story(
            "M-5",
            "another's signature lends a removal no knowledge",
            &[Act(1, "d", &[], admit("p")), Act(2, "a", &[], remove("d")), Act(3, "b", &[1, 2], approve(2))],
        ),
        two_remove.story(
            "M-5",
            "where two remove, both must have known",
            &[
                Act(1, "d", &[], admit("p")),
                Act(2, "e", &[], admit("q")),
                Act(3, "a", &[1], remove("de")),
                Act(4, "b", &[1, 2, 3], approve(3)),
            ],
        ),
        VOUCHED.story(
            "M-5",
            "an expelled voucher does not count; another completes it",
            &[
                Act(1, "d", &[], admit("p")),
                Act(2, "e", &[1], approve(1)),
                Act(3, "d", &[], admit("q")),
                Act(4, "e", &[3], approve(3)),
                Act(5, "c", &[3], approve(3)),
                Act(6, "a", &[], expel("e", COUNCIL)),
                Act(7, "b", &[6], approve(6)),
            ],
        ),
    ]
}

fn captured() -> Vec<Value> {
    vec![
        THREE.story(
            "M-5",
            "a captured key-holder empties the room, is expelled and strikes again from the past",
            &[
                Act(1, "c", &[], remove("de")),
                Act(2, "a", &[1], expel("c", COUNCIL)),
                Act(3, "b", &[2], approve(2)),
                Act(4, "a", &[3], enrol("de", COUNCIL)),
                Act(5, "b", &[4], approve(4)),
                Act(6, "c", &[], remove("de")),
            ],
        ),
        THREE.story(
            "M-5",
            "one expelled completes an honest proposal, from the past or knowing it",
            &[
                Act(1, "a", &[], promote("d", COUNCIL)),
                Act(2, "a", &[1], expel("c", COUNCIL)),
                Act(3, "b", &[2], approve(2)),
                Act(4, "c", &[1], approve(1)),
                Act(5, "c", &[3], approve(1)),
            ],
        ),
    ]
}

/// An old accusation is completed by who does not know what its target co-signed since.
fn stale() -> Vec<Act> {
    vec![
        Act(1, "a", &[], expel("c", COUNCIL)),
        Act(2, "c", &[], promote("g", COUNCIL)),
        Act(3, "a", &[2], approve(2)),
        Act(4, "b", &[2], approve(2)),
        Act(5, "d", &[1], approve(1)),
        Act(6, "e", &[1], approve(1)),
    ]
}

fn informed() -> Vec<Value> {
    let mut informed = stale();
    informed.extend([
        Act(7, "a", &[3, 4, 5, 6], demote("c", COUNCIL)),
        Act(8, "b", &[7], approve(7)),
        Act(9, "d", &[7], approve(7)),
    ]);
    let mut removed = stale();
    removed.push(Act(7, "a", &[3, 4, 5, 6], remove("c")));
    vec![
        FIVE.story("M-5", "a stale accusation voids what its target signed since", &stale()),
        FIVE.story("M-5", "a better informed verdict keeps it", &informed),
        FIVE.story("M-5", "a better informed removal does not", &removed),
        OPEN.story(
            "M-5",
            "a verdict knows what enough of its signers knew",
            &[
                Act(1, "d", &[], admit("p")),
                Act(2, "d", &[], admit("q")),
                Act(3, "a", &[], expel("d", COUNCIL)),
                Act(4, "b", &[1, 3], approve(3)),
                Act(5, "c", &[1, 2, 3], approve(3)),
            ],
        ),
        OPEN.story(
            "M-5",
            "late signatures under a verdict that was known keep nothing",
            &[
                Act(1, "a", &[], expel("d", COUNCIL)),
                Act(2, "b", &[1], approve(1)),
                Act(3, "a", &[2], enrol("d", COUNCIL)),
                Act(4, "b", &[3], approve(3)),
                Act(5, "d", &[4], admit("p")),
                Act(6, "b", &[5], approve(1)),
                Act(7, "c", &[5], approve(1)),
                Act(8, "a", &[4], remove("d")),
            ],
        ),
    ]
}

fn held() -> Vec<Value> {
    vec![
        OPEN.story(
            "M-6",
            "those let in by someone back-dated fall with him",
            &[
                Act(1, "d", &[], admit("p")),
                Act(2, "p", &[1], admit("q")),
                Act(3, "q", &[2], admit("r")),
                Act(4, "a", &[], remove("d")),
            ],
        ),
        OPEN.story(
            "M-6",
            "another's hand completes it, and all that rests on it",
            &[
                Act(1, "d", &[], admit("p")),
                Act(2, "p", &[1], admit("q")),
                Act(3, "a", &[], remove("d")),
                Act(4, "e", &[1], approve(1)),
            ],
        ),
        OPEN.story(
            "M-6",
            "only what one did since enrolled is safe from those who let one in",
            &[
                Act(1, "d", &[], admit("p")),
                Act(2, "p", &[1], admit("q")),
                Act(3, "a", &[1], enrol("p", COUNCIL)),
                Act(4, "b", &[3], approve(3)),
                Act(5, "p", &[4], admit("r")),
                Act(6, "c", &[], remove("d")),
            ],
        ),
        THREE.story(
            "M-6",
            "a promotion that falls takes its signatures along",
            &[
                Act(1, "c", &[], promote("d", COUNCIL)),
                Act(2, "b", &[1], approve(1)),
                Act(3, "d", &[2], promote("e", COUNCIL)),
                Act(4, "b", &[3], approve(3)),
                Act(5, "c", &[4], approve(3)),
                Act(6, "d", &[2], remove("e")),
                Act(7, "a", &[], expel("c", COUNCIL)),
                Act(8, "b", &[7], approve(7)),
            ],
        ),
        FIVE.story(
            "M-6",
            "who lost an office and got another does not sign what was proposed before",
            &[
                Act(1, "a", &[], demote("c", COUNCIL)),
                Act(2, "b", &[1], approve(1)),
                Act(3, "d", &[1], approve(1)),
                Act(4, "a", &[2, 3], promote("c", COUNCIL)),
                Act(5, "b", &[4], approve(4)),
                Act(6, "d", &[4], approve(4)),
                Act(7, "a", &[], promote("g", COUNCIL)),
                Act(8, "b", &[7], approve(7)),
                Act(9, "c", &[5, 6, 7], approve(7)),
            ],
        ),
        OPEN.story(
            "M-6",
            "one whose promotion falls admits by his own right, but brings back nobody removed",
            &[
                Act(1, "a", &[], remove("e")),
                Act(2, "c", &[1], promote("d", COUNCIL)),
                Act(3, "b", &[2], approve(2)),
                Act(4, "d", &[3], admit("p")),
                Act(5, "d", &[3], admit("e")),
                Act(6, "a", &[], expel("c", COUNCIL)),
                Act(7, "b", &[6], approve(6)),
            ],
        ),
    ]
}

fn anew() -> Vec<Value> {
    vec![
        OPEN.story(
            "M-7",
            "whoever wants what fell signs it anew",
            &[
                Act(1, "d", &[], admit("p")),
                Act(2, "d", &[], admit("q")),
                Act(3, "a", &[], remove("d")),
                Act(4, "e", &[1, 2, 3], admit("p")),
            ],
        ),
        THREE.story(
            "M-7",
            "a removal fell with its author, and is repeated",
            &[
                Act(1, "c", &[], remove("de")),
                Act(2, "a", &[], expel("c", COUNCIL)),
                Act(3, "b", &[2], approve(2)),
                Act(4, "a", &[1, 3], remove("d")),
            ],
        ),
        THREE.story(
            "M-7",
            "an enrolment and a rule that fell are listed",
            &[
                Act(1, "c", &[], enrol("p", COUNCIL)),
                Act(2, "b", &[1], approve(1)),
                Act(3, "c", &[], rule("wait", 90, COUNCIL)),
                Act(4, "b", &[3], approve(3)),
                Act(5, "a", &[], demote("c", COUNCIL)),
                Act(6, "b", &[5], approve(5)),
            ],
        ),
    ]
}

fn suspended() -> Vec<Value> {
    vec![
        THREE.story("M-8", "who is removed stays on the roll", &[Act(1, "a", &[], remove("de"))]),
        THREE.story(
            "M-8",
            "voters are removed before the recall, and count for the majority",
            &[
                Act(1, "a", &[], demote("c", ROLL)),
                Act(2, "b", &[1], approve(1)),
                Act(3, "c", &[], remove("de")),
                Act(4, "d", &[1], approve(1)),
                Act(5, "a", &[3], expel("c", ROLL)),
                Act(6, "b", &[5], approve(5)),
            ],
        ),
        THREE.story(
            "M-8",
            "an expulsion takes off the roll",
            &[Act(1, "a", &[], expel("d", COUNCIL)), Act(2, "b", &[1], approve(1))],
        ),
    ]
}

fn voting() -> Vec<Value> {
    // `e` is on no roll.
    let four_vote = Group("abc", "abcde", "abcd", 1, 1);
    vec![
        THREE.story(
            "M-8",
            "a captured key-holder empties the room, and those removed recall him",
            &[
                Act(1, "c", &[], remove("de")),
                Act(2, "d", &[1], expel("c", ROLL)),
                Act(3, "e", &[2], approve(2)),
                Act(4, "a", &[3], approve(2)),
                Act(5, "e", &[4], enrol("de", ROLL)),
                Act(6, "d", &[5], approve(5)),
                Act(7, "b", &[6], approve(5)),
            ],
        ),
        Group("ab", "abcde", "abcde", 0, 1).story(
            "M-8",
            "both key-holders are captured: three who were removed elect others",
            &[
                Act(1, "a", &[], remove("cde")),
                Act(2, "c", &[1], demote("ab", ROLL)),
                Act(3, "d", &[2], approve(2)),
                Act(4, "e", &[3], approve(2)),
                Act(5, "d", &[4], promote("c", ROLL)),
                Act(6, "c", &[5], approve(5)),
                Act(7, "e", &[6], approve(5)),
                Act(8, "c", &[7], admit("d")),
            ],
        ),
        THREE.story(
            "M-8",
            "votes of those removed count whether they knew it or not",
            &[
                Act(1, "a", &[], promote("d", ROLL)),
                Act(2, "d", &[1], approve(1)),
                Act(3, "c", &[], remove("de")),
                Act(4, "e", &[1, 3], approve(1)),
            ],
        ),
        THREE.story(
            "M-8",
            "those removed dismiss what the roll was asked",
            &[
                Act(1, "c", &[], rule("admit", 1, ROLL)),
                Act(2, "c", &[1], remove("de")),
                Act(3, "d", &[2], dismiss(1)),
                Act(4, "e", &[3], approve(3)),
                Act(5, "a", &[4], approve(3)),
            ],
        ),
        four_vote.story(
            "M-8",
            "who was removed signs nothing else, and nothing if on no roll",
            &[
                Act(1, "a", &[], promote("d", COUNCIL)),
                Act(2, "a", &[1], expel("c", ROLL)),
                Act(3, "c", &[2], remove("de")),
                Act(4, "d", &[3], approve(1)),
                Act(5, "d", &[3], dismiss(1)),
                Act(6, "d", &[3], admit("p")),
                Act(7, "d", &[3], invite("k", 1)),
                Act(8, "d", &[3], leave()),
                Act(9, "d", &[3], promote("d", COUNCIL)),
                Act(10, "e", &[3], approve(2)),
                Act(11, "e", &[3], dismiss(2)),
                Act(12, "e", &[3], promote("e", ROLL)),
            ],
        ),
        THREE.story(
            "M-8",
            "neither who was expelled nor who left votes, nor a stranger",
            &[
                Act(1, "a", &[], demote("c", ROLL)),
                Act(2, "a", &[1], expel("d", COUNCIL)),
                Act(3, "b", &[2], approve(2)),
                Act(4, "e", &[3], leave()),
                Act(5, "d", &[4], approve(1)),
                Act(6, "e", &[4], approve(1)),
                Act(7, "d", &[4], expel("c", ROLL)),
                Act(8, "e", &[4], dismiss(1)),
                Act(9, "s", &[4], dismiss(1)),
            ],
        ),
    ]
}
