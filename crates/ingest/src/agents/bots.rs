//! The isbot patterns. Fixed words are searched together; the other patterns one by one, which is ten times faster than one
//! alternation of them, since each has a fast way of its own to find no match.

use fancy_regex::Regex;

/// Version of the pattern list, part of every label.
pub const ISBOT_VERSION: &str = "5.2.3";
/// Longest matched text a label quotes, characters.
const MAX_LABEL_CHARS: usize = 40;
const PATTERNS: &str = include_str!("../../data/isbot.json");

pub struct Bots {
    words: Regex,
    patterns: Vec<Pattern>,
}

struct Pattern {
    /// For a pattern with look-around, which runs on a backtracking engine: what must match for it to match at all.
    guard: Option<Regex>,
    exact: Regex,
}

impl Bots {
    /// Compiles the embedded list.
    pub fn compile() -> Self {
        let list: Vec<String> = serde_json::from_str(PATTERNS).expect("the embedded list is a JSON array of text");
        let (words, patterns): (Vec<String>, Vec<String>) = list.into_iter().partition(|pattern| is_word(pattern));
        let compile = |pattern: &str| Regex::new(pattern).expect("a test compiles every embedded pattern");
        let patterns = patterns.iter().map(|pattern| {
            let pattern = ascii_classes(pattern);
            let relaxed = without_look_around(&pattern);
            Pattern { guard: (relaxed != pattern).then(|| compile(&relaxed)), exact: compile(&pattern) }
        });
        Self { patterns: patterns.collect(), words: compile(&words.join("|")) }
    }

    /// `isbot:<matched text>@<version>` for the leftmost match of any pattern, `None` when there is none.
    pub fn label(&self, user_agent: &str) -> Option<String> {
        // The list is lower-case and means either case; lowering the text once is cheaper than folding every pattern.
        let agent = user_agent.to_ascii_lowercase();
        let may_match = |pattern: &&Pattern| pattern.guard.as_ref().is_none_or(|guard| guard.is_match(&agent).unwrap_or(true));
        let exact = self.patterns.iter().filter(may_match).map(|pattern| &pattern.exact);
        // A search that exceeds the backtracking bound counts as no match.
        let matches = std::iter::once(&self.words).chain(exact).filter_map(|regex| regex.find(&agent).ok()?);
        let matched = matches.min_by_key(|found| found.start())?;
        let quoted: String = matched.as_str().trim().chars().take(MAX_LABEL_CHARS).collect();
        Some(format!("isbot:{quoted}@{ISBOT_VERSION}"))
    }
}

/// Whether a pattern means just its letters.
fn is_word(pattern: &str) -> bool {
    pattern.chars().all(|letter| letter.is_ascii_alphanumeric() || " -_/;".contains(letter))
}

/// The pattern without its `(?!…)` and `(?<!…)` groups: it matches wherever the pattern does, and elsewhere too.
fn without_look_around(pattern: &str) -> String {
    let mut text = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some(start) = ["(?!", "(?<!", "(?=", "(?<="].iter().filter_map(|mark| rest.find(mark)).min() {
        text.push_str(&rest[..start]);
        let mut depth = 0;
        let end = rest[start..].char_indices().find(|(_, letter)| {
            depth += i32::from(*letter == '(') - i32::from(*letter == ')');
            depth == 0
        });
        rest = end.map_or("", |(offset, _)| &rest[start + offset + 1..]);
    }
    text + rest
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

    #[test]
    fn look_around_is_cut_out() {
        for (pattern, cut) in [
            ("(?<! channel/|google/)google(?!(?:wv|app|/google| pixel))", "google"),
            ("(?:^|[^g])news(?!sapphire)", "(?:^|[^g])news"),
            ("plain", "plain"),
        ] {
            assert_eq!(without_look_around(pattern), cut);
        }
    }
}
