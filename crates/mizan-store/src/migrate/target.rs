//! Where to: `head`, `base`, `+1`, `-1`, `0004`, or the beginning of one revision's id.

use std::fmt;
use std::str::FromStr;

/// Where a migration run shall end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The newest revision of this binary.
    Head,
    /// Before the first one.
    Base,
    /// So many further than now.
    Plus(usize),
    /// So many back from now.
    Minus(usize),
    /// A revision's id, or a beginning of it that no other shares.
    Rev(String),
}

/// Why a text is no target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    #[error("{0:?} is no number of steps: write +1 or -1")]
    Steps(String),
    #[error("{0:?} is no revision: write head, base, +N, -N or an id such as 0004")]
    Word(String),
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let steps = |digits: &str| match digits.parse::<usize>() {
            Ok(count) if count > 0 && digits.bytes().all(|it| it.is_ascii_digit()) => Ok(count),
            _ => Err(TargetError::Steps(text.to_owned())),
        };
        match text {
            "head" | "heads" => Ok(Self::Head),
            "base" => Ok(Self::Base),
            _ => {
                if let Some(digits) = text.strip_prefix('+') {
                    steps(digits).map(Self::Plus)
                } else if let Some(digits) = text.strip_prefix('-') {
                    steps(digits).map(Self::Minus)
                } else if !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit()) {
                    Ok(Self::Rev(text.to_owned()))
                } else {
                    Err(TargetError::Word(text.to_owned()))
                }
            }
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Head => f.write_str("head"),
            Self::Base => f.write_str("base"),
            Self::Plus(count) => write!(f, "+{count}"),
            Self::Minus(count) => write!(f, "-{count}"),
            Self::Rev(id) => f.write_str(id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Target, TargetError};

    #[track_caller]
    fn check(text: &str, expected: &Result<Target, TargetError>) {
        assert_eq!(&text.parse::<Target>(), expected, "{text:?}");
    }

    #[test]
    fn targets_are_read_as_operators_write_them() {
        check("head", &Ok(Target::Head));
        check("heads", &Ok(Target::Head));
        check("base", &Ok(Target::Base));
        check("+1", &Ok(Target::Plus(1)));
        check("-12", &Ok(Target::Minus(12)));
        check("0004", &Ok(Target::Rev("0004".into())));
        check("00", &Ok(Target::Rev("00".into())));
    }

    #[test]
    fn anything_else_is_refused_with_what_to_write() {
        for text in ["+0", "-0", "+", "-", "+x", "-1.5", "++1", "+99999999999999999999"] {
            check(text, &Err(TargetError::Steps(text.into())));
        }
        for text in ["", "HEAD", "latest", "0004; drop", "0x4", " 0004"] {
            check(text, &Err(TargetError::Word(text.into())));
        }
    }
}
