//! The rules hold in every state of the small scopes, and each broken rule is found out.

use std::collections::BTreeSet;
use std::time::Instant;

use piquet_model::property::{self, AGAIN, ASKED, DECIDED, FELL, FORK, GATE, LOUDER, OFFICE};
use piquet_model::scope::Scope;
use piquet_model::variant::Variant;
use stateright::{Checker, HasDiscoveries, Model};

/// `PIQUET_MODEL=2` explores further.
fn bounds(usual: (usize, usize), large: (usize, usize)) -> (usize, usize) {
    if std::env::var("PIQUET_MODEL").is_ok_and(|scope| scope == "2") { large } else { usual }
}

/// Everything holds everywhere, and these examples are there.
fn explore(scope: Scope, (acts, blind): (usize, usize), examples: &[&'static str]) {
    let (name, start) = (scope.name, Instant::now());
    let checker = scope.within(acts, blind).checker().spawn_bfs().join();
    let states = checker.unique_state_count();
    println!("{name}, {acts} acts, {blind} blind: {states} states, {:.1} s", start.elapsed().as_secs_f32());
    for property in checker.model().properties() {
        if property.expectation.discovery_is_failure() {
            checker.assert_no_discovery(property.name);
        }
    }
    for example in examples {
        checker.assert_any_discovery(example);
    }
}

/// With a rule broken, this property fails.
fn catch(variant: Variant, scope: Scope, property: &'static str) {
    let found = HasDiscoveries::AnyOf(BTreeSet::from([property]));
    let checker = scope.by(variant).checker().finish_when(found).spawn_bfs().join();
    println!("{variant:?}: found after {} states", checker.unique_state_count());
    checker.assert_any_discovery(property);
}

#[test]
fn admissions_cross_removals() {
    let examples = [FORK, GATE, FELL, ASKED, LOUDER, AGAIN];
    explore(Scope::doors(), bounds((3, 1), (3, 2)), &examples);
    explore(Scope::smugglers(), bounds((2, 2), (3, 1)), &[FORK, GATE]);
}

#[test]
fn a_majority_decides_against_one_who_goes_on() {
    explore(Scope::verdicts(), bounds((3, 1), (4, 1)), &[FORK, GATE, FELL, ASKED, LOUDER, AGAIN, DECIDED]);
}

#[test]
fn people_go_and_come_back() {
    explore(Scope::leavings(), bounds((2, 2), (3, 2)), &[FORK, GATE, FELL, ASKED, LOUDER, AGAIN]);
}

#[test]
fn offices_are_given_and_taken() {
    explore(Scope::offices(), bounds((3, 2), (4, 2)), &[FORK, GATE, FELL, ASKED, LOUDER, AGAIN, OFFICE]);
}

#[test]
fn voices_sway_which_branch_wins() {
    explore(Scope::voices(), bounds((2, 2), (3, 2)), &[FORK, GATE, ASKED]);
}

#[test]
fn each_broken_rule_is_found_out() {
    let (doors, verdicts) = (Scope::doors, Scope::verdicts);
    catch(Variant::NoGate, doors(), property::WORDS);
    catch(Variant::FirstArrivalLeads, doors(), property::ORDER);
    catch(Variant::OwnBranchFirst, doors(), property::ONE);
    catch(Variant::NobodyCarriesOut, doors(), property::ONE);
    catch(Variant::NobodyAsks, doors().within(2, 2), property::ONE);
    catch(Variant::AddsUnchecked, Scope::smugglers(), property::LEAVES);
    catch(Variant::VerdictsFall, verdicts().within(3, 0), property::VERDICTS);
    catch(Variant::AccusedSigns, verdicts(), property::HANDS);
    catch(Variant::FewUnseat, verdicts(), property::HANDS);
    catch(Variant::NothingCut, doors(), property::BACKS);
    catch(Variant::NotHeld, doors().within(3, 1), property::BACKS);
    catch(Variant::AnybodyReadmits, doors().within(3, 0), property::RETURNS);
    catch(Variant::RemovalNotCounted, doors(), property::RETURNS);
    catch(Variant::LastArrivalDecides, doors(), property::ORDER);
}

/// Whoever was expelled before a commit gave him a leaf is back by a majority alone (M-12): he has no keys to ask with
/// (K-11), and rests on no admission (K-10).
#[test]
fn whoever_is_back_without_ever_having_had_keys_gets_some() {
    explore(Scope::returns(), (5, 0), &[GATE, DECIDED]);
    catch(Variant::RestedOnAlone, Scope::returns().within(5, 0), property::ONE);
}
