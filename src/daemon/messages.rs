//! Requests on messages.

use piquet_protocol::id::{EntryId, GroupId};
use piquet_protocol::node::NodeError;
use piquet_protocol::replica::MessageView;
use piquet_protocol::time::Timestamp;

use super::engine::{Answer, Engine, failure, store_failure};
use super::{answers, lookup, now};
use crate::control::{Failure, Reply};

/// Most messages of one reading.
const MAX_READ: usize = 100_000;
/// Messages of a reading if nobody says how many.
const DEFAULT: usize = 50;
/// Messages looked at together.
const PAGE: usize = 256;

impl Engine {
    pub(super) fn send(&mut self, group: &str, text: &str, now: Timestamp) -> Answer {
        let id = self.replica(group)?.group();
        let sent = self.node.send(id, text, now).map_err(|error| failure(&error))?;
        let view = self.message(id, &sent, now);
        self.in_group(&id.to_hex(), |replica| vec![answers::sent(&id, replica, view.as_ref())])
    }

    /// Replaces what a message of this laptop's says, the newest if none is named; without text, takes it back.
    pub(super) fn edit(&mut self, group: &str, message: Option<&str>, text: &str, now: Timestamp) -> Answer {
        let id = self.replica(group)?.group();
        let of = match message {
            Some(message) => self.named_message(id, message, now)?.id,
            None => self.newest_own(id, now)?,
        };
        self.node.edit(id, of, text, now).map_err(|error| match error {
            NodeError::NotAllowed => Failure::new("not_yours", 4),
            error => failure(&error),
        })?;
        let view = self.message(id, &of, now);
        self.in_group(&id.to_hex(), |replica| vec![answers::sent(&id, replica, view.as_ref())])
    }

    /// The newest message of this laptop's that is not taken back.
    fn newest_own(&mut self, group: GroupId, now: Timestamp) -> Result<EntryId, Failure> {
        let mut before = None;
        loop {
            let page = self.page(group, before, PAGE, now)?;
            let own = |view: &&MessageView| view.reach.is_some() && !view.text.is_empty();
            if let Some(view) = page.iter().rev().find(own) {
                return Ok(view.id);
            }
            let Some(first) = page.first() else { return Err(Failure::new("nothing_said", 1)) };
            before = Some(first.order);
        }
    }

    fn message(&mut self, group: GroupId, id: &EntryId, now: Timestamp) -> Option<MessageView> {
        self.node
            .ask(group, now, |replica, round| replica.message_by_id(id, round))
            .and_then(|view| view.ok().flatten())
    }

    /// One message as a reply.
    pub fn message_reply(&mut self, group: GroupId, id: &EntryId) -> Option<Reply> {
        let view = self.message(group, id, now())?;
        self.node.group(&group).map(|replica| answers::message(replica, &view))
    }

    /// The newest, or what follows a message, oldest first: whoever asks on from the last one misses nothing
    /// that is in the group by then.
    pub(super) fn read(
        &mut self,
        group: &str,
        limit: Option<usize>,
        since: Option<&str>,
        now: Timestamp,
    ) -> Answer {
        let id = self.replica(group)?.group();
        // What was said in the draft that a group was founded from comes before what was said in it.
        let draft = self.node.draft_of(&id);
        let mut replies = Vec::new();
        match since {
            None => {
                let limit = limit.unwrap_or(DEFAULT).min(MAX_READ);
                let list = self.page(id, None, limit, now)?;
                if let Some(draft) = draft.filter(|_| list.len() < limit) {
                    let earlier = self.page(draft, None, limit - list.len(), now)?;
                    replies.extend(self.told(draft, &earlier));
                }
                replies.extend(self.told(id, &list));
            }
            Some(text) => {
                let (of, after) = self.place_in(id, draft, text, now)?;
                let list = self.newer(of, now, |view| view.order > after)?;
                replies.extend(self.told(of, &list));
                if of != id {
                    let list = self.newer(id, now, |_| true)?;
                    replies.extend(self.told(id, &list));
                }
                replies.truncate(limit.unwrap_or(MAX_READ));
            }
        }
        Ok(replies)
    }

    fn told(&self, group: GroupId, list: &[MessageView]) -> Vec<Reply> {
        let replica = self.node.group(&group);
        replica
            .map_or(Vec::new(), |replica| list.iter().map(|view| answers::message(replica, view)).collect())
    }

    /// Where a message stands: in a group, or in the draft it was founded from.
    fn place_in(
        &mut self,
        group: GroupId,
        draft: Option<GroupId>,
        text: &str,
        now: Timestamp,
    ) -> Result<(GroupId, u128), Failure> {
        match (self.place(group, text, now), draft) {
            (Err(failure), Some(draft)) if failure.code == "no_such_message" => {
                Ok((draft, self.place(draft, text, now)?))
            }
            (place, _) => Ok((group, place?)),
        }
    }

    /// The place on the screen of a message named by its id or the start of it.
    fn place(&mut self, group: GroupId, text: &str, now: Timestamp) -> Result<u128, Failure> {
        self.named_message(group, text, now).map(|view| view.order)
    }

    /// A message by its id or the start of it.
    fn named_message(&mut self, group: GroupId, text: &str, now: Timestamp) -> Result<MessageView, Failure> {
        let whole = EntryId::from_hex(text).and_then(|id| self.message(group, &id, now));
        if let Some(view) = whole {
            return Ok(view);
        }
        let all = self.newer(group, now, |_| true)?;
        let id = lookup::message(all.iter().map(|view| view.id), text)?;
        let found = all.into_iter().find(|view| view.id == id);
        found.ok_or_else(|| Failure::new("no_such_message", 1).with("name", text))
    }

    /// The messages, from the newest back, as long as they fit; oldest first.
    fn newer(
        &mut self,
        group: GroupId,
        now: Timestamp,
        fits: impl Fn(&MessageView) -> bool,
    ) -> Result<Vec<MessageView>, Failure> {
        let (mut found, mut before): (Vec<MessageView>, Option<u128>) = (Vec::new(), None);
        while found.len() < MAX_READ {
            let page = self.page(group, before, PAGE, now)?;
            let Some(first) = page.first() else { break };
            before = Some(first.order);
            let fitting = page.iter().rev().take_while(|view| fits(view)).count();
            found.extend(page.iter().rev().take(fitting).cloned());
            if fitting < page.len() {
                break;
            }
        }
        found.reverse();
        Ok(found)
    }

    fn page(
        &mut self,
        group: GroupId,
        before: Option<u128>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<MessageView>, Failure> {
        let read = self.node.ask(group, now, |replica, round| replica.messages(before, limit, round));
        read.unwrap_or(Ok(Vec::new())).map_err(|error| store_failure(&error))
    }
}
