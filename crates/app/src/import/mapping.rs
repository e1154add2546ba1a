//! The mapping: which column (or constant) of a file becomes which field of an event.
//!
//! Without one, a column named like a field is that field, `properties` holds the properties as a JSON object, and every
//! other column becomes a property. A mapping changes single entries of that.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use toml::{Table, Value};
use tributary_core::error::{Code, Error, Result};

/// The largest mapping file read, bytes.
const MAX_MAPPING_BYTES: u64 = 1 << 20;

/// The columns that are read as a JSON object whose keys become properties, unless the mapping says otherwise.
const DEFAULT_JSON_COLUMN: &str = "properties";

/// A field of an event that a file can set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// Name of the event.
    Event,
    /// The id that makes a row count once.
    EventId,
    /// When it happened.
    Timestamp,
    /// The visitor.
    AnonymousId,
    /// The signed-in person.
    UserId,
    /// The session.
    SessionId,
    /// Address of the page.
    Url,
    /// Path of the page.
    Path,
    /// Address of the linking page.
    Referrer,
    /// Traffic source; derived from `url` and `referrer` when not set.
    Source,
    /// Traffic medium.
    Medium,
    /// Campaign.
    Campaign,
    /// ISO 3166-1 alpha-2 country.
    Country,
    /// `mobile`, `tablet`, `desktop`.
    DeviceType,
    /// Browser family.
    Browser,
    /// Operating system.
    Os,
    /// Typed amount, a decimal number.
    Amount,
    /// Its ISO 4217 currency.
    Currency,
    /// The visitor's address, hashed and dropped on arrival.
    Ip,
    /// The visitor's user agent: device, browser, system and bot are read from it.
    UserAgent,
    /// Why the event is a bot's.
    Bot,
    /// `browser` or `server`.
    Origin,
    /// `low`, `medium`, `high`.
    SourceConfidence,
    /// The classifier rule that decided.
    SourceRuleId,
    /// When the event first arrived in an analytics system.
    ReceivedAt,
}

impl Target {
    /// All fields with the names used in mappings, in the order they are explained to readers.
    pub const ALL: [(&'static str, Target); 25] = [
        ("event", Target::Event),
        ("event_id", Target::EventId),
        ("timestamp", Target::Timestamp),
        ("anonymous_id", Target::AnonymousId),
        ("user_id", Target::UserId),
        ("session_id", Target::SessionId),
        ("url", Target::Url),
        ("path", Target::Path),
        ("referrer", Target::Referrer),
        ("source", Target::Source),
        ("medium", Target::Medium),
        ("campaign", Target::Campaign),
        ("country", Target::Country),
        ("device_type", Target::DeviceType),
        ("browser", Target::Browser),
        ("os", Target::Os),
        ("amount", Target::Amount),
        ("currency", Target::Currency),
        ("ip", Target::Ip),
        ("user_agent", Target::UserAgent),
        ("bot", Target::Bot),
        ("origin", Target::Origin),
        ("source_confidence", Target::SourceConfidence),
        ("source_rule_id", Target::SourceRuleId),
        ("received_at", Target::ReceivedAt),
    ];

    /// The name used in mappings.
    pub fn name(self) -> &'static str {
        Target::ALL.iter().find(|(_, target)| *target == self).map(|(name, _)| *name).expect("ALL holds every field")
    }

    fn parse(name: &str) -> Result<Target> {
        Target::ALL.iter().find(|(known, _)| *known == name).map(|(_, target)| *target).ok_or_else(|| {
            let names: Vec<&str> = Target::ALL.iter().map(|(name, _)| *name).collect();
            invalid(format!("unknown field `{name}`; accepted: {}, properties, ignore", names.join(", ")))
        })
    }
}

/// Where a field's value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// This column of the row.
    Column(String),
    /// The same text in every row.
    Value(String),
    /// The row's number and content: only for `event_id`, where it is the default.
    Row,
    /// Nowhere: a column of that name is an ordinary column.
    Nothing,
}

/// What one unit of a numeric timestamp is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeUnit {
    /// Seconds, decimals allowed.
    Seconds,
    /// Milliseconds.
    Milliseconds,
    /// Microseconds.
    Microseconds,
    /// Nanoseconds, cut to microseconds.
    Nanoseconds,
}

impl TimeUnit {
    fn parse(name: &str) -> Result<TimeUnit> {
        match name {
            "s" => Ok(TimeUnit::Seconds),
            "ms" => Ok(TimeUnit::Milliseconds),
            "us" => Ok(TimeUnit::Microseconds),
            "ns" => Ok(TimeUnit::Nanoseconds),
            other => Err(invalid(format!("unknown timestamp unit `{other}`; accepted: s, ms, us, ns"))),
        }
    }
}

/// Which columns become properties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Properties {
    /// Every column that is neither a field nor ignored.
    Rest,
    /// Only these.
    Columns(BTreeSet<String>),
}

/// A whole mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// Fields that do not come from a column of their own name.
    pub fields: BTreeMap<Target, Origin>,
    /// What a number in the timestamp column counts; without it numbers are refused.
    pub unit: Option<TimeUnit>,
    /// IANA zone of timestamps without offset; without it the workspace's zone.
    pub zone: Option<String>,
    /// Columns that become properties.
    pub properties: Properties,
    /// The column whose JSON object is spread into the properties.
    pub json: Option<String>,
    /// Property names that differ from their column's: column to property.
    pub rename: BTreeMap<String, String>,
    /// Columns left out altogether, also as fields.
    pub ignore: BTreeSet<String>,
}

impl Default for Mapping {
    fn default() -> Self {
        Self {
            fields: BTreeMap::new(),
            unit: None,
            zone: None,
            properties: Properties::Rest,
            json: Some(DEFAULT_JSON_COLUMN.to_owned()),
            rename: BTreeMap::new(),
            ignore: BTreeSet::new(),
        }
    }
}

impl Mapping {
    /// Reads a mapping file.
    pub fn read(path: &Path) -> Result<Mapping> {
        let cannot = |cause: std::io::Error| invalid(format!("cannot read mapping {}", path.display())).caused_by(cause);
        if std::fs::metadata(path).map_err(cannot)?.len() > MAX_MAPPING_BYTES {
            return Err(invalid(format!("mapping {} is larger than {MAX_MAPPING_BYTES} bytes", path.display())));
        }
        let text = std::fs::read_to_string(path).map_err(cannot)?;
        Mapping::parse(&text)
            .map_err(|error| Error::new(error.code(), format!("mapping {}: {}", path.display(), error.message())))
    }

    /// Reads a mapping from its TOML text.
    pub fn parse(text: &str) -> Result<Mapping> {
        let table: Table = text.parse().map_err(|error: toml::de::Error| {
            let place = error.span().map_or(0, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
            let what = if error.message().is_empty() { "a value is missing" } else { error.message() };
            invalid(format!("not TOML at line {place}: {what}"))
        })?;
        let mut mapping = Mapping::default();
        for (name, value) in &table {
            match name.as_str() {
                "properties" => mapping.read_properties(value)?,
                "ignore" => mapping.ignore = names("ignore", value)?,
                _ => mapping.read_field(Target::parse(name)?, value)?,
            }
        }
        Ok(mapping)
    }

    /// Applies `--map field=column`.
    pub fn map(&mut self, assignment: &str) -> Result<()> {
        let (name, column) = split(assignment, "--map field=column")?;
        let target = Target::parse(name)?;
        self.set(target, if column == "@row" { Origin::Row } else { Origin::Column(column.to_owned()) })
    }

    /// Applies `--set field=value`.
    pub fn fix(&mut self, assignment: &str) -> Result<()> {
        let (name, value) = split(assignment, "--set field=value")?;
        self.set(Target::parse(name)?, Origin::Value(value.to_owned()))
    }

    /// Applies `--time-unit`.
    pub fn set_unit(&mut self, unit: &str) -> Result<()> {
        self.unit = Some(TimeUnit::parse(unit)?);
        Ok(())
    }

    /// Where a field comes from: as mapped, else a column of its own name (or, for `event_id`, the row).
    pub fn origin(&self, target: Target) -> Origin {
        self.fields.get(&target).cloned().unwrap_or_else(|| Origin::Column(target.name().to_owned()))
    }

    fn set(&mut self, target: Target, origin: Origin) -> Result<()> {
        if origin == Origin::Row && target != Target::EventId {
            return Err(invalid(format!("`@row` is an event_id; `{}` takes a column or a value", target.name())));
        }
        self.fields.insert(target, origin);
        Ok(())
    }

    fn read_field(&mut self, target: Target, value: &Value) -> Result<()> {
        let name = target.name();
        match value {
            Value::String(column) if column == "@row" => self.set(target, Origin::Row),
            Value::String(column) => self.set(target, Origin::Column(column.clone())),
            Value::Table(table) => self.read_field_table(target, table),
            Value::Boolean(false) => self.set(target, Origin::Nothing),
            _ => Err(invalid(format!(
                "`{name}` must be a column name, {{ column = \"…\" }}, {{ value = \"…\" }}, or false for none"
            ))),
        }
    }

    fn read_field_table(&mut self, target: Target, table: &Table) -> Result<()> {
        let name = target.name();
        let mut origin = None;
        for (key, value) in table {
            let text =
                || value.as_str().map(str::to_owned).ok_or_else(|| invalid(format!("`{name}.{key}` must be a text in quotes")));
            match key.as_str() {
                "column" => origin = Some(Origin::Column(text()?)),
                "value" => origin = Some(Origin::Value(text()?)),
                "unit" if target == Target::Timestamp => self.unit = Some(TimeUnit::parse(&text()?)?),
                "zone" if target == Target::Timestamp => self.zone = Some(text()?),
                other => {
                    let accepted = if target == Target::Timestamp { "column, value, unit, zone" } else { "column, value" };
                    return Err(invalid(format!("unknown key `{name}.{other}`; accepted: {accepted}")));
                }
            }
        }
        if table.contains_key("column") && table.contains_key("value") {
            return Err(invalid(format!("`{name}` has both a column and a value; accepted: one of them")));
        }
        match origin {
            Some(origin) => self.set(target, origin),
            None => Ok(()),
        }
    }

    fn read_properties(&mut self, value: &Value) -> Result<()> {
        let Value::Table(table) = value else {
            self.properties = Properties::Columns(names("properties", value)?);
            return Ok(());
        };
        for (key, value) in table {
            match (key.as_str(), value) {
                ("columns", Value::String(text)) if text == "rest" => self.properties = Properties::Rest,
                ("columns", value) => self.properties = Properties::Columns(names("properties.columns", value)?),
                ("json", Value::String(column)) => self.json = (!column.is_empty()).then(|| column.clone()),
                ("rename", Value::Table(pairs)) => {
                    for (column, property) in pairs {
                        let property = property
                            .as_str()
                            .ok_or_else(|| invalid(format!("`properties.rename.{column}` must be a text in quotes")))?;
                        self.rename.insert(column.clone(), property.to_owned());
                    }
                }
                ("json" | "rename", _) => {
                    return Err(invalid(format!(
                        "`properties.{key}` has the wrong type; accepted: json = \"column\", rename = {{ column = \"property\" }}"
                    )));
                }
                (other, _) => {
                    return Err(invalid(format!("unknown key `properties.{other}`; accepted: columns, json, rename")));
                }
            }
        }
        Ok(())
    }
}

fn names(key: &str, value: &Value) -> Result<BTreeSet<String>> {
    value
        .as_array()
        .and_then(|list| list.iter().map(|item| item.as_str().map(str::to_owned)).collect())
        .ok_or_else(|| invalid(format!("`{key}` must be a list of column names, such as [\"a\", \"b\"]")))
}

fn split<'a>(assignment: &'a str, shape: &str) -> Result<(&'a str, &'a str)> {
    assignment
        .split_once('=')
        .map(|(name, value)| (name.trim(), value))
        .filter(|(name, value)| !name.is_empty() && !value.is_empty())
        .ok_or_else(|| invalid(format!("`{assignment}` is not of the form {shape}")))
}

fn invalid(message: String) -> Error {
    Error::new(Code::InvalidParams, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_reads_columns_constants_and_units() {
        let mapping = Mapping::parse(
            r#"
            event = "name"
            event_id = "@row"
            timestamp = { column = "ts", unit = "ms", zone = "Europe/Berlin" }
            currency = { value = "EUR" }
            ignore = ["project_id"]
            properties = { columns = ["plan"], json = "extra", rename = { plan = "tier" } }
            "#,
        )
        .expect("valid");
        assert_eq!(mapping.origin(Target::Event), Origin::Column("name".into()));
        assert_eq!(mapping.origin(Target::EventId), Origin::Row);
        assert_eq!(mapping.origin(Target::Currency), Origin::Value("EUR".into()));
        assert_eq!(mapping.origin(Target::UserId), Origin::Column("user_id".into()));
        assert_eq!((mapping.unit, mapping.zone.as_deref()), (Some(TimeUnit::Milliseconds), Some("Europe/Berlin")));
        assert_eq!(mapping.json.as_deref(), Some("extra"));
        assert_eq!(mapping.properties, Properties::Columns(BTreeSet::from(["plan".to_owned()])));
        assert!(mapping.ignore.contains("project_id"));
    }

    #[test]
    fn what_a_mapping_does_not_know_is_refused_with_what_it_does() {
        for (text, part) in [
            ("evnt = \"x\"", "unknown field `evnt`; accepted: event, event_id"),
            ("event = 1", "`event` must be a column name"),
            ("event = true", "or false for none"),
            ("event = { colum = \"x\" }", "unknown key `event.colum`; accepted: column, value"),
            ("event = { column = \"x\", value = \"y\" }", "both a column and a value"),
            ("timestamp = { column = \"x\", unit = \"minutes\" }", "accepted: s, ms, us, ns"),
            ("user_id = \"@row\"", "`@row` is an event_id"),
            ("ignore = \"x\"", "`ignore` must be a list"),
            ("properties = { column = [] }", "accepted: columns, json, rename"),
            ("user_id = \"u\"\nevent = ", "not TOML at line 2"),
        ] {
            let message = Mapping::parse(text).expect_err(text).message().to_owned();
            assert!(message.contains(part), "{text}: {message}");
        }
        let mut mapping = Mapping::default();
        assert!(mapping.map("event").is_err());
        assert!(mapping.map("=x").is_err());
        mapping.map("anonymous_id=visitor").expect("valid");
        assert_eq!(mapping.origin(Target::AnonymousId), Origin::Column("visitor".into()));
    }
}
