//! Filling a data folder with the demo, once: account, workspaces, keys, settings, events, ads. What was begun is finished by the next run.

use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_blocking};
use tributary_control::{Control, KeyOwner, NewKey, NewWorkspace};
use tributary_core::credential::KeyKind;
use tributary_core::error::{Code, Error, Result};
use tributary_core::event::Event;
use tributary_core::plan::Plan;
use tributary_core::scope::WorkspaceScope;
use tributary_events::store::EventStore;
use tributary_ingest::parse::IDENTIFY_EVENT;
use tributary_ingest::pipeline::Pipeline;
use tributary_service::identity::note_people;

use crate::demo::generate::{Recipe, Site, generate};
use crate::demo::ledger::Ledger;
use crate::demo::rates;
use crate::demo::saved::save;
use crate::demo::setup::set_up;
use crate::demo::spend;
use crate::demo::visit::Sent;

/// The file clients and scripts read.
pub const DEMO_FILE: &str = "demo.json";
/// The file this command keeps for itself: what the events are made of.
const RECIPE_FILE: &str = "demo-recipe.json";
/// Name of the demo's account.
const ACCOUNT: &str = "Demo";
/// Events stored in one append.
const EVENTS_AT_ONCE: usize = 8_192;
/// Batches in the pipeline at once.
const IN_PIPELINE: usize = 4;

/// `demo.json`: everything a client needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Demo {
    /// Address of the server.
    pub url: String,
    /// Numeric id of the account.
    pub account_id: i64,
    /// Its workspaces.
    pub workspaces: Vec<DemoWorkspace>,
    /// Account key.
    pub ak: String,
}

/// One workspace of the demo.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DemoWorkspace {
    /// Numeric id.
    pub id: i64,
    /// Public id.
    pub uuid: String,
    /// Slug.
    pub slug: String,
    /// One key of each kind.
    pub keys: DemoKeys,
}

/// One key of each kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DemoKeys {
    /// Publishable.
    pub pk: String,
    /// Secret.
    pub sk: String,
    /// Read.
    pub rk: String,
}

/// Whether the folder holds the demo already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// It does, from an earlier run.
    Before,
    /// It was made just now.
    Now,
}

/// What a folder's demo is made of, and how far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Progress {
    recipe: Recipe,
    is_complete: bool,
}

/// What preparing works on.
pub struct Ground<'a> {
    /// The data folder.
    pub folder: &'a Path,
    /// Its control plane.
    pub control: &'a Control,
    /// Its events.
    pub events: Arc<dyn EventStore>,
    /// The steps every event takes.
    pub pipeline: Arc<Pipeline>,
}

/// Makes the demo unless the folder holds one, and writes `demo.json` for the server's address. A demo that was begun
/// earlier is finished by its own recipe, whatever `wanted` says; the recipe it has is returned.
///
/// Errors: `Conflict` when the folder holds a demo whose keys are lost.
pub async fn prepare(ground: &Ground<'_>, wanted: Recipe, url: &str) -> Result<(Demo, Recipe, Made)> {
    let progress = match read::<Progress>(&ground.folder.join(RECIPE_FILE))? {
        Some(progress) => progress,
        None => {
            let progress = Progress { recipe: wanted, is_complete: false };
            write(&ground.folder.join(RECIPE_FILE), &progress)?;
            progress
        }
    };
    let demo = match read::<Demo>(&ground.folder.join(DEMO_FILE))? {
        Some(demo) => Demo { url: url.to_owned(), ..demo },
        None => create(ground.control, url).await?,
    };
    write(&ground.folder.join(DEMO_FILE), &demo)?;
    if progress.is_complete {
        return Ok((demo, progress.recipe, Made::Before));
    }
    fill(ground, &demo, &progress.recipe).await?;
    write(&ground.folder.join(RECIPE_FILE), &Progress { is_complete: true, ..progress })?;
    Ok((demo, progress.recipe, Made::Now))
}

/// What the folder's demo is made of, if it holds one.
pub fn made_of(folder: &Path) -> Result<Option<Recipe>> {
    Ok(read::<Progress>(&folder.join(RECIPE_FILE))?.map(|progress| progress.recipe))
}

/// Writes `demo.json` again, for the address the server has in the end.
pub fn publish(folder: &Path, demo: &Demo) -> Result<()> {
    write(&folder.join(DEMO_FILE), demo)
}

/// Account, workspaces and keys. What an interrupted run has left is taken up; its keys are nobody's.
async fn create(control: &Control, url: &str) -> Result<Demo> {
    let known = control.list_accounts().await?.into_iter().find(|account| account.name == ACCOUNT);
    let account = match known {
        Some(account) => account,
        None => control.create_account(ACCOUNT, Plan::Business).await?,
    };
    let mut workspaces = Vec::new();
    for site in Site::ALL {
        let profile = site.profile();
        let workspace = match control.find_workspace(profile.slug).await? {
            Some(workspace) if workspace.account == account.id => workspace,
            Some(_) => {
                return Err(Error::new(
                    Code::Conflict,
                    format!(
                        "another account has a workspace `{}`; make the demo in a folder of its own with --data",
                        profile.slug
                    ),
                ));
            }
            None => {
                let new = NewWorkspace {
                    account: account.id,
                    name: profile.name.to_owned(),
                    slug: profile.slug.to_owned(),
                    zone: profile.zone.to_owned(),
                    currency: profile.currency.parse()?,
                    allowed_origins: vec![format!("https://{}", profile.host), url.to_owned()],
                };
                control.create_workspace(new).await?
            }
        };
        let keys = control.create_default_keys(workspace.id).await?;
        workspaces.push(DemoWorkspace {
            id: workspace.id.0,
            uuid: workspace.uuid.to_string(),
            slug: workspace.slug,
            keys: DemoKeys { pk: keys.pk, sk: keys.sk, rk: keys.rk },
        });
    }
    let new = NewKey { owner: KeyOwner::Account(account.id), kind: KeyKind::Account, label: String::from("demo") };
    let (_, ak) = control.create_key(new).await?;
    Ok(Demo { url: url.to_owned(), account_id: account.id.0, workspaces, ak })
}

async fn fill(ground: &Ground<'_>, demo: &Demo, recipe: &Recipe) -> Result<()> {
    let style = ProgressStyle::with_template("making the demo {bar:30} {percent:>3}%  {pos} of {len} events, {per_sec}")
        .expect("the template is constant and valid");
    let bar = ProgressBar::new(recipe.events).with_style(style);
    for (site, workspace) in Site::ALL.into_iter().zip(&demo.workspaces) {
        let access = ground.control.operator_access(tributary_core::ids::WorkspaceId(workspace.id)).await?;
        set_up(ground.control, &access.scope, site).await?;
        save(ground.control, &access.scope, site).await?;
        let ledger = fill_site(ground, site, &access.scope, recipe, &bar).await?;
        if site == Site::Shop {
            advertise(ground.control, &access.scope, recipe, &ledger).await?;
        }
    }
    bar.finish_and_clear();
    Ok(())
}

/// One thread makes events, others take them through the pipeline, this task stores them in the order they were made.
async fn fill_site(
    ground: &Ground<'_>,
    site: Site,
    scope: &WorkspaceScope,
    recipe: &Recipe,
    bar: &ProgressBar,
) -> Result<Ledger> {
    let (sender, mut days) = mpsc::channel::<Vec<Sent>>(2);
    let recipe = *recipe;
    let maker = spawn_blocking(move || {
        generate(site, &recipe, &mut |mut day| {
            while !day.is_empty() {
                let rest = day.split_off(day.len().min(EVENTS_AT_ONCE));
                let chunk = std::mem::replace(&mut day, rest);
                sender.blocking_send(chunk).map_err(|_| Error::internal("making the demo was given up"))?;
            }
            Ok(())
        })
    });
    let mut appearances = Appearances::default();
    let mut staged: VecDeque<JoinHandle<Result<Vec<Event>>>> = VecDeque::new();
    loop {
        let next = if staged.len() < IN_PIPELINE { days.recv().await } else { None };
        if let Some(chunk) = next {
            let pipeline = ground.pipeline.clone();
            staged.push_back(spawn_blocking(move || {
                chunk.into_iter().map(|sent| pipeline.event(sent.draft, &sent.arrival)).collect()
            }));
            continue;
        }
        let Some(handle) = staged.pop_front() else { break };
        let events = handle.await.map_err(|error| Error::internal("the pipeline stopped").caused_by(error))??;
        let count = events.len() as u64;
        note_people(ground.control, scope, &appearances.news(&events)).await?;
        // Every demo event has an id: those of an interrupted run are duplicates now.
        ground.events.append(scope, events).await?;
        bar.inc(count);
    }
    let last: Vec<Event> = appearances.last.into_values().collect();
    note_people(ground.control, scope, &last).await?;
    maker.await.map_err(|error| Error::internal("the maker of the demo stopped").caused_by(error))?
}

/// Events of people by user and visitor. Contacts hear at once of whoever is new or tells something, and in the end of everybody's
/// last event: what lies between would change nothing, and take longer than storing all events does.
#[derive(Default)]
struct Appearances {
    last: BTreeMap<(String, String), Event>,
}

impl Appearances {
    fn news(&mut self, events: &[Event]) -> Vec<Event> {
        let mut news = Vec::new();
        for event in events.iter().filter(|event| event.bot.is_none()) {
            let Some(user_id) = event.user_id.clone() else { continue };
            let is_new = self.last.insert((user_id, event.anonymous_id.clone()), event.clone()).is_none();
            if is_new || event.name == IDENTIFY_EVENT {
                news.push(event.clone());
            }
        }
        news
    }
}

/// What the platforms report on the shop's ads, and the rates that make it comparable.
async fn advertise(control: &Control, scope: &WorkspaceScope, recipe: &Recipe, ledger: &Ledger) -> Result<()> {
    let (first, last) = spend::days(ledger, recipe);
    control.set_currency_rates(scope, rates::dated(first, last)?).await?;
    control.record_ads(scope, spend::reports(ledger, recipe)?, "demo").await?;
    Ok(())
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    let broken = |what: &str| Error::new(Code::Conflict, format!("{} is {what}; name another --data", path.display()));
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| broken("damaged").caused_by(error)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(broken("not readable").caused_by(error)),
    }
}

/// Written in one step, readable by nobody else: `demo.json` holds keys.
fn write(path: &Path, value: &impl Serialize) -> Result<()> {
    let failed = |error: std::io::Error| Error::internal(format!("{} cannot be written", path.display())).caused_by(error);
    let text = serde_json::to_string_pretty(value).expect("plain data serializes");
    let fresh = path.with_extension("json.new");
    let mut file = fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&fresh).map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.write_all(b"\n")).and_then(|()| file.sync_all()).map_err(failed)?;
    fs::rename(&fresh, path).map_err(failed)
}
