//! Entries made by hand, for measuring one step alone.

use ed25519_dalek::SigningKey;
use piquet_protocol::action::Action;
use piquet_protocol::action::message::Message;
use piquet_protocol::crypto::{Secret, device_key};
use piquet_protocol::entry::{Body, Class, ClassKey, Entry, Header, Language, UnverifiedEntry, author_entry};
use piquet_protocol::id::{DeviceKey, EntryId, EpochId, GroupId};
use piquet_protocol::kind::Kind;

/// What everybody says here.
pub(crate) fn text(number: usize) -> String {
    format!("{number:0>300}")
}

const GROUP: GroupId = GroupId([1; 32]);
const EPOCH: EpochId = EpochId([2; 32]);

/// An author of messages, outside of any node.
pub(crate) struct Author {
    key: SigningKey,
    class: ClassKey,
    prev: EntryId,
    seq: u32,
}

impl Author {
    /// Authors of different seeds have different keys.
    pub(crate) fn new(seed: u8) -> Self {
        let class = ClassKey(Secret::new([3; 32]));
        Self { key: SigningKey::from_bytes(&[seed; 32]), class, prev: EntryId([5; 32]), seq: 2 }
    }

    pub(crate) fn device(&self) -> DeviceKey {
        device_key(&self.key)
    }

    /// The next 300-byte message, with one cite.
    pub(crate) fn write(&mut self) -> Entry {
        let mut header = Header::new(Class::Chat, &self.device(), &EPOCH, self.seq, self.prev);
        header.talk_cites = vec![EntryId([6; 32])];
        let text = text(self.seq as usize);
        let message = Message { text, reply_to: None, clock: self.seq.min(60_000), edits: None };
        let body = Body {
            kind: Kind::Message as u16,
            schema: 1,
            time: self.seq,
            language: Language::default(),
            payload: message.to_payload(),
        };
        let entry = author_entry(&GROUP, &EPOCH, &self.key, header, &self.class, &body).unwrap();
        (self.prev, self.seq) = (entry.id(), self.seq + 1);
        entry
    }

    pub(crate) fn open(&self, entry: &Entry) -> Message {
        Message::from_payload(&entry.open(&GROUP, &self.class).unwrap().payload).unwrap()
    }
}

/// An entry by one of these authors.
pub(crate) fn verify(bytes: &[u8], authors: &[DeviceKey]) -> Entry {
    let entry = UnverifiedEntry::decode(bytes).unwrap();
    let author = authors.iter().find(|author| entry.matches(author, &EPOCH)).unwrap();
    entry.verify(&GROUP, author, &EPOCH).unwrap()
}
