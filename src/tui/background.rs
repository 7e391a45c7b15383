//! Whether the terminal's background is light: asked once the first picture stands, so that no slow answer
//! keeps anybody waiting, and told apart from what is typed.
//!
//! Limitation: whoever leaves before the answer has come waits a tenth of a second for it; an answer that
//! takes longer is read by the shell.

use std::io::{self, Write};

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};

use super::env::{Colours, Env};
use super::settings::Settings;
use super::terminal;
use super::theme::Preset;

/// OSC 11, the question for the background's colour.
const QUESTION: &[u8] = b"\x1b]11;?\x07";
/// No answer is longer.
const LONGEST: usize = 40;

/// What is known so far.
#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Settled,
    Asked,
    /// An escape came, which may be its beginning.
    Begun,
    Answering(String),
}

/// The question.
#[derive(Debug)]
pub(super) struct Background(State);

/// What an event was to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// Nothing: somebody typed it.
    Nothing,
    /// A part of the answer.
    Part,
    /// Its end; whether the background is light, where that could be read.
    Answer(Option<bool>),
}

impl Background {
    /// Asks, where nobody has said how the terminal looks.
    pub(super) fn ask(colours: Colours, settings: &Settings, env: &Env) -> io::Result<Self> {
        if !unsaid(colours, settings, env) {
            return Ok(Self(State::Settled));
        }
        terminal::expect_answer();
        let mut out = io::stdout();
        out.write_all(QUESTION)?;
        out.flush()?;
        Ok(Self(State::Asked))
    }

    /// Looks at what the terminal sends.
    pub(super) fn hear(&mut self, event: &Event) -> Heard {
        let Event::Key(KeyEvent { code, modifiers, .. }) = event else { return Heard::Nothing };
        let (state, heard) = match (std::mem::replace(&mut self.0, State::Settled), code, *modifiers) {
            (State::Settled, ..) => return Heard::Nothing,
            (State::Asked, KeyCode::Char(']'), KeyModifiers::ALT)
            | (State::Begun, KeyCode::Char(']'), KeyModifiers::NONE) => {
                (State::Answering(String::new()), Heard::Part)
            }
            (State::Asked | State::Begun, KeyCode::Esc, _) => (State::Begun, Heard::Nothing),
            (State::Asked | State::Begun, ..) => (State::Asked, Heard::Nothing),
            (State::Answering(text), KeyCode::Char('g'), KeyModifiers::CONTROL)
            | (State::Answering(text), KeyCode::Char('\\'), KeyModifiers::ALT) => {
                terminal::answer_came();
                (State::Settled, Heard::Answer(is_light(&text)))
            }
            (State::Answering(mut text), KeyCode::Char(c), _) if text.len() < LONGEST => {
                text.push(*c);
                (State::Answering(text), Heard::Part)
            }
            // No answer that anybody gives.
            (State::Answering(_), ..) => (State::Settled, Heard::Nothing),
        };
        self.0 = state;
        heard
    }
}

/// Whether the colours are a guess.
fn unsaid(colours: Colours, settings: &Settings, env: &Env) -> bool {
    let emacs = env.var("TERM").is_some_and(|term| term.starts_with("eterm"));
    colours == Colours::Auto
        && settings.preset.is_none()
        && env.var("COLORFGBG").is_none()
        && env.preset(Colours::Auto) == Preset::Dark
        && !emacs
}

/// Reads `11;rgb:ffff/ffff/ffff`.
fn is_light(text: &str) -> Option<bool> {
    let colour = text.strip_prefix("11;rgb")?.trim_start_matches('a').strip_prefix(':')?;
    let mut parts = colour.split('/').map(|part| {
        let most = 16_u32.checked_pow(part.len() as u32).filter(|_| (1..=4).contains(&part.len()))? - 1;
        Some(f64::from(u32::from_str_radix(part, 16).ok()?) / f64::from(most))
    });
    let (red, green, blue) = (parts.next()??, parts.next()??, parts.next()??);
    Some(0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(code: char, modifiers: KeyModifiers) -> Event {
        Event::Key(KeyEvent::new(KeyCode::Char(code), modifiers))
    }

    fn told(background: &mut Background, text: &str) -> Vec<Heard> {
        text.chars().map(|c| background.hear(&key(c, KeyModifiers::NONE))).collect()
    }

    #[test]
    fn an_answer_is_told_from_what_is_typed() {
        for (last, modifiers) in [('g', KeyModifiers::CONTROL), ('\\', KeyModifiers::ALT)] {
            let mut background = Background(State::Asked);
            assert_eq!(told(&mut background, "j]1"), [Heard::Nothing; 3]);
            assert_eq!(background.hear(&key(']', KeyModifiers::ALT)), Heard::Part);
            assert!(told(&mut background, "11;rgb:ffff/fafa/f0f0").iter().all(|heard| *heard == Heard::Part));
            assert_eq!(background.hear(&key(last, modifiers)), Heard::Answer(Some(true)));
            assert_eq!(background.hear(&key(']', KeyModifiers::ALT)), Heard::Nothing);
        }
    }

    #[test]
    fn an_escape_that_came_alone_may_begin_it() {
        let mut background = Background(State::Asked);
        assert_eq!(background.hear(&Event::Key(KeyCode::Esc.into())), Heard::Nothing);
        assert_eq!(told(&mut background, "]11;rgb:0/0/0"), [Heard::Part; 13]);
        assert_eq!(background.hear(&key('g', KeyModifiers::CONTROL)), Heard::Answer(Some(false)));
    }

    #[test]
    fn what_never_ends_takes_no_more_keys() {
        let mut background = Background(State::Asked);
        background.hear(&key(']', KeyModifiers::ALT));
        let heard = told(&mut background, &"x".repeat(60));
        assert_eq!(heard.iter().filter(|heard| **heard == Heard::Part).count(), LONGEST);
    }

    #[test]
    fn colours_are_read_in_all_their_lengths() {
        for (text, light) in [
            ("11;rgb:ffff/ffff/ffff", Some(true)),
            ("11;rgb:1e/1e/2e", Some(false)),
            ("11;rgba:f/f/f/f", Some(true)),
            ("11;rgb:0000/0000/ffff", Some(false)),
            ("11;rgb:zz/00/00", None),
            ("11;rgb:fffff/0/0", None),
            ("11;rgb://", None),
            ("10;rgb:ffff/ffff/ffff", None),
        ] {
            assert_eq!(is_light(text), light, "{text}");
        }
    }

    #[test]
    fn it_is_asked_only_where_nobody_said_it() {
        let env = |more: (&'static str, &'static str)| Env::of(&[("TERM", "xterm-256color"), more]);
        let nothing = Settings::default();
        assert!(unsaid(Colours::Auto, &nothing, &env(("X", "y"))));
        assert!(!unsaid(Colours::Never, &nothing, &env(("X", "y"))));
        for more in [("COLORFGBG", "15;0"), ("NO_COLOR", "1"), ("TERM", "linux"), ("TERM", "eterm-256color")]
        {
            assert!(!unsaid(Colours::Auto, &nothing, &env(more)), "{more:?}");
        }
        let said = Settings { preset: Some(Preset::Dark), ..Settings::default() };
        assert!(!unsaid(Colours::Auto, &said, &env(("X", "y"))));
    }
}
