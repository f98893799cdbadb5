//! Membership acts, and what their own past makes of them (M-1).

use std::sync::Arc;

use imbl::OrdSet;
use minicbor::{Decode, Encode};

use super::rules::{Admission, Parameter};
use super::set::OpSet;
use super::view::{Ground, View};
use crate::id::{DeviceKey, EntryId, MemberId};

/// Most devices of a member beside its first, as far as those who link one know (M-18).
pub const MAX_DEVICES: usize = 8;

/// Whose majority decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Channel {
    /// The key-holders'.
    #[n(0)]
    Council,
    /// That of everybody on the roll.
    #[n(1)]
    Roll,
}

/// What an act asks of whoever signs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// To hold an office.
    Council,
    /// To be on the roll.
    Roll,
    /// To be a member.
    Member,
}

impl From<Channel> for Right {
    fn from(channel: Channel) -> Self {
        match channel {
            Channel::Council => Self::Council,
            Channel::Roll => Self::Roll,
        }
    }
}

/// A code by which no member comes in, but a further device of the member who made it (M-18).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum DeviceCode {
    /// Shown by one laptop to the next.
    #[n(0)]
    Link,
    /// The recovery phrase, kept on paper.
    #[n(1)]
    Recovery,
}

/// A membership act, as its body says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A code's public half.
    Invite {
        /// I_pk.
        key: DeviceKey,
        /// How many may come in by it.
        uses: u16,
        /// Seconds since 1970; binds honest door-openers only.
        expires: u32,
        /// If it lets in devices of its maker, rather than members.
        devices: Option<DeviceCode>,
    },
    /// Lets a device in.
    Admit {
        /// Whom.
        device: DeviceKey,
        /// The code used, already proven by its signature.
        invite: Option<DeviceKey>,
    },
    /// Lets in a further device of the member who made the code: what `Admit` by such a code is.
    Link {
        /// Which.
        device: DeviceKey,
        /// I_pk.
        key: DeviceKey,
    },
    /// Takes a device from its member, for ever.
    Drop {
        /// Which.
        device: DeviceKey,
        /// I_pk of the recovery phrase that says so, already proven by its signature; without, a device of the
        /// same member does.
        phrase: Option<DeviceKey>,
    },
    /// Brings the key package of a member who has no leaf; changes nothing about who is in.
    Bring {
        /// Whose.
        device: DeviceKey,
    },
    /// Puts ordinary members out, by the few.
    Remove {
        /// Whom.
        members: Vec<MemberId>,
    },
    /// Closes a code.
    Revoke {
        /// I_pk.
        key: DeviceKey,
    },
    /// The author goes.
    Leave,
    /// The author gives its office back.
    Resign,
    /// Puts members out for good, by a majority.
    Expel {
        /// Whom.
        members: Vec<MemberId>,
        /// Whose majority.
        channel: Channel,
    },
    /// Takes offices away.
    Demote {
        /// Whose.
        members: Vec<MemberId>,
        /// Whose majority.
        channel: Channel,
    },
    /// Gives an office; also admits and enrols.
    Promote {
        /// To whom.
        member: MemberId,
        /// Whose majority.
        channel: Channel,
    },
    /// Puts members on the roll; also admits.
    Enrol {
        /// Whom.
        members: Vec<MemberId>,
        /// Whose majority.
        channel: Channel,
    },
    /// Changes a rule.
    Rule {
        /// Which.
        parameter: Parameter,
        /// To what.
        value: u32,
        /// Whose majority.
        channel: Channel,
    },
    /// Closes an open majority act.
    Dismiss {
        /// Which.
        act: EntryId,
    },
    /// Signs an act of somebody else's.
    Approve {
        /// Which.
        act: EntryId,
    },
}

impl Operation {
    /// Whose majority decides; none for what a majority does not decide, and for a dismissal, which
    /// takes the channel of the act it names.
    pub fn channel(&self) -> Option<Channel> {
        match self {
            Self::Expel { channel, .. }
            | Self::Demote { channel, .. }
            | Self::Promote { channel, .. }
            | Self::Enrol { channel, .. }
            | Self::Rule { channel, .. } => Some(*channel),
            _ => None,
        }
    }

    /// Whether a majority decides against persons.
    pub fn is_verdict(&self) -> bool {
        matches!(self, Self::Expel { .. } | Self::Demote { .. })
    }

    /// Whether a majority decides for something.
    pub fn is_grant(&self) -> bool {
        matches!(self, Self::Promote { .. } | Self::Enrol { .. } | Self::Rule { .. })
    }

    /// When it is judged; not at all if 0. An act can be voided only by one of an earlier step.
    pub(super) fn step(&self) -> u8 {
        match self {
            Self::Dismiss { .. } => 1,
            Self::Expel { .. } | Self::Demote { .. } => 2,
            Self::Promote { .. } | Self::Enrol { .. } | Self::Rule { .. } => 3,
            Self::Remove { .. }
            | Self::Revoke { .. }
            | Self::Leave
            | Self::Resign
            | Self::Invite { .. }
            | Self::Drop { .. } => 4,
            Self::Admit { .. } | Self::Link { .. } => 5,
            Self::Bring { .. } | Self::Approve { .. } => 0,
        }
    }

    /// Which device it links.
    pub(super) fn linked(&self) -> Option<DeviceKey> {
        match self {
            Self::Link { device, .. } => Some(*device),
            _ => None,
        }
    }

    /// Whom it is about.
    pub fn names(&self) -> Vec<MemberId> {
        match self {
            Self::Remove { members }
            | Self::Expel { members, .. }
            | Self::Demote { members, .. }
            | Self::Enrol { members, .. } => members.clone(),
            Self::Promote { member, .. } => vec![*member],
            Self::Admit { device, .. } => vec![MemberId::from(*device)],
            _ => Vec::new(),
        }
    }
}

/// Why an act changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Void {
    /// Its author was not entitled in the act's own past (M-1).
    #[error("its author was not entitled")]
    Author,
    /// It removes a key-holder (M-4).
    #[error("a key-holder can't be removed by one hand")]
    KeyHolder,
    /// It uses a code that is unknown, or closed as its author knew (M-15).
    #[error("the code was unknown or closed")]
    Invite,
    /// It lets in who was expelled, as its author knew (M-12).
    #[error("who was expelled comes back by a majority")]
    Expelled,
    /// It names an act that its author did not know, or that nobody signs or dismisses.
    #[error("it names an act that can't be signed or dismissed")]
    Named,
    /// It dismisses what was decided, as its author knew (M-9).
    #[error("what is decided can't be dismissed")]
    Decided,
    /// It links a device that is somebody's already or was dropped, or one too many; it drops what is not its
    /// author's; it sets a second recovery phrase (M-18).
    #[error("the device is somebody else's, or there are too many")]
    Device,
}

/// An act with what the views of its own past make of it, as far as that matters later.
#[derive(Clone, Debug)]
pub(super) struct Act {
    pub(super) id: EntryId,
    pub(super) number: u32,
    /// For whom its author spoke there.
    pub(super) author: MemberId,
    /// The author.
    pub(super) device: DeviceKey,
    pub(super) past: Arc<OpSet>,
    /// V(act)
    pub(super) then: Arc<View>,
    pub(super) operation: Operation,
    /// What it asks of whoever signs it.
    pub(super) asks: Option<Right>,
    /// How many have to sign it; an admission's is told by the rule.
    pub(super) needed: usize,
    /// Those whose signature never counts: a majority act's targets (M-3).
    pub(super) barred: Vec<MemberId>,
    /// If it signs an act.
    pub(super) signs: Option<Signature>,
    /// If it admits.
    pub(super) door: Option<Door>,
    /// If it links.
    pub(super) link: Option<Link>,
}

impl Act {
    /// As whom verdicts can name the author's device alone, if it is not the first of its person (M-18).
    pub(super) fn further_device(&self) -> Option<MemberId> {
        further(&self.device, &self.author)
    }

    /// Whether another act was decided for its author.
    pub(super) fn decided(&self, other: &EntryId) -> bool {
        self.then.stands(other)
    }
}

/// What a signature rests on, in V of the signing entry and in V of the act it signs.
#[derive(Clone, Debug)]
pub(super) struct Signature {
    /// Number of the act.
    pub(super) of: u32,
    /// What gives the right the act asks.
    pub(super) grounds: OrdSet<Ground>,
    /// What gives an office.
    pub(super) offices: OrdSet<Ground>,
    /// Who let the signer in, in V of the act it signs.
    pub(super) sponsor: Option<MemberId>,
}

/// What an admission asks, read in its own past.
#[derive(Clone, Debug)]
pub(super) struct Door {
    /// The rule.
    pub(super) rule: Admission,
    /// Whether a removal of the person stands there (M-12).
    pub(super) after_removal: bool,
    /// The code used.
    pub(super) code: Option<Code>,
}

/// A device as verdicts name it, unless it is its person's first.
pub(super) fn further(device: &DeviceKey, of: &MemberId) -> Option<MemberId> {
    let name = MemberId::from(*device);
    (name != *of).then_some(name)
}

/// The code by which a device came to its member, as the link's own past shows it.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) act: EntryId,
    pub(super) owner: MemberId,
    /// The device that made the code.
    pub(super) maker: DeviceKey,
    pub(super) uses: u16,
    pub(super) by: DeviceCode,
}

/// The invite by which an admission came about, as its own past shows it.
#[derive(Clone, Debug)]
pub(super) struct Code {
    pub(super) key: DeviceKey,
    pub(super) act: EntryId,
    pub(super) issuer: MemberId,
    /// The device that made it, if verdicts can name it alone.
    pub(super) further: Option<MemberId>,
    pub(super) uses: u16,
    /// What gave the issuer the right to make it.
    pub(super) grounds: OrdSet<Ground>,
}

impl View {
    /// An admission by a code for devices is a link.
    pub(super) fn by_its_code(&self, operation: Operation) -> Operation {
        match operation {
            Operation::Admit { device, invite: Some(key) }
                if self.invites.get(&key).is_some_and(|code| code.devices.is_some()) =>
            {
                Operation::Link { device, key }
            }
            operation => operation,
        }
    }

    /// Whether an act of this kind may be made at all by `author` in this view (M-1); what it names
    /// is looked at elsewhere.
    pub(super) fn entitles(&self, author: &MemberId, operation: &Operation) -> Result<(), Void> {
        let (member, keyholder) = (self.members.contains_key(author), self.is_keyholder(author));
        let entitled = match operation {
            Operation::Leave | Operation::Bring { .. } => member,
            // The code, or the phrase, entitles: whoever carries it does not matter.
            Operation::Link { .. } | Operation::Drop { .. } => member,
            Operation::Invite { devices: Some(_), .. } => member,
            Operation::Resign | Operation::Remove { .. } => keyholder,
            Operation::Invite { .. } | Operation::Admit { .. } => {
                keyholder || member && self.rules.admission() != Admission::KeyHolder
            }
            Operation::Revoke { key } => {
                let invite = self.invites.get(key).ok_or(Void::Invite)?;
                let own = member && invite.issuer == *author;
                match invite.devices {
                    None => keyholder || own,
                    // Else one captured key-holder takes everybody's way back.
                    Some(DeviceCode::Link) => own,
                    Some(DeviceCode::Recovery) => false,
                }
            }
            // Whether they may sign what these name is another question.
            Operation::Dismiss { .. } | Operation::Approve { .. } => true,
            Operation::Expel { channel, .. }
            | Operation::Demote { channel, .. }
            | Operation::Promote { channel, .. }
            | Operation::Enrol { channel, .. }
            | Operation::Rule { channel, .. } => self.holds(author, (*channel).into()),
        };
        if entitled { Ok(()) } else { Err(Void::Author) }
    }

    /// Whether this view lets a well-entitled act stand as it is.
    pub(super) fn permits(&self, author: &MemberId, operation: &Operation) -> Result<(), Void> {
        match operation {
            Operation::Remove { members } if members.iter().any(|member| self.is_keyholder(member)) => {
                Err(Void::KeyHolder)
            }
            Operation::Bring { device } if self.member_of(device).is_none() => Err(Void::Named),
            Operation::Invite { key, .. } if self.invites.contains_key(key) => Err(Void::Invite),
            Operation::Invite { devices: Some(DeviceCode::Recovery), .. } if self.has_phrase(author) => {
                Err(Void::Device)
            }
            Operation::Admit { invite: Some(key), .. } if !self.is_open(key) => Err(Void::Invite),
            Operation::Admit { device, .. } if self.linked.contains_key(device) => Err(Void::Device),
            Operation::Link { device, key } => self.permits_link(device, key),
            Operation::Drop { device, phrase } => self.permits_drop(author, device, phrase.as_ref()),
            _ => Ok(()),
        }
    }

    fn permits_link(&self, device: &DeviceKey, key: &DeviceKey) -> Result<(), Void> {
        let code = self.invites.get(key).filter(|_| self.is_open(key)).ok_or(Void::Invite)?;
        let person = MemberId::from(*device);
        let was_somebody = self.grounds.contains_key(&person) || self.endings.contains_key(&person);
        let taken = self.linked.contains_key(device) || self.dropped.contains_key(device);
        let full = self.further_devices(&code.issuer).count() >= MAX_DEVICES;
        if was_somebody || taken || full { Err(Void::Device) } else { Ok(()) }
    }

    fn permits_drop(
        &self,
        author: &MemberId,
        device: &DeviceKey,
        phrase: Option<&DeviceKey>,
    ) -> Result<(), Void> {
        let owner = self.member_of(device).ok_or(Void::Device)?;
        let entitled = match phrase {
            None => owner == *author,
            Some(key) => self
                .invites
                .get(key)
                .is_some_and(|code| code.issuer == owner && code.devices == Some(DeviceCode::Recovery)),
        };
        if entitled { Ok(()) } else { Err(Void::Device) }
    }
}
