//! The node's views as replies.

use std::collections::BTreeMap;

use piquet_protocol::action::board::{CallView, GrievanceView};
use piquet_protocol::action::grievance::SupportKind;
use piquet_protocol::group::membership::InviteState;
use piquet_protocol::id::{EntryId, GroupId, MemberId};
use piquet_protocol::node::{InviteView, PledgeState};
use piquet_protocol::replica::{Frozen, MemberView, MessageView, Replica};
use piquet_protocol::time::Timestamp;

use crate::control::Reply;
use crate::control::reply::{GroupStatus, LegReply};
use crate::schedule::{utc, write_amount};

/// A person's name on this screen: told, or the start of the id.
pub(super) fn name(replica: &Replica, member: &MemberId) -> String {
    replica.name_of(member).unwrap_or_else(|| member.to_hex().chars().take(8).collect())
}

pub(super) fn frozen(why: Frozen) -> &'static str {
    match why {
        Frozen::RolledBack => "rolled_back",
        Frozen::NeedsNewer => "needs_newer",
        Frozen::Ended => "ended",
        Frozen::Mending => "mending",
    }
}

pub(super) fn status(replica: &Replica, peers: usize) -> GroupStatus {
    let (entries, pending) = replica.counts();
    let others = replica.members().into_iter().filter(|m| m.member != replica.member());
    let last_heard = others.filter_map(|member| member.last_heard).max();
    GroupStatus {
        group: replica.group().to_hex(),
        name: replica.name().to_owned(),
        kind: "draft".to_owned(),
        members: replica.view().members.len(),
        epoch: replica.epoch_number(),
        entries,
        pending,
        last_heard: last_heard.map(|t| utc(u64::from(t))),
        peers,
        frozen: replica.frozen().map(|why| frozen(why).to_owned()),
        equivocators: replica.equivocators().iter().map(|device| name(replica, &(*device).into())).collect(),
    }
}

pub(super) fn group(replica: &Replica) -> Reply {
    let view = replica.view();
    let role = match view.members.get(&replica.member()) {
        None => "none",
        Some(_) if view.is_keyholder(&replica.member()) => "keyholder",
        Some(_) => "member",
    };
    Reply::Group {
        group: replica.group().to_hex(),
        name: replica.name().to_owned(),
        kind: "draft".to_owned(),
        epoch: replica.epoch_number(),
        members: view.members.len(),
        role: role.to_owned(),
    }
}

pub(super) fn member(replica: &Replica, view: &MemberView) -> Reply {
    Reply::Member {
        member: view.member.to_hex(),
        name: name(replica, &view.member),
        role: if view.keyholder { "keyholder" } else { "member" }.to_owned(),
        invited_by: view.admitted_by.map(|by| name(replica, &by)),
        last_heard: view.last_heard.map(|t| utc(u64::from(t))),
        me: view.member == replica.member(),
    }
}

pub(super) fn invite(replica: &Replica, view: &InviteView) -> Reply {
    let state = match view.state {
        InviteState::Open => "open",
        InviteState::Used => "used",
        InviteState::Expired => "expired",
        InviteState::Revoked => "revoked",
    };
    Reply::Invite {
        invite: view.key.to_hex(),
        code: view.code.clone(),
        uses: view.uses,
        used: view.used,
        expires: utc(u64::from(view.expires)),
        issuer: name(replica, &view.issuer),
        state: state.to_owned(),
    }
}

pub(super) fn message(replica: &Replica, view: &MessageView) -> Reply {
    let (delivered, of) = view.reach.map_or((0, 0), |reach| (reach.delivered, reach.of));
    let state = match view.reach {
        None => "received",
        Some(reach) if reach.delivered > 0 => "delivered",
        Some(_) => "saved",
    };
    Reply::Message {
        id: view.id.to_hex(),
        group: replica.group().to_hex(),
        author: view.author.to_hex(),
        name: name(replica, &view.author),
        time: utc(u64::from(view.time)),
        kind: "message".to_owned(),
        text: view.text.clone(),
        state: state.to_owned(),
        delivered,
        of,
    }
}

/// What a command that wrote a message answers.
pub(super) fn sent(group: &GroupId, replica: &Replica, view: Option<&MessageView>) -> Reply {
    view.map_or_else(|| Reply::Done { group: group.to_hex() }, |view| message(replica, view))
}

pub(super) fn grievance(replica: &Replica, id: &EntryId, view: &GrievanceView) -> Reply {
    let support = replica.board().support_of(id);
    let mut kinds = BTreeMap::new();
    for kind in support.values() {
        let kind = match kind {
            SupportKind::Same => "same",
            SupportKind::Witness => "witness",
            SupportKind::Document => "document",
        };
        *kinds.entry(kind.to_owned()).or_insert(0) += 1;
    }
    Reply::Grievance {
        id: id.to_hex(),
        category: view.body.category.clone(),
        platform: view.body.platform.clone(),
        when: view.body.when.clone(),
        place: view.body.place.clone(),
        amounts: view.body.amounts.iter().map(write_amount).collect(),
        text: view.body.text.clone(),
        name: name(replica, &view.author),
        time: utc(u64::from(view.time)),
        support: support.len(),
        support_kinds: kinds,
        state: "open".to_owned(),
    }
}

fn call_state(view: &CallView, now: u64) -> &'static str {
    let body = &view.body;
    match () {
        () if view.called_off.is_some() => "called_off",
        () if now >= body.end() => "ended",
        () if now >= body.start() => "under_way",
        () if now >= body.closes => "closed",
        () => "pledging",
    }
}

pub(super) fn strike(
    replica: &Replica,
    id: &EntryId,
    view: &CallView,
    mine: Option<PledgeState>,
    tally: Option<u32>,
    now: Timestamp,
) -> Reply {
    let body = &view.body;
    let count = replica.board().count(id);
    let leg = |leg: &piquet_protocol::action::strike::Leg| LegReply {
        zone: leg.zone.clone(),
        place: leg.place.clone(),
        start: utc(leg.start),
        end: utc(leg.end),
        start_local: leg.start_local.clone(),
        end_local: leg.end_local.clone(),
        threshold: leg.threshold,
    };
    Reply::Strike {
        id: id.to_hex(),
        title: body.title.clone(),
        state: call_state(view, now.as_secs()).to_owned(),
        start: utc(body.start()),
        closes: utc(body.closes),
        expires: utc(body.expires),
        form: body.form.clone(),
        demands: body.demands.clone(),
        legs: body.legs.iter().map(leg).collect(),
        // A final count is everybody's; before that a counter sees its own, others whole steps.
        pledges: count
            .filter(|(_, closed)| *closed)
            .map(|(count, _)| count)
            .or(tally)
            .or(count.map(|(count, _)| count)),
        counted: count.is_some_and(|(_, closed)| closed),
        threshold: body.threshold,
        sequence: view.called_off.as_ref().map_or(body.sequence, |off| off.sequence),
        caller: name(replica, &view.author),
        counters: body.counters.iter().map(|member| name(replica, member)).collect(),
        mine: mine.is_some_and(|state| state.yes),
        reason: view.called_off.as_ref().map(|off| off.reason.clone()),
        conflicting: view.conflicting,
    }
}
