//! What the host decides about a pod that its configuration lets start: huge pages, hotplug, devices, the pod's
//! cgroup; and values that are let through and then do not work.
//!
//! Judges nothing: every remark shows its sum or the value. Facts: src/runtime/virtcontainers/sandbox.go at 4.1.0
//! (steps of hotplug), src/runtime/virtcontainers/qemu.go and clh.go (huge pages, hotplug by architecture),
//! src/libs/kata-types/src/initdata.rs (digests by TEE), and what users of Kata report.

use serde_json::Value as Json;

use super::vm_size::{VmSize, Workload};
use super::{Evaluation, Evaluator, Outcome};
use crate::answer::finding::{Code, Finding, Severity, Who};
use crate::answer::verdict::{Status, Verdict};
use crate::input::host::{Arch, FactOrigin, Protection};
use crate::input::manifest::Pod;
use crate::release::Runtime;

/// Memory that is plugged into a VM at once is at most so many times what it has: the guest needs room for the
/// map of the new pages.
const HOTPLUG_FACTOR: f64 = 48.0;

/// What is pointed out about `pod`.
pub(super) fn notice(evaluator: &Evaluator, pod: &Pod, evaluation: &Evaluation, found: &mut Vec<Finding>) {
    if evaluation.outcome != Outcome::Starts {
        return;
    }
    let Some(view) = View::of(evaluator, pod, evaluation) else { return };
    view.other_syntax(found);
    view.digest(found);
    if view.hypervisor == "remote" {
        return;
    }
    view.huge_pages(found);
    view.hotplug(found);
    view.devices(found);
    view.cgroup(found);
}

struct View<'a> {
    evaluator: &'a Evaluator,
    pod: &'a Pod,
    evaluation: &'a Evaluation,
    hypervisor: &'a str,
    vm: VmSize,
}

impl<'a> View<'a> {
    fn of(evaluator: &'a Evaluator, pod: &'a Pod, evaluation: &'a Evaluation) -> Option<Self> {
        let release = evaluator.setup().release;
        let workload = Workload::of(release, evaluation.received.as_ref()?);
        let vm = VmSize::bare(release, evaluator.base()?, workload, &evaluation.verdicts);
        Some(Self { evaluator, pod, evaluation, hypervisor: evaluator.hypervisor()?, vm })
    }

    /// The value that a key has in the end.
    fn value(&self, table: &str, key: &str) -> Option<&Json> {
        let is_it = |v: &&Verdict| {
            let field = v.field.as_deref().unwrap_or_default();
            v.status == Status::Applied && field.starts_with(table) && field.rsplit('.').next() == Some(key)
        };
        let set = self.evaluation.verdicts.iter().find(is_it).and_then(|v| v.after.as_deref());
        let name = match table {
            "hypervisor" => format!("hypervisor.{}.{key}", self.hypervisor),
            _ => format!("{table}.{key}"),
        };
        set.or_else(|| self.evaluator.bare()?.get(&name).map(|value| &value.value))
    }

    fn is_on(&self, table: &str, key: &str) -> bool {
        self.value(table, key) == Some(&Json::Bool(true))
    }

    fn say(&self, code: Code, severity: Severity, key: &str, message: String, fix: &str) -> Finding {
        let subject = format!("hypervisor.{}.{key}", self.hypervisor);
        let written = self.evaluator.setup().layers.written(&format!("hypervisor.{}", self.hypervisor), key);
        let place = written.map_or_else(|| self.pod.place(), |written| written.place);
        let finding = Finding::new(code, severity, Who::ClusterAdministrator, message);
        finding.about(subject).at(place).advise(fix.to_owned())
    }

    /// Values in the other runtime's syntax, which this one takes for something else.
    fn other_syntax(&self, found: &mut Vec<Finding>) {
        if self.evaluator.setup().release.runtime != Runtime::Rs {
            return;
        }
        for verdict in self.evaluation.verdicts.iter().filter(|v| v.status == Status::Applied) {
            let is_list =
                verdict.key.ends_with(".virtio_fs_extra_args") || verdict.key.ends_with(".kernel_modules");
            let value = verdict.value.trim();
            if !is_list || !value.starts_with('[') || !value.ends_with(']') {
                continue;
            }
            let inner = value.trim_start_matches('[').trim_end_matches(']');
            let words: Vec<&str> = inner.split(',').map(|word| word.trim().trim_matches('"')).collect();
            let (right, first) = (words.join(","), value.split(',').next().unwrap_or_default());
            let message = format!(
                "runtime-rs splits the value at commas, and takes {first} for the first word: a JSON list is the Go \
                 runtime's form, and the program that gets these words does not start"
            );
            let mut finding =
                self.say(Code::OtherSyntax, Severity::Warning, "", message, &format!("write {right:?}"));
            finding.subject = Some(verdict.key.to_string());
            let set = self.pod.annotations.iter().find(|a| a.key == verdict.key);
            finding.place = set.map(|a| a.place.clone()).or(finding.place);
            finding.who = Who::PodAuthor;
            found.push(finding);
        }
    }

    /// A digest of init data that is longer than what the TEE measures.
    fn digest(&self, found: &mut Vec<Finding>) {
        let is_it = |v: &&Verdict| v.status == Status::Applied && v.key.ends_with(".cc_init_data");
        let Some(verdict) = self.evaluation.verdicts.iter().find(is_it) else { return };
        let document = verdict.after.as_deref().and_then(Json::as_str).unwrap_or_default();
        let algorithm = document.lines().find_map(|line| {
            let (key, value) = line.split_once('=')?;
            (key.trim() == "algorithm").then(|| value.trim().trim_matches(['"', '\'']).to_owned())
        });
        let bytes = match algorithm.as_deref() {
            Some("sha512") => 64,
            Some("sha384") => 48,
            _ => return,
        };
        let (room, what) = match self.evaluator.setup().host.facts.protection {
            Protection::Snp => (32, "HOST_DATA of SEV-SNP"),
            Protection::Tdx => (48, "MRCONFIGID of TDX"),
            _ => return,
        };
        if bytes <= room || !self.is_on("hypervisor", "confidential_guest") {
            return;
        }
        let message = format!(
            "the digest of the init data has {bytes} bytes and is cut to the {room} of {what}: a verifier that \
             expects the whole digest refuses the guest"
        );
        let fix = if room == 32 { "write algorithm = \"sha256\"" } else { "write algorithm = \"sha384\"" };
        let mut finding = self.say(Code::DigestCut, Severity::Note, "", message, fix);
        finding.subject = Some(verdict.key.to_string());
        finding.who = Who::PodAuthor;
        found.push(finding);
    }

    /// Huge pages against the VM's memory.
    fn huge_pages(&self, found: &mut Vec<Finding>) {
        if !self.is_on("hypervisor", "enable_hugepages") {
            return;
        }
        let host = &self.evaluator.setup().host;
        let is_assumed = host.facts.origins.get("hugepages") == Some(&FactOrigin::Assumed);
        let (boot, whole) = (self.vm.boot.mib, self.vm.whole.mib);
        let plugged =
            if whole > boot { format!(", {whole} MiB once all containers run") } else { String::new() };
        if !host.facts.hugepages && !is_assumed {
            let message = format!(
                "enable_hugepages: the VM's {boot} MiB{plugged} come from /dev/hugepages, and the host has none \
                 (hugepages = false): the VMM cannot map its memory, and the VM does not start"
            );
            let fix = "reserve huge pages on the host (sysctl vm.nr_hugepages) and mount /dev/hugepages, or set \
                       enable_hugepages = false";
            found.push(self.say(Code::HugePagesShort, Severity::Warning, "enable_hugepages", message, fix));
            return;
        }
        let Some((free, size_kib)) = free_huge_pages(host) else { return };
        let has = free * size_kib / 1024;
        if (has as f64) < whole {
            let message = format!(
                "enable_hugepages: the VM's {boot} MiB{plugged} come from huge pages, and the host has {free} free of \
                 {size_kib} KiB, {has} MiB in all"
            );
            let fix = "reserve more huge pages on the host (sysctl vm.nr_hugepages), or ask for less memory";
            found.push(self.say(Code::HugePagesShort, Severity::Warning, "enable_hugepages", message, fix));
        }
    }

    /// What is plugged in while the VM runs.
    fn hotplug(&self, found: &mut Vec<Finding>) {
        let (boot, whole) = (self.vm.boot, self.vm.whole);
        let (more_mib, more_vcpus) = (whole.mib - boot.mib, whole.vcpus - boot.vcpus);
        if more_mib <= 0.0 && more_vcpus <= 0.0 {
            return;
        }
        let arch = self.evaluator.setup().host.facts.arch;
        let fix = "set static_sandbox_resource_mgmt = true in [runtime], so that the VM boots with the limits; or size \
                   it with default_vcpus and default_memory";
        if self.hypervisor == "firecracker" {
            let message = format!(
                "Firecracker plugs nothing in: the VM keeps the {} vCPUs and {} MiB that it boots with, and the limits \
                 ask for {} and {}",
                boot.vcpus, boot.mib, whole.vcpus, whole.mib
            );
            found.push(self.say(Code::NoHotplug, Severity::Warning, "default_vcpus", message, fix));
            return;
        }
        if arch == Arch::Aarch64
            && more_vcpus > 0.0
            && matches!(self.hypervisor, "qemu" | "clh" | "cloud-hypervisor")
        {
            let message = format!(
                "no CPU can be plugged into a VM on aarch64: it boots with {} vCPUs, the limits ask for {}, and the \
                 container fails or gets no more",
                boot.vcpus, whole.vcpus
            );
            found.push(self.say(Code::NoHotplug, Severity::Warning, "default_vcpus", message, fix));
        }
        let is_qemu_of_go =
            self.hypervisor == "qemu" && self.evaluator.setup().release.runtime == Runtime::Go;
        if is_qemu_of_go
            && !self.is_on("hypervisor", "enable_virtio_mem")
            && boot.mib > 0.0
            && more_mib > boot.mib * HOTPLUG_FACTOR
        {
            let message = format!(
                "{more_mib} MiB are plugged into a VM of {} MiB. At once that is at most 48 times what it has ({} MiB), so \
                 it takes several steps, and each needs guest memory for the map of the new pages: it is slow, and may \
                 fail",
                boot.mib,
                boot.mib * HOTPLUG_FACTOR
            );
            let fix = format!(
                "raise default_memory (to {} at least), or set enable_virtio_mem = true",
                (more_mib / HOTPLUG_FACTOR).ceil()
            );
            found.push(self.say(Code::PluggedIn, Severity::Note, "default_memory", message, &fix));
        }
    }

    /// Devices that a host with devices lacks.
    fn devices(&self, found: &mut Vec<Finding>) {
        let host = &self.evaluator.setup().host;
        let has_devices = host.sees_all() && host.exists("/dev/pts");
        if !has_devices {
            return;
        }
        if !host.exists("/dev/kvm") {
            let message = "the host has no /dev/kvm: no VM starts on it".to_owned();
            let fix = "load kvm_intel or kvm_amd, and switch virtualisation on in the firmware; a node that is itself a \
                       VM needs nested virtualisation";
            found.push(self.say(Code::DeviceMissing, Severity::Warning, "path", message, fix));
        }
        let uses_vhost_net = self.hypervisor == "qemu" && !self.is_on("hypervisor", "disable_vhost_net");
        if uses_vhost_net && !host.exists("/dev/vhost-net") {
            let message = "the host has no /dev/vhost-net, and disable_vhost_net is false: the VM's network card cannot \
                           be made"
                .to_owned();
            let fix = "load the kernel module vhost_net, or set disable_vhost_net = true";
            found.push(self.say(Code::DeviceMissing, Severity::Warning, "disable_vhost_net", message, fix));
        }
    }

    /// The pod's cgroup against the VM in it.
    fn cgroup(&self, found: &mut Vec<Finding>) {
        let Some(limit) = self.pod.sizing.map(|s| s.memory_limit).filter(|limit| *limit > 0) else { return };
        let told = self.pod.overhead.map_or(self.pod.class_overhead, |overhead| overhead.memory_limit);
        let Some(overhead) = Some(told).filter(|overhead| *overhead > 0) else { return };
        if self.pod.runtime_class.is_none() || !self.is_on("runtime", "sandbox_cgroup_only") {
            return;
        }
        let (limit, overhead) = ((limit >> 20) as f64, (overhead >> 20) as f64);
        if self.vm.whole.mib <= limit + overhead {
            return;
        }
        let message = format!(
            "sandbox_cgroup_only: the pod's cgroup has {} MiB (limits {limit} + overhead {overhead}), and the VM may come to \
             {} MiB, its VMM not counted: where the guest uses all of it, the host's kernel kills the VM",
            limit + overhead,
            self.vm.whole.mib
        );
        let fix = "raise overhead.podFixed.memory of the RuntimeClass, or lower default_memory";
        found.push(self.say(Code::CgroupShort, Severity::Note, "default_memory", message, fix));
    }
}

/// Free huge pages and their size in KiB, where the host's files tell.
fn free_huge_pages(host: &crate::input::Host) -> Option<(u64, u64)> {
    if !host.sees_all() {
        return None;
    }
    let text = String::from_utf8(host.read("/proc/meminfo").ok()?).ok()?;
    let number = |name: &str| -> Option<u64> {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim_start_matches(':').split_whitespace().next()?.parse().ok()
    };
    Some((number("HugePages_Free")?, number("Hugepagesize")?))
}
