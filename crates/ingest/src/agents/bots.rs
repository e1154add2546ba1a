//! The isbot patterns: one alternation for the plain ones, the few with look-around each on its own.

use fancy_regex::{Regex, RegexBuilder};

/// Version of the pattern list, part of every label.
pub const ISBOT_VERSION: &str = "5.2.3";
/// Longest matched text a label quotes, characters.
const MAX_LABEL_CHARS: usize = 40;
const PATTERNS: &str = include_str!("../../data/isbot.json");

pub struct Bots {
    plain: Regex,
    looking_around: Vec<Regex>,
}

impl Bots {
    /// Compiles the embedded list.
    pub fn compile() -> Self {
        let patterns: Vec<String> = serde_json::from_str(PATTERNS).expect("the embedded list is a JSON array of text");
        let (looking_around, plain): (Vec<String>, Vec<String>) =
            patterns.iter().map(|pattern| ascii_classes(pattern)).partition(|pattern| has_look_around(pattern));
        let compile = |pattern: &str| {
            RegexBuilder::new(pattern).case_insensitive(true).build().expect("a test compiles every embedded pattern")
        };
        Self {
            plain: compile(&plain.iter().map(|pattern| format!("(?:{pattern})")).collect::<Vec<_>>().join("|")),
            looking_around: looking_around.iter().map(|pattern| compile(pattern)).collect(),
        }
    }

    /// `isbot:<matched text>@<version>` for the leftmost match of any pattern, `None` when there is none.
    pub fn label(&self, user_agent: &str) -> Option<String> {
        // A search that exceeds the backtracking bound counts as no match.
        let matches = std::iter::once(&self.plain).chain(&self.looking_around).filter_map(|regex| regex.find(user_agent).ok()?);
        let matched = matches.min_by_key(|found| found.start())?;
        let quoted: String = matched.as_str().trim().to_lowercase().chars().take(MAX_LABEL_CHARS).collect();
        Some(format!("isbot:{quoted}@{ISBOT_VERSION}"))
    }
}

fn has_look_around(pattern: &str) -> bool {
    ["(?!", "(?=", "(?<"].iter().any(|mark| pattern.contains(mark))
}

/// The list is written for JavaScript, where `\w` and `\d` are about ASCII. `\b` stays as it is: it differs beside letters
/// beyond ASCII only, and the regex crate has no other.
fn ascii_classes(pattern: &str) -> String {
    let mut text = String::with_capacity(pattern.len());
    let mut letters = pattern.chars();
    let mut is_in_class = false;
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match (letters.next(), is_in_class) {
                (Some('w'), true) => text.push_str("0-9A-Za-z_"),
                (Some('w'), false) => text.push_str("[0-9A-Za-z_]"),
                (Some('d'), true) => text.push_str("0-9"),
                (Some('d'), false) => text.push_str("[0-9]"),
                (Some(other), _) => text.extend(['\\', other]),
                (None, _) => text.push('\\'),
            },
            '[' | ']' => {
                is_in_class = letter == '[';
                text.push(letter);
            }
            _ => text.push(letter),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_quote_what_matched() {
        let bots = Bots::compile();
        let check = |agent: &str, label: Option<&str>| assert_eq!(bots.label(agent).as_deref(), label, "{agent}");
        check("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", Some("isbot:google@5.2.3"));
        check("curl/8.5.0", Some("isbot:curl/8.5.0@5.2.3"));
        check("Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0", None);
        check("Mozilla/5.0 (Linux; Android 14; Cubot X) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36", None);
        check("", None);
    }
}
