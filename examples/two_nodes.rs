//! Embeds the protocol crate: two nodes in one process, without a network or a disk. Bob comes in by
//! Alice's code, both write, and each reads the other.
//!
//! ```sh
//! cargo run -p piquet-protocol --example two_nodes
//! ```
//!
//! The crate does no input or output: it is told what arrives and what time it is, and says what to
//! send. Here frames are handed over by hand; a program would put them on a connection, keep a store on
//! a disk, and take its randomness from the system.

use std::error::Error;
use std::time::Duration;

use piquet_protocol::group::invite::InviteCode;
use piquet_protocol::group::seal::Suite;
use piquet_protocol::node::{Input, Node, Output};
use piquet_protocol::sim::SeededRng;
use piquet_protocol::store::MemoryStore;
use piquet_protocol::sync::{Connected, ConnectionId};
use piquet_protocol::time::Timestamp;

const ALICE: usize = 0;
const BOB: usize = 1;
const NAMES: [&str; 2] = ["alice", "bob"];
/// Where Alice says that she listens: her code and her group tell it to Bob.
const AT_ALICE: &str = "/ip4/10.0.0.1/tcp/4001";

type Nodes = [Node<MemoryStore>; 2];

fn main() -> Result<(), Box<dyn Error>> {
    let mut now = Timestamp::from_secs(1_800_000_000);
    let node = |seed| Node::open(MemoryStore::new(), Box::new(SeededRng::new(seed)), now);
    let mut nodes = [node(1)?, node(2)?];

    nodes[ALICE].handle(Input::Listening(vec![AT_ALICE.to_owned()]), now)?;
    let group = nodes[ALICE].create_group("couriers", "alice", Suite::Classical, now)?;
    let code = nodes[ALICE].invite(group, 1, now.after(Duration::from_secs(3600)), now)?.code;
    let code = code.ok_or("a new code can be shown")?;
    println!("alice gives bob a code: {code}");

    nodes[BOB].join(InviteCode::parse(&code)?, "bob", now)?;
    pass_frames(&mut nodes, &mut now)?;
    nodes[ALICE].send(group, "Welcome, bob", now)?;
    nodes[BOB].send(group, "Bonjour, alice", now)?;
    pass_frames(&mut nodes, &mut now)?;

    for (node, name) in nodes.iter_mut().zip(NAMES) {
        let messages = node.ask(group, now, |replica, round| replica.messages(None, 10, round));
        let messages = messages.ok_or("in the group by now")??;
        messages.iter().for_each(|message| println!("{name} reads: {}", message.text));
        assert_eq!(messages.len(), 2, "{name} has both");
    }
    Ok(())
}

/// Carries out what the nodes want done, for a minute of their time.
fn pass_frames(nodes: &mut Nodes, now: &mut Timestamp) -> Result<(), Box<dyn Error>> {
    for _ in 0..600 {
        *now = now.after(Duration::from_millis(100));
        for me in [ALICE, BOB] {
            let other = 1 - me;
            nodes[me].handle(Input::Tick, *now)?;
            nodes[me].flush(*now)?;
            while let Some(output) = nodes[me].poll_output() {
                match output {
                    Output::Send(conn, frame) => {
                        nodes[me].handle(Input::Left(conn, frame.len()), *now)?;
                        nodes[other].handle(Input::Frame(conn, frame), *now)?;
                    }
                    Output::Dial(address) if me == BOB && address == AT_ALICE => connect(nodes, *now)?,
                    Output::Dial(address) => nodes[me].handle(Input::DialFailed(address), *now)?,
                    Output::Close(conn) => {
                        nodes[me].handle(Input::Closed(conn), *now)?;
                        nodes[other].handle(Input::Closed(conn), *now)?;
                    }
                    Output::Trust(_) | Output::Doubt(_) | Output::Event(..) | Output::JoinRefused(..) => {}
                }
            }
        }
    }
    Ok(())
}

/// Opens a connection from Bob to Alice: both ends are told, with what names the transport gives them.
fn connect(nodes: &mut Nodes, now: Timestamp) -> Result<(), Box<dyn Error>> {
    let conn = ConnectionId(now.as_millis());
    for (me, dialled) in [(BOB, Some(AT_ALICE.to_owned())), (ALICE, None)] {
        let (local, remote) = (NAMES[me].into(), NAMES[1 - me].into());
        nodes[me].handle(Input::Connected(Connected { conn, dialled, local, remote }), now)?;
    }
    Ok(())
}
