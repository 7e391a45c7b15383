//! The lists of a hypervisor's table that say which paths a pod may name.
//!
//! Decides which key holds which list. Facts: the `validate_..._path` functions of
//! src/libs/kata-types/src/config/hypervisor/mod.rs at each tag.

use super::super::config::Hypervisor;

/// The lists that gate paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum PathList {
    Hypervisor,
    Control,
    Jailer,
    VhostUserStore,
    Entropy,
    MemoryBackend,
    VirtioFsDaemon,
}

impl PathList {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Hypervisor,
        Self::Control,
        Self::Jailer,
        Self::VhostUserStore,
        Self::Entropy,
        Self::MemoryBackend,
        Self::VirtioFsDaemon,
    ];

    /// The key of the list.
    pub fn key(self) -> &'static str {
        match self {
            Self::Hypervisor => "valid_hypervisor_paths",
            Self::Control => "valid_ctlpaths",
            Self::Jailer => "valid_jailer_paths",
            Self::VhostUserStore => "valid_vhost_user_store_paths",
            Self::Entropy => "valid_entropy_sources",
            Self::MemoryBackend => "valid_file_mem_backends",
            Self::VirtioFsDaemon => "valid_virtio_fs_daemon_paths",
        }
    }

    /// The patterns of the list.
    pub fn of<'h>(self, hv: &'h Hypervisor) -> &'h [String] {
        match self {
            Self::Hypervisor => &hv.valid_hypervisor_paths,
            Self::Control => &hv.valid_ctlpaths,
            Self::Jailer => &hv.valid_jailer_paths,
            Self::VhostUserStore => &hv.blockdev_info.valid_vhost_user_store_paths,
            Self::Entropy => &hv.machine_info.valid_entropy_sources,
            Self::MemoryBackend => &hv.memory_info.valid_file_mem_backends,
            Self::VirtioFsDaemon => &hv.shared_fs.valid_virtio_fs_daemon_paths,
        }
    }
}
