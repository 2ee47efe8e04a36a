//! The mark at the end of a comment, which readers do not see: of which pack it is, and which part. Whoever posts a pack
//! again finds its marks and leaves it.

const BEGIN: &str = "<!-- mizan-gate sha256:";
const END: &str = " -->";

/// The marks of one pack.
pub struct Mark {
    digest: String,
    total: usize,
}

impl Mark {
    pub fn new(digest: &str, total: usize) -> Self {
        Self {
            digest: digest.to_owned(),
            total,
        }
    }

    /// A comment with its mark. Parts count from 0.
    pub fn on(&self, text: &str, part: usize) -> String {
        let Self { digest, total } = self;
        format!(
            "{}\n\n{BEGIN}{digest} part {}/{total}{END}\n",
            text.trim_end(),
            part + 1
        )
    }

    /// Which part of this pack a comment is. The mark is the last thing in it: what a program printed cannot pass for one.
    pub fn part_of(&self, comment: &str) -> Option<usize> {
        let last = comment.trim_end().rsplit('\n').next()?.trim();
        let inside = last.strip_prefix(BEGIN)?.strip_suffix(END)?;
        let (part, total) = inside
            .strip_prefix(self.digest.as_str())?
            .strip_prefix(" part ")?
            .split_once('/')?;
        let (part, total): (usize, usize) = (part.parse().ok()?, total.parse().ok()?);
        (total == self.total && (1..=total).contains(&part)).then(|| part - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::Mark;

    #[test]
    fn a_comment_is_known_by_its_mark_and_by_nothing_else() {
        let mark = Mark::new("abc", 3);
        let check = |comment: &str, part| assert_eq!(mark.part_of(comment), part, "{comment:?}");
        check(&mark.on("# Report\n", 0), Some(0));
        check(&mark.on("text", 2), Some(2));
        check(&mark.on("text", 1).replace('\n', "\r\n"), Some(1));
        check(mark.on("text", 1).trim_end(), Some(1));
        check(&Mark::new("abd", 3).on("text", 0), None);
        check(&Mark::new("abc", 4).on("text", 0), None);
        check(&Mark::new("abc", 3).on("text", 3), None);
        check(&format!("{} and more", mark.on("text", 0)), None);
        check("text", None);
        check("", None);
    }
}
