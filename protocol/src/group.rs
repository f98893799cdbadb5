//! A group's keys and rules: who is in ([`membership`]), epochs and their keys ([`epoch`]), the MLS
//! behind them ([`seal`]), the way in ([`invite`]).

pub mod epoch;
pub mod invite;
pub mod membership;
pub mod operation;
pub mod seal;
