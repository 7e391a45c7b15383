//! Messages that users meet in events and logs: what each means, who can mend it, and how.
//!
//! Decides which message it is by the words the programs really print (Kata 2.1 and 4.1, containerd,
//! Kubernetes). A message that is not in the table is not guessed at.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::answer::finding::Who;
use crate::catalog::{self, Annotation};

/// A message understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// Which program says it.
    pub speaker: &'static str,
    /// What it means.
    pub meaning: String,
    /// What to do.
    pub advice: String,
    /// Who can.
    pub who: Who,
    /// Whether it is noise: nothing is wrong.
    pub harmless: bool,
    /// The annotation it is about.
    pub annotation: Option<&'static Annotation>,
    /// The annotation's key as the message has it.
    pub key: Option<String>,
    /// The list that would have to let it through.
    pub list: Option<&'static str>,
    /// The value that was refused.
    pub value: Option<String>,
}

struct Row {
    pattern: &'static str,
    speaker: &'static str,
    meaning: &'static str,
    advice: &'static str,
    who: Who,
    harmless: bool,
    list: Option<&'static str>,
}

const fn row(
    pattern: &'static str,
    speaker: &'static str,
    meaning: &'static str,
    advice: &'static str,
    who: Who,
) -> Row {
    Row { pattern, speaker, meaning, advice, who, harmless: false, list: None }
}

const fn gated(
    pattern: &'static str,
    speaker: &'static str,
    meaning: &'static str,
    list: &'static str,
) -> Row {
    Row {
        pattern,
        speaker,
        meaning,
        advice: "add a pattern for that path to the list, or have the pod use a path that it allows",
        who: Who::ClusterAdministrator,
        harmless: false,
        list: Some(list),
    }
}

// First match wins: the narrow before the wide. Named groups: key (annotation), value.
const ROWS: &[Row] = &[
    row(
        r"annotation (?P<key>\S+) is not enabled",
        "Go runtime",
        "the host's enable_annotations has no pattern that matches the annotation's name; the Go runtime refuses the pod",
        "add the name to enable_annotations of the handler's configuration file, or remove the annotation from the pod; a drop-in in config.d replaces the whole list, kata-deploy takes names as allowedHypervisorAnnotations in its Helm values",
        Who::ClusterAdministrator,
    ),
    Row {
        harmless: true,
        ..row(
            r"Annotation (?P<key>io\.kubernetes\.\S+) not enabled",
            "runtime-rs",
            "runtime-rs warns about every key it does not read, the container runtime's own included",
            "nothing: this line is noise and never the cause of a failure",
            Who::ClusterAdministrator,
        )
    },
    row(
        r"Annotation (?P<key>\S+) not enabled",
        "runtime-rs",
        "the annotation was read past: its name does not match enable_annotations, or runtime-rs knows no such key",
        "add the name to enable_annotations if it is a hypervisor annotation; one invalid pattern in the list disables all of them",
        Who::ClusterAdministrator,
    ),
    row(
        r"Invalid annotation type (?P<key>\S+)",
        "runtime-rs",
        "the name passes enable_annotations, but runtime-rs knows no such annotation; it refuses the pod",
        "correct the key, or anchor the pattern so that it does not match this name",
        Who::PodAuthor,
    ),
    gated(
        r"Path (?P<value>.*) is not permitted",
        "runtime-rs",
        "no pattern of the annotation's valid_* list matches the value as text",
        "valid_*",
    ),
    gated(
        r"hypervisor control (?P<value>\S*) required from annotation is not valid",
        "Go runtime",
        "no file on the host that valid_ctlpaths expands to is the value",
        "valid_ctlpaths",
    ),
    gated(
        r"jailer (?P<value>\S*) required from annotation is not valid",
        "Go runtime",
        "no file on the host that valid_jailer_paths expands to is the value",
        "valid_jailer_paths",
    ),
    gated(
        r"hypervisor (?P<value>\S*) required from annotation is not valid",
        "Go runtime",
        "no file on the host that valid_hypervisor_paths expands to is the value",
        "valid_hypervisor_paths",
    ),
    gated(
        r"virtiofs daemon (?P<value>\S*) required from annotation is not valid",
        "Go runtime",
        "no file on the host that valid_virtio_fs_daemon_paths expands to is the value",
        "valid_virtio_fs_daemon_paths",
    ),
    gated(
        r"(?:vhost store path|vhostuser store path) (?P<value>\S*) required from annotation is not valid",
        "Go runtime",
        "no folder on the host that valid_vhost_user_store_paths expands to is the value",
        "valid_vhost_user_store_paths",
    ),
    gated(
        r"file_mem_backend path (?P<value>\S*) required from annotation is not valid",
        "Go runtime",
        "no folder on the host that valid_file_mem_backends expands to is the value",
        "valid_file_mem_backends",
    ),
    row(
        r"Memory specified in annotation (?P<key>\S+) is less than minimum required (?P<value>\d+)",
        "Go runtime",
        "default_memory is in MiB, digits only; the runtime starts no VM below its minimum",
        "ask for at least that many MiB",
        Who::PodAuthor,
    ),
    row(
        r"memory specified in annotation (?P<value>\S+) is less than minimum limitation (?P<least>\d+)",
        "runtime-rs",
        "default_memory is below what this hypervisor starts with; bare digits are MiB",
        "ask for at least that many MiB",
        Who::PodAuthor,
    ),
    row(
        r"computed sandbox memory is 0 MiB",
        "runtime-rs",
        "static sizing takes the pod's memory limit plus overhead_memory; both are zero here",
        "give the pod a memory limit, or set overhead_memory or default_memory in the configuration file",
        Who::PodAuthor,
    ),
    row(
        r"(?:Please specify boolean value|parse bool error)",
        "runtime",
        "the value is no boolean: runtime-rs takes true and false only; the Go runtime also 1, t, T, TRUE, True and their opposites",
        "write \"true\" or \"false\", quoted",
        Who::PodAuthor,
    ),
    row(
        r"parse (?:u32|u64|usize|i32) error|Please specify (?:positive )?numeric value",
        "runtime",
        "the value is no number of the kind that the annotation takes",
        "write digits only, quoted; units are taken by default_memory in runtime-rs alone",
        Who::PodAuthor,
    ),
    row(
        r"Can not configure both initrd and image|having both an image and an initrd",
        "runtime",
        "the VM boots from an image or from an initrd; both are set in the end",
        "in runtime-rs clear the configured one with an empty annotation; in Go set only one of the two annotations",
        Who::PodAuthor,
    ),
    row(
        r"Invalid hash for (?P<value>\S+?):",
        "Go runtime",
        "the SHA-512 of the file differs from the one that the pod's *_hash annotation gives",
        "correct the hash (sha512sum of the file on the host), or the file",
        Who::PodAuthor,
    ),
    row(
        r"No hypervisor path|Cannot find usable config file",
        "Go runtime",
        "none of the files that the runtime looks for exists, or the one it was told does not",
        "see which file it should be: katascope which HANDLER",
        Who::ClusterAdministrator,
    ),
    row(
        r#"invalid KATA_CONF_FILE "?(?P<value>[^":]+)"?"#,
        "runtime",
        "since 4.0.0 the variable may only name one of the runtime's default configuration files",
        "name the file in the handler's options (ConfigPath), or link the default configuration.toml to it",
        Who::ClusterAdministrator,
    ),
    row(
        r#"no runtime for "(?P<value>[^"]*)" is configured"#,
        "containerd",
        "the handler that the RuntimeClass names stands in no table that this containerd reads",
        "see what it reads: katascope which; a table of another schema version is ignored, and in 1.x a drop-in replaces all handlers",
        Who::ClusterAdministrator,
    ),
    row(
        r"no corresponding runtime configured in `containerd\.runtimes`",
        "containerd",
        "the default handler is missing, so the whole CRI plugin does not load and no pod starts on this node",
        "list runc beside the Kata handlers, or make default_runtime_name one that is listed",
        Who::ClusterAdministrator,
    ),
    row(
        r"unknown service runtime\.v1\.RuntimeService",
        "containerd",
        "containerd runs without its CRI plugin: it is disabled, or it did not load",
        "remove cri from disabled_plugins, then look for the plugin's own error in containerd's log",
        Who::ClusterAdministrator,
    ),
    row(
        r"cannot unmarshal (?P<value>\w+) into Go struct field .*annotations of type string",
        "Kubernetes",
        "annotation values are strings; YAML reads an unquoted true, yes, on, 8 or 1e3 as something else",
        "put the value in quotes",
        Who::PodAuthor,
    ),
    row(
        r"name part must be no more than 63 (?:bytes|characters)",
        "Kubernetes",
        "without a slash the whole key counts as the name, and 63 bytes is its limit",
        "set the value in the configuration file: no pod can carry this key",
        Who::ClusterAdministrator,
    ),
    row(
        r"may not be more than 262144 bytes|must have at most 262144 bytes",
        "Kubernetes",
        "keys and values of all annotations together are limited to 256 KiB",
        "compress (initdata is base64 of gzip), or leave the largest out; kubectl apply stores a copy that counts too",
        Who::PodAuthor,
    ),
    row(
        r"modprobe|Module \S+ not found|Unable to find module",
        "guest agent",
        "the annotation arrived; the guest image has no such module for its kernel",
        "build the module into the guest image; mounting /lib/modules into a container comes too late",
        Who::ImageBuilder,
    ),
    row(
        r"host system doesn't support vsock",
        "Go runtime",
        "/dev/vhost-vsock is missing on the host",
        "load the kernel module vhost_vsock",
        Who::ClusterAdministrator,
    ),
    row(
        r"Unknown network model|Invalid internetworking_model",
        "runtime",
        "the network model is none that this runtime knows",
        "use tcfilter, macvtap or none (runtime-rs also l3forwarding, Go also default)",
        Who::PodAuthor,
    ),
    row(
        r"Unsupported experimental feature|unsupported experimental feature",
        "Go runtime",
        "the annotation is a list of feature names, and this version knows none by that name",
        "remove the annotation",
        Who::PodAuthor,
    ),
];

static PATTERNS: LazyLock<Vec<Option<Regex>>> =
    LazyLock::new(|| ROWS.iter().map(|row| Regex::new(row.pattern).ok()).collect());

/// Understands `text`, if the table knows it.
pub fn decode(text: &str) -> Option<Decoded> {
    let (row, captures) = ROWS.iter().zip(PATTERNS.iter()).find_map(|(row, pattern)| {
        let captures = pattern.as_ref()?.captures(text)?;
        Some((row, captures))
    })?;
    let group = |name: &str, captures: &Captures<'_>| {
        captures.name(name).map(|m| m.as_str().trim_end_matches([':', ',', '.']).to_owned())
    };
    let key = group("key", &captures);
    Some(Decoded {
        speaker: row.speaker,
        meaning: row.meaning.to_owned(),
        advice: row.advice.to_owned(),
        who: row.who,
        harmless: row.harmless,
        annotation: key.as_deref().and_then(catalog::annotation),
        list: row.list.filter(|list| *list != "valid_*"),
        value: group("value", &captures),
        key,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        let broken: Vec<_> =
            ROWS.iter().zip(PATTERNS.iter()).filter(|(_, p)| p.is_none()).map(|(r, _)| r.pattern).collect();
        assert_eq!(broken, Vec::<&str>::new());
    }

    #[test]
    fn the_classic_event_names_its_annotation() {
        let event = "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to create containerd \
            task: failed to create shim task: annotation io.katacontainers.config.hypervisor.default_vcpus is not \
            enabled: unknown";
        let decoded = decode(event).unwrap();
        assert_eq!(decoded.annotation.unwrap().base(), "default_vcpus");
        assert_eq!(decoded.who, Who::ClusterAdministrator);
    }

    #[test]
    fn the_cris_own_keys_are_noise() {
        assert!(decode("Annotation io.kubernetes.cri.container-type not enabled").unwrap().harmless);
        assert!(!decode("Annotation io.katacontainers.config.hypervisor.path not enabled").unwrap().harmless);
    }
}
