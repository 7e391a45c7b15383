//! The program: arguments in, exit status out.
#![forbid(unsafe_code)]

/// An evaluation makes and drops some hundred short strings.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> katascope::cli::Exit {
    katascope::cli::run()
}
