//! Frames on a stream: unsigned varint length, type byte, body; a zero length is a sign of life.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use piquet_protocol::codec::put_varint;
use piquet_protocol::sync::{MAX_FRAME, ROOM};
use tokio::sync::{Notify, mpsc};

use super::life::{self, Life};
use super::{Conn, Event, Full, Limits};

/// Events that wait for the node: beyond that sockets are not read.
pub(super) const EVENTS: usize = 64;
/// Bytes read ahead, for lengths and short frames.
const BUFFER: usize = 2 * 1024;
/// Bytes gathered before they are written.
const GATHER: usize = 64 * 1024;
/// Memory of a queued frame beside its own bytes, about: else short ones would cost more than they count.
const FRAME_COST: usize = 64;

/// The sending half, as the node holds it. Dropping it ends the stream once the queue is out.
pub(super) struct Outgoing {
    frames: mpsc::UnboundedSender<Vec<u8>>,
    shared: Arc<Shared>,
    queue: usize,
}

/// What both halves of a stream know.
pub(super) struct Shared {
    queued: AtomicUsize,
    trusted: AtomicBool,
    /// A sign of life is to be sent.
    pub(super) ping: Notify,
    /// The line may be dead: find out now.
    pub(super) doubt: Notify,
    pub(super) life: Life,
}

impl Outgoing {
    pub(super) fn new(limits: &Limits) -> (Self, mpsc::UnboundedReceiver<Vec<u8>>, Arc<Shared>) {
        let (frames, queue) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            queued: AtomicUsize::new(0),
            trusted: AtomicBool::new(false),
            ping: Notify::new(),
            doubt: Notify::new(),
            life: Life::new(),
        });
        (Self { frames, shared: shared.clone(), queue: limits.queue }, queue, shared)
    }

    /// The channel is unbounded in frames, but not in bytes.
    pub(super) fn send(&self, frame: Vec<u8>) -> Result<(), Full> {
        let cost = cost(&frame);
        if self.shared.queued.load(Ordering::Relaxed).saturating_add(cost) > self.queue {
            return Err(Full);
        }
        self.shared.queued.fetch_add(cost, Ordering::Relaxed);
        // Fails only when the stream has ended, which the node is told otherwise.
        let _ = self.frames.send(frame);
        Ok(())
    }

    pub(super) fn trust(&self) {
        self.shared.trusted.store(true, Ordering::Relaxed);
    }

    pub(super) fn doubt(&self) {
        self.shared.doubt.notify_one();
    }
}

fn cost(frame: &[u8]) -> usize {
    frame.len().saturating_add(FRAME_COST)
}

/// Runs one stream to its end.
pub(super) async fn run(
    conn: Conn,
    stream: impl AsyncRead + AsyncWrite + Send + Unpin,
    dialler: bool,
    frames: mpsc::UnboundedReceiver<Vec<u8>>,
    shared: Arc<Shared>,
    events: mpsc::Sender<Event>,
    limits: Limits,
) {
    let (reader, writer) = stream.split();
    let allowance = if dialler { usize::MAX } else { limits.stranger_bytes };
    let reading = read(conn, reader, &shared, &events, allowance);
    let writing = write(conn, writer, frames, &shared, &events);
    let death = life::watch(&shared, dialler, &limits);
    // Whatever ends first ends the stream; why is nobody's business at the other end.
    tokio::select! {
        _ = reading => {}
        _ = writing => {}
        () = death => {}
    }
}

/// `allowance`: bytes of frames taken before the other side has proven itself. Below it, what the
/// socket may bring at all is bounded for both sides (see [`super::meter`]).
async fn read(
    conn: Conn,
    reader: impl AsyncRead + Unpin,
    shared: &Shared,
    events: &mpsc::Sender<Event>,
    allowance: usize,
) -> io::Result<()> {
    // Long frames pass it by.
    let mut reader = BufReader::with_capacity(BUFFER, reader);
    let mut taken = 0usize;
    loop {
        let length = read_length(&mut reader).await?;
        taken = taken.saturating_add(length);
        if taken > allowance && !shared.trusted.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::QuotaExceeded.into());
        }
        let mut frame = vec![0; length];
        reader.read_exact(&mut frame).await?;
        if shared.life.heard(length == 0) {
            shared.ping.notify_one();
        }
        if length > 0 && events.send(Event::Frame(conn, frame)).await.is_err() {
            return Ok(());
        }
    }
}

/// A length in its shortest form, at most [`MAX_FRAME`].
pub(super) async fn read_length(reader: &mut (impl AsyncRead + Unpin)) -> io::Result<usize> {
    let mut length = 0usize;
    for shift in [0u32, 7, 14] {
        let mut byte = [0];
        reader.read_exact(&mut byte).await?;
        let [byte] = byte;
        length |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            let shortest = byte != 0 || shift == 0;
            return if shortest && length <= MAX_FRAME {
                Ok(length)
            } else {
                Err(io::ErrorKind::InvalidData.into())
            };
        }
    }
    Err(io::ErrorKind::InvalidData.into())
}

async fn write(
    conn: Conn,
    mut writer: impl AsyncWrite + Unpin,
    mut frames: mpsc::UnboundedReceiver<Vec<u8>>,
    shared: &Shared,
    events: &mpsc::Sender<Event>,
) -> io::Result<()> {
    let mut written = 0usize;
    loop {
        // A quiet line keeps no buffer.
        let (mut gathered, mut costs) = (Vec::new(), 0usize);
        let mut put = |gathered: &mut Vec<u8>, frame: &[u8]| {
            put_frame(gathered, frame);
            written = written.saturating_add(frame.len());
            costs = costs.saturating_add(cost(frame));
        };
        tokio::select! {
            frame = frames.recv() => match frame {
                Some(frame) => put(&mut gathered, &frame),
                None => return writer.close().await,
            },
            () = shared.ping.notified() => gathered.push(0),
        }
        while gathered.len() < GATHER {
            let Ok(frame) = frames.try_recv() else { break };
            put(&mut gathered, &frame);
        }
        writer.write_all(&gathered).await?;
        writer.flush().await?;
        shared.queued.fetch_sub(costs, Ordering::Relaxed);
        // The node counts what it hands over the same way: it never waits for room that comes not.
        while written >= ROOM {
            written = written.saturating_sub(ROOM);
            if events.send(Event::Room(conn)).await.is_err() {
                return Ok(());
            }
        }
    }
}

fn put_frame(out: &mut Vec<u8>, frame: &[u8]) {
    put_varint(out, frame.len() as u64);
    out.extend_from_slice(frame);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_and_short_frames_for_whoever_does_not_read_take_up_256_kib() {
        for length in [2, 100, 10_000, MAX_FRAME] {
            let (outgoing, _frames, _) = Outgoing::new(&Limits::default());
            let sent = (0..).take_while(|_| outgoing.send(vec![7; length]).is_ok()).count();
            let cost = sent * (length + size_of::<Vec<u8>>());
            assert!(cost <= 256 * 1024, "{sent} of {length}");
            assert!((sent + 1) * (length + FRAME_COST) > 256 * 1024, "{sent} of {length}");
        }
    }
}
