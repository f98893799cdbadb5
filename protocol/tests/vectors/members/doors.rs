//! Rules that change, the roll, coming back, going, who let whom in (M-10 to M-13, M-16).

use serde_json::Value;

use super::*;

pub fn stories() -> Vec<Value> {
    [tightened(), crossing_rules(), enrolment(), back(), going(), vouched(), sponsors(), shown()].concat()
}

fn tightened() -> Vec<Value> {
    let stricter = || [Act(1, "a", &[], rule("admit", 2, COUNCIL)), Act(2, "b", &[1], approve(1))];
    let told = |more: Vec<Act>| stricter().into_iter().chain(more).collect::<Vec<_>>();
    vec![
        OPEN.story(
            "M-10",
            "the old rule is cited after it was tightened",
            &told(vec![Act(3, "d", &[], admit("p"))]),
        ),
        OPEN.story(
            "M-10",
            "what waits for the new rule is completed",
            &told(vec![Act(3, "d", &[], admit("p")), Act(4, "e", &[3], approve(3))]),
        ),
        OPEN.story(
            "M-10",
            "the new rule asks nothing of what it knew",
            &[
                Act(1, "d", &[], admit("p")),
                Act(2, "a", &[1], rule("admit", 0, COUNCIL)),
                Act(3, "b", &[2], approve(2)),
            ],
        ),
        OPEN.story(
            "M-10",
            "an admission blind to two changes satisfies both",
            &told(vec![
                Act(3, "c", &[], rule("admit", 0, COUNCIL)),
                Act(4, "b", &[3], approve(3)),
                Act(5, "d", &[], admit("p")),
                Act(6, "e", &[5], approve(5)),
                Act(7, "d", &[], admit("q")),
                Act(8, "a", &[7], approve(7)),
                Act(9, "a", &[], admit("r")),
            ]),
        ),
        OPEN.story(
            "M-10",
            "a rule that was succeeded asks nothing of who knows it",
            &told(vec![
                Act(3, "a", &[2], rule("admit", 1, COUNCIL)),
                Act(4, "c", &[3], approve(3)),
                Act(5, "d", &[4], admit("p")),
            ]),
        ),
        OPEN.story(
            "M-10",
            "who knows the new rule obeys it",
            &told(vec![
                Act(3, "d", &[2], admit("p")),
                Act(4, "d", &[2], admit("q")),
                Act(5, "e", &[4], approve(4)),
            ]),
        ),
        VOUCHED.story(
            "M-10",
            "a looser rule helps nobody who did not know it",
            &[
                Act(1, "a", &[], rule("admit", 1, COUNCIL)),
                Act(2, "b", &[1], approve(1)),
                Act(3, "d", &[], admit("p")),
                Act(4, "d", &[2], admit("q")),
            ],
        ),
    ]
}

fn crossing_rules() -> Vec<Value> {
    vec![
        OPEN.story(
            "M-10",
            "crossing rules: a key-holder is stricter than vouches, two than one, more days than fewer",
            &[
                Act(1, "a", &[], rule("admit", 16, COUNCIL)),
                Act(2, "b", &[1], approve(1)),
                Act(3, "b", &[], rule("admit", 0, COUNCIL)),
                Act(4, "c", &[3], approve(3)),
                Act(5, "a", &[2], rule("few", 2, COUNCIL)),
                Act(6, "b", &[5], approve(5)),
                Act(7, "c", &[4], rule("few", 1, COUNCIL)),
                Act(8, "b", &[7], approve(7)),
                Act(9, "a", &[6], rule("wait", 30, COUNCIL)),
                Act(10, "b", &[9], approve(9)),
                Act(11, "c", &[8], rule("wait", 90, COUNCIL)),
                Act(12, "b", &[11], approve(11)),
            ],
        ),
        OPEN.story(
            "M-10",
            "crossing rules: chat for fewer days is stricter, for ever least",
            &[
                Act(1, "a", &[], rule("chat", 30, COUNCIL)),
                Act(2, "b", &[1], approve(1)),
                Act(3, "c", &[], rule("chat", 0, COUNCIL)),
                Act(4, "b", &[3], approve(3)),
                Act(5, "b", &[], rule("chat", 90, COUNCIL)),
                Act(6, "c", &[5], approve(5)),
            ],
        ),
        OPEN.story(
            "M-10",
            "a rule that knows both settles it",
            &[
                Act(1, "a", &[], rule("admit", 16, COUNCIL)),
                Act(2, "b", &[1], approve(1)),
                Act(3, "b", &[], rule("admit", 0, COUNCIL)),
                Act(4, "c", &[3], approve(3)),
                Act(5, "d", &[2, 4], rule("admit", 3, ROLL)),
                Act(6, "e", &[5], approve(5)),
                Act(7, "a", &[5], approve(5)),
            ],
        ),
        THREE.story(
            "M-10",
            "where two remove, one hand is not enough",
            &[
                Act(1, "a", &[], rule("few", 2, COUNCIL)),
                Act(2, "b", &[1], approve(1)),
                Act(3, "c", &[2], remove("d")),
                Act(4, "c", &[2], remove("e")),
                Act(5, "a", &[4], approve(4)),
            ],
        ),
    ]
}

fn enrolment() -> Vec<Value> {
    vec![
        OPEN.story(
            "M-11",
            "puppets elect nobody",
            &[
                Act(1, "d", &[], admit("p")),
                Act(2, "d", &[1], admit("q")),
                Act(3, "d", &[2], promote("d", ROLL)),
                Act(4, "p", &[3], approve(3)),
                Act(5, "q", &[3], approve(3)),
                Act(6, "p", &[3], promote("p", ROLL)),
            ],
        ),
        OPEN.story(
            "M-11",
            "who is enrolled votes, and stays when the admission falls",
            &[
                Act(1, "d", &[], admit("p")),
                Act(2, "a", &[1], enrol("pq", COUNCIL)),
                Act(3, "b", &[2], approve(2)),
                Act(4, "p", &[3], promote("e", ROLL)),
                Act(5, "q", &[4], approve(4)),
                Act(6, "e", &[4], approve(4)),
                Act(7, "a", &[4], approve(4)),
                Act(8, "c", &[], remove("d")),
            ],
        ),
        THREE.story(
            "M-11",
            "an expulsion, a removal and a leaving cross enrolments",
            &[
                Act(1, "a", &[], admit("p")),
                Act(2, "a", &[1], admit("q")),
                Act(3, "a", &[2], admit("r")),
                Act(4, "a", &[3], enrol("pqr", COUNCIL)),
                Act(5, "b", &[4], approve(4)),
                Act(6, "c", &[3], expel("p", COUNCIL)),
                Act(7, "b", &[6], approve(6)),
                Act(8, "c", &[3], remove("q")),
                Act(9, "r", &[3], leave()),
            ],
        ),
    ]
}

fn back() -> Vec<Value> {
    vec![
        OPEN.story(
            "M-12",
            "who was expelled, enrolled by who knew it, and left comes back by any admission",
            &[
                Act(1, "a", &[], expel("d", COUNCIL)),
                Act(2, "b", &[1], approve(1)),
                Act(3, "e", &[2], admit("d")),
                Act(4, "a", &[2], enrol("d", COUNCIL)),
                Act(5, "c", &[4], approve(4)),
                Act(6, "d", &[5], leave()),
                Act(7, "e", &[6], admit("d")),
            ],
        ),
        OPEN.story(
            "M-12",
            "who was expelled again, or by who did not know that he was enrolled, comes back by a majority",
            &[
                Act(1, "a", &[], expel("d", COUNCIL)),
                Act(2, "b", &[1], approve(1)),
                Act(3, "a", &[2], enrol("d", COUNCIL)),
                Act(4, "c", &[3], approve(3)),
                Act(5, "b", &[2], expel("d", COUNCIL)),
                Act(6, "c", &[5], approve(5)),
                Act(7, "e", &[4, 6], admit("d")),
            ],
        ),
        OPEN.story(
            "M-12",
            "who left comes back by any admission that knows it",
            &[
                Act(1, "d", &[], leave()),
                Act(2, "e", &[1], admit("d")),
                Act(3, "c", &[], leave()),
                Act(4, "e", &[], admit("c")),
            ],
        ),
        OPEN.story(
            "M-12",
            "a plain member re-admits one removed; a key-holder's hand is asked",
            &[
                Act(1, "a", &[], remove("de")),
                Act(2, "q", &[], admit("d")),
                Act(3, "b", &[1], admit("p")),
                Act(4, "p", &[3], admit("d")),
                Act(5, "p", &[3], admit("e")),
                Act(6, "b", &[5], approve(5)),
            ],
        ),
        THREE.story(
            "M-12",
            "an accomplice removes and re-admits while another removes",
            &[Act(1, "a", &[], remove("d")), Act(2, "a", &[1], admit("d")), Act(3, "b", &[], remove("d"))],
        ),
        THREE.story(
            "M-12",
            "one expelled comes back by a majority alone",
            &[
                Act(1, "a", &[], expel("de", COUNCIL)),
                Act(2, "b", &[1], approve(1)),
                Act(3, "c", &[2], admit("d")),
                Act(4, "c", &[1], admit("e")),
                Act(5, "c", &[2], enrol("d", COUNCIL)),
                Act(6, "b", &[5], approve(5)),
            ],
        ),
        THREE.story(
            "M-12",
            "one expelled is elected knowingly; blind to it, nothing comes of it",
            &[
                Act(1, "a", &[], expel("de", COUNCIL)),
                Act(2, "b", &[1], approve(1)),
                Act(3, "c", &[2], promote("d", COUNCIL)),
                Act(4, "b", &[3], approve(3)),
                Act(5, "c", &[1], promote("e", COUNCIL)),
                Act(6, "b", &[5], approve(5)),
            ],
        ),
    ]
}

fn going() -> Vec<Value> {
    vec![
        THREE.story(
            "M-13",
            "who resigned comes back by an election that knows it",
            &[
                Act(1, "b", &[], resign()),
                Act(2, "c", &[], resign()),
                Act(3, "a", &[1], promote("b", ROLL)),
                Act(4, "d", &[3], approve(3)),
                Act(5, "e", &[3], approve(3)),
                Act(6, "a", &[], promote("c", ROLL)),
                Act(7, "d", &[6], approve(6)),
                Act(8, "e", &[6], approve(6)),
            ],
        ),
        OPEN.story(
            "M-13",
            "a back-dated leaving throws out nobody else",
            &[Act(1, "d", &[], admit("p")), Act(2, "p", &[1], admit("q")), Act(3, "d", &[], leave())],
        ),
        OPEN.story(
            "M-13",
            "one who left admits from a fork, until the log is closed",
            &[Act(1, "d", &[], leave()), Act(2, "d", &[], admit("p"))],
        ),
        OPEN.story(
            "M-13",
            "a removal closes the log of one who left",
            &[Act(1, "d", &[], leave()), Act(2, "d", &[], admit("p")), Act(3, "a", &[1], remove("d"))],
        ),
        THREE.story(
            "M-13",
            "who resigned before signing has signed, and holds no office",
            &[
                Act(1, "a", &[], promote("d", COUNCIL)),
                Act(2, "b", &[1], approve(1)),
                Act(3, "b", &[], resign()),
                Act(4, "b", &[3], remove("e")),
                Act(5, "b", &[3], resign()),
            ],
        ),
        THREE.story(
            "M-13",
            "a demotion closes the log of one who resigned",
            &[
                Act(1, "a", &[], promote("d", COUNCIL)),
                Act(2, "b", &[1], approve(1)),
                Act(3, "b", &[], resign()),
                Act(4, "a", &[3], demote("b", COUNCIL)),
                Act(5, "c", &[4], approve(4)),
            ],
        ),
    ]
}

/// Three vouches let in, and `e` is on no roll.
const THRICE: Group = Group("abc", "abcde", "abcd", 3, 1);

fn vouched() -> Vec<Value> {
    vec![
        VOUCHED.story(
            "M-16",
            "of two vouchers of whom one let the other in one counts",
            &[
                Act(1, "d", &[], admit("p")),
                Act(2, "e", &[1], approve(1)),
                Act(3, "p", &[2], admit("q")),
                Act(4, "d", &[3], approve(3)),
                Act(5, "p", &[2], admit("r")),
                Act(6, "e", &[5], approve(5)),
            ],
        ),
        VOUCHED.story(
            "M-16",
            "one more vouch, by who let in the first voucher, puts nobody out",
            &[
                Act(1, "d", &[], admit("p")),
                Act(2, "e", &[1], approve(1)),
                Act(3, "p", &[2], admit("q")),
                Act(4, "e", &[3], approve(3)),
                Act(5, "d", &[4], approve(3)),
            ],
        ),
        THRICE.story(
            "M-16",
            "of a chain of three vouchers the ends count",
            &[
                Act(1, "d", &[], admit("q")),
                Act(2, "a", &[1], approve(1)),
                Act(3, "b", &[2], approve(1)),
                Act(4, "q", &[3], admit("p")),
                Act(5, "a", &[4], approve(4)),
                Act(6, "b", &[5], approve(4)),
                Act(7, "q", &[6], admit("r")),
                Act(8, "p", &[7], approve(7)),
                Act(9, "d", &[8], approve(7)),
                Act(10, "d", &[6], admit("s")),
                Act(11, "q", &[10], approve(10)),
                Act(12, "p", &[11], approve(10)),
                Act(13, "e", &[12], approve(10)),
            ],
        ),
        THRICE.story(
            "M-16",
            "where one let in two of the vouchers, the two count",
            &[
                Act(1, "d", &[], admit("p")),
                Act(2, "a", &[1], approve(1)),
                Act(3, "b", &[2], approve(1)),
                Act(4, "d", &[3], admit("q")),
                Act(5, "a", &[4], approve(4)),
                Act(6, "b", &[5], approve(4)),
                Act(7, "d", &[6], admit("r")),
                Act(8, "p", &[7], approve(7)),
                Act(9, "a", &[8], approve(7)),
                Act(10, "d", &[6], admit("s")),
                Act(11, "p", &[10], approve(10)),
                Act(12, "a", &[11], approve(10)),
                Act(13, "q", &[12], approve(10)),
            ],
        ),
        OPEN.story(
            "M-16",
            "of two who let one another in one counts",
            &[
                Act(1, "d", &[], leave()),
                Act(2, "e", &[1], admit("d")),
                Act(3, "e", &[2], leave()),
                Act(4, "d", &[3], admit("e")),
                Act(5, "a", &[4], rule("admit", 2, COUNCIL)),
                Act(6, "b", &[5], approve(5)),
                Act(7, "d", &[6], admit("p")),
                Act(8, "e", &[7], approve(7)),
                Act(9, "d", &[6], admit("q")),
                Act(10, "e", &[9], approve(9)),
                Act(11, "c", &[10], approve(9)),
            ],
        ),
    ]
}

fn sponsors() -> Vec<Value> {
    vec![
        VOUCHED.story(
            "M-16",
            "whose code it was has let in, not who opened the door",
            &[
                Act(1, "d", &[], invite("k", 2)),
                Act(2, "e", &[1], by("p", "k")),
                Act(3, "a", &[2], approve(2)),
                Act(4, "p", &[3], admit("q")),
                Act(5, "d", &[4], approve(4)),
                Act(6, "p", &[3], admit("r")),
                Act(7, "e", &[6], approve(6)),
            ],
        ),
        VOUCHED.story(
            "M-16",
            "whose code it was is not changed by a copy of the invite",
            &[
                Act(2, "d", &[], invite("k", 2)),
                Act(3, "a", &[2], by("p", "k")),
                Act(4, "b", &[3], approve(3)),
                Act(1, "e", &[], invite("k", 2)),
                Act(5, "p", &[1, 4], admit("q")),
                Act(6, "d", &[5], approve(5)),
                Act(7, "p", &[1, 4], admit("r")),
                Act(8, "e", &[7], approve(7)),
            ],
        ),
        VOUCHED.story(
            "M-16",
            "nobody let in who was enrolled when it was proposed",
            &[
                Act(1, "d", &[], admit("p")),
                Act(2, "e", &[1], approve(1)),
                Act(3, "p", &[2], admit("q")),
                Act(4, "a", &[2], enrol("p", COUNCIL)),
                Act(5, "b", &[4], approve(4)),
                Act(6, "d", &[3, 5], approve(3)),
                Act(7, "p", &[5], admit("r")),
                Act(8, "d", &[7], approve(7)),
            ],
        ),
        Group("abc", "abcde", "abcd", 2, 1).story(
            "M-16",
            "nobody let in a voter who was removed and is back; others who are back somebody did",
            &[
                Act(1, "a", &[], remove("de")),
                Act(2, "b", &[1], admit("d")),
                Act(3, "c", &[2], approve(2)),
                Act(4, "b", &[3], admit("e")),
                Act(5, "c", &[4], approve(4)),
                Act(6, "d", &[5], admit("p")),
                Act(7, "b", &[6], approve(6)),
                Act(8, "e", &[5], admit("q")),
                Act(9, "b", &[8], approve(8)),
            ],
        ),
        VOUCHED.story(
            "M-16",
            "of several admissions the one with the smaller id says who let in",
            &[
                Act(5, "d", &[], admit("p")),
                Act(6, "a", &[5], approve(5)),
                Act(3, "e", &[], admit("p")),
                Act(4, "a", &[3], approve(3)),
                Act(7, "p", &[4, 6], admit("q")),
                Act(8, "d", &[7], approve(7)),
                Act(9, "p", &[4, 6], admit("r")),
                Act(10, "e", &[9], approve(9)),
            ],
        ),
        VOUCHED.story(
            "M-16",
            "who left was let in by who brought him back",
            &[
                Act(1, "d", &[], admit("p")),
                Act(2, "a", &[1], approve(1)),
                Act(3, "p", &[2], leave()),
                Act(4, "e", &[3], admit("p")),
                Act(5, "a", &[4], approve(4)),
                Act(6, "p", &[5], admit("q")),
                Act(7, "d", &[6], approve(6)),
                Act(8, "p", &[5], admit("r")),
                Act(9, "e", &[8], approve(8)),
            ],
        ),
        VOUCHED.story(
            "M-16",
            "who let himself in is nobody's, and one vouch like any other",
            &[
                Act(5, "d", &[], admit("p")),
                Act(6, "a", &[5], approve(5)),
                Act(3, "p", &[6], admit("p")),
                Act(4, "a", &[3], approve(3)),
                Act(7, "p", &[4], admit("q")),
                Act(8, "p", &[4], admit("r")),
                Act(9, "e", &[8], approve(8)),
            ],
        ),
    ]
}

fn shown() -> Vec<Value> {
    vec![
        OPEN.story(
            "M-16",
            "those let in stay when he goes, unless the removal names them",
            &[Act(1, "d", &[], admit("p")), Act(2, "d", &[1], admit("q")), Act(3, "a", &[2], remove("dq"))],
        ),
        OPEN.story(
            "M-16",
            "of the admissions that know the leaving the smaller id is shown",
            &[
                Act(2, "d", &[], admit("p")),
                Act(3, "p", &[2], leave()),
                Act(5, "a", &[3], admit("p")),
                Act(4, "b", &[3], admit("p")),
            ],
        ),
        OPEN.story(
            "M-16",
            "whom one let in is shown, however the person was enrolled since; of a founder nothing is",
            &[
                Act(3, "d", &[], admit("p")),
                Act(1, "a", &[3], enrol("p", COUNCIL)),
                Act(2, "b", &[1], approve(1)),
                Act(4, "d", &[], admit("e")),
            ],
        ),
    ]
}
