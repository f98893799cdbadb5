//! A profile on disk and the real program running on it.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use piquet::control::client::Client;
use piquet::control::{Reply, Request};
use piquet::store::{DiskStore, KdfCost, Machine, Unlock};
use serde_json::Value;
use tempfile::TempDir;

/// Longest wait for anything.
const SOON: Duration = Duration::from_secs(120);

pub(crate) struct Laptop {
    folder: TempDir,
    running: Option<Child>,
    lines: Option<mpsc::Receiver<(Instant, Value)>>,
}

impl Laptop {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), running: None, lines: None }
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    fn machine(&self) -> Machine {
        Machine::at(&self.folder.path().join("state")).unwrap()
    }

    /// Makes its profile, without a passphrase.
    pub(crate) fn create(&self) -> DiskStore {
        DiskStore::create(&self.home(), &Unlock::KeyFile, KdfCost::DEFAULT, &self.machine()).unwrap()
    }

    pub(crate) fn open(&self) -> DiskStore {
        DiskStore::open(&self.home(), &Unlock::KeyFile, &self.machine()).unwrap().store
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_piquet"));
        command.arg("--home").arg(self.home()).args(["--lang", "en", "--json"]);
        command.env("PIQUET_STATE", self.folder.path().join("state")).env_remove("PIQUET_HOME");
        command.stdin(Stdio::null());
        command
    }

    /// Runs the node and waits until it listens.
    pub(crate) fn up(&mut self) {
        let mut command = self.command();
        command.args(["up", "--listen", "/ip4/127.0.0.1/tcp/0"]).stdout(Stdio::piped());
        let child = self.running.insert(command.spawn().unwrap());
        let out = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                let at = Instant::now();
                if sender.send((at, serde_json::from_str(&line).unwrap())).is_err() {
                    return;
                }
            }
        });
        self.lines = Some(lines);
        self.event("ready");
    }

    /// The next event of a kind, and when its line was read.
    pub(crate) fn event(&self, what: &str) -> (Instant, Value) {
        loop {
            let (at, event) = self.lines.as_ref().unwrap().recv_timeout(SOON).unwrap();
            if event["event"] == what {
                return (at, event);
            }
        }
    }

    pub(crate) fn client(&self) -> Client {
        Client::connect(&self.home()).unwrap()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.running.as_ref().unwrap().id()
    }
}

impl Drop for Laptop {
    fn drop(&mut self) {
        if let Some(mut child) = self.running.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Asks something that has one answer.
pub(crate) fn one(client: &mut Client, request: &Request) -> Reply {
    let mut answer = None;
    client
        .call(request, |reply| {
            answer = Some(reply.unwrap());
            true
        })
        .unwrap();
    answer.unwrap()
}

/// Makes a group and lets another laptop in; its id.
pub(crate) fn pair(alice: &Laptop, bob: &Laptop) -> String {
    let (mut a, mut b) = (alice.client(), bob.client());
    let created = one(&mut a, &Request::GroupCreate { name: "picket".into(), hybrid: false });
    let Reply::Group { group, .. } = created else { panic!("no group") };
    let code = invite(&mut a, &group);
    one(&mut b, &Request::Join { code, name: Some("bob".into()), wait: 60, phrase: None });
    let members = Request::GroupMembers { group: group.clone() };
    let end = Instant::now() + SOON;
    loop {
        let mut named = 0;
        a.call(&members, |reply| {
            named += usize::from(matches!(reply, Ok(Reply::Member { name, .. }) if !name.is_empty()));
            true
        })
        .unwrap();
        if named == 2 {
            return group;
        }
        assert!(Instant::now() < end, "bob is not in");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A code for one.
pub(crate) fn invite(client: &mut Client, group: &str) -> String {
    let request = Request::InviteCreate { group: group.into(), uses: 1, expires: 86_400 };
    let Reply::Invite { code: Some(code), .. } = one(client, &request) else { panic!("no code") };
    code
}
