//! Ties of events: written once, remembered, written again after an erasure.

use sqlx::{Executor, Row};
use tributary_control::{Forgotten, Identification, PeopleOf};
use tributary_core::time::SECOND_US;

use super::{Home, identification};
use crate::world::NOW_US;

const MINUTE_US: i64 = 60 * SECOND_US;

/// How many changes the database has taken in.
async fn commits(home: &Home) -> i32 {
    home.world.raw().await.fetch_one("PRAGMA user_version").await.unwrap().get(0)
}

fn at(text: &str, minutes: i64) -> Identification {
    Identification { seen_us: NOW_US + minutes * MINUTE_US, ..identification(text) }
}

#[tokio::test]
async fn what_is_known_costs_no_statement() {
    let home = Home::new().await;
    let control = home.control();
    control.identify_seen(&home.scope, vec![at("u:u1 v:v1", 0), at("u:u1 v:v1", 1), at("u:u1 v:v2", 2)]).await.unwrap();
    assert_eq!(home.people(PeopleOf::Contacts).await, ["v1+v2"]);
    let before = commits(&home).await;
    control.identify_seen(&home.scope, vec![at("u:u1 v:v1", 5), at("u:u1 v:v2", 59)]).await.unwrap();
    control.identify_seen(&home.scope, Vec::new()).await.unwrap();
    assert_eq!(commits(&home).await, before);
    control.identify_seen(&home.scope, vec![at("u:u1 v:v1", 60)]).await.unwrap();
    control.identify_seen(&home.scope, vec![at("u:u1 v:v1", -1)]).await.unwrap();
    assert_eq!(commits(&home).await, before + 2, "an hour later, and earlier than ever");
    assert_eq!(home.shown(home.identify("u:u1").await).await, "1: v:v2,v1 11:59..13:00");
}

#[tokio::test]
async fn traits_and_workspaces_are_told_apart() {
    let home = Home::new().await;
    let account = home.world.account("B").await;
    let other = Home::open(&home.world, account.id, "other").await;
    let control = home.control();
    for text in ["u:u1 v:v1", "u:u1 v:v1 n:Ann", "u:u1 v:v1 n:Anna", "u:u1 v:v1 1=Pro"] {
        control.identify_seen(&home.scope, vec![identification(text)]).await.unwrap();
        control.identify_seen(&other, vec![identification(text)]).await.unwrap();
    }
    assert_eq!(home.shown(home.identify("u:u1").await).await, "1: n:Anna,Ann v:v1 1=Pro 12:00..12:00");
    let theirs = control.identify(&other, identification("u:u1")).await.unwrap();
    assert_eq!(control.get_contact(&other, theirs).await.unwrap().names, ["Anna", "Ann"]);
}

#[tokio::test]
async fn who_comes_back_after_an_erasure_is_new() {
    let home = Home::new().await;
    let control = home.control();
    let tie = || vec![identification("u:u1 v:v1"), identification("u:u1 v:v2")];
    control.identify_seen(&home.scope, tie()).await.unwrap();
    assert_eq!(control.erase_contacts(&home.scope, Forgotten::User("u1".into())).await.unwrap(), 1);
    assert!(home.people(PeopleOf::Contacts).await.is_empty());
    control.identify_seen(&home.scope, tie()).await.unwrap();
    assert_eq!(home.people(PeopleOf::Contacts).await, ["v1+v2"]);
}

#[tokio::test]
async fn many_at_once_and_a_refusal_is_not_remembered() {
    let home = Home::new().await;
    let control = home.control();
    let many: Vec<Identification> = (0..2_500).map(|n| identification(&format!("u:u{} v:v{n}", n / 2))).collect();
    control.identify_seen(&home.scope, many).await.unwrap();
    assert_eq!(home.people(PeopleOf::Contacts).await.len(), 1_250);
    let wrong = vec![identification("u:late v:w1"), identification("u:late v:w2"), identification("n:nobody")];
    assert!(control.identify_seen(&home.scope, wrong).await.is_err());
    control.identify_seen(&home.scope, vec![identification("u:late v:w1"), identification("u:late v:w2")]).await.unwrap();
    assert_eq!(home.people(PeopleOf::Contacts).await.len(), 1_251);
}
