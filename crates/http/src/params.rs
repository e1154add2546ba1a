//! Query strings, read strictly: every problem at once, unknown and doubled names refused.

use axum::extract::Query;
use axum::http::Uri;
use serde_json::Value;
use tributary_core::error::{Code, Error, Result};
use tributary_service::input::{BotRule, Window};
use tributary_service::problem::Problems;

/// Longest query string read, bytes.
const MAX_QUERY_BYTES: usize = 16 * 1024;

/// The parameters of one request, and what is wrong with them so far.
pub(crate) struct Params {
    pairs: Vec<(String, String)>,
    problems: Problems,
}

impl Params {
    /// Reads a query string whose names must be among `accepted`.
    pub(crate) fn read(uri: &Uri, accepted: &[&str]) -> Result<Self> {
        Self::read_lists(uri, accepted, &[])
    }

    /// The same, with parameters that are lists: `name[]=a&name[]=b`, or once `name=a,b` or `name=["a","b"]`.
    pub(crate) fn read_lists(uri: &Uri, accepted: &[&str], lists: &[&str]) -> Result<Self> {
        let too_long = || Error::new(Code::InvalidParams, format!("the query string must be at most {MAX_QUERY_BYTES} bytes"));
        if uri.query().is_some_and(|query| query.len() > MAX_QUERY_BYTES) {
            return Err(too_long());
        }
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|error| Error::new(Code::InvalidParams, "the query string cannot be read").caused_by(error))?;
        let mut problems = Problems::new();
        for (at, (name, value)) in pairs.iter().enumerate() {
            let shown: String = name.chars().take(64).collect();
            let item_of = name.strip_suffix("[]").filter(|list| lists.contains(list));
            if !accepted.contains(&name.as_str()) && !lists.contains(&name.as_str()) && item_of.is_none() {
                let accepted = [accepted, lists].concat();
                let accepted = if accepted.is_empty() { String::from("none") } else { accepted.join(", ") };
                problems.add(shown, format!("is not a parameter of this route; accepted: {accepted}"));
            } else if item_of.is_some_and(|list| pairs.iter().any(|(other, _)| other == list)) {
                problems.add(shown, "stands there both with and without []");
            } else if item_of.is_none() && pairs[..at].iter().any(|(earlier, _)| earlier == name) {
                problems.add(shown, "stands there twice");
            } else if value.is_empty() {
                problems.add(shown, "must not be empty; leave it out instead");
            }
        }
        Ok(Self { pairs, problems })
    }

    /// A text of 1 to `max_chars` characters, if given.
    pub(crate) fn text(&mut self, name: &str, max_chars: usize) -> Option<String> {
        let value = self.find(name)?;
        if value.chars().count() > max_chars {
            self.problems.add(name, format!("must have at most {max_chars} characters"));
            return None;
        }
        Some(value)
    }

    /// A text that must be given.
    pub(crate) fn required(&mut self, name: &str, what: &str) -> String {
        self.find(name).unwrap_or_else(|| {
            self.problems.add(name, format!("is required: {what}"));
            String::new()
        })
    }

    /// One of a few names, if given.
    pub(crate) fn choice<T>(&mut self, name: &str, names: &[&str], parse: fn(&str) -> Option<T>) -> Option<T> {
        let value = self.find(name)?;
        let choice = parse(&value);
        if choice.is_none() {
            self.problems.add(name, format!("must be one of {}", names.join(", ")));
        }
        choice
    }

    /// A whole number between 1 and `max`, if given.
    pub(crate) fn number(&mut self, name: &str, max: u32) -> Option<u32> {
        let number = self.find(name)?.parse::<u32>().ok().filter(|number| (1..=max).contains(number));
        if number.is_none() {
            self.problems.add(name, format!("must be a whole number between 1 and {max}"));
        }
        number
    }

    /// A switch, off unless it is `1` or `true`.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        self.flag_or(name, false)
    }

    /// A switch that stands as `default` says where it is not given.
    pub(crate) fn flag_or(&mut self, name: &str, default: bool) -> bool {
        match self.find(name).as_deref() {
            None => default,
            Some("0" | "false") => false,
            Some("1" | "true") => true,
            Some(_) => {
                self.problems.add(name, "must be 1 or 0");
                default
            }
        }
    }

    /// A value written as JSON, if given.
    pub(crate) fn json<T>(&mut self, name: &str, read: fn(&Value, &mut Problems) -> T) -> Option<T> {
        match serde_json::from_str(&self.find(name)?) {
            Ok(value) => Some(read(&value, &mut self.problems)),
            Err(error) => {
                self.problems.add(name, format!("must be JSON: {error}"));
                None
            }
        }
    }

    /// The items of a list, none if it is not given. How many there may be is the use case's to say.
    pub(crate) fn list(&mut self, name: &str) -> Vec<String> {
        if let Some(text) = self.find(name) {
            if !text.starts_with('[') {
                return text.split(',').map(|item| item.trim().to_owned()).collect();
            }
            return serde_json::from_str(&text).unwrap_or_else(|_| {
                self.problems.add(name, "must be a list of texts: a,b or [\"a\",\"b\"]");
                Vec::new()
            });
        }
        let items = self.pairs.iter().filter(|(known, _)| known.strip_suffix("[]") == Some(name));
        items.map(|(_, value)| value.clone()).collect()
    }

    /// A whole number, if given.
    pub(crate) fn whole(&mut self, name: &str) -> Option<u32> {
        let number = self.find(name)?.parse().ok();
        if number.is_none() {
            self.problems.add(name, "must be a whole number");
        }
        number
    }

    /// A limit between 1 and `max`, or the default.
    pub(crate) fn limit(&mut self, max: usize, default: usize) -> usize {
        let Some(value) = self.find("limit") else { return default };
        match value.parse::<usize>() {
            Ok(limit) if (1..=max).contains(&limit) => limit,
            _ => {
                self.problems.add("limit", format!("must be a whole number between 1 and {max}"));
                default
            }
        }
    }

    /// `from`, `to` and `bots`, which every question takes.
    pub(crate) fn window(&mut self) -> Window {
        let mut instant = |name: &str| match self.find(name) {
            // In a query string `+` stands for a space; after a `T` it can only have been an offset's sign.
            Some(text) if text.contains('T') => text.replace(' ', "+"),
            Some(text) => text,
            None => {
                self.problems.add(name, "is required: an ISO 8601 instant or date, such as 2026-05-01T00:00:00Z or 2026-05-01");
                String::new()
            }
        };
        let (from, to) = (instant("from"), instant("to"));
        let bots = self.choice("bots", &BotRule::NAMES, BotRule::parse).unwrap_or_default();
        Window { from, to, bots }
    }

    /// Refuses if anything was wrong.
    pub(crate) fn finish(self) -> Result<()> {
        self.problems.check(Code::InvalidParams)
    }

    fn find(&self, name: &str) -> Option<String> {
        self.pairs.iter().find(|(known, value)| known == name && !value.is_empty()).map(|(_, value)| value.clone())
    }
}
