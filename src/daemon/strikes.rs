//! Requests on strike calls.

use piquet_protocol::action::board::CallView;
use piquet_protocol::action::strike::{Call, Leg};
use piquet_protocol::id::{EntryId, GroupId, MemberId};
use piquet_protocol::node::{CallPlan, PledgeState};
use piquet_protocol::replica::{Reach, Replica};
use piquet_protocol::time::Timestamp;

use super::engine::{Answer, Engine, failure};
use super::{answers, lookup};
use crate::control::reply::{LegReply, OriginReply};
use crate::control::request::{CallRequest, LegRequest};
use crate::control::{Failure, Reply};
use crate::schedule::{self, utc};

/// What this node alone knows of a call.
#[derive(Clone, Copy, Default)]
struct Known {
    mine: Option<PledgeState>,
    tally: Option<u32>,
    reach: Option<Reach>,
    /// Whose signature over the standing version holds.
    signer: Option<MemberId>,
    /// And over the call-off.
    off_signer: Option<MemberId>,
}

impl Engine {
    pub(super) fn call_strike(&mut self, group: &str, request: CallRequest, now: Timestamp) -> Answer {
        let replica = self.replica(group)?;
        let id = replica.group();
        let changes = request.changes.as_deref().map(|text| lookup::call(replica, text)).transpose()?;
        let plan = plan(request, changes, now)?;
        let call = self.node.call_strike(id, plan, now).map_err(|error| failure(&error))?;
        self.show_strike(&id.to_hex(), &changes.unwrap_or(call).to_hex(), now)
    }

    fn strike(&mut self, group: GroupId, id: EntryId, now: Timestamp) -> Option<Reply> {
        let tally = self.node.tally(group, id, now).ok().flatten();
        let mine = self.node.pledge(&group, &id);
        let view = self.node.group(&group)?.board().call_view(&id)?;
        let newest = view.off.unwrap_or(view.version);
        let known = self.node.ask(group, now, |replica, round| {
            // What can't be read is not known to be signed.
            let signer = |entry: &EntryId| replica.signed_by(entry, round).ok().flatten();
            let reach = replica.reach_of(&newest, round).ok().flatten();
            let (signer, off_signer) = (signer(&view.version), view.off.as_ref().and_then(signer));
            Known { mine, tally, reach, signer, off_signer }
        })?;
        Some(reply(self.node.group(&group)?, &id, &view, known, now))
    }

    /// By start: what comes first stands first.
    pub(super) fn list_strikes(&mut self, group: &str, now: Timestamp) -> Answer {
        let replica = self.replica(group)?;
        let id = replica.group();
        let mut calls: Vec<(u64, EntryId)> =
            replica.board().calls().map(|(id, view)| (view.body.start(), id)).collect();
        calls.sort_unstable();
        Ok(calls.into_iter().filter_map(|(_, call)| self.strike(id, call, now)).collect())
    }

    pub(super) fn show_strike(&mut self, group: &str, call: &str, now: Timestamp) -> Answer {
        let replica = self.replica(group)?;
        let (id, call) = (replica.group(), lookup::call(replica, call)?);
        Ok(self.strike(id, call, now).into_iter().collect())
    }

    pub(super) fn pledge(&mut self, group: &str, call: &str, yes: bool, now: Timestamp) -> Answer {
        let replica = self.replica(group)?;
        let (id, call) = (replica.group(), lookup::call(replica, call)?);
        let done = match yes {
            true => self.node.pledge_to(id, call, now),
            false => self.node.withdraw_pledge(id, call, now),
        };
        done.map_err(|error| failure(&error))?;
        self.show_strike(&id.to_hex(), &call.to_hex(), now)
    }

    pub(super) fn call_off(&mut self, group: &str, call: &str, reason: &str, now: Timestamp) -> Answer {
        let replica = self.replica(group)?;
        let (id, call) = (replica.group(), lookup::call(replica, call)?);
        self.node.call_off(id, call, reason, now).map_err(|error| failure(&error))?;
        self.show_strike(&id.to_hex(), &call.to_hex(), now)
    }
}

fn plan(request: CallRequest, changes: Option<EntryId>, now: Timestamp) -> Result<CallPlan, Failure> {
    let legs = request.legs.into_iter().map(leg).collect::<Result<Vec<Leg>, Failure>>()?;
    let start = legs.iter().map(|leg| leg.start).min().ok_or_else(|| Failure::new("bad_leg", 1))?;
    let zone = legs.first().map(|leg| leg.zone.clone()).unwrap_or_default();
    if start <= now.as_secs() {
        let first = legs.iter().find(|leg| leg.start == start).map(|leg| leg.start_local.clone());
        return Err(Failure::new("start_past", 1).with("time", first.unwrap_or_default()));
    }
    let closes = schedule::closes(request.closes.as_deref(), &zone, start, now.as_secs())?;
    if closes > start {
        return Err(Failure::new("closes_late", 1));
    }
    Ok(CallPlan {
        changes,
        title: request.title,
        demands: request.demands,
        forms: request.forms,
        legs,
        threshold: request.threshold,
        closes,
        answer_window: request.answer_window,
        tzdb: schedule::table(),
    })
}

fn leg(leg: LegRequest) -> Result<Leg, Failure> {
    let zone = schedule::zone_name(&leg.zone)?;
    let (start, end) = (schedule::local(&leg.start, &zone)?, schedule::local(&leg.end, &zone)?);
    if start >= end {
        return Err(Failure::new("bad_leg", 1));
    }
    let (place, threshold) = (leg.place, leg.threshold);
    Ok(Leg { zone, place, start_local: leg.start, end_local: leg.end, start, end, threshold })
}

fn state(view: &CallView, now: u64) -> &'static str {
    let body = &view.body;
    match () {
        () if view.called_off.is_some() => "called_off",
        () if now >= body.end() => "ended",
        () if now >= body.start() => "under_way",
        () if now >= body.closes => "closed",
        () => "pledging",
    }
}

fn leg_reply(leg: &Leg) -> LegReply {
    let differs = |local: &str, moment: u64| schedule::local(local, &leg.zone) != Ok(moment);
    LegReply {
        zone: leg.zone.clone(),
        place: leg.place.clone(),
        start: utc(leg.start),
        end: utc(leg.end),
        start_local: leg.start_local.clone(),
        end_local: leg.end_local.clone(),
        threshold: leg.threshold,
        doubtful: differs(&leg.start_local, leg.start) || differs(&leg.end_local, leg.end),
    }
}

/// A final count is everybody's; before that a counter sees its own, others whole steps.
fn pledges(count: Option<(u32, bool)>, tally: Option<u32>) -> Option<u32> {
    let closed = count.filter(|(_, closed)| *closed).map(|(count, _)| count);
    closed.or(tally).or(count.map(|(count, _)| count))
}

fn origin(replica: &Replica, entry: &EntryId, author: &MemberId, signer: Option<MemberId>) -> OriginReply {
    let founder = replica.view().is_keyholder(author);
    OriginReply {
        issuer: author.to_hex(),
        name: answers::name(replica, author),
        mandate: if founder { "founder" } else { "none" }.to_owned(),
        verified: signer == Some(*author),
        version: entry.to_hex(),
    }
}

/// Who called it off: in a draft nobody but the caller has the mandate, so the caller is meant until the
/// signature says otherwise.
fn off_origin(replica: &Replica, view: &CallView, signer: Option<MemberId>) -> Option<OriginReply> {
    let author = signer.unwrap_or(view.author);
    view.off.as_ref().map(|entry| origin(replica, entry, &author, signer))
}

fn reply(replica: &Replica, id: &EntryId, view: &CallView, known: Known, now: Timestamp) -> Reply {
    let body: &Call = &view.body;
    let count = replica.board().count(id);
    Reply::Strike {
        id: id.to_hex(),
        title: body.title.clone(),
        state: state(view, now.as_secs()).to_owned(),
        start: utc(body.start()),
        closes: utc(body.closes),
        expires: utc(body.expires),
        forms: body.forms.clone(),
        demands: body.demands.clone(),
        legs: body.legs.iter().map(leg_reply).collect(),
        pledges: pledges(count, known.tally),
        counted: count.is_some_and(|(_, closed)| closed),
        threshold: body.threshold,
        sequence: view.called_off.as_ref().map_or(body.sequence, |off| off.sequence),
        caller: answers::name(replica, &view.author),
        origin: origin(replica, &view.version, &view.author, known.signer),
        call_off: off_origin(replica, view, known.off_signer),
        counters: body.counters.iter().map(|member| answers::name(replica, member)).collect(),
        mine: known.mine.is_some_and(|state| state.yes),
        reason: view.called_off.as_ref().map(|off| off.reason.clone()),
        conflicting: view.conflicting,
        sent: known.reach.map(answers::reach),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_final_count_beats_a_tally_and_a_tally_a_step() {
        assert_eq!(pledges(None, None), None);
        assert_eq!(pledges(Some((5, false)), None), Some(5));
        assert_eq!(pledges(Some((5, false)), Some(7)), Some(7));
        assert_eq!(pledges(Some((8, true)), Some(7)), Some(8));
    }

    #[test]
    fn a_leg_whose_utc_is_not_its_local_time_is_doubtful() {
        let sound = leg(LegRequest {
            zone: "europe/paris".into(),
            place: "Lyon".into(),
            start: "2026-12-04T18:00".into(),
            end: "2026-12-04T22:00".into(),
            threshold: 0,
        })
        .unwrap();
        assert!(!leg_reply(&sound).doubtful && sound.zone == "Europe/Paris");
        assert!(leg_reply(&Leg { start: sound.start + 3600, ..sound.clone() }).doubtful);
        assert!(leg_reply(&Leg { zone: "Europe/Lutetia".into(), ..sound }).doubtful);
    }
}
