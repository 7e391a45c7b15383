//! Which annotation names the configuration files let in as they are shipped.
//!
//! A table, and the question which files would take a pod's annotations. Facts: the Makefiles and
//! configuration templates of both runtimes at 4.1.0 and of the Go runtime at 2.1.0.

use crate::release::{Release, Runtime};

/// Files that are shipped with the same list.
struct Shipped {
    release: Release,
    files: &'static [&'static str],
    names: &'static [&'static str],
}

const PLAIN_GO: &[&str] = &["enable_iommu", "kernel_params", "kernel_verity_params"];
const PLAIN_RS: &[&str] =
    &["enable_iommu", "kernel_params", "kernel_verity_params", "default_vcpus", "default_memory"];
const CONFIDENTIAL: &[&str] = &[
    "enable_iommu",
    "kernel_params",
    "kernel_verity_params",
    "default_vcpus",
    "default_memory",
    "cc_init_data",
];

#[rustfmt::skip]
static SHIPPED: &[Shipped] = &[
    Shipped { release: Release::newest(Runtime::Go), names: PLAIN_GO, files: &[
        "configuration-qemu.toml", "configuration-clh.toml", "configuration-clh-azure.toml", "configuration-fc.toml",
        "configuration-stratovirt.toml", "configuration-qemu-nvidia-cpu.toml", "configuration-qemu-nvidia-gpu.toml",
    ] },
    Shipped { release: Release::newest(Runtime::Go), names: CONFIDENTIAL, files: &[
        "configuration-qemu-coco-dev.toml", "configuration-qemu-tdx.toml", "configuration-qemu-snp.toml",
        "configuration-qemu-se.toml", "configuration-qemu-nvidia-gpu-snp.toml", "configuration-qemu-nvidia-gpu-tdx.toml",
    ] },
    Shipped {
        release: Release::newest(Runtime::Go),
        names: &[
            "machine_type", "default_memory", "default_vcpus", "image", "default_gpus", "gpu_model", "cc_init_data",
        ],
        files: &["configuration-remote.toml"],
    },
    Shipped { release: Release::newest(Runtime::Rs), names: PLAIN_RS, files: &[
        "configuration-qemu-runtime-rs.toml", "configuration-dragonball.toml", "configuration-clh-runtime-rs.toml",
        "configuration-clh-azure-runtime-rs.toml", "configuration-openvmm-azure-runtime-rs.toml",
        "configuration-rs-fc.toml",
    ] },
    Shipped { release: Release::newest(Runtime::Rs), names: CONFIDENTIAL, files: &[
        "configuration-qemu-coco-dev-runtime-rs.toml", "configuration-qemu-tdx-runtime-rs.toml",
        "configuration-qemu-snp-runtime-rs.toml", "configuration-qemu-se-runtime-rs.toml",
    ] },
    Shipped { release: Release::newest(Runtime::Rs), names: &["cc_init_data"], files: &[
        "configuration-qemu-nvidia-gpu-snp-runtime-rs.toml", "configuration-qemu-nvidia-gpu-tdx-runtime-rs.toml",
    ] },
    Shipped { release: Release::newest(Runtime::Rs), names: &[], files: &[
        "configuration-qemu-nvidia-cpu-runtime-rs.toml", "configuration-qemu-nvidia-gpu-runtime-rs.toml",
    ] },
    Shipped {
        release: Release::newest(Runtime::Rs),
        names: &["machine_type", "default_memory", "default_vcpus", "default_gpus", "default_gpu_model", "cc_init_data"],
        files: &["configuration-remote.toml"],
    },
];

/// The configuration files of `release` that, as shipped, let in every one of `names` (the part of
/// the key behind `hypervisor.`). Entries are found anywhere in a name, as the runtimes match them.
pub fn letting_in(release: Release, names: &[&str]) -> Vec<&'static str> {
    SHIPPED
        .iter()
        .filter(|s| s.release.runtime == release.runtime)
        .filter(|s| names.iter().all(|name| s.names.iter().any(|own| name.contains(own))))
        .flat_map(|s| s.files.iter().copied())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn confidential_files_let_in_what_plain_ones_do_not() {
        let files = letting_in(Release::newest(Runtime::Go), &["default_vcpus", "kernel_params"]);
        assert!(files.contains(&"configuration-qemu-tdx.toml"), "{files:?}");
        assert!(!files.contains(&"configuration-qemu.toml"), "{files:?}");
        assert!(letting_in(Release::newest(Runtime::Rs), &["path"]).is_empty());
    }
}
