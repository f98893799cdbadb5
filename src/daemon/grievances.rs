//! Requests on grievances.

use std::collections::BTreeMap;

use piquet_protocol::action::board::GrievanceView;
use piquet_protocol::action::grievance::{Amount, Grievance, Support, SupportKind};
use piquet_protocol::id::{EntryId, GroupId};
use piquet_protocol::replica::{Reach, Replica};
use piquet_protocol::time::Timestamp;

use super::engine::{Answer, Engine, failure};
use super::{answers, lookup};
use crate::control::reply::{AmountReply, ComparableReply};
use crate::control::request::GrievanceRequest;
use crate::control::{Failure, Reply};
use crate::schedule::{self, decimal, utc, write_amount};

impl Engine {
    pub(super) fn file(&mut self, group: &str, request: GrievanceRequest, now: Timestamp) -> Answer {
        let id = self.replica(group)?.group();
        let filed = self.node.file_grievance(id, &body(request)?, now).map_err(|error| failure(&error))?;
        self.show_grievance(&id.to_hex(), &filed.to_hex(), now)
    }

    pub(super) fn list_grievances(&mut self, group: &str, now: Timestamp) -> Answer {
        let replica = self.replica(group)?;
        let group = replica.group();
        let mut list: Vec<(u32, EntryId)> =
            replica.board().grievances().map(|(id, view)| (view.time, *id)).collect();
        list.sort_unstable();
        Ok(list.into_iter().filter_map(|(_, id)| self.grievance(group, &id, now)).collect())
    }

    pub(super) fn show_grievance(&mut self, group: &str, id: &str, now: Timestamp) -> Answer {
        let replica = self.replica(group)?;
        let (group, id) = (replica.group(), lookup::grievance(replica, id)?);
        Ok(self.grievance(group, &id, now).into_iter().collect())
    }

    fn grievance(&mut self, group: GroupId, id: &EntryId, now: Timestamp) -> Option<Reply> {
        // A record that can't be read costs the state of sending alone.
        let reach = self.node.ask(group, now, |replica, round| replica.reach_of(id, round));
        let reach = reach.and_then(Result::ok).flatten();
        let replica = self.node.group(&group)?;
        let view = replica.board().grievance(id)?;
        Some(reply(replica, id, view, reach))
    }

    pub(super) fn support(&mut self, group: &str, id: &str, kind: &str, now: Timestamp) -> Answer {
        let replica = self.replica(group)?;
        let (group, grievance) = (replica.group(), lookup::grievance(replica, id)?);
        if replica.board().grievance(&grievance).is_some_and(|view| view.author == replica.member()) {
            return Err(Failure::new("own_grievance", 1));
        }
        let kind = match kind {
            "witness" => SupportKind::Witness,
            "document" => SupportKind::Document,
            _ => SupportKind::Same,
        };
        self.node.support(group, &Support { grievance, kind }, now).map_err(|error| failure(&error))?;
        self.show_grievance(&group.to_hex(), &grievance.to_hex(), now)
    }
}

fn body(request: GrievanceRequest) -> Result<Grievance, Failure> {
    schedule::check_when(&request.when)?;
    schedule::check_place(&request.place)?;
    Ok(Grievance {
        category: request.category,
        platform: request.platform,
        when: request.when,
        place: request.place,
        amounts: request.amounts.iter().map(|text| schedule::amount(text)).collect::<Result<_, _>>()?,
        text: request.text,
        every: request.every,
        zone: request.zone.as_deref().map(schedule::zone_name).transpose()?,
    })
}

fn reply(replica: &Replica, id: &EntryId, view: &GrievanceView, reach: Option<Reach>) -> Reply {
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
    let body = &view.body;
    let alike = replica.board().grievances().map(|(_, other)| &other.body);
    let alike =
        alike.filter(|other| other.category == body.category && is_same(&other.platform, &body.platform));
    Reply::Grievance {
        id: id.to_hex(),
        category: body.category.clone(),
        platform: body.platform.clone(),
        when: body.when.clone(),
        every: body.every.clone(),
        zone: body.zone.clone(),
        place: body.place.clone(),
        amounts: body.amounts.iter().map(amount).collect(),
        comparable: comparable(alike.flat_map(|other| &other.amounts)),
        text: body.text.clone(),
        name: answers::name(replica, &view.author),
        time: utc(u64::from(view.time)),
        support: support.len(),
        support_kinds: kinds,
        state: "open".to_owned(),
        sent: reach.map(answers::reach),
    }
}

/// People write one platform's name in several ways.
fn is_same(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

fn amount(amount: &Amount) -> AmountReply {
    AmountReply {
        kind: amount.kind.clone(),
        value: amount.value,
        decimals: amount.scale,
        unit: amount.unit.clone(),
        per: amount.per.clone(),
        basis: amount.basis.clone(),
        text: write_amount(amount),
    }
}

/// Median and range of what can be compared: never a sum alone, which one absurd figure makes worthless.
fn comparable<'a>(amounts: impl Iterator<Item = &'a Amount>) -> Vec<ComparableReply> {
    let mut figures: BTreeMap<(&str, &str, &str), Vec<&Amount>> = BTreeMap::new();
    for amount in amounts {
        figures.entry((&amount.kind, &amount.unit, &amount.per)).or_default().push(amount);
    }
    let alike = figures.into_iter().filter(|(_, figures)| figures.len() > 1);
    alike.map(|((kind, unit, per), figures)| range(kind, unit, per, &figures)).collect()
}

fn range(kind: &str, unit: &str, per: &str, figures: &[&Amount]) -> ComparableReply {
    let scale = figures.iter().map(|amount| amount.scale).max().unwrap_or(0);
    let scaled = |a: &&Amount| u128::from(a.value) * 10u128.pow(u32::from(scale.saturating_sub(a.scale)));
    let mut values: Vec<u128> = figures.iter().map(scaled).collect();
    values.sort_unstable();
    let at = |place: usize| values.get(place).copied().unwrap_or(0);
    let middle = values.len() / 2;
    let median = if values.len() % 2 == 1 {
        at(middle)
    } else {
        (at(middle.saturating_sub(1)) + at(middle)).div_ceil(2)
    };
    ComparableReply {
        kind: kind.to_owned(),
        unit: unit.to_owned(),
        per: per.to_owned(),
        count: values.len(),
        median: decimal(median, scale),
        min: decimal(at(0), scale),
        max: decimal(at(values.len().saturating_sub(1)), scale),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_absurd_figure_moves_the_range_not_the_median() {
        let amounts: Vec<Amount> =
            ["paid=3.10EUR/task", "paid=2.50EUR/task", "paid=9000EUR/task", "hours=7/day"]
                .into_iter()
                .map(|text| schedule::amount(text).unwrap())
                .collect();
        let found = comparable(amounts.iter());
        assert_eq!(found.len(), 1, "one figure alone is not compared");
        let paid = &found[0];
        assert_eq!((paid.count, paid.median.as_str()), (3, "3.10"));
        assert_eq!((paid.min.as_str(), paid.max.as_str()), ("2.50", "9000.00"));
    }

    #[test]
    fn an_even_number_has_the_mean_of_the_middle_two_in_one_scale() {
        let amounts = ["hours=7h/day", "hours=7.25h/day"].map(|text| schedule::amount(text).unwrap());
        assert_eq!(comparable(amounts.iter())[0].median, "7.13");
        let other =
            ["paid=1EUR/task", "paid=1EUR/hour", "paid=1USD/task"].map(|t| schedule::amount(t).unwrap());
        assert!(comparable(other.iter()).is_empty(), "units and periods are never mixed");
        let largest = Amount { value: u64::MAX, scale: 0, ..other[0].clone() };
        assert_eq!(comparable([&largest, &largest, &other[0]].into_iter())[0].max, "18446744073709551615.00");
    }
}
