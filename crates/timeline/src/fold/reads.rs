//! Which columns a question reads: declared first, decoded once by all threads, then looked at piece by piece.

use tributary_core::ads::AdLevel;
use tributary_events::field::Field;

use crate::column::ColumnId;
use crate::schema::Text;

/// A declared column; its place in every [`super::scan::Piece`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Read(pub usize);

/// The columns of one question.
#[derive(Default)]
pub(crate) struct Reads(Vec<ColumnId>);

impl Reads {
    /// Declares a column; the same one twice is read once.
    pub fn column(&mut self, id: ColumnId) -> Read {
        let at = self.0.iter().position(|other| *other == id).unwrap_or_else(|| {
            self.0.push(id);
            self.0.len() - 1
        });
        Read(at)
    }

    /// Declares a field's column.
    pub fn field(&mut self, field: &Field) -> Read {
        self.column(column_of(field))
    }

    pub fn ids(&self) -> &[ColumnId] {
        &self.0
    }
}

/// Where a field of the port lies.
pub(crate) fn column_of(field: &Field) -> ColumnId {
    ColumnId::Text(match field {
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
        Field::AnonymousId => return ColumnId::AnonymousId,
        Field::SessionId => return ColumnId::Session,
        Field::Channel => return ColumnId::Channel,
        Field::Visit => return ColumnId::Visit,
        Field::CampaignId => return ColumnId::AdParameter(AdLevel::Campaign),
        Field::AdSetId => return ColumnId::AdParameter(AdLevel::AdSet),
        Field::AdId => return ColumnId::AdParameter(AdLevel::Ad),
        Field::Trait(name) => return ColumnId::Trait(name.as_str().into()),
        Field::Property(key) => return ColumnId::Property(key.as_str().into()),
    })
}
