//! Requests on a member's devices and recovery phrase.

use std::time::Duration;

use piquet_protocol::id::{GroupId, MemberId};
use piquet_protocol::node::NodeError;
use piquet_protocol::replica::{DeviceView, Replica};
use piquet_protocol::time::Timestamp;

use super::engine::{Answer, Engine, failure};
use super::{answers, lookup, recovery};
use crate::control::request::Words;
use crate::control::{Failure, Reply};
use crate::schedule::utc;

impl Engine {
    /// Those of one member; of this profile's by default.
    pub(super) fn devices(&mut self, group: &str, member: Option<&str>) -> Answer {
        let replica = self.replica(group)?;
        if member.is_none() && replica.is_restored() {
            return Err(Failure::new("restored", 4));
        }
        let member = member.map(|text| lookup::member(replica, text)).transpose()?;
        let (id, member) = (replica.group(), member.unwrap_or(replica.member()));
        let devices = self.node.devices(&id, &member).map_err(|error| failure(&error))?;
        self.in_group(&id.to_hex(), |replica| {
            devices.iter().map(|view| reply(replica, &member, view)).collect()
        })
    }

    /// A code for one more laptop of this member's.
    pub(super) fn add_device(&mut self, group: &str, expires: u64, now: Timestamp) -> Answer {
        let id = self.replica(group)?.group();
        let until = now.after(Duration::from_secs(expires));
        let code = self.node.link_code(id, until, now).map_err(|error| failure(&error))?;
        Ok(vec![Reply::DeviceCode {
            group: id.to_hex(),
            invite: code.keys().public().to_hex(),
            code: code.to_text(),
            expires: utc(until.as_secs()),
        }])
    }

    /// Takes a device from its member, for ever.
    pub(super) fn drop_device(
        &mut self,
        group: &str,
        device: &str,
        phrase: Option<&Words>,
        now: Timestamp,
    ) -> Answer {
        let phrase = phrase.map(recovery::read).transpose()?;
        let replica = self.replica(group)?;
        let (id, device) = (replica.group(), lookup::device(replica, device)?);
        let owner = replica.view().owner_of(&device);
        if device == replica.device() {
            return Err(Failure::new("this_device", 1));
        }
        let dropped = self.node.drop_device(id, device, phrase.as_ref(), now);
        dropped.map_err(|error| match error {
            NodeError::NotAllowed => Failure::new("not_your_device", 4),
            error => failure(&error),
        })?;
        self.in_group(&id.to_hex(), |replica| vec![reply(replica, &owner, &replica.device_view(device))])
    }

    /// Sets a phrase wherever this member has none: a line each group.
    pub(super) fn set_recovery(&mut self, phrase: &Words, now: Timestamp) -> Answer {
        let phrase = recovery::read(phrase)?;
        let groups: Vec<GroupId> = self.groups().into_iter().map(Replica::group).collect();
        let mut replies = Vec::with_capacity(groups.len());
        for group in groups {
            let Some(replica) = self.node.group(&group).filter(|replica| replica.frozen().is_none()) else {
                continue;
            };
            let name = replica.name().to_owned();
            let state = if self.node.has_phrase(&group) {
                "kept"
            } else {
                self.node.set_phrase(group, &phrase, now).map_err(|error| failure(&error))?;
                "set"
            };
            replies.push(Reply::Recovery { group: group.to_hex(), name, state: state.to_owned() });
        }
        Ok(replies)
    }
}

fn reply(replica: &Replica, member: &MemberId, view: &DeviceView) -> Reply {
    let dropped = replica.view().member_of(&view.device).is_none();
    Reply::Device {
        group: replica.group().to_hex(),
        device: view.device.to_hex(),
        member: member.to_hex(),
        name: answers::name(replica, member),
        here: view.here,
        keyed: view.keyed && !dropped,
        last_heard: view.last_heard.map(|time| utc(u64::from(time))),
        dropped,
    }
}
