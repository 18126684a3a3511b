//! Range and conditional fields of a request for a file.

use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, header};
use seda_http::{Body, Files, FilesConfig};
use std::sync::OnceLock;

/// The fields of a request, by the first byte of a line. A further byte is one of the method.
const NAMES: [HeaderName; 7] = [
    header::RANGE,
    header::IF_RANGE,
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_UNMODIFIED_SINCE,
    header::ACCEPT_ENCODING,
];

/// In a value these bytes stand for the file's entity tag and its date.
const TAG: u8 = b'@';
const DATE: u8 = b'&';

/// The file that is asked for.
const CONTENT: &[u8] = include_bytes!("../site/file.txt");

/// The files, and the fields of the whole file. They have not changed for seconds.
struct Site {
    files: Files,
    headers: HeaderMap,
}

fn site() -> &'static Site {
    static SITE: OnceLock<Site> = OnceLock::new();
    SITE.get_or_init(|| {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/site");
        let files = Files::open(root, FilesConfig::default()).expect("the folder of this crate");
        let answer = files.respond(&Request::get("/file.txt").body(()).unwrap());
        Site { files, headers: answer.headers().clone() }
    })
}

/// Asks for the file with the fields that the lines of `data` are.
pub fn check(data: &[u8]) {
    let Site { files, headers: whole } = site();
    let mut request = Request::get("/file.txt").body(()).unwrap();
    for line in data.split(|byte| *byte == b'\n') {
        let Some((first, value)) = line.split_first() else { continue };
        let name = &NAMES[usize::from(*first) % NAMES.len()];
        if let Ok(value) = HeaderValue::from_bytes(&filled(value, whole)) {
            request.headers_mut().append(name.clone(), value);
        }
    }
    let answer = files.respond(&request);
    check_answer(request.headers(), &answer, whole);
    // HEAD has the status of GET, but for the part that Range selects.
    let status = answer.status().as_u16();
    *request.method_mut() = http::Method::HEAD;
    let head = files.respond(&request).status().as_u16();
    assert_eq!(head, if matches!(status, 206 | 416) { 200 } else { status });
}

fn filled(value: &[u8], whole: &HeaderMap) -> Vec<u8> {
    let mut filled = Vec::new();
    for byte in value {
        match *byte {
            TAG => filled.extend_from_slice(whole[header::ETAG].as_bytes()),
            DATE => filled.extend_from_slice(whole[header::LAST_MODIFIED].as_bytes()),
            other => filled.push(other),
        }
    }
    filled
}

fn check_answer(asked: &HeaderMap, answer: &Response<Body>, whole: &HeaderMap) {
    let has = |name: HeaderName| asked.contains_key(name);
    let headers = answer.headers();
    match answer.status().as_u16() {
        200 => assert_eq!(bytes(answer), CONTENT),
        206 => {
            assert_eq!(asked.get_all(header::RANGE).iter().count(), 1);
            if let Some(condition) = asked.get(header::IF_RANGE) {
                let condition = condition.as_bytes().trim_ascii();
                let tag = whole[header::ETAG].as_bytes();
                // A date is compared as a date; its three forms are.
                assert!(condition == tag || !condition.contains(&b'"'), "{condition:?}");
            }
            check_parts(headers, bytes(answer));
        }
        304 => {
            assert!(has(header::IF_NONE_MATCH) || has(header::IF_MODIFIED_SINCE));
            assert!(bytes(answer).is_empty());
            assert_eq!(headers.get(header::ETAG), whole.get(header::ETAG));
        }
        406 => assert!(has(header::ACCEPT_ENCODING)),
        412 => assert!(has(header::IF_MATCH) || has(header::IF_UNMODIFIED_SINCE)),
        416 => {
            assert!(has(header::RANGE));
            assert_eq!(headers[header::CONTENT_RANGE], format!("bytes */{}", CONTENT.len()));
        }
        status => panic!("status {status} to {asked:?}"),
    }
}

fn bytes(answer: &Response<Body>) -> &[u8] {
    match answer.body() {
        Body::Empty => &[],
        Body::Bytes(bytes) => bytes,
        other => panic!("a small file is in memory: {other:?}"),
    }
}

/// Each part has the bytes that its place says.
fn check_parts(headers: &HeaderMap, body: &[u8]) {
    if let Some(place) = headers.get(header::CONTENT_RANGE) {
        return assert_eq!(body, &CONTENT[range(place.to_str().unwrap())]);
    }
    let kind = headers[header::CONTENT_TYPE].to_str().unwrap();
    let boundary = kind.strip_prefix("multipart/byteranges; boundary=").expect("several parts");
    let delimiter = format!("--{boundary}");
    let mut rest = std::str::from_utf8(body).unwrap().strip_prefix(&delimiter).unwrap();
    let mut sent = 0;
    while rest != "--\r\n" {
        let (head, behind) = rest.split_once("\r\n\r\n").expect("the head of a part");
        let place = head.split("Content-Range: ").nth(1).expect("the place of a part");
        let part = &CONTENT[range(place)];
        sent += part.len();
        rest = behind.strip_prefix(std::str::from_utf8(part).unwrap()).expect("its bytes");
        rest = rest.strip_prefix("\r\n").and_then(|it| it.strip_prefix(&delimiter)).unwrap();
    }
    assert!(sent <= CONTENT.len(), "{sent} bytes are more than the file has");
}

fn range(place: &str) -> std::ops::RangeInclusive<usize> {
    let place = place.strip_prefix("bytes ").and_then(|it| it.split_once('/')).unwrap();
    assert_eq!(place.1, CONTENT.len().to_string());
    let (first, last) = place.0.split_once('-').unwrap();
    let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
    assert!(first <= last && last < CONTENT.len(), "{first} to {last}");
    first..=last
}
