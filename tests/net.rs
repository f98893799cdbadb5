//! Stories of real nodes on real networks: found again, cut off, besieged.

use crate::laptop::{Laptop, until};

fn peers(laptop: &Laptop) -> u64 {
    laptop.one(&["status"])["groups"][0]["peers"].as_u64().unwrap()
}

fn listen(laptop: &Laptop) -> String {
    laptop.one(&["status"])["listen"][0].as_str().unwrap().to_owned()
}

#[test]
fn all_have_moved_but_one_and_through_that_one_they_find_each_other() {
    let mut laptops = ["alice", "bob", "carla"].map(Laptop::of);
    laptops.iter_mut().for_each(Laptop::up);
    laptops[0].one(&["group", "create", "picket"]);
    for number in [1, 2] {
        let code = laptops[0].invite("picket");
        laptops[number].one(&["join", &code]);
    }
    until("everybody knows everybody", || laptops.iter().all(|laptop| peers(laptop) == 2));
    let stays = listen(&laptops[2]);
    laptops.iter_mut().for_each(Laptop::kill);
    let [alice, bob, carla] = &mut laptops;
    // Alice and Bob are where nobody was told; Carla, who let nobody in, is where she was.
    alice.up();
    bob.up();
    carla.up_at(&stays);
    until("alice and bob have met", || peers(alice) == 2 && peers(bob) == 2);
    carla.kill();
    alice.one(&["send", "picket", "without carla"]);
    until("bob reads it", || bob.texts("picket") == ["without carla"]);
}

#[cfg(target_os = "linux")]
mod lan {
    use std::io::{Read, Write};
    use std::net::{SocketAddr, TcpStream};
    use std::time::{Duration, Instant};

    use piquet_protocol::group::invite::{Hint, InviteCode};
    use piquet_protocol::sync::Message;

    use super::*;
    use crate::lan::Lan;
    use crate::laptop::SOON;

    const ANYWHERE: [&str; 2] = ["--listen", "/ip4/0.0.0.0/tcp/0"];

    fn laptop(lan: &mut Lan, name: &str) -> Laptop {
        let (_, within) = lan.plug();
        let laptop = Laptop::within(&within);
        let made = laptop.run(&["init", "--no-passphrase", "--name", name]);
        assert!(made.status.success(), "{made:?}");
        laptop
    }

    /// Alice's group with Bob in it, both on one switch.
    fn picket(lan: &mut Lan) -> (Laptop, Laptop) {
        let (mut alice, mut bob) = (laptop(lan, "alice"), laptop(lan, "bob"));
        alice.up_with(&ANYWHERE);
        bob.up_with(&ANYWHERE);
        alice.one(&["group", "create", "picket"]);
        bob.one(&["join", &alice.invite("picket")]);
        until("they talk", || peers(&alice) == 1 && peers(&bob) == 1);
        (alice, bob)
    }

    fn port(laptop: &Laptop) -> u16 {
        listen(laptop).rsplit('/').next().unwrap().parse().unwrap()
    }

    /// Whether a process has a socket at the port of mDNS.
    fn hears_mdns(laptop: &Laptop) -> bool {
        let sockets = std::fs::read_to_string(format!("/proc/{}/net/udp", laptop.pid())).unwrap();
        sockets.lines().any(|line| line.split_whitespace().nth(1).is_some_and(|at| at.ends_with(":14E9")))
    }

    #[test]
    fn on_one_lan_nodes_find_each_other_though_no_told_address_is_true() {
        let Some(mut lan) = Lan::new("on_one_lan_nodes_find_each_other") else { return };
        let (mut alice, mut bob) = picket(&mut lan);
        assert!(!hears_mdns(&alice), "nothing is announced unless asked for");
        alice.kill();
        bob.kill();
        // Other ports, and other addresses: what they told each other leads nowhere.
        for (station, number) in [(0, 101), (1, 102)] {
            lan.address_of(station, "del", &format!("{}/24", Lan::address(station)));
            lan.address_of(station, "add", &format!("10.77.0.{number}/24"));
        }
        alice.up_with(&[ANYWHERE[0], ANYWHERE[1], "--lan"]);
        bob.up_with(&[ANYWHERE[0], ANYWHERE[1], "--lan"]);
        until("alice listens for others", || hears_mdns(&alice));
        until("they find each other", || peers(&alice) == 1 && peers(&bob) == 1);
        alice.one(&["send", "picket", "found you"]);
        until("bob reads it", || bob.texts("picket") == ["found you"]);
    }

    #[test]
    fn who_was_off_is_found_where_it_was_and_yesterdays_code_still_leads_there() {
        let Some(mut lan) = Lan::new("who_was_off_is_found_where_it_was") else { return };
        let [mut alice, mut bob, mut carla] = ["alice", "bob", "carla"].map(|name| laptop(&mut lan, name));
        alice.up_with(&[]);
        bob.up_with(&[]);
        alice.one(&["group", "create", "picket"]);
        bob.one(&["join", &alice.invite("picket")]);
        let on_paper = alice.invite("picket");
        until("they talk", || peers(&alice) == 1 && peers(&bob) == 1);
        alice.kill();
        bob.kill();
        alice.up_with(&[]);
        bob.up_with(&[]);
        carla.up_with(&[]);
        until("they talk again", || peers(&alice) == 1 && peers(&bob) == 1);
        assert_eq!(carla.one(&["join", &on_paper])["state"], "joined");
        // Where something else has taken the port, another one does.
        let before = port(&alice);
        alice.kill();
        let taken = lan.at(0, || std::net::TcpListener::bind(("0.0.0.0", before)).unwrap());
        alice.up_with(&[]);
        assert_ne!(port(&alice), before);
        until("she calls the others", || peers(&alice) > 0);
        drop(taken);
    }

    #[test]
    fn a_cut_cable_delays_and_loses_nothing() {
        let Some(mut lan) = Lan::new("a_cut_cable") else { return };
        let (alice, bob) = picket(&mut lan);
        lan.cable(1, false);
        for number in 0..3 {
            alice.one(&["send", "picket", &format!("from alice {number}")]);
            bob.one(&["send", "picket", &format!("from bob {number}")]);
        }
        assert_eq!((alice.texts("picket").len(), bob.texts("picket").len()), (3, 3));
        lan.cable(1, true);
        until("both have all", || alice.texts("picket").len() == 6 && bob.texts("picket").len() == 6);
        let delivered = |laptop: &Laptop| {
            let all = laptop.json(&["read", "picket"]);
            all.iter().filter(|message| message["state"] == "delivered").count() == 3
        };
        until("and know it", || delivered(&alice) && delivered(&bob));
    }

    #[test]
    fn who_moves_to_another_address_calls_again() {
        let Some(mut lan) = Lan::new("who_moves_to_another_address") else { return };
        let (alice, bob) = picket(&mut lan);
        lan.address_of(1, "del", &format!("{}/24", Lan::address(1)));
        lan.address_of(1, "add", "10.77.0.102/24");
        bob.one(&["send", "picket", "on the move"]);
        until("alice reads it", || alice.texts("picket") == ["on the move"]);
        let told = |address: &serde_json::Value| address.as_str().unwrap().starts_with("/ip4/10.77.0.102/");
        until("bob knows where he is", || {
            let status = bob.one(&["status"]);
            let listen = status["listen"].as_array().unwrap();
            listen.iter().any(told) && !listen.iter().any(|a| a.as_str().unwrap().contains("10.77.0.2/"))
        });
        alice.one(&["send", "picket", "good"]);
        until("bob reads it", || bob.texts("picket").len() == 2);
    }

    /// How often all threads of a process have gone to sleep, and so woken up, so far.
    fn switches(pid: u32) -> u64 {
        let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
        let of = |task: std::fs::DirEntry| {
            let status = std::fs::read_to_string(task.path().join("status")).unwrap_or_default();
            let line =
                status.lines().find(|line| line.starts_with("voluntary_ctxt_switches:")).map(str::to_owned);
            line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).unwrap_or(0)
        };
        tasks.map(|task| of(task.unwrap())).sum()
    }

    #[test]
    fn a_node_at_rest_sleeps() {
        let mut alice = Laptop::of("alice");
        alice.up();
        alice.one(&["group", "create", "picket"]);
        let mut before = switches(alice.pid());
        // What is still to be done right after a command is done; then a while without any.
        until("it rests", || {
            std::thread::sleep(Duration::from_secs(5));
            let woken = switches(alice.pid()) - std::mem::replace(&mut before, switches(alice.pid()));
            woken <= 2
        });
    }

    /// Connects from an address of this namespace.
    fn connect(from: &str, to: SocketAddr) -> std::io::Result<TcpStream> {
        use rustix::net::{AddressFamily, SocketType, bind, connect, socket};
        let socket = socket(AddressFamily::INET, SocketType::STREAM, None)?;
        bind(&socket, &SocketAddr::new(from.parse().unwrap(), 0))?;
        connect(&socket, &to)?;
        Ok(TcpStream::from(socket))
    }

    /// Whether the other side has hung up.
    fn is_closed(socket: &mut TcpStream) -> bool {
        socket.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
        let mut buffer = [0; 512];
        loop {
            match socket.read(&mut buffer) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => return error.kind() != std::io::ErrorKind::WouldBlock,
            }
        }
    }

    /// How many of these the other side has left open, once it has come to no more than `most`: well
    /// before a stranger's ten seconds are over, which would close them all.
    fn settle_at_most(sockets: &mut [TcpStream], most: usize) -> usize {
        let end = Instant::now() + Duration::from_secs(8);
        loop {
            let open = sockets.iter_mut().filter_map(|socket| (!is_closed(socket)).then_some(())).count();
            if open <= most || Instant::now() >= end {
                return open;
            }
        }
    }

    #[test]
    fn strangers_by_the_thousand_disturb_no_members_and_fill_no_places() {
        let Some(mut lan) = Lan::new("strangers_by_the_thousand") else { return };
        let (alice, bob) = picket(&mut lan);
        let (siege, _) = lan.plug();
        for (net, host) in (20..40).map(|host| (77, host)).chain((1..26).map(|host| (78, host))) {
            lan.address_of(siege, "add", &format!("10.{net}.0.{host}/24"));
        }
        lan.address_of(0, "add", "10.78.0.100/24");
        let at: [SocketAddr; 2] =
            ["10.77.0.1", "10.78.0.100"].map(|ip| SocketAddr::new(ip.parse().unwrap(), port(&alice)));
        let done = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            let (lan, done) = (&lan, &done);
            let besieger = scope.spawn(move || {
                lan.at(siege, || {
                    let mut slow = Vec::new();
                    for number in 0..3000u32 {
                        let from = format!("10.77.0.{}", 20 + number % 20);
                        let Ok(mut socket) = connect(&from, at[0]) else { continue };
                        // Garbage, or one byte and then silence; the node may hang up in the middle.
                        let length = if number % 3 == 0 { 1 } else { number % 4000 };
                        let _ = socket.write_all(&vec![number as u8; length as usize]);
                        if number % 3 == 0 {
                            slow.push(socket);
                        }
                    }
                    let open = settle_at_most(&mut slow, 16);
                    done.store(true, std::sync::atomic::Ordering::Relaxed);
                    open
                })
            });
            let mut sent = 0;
            while !done.load(std::sync::atomic::Ordering::Relaxed) || sent < 5 {
                bob.one(&["send", "picket", &format!("m{sent}")]);
                sent += 1;
                until("alice reads on", || alice.texts("picket").len() == sent);
            }
            let open = besieger.join().unwrap();
            assert!(open <= 16, "{open} strangers of one network have a place");
        });
        // Another network still gets in, up to its own bound.
        let open = lan.at(siege, || {
            let mut sockets: Vec<_> =
                (1..26).filter_map(|host| connect(&format!("10.78.0.{host}"), at[1]).ok()).collect();
            settle_at_most(&mut sockets, 16)
        });
        assert_eq!(open, 16);
        assert_eq!(peers(&alice), 1, "nobody was put out");
    }

    /// Makes a laptop's system one that names this resolver, or none.
    fn resolver(laptop: &mut Laptop, line: &str) {
        let conf = laptop.folder.path().join("resolv.conf");
        std::fs::write(&conf, line).unwrap();
        let mount = format!("mount --bind {} /etc/resolv.conf && exec \"$0\" \"$@\"", conf.display());
        laptop.within.extend(["sh", "-c", &mount].map(str::to_owned));
    }

    #[test]
    fn without_a_resolver_addresses_work_and_no_stranger_is_asked_for_names() {
        let Some(mut lan) = Lan::new("without_a_resolver") else { return };
        let [mut alice, mut bob, mut carla] = ["alice", "bob", "carla"].map(|name| laptop(&mut lan, name));
        let (anybody, _) = lan.plug();
        lan.answers_for_the_world(anybody);
        let asked = lan.at(anybody, || std::net::UdpSocket::bind("0.0.0.0:53").unwrap());
        asked.set_nonblocking(true).unwrap();
        resolver(&mut bob, "");
        resolver(&mut carla, "nameserver 192.0.2.53");
        for laptop in [&mut alice, &mut bob, &mut carla] {
            laptop.up_with(&ANYWHERE);
        }
        alice.one(&["group", "create", "picket"]);
        let code = || {
            let mut code = InviteCode::parse(&alice.invite("picket")).unwrap();
            code.hints.push(Hint::Name("picket.example".to_owned(), 4001));
            code.to_text()
        };
        bob.one(&["join", &code()]);
        until("they talk", || peers(&alice) == 1 && peers(&bob) == 1);
        assert!(asked.recv(&mut [0; 512]).is_err(), "bob has asked somebody nobody told him of");
        carla.one(&["join", &code()]);
        until("whoever has a resolver asks it", || asked.recv(&mut [0; 512]).is_ok());
    }

    fn resident(pid: u32) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    #[test]
    fn sixty_four_strangers_that_send_all_they_may_cost_little_memory() {
        let Some(mut lan) = Lan::new("sixty_four_strangers") else { return };
        let (alice, _bob) = picket(&mut lan);
        let (siege, _) = lan.plug();
        // One from each address, for a stranger has one attempt a second.
        for stranger in 0..64 {
            let net = format!("10.81.{stranger}");
            lan.address_of(siege, "add", &format!("{net}.1/24"));
            lan.address_of(0, "add", &format!("{net}.100/24"));
        }
        let port = port(&alice);
        let (pid, before) = (alice.pid(), resident(alice.pid()));
        let during = lan.at(siege, || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(strangers(port, || resident(pid)))
        });
        let each = during.saturating_sub(before) / 64;
        writeln!(
            std::io::stderr(),
            "64 strangers: {before} KiB before, {during} KiB with them, {each} KiB each"
        )
        .unwrap();
        assert!(each < 160, "{each} KiB a stranger");
    }

    /// 64 strangers with real handshakes who send as much as they may; what is measured while they stay.
    async fn strangers(port: u16, measure: impl Fn() -> u64) -> u64 {
        use piquet::net::{Config, Event, Limits, Listen, Net};
        let mut there = Vec::new();
        for number in 0..64 {
            let config = Config { listen: Listen::At(vec![]), lan: false, limits: Limits::default() };
            let (net, mut events) = Net::start(config).await.unwrap();
            net.dial(format!("/ip4/10.81.{number}.100/tcp/{port}").parse().unwrap());
            let event = tokio::time::timeout(SOON, events.recv()).await.unwrap();
            let Some(Event::Connected { conn, .. }) = event else { panic!("{number}: {event:?}") };
            net.send(conn, Message::Hello { nonce: [1; 32] }.encode()).unwrap();
            net.send(conn, Message::Slots(vec![[1; 128]; 128]).encode()).unwrap();
            there.push((net, events));
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        measure()
    }
}
