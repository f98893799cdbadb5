//! Requests on what several decide together.

use std::collections::BTreeSet;

use piquet_protocol::group::membership::{Channel, Operation, Parameter, ProposalState, Rules};
use piquet_protocol::id::{EntryId, GroupId, MemberId};
use piquet_protocol::node::{Decision, Matter, ProposalView};
use piquet_protocol::replica::Replica;
use piquet_protocol::time::Timestamp;

use super::engine::{Answer, Engine, failure};
use super::{answers, lookup};
use crate::control::request::{DecisionRequest, Template};
use crate::control::{Failure, Reply};

impl Engine {
    pub(super) fn found(
        &mut self,
        group: &str,
        keyholders: &[String],
        template: Template,
        now: Timestamp,
    ) -> Answer {
        let replica = self.replica(group)?;
        let id = replica.group();
        let named = keyholders.iter().map(|text| lookup::member(replica, text));
        let named = named.collect::<Result<BTreeSet<MemberId>, Failure>>()?;
        let act = self.node.found(id, &named, rules(template), now).map_err(|error| failure(&error))?;
        self.proposal(id, &act)
    }

    pub(super) fn propose(
        &mut self,
        group: &str,
        decision: &DecisionRequest,
        roll: bool,
        now: Timestamp,
    ) -> Answer {
        let replica = self.replica(group)?;
        let id = replica.group();
        let channel = if roll { Channel::Roll } else { Channel::Council };
        let decision = read(replica, decision)?;
        let act = self.node.propose(id, &decision, channel, now).map_err(|error| failure(&error))?;
        self.proposal(id, &act)
    }

    pub(super) fn resign(&mut self, group: &str, now: Timestamp) -> Answer {
        let id = self.replica(group)?.group();
        self.node.resign(id, now).map_err(|error| failure(&error))?;
        self.in_group(&id.to_hex(), |replica| vec![answers::group(replica)])
    }

    pub(super) fn proposals(&self, group: &str) -> Answer {
        let replica = self.replica(group)?;
        let list = self.node.proposals(&replica.group()).map_err(|error| failure(&error))?;
        Ok(list.iter().map(|view| reply(replica, view)).collect())
    }

    pub(super) fn show_proposal(&self, group: &str, proposal: &str) -> Answer {
        let (group, act) = self.named(group, proposal)?;
        self.proposal(group, &act)
    }

    pub(super) fn approve(&mut self, group: &str, proposal: &str, now: Timestamp) -> Answer {
        let (group, act) = self.named(group, proposal)?;
        self.node.approve(group, act, now).map_err(|error| failure(&error))?;
        self.proposal(group, &act)
    }

    pub(super) fn dismiss(&mut self, group: &str, proposal: &str, now: Timestamp) -> Answer {
        let (group, act) = self.named(group, proposal)?;
        let dismissal = self.node.dismiss(group, act, now).map_err(|error| failure(&error))?;
        self.proposal(group, &dismissal)
    }

    /// A proposal of a group, or of the draft it was founded from.
    fn named(&self, group: &str, proposal: &str) -> Result<(GroupId, EntryId), Failure> {
        let replica = self.replica(group)?;
        let list = self.node.proposals(&replica.group()).map_err(|error| failure(&error))?;
        let act = lookup::proposal(list.iter().map(|view| view.act), proposal)?;
        Ok((replica.group(), act))
    }

    fn proposal(&self, group: GroupId, act: &EntryId) -> Answer {
        let view = self.node.proposal(&group, act).map_err(|error| failure(&error))?;
        let replica = self.node.group(&group).ok_or_else(|| Failure::new("no_such_group", 1))?;
        Ok(vec![reply(replica, &view)])
    }
}

/// The rules a group starts with; a majority changes them.
fn rules(template: Template) -> Rules {
    match template {
        Template::Circle => Rules { admit: 0, few: 1, wait: 0, chat: 0 },
        Template::Collective => Rules { admit: 1, few: 1, wait: 7, chat: 0 },
        Template::Council => Rules { admit: 0, few: 2, wait: 30, chat: 0 },
    }
}

fn read(replica: &Replica, decision: &DecisionRequest) -> Result<Decision, Failure> {
    let members = |texts: &[String]| -> Result<Vec<MemberId>, Failure> {
        texts.iter().map(|text| lookup::person(replica, text)).collect()
    };
    Ok(match decision {
        DecisionRequest::Expel { members: texts } => {
            let accused = texts.iter().map(|text| lookup::accused(replica, text));
            Decision::Expel(accused.collect::<Result<_, _>>()?)
        }
        DecisionRequest::Enrol { members: texts } => Decision::Enrol(members(texts)?),
        DecisionRequest::Promote { member } => Decision::Promote(lookup::person(replica, member)?),
        DecisionRequest::Demote { member } => Decision::Demote(vec![lookup::accused(replica, member)?]),
        DecisionRequest::Rule { key, value } => {
            let (parameter, value) = rule(key, value)
                .ok_or_else(|| Failure::new("bad_rule", 1).with("rule", format!("{key} {value}")))?;
            Decision::Rule(parameter, value)
        }
    })
}

/// A rule as people write it.
fn rule(key: &str, value: &str) -> Option<(Parameter, u32)> {
    let (parameter, value) = match (key, value) {
        ("admit", "keyholder") => (Parameter::Admit, 0),
        ("admit", "member") => (Parameter::Admit, 1),
        ("admit", vouches) => (Parameter::Admit, vouches.parse().ok().filter(|n| *n > 0)?),
        ("few", hands) => (Parameter::Few, hands.parse().ok()?),
        ("wait", days) => (Parameter::Wait, days.parse().ok()?),
        ("chat", "forever") => (Parameter::Chat, 0),
        ("chat", days) => (Parameter::Chat, days.parse().ok().filter(|n| *n > 0)?),
        _ => return None,
    };
    parameter.allows(value).then_some((parameter, value))
}

/// A rule as [`rule`] reads it.
fn rule_text(parameter: Parameter, value: u32) -> String {
    let key = match parameter {
        Parameter::Admit => "admit",
        Parameter::Few => "few",
        Parameter::Wait => "wait",
        Parameter::Chat => "chat",
    };
    match (parameter, value) {
        (Parameter::Admit, 0) => format!("{key} keyholder"),
        (Parameter::Admit, 1) => format!("{key} member"),
        (Parameter::Chat, 0) => format!("{key} forever"),
        _ => format!("{key} {value}"),
    }
}

fn reply(replica: &Replica, view: &ProposalView) -> Reply {
    let names = |members: &[MemberId]| -> Vec<String> {
        members.iter().map(|member| answers::name(replica, member)).collect()
    };
    let (kind, about, channel) = match &view.matter {
        Matter::Found(council) => ("found", names(council), None),
        Matter::Act(operation) => {
            let (kind, text) = matter(operation);
            let about = if text.is_empty() { names(&operation.names()) } else { vec![text] };
            (kind, about, operation.channel())
        }
    };
    Reply::Proposal {
        proposal: view.act.to_hex(),
        group: replica.group().to_hex(),
        kind: kind.to_owned(),
        about,
        channel: channel.map(|channel| if channel == Channel::Roll { "roll" } else { "council" }.to_owned()),
        state: state(view.state).to_owned(),
        signed: view.signed.len(),
        needed: view.needed,
        author: answers::name(replica, &view.author),
        signers: names(&view.signed),
        waits_for_me: view.waits_for_me,
    }
}

pub(super) fn state(state: ProposalState) -> &'static str {
    match state {
        ProposalState::Open => "open",
        ProposalState::Decided => "decided",
        ProposalState::Dismissed => "dismissed",
        ProposalState::Fell => "fallen",
    }
}

/// The kind of an act, and what it is about if not persons.
pub(super) fn matter(operation: &Operation) -> (&'static str, String) {
    let short = |id: String| id.chars().take(16).collect();
    match operation {
        Operation::Expel { .. } => ("expel", String::new()),
        Operation::Demote { .. } => ("demote", String::new()),
        Operation::Promote { .. } => ("promote", String::new()),
        Operation::Enrol { .. } => ("enrol", String::new()),
        Operation::Remove { .. } => ("remove", String::new()),
        Operation::Admit { .. } => ("admit", String::new()),
        Operation::Rule { parameter, value, .. } => ("rule", rule_text(*parameter, *value)),
        Operation::Dismiss { act } => ("dismiss", short(act.to_hex())),
        Operation::Revoke { key } => ("revoke", short(key.to_hex())),
        _ => ("other", String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_written_and_read_alike() {
        let good =
            [("admit", "keyholder"), ("admit", "member"), ("admit", "3"), ("few", "2"), ("wait", "30")];
        for (key, value) in good.into_iter().chain([("chat", "30"), ("chat", "forever")]) {
            let (parameter, number) = rule(key, value).unwrap();
            assert_eq!(rule_text(parameter, number), format!("{key} {value}"));
        }
        let bad =
            [("admit", "0"), ("admit", "17"), ("few", "3"), ("wait", "366"), ("wait", "-1"), ("vote", "1")];
        for (key, value) in bad.into_iter().chain([("chat", "0"), ("chat", "3651")]) {
            assert_eq!(rule(key, value), None, "{key} {value}");
        }
    }
}
