//! Any text as what tells of running VMs: lines of `ps`, a command's words, a VMM's own answers.

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
}
