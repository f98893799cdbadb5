//! A group's keys and rules: who is in ([`membership`]), epochs and their keys ([`epoch`]), the MLS
//! behind them ([`seal`]), the way in ([`invite`]), how a group starts ([`genesis`]), how members
//! know one another in person ([`verification`]).

pub mod epoch;
pub mod genesis;
pub mod invite;
pub mod membership;
pub mod operation;
pub mod seal;
pub mod verification;
