use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Version};
use proptest::{collection::vec, prelude::*, sample::Index};

use super::{Decoded, Decoder, Exchange, Limits};
use crate::h1::{CHUNK_END, LAST_CHUNK, is_chunked, last_chunk, put_chunk_size};

fn size(length: usize) -> Vec<u8> {
    let mut out = BytesMut::new();
    put_chunk_size(length, &mut out);
    out.to_vec()
}

/// RFC 9112 §7.1: `chunk-size = 1*HEXDIG`.
#[test]
fn a_size_is_hexadecimal_without_leading_zeros() {
    for (length, line) in [(1, "1"), (10, "a"), (15, "f"), (16, "10"), (65_536, "10000")] {
        assert_eq!(size(length), format!("{line}\r\n").into_bytes());
    }
    assert_eq!(size(usize::MAX), format!("{:x}\r\n", usize::MAX).into_bytes());
}

#[test]
fn the_last_chunk_without_trailers_is_the_constant() {
    assert_eq!(last_chunk(&HeaderMap::new()), LAST_CHUNK);
}

/// RFC 9110 §6.5.1: "A sender MUST NOT generate a trailer field unless the sender knows the
/// corresponding header field name's definition permits".
#[test]
fn fields_that_must_precede_the_body_are_no_trailers() {
    let mut trailers = HeaderMap::new();
    for name in ["transfer-encoding", "content-length", "set-cookie", "host", "trailer", "te"] {
        trailers.insert(name, HeaderValue::from_static("x"));
    }
    trailers.append("server-timing", HeaderValue::from_static("db;dur=53"));
    trailers.append("server-timing", HeaderValue::from_static("app;dur=2"));
    assert_eq!(
        last_chunk(&trailers),
        "0\r\nserver-timing: db;dur=53\r\nserver-timing: app;dur=2\r\n\r\n"
    );
}

#[test]
fn only_http_1_1_gets_chunks_and_only_without_a_length() {
    let new = Exchange { version: Version::HTTP_11, head: false, keep_alive: true };
    let old = Exchange { version: Version::HTTP_10, ..new };
    assert!(is_chunked(None, new));
    assert!(!is_chunked(Some(0), new) && !is_chunked(None, old) && !is_chunked(Some(1), old));
}

/// Returns the body that these chunks carry, as the decoder of requests reads it: the chunks of
/// both have the same form.
fn decoded(chunks: &[u8]) -> Bytes {
    let mut input =
        BytesMut::from("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    input.extend_from_slice(chunks);
    let mut decoder = Decoder::new(Limits::default());
    loop {
        match decoder.decode(&mut input) {
            Decoded::Head => {}
            Decoded::Request(_, body, _) => {
                assert!(input.is_empty());
                return body;
            }
            other => panic!("{other:?} after {chunks:?}"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// A body cut at any places is the same body.
    #[test]
    fn chunks_carry_the_body_at_every_split(
        body in vec(any::<u8>(), 0..2_000), cuts in vec(any::<Index>(), 0..8), trails: bool,
    ) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
        cuts.push(body.len());
        cuts.sort_unstable();
        let mut wire = BytesMut::new();
        let mut from = 0;
        for cut in cuts {
            if cut > from {
                put_chunk_size(cut - from, &mut wire);
                wire.extend_from_slice(&body[from..cut]);
                wire.extend_from_slice(CHUNK_END);
            }
            from = cut;
        }
        let mut trailers = HeaderMap::new();
        if trails {
            trailers.insert("x-sum", HeaderValue::from_static("1"));
        }
        wire.extend_from_slice(&last_chunk(&trailers));
        prop_assert_eq!(decoded(&wire), Bytes::from(body));
    }
}
