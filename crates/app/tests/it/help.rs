//! What the command line says about itself.

use crate::support::Scratch;

const PAGES: [&[&str]; 40] = [
    &[],
    &["serve"],
    &["account", "create"],
    &["account", "set-plan"],
    &["account", "set-limits"],
    &["workspace", "create"],
    &["workspace", "rename"],
    &["workspace", "update"],
    &["workspace", "delete"],
    &["key", "create"],
    &["key", "revoke"],
    &["audit", "list"],
    &["erase"],
    &["doctor"],
    &["backup"],
    &["restore"],
    &["config"],
    &["query"],
    &["query", "stats"],
    &["query", "funnel"],
    &["query", "attribution"],
    &["query", "retention"],
    &["import", "spend"],
    &["spend"],
    &["ads"],
    &["metrics"],
    &["metrics", "query"],
    &["metrics", "compare"],
    &["saved", "create"],
    &["saved", "run"],
    &["search"],
    &["dates"],
    &["rate", "set"],
    &["conversion", "list"],
    &["conversion", "set"],
    &["mapping", "add"],
    &["mapping", "preview"],
    &["webhook", "add"],
    &["webhook", "change"],
    &["webhook", "rotate"],
];

#[test]
fn help_is_as_reviewed() {
    let scratch = Scratch::new();
    let mut text = String::new();
    for page in PAGES {
        let mut arguments = page.to_vec();
        arguments.push("--help");
        let shown = scratch.text(&arguments);
        // The flags every command has are shown once, with the first page.
        let own = if page.is_empty() { shown.as_str() } else { shown.split("\nGlobal options:").next().unwrap_or_default() };
        let after = shown.split("\n\nExample").nth(1).map(|rest| format!("\n\nExample{rest}")).unwrap_or_default();
        let after = if own.contains(&after) { "" } else { after.as_str() };
        text.push_str(&format!("$ tributary {}\n{}{after}\n\n", arguments.join(" "), own.trim_end()));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn usage_errors_leave_with_2_and_say_what_is_accepted() {
    let scratch = Scratch::new();
    for (arguments, part) in [
        (&["frobnicate"][..], "unrecognized subcommand"),
        (&["account", "create", "--name", "A", "--plan", "gold"][..], "accepted: free, pro, business"),
        (&["key", "create", "--kind", "rk"][..], "--workspace"),
        (&["erase", "--workspace", "w"][..], "--user"),
        (
            &["query", "stats", "--workspace", "w", "--interval", "decade"][..],
            "possible values: hour, wall_hour, day, week, month, quarter, year",
        ),
        (&["workspace", "update", "--workspace", "w"][..], "--timezone"),
        (&["account", "set-limits", "--account", "1", "--workspaces", "many"][..], "accepted: none, or a number"),
    ] {
        let (code, message) = scratch.refusal(arguments);
        assert_eq!(code, 2, "{arguments:?}: {message}");
        assert!(message.contains(part), "{arguments:?}: {message}");
    }
}
