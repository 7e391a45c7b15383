//! `kernel_verity_params`: how the guest's root file system is verified.
//!
//! Facts: `parse_kernel_verity_params` in src/libs/kata-types/src/config/hypervisor/mod.rs at 4.1.0.

use std::collections::HashMap;

/// The block of the device mapper's tables.
const SECTOR: u64 = 512;

/// What the list says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verity<'a> {
    pub(super) root_hash: &'a str,
    pub(super) salt: &'a str,
    pub(super) data_blocks: u64,
    pub(super) data_block_size: u64,
    pub(super) hash_block_size: u64,
}

fn number(values: &HashMap<&str, &str>, name: &str) -> Result<u64, String> {
    match values.get(name) {
        Some(text) if !text.is_empty() => {
            text.parse().map_err(|why| format!("Invalid kernel_verity_params {name} '{text}': {why}"))
        }
        _ => Err(format!("Missing kernel_verity_params {name}")),
    }
}

impl<'a> Verity<'a> {
    /// Reads the list; `None` where nothing is set.
    pub(super) fn parse(params: &'a str) -> Result<Option<Self>, String> {
        if params.trim().is_empty() {
            return Ok(None);
        }
        let mut values = HashMap::new();
        for field in params.split(',').map(str::trim).filter(|field| !field.is_empty()) {
            match field.split_once('=') {
                Some((key, value)) if !key.is_empty() => values.insert(key, value),
                _ => return Err(format!("Invalid kernel_verity_params entry: {field}")),
            };
        }
        let Some(root_hash) = values.get("root_hash").copied() else {
            return Err("Missing kernel_verity_params root_hash".to_owned());
        };
        let salt = values.get("salt").copied().unwrap_or_default();
        let data_blocks = number(&values, "data_blocks")?;
        let data_block_size = number(&values, "data_block_size")?;
        let hash_block_size = number(&values, "hash_block_size")?;
        if salt.is_empty() {
            return Err("Missing kernel_verity_params salt".to_owned());
        }
        let all = [
            ("data_blocks", data_blocks),
            ("data_block_size", data_block_size),
            ("hash_block_size", hash_block_size),
        ];
        if let Some((name, _)) = all.iter().find(|(_, value)| *value == 0) {
            return Err(format!("Invalid kernel_verity_params {name}: must be non-zero"));
        }
        if let Some((name, _)) = all.iter().skip(1).find(|(_, value)| value % SECTOR != 0) {
            return Err(format!("Invalid kernel_verity_params {name}: must be multiple of {SECTOR}"));
        }
        Ok(Some(Self { root_hash, salt, data_blocks, data_block_size, hash_block_size }))
    }

    /// The device mapper's table for these devices, quoted.
    pub(super) fn table(&self, data: &str, hash: &str) -> String {
        format!(
            "\"dm-verity,,,ro,0 {} verity 1 {data} {hash} {} {} {} 0 sha256 {} {}\"",
            (self.data_block_size / SECTOR).wrapping_mul(self.data_blocks),
            self.data_block_size,
            self.hash_block_size,
            self.data_blocks,
            self.root_hash,
            self.salt
        )
    }
}
