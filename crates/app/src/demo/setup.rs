//! What the two workspaces have set: which events are conversions, what slots are called, what currencies are worth.

use tributary_control::{Control, ConversionChange, MappingSource, NewMapping, Slot};
use tributary_core::conversion::ConversionType;
use tributary_core::error::{Error, Result};
use tributary_core::scope::WorkspaceScope;

use crate::demo::generate::Site;

/// A rule: the event, the slug of what it is, the rule's name.
type Mapped = (&'static str, &'static str, &'static str);
/// A custom slot: slug, label, whether its amounts are gross revenue.
type Named = (&'static str, &'static str, bool);
/// A slot of a contact and what it is called.
type Labelled = (&'static str, &'static str);

/// What a contact's slots hold, in both workspaces.
pub const PLAN_SLOT: &str = "profile_field_1";
/// Orders, or colleagues.
pub const COUNT_SLOT: &str = "profile_field_16";
/// The day of the first order, or of the trial.
pub const SINCE_SLOT: &str = "profile_field_26";

const SHOP_MAPPED: &[Mapped] = &[
    ("order_completed", "purchase", "Orders"),
    ("upsell_accepted", "upsell_purchase", "Care kits added to an order"),
    ("product_viewed", "view_content", "Product pages"),
    ("cart_filled", "add_to_cart", "Cart"),
    ("checkout_begun", "initiate_checkout", "Checkout"),
    ("newsletter_joined", "lead_generated", "Newsletter form"),
    ("account_opened", "sign_up", "New accounts"),
    ("wishlist_saved", "custom_event_1", "Wishlists"),
    ("parcel_returned", "custom_event_2", "Returns"),
    ("payment_failed", "custom_event_3", "Failed payments"),
];
const SHOP_NAMED: &[Named] = &[
    ("custom_event_1", "Wishlist Saved", false),
    ("custom_event_2", "Parcel Returned", false),
    ("custom_event_3", "Payment Failed", false),
];
const SHOP_LABELLED: &[Labelled] = &[(PLAN_SLOT, "Customer Plan"), (COUNT_SLOT, "Lifetime Orders"), (SINCE_SLOT, "First Order")];

const SAAS_MAPPED: &[Mapped] = &[
    ("plan_paid", "purchase", "First payment"),
    ("plan_renewed", "custom_event_1", "Monthly payments"),
    ("trial_begun", "start_trial", "Trials"),
    ("pricing_viewed", "view_content", "Pricing page"),
    ("tour_played", "lead_generated", "Product tour"),
    ("colleague_invited", "custom_event_2", "Invitations"),
];
const SAAS_NAMED: &[Named] = &[("custom_event_1", "Plan Renewed", true), ("custom_event_2", "Colleague Invited", false)];
const SAAS_LABELLED: &[Labelled] = &[(PLAN_SLOT, "Plan"), (COUNT_SLOT, "Monthly Price"), (SINCE_SLOT, "Trial Start")];

/// Sets it all. Doing it again changes nothing.
pub async fn set_up(control: &Control, scope: &WorkspaceScope, site: Site) -> Result<()> {
    let (mapped, named, labelled) = match site {
        Site::Shop => (SHOP_MAPPED, SHOP_NAMED, SHOP_LABELLED),
        Site::Saas => (SAAS_MAPPED, SAAS_NAMED, SAAS_LABELLED),
    };
    for (slug, label, include_in_gross_revenue) in named {
        let change = ConversionChange {
            label: Some((*label).to_owned()),
            include_in_gross_revenue: Some(*include_in_gross_revenue),
            counts_from: None,
        };
        control.set_conversion(scope, conversion(slug)?, change).await?;
    }
    let there = control.list_mappings(scope).await?;
    for (event, slug, name) in mapped {
        let source = MappingSource::Event((*event).to_owned());
        if there.iter().all(|rule| rule.source != source) {
            control.create_mapping(scope, NewMapping { name: (*name).to_owned(), to: conversion(slug)?, source }).await?;
        }
    }
    for (slot, label) in labelled {
        let slot = Slot::parse(slot).ok_or_else(|| Error::internal(format!("{slot} is no slot")))?;
        control.set_label(scope, slot, label).await?;
    }
    Ok(())
}

fn conversion(slug: &str) -> Result<ConversionType> {
    ConversionType::try_from(slug.to_owned())
}
