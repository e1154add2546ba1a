//! The tables the demo draws from: browsers, bots, countries, things to buy.

/// What a visitor holds in hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// A phone.
    Mobile,
    /// A tablet.
    Tablet,
    /// A desktop or laptop.
    Desktop,
}

/// A browser as it names itself.
pub struct Agent {
    /// The User-Agent header.
    pub text: &'static str,
    /// The device behind it.
    pub device: Device,
    /// Viewport width, pixels.
    pub width: u32,
    /// Share among visitors.
    pub weight: u64,
}

/// Browsers, most common first.
pub const AGENTS: &[Agent] = &[
    Agent {
        text: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
        device: Device::Mobile,
        width: 390,
        weight: 210,
    },
    Agent {
        text: "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Mobile Safari/537.36",
        device: Device::Mobile,
        width: 412,
        weight: 190,
    },
    Agent {
        text: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36",
        device: Device::Desktop,
        width: 1920,
        weight: 200,
    },
    Agent {
        text: "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
        device: Device::Desktop,
        width: 1440,
        weight: 80,
    },
    Agent {
        text: "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36",
        device: Device::Desktop,
        width: 1512,
        weight: 80,
    },
    Agent {
        text: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36 Edg/138.0.0.0",
        device: Device::Desktop,
        width: 1536,
        weight: 60,
    },
    Agent {
        text: "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
        device: Device::Desktop,
        width: 1600,
        weight: 40,
    },
    Agent {
        text: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        device: Device::Desktop,
        width: 1280,
        weight: 18,
    },
    Agent {
        text: "Mozilla/5.0 (iPad; CPU OS 17_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.7 Mobile/15E148 Safari/604.1",
        device: Device::Tablet,
        width: 820,
        weight: 45,
    },
    Agent {
        text: "Mozilla/5.0 (Linux; Android 14; SM-X810) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Safari/537.36",
        device: Device::Tablet,
        width: 800,
        weight: 15,
    },
    Agent {
        text: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Safari/537.36 OPR/120.0.0.0",
        device: Device::Desktop,
        width: 1366,
        weight: 14,
    },
    Agent {
        text: "Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0",
        device: Device::Mobile,
        width: 393,
        weight: 20,
    },
];

/// Crawlers and scripts, as they name themselves, with their share.
pub const BOTS: &[(&str, u64)] = &[
    (
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; Googlebot/2.1; +http://www.google.com/bot.html) Chrome/138.0.7204.49 Safari/537.36",
        34,
    ),
    (
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) Chrome/136.0.0.0 Safari/537.36",
        16,
    ),
    ("Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)", 14),
    ("Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; ClaudeBot/1.0; +claudebot@anthropic.com)", 12),
    ("Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)", 8),
    ("facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", 6),
    ("Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)", 6),
    ("python-requests/2.32.3", 4),
];

/// Countries of the shop's visitors, with the currency they pay in and their share.
pub const SHOP_COUNTRIES: &[(&str, &str, u64)] = &[
    ("DE", "EUR", 520),
    ("AT", "EUR", 130),
    ("CH", "CHF", 110),
    ("NL", "EUR", 70),
    ("FR", "EUR", 60),
    ("GB", "GBP", 45),
    ("IT", "EUR", 35),
    ("DK", "EUR", 20),
    ("PL", "EUR", 10),
];

/// Countries of the software's visitors; everyone pays in dollars.
pub const SAAS_COUNTRIES: &[(&str, &str, u64)] = &[
    ("US", "USD", 560),
    ("CA", "USD", 110),
    ("GB", "USD", 90),
    ("DE", "USD", 60),
    ("IN", "USD", 55),
    ("AU", "USD", 45),
    ("BR", "USD", 30),
    ("FR", "USD", 25),
    ("JP", "USD", 25),
];

/// What the shop sells: id, category, price in cents.
pub const PRODUCTS: &[(&str, &str, u64)] = &[
    ("shell-jacket", "jackets", 24_995),
    ("down-jacket", "jackets", 19_900),
    ("fleece", "jackets", 7_995),
    ("trekking-boots", "boots", 18_950),
    ("approach-shoes", "boots", 13_990),
    ("trail-runners", "boots", 12_900),
    ("backpack-35", "packs", 14_900),
    ("daypack-18", "packs", 6_990),
    ("tent-2p", "camping", 37_900),
    ("sleeping-bag", "camping", 16_900),
    ("stove", "camping", 5_495),
    ("merino-shirt", "clothing", 6_495),
    ("hiking-socks", "clothing", 1_795),
    ("headlamp", "gear", 4_290),
    ("trekking-poles", "gear", 8_990),
    ("bottle-1l", "gear", 2_450),
];

/// What the software costs: plan, monthly price in cents.
pub const PLANS: &[(&str, u64, u64)] = &[("starter", 1_900, 620), ("team", 4_900, 300), ("scale", 14_900, 80)];
