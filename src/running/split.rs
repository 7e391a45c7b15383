//! Takes a command apart into arguments where a text joined them by blanks.
//!
//! `ps` loses where an argument ends; QEMU's options give it back, since nothing but a value stands between two of
//! them. Facts: the options that govmm and `cmdline_generator.rs` print, and QEMU's own list of options.

use super::program::Program;
use super::record::{Command, Record};
use crate::catalog::lines;

/// What begins a text that is a list of arguments in quotes.
pub const QUOTED: &str = "\u{1}";

/// A command taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Which program.
    pub program: Program,
    /// Its path; none for a piece of a line.
    pub path: Option<String>,
    /// Options and values.
    pub arguments: Vec<Given>,
}

/// An option with its value, as given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Given {
    /// The option.
    pub option: String,
    /// Its value.
    pub value: Option<String>,
    /// The text has lost a blank in it.
    pub damaged: bool,
    /// Option and value came as one argument.
    pub glued: bool,
}

/// QEMU's options that no release of Kata prints.
const QEMU_OWN: &[&str] = &[
    "-serial",
    "-boot",
    "-trace",
    "-msg",
    "-d",
    "-cdrom",
    "-display",
    "-spice",
    "-vnc",
    "-usb",
    "-net",
    "-nic",
    "-enable-kvm",
    "-mon",
    "-readconfig",
    "-watchdog",
    "-accel",
    "-add-fd",
    "-set",
    "-plugin",
    "-overcommit",
    "-mem-path",
    "-mem-prealloc",
    "-tpmdev",
    "-virtfs",
    "-gdb",
    "-s",
    "-no-acpi",
    "-no-hpet",
    "-runas",
    "-run-with",
    "-chroot",
    "-loadvm",
    "-snapshot",
    "-hda",
    "-hdb",
    "-parallel",
    "-debugcon",
    "-icount",
    "-audiodev",
    "-k",
    "-smbios",
    "-acpitable",
    "-L",
    "-dtb",
    "-mtdblock",
    "-sd",
    "-option-rom",
    "-prom-env",
    "-semihosting",
    "-only-migratable",
    "-compat",
    "-action",
    "-echr",
    "-show-cursor",
    "-full-screen",
    "-g",
    "-win2k-hack",
    "-no-fd-bootchk",
    "-fda",
];

/// QEMU's options without a value.
const QEMU_FLAGS: &[&str] = &[
    "-no-user-config",
    "-nodefaults",
    "-nographic",
    "-no-reboot",
    "-daemonize",
    "-no-shutdown",
    "-S",
    "-enable-kvm",
    "-snapshot",
    "-s",
    "-usb",
    "-no-acpi",
    "-no-hpet",
    "-only-migratable",
    "-mem-prealloc",
];

/// The option with one dash, as QEMU takes it.
fn single(word: &str) -> &str {
    word.strip_prefix('-').filter(|rest| rest.starts_with('-') && rest.len() > 1).unwrap_or(word)
}

fn is_qemu_option(word: &str) -> bool {
    word.starts_with('-')
        && (lines::knows("qemu", word)
            || lines::knows("qemu", single(word))
            || QEMU_OWN.contains(&single(word)))
}

/// Whether a line begins with an option of QEMU.
pub fn begins_with_option(line: &str) -> bool {
    line.split_whitespace().next().is_some_and(|word| is_qemu_option(word) || damaged(word).is_some())
}

/// Whether a command is QEMU's, or a piece of one.
pub fn begins_as_qemu(text: &str) -> bool {
    text.starts_with(QUOTED)
        || text.split_whitespace().next().is_some_and(|word| match Program::of_path(word) {
            Some(program) => program == Program::Qemu,
            None => true,
        })
}

/// Whether a word is an option that something has to follow.
pub fn wants_value(word: &str) -> bool {
    word.starts_with('-') && !word.contains('=') && !QEMU_FLAGS.contains(&single(word))
}

/// The last option of a command.
fn last_option(text: &str) -> Option<&str> {
    text.split_whitespace().rev().find(|word| is_qemu_option(word))
}

/// Whether the command has come to what stands last.
pub fn ends(text: &str) -> bool {
    if let Some(list) = text.strip_prefix(QUOTED) {
        return quoted(list).1;
    }
    matches!(last_option(text), Some("-smp"))
        || (last_option(text) == Some("-no-reboot") && text.trim_end().ends_with("-no-reboot"))
}

/// Whether the command stands in the guest's parameters, which are words of their own.
pub fn inside_append(text: &str) -> bool {
    last_option(text) == Some("-append")
}

/// `-devicepcie-root-port`: an option and a value that lost the blank between them.
fn damaged(word: &str) -> Option<(&str, &str)> {
    ["-device", "-object", "-chardev", "-netdev", "-machine", "-append", "-kernel"].iter().find_map(
        |option| {
            let rest = word
                .strip_prefix(option)
                .filter(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()))?;
            (!is_qemu_option(word)).then(|| (word.get(..option.len()).unwrap_or_default(), rest))
        },
    )
}

/// The arguments of a list in quotes, `"a" "b"` or `\"a\" \"b\"`, and whether the list came to its end.
pub fn quoted(text: &str) -> (Vec<String>, bool) {
    let plain = text.replace("\\\"", "\"");
    let mut rest = plain.as_str();
    let mut found = Vec::new();
    loop {
        rest = rest.trim_start_matches([' ', ',', '[']);
        let Some(begun) = rest.strip_prefix('"') else { return (found, true) };
        match begun.split_once('"') {
            Some((word, more)) => {
                found.push(word.to_owned());
                rest = more;
            }
            None => {
                let cut = begun.trim_end();
                if !cut.is_empty() {
                    found.push(cut.to_owned());
                }
                return (found, false);
            }
        }
    }
}

/// Takes a command apart.
pub fn split(record: &Record) -> Option<Split> {
    match &record.command {
        Command::Exact(argv) => exact(argv.iter().map(String::as_str).collect()),
        Command::Joined(text) => match text.strip_prefix(QUOTED) {
            Some(list) => exact(quoted(list).0.iter().map(String::as_str).collect()),
            None => joined(text, record.missing.front),
        },
    }
}

/// Takes an exact command apart, the program's name first.
pub fn of_argv(argv: Vec<String>) -> Option<Split> {
    exact(argv.iter().map(String::as_str).collect())
}

fn exact(argv: Vec<&str>) -> Option<Split> {
    let (path, rest) = argv.split_first()?;
    let program = Program::of_path(path).unwrap_or(Program::Other);
    let mut arguments: Vec<Given> = Vec::new();
    let mut words = rest.iter().copied().peekable();
    while let Some(word) = words.next() {
        let qemu = matches!(program, Program::Qemu | Program::StratoVirt);
        if qemu && let Some((option, value)) = word.split_once(' ').filter(|(o, _)| is_qemu_option(o)) {
            let value = Some(value.to_owned());
            arguments.push(Given { option: option.to_owned(), value, glued: true, ..Given::default() });
            continue;
        }
        let takes = if qemu {
            word.starts_with('-') && !QEMU_FLAGS.contains(&single(word)) && word != "-disable-seccomp"
        } else {
            word.starts_with('-') && !word.contains('=') && program.takes_value(word)
        };
        // -D of StratoVirt has none.
        let value =
            if takes { words.next_if(|next| !next.starts_with('-') || next.contains(' ')) } else { None };
        arguments.push(given(word, value, program));
    }
    Some(Split { program, path: Some((*path).to_owned()), arguments })
}

fn given(word: &str, value: Option<&str>, program: Program) -> Given {
    match (value, word.split_once('=')) {
        (None, Some((option, value))) if program != Program::Qemu && option.starts_with("--") => {
            Given { option: option.to_owned(), value: Some(value.to_owned()), ..Given::default() }
        }
        _ => Given { option: word.to_owned(), value: value.map(str::to_owned), ..Given::default() },
    }
}

/// Without the causes that `show launch` writes beside the arguments.
fn without_causes(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("`#") {
        kept.push_str(before);
        rest = after.split_once('`').map_or("", |(_, after)| after);
    }
    kept.push_str(rest);
    kept
}

fn joined(text: &str, piece: bool) -> Option<Split> {
    let cleaned;
    let text = if text.contains("`#") {
        cleaned = without_causes(text);
        cleaned.as_str()
    } else {
        text
    };
    let first = text.split_whitespace().next()?;
    let known = Program::of_path(first);
    if known.is_none() && piece {
        return Some(Split { program: Program::Qemu, path: None, arguments: qemu_words(text) });
    }
    let Some(program) = known else {
        let arguments = others(Program::Other, text);
        return Some(Split { program: Program::Other, path: Some(first.to_owned()), arguments });
    };
    let rest = text.trim_start().get(first.len()..).unwrap_or_default();
    let arguments = match program {
        Program::Qemu | Program::StratoVirt => qemu_words(rest),
        _ => others(program, &format!("- {rest}")),
    };
    Some(Split { program, path: Some(unquote(first).to_owned()), arguments })
}

fn others(program: Program, text: &str) -> Vec<Given> {
    let mut words: Vec<&str> = text.split_whitespace().skip(1).collect();
    words.insert(0, "");
    exact(words).map(|split| split.arguments).unwrap_or_default().into_iter().fold(
        Vec::new(),
        |mut all, given| {
            // What takes a value depends on the program, which `exact` did not know.
            let last: Option<&mut Given> = all.last_mut();
            match last {
                Some(last)
                    if last.value.is_none()
                        && !given.option.starts_with('-')
                        && program.takes_value(&last.option)
                        && last.option.starts_with('-') =>
                {
                    last.value = Some(given.option);
                }
                _ if given.value.is_some()
                    && !given.option.starts_with("--")
                    && !program.takes_value(&given.option) =>
                {
                    let value = given.value.unwrap_or_default();
                    all.push(Given { option: given.option, ..Given::default() });
                    all.push(Given { option: value, ..Given::default() });
                }
                _ => all.push(given),
            }
            all
        },
    )
}

/// Options of QEMU or StratoVirt, each with the words up to the next.
fn qemu_words(text: &str) -> Vec<Given> {
    let mut found: Vec<Given> = Vec::new();
    let mut quote: Option<char> = None;
    for word in text.split_whitespace() {
        let inside = quote.is_some();
        if !inside && let Some((option, value)) = damaged(word) {
            found.push(Given {
                option: option.to_owned(),
                value: Some(value.to_owned()),
                damaged: true,
                glued: false,
            });
            continue;
        }
        let in_append = found.last().is_some_and(|g| g.option == "-append");
        let looks = word.starts_with('-')
            && word.trim_start_matches('-').starts_with(|c: char| c.is_ascii_alphabetic());
        let option = is_qemu_option(word) || word == "-disable-seccomp" || (looks && !in_append);
        if !inside && option {
            found.push(Given { option: word.to_owned(), ..Given::default() });
            continue;
        }
        match found.last_mut() {
            None => found.push(Given { option: word.to_owned(), damaged: true, ..Given::default() }),
            Some(last) => {
                match &mut last.value {
                    Some(value) => {
                        value.push(' ');
                        value.push_str(word);
                    }
                    None => {
                        quote = word.chars().next().filter(|c| matches!(c, '"' | '\''));
                        last.value = Some(word.to_owned());
                    }
                }
                let value = last.value.as_deref().unwrap_or_default();
                if quote.is_some_and(|q| value.len() > 1 && value.ends_with(q)) {
                    quote = None;
                    last.value = Some(unquote(value).to_owned());
                }
            }
        }
    }
    found
}

/// The text in quotes that stand around the whole of it.
fn unquote(text: &str) -> &str {
    ['"', '\'']
        .iter()
        .find_map(|quote| {
            let inner = text.strip_prefix(*quote)?.strip_suffix(*quote)?;
            (!inner.contains(*quote)).then_some(inner)
        })
        .unwrap_or(text)
}
