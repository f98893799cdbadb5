//! Front ends that wait: for messages as they come, for a join to complete.

use std::time::{Duration, Instant};

use piquet_protocol::id::{DeviceKey, EntryId, GroupId};
use piquet_protocol::sync::DoorState;
use tokio::sync::mpsc;

use super::engine::{Engine, refusal};
use crate::control::{Failure, Reply};

type Replies = mpsc::Sender<Result<Reply, Failure>>;

/// A join somebody waits for.
struct Waiting {
    invite: DeviceKey,
    fingerprint: String,
    words: String,
    since: Instant,
    patience: Duration,
    reply: Replies,
}

impl Waiting {
    fn left(&self) -> Duration {
        self.patience.saturating_sub(self.since.elapsed())
    }
}

/// Everyone who waits.
#[derive(Default)]
pub(super) struct Following {
    readers: Vec<(GroupId, Replies)>,
    joins: Vec<Waiting>,
}

impl Following {
    pub(super) fn read(&mut self, group: GroupId, reply: Replies) {
        self.readers.push((group, reply));
    }

    pub(super) fn join(&mut self, invite: DeviceKey, waiting: Reply, patience: Duration, reply: Replies) {
        if let Reply::Join { group, words, .. } = waiting {
            let since = Instant::now();
            self.joins.push(Waiting { invite, fingerprint: group, words, since, patience, reply });
        }
    }

    /// A message has come: whoever reads too slowly is let go, and may come back with `--since`.
    pub(super) fn message(&mut self, engine: &mut Engine, group: GroupId, id: &EntryId) {
        if !self.readers.iter().any(|(followed, _)| *followed == group) {
            return;
        }
        if let Some(reply) = engine.message_reply(group, id) {
            self.readers.retain(|(followed, reader)| {
                *followed != group || reader.try_send(Ok(reply.clone())).is_ok()
            });
        }
    }

    /// A join has completed.
    pub(super) fn joined(&mut self, engine: &Engine, group: GroupId) {
        let Some(replica) = engine.node.group(&group) else { return };
        let fingerprint = piquet_protocol::id::hex(&group.fingerprint());
        self.joins.retain(|waiting| {
            let mine = waiting.fingerprint == fingerprint;
            if mine {
                let reply = Reply::Join {
                    group: group.to_hex(),
                    name: Some(replica.name().to_owned()),
                    member: Some(replica.member().to_hex()),
                    state: "joined".to_owned(),
                    words: waiting.words.clone(),
                };
                // Whoever has gone does not need the answer.
                let _ = waiting.reply.try_send(Ok(reply));
            }
            !mine
        });
    }

    /// A code was refused.
    pub(super) fn refused(&mut self, invite: DeviceKey, why: DoorState) {
        self.joins.retain(|waiting| {
            let mine = waiting.invite == invite;
            if mine {
                let _ = waiting.reply.try_send(Err(Failure::new(refusal(why), 4)));
            }
            !mine
        });
    }

    /// Those whose time is up are told that the join goes on.
    pub(super) fn tick(&mut self) {
        self.joins.retain(|waiting| {
            let over = waiting.left().is_zero();
            if over {
                let (group, words) = (waiting.fingerprint.clone(), waiting.words.clone());
                let reply =
                    Reply::Join { group, name: None, member: None, state: "waiting".to_owned(), words };
                let _ = waiting.reply.try_send(Ok(reply));
            }
            !over
        });
    }

    /// In what time [`Following::tick`] is due.
    pub(super) fn due(&self) -> Option<Duration> {
        self.joins.iter().map(Waiting::left).min()
    }
}
