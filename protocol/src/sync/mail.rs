//! Knocks and mail: at the door, and between members of whom one waits for new keys (Y-8, Y-30).

use std::time::Duration;

use super::message::{MAX_MAIL_PART, MAX_MAIL_PARTS};
use super::session::{Session, State};
use super::{ConnectionId, Message, Output, Sync};
use crate::id::DeviceKey;
use crate::time::Moment;

/// A member asks at most so often: each request is opened with several keys.
const ASK_PAUSE: Duration = Duration::from_millis(500);

/// What this side asked a member for in a session, and the parts of the answer so far.
pub(super) struct Asked {
    invite: DeviceKey,
    parts: Vec<Vec<u8>>,
}

impl Sync {
    /// Asks the member at the other end of a session for what waits for this device (Y-30).
    pub fn ask_member(&mut self, conn: ConnectionId, invite: DeviceKey, request: &[u8]) {
        if let Some(session) = self.sessions.get_mut(&conn) {
            session.asked = Some(Asked { invite, parts: Vec::new() });
        }
        self.send(conn, &Message::Knock(request.to_vec()));
    }

    pub(super) fn on_knock(&mut self, conn: ConnectionId, request: Vec<u8>, now: Moment) -> Option<()> {
        let session = self.sessions.get_mut(&conn)?;
        let invite = match &session.state {
            State::Door { group, invite } => Some((*group, *invite)),
            State::Open => None,
            _ => return None,
        };
        let output = match invite {
            Some((group, invite)) => Output::Knocked { conn, group, invite, request },
            None if session.ask_after.is_some_and(|at| now < at) || !session.mail.is_empty() => {
                return Some(());
            }
            None => {
                session.ask_after = Some(now.after(ASK_PAUSE));
                Output::Asked { conn, request }
            }
        };
        self.outputs.push_back(output);
        Some(())
    }

    /// Answers a joiner, as fast as the line takes it. Who asks again before he has got it all is not
    /// listening.
    pub fn mail(&mut self, conn: ConnectionId, bytes: &[u8]) {
        if self.sessions.get(&conn).is_some_and(|session| !session.mail.is_empty()) {
            return self.drop_session(conn);
        }
        let chunks: Vec<&[u8]> = bytes.chunks(MAX_MAIL_PART).collect();
        let Ok(parts) = u8::try_from(chunks.len()) else {
            return;
        };
        let mail = (0..parts).zip(chunks);
        let mail = mail.map(|(part, bytes)| Message::Mail { part, parts, bytes: bytes.to_vec() });
        if let Some(session) = self.sessions.get_mut(&conn) {
            session.mail = mail.collect();
        }
        self.send_mail(conn);
    }

    pub(super) fn on_mail(&mut self, conn: ConnectionId, part: u8, of: u8, bytes: Vec<u8>) -> Option<()> {
        let session = self.sessions.get_mut(&conn)?;
        let at_door = matches!(session.state, State::Knocking { .. });
        let (invite, parts) = awaited(session)?;
        if usize::from(part) != parts.len() || of > MAX_MAIL_PARTS {
            return None;
        }
        parts.push(bytes);
        if part.saturating_add(1) < of {
            return Some(());
        }
        let bytes = parts.concat();
        session.asked = None;
        self.outputs.push_back(Output::Mail { invite, bytes });
        if at_door {
            self.drop_session(conn);
        }
        Some(())
    }
}

/// What this side has asked for in a session.
fn awaited(session: &mut Session) -> Option<(DeviceKey, &mut Vec<Vec<u8>>)> {
    match (&mut session.state, &mut session.asked) {
        (State::Knocking { invite, parts }, _) => Some((*invite, parts)),
        (State::Open, Some(asked)) => Some((asked.invite, &mut asked.parts)),
        _ => None,
    }
}
