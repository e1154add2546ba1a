//! `tributary conversion`: what a workspace sets for the types of conversions.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Map, Value};

use tributary_core::error::Result;
use tributary_service::conversions::ConversionRow;

use crate::exit::Exit;
use crate::folder::Missing;
use crate::globals::Globals;
use crate::operator::segment;
use crate::output;

/// Name custom slots, say what is revenue and whose events count.
#[derive(Debug, Subcommand)]
pub enum Conversion {
    /// List the standard types and the custom slots that have a label
    List {
        #[command(flatten)]
        of: Of,
        /// Custom slots without a label too
        #[arg(long)]
        all: bool,
    },
    /// Set what a type is called and what counts; what is left out stays
    #[command(after_help = "Examples:
  tributary conversion set --workspace acme-shop custom_event_2 --label 'Deal Created' --revenue true
  tributary conversion set --workspace acme-shop purchase --counts-from server")]
    Set(Set),
    /// Take back what is set for a type
    #[command(after_help = "Example:\n  tributary conversion clear --workspace acme-shop custom_event_2")]
    Clear {
        #[command(flatten)]
        of: Of,
        /// purchase, custom_event_2, ...
        conversion: String,
    },
}

/// Whose conversions.
#[derive(Args, Debug)]
pub struct Of {
    /// Workspace by slug, UUID or id
    #[arg(long)]
    workspace: String,
}

/// Arguments of `conversion set`.
#[derive(Args, Debug)]
pub struct Set {
    #[command(flatten)]
    of: Of,
    /// purchase, custom_event_2, ...
    conversion: String,
    /// What a custom slot is called: 1 to 128 characters
    #[arg(long)]
    label: Option<String>,
    /// Whether the amounts of a custom slot are part of gross revenue
    #[arg(long, value_name = "true|false")]
    revenue: Option<bool>,
    /// Whose events count
    #[arg(long, value_name = "WHOSE")]
    counts_from: Option<Whose>,
}

/// Whose events count.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Whose {
    /// Everybody's
    Any,
    /// Only those sent with a secret key or imported
    Server,
}

/// Runs one of them.
pub async fn run(command: Conversion, globals: &Globals) -> Result<Exit> {
    match command {
        Conversion::List { of, all } => {
            let path = format!("/conversions/{}", segment(&of.workspace));
            let mut rows: Vec<ConversionRow> =
                globals.operate(Missing::Refuse, async |operator| operator.get(&path).await).await?;
            rows.retain(|row| all || row.label.is_some());
            show(rows, globals)?;
        }
        Conversion::Set(Set { of, conversion, label, revenue, counts_from }) => {
            let path = path_of(&of, &conversion);
            let mut given: Map<String, Value> = Map::new();
            given.extend(label.map(|label| (String::from("label"), Value::from(label))));
            given.extend(revenue.map(|revenue| (String::from("include_in_gross_revenue"), Value::from(revenue))));
            let whose = counts_from.map(|whose| match whose {
                Whose::Any => "any",
                Whose::Server => "server",
            });
            given.extend(whose.map(|whose| (String::from("counts_from"), Value::from(whose))));
            let row = globals.operate(Missing::Refuse, async |operator| operator.patch(&path, &given).await).await?;
            show(vec![row], globals)?;
        }
        Conversion::Clear { of, conversion } => {
            let path = path_of(&of, &conversion);
            let row = globals.operate(Missing::Refuse, async |operator| operator.delete(&path).await).await?;
            show(vec![row], globals)?;
        }
    }
    Ok(Exit::Done)
}

fn path_of(of: &Of, conversion: &str) -> String {
    format!("/conversions/{}/{}", segment(&of.workspace), segment(conversion))
}

fn show(rows: Vec<ConversionRow>, globals: &Globals) -> Result<()> {
    if globals.json {
        return output::json(&rows);
    }
    let row = |row: ConversionRow| {
        let revenue = if row.include_in_gross_revenue { "yes" } else { "no" };
        let label = row.label.unwrap_or_else(|| String::from("-"));
        vec![row.slot, label, String::from(revenue), row.counts_from, row.event_names.join(", ")]
    };
    let rows: Vec<Vec<String>> = rows.into_iter().map(row).collect();
    output::table(&["slot", "label", "revenue", "counts from", "events"], &rows)
}
