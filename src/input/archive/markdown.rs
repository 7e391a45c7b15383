//! What kata-collect-data.sh prints: the form in which most reports of bugs come.
//!
//! Decides which commands' outputs are files of the node and which are facts. The script writes each output into
//! a `<details>` block with the command as its summary, and a fence around the text. Facts:
//! src/runtime/data/kata-collect-data.sh.in from 2.0.0 to 4.1.0, where these blocks are the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::tree::{Tree, absolute};
use super::{Collection, Origin, facts};
use crate::input::host::HostFacts;

/// A command and what it printed.
struct Ran<'a> {
    command: &'a str,
    output: String,
}

/// The blocks of the document, in order.
fn ran(text: &str) -> Vec<Ran<'_>> {
    let mut all = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(command) =
            line.trim().strip_prefix("<summary><tt>").and_then(|l| l.strip_suffix("</tt></summary>"))
        else {
            continue;
        };
        // The fence opens after `<p>` and an empty line.
        let opened = (0..4).any(|_| lines.next_if(|l| !l.starts_with("```")).is_none());
        if !opened || lines.next().is_none() {
            continue;
        }
        let mut output = String::new();
        while let Some(line) = lines.next() {
            // A fence within the output is not followed by the end of the block.
            let ends = line == "```" && {
                let mut rest = lines.clone().skip_while(|line| line.trim().is_empty());
                rest.next().is_none_or(|line| line.trim() == "</p>" || line.trim() == "</details>")
            };
            if ends {
                break;
            }
            output.push_str(line);
            output.push('\n');
        }
        all.push(Ran { command, output });
    }
    all
}

/// Whether a text is the script's: pasted into a report it may begin anywhere.
pub(super) fn is_one(text: &str) -> bool {
    text.contains("kata-collect-data.sh") && (text.contains("<details>") || text.contains("# Meta details"))
}

/// The file that a `cat` printed.
fn printed(command: &str) -> Option<&str> {
    let path = command.strip_prefix("cat ")?.trim().trim_matches('"');
    (path.starts_with('/') && !path.contains([' ', '*', '"'])).then_some(path)
}

pub(super) fn read(text: &str, stem: &str, given: &HostFacts) -> Result<Collection, String> {
    if !is_one(text) {
        return Err("no archive that is known here, and not what kata-collect-data.sh prints".into());
    }
    let mut tree = Tree::default();
    let mut facts = given.clone();
    let mut kata_version = None;
    let mut containerd_version = None;
    for ran in ran(text) {
        let missing = |path: &str| ran.output.starts_with(&format!("cat: {path}: No such file"));
        if let Some(path) = printed(ran.command) {
            let Some(path) = absolute(path)? else { continue };
            if missing(&path) {
                tree.absent(path);
            } else if !ran.output.starts_with("cat: ") {
                tree.file(path, ran.output.len() as u64, 0o644, ran.output.as_bytes())?;
            }
        } else if ran.command.ends_with("kata-env") {
            kata_version = facts::of_kata_env(&ran.output, &mut facts).or(kata_version);
        } else if ran.command == "containerd --version" {
            containerd_version = facts::version_of_containerd(&ran.output);
        } else if ran.command == "crio config" && ran.output.contains("[crio") {
            tree.file("/etc/crio/crio.conf".into(), ran.output.len() as u64, 0o644, ran.output.as_bytes())?;
        }
    }
    for line in text.lines() {
        let not_found = line.strip_prefix("Config file `").and_then(|rest| rest.strip_suffix("` not found"));
        if let Some(path) = not_found.map(absolute).transpose()?.flatten() {
            tree.absent(path);
        }
        let version = line.strip_prefix("Running `kata-collect-data.sh` version `");
        if let Some(version) = version.and_then(|rest| rest.split([' ', '`']).next()) {
            kata_version.get_or_insert_with(|| version.to_owned());
        }
    }
    Ok(Collection {
        name: stem.to_owned(),
        origin: Origin::CollectData,
        files: Arc::new(tree),
        facts,
        kata_version,
        containerd_version,
        said: BTreeMap::new(),
        withheld: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::host::{Errno, FactOrigin};

    const DOCUMENT: &str = "# Meta details\n\nRunning `kata-collect-data.sh` version `3.3.0 (commit 0)` at `x`.\n\n\
        <details>\n<summary><tt>/opt/kata/bin/kata-runtime kata-env</tt></summary>\n<p>\n\n```toml\n\
        [Runtime.Version]\n  Semver = \"3.3.1\"\n[Host]\n  Architecture = \"arm64\"\n  SupportVSocks = false\n\
        \n  AvailableGuestProtections = [\"noprotection\"]\n  [Host.CPU]\n    CPUs = 6\n  [Host.Memory]\n    Total = 2097152\n```\n\n</p>\n</details>\n\
        Config file `/etc/kata-containers/configuration.toml` not found\n\
        <details>\n<summary><tt>cat \"/opt/c.toml\"</tt></summary>\n<p>\n\n```toml\n[runtime]\n# ```\n```\n# after\n```\n\n</p>\n</details>\n\
        <details>\n<summary><tt>cat /etc/containerd/config.toml</tt></summary>\n<p>\n\n```toml\ncat: /etc/containerd/config.toml: No such file or directory\n```\n\n</p>\n</details>\n";

    #[test]
    fn blocks_become_files_and_facts() {
        let node = read(DOCUMENT, "bug", &HostFacts::default()).unwrap();
        let content = node.files.read("/opt/c.toml").unwrap();
        assert_eq!(String::from_utf8(content).unwrap(), "[runtime]\n# ```\n```\n# after\n");
        assert!(node.files.is_absent("/etc/kata-containers/configuration.toml"));
        assert!(node.files.is_absent("/etc/containerd/config.toml"));
        assert!(!node.files.is_absent("/opt/kata/bin/qemu"), "nothing is said of it");
        assert_eq!(node.files.read("/opt/d.toml"), Err(Errno::NotFound));
        assert_eq!((node.facts.cpus, node.facts.memory_mib, node.facts.vhost_vsock), (6, 2048, false));
        assert_eq!(node.facts.origins.get("arch"), Some(&FactOrigin::Collected));
        assert_eq!(node.kata_version.as_deref(), Some("3.3.1"));
        assert!(!node.lacks().is_empty());
    }
}
