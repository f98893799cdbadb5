//! `piquet grievance …`

use clap::Subcommand;
use piquet_protocol::action::grievance::CATEGORIES;

use crate::control::Request;
use crate::control::request::GrievanceRequest;

#[derive(Subcommand)]
pub(super) enum Grievance {
    /// File what went wrong, for your group alone.
    File {
        /// Name, id, or a unique prefix of either.
        group: String,
        /// What it is about.
        #[arg(long, value_parser = clap::builder::PossibleValuesParser::new(CATEGORIES), hide_possible_values = true, help = categories())]
        category: String,
        /// The platform.
        #[arg(long)]
        platform: String,
        /// Day, month or year: 2026-11-20, 2026-11, 2026.
        #[arg(long, default_value = "")]
        when: String,
        /// City or zone.
        #[arg(long, default_value = "")]
        place: String,
        /// Such as paid=4.50EUR/task, hours=7h/day; may be given several times.
        #[arg(long = "amount")]
        amounts: Vec<String>,
        /// In your words.
        #[arg(long, default_value = "")]
        text: String,
    },
    /// List a group's grievances.
    List {
        /// Name, id, or a unique prefix of either.
        group: String,
    },
    /// Show one.
    Show {
        /// Name, id, or a unique prefix of either.
        group: String,
        /// Its id, or a unique prefix.
        id: String,
    },
    /// Add yours: once a member counts.
    Support {
        /// Name, id, or a unique prefix of either.
        group: String,
        /// Its id, or a unique prefix.
        id: String,
        /// The same happened to me, I saw it, I have a document.
        #[arg(long, default_value = "same", value_parser = ["same", "witness", "document"])]
        kind: String,
    },
}

fn categories() -> String {
    format!("What it is about: {}", CATEGORIES.join(", "))
}

impl Grievance {
    pub(super) fn request(self) -> Request {
        match self {
            Self::File { group, category, platform, when, place, amounts, text } => Request::GrievanceFile {
                group,
                grievance: GrievanceRequest { category, platform, when, place, amounts, text },
            },
            Self::List { group } => Request::GrievanceList { group },
            Self::Show { group, id } => Request::GrievanceShow { group, id },
            Self::Support { group, id, kind } => Request::GrievanceSupport { group, id, kind },
        }
    }
}
