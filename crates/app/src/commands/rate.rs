//! `rate`: what currencies are worth.

use clap::Subcommand;

use tributary_core::error::Result;
use tributary_http::admin::RateBody;
use tributary_service::spend::Recorded;

use crate::exit::Exit;
use crate::folder::Missing;
use crate::globals::Globals;
use crate::operator::segment;
use crate::output;

/// `rate`.
#[derive(Debug, Subcommand)]
pub enum Rate {
    /// Set what one unit of a currency is worth in another, from a day on
    Set {
        /// Workspace by slug, UUID or id
        #[arg(long)]
        workspace: String,
        /// The currency that is converted, ISO 4217
        from: String,
        /// The currency it is converted to
        to: String,
        /// What one unit is worth: a decimal number
        rate: String,
        /// The first day it is good for
        #[arg(long, value_name = "DATE")]
        date: String,
    },
    /// List the rates of a workspace
    List {
        /// Workspace by slug, UUID or id
        #[arg(long)]
        workspace: String,
    },
}

/// Sets and lists rates.
pub async fn run(rate: Rate, globals: &Globals) -> Result<Exit> {
    match rate {
        Rate::Set { workspace, from, to, rate, date } => {
            let path = format!("/rates/{}", segment(&workspace));
            let body = [RateBody { from, to, date, rate }];
            let recorded: Recorded = globals.operate(Missing::Refuse, async |operator| operator.post(&path, &body).await).await?;
            if globals.json {
                output::json(&recorded)?;
            } else {
                let [RateBody { from, to, date, rate }] = &body;
                let what = if recorded.restated > 0 { "replaced" } else { "set" };
                output::line(&format!("{what}: from {date} on, 1 {from} is {rate} {to}"))?;
            }
        }
        Rate::List { workspace } => {
            let path = format!("/rates/{}", segment(&workspace));
            let rates: Vec<RateBody> = globals.operate(Missing::Refuse, async |operator| operator.get(&path).await).await?;
            if globals.json {
                output::json(&rates)?;
            } else {
                let rows: Vec<Vec<String>> =
                    rates.into_iter().map(|rate| vec![rate.from, rate.to, rate.date, rate.rate]).collect();
                output::table(&["from", "to", "from day", "rate"], &rows)?;
            }
        }
    }
    Ok(Exit::Done)
}
