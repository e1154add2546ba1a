//! A field of the port as a dictionary column of a run.

use std::sync::Arc;

use tributary_core::error::Result;
use tributary_core::event::derived_session_id;
use tributary_events::field::{Field, property};

use crate::column::{Codes, Interner, TextColumn};
use crate::run::Run;
use crate::schema::Text;

/// The column of a field. Properties, visitors and derived sessions are worked out from stored columns.
pub(crate) fn column(run: &Run, field: &Field) -> Result<Arc<TextColumn>> {
    let text = match field {
        Field::EventName => Text::Event,
        Field::UserId => Text::UserId,
        Field::EventId => Text::EventId,
        Field::Origin => Text::Origin,
        Field::Source => Text::Source,
        Field::Medium => Text::Medium,
        Field::Campaign => Text::Campaign,
        Field::SourceConfidence => Text::SourceConfidence,
        Field::SourceRuleId => Text::SourceRuleId,
        Field::Country => Text::Country,
        Field::DeviceType => Text::DeviceType,
        Field::Browser => Text::Browser,
        Field::Os => Text::Os,
        Field::Url => Text::Url,
        Field::Path => Text::Path,
        Field::Referrer => Text::Referrer,
        Field::Bot => Text::Bot,
        Field::Currency => Text::Currency,
        Field::AnonymousId => return visitors(run),
        Field::SessionId => return sessions(run),
        Field::Property(key) => return properties(run, key),
    };
    run.text(text)
}

fn visitors(run: &Run) -> Result<Arc<TextColumn>> {
    let visitors = run.visitors()?;
    let mut codes = Vec::with_capacity(run.rows());
    for at in 0..visitors.len() {
        codes.resize(visitors.starts[at + 1] as usize, at as u32 + 1);
    }
    Ok(Arc::new(TextColumn { codes: Codes::narrow(codes, visitors.len()), values: visitors.ids.clone() }))
}

fn sessions(run: &Run) -> Result<Arc<TextColumn>> {
    let (visitors, times, named) = (run.visitors()?, run.times()?, run.text(Text::Session)?);
    let mut interner = Interner::default();
    let mut codes = Vec::with_capacity(run.rows());
    for at in 0..visitors.len() {
        for row in visitors.starts[at] as usize..visitors.starts[at + 1] as usize {
            codes.push(match named.at(row) {
                Some(session) => interner.code(session),
                None => interner.code(&derived_session_id(visitors.ids.get(at), times[row])),
            });
        }
    }
    let values = interner.values;
    Ok(Arc::new(TextColumn { codes: Codes::narrow(codes, values.len()), values }))
}

/// Each distinct properties text is parsed once.
fn properties(run: &Run, key: &str) -> Result<Arc<TextColumn>> {
    let texts = run.text(Text::Properties)?;
    let mut interner = Interner::default();
    let mut code_of = vec![0];
    code_of.extend(texts.values.iter().map(|json| interner.code_of(property(json, key).as_deref())));
    let codes = (0..run.rows()).map(|row| code_of[texts.codes.at(row) as usize]).collect();
    let values = interner.values;
    Ok(Arc::new(TextColumn { codes: Codes::narrow(codes, values.len()), values }))
}
