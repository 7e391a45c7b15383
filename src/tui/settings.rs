//! The settings file: theme, glyphs, mouse, editor, keys. Few, each with a default.
//!
//! An unknown key is a warning with its line and the nearest name; nothing here stops the program.

use toml_edit::{Document, Item, TableLike};

use super::keymap::Keymap;
use super::spelling::nearest;
use super::theme::Preset;
use crate::input::source::Source;

/// The commented default, as `katascope settings` prints it.
pub const DEFAULT: &str = "\
# katascope: settings of the terminal program. Every line is optional.

# dark, light, 16 (the terminal's own colours) or mono.  Default: by the environment and the terminal's answer.
# theme = \"dark\"

# unicode or ascii.  Default: by TERM and the locale.
# glyphs = \"unicode\"

# Whether the mouse is taken at the start; M changes it.
# mouse = false

# Whether what is opened is offered again by F: names only, in $XDG_STATE_HOME/katascope (~/.local/state).
# recent = true

# The editor behind E, with arguments.  Default: $VISUAL, $EDITOR, vi.
# editor = \"vim\"

# Keys by command name (the palette shows the names); a list replaces, an empty list unbinds.
[keys]
# save = [\"w\", \"ctrl-s\"]
# suspend = []
";

const NAMES: [&str; 6] = ["theme", "glyphs", "mouse", "recent", "editor", "keys"];

/// What the file says.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The theme.
    pub preset: Option<Preset>,
    /// ASCII glyphs only.
    pub ascii: Option<bool>,
    /// Take the mouse at the start.
    pub mouse: bool,
    /// Whether what is opened is remembered; so it is where nothing is said.
    pub recent: Option<bool>,
    /// The editor.
    pub editor: Option<String>,
    /// The keys.
    pub keymap: Keymap,
    /// What was wrong, with the line.
    pub warnings: Vec<String>,
}

impl Settings {
    /// Reads a settings file.
    pub fn read(source: &Source) -> Self {
        let mut settings = Self::default();
        let document = match Document::parse(source.text.as_ref()) {
            Ok(document) => document,
            Err(e) => {
                let place = source.place(e.span().map_or(0, |s| s.start));
                settings.warnings.push(format!("{place}: {}; settings are not used", e.message().trim()));
                return settings;
            }
        };
        for (name, item) in document.as_table().iter() {
            let at = document.as_table().key(name).and_then(|k| k.span()).map_or(0, |s| s.start);
            for (at, problem) in settings.take(name, item, at) {
                settings.warnings.push(format!("{}: {problem}", source.place(at)));
            }
        }
        settings
    }

    /// Takes one setting; what is wrong with it, and where.
    fn take(&mut self, name: &str, item: &Item, at: usize) -> Vec<(usize, String)> {
        match (name, item.as_table_like()) {
            ("keys", Some(table)) => self.rebind(table, at),
            ("keys", None) => vec![(at, "keys wants a table: [keys]".into())],
            _ => self.take_one(name, item).err().map(|problem| (at, problem)).into_iter().collect(),
        }
    }

    fn take_one(&mut self, name: &str, item: &Item) -> Result<(), String> {
        let text = || item.as_str().ok_or_else(|| format!("{name} wants a text in quotes"));
        match name {
            "theme" => {
                let value = text()?;
                let names: Vec<&str> = Preset::NAMES.iter().map(|(n, _)| *n).collect();
                self.preset =
                    Some(Preset::parse(value).ok_or_else(|| {
                        format!("no theme is named '{value}'; there are {}", names.join(", "))
                    })?);
            }
            "glyphs" => match text()? {
                "unicode" => self.ascii = Some(false),
                "ascii" => self.ascii = Some(true),
                other => return Err(format!("glyphs is unicode or ascii, not '{other}'")),
            },
            "mouse" => self.mouse = item.as_bool().ok_or("mouse is true or false")?,
            "recent" => self.recent = Some(item.as_bool().ok_or("recent is true or false")?),
            "editor" => self.editor = Some(text()?.to_owned()),
            other => {
                return Err(format!(
                    "no setting is named '{other}'; the nearest is '{}'",
                    nearest(other, NAMES.into_iter())
                ));
            }
        }
        Ok(())
    }

    fn rebind(&mut self, table: &dyn TableLike, at: usize) -> Vec<(usize, String)> {
        let mut problems = Vec::new();
        for (name, item) in table.iter() {
            let at = table.key(name).and_then(|k| k.span()).map_or(at, |s| s.start);
            let chords: Option<Vec<String>> = match (item.as_str(), item.as_array()) {
                (Some(one), _) => Some(vec![one.to_owned()]),
                (None, Some(many)) => many.iter().map(|v| v.as_str().map(str::to_owned)).collect(),
                (None, None) => None,
            };
            match chords {
                Some(chords) => {
                    problems.extend(self.keymap.rebind(name, &chords).err().map(|e| (at, e.to_string())));
                }
                None => problems.push((at, format!("{name} wants a key or a list of keys, in quotes"))),
            }
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Settings {
        Settings::read(&Source::new("config.toml", text))
    }

    #[test]
    fn the_commented_default_says_nothing_and_is_valid_uncommented() {
        assert_eq!(read(DEFAULT).warnings, Vec::<String>::new());
        let uncommented: String = DEFAULT
            .lines()
            .map(|l| match l.strip_prefix("# ") {
                Some(rest) if rest.contains(" = ") => format!("{rest}\n"),
                _ => format!("{l}\n"),
            })
            .collect();
        let settings = read(&uncommented);
        assert_eq!(settings.warnings, Vec::<String>::new());
        assert_eq!(
            (settings.preset, settings.ascii, settings.mouse),
            (Some(Preset::Dark), Some(false), false)
        );
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let settings = read("them = \"dark\"\nmouse = 1\n[keys]\nsav = \"w\"\n");
        assert_eq!(
            settings.warnings,
            [
                "config.toml:1:1: no setting is named 'them'; the nearest is 'theme'",
                "config.toml:2:1: mouse is true or false",
                "config.toml:4:1: no command is named 'sav'; the nearest is 'save'",
            ]
        );
    }

    #[test]
    fn a_broken_file_changes_nothing() {
        let settings = read("theme = ");
        assert!(settings.preset.is_none() && settings.warnings.len() == 1);
    }
}
