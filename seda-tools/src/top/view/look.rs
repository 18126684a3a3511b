//! Colours and characters, by what the terminal can show.

use ratatui::style::{Color, Modifier, Style};

/// The means of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    /// False under `NO_COLOR`: marks and weights then say what colours say.
    pub(crate) has_color: bool,
    /// False in a locale that is not UTF-8.
    pub(crate) has_unicode: bool,
}

impl Look {
    /// Characters without escape codes.
    #[cfg(test)]
    pub(crate) const PLAIN: Self = Self { has_color: false, has_unicode: true };

    /// Returns the look that the variables of the environment ask for.
    pub(crate) fn of_environment(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name| variable(name).filter(|value| !value.is_empty());
        // The first that is set decides (POSIX, 8.2); without any, terminals of today are UTF-8.
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set);
        let is_utf8 = |locale: String| {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        };
        Self { has_color: set("NO_COLOR").is_none(), has_unicode: locale.is_none_or(is_utf8) }
    }

    /// The bottleneck, and an SLO that is not kept.
    pub(crate) fn alarm(self) -> Style {
        self.colored(Color::Red).add_modifier(Modifier::BOLD)
    }

    /// Work that is refused or given up, a resource that is nearly full.
    pub(crate) fn warning(self) -> Style {
        self.colored(Color::Yellow)
    }

    /// An SLO that is kept.
    pub(crate) fn good(self) -> Style {
        self.colored(Color::Green)
    }

    /// Bars and trends.
    pub(crate) fn bar(self) -> Style {
        self.colored(Color::Cyan)
    }

    /// Names of columns and figures.
    pub(crate) fn label(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    pub(crate) fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// The name of the column by which a table is sorted.
    pub(crate) fn sorted(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD | Modifier::UNDERLINED)
    }

    pub(crate) fn selected(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// A line that must be seen.
    pub(crate) fn banner(self) -> Style {
        self.colored(Color::Red).add_modifier(Modifier::REVERSED | Modifier::BOLD)
    }

    fn colored(self, color: Color) -> Style {
        if self.has_color { Style::new().fg(color) } else { Style::new() }
    }

    /// Returns the mark of the bottleneck.
    pub(crate) fn mark(self) -> &'static str {
        if self.has_unicode { "▶" } else { ">" }
    }

    /// Returns the arrow of an edge.
    pub(crate) fn arrow(self) -> &'static str {
        if self.has_unicode { "→" } else { "->" }
    }

    /// Returns the end of a text that is cut.
    pub(crate) fn ellipsis(self) -> &'static str {
        if self.has_unicode { "…" } else { "~" }
    }

    /// Returns a text in characters that the terminal can show.
    pub(crate) fn shown(self, text: &str) -> String {
        if self.has_unicode || text.is_ascii() {
            return text.to_owned();
        }
        let replaced = text.chars().map(|character| match character {
            'µ' | 'μ' => "u".to_owned(),
            '→' => "->".to_owned(),
            '×' => "x".to_owned(),
            '…' => "~".to_owned(),
            '·' => "-".to_owned(),
            ascii if ascii.is_ascii() => ascii.to_string(),
            _ => "?".to_owned(),
        });
        replaced.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(variables: &[(&str, &str)]) -> (bool, bool) {
        let find = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let Look { has_color, has_unicode } = Look::of_environment(find);
        (has_color, has_unicode)
    }

    #[test]
    fn the_environment_decides_about_colors_and_characters() {
        assert_eq!(look(&[]), (true, true));
        assert_eq!(look(&[("NO_COLOR", "1"), ("LANG", "de_DE.UTF-8")]), (false, true));
        assert_eq!(look(&[("NO_COLOR", ""), ("LANG", "C")]), (true, false));
        assert_eq!(look(&[("LC_ALL", "C.utf8"), ("LANG", "C")]), (true, true));
        assert_eq!(
            look(&[("LC_ALL", ""), ("LC_CTYPE", "POSIX"), ("LANG", "C.UTF-8")]),
            (true, false)
        );
    }
}
