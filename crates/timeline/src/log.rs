//! The log's thread: the only one that writes `events.db`. Appends queue up and are committed together; what was committed
//! is put into memory before anyone is told, so that acknowledged means durable and visible.

mod payload;

use rusqlite::{Connection, TransactionBehavior};
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::oneshot;

use tributary_core::error::{Code, Error, Result};
use tributary_core::event::Event;
use tributary_events::store::{Appended, Outcome};

use crate::catalogue::{self, LogEntry};
use crate::options::Options;
use crate::segment::Segment;
use crate::stored::Stored;
use crate::witness::Witness;
use crate::workspace::Workspace;
use payload::Payload;

/// How often one who waits for a place in the queue looks again.
const PAUSE: Duration = Duration::from_millis(50);

/// The way to the log's thread.
pub(crate) struct Log {
    queue: Sender<Command>,
    waiting_events: Arc<AtomicUsize>,
    /// Events in all tails: committed, not yet in segments.
    pub tail_events: Arc<AtomicUsize>,
    queue_limit: usize,
    tail_limit: usize,
    is_closed: AtomicBool,
    thread: Mutex<Option<JoinHandle<()>>>,
}

enum Command {
    Append(Append),
    Run(Work),
    Stop,
}

/// Something else that changes the database.
type Work = Box<dyn FnOnce(&mut Connection, &mut TailKeys) + Send>;

struct Append {
    workspace: Arc<Workspace>,
    /// Nobody else holds them yet.
    events: Vec<Arc<Stored>>,
    payload: Payload,
    reply: oneshot::Sender<Result<Appended>>,
}

/// The event ids of the tails with their sequence numbers, by workspace. They live with the thread that uses them.
#[derive(Default)]
pub(crate) struct TailKeys(HashMap<i64, HashMap<u128, u64, BuildHasherDefault<KeyHasher>>>);

/// Keys are keyed hashes already: nobody outside can steer them, and hashing them again would only cost.
#[derive(Default)]
pub(crate) struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u128(&mut self, key: u128) {
        self.0 = key as u64;
    }
}

impl TailKeys {
    /// The events are in the tail.
    pub fn add<'a>(&mut self, workspace: i64, events: impl IntoIterator<Item = &'a Arc<Stored>>) {
        let keys = self.0.entry(workspace).or_default();
        keys.extend(events.into_iter().filter_map(|event| Some((event.key?, event.sequence))));
    }

    /// The events have left the tail.
    pub fn remove<'a>(&mut self, workspace: i64, events: impl IntoIterator<Item = &'a Arc<Stored>>) {
        let Some(keys) = self.0.get_mut(&workspace) else { return };
        for event in events {
            // An erased event's id may have been used again: only the very event frees it.
            if let Some(key) = event.key
                && keys.get(&key) == Some(&event.sequence)
            {
                keys.remove(&key);
            }
        }
    }

    /// Everything up to a sequence number has left the tail.
    pub fn forget(&mut self, workspace: i64, up_to_sequence: u64) {
        if let Some(keys) = self.0.get_mut(&workspace) {
            keys.retain(|_, sequence| *sequence > up_to_sequence);
        }
    }
}

impl Log {
    /// Starts the thread. `grown` is called after every commit.
    pub fn start(
        connection: Connection,
        witness: Witness,
        keys: TailKeys,
        tail: usize,
        options: &Options,
        grown: Box<dyn Fn() + Send>,
    ) -> Self {
        let (queue, commands) = mpsc::channel();
        let waiting_events = Arc::new(AtomicUsize::new(0));
        let tail_events = Arc::new(AtomicUsize::new(tail));
        let writer =
            Writer { connection, witness, keys, commit_events: options.commit_events, tail_events: tail_events.clone(), grown };
        let thread = std::thread::Builder::new()
            .name(String::from("tributary-log"))
            .spawn(move || writer.serve(&commands))
            .expect("the system can start one more thread");
        Self {
            queue,
            waiting_events,
            tail_events,
            queue_limit: options.queue_events,
            tail_limit: options.tail_events,
            is_closed: AtomicBool::new(false),
            thread: Mutex::new(Some(thread)),
        }
    }

    /// Stores events; see [`tributary_events::store::EventStore::append_patiently`].
    pub async fn append(&self, workspace: Arc<Workspace>, events: Vec<Arc<Stored>>, patience: Duration) -> Result<Appended> {
        let _place = self.wait_for_place(events.len(), patience).await?;
        let payload = encode(events.iter().map(|event| &event.event))?;
        let (reply, answer) = oneshot::channel();
        self.send(Command::Append(Append { workspace, events, payload, reply }))?;
        answer.await.map_err(|_| closed())?
    }

    /// Runs a piece of work on the log's thread and waits for it. Not to be called from async code.
    pub fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection, &mut TailKeys) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = mpsc::sync_channel(1);
        self.send(Command::Run(Box::new(move |connection, keys| {
            // Nobody waiting any more is no reason not to finish.
            let _ = reply.send(work(connection, keys));
        })))?;
        answer.recv().map_err(|_| closed())?
    }

    /// Takes no more, finishes what is queued, ends the thread.
    pub fn close(&self) {
        self.is_closed.store(true, Ordering::SeqCst);
        let _ = self.queue.send(Command::Stop);
        if let Some(thread) = self.thread.lock().expect("no holder of this lock panics").take()
            && thread.join().is_err()
        {
            tracing::error!("the log's thread ended badly");
        }
    }

    fn send(&self, command: Command) -> Result<()> {
        if self.is_closed.load(Ordering::SeqCst) {
            return Err(closed());
        }
        self.queue.send(command).map_err(|_| closed())
    }

    async fn wait_for_place(&self, events: usize, patience: Duration) -> Result<Place> {
        let mut left = patience;
        loop {
            match self.reserve(events) {
                Err(_) if !left.is_zero() => {
                    let pause = PAUSE.min(left);
                    tokio::time::sleep(pause).await;
                    left -= pause;
                }
                place => return place,
            }
        }
    }

    /// A place in the queue. An append larger than the queue is let in when nothing else waits.
    fn reserve(&self, events: usize) -> Result<Place> {
        let overloaded = |what: &str| {
            Err(Error::new(Code::Overloaded, format!("{what} is full; come back in a second"))
                .with_details(serde_json::json!({"retry_after_s": 1})))
        };
        if self.tail_events.load(Ordering::SeqCst) >= self.tail_limit {
            return overloaded("the tail of events not yet in segments");
        }
        let before = self.waiting_events.fetch_add(events, Ordering::SeqCst);
        let place = Place { waiting_events: self.waiting_events.clone(), events };
        if before > 0 && before + events > self.queue_limit {
            return overloaded("the queue of events waiting for the log");
        }
        Ok(place)
    }
}

/// Given back when the reply is in, or when nobody waits for it.
struct Place {
    waiting_events: Arc<AtomicUsize>,
    events: usize,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.waiting_events.fetch_sub(self.events, Ordering::SeqCst);
    }
}

struct Writer {
    connection: Connection,
    witness: Witness,
    keys: TailKeys,
    commit_events: usize,
    tail_events: Arc<AtomicUsize>,
    grown: Box<dyn Fn() + Send>,
}

/// What one commit adds to one workspace.
struct Growth {
    workspace: Arc<Workspace>,
    segments: Vec<Arc<Segment>>,
    tombstones: Arc<Vec<catalogue::Tombstone>>,
    watermark: u64,
    keys: HashSet<u128, BuildHasherDefault<KeyHasher>>,
    events: Vec<Arc<Stored>>,
}

impl Writer {
    fn serve(mut self, commands: &Receiver<Command>) {
        let mut next = commands.recv().ok();
        while let Some(command) = next.take() {
            match command {
                Command::Stop => break,
                Command::Run(work) => {
                    work(&mut self.connection, &mut self.keys);
                    match catalogue::progress(&self.connection) {
                        Ok(progress) => self.witness.note(progress),
                        Err(error) => tracing::warn!(error = %error.chain(), "the database's progress could not be read"),
                    }
                }
                Command::Append(first) => {
                    let mut group = vec![first];
                    let mut events = group[0].events.len();
                    while events < self.commit_events {
                        match commands.try_recv() {
                            Ok(Command::Append(append)) => {
                                events += append.events.len();
                                group.push(append);
                            }
                            Ok(other) => {
                                next = Some(other);
                                break;
                            }
                            Err(_) => break,
                        }
                    }
                    self.commit(group);
                    (self.grown)();
                }
            }
            if next.is_none() {
                next = commands.recv().ok();
            }
        }
        if let Err(error) = catalogue::checkpoint(&self.connection) {
            tracing::warn!(error = %error.chain(), "the log could not be checkpointed at the end");
        }
    }

    /// Commits a group of appends, then makes them visible, then replies.
    fn commit(&mut self, group: Vec<Append>) {
        let mut answers = Vec::with_capacity(group.len());
        let (replies, group): (Vec<_>, Vec<_>) =
            group.into_iter().map(|append| (append.reply, (append.workspace, append.events, append.payload))).unzip();
        let mut growths: HashMap<i64, Growth> = HashMap::new();
        let keys = &self.keys;
        let written = (|| {
            let transaction = self
                .connection
                .transaction_with_behavior(TransactionBehavior::Immediate)
                .map_err(|error| catalogue::failed("beginning a transaction in", error))?;
            for (workspace, events, payload) in group {
                let growth = growths.entry(workspace.id).or_insert_with(|| Growth::new(workspace));
                answers.push(growth.take(keys, events, payload, &transaction)?);
            }
            for growth in growths.values().filter(|growth| !growth.events.is_empty()) {
                catalogue::set_watermark(&transaction, growth.workspace.id, growth.watermark)?;
            }
            transaction.commit().map_err(|error| catalogue::failed("committing to", error))
        })();
        if let Err(error) = written {
            tracing::error!(error = %error.chain(), "appends were refused: the log could not be written");
            for reply in replies {
                let _ =
                    reply.send(Err(Error::new(Code::UpstreamFailed, "the event log could not be written; nothing was stored")));
            }
            return;
        }
        self.witness.note_events(growths.values().map(|growth| growth.events.len() as u64).sum());
        for growth in growths.into_values().filter(|growth| !growth.events.is_empty()) {
            self.keys.add(growth.workspace.id, &growth.events);
            self.tail_events.fetch_add(growth.events.len(), Ordering::SeqCst);
            growth.workspace.change(|state| state.grow(growth.events, growth.watermark));
        }
        for (reply, answer) in replies.into_iter().zip(answers) {
            // A caller that went away learns nothing; the events stay.
            let _ = reply.send(answer);
        }
    }
}

impl Growth {
    fn new(workspace: Arc<Workspace>) -> Self {
        let (segments, tombstones, watermark) =
            workspace.change(|state| (state.segments.clone(), state.tombstones.clone(), state.watermark));
        Self { workspace, segments, tombstones, watermark, keys: HashSet::default(), events: Vec::new() }
    }

    /// Takes one append in. The outer error ends the whole commit, the inner one concerns this append alone.
    fn take(
        &mut self,
        tail: &TailKeys,
        events: Vec<Arc<Stored>>,
        payload: Payload,
        log: &Connection,
    ) -> Result<Result<Appended>> {
        let outcomes = match self.judge(tail, &events) {
            Ok(outcomes) => outcomes,
            Err(error) => return Ok(Err(error)),
        };
        let first = self.events.len();
        self.events.reserve(events.len());
        self.keys.reserve(events.len());
        let mut duplicates = Vec::new();
        for (place, (mut event, outcome)) in events.into_iter().zip(&outcomes).enumerate() {
            if *outcome == Outcome::Duplicate {
                duplicates.push(place as u32);
                continue;
            }
            self.watermark += 1;
            Arc::get_mut(&mut event).expect("an event on its way into the log has one holder").sequence = self.watermark;
            self.keys.extend(event.key);
            self.events.push(event);
        }
        let accepted = &self.events[first..];
        if let (Some(oldest), Some(newest)) = (accepted.first(), accepted.last()) {
            let (first_sequence, last_sequence) = (oldest.sequence, newest.sequence);
            // Written as it was readied, the duplicates left out by name; unless that would be mostly duplicates.
            let (payload, left_out) = if duplicates.len() <= accepted.len() {
                (payload, duplicates)
            } else {
                (encode(accepted.iter().map(|event| &event.event))?, Vec::new())
            };
            let entry = payload.into_entry(self.workspace.id, first_sequence, last_sequence, &left_out);
            catalogue::append(log, &entry)?;
        }
        Ok(Ok(Appended { outcomes, watermark: self.watermark }))
    }

    fn judge(&self, tail: &TailKeys, events: &[Arc<Stored>]) -> Result<Vec<Outcome>> {
        let mut seen: HashSet<u128, BuildHasherDefault<KeyHasher>> = HashSet::default();
        seen.reserve(events.len());
        let in_tail = tail.0.get(&self.workspace.id);
        let mut outcomes = vec![Outcome::Accepted; events.len()];
        let mut unknown = Vec::with_capacity(events.len());
        for (place, event) in events.iter().enumerate() {
            let Some(key) = event.key else { continue };
            if !seen.insert(key) || self.keys.contains(&key) || in_tail.is_some_and(|keys| keys.contains_key(&key)) {
                outcomes[place] = Outcome::Duplicate;
            } else {
                unknown.push((key, place));
            }
        }
        unknown.sort_unstable();
        for segment in &self.segments {
            segment.find_keys(&unknown, &self.tombstones, &mut |place| outcomes[place] = Outcome::Duplicate)?;
            unknown.retain(|(_, place)| outcomes[*place] == Outcome::Accepted);
        }
        Ok(outcomes)
    }
}

fn encode<'a>(events: impl Iterator<Item = &'a Event>) -> Result<Payload> {
    Payload::of(events).map_err(|error| Error::internal("encoding events for the log").caused_by(error))
}

/// Reads an entry back.
pub(crate) fn decode(entry: &LogEntry) -> Result<Vec<Event>> {
    payload::read(entry).map_err(|error| {
        Error::new(
            Code::UpstreamFailed,
            format!("`{}` is damaged: the log entry of sequence {} cannot be read", catalogue::DATABASE, entry.first_sequence),
        )
        .caused_by(error)
    })
}

fn closed() -> Error {
    Error::new(Code::UpstreamFailed, "the event store is closed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stored::Hashes;
    use crate::workspace::State;
    use tributary_core::clock::FixedClock;

    const EVENT: &str = r#"{"name":"x","time_us":1746057600000000,"received_us":1746057600000000,"anonymous_id":"v",
        "origin":"server","source":"direct","medium":"direct","source_confidence":"high","source_rule_id":"direct"}"#;

    #[tokio::test]
    async fn the_queue_holds_no_more_than_its_bound() {
        let folder = tempfile::tempdir().unwrap();
        let options = Options { queue_events: 20, ..Options::new([0; 16], FixedClock::at(0)) };
        let connection = catalogue::open(folder.path()).unwrap();
        let witness = Witness::open(folder.path(), &connection).unwrap();
        let log = Arc::new(Log::start(connection, witness, TailKeys::default(), 0, &options, Box::new(|| {})));
        let (release, held) = mpsc::channel::<()>();
        log.send(Command::Run(Box::new(move |_, _| held.recv().unwrap()))).unwrap();
        let workspace = Workspace::new(1, State::default());
        let hashes = Hashes::new(&[0; 16]);
        let appends: Vec<_> = (0..50)
            .map(|_| {
                let events = (0..3).map(|_| Arc::new(hashes.prepare(serde_json::from_str(EVENT).unwrap()))).collect();
                let (log, workspace) = (log.clone(), workspace.clone());
                tokio::spawn(async move { log.append(workspace, events, Duration::ZERO).await })
            })
            .collect();
        while appends.iter().filter(|append| append.is_finished()).count() < 44 {
            tokio::task::yield_now().await;
        }
        assert_eq!(log.waiting_events.load(Ordering::SeqCst), 18, "six appends of three fit twenty, a seventh does not");
        release.send(()).unwrap();
        let mut accepted = 0;
        for append in appends {
            match append.await.unwrap() {
                Ok(appended) => accepted += appended.accepted(),
                Err(error) => assert_eq!(error.code(), Code::Overloaded),
            }
        }
        assert_eq!((accepted, log.waiting_events.load(Ordering::SeqCst)), (18, 0));
        log.close();
    }
}
