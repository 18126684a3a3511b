//! Settings that are written as one word: an enum states its words once, in `words!`.

use crate::config::fault::ParseWordError;

/// Writes an enum as one word per value: `ALL`, `as_str`, `FromStr`, `Display`, `Serialize` and
/// `Deserialize`. A value without a word does not compile.
macro_rules! words {
    ($name:ident is $what:literal: $($value:ident => $word:literal),+ $(,)?) => {
        impl $name {
            /// All values, in the order of declaration.
            pub const ALL: [Self; [$($word),+].len()] = [$(Self::$value),+];
            /// The words of [`Self::ALL`], in the same order.
            const WORDS: [&'static str; Self::ALL.len()] = [$($word),+];

            /// Returns the word in settings, reports and metrics.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$value => $word),+
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::config::fault::ParseWordError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $crate::config::word::parse($what, text, &Self::ALL, &Self::WORDS)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, into: S) -> Result<S::Ok, S::Error> {
                into.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                $crate::config::units::word(from, &Self::WORDS)
            }
        }
    };
}
pub(super) use words;

/// Returns the value with the word `text`; `words` are those of `values`, in the same order.
pub(super) fn parse<T: Copy>(
    what: &'static str,
    text: &str,
    values: &[T],
    words: &'static [&'static str],
) -> Result<T, ParseWordError> {
    let position = words.iter().position(|word| *word == text);
    let value = position.and_then(|position| values.get(position)).copied();
    value.ok_or_else(|| ParseWordError { what, got: text.to_owned(), expected: words })
}
