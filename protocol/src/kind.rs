//! What a body can be: one number space for all lanes (spec actions, B-1).
//!
//! Numbers are never reused. An unknown kind of class control freezes membership and sending in
//! that group on this node (an old node that skipped a new kind of removal would seal to the
//! removed); an unknown kind of another class is kept, forwarded and shown as "needs a newer
//! piquet".

use crate::entry::Class;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $class:ident;)*) => {
        /// Kinds of bodies this version understands.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u16)]
        pub enum Kind {
            $($(#[$doc])* $name = $number,)*
        }

        impl Kind {
            /// The kind of a number, if it is known and of this class.
            pub fn from_number(number: u16, class: Class) -> Option<Self> {
                match (number, class) {
                    $(($number, Class::$class) => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// The class that seals bodies of this kind.
            pub fn class(self) -> Class {
                match self {
                    $(Self::$name => Class::$class,)*
                }
            }
        }
    };
}

kinds! {
    /// The first entry of a group.
    Genesis = 1, Control;
    /// An invite code's public half.
    Invite = 2, Control;
    /// Lets a device in.
    Admit = 3, Control;
    /// Puts members out.
    Remove = 4, Control;
    /// Closes an invite code.
    Revoke = 5, Control;
    /// The author goes.
    Leave = 6, Control;
    /// Puts members out for good, by a majority.
    Expel = 7, Control;
    /// Takes offices, by a majority.
    Demote = 8, Control;
    /// Gives an office, by a majority.
    Promote = 9, Control;
    /// A device's name and mail key.
    Profile = 10, Control;
    /// An MLS commit.
    Commit = 11, Control;
    /// Control keys of earlier epochs.
    Opened = 12, Control;
    /// Nothing but cites.
    Merge = 13, Control;
    /// Puts members on the roll, by a majority.
    Enrol = 14, Control;
    /// Changes a rule, by a majority.
    Rule = 15, Control;
    /// Closes an open majority act.
    Dismiss = 16, Control;
    /// Signs another's act.
    Approve = 17, Control;
    /// The author gives its office back.
    Resign = 18, Control;
    /// A draft is to become a group.
    Found = 19, Control;
    /// A device asks for a leaf in the group that follows.
    Move = 20, Control;
    /// A device asks for a new leaf where it has one, or should.
    Resync = 21, Control;
    /// Takes a device from its member.
    DeviceDrop = 22, Control;
    /// What went wrong at work.
    Grievance = 32, Record;
    /// "Me too".
    Support = 33, Record;
    /// A strike call.
    Call = 40, Record;
    /// The end of a call before its time.
    CallOff = 42, Record;
    /// A sealed yes or blank.
    PledgeAnswer = 43, Record;
    /// How many said yes.
    PledgeCount = 44, Record;
    /// Chat.
    Message = 64, Chat;
    /// Addresses and receipts.
    Beacon = 96, Beacon;
}

impl Kind {
    /// What may be sealed under an epoch that is not clean: the way to repair it, and a merge, which says
    /// nothing (K-9). An invite or admission is not: whoever is out would read the code's keys in it.
    pub fn repairs(self) -> bool {
        matches!(
            self,
            Self::Commit
                | Self::Remove
                | Self::Revoke
                | Self::Leave
                | Self::Resign
                | Self::Expel
                | Self::Demote
                | Self::Dismiss
                | Self::Approve
                | Self::Resync
                | Self::DeviceDrop
                | Self::Merge
        )
    }
}
