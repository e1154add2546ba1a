//! Reading everything out again, batch by batch.

use tributary_core::error::Result;
use tributary_core::event::Event;
use tributary_events::question::{Bots, Slice};

use crate::run::Run;
use crate::workspace::View;

pub(crate) fn export(view: &View, slice: &Slice, take: &mut dyn FnMut(u64, Event) -> Result<()>) -> Result<()> {
    let as_of = slice.as_of.map_or(view.watermark, |as_of| as_of.min(view.watermark));
    let mut offer = |sequence: u64, event: Event| {
        let is_wanted = sequence <= as_of
            && slice.range.contains(event.time_us)
            && event.time_us >= view.horizon_us
            && match slice.bots {
                Bots::Exclude => event.bot.is_none(),
                Bots::Include => true,
                Bots::Only => event.bot.is_some(),
            }
            && slice.all_hold(&slice.filters, &event);
        if is_wanted { take(sequence, event) } else { Ok(()) }
    };
    let mut runs: Vec<&Run> = view.runs.iter().map(AsRef::as_ref).collect();
    runs.sort_by_key(|run| run.bounds_us());
    for run in runs {
        let (first_us, last_us) = run.bounds_us();
        if last_us < slice.range.start_us || first_us >= slice.range.end_us {
            continue;
        }
        match run {
            Run::Tail(tail) => {
                for row in &tail.rows {
                    offer(row.sequence, row.event.clone())?;
                }
            }
            Run::Segment(segment) => {
                let live = segment.live(&view.tombstones)?;
                let mut at = 0;
                for batch in segment.batches()? {
                    let batch = batch?;
                    for row in 0..batch.rows() {
                        if live.as_ref().is_none_or(|live| live.alive[at]) && slice.range.contains(batch.time_us(row)) {
                            offer(batch.sequence(row), batch.event(row)?)?;
                        }
                        at += 1;
                    }
                }
            }
        }
    }
    Ok(())
}
