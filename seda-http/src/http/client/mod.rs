//! The client of a request that proxies have passed on.

mod forwarded;
mod node;

use crate::h1::RequestHead;
use crate::reactor::{Origin, PeerList};
use bytes::Bytes;
use http::Request;
use std::net::IpAddr;

/// Finds the client of each request.
///
/// A proxy appends the address of its peer to a field. So the client is the right-most address that
/// is not a trusted proxy: what stands left of it was written by the client itself.
#[derive(Debug)]
pub(super) struct ClientFinder {
    trusted: PeerList,
}

impl ClientFinder {
    pub(super) fn new(trusted: PeerList) -> Self {
        Self { trusted }
    }

    /// Returns true if the fields of this connection's requests name their clients. At a TCP
    /// listener a PROXY header may name a client without an address, which is no proxy of the list.
    pub(super) fn trusts(&self, origin: &Origin) -> bool {
        let (client, peer) = (origin.client(), origin.peer_ip());
        (client.is_some() || peer.is_none()) && self.trusted.contains(client)
    }

    /// Replaces the client of a head from a trusted proxy by the one that its fields name.
    pub(super) fn resolve(&self, head: &mut RequestHead) {
        head.set_client(self.named_client(head));
    }

    /// Returns the client that `Forwarded` or `X-Forwarded-For` names; the proxy if neither does.
    /// `None` if they differ: one of the fields may be the client's own, and nothing tells which.
    /// The proxy would stand for a client that adds the other field.
    fn named_client(&self, head: &RequestHead) -> Option<IpAddr> {
        let proxy = head.client();
        let standard = forwarded::nodes(head.fields_named("forwarded"));
        let common = node::list(head.fields_named("x-forwarded-for"));
        match (standard.is_empty(), common.is_empty()) {
            (true, true) => proxy,
            (false, true) => self.follow(proxy, &standard),
            (true, false) => self.follow(proxy, &common),
            (false, false) => {
                let client = self.follow(proxy, &standard);
                if client == self.follow(proxy, &common) { client } else { None }
            }
        }
    }

    /// Returns the right-most node that is not trusted. Before one without a readable address it is
    /// the last proxy that is known; if all nodes are trusted, the left-most one.
    fn follow(&self, proxy: Option<IpAddr>, nodes: &[Option<IpAddr>]) -> Option<IpAddr> {
        let mut client = proxy;
        for node in nodes.iter().rev() {
            let Some(address) = node else { break };
            client = Some(address.to_canonical());
            if !self.trusted.contains(client) {
                break;
            }
        }
        client
    }
}

/// The client of a request, in its extensions, if it is not the peer of its connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClientAddress(Option<IpAddr>);

impl ClientAddress {
    /// Puts the client into a request, unless it is the peer.
    pub(super) fn put_into(client: Option<IpAddr>, origin: &Origin, request: &mut Request<Bytes>) {
        if client != origin.peer_ip() {
            request.extensions_mut().insert(Self(client));
        }
    }

    /// Returns the client of a request; `peer` if nothing else was put into it.
    pub(super) fn of(request: &Request<Bytes>, peer: Option<IpAddr>) -> Option<IpAddr> {
        request.extensions().get().map_or(peer, |Self(client)| *client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::h1::{Decoded, Decoder, Limits};
    use bytes::BytesMut;
    use std::net::SocketAddr;

    /// Returns the client of a request from this peer with these fields.
    fn client(trusted: &[&str], peer: Option<&str>, fields: &[&str]) -> Option<String> {
        client_from(&origin(peer), trusted, fields)
    }

    /// Returns the origin of a connection from this peer; `None` is one at a Unix socket.
    fn origin(peer: Option<&str>) -> Origin {
        Origin::of_peer(peer.map(|peer| SocketAddr::new(peer.parse().unwrap(), 1)))
    }

    fn client_from(origin: &Origin, trusted: &[&str], fields: &[&str]) -> Option<String> {
        let lines: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
        let mut input =
            BytesMut::from(format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n").as_str());
        let mut decoder = Decoder::new(Limits::default()).of_client(origin.client());
        let Decoded::Request(mut head, ..) = decoder.decode(&mut input) else { panic!("a head") };
        let finder = ClientFinder::new(PeerList::new(trusted).unwrap());
        if !finder.trusts(origin) {
            return head.client().map(|client| client.to_string());
        }
        finder.resolve(&mut head);
        let found = head.client();
        // A second look, as at the end of a body, changes nothing.
        finder.resolve(&mut head);
        assert_eq!(head.client(), found);
        found.map(|client| client.to_string())
    }

    fn of_x_forwarded_for(value: &str) -> String {
        let field = format!("X-Forwarded-For: {value}");
        client(&["10.0.0.0/8", "fd00::/8"], Some("10.0.0.1"), &[&field]).unwrap()
    }

    fn of_forwarded(value: &str) -> String {
        let field = format!("Forwarded: {value}");
        client(&["10.0.0.0/8", "fd00::/8"], Some("10.0.0.1"), &[&field]).unwrap()
    }

    #[test]
    fn the_client_is_the_right_most_address_that_is_not_trusted() {
        for (value, client) in [
            ("192.0.2.7", "192.0.2.7"),
            ("203.0.113.9, 192.0.2.7", "192.0.2.7"),
            ("203.0.113.9,192.0.2.7 , 10.1.1.1,10.2.2.2", "192.0.2.7"),
            ("192.0.2.7, fd00::1", "192.0.2.7"),
            ("192.0.2.7:40000", "192.0.2.7"),
            ("[2001:db8::7]:40000", "2001:db8::7"),
            ("2001:db8::7", "2001:db8::7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            (", 192.0.2.7,,", "192.0.2.7"),
            ("10.3.3.3, 10.2.2.2", "10.3.3.3"),
            ("203.0.113.9, unknown, 10.2.2.2", "10.2.2.2"),
            ("203.0.113.9, <script>", "10.0.0.1"),
            ("", "10.0.0.1"),
        ] {
            assert_eq!(of_x_forwarded_for(value), client, "{value}");
        }
    }

    #[test]
    fn forwarded_is_read_with_its_quotes_and_parameters() {
        for (value, client) in [
            ("for=192.0.2.7", "192.0.2.7"),
            ("For=192.0.2.7;proto=http;by=10.0.0.1", "192.0.2.7"),
            ("for=203.0.113.9, proto=https; for=192.0.2.7, for=10.2.2.2", "192.0.2.7"),
            (r#"for="192.0.2.7:47011""#, "192.0.2.7"),
            (r#"for="[2001:db8::7]:47011";host="a,b;c=\"d\"""#, "2001:db8::7"),
            (r#"for="[2001:db8::7]", for=10.2.2.2"#, "2001:db8::7"),
            (r#"for="1\92.0.2.7""#, "192.0.2.7"),
            ("for=203.0.113.9, for=_hidden, for=10.2.2.2", "10.2.2.2"),
            ("for=203.0.113.9, for=unknown", "10.0.0.1"),
            ("for=203.0.113.9, proto=https", "10.0.0.1"),
            ("for=203.0.113.9;for=192.0.2.7", "10.0.0.1"),
            (r#"for="203.0.113.9, for=192.0.2.7"#, "10.0.0.1"),
            (r#"for=203.0.113.9", for=192.0.2.7"#, "10.0.0.1"),
            ("for", "10.0.0.1"),
            ("", "10.0.0.1"),
        ] {
            assert_eq!(of_forwarded(value), client, "{value}");
        }
    }

    #[test]
    fn several_lines_are_one_list() {
        let lines = ["X-Forwarded-For: 203.0.113.9", "x-forwarded-for: 192.0.2.7, 10.2.2.2"];
        let found = client(&["10.0.0.0/8"], Some("10.0.0.1"), &lines);
        assert_eq!(found.as_deref(), Some("192.0.2.7"));
        // A broken line of the client does not hide that of the proxy.
        let lines = ["Forwarded: for=\"", "Forwarded: for=192.0.2.7"];
        let found = client(&["10.0.0.0/8"], Some("10.0.0.1"), &lines);
        assert_eq!(found.as_deref(), Some("192.0.2.7"));
    }

    #[test]
    fn of_two_fields_that_differ_neither_is_believed() {
        let peer = Some("10.0.0.1");
        let same = ["Forwarded: for=192.0.2.7", "X-Forwarded-For: 203.0.113.9, 192.0.2.7"];
        assert_eq!(client(&["10.0.0.0/8"], peer, &same).as_deref(), Some("192.0.2.7"));
        // Neither is the proxy the client: a client could take its address by a field of its own.
        let real = "X-Forwarded-For: 192.0.2.7";
        for forged in ["for=203.0.113.9", "for=10.0.0.1", "for=unknown", "for"] {
            for trusted in [&["10.0.0.0/8"][..], &["10.0.0.0/8", "unix:"]] {
                let added = format!("Forwarded: {forged}");
                assert_eq!(client(trusted, peer, &[&added, real]), None, "{forged}");
            }
        }
    }

    #[test]
    fn a_client_without_an_address_is_a_trusted_peer_only_at_a_unix_socket() {
        let field = ["X-Forwarded-For: 203.0.113.9"];
        for (peer, found) in [(Some("192.0.2.7"), None), (None, Some("203.0.113.9"))] {
            let named = origin(peer).with_client(None);
            assert_eq!(client_from(&named, &["unix:"], &field).as_deref(), found);
        }
    }

    #[test]
    fn a_peer_that_is_not_trusted_is_the_client_whatever_its_fields_say() {
        let forged = ["Forwarded: for=203.0.113.9", "X-Forwarded-For: 203.0.113.9"];
        for trusted in [&[][..], &["10.0.0.0/8"], &["unix:"]] {
            let found = client(trusted, Some("192.0.2.7"), &forged);
            assert_eq!(found.as_deref(), Some("192.0.2.7"));
        }
        let field = ["X-Forwarded-For: 203.0.113.9"];
        assert_eq!(client(&["10.0.0.0/8"], None, &field), None);
        assert_eq!(client(&["unix:"], None, &field).as_deref(), Some("203.0.113.9"));
        assert_eq!(client(&["unix:"], None, &["X-Forwarded-For: unknown"]), None);
    }
}
