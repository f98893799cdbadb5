//! Requests on a group's members.

use std::collections::BTreeMap;

use piquet_protocol::entry::Lane;
use piquet_protocol::id::{GroupId, MemberId};
use piquet_protocol::replica::{MemberView, Replica};
use piquet_protocol::time::Timestamp;

use super::engine::{Answer, Engine, failure};
use super::{answers, lookup};
use crate::control::reply::Readable;
use crate::control::request::{DecisionRequest, Verify};
use crate::control::{Failure, Reply};
use crate::schedule::utc;

impl Engine {
    pub(super) fn members(&mut self, group: &str, now: Timestamp) -> Answer {
        let replica = self.replica(group)?;
        let (id, list) = (replica.group(), replica.members());
        let verified = self.node.verified(id, now);
        let mut members = Vec::with_capacity(list.len());
        for view in &list {
            members.push((self.joined(id, &view.member, now), view));
        }
        // The founder, whom nobody let in, then all others as they came.
        members.sort_by_key(|(joined, view)| (view.admitted_by.is_some(), *joined, view.member));
        self.in_group(&id.to_hex(), |replica| {
            let one = |(joined, view): (Option<u32>, &MemberView)| {
                reply(replica, view, &list, joined, verified.contains(&view.member))
            };
            members.into_iter().map(one).collect()
        })
    }

    /// What is read aloud when two meet; with what was heard, a mark; with that, a vouch for all to see.
    pub(super) fn verify(&mut self, group: &str, member: &str, wish: &Verify, now: Timestamp) -> Answer {
        let replica = self.replica(group)?;
        let (id, member) = (replica.group(), lookup::member(replica, member)?);
        let reading = self.node.reads_to(&id, &member).map_err(|error| failure(&error))?;
        if let Some(heard) = &wish.heard {
            self.node.verify(id, member, heard, now).map_err(|error| failure(&error))?;
        }
        if wish.forget {
            self.node.unverify(id, member, now).map_err(|error| failure(&error))?;
        }
        let verified = self.node.verified(id, now).contains(&member);
        if wish.vouch {
            if !verified {
                return Err(Failure::new("not_verified", 1));
            }
            self.node.vouch(id, member, now).map_err(|error| failure(&error))?;
        }
        self.in_group(&id.to_hex(), |replica| {
            let vouched = replica.members().into_iter().find(|view| view.member == member);
            vec![Reply::Verification {
                group: id.to_hex(),
                member: member.to_hex(),
                name: answers::name(replica, &member),
                reading,
                verified,
                vouched: vouched.is_some_and(|view| view.vouched_by.contains(&replica.member())),
            }]
        })
    }

    fn joined(&mut self, group: GroupId, member: &MemberId, now: Timestamp) -> Option<u32> {
        // A record that can't be read costs the date alone.
        self.node.ask(group, now, |replica, round| replica.joined_at(member, round).ok().flatten()).flatten()
    }

    pub(super) fn remove(&mut self, group: &str, member: &str, now: Timestamp) -> Answer {
        let replica = self.replica(group)?;
        let (id, member) = (replica.group(), lookup::member(replica, member)?);
        if !replica.is_draft() && replica.view().is_keyholder(&member) {
            // One hand never touches an office: this takes a majority.
            let decision = DecisionRequest::Expel { members: vec![member.to_hex()] };
            return self.propose(group, &decision, false, now);
        }
        let readable = readable(replica);
        let since = self.joined(id, &member, now).map(|time| utc(u64::from(time)));
        self.node.remove(id, member, now).map_err(|error| failure(&error))?;
        self.in_group(&id.to_hex(), |replica| {
            vec![Reply::Removed {
                group: id.to_hex(),
                epoch: replica.epoch_number(),
                member: member.to_hex(),
                name: answers::name(replica, &member),
                readable: Readable { since, ..readable },
            }]
        })
    }

    pub(super) fn leave(&mut self, group: &str, now: Timestamp) -> Answer {
        let id = self.replica(group)?.group();
        self.node.leave(id, now).map_err(|error| failure(&error))?;
        self.in_group(&id.to_hex(), |replica| {
            vec![Reply::Left {
                group: id.to_hex(),
                name: replica.name().to_owned(),
                kind: answers::kind(replica).to_owned(),
                epoch: replica.epoch_number(),
                members: replica.view().members.len(),
                role: "none".to_owned(),
            }]
        })
    }
}

/// What is in a group: whoever was in it may have copied all of it.
fn readable(replica: &Replica) -> Readable {
    let talk = replica.heads().into_iter().filter(|head| head.log.lane == Lane::Talk);
    Readable {
        since: None,
        messages: talk.map(|head| head.seq as usize).sum(),
        grievances: replica.board().grievances().count(),
        calls: replica.board().calls().count(),
        members: replica.view().members.len(),
    }
}

/// How many are here because somebody let them in, or somebody whom he let in, and so on.
fn came_through(member: &MemberId, all: &[MemberView]) -> usize {
    let by: BTreeMap<MemberId, MemberId> =
        all.iter().filter_map(|view| Some((view.member, view.admitted_by?))).collect();
    let through = |view: &&MemberView| {
        let mut at = view.member;
        // Nobody is let in by somebody who came later, but the bound costs nothing.
        (0..all.len()).any(|_| match by.get(&at) {
            Some(opener) => {
                at = *opener;
                at == *member
            }
            None => false,
        })
    };
    all.iter().filter(through).count()
}

fn reply(
    replica: &Replica,
    view: &MemberView,
    all: &[MemberView],
    joined: Option<u32>,
    verified: bool,
) -> Reply {
    let invited = all.iter().filter(|other| other.admitted_by == Some(view.member)).count();
    let let_in = all.iter().filter(|other| other.admitted_by.is_some()).count();
    let through = came_through(&view.member, all);
    Reply::Member {
        member: view.member.to_hex(),
        name: answers::name(replica, &view.member),
        role: if view.keyholder { "keyholder" } else { "member" }.to_owned(),
        votes: replica.view().roll.contains(&view.member),
        invited_by: view.admitted_by.map(|by| answers::name(replica, &by)),
        joined: joined.map(|time| utc(u64::from(time))),
        invited,
        share: (through * 100).checked_div(let_in).unwrap_or(0),
        last_heard: view.last_heard.map(|time| utc(u64::from(time))),
        keyed: view.keyed,
        devices: view.devices,
        verified,
        vouched_by: view.vouched_by.iter().map(|by| answers::name(replica, by)).collect(),
        me: view.member == replica.member(),
    }
}
