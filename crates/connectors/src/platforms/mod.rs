//! What each platform's export tables mean, one file per platform. Names, units and definitions of a click follow the
//! connector that exports them (Fivetran's schemas) and the platforms' own reference.
//!
//! Windows and models of claims are data: `7d_click` and `click` where the column says so, `default` where the platform
//! counts by a setting of the account that the export does not carry.

mod amazon_ads;
mod apple_search_ads;
mod bing_ads;
mod facebook_ads;
mod google_ads;
mod linkedin_ads;
mod pinterest_ads;
mod reddit_ads;
mod snapchat_ads;
mod tiktok_ads;
mod x_ads;

use crate::table::Table;

/// Every table known here.
pub(crate) const TABLES: &[&[Table]] = &[
    amazon_ads::TABLES,
    apple_search_ads::TABLES,
    bing_ads::TABLES,
    facebook_ads::TABLES,
    google_ads::TABLES,
    linkedin_ads::TABLES,
    pinterest_ads::TABLES,
    reddit_ads::TABLES,
    snapchat_ads::TABLES,
    tiktok_ads::TABLES,
    x_ads::TABLES,
];

/// The window or model of a claim that the export does not state.
const DEFAULT: &str = "default";

const fn report(name: &'static str, source: &'static str, report: crate::table::Report) -> Table {
    Table { name, source, content: crate::table::Content::Report(report) }
}

const fn entities(name: &'static str, source: &'static str, entities: crate::table::Entities) -> Table {
    Table { name, source, content: crate::table::Content::Entities(entities) }
}

const fn nothing(name: &'static str, source: &'static str, reason: &'static str) -> Table {
    Table { name, source, content: crate::table::Content::Nothing(reason) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_and_reasons_are_given() {
        let mut names = BTreeSet::new();
        for table in TABLES.iter().copied().flatten() {
            assert!(names.insert(table.name), "{} is described twice", table.name);
            assert!(!table.name.ends_with("_data"), "{}", table.name);
            if let crate::table::Content::Nothing(reason) = table.content {
                assert!(reason.len() > 20, "{} needs a reason", table.name);
            }
        }
    }

    #[test]
    fn every_report_and_entity_table_names_its_id() {
        use crate::table::Content;
        for table in TABLES.iter().copied().flatten() {
            let ids = match &table.content {
                Content::Report(report) => report.ids.of(report.level),
                Content::Entities(entities) => entities.ids.of(entities.level),
                Content::Nothing(_) => continue,
            };
            assert!(!ids.is_empty(), "{} has no id column", table.name);
        }
    }
}
