//! Characters one by one, with up to four steps back, and the line that a message names.
//!
//! Knows nothing of the grammar. The end of the text is the character NUL, which no text may hold. Facts:
//! `lexer` in lex.go of github.com/BurntSushi/toml 1.6.0.

use super::{Dialect, Fault, Spot};

/// The end of the text.
pub(super) const END: char = '\0';

pub(super) struct Cursor<'a> {
    input: &'a [u8],
    /// Where the current item starts.
    pub start: usize,
    pos: usize,
    line: i64,
    widths: [usize; 4],
    at_end: bool,
    /// Whose grammar it is.
    pub dialect: Dialect,
}

impl<'a> Cursor<'a> {
    pub fn new(input: &'a [u8], dialect: Dialect) -> Self {
        Self { input, start: 0, pos: 0, line: 1, widths: [0; 4], at_end: false, dialect }
    }

    /// The text of the current item.
    pub fn current(&self) -> String {
        let bytes = self.input.get(self.start..self.pos).unwrap_or_default();
        String::from_utf8_lossy(bytes).into_owned()
    }

    /// Where the current item stands.
    pub fn spot(&self) -> Spot {
        Spot { line: self.line, offset: self.start }
    }

    /// Ends the current item and gives its text and place.
    pub fn take(&mut self) -> (String, Spot) {
        let item = (self.current(), self.spot());
        self.ignore();
        item
    }

    /// Drops the current item.
    pub fn ignore(&mut self) {
        self.start = self.pos;
    }

    pub fn next(&mut self) -> Result<char, Fault> {
        let Some(byte) = self.input.get(self.pos).copied() else {
            self.at_end = true;
            return Ok(END);
        };
        if byte == b'\n' {
            self.line += 1;
        }
        let [a, b, c, _] = self.widths;
        let Some((c0, width)) = decode(self.input.get(self.pos..).unwrap_or_default()) else {
            return Err(Fault { message: format!("invalid UTF-8 byte: 0x{byte:02x}"), spot: self.spot() });
        };
        let lone_return = c0 == '\r' && self.input.get(self.pos + 1) != Some(&b'\n');
        if lone_return || (c0.is_ascii_control() && !matches!(c0, '\t' | '\r' | '\n')) {
            let message = format!("TOML files cannot contain control characters: '0x{:02x}'", u32::from(c0));
            let offset = self.pos.saturating_sub(1);
            return Err(Fault { message, spot: Spot { line: self.line, offset } });
        }
        self.widths = [width, a, b, c];
        self.pos += width;
        Ok(c0)
    }

    pub fn back(&mut self) {
        if self.at_end {
            self.at_end = false;
            return;
        }
        let [width, a, b, c] = self.widths;
        self.widths = [a, b, c, 0];
        self.pos -= width;
        if self.input.get(self.pos) == Some(&b'\n') {
            self.line -= 1;
        }
    }

    /// Steps over `wanted` if it comes next.
    pub fn accept(&mut self, wanted: char) -> Result<bool, Fault> {
        if self.next()? == wanted {
            return Ok(true);
        }
        self.back();
        Ok(false)
    }

    pub fn peek(&mut self) -> Result<char, Fault> {
        let c = self.next()?;
        self.back();
        Ok(c)
    }

    /// Steps over blanks and drops them.
    pub fn skip_blanks(&mut self) -> Result<(), Fault> {
        while is_blank(self.next()?) {}
        self.back();
        self.ignore();
        Ok(())
    }

    /// Steps over a comment up to its line's end.
    pub fn comment(&mut self) -> Result<(), Fault> {
        loop {
            let c = self.next()?;
            if is_newline(c) || c == END {
                self.back();
                self.ignore();
                return Ok(());
            }
        }
    }

    /// A complaint about where the cursor is; at the end of the text, about the last line with text.
    pub fn fault(&self, message: impl Into<String>) -> Fault {
        let mut spot = self.spot();
        if self.at_end {
            let ended = self.pos >= 1 && self.input.get(self.pos - 1) == Some(&b'\n');
            if ended || self.dialect < Dialect::V1_5 {
                spot.line -= 1;
            }
            spot.offset = self.pos.saturating_sub(1);
        }
        Fault { message: message.into(), spot }
    }

    /// A complaint about the line's end that was just read: in earlier versions it names the next line.
    pub fn fault_at_line_end(&self, message: impl Into<String>) -> Fault {
        match self.dialect >= Dialect::V1_5 {
            true => self.fault_on_previous_line(message),
            false => self.fault(message),
        }
    }

    /// A complaint about the line before.
    pub fn fault_on_previous_line(&self, message: impl Into<String>) -> Fault {
        let spot = Spot { line: self.line - 1, offset: self.pos.saturating_sub(1) };
        Fault { message: message.into(), spot }
    }

    /// Whether the last step met the end.
    pub fn at_end(&self) -> bool {
        self.at_end
    }
}

fn decode(bytes: &[u8]) -> Option<(char, usize)> {
    let first = *bytes.first()?;
    if first.is_ascii() {
        return Some((char::from(first), 1));
    }
    (2..=4).find_map(|width| {
        let text = std::str::from_utf8(bytes.get(..width)?).ok()?;
        text.chars().next().map(|c| (c, width))
    })
}

pub(super) fn is_blank(c: char) -> bool {
    c == '\t' || c == ' '
}

pub(super) fn is_newline(c: char) -> bool {
    c == '\n' || c == '\r'
}
