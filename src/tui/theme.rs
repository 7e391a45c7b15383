//! Tokens named by meaning, and the presets that give each its look.
//!
//! The only file that names colours. Every meaning also has a glyph or a word, so that mono tells
//! the same story. The user's default foreground and background are kept wherever possible.

use ratatui::style::{Color, Modifier, Style};

use crate::answer::verdict::Status;

/// What a piece of text means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Token {
    Text,
    Strong,
    Muted,
    Heading,
    Title,
    Border,
    Focus,
    Header,
    Allowed,
    Refused,
    Overridden,
    Ignored,
    Open,
    Changed,
    Added,
    Removed,
    AddedWord,
    RemovedWord,
    Origin,
    Risk,
    Dirty,
    Selection,
    SelectionIdle,
    Hint,
    Key,
    Match,
    Input,
    BadgeGood,
    BadgeBad,
    /// The outcome where it rests on what nobody has looked at.
    BadgeAssumed,
}

/// Which preset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Preset {
    /// 256 colours on a dark background.
    #[default]
    Dark,
    /// 256 colours on a light background.
    Light,
    /// The terminal's own 16 colours.
    Sixteen,
    /// No colour at all.
    Mono,
}

impl Preset {
    /// The names of the settings file.
    pub const NAMES: [(&'static str, Self); 4] =
        [("dark", Self::Dark), ("light", Self::Light), ("16", Self::Sixteen), ("mono", Self::Mono)];

    /// The preset of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(n, _)| *n == name).map(|(_, preset)| *preset)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, preset)| *preset == self).map_or("dark", |(name, _)| name)
    }

    /// The next one, round and round.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Dark => Self::Light,
            Self::Light => Self::Sixteen,
            Self::Sixteen => Self::Mono,
            Self::Mono => Self::Dark,
        }
    }
}

/// The signs that stand beside words.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs)]
pub struct Glyphs {
    pub ascii: bool,
    pub pass: &'static str,
    pub fail: &'static str,
    pub overridden: &'static str,
    pub ignored: &'static str,
    pub dropped: &'static str,
    pub unknown: &'static str,
    pub assumed: &'static str,
    pub pointer: &'static str,
    pub dirty: &'static str,
    pub ellipsis: &'static str,
    pub dot: &'static str,
    pub dash: &'static str,
    pub arrow: &'static str,
    pub fold: &'static str,
    pub bar: &'static str,
    pub moved: &'static str,
    pub differs: &'static str,
    pub baseline: &'static str,
    /// Folded and unfolded groups.
    pub groups: [&'static str; 2],
    /// The pieces of an outcome bar: refused, starts, neither.
    pub bars: [&'static str; 3],
    /// Sorted downwards and upwards.
    pub sorted: [&'static str; 2],
    /// horizontal, vertical, then the corners ┌ ┐ └ ┘ and the tees ┬ ┴
    pub frame: [&'static str; 8],
}

const UNICODE: Glyphs = Glyphs {
    ascii: false,
    pass: "✓",
    fail: "✗",
    overridden: "↷",
    ignored: "○",
    dropped: "↓",
    unknown: "?",
    assumed: "≈",
    pointer: "▸",
    dirty: "●",
    ellipsis: "…",
    dot: "·",
    dash: "—",
    arrow: "→",
    fold: "⋯",
    bar: "│",
    moved: "⇅",
    differs: "≠",
    baseline: "◆",
    groups: ["+", "-"],
    bars: ["█", "━", "·"],
    sorted: ["▾", "▴"],
    frame: ["─", "│", "┌", "┐", "└", "┘", "┬", "┴"],
};

const ASCII: Glyphs = Glyphs {
    ascii: true,
    pass: "+",
    fail: "x",
    overridden: "~",
    ignored: "o",
    dropped: "v",
    unknown: "?",
    assumed: "%",
    pointer: ">",
    dirty: "*",
    ellipsis: "~",
    dot: "-",
    dash: "-",
    arrow: "->",
    fold: "..",
    bar: "|",
    moved: "^",
    differs: "!",
    baseline: "#",
    groups: ["+", "-"],
    bars: ["#", "=", "."],
    sorted: ["v", "^"],
    frame: ["-", "|", "+", "+", "+", "+", "+", "+"],
};

/// A preset with its glyphs: what views draw with.
#[derive(Debug, Clone, Copy)]
pub struct Theme {
    /// The preset.
    pub preset: Preset,
    /// The signs.
    pub glyphs: Glyphs,
}

impl Theme {
    /// A theme; `ascii` for fonts and consoles without line drawing.
    pub fn new(preset: Preset, ascii: bool) -> Self {
        Self { preset, glyphs: if ascii { ASCII } else { UNICODE } }
    }

    /// The look of a token. A token without a look of its own has its parent's.
    pub fn style(&self, token: Token) -> Style {
        match self.preset {
            Preset::Dark => dark(token),
            Preset::Light => light(token),
            Preset::Sixteen => sixteen(token),
            Preset::Mono => mono(token),
        }
    }

    /// The sign of a status.
    pub fn status_glyph(&self, status: Status) -> &'static str {
        match status {
            Status::Applied => self.glyphs.pass,
            Status::Overridden => self.glyphs.overridden,
            Status::Ignored => self.glyphs.ignored,
            Status::Refused | Status::Invalid => self.glyphs.fail,
            Status::Dropped => self.glyphs.dropped,
            Status::Unknown => self.glyphs.unknown,
        }
    }
}

/// The token of a status.
pub fn status_token(status: Status) -> Token {
    match status {
        Status::Applied => Token::Allowed,
        Status::Overridden => Token::Overridden,
        Status::Ignored | Status::Dropped | Status::Unknown => Token::Ignored,
        Status::Refused | Status::Invalid => Token::Refused,
    }
}

fn plain() -> Style {
    Style::new()
}

fn fg(index: u8) -> Style {
    Style::new().fg(Color::Indexed(index))
}

fn dark(token: Token) -> Style {
    match token {
        Token::Text | Token::Input => plain(),
        Token::Strong => plain().add_modifier(Modifier::BOLD),
        Token::Muted => fg(248),
        Token::Heading => fg(110).add_modifier(Modifier::BOLD),
        Token::Title => fg(153).add_modifier(Modifier::BOLD),
        Token::Border => fg(242),
        Token::Focus => fg(117).add_modifier(Modifier::BOLD),
        Token::Header => Style::new().fg(Color::Indexed(255)).bg(Color::Indexed(236)),
        Token::Allowed => fg(114),
        Token::Refused => fg(210).add_modifier(Modifier::BOLD),
        Token::Overridden => fg(215),
        Token::Ignored => fg(222),
        Token::Open => fg(147),
        Token::Changed => fg(215),
        Token::Added => fg(114),
        Token::Removed => fg(210),
        Token::AddedWord => Style::new().fg(Color::Indexed(194)).bg(Color::Indexed(22)),
        Token::RemovedWord => Style::new().fg(Color::Indexed(224)).bg(Color::Indexed(52)),
        Token::Origin => fg(146),
        Token::Risk => fg(216),
        Token::Dirty => fg(221).add_modifier(Modifier::BOLD),
        Token::Selection => Style::new().bg(Color::Indexed(238)),
        Token::SelectionIdle => Style::new().bg(Color::Indexed(236)),
        Token::Hint => fg(250),
        Token::Key => fg(117).add_modifier(Modifier::BOLD),
        Token::Match => fg(221).add_modifier(Modifier::UNDERLINED),
        Token::BadgeGood => {
            Style::new().fg(Color::Indexed(16)).bg(Color::Indexed(114)).add_modifier(Modifier::BOLD)
        }
        Token::BadgeBad => {
            Style::new().fg(Color::Indexed(16)).bg(Color::Indexed(210)).add_modifier(Modifier::BOLD)
        }
        Token::BadgeAssumed => {
            Style::new().fg(Color::Indexed(16)).bg(Color::Indexed(117)).add_modifier(Modifier::BOLD)
        }
    }
}

fn light(token: Token) -> Style {
    match token {
        Token::Text | Token::Input => plain(),
        Token::Strong => plain().add_modifier(Modifier::BOLD),
        Token::Muted => fg(240),
        Token::Heading => fg(24).add_modifier(Modifier::BOLD),
        Token::Title => fg(25).add_modifier(Modifier::BOLD),
        Token::Border => fg(245),
        Token::Focus => fg(26).add_modifier(Modifier::BOLD),
        Token::Header => Style::new().fg(Color::Indexed(232)).bg(Color::Indexed(253)),
        Token::Allowed => fg(28),
        Token::Refused => fg(160).add_modifier(Modifier::BOLD),
        Token::Overridden => fg(130),
        Token::Ignored => fg(94),
        Token::Open => fg(55),
        Token::Changed => fg(130),
        Token::Added => fg(28),
        Token::Removed => fg(160),
        Token::AddedWord => Style::new().fg(Color::Indexed(22)).bg(Color::Indexed(157)),
        Token::RemovedWord => Style::new().fg(Color::Indexed(52)).bg(Color::Indexed(217)),
        Token::Origin => fg(60),
        Token::Risk => fg(124),
        Token::Dirty => fg(130).add_modifier(Modifier::BOLD),
        Token::Selection => Style::new().bg(Color::Indexed(153)),
        Token::SelectionIdle => Style::new().bg(Color::Indexed(254)),
        Token::Hint => fg(238),
        Token::Key => fg(25).add_modifier(Modifier::BOLD),
        Token::Match => fg(130).add_modifier(Modifier::UNDERLINED),
        Token::BadgeGood => {
            Style::new().fg(Color::Indexed(231)).bg(Color::Indexed(28)).add_modifier(Modifier::BOLD)
        }
        Token::BadgeBad => {
            Style::new().fg(Color::Indexed(231)).bg(Color::Indexed(160)).add_modifier(Modifier::BOLD)
        }
        Token::BadgeAssumed => {
            Style::new().fg(Color::Indexed(231)).bg(Color::Indexed(25)).add_modifier(Modifier::BOLD)
        }
    }
}

fn sixteen(token: Token) -> Style {
    match token {
        Token::Text | Token::Input | Token::Muted | Token::Hint | Token::Border => plain(),
        Token::Strong | Token::Heading | Token::Title => plain().add_modifier(Modifier::BOLD),
        Token::Focus | Token::Key => Style::new().fg(Color::Cyan).add_modifier(Modifier::BOLD),
        Token::Header | Token::Selection => plain().add_modifier(Modifier::REVERSED),
        Token::SelectionIdle | Token::Match => plain().add_modifier(Modifier::UNDERLINED),
        Token::Allowed | Token::Added => Style::new().fg(Color::Green),
        Token::Refused | Token::Removed => Style::new().fg(Color::Red).add_modifier(Modifier::BOLD),
        Token::Overridden | Token::Ignored | Token::Changed => Style::new().fg(Color::Yellow),
        Token::Open | Token::Origin => Style::new().fg(Color::Cyan),
        Token::Risk => Style::new().fg(Color::Magenta),
        Token::Dirty => Style::new().fg(Color::Yellow).add_modifier(Modifier::BOLD),
        Token::AddedWord => Style::new().fg(Color::Green).add_modifier(Modifier::REVERSED),
        Token::RemovedWord => Style::new().fg(Color::Red).add_modifier(Modifier::REVERSED),
        Token::BadgeGood => Style::new().fg(Color::Black).bg(Color::Green),
        Token::BadgeBad => Style::new().fg(Color::White).bg(Color::Red).add_modifier(Modifier::BOLD),
        Token::BadgeAssumed => Style::new().fg(Color::Black).bg(Color::Cyan),
    }
}

fn mono(token: Token) -> Style {
    match token {
        Token::Strong
        | Token::Heading
        | Token::Title
        | Token::Focus
        | Token::Key
        | Token::Refused
        | Token::Dirty
        | Token::BadgeGood
        | Token::BadgeAssumed => plain().add_modifier(Modifier::BOLD),
        Token::Header | Token::Selection | Token::BadgeBad => plain().add_modifier(Modifier::REVERSED),
        Token::AddedWord | Token::RemovedWord | Token::Match | Token::SelectionIdle => {
            plain().add_modifier(Modifier::UNDERLINED)
        }
        _ => plain(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mono_never_names_a_colour_and_still_tells_statuses_apart() {
        let all = [
            Status::Applied,
            Status::Overridden,
            Status::Ignored,
            Status::Refused,
            Status::Dropped,
            Status::Unknown,
        ];
        for ascii in [false, true] {
            let theme = Theme::new(Preset::Mono, ascii);
            let glyphs: std::collections::BTreeSet<_> = all.iter().map(|s| theme.status_glyph(*s)).collect();
            assert_eq!(glyphs.len(), all.len());
            for status in all {
                let style = theme.style(status_token(status));
                assert_eq!((style.fg, style.bg), (None, None));
            }
        }
    }

    #[test]
    fn presets_are_found_by_their_names() {
        for (name, preset) in Preset::NAMES {
            assert_eq!(Preset::parse(name), Some(preset));
            assert_eq!(preset.name(), name);
        }
        assert_eq!(Preset::parse("solarized"), None);
    }
}
