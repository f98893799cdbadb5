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
    pub epoch: u64,
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
    /// Whether this device waits for new keys: the branch it was on has lost, or it could not follow.
    #[serde(default)]
    pub waits_for_keys: bool,
    /// Proposals that wait for this profile's signature.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proposals: Vec<String>,
    /// Acts that enough have signed, but not enough of that counts any more: to be done again.
    #[serde(default)]
    pub fell: usize,
    /// Members who wait, because the code they came by was used too often.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<String>,
    /// Whether this member's recovery phrase is set here.
    #[serde(default)]
    pub phrase: bool,
    /// Key-holders who are not connected and have written nothing for two weeks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub silent: Vec<SilentReply>,
    /// Members who signed two entries for one place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub equivocators: Vec<String>,
    /// Members who have written as much as is taken of anybody by now: the rest is left with them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excess: Vec<String>,
}

/// A key-holder not heard from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SilentReply {
    /// Who.
    pub name: String,
    /// For how many days, by this clock.
    pub days: u64,
}

/// What somebody could read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readable {
    /// When the member came in.
    pub since: Option<String>,
    /// Messages in the group, before that too.
    pub messages: usize,
    /// Grievances.
    pub grievances: usize,
    /// Strike calls.
    pub calls: usize,
    /// Members, by name and by address.
    pub members: usize,
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
    /// Whether this laptop's table of zones makes other moments of the local times.
    pub doubtful: bool,
}

/// An amount of a grievance: `value / 10^decimals unit per …`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AmountReply {
    /// `paid`, `owed`, `hours` and the like.
    pub kind: String,
    /// Minor units of a currency, or digits of a number.
    pub value: u64,
    /// Digits after the point.
    pub decimals: u8,
    /// ISO 4217 code, or a unit.
    pub unit: String,
    /// `task`, `hour`, `day`, `week`, `month`, `total`.
    pub per: String,
    /// `document`, `measured`, `estimate`, if said.
    pub basis: Option<String>,
    /// As `--amount` takes it.
    pub text: String,
}

/// What grievances on the same matter and platform say in the same unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComparableReply {
    /// As for an amount.
    pub kind: String,
    /// As for an amount.
    pub unit: String,
    /// As for an amount.
    pub per: String,
    /// How many figures.
    pub count: usize,
    /// The middle one, in decimals.
    pub median: String,
    /// The least, in decimals.
    pub min: String,
    /// The greatest, in decimals.
    pub max: String,
}

/// How far something of one's own has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentReply {
    /// `saved` or `delivered`.
    pub state: String,
    /// Members whose nodes have it.
    pub delivered: usize,
    /// Of so many.
    pub of: usize,
}

/// Where a call came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OriginReply {
    /// The caller's id.
    pub issuer: String,
    /// The caller's name.
    pub name: String,
    /// By what right: `founder`; `none` if the caller is not entitled any more.
    pub mandate: String,
    /// Whether the caller's signature over this version was checked, just now, and holds.
    pub verified: bool,
    /// The entry of this version.
    pub version: String,
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
        /// Codes that were refused since the node started, and why: `code_used`, `code_expired`,
        /// `code_revoked`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        refused: Vec<String>,
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
        epoch: u64,
        /// Current members.
        members: usize,
        /// `keyholder` or `member`; `none` when out.
        role: String,
        /// What whoever joins is told to compare.
        words: String,
        /// Days that messages are kept; 0 for ever.
        #[serde(default)]
        chat_days: u32,
    },
    /// One member.
    Member {
        /// Id.
        member: String,
        /// Name told in the profile.
        name: String,
        /// `keyholder` or `member`.
        role: String,
        /// Whether this member votes where the roll decides.
        votes: bool,
        /// Empty for those named when the group was founded.
        invited_by: Option<String>,
        /// When it came in, by the clock of who let it in.
        joined: Option<String>,
        /// Members it has let in, still here.
        invited: usize,
        /// Those who came through it, let in by itself or by those whom it let in, in hundredths of all that were let
        /// in.
        share: usize,
        /// By that member's clock.
        last_heard: Option<String>,
        /// Whether what is written now can be read by it.
        keyed: bool,
        /// How many devices it has.
        devices: usize,
        /// Whether this profile's owner has met it and compared.
        verified: bool,
        /// Who vouches for it, beside who let it in.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        vouched_by: Vec<String>,
        /// Whether this is this profile.
        me: bool,
    },
    /// What is compared with a member in person.
    Verification {
        /// Id.
        group: String,
        /// Id.
        member: String,
        /// Name told in the profile.
        name: String,
        /// What this profile's owner reads aloud.
        reading: String,
        /// Whether the member is marked as met.
        verified: bool,
        /// Whether this profile's owner vouches for it.
        vouched: bool,
    },
    /// A removal.
    Removed {
        /// Id.
        group: String,
        /// The epoch without that member.
        epoch: u64,
        /// Who was put out.
        member: String,
        /// By what name.
        name: String,
        /// What was there to read until now, at most.
        readable: Readable,
    },
    /// Something was done that needs no more words.
    Done {
        /// Id.
        group: String,
    },
    /// What several have to sign.
    Proposal {
        /// Id.
        proposal: String,
        /// Id.
        group: String,
        /// `found`, `expel`, `demote`, `promote`, `enrol`, `rule`, `remove`, `revoke`, `admit`, `dismiss`.
        kind: String,
        /// Names of whom, a rule and its value, or the id of an act or code.
        about: Vec<String>,
        /// Whose majority: `council` or `roll`.
        channel: Option<String>,
        /// `open`, `decided`, `dismissed`, or `fallen`: signed by enough, but not enough of that counts.
        state: String,
        /// How many have signed.
        signed: usize,
        /// How many have to.
        needed: usize,
        /// Name of who proposed it.
        author: String,
        /// Names of who has signed.
        signers: Vec<String>,
        /// Whether this profile's signature would count, and is missing.
        waits_for_me: bool,
    },
    /// A leaving.
    Left {
        /// Id.
        group: String,
        /// Name.
        name: String,
        /// `draft` or `group`.
        kind: String,
        /// The last epoch this profile was in.
        epoch: u64,
        /// Members that stay.
        members: usize,
        /// `none`.
        role: String,
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
    /// One device of a member.
    Device {
        /// Id.
        group: String,
        /// Id.
        device: String,
        /// Whose.
        member: String,
        /// That member's name.
        name: String,
        /// Whether this profile writes with it.
        here: bool,
        /// Whether what is written now can be read by it.
        keyed: bool,
        /// By its clock.
        last_heard: Option<String>,
        /// Whether it has been taken from its member.
        dropped: bool,
    },
    /// A code for one more device of this member's; it is shown once.
    DeviceCode {
        /// Id.
        group: String,
        /// The code's id, for closing it.
        invite: String,
        /// The code.
        code: String,
        /// UTC.
        expires: String,
    },
    /// Whether a group knows this member's recovery phrase.
    Recovery {
        /// Id.
        group: String,
        /// Name.
        name: String,
        /// `set`, or `kept` where there was one before.
        state: String,
    },
    /// A backup was written.
    Backup {
        /// Where.
        file: String,
        /// Groups in it.
        groups: usize,
        /// Entries in it.
        entries: usize,
        /// Groups that are not in it, because they can't be read or are too large.
        left_out: Vec<String>,
    },
    /// A profile was made of a backup.
    Restored {
        /// The backup.
        file: String,
        /// Groups to read.
        groups: usize,
        /// Entries taken.
        entries: usize,
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
        /// What is said by now; nothing if it was taken back.
        text: String,
        /// Whether its author has corrected it or taken it back.
        edited: bool,
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
        /// How often it happens again.
        every: Option<String>,
        /// IANA zone of the dates.
        zone: Option<String>,
        /// Where.
        place: String,
        /// In numbers.
        amounts: Vec<AmountReply>,
        /// The same in all grievances on this matter and platform.
        comparable: Vec<ComparableReply>,
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
        /// None for others' grievances.
        sent: Option<SentReply>,
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
        forms: Vec<String>,
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
        /// Where this version came from.
        origin: OriginReply,
        /// Where the call-off came from.
        call_off: Option<OriginReply>,
        /// Names of who can see who pledged.
        counters: Vec<String>,
        /// Whether this profile has said yes.
        mine: bool,
        /// Why it was called off.
        reason: Option<String>,
        /// Two versions carry one number.
        conflicting: bool,
        /// None for others' calls.
        sent: Option<SentReply>,
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
