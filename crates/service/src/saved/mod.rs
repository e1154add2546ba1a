//! What users save: metrics of their own, segments, reports, dashboards. Each kind's definition is checked before it is stored,
//! so that what is saved can be asked.

pub mod dashboard;
pub mod report;
pub mod segment;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tributary_boxed::boxed;
use tributary_control::{NewSaved, Saved, SavedChange, SavedKind, WorkspaceAccess};
use tributary_core::error::{Code, Error, Result};
use tributary_core::ids::SavedId;
use tributary_core::time::format_utc;

use self::dashboard::DashboardDefinition;
use self::report::ReportDefinition;
use self::segment::SegmentDefinition;
use crate::metrics::catalogue::Catalogue;
use crate::metrics::user_defined::{MetricDefinition, UserDefined};
use crate::problem::Problems;
use crate::service::Service;

/// Largest body of a request about a saved item, bytes.
pub const MAX_SAVED_BODY: usize = 128 * 1024;

/// A saved item as it is shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SavedOutput {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// The name metrics are asked by; of metrics alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    /// What it is.
    pub definition: Value,
    /// When it was saved, RFC 3339.
    pub created_at: String,
    /// When it was last changed.
    pub updated_at: String,
}

/// A saved item as a caller gives it, for schemas.
#[derive(Debug, JsonSchema)]
pub struct SavedBody<Definition> {
    /// What people call it, 1 to 255 characters, unlike every other of its kind.
    pub name: String,
    /// What questions call a metric; made of the name unless given. Of metrics alone.
    #[schemars(default)]
    pub slug: Option<String>,
    /// What it is.
    pub definition: Definition,
}

/// A saved item as a caller gives it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedInput {
    name: Option<String>,
    slug: Option<String>,
    definition: Option<Value>,
}

impl Service {
    /// The saved items of a kind, by id.
    #[boxed]
    pub async fn list_saved(&self, access: &WorkspaceAccess, kind: SavedKind) -> Result<Vec<SavedOutput>> {
        self.control.list_saved(&access.scope, kind).await?.into_iter().map(SavedOutput::of).collect()
    }

    /// One of them, or `not_found`.
    #[boxed]
    pub async fn get_saved(&self, access: &WorkspaceAccess, kind: SavedKind, id: i64) -> Result<SavedOutput> {
        SavedOutput::of(self.control.get_saved(&access.scope, kind, SavedId(id)).await?)
    }

    /// Saves an item: a JSON object with `name`, `definition`, and for metrics a `slug`, which is made of the name otherwise.
    ///
    /// Errors: `invalid_payload` or `invalid_params` naming every field at fault, `conflict` for a name that is taken.
    #[boxed]
    pub async fn create_saved(&self, access: &WorkspaceAccess, kind: SavedKind, body: &[u8]) -> Result<SavedOutput> {
        let input = read(body)?;
        let mut problems = Problems::new();
        let name = input.name.unwrap_or_default();
        if name.trim().is_empty() {
            problems.add("name", "is required: 1 to 255 characters");
        }
        if input.definition.is_none() {
            problems.add("definition", "is required");
        }
        problems.check(Code::InvalidParams)?;
        let definition = self.checked(access, kind, input.definition.unwrap_or_default()).await?;
        let slug = match kind {
            SavedKind::Metric => Some(self.checked_slug(access, input.slug.unwrap_or_else(|| slug_of(&name)), &name).await?),
            _ => refuse_slug(input.slug)?,
        };
        let new = NewSaved { kind, name, slug, definition };
        SavedOutput::of(self.control.create_saved(&access.scope, new).await?)
    }

    /// Changes what is given of an item. Errors as in [`Service::create_saved`], and `not_found`.
    #[boxed]
    pub async fn update_saved(&self, access: &WorkspaceAccess, kind: SavedKind, id: i64, body: &[u8]) -> Result<SavedOutput> {
        let input = read(body)?;
        // Whether there is such an item is said before what is wrong with its change.
        let stored = self.control.get_saved(&access.scope, kind, SavedId(id)).await?;
        let definition = match input.definition {
            Some(definition) => Some(self.checked(access, kind, definition).await?),
            None => None,
        };
        let slug = match (kind, input.slug) {
            (SavedKind::Metric, Some(slug)) => {
                Some(self.checked_slug(access, slug, input.name.as_deref().unwrap_or(&stored.name)).await?)
            }
            (SavedKind::Metric, None) => None,
            (_, slug) => refuse_slug(slug)?,
        };
        let change = SavedChange { name: input.name, slug, definition };
        SavedOutput::of(self.control.update_saved(&access.scope, kind, SavedId(id), change).await?)
    }

    /// Deletes an item.
    ///
    /// Errors: `not_found`; `conflict` naming what still uses it: reports their metrics and segments, dashboards their reports.
    #[boxed]
    pub async fn delete_saved(&self, access: &WorkspaceAccess, kind: SavedKind, id: i64) -> Result<()> {
        let stored = self.control.get_saved(&access.scope, kind, SavedId(id)).await?;
        let users = self.users_of(access, &stored).await?;
        if !users.is_empty() {
            let message = format!(
                "the {} `{}` is still used by {}; change or delete those first",
                kind.as_str(),
                stored.name,
                users.join(", ")
            );
            return Err(Error::new(Code::Conflict, message));
        }
        self.control.delete_saved(&access.scope, kind, SavedId(id)).await
    }

    /// The metrics a workspace has made of others.
    #[boxed]
    pub async fn user_defined_metrics(&self, access: &WorkspaceAccess) -> Result<Vec<UserDefined>> {
        let saved = self.control.list_saved(&access.scope, SavedKind::Metric).await?;
        let metric = |saved: Saved| {
            let definition: MetricDefinition = stored_definition(&saved)?;
            Ok(UserDefined { id: saved.id.0, slug: saved.slug.unwrap_or_default(), name: saved.name, definition })
        };
        saved.into_iter().map(metric).collect()
    }

    /// The metrics of a workspace: the catalogue's, three for each conversion, its own.
    #[boxed]
    pub async fn metric_catalogue(&self, access: &WorkspaceAccess) -> Result<Catalogue> {
        let conversions = self.control.conversions(&access.scope).await?;
        Ok(Catalogue::of(&conversions, &self.user_defined_metrics(access).await?))
    }

    /// Reads, checks and spells a definition of a kind.
    async fn checked(&self, access: &WorkspaceAccess, kind: SavedKind, definition: Value) -> Result<String> {
        let checked = match kind {
            SavedKind::Metric => {
                let metric: MetricDefinition = parse(definition)?;
                let catalogue = self.metric_catalogue(access).await?;
                let metric = metric.checked(&catalogue).map_err(|fault| {
                    let mut problems = Problems::new();
                    problems.add("definition.expression", fault.to_string());
                    problems.into_error(Code::InvalidParams)
                })?;
                serde_json::to_string(&metric)
            }
            SavedKind::Segment => {
                let segment: SegmentDefinition = parse(definition)?;
                self.check_segment(access, &segment).await?;
                serde_json::to_string(&segment)
            }
            SavedKind::Report => {
                let report: ReportDefinition = parse(definition)?;
                self.check_report(access, &report).await?;
                serde_json::to_string(&report)
            }
            SavedKind::Dashboard => {
                let dashboard: DashboardDefinition = parse(definition)?;
                self.check_dashboard(access, &dashboard).await?;
                serde_json::to_string(&dashboard)
            }
        };
        checked.map_err(|error| Error::internal("a definition could not be written").caused_by(error))
    }

    /// A slug that names no other metric.
    async fn checked_slug(&self, access: &WorkspaceAccess, slug: String, name: &str) -> Result<String> {
        let mut problems = Problems::new();
        let is_plain = slug.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if !is_plain || !slug.starts_with(|first: char| first.is_ascii_lowercase()) {
            problems.add(
                "slug",
                "must begin with a lower-case letter and hold lower-case letters, digits and _, such as profit_margin",
            );
        }
        let conversions = self.control.conversions(&access.scope).await?;
        let fixed = Catalogue::of(&conversions, &[]);
        if fixed.resolve(&slug).is_ok() {
            problems.add("slug", format!("`{slug}` names a metric of the catalogue"));
        }
        if fixed.resolve(name).is_ok() {
            problems.add("name", format!("`{name}` names a metric of the catalogue"));
        }
        problems.check(Code::InvalidParams)?;
        Ok(slug)
    }

    /// Names of what still uses an item.
    async fn users_of(&self, access: &WorkspaceAccess, item: &Saved) -> Result<Vec<String>> {
        let used_by = match item.kind {
            SavedKind::Metric | SavedKind::Segment => SavedKind::Report,
            SavedKind::Report => SavedKind::Dashboard,
            SavedKind::Dashboard => return Ok(Vec::new()),
        };
        let mut users = Vec::new();
        for saved in self.control.list_saved(&access.scope, used_by).await? {
            let uses = match used_by {
                SavedKind::Dashboard => {
                    stored_definition::<DashboardDefinition>(&saved)?.cards.iter().any(|card| card.report_id == item.id.0)
                }
                _ => {
                    let question = stored_definition::<ReportDefinition>(&saved)?.question;
                    let names =
                        |name: &String| item.slug.as_ref() == Some(name) || name.to_lowercase() == item.name.to_lowercase();
                    match item.kind {
                        SavedKind::Segment => question.segment_id == Some(item.id.0),
                        _ => question.metrics.iter().any(names),
                    }
                }
            };
            if uses {
                users.push(format!("the {} `{}`", used_by.as_str(), saved.name));
            }
        }
        Ok(users)
    }
}

impl SavedOutput {
    fn of(saved: Saved) -> Result<Self> {
        let definition = serde_json::from_str(&saved.definition)
            .map_err(|error| Error::internal("a saved definition is damaged").caused_by(error))?;
        Ok(Self {
            id: saved.id.0,
            name: saved.name,
            slug: saved.slug,
            definition,
            created_at: format_utc(saved.created_us),
            updated_at: format_utc(saved.updated_us),
        })
    }
}

fn read(body: &[u8]) -> Result<SavedInput> {
    serde_json::from_slice(body).map_err(|error| {
        Error::new(
            Code::InvalidPayload,
            format!("the body is not accepted: {error}; accepted: an object with name and definition"),
        )
    })
}

fn parse<D: DeserializeOwned>(definition: Value) -> Result<D> {
    serde_json::from_value(definition).map_err(|error| {
        let mut problems = Problems::new();
        problems.add("definition", error.to_string());
        problems.into_error(Code::InvalidParams)
    })
}

/// A stored definition as the type of its kind.
fn stored_definition<D: DeserializeOwned>(saved: &Saved) -> Result<D> {
    serde_json::from_str(&saved.definition).map_err(|error| {
        Error::internal(format!("the stored definition of {} {} cannot be read", saved.kind.as_str(), saved.id.0))
            .caused_by(error)
    })
}

fn refuse_slug(slug: Option<String>) -> Result<Option<String>> {
    match slug {
        None => Ok(None),
        Some(_) => {
            let mut problems = Problems::new();
            problems.add("slug", "only metrics have a slug");
            Err(problems.into_error(Code::InvalidParams))
        }
    }
}

/// A slug made of a name: `Profit margin (%)` becomes `profit_margin`.
fn slug_of(name: &str) -> String {
    let words: Vec<String> = name
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    let slug = words.join("_");
    if slug.starts_with(|first: char| first.is_ascii_lowercase()) { slug } else { format!("metric_{slug}") }
}
