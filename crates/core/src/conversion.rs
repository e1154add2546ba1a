//! Conversions: the fifteen standard types of events marketing pays for, and the fifty slots a workspace names itself.

use serde::{Deserialize, Serialize};
use std::fmt;

use crate::error::{Code, Error};

/// What a conversion is. Its slug is also the name of the events that are one without further rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ConversionType {
    /// One everybody means the same by.
    Standard(StandardEvent),
    /// One the workspace names.
    Custom(CustomSlot),
}

/// The standard types, in the order of their slugs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StandardEvent {
    /// Payment details were entered.
    AddPaymentInfo,
    /// Something was put into the cart.
    AddToCart,
    /// A registration was completed.
    CompleteRegistration,
    /// Somebody got in touch.
    Contact,
    /// The checkout began.
    InitiateCheckout,
    /// A lead came in.
    LeadGenerated,
    /// An order was placed.
    Purchase,
    /// An appointment was made.
    Schedule,
    /// Somebody signed up.
    SignUp,
    /// A trial began.
    StartTrial,
    /// An application was handed in.
    SubmitApplication,
    /// A subscription began.
    Subscribe,
    /// A purchase made on top of another one.
    UpsellPurchase,
    /// A page worth counting was seen.
    ViewContent,
    /// Somebody registered for a webinar.
    WebinarRegistration,
}

/// A slot a workspace names: 1 to 50.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CustomSlot(u8);

impl StandardEvent {
    /// Every one, in order.
    pub const ALL: [StandardEvent; 15] = [
        StandardEvent::AddPaymentInfo,
        StandardEvent::AddToCart,
        StandardEvent::CompleteRegistration,
        StandardEvent::Contact,
        StandardEvent::InitiateCheckout,
        StandardEvent::LeadGenerated,
        StandardEvent::Purchase,
        StandardEvent::Schedule,
        StandardEvent::SignUp,
        StandardEvent::StartTrial,
        StandardEvent::SubmitApplication,
        StandardEvent::Subscribe,
        StandardEvent::UpsellPurchase,
        StandardEvent::ViewContent,
        StandardEvent::WebinarRegistration,
    ];

    /// Its slug and what people read.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            StandardEvent::AddPaymentInfo => ("add_payment_info", "Add Payment Info"),
            StandardEvent::AddToCart => ("add_to_cart", "Add To Cart"),
            StandardEvent::CompleteRegistration => ("complete_registration", "Complete Registration"),
            StandardEvent::Contact => ("contact", "Contact"),
            StandardEvent::InitiateCheckout => ("initiate_checkout", "Initiate Checkout"),
            StandardEvent::LeadGenerated => ("lead_generated", "Lead Generated"),
            StandardEvent::Purchase => ("purchase", "Purchase"),
            StandardEvent::Schedule => ("schedule", "Schedule"),
            StandardEvent::SignUp => ("sign_up", "Sign Up"),
            StandardEvent::StartTrial => ("start_trial", "Start Trial"),
            StandardEvent::SubmitApplication => ("submit_application", "Submit Application"),
            StandardEvent::Subscribe => ("subscribe", "Subscribe"),
            StandardEvent::UpsellPurchase => ("upsell_purchase", "Upsell Purchase"),
            StandardEvent::ViewContent => ("view_content", "View Content"),
            StandardEvent::WebinarRegistration => ("webinar_registration", "Webinar Registration"),
        }
    }
}

macro_rules! slot_names {
    ($($number:literal)*) => {
        /// Slug and default label of each slot.
        const SLOT_NAMES: [(&str, &str); CustomSlot::COUNT as usize] =
            [$((concat!("custom_event_", $number), concat!("Custom Event ", $number))),*];
    };
}

slot_names!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43
    44 45 46 47 48 49 50);

impl CustomSlot {
    /// How many there are.
    pub const COUNT: u8 = 50;

    /// The slot with this number, 1 to 50.
    pub fn new(number: u8) -> Option<CustomSlot> {
        (1..=Self::COUNT).contains(&number).then_some(CustomSlot(number))
    }

    /// Its number.
    pub fn number(self) -> u8 {
        self.0
    }

    fn names(self) -> (&'static str, &'static str) {
        SLOT_NAMES[usize::from(self.0) - 1]
    }
}

impl ConversionType {
    /// An order. The only standard type beside [`ConversionType::UPSELL_PURCHASE`] that brings revenue in.
    pub const PURCHASE: ConversionType = ConversionType::Standard(StandardEvent::Purchase);
    /// An upsell. Purchases that say they are one are stored under this name.
    pub const UPSELL_PURCHASE: ConversionType = ConversionType::Standard(StandardEvent::UpsellPurchase);

    /// Every type: the standard ones by slug, then the slots.
    pub fn all() -> impl Iterator<Item = ConversionType> {
        let slots = (1..=CustomSlot::COUNT).map(|number| ConversionType::Custom(CustomSlot(number)));
        StandardEvent::ALL.into_iter().map(ConversionType::Standard).chain(slots)
    }

    /// The type with this slug.
    pub fn parse(slug: &str) -> Option<ConversionType> {
        Self::all().find(|conversion| conversion.as_str() == slug)
    }

    /// Its slug: `purchase`, `custom_event_7`.
    pub fn as_str(self) -> &'static str {
        self.names().0
    }

    /// What people read as long as the workspace says nothing else: `Add To Cart`, `Custom Event 7`.
    pub fn label(self) -> &'static str {
        self.names().1
    }

    /// Whether the workspace names it.
    pub fn is_custom(self) -> bool {
        self.custom_number().is_some()
    }

    /// The number of a custom slot, 1 to 50.
    pub fn custom_number(self) -> Option<u8> {
        match self {
            ConversionType::Custom(slot) => Some(slot.number()),
            ConversionType::Standard(_) => None,
        }
    }

    fn names(self) -> (&'static str, &'static str) {
        match self {
            ConversionType::Standard(event) => event.names(),
            ConversionType::Custom(slot) => slot.names(),
        }
    }
}

impl fmt::Display for ConversionType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl TryFrom<String> for ConversionType {
    type Error = Error;

    fn try_from(slug: String) -> Result<Self, Error> {
        ConversionType::parse(&slug).ok_or_else(|| {
            let shown: String = slug.chars().take(64).collect();
            let standard = StandardEvent::ALL.map(|event| event.names().0).join(", ");
            let message = format!("`{shown}` is no conversion; accepted: {standard}, custom_event_1 to custom_event_50");
            Error::new(Code::InvalidParams, message)
        })
    }
}

impl From<ConversionType> for String {
    fn from(conversion: ConversionType) -> Self {
        conversion.as_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn slugs_lead_back_to_their_type() {
        let all: Vec<ConversionType> = ConversionType::all().collect();
        assert_eq!(all.len(), 65);
        for conversion in &all {
            assert_eq!(ConversionType::parse(conversion.as_str()), Some(*conversion), "{conversion}");
        }
        assert!(all.windows(2).all(|pair| pair[0] < pair[1]), "types are ordered as they are listed");
        assert_eq!(all.iter().map(|conversion| conversion.label()).collect::<HashSet<_>>().len(), 65);
        for slug in ["", "Purchase", "custom_event_0", "custom_event_51", "custom_event_07", "pageview"] {
            assert_eq!(ConversionType::parse(slug), None, "{slug}");
        }
    }

    #[test]
    fn labels_and_numbers() {
        let slot = ConversionType::parse("custom_event_7").unwrap();
        assert_eq!((slot.label(), slot.custom_number()), ("Custom Event 7", Some(7)));
        assert_eq!((ConversionType::PURCHASE.label(), ConversionType::PURCHASE.is_custom()), ("Purchase", false));
        assert_eq!(CustomSlot::new(51), None);
    }

    #[test]
    fn an_unknown_slug_is_told_what_is_accepted() {
        let refusal = serde_json::from_str::<ConversionType>("\"sale\"").unwrap_err().to_string();
        assert!(refusal.contains("`sale` is no conversion") && refusal.contains("webinar_registration"), "{refusal}");
    }
}
