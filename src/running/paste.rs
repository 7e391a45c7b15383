//! Finds the process lines in a text: undoes mail quoting and line wrap, takes off the columns of `ps`, and takes the
//! commands out of log lines.
//!
//! Facts: `ps`, `pgrep -a`, `pmap`; the log lines of both runtimes (`LaunchCustomQemu` of govmm, virtiofsd.go,
//! `qemu/inner.rs`). Everything is bounded: a text of any length is read once.

use super::Missing;
use super::program::Program;
use super::record::{Command, Record};
use super::split;

/// The most processes that are read of a text.
const MOST: usize = 10_000;
/// A line of at least this length that goes on was broken by a forum or a terminal, not by a person.
const LONG: usize = 300;

/// What a line begins with.
struct Head {
    pid: Option<u64>,
    parent: Option<u64>,
    command: Command,
    missing: Missing,
    /// Nothing of it can follow on the next line.
    closed: bool,
}

/// The commands of a text, in order.
pub fn records(text: &str) -> Vec<Record> {
    if text.contains('\0') {
        return exact(text);
    }
    let lines = unquoted(text);
    let wrap = hard_wrapped(&lines);
    let hard = wrap != Wrap::Soft;
    let mut found: Vec<Record> = Vec::new();
    let mut open = false;
    let mut last = "";
    for (at, line) in lines.iter().enumerate() {
        if found.len() >= MOST {
            break;
        }
        let bare = line.trim();
        if bare.is_empty() {
            // Somebody set a piece apart, or left something out.
            if let (true, Some(Record { command: Command::Joined(text), .. })) = (open, found.last_mut()) {
                text.push(' ');
            }
            continue;
        }
        let goes_on = open && found.last().is_some_and(|record| continues(record, last, line, wrap));
        let begins = !(goes_on
            && (hard || last.trim_end().ends_with('\\'))
            && head(line).is_none_or(|h| h.pid.is_none()));
        let piece = Piece { open, hard };
        match head(line).filter(|_| begins).or_else(|| fragment(line, piece)) {
            Some(head) => {
                open = !head.closed || line.trim_end().ends_with('\\');
                let Head { pid, parent, command, missing, .. } = head;
                found.push(Record { line: at + 1, pid, parent, command, missing });
            }
            None if goes_on => {
                if let Some(Record { command: Command::Joined(text), missing, .. }) = found.last_mut() {
                    join(text, last, line, wrap, missing);
                }
            }
            None => open = false,
        }
        last = line;
    }
    found.iter_mut().for_each(finish);
    // A log that repeats a command and breaks off in the program's name says nothing new.
    found.retain(|record| match &record.command {
        Command::Joined(text) => {
            text.strip_prefix(split::QUOTED).is_none_or(|list| split::quoted(list).0.len() > 1)
        }
        Command::Exact(_) => true,
    });
    found.retain(|record| match &record.command {
        Command::Exact(argv) => !argv.is_empty(),
        Command::Joined(text) => !text.trim().is_empty(),
    });
    found
}

/// `/proc/PID/cmdline`, one or several.
fn exact(text: &str) -> Vec<Record> {
    let pieces = text.split("\0\n").filter(|piece| !piece.trim_matches(['\0', '\n']).is_empty());
    pieces
        .take(MOST)
        .enumerate()
        .map(|(at, piece)| {
            let argv = piece.trim_end_matches(['\0', '\n']).split('\0').map(str::to_owned).collect();
            let command = Command::Exact(argv);
            Record { line: at + 1, pid: None, parent: None, command, missing: Missing::default() }
        })
        .collect()
}

/// The lines, without the marks of a mail that quotes them.
fn unquoted(text: &str) -> Vec<&str> {
    let lines: Vec<&str> = text.lines().collect();
    let filled = lines.iter().filter(|line| !line.trim().is_empty()).count();
    let marked = lines.iter().filter(|line| line.starts_with('>') && !line.starts_with(">>>")).count();
    if marked < 2 || marked * 10 < filled * 6 {
        return lines;
    }
    let bare = |line: &'_ str| -> usize {
        if line.starts_with("> ") { 2 } else { usize::from(line.starts_with('>')) }
    };
    lines.into_iter().map(|line| line.get(bare(line)..).unwrap_or_default()).collect()
}

/// How the lines of a text were broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrap {
    /// By a person, between words.
    Soft,
    /// By a machine at this width, in the middle of words.
    Hard(usize),
    /// Likewise, and the letter at the edge is there twice.
    Twice,
}

/// Whether a machine broke the lines. The first may be longer, by a prompt or a mark before it.
fn hard_wrapped(lines: &[&str]) -> Wrap {
    let widths: Vec<usize> = lines.iter().map(|line| line.chars().count()).collect();
    let widest = widths.iter().skip(1).max().copied().unwrap_or_default();
    let full = widths.iter().filter(|width| **width == widest).count();
    let first = widths.first().is_none_or(|width| *width <= widest + 2);
    if !(60..LONG).contains(&widest) || full < 3 || !first {
        return Wrap::Soft;
    }
    let mut edges = lines.iter().filter(|line| line.chars().count() >= widest).map(|line| {
        let mut end = line.chars().rev();
        (end.next(), end.next())
    });
    if full >= 4 && edges.all(|(last, before)| last == before) { Wrap::Twice } else { Wrap::Hard(widest) }
}

/// Whether a line goes on with the command before it.
fn continues(record: &Record, last: &str, line: &str, wrap: Wrap) -> bool {
    let hard = wrap != Wrap::Soft;
    let Command::Joined(text) = &record.command else { return false };
    let bare = line.trim_start();
    let is_vmm = split::begins_as_qemu(text);
    if last.trim_end().ends_with('\\') {
        return true;
    }
    if is_prompt(line) || is_noise(bare) {
        return false;
    }
    // An argument a line: options, and what belongs to the one before.
    let alone = last.split_whitespace().nth(1).is_none() && split::wants_value(last.trim());
    if bare.starts_with('-') || (alone && !split::begins_with_option(line)) {
        return true;
    }
    // A line that is full was broken, wherever that is.
    if is_vmm && matches!(wrap, Wrap::Hard(width) if last.chars().count() >= width) {
        return true;
    }
    is_vmm && !split::ends(text) && (hard || last.chars().count() >= LONG || split::inside_append(text))
}

fn join(text: &mut String, last: &str, line: &str, wrap: Wrap, missing: &mut Missing) {
    if last.trim_end().ends_with('\\') {
        let kept = text.trim_end().trim_end_matches('\\').len();
        text.truncate(kept);
        text.push(' ');
        text.push_str(line.trim_start());
    } else if wrap != Wrap::Soft || (last.chars().count() >= LONG && !split::begins_with_option(line)) {
        match wrap {
            Wrap::Twice => {
                text.pop();
            }
            // A blank at the edge was lost.
            Wrap::Hard(width) if last.chars().count() < width => text.push(' '),
            Wrap::Hard(_) | Wrap::Soft => {}
        }
        text.push_str(line);
    } else {
        text.push(' ');
        text.push_str(line);
    }
    close_log(text, missing);
}

/// A log line ends its list of arguments with a bracket; without it, the text was cut.
fn close_log(text: &mut String, missing: &mut Missing) {
    for end in ["]\"", "]'"] {
        if let Some(at) = text.find(end) {
            text.truncate(at);
            missing.end = false;
        }
    }
}

/// What can be said of a command once all of it is there.
fn finish(record: &mut Record) {
    if let Command::Joined(text) = &mut record.command {
        if text.starts_with(split::QUOTED) {
            record.missing.end = !split::ends(text);
        }
        let kept = text.trim_end().trim_end_matches('\\').trim_end().len();
        text.truncate(kept);
        let last = kept.saturating_sub(text.trim_end_matches(['…', '.']).len());
        let ends_so = last >= '…'.len_utf8();
        let before = text.trim_end_matches(['…', '.']);
        record.missing.middle |= before.contains("...") || before.contains('…');
        record.missing.end |= ends_so;
    }
}

fn is_prompt(line: &str) -> bool {
    let bare = line.trim_start();
    let prompt = |c: char| c == '$' || c == '#';
    bare.starts_with("$ ")
        || bare.starts_with(">>>")
        || (bare.starts_with('[') || bare.contains('@'))
            && bare.split_whitespace().take(3).any(|word| word.ends_with(prompt))
}

/// Lines of other tools that stand between: memory maps, and what shells say.
fn is_noise(bare: &str) -> bool {
    let mut words = bare.split_whitespace();
    let address = words.next().is_some_and(|w| w.len() >= 8 && w.chars().all(|c| c.is_ascii_hexdigit()));
    (address && words.next().is_some_and(|w| w.ends_with('K'))) || bare.starts_with("You have ")
}

/// A line that begins a command.
fn head(line: &str) -> Option<Head> {
    if is_prompt(line) {
        return None;
    }
    logged(line).or_else(|| listed(line))
}

/// A line of a runtime's log.
fn logged(line: &str) -> Option<Head> {
    let of = |command, missing, closed| Some(Head { pid: None, parent: None, command, missing, closed });
    if let Some((_, rest)) = line.split_once("Command { std: ") {
        let text = format!("{}{rest}", split::QUOTED);
        let closed = split::ends(&text);
        return of(Command::Joined(text), Missing { end: !closed, ..Missing::default() }, closed);
    }
    if let Some((_, rest)) = line.split_once("launching ")
        && let Some((path, rest)) = rest.split_once(" with: [")
    {
        let mut text = format!("{path} {rest}");
        let mut missing = Missing { end: true, ..Missing::default() };
        close_log(&mut text, &mut missing);
        return of(Command::Joined(text), missing, !missing.end);
    }
    if let Some((_, rest)) = line.split_once("hypervisor cmd=\"") {
        let (text, _) = rest.split_once('"').unwrap_or((rest, ""));
        return of(Command::Joined(text.to_owned()), Missing::default(), true);
    }
    let (_, rest) = line.split_once(" args=\"").or_else(|| line.split_once("args\"=\""))?;
    let (args, after) = rest.split_once('"').unwrap_or((rest, ""));
    let args = args.trim_matches(['[', ']']);
    let subsystem =
        after.split_once("subsystem=").map(|(_, word)| word.split_whitespace().next().unwrap_or_default());
    let program = match subsystem {
        Some("virtiofsd") => "virtiofsd",
        Some("nydusd") => "nydusd",
        Some(word) if word.eq_ignore_ascii_case("cloudhypervisor") || word == "clh" => "cloud-hypervisor",
        _ if args.contains("--syslog") || args.contains("--shared-dir") => "virtiofsd",
        _ if args.contains("--api-socket") => "cloud-hypervisor",
        _ if args.contains("--exec-file") => "jailer",
        _ if args.contains("--api-sock") => "firecracker",
        _ => return None,
    };
    of(Command::Joined(format!("{program} {args}")), Missing::default(), true)
}

/// A line of a list of processes.
fn listed(line: &str) -> Option<Head> {
    let mut columns: Vec<&str> = Vec::new();
    let mut rest = without_branches(line);
    let command = loop {
        let word = rest.split_whitespace().next()?;
        let timed = columns.iter().rev().find(|c| **c != "\\_").is_some_and(|c| is_time(c));
        let tree = word == "\\_" || word == "|";
        let is_command = !tree
            && (Program::of_path(word).is_some()
                || word.starts_with('/')
                || (timed && !is_time(word) && !is_terminal(word)));
        if is_command {
            break rest;
        }
        // Columns are few, and no options.
        if columns.len() > 13 || (word.starts_with('-') && word.len() > 1 && !word.contains(':')) {
            return None;
        }
        columns.push(word);
        rest = rest.get(word.len()..).unwrap_or_default().trim_start();
    };
    // A branch of `pstree` may be drawn at the id.
    let branch = |c: char| !c.is_ascii() || matches!(c, '|' | '`' | '-' | '+');
    let numbers: Vec<Option<u64>> =
        columns.iter().map(|c| c.trim_start_matches(branch).trim_end_matches(':').parse().ok()).collect();
    let number = |at: usize| numbers.get(at).copied().flatten();
    let (pid, parent) = match (number(0), number(1), number(2)) {
        (Some(_), Some(pid), Some(parent)) if columns.len() > 4 => (Some(pid), Some(parent)),
        (Some(pid), _, _) => (Some(pid), None),
        (None, Some(pid), parent) => (Some(pid), parent),
        (None, None, _) => (None, None),
    };
    let first = command.split_whitespace().next().unwrap_or_default();
    let known = Program::of_path(first);
    if pid.is_none() && (known.is_none() || !columns.is_empty()) {
        return None;
    }
    // A line with nothing but the program may be the first of many.
    let closed = known != Some(Program::Qemu) && command.split_whitespace().nth(1).is_some();
    Some(Head {
        pid,
        parent,
        command: Command::Joined(command.to_owned()),
        missing: Missing::default(),
        closed,
    })
}

/// A line without the tree that `systemd-cgls` and `systemctl status` draw before a process id.
fn without_branches(line: &str) -> &str {
    let drawn = |c: char| c.is_whitespace() || ('\u{2500}'..='\u{257f}').contains(&c);
    let bare = line.trim_start_matches(drawn);
    let plain = bare.trim_start_matches(['|', '`', '-', ' ']);
    let is_drawn = bare.starts_with(['|', '`']) && plain.starts_with(|c: char| c.is_ascii_digit());
    if is_drawn { plain } else { bare }
}

/// `0:04`, `00:00:10`, `1451:10`, `1-02:03:04`: the last column of `ps` before the command.
fn is_time(word: &str) -> bool {
    word.contains(':') && word.chars().all(|c| c.is_ascii_digit() || c == ':' || c == '-')
}

/// The column of the terminal.
fn is_terminal(word: &str) -> bool {
    word == "?" || word == "-" || word.starts_with("pts/") || word.starts_with("tty")
}

#[derive(Clone, Copy)]
struct Piece {
    open: bool,
    hard: bool,
}

/// A piece of a command: options without the program, or what is left of a line that lost its beginning.
fn fragment(line: &str, piece: Piece) -> Option<Head> {
    if piece.open || piece.hard {
        return None;
    }
    let bare = line.trim_start();
    let front = !bare.starts_with('-');
    let options = split::begins_with_option(bare);
    let middle = front
        && !is_prompt(line)
        && bare.contains(',')
        && [" -device ", " -object ", " -chardev "].iter().any(|o| bare.contains(o));
    if !options && !middle {
        return None;
    }
    let missing = Missing { front: true, ..Missing::default() };
    Some(Head { pid: None, parent: None, command: Command::Joined(bare.to_owned()), missing, closed: false })
}
