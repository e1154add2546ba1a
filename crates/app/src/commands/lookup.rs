//! `tributary search` and `tributary dates`.

use clap::Args;
use serde_json::Value;

use tributary_core::error::Result;

use super::metrics::show_rows;
use crate::exit::Exit;
use crate::folder::Missing;
use crate::globals::Globals;
use crate::operator::segment;
use crate::output;

/// Arguments of `search`.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  tributary search --workspace acme-shop 'sprng sale' --types campaign,ad")]
pub struct Search {
    /// Workspace by slug, UUID or id
    #[arg(long)]
    workspace: String,
    /// Some text; typos are forgiven
    text: String,
    /// Only these: ad_account, campaign, adset, ad, contact, company, report, dashboard, segment, metric, event
    #[arg(long, default_value = "")]
    types: String,
    /// Rows at most
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100))]
    limit: u32,
}

/// Arguments of `dates`.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  tributary dates --workspace acme-shop 'last week'\n  tributary dates --workspace acme-shop q1_2026"
)]
pub struct Dates {
    /// Workspace by slug, UUID or id
    #[arg(long)]
    workspace: String,
    /// A preset such as last_30_days, or words that name one
    phrase: String,
}

/// Searches everything that has a name.
pub async fn search(search: Search, globals: &Globals) -> Result<Exit> {
    let Search { workspace, text, types, limit } = search;
    let path = format!("/search/{}?query={}&types={}&limit={limit}", segment(&workspace), segment(&text), segment(&types));
    let found: Value = globals.operate(Missing::Refuse, async |operator| operator.get(&path).await).await?;
    match globals.json {
        true => output::json(&found)?,
        false => show_rows(&found["rows"], Some(&["type", "id", "name", "source", "score"]))?,
    }
    Ok(Exit::Done)
}

/// Shows which days a preset or a phrase means.
pub async fn dates(dates: Dates, globals: &Globals) -> Result<Exit> {
    let path = format!("/date-range/{}?relative={}", segment(&dates.workspace), segment(&dates.phrase));
    let range: Value = globals.operate(Missing::Refuse, async |operator| operator.get(&path).await).await?;
    if globals.json {
        output::json(&range)?;
        return Ok(Exit::Done);
    }
    for (name, value) in range.as_object().into_iter().flatten() {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        output::line(&format!("{name:<15} {value}"))?;
    }
    Ok(Exit::Done)
}
