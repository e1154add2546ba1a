//! `tributary audit`: every tool call, and the proof that none was changed.

use clap::{Args, Subcommand};

use tributary_core::error::Result;
use tributary_http::admin::{AuditChainAnswer, AuditRowAnswer};

use crate::exit::Exit;
use crate::folder::Missing;
use crate::globals::Globals;
use crate::operator::segment;
use crate::output;

/// List the audit log and verify its chain.
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// List the newest tool calls
    #[command(after_help = "Example:\n  tributary audit list --workspace acme-shop --tool get_stats --limit 20")]
    List(List),
    /// Walk the whole chain and name the first row that was changed, removed or inserted (exit code 5)
    Verify,
}

/// Arguments of `audit list`.
#[derive(Args, Debug)]
pub struct List {
    /// Rows shown at most, up to 10000
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
    /// Only calls in this workspace (slug, UUID or id)
    #[arg(long)]
    workspace: Option<String>,
    /// Only calls of this tool
    #[arg(long)]
    tool: Option<String>,
}

/// Runs one of them.
pub async fn run(command: Audit, globals: &Globals) -> Result<Exit> {
    match command {
        Audit::List(list) => {
            let mut path = format!("/audit?limit={}", list.limit);
            for (name, value) in [("workspace", list.workspace), ("tool", list.tool)] {
                if let Some(value) = value {
                    path.push_str(&format!("&{name}={}", segment(&value)));
                }
            }
            let rows: Vec<AuditRowAnswer> = globals.operate(Missing::Refuse, async |operator| operator.get(&path).await).await?;
            show(&rows, globals)?;
            Ok(Exit::Done)
        }
        Audit::Verify => {
            let chain: AuditChainAnswer =
                globals.inspecting().operate(Missing::Refuse, async |operator| operator.get("/audit/verify").await).await?;
            if globals.json {
                output::json(&chain)?;
            } else if let Some(fault) = &chain.fault {
                output::line(&format!("the audit log is broken at row {}: {}", fault.seq, fault.reason))?;
            } else {
                output::line(&format!("the audit log is intact: {} rows", chain.rows))?;
                output::line(&format!("head {} {}", chain.head_seq, chain.head_hash))?;
            }
            Ok(if chain.intact { Exit::Done } else { Exit::Problems })
        }
    }
}

fn show(rows: &[AuditRowAnswer], globals: &Globals) -> Result<()> {
    if globals.json {
        return output::json(&rows);
    }
    let optional = |value: Option<i64>| value.map_or_else(|| String::from("-"), |value| value.to_string());
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            vec![
                row.seq.to_string(),
                row.at.clone(),
                row.door.clone(),
                row.tool_name.clone(),
                row.outcome.clone(),
                row.latency_ms.to_string(),
                optional(row.workspace_id),
                optional(row.key_id),
                row.client_ip.clone().unwrap_or_else(|| String::from("-")),
                row.correlation_id.clone(),
            ]
        })
        .collect();
    output::table(&["seq", "at", "door", "tool", "outcome", "ms", "workspace", "key", "client", "correlation id"], &rows)
}
