//! Reasons: closed lists, each with its names and its counters.

/// Declares an enum of reasons, its names, and a type that counts each reason.
///
/// Everything follows from the one list: a new reason is counted and reported from its first day.
/// Exhaustive matches stop compiling until they cover it. Matches in other crates cannot be
/// exhaustive: `http/accept.rs` of seda-http answers an unknown reason with 503 "busy".
macro_rules! reasons {
    (
        $(#[$of_enum:meta])*
        pub enum $Reason:ident, counted by $Counts:ident {
            $($(#[$of_variant:meta])* $Variant:ident = $name:literal,)*
        }
    ) => {
        $(#[$of_enum])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash,
            ::serde::Serialize, ::serde::Deserialize,
        )]
        #[non_exhaustive]
        pub enum $Reason {
            $($(#[$of_variant])* #[serde(rename = $name)] $Variant,)*
        }

        impl $Reason {
            /// All reasons, in the order of declaration.
            pub const ALL: [$Reason; [$($name),*].len()] = [$($Reason::$Variant),*];

            /// Returns the reason as reports, metrics and logs name it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $($Reason::$Variant => $name,)*
                }
            }
        }

        impl ::std::fmt::Display for $Reason {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        /// One count per reason.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub(crate) struct $Counts([u64; $Reason::ALL.len()]);

        impl $Counts {
            #[expect(clippy::indexing_slicing, reason = "the array has a place for each variant")]
            pub(crate) fn add(&mut self, reason: $Reason, n: u64) {
                self.0[reason as usize] += n;
            }

            pub(crate) fn add_all(&mut self, other: &Self) {
                self.0.iter_mut().zip(other.0).for_each(|(sum, n)| *sum += n);
            }

            /// Returns the sum over all reasons.
            pub(crate) fn total(&self) -> u64 {
                self.0.iter().sum()
            }

            /// Returns each reason with its count.
            pub(crate) fn iter(&self) -> impl Iterator<Item = ($Reason, u64)> + use<> {
                $Reason::ALL.into_iter().zip(self.0)
            }
        }
    };
}

pub(super) use reasons;
