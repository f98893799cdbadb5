//! Verdicts whose signers fork their logs (L-5 and L-6 with M-2 and M-14): the real logs and the real
//! membership of several honest nodes, in every order in which entries, proofs and branches reach them.

mod explore;
mod node;
mod script;

use super::{BOB, EVE};
use crate::group::membership::Operation;
use explore::{Broken, Explorer, Figures};
use node::{Lacking, Node, Say};
use script::{ANNA, HELPER, Place, Script, VERA, WALT, approval, demote, expel};

const PLACES: [Place; 3] = [Place::Before, Place::While, Place::After];

fn holds(script: &Script) -> Figures {
    let (figures, broken) = Explorer::explore(script, Lacking::Nothing);
    assert!(broken.is_empty(), "{broken:#?}");
    let Figures { states, orders, ends, stands, drawn } = figures;
    println!(
        "{states} states, {orders:.1e} orders; of {ends} ends {stands} with the verdict, {drawn} with a branch"
    );
    figures
}

fn broken(script: &Script, lacking: Lacking) -> Vec<Broken> {
    Explorer::explore(script, lacking).1.into_keys().collect()
}

fn rivals() -> [Option<Operation>; 4] {
    [None, approval(), Some(Operation::Resign), Some(Operation::Leave)]
}

/// Vera is expelled or Bob demoted, by Anna's signature and Eve's.
fn signed_and_forked() -> impl Iterator<Item = Script> {
    let verdicts = [expel(VERA), demote(BOB)].into_iter();
    verdicts.flat_map(|verdict| {
        PLACES.into_iter().flat_map(move |place| {
            let verdict = verdict.clone();
            rivals().into_iter().map(move |rival| Script::signed(verdict.clone(), place, rival))
        })
    })
}

#[test]
fn a_verdict_that_stood_anywhere_stands_everywhere_whenever_its_signer_forks() {
    for script in signed_and_forked() {
        let figures = holds(&script.among(&[BOB, VERA]));
        assert!(figures.stands > 0 && figures.drawn > 0, "{figures:?}");
    }
    for place in [Place::While, Place::After] {
        holds(&Script::signed(expel(VERA), place, Some(Operation::Leave)));
    }
    holds(&Script::signed(expel(VERA), Place::While, None).among(&[BOB, VERA]).at_length());
}

#[test]
fn a_dismissal_closes_a_verdict_for_everybody_whichever_branch_they_saw() {
    let mut script = Script::signed(expel(VERA), Place::While, None).among(&[ANNA, BOB]);
    script.says = vec![(BOB, Say::Dismiss), (ANNA, Say::Second)];
    let figures = holds(&script);
    assert!(figures.stands > 0 && figures.stands < figures.ends, "{figures:?}");
}

#[test]
fn a_verdict_proposed_on_a_branch_counts_once_somebody_honest_signed_it() {
    let mut script = Script::empty().among(&[ANNA, VERA]);
    script.act("verdict", EVE, "", &[], Some(expel(VERA)));
    script.act("rival", EVE, "", &[], None);
    script.says = vec![(ANNA, Say::Approve)];
    let figures = holds(&script);
    assert!(figures.stands > 0 && figures.stands < figures.ends, "{figures:?}");
}

/// A captured member builds on the signature in an act, and forks her log too.
fn helped() -> Script {
    let mut script = Script::signed(expel(VERA), Place::While, None).among(&[BOB, VERA]);
    script.act("help", HELPER, "", &["signature"], None);
    script.act("another help", HELPER, "", &["rival"], None);
    script
}

/// … or in talk.
fn helped_by_talk() -> Script {
    let mut script = Script::signed(expel(VERA), Place::While, None).among(&[BOB, VERA]);
    script.talk("help", HELPER, "", &["signature"]);
    script.talk("other talk", HELPER, "", &[]);
    script
}

/// … or in an act that nobody can ever apply.
fn helped_by_a_fake() -> Script {
    let mut script = Script::signed(expel(VERA), Place::While, None).among(&[BOB, VERA]);
    script.act("help", HELPER, "", &["signature", "what nobody has"], None);
    script
}

#[test]
fn whoever_helps_a_forking_signer_and_forks_too_parts_nobody() {
    for script in [helped(), helped_by_talk(), helped_by_a_fake()] {
        holds(&script);
    }
}

#[test]
fn whoever_only_talks_brings_the_branch_it_saw_to_everybody() {
    let mut script = Script::signed(expel(VERA), Place::While, None).among(&[BOB, WALT]);
    script.says = vec![(WALT, Say::Talk)];
    holds(&script);
}

#[test]
fn without_any_part_of_the_rule_a_verdict_is_lost_or_groups_part() {
    let script = Script::signed(expel(VERA), Place::While, None).among(&[BOB, VERA]);
    let parted = [Broken::Convergence, Broken::Verdict, Broken::Branch];
    assert_eq!(broken(&script, Lacking::Citing), parted);
    assert_eq!(broken(&script, Lacking::CitingByTheEnded), parted);
    assert_eq!(broken(&helped_by_talk(), Lacking::CitingAfterForkedTalk), parted[..2]);
    assert_eq!(broken(&helped(), Lacking::Closing), [Broken::Convergence, Broken::Branch]);
    assert_eq!(broken(&helped_by_a_fake(), Lacking::WaitingForTheCiter), [Broken::Branch]);
    assert_eq!(broken(&script, Lacking::RawCounting), [Broken::Verdict, Broken::Unapplied]);
}

#[test]
fn what_only_an_absent_node_saw_counts_once_it_is_back() {
    let script = Script::signed(expel(VERA), Place::While, None);
    let [signature, rival] = &script.entries[..] else { panic!() };
    let mut nodes = [ANNA, BOB, WALT].map(|device| Node::new(device, script.founding(), Lacking::Nothing));
    nodes.iter_mut().for_each(|node| node.take(&script.known[0]));
    let [anna, bob, walt] = &mut nodes;
    walt.take(signature);
    for node in [&mut *anna, &mut *bob] {
        node.take(rival);
        node.take(signature);
    }
    let stands = |node: &Node| node.view().stands(&script.verdict);
    assert!(stands(walt) && !stands(anna) && !stands(bob), "he is away: nobody builds on it");
    walt.take(rival);
    assert!(walt.owes_settling());
    walt.settle();
    for node in [&mut *anna, &mut *bob] {
        node.take(&walt.own[0]);
        assert!(stands(node));
    }
}
