//! The field `Forwarded` (RFC 7239 §4).

use super::node;
use std::net::IpAddr;

/// Returns the `for` nodes of all lines, in order; `None` for an element without a readable one,
/// and for a line that is malformed.
pub(super) fn nodes<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Vec<Option<IpAddr>> {
    lines.flat_map(|line| of_line(line).unwrap_or_else(|| vec![None])).collect()
}

/// Returns the nodes of one line; `None` if a quote has no end.
fn of_line(line: &[u8]) -> Option<Vec<Option<IpAddr>>> {
    let elements = split(line, b',')?;
    let elements = elements.into_iter().filter(|element| !element.is_empty());
    Some(elements.map(node_of).collect())
}

/// Returns the `for` node of an element; `None` if it has none, or several.
fn node_of(element: &[u8]) -> Option<IpAddr> {
    let mut nodes = split(element, b';')?.into_iter().filter_map(|pair| {
        let equals = pair.iter().position(|byte| *byte == b'=')?;
        let (name, value) = pair.split_at(equals);
        name.eq_ignore_ascii_case(b"for").then(|| value.get(1..).unwrap_or_default())
    });
    let node = nodes.next()?;
    if nodes.next().is_some() { None } else { node::address(&unquoted(node)) }
}

/// Returns the parts between separators that are not quoted; `None` if a quote has no end.
fn split(text: &[u8], separator: u8) -> Option<Vec<&[u8]>> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let parts = text.split(|byte| {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_quoted => is_escaped = true,
            b'"' => is_quoted = !is_quoted,
            _ => return *byte == separator && !is_quoted,
        }
        false
    });
    let parts = parts.map(<[u8]>::trim_ascii).collect();
    (!is_quoted).then_some(parts)
}

/// Returns a value without its quotes and escapes.
fn unquoted(value: &[u8]) -> Vec<u8> {
    let inner = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
    let Some(inner) = inner else { return value.to_vec() };
    let mut is_escaped = false;
    let bytes = inner.iter().filter(|byte| {
        is_escaped = **byte == b'\\' && !is_escaped;
        !is_escaped
    });
    bytes.copied().collect()
}
