//! The models: their names, their definitions and what each needs to see.

use tributary_core::error::{Code, Error, Result};

/// How a conversion is credited to the touches that led to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Model {
    /// All of it to the first touch.
    FirstTouch,
    /// All of it to the last touch, direct or not.
    LastTouch,
    /// All of it to the last touch that is not direct; to the last touch where all are direct.
    LastNonDirectTouch,
    /// An equal part to every touch.
    Linear,
    /// An equal part to every paid touch; unattributed where none is paid.
    LinearPaidAds,
    /// [`Position::U_SHAPED`]: 40 % to the first touch, 40 % to the last, 20 % shared by those between.
    UShaped,
    /// For every source of the journey, all of it to the first touch of that source: a journey of three sources is credited
    /// three times, so sums over sources may exceed the total.
    FirstTouchSourceSpecific,
    /// For every source of the journey, all of it to the last touch of that source: sums over sources may exceed the total.
    LastTouchSourceSpecific,
    /// Fixed parts to the first and the last touch, the rest shared by those between.
    PositionBased(Position),
    /// Every touch weighs half as much as one that is a half-life younger.
    TimeDecay(HalfLife),
    /// Channels by their removal effects in a Markov chain of the paths of all journeys.
    Markov {
        /// How many channels back the chain remembers.
        order: Order,
        /// How removal effects become credit.
        allocation: Allocation,
    },
    /// Channels by their Shapley values in the coverage game, where a set of channels is worth the conversions whose channels
    /// all lie in it. Every distinct channel of a journey gets an equal part, whatever the number of its touches.
    Shapley,
}

/// What a model must see before it can credit anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pass {
    /// One journey: a single pass credits every conversion as it is found.
    PerJourney,
    /// The paths of all journeys, those that did not convert included.
    AllPaths,
}

impl Model {
    /// Every model, with its usual parameters: 40 / 20 / 40, a half-life of a week, order 1.
    pub const ALL: [Model; 12] = [
        Model::FirstTouch,
        Model::LastTouch,
        Model::LastNonDirectTouch,
        Model::Linear,
        Model::LinearPaidAds,
        Model::UShaped,
        Model::FirstTouchSourceSpecific,
        Model::LastTouchSourceSpecific,
        Model::PositionBased(Position::U_SHAPED),
        Model::TimeDecay(HalfLife::WEEK),
        Model::Markov { order: Order::First, allocation: Allocation::RemovalShare },
        Model::Shapley,
    ];

    /// The model of a slug, with its usual parameters.
    pub fn from_slug(slug: &str) -> Option<Model> {
        Model::ALL.into_iter().find(|model| model.slug() == slug)
    }

    /// The stable name callers use. Parameters are not part of it.
    pub fn slug(self) -> &'static str {
        self.about().slug
    }

    /// The name people read.
    pub fn label(self) -> &'static str {
        self.about().label
    }

    /// What it does, in a sentence.
    pub fn definition(self) -> &'static str {
        self.about().definition
    }

    /// Whose definition it is.
    pub fn source(self) -> &'static str {
        self.about().source
    }

    /// What it must see. The coverage game is a sum over conversions and Shapley values are additive, so
    /// [`Model::Shapley`] needs one journey only.
    pub fn pass(self) -> Pass {
        match self {
            Model::FirstTouch
            | Model::LastTouch
            | Model::LastNonDirectTouch
            | Model::Linear
            | Model::LinearPaidAds
            | Model::UShaped
            | Model::FirstTouchSourceSpecific
            | Model::LastTouchSourceSpecific
            | Model::PositionBased(_)
            | Model::TimeDecay(_)
            | Model::Shapley => Pass::PerJourney,
            Model::Markov { .. } => Pass::AllPaths,
        }
    }

    /// Whether its credits may add up to more than the conversions, because one conversion is credited in full to several
    /// touches.
    pub fn may_exceed_total(self) -> bool {
        matches!(self, Model::FirstTouchSourceSpecific | Model::LastTouchSourceSpecific)
    }

    fn about(self) -> About {
        let (slug, label, definition, source) = match self {
            Model::FirstTouch => {
                ("first_touch", "First touch", "The whole conversion goes to the first touch in the window.", COMMON)
            }
            Model::LastTouch => (
                "last_touch",
                "Last touch",
                "The whole conversion goes to the last touch before it; direct visits count.",
                COMMON,
            ),
            Model::LastNonDirectTouch => (
                "last_non_direct_touch",
                "Last non-direct touch",
                "The whole conversion goes to the last touch that is not direct, or to the last touch if all are direct.",
                COMMON,
            ),
            Model::Linear => ("linear", "Linear", "Every touch in the window gets an equal part.", COMMON),
            Model::LinearPaidAds => (
                "linear_paid_ads",
                "Linear, paid ads",
                "Every paid touch gets an equal part; organic, direct and e-mail touches get nothing; without a paid touch the \
                 conversion is unattributed.",
                COMMON,
            ),
            Model::UShaped => (
                "u_shaped",
                "U-shaped",
                "The first touch gets 40 %, the last 40 %, those between share 20 %; one touch gets all, two get half each.",
                POSITION,
            ),
            Model::FirstTouchSourceSpecific => (
                "first_touch_source_specific",
                "First touch, source specific",
                "For each source alone, the whole conversion goes to its first touch; sums over sources may exceed the total.",
                SOURCE_SPECIFIC,
            ),
            Model::LastTouchSourceSpecific => (
                "last_touch_source_specific",
                "Last touch, source specific",
                "For each source alone, the whole conversion goes to its last touch, as ad platforms count; sums over sources \
                 may exceed the total.",
                SOURCE_SPECIFIC,
            ),
            Model::PositionBased(_) => (
                "position_based",
                "Position based",
                "The first and the last touch get fixed parts and those between share the rest; one touch gets all, two share \
                 in proportion to their parts.",
                POSITION,
            ),
            Model::TimeDecay(_) => (
                "time_decay",
                "Time decay",
                "Every touch weighs half as much as one that is a half-life closer to the conversion.",
                "Google Analytics (Universal), time decay with a half-life of 7 days: weight 2^(-age / half-life)",
            ),
            Model::Markov { .. } => (
                "markov",
                "Markov chain",
                "Channels are credited by removal effect: the part of all conversions that a Markov chain of the paths loses \
                 when every visit to the channel ends without one.",
                "Anderl, Becker, von Wangenheim and Schumann, Mapping the customer journey, International Journal of Research \
                 in Marketing 33 (2016) 457-474",
            ),
            Model::Shapley => (
                "shapley",
                "Shapley value",
                "Every distinct channel of a journey gets an equal part: the Shapley value of the game in which a set of \
                 channels is worth the conversions whose channels all lie in it.",
                "Shapley, A value for n-person games (1953); as channel credit: Zhao, Mahboobi and Bagheri, Shapley value \
                 methods for attribution modeling in online advertising, arXiv 1804.05327 (2018)",
            ),
        };
        About { slug, label, definition, source }
    }
}

const COMMON: &str = "Common to ad-attribution products; slug and rule as they document it";
const POSITION: &str = "Google Analytics (Universal), position based 40 / 20 / 40";
const SOURCE_SPECIFIC: &str =
    "Ad-attribution products that imitate how ad platforms report: the journey restricted to one source";

struct About {
    slug: &'static str,
    label: &'static str,
    definition: &'static str,
    source: &'static str,
}

/// The parts of the first and the last touch, in percent. A journey of one touch gives it everything; of two, they share in
/// the proportion of the two parts (equally where both are 0).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    first_percent: u8,
    last_percent: u8,
}

impl Position {
    /// 40 % first, 40 % last, 20 % between.
    pub const U_SHAPED: Position = Position { first_percent: 40, last_percent: 40 };

    /// Parts in percent that add up to at most 100; [`Code::InvalidParams`] otherwise.
    pub fn new(first_percent: u8, last_percent: u8) -> Result<Position> {
        if u16::from(first_percent) + u16::from(last_percent) > 100 {
            let message = format!(
                "first and last touch cannot get {first_percent} % and {last_percent} %; accepted: percents that add up to at most 100"
            );
            return Err(Error::new(Code::InvalidParams, message));
        }
        Ok(Position { first_percent, last_percent })
    }

    /// Part of the first touch.
    pub fn first_percent(self) -> u8 {
        self.first_percent
    }

    /// Part of the last touch.
    pub fn last_percent(self) -> u8 {
        self.last_percent
    }

    /// What those between share.
    pub fn middle_percent(self) -> u8 {
        100 - self.first_percent - self.last_percent
    }
}

/// The time in which a touch's weight halves, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HalfLife(u64);

impl HalfLife {
    /// Seven days of 24 hours.
    pub const WEEK: HalfLife = HalfLife(7 * 86_400 * 1_000_000);

    /// A half-life of at least one microsecond; [`Code::InvalidParams`] otherwise.
    pub fn new(half_life_us: i64) -> Result<HalfLife> {
        match u64::try_from(half_life_us) {
            Ok(half_life_us) if half_life_us > 0 => Ok(HalfLife(half_life_us)),
            _ => Err(Error::new(Code::InvalidParams, "the half-life of time decay must be longer than no time")),
        }
    }

    /// Its length, never 0.
    pub fn as_us(self) -> u64 {
        self.0
    }
}

/// How many channels back a Markov chain remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    /// The state is the current channel.
    First,
    /// The state is the last two channels.
    Second,
    /// The state is the last three channels.
    Third,
}

impl Order {
    /// The order of that number; [`Code::InvalidParams`] outside 1 to 3.
    pub fn new(channels: u32) -> Result<Order> {
        match channels {
            1 => Ok(Order::First),
            2 => Ok(Order::Second),
            3 => Ok(Order::Third),
            _ => Err(Error::new(
                Code::InvalidParams,
                format!("a Markov chain of order {channels} is not offered; accepted: 1, 2, 3"),
            )),
        }
    }

    /// Its number.
    pub fn channels(self) -> u32 {
        match self {
            Order::First => 1,
            Order::Second => 2,
            Order::Third => 3,
        }
    }
}

/// How removal effects become credit. Both credit every conversion exactly once, and money like conversions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Allocation {
    /// All conversions together are shared among all channels in proportion to their removal effects: the definition of
    /// Anderl et al. and of the R and Python package ChannelAttribution. The default, because it is the published one and
    /// because a channel's part then depends on nothing but its removal effect.
    #[default]
    RemovalShare,
    /// Each conversion is shared among the touches of its own path in proportion to the removal effects of their channels, so a
    /// channel touched twice counts twice: the definition of the Python package marketing_attribution_models. Credit never
    /// leaves the paths a channel was on.
    PerPath,
}
