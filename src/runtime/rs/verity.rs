//! `kernel_verity_params`, of the root file system and of guest extension images: how the guest verifies
//! what it mounts.
//!
//! Decides which lists are complete. What the guest kernel is told is `launch::rs`'s.
//! Facts: `parse_kernel_verity_params` in src/libs/kata-types/src/config/hypervisor/mod.rs at 4.1.0.

use std::collections::BTreeMap;

use crate::runtime::RuntimeMessage;

/// The block of the device mapper's tables, in bytes.
pub const SECTOR: u64 = 512;

/// What the list says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verity<'a> {
    /// The digest at the top of the hash tree.
    pub root_hash: &'a str,
    /// What every block is hashed with.
    pub salt: &'a str,
    /// How many blocks are verified.
    pub data_blocks: u64,
    /// Bytes, a multiple of `SECTOR`.
    pub data_block_size: u64,
    /// Bytes, a multiple of `SECTOR`.
    pub hash_block_size: u64,
}

fn number(values: &BTreeMap<&str, &str>, name: &str) -> Result<u64, RuntimeMessage> {
    match values.get(name) {
        Some(text) if !text.is_empty() => {
            text.parse().map_err(|why| format!("Invalid kernel_verity_params {name} '{text}': {why}").into())
        }
        _ => Err(format!("Missing kernel_verity_params {name}").into()),
    }
}

impl<'a> Verity<'a> {
    /// Reads the list; `None` where it is blank.
    pub fn parse(params: &'a str) -> Result<Option<Self>, RuntimeMessage> {
        if params.trim().is_empty() {
            return Ok(None);
        }
        let mut values = BTreeMap::new();
        for field in params.split(',').map(str::trim).filter(|field| !field.is_empty()) {
            match field.split_once('=') {
                Some((key, value)) if !key.is_empty() => values.insert(key, value),
                _ => return Err(format!("Invalid kernel_verity_params entry: {field}").into()),
            };
        }
        let Some(root_hash) = values.get("root_hash").copied() else {
            return Err("Missing kernel_verity_params root_hash".into());
        };
        let salt = values.get("salt").copied().unwrap_or_default();
        let data_blocks = number(&values, "data_blocks")?;
        let data_block_size = number(&values, "data_block_size")?;
        let hash_block_size = number(&values, "hash_block_size")?;
        if salt.is_empty() {
            return Err("Missing kernel_verity_params salt".into());
        }
        let sizes = [("data_block_size", data_block_size), ("hash_block_size", hash_block_size)];
        for (name, value) in [("data_blocks", data_blocks)].into_iter().chain(sizes) {
            if value == 0 {
                return Err(format!("Invalid kernel_verity_params {name}: must be non-zero").into());
            }
        }
        for (name, value) in sizes {
            if value % SECTOR != 0 {
                return Err(
                    format!("Invalid kernel_verity_params {name}: must be multiple of {SECTOR}").into()
                );
            }
        }
        Ok(Some(Self { root_hash, salt, data_blocks, data_block_size, hash_block_size }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verity_lines_are_checked_in_order() {
        let line =
            |tail: &str| Verity::parse(&format!("root_hash=1,salt=2,{tail}")).map(|said| said.is_some());
        assert_eq!(line("data_blocks=1,data_block_size=512,hash_block_size=4096"), Ok(true));
        assert!(
            line("data_blocks=1,data_block_size=0,hash_block_size=1")
                .is_err_and(|e| e.contains("size: must be non-zero"))
        );
        assert_eq!(Verity::parse("x"), Err("Invalid kernel_verity_params entry: x".into()));
        assert_eq!(Verity::parse(" "), Ok(None));
    }
}
