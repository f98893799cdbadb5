//! Requests on a group's members.

use piquet_protocol::entry::Lane;
use piquet_protocol::id::{GroupId, MemberId};
use piquet_protocol::replica::{MemberView, Replica};
use piquet_protocol::time::Timestamp;

use super::engine::{Answer, Engine, failure};
use super::{answers, lookup};
use crate::control::Reply;
use crate::control::reply::Readable;
use crate::control::request::DecisionRequest;
use crate::schedule::utc;

impl Engine {
    pub(super) fn members(&mut self, group: &str, now: Timestamp) -> Answer {
        let replica = self.replica(group)?;
        let (id, list) = (replica.group(), replica.members());
        let mut members = Vec::with_capacity(list.len());
        for view in &list {
            members.push((self.joined(id, &view.member, now), view));
        }
        // The founder, whom nobody let in, then all others as they came.
        members.sort_by_key(|(joined, view)| (view.admitted_by.is_some(), *joined, view.member));
        self.in_group(&id.to_hex(), |replica| {
            members.into_iter().map(|(joined, view)| reply(replica, view, &list, joined)).collect()
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

fn reply(replica: &Replica, view: &MemberView, all: &[MemberView], joined: Option<u32>) -> Reply {
    let invited = all.iter().filter(|other| other.admitted_by == Some(view.member)).count();
    let let_in = all.iter().filter(|other| other.admitted_by.is_some()).count();
    Reply::Member {
        member: view.member.to_hex(),
        name: answers::name(replica, &view.member),
        role: if view.keyholder { "keyholder" } else { "member" }.to_owned(),
        votes: replica.view().roll.contains(&view.member),
        invited_by: view.admitted_by.map(|by| answers::name(replica, &by)),
        joined: joined.map(|time| utc(u64::from(time))),
        invited,
        share: (invited * 100).checked_div(let_in).unwrap_or(0),
        last_heard: view.last_heard.map(|time| utc(u64::from(time))),
        keyed: view.keyed,
        me: view.member == replica.member(),
    }
}
