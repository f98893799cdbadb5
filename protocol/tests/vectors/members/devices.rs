//! Several devices of one member (M-18).

use serde_json::Value;

use super::*;

/// Bob's laptop `x` came by his code `k`; `r` is his recovery phrase.
fn told(more: &[Act]) -> Vec<Act> {
    let before = [
        Act(1, "b", &[], code_for("k", "link")),
        Act(2, "d", &[1], by("x", "k")),
        Act(3, "b", &[2], code_for("r", "recovery")),
    ];
    before
        .into_iter()
        .chain(more.iter().map(|Act(n, by, knows, does)| Act(*n, by, knows, does.clone())))
        .collect()
}

fn code_for(code: &str, kind: &str) -> Value {
    json!({"invite": code, "uses": 1, "for": kind})
}

fn drop(device: &str) -> Value {
    json!({"drop": device})
}

fn drop_by(phrase: &str, device: &str) -> Value {
    json!({"drop": device, "phrase": phrase})
}

pub fn stories() -> Vec<Value> {
    [voices(), entitled(), dropped(), named()].concat()
}

fn voices() -> Vec<Value> {
    vec![
        THREE.story("M-18", "a member links a laptop, though only key-holders admit", &told(&[])),
        THREE.story(
            "M-18",
            "two laptops of one key-holder are one signature",
            &told(&[
                Act(4, "x", &[3], demote("c", COUNCIL)),
                Act(5, "b", &[4], approve(4)),
                Act(6, "a", &[4], promote("d", COUNCIL)),
                Act(7, "x", &[6], approve(6)),
            ]),
        ),
        OPEN.story(
            "M-18",
            "a person who is put out is so with every laptop, and back with all",
            &[
                Act(1, "d", &[], code_for("k", "link")),
                Act(2, "a", &[1], by("x", "k")),
                Act(3, "a", &[2], remove("d")),
                Act(4, "x", &[3], admit("p")),
                Act(5, "x", &[2], admit("q")),
                Act(6, "b", &[3], admit("d")),
            ],
        ),
        THREE.story(
            "M-18",
            "any laptop of a person's can leave for it",
            &told(&[Act(4, "x", &[3], leave())]),
        ),
    ]
}

fn entitled() -> Vec<Value> {
    let full: Vec<Act> = ["s", "t", "u", "v", "w", "y", "z", "q"]
        .into_iter()
        .enumerate()
        .map(|(at, device)| Act(at as u64 + 4, "d", FULL[at], by(device, "r")))
        .collect();
    vec![
        THREE.story(
            "M-18",
            "nobody links what is somebody's, or takes what is another's",
            &told(&[
                Act(4, "a", &[3], by("c", "r")),
                Act(5, "a", &[3], by("x", "r")),
                Act(6, "a", &[3], admit("x")),
                Act(7, "a", &[3], drop("x")),
                Act(8, "a", &[3], drop_by("k", "x")),
                Act(9, "a", &[3], drop_by("r", "c")),
                Act(10, "x", &[3], code_for("s", "recovery")),
                Act(11, "a", &[3], revoke("k")),
                Act(12, "b", &[3], revoke("r")),
                Act(13, "x", &[3], revoke("k")),
                Act(14, "p", &[3], by("y", "r")),
            ]),
        ),
        THREE.story(
            "M-18",
            "a code that two laptops used links neither, until another code does",
            &told(&[Act(4, "a", &[1], by("y", "k")), Act(5, "a", &[4, 3], by("y", "r"))]),
        ),
        THREE.story("M-18", "eight beside the first are the most that one links knowingly", &told(&full)),
        THREE.story(
            "M-18",
            "a device that is both somebody and linked is itself",
            &told(&[
                Act(4, "d", &[3], by("y", "r")),
                Act(5, "a", &[], admit("y")),
                Act(6, "y", &[4, 5], leave()),
            ]),
        ),
    ]
}

const FULL: [&[u64]; 8] = [&[3], &[4], &[5], &[6], &[7], &[8], &[9], &[10]];

fn dropped() -> Vec<Value> {
    vec![
        OPEN.story(
            "M-18",
            "a dropped laptop speaks no more, its codes close, and it never comes back",
            &told(&[
                Act(4, "x", &[3], invite("m", 5)),
                Act(5, "b", &[4], drop("x")),
                Act(6, "x", &[5], admit("p")),
                Act(7, "d", &[5], by("p", "m")),
                Act(8, "d", &[5], by("x", "r")),
                Act(9, "x", &[4], admit("q")),
            ]),
        ),
        OPEN.story(
            "M-18",
            "what a dropped laptop linked in secret falls, what its owner had seen stays",
            &told(&[
                Act(4, "x", &[3], code_for("l", "link")),
                Act(5, "x", &[4], code_for("m", "link")),
                Act(6, "d", &[5], by("s", "l")),
                Act(7, "b", &[6], drop("x")),
                Act(8, "d", &[5], by("t", "m")),
            ]),
        ),
        OPEN.story(
            "M-18",
            "laptops that drop one another are both out, and the phrase decides",
            &told(&[
                Act(4, "b", &[3], drop("x")),
                Act(5, "x", &[3], drop("b")),
                Act(6, "a", &[4, 5], by("y", "r")),
                Act(7, "y", &[6], remove("d")),
            ]),
        ),
        OPEN.story(
            "M-18",
            "anybody carries what the phrase says, and nothing brings down what it linked",
            &told(&[
                Act(4, "d", &[3], by("y", "r")),
                Act(5, "e", &[3], drop_by("r", "b")),
                Act(6, "e", &[3], drop_by("r", "x")),
            ]),
        ),
    ]
}

fn named() -> Vec<Value> {
    vec![
        OPEN.story(
            "M-18",
            "a verdict that names a laptop voids what it signed, and spares its owner",
            &told(&[
                Act(4, "x", &[3], admit("p")),
                Act(5, "b", &[3], admit("q")),
                Act(6, "x", &[3], code_for("l", "link")),
                Act(7, "d", &[6], by("y", "l")),
                Act(8, "a", &[3], expel("x", COUNCIL)),
                Act(9, "c", &[8], approve(8)),
            ]),
        ),
        OPEN.story(
            "M-18",
            "a demotion that names a laptop voids what it signed and leaves it to its owner",
            &told(&[
                Act(4, "x", &[3], admit("p")),
                Act(5, "x", &[3], invite("m", 2)),
                Act(6, "e", &[5], by("q", "m")),
                Act(7, "a", &[3], demote("x", COUNCIL)),
                Act(8, "c", &[7], approve(7)),
            ]),
        ),
        OPEN.story("M-18", "one hand takes no laptop from anybody", &told(&[Act(4, "a", &[3], remove("x"))])),
    ]
}
