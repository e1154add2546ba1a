//! Ad accounts, campaigns, ad sets and ads: listed, and read with what they stand under.

use schemars::JsonSchema;
use serde::Serialize;
use tributary_boxed::boxed;
use tributary_control::{AdCursor, AdEntityFilter, StoredAdEntity, WorkspaceAccess};
use tributary_core::ads::AdLevel;
use tributary_core::error::{Code, Result};
use tributary_core::money::format_micros;
use tributary_core::time::format_utc;

use crate::contacts::Paged;
use crate::problem::Problems;
use crate::service::Service;

/// Entities of one page at most.
pub const MAX_PER_PAGE: u32 = 1_000;
/// Entities of one page unless asked otherwise.
pub const DEFAULT_PER_PAGE: u32 = 200;
/// What a cursor puts between a source and an id; a source's slug never holds one.
const CURSOR_MARK: char = ':';

/// The levels of the hierarchy that can be listed, as callers name them.
pub const LEVELS: [&str; 4] = ["account", "campaign", "adset", "ad"];

/// Which entities to list; every given condition must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AdsInput {
    /// One of [`LEVELS`].
    pub level: String,
    /// Of this source.
    pub source: Option<String>,
    /// In this account, by the platform's id.
    pub account_id: Option<String>,
    /// In this campaign.
    pub campaign_id: Option<String>,
    /// In this ad set.
    pub adset_id: Option<String>,
    /// In this state, in the platform's words.
    pub status: Option<String>,
    /// Entities of one page, 1 to [`MAX_PER_PAGE`].
    pub per_page: Option<u32>,
    /// `next_cursor` of a page of the same list.
    pub cursor: Option<String>,
}

/// Something of an ad platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct AdRow {
    /// The platform, as a source: `facebook_ads`.
    pub source: String,
    /// `account`, `campaign`, `adset` or `ad`.
    pub level: String,
    /// The platform's id.
    pub id: String,
    /// Its name; null when no export said it.
    pub name: Option<String>,
    /// Its state in the platform's words.
    pub status: Option<String>,
    /// ISO 4217 currency it is billed in.
    pub currency: Option<String>,
    /// What it may spend, a decimal number as text.
    pub budget: Option<String>,
    /// `daily` or `lifetime`.
    pub budget_period: Option<String>,
    /// The account it stands in.
    pub account_id: Option<String>,
    /// The campaign it stands in.
    pub campaign_id: Option<String>,
    /// The ad set it stands in.
    pub adset_id: Option<String>,
    /// When it was first heard of, RFC 3339 in UTC.
    pub created_at: String,
    /// When what is known of it last changed.
    pub updated_at: String,
}

/// Something of an ad platform with what it stands under.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AdOutput {
    /// Itself.
    #[serde(flatten)]
    pub entity: AdRow,
    /// Those of its parents that are known, outermost first.
    pub parents: Vec<AdRow>,
}

impl Service {
    /// Entities of a level by source and id.
    ///
    /// Errors: `invalid_params` for an unknown level or a cursor of no such list.
    #[boxed]
    pub async fn list_ads(&self, access: &WorkspaceAccess, input: &AdsInput) -> Result<Paged<AdRow>> {
        let mut problems = Problems::new();
        let level = read_level(&input.level, &mut problems);
        let after = match input.cursor.as_deref() {
            None => None,
            Some(cursor) => match cursor.split_once(CURSOR_MARK) {
                Some((source, id)) => Some(AdCursor { source: source.to_owned(), id: id.to_owned() }),
                None => {
                    problems.add("cursor", "must be a `next_cursor` of this list");
                    None
                }
            },
        };
        let per_page = input.per_page.unwrap_or(DEFAULT_PER_PAGE);
        if !(1..=MAX_PER_PAGE).contains(&per_page) {
            problems.add("per_page", format!("must be between 1 and {MAX_PER_PAGE}"));
        }
        let (Some(level), true) = (level, problems.is_empty()) else { return Err(problems.into_error(Code::InvalidParams)) };
        let filter = AdEntityFilter {
            source: input.source.clone(),
            account: input.account_id.clone(),
            campaign: input.campaign_id.clone(),
            ad_set: input.adset_id.clone(),
            status: input.status.clone(),
            ..AdEntityFilter::every(level)
        };
        let page = self.control.list_ad_entities(&access.scope, &filter, after.as_ref(), per_page).await?;
        Ok(Paged {
            rows: page.entities.into_iter().map(AdRow::from).collect(),
            per_page,
            next_cursor: page.next.map(|next| format!("{}{CURSOR_MARK}{}", next.source, next.id)),
            prev_cursor: None,
        })
    }

    /// One entity, or `not_found`.
    #[boxed]
    pub async fn get_ad(&self, access: &WorkspaceAccess, source: &str, level: &str, id: &str) -> Result<AdOutput> {
        let mut problems = Problems::new();
        let level = read_level(level, &mut problems);
        let Some(level) = level else { return Err(problems.into_error(Code::InvalidParams)) };
        let lineage = self.control.get_ad_entity(&access.scope, source, level, id).await?;
        Ok(AdOutput { entity: lineage.entity.into(), parents: lineage.parents.into_iter().map(AdRow::from).collect() })
    }
}

fn read_level(name: &str, problems: &mut Problems) -> Option<AdLevel> {
    let level = AdLevel::parse(name).filter(|level| LEVELS.contains(&level.as_str()));
    if level.is_none() {
        let shown: String = name.chars().take(40).collect();
        problems.add("level", format!("`{shown}` is no level; accepted: {}", LEVELS.join(", ")));
    }
    level
}

impl From<StoredAdEntity> for AdRow {
    fn from(stored: StoredAdEntity) -> Self {
        let StoredAdEntity { entity, created_us, updated_us } = stored;
        let parent = |level: AdLevel| entity.path.at(level).filter(|_| level < entity.level).map(str::to_owned);
        AdRow {
            id: entity.path.at(entity.level).unwrap_or_default().to_owned(),
            account_id: parent(AdLevel::Account),
            campaign_id: parent(AdLevel::Campaign),
            adset_id: parent(AdLevel::AdSet),
            level: entity.level.as_str().to_owned(),
            name: entity.name,
            status: entity.status,
            currency: entity.currency.map(|currency| currency.to_string()),
            budget: entity.budget.map(|budget| format_micros(i128::from(budget.micros))),
            budget_period: entity.budget.map(|budget| budget.period.as_str().to_owned()),
            source: entity.source,
            created_at: format_utc(created_us),
            updated_at: format_utc(updated_us),
        }
    }
}
