//! A pod's initialization data for people and machines: the parts, the digest to pin, what platforms keep of it.
//!
//! Decides how it looks; computes nothing.

use std::io::{self, Write};

use serde_json::{Map, Value as Json, json};

use super::escape::{visible, visible_lines};
use crate::evaluate::initdata::Brought;
use crate::input::host::Protection;
use crate::input::manifest::Pod;
use crate::runtime::initdata::{Binding, hex};

fn platform(protection: Protection) -> &'static str {
    match protection {
        Protection::Tdx => "TDX",
        Protection::Snp => "SEV-SNP",
        Protection::Sev => "SEV",
        Protection::Se | Protection::SeNoCmdline => "Secure Execution",
        Protection::Pef => "PEF",
        Protection::Cca => "CCA",
        Protection::None => "no TEE",
    }
}

/// As text.
pub fn text(out: &mut dyn Write, pod: &Pod, brought: Option<&Brought>) -> io::Result<()> {
    writeln!(out, "{}", visible(&pod.id()))?;
    let Some(Brought { key, data, .. }) = brought else {
        return writeln!(out, "no initialization data: the pod sets no cc_init_data");
    };
    writeln!(out, "{}, {} bytes", visible(key), data.text.len())?;
    if let Some(error) = &data.error {
        writeln!(out, "cannot be read: {}", visible_lines(error))?;
    }
    for (name, value) in [("version", &data.version), ("algorithm", &data.algorithm)] {
        if let Some(value) = value {
            writeln!(out, "{name:<10} {}", visible(value))?;
        }
    }
    match &data.digest {
        Some(digest) => writeln!(out, "digest     {}", hex(digest))?,
        None if data.algorithm.is_some() => {
            writeln!(out, "digest     none: no runtime knows this algorithm")?
        }
        None => {}
    }
    if let Some(brought) = brought {
        here(out, brought)?;
    }
    for binding in &data.bindings {
        let lost = if binding.is_cut() {
            format!("  cut from {} bytes", binding.digest_length)
        } else if binding.bytes.len() > binding.digest_length {
            format!("  filled up from {} bytes", binding.digest_length)
        } else {
            String::new()
        };
        writeln!(
            out,
            "  {} {}, {} bytes{lost}",
            platform(binding.platform),
            binding.field,
            binding.bytes.len()
        )?;
        writeln!(out, "    {}", hex(&binding.bytes))?;
        writeln!(out, "    {}", binding.base64())?;
    }
    if data.digest.is_some() {
        for (own, why) in &data.unbound {
            writeln!(out, "  {}: {why}", platform(*own))?;
        }
    }
    for (name, part) in &data.parts {
        writeln!(out, "\n[{}]\n{}", visible(name), visible_lines(part.trim_end()))?;
    }
    Ok(())
}

/// What becomes of it on the host.
fn here(out: &mut dyn Write, brought: &Brought) -> io::Result<()> {
    let host = platform(brought.host);
    match &brought.pinned_by {
        Some(argument) => writeln!(out, "pinned     on this host ({host}) by {}", visible(argument))?,
        None if !brought.starts => writeln!(out, "pinned     by nothing: no VM is started for this pod")?,
        None => writeln!(out, "pinned     by nothing on this host ({host})")?,
    }
    for remark in &brought.remarks {
        writeln!(out, "  ! {}", visible_lines(remark))?;
    }
    Ok(())
}

/// As JSON.
pub fn json(pod: &Pod, brought: Option<&Brought>) -> Json {
    let Some(Brought { key, data, host, pinned_by, remarks, .. }) = brought else {
        return json!({ "name": pod.name, "namespace": pod.namespace, "initdata": null });
    };
    let parts: Map<String, Json> =
        data.parts.iter().map(|(name, part)| (name.clone(), Json::from(part.as_str()))).collect();
    let bindings: Vec<Json> = data.bindings.iter().map(binding).collect();
    json!({
        "name": pod.name,
        "namespace": pod.namespace,
        "initdata": {
            "annotation": key,
            "text": data.text,
            "version": data.version,
            "algorithm": data.algorithm,
            "parts": parts,
            "digest": data.digest.as_deref().map(hex),
            "bindings": bindings,
            "unbound": data.unbound.iter().map(|(own, why)| json!({ "platform": platform(*own), "why": why })).collect::<Vec<_>>(),
            "host": platform(*host),
            "pinned_by": pinned_by,
            "remarks": remarks,
            "error": data.error,
        },
    })
}

fn binding(binding: &Binding) -> Json {
    json!({
        "platform": platform(binding.platform),
        "field": binding.field,
        "bytes": binding.bytes.len(),
        "hex": hex(&binding.bytes),
        "base64": binding.base64(),
        "cut": binding.is_cut(),
    })
}
