//! `tributary-bench`: how fast, how small, and whether the answers are the peers'. A tool for developers; nothing depends on it.
//!
//! [`run`] is the order of a run. Each module is one measurement and holds what it reports; [`report`] collects them, [`table`]
//! and [`markdown`] print them.

mod arguments;
mod failure;
mod run;

mod events;
mod load;
mod tributary;
mod work;

mod answer;
mod engine;
mod peers;
mod question;
mod rounds;

mod bodies;
mod cold;
mod disk;
mod http;
mod ingest;
mod machine;
mod measure;
mod memory;
mod mix;
mod models;
mod tools;

mod figures;
mod markdown;
mod report;
mod say;
mod table;

use clap::Parser;
use std::process::ExitCode;

use arguments::{Arguments, Fresh, Inner};
use failure::Result;

fn main() -> ExitCode {
    match start(Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            say::say(&format!("error: {error}"));
            ExitCode::from(2)
        }
    }
}

fn start(arguments: Arguments) -> Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match arguments.inner {
            Some(Inner::Part(Fresh::Ask { data, question, visitor, memory_mb, times })) => {
                let once = cold::ask_once(&data, memory_mb, &visitor, &question, times).await?;
                say::print(&serde_json::to_string(&once)?);
                Ok(ExitCode::SUCCESS)
            }
            Some(Inner::Part(Fresh::Tools { data, visitor, key, memory_mb })) => {
                let tools = tools::in_turns(&data, memory_mb, &visitor, &key).await?;
                say::print(&serde_json::to_string(&tools)?);
                Ok(ExitCode::SUCCESS)
            }
            Some(Inner::Part(Fresh::Decoded { data })) => {
                let decoded = memory::decode_everything(&data).await?;
                say::print(&serde_json::to_string(&decoded)?);
                Ok(ExitCode::SUCCESS)
            }
            None if arguments.run.from_json.is_empty() => run::run(&arguments.run).await,
            None => run::tables_of(&arguments.run),
        }
    })
}
