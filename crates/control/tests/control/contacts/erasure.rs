//! Erasing: nothing of the person is left, nothing of others goes.

use sqlx::{Executor, Row};
use tributary_control::{Forgotten, PeopleOf};
use tributary_core::error::Code;

use super::Home;
use crate::world::code;

/// Every text in the tables of contacts.
async fn texts(home: &Home) -> String {
    let mut texts = String::new();
    for statement in [
        "SELECT kind || ' ' || value AS told FROM contact_identifiers",
        "SELECT value AS told FROM contact_attributes",
        "SELECT COALESCE(text_value, '-') AS told FROM contact_fields",
        "SELECT domain || COALESCE(name, '') AS told FROM companies",
        "SELECT evidence || via AS told FROM contact_merges",
        "SELECT label AS told FROM contact_labels",
        "SELECT 'conflict' AS told FROM contact_conflicts",
        "SELECT 'contact ' || id AS told FROM contacts",
    ] {
        for row in home.world.raw().await.fetch_all(statement).await.unwrap() {
            texts.push_str(&row.get::<String, _>("told"));
            texts.push('\n');
        }
    }
    texts
}

#[tokio::test]
async fn a_person_goes_whole_and_alone() {
    let home = Home::new().await;
    let control = home.control();
    home.identify("u:bob e:bob@acme.com v:b1 n:Bob 1=b").await;
    let before = texts(&home).await;
    let people = home.people(PeopleOf::Companies).await;
    let ann = home.identify("u:ann e:ann@ann-private.com v:a1 v:a2 n:Ann p:1 l:Here 1=secret").await;
    home.identify("t:ann e:ann@acme.com v:a3").await;
    home.identify("t:ann u:ann").await;
    home.identify("u:bob v:a1").await;
    home.identify("u:ann v:b1").await;
    assert_eq!(control.list_conflicts(&home.scope, 10).await.unwrap().len(), 2);
    assert_eq!(control.erase_contacts(&home.scope, Forgotten::User("ann".into())).await.unwrap(), 2, "both that were one");
    assert_eq!(texts(&home).await, before, "acme.com has another address");
    assert_eq!(home.people(PeopleOf::Companies).await, people);
    assert_eq!(code(control.get_contact(&home.scope, ann).await), Code::NotFound);
    for nobody in [Forgotten::User("ann".into()), Forgotten::Visitor("a3".into()), Forgotten::User("a1".into())] {
        assert_eq!(control.erase_contacts(&home.scope, nobody).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn a_visitor_leads_to_the_person_and_everyone_is_everyone_here() {
    let home = Home::new().await;
    let control = home.control();
    let account = home.world.account("B").await;
    let other = Home::open(&home.world, account.id, "other").await;
    home.identify("u:ann e:ann@acme.com v:a1").await;
    control.identify(&other, super::identification("u:ann e:ann@acme.com v:a1 n:Theirs")).await.unwrap();
    assert_eq!(control.erase_contacts(&home.scope, Forgotten::Visitor("a1".into())).await.unwrap(), 1);
    assert!(texts(&home).await.contains("Theirs"));
    home.identify("u:bob v:b1").await;
    home.identify("u:carl v:b1").await;
    home.identify("u:carl e:bob@acme.com").await;
    control.set_label(&home.scope, tributary_control::Slot::new(1).unwrap(), "Plan").await.unwrap();
    assert_eq!(control.erase_contacts(&home.scope, Forgotten::Everyone).await.unwrap(), 2);
    assert_eq!(texts(&home).await, "email ann@acme.com\nuser_id ann\nvisitor a1\nTheirs\nacme.com\nPlan\ncontact 2\n");
}
