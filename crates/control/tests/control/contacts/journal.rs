//! Merging and undoing it: exact, whatever else happens.

use proptest::prelude::*;
use sqlx::{Executor, Row};
use tributary_control::{Identification, PeopleOf};
use tributary_core::error::Code;
use tributary_core::ids::ContactId;
use tributary_core::scope::WorkspaceScope;

use super::{Home, identification};
use crate::world::{World, code};

#[tokio::test]
async fn a_split_gives_back_what_each_had() {
    let home = Home::new().await;
    let ann = home.identify("u:u1 e:ann@example.com v:v1 n:Ann 1=Free 16=1").await;
    let bob = home.identify("t:t2 e:bob@example.com v:v2 n:Bob p:2 1=Pro").await;
    let before = (home.shown(ann).await, home.shown(bob).await);
    home.identify("e:ann@example.com t:t2").await;
    assert_eq!(
        home.shown(bob).await,
        format!("{ann}: e:bob@example.com,ann@example.com n:Bob,Ann p:2 v:v2,v1 1=Pro 16=1 12:00..12:00")
    );
    assert_eq!(home.people(PeopleOf::Contacts).await, ["v1+v2"]);
    let merge = home.control().list_merges(&home.scope, 1, None).await.unwrap()[0].id;
    let separated = home.control().split_contacts(&home.scope, merge).await.unwrap();
    assert_eq!(separated.contacts, [ann, bob]);
    assert_eq!((home.shown(ann).await, home.shown(bob).await), before);
    assert!(home.people(PeopleOf::Contacts).await.is_empty());

    // What was undone does not come back by itself; other evidence counts, and so does an operator's word.
    home.identify("e:ann@example.com t:t2").await;
    assert_eq!(home.shown(bob).await, before.1);
    assert_eq!(code(home.control().split_contacts(&home.scope, merge).await), Code::Conflict);
    let by_hand = home.control().merge_contacts(&home.scope, bob, ann, "they told us").await.unwrap();
    assert_eq!(code(home.control().merge_contacts(&home.scope, ann, bob, "again").await), Code::Conflict);
    assert_eq!(home.control().get_contact(&home.scope, bob).await.unwrap().id, ann);
    home.control().split_contacts(&home.scope, by_hand).await.unwrap();
    home.identify("u:u1 t:t2").await;
    assert_eq!(home.control().get_contact(&home.scope, bob).await.unwrap().id, ann);
    assert_eq!(
        home.journal().await,
        [
            format!("{bob}>{ann} email+tracking_id via test undone"),
            format!("{bob}>{ann} manual via they told us undone"),
            format!("{bob}>{ann} user_id+tracking_id via test"),
        ]
    );
}

#[tokio::test]
async fn a_merge_in_the_middle_can_be_undone() {
    let home = Home::new().await;
    let mut contacts = Vec::new();
    for n in 1..=4 {
        contacts.push(home.identify(&format!("e:{n}@example.com t:{n} v:{n}")).await);
    }
    for (one, other) in [(3, 4), (2, 3), (1, 2)] {
        home.identify(&format!("e:{one}@example.com t:{other}")).await;
    }
    assert_eq!(home.people(PeopleOf::Contacts).await, ["1+2+3+4"]);
    let middle = home.control().list_merges(&home.scope, 100, None).await.unwrap()[1].id;
    let separated = home.control().split_contacts(&home.scope, middle).await.unwrap();
    assert_eq!(separated.contacts, [contacts[0], contacts[2]]);
    assert_eq!(home.people(PeopleOf::Contacts).await, ["1+2", "3+4"]);
    // What holds two together twice must be undone twice.
    home.identify("e:1@example.com t:3").await;
    home.identify("e:3@example.com t:1").await;
    let last = home.control().list_merges(&home.scope, 100, None).await.unwrap()[0].clone();
    assert_eq!((last.into, last.merged), (contacts[0], contacts[2]));
    let again = home.control().merge_contacts(&home.scope, contacts[0], contacts[2], "sure").await.unwrap();
    assert_eq!(home.control().split_contacts(&home.scope, last.id).await.unwrap().contacts, [contacts[0]]);
    assert_eq!(home.control().split_contacts(&home.scope, again).await.unwrap().contacts, [contacts[0], contacts[2]]);
}

#[tokio::test]
async fn merges_are_asked_for_sensibly() {
    let home = Home::new().await;
    let ann = home.identify("u:u1").await;
    let control = home.control();
    assert_eq!(code(control.merge_contacts(&home.scope, ann, ann, "x").await), Code::InvalidParams);
    assert_eq!(code(control.merge_contacts(&home.scope, ann, ContactId(99), "x").await), Code::NotFound);
    let bob = home.identify("u:u2").await;
    for note in ["", "two\nlines", &"x".repeat(65)] {
        assert_eq!(code(control.merge_contacts(&home.scope, ann, bob, note).await), Code::InvalidParams, "{note}");
    }
    assert_eq!(code(control.split_contacts(&home.scope, tributary_core::ids::MergeId(99)).await), Code::NotFound);
}

/// Everything that can be read of a workspace, with contacts by their order: ids differ between workspaces.
async fn state(world: &World, scope: &WorkspaceScope) -> String {
    let rows = world
        .raw()
        .await
        .fetch_all(sqlx::query("SELECT id FROM contacts WHERE workspace_id = $1 ORDER BY id").bind(scope.workspace().0))
        .await
        .unwrap();
    let ids: Vec<ContactId> = rows.iter().map(|row| ContactId(row.get("id"))).collect();
    let number = |id: ContactId| ids.iter().position(|known| *known == id).unwrap();
    let mut told = String::new();
    for id in &ids {
        let mut contact = world.control.get_contact(scope, *id).await.unwrap();
        let (survivor, company) = (number(contact.id), contact.company.take());
        let domain = match company {
            Some(company) => Some(world.control.get_company(scope, company).await.unwrap().domain),
            None => None,
        };
        contact.id = ContactId(0);
        told.push_str(&format!("{} is {survivor} of {domain:?}: {contact:?}\n", number(*id)));
    }
    let rows = world
        .raw()
        .await
        .fetch_all(
            sqlx::query("SELECT kind, value, contact_id FROM contact_identifiers WHERE workspace_id = $1 ORDER BY kind, value")
                .bind(scope.workspace().0),
        )
        .await
        .unwrap();
    for row in rows {
        let (kind, value): (String, String) = (row.get("kind"), row.get("value"));
        told.push_str(&format!("{kind} {value} of {}\n", number(ContactId(row.get("contact_id")))));
    }
    for of in [PeopleOf::Contacts, PeopleOf::Companies] {
        told.push_str(&format!("{of:?}: {:?}\n", world.control.people(scope, of).await.unwrap()));
    }
    told
}

/// Something learned, from few values, so that they meet.
fn learned() -> impl Strategy<Value = Identification> {
    let some =
        |prefix: &'static str, count: u8| proptest::option::of((0..count).prop_map(move |n| format!("{prefix}:{prefix}{n}")));
    let email =
        proptest::option::of((0..4_u8).prop_map(|n| format!("e:e{n}@{}.com", ["acme", "gmail", "other"][n as usize % 3])));
    let visitors = proptest::collection::vec((0..5_u8).prop_map(|n| format!("v:v{n}")), 0..3);
    let field = proptest::option::of((1..3_u8, 0..3_u8).prop_map(|(slot, n)| format!("{slot}={n}")));
    (some("u", 3), email, some("t", 3), visitors, some("n", 3), field, 0..5_i64).prop_map(
        |(user, email, tracking, visitors, name, field, hours)| {
            let parts: Vec<String> = [user, email, tracking].into_iter().flatten().chain(visitors).collect();
            let parts = if parts.is_empty() { vec![String::from("v:v0")] } else { parts };
            let parts: Vec<String> = parts.into_iter().chain(name).chain(field).collect();
            let mut one = identification(&parts.join(" "));
            one.visitors.dedup();
            one.seen_us += hours * 3_600_000_000;
            one
        },
    )
}

/// The contact made `number`-th in a workspace, if there are so many.
async fn nth(world: &World, scope: &WorkspaceScope, number: usize) -> Option<ContactId> {
    let rows = world
        .raw()
        .await
        .fetch_all(sqlx::query("SELECT id FROM contacts WHERE workspace_id = $1 ORDER BY id").bind(scope.workspace().0))
        .await
        .unwrap();
    let ids: Vec<i64> = rows.iter().map(|row| row.get("id")).collect();
    (!ids.is_empty()).then(|| ContactId(ids[number % ids.len()]))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Merge, split, merge equals merge; merge and split equals neither; with anything learned before, between and after.
    #[test]
    fn merges_are_undone_exactly(
        before in proptest::collection::vec(learned(), 1..10),
        between in proptest::collection::vec(learned(), 0..6),
        after in proptest::collection::vec(learned(), 0..6),
        (one, other) in (0..9_usize, 0..9_usize),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let world = World::new().await;
            let account = world.account("A").await;
            let mut states = Vec::new();
            // What happens to the pair before and after `between`.
            for (slug, first, second) in [("never", "", ""), ("undone", "m", "s"), ("once", "m", ""), ("again", "ms", "m"), ("twice", "m", "sm")] {
                let scope = Home::open(&world, account.id, slug).await;
                let mut merge = None;
                for (learned, steps) in [(&before, first), (&between, second), (&after, "")] {
                    for one in learned {
                        world.control.identify(&scope, one.clone()).await.unwrap();
                    }
                    // The pair is chosen once: later there may be more contacts to choose from.
                    if merge.is_none() {
                        let pair = (nth(&world, &scope, one).await.unwrap(), nth(&world, &scope, other).await.unwrap());
                        merge = Some((pair, None));
                    }
                    let Some((pair, id)) = &mut merge else { unreachable!() };
                    for step in steps.chars().filter(|_| pair.0 != pair.1) {
                        match (step, id.take()) {
                            ('m', _) => *id = Some(world.control.merge_contacts(&scope, pair.0, pair.1, "test").await.unwrap()),
                            (_, Some(merged)) => drop(world.control.split_contacts(&scope, merged).await.unwrap()),
                            (_, None) => unreachable!("only what was merged is split"),
                        }
                    }
                }
                states.push(state(&world, &scope).await);
            }
            let [never, undone, once, again, twice] = states.try_into().unwrap();
            assert_eq!(undone, never);
            assert_eq!(again, once);
            assert_eq!(twice, once);
        });
    }
}
