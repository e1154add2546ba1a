//! The binary `tributary`. Everything is in the library, so that tests reach it.

use std::process::ExitCode;

/// An event is some twenty small texts, made on one thread and freed on another: the system's allocator spends a third of an
/// import on that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    tributary_app::command::main()
}
