//! Free text that names a stretch of days: "compare last week to the week before" means `last_week`.

use tributary_core::error::{Code, Error, Result};

use super::preset::{PRESETS, Preset};

/// Longest phrase read, characters.
pub const MAX_PHRASE_CHARS: usize = 200;

const MONTHS: [&str; 12] =
    ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];

/// The preset a phrase names. Letter case does not matter, words for "last" and "this" are understood, and so are quarters
/// (`Q1 2026`, `first quarter of 2026`) and months (`March 2026`).
///
/// Errors: `invalid_params` for text that names no stretch of days or several, with the presets.
pub fn read(text: &str) -> Result<Preset> {
    if text.chars().count() > MAX_PHRASE_CHARS {
        return Err(Error::new(Code::InvalidParams, format!("a phrase has at most {MAX_PHRASE_CHARS} characters")));
    }
    let words = words(text);
    let mut named: Vec<Preset> = Vec::new();
    let mut at = 0;
    while at < words.len() {
        match preset_at(&words[at..]) {
            Some((preset, length)) => {
                if !named.contains(&preset) {
                    named.push(preset);
                }
                at += length;
            }
            None => at += 1,
        }
    }
    let shown: String = text.chars().take(80).collect();
    match named.as_slice() {
        [one] => Ok(*one),
        [] => Err(refused(format!("`{shown}` names no stretch of days"))),
        several => {
            let names: Vec<String> = several.iter().map(|preset| preset.name()).collect();
            Err(refused(format!("`{shown}` names several stretches of days: {}", names.join(", "))))
        }
    }
}

fn refused(message: String) -> Error {
    let presets: Vec<&str> = PRESETS.iter().map(|(name, _)| *name).collect();
    Error::new(Code::InvalidParams, format!("{message}; accepted: {}, and quarters such as Q1 2026", presets.join(", ")))
}

/// Lower-case words and numbers, with words for "last" and "this" made one: "past 7 days" reads as "last 7 days".
fn words(text: &str) -> Vec<String> {
    text.to_lowercase()
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty() && *word != "the" && *word != "of" && *word != "in")
        .map(|word| match word {
            "past" | "previous" | "trailing" | "prior" => String::from("last"),
            "current" => String::from("this"),
            "first" => String::from("q1"),
            "second" => String::from("q2"),
            "third" => String::from("q3"),
            "fourth" => String::from("q4"),
            other => other.to_owned(),
        })
        .collect()
}

/// The preset that begins at the first of these words, and how many of them name it.
fn preset_at(words: &[String]) -> Option<(Preset, usize)> {
    let fixed = PRESETS.iter().find_map(|(name, preset)| {
        let wanted: Vec<&str> = name.split('_').collect();
        starts_with(words, &wanted).then_some((*preset, wanted.len()))
    });
    fixed.or_else(|| named_quarter(words)).or_else(|| named_month(words))
}

fn starts_with(words: &[String], wanted: &[&str]) -> bool {
    words.len() >= wanted.len() && words.iter().zip(wanted).all(|(word, wanted)| word == wanted)
}

/// `q1 2026`, `q1 quarter 2026` (the first quarter of 2026), `2026 q1`.
fn named_quarter(words: &[String]) -> Option<(Preset, usize)> {
    let quarter = |word: &String| word.strip_prefix('q')?.parse::<i8>().ok().filter(|number| (1..=4).contains(number));
    if let (Some(year), Some(number)) = (year(words.first()?), words.get(1).and_then(quarter)) {
        return Some((Preset::Quarter(year, number), 2));
    }
    let number = quarter(words.first()?)?;
    let skipped = usize::from(words.get(1).is_some_and(|word| word == "quarter"));
    let year = year(words.get(1 + skipped)?)?;
    Some((Preset::Quarter(year, number), 2 + skipped))
}

/// `march 2026`, `mar 2026`.
fn named_month(words: &[String]) -> Option<(Preset, usize)> {
    let name = words.first()?;
    let place = MONTHS.iter().position(|month| month == name || (name.len() == 3 && month.starts_with(name.as_str())))?;
    let year = year(words.get(1)?)?;
    Some((Preset::Month(year, i8::try_from(place).ok()? + 1), 2))
}

fn year(word: &str) -> Option<i16> {
    (word.len() == 4).then(|| word.parse().ok()).flatten().filter(|year| (1_970..=9_998).contains(year))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_phrase_is_understood() {
        for (text, name) in [
            ("today", "today"),
            ("yesterday", "yesterday"),
            ("this week", "this_week"),
            ("last week", "last_week"),
            ("this month", "this_month"),
            ("last month", "last_month"),
            ("this quarter", "this_quarter"),
            ("last quarter", "last_quarter"),
            ("this year", "this_year"),
            ("last year", "last_year"),
            ("last 7 days", "last_7_days"),
            ("last 14 days", "last_14_days"),
            ("last 30 days", "last_30_days"),
            ("last 60 days", "last_60_days"),
            ("last 90 days", "last_90_days"),
            ("last 365 days", "last_365_days"),
            ("all time", "all_time"),
            ("Q1 2026", "q1_2026"),
            ("compare last week to the week before", "last_week"),
            ("How did we do over the past 30 days?", "last_30_days"),
            ("last_7_days", "last_7_days"),
            ("the first quarter of 2026", "q1_2026"),
            ("in 2025 Q4", "q4_2025"),
            ("March 2026", "2026_03"),
            ("last week, I said last week", "last_week"),
        ] {
            assert_eq!(read(text).expect(text).name(), name, "{text}");
        }
    }

    #[test]
    fn what_names_none_or_several_is_refused_with_the_presets() {
        for text in ["", "whenever", "last 8 days", "7 days", "today versus yesterday", "Q5 2026", "march", "lastweek", "first"] {
            let error = read(text).expect_err(text);
            assert_eq!(error.code(), Code::InvalidParams);
            assert!(error.message().contains("accepted: today, yesterday, this_week"), "{}", error.message());
        }
        assert!(read(&"x".repeat(201)).is_err());
    }
}
