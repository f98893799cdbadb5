//! What front ends ask for.

use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

/// The rules a group starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Template {
    /// Key-holders admit; one removes.
    Circle,
    /// Any member admits; one key-holder removes.
    Collective,
    /// Key-holders admit; two remove.
    Council,
}

/// What a majority decides, as a person writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecisionRequest {
    /// Puts members out for good.
    Expel {
        /// Whom.
        members: Vec<String>,
    },
    /// Puts members on the roll.
    Enrol {
        /// Whom.
        members: Vec<String>,
    },
    /// Gives an office.
    Promote {
        /// To whom.
        member: String,
    },
    /// Takes an office.
    Demote {
        /// Whose.
        member: String,
    },
    /// Changes a rule.
    Rule {
        /// `admit`, `few`, `wait`.
        key: String,
        /// Its value.
        value: String,
    },
}

/// A leg of a strike call, as a person writes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LegRequest {
    /// IANA zone.
    pub zone: String,
    /// Where; may be empty.
    pub place: String,
    /// Local start, `2026-12-04T18:00`.
    pub start: String,
    /// Local end.
    pub end: String,
    /// 0 for none.
    pub threshold: u32,
}

/// A strike call, as a person writes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CallRequest {
    /// The call this changes.
    pub changes: Option<String>,
    /// In one line.
    pub title: String,
    /// What is asked.
    pub demands: Vec<String>,
    /// What people are asked to do.
    pub forms: Vec<String>,
    /// Where and when.
    pub legs: Vec<LegRequest>,
    /// 0 for none.
    pub threshold: u32,
    /// Local time in the first leg's zone; default 12 h before the first start.
    pub closes: Option<String>,
    /// Seconds.
    pub answer_window: u32,
}

/// A grievance, as a person writes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GrievanceRequest {
    /// `pay.below_rate` and the like.
    pub category: String,
    /// The platform.
    pub platform: String,
    /// A day, month or year, or from one to another; may be empty.
    pub when: String,
    /// How often it happens again.
    pub every: Option<String>,
    /// IANA zone of the dates.
    pub zone: Option<String>,
    /// City; may be empty.
    pub place: String,
    /// `paid=4.50EUR/task` and the like.
    pub amounts: Vec<String>,
    /// May be empty.
    pub text: String,
}

/// What comes of comparing.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Verify {
    /// What the other has read aloud.
    pub heard: Option<String>,
    /// Whether to tell all that this member vouches for the other.
    pub vouch: bool,
    /// Whether to take the mark off.
    pub forget: bool,
}

/// A phrase or passphrase as typed: never shown again, and wiped when it is done with.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Words(pub String);

impl std::fmt::Debug for Words {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Words")
    }
}

impl Drop for Words {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// What a backup is sealed with.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackupLock {
    /// Whoever knows it opens the backup.
    Passphrase(Words),
    /// An age recipient: whoever has its key does.
    Recipient(String),
}

/// One request. `group` is a name, an id, or a unique prefix of either.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case")]
pub enum Request {
    /// What is connected, synced, waiting.
    Status,
    /// Makes a draft.
    GroupCreate {
        /// Its name.
        name: String,
        /// Post-quantum hybrid suite.
        hybrid: bool,
    },
    /// All groups.
    GroupList,
    /// One group.
    GroupShow {
        /// Which.
        group: String,
    },
    /// Its members.
    GroupMembers {
        /// Which.
        group: String,
    },
    /// Compares with a member, in person, who is who.
    GroupVerify {
        /// Of which group.
        group: String,
        /// Name, id, or prefix.
        member: String,
        /// What to do.
        wish: Verify,
    },
    /// Puts a member out.
    GroupRemove {
        /// Of which group.
        group: String,
        /// Name, id, or prefix.
        member: String,
    },
    /// Proposes to make a group of a draft.
    GroupFound {
        /// Of which.
        group: String,
        /// Who is to hold the keys, beside the founder.
        keyholders: Vec<String>,
        /// What rules it starts with.
        template: Template,
    },
    /// Proposes what a majority decides.
    GroupDecide {
        /// In which group.
        group: String,
        /// What.
        decision: DecisionRequest,
        /// By everybody on the roll, rather than the key-holders.
        roll: bool,
    },
    /// Gives this member's office back.
    GroupResign {
        /// In which group.
        group: String,
    },
    /// What several have to sign.
    ProposalList {
        /// In which group.
        group: String,
    },
    /// One of them.
    ProposalShow {
        /// In which group.
        group: String,
        /// Which.
        proposal: String,
    },
    /// Signs one.
    ProposalApprove {
        /// In which group.
        group: String,
        /// Which.
        proposal: String,
    },
    /// Proposes to close one.
    ProposalDismiss {
        /// In which group.
        group: String,
        /// Which.
        proposal: String,
    },
    /// Leaves.
    GroupLeave {
        /// Which.
        group: String,
    },
    /// Makes an invite code.
    InviteCreate {
        /// For which group.
        group: String,
        /// How many may use it.
        uses: u16,
        /// Seconds from now.
        expires: u64,
    },
    /// All codes.
    InviteList {
        /// Of which group.
        group: String,
    },
    /// Closes a code.
    InviteRevoke {
        /// Of which group.
        group: String,
        /// Its id or prefix.
        invite: String,
    },
    /// Comes in by a code.
    Join {
        /// The code.
        code: String,
        /// What to be called; the profile's name by default.
        name: Option<String>,
        /// Seconds to wait.
        wait: u64,
        /// A recovery phrase: then the code, anybody's, tells where the group is, and no more.
        phrase: Option<Words>,
    },
    /// A member's devices.
    DeviceList {
        /// In which group.
        group: String,
        /// Whose; this profile's by default.
        member: Option<String>,
    },
    /// Makes a code for one more device of this member's.
    DeviceAdd {
        /// In which group.
        group: String,
        /// Seconds from now.
        expires: u64,
    },
    /// Takes a device from its member.
    DeviceDrop {
        /// In which group.
        group: String,
        /// Its id or prefix.
        device: String,
        /// The phrase of whose it is; without, it is this member's.
        phrase: Option<Words>,
    },
    /// Sets a recovery phrase wherever this member has none.
    RecoverySet {
        /// The phrase.
        phrase: Words,
    },
    /// Says something.
    Send {
        /// Where.
        group: String,
        /// What.
        text: String,
    },
    /// Replaces what an own message says, or takes it back.
    Edit {
        /// Where.
        group: String,
        /// Its id or prefix; without, the newest of this laptop's.
        message: Option<String>,
        /// What it says instead; nothing takes it back.
        text: String,
    },
    /// Reads messages.
    Read {
        /// Where.
        group: String,
        /// At most so many: of the newest, or of those after `since`.
        limit: Option<usize>,
        /// Only after this message.
        since: Option<String>,
        /// Go on as new ones come.
        follow: bool,
    },
    /// Files a grievance.
    GrievanceFile {
        /// Where.
        group: String,
        /// What.
        grievance: GrievanceRequest,
    },
    /// All grievances.
    GrievanceList {
        /// Where.
        group: String,
    },
    /// One grievance.
    GrievanceShow {
        /// Where.
        group: String,
        /// Which.
        id: String,
    },
    /// Backs a grievance.
    GrievanceSupport {
        /// Where.
        group: String,
        /// Which.
        id: String,
        /// `same`, `witness` or `document`.
        kind: String,
    },
    /// Calls a strike, or changes a call.
    StrikeCall {
        /// Where.
        group: String,
        /// What.
        call: CallRequest,
    },
    /// All calls.
    StrikeList {
        /// Where.
        group: String,
    },
    /// One call.
    StrikeShow {
        /// Where.
        group: String,
        /// Which.
        id: String,
    },
    /// Pledges to take part, or takes that back.
    StrikePledge {
        /// Where.
        group: String,
        /// Which.
        id: String,
        /// Whether to take part.
        yes: bool,
    },
    /// Calls a call off.
    StrikeCallOff {
        /// Where.
        group: String,
        /// Which.
        id: String,
        /// Why.
        reason: String,
    },
    /// Writes a backup.
    Backup {
        /// Where, from the root on.
        file: String,
        /// What seals it.
        lock: BackupLock,
    },
    /// Looks the profile over.
    Doctor,
    /// End at once and keep nothing more: the profile is being locked or destroyed.
    Stop,
}

impl Request {
    /// The group it is about, as it was asked for.
    pub fn group(&self) -> Option<&str> {
        match self {
            Self::GroupShow { group }
            | Self::GroupMembers { group }
            | Self::GroupRemove { group, .. }
            | Self::GroupVerify { group, .. }
            | Self::GroupFound { group, .. }
            | Self::GroupDecide { group, .. }
            | Self::GroupResign { group }
            | Self::ProposalList { group }
            | Self::ProposalShow { group, .. }
            | Self::ProposalApprove { group, .. }
            | Self::ProposalDismiss { group, .. }
            | Self::GroupLeave { group }
            | Self::InviteCreate { group, .. }
            | Self::InviteList { group }
            | Self::InviteRevoke { group, .. }
            | Self::DeviceList { group, .. }
            | Self::DeviceAdd { group, .. }
            | Self::DeviceDrop { group, .. }
            | Self::Send { group, .. }
            | Self::Edit { group, .. }
            | Self::Read { group, .. }
            | Self::GrievanceFile { group, .. }
            | Self::GrievanceList { group }
            | Self::GrievanceShow { group, .. }
            | Self::GrievanceSupport { group, .. }
            | Self::StrikeCall { group, .. }
            | Self::StrikeList { group }
            | Self::StrikeShow { group, .. }
            | Self::StrikePledge { group, .. }
            | Self::StrikeCallOff { group, .. } => Some(group),
            Self::Status
            | Self::GroupCreate { .. }
            | Self::GroupList
            | Self::Join { .. }
            | Self::RecoverySet { .. }
            | Self::Backup { .. }
            | Self::Doctor
            | Self::Stop => None,
        }
    }
}
