//! Bounds of what is recorded, checked once where it comes in.

use jiff::civil::Date;
use tributary_core::ads::{AdBatch, AdDay, AdEntity, AdLevel, AdPath, MAX_COUNT, MAX_MICROS, MAX_TEXT_BYTES, YEARS};
use tributary_core::error::Result;

use super::invalid;

/// Longest source slug, bytes.
const MAX_SOURCE_BYTES: usize = 64;
/// Longest author, characters.
const MAX_AUTHOR_CHARS: usize = 255;

pub(super) fn check_batch(batch: &AdBatch, most: usize) -> Result<()> {
    if batch.len() > most {
        return Err(invalid(format!("the batch has {} rows; accepted: up to {most}", batch.len())));
    }
    for entity in &batch.entities {
        check_entity(entity)?;
    }
    for row in &batch.spend {
        check_day(&row.day)?;
        check_amount("spend", Some(row.spend_micros))?;
        for (what, count) in [("impressions", row.impressions), ("clicks", row.clicks), ("link_clicks", row.link_clicks)] {
            check_count(what, count)?;
        }
    }
    for row in &batch.claims {
        check_day(&row.day)?;
        check_amount("claimed conversions", row.conversions_micros)?;
        check_amount("claimed value", row.value_micros)?;
        for (what, text) in [("event", &row.rule.event), ("window", &row.rule.window), ("model", &row.rule.model)] {
            check_text(what, Some(text))?;
        }
    }
    Ok(())
}

pub(super) fn checked_author(author: &str) -> Result<String> {
    let length = author.chars().count();
    if (1..=MAX_AUTHOR_CHARS).contains(&length) && !author.chars().any(char::is_control) {
        return Ok(author.to_owned());
    }
    Err(invalid(format!("author must have 1 to {MAX_AUTHOR_CHARS} characters, none of them a control character")))
}

/// Dates outside would not sort as text.
pub(super) fn check_date(what: &str, date: Date) -> Result<()> {
    if YEARS.contains(&date.year()) {
        return Ok(());
    }
    Err(invalid(format!("{what} must lie in the years {} to {}", YEARS.start(), YEARS.end())))
}

fn check_entity(entity: &AdEntity) -> Result<()> {
    check_source(&entity.source)?;
    check_path(entity.level, &entity.path)?;
    check_text("name", entity.name.as_deref())?;
    check_text("status", entity.status.as_deref())?;
    check_amount("budget", entity.budget.map(|budget| budget.micros))
}

fn check_day(day: &AdDay) -> Result<()> {
    check_source(&day.source)?;
    check_path(day.level, &day.path)?;
    check_date("date", day.date)?;
    check_text("cut", day.cut.as_ref().map(|cut| cut.value.as_str()))
}

fn check_source(source: &str) -> Result<()> {
    let spelt = source.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if (1..=MAX_SOURCE_BYTES).contains(&source.len()) && spelt {
        return Ok(());
    }
    Err(invalid(format!("source must have 1 to {MAX_SOURCE_BYTES} of a-z, 0-9 and _, such as facebook_ads")))
}

fn check_path(level: AdLevel, path: &AdPath) -> Result<()> {
    if path.at(level).is_none() {
        return Err(invalid(format!("a row of the level {} needs the id of its {}", level.as_str(), level.as_str())));
    }
    AdLevel::ALL.into_iter().try_for_each(|level| check_text(level.as_str(), path.at(level)))
}

fn check_text(what: &str, text: Option<&str>) -> Result<()> {
    let fits = |text: &str| (1..=MAX_TEXT_BYTES).contains(&text.len()) && !text.chars().any(char::is_control);
    if text.is_none_or(fits) {
        return Ok(());
    }
    Err(invalid(format!("{what} must have 1 to {MAX_TEXT_BYTES} bytes, none of them a control character")))
}

fn check_amount(what: &str, micros: Option<i64>) -> Result<()> {
    if micros.is_none_or(|micros| (-MAX_MICROS..=MAX_MICROS).contains(&micros)) {
        return Ok(());
    }
    Err(invalid(format!("{what} must be at most {MAX_MICROS} micros either way")))
}

fn check_count(what: &str, count: Option<i64>) -> Result<()> {
    if count.is_none_or(|count| (0..=MAX_COUNT).contains(&count)) {
        return Ok(());
    }
    Err(invalid(format!("{what} must be from 0 to {MAX_COUNT}")))
}
