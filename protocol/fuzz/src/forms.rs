//! What people and front ends write: requests as JSON, times, spans, amounts.

use crate::control::Request;
use crate::schedule;

/// A request survives being written again; times and amounts never panic.
pub fn forms(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(request) = serde_json::from_str::<Request>(&text) {
        let again = serde_json::to_string(&request).unwrap();
        assert!(serde_json::from_str::<Request>(&again).is_ok());
    }
    let _ = schedule::span(&text);
    if let Ok(amount) = schedule::amount(&text) {
        assert_eq!(schedule::amount(&schedule::write_amount(&amount)).ok(), Some(amount));
    }
    let (time, zone) = text.split_once(' ').unwrap_or((&text, "Europe/Paris"));
    if let Ok(seconds) = schedule::local(time, zone) {
        let _ = (schedule::wall(seconds, zone), schedule::utc(seconds));
    }
    let _ = schedule::closes(Some(time), zone, 9, 3);
    if let Some(seconds) = data.first_chunk::<8>() {
        let seconds = u64::from_be_bytes(*seconds);
        let _ = (schedule::wall(seconds, zone), schedule::utc(seconds));
    }
}
