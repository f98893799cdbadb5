//! Strike calls.

use owo_colors::OwoColorize;

use super::super::plain::{plain, who};
use super::{Printer, short};
use crate::control::Reply;
use crate::control::reply::{LegReply, OriginReply};
use crate::schedule::wall;

impl Printer {
    /// `brief`: one of a list.
    pub(super) fn strike(&self, reply: &Reply, brief: bool) -> bool {
        let Reply::Strike {
            id, title, state, reason, legs, forms, demands, mine, conflicting, sequence, ..
        } = reply
        else {
            return true;
        };
        let changed = *sequence > 1 && state == "pledging";
        let state = self.texts.get(&format!("strike-{}", state.replace('_', "-")), &[]);
        let shown = self.line(&format!("{}  {}  {state}", short(id), plain(title).bold()));
        if let Some(reason) = reason {
            self.say("strike-reason", &[("reason", &plain(reason))]);
        }
        let shown = shown && legs.iter().all(|leg| self.leg(leg));
        let form = |form: &String| self.texts.get(&format!("form-{}", form.replace('_', "-")), &[]);
        self.line(&format!("    {}", forms.iter().map(form).collect::<Vec<_>>().join(" · ")));
        for demand in demands {
            self.line(&format!("    – {}", plain(demand)));
        }
        self.pledges(reply);
        if *mine {
            self.say(if changed { "strike-mine-changed" } else { "strike-mine" }, &[]);
        }
        if *conflicting {
            self.say("strike-conflicting", &[]);
        }
        if !brief {
            self.provenance(reply);
        }
        shown
    }

    /// Times as the leg's own clocks show them, from the moments that all nodes go by.
    fn leg(&self, leg: &LegReply) -> bool {
        let clock = |utc: &str, local: &str| seconds(utc).map_or(plain(local), |s| wall(s, &leg.zone));
        let (start, end) = (clock(&leg.start, &leg.start_local), clock(&leg.end, &leg.end_local));
        let end = end.strip_prefix(start.get(..11).unwrap_or("-")).unwrap_or(&end);
        let mut parts = vec![plain(&leg.zone), plain(&leg.place), format!("{start} – {end}")];
        if leg.threshold > 0 {
            parts.push(self.texts.get("leg-threshold", &[("threshold", &leg.threshold.to_string())]));
        }
        parts.retain(|part| !part.is_empty());
        let shown = self.line(&format!("    {}", parts.join("  ")));
        if leg.doubtful {
            let local = [plain(&leg.start_local), plain(&leg.end_local)].join(" – ");
            self.say("leg-doubtful", &[("local", &local)]);
        }
        shown
    }

    fn pledges(&self, reply: &Reply) {
        let Reply::Strike { pledges, threshold, closes, legs, state, .. } = reply else { return };
        let threshold = threshold.to_string();
        match pledges {
            Some(count) => {
                self.say("strike-pledges", &[("count", &count.to_string()), ("threshold", &threshold)])
            }
            None => self.say("strike-hidden", &[("threshold", &threshold)]),
        };
        if state == "pledging" {
            let (time, zone) = first_clock(closes, legs);
            self.say("strike-closes", &[("time", &time), ("zone", &zone)]);
        }
    }

    /// Where a call came from, and who can see names: what everybody should look at before pledging.
    fn provenance(&self, reply: &Reply) {
        let Reply::Strike { origin, call_off, sequence, expires, counters, sent, legs, .. } = reply else {
            return;
        };
        let (time, zone) = first_clock(expires, legs);
        let version = [("sequence", sequence.to_string()), ("expires", time), ("zone", zone)];
        self.say("strike-version", &version.each_ref().map(|(k, v)| (*k, v.as_str())));
        self.origin(origin, "strike-caller");
        call_off.iter().for_each(|origin| self.origin(origin, "strike-off-by"));
        let counters: Vec<String> = counters.iter().map(|name| who(name)).collect();
        self.say("strike-counters", &[("names", &counters.join(", "))]);
        if let Some(sent) = sent {
            self.line(&self.sent(sent));
        }
    }

    fn origin(&self, origin: &OriginReply, said: &str) {
        let mandate = self.texts.get(&format!("mandate-{}", origin.mandate), &[]);
        let args =
            [("name", who(&origin.name)), ("id", short(&origin.issuer).to_owned()), ("mandate", mandate)];
        self.say(said, &args.each_ref().map(|(k, v)| (*k, v.as_str())));
        self.say(if origin.verified { "strike-verified" } else { "strike-not-verified" }, &[]);
    }
}

/// A moment by the clocks of the first leg, and their zone.
fn first_clock(utc: &str, legs: &[LegReply]) -> (String, String) {
    let zone = legs.first().map_or("UTC", |leg| leg.zone.as_str());
    (seconds(utc).map_or(utc.to_owned(), |seconds| wall(seconds, zone)), plain(zone))
}

fn seconds(utc: &str) -> Option<u64> {
    let moment: jiff::Timestamp = utc.parse().ok()?;
    u64::try_from(moment.as_second()).ok()
}
