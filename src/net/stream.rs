//! Frames on a stream: unsigned varint length, type byte, body; a zero length keeps the line open.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use piquet_protocol::codec::put_varint;
use piquet_protocol::sync::MAX_FRAME;
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep_until, timeout};

use super::{Conn, Event, Full, Limits};

/// Events that wait for the node: beyond that sockets are not read.
pub(super) const EVENTS: usize = 64;
/// Bytes gathered before they are written.
const GATHER: usize = 64 * 1024;

/// The sending half, as the node holds it. Dropping it ends the stream once the queue is out.
pub(super) struct Outgoing {
    frames: mpsc::UnboundedSender<Vec<u8>>,
    shared: Arc<Shared>,
    queue: usize,
}

/// What both halves of a stream know.
#[derive(Default)]
pub(super) struct Shared {
    queued: AtomicUsize,
    trusted: AtomicBool,
    proven: Notify,
}

impl Outgoing {
    pub(super) fn new(limits: &Limits) -> (Self, mpsc::UnboundedReceiver<Vec<u8>>, Arc<Shared>) {
        let (frames, queue) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared::default());
        (Self { frames, shared: shared.clone(), queue: limits.queue }, queue, shared)
    }

    /// The channel is unbounded in frames, but not in bytes.
    pub(super) fn send(&self, frame: Vec<u8>) -> Result<(), Full> {
        let length = frame.len();
        if self.shared.queued.load(Ordering::Relaxed).saturating_add(length) > self.queue {
            return Err(Full);
        }
        self.shared.queued.fetch_add(length, Ordering::Relaxed);
        // Fails only when the stream has ended, which the node is told otherwise.
        let _ = self.frames.send(frame);
        Ok(())
    }

    pub(super) fn trust(&self) {
        self.shared.trusted.store(true, Ordering::Relaxed);
        self.shared.proven.notify_one();
    }
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
    let reading = read(conn, reader, &shared, &events, &limits);
    let writing = write(writer, frames, &shared, dialler, &limits);
    let overstay = overstay(&shared, &limits);
    // Whatever ends first ends the stream; why is nobody's business at the other end.
    tokio::select! {
        _ = reading => {}
        _ = writing => {}
        () = overstay => {}
    }
}

/// Ends a stranger's time.
async fn overstay(shared: &Shared, limits: &Limits) {
    let end = Instant::now() + limits.stranger_time;
    tokio::select! {
        () = sleep_until(end) => {}
        () = shared.proven.notified() => std::future::pending().await,
    }
}

async fn read(
    conn: Conn,
    reader: impl AsyncRead + Unpin,
    shared: &Shared,
    events: &mpsc::Sender<Event>,
    limits: &Limits,
) -> io::Result<()> {
    let mut reader = BufReader::new(reader);
    let mut taken = 0usize;
    loop {
        let length = read_length(&mut reader).await?;
        taken = taken.saturating_add(length);
        if taken > limits.stranger_bytes && !shared.trusted.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::QuotaExceeded.into());
        }
        if length == 0 {
            continue;
        }
        let mut frame = vec![0; length];
        reader.read_exact(&mut frame).await?;
        if events.send(Event::Frame(conn, frame)).await.is_err() {
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
    mut writer: impl AsyncWrite + Unpin,
    mut frames: mpsc::UnboundedReceiver<Vec<u8>>,
    shared: &Shared,
    dialler: bool,
    limits: &Limits,
) -> io::Result<()> {
    let mut gathered = Vec::new();
    loop {
        match timeout(limits.keep_alive, frames.recv()).await {
            Ok(Some(frame)) => put_frame(&mut gathered, &frame, shared),
            Ok(None) => return writer.close().await,
            Err(_) if dialler => gathered.push(0),
            Err(_) => continue,
        }
        while gathered.len() < GATHER {
            let Ok(frame) = frames.try_recv() else { break };
            put_frame(&mut gathered, &frame, shared);
        }
        writer.write_all(&gathered).await?;
        writer.flush().await?;
        gathered.clear();
    }
}

fn put_frame(out: &mut Vec<u8>, frame: &[u8], shared: &Shared) {
    put_varint(out, frame.len() as u64);
    out.extend_from_slice(frame);
    shared.queued.fetch_sub(frame.len(), Ordering::Relaxed);
}
