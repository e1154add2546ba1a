//! The progress bar of a long import: on a terminal only, on standard error.

use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

use crate::import::run::Counts;

/// Time between two pictures of a spinner.
const SPINNER_TICK: Duration = Duration::from_millis(100);

/// A progress bar over the bytes of a file, or a spinner.
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A bar for a file of this size. Invisible where standard error is no terminal.
    pub fn over(name: &str, bytes: u64) -> Progress {
        let style = ProgressStyle::with_template("{prefix} {bar:30} {percent:>3}%  {msg}  {elapsed} (left {eta})")
            .expect("the template is constant and valid");
        let bar = ProgressBar::new(bytes.max(1)).with_style(style).with_prefix(name.to_owned());
        Progress { bar }
    }

    /// Something under way whose end is not known.
    pub fn waiting(what: &'static str) -> Progress {
        let style = ProgressStyle::with_template("{spinner} {msg}  {elapsed}").expect("the template is constant and valid");
        let bar = ProgressBar::new_spinner().with_style(style).with_message(what);
        bar.enable_steady_tick(SPINNER_TICK);
        Progress { bar }
    }

    /// Shows how far the file is and what became of its rows.
    pub fn show(&self, bytes: u64, counts: &Counts) {
        self.bar.set_position(bytes);
        let rate = counts.rows() as f64 / self.bar.elapsed().as_secs_f64().max(0.001);
        self.bar.set_message(format!(
            "{} accepted, {} duplicate, {} rejected, {rate:.0}/s",
            counts.accepted, counts.duplicates, counts.rejected
        ));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
