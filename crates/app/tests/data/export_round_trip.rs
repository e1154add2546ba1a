//! An export imported into an empty workspace gives the same events, so the same answers.

use std::path::Path;

use crate::support::{World, all, data, mapping, world};
use tributary_app::demo::generate::{Recipe, Site, generate};
use tributary_app::export::stream::{Selection, Source, stream};
use tributary_app::export::write::{ExportFormat, Writer};
use tributary_app::import::mapping::Mapping;
use tributary_core::event::Event;
use tributary_events::field::Field;
use tributary_events::question::{Bots, Metric};
use tributary_http::admin::BotsBody;

async fn export(world: &World, format: ExportFormat, path: &Path, bots: BotsBody) -> u64 {
    let source = Source::Store(world.store.clone(), world.scope.clone());
    let selection = Selection { start_us: i64::MIN, end_us: i64::MAX, events: Vec::new(), bots };
    let mut writer = Writer::begin(format, Box::new(std::fs::File::create(path).expect("writable"))).expect("begins");
    let count = stream(&source, &selection, &mut |events| writer.write(events)).await.expect("streams");
    writer.finish().expect("ends");
    count
}

async fn demo() -> World {
    let world = world();
    let recipe = Recipe { seed: 5, events: 5_000, until_us: 1_780_000_000_000_000 };
    for site in Site::ALL {
        let mut events = Vec::new();
        generate(site, &recipe, &mut |day| {
            for sent in day {
                events.push(world.pipeline.event(sent.draft, &sent.arrival)?);
            }
            Ok(())
        })
        .expect("generates");
        world.store.append(&world.scope, events).await.expect("stores");
    }
    world
}

fn without_address(mut event: Event) -> Event {
    event.ip_hash = None;
    event
}

#[tokio::test]
async fn every_format_comes_back_whole() {
    let original = demo().await;
    let events = original.events().await;
    assert_eq!(events.len(), 5_000);
    assert!(events.iter().any(|event| event.bot.is_some()) && events.iter().any(|event| event.amount.is_some()));
    for (format, name) in [(ExportFormat::Ndjson, "e.ndjson"), (ExportFormat::Csv, "e.csv"), (ExportFormat::Parquet, "e.parquet")]
    {
        let path = original.folder.path().join(name);
        assert_eq!(export(&original, format, &path, BotsBody::Include).await, 5_000);
        let copy = world();
        let counts = copy.import(&path, Mapping::default()).await;
        assert_eq!((counts.accepted, counts.duplicates, counts.rejected), (5_000, 0, 0), "{name}");
        let copied = copy.events().await;
        for (left, right) in events.iter().zip(&copied) {
            assert_eq!(&without_address(left.clone()), right, "{name}");
        }
        for group in
            [Field::Source, Field::SessionId, Field::Bot, Field::SourceRuleId, Field::Origin, Field::Property("plan".into())]
        {
            let metrics = [Metric::Events, Metric::Visitors, Metric::Sessions, Metric::Amount("EUR".parse().expect("valid"))];
            let ask =
                async |world: &World| world.aggregate(all(Bots::Exclude), &metrics, std::slice::from_ref(&group), None).await;
            assert_eq!(ask(&original).await, ask(&copy).await, "{name} by {group:?}");
        }
    }
}

#[tokio::test]
async fn events_without_ids_keep_their_order() {
    let original = world();
    original.import(&data("ecom_retentioneering/ecom.csv.gz"), mapping("ecom.toml")).await;
    let path = original.folder.path().join("all.parquet");
    export(&original, ExportFormat::Parquet, &path, BotsBody::Include).await;
    let copy = world();
    copy.import(&path, Mapping::default()).await;
    let names = async |world: &World| -> Vec<(String, String)> {
        world.events().await.into_iter().map(|event| (event.session_id(), event.name)).collect()
    };
    assert!(names(&original).await == names(&copy).await);
}

#[tokio::test]
async fn bots_and_ranges_are_chosen() {
    let original = demo().await;
    let bots = original.events().await.iter().filter(|event| event.bot.is_some()).count() as u64;
    let path = original.folder.path().join("bots.csv");
    assert_eq!(export(&original, ExportFormat::Csv, &path, BotsBody::Only).await, bots);
    assert_eq!(export(&original, ExportFormat::Csv, &path, BotsBody::Exclude).await, 5_000 - bots);
    let empty = world();
    assert_eq!(export(&empty, ExportFormat::Parquet, &path, BotsBody::Include).await, 0);
}
