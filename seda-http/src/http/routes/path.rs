//! The path of a route as a program writes it.

use super::error::RoutesError;

/// Checks a path, and returns the names of its parameters.
pub(super) fn check(path: &str) -> Result<Vec<&str>, RoutesError> {
    let fault = |fault| RoutesError::Path { path: path.to_owned(), fault };
    if !path.starts_with('/') {
        return Err(fault("it does not begin with `/`"));
    }
    if path.bytes().any(|byte| !byte.is_ascii_graphic() || matches!(byte, b'?' | b'#')) {
        return Err(fault(
            "a target's path has neither spaces, `?` and `#`, nor bytes beyond ASCII; write them \
             percent-encoded, as clients do",
        ));
    }
    Ok(names(path))
}

/// Returns the text of the error for a path that the router refuses.
pub(super) fn fault(error: &matchit::InsertError) -> &'static str {
    match error {
        matchit::InsertError::InvalidParamSegment => {
            "a segment has one parameter at most; put a `/` between the two"
        }
        matchit::InsertError::InvalidCatchAll => {
            "a parameter like `{*rest}` takes the end of a path; put it last, behind a `/`"
        }
        _ => "a parameter is written `{name}`; write `{{` and `}}` for braces",
    }
}

/// Returns the names of the parameters: `{name}`, `{*name}`. `{{` is a brace.
fn names(path: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = path;
    while let Some((_, behind)) = rest.split_once('{') {
        if let Some(behind) = behind.strip_prefix('{') {
            rest = behind;
            continue;
        }
        let Some((name, behind)) = behind.split_once('}') else { break };
        names.push(name.strip_prefix('*').unwrap_or(name));
        rest = behind;
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_a_path_are_those_of_its_parameters() {
        assert_eq!(check("/users/{id}/files/{*rest}").unwrap(), ["id", "rest"]);
        assert_eq!(check("/{{id}}/x-{name}.json").unwrap(), ["name"]);
        assert!(check("/").unwrap().is_empty());
    }

    #[test]
    fn a_path_that_no_target_has_is_an_error() {
        for path in ["", "users", "/a b", "/caf\u{e9}", "/a?b=1", "/a#b"] {
            assert!(matches!(check(path), Err(RoutesError::Path { .. })), "{path}");
        }
    }
}
