//! Enums whose variants are words: in a column, in JSON, in a filter of the API. One table, both directions.

/// A text that is none of an enum's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is none of {known}")]
pub struct UnknownWord {
    /// The words there are, for the error that helps.
    pub known: String,
}

/// Declares an enum of words with `ALL`, `as_str`, `Display` and `FromStr`.
///
/// ```
/// mizan_core::words! {
///     /// How a coin falls.
///     pub enum Side {
///         Heads = "heads",
///         Tails = "tails",
///     }
/// }
/// assert_eq!("tails".parse(), Ok(Side::Tails));
/// assert_eq!("edge".parse::<Side>().unwrap_err().to_string(), "this is none of heads, tails");
/// ```
#[macro_export]
macro_rules! words {
    ($(#[$meta:meta])* $vis:vis enum $name:ident {
        $($(#[$doc:meta])* $variant:ident = $word:literal),+ $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        $vis enum $name { $($(#[$doc])* $variant),+ }

        impl $name {
            pub const ALL: [Self; [$($word),+].len()] = [$(Self::$variant),+];

            /// The word in columns, in JSON and in filters.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::words::UnknownWord;

            fn from_str(text: &str) -> Result<Self, $crate::words::UnknownWord> {
                Self::ALL
                    .into_iter()
                    .find(|it| it.as_str() == text)
                    .ok_or_else(|| $crate::words::UnknownWord { known: [$($word),+].join(", ") })
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
