//! A run's figures as the section `## Figures` of a page.

use crate::figures::{self, Figures};
use crate::report::Report;

/// The heading whose section belongs to this program; everything below it is replaced.
const HEADING: &str = "## Figures";

/// The section: machine and command, the tables of the first run, growth over all of them.
pub fn figures(reports: &[Report]) -> String {
    let mut text = format!("{HEADING}\n");
    let Some(first) = reports.first() else { return text };
    let machine = &first.machine;
    text.push_str(&format!(
        "\n{} events, {} visitors. {}, {} cores, {:.0} GiB, Linux {}; {}; load average {} {} {} at the start.\n",
        first.rows,
        first.visitors * u64::from(first.shards.max(1)),
        machine.processor,
        machine.cores,
        machine.memory_bytes as f64 / f64::from(1 << 30),
        machine.kernel,
        machine.at.get(..10).unwrap_or(&machine.at),
        machine.load_average[0],
        machine.load_average[1],
        machine.load_average[2],
    ));
    if let Some(peers) = &first.peers {
        let versions: Vec<String> = peers.versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
        text.push_str(&format!("Peers: {}. ", versions.join(", ")));
    }
    text.push_str(&format!(
        "Measured in {:.0} s, set-up apart.\n\n```sh\ntributary-bench {}\n```\n",
        first.seconds, first.command
    ));
    for one in figures::of(first) {
        add(&mut text, &one);
    }
    if reports.len() > 1 {
        add(&mut text, &figures::growth(reports));
    }
    text
}

fn add(text: &mut String, figures: &Figures) {
    text.push_str(&format!("\n### {}\n\n", figures.title));
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    text.push_str(&line(figures.columns.iter().map(|column| (*column).to_owned()).collect()));
    text.push_str(&line(figures.columns.iter().map(|_| String::from("---")).collect()));
    for row in &figures.rows {
        text.push_str(&line(row.iter().map(|cell| cell.replace('|', "\\|")).collect()));
    }
}

/// The page with its section replaced; a page without one gains it at its end.
pub fn with_figures(page: &str, section: &str) -> String {
    if page.trim().is_empty() {
        return format!("# Performance\n\n{section}");
    }
    let Some(begin) = page.find(&format!("\n{HEADING}\n")).map(|at| at + 1) else {
        return format!("{}\n\n{section}", page.trim_end());
    };
    let after = page[begin + HEADING.len()..].find("\n## ").map(|at| begin + HEADING.len() + at);
    format!("{}{section}{}", &page[..begin], after.map_or("", |after| &page[after..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_section_is_replaced() {
        let page = "# P\n\n## Method\n\ntext\n\n## Figures\n\nold\n\n### Old\n";
        assert_eq!(with_figures(page, "## Figures\nnew\n"), "# P\n\n## Method\n\ntext\n\n## Figures\nnew\n");
        let page = "# P\n\n## Figures\n\nold\n\n## After\n";
        assert_eq!(with_figures(page, "## Figures\nnew\n"), "# P\n\n## Figures\nnew\n\n## After\n");
        assert_eq!(with_figures("# P\n", "## Figures\nnew\n"), "# P\n\n## Figures\nnew\n");
        assert_eq!(with_figures("", "## Figures\n"), "# Performance\n\n## Figures\n");
    }

    #[test]
    fn a_page_can_be_made_from_any_report() {
        let text = figures(&[Report::default(), Report::default()]);
        assert!(text.contains("### Loading, disk, memory") && text.contains("### Growth"), "{text}");
    }
}
