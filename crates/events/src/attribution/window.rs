//! Attribution windows: how long before a conversion a touch may lie and still count, in UTC calendar days.

use tributary_core::time::{DAY_US, TimeRange};

/// How far back from a conversion touches count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Window {
    /// The conversion's UTC date and the one before.
    Days1,
    /// A week.
    Days7,
    /// Two weeks.
    Days14,
    /// A month of 30 days.
    Days30,
    /// Two months of 30 days.
    Days60,
    /// Three months of 30 days.
    Days90,
    /// Everything known of the person.
    Lifetime,
}

impl Window {
    /// Every window, the shortest first.
    pub const ALL: [Window; 7] =
        [Window::Days1, Window::Days7, Window::Days14, Window::Days30, Window::Days60, Window::Days90, Window::Lifetime];

    /// The window of that many days as callers write it: 1, 7, 14, 30, 60, 90, or 0 for the lifetime.
    pub fn from_days(days: u32) -> Option<Window> {
        Window::ALL.into_iter().find(|window| window.days() == days)
    }

    /// Its days as callers write them; 0 for the lifetime.
    pub fn days(self) -> u32 {
        match self {
            Window::Days1 => 1,
            Window::Days7 => 7,
            Window::Days14 => 14,
            Window::Days30 => 30,
            Window::Days60 => 60,
            Window::Days90 => 90,
            Window::Lifetime => 0,
        }
    }

    /// The first instant inside, microseconds since the epoch: midnight UTC that many dates before the conversion's.
    pub fn opens_us(self, conversion_time_us: i64) -> i64 {
        match self {
            Window::Lifetime => i64::MIN,
            window => {
                let day = conversion_time_us.div_euclid(DAY_US) - i64::from(window.days());
                day.saturating_mul(DAY_US)
            }
        }
    }
}

/// What bounds a touch besides the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum WindowType {
    /// Nothing: the window is counted back from each conversion, out of the report's range if need be.
    #[default]
    Relative,
    /// The touch must also lie inside the report's range.
    Absolute,
}

/// Whether a touch counts for a conversion: its UTC date lies at most the window's days before the conversion's UTC date, it
/// is not later than the conversion, and for [`WindowType::Absolute`] it lies inside the report's range. Times in
/// microseconds since the epoch.
pub fn eligible(
    touch_time_us: i64,
    conversion_time_us: i64,
    window: Window,
    window_type: WindowType,
    report_range: TimeRange,
) -> bool {
    let in_window = window.opens_us(conversion_time_us) <= touch_time_us && touch_time_us <= conversion_time_us;
    in_window
        && match window_type {
            WindowType::Relative => true,
            WindowType::Absolute => report_range.contains(touch_time_us),
        }
}
