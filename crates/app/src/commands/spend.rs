//! `spend`: what was spent on ads.

use clap::Args;

use tributary_core::error::Result;
use tributary_service::spend::sums::{SpendAnswer, SpendAnswerRow, SpendQuestion};

use crate::exit::Exit;
use crate::folder::Missing;
use crate::globals::Globals;
use crate::operator::segment;
use crate::output;

/// Arguments of `spend`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  tributary spend --workspace acme-shop --from 2026-05-01 --to 2026-06-01
  tributary spend --workspace acme-shop --from 2026-05-01 --to 2026-06-01 --by date,campaign --source google_ads --currency EUR

Each campaign's day counts once, at the deepest level that was imported; see docs/ads.md.")]
pub struct Spend {
    /// Workspace by slug, UUID or id
    #[arg(long)]
    workspace: String,
    /// First day
    #[arg(long, value_name = "DATE")]
    from: String,
    /// The day after the last
    #[arg(long, value_name = "DATE")]
    to: String,
    /// Group by date, source, account, campaign, adset, ad
    #[arg(long, value_delimiter = ',', value_name = "DIMENSION", default_value = "source")]
    by: Vec<String>,
    /// Only this source, such as google_ads
    #[arg(long)]
    source: Option<String>,
    /// Convert into this currency, as far as `tributary rate set` reaches
    #[arg(long, value_name = "CODE")]
    currency: Option<String>,
    /// Rows shown at most
    #[arg(long, default_value_t = 1_000)]
    limit: usize,
}

/// Asks and shows.
pub async fn run(spend: Spend, globals: &Globals) -> Result<Exit> {
    let path = format!("/spend/{}/sums", segment(&spend.workspace));
    let Spend { from, to, by, source, currency, limit, .. } = spend;
    let question = SpendQuestion { from, to, by, source, currency, limit };
    let answer: SpendAnswer = globals.operate(Missing::Refuse, async |operator| operator.post(&path, &question).await).await?;
    if globals.json {
        output::json(&answer)?;
    } else {
        show(&answer)?;
    }
    Ok(Exit::Done)
}

/// A column of the table, with what it shows of a row.
type Column = (&'static str, fn(&SpendAnswerRow) -> Option<String>);

fn show(answer: &SpendAnswer) -> Result<()> {
    let columns: [Column; 11] = [
        ("date", |row| row.date.clone()),
        ("source", |row| row.source.clone()),
        ("account", |row| row.account_id.clone()),
        ("campaign", |row| row.campaign_id.clone()),
        ("adset", |row| row.adset_id.clone()),
        ("ad", |row| row.ad_id.clone()),
        ("currency", |row| Some(row.currency.clone())),
        ("spend", |row| Some(row.spend.clone())),
        ("impressions", |row| row.impressions.map(|count| count.to_string())),
        ("clicks", |row| row.clicks.map(|count| count.to_string())),
        ("link clicks", |row| row.link_clicks.map(|count| count.to_string())),
    ];
    let shown: Vec<&Column> = columns.iter().filter(|(_, cell)| answer.rows.iter().any(|row| cell(row).is_some())).collect();
    let header: Vec<&str> = shown.iter().map(|(name, _)| *name).collect();
    let rows: Vec<Vec<String>> =
        answer.rows.iter().map(|row| shown.iter().map(|(_, cell)| cell(row).unwrap_or_default()).collect()).collect();
    if rows.is_empty() {
        output::remark("nothing was spent in these days");
        return Ok(());
    }
    output::table(&header, &rows)?;
    if answer.truncated {
        output::remark(&format!("{} of {} rows; raise --limit for more", answer.rows.len(), answer.total_rows));
    }
    if !answer.left_apart.is_empty() {
        output::remark(&format!("no rate reaches {}: these amounts stand apart", answer.left_apart.join(", ")));
    }
    Ok(())
}
