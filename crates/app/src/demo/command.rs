//! The command: prepare the folder, serve it, say how to get in.

use clap::Args;
use serde_json::json;
use std::fmt::Write as _;

use jiff::tz::TimeZone;
use tributary_core::error::{Code, Error, Result};
use tributary_core::time::{DAY_US, SECOND_US, format_utc, parse_instant};

use crate::commands::serve::Listen;
use crate::demo::generate::{Recipe, Site};
use crate::demo::prepare::{Demo, Ground, Made, made_of, prepare, publish};
use crate::demo::truth;
use crate::exit::Exit;
use crate::folder::{Folder, Missing};
use crate::globals::Globals;
use crate::output;
use crate::serve::{self, Ready};

/// Where the demo lives unless told otherwise: not where real data would.
pub const DEFAULT_DATA: &str = "tributary-demo";
/// Most events a demo may have.
const MAX_EVENTS: u64 = 1_000_000_000;

/// Arguments of `demo`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  tributary demo
  tributary demo --data /tmp/demo --events 1000000 --seed 7 --until 2026-05-17T00:00:00Z --prepare-only
  tributary demo --truth

The first run makes the demo, later runs serve the one that is there. Keys and ids are in DIR/demo.json. The data folder
is ./tributary-demo unless --data names another. See docs/demo.md.")]
pub struct DemoArgs {
    #[command(flatten)]
    listen: Listen,
    /// Events over both workspaces
    #[arg(long, value_name = "N", default_value_t = 200_000)]
    events: u64,
    /// Seed: the same seed, number and end give the same events
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// End of the 90 days, ISO 8601 [default: now]
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Make the demo and leave, without serving it
    #[arg(long)]
    prepare_only: bool,
    /// Show what the shop's ads really brought about: in the demo that is there, else in the one that would be made
    #[arg(long, conflicts_with = "prepare_only")]
    truth: bool,
}

/// Makes the demo, if need be, and serves it.
pub async fn run(demo: DemoArgs, globals: &Globals) -> Result<Exit> {
    let globals = globals.listening(&demo.listen)?;
    let wanted = demo.recipe(&globals)?;
    if demo.truth {
        return show_truth(made_of(&globals.data)?.unwrap_or(wanted), &globals).await;
    }
    let owned = Folder::own(&globals, Missing::Create).await?;
    let ground = Ground {
        folder: &globals.data,
        control: &owned.control,
        events: owned.timeline.clone(),
        pipeline: owned.pipeline.clone(),
    };
    let (made, recipe, when) = match prepare(&ground, wanted, &globals.base_url()).await {
        Ok(prepared) => prepared,
        Err(error) => {
            owned.close().await?;
            return Err(error);
        }
    };
    if when == Made::Before && demo.differs(&recipe) {
        output::remark(&format!(
            "{} holds a demo already ({} events, seed {}, until {}); it stays as it is, name another --data for a new one",
            globals.data.display(),
            recipe.events,
            recipe.seed,
            format_utc(recipe.until_us)
        ));
    }
    if demo.prepare_only {
        owned.close().await?;
        show(&made, &recipe, &globals)?;
        return Ok(Exit::Done);
    }
    let announce = |ready: &Ready| {
        let made = Demo { url: ready.url.clone(), ..made };
        publish(&globals.data, &made)?;
        show(&made, &recipe, &globals)
    };
    serve::serve(owned, &globals, announce).await?;
    Ok(Exit::Done)
}

impl DemoArgs {
    fn recipe(&self, globals: &Globals) -> Result<Recipe> {
        if self.events > MAX_EVENTS {
            return Err(Error::new(Code::InvalidParams, format!("--events must be at most {MAX_EVENTS}")));
        }
        let now_us = globals.clock.now_us();
        let until_us = match &self.until {
            Some(text) => parse_instant(text, &TimeZone::UTC)?,
            // Whole seconds, so that the end can be typed in again.
            None => now_us - now_us.rem_euclid(SECOND_US),
        };
        let earliest_us = 946_684_800 * SECOND_US + 100 * DAY_US;
        if !(earliest_us..=now_us.saturating_add(DAY_US)).contains(&until_us) {
            return Err(Error::new(Code::InvalidParams, "--until must lie between the middle of the year 2000 and tomorrow"));
        }
        Ok(Recipe { seed: self.seed, events: self.events, until_us })
    }

    fn differs(&self, recipe: &Recipe) -> bool {
        let until = self.until.as_ref().and_then(|text| parse_instant(text, &TimeZone::UTC).ok());
        self.events != recipe.events || self.seed != recipe.seed || until.is_some_and(|until_us| until_us != recipe.until_us)
    }
}

fn show(demo: &Demo, recipe: &Recipe, globals: &Globals) -> Result<()> {
    if globals.json {
        return output::json(demo);
    }
    output::line(&text(demo, recipe, globals))
}

/// Needs no data and disturbs no server: the recipe says it all.
async fn show_truth(recipe: Recipe, globals: &Globals) -> Result<Exit> {
    let found = tokio::task::spawn_blocking(move || truth::truth(&recipe)).await;
    let found = found.map_err(|error| Error::internal("finding the truth did not finish").caused_by(error))??;
    if globals.json {
        output::json(&found)?
    } else {
        truth::show(&found)?
    }
    Ok(Exit::Done)
}

fn text(demo: &Demo, recipe: &Recipe, globals: &Globals) -> String {
    let url = &demo.url;
    let mut text = format!(
        "tributary demo at {url}\n\n{} events from {} to {}, seed {}; keys and ids are in {}\n",
        recipe.events,
        format_utc(recipe.until_us - 90 * DAY_US),
        format_utc(recipe.until_us),
        recipe.seed,
        globals.data.join("demo.json").display()
    );
    for (site, workspace) in Site::ALL.into_iter().zip(&demo.workspaces) {
        let profile = site.profile();
        let keys = &workspace.keys;
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "\n{} (`{}`, {}, {})\n  read         {}\n  secret       {}\n  publishable  {}\n",
            profile.name, workspace.slug, profile.zone, profile.currency, keys.rk, keys.sk, keys.pk
        );
    }
    let read = demo.workspaces.first().map_or("", |workspace| workspace.keys.rk.as_str());
    let (from, to) = (format_utc(recipe.until_us - 30 * DAY_US), format_utc(recipe.until_us));
    let config = json!({ "mcpServers": {
        "tributary": { "url": format!("{url}/mcp"), "transport": "http", "headers": { "Authorization": format!("Bearer {read}") } },
        "tributary-account": {
            "url": format!("{url}/mcp/account"), "transport": "http", "headers": { "Authorization": format!("Bearer {}", demo.ak) }
        },
    }});
    let config = serde_json::to_string_pretty(&config).unwrap_or_default();
    let _ = write!(
        text,
        "\nboth\n  account      {}\n\n\
         what the shop's ads really did:\n  tributary demo --data {} --truth\n\n\
         ask it:\n  curl -s -H 'Authorization: Bearer {read}' '{url}/v1/sources?from={from}&to={to}&limit=10'\n\n\
         give it to an agent:\n{config}\n",
        demo.ak,
        globals.data.display()
    );
    text
}
