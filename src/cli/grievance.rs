//! `piquet grievance …`

use clap::Subcommand;
use piquet_protocol::action::grievance::{CATEGORIES, RHYTHMS};

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
        /// A day, month or year, or from one to another: 2026-11-20, 2026-11, 2026-11-03..2026-11-20.
        #[arg(long, default_value = "", hide_default_value = true, value_name = "DATE[..DATE]")]
        when: String,
        /// It goes on happening, so often.
        #[arg(long, value_parser = clap::builder::PossibleValuesParser::new(RHYTHMS))]
        every: Option<String>,
        /// Time zone of the dates, such as Europe/Paris.
        #[arg(long, value_name = "IANA")]
        zone: Option<String>,
        /// City, and a zone's label if need be: "Lyon, Part-Dieu"; never coordinates.
        #[arg(long, default_value = "", hide_default_value = true, value_name = "CITY")]
        place: String,
        /// KIND=NUMBER[UNIT][/PER][:BASIS], such as paid=4.50EUR/task, hours=7h/day:measured; may be given
        /// several times. KIND is paid, expected, owed, deducted, tip or bonus (in an ISO 4217 currency),
        /// hours, waiting, km or tasks; PER is task, hour, day, week, month or total (the default); BASIS is
        /// document, measured or estimate.
        #[arg(long = "amount")]
        amounts: Vec<String>,
        /// In your words; no names of customers or colleagues.
        #[arg(long, default_value = "", hide_default_value = true)]
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
            Self::File { group, category, platform, when, every, zone, place, amounts, text } => {
                let grievance =
                    GrievanceRequest { category, platform, when, every, zone, place, amounts, text };
                Request::GrievanceFile { group, grievance }
            }
            Self::List { group } => Request::GrievanceList { group },
            Self::Show { group, id } => Request::GrievanceShow { group, id },
            Self::Support { group, id, kind } => Request::GrievanceSupport { group, id, kind },
        }
    }
}
