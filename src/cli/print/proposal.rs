//! What several decide together.

use owo_colors::OwoColorize;

use super::super::plain::{plain, who};
use super::{Printer, short};
use crate::control::Reply;

impl Printer {
    /// `brief`: one of a list.
    pub(super) fn proposal(&self, reply: &Reply, brief: bool) -> bool {
        let Reply::Proposal {
            proposal,
            group,
            kind,
            about,
            channel,
            state,
            signed,
            needed,
            author,
            signers,
            waits_for_me,
            ..
        } = reply
        else {
            return true;
        };
        let persons = !matches!(kind.as_str(), "rule" | "dismiss" | "revoke");
        let about: Vec<String> =
            about.iter().map(|text| if persons { who(text) } else { plain(text) }).collect();
        let args = [("about", about.join(", ")), ("author", who(author))];
        let args = args.each_ref().map(|(key, value)| (*key, value.as_str()));
        let counts = [("signed", signed.to_string()), ("needed", needed.to_string())];
        let counts = counts.each_ref().map(|(key, value)| (*key, value.as_str()));
        let title = self.texts.get(&format!("proposal-{kind}"), &args);
        let stands = self.texts.get(&format!("proposal-state-{state}"), &counts);
        let shown = self.line(&format!("{}  {}  {stands}", short(proposal).bold(), title));
        let asked =
            !waits_for_me || self.say("proposal-waits", &[("id", short(proposal)), ("group", short(group))]);
        if brief {
            return shown && asked;
        }
        let names: Vec<String> = signers.iter().map(|name| who(name)).collect();
        self.say("proposal-signers", &[("names", &names.join(", "))]);
        match channel.as_deref() {
            Some(channel) => self.say(&format!("proposal-channel-{channel}"), &[]),
            None => shown && asked,
        }
    }
}
