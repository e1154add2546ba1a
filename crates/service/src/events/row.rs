//! A conversion as callers see it: as a row of chosen columns.

use std::collections::{HashMap, HashSet};

use schemars::JsonSchema;
use serde::Serialize;
use tributary_control::{Conversions, Include, MAX_VISITORS_LOOKED_UP, WorkspaceAccess};
use tributary_core::error::Result;
use tributary_core::event::Event;
use tributary_core::ids::{CompanyId, ContactId, WorkspaceId};
use tributary_core::time::format_utc;
use tributary_events::row_id::RowId;

use super::amount::ExactAmount;
use super::told::{Kind, Order, shown_url};
use super::touchpoints::Touchpoint;
use crate::problem::Problems;
use crate::service::Service;

macro_rules! event_fields {
    ($($variant:ident $name:literal)*) => {
        /// A column of a list of conversions.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum EventField {
            $(#[doc = concat!("`", $name, "`")] $variant),*
        }

        impl EventField {
            /// Every one, in the order of the columns.
            pub const ALL: &[EventField] = &[$(EventField::$variant),*];

            /// Its name.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(EventField::$variant => $name),*
                }
            }
        }
    };
}

event_fields! {
    Id "id"
    EventName "event_name"
    ConfiguredName "configured_name"
    Amount "amount"
    Currency "currency"
    EventTimeUtc "event_time_utc"
    EventUrl "event_url"
    OrderId "order_id"
    OrderName "order_name"
    ProfileId "profile_id"
    CompanyId "company_id"
    SpaceId "space_id"
    IsUpsell "is_upsell"
    AdId "ad_id"
    AdName "ad_name"
    AdSetId "adset_id"
    AdSetName "adset_name"
    CampaignId "campaign_id"
    CampaignName "campaign_name"
    AccountId "account_id"
    AccountName "account_name"
}

impl EventField {
    /// Whether it is of the touch that earned the conversion.
    pub fn is_of_touch(self) -> bool {
        use EventField::{AccountId, AccountName, AdId, AdName, AdSetId, AdSetName, CampaignId, CampaignName};
        matches!(self, AdId | AdName | AdSetId | AdSetName | CampaignId | CampaignName | AccountId | AccountName)
    }

    /// Reads columns by name; `id` and `event_time_utc` without any.
    pub(super) fn read(names: &[String], has_sources: bool, problems: &mut Problems) -> Vec<EventField> {
        if names.is_empty() {
            return vec![EventField::Id, EventField::EventTimeUtc];
        }
        let mut fields = Vec::with_capacity(EventField::ALL.len());
        for (index, name) in names.iter().enumerate() {
            let path = format!("fields.{index}");
            match EventField::ALL.iter().copied().find(|field| field.as_str() == name) {
                Some(field) if fields.contains(&field) => problems.add(path, format!("names {name} a second time")),
                Some(field) if field.is_of_touch() && !has_sources => problems.add(path, format!("{name} needs sources")),
                Some(field) => fields.push(field),
                None => {
                    let shown: String = name.chars().take(64).collect();
                    let allowed: Vec<&str> = EventField::ALL.iter().map(|field| field.as_str()).collect();
                    problems.add(path, format!("`{shown}` is no field. Allowed: {}.", allowed.join(", ")));
                    // One list of what is allowed is enough.
                    break;
                }
            }
        }
        fields
    }
}

/// A conversion in a list: the columns asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct EventRow {
    /// Its id: a whole number below 2^53, for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    /// The conversion's slug.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_name: Option<String>,
    /// What the workspace calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configured_name: Option<String>,
    /// The amount in the currency's unit, exact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Option<ExactAmount>>,
    /// ISO 4217 currency of the amount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<Option<String>>,
    /// When it happened, RFC 3339 in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_time_utc: Option<String>,
    /// The page's address, without personal parameters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_url: Option<Option<String>>,
    /// The order's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_id: Option<Option<String>>,
    /// What the order is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_name: Option<Option<String>>,
    /// The contact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile_id: Option<Option<i64>>,
    /// The contact's company.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company_id: Option<Option<i64>>,
    /// The workspace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub space_id: Option<i64>,
    /// Whether it was sold on top of another order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_upsell: Option<bool>,
    /// The ad that earned it; like all below only with `sources`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ad_id: Option<Option<String>>,
    /// The ad's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ad_name: Option<Option<String>>,
    /// The ad set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adset_id: Option<Option<String>>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adset_name: Option<Option<String>>,
    /// The campaign.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaign_id: Option<Option<String>>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaign_name: Option<Option<String>>,
    /// The ad account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<Option<String>>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_name: Option<Option<String>>,
}

/// Whose events are whose.
#[derive(Debug, Default)]
pub(super) struct Owners {
    contacts: HashMap<String, ContactId>,
    companies: HashMap<ContactId, CompanyId>,
}

impl Owners {
    pub fn contact_of(&self, visitor: &str) -> Option<ContactId> {
        self.contacts.get(visitor).copied()
    }

    pub fn company_of(&self, visitor: &str) -> Option<CompanyId> {
        self.companies.get(&self.contact_of(visitor)?).copied()
    }
}

impl Service {
    /// The contacts behind some visitors, and their companies where they are wanted.
    pub(super) async fn owners(&self, access: &WorkspaceAccess, visitors: &HashSet<&str>, companies: bool) -> Result<Owners> {
        let visitors: Vec<&str> = visitors.iter().copied().collect();
        let mut owners = Owners::default();
        for some in visitors.chunks(MAX_VISITORS_LOOKED_UP) {
            owners.contacts.extend(self.control.contacts_of_visitors(&access.scope, some).await?);
        }
        if companies {
            let ids: HashSet<ContactId> = owners.contacts.values().copied().collect();
            let ids: Vec<ContactId> = ids.into_iter().collect();
            for some in ids.chunks(MAX_VISITORS_LOOKED_UP) {
                let read = self.control.contacts_by_id(&access.scope, some, Include::default()).await?;
                owners.companies.extend(read.into_iter().filter_map(|contact| Some((contact.id, contact.company?))));
            }
        }
        Ok(owners)
    }
}

/// A conversion with everything its columns are told from.
pub(super) struct Shown<'a> {
    pub sequence: u64,
    pub event: &'a Event,
    pub kind: Kind,
    pub conversions: &'a Conversions,
    pub space: WorkspaceId,
    pub owners: &'a Owners,
    pub touch: Option<&'a Touchpoint>,
}

impl Shown<'_> {
    /// The columns asked for.
    pub fn row(&self, fields: &[EventField]) -> EventRow {
        let (event, touch) = (self.event, self.touch);
        let order = Order::of(event);
        let visitor = event.anonymous_id.as_str();
        let mut row = EventRow::default();
        for field in fields {
            match field {
                EventField::Id => row.id = RowId::of(event.time_us, self.sequence).map(RowId::get),
                EventField::EventName => row.event_name = Some(self.kind.slug().to_owned()),
                EventField::ConfiguredName => row.configured_name = Some(self.kind.label(self.conversions).to_owned()),
                EventField::Amount => row.amount = Some(event.amount.map(|amount| ExactAmount(amount.micros.into()))),
                EventField::Currency => row.currency = Some(event.amount.map(|amount| amount.currency.to_string())),
                EventField::EventTimeUtc => row.event_time_utc = Some(format_utc(event.time_us)),
                EventField::EventUrl => row.event_url = Some(shown_url(event)),
                EventField::OrderId => row.order_id = Some(order.id.clone()),
                EventField::OrderName => row.order_name = Some(order.name.clone()),
                EventField::ProfileId => row.profile_id = Some(self.owners.contact_of(visitor).map(|id| id.0)),
                EventField::CompanyId => row.company_id = Some(self.owners.company_of(visitor).map(|id| id.0)),
                EventField::SpaceId => row.space_id = Some(self.space.0),
                EventField::IsUpsell => row.is_upsell = Some(order.is_upsell),
                EventField::AdId => row.ad_id = Some(touch.and_then(|touch| touch.ad_id.clone())),
                EventField::AdName => row.ad_name = Some(touch.and_then(|touch| touch.ad_name.clone())),
                EventField::AdSetId => row.adset_id = Some(touch.and_then(|touch| touch.adset_id.clone())),
                EventField::AdSetName => row.adset_name = Some(touch.and_then(|touch| touch.adset_name.clone())),
                EventField::CampaignId => row.campaign_id = Some(touch.and_then(|touch| touch.campaign_id.clone())),
                EventField::CampaignName => row.campaign_name = Some(touch.and_then(|touch| touch.campaign_name.clone())),
                EventField::AccountId => row.account_id = Some(touch.and_then(|touch| touch.account_id.clone())),
                EventField::AccountName => row.account_name = Some(touch.and_then(|touch| touch.account_name.clone())),
            }
        }
        row
    }
}
