//! Search over everything that has a name: typo-tolerant, the best match first.

use schemars::JsonSchema;
use serde::Serialize;
use tributary_boxed::boxed;
use tributary_control::{SavedKind, WorkspaceAccess};
use tributary_core::error::{Code, Result};

use crate::problem::Problems;
use crate::service::Service;

/// Longest text searched for, characters.
pub const MAX_QUERY_CHARS: usize = 200;
/// Most rows of an answer.
pub const MAX_LIMIT: usize = 100;
/// Rows of an answer when nothing else is asked for.
pub const DEFAULT_LIMIT: usize = 20;
/// Names of contacts and of companies looked at, the newest first.
const MAX_NAMES: u32 = 200_000;
/// Below this score a name is no match (0 to 1).
const MIN_SCORE: f64 = 0.6;
/// Below this similarity (Jaro-Winkler) a misspelt word is another word.
const MIN_SIMILARITY: f64 = 0.87;

/// What can be found, in the order it is told when scores are equal.
pub const TYPES: [&str; 11] =
    ["ad_account", "campaign", "adset", "ad", "contact", "company", "report", "dashboard", "segment", "metric", "event"];

/// What to search for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchInput {
    /// Some text, 1 to [`MAX_QUERY_CHARS`] characters.
    pub query: String,
    /// Only these types, see [`TYPES`]; all when empty.
    pub types: Vec<String>,
    /// Rows at most, 1 to [`MAX_LIMIT`].
    pub limit: Option<usize>,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct SearchOutput {
    /// The best match first.
    pub rows: Vec<Found>,
    /// Matches there are without the limit.
    pub total_rows: u64,
}

/// One match.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Found {
    /// What it is, see the types of the question.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its id: a number for contacts, companies and saved items, the platform's for ads, a slug for metrics and events.
    pub id: String,
    /// The name that matched.
    pub name: String,
    /// The source of something of an ad platform.
    pub source: Option<String>,
    /// How well it matches, 0 to 1; 1 is the name itself.
    pub score: f64,
}

impl Service {
    /// Searches everything that has a name in a workspace.
    ///
    /// Errors: `invalid_params` for no text, too long a text, or unknown types.
    #[boxed]
    pub async fn search_workspace(&self, access: &WorkspaceAccess, input: &SearchInput) -> Result<SearchOutput> {
        let mut problems = Problems::new();
        let wanted = Wanted::of(&input.query);
        if wanted.words.is_empty() || input.query.chars().count() > MAX_QUERY_CHARS {
            problems.add("query", format!("must have 1 to {MAX_QUERY_CHARS} characters, one of them a letter or digit"));
        }
        for (index, kind) in input.types.iter().enumerate().filter(|(_, kind)| !TYPES.contains(&kind.as_str())) {
            let shown: String = kind.chars().take(40).collect();
            problems.add(format!("types.{index}"), format!("`{shown}` is no type; accepted: {}", TYPES.join(", ")));
        }
        let limit = input.limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            problems.add("limit", format!("must be between 1 and {MAX_LIMIT}"));
        }
        problems.check(Code::InvalidParams)?;
        let wants = |kind: &str| input.types.is_empty() || input.types.iter().any(|wanted| wanted == kind);
        let mut hits = Hits { wanted, found: Vec::new() };
        if ["ad_account", "campaign", "adset", "ad"].into_iter().any(wants) {
            for (level, id, source, name) in self.control.ad_directory(&access.scope).await?.named() {
                let kind = if level.as_str() == "account" { "ad_account" } else { level.as_str() };
                if wants(kind) {
                    hits.add(kind, id, name, Some(source));
                }
            }
        }
        if wants("contact") {
            for named in self.control.contact_names(&access.scope, MAX_NAMES).await? {
                hits.add("contact", &named.id.to_string(), &named.name, None);
            }
        }
        if wants("company") {
            for named in self.control.company_names(&access.scope, MAX_NAMES).await? {
                hits.add("company", &named.id.to_string(), &named.name, None);
            }
        }
        for kind in [SavedKind::Report, SavedKind::Dashboard, SavedKind::Segment] {
            if wants(kind.as_str()) {
                for saved in self.control.list_saved(&access.scope, kind).await? {
                    hits.add(kind.as_str(), &saved.id.0.to_string(), &saved.name, None);
                }
            }
        }
        if wants("metric") {
            for metric in self.metric_catalogue(access).await?.metrics() {
                hits.add("metric", &metric.slug, &metric.label, None);
            }
        }
        if wants("event") {
            let conversions = self.control.conversions(&access.scope).await?;
            for set in conversions.configured() {
                hits.add("event", set.conversion.as_str(), conversions.label_of(set.conversion), None);
            }
        }
        Ok(hits.best(limit))
    }
}

/// A text as it is compared: lower case, and its words.
struct Wanted {
    text: String,
    words: Vec<String>,
}

impl Wanted {
    fn of(text: &str) -> Wanted {
        let text = text.trim().to_lowercase();
        let words = text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned);
        Wanted { words: words.collect(), text }
    }
}

struct Hits {
    wanted: Wanted,
    found: Vec<Found>,
}

impl Hits {
    fn add(&mut self, kind: &str, id: &str, name: &str, source: Option<&str>) {
        // An id pasted from elsewhere finds its owner.
        let score = if self.wanted.text == id { 1.0 } else { score(&self.wanted, name) };
        if score < MIN_SCORE {
            return;
        }
        self.found.push(Found {
            kind: kind.to_owned(),
            id: id.to_owned(),
            name: name.to_owned(),
            source: source.map(str::to_owned),
            score: (score * 1_000.0).round() / 1_000.0,
        });
    }

    /// The best name of each thing, the best thing first; equal ones in the order of types, then of names.
    fn best(mut self, limit: usize) -> SearchOutput {
        let rank = |found: &Found| TYPES.iter().position(|kind| *kind == found.kind);
        self.found.sort_by(|left, right| {
            right
                .score
                .total_cmp(&left.score)
                .then_with(|| rank(left).cmp(&rank(right)))
                .then_with(|| left.name.cmp(&right.name))
                .then_with(|| left.id.cmp(&right.id))
        });
        let mut seen = std::collections::HashSet::new();
        self.found.retain(|found| seen.insert((found.kind.clone(), found.source.clone(), found.id.clone())));
        let total_rows = self.found.len() as u64;
        self.found.truncate(limit);
        SearchOutput { rows: self.found, total_rows }
    }
}

/// How well a name matches, 0 to 1: the name itself, its beginning, the beginning of a word, a part; otherwise the mean of how
/// well each wanted word is spelt somewhere in the name.
fn score(wanted: &Wanted, name: &str) -> f64 {
    let name = Wanted::of(name);
    if name.text == wanted.text || (!name.words.is_empty() && name.words == wanted.words) {
        return 1.0;
    }
    if name.text.starts_with(&wanted.text) {
        return 0.95;
    }
    if let Some(place) = name.text.find(&wanted.text) {
        let begins_a_word = name.text[..place].chars().next_back().is_none_or(|before| !before.is_alphanumeric());
        return if begins_a_word { 0.9 } else { 0.8 };
    }
    let best = |wanted: &String| name.words.iter().map(|word| similarity(wanted, word)).fold(0.0_f64, f64::max);
    let sum: f64 = wanted.words.iter().map(best).sum();
    0.85 * sum / wanted.words.len().max(1) as f64
}

/// How alike two words are: 1 for the same, a little less for a beginning, 0 for other words.
fn similarity(wanted: &str, word: &str) -> f64 {
    if wanted == word {
        return 1.0;
    }
    if wanted.chars().count() >= 2 && word.starts_with(wanted) {
        return 0.95;
    }
    let similarity = strsim::jaro_winkler(wanted, word);
    // Two letters swapped, one missing or one too many; short words are too easily alike.
    let is_near = strsim::damerau_levenshtein(wanted, word) <= 1 + wanted.chars().count() / 5;
    if similarity >= MIN_SIMILARITY && is_near { similarity * 0.95 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typos_find_names_and_the_better_match_stands_first() {
        let names = ["Spring Sale 2026", "Spring Sale", "Retargeting - Spring", "Offspring", "Autumn Sale", "Sale of Springs"];
        let found = |query: &str| {
            let mut hits = Hits { wanted: Wanted::of(query), found: Vec::new() };
            names.iter().enumerate().for_each(|(id, name)| hits.add("campaign", &format!("id-{id}"), name, None));
            hits.best(10).rows.into_iter().map(|found| found.name).collect::<Vec<_>>()
        };
        assert_eq!(found("spring sale"), ["Spring Sale", "Spring Sale 2026", "Sale of Springs"]);
        assert_eq!(found("sprng sale"), ["Spring Sale", "Spring Sale 2026", "Sale of Springs"]);
        assert_eq!(found("spring"), ["Spring Sale", "Spring Sale 2026", "Retargeting - Spring", "Sale of Springs", "Offspring"]);
        assert_eq!(found("atumn"), ["Autumn Sale"]);
        assert_eq!(found("winter"), Vec::<String>::new());
        assert_eq!(found("id-4"), ["Autumn Sale"]);
    }
}
