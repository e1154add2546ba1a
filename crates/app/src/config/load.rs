//! Reads the layers, names unknown keys and their nearest known one.

use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use figment::value::{Dict, Value};
use std::path::{Path, PathBuf};

use tributary_core::error::{Code, Error, Result};

use super::{Config, LogFormat};

/// The name of the file looked for in the data folder.
pub const FILE_NAME: &str = "tributary.toml";
/// What environment variables start with; sections and keys follow, separated by two underscores.
pub const ENV_PREFIX: &str = "TRIBUTARY__";

/// What flags of every command say; each wins over every other layer. Serving commands add [`crate::commands::serve::Listen`].
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// `--config`: this file instead of `DIR/tributary.toml`.
    pub file: Option<PathBuf>,
    /// `--log-format`.
    pub log_format: Option<LogFormat>,
}

/// The effective configuration for a data folder.
pub fn load(data: &Path, flags: &Flags) -> Result<Config> {
    let file = match &flags.file {
        Some(file) if !file.is_file() => {
            return Err(Error::new(Code::NotFound, format!("no configuration file at {}", file.display())));
        }
        Some(file) => Some(file.clone()),
        None => Some(data.join(FILE_NAME)).filter(|file| file.is_file()),
    };
    let layers = match &file {
        Some(file) => Figment::from(Toml::file_exact(file)),
        None => Figment::new(),
    };
    let layers = layers.merge(Env::prefixed(ENV_PREFIX).split("__").lowercase(true));
    let given: Dict = layers.extract().map_err(|error| refuse(&error))?;
    refuse_unknown(&layers, &given)?;
    let layers = Figment::from(Serialized::defaults(Config::default())).merge(layers);
    let mut config: Config = layers.extract().map_err(|error| refuse(&error))?;
    if let Some(format) = flags.log_format {
        config.log.format = format;
    }
    if let Some(geo) = &config.ingest.geo_database
        && geo.is_relative()
    {
        config.ingest.geo_database = Some(data.join(geo));
    }
    super::check::check(&config)?;
    Ok(config)
}

/// Every key as `section.key`, in the order of the schema.
pub fn known_keys() -> Vec<String> {
    let defaults = serde_json::to_value(Config::default()).expect("plain data serializes");
    let sections = defaults.as_object().expect("a configuration is an object");
    sections
        .iter()
        .flat_map(|(section, keys)| {
            let keys = keys.as_object().expect("a section is an object");
            keys.keys().map(move |key| format!("{section}.{key}"))
        })
        .collect()
}

fn refuse_unknown(layers: &Figment, given: &Dict) -> Result<()> {
    let known = known_keys();
    for (section, value) in given {
        let paths: Vec<String> = match value {
            Value::Dict(_, keys) => keys.keys().map(|key| format!("{section}.{key}")).collect(),
            _ => vec![section.clone()],
        };
        for path in paths {
            if known.contains(&path) {
                continue;
            }
            let place = layers.find_metadata(&path).map(place).unwrap_or_default();
            let nearest = known.iter().max_by(|a, b| strsim::jaro_winkler(a, &path).total_cmp(&strsim::jaro_winkler(b, &path)));
            let nearest = nearest.map(String::as_str).unwrap_or_default();
            return Err(Error::new(
                Code::InvalidParams,
                format!("unknown configuration key `{path}`{place}; the nearest known key is `{nearest}`"),
            ));
        }
    }
    Ok(())
}

fn refuse(error: &figment::Error) -> Error {
    let what = if error.path.is_empty() {
        String::from("the configuration")
    } else {
        format!("configuration key `{}`", error.path.join("."))
    };
    let place = error.metadata.as_ref().map(place).unwrap_or_default();
    Error::new(Code::InvalidParams, format!("{what}{place} is not accepted: {}", error.kind.to_string().trim_end()))
}

fn place(metadata: &figment::Metadata) -> String {
    match metadata.source.as_ref().and_then(figment::Source::file_path) {
        Some(path) => format!(" in {}", path.display()),
        None if metadata.name.contains("environment") => format!(" in the environment ({ENV_PREFIX}SECTION__KEY)"),
        None => String::new(),
    }
}
