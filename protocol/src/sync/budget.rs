//! What may be asked for at once (Y-24): 1 MiB a session, 8 a node. Talk gets three quarters
//! of both, so that acts never wait for it; several groups in one session get a quarter each, so that
//! they take turns.

use std::time::Duration;

use super::Sync;
use super::groups::Groups;
use super::message::MAX_BUDGET;
use super::session::{ConnectionId, Link, Session};
use super::want::{ORDER, SLACK};
use crate::entry::Lane;
use crate::time::Moment;

/// Outstanding in one session.
const SESSION: usize = MAX_BUDGET as usize;
/// Outstanding in all sessions.
const NODE: usize = 8 * SESSION;
/// Less than this is not worth asking for.
const LEAST: usize = 64 * 1024;
/// A link without budget tries again after this time, if nothing else wakes it before.
const HUNGER: Duration = Duration::from_secs(1);

impl Session {
    /// Bytes asked for and not arrived.
    pub(super) fn outstanding(&self) -> usize {
        let wanted = self.links.values().filter_map(|link| link.wanted.as_ref());
        wanted.map(|wanted| wanted.credit.saturating_sub(SLACK)).sum()
    }
}

impl Sync {
    /// How much of a lane may be asked for now; none if it has to wait.
    pub(super) fn budget(&self, conn: ConnectionId, lane: Lane) -> Option<u32> {
        let session = self.sessions.get(&conn)?;
        let share = |whole: usize| if lane == Lane::Talk { whole / 4 * 3 } else { whole };
        let node: usize = self.sessions.values().map(Session::outstanding).sum();
        let free = share(SESSION).saturating_sub(session.outstanding()).min(share(NODE).saturating_sub(node));
        let most = if session.links.len() > 1 { SESSION / 4 } else { SESSION };
        (free >= LEAST).then(|| u32::try_from(free.min(most)).unwrap_or(MAX_BUDGET))
    }

    pub(super) fn wait_for_budget(&mut self, conn: ConnectionId, handle: u8, lane: Lane, now: Moment) {
        let rank = ORDER.iter().position(|other| *other == lane).unwrap_or(ORDER.len());
        if let Some(link) = self.link(conn, handle) {
            link.hungry = Some((rank, now.after(HUNGER)));
        }
    }

    /// Lets links that wait ask as far as there is budget: those that need acts first, then those
    /// that have got least.
    pub(super) fn feed_hungry(&mut self, now: Moment, groups: &dyn Groups) {
        let waiting = self.sessions.values().flat_map(|session| {
            let hungry = |(handle, link): (&u8, &Link)| {
                link.hungry.map(|(rank, _)| (rank, link.got, session.conn, *handle))
            };
            session.links.iter().filter_map(hungry)
        });
        let mut waiting: Vec<_> = waiting.collect();
        waiting.sort_unstable();
        for (.., conn, handle) in waiting {
            if let Some(link) = self.link(conn, handle) {
                link.hungry = None;
            }
            self.advance(conn, handle, false, now, groups);
        }
    }
}
