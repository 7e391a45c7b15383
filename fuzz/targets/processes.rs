//! Any text as what tells of running VMs: lines of `ps`, a command's words, a VMM's own answers.
//! The columns before a command do not change what it says.

use katascope::report::escape::is_hostile;
use katascope::report::running as report;
use katascope::report::text::Paint;
use katascope::running;

/// What the fuzzer makes up.
pub type Input<'a> = &'a str;

/// Panics where something does not hold.
pub fn run(text: Input<'_>) {
    let running = running::read(text);
    let mut out = Vec::new();
    report::text(&mut out, &running, Paint { color: false }).unwrap();
    let out = String::from_utf8_lossy(&out);
    let hostile = out.chars().find(|c| *c != '\n' && is_hostile(*c));
    assert_eq!(hostile, None, "shown raw: {out:?}");
    let _ = report::json(&running).to_string();
    for process in &running.processes {
        let _ = running::argument::name(process.program, &[]);
    }
    text.lines().take(32).for_each(columns);
}

/// What stands before a command says nothing of it, unless it looks like a shell's prompt.
fn columns(line: &str) {
    let is_program = line.split(' ').next().is_some_and(|word| word.starts_with('/'));
    if !is_program || !line.bytes().all(|b| matches!(b, b' '..=b'~') && b != b'$' && b != b'#') {
        return;
    }
    let said = |columns: &str| {
        let found = running::read(&format!("{columns}{line}")).processes;
        found
            .into_iter()
            .map(|process| (process.program, process.path, process.arguments))
            .collect::<Vec<_>>()
    };
    let bare = said("4711 ");
    for columns in [
        "root        4711       1  0 10:00 ?        00:00:12 ",
        "root      4711 12.3  4.5 2345678 345678 ?  Sl   Nov01  12:34 ",
        "4711 ?        Sl     0:04 ",
        "  \u{251c}\u{2500}4711 ",
    ] {
        assert_eq!(said(columns), bare, "{columns:?}");
    }
}
