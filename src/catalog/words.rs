//! The words that the catalogue's tables are written in: risk, level, type, parse rule.
//!
//! Also compiled into the build script, which turns the tables into code.

use serde::Deserialize;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $word:literal, $text:literal;)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
        #[allow(missing_docs)]
        pub enum $name { $(#[serde(rename = $word)] $variant),* }

        #[allow(dead_code)] // the build script needs only part
        impl $name {
            /// All of them, in order.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The word of the tables and reports.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }

            /// What it means, in a few words.
            pub fn describe(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }
        }
    };
}

words! {
    /// What whoever sets an annotation gets into their hands, worst first.
    Risk {
        HostExec = "host-exec", "runs a chosen program or configuration on the host";
        HostPath = "host-path", "makes the host open a chosen path";
        GuestIntegrity = "guest-integrity", "changes what the guest boots or what protects it";
        Isolation = "isolation", "weakens what separates the pod from the host's network";
        Resource = "resource", "takes more of the host's resources";
        Observability = "observability", "lets more be seen of what happens inside";
        None = "none", "changes no one's rights";
    }
}

words! {
    /// Where an annotation belongs.
    Level {
        Sandbox = "sandbox", "read once, from the pod";
        Container = "container", "read from each container";
        Output = "output", "written by the runtime";
        MountOption = "mount-option", "an option of a root file system's mount, not an annotation of a pod";
    }
}

words! {
    /// What a value is.
    Kind {
        Bool = "bool", "true or false";
        U8 = "u8", "a whole number of 8 bits";
        U32 = "u32", "a whole number of 32 bits";
        U64 = "u64", "a whole number of 64 bits";
        I32 = "i32", "a whole number of 32 bits with a sign";
        I64 = "i64", "a whole number of 64 bits with a sign";
        F32 = "f32", "a number";
        Size = "size", "a size with an optional unit";
        Quantity = "quantity", "a Kubernetes quantity";
        Text = "text", "text";
        Path = "path", "a path";
        Choice = "choice", "one of a few words";
        List = "list", "a list of texts";
        Digest = "digest", "a SHA-512 in hexadecimal";
        Document = "document", "a document";
        Objects = "objects", "a list of objects";
        Table = "table", "a table";
    }
}

words! {
    /// What becomes of the pod when the value is bad.
    OnBad {
        Refused = "refused", "a bad value refuses the pod";
        Unchecked = "unchecked", "the value is not checked when it is read";
        Ignored = "ignored", "a bad value is ignored";
        Panic = "panic", "a bad value crashes the runtime";
        Late = "late", "a bad value fails the pod later";
    }
}

words! {
    /// How a release reads a value.
    Parse {
        GoBool = "go-bool", "1, t, T, true, True, TRUE or 0, f, F, false, False, FALSE";
        GoUint32 = "go-uint32", "decimal digits of a 32-bit number";
        GoUint64 = "go-uint64", "decimal digits of a 64-bit number";
        GoUint64Trunc32 = "go-uint64-trunc32", "decimal digits of a 64-bit number, cut to 32 bits afterwards";
        GoUintBase0 = "go-uint-base0", "a 64-bit number, decimal or with 0x, 0o, 0b or a leading 0, `_` allowed";
        GoFloat32 = "go-float32", "a number as Go writes it";
        GoString = "go-string", "text as it stands";
        GoStringNonempty = "go-string-nonempty", "text as it stands; empty counts as absent";
        GoEnum = "go-enum", "exactly one of the words";
        GoJsonArray = "go-json-array", "a JSON list of strings";
        GoFields = "go-fields", "words between white space; quotation marks mean nothing";
        GoSpaceSplit = "go-space-split", "words between single spaces";
        GoSemicolon = "go-semicolon", "parts between semicolons";
        GoGlobList = "go-glob-list", "a path that the globs of its list expand to on the host";
        GoAssetPath = "go-asset-path", "an absolute path; empty counts as absent";
        GoBase64 = "go-base64", "base64";
        GoB64GzipToml = "go-b64-gzip-toml", "base64 of gzip of TOML";
        GoQuantity = "go-quantity", "a Kubernetes quantity";
        GoVerity = "go-verity", "key=value pairs between commas";
        RsBool = "rs-bool", "true or false; white space around it does not count";
        RsU32 = "rs-u32", "a decimal 32-bit number; white space around it does not count";
        RsU64 = "rs-u64", "a decimal 64-bit number; white space around it does not count";
        RsUsize = "rs-usize", "a decimal 64-bit number; white space around it does not count";
        RsI32 = "rs-i32", "a decimal 32-bit number, negative too; white space around it does not count";
        RsF32 = "rs-f32", "a number as Rust writes it";
        RsByteSize = "rs-byte-size", "a number with an optional unit; digits alone are MiB";
        RsBytes = "rs-bytes", "a number with an optional unit; digits alone are bytes";
        RsString = "rs-string", "text as it stands";
        RsStringTrim = "rs-string-trim", "text; white space around it does not count";
        RsStringRaw = "rs-string-raw", "text as it stands";
        RsEnum = "rs-enum", "exactly one of the words";
        RsJson = "rs-json", "JSON of the whole list of objects";
        RsComma = "rs-comma", "parts between commas, white space kept";
        RsBlanks = "rs-blanks", "parts between blanks";
        RsSemicolon = "rs-semicolon", "parts between semicolons";
        RsKernelParams = "rs-kernel-params", "key=value parameters between spaces";
        RsVerity = "rs-verity", "key=value pairs between commas";
        RsB64Gzip = "rs-b64-gzip", "base64 of gzip; its TOML is read later";
        MountOption = "mount-option", "compared with an option of the mount";
    }
}
