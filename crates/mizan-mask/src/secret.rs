//! A value that must not be printed: wiped on drop, `***` in every format, text only through `reveal`.

use secrecy::zeroize::Zeroize;
use secrecy::{ExposeSecret, SecretBox};
use std::fmt;

/// A secret value. `Debug` and `Display` print `***`, whatever it holds and however long it is; it has no
/// `Serialize`, no `Deref` and no comparison; its memory is wiped when it is dropped.
///
/// ```
/// use mizan_mask::Secret;
/// let token = Secret::from("Tr0ub4dor".to_owned());
/// assert_eq!(format!("{token} {token:?}"), "*** ***");
/// assert_eq!(token.reveal(), "Tr0ub4dor");
/// ```
pub struct Secret<T: Zeroize = String>(SecretBox<T>);

impl<T: Zeroize> Secret<T> {
    /// Takes the value over. The caller keeps no copy, or the copy is the caller's risk.
    pub fn new(value: T) -> Self {
        Self(SecretBox::new(Box::new(value)))
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this crate is where a secret becomes text"
    )]
    fn inner(&self) -> &T {
        self.0.expose_secret()
    }
}

impl Secret<String> {
    /// The text itself: the only way to it. Call it in the expression that needs the text (the driver's
    /// connect, the header being sent), and keep nothing.
    pub fn reveal(&self) -> &str {
        self.inner()
    }
}

impl Secret<Vec<u8>> {
    /// The bytes themselves: the only way to them, for keys that are not text.
    pub fn reveal(&self) -> &[u8] {
        self.inner()
    }
}

impl<T: Zeroize + Clone> Clone for Secret<T> {
    fn clone(&self) -> Self {
        Self::new(self.inner().clone())
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl<T: Zeroize> fmt::Display for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl From<String> for Secret<String> {
    fn from(value: String) -> Self {
        Self::new(value)
    }
}

impl From<&str> for Secret<String> {
    fn from(value: &str) -> Self {
        Self::new(value.to_owned())
    }
}

impl From<Vec<u8>> for Secret<Vec<u8>> {
    fn from(value: Vec<u8>) -> Self {
        Self::new(value)
    }
}

impl<'de, T: Zeroize + serde::Deserialize<'de>> serde::Deserialize<'de> for Secret<T> {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        T::deserialize(from).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn every_format_prints_three_stars_and_nothing_of_the_value() {
        let text = Secret::new("a much longer value".to_owned());
        let bytes = Secret::new(vec![1_u8, 2, 3]);
        assert_eq!(
            format!("{text} {text:?} {text:#?} {bytes} {bytes:?}"),
            "*** *** *** *** ***"
        );
        assert_eq!(format!("{:?}", Some(&text)), "Some(***)");
    }

    #[test]
    fn reveal_gives_back_what_was_put_in() {
        assert_eq!(Secret::from("x").clone().reveal(), "x");
        assert_eq!(Secret::from(vec![7_u8]).reveal(), [7]);
    }
}
