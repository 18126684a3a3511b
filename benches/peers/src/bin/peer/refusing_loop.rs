//! The least cost of a refusal: receive, send a prepared answer, sleep. A second thread uses the
//! rest of the core, as the worker of an overloaded server does.

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use std::hint::spin_loop;
use std::io::{self, Read, Write};
use std::time::Duration;
use std::{net, thread};

/// Pause in which requests gather: as long as in front of seda with an SLO of 200 ms.
const GATHER: Duration = Duration::from_millis(2);
/// An answer as long as that of a server with a Retry-After.
const ANSWER: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    Date: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Length: 19\r\n\
    Content-Type: text/plain; charset=utf-8\r\nRetry-After: 1\r\n\r\nthe server is busy\n";
const LISTENER: Token = Token(usize::MAX);

/// Refuses until the process ends. It is no server: it takes each read for one whole request and
/// does not notice clients that disconnect.
#[expect(clippy::disallowed_methods, reason = "it is no worker of seda")]
pub(crate) fn serve(listener: net::TcpListener) -> io::Result<()> {
    let mut listener = TcpListener::from_std(listener);
    let mut poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    thread::Builder::new().name("work-0".into()).spawn(|| {
        loop {
            spin_loop();
        }
    })?;
    let mut events = Events::with_capacity(1024);
    let (mut clients, mut scratch) = (Vec::new(), vec![0; 64 * 1024]);
    loop {
        poll.poll(&mut events, None)?;
        let mut refused = false;
        for event in &events {
            if event.token() == LISTENER {
                accept(&listener, &poll, &mut clients)?;
            } else if let Some(client) = clients.get_mut(event.token().0) {
                refused |= event.is_readable() && refuse(client, &mut scratch);
            }
        }
        if refused {
            thread::sleep(GATHER);
        }
    }
}

fn accept(listener: &TcpListener, poll: &Poll, clients: &mut Vec<TcpStream>) -> io::Result<()> {
    while let Ok((mut client, _)) = listener.accept() {
        client.set_nodelay(true)?;
        poll.registry().register(&mut client, Token(clients.len()), Interest::READABLE)?;
        clients.push(client);
    }
    Ok(())
}

fn refuse(client: &mut TcpStream, scratch: &mut [u8]) -> bool {
    matches!(client.read(scratch), Ok(1..)) && client.write(ANSWER).is_ok()
}
