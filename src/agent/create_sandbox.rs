//! What every release of the Go runtime puts into CreateSandbox in the same way.
//!
//! Facts: `startSandbox`, `setupStorages` and `setupKernelModules` in
//! src/runtime/virtcontainers/kata_agent.go from 2.0.0 to 4.1.0.

use serde_json::Value as Json;

use crate::answer::agent::fields;

/// A longer host name is cut here, in bytes.
const HOSTNAME_LIMIT: usize = 64;

pub(super) fn hostname(name: &str) -> String {
    let bytes = name.as_bytes();
    let end = bytes.len().min(HOSTNAME_LIMIT);
    String::from_utf8_lossy(bytes.get(..end).unwrap_or(bytes)).into_owned()
}

/// A kernel module: the first word is its name, the others are its parameters.
pub(super) fn kernel_module<'a>(mut words: impl Iterator<Item = &'a str>) -> Option<Json> {
    let name = words.next()?;
    let parameters: Vec<&str> = words.collect();
    // A list without elements is not there at all.
    let parameters = if parameters.is_empty() { Json::Null } else { parameters.into() };
    Some(fields([("name", name.into()), ("parameters", parameters)]))
}

fn storage(driver: &str, source: &str, fstype: &str, options: Json, mount_point: Json) -> Json {
    fields([
        ("driver", driver.into()),
        ("driver_options", Json::Null),
        ("source", source.into()),
        ("fstype", fstype.into()),
        ("options", options),
        ("mount_point", mount_point),
    ])
}

/// How the guest mounts the folder that it shares with the host.
#[derive(Debug, Clone, Copy)]
pub(super) enum Mount {
    /// Through virtiofsd or nydusd.
    VirtioFs {
        /// With a window into the host's page cache.
        dax: bool,
    },
    /// Through QEMU itself, in messages of so many bytes.
    Plan9 {
        /// How many.
        msize: u32,
    },
}

impl Mount {
    /// The hypervisor's keys that decide the options.
    pub(super) fn decided_by(self) -> &'static [&'static str] {
        match self {
            Self::VirtioFs { .. } => &["virtio_fs_cache_size", "virtio_fs_cache"],
            Self::Plan9 { .. } => &["msize_9p"],
        }
    }
}

pub(super) fn shared_folder(mount: Mount, mount_point: String) -> Json {
    let (driver, fstype, options) = match mount {
        Mount::VirtioFs { dax } => {
            let options: Vec<Json> = if dax { vec!["dax".into()] } else { Vec::new() };
            ("virtio-fs", "virtiofs", options.into())
        }
        Mount::Plan9 { msize } => {
            let size = format!("msize={msize}");
            ("9p", "9p", ["trans=virtio,version=9p2000.L,cache=mmap", "nodev", &size].into())
        }
    };
    storage(driver, "kataShared", fstype, options, mount_point.into())
}

/// `/dev/shm` of all containers.
pub(super) fn shared_memory(size: u64, mount_point: String) -> Json {
    let options = ["noexec", "nosuid", "nodev", "mode=1777", &format!("size={size}")].into();
    storage("ephemeral", "shm", "tmpfs", options, mount_point.into())
}
