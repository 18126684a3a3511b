//! The PROXY header in front of a connection's requests.

use super::input::Input;
use super::{Connection, Phase, TurnContext};
use crate::reactor::proxy_header::{self, HEADER_MOST, ProxyHeader, Source};
use crate::reactor::stream::Disconnected;
use crate::reactor::{Codec, Service};

impl<C: Codec> Connection<C> {
    /// Reads the header, and nothing behind it: those bytes are of the next protocol. Returns false
    /// if the header has not arrived whole.
    pub(super) fn read_preface<S: Service<C>>(
        &mut self,
        cx: &mut TurnContext<'_, C, S>,
    ) -> Result<bool, Disconnected> {
        if !self.stream.is_readable {
            return Ok(false);
        }
        let most = cx.scratch.len().min(HEADER_MOST);
        let peeked = self.stream.peek(cx.scratch.get_mut(..most).unwrap_or_default())?;
        match proxy_header::read(cx.scratch.get(..peeked).unwrap_or_default()) {
            Ok(None) => {
                if peeked > 0 {
                    self.stream.wait_for_more()?;
                }
                Ok(false)
            }
            Ok(Some(ProxyHeader { bytes, source })) => {
                self.stream.discard(cx.scratch.get_mut(..bytes).unwrap_or_default())?;
                self.take_source(source, cx.codec);
                Ok(true)
            }
            Err(fault) => {
                if cx.counters.bad_proxy_headers.get() == 0 {
                    let peer = self.origin.peer();
                    tracing::warn!(%peer, "a connection is closed: {fault}");
                }
                cx.counters.bad_proxy_headers.count();
                Err(Disconnected)
            }
        }
    }

    /// Counts the connection for the client that the header names, and takes its requests.
    fn take_source(&mut self, source: Source, codec: &C) {
        let client = match source {
            Source::Peer => self.origin.client(),
            Source::Client(client) => client,
        };
        self.origin = self.origin.with_client(client);
        self.guard.count_for(client);
        self.input = Input::new(codec.decoder(&self.origin), self.input.last_read);
        self.phase = Phase::Open;
    }
}
