//! What front ends are answered; field names are those of the command line's contract.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One group in a status.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GroupStatus {
    /// Id.
    pub group: String,
    /// Name.
    pub name: String,
    /// `draft` or `group`.
    pub kind: String,
    /// Current members.
    pub members: usize,
    /// Commits since the start.
    pub epoch: u32,
    /// Stored entries.
    pub entries: usize,
    /// Entries that wait for others.
    pub pending: usize,
    /// When anybody else was last heard, by their clock.
    pub last_heard: Option<String>,
    /// Devices in an open session.
    pub peers: usize,
    /// Why this profile writes nothing here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frozen: Option<String>,
    /// Members who signed two entries for one place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub equivocators: Vec<String>,
}

/// A leg of a call.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LegReply {
    /// IANA zone.
    pub zone: String,
    /// Where.
    pub place: String,
    /// UTC.
    pub start: String,
    /// UTC.
    pub end: String,
    /// As the caller wrote it.
    pub start_local: String,
    /// As the caller wrote it.
    pub end_local: String,
    /// 0 for none.
    pub threshold: u32,
}

/// One reply.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum Reply {
    /// What is connected, synced, waiting.
    Status {
        /// This start's transport identity; none when no daemon runs.
        peer: Option<String>,
        /// Where this node listens.
        listen: Vec<String>,
        /// Peers in open sessions.
        peers: usize,
        /// Relays in use.
        relays: Vec<String>,
        /// All groups.
        groups: Vec<GroupStatus>,
        /// Codes in use.
        joining: usize,
    },
    /// One group.
    Group {
        /// Id.
        group: String,
        /// Name.
        name: String,
        /// `draft` or `group`.
        kind: String,
        /// Commits since the start.
        epoch: u32,
        /// Current members.
        members: usize,
        /// `keyholder` or `member`; `none` when out.
        role: String,
    },
    /// One member.
    Member {
        /// Id.
        member: String,
        /// Name told in the profile.
        name: String,
        /// `keyholder` or `member`.
        role: String,
        /// The founder's is empty.
        invited_by: Option<String>,
        /// By that member's clock.
        last_heard: Option<String>,
        /// Whether this is this profile.
        me: bool,
    },
    /// A removal.
    Removed {
        /// Id.
        group: String,
        /// The epoch without him.
        epoch: u32,
    },
    /// Something was done that needs no more words.
    Done {
        /// Id.
        group: String,
    },
    /// An invite code.
    Invite {
        /// Id.
        invite: String,
        /// The code, where this node made it.
        code: Option<String>,
        /// How many may come in.
        uses: u16,
        /// How many have.
        used: usize,
        /// UTC.
        expires: String,
        /// Name of who made it.
        issuer: String,
        /// `open`, `used`, `expired`, `revoked`.
        state: String,
    },
    /// A join.
    Join {
        /// Id, or the part of it the code tells.
        group: String,
        /// Name, once in.
        name: Option<String>,
        /// This profile's id in the group, once in.
        member: Option<String>,
        /// `joined` or `waiting`.
        state: String,
        /// Words to compare with who gave the code.
        words: String,
    },
    /// A message.
    Message {
        /// Id.
        id: String,
        /// Id.
        group: String,
        /// Id.
        author: String,
        /// The author's name.
        name: String,
        /// By the author's clock.
        time: String,
        /// `message`.
        kind: String,
        /// What was said.
        text: String,
        /// `saved` or `delivered` for own ones, else `received`.
        state: String,
        /// Members whose nodes have it.
        delivered: usize,
        /// Of so many.
        of: usize,
    },
    /// A grievance.
    Grievance {
        /// Id.
        id: String,
        /// Category.
        category: String,
        /// Platform.
        platform: String,
        /// When.
        when: String,
        /// Where.
        place: String,
        /// `paid=4.50EUR/task` and the like.
        amounts: Vec<String>,
        /// In the author's words.
        text: String,
        /// The author's name.
        name: String,
        /// By the author's clock.
        time: String,
        /// How many back it.
        support: usize,
        /// By kind.
        support_kinds: BTreeMap<String, usize>,
        /// `open`.
        state: String,
    },
    /// A call.
    Strike {
        /// Id.
        id: String,
        /// Title.
        title: String,
        /// `pledging`, `closed`, `under_way`, `ended`, `called_off`.
        state: String,
        /// The first start, UTC.
        start: String,
        /// When pledging ends, UTC.
        closes: String,
        /// When the call is stale, UTC.
        expires: String,
        /// What people are asked to do.
        form: String,
        /// What is asked.
        demands: Vec<String>,
        /// Where and when.
        legs: Vec<LegReply>,
        /// None where hidden.
        pledges: Option<u32>,
        /// Whether the count is final.
        counted: bool,
        /// 0 for none.
        threshold: u32,
        /// Of the newest version.
        sequence: u32,
        /// The caller's name.
        caller: String,
        /// Names of who can see who pledged.
        counters: Vec<String>,
        /// Whether this profile has said yes.
        mine: bool,
        /// Why it was called off.
        reason: Option<String>,
        /// Two versions carry one number.
        conflicting: bool,
    },
    /// One finding.
    Finding {
        /// What was looked at.
        check: String,
        /// Whether it is in order.
        ok: bool,
        /// What was found.
        detail: String,
    },
    /// What the command did lies on this disk only.
    Offline,
}

impl Reply {
    /// The JSON object of the contract: the fields alone.
    pub fn to_json(&self) -> serde_json::Value {
        let mut value = serde_json::to_value(self).unwrap_or_default();
        if let Some(object) = value.as_object_mut() {
            object.remove("reply");
        }
        value
    }
}

/// Why nothing, or not all, was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Stable, snake_case; sentences hang on it.
    pub code: String,
    /// The process's exit code: 1 the user can fix it, 3 nobody reached in time, 4 refused, 5 bad or
    /// damaged input.
    pub exit: u8,
    /// Values for the sentence.
    #[serde(default)]
    pub args: BTreeMap<String, String>,
}

impl Failure {
    /// A failure without values.
    pub fn new(code: &str, exit: u8) -> Self {
        Self { code: code.to_owned(), exit, args: BTreeMap::new() }
    }

    /// Adds a value for the sentence.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.args.insert(name.to_owned(), value.into());
        self
    }
}
