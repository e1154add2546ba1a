//! `tributary metrics`: spend, credited conversions and people by dimensions.

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use tributary_core::error::{Code, Error, Result};

use crate::exit::Exit;
use crate::folder::Missing;
use crate::globals::Globals;
use crate::operator::segment;
use crate::output;

/// Ask metrics by dimensions: ad spend, credited conversions and revenue, people, and formulas over them.
#[derive(Debug, Subcommand)]
pub enum Metrics {
    /// List the metrics there are, with their definitions
    List(Of),
    /// List the dimensions there are
    Dimensions(Of),
    /// List the attribution models, with their definitions
    Models(Of),
    /// Ask metrics of a period
    #[command(after_help = "Examples:
  tributary metrics query --workspace acme-shop --metrics roas,gross_revenue,amount_spent --by source
  tributary metrics query --workspace acme-shop --metrics purchase,cpa --by campaign_name --model linear --range last_month \\
    --filter 'campaign_name contains spring' --sort=-purchase")]
    Query(Question),
    /// Ask metrics of a period and of the one before, with what changed
    #[command(after_help = "Example:
  tributary metrics compare --workspace acme-shop --metrics roas --by source --range this_month --to previous_year")]
    Compare {
        #[command(flatten)]
        question: Question,
        /// previous_period, previous_year, or two dates such as 2026-04-01..2026-04-30
        #[arg(long = "to", default_value = "previous_period", value_name = "PERIOD")]
        to: String,
    },
    /// Ask metrics under several attribution models
    #[command(after_help = "Example:
  tributary metrics under --workspace acme-shop --metrics purchase --by source --models first_touch,last_touch,markov")]
    Under {
        #[command(flatten)]
        question: Question,
        /// Models, joined by commas; the eight of ad-attribution products unless given
        #[arg(long, value_delimiter = ',')]
        models: Vec<String>,
    },
    /// Split one metric by one dimension, with shares
    #[command(
        after_help = "Example:\n  tributary metrics split --workspace acme-shop --metrics gross_revenue --by source --limit 5"
    )]
    Split(Question),
}

/// Whose metrics.
#[derive(Args, Debug)]
pub struct Of {
    /// Workspace by slug, UUID or id
    #[arg(long)]
    workspace: String,
}

/// A metric question.
#[derive(Args, Debug)]
pub struct Question {
    #[command(flatten)]
    of: Of,
    /// Metrics by slug or label, joined by commas; the first orders the rows
    #[arg(long, value_delimiter = ',', required = true)]
    metrics: Vec<String>,
    /// Dimensions by slug or label, joined by commas
    #[arg(long, value_delimiter = ',')]
    by: Vec<String>,
    /// A preset such as last_30_days or q1_2026, or two dates such as 2026-05-01..2026-05-31
    #[arg(long, default_value = "last_30_days")]
    range: String,
    /// Attribution model, with parameters after a colon: time_decay:3d, markov:2
    #[arg(long, default_value = "last_touch")]
    model: String,
    /// Days before a conversion in which touches count: 1, 7, 14, 30, 60, 90, or 0 for the lifetime
    #[arg(long, default_value_t = 30)]
    window: u32,
    /// relative: counted back from each conversion; absolute: the touch must lie in the range, too
    #[arg(long, value_name = "TYPE")]
    window_type: Option<String>,
    /// Which date decides where credit is reported: conversion or touch
    #[arg(long, value_name = "DATE")]
    dated_by: Option<String>,
    /// Whom events belong to: profile (contacts), company, or visitor
    #[arg(long, value_name = "MODE")]
    people: Option<String>,
    /// Only these sources, joined by commas
    #[arg(long, value_delimiter = ',')]
    sources: Vec<String>,
    /// A condition: `campaign_name contains spring`, `country equal_to DE`, `ad_id any`; repeat for more, all must hold
    #[arg(long = "filter", value_name = "CONDITION")]
    filters: Vec<String>,
    /// Only members of this saved segment, by id
    #[arg(long, value_name = "ID")]
    segment: Option<i64>,
    /// Column to order by, descending with a - before it
    #[arg(long, allow_hyphen_values = true, value_name = "COLUMN")]
    sort: Option<String>,
    /// Rows at most
    #[arg(long)]
    limit: Option<usize>,
}

impl Question {
    fn body(&self) -> Result<Map<String, Value>> {
        let mut body = Map::new();
        put_days(&mut body, &self.range, ("date_start", "date_end"), "date_range");
        body.insert("attribution_model".into(), json!(self.model));
        body.insert("attribution_window".into(), json!(self.window));
        body.insert("metrics".into(), json!(self.metrics));
        body.insert("group_by".into(), json!(self.by));
        body.insert("sources".into(), json!(self.sources));
        let filters: Vec<Value> = self.filters.iter().map(|condition| filter(condition)).collect::<Result<_>>()?;
        body.insert("filters".into(), json!(filters));
        let options = [
            ("attribution_window_type", &self.window_type),
            ("dated_by", &self.dated_by),
            ("query_mode", &self.people),
            ("sort", &self.sort),
        ];
        for (name, value) in options {
            if let Some(value) = value {
                body.insert(name.into(), json!(value));
            }
        }
        if let Some(id) = self.segment {
            body.insert("segment_id".into(), json!(id));
        }
        if let Some(limit) = self.limit {
            body.insert("limit".into(), json!(limit));
        }
        Ok(body)
    }
}

/// `2026-05-01..2026-05-31` as two dates, anything else as a name.
fn put_days(body: &mut Map<String, Value>, given: &str, (start, end): (&str, &str), name: &str) {
    match given.split_once("..") {
        Some((first, last)) => {
            body.insert(name.into(), json!("custom"));
            body.insert(start.into(), json!(first));
            body.insert(end.into(), json!(last));
        }
        None => {
            body.insert(name.into(), json!(given));
        }
    }
}

/// A field, an operator, and the rest of the text as value; several values joined by `|`.
fn filter(condition: &str) -> Result<Value> {
    let mut parts = condition.trim().splitn(3, char::is_whitespace);
    let (Some(field), Some(operator)) = (parts.next(), parts.next()) else {
        let accepted = "a field, an operator and a value, such as `campaign_name contains spring`";
        return Err(Error::new(
            Code::InvalidParams,
            format!("the condition `{condition}` is not understood; accepted: {accepted}"),
        ));
    };
    Ok(match parts.next().map(str::trim) {
        None => json!({ "field": field, "operator": operator }),
        Some(value) if value.contains('|') => {
            json!({ "field": field, "operator": operator, "value": value.split('|').collect::<Vec<&str>>() })
        }
        Some(value) => json!({ "field": field, "operator": operator, "value": value }),
    })
}

/// Runs one of them.
pub async fn run(command: Metrics, globals: &Globals) -> Result<Exit> {
    match command {
        Metrics::List(of) => list(&of, "metrics", &["slug", "label", "type", "definition", "expression"], globals).await?,
        Metrics::Dimensions(of) => list(&of, "dimensions", &["slug", "label", "family", "definition"], globals).await?,
        Metrics::Models(of) => list(&of, "models", &["slug", "label", "definition"], globals).await?,
        Metrics::Query(question) => ask(&question.of, "query", question.body()?, &["rows", "unattributed"], globals).await?,
        Metrics::Compare { question, to } => {
            let mut body = question.body()?;
            put_days(&mut body, &to, ("previous_date_start", "previous_date_end"), "compare_to");
            // Without dimensions what changed over all rows is all that changed.
            let parts: &[&str] = if question.by.is_empty() { &["delta"] } else { &["delta", "totals"] };
            ask(&question.of, "compare", body, parts, globals).await?;
        }
        Metrics::Under { question, models } => {
            let mut body = question.body()?;
            body.insert("attribution_models".into(), json!(models));
            ask(&question.of, "models", body, &["rows", "unattributed"], globals).await?;
        }
        Metrics::Split(question) => ask(&question.of, "breakdown", question.body()?, &["rows"], globals).await?,
    }
    Ok(Exit::Done)
}

async fn list(of: &Of, what: &str, columns: &[&str], globals: &Globals) -> Result<()> {
    let path = format!("/reports/{}/{what}", segment(&of.workspace));
    let rows: Value = globals.operate(Missing::Refuse, async |operator| operator.get(&path).await).await?;
    if globals.json { output::json(&rows) } else { show_rows(&rows, Some(columns)) }
}

async fn ask(of: &Of, what: &str, body: Map<String, Value>, parts: &[&str], globals: &Globals) -> Result<()> {
    let path = format!("/reports/{}/{what}", segment(&of.workspace));
    let answer: Value = globals.operate(Missing::Refuse, async |operator| operator.post(&path, &body).await).await?;
    if globals.json { output::json(&answer) } else { show_answer(&answer, parts) }
}

/// The parts of an answer that are rows, each as a table, then what a reader should know.
pub(super) fn show_answer(answer: &Value, parts: &[&str]) -> Result<()> {
    for (place, part) in parts.iter().enumerate() {
        let rows = &answer[part];
        if place > 0 && rows.as_array().is_none_or(Vec::is_empty) {
            continue;
        }
        if place > 0 {
            output::line(&format!("\n{part}:"))?;
        }
        show_rows(rows, None)?;
    }
    if let Some(totals) = answer["totals"].as_object() {
        let totals: Vec<String> = totals.iter().map(|(name, value)| format!("{name} {}", cell(value))).collect();
        output::line(&format!("\ntotals: {}", totals.join(", ")))?;
    }
    let reasons = answer["null_reasons"].as_object().into_iter().flatten();
    for (metric, why) in reasons {
        let why: Vec<&str> = why.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        output::remark(&format!("{metric} is empty where {}", why.join("; or ")));
    }
    for apart in answer["left_apart"].as_array().into_iter().flatten() {
        output::remark(&format!(
            "{} {} of {} are in no row: no rate",
            cell(&apart["amount"]),
            cell(&apart["currency"]),
            cell(&apart["metric"])
        ));
    }
    for note in answer["notes"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        output::remark(note);
    }
    Ok(())
}

/// Objects as a table: the columns named, or those of the first.
pub(super) fn show_rows(rows: &Value, columns: Option<&[&str]>) -> Result<()> {
    let rows: Vec<&Map<String, Value>> = rows.as_array().into_iter().flatten().filter_map(Value::as_object).collect();
    let columns: Vec<&str> = match (columns, rows.first()) {
        (Some(columns), _) => columns.to_vec(),
        (None, Some(first)) => first.keys().map(String::as_str).collect(),
        (None, None) => return output::line("nothing"),
    };
    let cells: Vec<Vec<String>> =
        rows.iter().map(|row| columns.iter().map(|column| row.get(*column).map_or_else(String::new, cell)).collect()).collect();
    output::table(&columns, &cells)
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::from("-"),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
