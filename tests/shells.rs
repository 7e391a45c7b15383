//! The program as it meets a shell: completions with values, man pages, and the name kubectl calls it by.

use std::process::Command;

fn run(program: &std::path::Path, args: &[&str]) -> (i32, String, String) {
    let output = Command::new(program).args(args).env_clear().env("TERM", "dumb").output().unwrap();
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

fn katascope(args: &[&str]) -> String {
    let (status, out, err) = run(env!("CARGO_BIN_EXE_katascope").as_ref(), args);
    assert_eq!((status, err.as_str()), (0, ""), "{args:?}");
    out
}

#[test]
fn completions_offer_what_can_be_said() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = katascope(&["completions", shell]);
        for word in ["annotations", "fail-on", "kata-version"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    for shell in ["bash", "zsh", "fish"] {
        let script = katascope(&["completions", shell]);
        for word in ["dragonball", "valid_hypervisor_paths", "aarch64", "default_memory"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
}

#[test]
fn bash_takes_its_completions() {
    // The same check as a user's shell makes; where there is no bash, there is nobody to complete for.
    let Ok(output) = Command::new("bash")
        .args(["--norc", "-c", "eval \"$(\"$0\" completions bash)\"; COMP_WORDS=(katascope show la); COMP_CWORD=2; \
                _katascope katascope la show; echo \"${COMPREPLY[@]}\"; COMP_WORDS=(katascope explain default_mem); \
                COMP_CWORD=2; _katascope katascope default_mem explain; echo \"${COMPREPLY[@]}\""])
        .arg(env!("CARGO_BIN_EXE_katascope"))
        .output()
    else {
        return;
    };
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("launch") && said.contains("default_memory"), "{said} {output:?}");
}

#[test]
fn fish_takes_its_completions() {
    let offered = |line: &str| {
        let script = "$argv[1] completions fish | source; complete -C $argv[2]";
        let output = Command::new("fish")
            .args(["--no-config", "-c", script, env!("CARGO_BIN_EXE_katascope"), line])
            .env("TERM", "dumb")
            .output();
        let output = output.ok()?;
        assert!(output.stderr.is_empty(), "{output:?}");
        Some(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let Some(parts) = offered("katascope show la") else { return };
    assert!(parts.starts_with("launch"), "{parts}");
    let lists = offered("katascope policy allow --list valid_hyp").unwrap();
    assert!(lists.contains("valid_hypervisor_paths"), "{lists}");
    let keys = offered("katascope explain default_mem").unwrap();
    assert!(keys.contains("default_memory\tThe memory"), "{keys}");
}

#[test]
fn zsh_looks_for_a_command_where_a_command_stands() {
    let script = katascope(&["completions", "zsh"]);
    let (_, root) = script.split_once("_katascope() {").unwrap();
    let (root, below) = root.split_once("&& ret=0").unwrap();
    // A file before the commands would take the command's place.
    assert!(root.contains("\":: :_katascope_commands\"") && !root.contains("manifests"), "{root}");
    assert!(below.contains("case $line[1] in"));
    let (_, commands) = below.split_once("_katascope_commands() {").unwrap();
    let (commands, _) = commands.split_once("\n}").unwrap();
    assert!(commands.contains("'check:Every pod") && commands.ends_with("_files"), "{commands}");
}

#[test]
fn man_pages_say_what_a_man_page_says() {
    let page = katascope(&["man"]);
    for section in ["NAME", "SYNOPSIS", "OPTIONS", "\"EXIT STATUS\"", "FILES", "ENVIRONMENT", "\"EXAMPLES\""]
    {
        assert!(page.contains(&format!(".SH {section}")), "{section}\n{page}");
    }
    for variable in ["KATASCOPE_CONFIG", "KATA_CONF_FILE", "NO_COLOR"] {
        assert!(page.contains(variable));
    }
    let page = katascope(&["man", "check"]);
    assert!(page.contains("katascope\\-check") && page.contains("fail\\-on"), "{page}");
    let (status, _, err) = run(env!("CARGO_BIN_EXE_katascope").as_ref(), &["man", "nothing"]);
    assert!(status == 2 && err.contains("there are check, show"), "{err}");
}

#[test]
fn kubectl_calls_it_by_another_name() {
    let dir = tempfile::tempdir().unwrap();
    let plugin = dir.path().join("kubectl-katascope");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_katascope"), &plugin).unwrap();
    let (status, help, _) = run(&plugin, &["check", "--help"]);
    assert_eq!(status, 0);
    assert!(help.contains("Usage: kubectl katascope check"), "{help}");
    let (status, _, err) = run(&plugin, &["check", "--nope"]);
    assert!(status == 2 && err.contains("kubectl katascope check"), "{err}");
    let (status, script, _) = run(&plugin, &["completions", "bash"]);
    assert!(status == 0 && script.contains("-o default kubectl-katascope"), "{script}");
    let (status, out, _) = run(&plugin, &["check"]);
    assert!(status == 1 && out.contains("5 pods"), "{out}");
}

#[test]
fn the_version_names_the_models() {
    let said = katascope(&["--version"]);
    assert!(
        said.contains(env!("CARGO_PKG_VERSION")) && said.contains("4.1.0") && said.contains("2.0.0"),
        "{said}"
    );
}

#[test]
fn every_option_of_a_page_has_words() {
    for command in [None, Some("check"), Some("show"), Some("diff"), Some("upgrade"), Some("live")] {
        let page = katascope(&[&["man"], command.as_slice()].concat());
        let mut lines = page.lines().peekable();
        while let Some(line) = lines.next() {
            if line.starts_with("\\fB\\-") {
                let words = lines.next().unwrap_or_default();
                assert!(!words.is_empty(), "{command:?}: {line}");
            }
        }
    }
}
