//! The target of a request: a path with its query (origin-form, RFC 9112, section 3.2.1).

/// Returns the target with percent-encoding for bytes that may not stand in it; `None` if it does
/// not begin with `/`.
pub(crate) fn origin_form(bytes: &[u8]) -> Option<String> {
    if !bytes.starts_with(b"/") {
        return None;
    }
    let mut target = String::with_capacity(bytes.len());
    let mut rest = bytes;
    while let [byte, after @ ..] = rest {
        if stands(*byte, after) {
            target.push(char::from(*byte));
        } else {
            target.push_str(&format!("%{byte:02X}"));
        }
        rest = after;
    }
    Some(target)
}

/// Returns true if a target may be sent as it is.
pub(crate) fn is_origin_form(target: &str) -> bool {
    origin_form(target.as_bytes()).is_some_and(|sent| sent == target)
}

/// Returns true if a byte may stand before `after` in a path or a query (RFC 3986, sections 3.3 and
/// 3.4).
fn stands(byte: u8, after: &[u8]) -> bool {
    match byte {
        b'%' => {
            matches!(after, [high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit())
        }
        b'-' | b'.' | b'_' | b'~' => true,
        b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=' => true,
        b':' | b'@' | b'/' | b'?' => true,
        _ => byte.is_ascii_alphanumeric(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_bytes_that_may_not_stand_in_a_target_are_encoded() {
        let as_it_is = "/a%20b/~x_(1);v=2/'q'?a=1&b=@:,!$*+-/?";
        assert_eq!(origin_form(as_it_is.as_bytes()).as_deref(), Some(as_it_is));
        assert_eq!(
            origin_form(b"/a b\t\"<\xc3\xa9\xff>#{|}^`\\%zz%2").as_deref(),
            Some("/a%20b%09%22%3C%C3%A9%FF%3E%23%7B%7C%7D%5E%60%5C%25zz%252")
        );
        for bad in ["", "*", "a/b", "http://host/", "-"] {
            assert_eq!(origin_form(bad.as_bytes()), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn an_encoded_target_is_printable_and_stays_the_same(bytes: Vec<u8>) {
            let target = origin_form(&[b"/".as_slice(), &bytes].concat()).unwrap();
            prop_assert!(target.bytes().all(|byte| byte.is_ascii_graphic()));
            prop_assert!(is_origin_form(&target));
        }
    }
}
