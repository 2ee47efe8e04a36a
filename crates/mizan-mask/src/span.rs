//! What is to be covered, and with what: the common answer of all three layers.

/// The mark that stands for a secret.
pub(crate) const STARS: &[u8] = b"***";

/// How a span is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cover {
    /// `***`.
    Stars,
    /// `"***"`: a bare JSON value, so that the document stays JSON.
    QuotedStars,
    /// First six and last four digits stay, as PCI DSS 3.4 allows for display.
    Card,
    /// Country and last four characters stay.
    Account,
    /// First label of a name, last two numbers of an address.
    Host,
}

/// Bytes `start..end` of a segment are covered. `context` is where the evidence for it begins (the key of a
/// value, the scheme of an address): a long line is never cut between `context` and `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub context: usize,
    pub start: usize,
    pub end: usize,
    pub cover: Cover,
}

impl Span {
    pub fn stars(context: usize, start: usize, end: usize) -> Self {
        Self {
            context,
            start,
            end,
            cover: Cover::Stars,
        }
    }
}

/// Sorts spans and joins those that overlap. A span inside a wider one takes the wider one's cover; two that
/// merely overlap become stars, so that neither cover shows what the other hides.
pub(crate) fn join(spans: &mut Vec<Span>) {
    spans.sort_unstable_by_key(|it| (it.start, std::cmp::Reverse(it.end)));
    spans.dedup_by(|next, kept| {
        if next.start >= kept.end && !(next.start == kept.end && both_stars(next, kept)) {
            return false;
        }
        kept.context = kept.context.min(next.context);
        let inside = next.end <= kept.end;
        let shows_part = matches!(kept.cover, Cover::Card | Cover::Account | Cover::Host);
        if !inside || (shows_part && next.cover != kept.cover) {
            kept.cover = Cover::Stars;
        }
        kept.end = kept.end.max(next.end);
        true
    });
}

fn both_stars(a: &Span, b: &Span) -> bool {
    a.cover == Cover::Stars && b.cover == Cover::Stars
}

/// Writes `text` to `out` with every span covered. The spans are joined.
pub(crate) fn render(text: &[u8], spans: &[Span], out: &mut Vec<u8>) {
    let mut at = 0;
    for span in spans {
        out.extend_from_slice(&text[at..span.start]);
        cover(&text[span.start..span.end], span.cover, out);
        at = span.end;
    }
    out.extend_from_slice(&text[at..]);
}

fn cover(hidden: &[u8], with: Cover, out: &mut Vec<u8>) {
    match with {
        Cover::Stars => out.extend_from_slice(STARS),
        Cover::QuotedStars => out.extend_from_slice(b"\"***\""),
        Cover::Card => starred(hidden, 6, 4, out),
        Cover::Account => starred(hidden, 2, 4, out),
        Cover::Host => crate::shapes::host::shorten(hidden, out),
    }
}

/// Keeps the first `head` and last `tail` letters or digits, and every separator.
fn starred(hidden: &[u8], head: usize, tail: usize, out: &mut Vec<u8>) {
    let total = hidden.iter().filter(|it| it.is_ascii_alphanumeric()).count();
    let mut seen = 0;
    for &byte in hidden {
        let shown = !byte.is_ascii_alphanumeric() || seen < head || seen + tail >= total;
        seen += usize::from(byte.is_ascii_alphanumeric());
        out.push(if shown { byte } else { b'*' });
    }
}

#[cfg(test)]
mod tests {
    use super::{Cover, Span, join, render};

    fn shown(text: &str, mut spans: Vec<Span>) -> String {
        let mut out = Vec::new();
        join(&mut spans);
        render(text.as_bytes(), &spans, &mut out);
        String::from_utf8(out).expect("ASCII in, ASCII out")
    }

    #[test]
    fn overlapping_and_touching_spans_become_one() {
        let stars = |start, end| Span::stars(start, start, end);
        assert_eq!(
            shown("abcdefgh", vec![stars(4, 6), stars(1, 3), stars(2, 4)]),
            "a***gh"
        );
        assert_eq!(shown("abcdefgh", vec![stars(0, 8), stars(2, 3)]), "***");
    }

    #[test]
    fn a_known_value_inside_a_card_number_hides_the_whole_number() {
        let card = Span {
            context: 0,
            start: 0,
            end: 16,
            cover: Cover::Card,
        };
        assert_eq!(shown("4111111111111111", vec![card]), "411111******1111");
        assert_eq!(shown("4111111111111111", vec![card, Span::stars(0, 0, 8)]), "***");
    }
}
