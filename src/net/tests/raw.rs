//! Callers who keep to no rule of ours: bare Yamux streams over a real connection.

use std::future::poll_fn;
use std::task::Poll;

use futures::{AsyncReadExt, AsyncWriteExt};
use libp2p::core::muxing::{StreamMuxerBox, StreamMuxerExt, SubstreamBox};
use libp2p::core::transport::{DialOpts, PortUse};
use libp2p::core::upgrade::Version;
use libp2p::core::{Endpoint, Transport};
use libp2p::{PeerId, identity::Keypair, noise, tcp, yamux};

use super::*;

/// What both sides of a stream say first.
const HEADER: &[u8] = b"\x13/multistream/1.0.0\n";
/// A protocol that nobody speaks, and the answer to it.
const NOTHING: &[u8] = b"\x09/nothing\n";
const NO: &[u8] = b"\x03na\n";

async fn call(b: &Node) -> StreamMuxerBox {
    let noise = noise::Config::new(&Keypair::generate_ed25519()).unwrap();
    let transport = tcp::tokio::Transport::default().upgrade(Version::V1Lazy);
    let mut transport = transport.authenticate(noise).multiplex(yamux::Config::default()).boxed();
    let how = DialOpts { role: Endpoint::Dialer, port_use: PortUse::New };
    let dialled: (PeerId, _) = transport.dial(b.address.clone(), how).unwrap().await.unwrap();
    dialled.1
}

/// Opens so many streams, which say nothing of what they are for, and looks after the line from then on.
async fn streams(b: &Node, count: usize) -> Vec<SubstreamBox> {
    let mut line = call(b).await;
    let mut streams = Vec::new();
    for _ in 0..count {
        let mut stream = poll_fn(|cx| line.poll_outbound_unpin(cx)).await.unwrap();
        stream.write_all(HEADER).await.unwrap();
        streams.push(stream);
    }
    tokio::spawn(poll_fn(move |cx| {
        while let Poll::Ready(inbound) = line.poll_inbound_unpin(cx) {
            if inbound.is_err() {
                return Poll::Ready(());
            }
        }
        line.poll_unpin(cx).map(|_| ())
    }));
    streams
}

async fn heard(stream: &mut SubstreamBox, length: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    timeout(SOON, stream.read_exact(&mut bytes)).await.expect("an answer in time").map(|()| bytes)
}

/// Asks for nothing on a stream: once this is answered, the node has seen all that was sent before.
async fn asked(stream: &mut SubstreamBox) -> std::io::Result<Vec<u8>> {
    stream.write_all(NOTHING).await?;
    stream.flush().await?;
    heard(stream, NO.len()).await
}

#[tokio::test]
async fn eight_streams_may_be_undecided_and_the_rest_waits() {
    let b = node(Limits::default()).await;
    let mut streams = streams(&b, 12).await;
    let (first, rest) = streams.split_at_mut(8);
    for stream in first.iter_mut() {
        assert_eq!(heard(stream, HEADER.len()).await.unwrap(), HEADER);
    }
    for stream in first {
        assert_eq!(asked(stream).await.unwrap(), NO);
    }
    for stream in rest {
        let answer = futures::future::poll_immediate(stream.read(&mut [0])).await;
        assert!(answer.is_none(), "a ninth is not even greeted: {answer:?}");
    }
}

#[tokio::test]
async fn a_connection_has_sixteen_streams_and_ends_with_more() {
    let b = node(Limits::default()).await;
    // The node's own question who is calling is one of them.
    let mut few = streams(&b, 15).await;
    assert_eq!(heard(&mut few[0], HEADER.len()).await.unwrap(), HEADER);
    assert_eq!(asked(&mut few[0]).await.unwrap(), NO);
    let mut many = streams(&b, 17).await;
    let answered = async {
        heard(&mut many[0], HEADER.len()).await?;
        asked(&mut many[0]).await
    };
    assert!(answered.await.is_err(), "hung up on");
    assert_eq!(asked(&mut few[0]).await.unwrap(), NO, "others are not disturbed");
}
