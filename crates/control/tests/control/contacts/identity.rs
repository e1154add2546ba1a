//! Which identification is whose.

use tributary_control::{Identification, PeopleOf, Slot};
use tributary_core::error::Code;
use tributary_core::time::SECOND_US;

use super::{Home, identification, problems};
use crate::world::{NOW_US, code};

#[tokio::test]
async fn identifiers_find_their_contact_again() {
    let home = Home::new().await;
    let ann = home.identify("u:u1 e:Ann@Example.com v:v1 n:Ann").await;
    for text in ["u:u1", "e:ann@example.COM", "v:v1", "u:u1 v:v2", "v:v2", "e:ann@example.com t:t1", "t:t1"] {
        assert_eq!(home.identify(text).await, ann, "{text}");
    }
    let bob = home.identify("e:bob@example.com").await;
    assert_ne!(bob, ann);
    assert_eq!(home.shown(ann).await, format!("{ann}: e:ann@example.com n:Ann v:v2,v1 12:00..12:00"));
    assert_eq!(home.people(PeopleOf::Contacts).await, ["v1+v2"]);
    assert!(home.journal().await.is_empty());
}

#[tokio::test]
async fn the_same_again_changes_nothing() {
    let home = Home::new().await;
    let text = "u:u1 e:ann@example.com t:t1 v:v1 v:v2 n:Ann p:+491 l:Berlin 1=Premium 16=3 26=2026-05-01";
    let ann = home.identify(text).await;
    let (shown, people) = (home.shown(ann).await, home.control().people(&home.scope, PeopleOf::Contacts).await.unwrap());
    assert_eq!(
        shown,
        format!("{ann}: e:ann@example.com n:Ann p:+491 l:Berlin v:v1,v2 1=Premium 16=3 26=2026-05-01 12:00..12:00")
    );
    assert_eq!(home.identify(text).await, ann);
    assert_eq!(home.shown(ann).await, shown);
    let again = home.control().people(&home.scope, PeopleOf::Contacts).await.unwrap();
    assert!(std::sync::Arc::ptr_eq(&people, &again), "nothing was read anew");
    home.identify("u:new v:new").await;
    let still = home.control().people(&home.scope, PeopleOf::Contacts).await.unwrap();
    assert!(std::sync::Arc::ptr_eq(&people, &still), "somebody new with one visitor changes no group");
    home.identify("u:u1 v:v3").await;
    assert_eq!(home.people(PeopleOf::Contacts).await, ["v1+v2+v3"]);
}

#[tokio::test]
async fn new_values_come_first_and_known_ones_keep_their_place() {
    let home = Home::new().await;
    let ann = home.identify("u:u1 e:a@example.com n:Ann p:1 1=Free").await;
    home.identify("u:u1 e:b@example.com n:Anna n:Annie 1=Pro").await;
    home.identify("u:u1 e:a@example.com n:Ann").await;
    assert_eq!(home.shown(ann).await, format!("{ann}: e:b@example.com,a@example.com n:Anna,Annie,Ann p:1 1=Pro 12:00..12:00"));
    for n in 0..30 {
        home.identify(&format!("u:u1 e:{n}@example.com n:{n} v:{n}")).await;
    }
    let contact = home.control().get_contact(&home.scope, ann).await.unwrap();
    assert_eq!((contact.emails.len(), contact.names.len(), contact.visitors.len()), (25, 25, 5));
    assert_eq!((contact.emails[0].as_str(), contact.names[0].as_str()), ("29@example.com", "29"));
    assert_eq!(contact.visitors, ["29", "28", "27", "26", "25"]);
}

#[tokio::test]
async fn times_stretch_both_ways() {
    let home = Home::new().await;
    let at = |hours: i64| Identification { seen_us: NOW_US + hours * 3_600 * SECOND_US, ..identification("u:u1") };
    let ann = home.control().identify(&home.scope, at(0)).await.unwrap();
    for hours in [3, -2, 1] {
        home.control().identify(&home.scope, at(hours)).await.unwrap();
    }
    assert_eq!(home.shown(ann).await, format!("{ann}: 10:00..15:00"));
    assert_eq!(home.control().get_contact(&home.scope, ann).await.unwrap().created_us, NOW_US, "made with the first that came");
}

#[tokio::test]
async fn evidence_makes_two_contacts_one() {
    let home = Home::new().await;
    for (first, second, both, evidence) in [
        ("u:1a v:1x", "e:1@example.com v:1y", "u:1a e:1@example.com", "user_id+email"),
        ("e:2@example.com v:2x", "t:2 v:2y", "e:2@example.com t:2", "email+tracking_id"),
        ("u:3a v:3x", "u:3b e:3@example.com v:3y", "u:3a e:3@example.com", "user_id+email"),
        ("u:4a v:4x", "u:4b t:4 v:4y", "u:4a t:4", "user_id+tracking_id"),
        ("u:5a v:5x", "e:5@example.com v:5y", "u:5a v:5y", "user_id+visitor"),
        ("t:6 v:6x", "e:6@example.com v:6y", "v:6x v:6y", "visitor+visitor"),
    ] {
        let (first, second) = (home.identify(first).await, home.identify(second).await);
        assert_ne!(first, second, "{both}");
        assert_eq!(home.identify(both).await, first, "the oldest survives: {both}");
        assert_eq!(home.control().get_contact(&home.scope, second).await.unwrap().id, first, "{both}");
        assert_eq!(home.journal().await.last().unwrap(), &format!("{second}>{first} {evidence} via test"));
        let rows = home.journal().await.len();
        home.identify(both).await;
        assert_eq!(home.journal().await.len(), rows, "told once: {both}");
    }
    assert_eq!(home.people(PeopleOf::Contacts).await, ["1x+1y", "2x+2y", "3x+3y", "4x+4y", "5x+5y", "6x+6y"]);
}

/// A shared device makes nobody one: the visitor stays with the first, and that is noted.
#[tokio::test]
async fn a_visitor_never_joins_two_signed_in_people() {
    let home = Home::new().await;
    let ann = home.identify("u:ann v:shared v:phone").await;
    let bob = home.identify("u:bob v:shared v:laptop").await;
    assert_ne!(ann, bob);
    home.identify("u:bob v:shared").await;
    home.identify("u:ann v:laptop").await;
    assert_eq!(home.people(PeopleOf::Contacts).await, ["phone+shared"]);
    let conflicts = home.control().list_conflicts(&home.scope, 10).await.unwrap();
    let told: Vec<_> = conflicts.iter().map(|row| (row.visitor.as_str(), row.contact, row.other)).collect();
    assert_eq!(told, [("laptop", bob, ann), ("shared", ann, bob)]);
    assert!(home.journal().await.is_empty());

    // Not even through a contact without a user id that became one with the first.
    let form = home.identify("e:ann@example.com v:desk").await;
    home.identify("u:ann e:ann@example.com").await;
    assert_eq!(home.identify("u:bob v:desk").await, bob);
    assert_eq!(home.journal().await, [format!("{form}>{ann} user_id+email via test")]);

    // Whom an anonymous visitor turns out to be is no conflict.
    let anonymous = home.identify("v:new e:carl@example.com").await;
    assert_eq!(home.identify("u:carl v:new").await, anonymous);
}

#[tokio::test]
async fn workspaces_know_nothing_of_each_other() {
    let home = Home::new().await;
    let account = home.world.account("B").await;
    let other = Home::open(&home.world, account.id, "other").await;
    let control = home.control();
    let ours = home.identify("u:u1 e:ann@example.com v:v1").await;
    let theirs = control.identify(&other, identification("u:u1 e:ann@example.com v:v1 v:v2")).await.unwrap();
    assert_ne!(ours, theirs);
    assert_eq!(home.people(PeopleOf::Contacts).await, [""; 0]);
    assert_eq!(code(control.get_contact(&home.scope, theirs).await), Code::NotFound);
    assert_eq!(code(control.merge_contacts(&home.scope, ours, theirs, "x").await), Code::NotFound);
    let merge = {
        let third = control.identify(&other, identification("u:u3")).await.unwrap();
        control.merge_contacts(&other, theirs, third, "same person").await.unwrap()
    };
    assert_eq!(code(control.split_contacts(&home.scope, merge).await), Code::NotFound);
    assert!(home.journal().await.is_empty());
}

#[tokio::test]
async fn what_is_wrong_is_named_and_nothing_is_written() {
    let home = Home::new().await;
    let mut wrong = identification("e:nobody n:x 16=many 26=soon 1=a");
    wrong.user_id = Some(String::new());
    wrong.visitors = vec![String::from("v1"), "x".repeat(129)];
    wrong.names = vec![String::from("n"); 26];
    wrong.fields.push((Slot::new(1).unwrap(), tributary_control::FieldInput::Text(String::from("b"))));
    let error = home.control().identify(&home.scope, wrong).await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidParams);
    insta::assert_snapshot!(problems(&error).join("\n"), @r"
    user_id: must have 1 to 256 characters
    email: is not an e-mail address
    visitors.1: must have 1 to 128 characters
    names: must have at most 25 items, got 26
    custom_fields.profile_field_16: must be a number
    custom_fields.profile_field_26: must be a date such as 2026-05-01
    custom_fields.profile_field_1: stands there twice
    ");
    let batch = vec![identification("u:u1 v:v1"), identification("n:nobody")];
    let error = home.control().identify_all(&home.scope, batch).await.unwrap_err();
    assert_eq!(problems(&error), ["1.user_id: one of user_id, email, tracking_id and visitors is needed to tell who it is"]);
    assert_eq!(code(home.control().get_contact(&home.scope, tributary_core::ids::ContactId(1)).await), Code::NotFound);
}

#[tokio::test]
async fn many_are_identified_in_order_and_at_once() {
    let home = Home::new().await;
    let texts = ["u:u1 v:v1", "e:a@example.com v:v2", "u:u1 e:a@example.com", "u:u2 v:v3"];
    let contacts = home.control().identify_all(&home.scope, texts.map(identification).to_vec()).await.unwrap();
    assert_eq!((contacts[0], contacts[1], contacts[2]), (contacts[0], contacts[0], contacts[0]));
    assert_ne!(contacts[3], contacts[0]);
    assert_eq!(home.people(PeopleOf::Contacts).await, ["v1+v2"]);
}

#[tokio::test]
async fn companies_follow_the_primary_address() {
    let home = Home::new().await;
    home.identify("u:u1 e:ann@mail.acme.com v:v1").await;
    home.identify("u:u2 e:bob@acme.com v:v2").await;
    home.identify("u:u3 e:carl@gmail.com v:v3").await;
    home.identify("u:u3 v:v4").await;
    home.identify("u:u4 e:dora@other.org v:v5").await;
    home.identify("u:u4 e:dora@acme.com v:v6").await;
    assert_eq!(home.people(PeopleOf::Contacts).await, ["v3+v4", "v5+v6"]);
    assert_eq!(home.people(PeopleOf::Companies).await, ["v1+v2+v5+v6", "v3+v4"]);
    home.identify("u:u4 e:dora@gmail.com").await;
    assert_eq!(home.people(PeopleOf::Companies).await, ["v1+v2", "v3+v4", "v5+v6"]);
}
