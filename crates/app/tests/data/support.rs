//! An empty workspace in the reference store, and imports into it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::tz::TimeZone;
use tributary_app::import::destination::Destination;
use tributary_app::import::job::{FileReport, Job, run};
use tributary_app::import::mapping::Mapping;
use tributary_app::import::plan::{EventIds, Surroundings};
use tributary_app::import::read::access_log::{LogEvents, LogOptions};
use tributary_app::import::run::Counts;
use tributary_core::clock::FixedClock;
use tributary_core::entropy::SeededEntropy;
use tributary_core::error::Result;
use tributary_core::event::Event;
use tributary_core::scope::WorkspaceScope;
use tributary_core::time::TimeRange;
use tributary_events::answer::{AggregateAnswer, Answer, FunnelAnswer, RowsAnswer, SessionsAnswer};
use tributary_events::bucket::{Buckets, Interval};
use tributary_events::field::Field;
use tributary_events::question::{Aggregate, Bots, Budget, Funnel, Metric, Question, RowOrder, Rows, Sessions, Slice};
use tributary_events::reference::ReferenceStore;
use tributary_events::store::EventStore;
use tributary_ingest::pipeline::{Pipeline, Settings};
use tributary_service::import::Importer;

pub struct World {
    pub store: Arc<dyn EventStore>,
    pub scope: WorkspaceScope,
    pub pipeline: Arc<Pipeline>,
    pub folder: tempfile::TempDir,
}

/// An empty workspace.
pub fn world() -> World {
    let pipeline = Pipeline::open(Settings { ip_salt: [1; 32], geo_database: None }, SeededEntropy::new(1)).expect("opens");
    World {
        store: Arc::new(ReferenceStore::new()),
        scope: tributary_testkit::scope::workspace(1),
        pipeline: Arc::new(pipeline),
        folder: tempfile::tempdir().expect("a scratch folder"),
    }
}

impl World {
    pub fn destination(&self) -> Destination {
        Destination::Store(Importer {
            events: self.store.clone(),
            contacts: None,
            scope: self.scope.clone(),
            pipeline: self.pipeline.clone(),
            zone: TimeZone::UTC,
            clock: FixedClock::at(1_790_000_000_000_000),
            site_host: None,
        })
    }

    pub fn job(&self, file: &Path, mapping: Mapping) -> Job {
        Job {
            files: vec![file.to_owned()],
            format: None,
            mapping,
            around: Surroundings {
                zone: TimeZone::UTC,
                currency: Some("EUR".parse().expect("valid")),
                event_ids: EventIds::FromRow,
            },
            log: LogOptions { site: None, events: LogEvents::Requests, visitor_key: [7; 16] },
            rejected_dir: Some(self.folder.path().to_owned()),
        }
    }

    pub async fn import(&self, file: &Path, mapping: Mapping) -> Counts {
        self.run(&self.job(file, mapping)).await.expect("imports").remove(0).counts
    }

    pub async fn run(&self, job: &Job) -> Result<Vec<FileReport>> {
        run(job, &self.destination()).await
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).expect("the scratch folder is writable");
        path
    }

    pub async fn ask(&self, question: Question) -> Answer {
        self.store.ask(&self.scope, question, Budget::BACKGROUND).await.expect("answers").answer
    }

    pub async fn aggregate(&self, slice: Slice, metrics: &[Metric], group_by: &[Field], by: Option<Interval>) -> AggregateAnswer {
        let buckets = by.map(|interval| Buckets::cover(slice.range, interval, &TimeZone::UTC).expect("few buckets"));
        let question = Aggregate { slice, metrics: metrics.to_vec(), group_by: group_by.to_vec(), buckets, limit: 100_000 };
        match self.ask(Question::Aggregate(question)).await {
            Answer::Aggregate(answer) => answer,
            other => panic!("{other:?}"),
        }
    }

    pub async fn funnel(&self, question: Funnel) -> FunnelAnswer {
        match self.ask(Question::Funnel(question)).await {
            Answer::Funnel(answer) => answer,
            other => panic!("{other:?}"),
        }
    }

    pub async fn sessions(&self, question: Sessions) -> SessionsAnswer {
        match self.ask(Question::Sessions(question)).await {
            Answer::Sessions(answer) => answer,
            other => panic!("{other:?}"),
        }
    }

    /// Every event, bots too, oldest first.
    pub async fn events(&self) -> Vec<Event> {
        let (order, limit) = (RowOrder::OldestFirst, 100_000);
        let question = Rows { slice: all(Bots::Include), order, limit, count_up_to: u64::MAX, after: None, only: None };
        match self.ask(Question::Rows(question)).await {
            Answer::Rows(RowsAnswer { rows, total, .. }) => {
                assert_eq!(rows.len() as u64, total);
                rows
            }
            other => panic!("{other:?}"),
        }
    }
}

/// A slice from 2000 to 2060.
pub fn all(bots: Bots) -> Slice {
    Slice { bots, ..Slice::of(TimeRange { start_us: 946_684_800_000_000, end_us: 2_840_140_800_000_000 }) }
}

/// A file of the outside data.
pub fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data").join(path)
}

/// A mapping of `examples/mappings`.
pub fn mapping(name: &str) -> Mapping {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/mappings").join(name);
    Mapping::read(&path).expect("the example is valid")
}

/// The text of a gzip file.
pub fn unzip(path: &Path) -> String {
    use std::io::Read as _;
    let mut text = String::new();
    let file = std::fs::File::open(path).expect("the file exists");
    flate2::read::MultiGzDecoder::new(file).read_to_string(&mut text).expect("gzip of UTF-8");
    text
}

/// A CSV file as rows of named values.
pub fn table(path: &Path) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(path).expect("the table exists");
    reader.deserialize().map(|row| row.expect("readable")).collect()
}
