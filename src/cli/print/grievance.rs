//! Grievances.

use std::collections::BTreeMap;

use owo_colors::OwoColorize;

use super::super::plain::{plain, who};
use super::{Printer, short};
use crate::control::Reply;
use crate::control::reply::{AmountReply, ComparableReply};
use crate::schedule::decimal;

impl Printer {
    pub(super) fn grievance(&self, reply: &Reply) -> bool {
        let Reply::Grievance { id, category, platform, name, text, comparable, sent, .. } = reply else {
            return true;
        };
        let shown = self.line(&format!(
            "{}  {}  {}  {}",
            short(id),
            self.word("cat", category).bold(),
            plain(platform),
            self.backing(reply),
        ));
        let mut about = vec![who(name)];
        about.extend(self.facts(reply));
        about.extend(sent.as_ref().map(|sent| format!("({})", self.sent(sent)).dimmed().to_string()));
        self.line(&format!("    {}", about.join("  ")));
        if !text.is_empty() {
            self.line(&format!("    {}", plain(text)));
        }
        shown && comparable.iter().all(|amounts| self.comparable(amounts))
    }

    /// A word of the interface for one of the protocol's ids; what is not known is shown as it is.
    fn word(&self, what: &str, id: &str) -> String {
        let key = format!("{what}-{}", id.replace(['.', '_'], "-"));
        if self.texts.has(&key) { self.texts.get(&key, &[]) } else { plain(id) }
    }

    fn backing(&self, reply: &Reply) -> String {
        let Reply::Grievance { support, support_kinds, .. } = reply else { return String::new() };
        let backed = self.texts.get("grievance-support", &[("count", &support.to_string())]);
        let kinds = |kinds: &BTreeMap<String, usize>| -> Vec<String> {
            kinds.iter().map(|(kind, count)| format!("{} {count}", self.word("support", kind))).collect()
        };
        if *support == 0 { backed } else { format!("{backed} ({})", kinds(support_kinds).join(", ")) }
    }

    fn facts(&self, reply: &Reply) -> Vec<String> {
        let Reply::Grievance { when, every, zone, place, amounts, .. } = reply else { return Vec::new() };
        let when = match zone.as_ref().filter(|_| !when.is_empty()) {
            Some(zone) => format!("{} ({})", plain(when), plain(zone)),
            None => plain(when),
        };
        let every = every.as_ref().map(|every| self.word("every", every)).unwrap_or_default();
        let facts = [when, every, plain(place)].into_iter().chain(amounts.iter().map(|a| self.amount(a)));
        facts.filter(|fact| !fact.is_empty()).collect()
    }

    fn amount(&self, amount: &AmountReply) -> String {
        let number = decimal(u128::from(amount.value), amount.decimals);
        let kind = self.word("amount", &amount.kind);
        let per = self.word("per", &amount.per);
        let basis = amount.basis.as_ref().map(|basis| format!(" ({})", self.word("basis", basis)));
        format!("{kind} {number} {} {per}{}", plain(&amount.unit), basis.unwrap_or_default())
    }

    fn comparable(&self, all: &ComparableReply) -> bool {
        let args = [
            ("kind", self.word("amount", &all.kind)),
            ("unit", plain(&all.unit)),
            ("per", self.word("per", &all.per)),
            ("count", all.count.to_string()),
            ("median", all.median.clone()),
            ("min", all.min.clone()),
            ("max", all.max.clone()),
        ];
        let text = self.texts.get("grievance-comparable", &args.each_ref().map(|(k, v)| (*k, v.as_str())));
        self.line(&format!("    {text}"))
    }
}
