//! Cloud Hypervisor: the process, virtiofsd, and the body of the `vm.create` request.
//!
//! A binary called `cloud-hypervisor` is asked for its version first. Facts:
//! src/runtime/virtcontainers/clh.go, virtiofsd.go and pkg/cloud-hypervisor/client at 2.1.0.

use serde_json::{Value as Json, json};

use super::process::{followed, not_startable};
use super::{Refusal, Started, configured, extend, in_vm, push, share};
use crate::input::Host;
use crate::input::host::Errno;
use crate::launch::{Arg, Cause, Helper, Launch, Request};
use crate::runtime::go_text::{parse_uint, quote};
use crate::runtime::go21::config::{Asset, SandboxConfig, SandboxHypervisor};

macro_rules! clh {
    ($key:literal) => {
        concat!("hypervisor.clh.", $key)
    };
}

/// Where upstream gives up.
pub(super) fn check(host: &Host, config: &SandboxConfig<'_>) -> Result<(), Refusal> {
    let hv = &config.hypervisor_config;
    let program = config.asset(Asset::Hypervisor);
    if host.stat(program).err() == Some(Errno::NotFound) {
        return Err(Refusal::because(format!("Cloud-Hypervisor path ({program}) does not exist"), &["path"]));
    }
    if program.ends_with("cloud-hypervisor") {
        version(host, program).map_err(|why| Refusal::because(why, &["path"]))?;
    }
    if hv.shared_fs != "virtio-fs" {
        let message = format!("shared fs method not supported {}", hv.shared_fs);
        return Err(Refusal::because(message, &["shared_fs"]));
    }
    if let Some(why) = not_startable(host, &hv.virtio_fs_daemon) {
        return Err(Refusal::because(why, &["virtio_fs_daemon"]));
    }
    if let Some(why) = not_startable(host, program) {
        let why = quote(&why);
        return Err(Refusal::because(format!("failed to launch cloud-hypervisor: {why}"), &["path"]));
    }
    Ok(())
}

/// What the binary says of itself must be 0.5 or newer.
fn version(host: &Host, program: &str) -> Result<(), String> {
    if let Some(why) = not_startable(host, program) {
        return Err(why);
    }
    let Some(ran) = followed(host, program) else { return Ok(()) };
    if ran.status != 0 {
        return Err(format!("exit status {}", ran.status));
    }
    let words: Vec<&str> = ran.output.split_whitespace().collect();
    let [_, version] = words.as_slice() else {
        return Err("Failed to parse cloud-hypervisor version response. Illegal length".to_owned());
    };
    let parts: Vec<&str> = version.split('.').collect();
    let [major, minor, revision] = parts.as_slice() else {
        return Err("Failed to parse cloud-hypervisor version field. Illegal length".to_owned());
    };
    let number = |text: &str| parse_uint(text, 10, 64).map_err(|e| e.to_string());
    let major = number(major.trim_start_matches('v'))?;
    let minor = number(minor)?;
    number(revision.split('-').next().unwrap_or_default())?;
    if major == 0 && minor < 5 {
        return Err(format!(
            "Unsupported version: cloud-hypervisor {major}.{minor} not supported by this driver version (0.5)"
        ));
    }
    Ok(())
}

/// Spells it out.
pub(super) fn start(host: &Host, config: &SandboxConfig<'_>, hv: &SandboxHypervisor<'_>) -> Started {
    let kernel_params = kernel_params(config, hv);
    let line: Vec<&str> = kernel_params.iter().map(|p| p.text.as_str()).collect();
    let kernel_cmdline = line.join(" ").trim().to_owned();
    let mut args = Vec::with_capacity(5);
    push(&mut args, &["--api-socket", &in_vm(config, "clh-api.sock")], &Cause::constant());
    if hv.debug {
        push(&mut args, &["-vv"], &Cause::key(clh!("enable_debug")));
    }
    push(&mut args, &["--seccomp", "false"], &Cause::constant());
    let create = Request {
        method: "PUT".into(),
        path: "vm.create".into(),
        body: vm_config(host, config, hv, &kernel_cmdline),
        causes: causes(),
    };
    let boot = Request { method: "PUT".into(), path: "vm.boot".into(), body: Json::Null, causes: Vec::new() };
    Started {
        launch: Launch {
            program: Some(config.asset(Asset::Hypervisor).to_owned()),
            args,
            helpers: vec![daemon(config, hv)],
            requests: vec![create, boot],
            ..Launch::default()
        },
        kernel_params,
        kernel_cmdline,
        shares_files: true,
    }
}

fn daemon(config: &SandboxConfig<'_>, hv: &SandboxHypervisor<'_>) -> Helper {
    let mut args = Vec::with_capacity(12);
    let constant = Cause::constant();
    push(&mut args, &["--syslog", "-f"], &constant);
    let cache = format!("cache={}", hv.virtio_fs_cache);
    push(&mut args, &["-o", &cache], &Cause::key(clh!("virtio_fs_cache")));
    push(&mut args, &["-o", "no_posix_lock"], &constant);
    push(&mut args, &["-o", &format!("source={}", share(config)), "--fd=3"], &constant);
    if hv.debug {
        push(&mut args, &["-o", "debug"], &Cause::key(clh!("enable_debug")));
    }
    let extra = Cause::key(clh!("virtio_fs_extra_args"));
    args.extend(hv.virtio_fs_extra_args.iter().map(|text| Arg::new(&**text, extra.clone())));
    Helper { program: hv.virtio_fs_daemon.to_string(), args }
}

fn kernel_params(config: &SandboxConfig<'_>, hv: &SandboxHypervisor<'_>) -> Vec<Arg> {
    let mut params = Vec::with_capacity(16);
    let constant = [
        ("root", "/dev/pmem0p1"),
        ("panic", "1"),
        ("no_timer_check", ""),
        ("noreplace-smp", ""),
        ("rootflags", "dax,data=ordered,errors=remount-ro ro"),
        ("rootfstype", "ext4"),
    ];
    extend(&mut params, &constant, &Cause::constant());
    if hv.debug {
        let debug = [("console", "ttyS0,115200n8"), ("systemd.log_target", "console")];
        extend(&mut params, &debug, &Cause::key(clh!("enable_debug")));
    }
    configured(&mut params, config, clh!("kernel_params"));
    params
}

fn vm_config(host: &Host, config: &SandboxConfig<'_>, hv: &SandboxHypervisor<'_>, cmdline: &str) -> Json {
    let mut body = json!({
        "balloon": { "size": 0 },
        "cmdline": { "args": cmdline },
        "console": { "mode": "Off" },
        "cpus": {
            "boot_vcpus": hv.num_vcpus.cast_signed(),
            "max_vcpus": hv.default_max_vcpus.cast_signed(),
            "topology": {
                "threads_per_core": 1,
                "cores_per_die": hv.default_max_vcpus.cast_signed(),
                "dies_per_package": 1,
                "packages": 1,
            },
        },
        "fs": [{
            "tag": "kataShared",
            "socket": in_vm(config, "virtiofsd.sock"),
            "num_queues": 1,
            "queue_size": 1024,
            "dax": hv.virtio_fs_cache_size != 0,
            // 32 bits are all there is: sizes from 4 GiB on lose what does not fit.
            "cache_size": hv.virtio_fs_cache_size << 20,
        }],
        "kernel": { "path": config.asset(Asset::Kernel) },
        "memory": {
            "size": u64::from(hv.memory_size) << 20,
            "hotplug_size": host.facts.memory_mib << 20,
            "shared": true,
        },
        "pmem": [{ "file": config.asset(Asset::Image), "discard_writes": true }],
        "rng": { "src": hv.entropy_source },
        "serial": { "mode": if hv.debug { "Tty" } else { "Null" } },
        "vsock": { "cid": 3, "socket": in_vm(config, "clh.sock") },
    });
    if hv.sgx_epc_size > 0
        && let Some(body) = body.as_object_mut()
    {
        body.insert("sgx_epc".to_owned(), json!([{ "size": hv.sgx_epc_size, "prefault": true }]));
    }
    body
}

fn causes() -> Vec<(String, Cause)> {
    let one = |pointer: &str, key: &'static str| (pointer.to_owned(), Cause::key(key));
    vec![
        one("/cmdline/args", clh!("kernel_params")),
        one("/cpus/boot_vcpus", clh!("default_vcpus")),
        one("/cpus/max_vcpus", clh!("default_maxvcpus")),
        one("/cpus/topology/cores_per_die", clh!("default_maxvcpus")),
        one("/fs/0/cache_size", clh!("virtio_fs_cache_size")),
        one("/fs/0/dax", clh!("virtio_fs_cache_size")),
        one("/kernel/path", clh!("kernel")),
        one("/memory/size", clh!("default_memory")),
        ("/memory/hotplug_size".to_owned(), Cause::rule("the memory of the host")),
        one("/pmem/0/file", clh!("image")),
        one("/rng/src", clh!("entropy_source")),
        one("/serial/mode", clh!("enable_debug")),
        ("/sgx_epc".to_owned(), Cause::rule("the annotation sgx.intel.com/epc")),
    ]
}
