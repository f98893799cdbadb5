//! Real libp2p nodes on loopback.

mod raw;

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
    let listen = Listen::At(vec!["/ip4/127.0.0.1/tcp/0".parse().unwrap()]);
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
        loop {
            match self.next().await {
                Event::Frame(_, frame) => return frame,
                Event::Room(_) => {}
                event => panic!("{event:?}"),
            }
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

/// Two that have shown one another what they are.
async fn proven(limits: Limits) -> (Node, Conn, Node, Conn) {
    let (mut a, mut b) = (node(limits).await, node(limits).await);
    a.net.dial(b.address.clone());
    let (at_a, at_b) = (a.connected().await, b.connected().await);
    a.net.trust(at_a);
    b.net.trust(at_b);
    (a, at_a, b, at_b)
}

#[tokio::test]
async fn frames_of_every_size_cross_in_order() {
    let (mut a, at_a, mut b, at_b) = proven(Limits::default()).await;
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
    for _ in 0..3 {
        a.net.send(at_a, vec![0; 7 * 1024]).unwrap();
    }
    for _ in 0..2 {
        assert_eq!(b.frame().await.len(), 7 * 1024, "18 KiB are allowed");
    }
    b.closed().await;
    let (_a, _, mut b, _) = pair(hasty()).await;
    b.closed().await;
}

fn hasty() -> Limits {
    Limits { stranger_time: Duration::from_millis(1500), ..Limits::default() }
}

#[tokio::test]
async fn who_has_proven_itself_is_not_cut_off() {
    let (a, at_a, mut b, _) = proven(hasty()).await;
    tokio::time::sleep(hasty().stranger_time * 2).await;
    for _ in 0..20 {
        a.net.send(at_a, vec![0; 9 * 1024]).unwrap();
    }
    for _ in 0..20 {
        assert_eq!(b.frame().await.len(), 9 * 1024);
    }
}

#[tokio::test]
async fn a_dialled_liar_is_cut_off_like_any_stranger() {
    // Whoever took over an address that a member told once: floods, or says nothing.
    let (mut a, at_a, b, at_b) = pair(Limits::default()).await;
    b.net.trust(at_b);
    for _ in 0..4 {
        b.net.send(at_b, vec![0; 12 * 1024]).unwrap();
    }
    while let Event::Frame(..) = a.next().await {}
    let (mut a, b) = (node(hasty()).await, node(Limits::default()).await);
    a.net.dial(b.address.clone());
    a.connected().await;
    a.closed().await;
    let _ = at_a;
}

#[tokio::test]
async fn room_is_reported_for_what_has_left() {
    let (mut a, at_a, mut b, _) = proven(Limits::default()).await;
    for _ in 0..100 {
        a.net.send(at_a, vec![1; 1024]).unwrap();
    }
    for _ in 0..100 {
        b.frame().await;
    }
    assert!(matches!(a.next().await, Event::Room(conn) if conn == at_a));
    for _ in 0..28 {
        a.net.send(at_a, vec![1; 1024]).unwrap();
    }
    assert!(matches!(a.next().await, Event::Room(conn) if conn == at_a), "two times 64 KiB");
}

/// Carries bytes between a caller and an address until the cable is cut: then nothing, not even an end.
async fn cable(to: Multiaddr) -> (Multiaddr, tokio::sync::watch::Sender<bool>) {
    let port = |address: &Multiaddr| address.to_string().rsplit('/').next().unwrap().to_owned();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("/ip4/127.0.0.1/tcp/{}", listener.local_addr().unwrap().port()).parse().unwrap();
    let (cut, cable) = tokio::sync::watch::channel(false);
    let to = format!("127.0.0.1:{}", port(&to));
    tokio::spawn(async move {
        let (mut near, _) = listener.accept().await.unwrap();
        let mut far = tokio::net::TcpStream::connect(to).await.unwrap();
        let mut cable = cable;
        tokio::select! {
            _ = tokio::io::copy_bidirectional(&mut near, &mut far) => return,
            _ = cable.wait_for(|cut| *cut) => {}
        }
        std::future::pending::<()>().await;
    });
    (address, cut)
}

fn impatient() -> Limits {
    let (first, longest) = (Duration::from_millis(500), Duration::from_millis(700));
    Limits { keep_alive: (first, longest), answer_time: Duration::from_secs(1), ..Limits::default() }
}

fn patient() -> Limits {
    Limits { answer_time: Duration::from_millis(500), ..Limits::default() }
}

#[tokio::test]
async fn a_dialled_node_finds_out_by_itself_that_the_line_is_dead() {
    let (mut a, mut b) = (node(patient()).await, node(impatient()).await);
    let (address, cut) = cable(b.address.clone()).await;
    a.net.dial(address);
    let (at_a, at_b) = (a.connected().await, b.connected().await);
    a.net.trust(at_a);
    b.net.trust(at_b);
    cut.send(true).unwrap();
    b.closed().await;
}

#[tokio::test]
async fn a_quiet_line_lives_and_a_cut_one_is_found_dead_by_both() {
    // Only the dialler is impatient: it lives on the other's answers.
    let (mut a, mut b) = (node(impatient()).await, node(patient()).await);
    let (address, cut) = cable(b.address.clone()).await;
    a.net.dial(address);
    let (at_a, at_b) = (a.connected().await, b.connected().await);
    a.net.trust(at_a);
    b.net.trust(at_b);
    tokio::time::sleep(Duration::from_secs(4)).await;
    a.net.send(at_a, vec![1]).unwrap();
    assert_eq!(b.frame().await, [1], "signs of life kept the quiet line");
    cut.send(true).unwrap();
    a.closed().await;
    // The other side is in no hurry: it finds out when it doubts.
    b.net.doubt(Some(at_b));
    b.closed().await;
}

#[tokio::test]
async fn a_line_in_doubt_is_asked_at_once() {
    let (mut a, mut b) = (node(patient()).await, node(patient()).await);
    let (address, cut) = cable(b.address.clone()).await;
    a.net.dial(address);
    let (at_a, at_b) = (a.connected().await, b.connected().await);
    a.net.trust(at_a);
    b.net.trust(at_b);
    for net in [&a.net, &b.net] {
        net.doubt(None);
    }
    tokio::time::sleep(patient().answer_time * 2).await;
    a.net.send(at_a, vec![1]).unwrap();
    assert_eq!(b.frame().await, [1], "a living line bears doubts");
    cut.send(true).unwrap();
    b.net.doubt(Some(at_b));
    b.closed().await;
    a.net.doubt(None);
    a.closed().await;
}

#[tokio::test]
async fn a_peer_that_does_not_read_fills_its_own_queue_only() {
    let (a, at_a, _b, _) = proven(Limits::default()).await;
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

/// Callers that are hung up on at once, of so many that come from one network.
async fn turned_away(b: &Node, callers: usize) -> usize {
    use tokio::io::AsyncReadExt;
    let port = b.address.to_string().rsplit('/').next().unwrap().to_owned();
    let mut sockets = Vec::new();
    for _ in 0..callers {
        sockets.push(tokio::net::TcpStream::connect(format!("127.0.0.1:{port}")).await.unwrap());
    }
    // Who is let in is waited for.
    let ends = sockets.iter_mut().map(async |socket| {
        timeout(Duration::from_secs(1), socket.read_to_end(&mut Vec::new())).await.is_ok()
    });
    futures::future::join_all(ends).await.into_iter().filter(|ended| *ended).count()
}

#[tokio::test]
async fn one_network_does_not_take_all_places_of_a_real_node() {
    let counted = Limits { loopback_exempt: false, attempt_pause: Duration::ZERO, ..Limits::default() };
    assert_eq!(turned_away(&node(counted).await, 25).await, 9, "16 from one network");
    let paused = Limits { loopback_exempt: false, attempt_pause: SOON, ..Limits::default() };
    assert_eq!(turned_away(&node(paused).await, 5).await, 4, "and one at a time from one address");
    assert_eq!(
        turned_away(&node(Limits::default()).await, 25).await,
        0,
        "programs of this machine are spared"
    );
}

#[tokio::test]
async fn a_thousand_strangers_and_slow_readers_disturb_no_members() {
    let (a, at_a, mut b, _) = proven(Limits::default()).await;
    let port = b.address.to_string().rsplit('/').next().unwrap().to_owned();
    let attack = tokio::spawn(async move {
        let mut slow = std::collections::VecDeque::new();
        for number in 0..1000u32 {
            let Ok(mut socket) = tokio::net::TcpStream::connect(format!("127.0.0.1:{port}")).await else {
                continue;
            };
            // The node may have hung up already: that is what it should do.
            let noise = vec![number as u8; (number % 7) as usize * 1000];
            let _ = AsyncWriteExt::write_all(&mut socket, &noise).await;
            slow.push_back(socket);
            if slow.len() > 200 {
                slow.pop_front();
            }
        }
    });
    let mut sent = 0u32;
    while !attack.is_finished() || sent < 100 {
        a.net.send(at_a, sent.to_be_bytes().to_vec()).unwrap();
        assert_eq!(b.frame().await, sent.to_be_bytes());
        sent += 1;
    }
    attack.await.unwrap();
}

#[tokio::test]
async fn a_node_tells_strangers_neither_its_addresses_nor_what_it_is() {
    use futures::StreamExt;
    use libp2p::{SwarmBuilder, identify, noise, swarm::SwarmEvent, tcp, yamux};
    let b = node(Limits::default()).await;
    let mut prober = SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)
        .unwrap()
        .with_behaviour(|keys| identify::Behaviour::new(identify::Config::new("x".into(), keys.public())))
        .unwrap()
        .build();
    prober.dial(b.address.clone()).unwrap();
    let told = timeout(SOON, async {
        loop {
            if let SwarmEvent::Behaviour(identify::Event::Received { info, .. }) =
                prober.select_next_some().await
            {
                return info;
            }
        }
    });
    let told = told.await.unwrap();
    assert_eq!(told.agent_version, "piquet");
    assert!(told.listen_addrs.is_empty(), "{told:?}");
    let mut protocols: Vec<&str> = told.protocols.iter().map(AsRef::as_ref).collect();
    protocols.sort_unstable();
    assert_eq!(protocols, ["/ipfs/id/1.0.0", "/ipfs/id/push/1.0.0", "/piquet/sync/1"]);
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
