//! `piquet proposal …`

use clap::Subcommand;

use crate::control::Request;

#[derive(Subcommand)]
pub(super) enum Proposal {
    /// List what several have to sign: open, decided and dismissed.
    List {
        /// Name, id, or a unique prefix of either.
        group: String,
    },
    /// Show a proposal: what it would do, who has signed it, and who can.
    Show {
        /// Name, id, or a unique prefix of either.
        group: String,
        /// The proposal's id, or a unique prefix.
        proposal: String,
    },
    /// Sign a proposal. A signature is for ever.
    Approve {
        /// Name, id, or a unique prefix of either.
        group: String,
        /// The proposal's id, or a unique prefix.
        proposal: String,
    },
    /// Propose to close a proposal that is still open, for good.
    Dismiss {
        /// Name, id, or a unique prefix of either.
        group: String,
        /// The proposal's id, or a unique prefix.
        proposal: String,
    },
}

impl Proposal {
    pub(super) fn request(self) -> Request {
        match self {
            Self::List { group } => Request::ProposalList { group },
            Self::Show { group, proposal } => Request::ProposalShow { group, proposal },
            Self::Approve { group, proposal } => Request::ProposalApprove { group, proposal },
            Self::Dismiss { group, proposal } => Request::ProposalDismiss { group, proposal },
        }
    }
}
