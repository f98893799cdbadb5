//! Two nodes in one process, without a network or a disk: Bob comes in by Alice's code, and reads
//! what she says. Frames are handed over by hand.

use std::time::Duration;

use piquet_protocol::group::invite::InviteCode;
use piquet_protocol::group::seal::Suite;
use piquet_protocol::node::{Input, Node, Output};
use piquet_protocol::sim::SeededRng;
use piquet_protocol::store::MemoryStore;
use piquet_protocol::sync::{Connected, ConnectionId};
use piquet_protocol::time::Timestamp;

const ALICE: &str = "/ip4/10.0.0.1/tcp/4001";

/// Hands frames over until nothing is left to say for a simulated minute.
fn talk(nodes: &mut [Node<MemoryStore>; 2], now: &mut Timestamp) -> Result<(), Box<dyn std::error::Error>> {
    let mut conn = now.as_millis();
    for _ in 0..6000 {
        *now = now.after(Duration::from_millis(10));
        for from in 0..2 {
            nodes[from].handle(Input::Tick, *now)?;
            nodes[from].flush(*now)?;
            while let Some(output) = nodes[from].poll_output() {
                let to = 1 - from;
                match output {
                    Output::Send(conn, frame) => {
                        nodes[from].handle(Input::Left(conn, frame.len()), *now)?;
                        nodes[to].handle(Input::Frame(conn, frame), *now)?;
                    }
                    Output::Close(conn) => {
                        nodes[from].handle(Input::Closed(conn), *now)?;
                        nodes[to].handle(Input::Closed(conn), *now)?;
                    }
                    Output::Dial(address) if address == ALICE && from == 1 => {
                        conn += 1;
                        for (node, dialled) in [(1, Some(address)), (0, None)] {
                            let (local, remote) = (vec![node as u8], vec![1 - node as u8]);
                            let conn = ConnectionId(conn);
                            nodes[node]
                                .handle(Input::Connected(Connected { conn, dialled, local, remote }), *now)?;
                        }
                    }
                    Output::Dial(address) => nodes[from].handle(Input::DialFailed(address), *now)?,
                    Output::Trust(_) | Output::Doubt(_) | Output::Event(..) | Output::JoinRefused(..) => {}
                }
            }
        }
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut now = Timestamp::from_secs(1_800_000_000);
    let node = |seed| Node::open(MemoryStore::new(), Box::new(SeededRng::new(seed)), now);
    let mut nodes = [node(1)?, node(2)?];
    nodes[0].handle(Input::Listening(vec![ALICE.to_owned()]), now)?;
    let group = nodes[0].create_group("picket", "alice", Suite::Classical, now)?;
    let code = nodes[0].invite(group, 1, now.after(Duration::from_secs(3600)), now)?.code.ok_or("no code")?;
    println!("alice's code: {code}");
    nodes[1].join(InviteCode::parse(&code)?, "bob", now)?;
    talk(&mut nodes, &mut now)?;
    nodes[0].send(group, "Bonjour, bob", now)?;
    talk(&mut nodes, &mut now)?;
    let read = nodes[1]
        .ask(group, now, |replica, round| replica.messages(None, 10, round))
        .ok_or("bob is not in")??;
    for message in &read {
        println!("bob reads: {}", message.text);
    }
    if read.len() == 1 { Ok(()) } else { Err("bob read nothing".into()) }
}
