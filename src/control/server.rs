//! The daemon's side: takes requests, hands them to the daemon, sends the answers back.

use std::io;
use std::path::Path;
use std::sync::Arc;

use interprocess::local_socket::ListenerOptions;
use interprocess::local_socket::tokio::Stream;
use interprocess::local_socket::tokio::prelude::*;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::sync::{Semaphore, mpsc};

use super::{Failure, Line, MAX_LINE, Reply, Request, socket};

/// Front ends served at once.
const CLIENTS: usize = 32;
/// Replies that wait for a front end.
const REPLIES: usize = 64;

/// A request, and where its answers go; the answer ends when the sender is dropped.
pub struct Call {
    /// What is asked.
    pub request: Request,
    /// Where answers go.
    pub reply: mpsc::Sender<Result<Reply, Failure>>,
}

/// Serves the socket of a profile until the calls' receiver is gone. The profile's folder is open to
/// its owner alone, and so is the socket.
///
/// # Errors
/// If the socket can't be made.
pub fn serve(home: &Path, calls: mpsc::Sender<Call>) -> io::Result<tokio::task::JoinHandle<()>> {
    let path = socket::path(home)?;
    // The profile's lock is held: a socket that is there is a dead daemon's.
    let _ = std::fs::remove_file(&path);
    let listener = ListenerOptions::new().name(socket::name(&path)?).create_tokio()?;
    restrict(&path)?;
    let places = Arc::new(Semaphore::new(CLIENTS));
    Ok(tokio::spawn(async move {
        while let Ok(stream) = listener.accept().await {
            let Ok(place) = places.clone().acquire_owned().await else { return };
            let calls = calls.clone();
            tokio::spawn(async move {
                // A front end that goes away, or talks nonsense, ends its own connection only.
                let _ = converse(stream, calls).await;
                drop(place);
            });
        }
    }))
}

#[cfg(unix)]
fn restrict(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn restrict(_: &Path) -> io::Result<()> {
    Ok(())
}

async fn converse(stream: Stream, calls: mpsc::Sender<Call>) -> io::Result<()> {
    let mut reader = BufReader::new(&stream);
    loop {
        let mut line = Vec::new();
        (&mut reader).take(MAX_LINE).read_until(b'\n', &mut line).await?;
        if line.last() != Some(&b'\n') {
            return Ok(());
        }
        let Ok(request) = serde_json::from_slice(&line) else {
            return put(&stream, &Line::Failure(Failure::new("bad_request", 5))).await;
        };
        let (reply, mut answers) = mpsc::channel(REPLIES);
        if calls.send(Call { request, reply }).await.is_err() {
            return Ok(());
        }
        while let Some(answer) = answers.recv().await {
            let line = answer.map_or_else(Line::Failure, |reply| Line::Reply(Box::new(reply)));
            put(&stream, &line).await?;
        }
        put(&stream, &Line::End).await?;
    }
}

async fn put(mut stream: &Stream, line: &Line) -> io::Result<()> {
    let mut bytes = serde_json::to_vec(line)?;
    bytes.push(b'\n');
    stream.write_all(&bytes).await
}
