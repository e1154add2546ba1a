//! The tables the demo draws from: browsers, bots, countries, ways to arrive.

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

/// A way to arrive: what the first address of the visit carries.
pub struct Way {
    /// Share among first visits.
    pub weight: u64,
    /// Query of the landing page; `{id}` becomes a fresh click id, `{campaign}` one of `campaigns`.
    pub query: &'static str,
    /// The page that linked here, or empty.
    pub referrers: &'static [&'static str],
    /// Campaigns to choose from.
    pub campaigns: &'static [&'static str],
    /// How likely these visitors buy, in hundredths of the average.
    pub quality: u64,
    /// Whether the same people use it to come back.
    pub returns: Returns,
}

/// Whether a way to arrive brings people back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returns {
    /// Mostly strangers come this way.
    Seldom,
    /// People who know us come this way.
    Often,
}

const NONE: &[&str] = &[];

/// Ways into the shop.
pub const SHOP_WAYS: &[Way] = &[
    Way { weight: 150, query: "", referrers: NONE, campaigns: NONE, quality: 110, returns: Returns::Often },
    Way {
        weight: 240,
        query: "",
        referrers: &["https://www.google.com/", "https://www.google.de/", "https://www.google.at/"],
        campaigns: NONE,
        quality: 95,
        returns: Returns::Seldom,
    },
    Way {
        weight: 130,
        query: "gclid={id}&utm_source=google&utm_medium=cpc&utm_campaign={campaign}",
        referrers: &["https://www.google.com/"],
        campaigns: &["brand_search", "jackets_generic", "boots_generic", "shopping_feed"],
        quality: 130,
        returns: Returns::Seldom,
    },
    Way {
        weight: 95,
        query: "utm_source=facebook&utm_medium=paid_social&utm_campaign={campaign}&fbclid={id}",
        referrers: &["https://l.facebook.com/", "https://lm.facebook.com/"],
        campaigns: &["lookalike_hikers", "cart_retargeting", "autumn_sale"],
        quality: 62,
        returns: Returns::Seldom,
    },
    Way {
        weight: 30,
        query: "",
        referrers: &["https://m.facebook.com/", "https://www.facebook.com/"],
        campaigns: NONE,
        quality: 40,
        returns: Returns::Seldom,
    },
    Way {
        weight: 60,
        query: "utm_source=instagram&utm_medium=paid_social&utm_campaign={campaign}",
        referrers: &["https://l.instagram.com/"],
        campaigns: &["reels_autumn", "creator_tours"],
        quality: 48,
        returns: Returns::Seldom,
    },
    Way {
        weight: 35,
        query: "",
        referrers: &["https://l.instagram.com/", "https://www.instagram.com/"],
        campaigns: NONE,
        quality: 45,
        returns: Returns::Seldom,
    },
    Way {
        weight: 55,
        query: "utm_source=newsletter&utm_medium=email&utm_campaign={campaign}",
        referrers: NONE,
        campaigns: &["weekly_tours", "welcome_series", "autumn_sale"],
        quality: 180,
        returns: Returns::Often,
    },
    Way { weight: 22, query: "", referrers: &["https://www.bing.com/"], campaigns: NONE, quality: 90, returns: Returns::Seldom },
    Way {
        weight: 18,
        query: "msclkid={id}&utm_source=bing&utm_medium=cpc&utm_campaign={campaign}",
        referrers: &["https://www.bing.com/"],
        campaigns: &["brand_search"],
        quality: 120,
        returns: Returns::Seldom,
    },
    Way {
        weight: 34,
        query: "ttclid={id}&utm_source=tiktok&utm_medium=paid_social&utm_campaign={campaign}",
        referrers: &["https://www.tiktok.com/"],
        campaigns: &["summit_challenge"],
        quality: 28,
        returns: Returns::Seldom,
    },
    Way {
        weight: 16,
        query: "",
        referrers: &["https://www.reddit.com/r/hiking/", "https://www.reddit.com/r/Ultralight/"],
        campaigns: NONE,
        quality: 55,
        returns: Returns::Seldom,
    },
    Way {
        weight: 12,
        query: "",
        referrers: &["https://www.youtube.com/"],
        campaigns: NONE,
        quality: 60,
        returns: Returns::Seldom,
    },
    Way {
        weight: 18,
        query: "",
        referrers: &["https://chatgpt.com/", "https://www.perplexity.ai/"],
        campaigns: NONE,
        quality: 140,
        returns: Returns::Seldom,
    },
    Way {
        weight: 10,
        query: "",
        referrers: &["https://duckduckgo.com/", "https://www.ecosia.org/"],
        campaigns: NONE,
        quality: 100,
        returns: Returns::Seldom,
    },
    Way {
        weight: 28,
        query: "utm_source=alpinpartner&utm_medium=affiliate&utm_campaign={campaign}",
        referrers: &["https://www.alpinpartner.example/deals"],
        campaigns: &["affiliate_autumn"],
        quality: 105,
        returns: Returns::Seldom,
    },
    Way {
        weight: 30,
        query: "",
        referrers: &[
            "https://www.huettenblog.example/packliste",
            "https://bergzeit-forum.example/thema/128",
            "https://trailnotes.example/gear",
        ],
        campaigns: NONE,
        quality: 85,
        returns: Returns::Seldom,
    },
    Way {
        weight: 10,
        query: "",
        referrers: &["https://mail.google.com/", "https://outlook.live.com/"],
        campaigns: NONE,
        quality: 130,
        returns: Returns::Often,
    },
    Way {
        weight: 12,
        query: "",
        referrers: &["https://www.pinterest.com/"],
        campaigns: NONE,
        quality: 50,
        returns: Returns::Seldom,
    },
];

/// Ways to the software's site.
pub const SAAS_WAYS: &[Way] = &[
    Way { weight: 170, query: "", referrers: NONE, campaigns: NONE, quality: 115, returns: Returns::Often },
    Way {
        weight: 260,
        query: "",
        referrers: &["https://www.google.com/"],
        campaigns: NONE,
        quality: 100,
        returns: Returns::Seldom,
    },
    Way {
        weight: 110,
        query: "gclid={id}&utm_source=google&utm_medium=cpc&utm_campaign={campaign}",
        referrers: &["https://www.google.com/"],
        campaigns: &["brand_search", "invoicing_generic", "competitor_terms"],
        quality: 120,
        returns: Returns::Seldom,
    },
    Way {
        weight: 90,
        query: "li_fat_id={id}&utm_source=linkedin&utm_medium=paid_social&utm_campaign={campaign}",
        referrers: &["https://www.linkedin.com/"],
        campaigns: &["finance_leads_q3", "founder_story"],
        quality: 150,
        returns: Returns::Seldom,
    },
    Way {
        weight: 40,
        query: "",
        referrers: &["https://www.linkedin.com/feed/", "https://lnkd.in/"],
        campaigns: NONE,
        quality: 110,
        returns: Returns::Seldom,
    },
    Way {
        weight: 35,
        query: "",
        referrers: &["https://t.co/", "https://x.com/"],
        campaigns: NONE,
        quality: 70,
        returns: Returns::Seldom,
    },
    Way {
        weight: 45,
        query: "",
        referrers: &["https://news.ycombinator.com/item?id=41000000"],
        campaigns: NONE,
        quality: 35,
        returns: Returns::Seldom,
    },
    Way {
        weight: 40,
        query: "utm_source=facebook&utm_medium=cpc&utm_campaign={campaign}&fbclid={id}",
        referrers: &["https://l.facebook.com/"],
        campaigns: &["smb_lookalike"],
        quality: 45,
        returns: Returns::Seldom,
    },
    Way {
        weight: 60,
        query: "utm_source=product_updates&utm_medium=email&utm_campaign={campaign}",
        referrers: NONE,
        campaigns: &["release_notes", "onboarding_day3"],
        quality: 160,
        returns: Returns::Often,
    },
    Way {
        weight: 30,
        query: "",
        referrers: &["https://chatgpt.com/", "https://claude.ai/", "https://www.perplexity.ai/"],
        campaigns: NONE,
        quality: 170,
        returns: Returns::Seldom,
    },
    Way {
        weight: 25,
        query: "",
        referrers: &["https://www.bing.com/", "https://duckduckgo.com/"],
        campaigns: NONE,
        quality: 90,
        returns: Returns::Seldom,
    },
    Way {
        weight: 25,
        query: "utm_source=bookkeeping-weekly&utm_medium=sponsorship&utm_campaign={campaign}",
        referrers: NONE,
        campaigns: &["podcast_ep_14", "podcast_ep_19"],
        quality: 95,
        returns: Returns::Seldom,
    },
    Way {
        weight: 30,
        query: "",
        referrers: &["https://www.softwarevergleich.example/rechnungen", "https://startup-stack.example/finance"],
        campaigns: NONE,
        quality: 125,
        returns: Returns::Seldom,
    },
    Way {
        weight: 20,
        query: "",
        referrers: &["https://github.com/", "https://stackoverflow.com/questions/"],
        campaigns: NONE,
        quality: 80,
        returns: Returns::Seldom,
    },
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
