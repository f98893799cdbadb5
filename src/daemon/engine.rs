//! A node with its disk, and every request carried out on it: the same with and without a daemon.

use std::path::Path;

use piquet_protocol::codec::DecodeError;
use piquet_protocol::group::invite::{CodeError, InviteCode};
use piquet_protocol::group::seal::Suite;
use piquet_protocol::id::{DeviceKey, GroupId, MemberId};
use piquet_protocol::node::{Node, NodeError};
use piquet_protocol::replica::{AuthorError, Frozen, Replica};
use piquet_protocol::store::StoreError;
use piquet_protocol::sync::DoorState;
use piquet_protocol::time::Timestamp;
use zeroize::Zeroizing;

use super::{answers, doctor, lookup, now, profile, recovery};
use crate::control::reply::{GroupStatus, SilentReply};
use crate::control::request::Words;
use crate::control::{Failure, Reply, Request};
use crate::store::{Continuity, DiskStore};

/// Several replies, or why there are none.
pub type Answer = Result<Vec<Reply>, Failure>;

/// A node on its disk.
pub struct Engine {
    /// The node.
    pub node: Node<DiskStore>,
    /// How much damage of the store has been dealt with.
    known_damage: usize,
}

/// What the daemon knows beside the node.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// This start's transport identity.
    pub peer: Option<String>,
    /// Where this node listens.
    pub listen: Vec<String>,
}

impl Engine {
    /// Opens a profile.
    ///
    /// # Errors
    /// Why it stays closed.
    pub fn open(home: &Path, passphrase: Option<Zeroizing<String>>) -> Result<Self, Failure> {
        let opened = profile::open(home, passphrase)?;
        let mut engine = Self::on(opened.store)?;
        if engine.writable().is_err() {
            // What opening would have written is let go of: the next one finds the same to do.
            let _ = engine.flush();
        } else if opened.continuity != Continuity::Same {
            engine.node.freeze(now());
            engine.flush()?;
            engine.node.store_mut().settle().map_err(|error| store_failure(&error))?;
        }
        Ok(engine)
    }

    /// Makes a profile.
    ///
    /// # Errors
    /// Why it can't be made.
    pub fn create(
        home: &Path,
        passphrase: Option<Zeroizing<String>>,
        name: Option<&str>,
    ) -> Result<Self, Failure> {
        if let Some(name) = name {
            piquet_protocol::group::operation::check_name(name).map_err(|_| Failure::new("bad_name", 1))?;
        }
        let mut engine = Self::on(profile::create(home, passphrase)?)?;
        if let Some(name) = name {
            engine.node.set_name(name);
            engine.flush()?;
        }
        Ok(engine)
    }

    /// Opens the groups. Records that can't be read are given up, and the rest goes on.
    fn on(store: DiskStore) -> Result<Self, Failure> {
        let node = Node::open(store, Box::new(profile::os_rng()), now());
        let mut engine =
            Self { node: node.map_err(|_| Failure::new("profile_damaged", 5))?, known_damage: 0 };
        engine.mend();
        Ok(engine)
    }

    /// If damage was met that was not known before: finds all there is, gives up what can't be read and lets
    /// the node fetch it again. False if there was nothing to do, or the disk refuses: then it is tried again
    /// with the next damage or start.
    pub fn mend(&mut self) -> bool {
        if self.node.store().damage().len() == self.known_damage {
            return false;
        }
        let Ok(damage) = self.node.store().check() else { return false };
        self.known_damage = damage.len();
        let what: Vec<u8> =
            damage.iter().flat_map(|d| [d.segment, d.first, d.last]).flat_map(u32::to_be_bytes).collect();
        let given_up = self.node.store_mut().forget_damaged();
        given_up.and_then(|()| self.node.mend(&what, now())).is_ok()
    }

    /// Whether anything can be kept in this opening.
    ///
    /// # Errors
    /// Why not: then it answers questions, and refuses everything else.
    pub fn writable(&self) -> Result<(), Failure> {
        self.node.store().writable().map_err(|error| store_failure(&error))
    }

    /// Makes durable what was asked for.
    ///
    /// # Errors
    /// A disk that refuses: then it has not happened.
    pub fn flush(&mut self) -> Result<(), Failure> {
        self.node.flush(now()).map_err(|error| store_failure(&error))
    }

    /// Carries a request out and makes it durable. `Read` with `follow`, and the waiting of `Join`, are
    /// the daemon's.
    pub fn call(&mut self, request: Request, around: &Surroundings) -> Answer {
        let mut answer = self.carry_out(request.clone(), around);
        if self.mend() && matches!(&answer, Err(failure) if failure.code == "damaged") {
            answer = self.carry_out(request, around);
        }
        self.flush()?;
        answer
    }

    /// Whoever may not do something in a group out of a backup may do nothing there at all.
    fn carry_out(&mut self, request: Request, around: &Surroundings) -> Answer {
        let group = request.group().map(str::to_owned);
        self.carry_out_as(request, around).map_err(|failure| match group.map(|group| self.replica(&group)) {
            Some(Ok(replica)) if failure.exit == 4 && replica.is_restored() => Failure::new("restored", 4),
            _ => failure,
        })
    }

    fn carry_out_as(&mut self, request: Request, around: &Surroundings) -> Answer {
        let now = now();
        match request {
            Request::Status => Ok(vec![self.status(around)]),
            Request::GroupCreate { name, hybrid } => self.create_group(&name, hybrid, now),
            Request::GroupList => Ok(self.groups().into_iter().map(answers::group).collect()),
            Request::GroupShow { group } => self.in_group(&group, |replica| vec![answers::group(replica)]),
            Request::GroupMembers { group } => self.members(&group, now),
            Request::GroupVerify { group, member, wish } => self.verify(&group, &member, &wish, now),
            Request::GroupRemove { group, member } => self.remove(&group, &member, now),
            Request::GroupFound { group, keyholders, template } => {
                self.found(&group, &keyholders, template, now)
            }
            Request::GroupDecide { group, decision, roll } => self.propose(&group, &decision, roll, now),
            Request::GroupResign { group } => self.resign(&group, now),
            Request::ProposalList { group } => self.proposals(&group),
            Request::ProposalShow { group, proposal } => self.show_proposal(&group, &proposal),
            Request::ProposalApprove { group, proposal } => self.approve(&group, &proposal, now),
            Request::ProposalDismiss { group, proposal } => self.dismiss(&group, &proposal, now),
            Request::GroupLeave { group } => self.leave(&group, now),
            Request::InviteCreate { group, uses, expires } => self.invite(&group, uses, expires, now),
            Request::InviteList { group } => self.invites(&group, now),
            Request::InviteRevoke { group, invite } => self.revoke(&group, &invite, now),
            Request::Join { code, name, phrase, .. } => {
                self.join(&code, name, phrase.as_ref(), now).map(|(_, reply)| vec![reply])
            }
            Request::DeviceList { group, member } => self.devices(&group, member.as_deref()),
            Request::DeviceAdd { group, expires } => self.add_device(&group, expires, now),
            Request::DeviceDrop { group, device, phrase } => {
                self.drop_device(&group, &device, phrase.as_ref(), now)
            }
            Request::RecoverySet { phrase } => self.set_recovery(&phrase, now),
            Request::Send { group, text } => self.send(&group, &text, now),
            Request::Edit { group, message, text } => self.edit(&group, message.as_deref(), &text, now),
            Request::Read { group, limit, since, .. } => self.read(&group, limit, since.as_deref(), now),
            Request::GrievanceFile { group, grievance } => self.file(&group, grievance, now),
            Request::GrievanceList { group } => self.list_grievances(&group, now),
            Request::GrievanceShow { group, id } => self.show_grievance(&group, &id, now),
            Request::GrievanceSupport { group, id, kind } => self.support(&group, &id, &kind, now),
            Request::StrikeCall { group, call } => self.call_strike(&group, call, now),
            Request::StrikeList { group } => self.list_strikes(&group, now),
            Request::StrikeShow { group, id } => self.show_strike(&group, &id, now),
            Request::StrikePledge { group, id, yes } => self.pledge(&group, &id, yes, now),
            Request::StrikeCallOff { group, id, reason } => self.call_off(&group, &id, &reason, now),
            Request::Backup { file, lock } => self.backup(&file, &lock),
            Request::Doctor => Ok(doctor::findings(&self.node, around)),
            // The daemon's: without one there is nothing to end.
            Request::Stop => Ok(Vec::new()),
        }
    }

    pub(super) fn replica(&self, text: &str) -> Result<&Replica, Failure> {
        if !text.is_empty() && self.node.closed().any(|group| group.to_hex().starts_with(text)) {
            return Err(Failure::new("group_damaged", 5));
        }
        let group = lookup::group(&self.node, text)?;
        self.node.group(&group).ok_or_else(|| Failure::new("no_such_group", 1).with("name", text))
    }

    pub(super) fn in_group(&self, group: &str, view: impl FnOnce(&Replica) -> Vec<Reply>) -> Answer {
        self.replica(group).map(view)
    }

    fn status(&self, around: &Surroundings) -> Reply {
        let peers = |group: &GroupId| self.node.peers().filter(|(_, g, _)| g == group).count();
        let conns: std::collections::BTreeSet<_> = self.node.peers().map(|(conn, ..)| conn).collect();
        Reply::Status {
            peer: around.peer.clone(),
            listen: around.listen.clone(),
            peers: conns.len(),
            relays: Vec::new(),
            groups: self
                .groups()
                .into_iter()
                .map(|replica| self.group_status(replica, peers(&replica.group())))
                .collect(),
            joining: self.node.joining().count(),
            refused: self.node.refused().map(|(_, why)| refusal(why).to_owned()).collect(),
        }
    }

    /// As people look for them: a draft that this profile has moved out of is its successor's past.
    pub(super) fn groups(&self) -> Vec<&Replica> {
        let listed = |replica: &&Replica| self.node.successor_of(&replica.group()) == replica.group();
        let mut groups: Vec<&Replica> = self.node.groups().filter(listed).collect();
        groups.sort_by_key(|replica| (replica.name().to_lowercase(), replica.group()));
        groups
    }

    fn group_status(&self, replica: &Replica, peers: usize) -> GroupStatus {
        let waiting = self.node.proposals(&replica.group()).unwrap_or_default();
        let waiting = waiting.into_iter().filter(|view| view.waits_for_me);
        let proposals = waiting.map(|view| view.act.to_hex()).collect();
        let waits_for_keys = self.node.waits_for_keys(&replica.group());
        let group = replica.group();
        let here: std::collections::BTreeSet<MemberId> = self
            .node
            .peers()
            .filter(|(_, of, _)| *of == group)
            .map(|(.., device)| replica.view().owner_of(&device))
            .collect();
        let silent = replica.silent_holders(now()).into_iter().filter(|(member, _)| !here.contains(member));
        let silent = silent.map(|(member, days)| SilentReply { name: answers::name(replica, &member), days });
        let silent = silent.collect();
        let phrase = self.node.has_phrase(&group);
        GroupStatus { proposals, waits_for_keys, silent, phrase, ..answers::status(replica, peers, now()) }
    }

    fn person(&self) -> String {
        self.node.name().ok().flatten().unwrap_or_else(|| "member".to_owned())
    }

    fn create_group(&mut self, name: &str, hybrid: bool, now: Timestamp) -> Answer {
        let suite = if hybrid { Suite::Hybrid } else { Suite::Classical };
        let group =
            self.node.create_group(name, &self.person(), suite, now).map_err(|error| failure(&error))?;
        self.in_group(&group.to_hex(), |replica| vec![answers::group(replica)])
    }

    fn invite(&mut self, group: &str, uses: u16, expires: u64, now: Timestamp) -> Answer {
        let id = self.replica(group)?.group();
        let until = now.after(std::time::Duration::from_secs(expires));
        let view = self.node.invite(id, uses, until, now).map_err(|error| failure(&error))?;
        self.in_group(&id.to_hex(), |replica| vec![answers::invite(replica, &view)])
    }

    fn invites(&mut self, group: &str, now: Timestamp) -> Answer {
        let id = self.replica(group)?.group();
        let mut list = self.node.invites(id, now).map_err(|error| failure(&error))?;
        list.sort_by_key(|view| (view.expires, view.key));
        self.in_group(&id.to_hex(), |replica| {
            list.iter().map(|view| answers::invite(replica, view)).collect()
        })
    }

    fn revoke(&mut self, group: &str, invite: &str, now: Timestamp) -> Answer {
        let replica = self.replica(group)?;
        let (id, invite) = (replica.group(), lookup::invite(replica, invite)?);
        self.node.revoke(id, invite, now).map_err(|error| failure(&error))?;
        let list = self.node.invites(id, now).map_err(|error| failure(&error))?;
        self.in_group(&id.to_hex(), |replica| {
            let revoked = list.iter().find(|view| view.key == invite);
            // A code for a device is on no list.
            let done = || Reply::Done { group: id.to_hex() };
            vec![revoked.map_or_else(done, |view| answers::invite(replica, view))]
        })
    }

    /// Starts a join, or with a phrase a coming back; the invite's key says which to wait for.
    ///
    /// # Errors
    /// A code that is none, or no good.
    pub fn join(
        &mut self,
        code: &str,
        name: Option<String>,
        phrase: Option<&Words>,
        now: Timestamp,
    ) -> Result<(DeviceKey, Reply), Failure> {
        let phrase = phrase.map(recovery::read).transpose()?;
        let code = InviteCode::parse(code).map_err(|error| match error {
            CodeError::Newer => Failure::new("newer_code", 5),
            CodeError::Mistyped | CodeError::Malformed(_) => Failure::new("bad_code", 5),
        })?;
        let code = match phrase {
            Some(phrase) => InviteCode::of_phrase(&phrase, code.fingerprint, code.suite, code.hints),
            None => code,
        };
        let (fingerprint, words) = (piquet_protocol::id::hex(&code.fingerprint), code.words());
        let name = name.unwrap_or_else(|| self.person());
        let invite = self.node.join(code, &name, now).map_err(|error| failure(&error))?;
        let state = "waiting".to_owned();
        Ok((invite, Reply::Join { group: fingerprint, name: None, member: None, state, words }))
    }
}

/// Why a code let nobody in.
pub(super) fn refusal(why: DoorState) -> &'static str {
    match why {
        DoorState::Used | DoorState::Open => "code_used",
        DoorState::Expired => "code_expired",
        DoorState::Revoked => "code_revoked",
    }
}

pub(super) fn store_failure(error: &StoreError) -> Failure {
    match error {
        StoreError::Full => Failure::new("disk_full", 1),
        StoreError::Damaged => Failure::new("damaged", 5),
        StoreError::Io(_) => Failure::new("disk", 1),
    }
}

/// A node's refusal as a failure people understand.
pub(super) fn failure(error: &NodeError) -> Failure {
    match error {
        NodeError::NoGroup => Failure::new("no_such_group", 1),
        NodeError::NotFound => Failure::new("not_found", 1),
        NodeError::NotAllowed => Failure::new("not_allowed", 4),
        NodeError::KeyHolder => Failure::new("keyholder", 4),
        NodeError::Council => Failure::new("council", 1),
        NodeError::Founded => Failure::new("founded_already", 1),
        NodeError::Draft => Failure::new("draft", 1),
        NodeError::Decided => Failure::new("decided", 1),
        NodeError::Mismatch => Failure::new("not_the_same", 4),
        NodeError::Unneeded => Failure::new("no_vouch_needed", 1),
        NodeError::Expired => Failure::new("code_expired", 4),
        NodeError::AlreadyMember => Failure::new("already_member", 1),
        NodeError::Full => Failure::new("group_full", 4),
        NodeError::TooLate => Failure::new("too_late", 4),
        NodeError::Author(AuthorError::Frozen(Frozen::RolledBack)) => Failure::new("rolled_back", 4),
        NodeError::Author(AuthorError::Frozen(Frozen::NeedsNewer)) => Failure::new("needs_newer", 1),
        NodeError::Author(AuthorError::Frozen(Frozen::Restored)) => Failure::new("restored", 4),
        NodeError::Author(AuthorError::Frozen(Frozen::Ended)) => Failure::new("ended", 4),
        NodeError::Author(AuthorError::Frozen(Frozen::Mending)) => Failure::new("mending", 1),
        NodeError::Author(AuthorError::Rekeying) => Failure::new("rekeying", 1),
        NodeError::Author(AuthorError::Unusable) => Failure::new("no_keys", 1),
        NodeError::Author(AuthorError::Body(DecodeError::Text { field, max })) => {
            Failure::new("bad_field", 1).with("field", *field).with("max", max.to_string())
        }
        NodeError::Author(AuthorError::Body(_)) => Failure::new("bad_value", 1),
        NodeError::Author(AuthorError::Seal(_)) => Failure::new("no_keys", 1),
        NodeError::Author(AuthorError::Store(error)) => store_failure(error),
    }
}
