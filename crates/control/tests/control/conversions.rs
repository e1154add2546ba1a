//! Conversions: what is set, what counts, which rules map what, and that it is read anew after a change alone.

use std::sync::Arc;

use tributary_control::{
    ConversionChange, CountsFrom, EndpointChange, MappingChange, MappingSource, NewMapping, SigningSecret, WebhookProvider,
};
use tributary_core::conversion::ConversionType;
use tributary_core::error::Code;
use tributary_core::ids::{EndpointId, MappingId};

use crate::world::{World, code};

fn slot(number: u8) -> ConversionType {
    ConversionType::parse(&format!("custom_event_{number}")).unwrap()
}

fn label(label: &str) -> ConversionChange {
    ConversionChange { label: Some(label.into()), ..ConversionChange::default() }
}

fn event(name: &str, to: ConversionType) -> NewMapping {
    NewMapping { name: format!("rule of {name}"), to, source: MappingSource::Event(name.into()) }
}

fn webhook(endpoint: EndpointId) -> NewMapping {
    let source = MappingSource::Webhook { endpoint, definition: "{}".into() };
    NewMapping { name: "orders".into(), to: ConversionType::PURCHASE, source }
}

#[tokio::test]
async fn defaults_and_what_a_workspace_sets() {
    let world = World::new().await;
    let (scope, other) = (world.scope("a").await, world.scope("b").await);
    let fresh = world.control.conversions(&scope).await.unwrap();
    assert_eq!(fresh.configured().count(), 15);
    assert_eq!(fresh.gross_revenue(), [ConversionType::PURCHASE, ConversionType::UPSELL_PURCHASE]);
    assert_eq!(fresh.label_of(slot(3)), "Custom Event 3");
    assert!(Arc::ptr_eq(&fresh, &world.control.conversions(&scope).await.unwrap()), "read once");

    world.control.set_conversion(&scope, slot(2), label(" Deal Created ")).await.unwrap();
    let revenue = ConversionChange { include_in_gross_revenue: Some(true), ..ConversionChange::default() };
    let set = world.control.set_conversion(&scope, slot(2), revenue).await.unwrap();
    assert_eq!((set.label.as_deref(), set.include_in_gross_revenue), (Some("Deal Created"), true), "what is not given stays");
    let server = ConversionChange { counts_from: Some(CountsFrom::Server), ..ConversionChange::default() };
    world.control.set_conversion(&scope, ConversionType::PURCHASE, server).await.unwrap();

    let now = world.control.conversions(&scope).await.unwrap();
    assert_eq!(now.configured().last().unwrap().conversion, slot(2));
    assert_eq!(now.gross_revenue(), [ConversionType::PURCHASE, ConversionType::UPSELL_PURCHASE, slot(2)]);
    assert_eq!(now.settings(ConversionType::PURCHASE).counts_from, CountsFrom::Server);
    for (text, conversion) in [
        ("purchase", Some(ConversionType::PURCHASE)),
        ("PURCHASE", Some(ConversionType::PURCHASE)),
        ("Upsell Purchase", Some(ConversionType::UPSELL_PURCHASE)),
        ("deal created", Some(slot(2))),
        ("custom_event_9", Some(slot(9))),
        ("Custom Event 9", None),
        ("deal", None),
    ] {
        assert_eq!(now.resolve(text), conversion, "{text}");
    }
    assert_eq!(*world.control.conversions(&other).await.unwrap(), *fresh, "another workspace has set nothing");

    world.control.clear_conversion(&scope, slot(2)).await.unwrap();
    world.control.clear_conversion(&scope, ConversionType::PURCHASE).await.unwrap();
    assert_eq!(*world.control.conversions(&scope).await.unwrap(), *fresh);
}

#[tokio::test]
async fn what_cannot_be_set() {
    let world = World::new().await;
    let scope = world.scope("a").await;
    world.control.set_conversion(&scope, slot(1), label("Deal")).await.unwrap();
    let revenue = |include| ConversionChange { include_in_gross_revenue: Some(include), ..ConversionChange::default() };
    for (conversion, change, code_of) in [
        (slot(2), ConversionChange::default(), Code::InvalidParams),
        (slot(2), label("DEAL"), Code::Conflict),
        (slot(2), label("Purchase"), Code::InvalidParams),
        (slot(2), label("Add_To_Cart"), Code::InvalidParams),
        (slot(2), label("custom_event_2"), Code::InvalidParams),
        (slot(2), label("Custom Event 5"), Code::InvalidParams),
        (slot(2), label(" "), Code::InvalidParams),
        (slot(2), label(&"x".repeat(129)), Code::InvalidParams),
        (slot(2), revenue(true), Code::InvalidParams),
        (ConversionType::PURCHASE, label("Order"), Code::InvalidParams),
        (ConversionType::PURCHASE, revenue(false), Code::InvalidParams),
        (ConversionType::parse("contact").unwrap(), revenue(true), Code::InvalidParams),
    ] {
        let refused = world.control.set_conversion(&scope, conversion, change.clone()).await;
        assert_eq!(code(refused), code_of, "{conversion} {change:?}");
    }
    world.control.set_conversion(&scope, ConversionType::PURCHASE, revenue(true)).await.unwrap();
    world.control.set_conversion(&scope, slot(2), label("Custom Event 2")).await.unwrap();
    world.control.set_conversion(&scope, slot(1), label("deal")).await.unwrap();
}

#[tokio::test]
async fn rules_map_names() {
    let world = World::new().await;
    let (scope, other) = (world.scope("a").await, world.scope("b").await);
    let control = &world.control;
    let done = control.create_mapping(&scope, event("checkout_done", ConversionType::PURCHASE)).await.unwrap();
    control.create_mapping(&scope, event("Bought", ConversionType::PURCHASE)).await.unwrap();
    let conversions = control.conversions(&scope).await.unwrap();
    assert_eq!(conversions.names_of(ConversionType::PURCHASE), ["purchase", "Bought", "checkout_done"]);
    assert_eq!(conversions.type_of("checkout_done"), Some(ConversionType::PURCHASE));
    assert_eq!((conversions.type_of("bought"), conversions.type_of("schedule").is_some()), (None, true), "names are exact");

    for (new, code_of) in [
        (event("checkout_done", slot(1)), Code::Conflict),
        (event("contact", slot(1)), Code::InvalidParams),
        (event("", slot(1)), Code::InvalidParams),
        (event(&"x".repeat(129), slot(1)), Code::InvalidParams),
        (NewMapping { name: String::new(), ..event("x", slot(1)) }, Code::InvalidParams),
        (webhook(EndpointId(1)), Code::NotFound),
    ] {
        assert_eq!(code(control.create_mapping(&scope, new.clone()).await), code_of, "{new:?}");
    }
    control.create_mapping(&other, event("checkout_done", slot(1))).await.unwrap();
    assert_eq!(code(control.get_mapping(&other, done.id).await), Code::NotFound);

    let moved = MappingChange { to: Some(slot(4)), ..MappingChange::default() };
    assert_eq!(code(control.update_mapping(&other, done.id, moved.clone()).await), Code::NotFound);
    assert_eq!(code(control.update_mapping(&scope, done.id, MappingChange::default()).await), Code::InvalidParams);
    let changed = control.update_mapping(&scope, done.id, moved).await.unwrap();
    assert_eq!((changed.name, changed.source), (done.name, done.source));
    assert_eq!(control.conversions(&scope).await.unwrap().type_of("checkout_done"), Some(slot(4)));
    let taken = MappingChange { source: Some(MappingSource::Event("Bought".into())), ..MappingChange::default() };
    assert_eq!(code(control.update_mapping(&scope, done.id, taken).await), Code::Conflict);

    assert_eq!(code(control.delete_mapping(&other, done.id).await), Code::NotFound);
    control.delete_mapping(&scope, done.id).await.unwrap();
    assert_eq!(code(control.delete_mapping(&scope, done.id).await), Code::NotFound);
    assert_eq!(control.conversions(&scope).await.unwrap().type_of("checkout_done"), None);
    assert_eq!(code(control.get_mapping(&scope, MappingId(99)).await), Code::NotFound);
}

#[tokio::test]
async fn rules_are_bounded() {
    let world = World::new().await;
    let scope = world.scope("a").await;
    for number in 0..200 {
        world.control.create_mapping(&scope, event(&format!("e{number}"), slot(1))).await.unwrap();
    }
    assert_eq!(code(world.control.create_mapping(&scope, event("e200", slot(1))).await), Code::Conflict);
    assert_eq!(world.control.conversions(&scope).await.unwrap().names_of(slot(1)).len(), 201);
}

#[tokio::test]
async fn endpoints_and_their_secrets() {
    let world = World::new().await;
    let (scope, other) = (world.scope("a").await, world.scope("b").await);
    let open =
        async |name: &str, secret| world.control.create_webhook_endpoint(&scope, name, WebhookProvider::Shopify, secret).await;
    let (shop, drawn) = open("shop", SigningSecret::Drawn).await.unwrap();
    let (second, given) = open("second", SigningSecret::Given("shpss_0123456789".into())).await.unwrap();
    assert!(drawn.starts_with("whsec_") && drawn.len() == 49 && given == "shpss_0123456789");
    assert!(shop.token.len() == 32 && shop.token != second.token && shop.is_active);
    for secret in ["short", "with space in it", &"x".repeat(256)] {
        assert_eq!(code(open("third", SigningSecret::Given(secret.into())).await), Code::InvalidParams, "{secret}");
    }
    assert_eq!(code(open("", SigningSecret::Drawn).await), Code::InvalidParams);

    let stored = std::fs::read(world.folder.path().join("control.db-wal")).unwrap();
    for secret in [&drawn, &given] {
        assert!(!stored.windows(secret.len()).any(|bytes| bytes == secret.as_bytes()), "a secret lies open in the database");
    }
    assert_eq!(world.control.webhook_secret(&scope, shop.id).await.unwrap(), drawn);
    assert_eq!(code(world.control.webhook_secret(&other, shop.id).await), Code::NotFound);

    let (_, rotated) = world.control.rotate_webhook_secret(&scope, shop.id, SigningSecret::Drawn).await.unwrap();
    assert!(rotated != drawn);
    let change = EndpointChange { is_active: Some(false), ..EndpointChange::default() };
    assert_eq!(code(world.control.update_webhook_endpoint(&other, shop.id, change.clone()).await), Code::NotFound);
    let closed = world.control.update_webhook_endpoint(&scope, shop.id, change).await.unwrap();
    assert_eq!((closed.is_active, &closed.name, &closed.token), (false, &shop.name, &shop.token));
    let nothing = world.control.update_webhook_endpoint(&scope, shop.id, EndpointChange::default()).await;
    assert_eq!(code(nothing), Code::InvalidParams);

    let world = world.restart().await;
    assert_eq!(world.control.webhook_secret(&scope, shop.id).await.unwrap(), rotated, "and after a restart");
    // A sealed secret opens at its own endpoint alone.
    let swap = "UPDATE webhook_endpoints SET sealed_secret = (SELECT sealed_secret FROM webhook_endpoints WHERE id = 2)";
    assert_eq!(world.tamper(swap).await, None);
    assert_eq!(code(world.control.webhook_secret(&scope, shop.id).await), Code::Internal);
}

#[tokio::test]
async fn an_endpoint_that_rules_read_stays() {
    let world = World::new().await;
    let (scope, other) = (world.scope("a").await, world.scope("b").await);
    let (shop, _) =
        world.control.create_webhook_endpoint(&scope, "shop", WebhookProvider::default(), SigningSecret::Drawn).await.unwrap();
    assert_eq!(code(world.control.create_mapping(&other, webhook(shop.id)).await), Code::NotFound);
    let rule = world.control.create_mapping(&scope, webhook(shop.id)).await.unwrap();
    let refused = world.control.delete_webhook_endpoint(&scope, shop.id).await.unwrap_err();
    let told = "event mappings read this endpoint: 1 (orders); delete or change them first";
    assert_eq!((refused.code(), refused.message()), (Code::Conflict, told));
    world.control.delete_mapping(&scope, rule.id).await.unwrap();
    assert_eq!(code(world.control.delete_webhook_endpoint(&other, shop.id).await), Code::NotFound);
    world.control.delete_webhook_endpoint(&scope, shop.id).await.unwrap();
    assert_eq!(world.control.list_webhook_endpoints(&scope).await.unwrap(), []);

    for number in 0..100 {
        let name = format!("endpoint {number}");
        world.control.create_webhook_endpoint(&scope, &name, WebhookProvider::Generic, SigningSecret::Drawn).await.unwrap();
    }
    let full = world.control.create_webhook_endpoint(&scope, "one more", WebhookProvider::Generic, SigningSecret::Drawn).await;
    assert!(matches!(full, Err(error) if error.code() == Code::Conflict));
}

#[tokio::test]
async fn a_deleted_workspace_leaves_nothing_of_it() {
    let world = World::new().await;
    let scope = world.scope("a").await;
    world.control.set_conversion(&scope, slot(1), label("Deal")).await.unwrap();
    let (shop, _) =
        world.control.create_webhook_endpoint(&scope, "shop", WebhookProvider::default(), SigningSecret::Drawn).await.unwrap();
    world.control.create_mapping(&scope, webhook(shop.id)).await.unwrap();
    world.control.delete_workspace(scope.workspace()).await.unwrap();
    assert_eq!(world.control.list_mappings(&scope).await.unwrap(), []);
    assert_eq!(world.control.list_webhook_endpoints(&scope).await.unwrap(), []);
    assert_eq!(world.control.conversions(&scope).await.unwrap().configured().count(), 15);
}
