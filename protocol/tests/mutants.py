#!/usr/bin/env python3
"""Breaks each rule of membership once and shows which tests notice.

    mutants.py --check          every mutant still applies to the code; builds nothing
    mutants.py [RULE]...        breaks one after the other, in place, and runs the tests; for a clean checkout

A mutant that no test notices is printed as SURVIVES, and makes the exit code 1.
"""

import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
GROUP = "protocol/src/group/membership"
#: What is run for most: the stories of the vectors; where none of them notices, attacks and random histories.
STORIES = ["--test", "vectors"], ["who_is_in"]
MEMBERSHIP = ["--lib"], ["membership"]

#: Rule, what is broken, file, the code, what it becomes, and the tests if they are others.
MUTANTS = [
    ("M-1", "who lost the right may sign", f"{GROUP}.rs", "before.holds(who, right) && then.holds(who, right) &&", "before.holds(who, right) &&"),
    ("M-1", "who had no right yet may sign", f"{GROUP}.rs", "before.holds(who, right) && then.holds(who, right) &&", "then.holds(who, right) &&"),
    ("M-2", "verdicts count what is held and not cut", f"{GROUP}/advance.rs", "!self.view.closed.contains(&act.id) && self.has_need(act)", "!self.view.closed.contains(&act.id) && self.count(act) == Outcome::Stands"),
    ("M-3", "half is a majority", f"{GROUP}.rs", "(act.then.holders(right) / 2 + 1).max(2)", "act.then.holders(right).div_ceil(2).max(2)"),
    ("M-3", "one is a majority of one", f"{GROUP}.rs", "(act.then.holders(right) / 2 + 1).max(2)", "act.then.holders(right) / 2 + 1"),
    ("M-3", "the accused signs", f"{GROUP}.rs", "operation if operation.is_verdict() => act.barred = operation.names(),", ""),
    ("M-4", "a removal names a key-holder", f"{GROUP}/act.rs", "if members.iter().any(|member| self.is_keyholder(member))", "if members.is_empty()"),
    ("M-4", "a removal from before an office ends it", f"{GROUP}/settle.rs", "let alive = !gone && (!removed || office);", "let alive = !gone && !removed;"),
    ("M-5", "nothing is cut from grants and removals", f"{GROUP}/counting.rs", "self.is_held(&signature.grounds) && !self.is_author_cut(by, Cut::Verdicts)", "self.is_held(&signature.grounds)"),
    ("M-5", "nothing is cut from admissions", f"{GROUP}/counting.rs", "self.is_held(&signature.grounds) && !self.is_author_cut(by, Cut::Removals)", "self.is_held(&signature.grounds)"),
    ("M-5", "a better informed verdict keeps nothing", f"{GROUP}/counting.rs", "if verdict && knows {\n                return false;\n            }", ""),
    ("M-5", "a removal keeps what another did not know", f"{GROUP}/counting.rs", "if verdict && knows {", "if knows {"),
    ("M-5", "an accomplice lends knowledge", f"{GROUP}/counting.rs", "if act.needed <= 1 {\n            return act.past.contains(other.number);\n        }", ""),
    ("M-6", "what rests on a fallen ground is held", f"{GROUP}/counting.rs", "grounds.into_iter().any(|ground| ground.is_none_or(|act| self.view.stands(&act)))", "grounds.into_iter().next().is_some()"),
    ("M-7", "what falls is not listed", f"{GROUP}/counting.rs", "if counted.len() >= act.needed { Outcome::Stands } else { Outcome::Fell }", "if counted.len() >= act.needed { Outcome::Stands } else { Outcome::Open }"),
    ("M-8", "a removal takes somebody off the roll", f"{GROUP}/settle.rs", "roll: roll && !gone,", "roll: roll && !gone && !removed,"),
    ("M-9", "what is decided can be dismissed", f"{GROUP}.rs", "if act.then.stands(named) {\n                    return Err(Void::Decided);\n                }", ""),
    ("M-9", "a dismissed verdict stands", f"{GROUP}/advance.rs", "!self.view.closed.contains(&act.id) && self.has_need(act)", "self.has_need(act)"),
    ("M-9", "a dismissed grant stands", f"{GROUP}/advance.rs", "let outcome = if self.view.closed.contains(&act.id) { Outcome::Open } else { self.count(act) };\n        if self.put(", "let outcome = self.count(act);\n        if self.put("),
    ("M-9", "the accused dismisses", f"{GROUP}.rs", "act.barred = dismissed.barred.clone();", ""),
    ("M-10", "an old rule admits for ever", f"{GROUP}/advance.rs", "self.blind_rules(act).all(|rule| door.is_satisfied(rule, &voices))", "true"),
    ("M-10", "of crossing rules the loosest holds", f"{GROUP}/settle.rs", "last.max_by_key(|value| parameter.strictness(*value))", "last.min_by_key(|value| parameter.strictness(*value))"),
    ("M-10", "a rule is never succeeded", f"{GROUP}/settle.rs", "let last = changes.iter().filter(|(act, _)| !succeeded(act))", "let last = changes.iter().filter(|(act, _)| !succeeded(act) || act.number < u32::MAX)"),
    ("M-11", "enrolment puts nobody on the roll", f"{GROUP}/settle.rs", "Some(Operation::Enrol { .. }) => (false, true),", "Some(Operation::Enrol { .. }) => (false, false),"),
    ("M-11", "enrolment beats an expulsion blind to it", f"{GROUP}/settle.rs", "gone |= matches!(how, Ended::Expelled | Ended::Left);", "gone |= matches!(how, Ended::Expelled | Ended::Left) && !roll;"),
    ("M-12", "any member brings back who was removed", f"{GROUP}/doors.rs", "enough && (by_office || !self.after_removal)", "enough"),
    ("M-12", "an admission brings back who was expelled", f"{GROUP}.rs", "if matches!(&operation, Operation::Admit { device, .. } if self.is_barred(&(*device).into(), &then))", "if false"),
    ("M-12", "nothing brings anybody back", f"{GROUP}/settle.rs", "Some(act) => self.view.endings_since(member, &act.then),", "Some(_) => self.view.endings_of(member).collect::<Vec<_>>(),"),
    ("M-13", "leaving cuts", f"{GROUP}/counting.rs", "let verdict = matches!(how, Ended::Expelled | Ended::Demoted);", "let verdict = matches!(how, Ended::Expelled | Ended::Demoted | Ended::Left);"),
    ("M-13", "resigning cuts", f"{GROUP}/counting.rs", "let verdict = matches!(how, Ended::Expelled | Ended::Demoted);", "let verdict = matches!(how, Ended::Expelled | Ended::Demoted | Ended::Resigned);"),
    ("M-14", "who came in by a branch alone draws it in", "protocol/src/log/forks.rs", "let mut counting = waiting.filter(|meta| !self.promised.contains(&meta.device));", "let mut counting = waiting;", ["log", "forks"]),
    ("M-15", "a revocation closes nothing blind to it", f"{GROUP}/counting.rs", "!closed_blind && self.is_held(&code.grounds) && !cut", "self.is_held(&code.grounds) && !cut"),
    ("M-15", "a code outlives what gave its issuer the right", f"{GROUP}/counting.rs", "!closed_blind && self.is_held(&code.grounds) && !cut", "!closed_blind && !cut"),
    ("M-15", "a code admits for who was put out", f"{GROUP}/counting.rs", "!closed_blind && self.is_held(&code.grounds) && !cut", "!closed_blind && self.is_held(&code.grounds)"),
    ("M-15", "a code may be used too often", f"{GROUP}/settle.rs", "member: alive && !overused,", "member: alive,"),
    ("M-15", "codes of who is put out stay open", f"{GROUP}/settle.rs", "info.revoked = info.revoked.or_else(closed).or_else(", "info.revoked = info.revoked.or_else("),
    ("M-16", "those who let one another in vouch together", f"{GROUP}/doors.rs", "left.retain(|member, by| Some(*member) != sponsor && *by != Some(next));", ""),
    ("M-16", "who is enrolled still counts as let in", f"{GROUP}/settle.rs", "sponsor: grounds.roll.is_empty().then_some(sponsor),", "sponsor: Some(sponsor),"),
    ("M-18", "a dropped device speaks", f"{GROUP}/view.rs", "!self.dropped.contains_key(device) && !struck()", "!struck()"),
    ("M-18", "what a dropped device linked stays", f"{GROUP}/counting.rs", "if link.by == DeviceCode::Link && cut() {", "if link.by == DeviceCode::Link && cut() && act.number == u32::MAX {"),
    ("M-18", "anybody drops anybody's device", f"{GROUP}/act.rs", "None => owner == *author,", "None => true,"),
    ("M-18", "a phrase is set twice", f"{GROUP}/act.rs", "devices: Some(DeviceCode::Recovery), .. } if self.has_phrase(author) => {", "devices: Some(DeviceCode::Recovery), .. } if self.roll.len() == usize::MAX && self.has_phrase(author) => {"),
    ("M-18", "any number of devices", f"{GROUP}/act.rs", "if was_somebody || taken || full {", "if was_somebody || taken || full && self.roll.len() == usize::MAX {"),
    ("M-18", "a code for one device links two", f"{GROUP}/settle.rs", "let counts = |act: &&Act| self.view.stands(&act.id) && !self.is_overused(act);", "let counts = |act: &&Act| self.view.stands(&act.id) && (!self.is_overused(act) || act.number < u32::MAX);"),
    ("M-18", "two laptops of one are two signatures", f"{GROUP}/counting.rs", "let signers: BTreeSet<MemberId> = self.signatures(act).map(|(by, _)| by.author).collect();", "let signers: BTreeSet<MemberId> = self.signatures(act).map(|(by, _)| MemberId::from(by.device)).collect();"),
    ("M-19", "content is judged by what is known now", "protocol/src/replica/apply.rs", "let view = self.view_at(past);\n        let member = view.member_of(&entry.device());\n        let mandate", "let view = self.view.clone();\n        let _ = past;\n        let member = view.member_of(&entry.device());\n        let mandate", ["records", "replica", "pledges", "strike"]),
    ("M-20", "a group is founded without all who are named", "protocol/src/replica/founding.rs", "self.consents.len() == self.parameters.council.len()", "self.consents.len() + 1 >= self.parameters.council.len()", ["founding"]),
]


def parts(mutant):
    rule, what, file, old, new, *tests = mutant
    return rule, what, ROOT / file, old, new, [(["--lib"], tests[0])] if tests else [STORIES, MEMBERSHIP]


def broken(path, old, new):
    text = path.read_text()
    if text.count(old) != 1:
        raise SystemExit(f"{path.name}: not there once: {old}")
    return text, text.replace(old, new)


def run(target, tests):
    command = ["cargo", "test", "--locked", "-q", "-p", "piquet-protocol", *target, "--no-fail-fast", "--", *tests]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    said = done.stdout + done.stderr
    if "could not compile" in said:
        raise SystemExit(said)
    failed = set(re.findall(r"^    ([a-z_0-9:]+)$", said, re.M))
    stories = json.loads((ROOT / "protocol/vectors/membership.json").read_text())["accepted"]
    failed |= {stories[int(at)]["name"] for at in re.findall(r"membership\.accepted\[(\d+)\]", said)}
    return sorted(failed) if done.returncode else []


def main():
    asked = [word for word in sys.argv[1:] if not word.startswith("-")]
    check = "--check" in sys.argv
    survivors = 0
    for mutant in MUTANTS:
        rule, what, path, old, new, tests = parts(mutant)
        if asked and rule not in asked:
            continue
        text, mutated = broken(path, old, new)
        if check:
            continue
        try:
            path.write_text(mutated)
            failed = next((failed for one in tests if (failed := run(*one))), [])
        finally:
            path.write_text(text)
        survivors += not failed
        print(f"{rule}: {what}: {', '.join(failed) if failed else 'SURVIVES'}", flush=True)
    print(f"{len(MUTANTS)} mutants" if check else f"{survivors} survive")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
