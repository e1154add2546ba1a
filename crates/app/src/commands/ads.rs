//! `tributary ads`: the hierarchy of ad accounts, campaigns, ad sets and ads.

use clap::Args;
use serde_json::Value;

use tributary_core::error::Result;

use super::metrics::show_rows;
use crate::exit::Exit;
use crate::folder::Missing;
use crate::globals::Globals;
use crate::operator::segment;
use crate::output;

/// Arguments of `ads`.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  tributary ads campaign --workspace acme-shop --source google_ads\n  tributary ads ad --workspace acme-shop --campaign 238"
)]
pub struct Ads {
    /// account, campaign, adset or ad
    level: String,
    /// Workspace by slug, UUID or id
    #[arg(long)]
    workspace: String,
    /// Only of this source
    #[arg(long)]
    source: Option<String>,
    /// Only in this account, by the platform's id
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// Only in this campaign
    #[arg(long, value_name = "ID")]
    campaign: Option<String>,
    /// Only in this ad set
    #[arg(long, value_name = "ID")]
    adset: Option<String>,
    /// Only in this state, in the platform's words
    #[arg(long)]
    status: Option<String>,
    /// Rows at most
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    limit: u32,
}

/// Lists a level.
pub async fn run(ads: Ads, globals: &Globals) -> Result<Exit> {
    let mut path = format!("/ads/{}/{}?per_page={}", segment(&ads.workspace), segment(&ads.level), ads.limit);
    let conditions = [
        ("source", &ads.source),
        ("account_id", &ads.account),
        ("campaign_id", &ads.campaign),
        ("adset_id", &ads.adset),
        ("status", &ads.status),
    ];
    for (name, value) in conditions {
        if let Some(value) = value {
            path.push_str(&format!("&{name}={}", segment(value)));
        }
    }
    let rows: Value = globals.operate(Missing::Refuse, async |operator| operator.get(&path).await).await?;
    match globals.json {
        true => output::json(&rows)?,
        false => show_rows(
            &rows,
            Some(&["source", "id", "name", "status", "budget", "currency", "account_id", "campaign_id", "adset_id"]),
        )?,
    }
    Ok(Exit::Done)
}
