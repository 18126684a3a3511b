//! Content negotiation by Accept (RFC 9110 §12.5.1).

/// Returns the quality of a media type in an Accept field, the best of those without a version or
/// with one of `versions`. `None` if the field does not name it.
pub(crate) fn quality(accept: &str, media_type: &str, versions: &[&str]) -> Option<f64> {
    let mut best: Option<f64> = None;
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        if !parts.next().is_some_and(|name| name.eq_ignore_ascii_case(media_type)) {
            continue;
        }
        let (mut quality, mut is_ours) = (1.0, true);
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            let value = value.trim_matches('"');
            match name.to_ascii_lowercase().as_str() {
                "q" => quality = value.parse().unwrap_or(0.0),
                "version" => is_ours = versions.contains(&value),
                _ => {}
            }
        }
        if is_ours {
            best = Some(best.map_or(quality, |best| best.max(quality)));
        }
    }
    best
}
