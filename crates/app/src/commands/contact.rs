//! `tributary contact`: labels of custom fields, the journal of merges.

use clap::{Args, Subcommand};

use tributary_core::error::Result;
use tributary_http::admin::{LabelAnswer, LabelBody, MergeAnswer, MergeBody, Merged, Split};

use crate::exit::Exit;
use crate::folder::Missing;
use crate::globals::Globals;
use crate::operator::segment;
use crate::output;

/// Label custom fields of contacts; list, make and undo merges.
#[derive(Debug, Subcommand)]
pub enum Contact {
    /// List the custom fields that have a label
    Labels(Of),
    /// Label a custom field, which makes it usable for filters; without a label, take it away
    #[command(after_help = "Example:\n  tributary contact label --workspace acme-shop profile_field_5 'Customer Plan'")]
    Label(Label),
    /// List the newest merges, with their evidence
    Merges(Merges),
    /// Make two contacts one
    #[command(after_help = "Example:\n  tributary contact merge --workspace acme-shop 17 42 --note 'asked support'")]
    Merge(Merge),
    /// Undo a merge: each side has again what was its own
    Split(Undo),
}

/// Whose contacts.
#[derive(Args, Debug)]
pub struct Of {
    /// Workspace by slug, UUID or id
    #[arg(long)]
    workspace: String,
}

/// Arguments of `contact label`.
#[derive(Args, Debug)]
pub struct Label {
    #[command(flatten)]
    of: Of,
    /// profile_field_1 to profile_field_30
    field: String,
    /// 1 to 128 characters
    label: Option<String>,
}

/// Arguments of `contact merges`.
#[derive(Args, Debug)]
pub struct Merges {
    #[command(flatten)]
    of: Of,
    /// How many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    limit: u32,
}

/// Arguments of `contact merge`.
#[derive(Args, Debug)]
pub struct Merge {
    #[command(flatten)]
    of: Of,
    /// A contact by id
    one: i64,
    /// The other one
    other: i64,
    /// Why, in at most 64 characters and without personal data
    #[arg(long, default_value = "made on the command line")]
    note: String,
}

/// Arguments of `contact split`.
#[derive(Args, Debug)]
pub struct Undo {
    #[command(flatten)]
    of: Of,
    /// The merge's number
    merge: i64,
}

/// Runs one of them.
pub async fn run(command: Contact, globals: &Globals) -> Result<Exit> {
    match command {
        Contact::Labels(of) => {
            let path = format!("/contacts/{}/labels", segment(&of.workspace));
            let labels = globals.operate(Missing::Refuse, async |operator| operator.get(&path).await).await?;
            show_labels(labels, globals)?;
        }
        Contact::Label(Label { of, field, label }) => {
            let path = format!("/contacts/{}/labels", segment(&of.workspace));
            let body = LabelBody { field, label };
            let labels = globals.operate(Missing::Refuse, async |operator| operator.post(&path, &body).await).await?;
            show_labels(labels, globals)?;
        }
        Contact::Merges(Merges { of, limit }) => {
            let path = format!("/contacts/{}/merges?limit={limit}", segment(&of.workspace));
            let merges: Vec<MergeAnswer> = globals.operate(Missing::Refuse, async |operator| operator.get(&path).await).await?;
            show_merges(merges, globals)?;
        }
        Contact::Merge(Merge { of, one, other, note }) => {
            let path = format!("/contacts/{}/merges", segment(&of.workspace));
            let body = MergeBody { contacts: (one, other), note };
            let merged: Merged = globals.operate(Missing::Refuse, async |operator| operator.post(&path, &body).await).await?;
            match globals.json {
                true => output::json(&merged)?,
                false => output::line(&format!("merged; undo it with `contact split {}`", merged.merge))?,
            }
        }
        Contact::Split(Undo { of, merge }) => {
            let path = format!("/contacts/{}/merges/{merge}", segment(&of.workspace));
            let split: Split = globals.operate(Missing::Refuse, async |operator| operator.delete(&path).await).await?;
            match (globals.json, split.contacts.as_slice()) {
                (true, _) => output::json(&split)?,
                (false, [only]) => output::line(&format!("undone; other merges still make contact {only} one"))?,
                (false, contacts) => {
                    let contacts: Vec<String> = contacts.iter().map(i64::to_string).collect();
                    output::line(&format!("undone; contacts {} stand apart", contacts.join(", ")))?;
                }
            }
        }
    }
    Ok(Exit::Done)
}

fn show_labels(labels: Vec<LabelAnswer>, globals: &Globals) -> Result<()> {
    if globals.json {
        return output::json(&labels);
    }
    let rows: Vec<Vec<String>> = labels.into_iter().map(|label| vec![label.field, label.kind, label.label]).collect();
    output::table(&["field", "kind", "label"], &rows)
}

fn show_merges(merges: Vec<MergeAnswer>, globals: &Globals) -> Result<()> {
    if globals.json {
        return output::json(&merges);
    }
    let row = |merge: MergeAnswer| {
        let undone = merge.undone_at.unwrap_or_else(|| String::from("-"));
        let (contact, into) = (merge.merged.to_string(), merge.into.to_string());
        vec![merge.merge.to_string(), contact, into, merge.evidence, merge.via, merge.merged_at, undone]
    };
    let rows: Vec<Vec<String>> = merges.into_iter().map(row).collect();
    output::table(&["merge", "contact", "into", "evidence", "via", "merged", "undone"], &rows)
}
