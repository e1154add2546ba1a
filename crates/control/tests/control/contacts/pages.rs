//! Lists in pages, filters, contacts and companies written by hand, labels.

use tributary_control::{
    CompaniesQuery, CompanyChange, Condition, ContactChange, ContactsQuery, FieldInput, Include, NewContact, PageStart, PeopleOf,
    Slot,
};
use tributary_core::error::Code;
use tributary_core::ids::{CompanyId, ContactId};
use tributary_core::time::{DAY_US, TimeRange};

use super::{Home, identification, problems};
use crate::world::{NOW_US, code};

fn everything() -> ContactsQuery {
    ContactsQuery {
        created: TimeRange::ALL,
        conditions: Vec::new(),
        include: Include::default(),
        per_page: ContactsQuery::DEFAULT_PER_PAGE,
        after: None,
    }
}

fn text(text: &str) -> Option<FieldInput> {
    Some(FieldInput::Text(text.into()))
}

fn slot(number: u8) -> Slot {
    Slot::new(number).unwrap()
}

impl Home {
    async fn ids(&self, query: &ContactsQuery) -> Vec<i64> {
        let page = self.control().list_contacts(&self.scope, query).await.unwrap();
        page.contacts.iter().map(|contact| contact.id.0).collect()
    }

    async fn matching(&self, field: &str, operator: &str, value: Option<FieldInput>) -> String {
        let condition = Condition { field: field.into(), operator: operator.into(), value, ..Default::default() };
        let query = ContactsQuery { conditions: vec![condition], ..everything() };
        let page = self.control().list_contacts(&self.scope, &query).await.unwrap();
        let mut names: Vec<&str> = page.contacts.iter().map(|contact| contact.names[0].as_str()).collect();
        names.sort_unstable();
        names.join(" ")
    }
}

#[tokio::test]
async fn pages_lead_forth_and_back() {
    let home = Home::new().await;
    for n in 1..=7 {
        home.identify(&format!("u:{n} v:{n}")).await;
    }
    home.identify("u:2 t:x").await;
    home.identify("u:4 t:x").await;
    assert_eq!(home.ids(&everything()).await, [7, 6, 5, 3, 2, 1], "a merged contact is no row of its own");
    let page = async |after: Option<i64>| {
        let query = ContactsQuery { per_page: 2, after: after.map(ContactId), ..everything() };
        let page = home.control().list_contacts(&home.scope, &query).await.unwrap();
        let ids: Vec<i64> = page.contacts.iter().map(|contact| contact.id.0).collect();
        (ids, page.next.map(|id| id.0), page.previous)
    };
    assert_eq!(page(None).await, (vec![7, 6], Some(6), None));
    assert_eq!(page(Some(6)).await, (vec![5, 3], Some(3), Some(PageStart::First)));
    assert_eq!(page(Some(3)).await, (vec![2, 1], None, Some(PageStart::After(ContactId(6)))));
    assert_eq!(page(Some(1)).await, (vec![], None, Some(PageStart::After(ContactId(3)))));
    for per_page in [0, 5_001] {
        let query = ContactsQuery { per_page, ..everything() };
        assert_eq!(code(home.control().list_contacts(&home.scope, &query).await), Code::InvalidParams);
    }
}

#[tokio::test]
async fn a_range_is_over_creation_and_flags_say_what_is_read() {
    let home = Home::new().await;
    for day in 0..3 {
        let one = tributary_control::Identification {
            seen_us: NOW_US + day * DAY_US,
            ..identification(&format!("u:{day} e:a{day}@example.com n:Old v:{day} 1=x"))
        };
        home.control().identify(&home.scope, one).await.unwrap();
    }
    home.identify("u:1 e:b1@example.com n:New v:9").await;
    let middle = TimeRange::new(NOW_US + DAY_US, NOW_US + 2 * DAY_US).unwrap();
    let query = ContactsQuery { created: middle, ..everything() };
    let contact = home.control().list_contacts(&home.scope, &query).await.unwrap().contacts.remove(0);
    assert_eq!((contact.emails.join(","), contact.names.join(",")), ("b1@example.com".into(), "New".into()));
    assert!(contact.visitors.is_empty() && contact.fields.is_empty());
    let query = ContactsQuery { include: Include::ALL, ..query };
    let page = home.control().list_contacts(&home.scope, &query).await.unwrap();
    assert_eq!(page.contacts, [home.control().get_contact(&home.scope, contact.id).await.unwrap()]);
    assert_eq!(page.contacts[0].visitors, ["9", "1"]);
}

#[tokio::test]
async fn operators_mean_what_is_documented() {
    let home = Home::new().await;
    for (number, label) in [(5, "Customer Plan"), (18, "Age"), (27, "Renewal")] {
        home.control().set_label(&home.scope, slot(number), label).await.unwrap();
    }
    for text in [
        "u:1 n:ann 5=Premium-Plus 18=30 27=2026-05-10",
        "u:2 n:bob 5=premium 18=30.5 27=2026-05-15",
        "u:3 n:carl 5=100%_sure\\ 18=-1 27=2026-06-01",
        "u:4 n:dora",
    ] {
        home.identify(text).await;
    }
    for (operator, value, names) in [
        ("equal_to", text("PREMIUM"), "bob"),
        ("not_equal_to", text("premium"), "ann carl dora"),
        ("contains", text("EMI"), "ann bob"),
        ("contains", text("%_s"), "carl"),
        ("contains", text("%sure"), ""),
        ("contains", text("\\"), "carl"),
        ("not_contains", text("emi"), "carl dora"),
        ("starts_with", text("100%"), "carl"),
        ("starts_with", text("1_0"), ""),
        ("ends_with", text("plus"), "ann"),
        ("contains_word", text("plus"), "ann"),
        ("contains_word", text("Premium plus"), "ann"),
        ("contains_word", text("prem"), ""),
        ("any", None, "ann bob carl"),
        ("unknown", None, "dora"),
    ] {
        assert_eq!(home.matching("profile_field_5", operator, value.clone()).await, names, "{operator} {value:?}");
    }
    for (operator, value, names) in [
        ("equal_to", 30.0, "ann"),
        ("not_equal_to", 30.0, "bob carl dora"),
        ("greater_than", 30.0, "bob"),
        ("greater_than_or_equal_to", 30.0, "ann bob"),
        ("less_than", 30.0, "carl"),
        ("less_than_or_equal_to", 30.0, "ann carl"),
    ] {
        assert_eq!(home.matching("age", operator, Some(FieldInput::Number(value))).await, names, "{operator} {value}");
    }
    // The clock stands at 2026-05-15.
    for (operator, value, names) in [
        ("equal_to", text("2026-05-15"), "bob"),
        ("greater_than", text("2026-05-10"), "bob carl"),
        ("less_than", text("2026-05-15"), "ann"),
        ("age_equal_to", text("5"), "ann"),
        ("age_greater_than", text("4"), "ann"),
        ("age_greater_than", text("5"), ""),
        ("age_less_than", text("5"), "bob carl"),
        ("age_greater_than", text("1000000"), ""),
        ("unknown", None, "dora"),
    ] {
        assert_eq!(home.matching("Renewal", operator, value.clone()).await, names, "{operator} {value:?}");
    }
    let between = Condition {
        field: "profile_field_27".into(),
        operator: "between".into(),
        start: text("2026-05-10"),
        end: text("2026-05-15"),
        ..Default::default()
    };
    let known =
        Condition { field: "profile_field_18".into(), operator: "less_than".into(), value: text("30.2"), ..Default::default() };
    let query = ContactsQuery { conditions: vec![between, known], ..everything() };
    assert_eq!(home.ids(&query).await, [1], "all conditions must hold");

    // The newest value counts, over all contacts that are one, and none that was replaced.
    home.identify("u:5 n:eve 5=Basic").await;
    home.identify("u:1 t:same").await;
    home.identify("u:5 t:same").await;
    assert_eq!(home.matching("profile_field_5", "equal_to", text("basic")).await, "eve");
    assert_eq!(home.matching("profile_field_5", "starts_with", text("premium-")).await, "");
}

#[tokio::test]
async fn a_condition_that_cannot_be_is_told_what_can() {
    let home = Home::new().await;
    home.control().set_label(&home.scope, slot(5), "Customer Plan").await.unwrap();
    home.control().set_label(&home.scope, slot(26), "Renewal").await.unwrap();
    let condition = |field: &str, operator: &str, value: Option<FieldInput>| Condition {
        field: field.into(),
        operator: operator.into(),
        value,
        ..Default::default()
    };
    let conditions = vec![
        condition("profile_field_19", "greater_than", text("3")),
        condition("profile_field_5", "greater_than", text("3")),
        condition("Custommer", "any", None),
        condition("profile_field_5", "equal_to", None),
        condition("profile_field_5", "any", text("x")),
        condition("profile_field_5", "equal_to", Some(FieldInput::Number(3.0))),
        condition("profile_field_26", "age_equal_to", text("1.5")),
        condition("profile_field_26", "between", text("2026-05-01")),
        condition("profile_field_26", "equal_to", text("tomorrow")),
    ];
    let query = ContactsQuery { conditions, ..everything() };
    let error = home.control().list_contacts(&home.scope, &query).await.unwrap_err();
    insta::assert_snapshot!(problems(&error).join("\n"), @r#"
    custom_field_filters.0.field: slot profile_field_19 has no label in this workspace; label it before filtering
    custom_field_filters.1.operator: operator "greater_than" not allowed for text fields. Allowed: equal_to, not_equal_to, contains, not_contains, starts_with, ends_with, contains_word, any, unknown.
    custom_field_filters.2.field: "Custommer" is no labelled custom field. Allowed: profile_field_5 (Customer Plan), profile_field_26 (Renewal).
    custom_field_filters.3.value: is required for operator "equal_to"
    custom_field_filters.4.value: operator "any" takes no value
    custom_field_filters.5.value: must be text
    custom_field_filters.6.value: must be a whole number of days between 0 and 1000000
    custom_field_filters.7.value: operator "between" takes no value
    custom_field_filters.7.start: is required for operator "between"
    custom_field_filters.7.end: is required for operator "between"
    custom_field_filters.8.value: must be a date such as 2026-05-01
    "#);
    let query = ContactsQuery { conditions: vec![condition("profile_field_5", "any", None); 11], ..everything() };
    let error = home.control().list_contacts(&home.scope, &query).await.unwrap_err();
    assert_eq!(problems(&error), ["custom_field_filters: must have at most 10 conditions, got 11"]);
}

#[tokio::test]
async fn labels_are_unique_and_can_be_taken_away() {
    let home = Home::new().await;
    let control = home.control();
    control.set_label(&home.scope, slot(1), " Plan ").await.unwrap();
    control.set_label(&home.scope, slot(2), "Tier").await.unwrap();
    control.set_label(&home.scope, slot(2), "Level").await.unwrap();
    assert_eq!(code(control.set_label(&home.scope, slot(3), "plan").await), Code::Conflict);
    for label in ["", "  ", "Profile_field_3", &"x".repeat(129), "a\tb"] {
        assert_eq!(code(control.set_label(&home.scope, slot(3), label).await), Code::InvalidParams, "{label}");
    }
    let labels = control.list_labels(&home.scope).await.unwrap();
    let told: Vec<String> = labels.iter().map(|label| format!("{} {}", label.slot, label.label)).collect();
    assert_eq!(told, ["profile_field_1 Plan", "profile_field_2 Level"]);
    control.clear_label(&home.scope, slot(1)).await.unwrap();
    control.set_label(&home.scope, slot(3), "plan").await.unwrap();
    let account = home.world.account("B").await;
    let other = Home::open(&home.world, account.id, "other").await;
    assert!(control.list_labels(&other).await.unwrap().is_empty());
}

#[tokio::test]
async fn contacts_are_written_by_hand() {
    let home = Home::new().await;
    let strings = |values: &[&str]| values.iter().map(|value| String::from(*value)).collect::<Vec<_>>();
    let new = NewContact {
        emails: strings(&["Ann@acme.com", "ann@gmail.com", "ann@acme.com"]),
        phones: strings(&["1", "2"]),
        names: strings(&["  Ann   Example "]),
        locations: strings(&["Berlin"]),
        fields: vec![(slot(1), FieldInput::Text("Pro".into())), (slot(16), FieldInput::Number(3.0))],
    };
    let ann = home.control().create_contact(&home.scope, new.clone()).await.unwrap();
    assert_eq!(
        home.shown(ann.id).await,
        format!("{}: e:ann@acme.com,ann@gmail.com n:Ann Example p:1,2 l:Berlin 1=Pro 16=3 12:00..12:00", ann.id)
    );
    assert_eq!(home.control().create_contact(&home.scope, new).await.unwrap(), ann, "an address known is the contact known");
    // Two contacts with one address each, named together.
    let (one, two) = (home.identify("e:1@acme.com v:1").await, home.identify("e:2@acme.com v:2").await);
    let both = NewContact { emails: strings(&["2@acme.com", "1@acme.com", "3@acme.com"]), ..Default::default() };
    let both = home.control().create_contact(&home.scope, both).await.unwrap();
    assert_eq!((both.id, both.emails.join(" ")), (one, "2@acme.com 1@acme.com 3@acme.com".into()));
    assert_eq!(home.journal().await, [format!("{two}>{one} email+email via contacts API")]);
    assert_eq!(home.people(PeopleOf::Contacts).await, ["1+2"]);

    let change = ContactChange {
        emails: Some(strings(&["4@acme.com", "1@acme.com"])),
        names: Some(strings(&["B", "A"])),
        ..Default::default()
    };
    let after = home.control().update_contact(&home.scope, two, change).await.unwrap();
    assert_eq!((after.id, after.emails.join(" "), after.names.join(" ")), (one, "4@acme.com 1@acme.com".into(), "B A".into()));
    assert_ne!(home.identify("e:2@acme.com").await, one, "an address taken out identifies nobody any more");
    let change = ContactChange { emails: Some(Vec::new()), ..Default::default() };
    let after = home.control().update_contact(&home.scope, one, change).await.unwrap();
    assert!(after.emails.is_empty() && after.company.is_none());
    assert_eq!(after.names, ["B", "A"], "what is not named stays");

    let change = ContactChange {
        fields: Some(vec![(slot(2), FieldInput::Text("x".into()))]),
        phones: Some(Vec::new()),
        ..Default::default()
    };
    home.control().update_contact(&home.scope, ann.id, change).await.unwrap();
    assert_eq!(
        home.shown(ann.id).await,
        format!("{}: e:ann@acme.com,ann@gmail.com n:Ann Example l:Berlin 2=x 12:00..12:00", ann.id)
    );
    let change = ContactChange { fields: Some(Vec::new()), ..Default::default() };
    assert!(home.control().update_contact(&home.scope, ann.id, change).await.unwrap().fields.is_empty());

    let foreign = ContactChange { emails: Some(strings(&["new@acme.com", "ann@acme.com"])), ..Default::default() };
    let error = home.control().update_contact(&home.scope, one, foreign).await.unwrap_err();
    assert_eq!(problems(&error), [format!("emails.1: is an e-mail of contact {}", ann.id)]);
    let error = home.control().update_contact(&home.scope, one, ContactChange::default()).await.unwrap_err();
    assert_eq!(problems(&error), ["emails: one of emails, phones, names, locations and custom_fields is required"]);
    let error = home.control().create_contact(&home.scope, NewContact::default()).await.unwrap_err();
    assert_eq!(problems(&error), ["emails: must have at least 1 item"]);
    let named = ContactChange { names: Some(Vec::new()), ..Default::default() };
    assert_eq!(code(home.control().update_contact(&home.scope, ContactId(99), named.clone()).await), Code::NotFound);
    let account = home.world.account("B").await;
    let other = Home::open(&home.world, account.id, "other").await;
    assert_eq!(code(home.control().update_contact(&other, ann.id, named).await), Code::NotFound);
}

#[tokio::test]
async fn companies_are_listed_and_changed() {
    let home = Home::new().await;
    for (day, domain) in [(0, "acme.com"), (2, "other.co.uk"), (1, "third.org")] {
        let one = tributary_control::Identification {
            seen_us: NOW_US + day * DAY_US,
            ..identification(&format!("e:a@mail.{domain} v:{day}"))
        };
        home.control().identify(&home.scope, one).await.unwrap();
    }
    home.identify("e:b@mail.acme.com v:x").await;
    home.identify("e:c@gmail.com").await;
    let page = async |per_page: u32, after: Option<CompanyId>| {
        let query = CompaniesQuery { created: TimeRange::ALL, per_page, after };
        let page = home.control().list_companies(&home.scope, &query).await.unwrap();
        let domains: Vec<String> = page.companies.iter().map(|company| company.domain.clone()).collect();
        (domains.join(" "), page.next, page.previous)
    };
    assert_eq!(page(5, None).await, ("other.co.uk third.org acme.com".into(), None, None));
    let (domains, next, _) = page(2, None).await;
    assert_eq!(domains, "other.co.uk third.org");
    assert_eq!(page(2, next).await, ("acme.com".into(), None, Some(PageStart::First)));
    let acme = home.control().list_companies(&home.scope, &CompaniesQuery { created: TimeRange::ALL, per_page: 3, after: None });
    let acme = acme.await.unwrap().companies.remove(2);

    let change = CompanyChange { name: Some("Acme".into()), domain: None };
    let named = home.control().update_company(&home.scope, acme.id, change).await.unwrap();
    assert_eq!((named.domain.as_str(), named.name.as_deref()), ("acme.com", Some("Acme")));
    assert_eq!(home.people(PeopleOf::Companies).await, ["0+x"]);
    let change = CompanyChange { domain: Some("Acme.DE".into()), name: None };
    let moved = home.control().update_company(&home.scope, acme.id, change).await.unwrap();
    assert_eq!((moved.domain.as_str(), moved.name.as_deref()), ("acme.de", Some("Acme")));
    assert!(home.people(PeopleOf::Companies).await.is_empty(), "acme.com is no company's domain now");
    assert_eq!(home.control().get_company(&home.scope, acme.id).await.unwrap(), moved);

    for (domain, problem) in [
        ("third.org", "is another company's; a domain must be unique"),
        ("gmail.com", "`gmail.com` is a free-mail domain and so no company's"),
        ("www.acme.com", "must be a registrable domain such as example.com, of at most 255 characters"),
        ("co.uk", "must be a registrable domain such as example.com, of at most 255 characters"),
        ("https://acme.com", "must be a registrable domain such as example.com, of at most 255 characters"),
        ("", "must be a registrable domain such as example.com, of at most 255 characters"),
    ] {
        let change = CompanyChange { domain: Some(domain.into()), name: None };
        let error = home.control().update_company(&home.scope, acme.id, change).await.unwrap_err();
        assert_eq!(problems(&error), [format!("domain: {problem}")], "{domain}");
    }
    let nothing = home.control().update_company(&home.scope, acme.id, CompanyChange::default()).await.unwrap_err();
    assert_eq!(problems(&nothing), ["domain: one of domain and name is required"]);
    let account = home.world.account("B").await;
    let other = Home::open(&home.world, account.id, "other").await;
    assert_eq!(code(home.control().get_company(&other, acme.id).await), Code::NotFound);
    let change = CompanyChange { name: Some("Mine".into()), domain: None };
    assert_eq!(code(home.control().update_company(&other, acme.id, change).await), Code::NotFound);
}
