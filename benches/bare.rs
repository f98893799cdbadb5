//! What a message can't do without: a libp2p stream between two processes, one durable write.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use futures::future::poll_fn;
use futures::io::{AsyncReadExt, AsyncWriteExt};
use libp2p::core::Transport;
use libp2p::core::muxing::{StreamMuxerBox, StreamMuxerExt, SubstreamBox};
use libp2p::core::transport::{Boxed, DialOpts, ListenerId, PortUse, TransportEvent};
use libp2p::core::{Endpoint, upgrade::Version};
use libp2p::{Multiaddr, PeerId, identity, noise, tcp, yamux};

/// The argument by which this program is the other end of a stream.
pub(crate) const ECHO: &str = "echo";

type Muxed = (PeerId, StreamMuxerBox);

fn transport() -> Boxed<Muxed> {
    let key = identity::Keypair::generate_ed25519();
    tcp::tokio::Transport::new(tcp::Config::default().nodelay(true))
        .upgrade(Version::V1)
        .authenticate(noise::Config::new(&key).unwrap())
        .multiplex(yamux::Config::default())
        .boxed()
}

/// Keeps a connection going beside the use of its streams.
fn drive(mut muxer: StreamMuxerBox) {
    tokio::spawn(poll_fn(move |cx| {
        while let std::task::Poll::Ready(event) = muxer.poll_unpin(cx) {
            if event.is_err() {
                return std::task::Poll::Ready(());
            }
        }
        muxer.poll_inbound_unpin(cx).map(|_| ())
    }));
}

/// The other end: tells its address, and sends back what it gets until the stream ends.
pub(crate) fn echo() {
    runtime().block_on(async {
        let mut transport = transport();
        transport.listen_on(ListenerId::next(), "/ip4/127.0.0.1/tcp/0".parse().unwrap()).unwrap();
        let mut muxer = loop {
            match poll_fn(|cx| std::pin::Pin::new(&mut transport).poll(cx)).await {
                TransportEvent::NewAddress { listen_addr, .. } => println!("{listen_addr}"),
                TransportEvent::Incoming { upgrade, .. } => break upgrade.await.unwrap().1,
                _ => {}
            }
        };
        let mut stream = poll_fn(|cx| {
            // Polling for streams reads from the connection.
            muxer.poll_inbound_unpin(cx)
        })
        .await
        .unwrap();
        drive(muxer);
        let mut size = [0; 4];
        stream.read_exact(&mut size).await.unwrap();
        let mut bytes = vec![0; u32::from_be_bytes(size) as usize];
        while stream.read_exact(&mut bytes).await.is_ok() {
            stream.write_all(&bytes).await.unwrap();
            stream.flush().await.unwrap();
        }
    });
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// A stream to another process.
pub(crate) struct Stream {
    runtime: tokio::runtime::Runtime,
    stream: SubstreamBox,
    message: Vec<u8>,
    other: Child,
}

impl Stream {
    /// For messages of `size` bytes.
    pub(crate) fn open(size: usize) -> Self {
        let mut other = Command::new(std::env::current_exe().unwrap());
        let mut other = other.arg(ECHO).stdout(Stdio::piped()).stdin(Stdio::null()).spawn().unwrap();
        let mut address = String::new();
        BufReader::new(other.stdout.take().unwrap()).read_line(&mut address).unwrap();
        let address: Multiaddr = address.trim().parse().unwrap();
        let runtime = runtime();
        let stream = runtime.block_on(async {
            let options = DialOpts { role: Endpoint::Dialer, port_use: PortUse::New };
            let (_, mut muxer) = transport().dial(address, options).unwrap().await.unwrap();
            let mut stream = poll_fn(|cx| muxer.poll_outbound_unpin(cx)).await.unwrap();
            drive(muxer);
            stream.write_all(&u32::try_from(size).unwrap().to_be_bytes()).await.unwrap();
            stream
        });
        Self { runtime, stream, message: vec![7; size], other }
    }

    /// One message there and back.
    pub(crate) fn round_trip(&mut self) -> Duration {
        let (stream, message) = (&mut self.stream, &mut self.message);
        self.runtime.block_on(async {
            // On a worker, where the node's tasks run too.
            let start = Instant::now();
            stream.write_all(message).await.unwrap();
            stream.flush().await.unwrap();
            stream.read_exact(message).await.unwrap();
            start.elapsed()
        })
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let _ = self.other.kill();
        let _ = self.other.wait();
    }
}

/// A file that is appended to.
pub(crate) struct Journal(File);

impl Journal {
    pub(crate) fn in_folder(folder: &Path) -> Self {
        Self(File::create(folder.join("journal")).unwrap())
    }

    /// One write that has reached the disk.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).unwrap();
        self.0.sync_data().unwrap();
    }
}
