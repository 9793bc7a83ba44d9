//! What remains of output on a screen: without colours and other control sequences, and of a line that is
//! written over and over (a progress bar) its last state.

/// How far up a program may go, for bars below bars, and how long what it goes over may be, in bytes.
const MOST_BELOW: usize = 16;
const LONGEST_PASSED: usize = 1024;
/// How often, in one text: a program must not make us copy lines for ever.
const MOST_MOVES: u32 = 100_000;

/// Text as it comes, made plain.
#[derive(Debug, Default)]
pub struct Screen {
    text: String,
    /// What a carriage return goes back to, as a position in the text.
    line: usize,
    /// A carriage return came: what comes next is written over the line.
    returned: bool,
    escape: Escape,
    /// Where what this stream has written in a row begins: it goes no further up.
    floor: usize,
    /// The lines below the cursor, the next one last.
    below: Vec<String>,
    /// How often it went up.
    moves: u32,
    /// It has one line only, of which nothing is written over.
    flat: bool,
}

/// How far into a control sequence (ECMA-48) the text is.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
enum Escape {
    /// Not in one.
    #[default]
    None,
    /// After ESC.
    Begun,
    /// After ESC and characters that say that one more comes.
    Longer,
    /// In `ESC [`, with what came of its parameters.
    Control(String),
    /// In a string, such as a window's title.
    Text,
    /// In a string, after ESC.
    TextEnd,
}

impl Screen {
    /// One that shows a single line, of which nothing is written over: for words of others beside ours.
    pub fn flat() -> Self {
        Self { flat: true, ..Self::default() }
    }

    /// Another stream begins, or goes on: what the one before it has written is not written over.
    pub fn turn(&mut self) {
        self.settle();
        self.go_down();
        self.line = self.text.len();
        self.floor = self.line;
        self.escape = Escape::None;
    }

    /// Takes what was written.
    pub fn write(&mut self, text: &str) {
        text.chars().for_each(|character| self.take(character));
    }

    /// Takes text of ours, on lines of its own.
    pub fn say(&mut self, text: &str) {
        self.turn();
        self.begin_line();
        self.text.push_str(text);
        self.begin_line();
        self.line = self.text.len();
    }

    /// Nothing of what was written remains.
    pub fn clear(&mut self) {
        *self = Self { flat: self.flat, ..Self::default() };
    }

    /// All of it.
    pub fn finish(mut self) -> String {
        self.settle();
        self.go_down();
        self.text
    }

    fn begin_line(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
    }

    /// A carriage return before nothing writes nothing over.
    fn settle(&mut self) {
        self.returned = false;
    }

    /// Puts the lines below the cursor where they belong.
    fn go_down(&mut self) {
        while let Some(line) = self.below.pop() {
            self.text.push('\n');
            self.text.push_str(&line);
        }
    }

    /// `CUU`, `CPL`: so many lines up, as far as they are short and of the same stream.
    fn go_up(&mut self, parameters: &str) {
        let count = parameters.parse().unwrap_or(1_usize).max(1);
        for _ in 0..count.min(MOST_BELOW) {
            let is_long = self.text.len() - self.line > LONGEST_PASSED;
            if self.line <= self.floor || self.below.len() == MOST_BELOW || is_long {
                return;
            }
            let end = self.line - 1;
            let from = self.floor.max(end.saturating_sub(LONGEST_PASSED));
            let line = match self.text.as_bytes()[from..end].iter().rposition(|&one| one == b'\n') {
                Some(at) => from + at + 1,
                None if from == self.floor => from,
                None => return,
            };
            if self.moves == MOST_MOVES {
                return;
            }
            self.moves += 1;
            let passed = self.text.split_off(self.line);
            self.below.push(if passed.trim().is_empty() { String::new() } else { passed });
            self.text.truncate(end);
            self.line = line;
            self.settle();
        }
    }

    fn take(&mut self, character: char) {
        match std::mem::take(&mut self.escape) {
            Escape::None => self.plain(character),
            Escape::Begun => match character {
                '[' => self.escape = Escape::Control(String::new()),
                ']' | 'P' | 'X' | '^' | '_' => self.escape = Escape::Text,
                ' '..='/' => self.escape = Escape::Longer,
                '0'..='~' => {}
                other => self.plain(other),
            },
            Escape::Longer => match character {
                ' '..='/' => self.escape = Escape::Longer,
                '0'..='~' => {}
                other => self.plain(other),
            },
            Escape::Control(mut parameters) => match character {
                ' '..='?' => {
                    // Nobody means a longer one.
                    if parameters.len() < 32 {
                        parameters.push(character);
                    }
                    self.escape = Escape::Control(parameters);
                }
                'K' => self.erase(&parameters),
                'A' | 'F' if !self.flat => self.go_up(&parameters),
                '@'..='~' => {}
                other => self.plain(other),
            },
            // One that is never ended must not hide everything else: it ends with its line.
            Escape::Text => match character {
                '\u{7}' | '\u{9c}' => {}
                '\u{1b}' => self.escape = Escape::TextEnd,
                '\n' => self.plain(character),
                _ => self.escape = Escape::Text,
            },
            Escape::TextEnd => match character {
                '\\' => {}
                other => {
                    self.escape = Escape::Begun;
                    self.take(other);
                }
            },
        }
    }

    fn plain(&mut self, character: char) {
        match character {
            '\u{1b}' => self.escape = Escape::Begun,
            '\u{9b}' => self.escape = Escape::Control(String::new()),
            '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}' => self.escape = Escape::Text,
            '\r' | '\n' | '\u{8}' if self.flat => self.text.push(' '),
            '\r' => self.returned = true,
            '\n' => {
                self.settle();
                self.text.push('\n');
                self.line = self.text.len();
                if let Some(line) = self.below.pop() {
                    self.text.push_str(&line);
                    self.returned = true;
                }
            }
            // It goes one back, and most programs write over what was there.
            '\u{8}' => {
                if !self.returned && self.text.len() > self.line {
                    self.text.pop();
                }
            }
            '\t' => self.put('\t'),
            control if control.is_control() => {}
            other => self.put(other),
        }
    }

    fn put(&mut self, character: char) {
        if self.returned {
            self.text.truncate(self.line);
            self.settle();
        }
        self.text.push(character);
    }

    /// `EL`: from the cursor on, or the whole line. Where the cursor is inside of a line is not known.
    fn erase(&mut self, parameters: &str) {
        if !self.flat && (self.returned || parameters == "2") {
            self.text.truncate(self.line);
            self.settle();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Screen;

    fn plain(text: &str) -> String {
        let mut screen = Screen::default();
        screen.write(text);
        screen.finish()
    }

    #[test]
    fn colours_go_and_lines_keep_their_last_state() {
        for (written, seen) in [
            ("\u{1b}[31mred\u{1b}[0m\n", "red\n"),
            ("\u{1b}[38;2;1;2;3mx\u{1b}[m", "x"),
            ("\r 10%\r 20%\r100%\n", "100%\n"),
            ("one\r\ntwo\r\n", "one\ntwo\n"),
            ("kept\r", "kept"),
            ("half\r\u{1b}[Kdone\n", "done\n"),
            ("\u{1b}[2K\rline\n", "line\n"),
            ("gone\r\u{1b}[K", ""),
            ("\u{1b}]0;title\u{7}text", "text"),
            ("\u{1b}]0;title\u{1b}\\text", "text"),
            ("\u{1b}]never ended\nnext", "\nnext"),
            ("\u{1b}(Bascii", "ascii"),
            ("\u{9b}1mC1\u{9b}0m", "C1"),
            ("|\u{8}/\u{8}-\n", "-\n"),
            ("a\u{0}b\u{7}c\u{7f}\td\u{85}", "abc\td"),
            ("cut off\u{1b}[3", "cut off"),
            ("täglich € 😀\n", "täglich € 😀\n"),
            // A bar within a bar, as tqdm draws them: the inner one goes away in the end.
            ("\r0/2\n\r0/9\u{1b}[A\n\r9/9\u{1b}[A\r1/2\n\r   \r\u{1b}[A\r2/2", "2/2\n"),
            ("a\nb\u{1b}[A\rc\nd", "c\nd"),
            ("a\nb\nc\u{1b}[2A\rx", "x\nb\nc"),
            ("a\nb\u{1b}[F\u{1b}[2Kc\n", "c\nb"),
            ("up\u{1b}[A\u{1b}[99Astays", "upstays"),
        ] {
            assert_eq!(plain(written), seen, "{written:?}");
        }
    }

    #[test]
    fn a_stream_writes_over_nothing_of_the_other() {
        let mut screen = Screen::default();
        screen.write("result");
        screen.turn();
        screen.write("\r10%\r20%");
        assert_eq!(screen.finish(), "result20%");
    }

    proptest::proptest! {
        #[test]
        fn nothing_that_controls_a_terminal_is_left(
            parts in proptest::collection::vec("[\u{0}-\u{1f}\\[\\]0-9;mK\u{7f}-\u{9f}a-z]{0,9}|.{0,9}", 0..9),
        ) {
            let mut screen = Screen::default();
            for part in &parts {
                screen.write(part);
                screen.turn();
            }
            let text = screen.finish();
            let is_plain = |one: char| matches!(one, '\n' | '\t') || !one.is_control();
            proptest::prop_assert!(text.chars().all(is_plain), "{:?}", text);
            let written: usize = parts.iter().map(String::len).sum();
            proptest::prop_assert!(text.len() <= written);
        }

        #[test]
        fn plain_text_stays_as_it_is(text in "[a-zäß€😀 \n\t]{0,80}") {
            proptest::prop_assert_eq!(plain(&text), text);
        }
    }
}
