//! Keeps the house in order: arrows between crates, size of files, reasons for dependencies, no leftovers.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Which crates each crate may depend on. Arrows run downward; `testkit` is only ever a dev-dependency.
const ARROWS: &[(&str, &[&str])] = &[
    ("core", &[]),
    ("boxed", &[]),
    ("events", &["core"]),
    ("timeline", &["core", "events"]),
    ("ingest", &["core", "events"]),
    ("control", &["core", "boxed"]),
    ("connectors", &["core"]),
    ("service", &["core", "boxed", "events", "control", "connectors", "ingest"]),
    ("mcp", &["core", "service", "control", "ingest"]),
    ("http", &["core", "mcp", "service", "control", "ingest"]),
    ("app", &["core", "events", "timeline", "ingest", "control", "connectors", "service", "mcp", "http"]),
    ("testkit", &["core", "events"]),
    ("bench", &["core", "events", "timeline", "app"]),
];

/// Crates whose public async functions are compiled once, where they stand, and not in every crate above. Generic ones cannot be.
const BOXED: &[&str] = &["crates/control/src/", "crates/service/src/"];

/// The most lines of a source file.
const MOST_LINES: usize = 500;

/// Source files that are longer. This list may only shrink.
const LONG_FILES: &[&str] = &[];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository is there")
}

fn read_toml(path: &Path) -> toml::Table {
    fs::read_to_string(path).expect("the manifest is there").parse().expect("the manifest is TOML")
}

/// Every text file of the repository but outside data and build output, by its path from the root.
fn text_files() -> BTreeMap<String, String> {
    const SKIPPED: &[&str] = &["target", "data", "tests/data"];
    const SKIPPED_ANYWHERE: &[&str] = &[".git", "node_modules", "__pycache__", ".venv"];
    let (root, mut files) = (root(), BTreeMap::new());
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the folder can be read") {
            let path = entry.expect("the entry can be read").path();
            let name = path.strip_prefix(&root).expect("below the root").to_string_lossy().replace('\\', "/");
            let last = name.rsplit('/').next().unwrap_or(&name);
            let skipped = SKIPPED.contains(&name.as_str()) || SKIPPED_ANYWHERE.contains(&last);
            if skipped || path.is_symlink() {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(text) = fs::read_to_string(&path) {
                files.insert(name, text);
            }
        }
    }
    assert!(files.len() > 50, "the walk found the repository");
    files
}

#[test]
fn arrows_between_crates_run_downward() {
    let mut crates: Vec<String> = fs::read_dir(root().join("crates"))
        .expect("there are crates")
        .map(|entry| entry.expect("the entry can be read").file_name().to_string_lossy().into_owned())
        .collect();
    crates.sort();
    let mut known: Vec<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    known.sort_unstable();
    assert_eq!(crates, known, "every crate has its arrows declared");
    for (name, allowed) in ARROWS {
        let manifest = read_toml(&root().join("crates").join(name).join("Cargo.toml"));
        for section in ["dependencies", "build-dependencies"] {
            let Some(dependencies) = manifest.get(section).and_then(toml::Value::as_table) else { continue };
            for other in dependencies.keys().filter_map(|dependency| dependency.strip_prefix("tributary-")) {
                assert!(allowed.contains(&other), "{name} may not depend on {other}; it may on {allowed:?}");
            }
        }
    }
}

#[test]
fn source_files_stay_short() {
    let long: Vec<String> = text_files()
        .into_iter()
        .filter(|(name, _)| name.starts_with("crates/") && name.contains("/src/") && name.ends_with(".rs"))
        .filter(|(_, text)| text.lines().count() > MOST_LINES)
        .map(|(name, _)| name)
        .collect();
    assert_eq!(long, LONG_FILES, "split files over {MOST_LINES} lines by operation; drop from the list what is short again");
}

#[test]
fn every_dependency_says_why() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("the manifest is there");
    let section = manifest.split("[workspace.dependencies]").nth(1).expect("the section is there");
    let section = section.split("\n[").next().expect("a split has a first part");
    let lines = section.lines().filter(|line| line.contains('=') && !line.starts_with("tributary-") && !line.starts_with('#'));
    let silent: Vec<&str> = lines.filter(|line| line.rsplit_once("# ").is_none_or(|(_, why)| why.trim().len() < 8)).collect();
    assert_eq!(silent, Vec::<&str>::new(), "every dependency ends with `# why it is here`");
    for (name, _) in ARROWS {
        let manifest = read_toml(&root().join("crates").join(name).join("Cargo.toml"));
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let Some(dependencies) = manifest.get(section).and_then(toml::Value::as_table) else { continue };
            for (dependency, value) in dependencies {
                let shared = value.get("workspace").and_then(toml::Value::as_bool) == Some(true);
                assert!(shared, "{name} takes {dependency} from somewhere else than the workspace's list");
            }
        }
    }
}

#[test]
fn nothing_is_left_lying_about() {
    // Spelled apart, so that this file does not find itself.
    let unfinished = [["TO", "DO"], ["FIX", "ME"], ["XX", "X:"]].map(|parts| parts.concat());
    let machine = [["/wo", "rk/"], ["/ro", "ot/"], ["/ho", "me/"]].map(|parts| parts.concat());
    let mut found = Vec::new();
    for (name, text) in text_files() {
        for (number, line) in text.lines().enumerate() {
            if unfinished.iter().chain(&machine).any(|mark| line.contains(mark.as_str())) {
                found.push(format!("{name}:{}: {}", number + 1, line.trim().chars().take(120).collect::<String>()));
            }
        }
    }
    assert_eq!(found, Vec::<String>::new(), "unfinished work and paths of one machine stay out");
}

#[test]
fn the_lock_names_the_public_registry_alone() {
    let lock = read_toml(&root().join("Cargo.lock"));
    for package in lock["package"].as_array().expect("the lock lists packages") {
        let source = package.get("source").and_then(toml::Value::as_str);
        let public = source.is_none_or(|source| source == "registry+https://github.com/rust-lang/crates.io-index");
        assert!(public, "{package} comes from {source:?}");
    }
}

#[test]
fn public_async_functions_of_the_lower_crates_are_boxed() {
    let mut unboxed = Vec::new();
    for (name, text) in text_files().iter().filter(|(name, _)| BOXED.iter().any(|crate_| name.starts_with(crate_))) {
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.starts_with("pub async fn ")) {
            let is_generic = line.split('(').next().is_some_and(|head| head.contains('<'));
            let attributes = lines[..at].iter().rev().take_while(|line| line.starts_with("#["));
            if !is_generic && !attributes.into_iter().any(|attribute| *attribute == "#[boxed]") {
                unboxed.push(format!("{name}:{}: {line}", at + 1));
            }
        }
    }
    assert!(unboxed.is_empty(), "write #[boxed] above:\n{}", unboxed.join("\n"));
}
