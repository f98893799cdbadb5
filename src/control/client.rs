//! The front ends' side, blocking.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

use interprocess::local_socket::Stream;
use interprocess::local_socket::traits::Stream as _;

use super::{Failure, Line, MAX_LINE, Reply, Request, socket};

/// A connection to a running daemon.
pub struct Client {
    stream: BufReader<Stream>,
}

impl Client {
    /// Connects to the daemon of a profile, if one runs.
    pub fn connect(home: &Path) -> Option<Self> {
        let path = socket::path(home).ok()?;
        let stream = Stream::connect(socket::name(&path).ok()?).ok()?;
        Some(Self { stream: BufReader::new(stream) })
    }

    /// Asks, and hands each answer to `take` as it comes; `take` says whether to go on.
    ///
    /// # Errors
    /// A connection that broke.
    pub fn call(
        &mut self,
        request: &Request,
        mut take: impl FnMut(Result<Reply, Failure>) -> bool,
    ) -> io::Result<()> {
        let mut line = serde_json::to_vec(request)?;
        line.push(b'\n');
        self.stream.get_mut().write_all(&line)?;
        loop {
            let mut line = Vec::new();
            (&mut self.stream).take(MAX_LINE).read_until(b'\n', &mut line)?;
            let answer = match serde_json::from_slice(&line)? {
                Line::Reply(reply) => Ok(*reply),
                Line::Failure(failure) => Err(failure),
                Line::End => return Ok(()),
            };
            if !take(answer) {
                return Ok(());
            }
        }
    }
}
