//! The end of an answer by the rules of RFC 9112, for any division of its bytes.

use super::*;
use proptest::prelude::*;

const PLAIN: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
                       5;x=y\r\nhello\r\n10\r\n0123456789abcdef\r\n0\r\nTrailer: x\r\n\r\n";

/// Feeds the bytes in pieces of `size`; returns the answer and the number of bytes used.
fn in_pieces(bytes: &[u8], size: usize) -> Result<Option<(Answer, usize)>, AnswerFault> {
    let mut reader = AnswerReader::default();
    let mut before = 0;
    for piece in bytes.chunks(size) {
        if let Parsed::Complete { answer, used } = reader.read(piece, false)? {
            return Ok(Some((answer, before + used)));
        }
        before += piece.len();
    }
    Ok(reader.close().map(|answer| (answer, before)))
}

#[test]
fn an_answer_ends_at_the_same_byte_for_any_division() {
    for text in [PLAIN, CHUNKED, "HTTP/1.1 204 No Content\r\n\r\n"] {
        let bytes = [text.as_bytes(), b"HTTP/1.1 200 OK\r\n"].concat();
        for size in 1..=bytes.len() {
            let (answer, used) = in_pieces(&bytes, size).unwrap().unwrap();
            assert_eq!(used, text.len(), "pieces of {size}: {text}");
            assert!(answer.keep_alive);
        }
    }
}

#[test]
fn an_interim_answer_is_skipped() {
    let text = format!("HTTP/1.1 100 Continue\r\n\r\n{PLAIN}");
    for size in 1..=text.len() {
        let (answer, used) = in_pieces(text.as_bytes(), size).unwrap().unwrap();
        assert_eq!((answer.status, used), (200, text.len()));
    }
}

#[test]
fn without_a_length_the_answer_ends_with_the_connection() {
    let text = b"HTTP/1.1 200 OK\r\n\r\nanything";
    let (answer, used) = in_pieces(text, 7).unwrap().unwrap();
    assert_eq!((answer.keep_alive, used), (false, text.len()));
}

#[test]
fn an_answer_that_is_cut_off_is_not_complete() {
    for text in ["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", "HTTP/1.1 200"] {
        assert_eq!(in_pieces(text.as_bytes(), 9), Ok(None), "{text}");
    }
}

#[test]
fn an_answer_to_head_has_no_body() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
    let progress = AnswerReader::default().read(head, true).unwrap();
    assert!(matches!(progress, Parsed::Complete { used, .. } if used == head.len()));
}

#[test]
fn a_fault_is_named() {
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: 1\r\n".repeat(141));
    let cases = [
        ("SSH-2.0-OpenSSH_9.2\r\n", AnswerFault::NotHttp),
        ("HTTP/2 200 OK\r\n\r\n", AnswerFault::NotHttp),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\n", AnswerFault::Length),
        ("HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n", AnswerFault::Length),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\n", AnswerFault::Length),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", AnswerFault::Length),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", AnswerFault::Chunk),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n", AnswerFault::Chunk),
        (&many, AnswerFault::TooManyFields),
        ("HTTP/1.1 200 OK\r\nX Y: 1\r\n\r\n", AnswerFault::Name),
        ("HTTP/1.1 200 OK\r\nX : 1\r\n\r\n", AnswerFault::Name),
        ("HTTP/1.1 200 OK\r\nX: a\u{1}b\r\n\r\n", AnswerFault::Control),
    ];
    for (text, fault) in cases {
        assert_eq!(in_pieces(text.as_bytes(), 3), Err(fault), "{text}");
    }
    let endless = vec![b'a'; MAX_HEAD];
    let mut text = b"HTTP/1.1 200 OK\r\nX: ".to_vec();
    text.extend_from_slice(&endless);
    assert_eq!(in_pieces(&text, 1_000), Err(AnswerFault::TooLong));
    assert!(AnswerFault::TooManyFields.to_string().contains(&MAX_HEADERS.to_string()));
}

#[test]
fn a_repeated_length_and_a_folded_field_are_accepted() {
    for head in [
        "Content-Length: 2, 2",
        "Content-Length: 2\r\nContent-Length: 2",
        "X: a\r\n b\r\nContent-Length: 2",
        "Content-Length:\r\n\t2",
    ] {
        let text = format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\nok");
        for size in 1..=text.len() {
            let (answer, used) = in_pieces(text.as_bytes(), size).unwrap().unwrap();
            assert_eq!((answer.keep_alive, used), (true, text.len()), "{head}: pieces of {size}");
        }
    }
}

#[test]
fn connection_and_retry_after_are_parsed() {
    let cases = [
        ("HTTP/1.1 503 x\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n", true, Some(7)),
        ("HTTP/1.1 503 x\r\nConnection: Close\r\nContent-Length: 0\r\n\r\n", false, None),
        ("HTTP/1.0 200 x\r\nContent-Length: 0\r\n\r\n", false, None),
        ("HTTP/1.0 200 x\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n", true, None),
    ];
    for (text, keep_alive, retry_after) in cases {
        let (answer, _) = in_pieces(text.as_bytes(), 11).unwrap().unwrap();
        assert_eq!(answer.keep_alive, keep_alive, "{text}");
        assert_eq!(answer.retry_after, retry_after.map(Duration::from_secs), "{text}");
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_neither_panic_nor_are_used_twice(
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
        prefix in 0..=CHUNKED.len(),
        size in 1..50_usize,
    ) {
        let bytes = [&CHUNKED.as_bytes()[..prefix], &bytes].concat();
        if let Ok(Some((_, used))) = in_pieces(&bytes, size) {
            prop_assert!(used <= bytes.len());
        }
    }
}
