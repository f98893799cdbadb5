//! Files of vectors, and how their fields are written.

use std::path::PathBuf;

use serde_json::Value;

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors").join(name).with_extension("json")
}

pub fn read(name: &str) -> Value {
    let text = std::fs::read_to_string(path(name)).expect("a file of vectors");
    serde_json::from_str(&text).expect("JSON")
}

/// The committed vectors, which must be what the crate makes now.
pub fn committed(name: &str, made: &Value) -> Value {
    committed_as(name, made, || serde_json::to_string_pretty(made).unwrap())
}

/// The same, with everything that fits in a line on one.
pub fn committed_densely(name: &str, made: &Value) -> Value {
    committed_as(name, made, || dense(made, 0))
}

fn dense(value: &Value, indent: usize) -> String {
    let line = value.to_string();
    let inner = indent + 1;
    let parts: Vec<String> = match value {
        Value::Array(list) if inner + line.len() > 110 => {
            list.iter().map(|part| dense(part, inner)).collect()
        }
        Value::Object(map) if inner + line.len() > 110 => {
            map.iter().map(|(key, part)| format!("\"{key}\": {}", dense(part, inner))).collect()
        }
        _ => return line,
    };
    let (open, close) = if value.is_array() { ('[', ']') } else { ('{', '}') };
    let (deep, shallow) = (" ".repeat(inner), " ".repeat(indent));
    format!("{open}\n{deep}{}\n{shallow}{close}", parts.join(&format!(",\n{deep}")))
}

fn committed_as(name: &str, made: &Value, text: impl FnOnce() -> String) -> Value {
    if std::env::var_os("PIQUET_VECTORS").is_some_and(|asked| asked == "write") {
        // Whole or not at all: other tests read it meanwhile.
        let new = path(name).with_extension(format!("{:?}", std::thread::current().id()));
        std::fs::write(&new, text() + "\n").unwrap();
        std::fs::rename(&new, path(name)).unwrap();
    }
    let file = read(name);
    let differing = first_difference(&file, made, name.to_owned());
    assert!(differing.is_none(), "{}", differing.unwrap_or_default());
    file
}

fn first_difference(file: &Value, made: &Value, at: String) -> Option<String> {
    match (file, made) {
        (Value::Object(a), Value::Object(b)) if a.keys().eq(b.keys()) => {
            a.iter().find_map(|(key, value)| first_difference(value, &b[key], format!("{at}.{key}")))
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).enumerate().find_map(|(n, (a, b))| first_difference(a, b, format!("{at}[{n}]")))
        }
        _ if file == made => None,
        _ => Some(format!("{at}: the file has {file}, the crate makes {made}")),
    }
}

/// The vectors of one list.
pub fn list<'a>(file: &'a Value, name: &str) -> &'a [Value] {
    let list = file[name].as_array().expect("a list").as_slice();
    assert!(!list.is_empty(), "{name} is empty");
    list
}

pub fn text<'a>(vector: &'a Value, field: &str) -> &'a str {
    vector[field].as_str().unwrap_or_else(|| panic!("{field} of {vector}"))
}

pub fn number(vector: &Value, field: &str) -> u64 {
    vector[field].as_u64().unwrap_or_else(|| panic!("{field} of {vector}"))
}

pub fn hex(bytes: impl AsRef<[u8]>) -> String {
    piquet_protocol::id::hex(bytes.as_ref())
}

pub fn bytes(vector: &Value, field: &str) -> Vec<u8> {
    let digits = text(vector, field);
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

pub fn array<const N: usize>(vector: &Value, field: &str) -> [u8; N] {
    bytes(vector, field).try_into().unwrap_or_else(|_| panic!("length of {field}"))
}
