//! What `explain` makes of messages: every error that was ever recorded, and every one that the code can say.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use katascope::explain::messages::decode;
use katascope::release::Runtime;
use serde_json::Value as Json;

use crate::kubernetes::vectors;
use crate::recorded::recordings;

/// Every text under one of these names, however deep.
fn texts_under(json: &Json, names: &[&str], found: &mut BTreeSet<String>) {
    match json {
        Json::Object(object) => {
            for (key, value) in object {
                match value {
                    Json::String(text) if names.contains(&key.as_str()) => drop(found.insert(text.clone())),
                    value => texts_under(value, names, found),
                }
            }
        }
        Json::Array(list) => list.iter().for_each(|value| texts_under(value, names, found)),
        _ => {}
    }
}

fn unknown(texts: &BTreeSet<String>) -> Vec<&String> {
    texts.iter().filter(|text| !text.trim().is_empty() && decode(text).is_none()).collect()
}

#[test]
fn every_recorded_error_is_known() {
    let mut texts = BTreeSet::new();
    let recorded = [Runtime::Go, Runtime::Rs].into_iter().flat_map(recordings);
    for recording in recorded {
        recording.answers().for_each(|answer| texts_under(answer, &["message"], &mut texts));
    }
    let kubernetes = vectors(include_bytes!("vectors/kubernetes/manifests.json.gz"));
    kubernetes.iter().for_each(|case| texts_under(case, &["error", "says"], &mut texts));
    // What containerd and CRI-O said, one text of each shape.
    let others: Vec<String> = serde_json::from_str(include_str!("vectors/container-runtimes.json")).unwrap();
    texts.extend(others);
    assert!(texts.len() > 300, "{}", texts.len());
    assert_eq!(unknown(&texts), Vec::<&String>::new());
}

/// What people met on their nodes, and a word of what it means.
#[test]
fn what_was_met_on_nodes_means_what_it_does() {
    let met = [
        (
            "failed to create shim task: failed to launch cloud-hypervisor: \"Failed to connect to API (timeout 10s): error: \
             Get \\\"http://localhost/api/v1/vmm.ping\\\": dial unix /run/vc/vm/9/clh-api.sock: connect: no such file or \
             directory reason: \": unknown",
            "Cloud Hypervisor or Firecracker did not come up",
        ),
        (
            "dial unix /run/vc/sbs/9/shim-monitor.sock: connect: no such file or directory",
            "the debug console",
        ),
        ("dial unix /run/containerd/containerd.sock: connect: no such file or directory", "does not answer"),
        (
            "error: 500  reason: ApiError(VmBoot(DeviceManager(CreateInterruptController(CreateGic(CreateVgic(Vgic error \
             CreateGic(CreateDevice(No such device (os error 19)))))))))",
            "interrupt controller",
        ),
        ("kata[7]: QMP not ready yet: qmp handshake failed", "control socket"),
        ("timed out waiting for QMP ready: /run/kata/9/qmp.sock", "control socket"),
        (
            "failed to launch qemu: exit status 1, error messages from qemu log: qemu-system-x86_64: error: failed to set MSR \
             0x48b to 0x1582e00000000",
            "a register that belongs to the CPU model",
        ),
        (
            "-device vhost-user-fs-pci,chardev=c: vhost_backend_init failed: Protocol error",
            "the daemon that shares",
        ),
        ("dial unix /run/containerd/containerd.sock: connect: connection refused", "does not answer"),
        ("dial unix /run/crio/crio.sock: connect: permission denied", "does not answer"),
        ("no free root port", "no room for another device"),
        ("ConfidentialGuest needs IOMMUFD - cannot use /dev/vfio/7", "by iommufd alone"),
        ("iommu isn't set on kernel cmdline", "IOMMU is off"),
        (
            "rpc error: code = NotFound desc = failed to create containerd task: failed to create shim task: /opt/kata/share/\
             defaults/kata-containers/configuration-qemu.toml: file /usr/bin/qemu-system-x86_64 does not exist: not found",
            "names a file that is not on the host",
        ),
        (
            "configuration-qemu-tdx.toml: file /run/PLACEHOLDER_FOR_DISTRO_QEMU_WITH_TDX_SUPPORT does not exist: not found",
            "has a placeholder where the distribution's QEMU",
        ),
        (
            "code = NotFound desc = failed to create containerd task: failed to create shim: not found",
            "the shim answered",
        ),
        (
            "Error: failed to get sandbox container task: no running task found: task 9 not found: not found",
            "was gone",
        ),
        (
            "clh.VmmPingGet API call failed\\\" error=\\\"dial unix /run/vc/vm/9/clh-api.sock: connect: no such file or directory",
            "Cloud Hypervisor or Firecracker did not come up",
        ),
        ("rpc error: code = Internal desc = ENOTDIR: Not a directory", "where the other kind stands"),
        (
            "container create failed\" error=\"rpc error: code = Internal desc = File exists (os error 17)\"",
            "a symbolic link",
        ),
        (
            "-device vhost-vsock-pci,vhostfd=3,guest-cid=7,romfile=: device is modern-only, use disable-legacy=on",
            "old interface",
        ),
        (
            "-device vhost-vsock-pci,guest-cid=7: vhost-vsock: unable to set guest cid: Address already in use",
            "no free vsock",
        ),
        ("/run/containerd/s/a613e1e8bdab: connect: connection refused", "a connection closed"),
        (
            "create instance 28: object with key \"28\" already exists: unknown",
            "images were pulled for another one",
        ),
        (
            "[adaptor/proxy] failed to establish agent proxy connection to 172.17.0.4:15150: context deadline exceeded",
            "its agent does not answer",
        ),
    ];
    for (text, expected) in met {
        let means = decode(text).map(|decoded| decoded.message.means.to_owned()).unwrap_or_default();
        assert!(means.contains(expected), "{text}: {means}");
    }
}

/// What begins an error in the code.
const OPENINGS: [&str; 12] = [
    "Err(",
    "refuse(",
    "fail(",
    "failed(",
    "complain(",
    "crash(",
    "because(",
    "Refusal::new(",
    "ConfigError::new(",
    "LoadError::new(",
    "about(",
    "ensure(",
];

/// Sentences of the code that are no runtime's: this program's own words, and pieces of longer messages.
const NO_MESSAGES: [&str; 33] = [
    " in annotation",
    " in duration",
    " specified in annotation",
    "a VM gets at most",
    "false where the host has",
    "the annotation sgx.intel.com",
    "a kernel parameter without a name",
    "QEMU is started, then",
    "QEMU refuses maxmem",
    "the VM is started",
    "is too large to be a configuration",
    "there are more disks",
    "the value must be",
    "runtime-rs takes none but its own",
    "enable_annotations lets this name",
    "the host has no file",
    "lets x1 through",
    "at random",
    "sev (cbitpos",
    "snp (cbitpos",
    "are not read here",
    "no block device has such",
    "no list of NUMA nodes",
    "not base64 of gzip: runtime-rs crashes",
    "the dm-verity parameters",
    "more than is read here",
    "the file it names does",
    "the size is too large",
    "write base64 of",
    "write the policy in",
    "x1 is not a number",
    "x1, not x1",
    "runtime type is",
];

/// What the code says in an error: the sentences from its opening to the end of the statement, with something in
/// place of what is written in.
fn said_by(code: &str) -> Vec<String> {
    let code = code.split("#[cfg(test)]").next().unwrap_or_default();
    let code: String =
        code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let mut found = Vec::new();
    for (at, _) in OPENINGS.iter().flat_map(|opening| code.match_indices(opening)) {
        let statement = &code[at..];
        let end = [";\n", "?\n", ",\n        },", "\n}"].iter().filter_map(|end| statement.find(end)).min();
        let mut rest = &statement[..end.unwrap_or(statement.len())];
        while let Some(quote) = rest.find('"') {
            let Some(text) = literal(&rest[quote..]) else { break };
            rest = &rest[quote + 1..];
            rest = rest.split_once('"').map_or("", |(_, rest)| rest);
            let is_message = !NO_MESSAGES.iter().any(|own| text.contains(own));
            if is_message && text.split_whitespace().count() > 2 {
                found.push(text);
            }
        }
    }
    found
}

/// A string literal's text, `{…}` replaced.
fn literal(code: &str) -> Option<String> {
    let mut text = String::new();
    let mut letters = code.strip_prefix('"')?.chars().peekable();
    loop {
        match letters.next()? {
            '"' => return Some(text),
            '\\' => match letters.next()? {
                'n' => text.push('\n'),
                '\n' => while letters.next_if(|c| c.is_whitespace()).is_some() {},
                other => text.push(other),
            },
            '{' => {
                if letters.next_if_eq(&'{').is_some() {
                    text.push('{');
                    continue;
                }
                while letters.next()? != '}' {}
                text.push_str("x1");
            }
            '}' => {
                letters.next_if_eq(&'}');
                text.push('}');
            }
            other => text.push(other),
        }
    }
}

fn sources(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ext| ext == "rs") && !path.ends_with("tests.rs") {
            found.extend(said_by(&fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn every_error_of_the_code_is_known() {
    let mut said = Vec::new();
    for room in ["runtime", "launch", "cri"] {
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(room), &mut said);
    }
    let texts: BTreeSet<String> = said.into_iter().filter(|text| text.len() > 8).collect();
    assert!(texts.len() > 60, "{}", texts.len());
    assert_eq!(unknown(&texts), Vec::<&String>::new());
}
