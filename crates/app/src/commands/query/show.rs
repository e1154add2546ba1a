//! Answers as tables for people.

use serde_json::{Map, Value};

use tributary_core::error::Result;
use tributary_http::admin::{BotsBody, QueryAnswer};

use super::Query;
use crate::output;

/// Columns of events shown in a terminal; `--json` has all of them.
const EVENT_COLUMNS: [&str; 9] =
    ["timestamp", "event_name", "anonymous_id", "user_id", "source", "medium", "path", "amount", "properties"];
/// Totals that are no column's begin so.
const REMARKED: &str = "unattributed ";
/// Longest cell, characters.
const MAX_CELL_CHARS: usize = 60;

/// How an answer is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// One line per row.
    Rows,
    /// One line per event, the most telling columns.
    Events,
    /// One line per cohort, one column per period.
    Cohorts,
}

impl View {
    /// The layout that suits a question.
    pub fn of(query: &Query) -> View {
        match query {
            Query::Events(_) | Query::Journey(_) => View::Events,
            Query::Retention(_) => View::Cohorts,
            Query::Stats(_)
            | Query::Sources(_)
            | Query::Funnel(_)
            | Query::Attribution(_)
            | Query::Sessions(_)
            | Query::Names(_) => View::Rows,
        }
    }
}

/// Writes the answer: rows to standard output, what they hold for to standard error.
pub fn answer(answer: &QueryAnswer, view: View) -> Result<()> {
    let bots = match answer.bots {
        BotsBody::Exclude => "without bots",
        BotsBody::Include => "with bots",
        BotsBody::Only => "bots only",
    };
    output::remark(&format!(
        "{}: {} to {} ({}), {bots}, as of event {}",
        answer.workspace, answer.from, answer.to, answer.timezone, answer.watermark
    ));
    if answer.rows.is_empty() {
        output::remark("nothing matches");
        return Ok(());
    }
    match view {
        View::Rows => rows(answer)?,
        View::Events => events(answer)?,
        View::Cohorts => cohorts(answer)?,
    }
    if answer.truncated {
        let more = if answer.total_rows_is_exact { "" } else { " or more" };
        output::remark(&format!("{} of {}{more} rows; --limit shows more", answer.rows.len(), answer.total_rows));
    }
    Ok(())
}

fn rows(answer: &QueryAnswer) -> Result<()> {
    let Some(first) = answer.rows.first() else { return Ok(()) };
    let header: Vec<&str> = first.keys().map(String::as_str).collect();
    let mut lines: Vec<Vec<String>> =
        answer.rows.iter().map(|row| row.iter().map(|(name, value)| cell(name, value)).collect()).collect();
    // Distinct counts do not add up, so the totals are numbers of their own.
    let has_groups = answer.rows.len() > 1 && answer.totals.keys().any(|name| first.contains_key(name));
    if has_groups {
        let mut total: Vec<String> =
            header.iter().map(|name| answer.totals.get(*name).map_or(String::new(), |value| cell(name, value))).collect();
        if let Some(label) = total.first_mut().filter(|label| label.is_empty()) {
            *label = String::from("(all)");
        }
        lines.push(total);
    }
    output::table(&header, &lines)?;
    for (name, value) in answer.totals.iter().filter(|(name, _)| name.starts_with(REMARKED)) {
        output::remark(&format!("{name}: {}", cell(name, value)));
    }
    Ok(())
}

fn events(answer: &QueryAnswer) -> Result<()> {
    let used: Vec<&str> = EVENT_COLUMNS
        .into_iter()
        .filter(|name| answer.rows.iter().any(|row| row.get(*name).is_some_and(|value| !is_nothing(value))))
        .collect();
    let lines: Vec<Vec<String>> = answer
        .rows
        .iter()
        .map(|row| used.iter().map(|name| row.get(*name).map_or(String::new(), |value| cell(name, value))).collect())
        .collect();
    output::table(&used, &lines)
}

fn cohorts(answer: &QueryAnswer) -> Result<()> {
    // Rows come cohort by cohort, period 0 first.
    let mut lines: Vec<Vec<String>> = Vec::new();
    let mut header: Vec<String> = Vec::new();
    for row in &answer.rows {
        let period = row.get("period").and_then(Value::as_u64).unwrap_or_default();
        if period == 0 {
            let leading: Map<String, Value> =
                row.iter().take_while(|(name, _)| *name != "period").map(|(name, value)| (name.clone(), value.clone())).collect();
            if header.is_empty() {
                header.extend(leading.keys().cloned());
            }
            lines.push(leading.iter().map(|(name, value)| cell(name, value)).collect());
        }
        let label = format!("+{period}");
        if !header.contains(&label) {
            header.push(label);
        }
        if let Some(line) = lines.last_mut() {
            line.push(row.get("share").map_or(String::new(), |share| cell("share", share)));
        }
    }
    for line in &mut lines {
        line.resize(header.len(), String::new());
    }
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    output::table(&header, &lines)
}

fn cell(name: &str, value: &Value) -> String {
    let is_share = name.ends_with("share") || name.starts_with("of_");
    let text = match value {
        Value::Null => String::from("-"),
        Value::String(text) => text.clone(),
        Value::Number(number) if is_share => format!("{:.2}%", number.as_f64().unwrap_or_default() * 100.0),
        Value::Object(object) if name == "amount" => {
            let part = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
            format!("{} {}", part("amount"), part("currency"))
        }
        other => other.to_string(),
    };
    if text.chars().count() <= MAX_CELL_CHARS {
        return text;
    }
    text.chars().take(MAX_CELL_CHARS - 1).chain(['…']).collect()
}

fn is_nothing(value: &Value) -> bool {
    value.is_null() || value.as_object().is_some_and(Map::is_empty)
}
