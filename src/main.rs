//! The program: arguments in, exit status out.
#![forbid(unsafe_code)]

fn main() -> katascope::cli::Exit {
    katascope::cli::run()
}
