//! One laptop of a story: a profile folder, a machine's memory, a running node.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// Longest wait for anything; a condition, not a pause.
pub(crate) const SOON: Duration = Duration::from_secs(90);

pub(crate) struct Laptop {
    pub(crate) folder: TempDir,
    /// What every command is run by: a network namespace, say.
    pub(crate) within: Vec<String>,
    node: Option<Node>,
}

struct Node {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Laptop {
    /// A laptop with an unprotected profile of this name.
    pub(crate) fn of(name: &str) -> Self {
        let laptop = Self::empty();
        let made = laptop.run(&["init", "--no-passphrase", "--name", name]);
        assert!(made.status.success(), "{made:?}");
        laptop
    }

    pub(crate) fn empty() -> Self {
        Self::in_folder(tempfile::tempdir().unwrap())
    }

    /// A laptop whose files lie in a folder of the story's choice.
    pub(crate) fn in_folder(folder: TempDir) -> Self {
        Self { folder, within: Vec::new(), node: None }
    }

    pub(crate) fn within(runner: &[String]) -> Self {
        let mut laptop = Self::empty();
        laptop.within = runner.to_vec();
        laptop
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    pub(crate) fn command(&self, home: &Path) -> Command {
        let program = env!("CARGO_BIN_EXE_piquet").to_owned();
        let mut words = self.within.iter().chain([&program]);
        let mut command = Command::new(words.next().unwrap());
        command.args(words).arg("--home").arg(home).arg("--lang").arg("en");
        command.env("PIQUET_STATE", self.folder.path().join("state")).env_remove("PIQUET_HOME");
        command.stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.command(&self.home()).args(args).output().unwrap()
    }

    /// Runs a command that must succeed, and reads its JSON lines.
    pub(crate) fn json(&self, args: &[&str]) -> Vec<Value> {
        let output = self.command(&self.home()).arg("--json").args(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub(crate) fn one(&self, args: &[&str]) -> Value {
        self.json(args).into_iter().next().unwrap_or_else(|| panic!("{args:?} printed nothing"))
    }

    /// Runs a command that must fail, and gives its exit code and error code.
    pub(crate) fn refused(&self, args: &[&str]) -> (i32, String) {
        let output = self.command(&self.home()).arg("--json").args(args).output().unwrap();
        let error: Value =
            serde_json::from_slice(&output.stderr).unwrap_or_else(|_| panic!("{args:?}: {output:?}"));
        assert!(error["error"]["message"].is_string() && error["error"]["hint"].is_string(), "{error}");
        (output.status.code().unwrap(), error["error"]["code"].as_str().unwrap().to_owned())
    }

    /// Starts the node and waits until it listens.
    pub(crate) fn up(&mut self) {
        self.up_at("/ip4/127.0.0.1/tcp/0");
    }

    pub(crate) fn up_at(&mut self, listen: &str) {
        self.up_with(&["--listen", listen]);
    }

    pub(crate) fn up_with(&mut self, options: &[&str]) {
        let mut command = self.command(&self.home());
        command.args(["--json", "up"]).args(options).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (sender, lines) = mpsc::channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        // First kept, then judged: whatever fails, the process ends with this laptop.
        let node = self.node.insert(Node { child, lines });
        let first = node.lines.recv_timeout(SOON).expect("the node says that it is ready");
        let ready: Value = serde_json::from_str(&first).unwrap();
        assert_eq!(ready["event"], "ready");
    }

    /// Waits for an event of the running node.
    pub(crate) fn event(&self, what: &str) -> Value {
        let node = self.node.as_ref().unwrap();
        let end = Instant::now() + SOON;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let line = node.lines.recv_timeout(left).unwrap_or_else(|_| panic!("no event {what} in time"));
            let event: Value = serde_json::from_str(&line).unwrap();
            if event["event"] == what {
                return event;
            }
        }
    }

    /// The running node's process.
    pub(crate) fn pid(&self) -> u32 {
        self.running().unwrap()
    }

    /// The same, none if no node runs.
    pub(crate) fn running(&self) -> Option<u32> {
        self.node.as_ref().map(|node| node.child.id())
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        if let Some(mut node) = self.node.take() {
            node.child.kill().unwrap();
            node.child.wait().unwrap();
        }
    }

    /// `kill -9` while somebody still holds on to this laptop; [`Laptop::kill`] follows.
    #[cfg(unix)]
    pub(crate) fn kill_running(&self) {
        let id = self.node.as_ref().unwrap().child.id();
        let killed = Command::new("kill").args(["-9", &id.to_string()]).status().unwrap();
        assert!(killed.success());
    }

    /// How the node ended, of its own.
    #[cfg(unix)]
    pub(crate) fn ended(&mut self) -> std::process::ExitStatus {
        let mut node = self.node.take().unwrap();
        let mut status = None;
        until("the node ends", || {
            status = node.child.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }

    /// Makes a one-use code.
    pub(crate) fn invite(&self, group: &str) -> String {
        self.one(&["invite", group])["code"].as_str().unwrap().to_owned()
    }

    pub(crate) fn texts(&self, group: &str) -> Vec<String> {
        let messages = self.json(&["read", group, "--limit", "100000"]);
        messages.iter().map(|message| message["text"].as_str().unwrap().to_owned()).collect()
    }
}

impl Drop for Laptop {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Waits until something holds.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + SOON;
    while !holds() {
        assert!(Instant::now() < end, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
