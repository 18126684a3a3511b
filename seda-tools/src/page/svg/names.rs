//! Names as a drawing shows them.

/// The longest name in letters; there is no room for a sentence beside a line.
const NAME_LENGTH: usize = 40;

/// Returns `text` without control characters, most of which XML cannot represent.
fn printable(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).collect()
}

/// Returns a name that fits beside a line; a longer one is cut.
pub(super) fn short_name(name: &str) -> String {
    cut(name, NAME_LENGTH)
}

/// Returns the beginning of a text, at most `length` letters.
pub(super) fn cut(text: &str, length: usize) -> String {
    let printable = printable(text);
    let mut letters = printable.chars();
    let mut short: String = letters.by_ref().take(length).collect();
    if letters.next().is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_cut_to_its_length_and_has_no_control_characters() {
        assert_eq!(short_name("se\u{0}d\na"), "seda");
        assert_eq!(short_name(&"x".repeat(NAME_LENGTH)).chars().count(), NAME_LENGTH);
        assert!(short_name(&"x".repeat(NAME_LENGTH + 1)).ends_with("x…"));
    }
}
