//! `kernel_verity_params`, of the root file system and of guest extension images: how the guest verifies
//! what it mounts.
//!
//! Decides which lists are complete. What the guest kernel is told is the launch's.
//! Facts: `ParseKernelVerityParams` in src/runtime/virtcontainers/hypervisor.go and `parse_kernel_verity_params` in
//! src/libs/kata-types/src/config/hypervisor/mod.rs at 4.1.0.

use std::collections::BTreeMap;

use super::RuntimeMessage;
use crate::golang::strconv::{self, quote};
use crate::release::Runtime;

/// The block of the device mapper's tables, in bytes.
pub(crate) const SECTOR: u64 = 512;

/// What the list says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verity {
    /// The digest at the top of the hash tree.
    pub root_hash: String,
    /// What every block is hashed with.
    pub salt: String,
    /// How many blocks are verified.
    pub data_blocks: u64,
    /// Bytes, a multiple of `SECTOR`.
    pub data_block_size: u64,
    /// Bytes, a multiple of `SECTOR`.
    pub hash_block_size: u64,
}

impl Verity {
    /// Reads the list as a runtime does; `None` where it is blank.
    pub(crate) fn parse(params: &str, runtime: Runtime) -> Result<Option<Self>, RuntimeMessage> {
        if params.trim().is_empty() {
            return Ok(None);
        }
        let (is_go, invalid, missing) = match runtime {
            Runtime::Go => (true, "invalid", "missing"),
            Runtime::Rs => (false, "Invalid", "Missing"),
        };
        let invalid = |what: String| RuntimeMessage(format!("{invalid} kernel_verity_params {what}"));
        let mut values = BTreeMap::new();
        for field in params.split(',').map(str::trim).filter(|field| !field.is_empty()) {
            match field.split_once('=') {
                Some((key, value)) if is_go || !key.is_empty() => values.insert(key, value),
                _ if is_go => return Err(invalid(format!("entry: {}", quote(field)))),
                _ => return Err(invalid(format!("entry: {field}"))),
            };
        }
        let needed = |name: &str, may_be_empty: bool| {
            let value = values.get(name).copied().filter(|value| may_be_empty || !value.is_empty());
            value.ok_or_else(|| RuntimeMessage(format!("{missing} kernel_verity_params {name}")))
        };
        let number = |name: &str| {
            let value = needed(name, false)?;
            match runtime {
                Runtime::Go => strconv::parse_uint(value, 10, 64)
                    .map_err(|why| invalid(format!("{name} {}: {why}", quote(value)))),
                Runtime::Rs => value.parse().map_err(|why| invalid(format!("{name} '{value}': {why}"))),
            }
        };
        let root_hash = needed("root_hash", !is_go)?.to_owned();
        let data_blocks = number("data_blocks")?;
        let data_block_size = number("data_block_size")?;
        let hash_block_size = number("hash_block_size")?;
        let salt = needed("salt", false)?.to_owned();
        let sizes = [("data_block_size", data_block_size), ("hash_block_size", hash_block_size)];
        for (name, value) in [("data_blocks", data_blocks)].into_iter().chain(sizes) {
            if value == 0 {
                let why = format!("{name}: must be non-zero");
                return Err(invalid(why));
            }
        }
        for (name, value) in sizes {
            if value % SECTOR != 0 {
                let why = format!("{name}: must be multiple of {SECTOR}");
                return Err(invalid(why));
            }
        }
        Ok(Some(Self { root_hash, salt, data_blocks, data_block_size, hash_block_size }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_checked_in_order() {
        let all = "root_hash=ab,salt=cd,data_blocks=1,data_block_size=512,hash_block_size=4096";
        for (runtime, mark) in [(Runtime::Go, "\""), (Runtime::Rs, "")] {
            let message = |params: &str| Verity::parse(params, runtime).unwrap_err().0.to_lowercase();
            assert_eq!(Verity::parse(all, runtime).unwrap().unwrap().hash_block_size, 4096);
            assert_eq!(Verity::parse(" ", runtime), Ok(None));
            assert_eq!(message("x"), format!("invalid kernel_verity_params entry: {mark}x{mark}"));
            assert_eq!(message("root_hash=ab"), "missing kernel_verity_params data_blocks");
            let both = all.replace("=512", "=0").replace("=4096", "=1");
            assert_eq!(message(&both), "invalid kernel_verity_params data_block_size: must be non-zero");
            let odd = "invalid kernel_verity_params data_block_size: must be multiple of 512";
            assert_eq!(message(&all.replace("=512", "=513")), odd);
        }
    }
}
