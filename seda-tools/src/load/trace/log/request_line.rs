//! The request in a line of a log: `GET /x HTTP/1.0`, escaped.

/// Splits a request into method and target, which are not checked; `None` without a blank.
///
/// The target goes from the first blank to the version, because some clients send blanks in
/// targets. A request of HTTP/0.9 has no version.
pub(super) fn split(request: &[u8]) -> Option<(&[u8], &[u8])> {
    let blank = request.iter().position(|byte| *byte == b' ')?;
    let (method, rest) = request.split_at_checked(blank)?;
    let target = rest.strip_prefix(b" ")?;
    let version = target.windows(6).rposition(|window| window == b" HTTP/");
    let target = version.and_then(|at| target.get(..at)).unwrap_or(target);
    Some((method, target))
}

/// Undoes the escapes of servers: Apache httpd writes `\"`, `\\`, `\n` and the like, and `\x16`;
/// nginx writes `\x22`. Other backslashes stay.
pub(super) fn unescape(escaped: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(escaped.len());
    let mut rest = escaped;
    while let [byte, after @ ..] = rest {
        let (byte, after) =
            if *byte == b'\\' { escape(after).unwrap_or((b'\\', after)) } else { (*byte, after) };
        bytes.push(byte);
        rest = after;
    }
    bytes
}

/// Returns the byte of the escape after a backslash, and the rest; `None` if it is not an escape.
fn escape(after: &[u8]) -> Option<(u8, &[u8])> {
    if let [b'x', high, low, rest @ ..] = after {
        return Some((hex_digit(*high)? * 16 + hex_digit(*low)?, rest));
    }
    let (name, rest) = after.split_first()?;
    let byte = match name {
        b'"' | b'\\' => *name,
        b'b' => 0x08,
        b't' => b'\t',
        b'n' => b'\n',
        b'v' => 0x0b,
        b'f' => 0x0c,
        b'r' => b'\r',
        _ => return None,
    };
    Some((byte, rest))
}

fn hex_digit(byte: u8) -> Option<u8> {
    // A hexadecimal digit is below 16.
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_a_method_and_a_target_before_the_version() {
        let split = |request: &'static str| {
            let (method, target) = split(request.as_bytes())?;
            Some((str::from_utf8(method).unwrap(), str::from_utf8(target).unwrap()))
        };
        assert_eq!(split("GET /x HTTP/1.1"), Some(("GET", "/x")));
        assert_eq!(split("GET /x"), Some(("GET", "/x")));
        assert_eq!(split("GET /a b HTTP/ c HTTP/1.0"), Some(("GET", "/a b HTTP/ c")));
        assert_eq!(split("GET  HTTP/1.0"), Some(("GET", "")));
        assert_eq!(split("-"), None);
        assert_eq!(split(""), None);
    }

    #[test]
    fn escapes_stand_for_one_byte() {
        assert_eq!(unescape(br#"a\"b\\c\x16\xFf\t\n"#), b"a\"b\\c\x16\xff\t\n");
        assert_eq!(unescape(br"\q\x1\xzz\"), br"\q\x1\xzz\");
    }
}
