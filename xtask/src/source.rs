//! A Rust file, split into code, string literals and comments, so that a rule looks only at what it is about.

/// One piece of text and the line, from 1, on which it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    pub line: usize,
    pub text: String,
}

/// A function with a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    pub name: String,
    /// The line of `fn`, from 1.
    pub line: usize,
    /// From the line of `fn` to that of the closing brace.
    pub lines: usize,
    /// The body, with strings and comments blanked.
    pub body: String,
}

/// What a lexer without a grammar can tell about a Rust file.
#[derive(Debug)]
pub struct Source {
    /// The file with the insides of strings and comments blanked; lines stay where they are.
    pub code: String,
    pub strings: Vec<Piece>,
    pub comments: Vec<Piece>,
    /// First and last line of each `#[cfg(test)]` block.
    test_blocks: Vec<(usize, usize)>,
}

impl Source {
    pub fn parse(text: &str) -> Self {
        let mut lexer = Lexer {
            chars: text.chars().collect(),
            at: 0,
            line: 1,
            code: String::new(),
        };
        let (mut strings, mut comments) = (Vec::new(), Vec::new());
        while lexer.at < lexer.chars.len() {
            match lexer.next_piece() {
                Some(Found::String(piece)) => strings.push(piece),
                Some(Found::Comment(piece)) => comments.push(piece),
                None => {}
            }
        }
        let test_blocks = test_blocks(&lexer.code);
        Self {
            code: lexer.code,
            strings,
            comments,
            test_blocks,
        }
    }

    /// Whether the line is inside a `#[cfg(test)]` block.
    pub fn is_in_tests(&self, line: usize) -> bool {
        self.test_blocks
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&line))
    }

    /// The functions with a body, nested ones too.
    pub fn functions(&self) -> Vec<Function> {
        let mut functions = Vec::new();
        for (at, _) in self.code.match_indices("fn ") {
            let is_word = !self.code[..at].ends_with(|it: char| it.is_alphanumeric() || it == '_');
            let rest = &self.code[at + 3..];
            let name: String = rest
                .chars()
                .take_while(|it| it.is_alphanumeric() || *it == '_')
                .collect();
            if !is_word || name.is_empty() {
                continue;
            }
            let Some(open) = body_start(rest) else { continue };
            let end = block_end(rest, open);
            functions.push(Function {
                name,
                line: line_of(&self.code, at),
                lines: rest[..end].matches('\n').count() + 1,
                body: rest[open..end].to_owned(),
            });
        }
        functions
    }
}

/// The line, from 1, of a byte offset.
pub fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// Where the body of a function begins, or `None` for a declaration. `[u8; 4]` in a signature is no end.
fn body_start(signature: &str) -> Option<usize> {
    let mut depth = 0_i32;
    for (at, it) in signature.char_indices() {
        match it {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            '{' if depth == 0 => return Some(at),
            ';' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

/// Just behind the brace that closes the one at `open`.
fn block_end(code: &str, open: usize) -> usize {
    let mut depth = 0_i32;
    for (at, it) in code[open..].char_indices() {
        match it {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return open + at + 1;
        }
    }
    code.len()
}

fn test_blocks(code: &str) -> Vec<(usize, usize)> {
    let blocks = code.match_indices("#[cfg(test)]").filter_map(|(at, _)| {
        let open = at + body_start(&code[at + "#[cfg(test)]".len()..])? + "#[cfg(test)]".len();
        Some((
            line_of(code, at),
            line_of(code, block_end(code, open).saturating_sub(1)),
        ))
    });
    blocks.collect()
}

enum Found {
    String(Piece),
    Comment(Piece),
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
    line: usize,
    code: String,
}

impl Lexer {
    /// Takes a comment, a literal, or one character of code.
    fn next_piece(&mut self) -> Option<Found> {
        let line = self.line;
        if self.looking_at("//") {
            return Some(Found::Comment(Piece {
                line,
                text: self.blank_until(|it| it.peek(0) == Some('\n')),
            }));
        }
        if self.looking_at("/*") {
            return Some(Found::Comment(Piece {
                line,
                text: self.block_comment(),
            }));
        }
        if let Some(hashes) = self.raw_string() {
            let end: String = std::iter::once('"')
                .chain(std::iter::repeat_n('#', hashes))
                .collect();
            let text = self.blank_until(|it| it.looking_at(&end));
            self.keep(end.len());
            return Some(Found::String(Piece { line, text }));
        }
        match self.peek(0) {
            Some('"') => {
                self.keep(1);
                let text = self.blank_escaped('"');
                Some(Found::String(Piece { line, text }))
            }
            Some('\'') if self.peek(1) == Some('\\') || self.peek(2) == Some('\'') => {
                self.keep(1);
                self.blank_escaped('\'');
                None
            }
            _ => {
                self.keep(1);
                None
            }
        }
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn looking_at(&self, text: &str) -> bool {
        text.chars()
            .enumerate()
            .all(|(ahead, it)| self.peek(ahead) == Some(it))
    }

    /// Copies characters into the code as they are.
    fn keep(&mut self, count: usize) {
        for _ in 0..count {
            let Some(it) = self.peek(0) else { return };
            self.code.push(it);
            self.step(it);
        }
    }

    /// Takes characters out of the code, leaving blanks and line ends.
    fn blank(&mut self) -> Option<char> {
        let it = self.peek(0)?;
        self.code.push(if it == '\n' { '\n' } else { ' ' });
        self.step(it);
        Some(it)
    }

    fn step(&mut self, it: char) {
        self.at += 1;
        self.line += usize::from(it == '\n');
    }

    fn blank_until(&mut self, end: impl Fn(&Self) -> bool) -> String {
        let mut text = String::new();
        while self.at < self.chars.len() && !end(self) {
            text.extend(self.blank());
        }
        text
    }

    /// What stands before an unescaped `quote`, which is kept.
    fn blank_escaped(&mut self, quote: char) -> String {
        let mut text = String::new();
        while let Some(it) = self.peek(0) {
            if it == quote {
                self.keep(1);
                break;
            }
            text.extend(self.blank());
            if it == '\\' {
                text.extend(self.blank());
            }
        }
        text
    }

    /// Block comments nest.
    fn block_comment(&mut self) -> String {
        let (mut text, mut depth) = (String::new(), 0);
        while self.at < self.chars.len() {
            if self.looking_at("/*") {
                depth += 1;
            } else if self.looking_at("*/") {
                depth -= 1;
            } else {
                text.extend(self.blank());
                continue;
            }
            self.blank();
            self.blank();
            if depth == 0 {
                break;
            }
        }
        text
    }

    /// Keeps `r##"` and answers with the number of hashes.
    fn raw_string(&mut self) -> Option<usize> {
        let before = self.at.checked_sub(1).and_then(|it| self.chars.get(it));
        let in_a_word =
            before.is_some_and(|it| (it.is_alphanumeric() && !matches!(it, 'b' | 'c')) || *it == '_');
        if in_a_word || self.peek(0) != Some('r') {
            return None;
        }
        let hashes = (1..=255)
            .take_while(|ahead| self.peek(*ahead) == Some('#'))
            .count();
        if self.peek(hashes + 1) != Some('"') {
            return None;
        }
        self.keep(hashes + 2);
        Some(hashes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_and_comments_are_taken_out_of_the_code() {
        let source = Source::parse(concat!(
            "let a = \"SELECT \\\" 1\"; // note {\n",
            "let b = r#\"raw \" }\"#; /* one /* two */ { */ let c = '{'; let d = 'x'; fn e<'a>(s: &'a str) {}\n",
            "let f = b\"bytes\";\n",
        ));
        let strings: Vec<_> = source
            .strings
            .iter()
            .map(|it| (it.line, it.text.as_str()))
            .collect();
        assert_eq!(strings, [(1, "SELECT \\\" 1"), (2, "raw \" }"), (3, "bytes")]);
        assert_eq!(source.comments.len(), 2);
        assert!(
            !source.code.contains("SELECT") && !source.code.contains("note"),
            "{}",
            source.code
        );
        assert_eq!(source.code.matches('{').count(), source.code.matches('}').count());
        assert_eq!(source.functions()[0].name, "e");
    }

    #[test]
    fn functions_are_measured_from_fn_to_their_brace() {
        let source =
            Source::parse("trait T { fn no_body(&self, x: [u8; 4]); }\nfn f(\n  x: [u8; 4],\n) {\n  {}\n}\n");
        let functions = source.functions();
        assert_eq!(functions.len(), 1, "{functions:?}");
        assert_eq!((functions[0].line, functions[0].lines), (2, 5));
    }

    #[test]
    fn lines_of_test_modules_are_known() {
        let source = Source::parse("fn a() {}\n#[cfg(test)]\nmod tests {\n  fn b() {}\n}\nfn c() {}\n");
        assert_eq!(
            [1, 2, 4, 5, 6].map(|it| source.is_in_tests(it)),
            [false, true, true, true, false]
        );
    }
}
