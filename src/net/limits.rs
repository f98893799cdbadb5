//! Bounds of one node's network (sync paper §11).

use std::time::Duration;

/// See each field; the defaults are the paper's.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Strangers at once.
    pub strangers: usize,
    /// Strangers at once from one /24 (IPv4) or /48 (IPv6).
    pub strangers_per_net: usize,
    /// New connections a minute from one such network.
    pub arrivals_per_minute: usize,
    /// Time between two attempts of strangers from one address (IPv6: one /64).
    pub attempt_pause: Duration,
    /// Whether callers from this machine are spared the limits by network and address.
    pub loopback_exempt: bool,
    /// How long a stranger may stay, from the first packet on.
    pub stranger_time: Duration,
    /// Bytes of frames taken from a stranger.
    pub stranger_bytes: usize,
    /// Bytes read of a stranger's socket, with all that carries the frames.
    pub stranger_socket_bytes: usize,
    /// Bytes of memory that frames for a peer that does not read take up.
    pub queue: usize,
    /// Silence after which a dialler asks for a sign of life: at first, and when the line has proven
    /// to bear longer ones.
    pub keep_alive: (Duration, Duration),
    /// How long a sign of life is waited for.
    pub answer_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            strangers: 64,
            strangers_per_net: 16,
            arrivals_per_minute: 30,
            attempt_pause: Duration::from_secs(1),
            loopback_exempt: true,
            stranger_time: Duration::from_secs(10),
            stranger_bytes: 18 * 1024,
            stranger_socket_bytes: 24 * 1024,
            queue: 256 * 1024,
            keep_alive: (Duration::from_secs(120), Duration::from_secs(300)),
            answer_time: Duration::from_secs(20),
        }
    }
}
