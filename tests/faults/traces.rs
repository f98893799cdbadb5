//! What the folder and the log tell somebody who has no key.

use std::fs;
use std::process::Stdio;

use super::{Running, files};
use crate::laptop::Laptop;

/// Words that stand for everything that must not be readable.
const GROUP: &str = "Zeppelin-Nord";
const PERSON: &str = "Quetzalcoatl";
const MESSAGE: &str = "the dispatcher's brother told us";
const GRIEVANCE: &str = "unpaid waiting at Gare de Hautepierre";
const CALL: &str = "No parcels on Saint Barbara's day";

fn decoded(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn neither_the_folder_nor_the_log_tells_names_texts_or_ids() {
    let laptop = Laptop::empty();
    let log = laptop.folder.path().join("log");
    let passphrase = laptop.folder.path().join("passphrase");
    fs::write(&passphrase, "six random words\n").unwrap();
    let command = |args: &[&str]| {
        let mut command = laptop.command(&laptop.home());
        command
            .env("RUST_LOG", "trace")
            .env("RUST_BACKTRACE", "1")
            .env("PIQUET_PASSPHRASE_FILE", &passphrase);
        let log = fs::File::options().append(true).create(true).open(&log).unwrap();
        command.arg("--json").args(args).stderr(Stdio::from(log));
        command
    };
    let json = |args: &[&str]| {
        let output = command(args).output().unwrap();
        assert!(output.status.success(), "{args:?}");
        let first = output.stdout.split(|byte| *byte == b'\n').next().unwrap().to_vec();
        serde_json::from_slice::<serde_json::Value>(&first).unwrap()
    };
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    json(&["init", "--name", PERSON]);
    let node = Running::start(&mut command(&["up", "--listen", "/ip4/127.0.0.1/tcp/0"]));
    let group = text(&json(&["group", "create", GROUP])["group"]);
    let sent = json(&["send", GROUP, MESSAGE]);
    let code = text(&json(&["invite", GROUP])["code"]);
    json(&["grievance", "file", GROUP, "--category", "pay.waiting", "--platform", "X", "--text", GRIEVANCE]);
    let call = ["--start", "2030-12-04T18:00", "--end", "2030-12-04T22:00", "--zone", "Europe/Paris"];
    json(&[&["strike", "call", GROUP, "--title", CALL, "--place", "Lyon"][..], &call].concat());
    assert!(!command(&["send", "no such group", MESSAGE]).output().unwrap().status.success());
    drop(node);
    json(&["doctor"]);

    let mut needles: Vec<Vec<u8>> = [GROUP, PERSON, MESSAGE, GRIEVANCE, CALL, &code]
        .iter()
        .map(|text| text.as_bytes().to_vec())
        .collect();
    for id in [group, text(&sent["id"]), text(&sent["author"])] {
        needles.extend([decoded(&id), id.clone().into_bytes(), id.to_uppercase().into_bytes()]);
        needles.push(decoded(&id)[..8].to_vec());
    }
    let paths = files(laptop.folder.path());
    assert!(paths.len() > 8 && paths.contains(&log));
    for path in paths.iter().filter(|path| **path != passphrase) {
        let bytes = fs::read(path).unwrap();
        for needle in &needles {
            assert!(!holds(&bytes, needle), "{} in {path:?}", String::from_utf8_lossy(needle));
        }
    }
}
