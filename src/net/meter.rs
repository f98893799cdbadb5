//! Sockets with a stranger's allowance: what can ever be read of someone who has not proven himself
//! is bounded in bytes and time below every other layer, whatever he makes of the handshakes and
//! streams above.

use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll, ready};

use futures::io::{AsyncRead, AsyncWrite};
use libp2p::Multiaddr;
use tokio::time::{Instant, Sleep, sleep_until};

use super::Limits;

/// Whether the other end of a socket has proven itself.
#[derive(Debug, Default)]
struct Standing(AtomicBool);

/// All open sockets, by the address of the other end.
#[derive(Clone, Debug, Default)]
pub(super) struct Meters(Arc<Mutex<BTreeMap<Multiaddr, Vec<Weak<Standing>>>>>);

impl Meters {
    /// Puts a stranger's allowance on a socket.
    pub(super) fn on<S>(&self, address: Multiaddr, socket: S, limits: &Limits) -> Metered<S> {
        let standing = Arc::new(Standing::default());
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, sockets| {
            sockets.retain(|socket| socket.strong_count() > 0);
            !sockets.is_empty()
        });
        open.entry(address).or_default().push(Arc::downgrade(&standing));
        let ends = Box::pin(sleep_until(Instant::now() + limits.stranger_time));
        Metered { socket, standing, left: limits.stranger_socket_bytes, ends: Some(ends) }
    }

    /// Lifts the allowance of the sockets to an address.
    pub(super) fn trust(&self, address: &Multiaddr) {
        let open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for standing in open.get(address).into_iter().flatten().filter_map(Weak::upgrade) {
            standing.0.store(true, Ordering::Relaxed);
        }
    }
}

/// A socket that ends when its stranger's bytes or time are used up.
pub(super) struct Metered<S> {
    socket: S,
    standing: Arc<Standing>,
    left: usize,
    ends: Option<Pin<Box<Sleep>>>,
}

impl<S> Metered<S> {
    fn is_stranger(&self) -> bool {
        !self.standing.0.load(Ordering::Relaxed)
    }

    /// An error once a stranger's time is over; arranges for being woken then.
    fn check_time(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let Some(ends) = &mut self.ends else { return Ok(()) };
        if ends.as_mut().poll(cx).is_pending() {
            return Ok(());
        }
        self.ends = None;
        if self.is_stranger() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(()) }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        self.check_time(cx)?;
        let stranger = self.is_stranger();
        let allowed = if stranger { buf.len().min(self.left) } else { buf.len() };
        if stranger && allowed == 0 && !buf.is_empty() {
            return Poll::Ready(Err(io::ErrorKind::QuotaExceeded.into()));
        }
        let part = buf.get_mut(..allowed).unwrap_or_default();
        let read = ready!(Pin::new(&mut self.socket).poll_read(cx, part))?;
        self.left = self.left.saturating_sub(read);
        Poll::Ready(Ok(read))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.check_time(cx)?;
        Pin::new(&mut self.socket).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check_time(cx)?;
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check_time(cx)?;
        Pin::new(&mut self.socket).poll_close(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::AsyncReadExt;
    use futures::io::Cursor;

    use super::*;

    /// Says nothing and ends never.
    struct Silence;

    impl AsyncRead for Silence {
        fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut [u8]) -> Poll<io::Result<usize>> {
            Poll::Pending
        }
    }

    fn address() -> Multiaddr {
        "/ip4/192.0.2.1/tcp/1".parse().unwrap()
    }

    fn limits() -> Limits {
        Limits { stranger_socket_bytes: 1000, stranger_time: Duration::from_millis(20), ..Limits::default() }
    }

    #[tokio::test]
    async fn a_stranger_is_read_up_to_his_allowance_and_no_byte_further() {
        let mut socket = Meters::default().on(address(), Cursor::new(vec![1; 5000]), &limits());
        let mut got = Vec::new();
        let end = socket.read_to_end(&mut got).await.unwrap_err();
        assert_eq!((got.len(), end.kind()), (1000, io::ErrorKind::QuotaExceeded));
    }

    #[tokio::test]
    async fn a_silent_stranger_is_not_waited_for() {
        let mut socket = Meters::default().on(address(), Silence, &limits());
        let end = socket.read(&mut [0]).await.unwrap_err();
        assert_eq!(end.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn whoever_has_proven_himself_has_no_allowance() {
        let meters = Meters::default();
        let mut socket = meters.on(address(), Cursor::new(vec![1; 5000]), &limits());
        let mut quiet = meters.on(address(), Silence, &limits());
        let mut other = meters.on("/ip4/192.0.2.2/tcp/1".parse().unwrap(), Silence, &limits());
        meters.trust(&address());
        assert_eq!(other.read(&mut [0]).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        let mut got = Vec::new();
        socket.read_to_end(&mut got).await.unwrap();
        assert_eq!(got.len(), 5000);
        let still = tokio::time::timeout(limits().stranger_time * 3, quiet.read(&mut [0])).await;
        assert!(still.is_err(), "it is still waited for");
    }

    #[tokio::test]
    async fn closed_sockets_are_forgotten() {
        let meters = Meters::default();
        for port in 0..100 {
            let address = format!("/ip4/192.0.2.1/tcp/{port}").parse().unwrap();
            drop(meters.on(address, Silence, &limits()));
        }
        assert!(meters.0.lock().unwrap().len() <= 1);
    }
}
