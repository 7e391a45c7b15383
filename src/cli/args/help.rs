//! The longer texts of the help: examples, exit status, signs, versions. Decides nothing.

use std::sync::LazyLock;

use crate::release::{Runtime, Version};

/// The Kata versions that are modelled, and of which of them answers are recorded, for `--version`.
pub(super) static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut text = format!(
        "{}\nmodels: Kata Containers 2.0.0 to {newest} (Go runtime), 3.0.0 to {newest} (runtime-rs)",
        env!("CARGO_PKG_VERSION"),
        newest = Version::NEWEST
    );
    for runtime in [Runtime::Go, Runtime::Rs] {
        let measured: Vec<String> = runtime.measured().map(|version| version.to_string()).collect();
        text.push_str(&format!("\nmeasured: {} {}", runtime.title(), measured.join(", ")));
    }
    text.push_str("; the others are read in their source");
    text
});

macro_rules! examples {
    () => {
        "\
\x20 katascope                                        the terminal program on an embedded sample
  katascope -c configuration.toml pods.yaml        the terminal program on your files
  katascope check -c configuration.toml pods.yaml  what becomes of every pod
  kubectl get pods -A -o json | katascope check -  the pods of a cluster, against this host
  katascope explain default_memory                 one annotation, in every release"
    };
}

macro_rules! exit_status {
    () => {
        "\
\x20 0  nothing found, no difference
  1  findings at or above --fail-on; for diff and --dry-run, a difference
  2  could not do its work: usage, unreadable or malformed input"
    };
}

/// The most useful commands, for help and man page.
pub(in crate::cli) const EXAMPLES: &str = examples!();
/// What the exit status says, likewise.
pub(in crate::cli) const EXIT_STATUS: &str = exit_status!();
pub(super) const AFTER_HELP: &str = concat!("Examples:\n", examples!(), "\n\nExit status:\n", exit_status!());

pub(super) const SHORT_HELP: &str = "\
Examples:
  katascope                                        the terminal program on an embedded sample
  katascope check -c configuration.toml pods.yaml  what becomes of every pod
More options, and what the exit status means: --help";

pub(super) const CHECK_HELP: &str = "\
What becomes of an annotation:
  ✓ applied      it takes effect
  ↷ overridden   a later step replaces it (static sizing, most often)
  ○ ignored      the runtime reads past it
  ↓ dropped      containerd or CRI-O does not pass it on
  ? unknown      this runtime has no such key
  ✗ refused      it makes the pod fail
  ! invalid      Kubernetes does not accept it

Examples:
  katascope check -c configuration.toml pods.yaml
  kubectl get runtimeclasses,pods -A -o json | katascope check -          on a node
  katascope check --root /mnt/node pods.yaml                             a node's files
  katascope check --root /mnt/node                                       do its handlers' files load?
  katascope check --handler kata-qemu --kubelet kubelet.yaml pods.yaml
  katascope check --filter 'ns:prod !handler:kata-qemu default_vcpus' pods.yaml
  katascope check --set hypervisor.qemu.default_vcpus=4 -c configuration.toml pods.yaml   what if
  katascope check --fail-on ignored -o sarif -c configuration.toml deploy/ > findings.sarif

More of one pod: katascope show annotations (every check), show sizing (the sum), show launch.";

pub(super) const UPGRADE_HELP: &str = "\
Examples:
  katascope upgrade --to 4.1 pods.yaml                                    this node's handlers, these pods
  kubectl get pods -A -o json | katascope upgrade --to 4.1 -              the pods of a cluster
  katascope upgrade --kata-version 3.19.1 --to 4.1 -c configuration.toml  a file, without pods
  katascope upgrade --to 3.32 --node node.tar.gz pods.yaml                a collected node; also downwards";
