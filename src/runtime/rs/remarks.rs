//! What a careful reader would point out about a pod that runtime-rs lets start, or about its policy.
//!
//! Judges nothing: every remark names what the runtime does anyway. Facts:
//! src/libs/kata-types/src/annotations/mod.rs and src/libs/kata-types/src/config at 4.1.0.

use std::borrow::Cow;

use super::annotations::{Attempt, Decision, Gates, Known};
use super::boot;
use super::config::Config;
use super::load::Read;
use super::sizing::Workload;
use crate::answer::finding::{Code, Finding, Who};
use crate::input::Text;
use crate::release::Release;

/// Why nothing uses an annotation on this hypervisor; `None` where something does.
pub fn unused(known: Known, hypervisor: &str, release: Release) -> Option<Cow<'static, str>> {
    let Known { rule, reader, .. } = known;
    if !reader.effective {
        return Some(format!("sets {}, which nothing in {} uses", rule.field, release.title()).into());
    }
    (!reader.used_on(hypervisor)).then(|| {
        format!(
            "sets {}, which {hypervisor} does not use (only {})",
            rule.field,
            reader.hypervisors.join(", ")
        )
        .into()
    })
}

/// What loading leaves standing: remarks on the policy, once for a table.
pub fn of_table(read: &Read, name: &str, gates: &Gates) -> Vec<Finding> {
    let mut findings = Vec::new();
    let Some(hv) = read.adjusted.hypervisor.get(name) else { return findings };
    let mut say = |code, key: &str, message| {
        let subject = format!("hypervisor.{name}.{key}");
        let place = read.places.get(&subject).cloned();
        let who = Who::ClusterAdministrator;
        findings.push(Finding::warning(code, who, message).about(subject).at(place));
    };
    if gates.names.disabled() {
        let bad: Vec<String> = gates
            .names
            .invalid()
            .filter_map(|(i, _)| hv.security_info.enable_annotations.get(i))
            .map(|p| format!("{p:?}"))
            .collect();
        let message = format!(
            "{} is not a regular expression, and one such pattern disables all of enable_annotations",
            bad.join(", ")
        );
        say(Code::PolicyDisabled, "enable_annotations", message);
    }
    findings
}

/// Remarks on one pod. `unused` tells of an annotation why nothing uses it.
pub fn of_pod<'t>(
    attempts: &[Attempt<'_>],
    unused: impl Fn(&Attempt<'_>) -> Option<&'t Text>,
    gates: &Gates,
    config: &Config,
    workload: Workload,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let Some(hv) = config.active_hypervisor() else { return findings };
    for attempt in attempts.iter().filter(|t| matches!(t.decision, Decision::Taken)) {
        let Some(known) = attempt.known else { continue };
        if let Some(why) = unused(attempt) {
            let finding = Finding::warning(Code::NoEffect, Who::PodAuthor, why.as_str());
            findings.push(finding.about(attempt.key.as_str()));
        }
        if let Some(list) = known.list() {
            let pattern = attempt.path_pattern.and_then(|i| hv.list(list).get(i));
            let over = attempt.path_pattern.zip(gates.path(list));
            let over = over.is_some_and(|(index, gate)| gate.reaches_over_folders(index, attempt.value));
            findings.extend(admitted(attempt, list, pattern.map_or("", String::as_str), over));
        }
    }
    let subject = |key: &str| format!("hypervisor.{}.{key}", config.runtime.hypervisor_name);
    if let Some(params) = boot::params_in_random_order(&hv.boot_info, config.release) {
        let message = format!(
            "the agent's kernel parameters stand in random order, new at every start, and one of the orders is shown: {params}"
        );
        let finding = Finding::note(Code::RandomOrder, Who::ClusterAdministrator, message);
        findings.push(finding.about(subject("kernel_params")));
    }
    if hv.cpu_info.default_vcpus.is_nan() {
        let message =
            "default_vcpus is not a number (NaN): it passes every check, and the VM starts with 0 or 1 vCPU";
        let finding = Finding::warning(Code::NotANumber, Who::PodAuthor, message);
        findings.push(finding.about(subject("default_vcpus")));
    }
    if config.runtime.static_sandbox_resource_mgmt && workload.vcpus > 0.0 && workload.memory == 0 {
        let message = format!(
            "the pod limits CPU but not memory, so static sizing leaves the VM overhead_memory alone: {} MiB",
            hv.memory_info.default_memory
        );
        let finding = Finding::warning(Code::OverheadOnly, Who::PodAuthor, message);
        findings.push(finding.about(subject("overhead_memory")));
    }
    findings
}

/// Paths that a glob lets through though nobody may have meant it.
fn admitted(attempt: &Attempt<'_>, list: &str, pattern: &str, over_folders: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut say = |code, message: String| {
        let finding = Finding::warning(code, Who::ClusterAdministrator, message);
        findings.push(finding.about(attempt.key.as_str()));
    };
    if over_folders {
        let message =
            format!("{pattern:?} of {list} lets {:?} through because its * reaches over /", attempt.value);
        say(Code::GlobOverFolders, message);
    }
    if attempt.value.contains("..") && attempt.value.split('/').any(|part| part == "..") {
        let message = format!(
            "{pattern:?} of {list} lets {:?} through: the text matches, and .. leads out of the folder",
            attempt.value
        );
        say(Code::PathClimbs, message);
    }
    findings
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::answer::verdict::{Failure, Stage, Status};
    use crate::input::Host;
    use crate::input::config::Layers;
    use crate::input::host::{HostFacts, MemoryFiles};
    use crate::runtime::go::config::SandboxConfig;
    use crate::runtime::rs::config::Config;
    use crate::runtime::rs::load;
    use crate::runtime::{Asked, Depth, LoadOptions, Run, Sandbox, Start, Started};

    /// A start that starts nothing: what is asked here is said before.
    struct NothingRuns;

    impl Start for NothingRuns {
        fn go(&self, _: &Host, _: &SandboxConfig, _: &Sandbox<'_>, _: Depth) -> Result<Started, Failure> {
            Ok(Started::default())
        }

        fn rs(&self, _: &Host, _: &Config, _: &Sandbox<'_>, _: Depth) -> Result<Started, Failure> {
            Ok(Started::default())
        }
    }

    const FILE: &str = r#"
[hypervisor.qemu]
path = "/opt/bin/qemu"
kernel = "/opt/vmlinux"
image = "/opt/kata.img"
valid_hypervisor_paths = ["/opt/*"]
enable_annotations = ["path", "^default", "^entropy_source$", "^kernel$"]
overhead_memory = 64
shared_fs = "none"
[agent.kata]
[runtime]
name = "virt_container"
hypervisor_name = "qemu"
agent_name = "kata"
static_sandbox_resource_mgmt = true
"#;

    fn run(file: &str, annotations: &[(&str, &str)]) -> Run {
        run_at(Release::newest(crate::release::Runtime::Rs), file, annotations)
    }

    fn run_at(release: Release, file: &str, annotations: &[(&str, &str)]) -> Run {
        let files = ["/opt/bin/qemu", "/opt/vmlinux", "/opt/kata.img", "/bin/sh"];
        let files = files.iter().fold(MemoryFiles::new(), |files, path| files.file(path, 0o755, "x"));
        let host = Host::new(HostFacts::default(), Arc::new(files));
        let annotations =
            annotations.iter().map(|(key, value)| (format!("io.{key}"), (*value).to_owned())).collect();
        let sandbox =
            Sandbox { id: "S", hostname: "", host_network: false, annotations: &annotations, devices: &[] };
        let layers = Layers::of_text("/c.toml", file);
        let loaded = load(release, &layers, &host, &LoadOptions::default()).unwrap();
        loaded.run(Asked { host: &host, sandbox: &sandbox, depth: Depth::Full, start: &NothingRuns })
    }

    fn codes(run: &Run) -> Vec<Code> {
        run.findings.iter().map(|finding| finding.code).collect()
    }

    #[test]
    fn the_order_of_agent_parameters_was_random() {
        let two = FILE.replace("[agent.kata]", "[agent.kata]\ndebug_console_enabled = true");
        let said = |release, file| codes(&run_at(release, file, &[])).contains(&Code::RandomOrder);
        assert!(said(Release::rs(3, 25, 0), &two));
        assert!(!said(Release::rs(3, 26, 0), &two));
        let one = FILE.replace("[agent.kata]", "[agent.kata]\ncontainer_pipe_size = 0");
        assert!(!said(Release::rs(3, 25, 0), &one));
    }

    #[test]
    fn what_starts_though_nobody_may_have_meant_it() {
        let path = "katacontainers.config.hypervisor.path";
        let deep = run(FILE, &[(path, "/opt/bin/qemu")]);
        assert!(deep.failure.is_none(), "{:?}", deep.failure);
        assert!(codes(&deep).contains(&Code::GlobOverFolders));
        assert!(codes(&run(FILE, &[(path, "/opt/../bin/sh")])).contains(&Code::PathClimbs));
        let vcpus = run(FILE, &[("katacontainers.config.hypervisor.default_vcpus", "NaN")]);
        assert!(codes(&vcpus).contains(&Code::NotANumber));
    }

    #[test]
    fn limits_of_cpu_alone_leave_the_overhead() {
        let limits =
            [("kubernetes.cri.sandbox-cpu-quota", "200000"), ("kubernetes.cri.sandbox-cpu-period", "100000")];
        let run = run(FILE, &limits);
        assert!(codes(&run).contains(&Code::OverheadOnly));
        let memory = run.effective.unwrap();
        assert_eq!(memory.get("hypervisor.qemu.default_memory").unwrap().value, 64);
    }

    #[test]
    fn one_bad_pattern_disables_the_list() {
        let file = FILE.replace("[\"path\"", "[\"(\", \"path\"");
        let run = run(&file, &[("katacontainers.config.hypervisor.default_vcpus", "2")]);
        assert!(codes(&run).contains(&Code::PolicyDisabled));
        let verdict = &run.verdicts[0];
        assert_eq!((verdict.status, verdict.stage), (Status::Ignored, Stage::Name));
        assert!(verdict.reason().contains("\"(\" disables all"), "{}", verdict.reason());
    }

    #[test]
    fn what_this_hypervisor_does_not_use_is_said() {
        let file = FILE.replace("overhead", "valid_entropy_sources = [\"/dev/*\"]\noverhead");
        let run = run(&file, &[("katacontainers.config.hypervisor.entropy_source", "/dev/random")]);
        assert!(codes(&run).contains(&Code::NoEffect));
        assert_eq!(run.verdicts[0].reason(), "sets entropy_source, which qemu does not use (only clh)");
    }

    #[test]
    fn the_verdict_on_the_culprit_is_refused() {
        let kernel = "katacontainers.config.hypervisor.kernel";
        let gone = run(FILE, &[(kernel, "/nope"), ("katacontainers.config.hypervisor.default_vcpus", "2")]);
        assert_eq!(
            gone.failure.as_ref().unwrap().annotation.as_deref(),
            Some("io.katacontainers.config.hypervisor.kernel")
        );
        let statuses: Vec<_> = gone.verdicts.iter().map(|v| v.status).collect();
        assert_eq!(statuses, [Status::Applied, Status::Refused]);
        assert!(gone.verdicts[0].reason().ends_with("sets default_vcpus, but the pod does not start"));
    }
}
