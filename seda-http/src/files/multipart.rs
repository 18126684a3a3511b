//! Several parts of a file in one answer (RFC 9110 §14.6).

use super::range::ByteRange;
use bytes::BufMut;
use http::HeaderValue;

/// The most bytes of the parts of a file in one answer: they are in memory until they are sent. A
/// request for more gets the whole file.
pub(super) const PARTS_MOST: u64 = 1024 * 1024;

/// Bytes of a part's head, rounded up, beside the media type.
const HEAD_BYTES: usize = 160;

/// An answer of type `multipart/byteranges` that is being written.
#[derive(Debug)]
pub(super) struct Multipart<'a> {
    /// A text that is in no file: that of the entity tag.
    boundary: &'a str,
    media_type: &'a HeaderValue,
    /// Bytes of the file.
    length: u64,
    body: Vec<u8>,
}

impl<'a> Multipart<'a> {
    pub(super) fn new(etag: &'a HeaderValue, media_type: &'a HeaderValue, length: u64) -> Self {
        let boundary = etag.to_str().unwrap_or_default();
        let boundary = boundary.trim_start_matches("W/").trim_matches('"');
        Self { boundary, media_type, length, body: Vec::new() }
    }

    /// Adds a part.
    pub(super) fn push(&mut self, range: ByteRange, content: &[u8]) {
        self.body.reserve(HEAD_BYTES + self.media_type.len() + content.len());
        self.put(&["--", self.boundary, "\r\nContent-Type: "]);
        self.body.put_slice(self.media_type.as_bytes());
        self.put(&["\r\nContent-Range: ", &content_range(range, self.length), "\r\n\r\n"]);
        self.body.put_slice(content);
        self.put(&["\r\n"]);
    }

    /// Returns the media type of the answer, and its content.
    pub(super) fn finish(mut self) -> (HeaderValue, Vec<u8>) {
        self.put(&["--", self.boundary, "--\r\n"]);
        let kind = format!("multipart/byteranges; boundary={}", self.boundary);
        let kind = HeaderValue::from_str(&kind)
            .unwrap_or(HeaderValue::from_static("multipart/byteranges"));
        (kind, self.body)
    }

    fn put(&mut self, texts: &[&str]) {
        texts.iter().for_each(|text| self.body.put_slice(text.as_bytes()));
    }
}

/// Returns the value of Content-Range.
pub(super) fn content_range(range: ByteRange, length: u64) -> String {
    format!("bytes {}-{}/{length}", range.first, range.last)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 9110 §14.6.
    #[test]
    fn parts_are_framed_by_the_boundary() {
        let etag = HeaderValue::from_static("\"THIS\"");
        let pdf = HeaderValue::from_static("application/pdf");
        let mut parts = Multipart::new(&etag, &pdf, 8_000);
        parts.push(ByteRange { first: 500, last: 501 }, b"ab");
        parts.push(ByteRange { first: 7_000, last: 7_000 }, b"c");
        let (kind, body) = parts.finish();
        assert_eq!(kind, "multipart/byteranges; boundary=THIS");
        let expected = "--THIS\r\nContent-Type: application/pdf\r\n\
             Content-Range: bytes 500-501/8000\r\n\r\nab\r\n\
             --THIS\r\nContent-Type: application/pdf\r\n\
             Content-Range: bytes 7000-7000/8000\r\n\r\nc\r\n--THIS--\r\n";
        assert_eq!(body, expected.as_bytes());
    }
}
