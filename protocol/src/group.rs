//! A group's keys and rules: who is in ([`membership`]), epochs and their keys ([`epoch`]), the MLS
//! behind them ([`seal`]), the way in ([`invite`]), how a group starts ([`genesis`]).

pub mod epoch;
pub mod genesis;
pub mod invite;
pub mod membership;
pub mod operation;
pub mod seal;
