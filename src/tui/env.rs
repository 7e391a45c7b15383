//! What the environment says, read once: colours, glyphs, editor, folders. Tests make their own.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::theme::Preset;

/// The environment, captured.
#[derive(Debug, Clone, Default)]
pub struct Env {
    variables: BTreeMap<String, String>,
}

/// When colours are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Colours {
    /// As the environment says.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Env {
    /// This process's environment.
    pub fn capture() -> Self {
        let text = |s: std::ffi::OsString| s.into_string().ok();
        Self { variables: std::env::vars_os().filter_map(|(k, v)| Some((text(k)?, text(v)?))).collect() }
    }

    /// An environment made by hand.
    pub fn of(pairs: &[(&str, &str)]) -> Self {
        Self { variables: pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect() }
    }

    /// A variable, where it is set to something.
    pub fn var(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|v| !v.is_empty())
    }

    /// The preset where no setting names one.
    pub fn preset(&self, colours: Colours) -> Preset {
        let term = self.var("TERM").unwrap_or("dumb");
        let quiet = self.var("NO_COLOR").is_some() || matches!(term, "dumb" | "vt100" | "vt102" | "vt220");
        if colours == Colours::Never || (quiet && colours == Colours::Auto) {
            return Preset::Mono;
        }
        let many = term.contains("256color")
            || self.var("COLORTERM").is_some()
            || ["kitty", "alacritty", "ghostty", "foot", "wezterm"].iter().any(|t| term.contains(t));
        if !many {
            return Preset::Sixteen;
        }
        // "15;0" is foreground;background as rxvt, Konsole and others say it.
        let background = self.var("COLORFGBG").and_then(|v| v.rsplit(';').next()?.parse::<u8>().ok());
        if background.is_some_and(|b| b == 7 || (9..=15).contains(&b)) { Preset::Light } else { Preset::Dark }
    }

    /// Whether only ASCII can be trusted to show.
    pub fn ascii(&self) -> bool {
        let term = self.var("TERM").unwrap_or("dumb");
        if matches!(term, "dumb" | "linux" | "vt100" | "vt102" | "vt220") {
            return true;
        }
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| self.var(name));
        locale.is_some_and(|l| {
            let l = l.to_ascii_lowercase();
            !l.contains("utf-8") && !l.contains("utf8") && l != "c" && l != "posix"
        })
    }

    /// The editor as a shell runs it: `$VISUAL`, else `$EDITOR`, else vi.
    pub fn editor(&self, setting: Option<&str>) -> String {
        setting.or_else(|| self.var("VISUAL")).or_else(|| self.var("EDITOR")).unwrap_or("vi").to_owned()
    }

    /// The settings file where no flag names one.
    pub fn settings_path(&self) -> Option<PathBuf> {
        if let Some(path) = self.var("KATASCOPE_CONFIG") {
            return Some(PathBuf::from(path));
        }
        let folder = match self.var("XDG_CONFIG_HOME").filter(|p| p.starts_with('/')) {
            Some(folder) => PathBuf::from(folder),
            None => PathBuf::from(self.var("HOME")?).join(".config"),
        };
        Some(folder.join("katascope/config.toml"))
    }

    /// The folder of what is kept from one run to the next.
    pub fn state_folder(&self) -> Option<PathBuf> {
        let folder = match self.var("XDG_STATE_HOME").filter(|p| p.starts_with('/')) {
            Some(folder) => PathBuf::from(folder),
            None => PathBuf::from(self.var("HOME")?).join(".local/state"),
        };
        Some(folder.join("katascope"))
    }

    /// Whether this is the far end of an SSH connection.
    pub fn remote(&self) -> bool {
        self.var("SSH_CONNECTION").is_some() || self.var("SSH_TTY").is_some()
    }

    /// Whether tmux stands between.
    pub fn tmux(&self) -> bool {
        self.var("TMUX").is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_follow_the_environment() {
        let preset = |pairs: &[(&str, &str)]| Env::of(pairs).preset(Colours::Auto);
        assert_eq!(preset(&[("TERM", "xterm-256color")]), Preset::Dark);
        assert_eq!(preset(&[("TERM", "xterm-256color"), ("COLORFGBG", "0;15")]), Preset::Light);
        assert_eq!(preset(&[("TERM", "linux")]), Preset::Sixteen);
        assert_eq!(preset(&[("TERM", "xterm"), ("NO_COLOR", "1")]), Preset::Mono);
        assert_eq!(preset(&[("TERM", "xterm"), ("NO_COLOR", "")]), Preset::Sixteen);
        assert_eq!(preset(&[]), Preset::Mono);
        assert_eq!(Env::of(&[("TERM", "dumb")]).preset(Colours::Always), Preset::Sixteen);
    }

    #[test]
    fn glyphs_follow_the_locale() {
        assert!(Env::of(&[("TERM", "linux")]).ascii());
        assert!(Env::of(&[("TERM", "xterm"), ("LANG", "de_DE.ISO-8859-1")]).ascii());
        assert!(!Env::of(&[("TERM", "xterm"), ("LANG", "de_DE.UTF-8")]).ascii());
        assert!(!Env::of(&[("TERM", "xterm")]).ascii());
    }

    #[test]
    fn settings_lie_where_xdg_says() {
        let path = |pairs: &[(&str, &str)]| Env::of(pairs).settings_path().map(|p| p.display().to_string());
        assert_eq!(path(&[("HOME", "/h")]).as_deref(), Some("/h/.config/katascope/config.toml"));
        assert_eq!(
            path(&[("HOME", "/h"), ("XDG_CONFIG_HOME", "/x")]).as_deref(),
            Some("/x/katascope/config.toml")
        );
        assert_eq!(path(&[("KATASCOPE_CONFIG", "/k")]).as_deref(), Some("/k"));
        assert_eq!(path(&[]), None);
    }
}
