//! Real libp2p nodes on loopback.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use super::*;

const SOON: Duration = Duration::from_secs(20);

struct Node {
    net: Net,
    events: mpsc::Receiver<Event>,
    address: Multiaddr,
}

async fn node(limits: Limits) -> Node {
    let listen = vec!["/ip4/127.0.0.1/tcp/0".parse().unwrap()];
    let (net, mut events) = Net::start(Config { listen, lan: false, limits }).await.unwrap();
    let address = match timeout(SOON, events.recv()).await.unwrap().unwrap() {
        Event::Listening(address) => address,
        event => panic!("{event:?}"),
    };
    Node { net, events, address }
}

impl Node {
    async fn next(&mut self) -> Event {
        timeout(SOON, self.events.recv()).await.expect("an event in time").unwrap()
    }

    async fn connected(&mut self) -> Conn {
        match self.next().await {
            Event::Connected { conn, .. } => conn,
            event => panic!("{event:?}"),
        }
    }

    async fn frame(&mut self) -> Vec<u8> {
        match self.next().await {
            Event::Frame(_, frame) => frame,
            event => panic!("{event:?}"),
        }
    }

    async fn closed(&mut self) {
        match self.next().await {
            Event::Closed(_) => {}
            event => panic!("{event:?}"),
        }
    }
}

async fn pair(limits: Limits) -> (Node, Conn, Node, Conn) {
    let (mut a, mut b) = (node(Limits::default()).await, node(limits).await);
    a.net.dial(b.address.clone());
    let (at_a, at_b) = (a.connected().await, b.connected().await);
    (a, at_a, b, at_b)
}

#[tokio::test]
async fn frames_of_every_size_cross_in_order() {
    let (mut a, at_a, mut b, at_b) = pair(Limits::default()).await;
    b.net.trust(at_b);
    for size in [1, 127, 128, 16_384, MAX] {
        a.net.send(at_a, vec![7; size]).unwrap();
        b.net.send(at_b, vec![8; size]).unwrap();
    }
    for size in [1, 127, 128, 16_384, MAX] {
        assert_eq!(b.frame().await, vec![7; size]);
        assert_eq!(a.frame().await, vec![8; size]);
    }
    a.net.send(at_a, b"last words".to_vec()).unwrap();
    a.net.close(at_a);
    assert_eq!(b.frame().await, b"last words", "what was queued is out before the end");
    b.closed().await;
    a.closed().await;
}

const MAX: usize = piquet_protocol::sync::MAX_FRAME;

#[tokio::test]
async fn a_frame_over_the_limit_ends_the_connection() {
    let (a, at_a, mut b, at_b) = pair(Limits::default()).await;
    b.net.trust(at_b);
    a.net.send(at_a, vec![0; MAX + 1]).unwrap();
    b.closed().await;
}

#[tokio::test]
async fn a_stranger_is_cut_off_by_bytes_and_by_time() {
    let (a, at_a, mut b, _) = pair(Limits::default()).await;
    for _ in 0..2 {
        a.net.send(at_a, vec![0; 12 * 1024]).unwrap();
    }
    assert_eq!(b.frame().await.len(), 12 * 1024, "18 KiB are allowed");
    b.closed().await;
    let (_a, _, mut b, _) =
        pair(Limits { stranger_time: Duration::from_millis(50), ..Limits::default() }).await;
    b.closed().await;
}

#[tokio::test]
async fn who_has_proven_itself_is_not_cut_off() {
    let limits = Limits { stranger_time: Duration::from_millis(300), ..Limits::default() };
    let (a, at_a, mut b, at_b) = pair(limits).await;
    b.net.trust(at_b);
    tokio::time::sleep(limits.stranger_time * 2).await;
    for _ in 0..30 {
        a.net.send(at_a, vec![0; 9 * 1024]).unwrap();
    }
    for _ in 0..30 {
        assert_eq!(b.frame().await.len(), 9 * 1024);
    }
}

#[tokio::test]
async fn a_peer_that_does_not_read_fills_its_own_queue_only() {
    let (a, at_a, _b, at_b) = pair(Limits::default()).await;
    _b.net.trust(at_b);
    let queued = (0..10_000).take_while(|_| a.net.send(at_a, vec![0; MAX]).is_ok()).count();
    assert!(queued < 10_000, "the queue is bounded");
}

#[tokio::test]
async fn strangers_beyond_the_limit_are_refused_and_others_stay() {
    let limits = Limits { strangers: 2, ..Limits::default() };
    let mut b = node(limits).await;
    let mut callers = Vec::new();
    for _ in 0..2 {
        let mut a = node(Limits::default()).await;
        a.net.dial(b.address.clone());
        let conn = a.connected().await;
        b.connected().await;
        callers.push((a, conn));
    }
    let mut late = node(Limits::default()).await;
    late.net.dial(b.address.clone());
    assert!(matches!(late.next().await, Event::DialFailed(_)));
    let (first, conn) = &callers[0];
    first.net.send(*conn, vec![1]).unwrap();
    assert_eq!(b.frame().await, [1]);
}

#[tokio::test]
async fn garbage_and_slow_sockets_on_the_port_disturb_nobody() {
    let (a, at_a, mut b, at_b) = pair(Limits::default()).await;
    b.net.trust(at_b);
    let port = b.address.to_string().rsplit('/').next().unwrap().to_owned();
    let mut slow = Vec::new();
    for number in 0..20u8 {
        let mut socket = tokio::net::TcpStream::connect(format!("127.0.0.1:{port}")).await.unwrap();
        if number % 2 == 0 {
            // The other side may have hung up already: that is what it should do.
            let _ = AsyncWriteExt::write_all(&mut socket, &[number; 4096]).await;
        }
        slow.push(socket);
    }
    a.net.send(at_a, vec![5; 100]).unwrap();
    assert_eq!(b.frame().await, vec![5; 100]);
}

#[tokio::test]
async fn every_start_has_another_peer_id() {
    let (a, b) = (node(Limits::default()).await, node(Limits::default()).await);
    assert_ne!(a.net.peer(), b.net.peer());
}

#[tokio::test]
async fn calling_nobody_and_oneself_fails_quietly() {
    let mut a = node(Limits::default()).await;
    a.net.dial("/ip4/127.0.0.1/tcp/1".parse().unwrap());
    assert!(matches!(a.next().await, Event::DialFailed(_)));
    a.net.dial(a.address.clone());
    assert!(matches!(a.next().await, Event::DialFailed(_)));
}

#[tokio::test]
async fn lengths_have_one_form() {
    for (bytes, length) in
        [(&[0x05][..], Some(5)), (&[0x80, 0x01], Some(128)), (&[0x80, 0x00], None), (&[0xff; 4], None)]
    {
        let mut reader = futures::io::Cursor::new(bytes.to_vec());
        assert_eq!(stream::read_length(&mut reader).await.ok(), length);
    }
}
