//! What the VM is made of: boot files, CPUs, machine, memory, and how it is debugged.
//!
//! Facts: src/libs/kata-types/src/config/hypervisor/mod.rs at 4.1.0.

use std::str::FromStr;

use serde::{Deserialize, Serialize, Serializer};

use crate::input::Text;

/// Keys about what the guest boots from.
#[allow(missing_docs)]
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
pub struct BootInfo {
    #[serde(default)]
    pub kernel: Text,
    #[serde(default)]
    pub kernel_params: Text,
    /// How many bytes of `kernel_params`, at its front, loading put there for the agent.
    #[serde(skip)]
    pub params_of_agent: usize,
    /// How many bytes of `kernel_params`, at its end, are the pod's.
    #[serde(skip)]
    pub params_of_pod: usize,
    #[serde(default)]
    pub kernel_verity_params: Text,
    #[serde(default)]
    pub initrd: Text,
    #[serde(default)]
    pub image: Text,
    #[serde(default)]
    pub rootfs_type: Text,
    #[serde(default)]
    pub firmware: Text,
    #[serde(default)]
    pub vm_rootfs_driver: Text,
}

/// Keys about CPUs.
#[allow(missing_docs)]
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
pub struct CpuInfo {
    #[serde(default)]
    pub cpu_features: Text,
    #[serde(default, serialize_with = "in_few_digits")]
    pub default_vcpus: f32,
    /// The same as releases have it that know no fractions.
    #[serde(default, rename = "default_vcpus (whole)", skip_serializing)]
    pub whole_vcpus: Option<i32>,
    #[serde(default, serialize_with = "in_few_digits")]
    pub overhead_vcpus: f32,
    #[serde(default)]
    pub default_maxvcpus: u32,
    #[serde(default)]
    pub disable_nested_virtualization: Option<bool>,
}

/// The number of 64 bits that has the fewest digits of those that stand for this one of 32: 0.1 stays 0.1.
pub fn shortest(number: f32) -> f64 {
    if number.fract() == 0.0 {
        return number.into();
    }
    number.to_string().parse().unwrap_or(f64::NAN)
}

fn in_few_digits<S: Serializer>(number: &f32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(shortest(*number))
}

/// Keys about debugging.
#[allow(missing_docs)]
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
pub struct DebugInfo {
    #[serde(default)]
    pub enable_debug: bool,
    #[serde(default = "crate::runtime::rs::config::agent::info")]
    pub log_level: Text,
    #[serde(default)]
    pub guest_memory_dump_paging: bool,
    #[serde(default)]
    pub guest_memory_dump_path: Text,
    #[serde(default, alias = "dbg_monitor_socket")]
    pub extra_monitor_socket: Text,
}

/// Keys about the machine.
#[allow(missing_docs)]
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
pub struct MachineInfo {
    #[serde(default)]
    pub machine_type: Text,
    #[serde(default)]
    pub machine_accelerators: Text,
    #[serde(default)]
    pub pflashes: Vec<Text>,
    #[serde(default)]
    pub entropy_source: Text,
    #[serde(default)]
    pub valid_entropy_sources: Vec<String>,
}

/// What backs huge pages.
#[allow(missing_docs)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(from = "HugePageWord")]
pub enum HugePageType {
    #[default]
    #[serde(rename = "hugetlbfs")]
    Hugetlbfs,
    #[serde(rename = "thp")]
    Thp,
}

/// What an unknown word is answered with, in the file and in an annotation.
const NO_SUCH_WORD: &str = "data did not match any variant of untagged enum __HugePageTypeDeUntagged";

#[derive(Deserialize)]
enum Word {
    #[serde(rename = "hugetlbfs")]
    Hugetlbfs,
    #[serde(rename = "thp")]
    Thp,
}

/// Upstream's derive goes through an untagged enum, which words the error.
#[derive(Deserialize)]
#[serde(untagged, expecting = "data did not match any variant of untagged enum __HugePageTypeDeUntagged")]
enum HugePageWord {
    Known(Word),
}

impl From<HugePageWord> for HugePageType {
    fn from(HugePageWord::Known(word): HugePageWord) -> Self {
        match word {
            Word::Hugetlbfs => Self::Hugetlbfs,
            Word::Thp => Self::Thp,
        }
    }
}

impl FromStr for HugePageType {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "hugetlbfs" => Ok(Self::Hugetlbfs),
            "thp" => Ok(Self::Thp),
            _ => Err(NO_SUCH_WORD),
        }
    }
}

impl HugePageType {
    /// The word of the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hugetlbfs => "hugetlbfs",
            Self::Thp => "thp",
        }
    }
}

/// Keys about memory.
#[allow(missing_docs)]
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
pub struct MemoryInfo {
    #[serde(default)]
    pub default_memory: u32,
    #[serde(default)]
    pub overhead_memory: u32,
    #[serde(default)]
    pub default_maxmemory: u32,
    #[serde(default)]
    pub memory_slots: u32,
    #[serde(default)]
    pub file_mem_backend: Text,
    #[serde(default)]
    pub valid_file_mem_backends: Vec<String>,
    #[serde(default)]
    pub enable_mem_prealloc: bool,
    #[serde(default)]
    pub enable_hugepages: bool,
    #[serde(default)]
    pub hugepage_type: HugePageType,
    #[serde(default)]
    pub enable_virtio_mem: bool,
    #[serde(default)]
    pub enable_swap: bool,
    #[serde(default)]
    pub enable_guest_swap: bool,
    #[serde(default = "guest_swap_path")]
    pub guest_swap_path: Text,
    #[serde(default = "guest_swap_size_percent")]
    pub guest_swap_size_percent: u64,
    #[serde(default = "guest_swap_create_threshold_secs")]
    pub guest_swap_create_threshold_secs: u64,
}

fn guest_swap_path() -> Text {
    "/run/kata-containers/swap".into()
}

fn guest_swap_size_percent() -> u64 {
    100
}

fn guest_swap_create_threshold_secs() -> u64 {
    60
}
