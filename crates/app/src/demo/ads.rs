//! The shop's advertising: what runs where, what it costs, and what it does to those who see it.
//!
//! The effect of every campaign is known because it is put in here: whoever has come by one of its ads is that much likelier
//! to buy from then on. People who search for the shop by its name, or left a cart behind, would mostly have bought anyway.

/// Where ads run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Platform {
    /// Meta's feed.
    Facebook,
    /// Meta's other one, with an account of its own.
    Instagram,
    /// Search and shopping.
    Google,
    /// Short films; the account is billed in dollars.
    TikTok,
}

/// What a platform's account is, and by which rule it claims orders for itself.
pub struct Account {
    /// Slug of the source.
    pub source: &'static str,
    /// The platform's id.
    pub id: &'static str,
    /// Its name.
    pub name: &'static str,
    /// The currency it is billed in.
    pub currency: &'static str,
    /// Days for which a click counts.
    pub click_days: i64,
    /// Orders in a thousand, of people who did not click, that it claims because they were shown an ad.
    pub view_permille: u64,
    /// The rule in the words of [`tributary_core::ads::ClaimRule`].
    pub window: &'static str,
}

impl Platform {
    /// Every one.
    pub const ALL: [Platform; 4] = [Platform::Facebook, Platform::Instagram, Platform::Google, Platform::TikTok];

    /// Its account.
    pub fn account(self) -> &'static Account {
        match self {
            Platform::Facebook => &FACEBOOK,
            Platform::Instagram => &INSTAGRAM,
            Platform::Google => &GOOGLE,
            Platform::TikTok => &TIKTOK,
        }
    }
}

static FACEBOOK: Account = Account {
    source: "facebook_ads",
    id: "act_4410200300",
    name: "Gipfelgut DACH",
    currency: "EUR",
    click_days: 7,
    view_permille: 90,
    window: "7d_click_1d_view",
};
static INSTAGRAM: Account = Account {
    source: "instagram_ads",
    id: "act_4410200301",
    name: "Gipfelgut Reels",
    currency: "EUR",
    click_days: 7,
    view_permille: 60,
    window: "7d_click_1d_view",
};
static GOOGLE: Account = Account {
    source: "google_ads",
    id: "7315550142",
    name: "Gipfelgut Search & Shopping",
    currency: "EUR",
    click_days: 30,
    view_permille: 20,
    window: "30d_click_1d_view",
};
static TIKTOK: Account = Account {
    source: "tiktok_ads",
    id: "7010000000000000042",
    name: "Gipfelgut Creators",
    currency: "USD",
    click_days: 7,
    view_permille: 80,
    window: "7d_click_1d_view",
};

/// A campaign.
pub struct Campaign {
    /// Where it runs.
    pub platform: Platform,
    /// What `utm_campaign` calls it.
    pub tag: &'static str,
    /// The platform's id.
    pub id: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Its state in the platform's words.
    pub status: &'static str,
    /// Daily budget, hundredths of the account's currency.
    pub budget_cents: i64,
    /// Percent by which it raises the chance that somebody who has come by it buys.
    pub lift: u64,
    /// What a click costs, hundredths of the account's currency.
    pub click_cents: u64,
    /// Clicks in ten thousand impressions.
    pub click_rate: u64,
    /// What it is made of.
    pub ad_sets: &'static [AdSet],
}

/// A group of ads: id, name, ads.
pub struct AdSet {
    /// The platform's id.
    pub id: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Ids and names of its ads.
    pub ads: &'static [(&'static str, &'static str)],
}

/// One ad: its places in the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Placement {
    /// In [`CAMPAIGNS`].
    pub campaign: u8,
    /// In its ad sets.
    pub ad_set: u8,
    /// In that one's ads.
    pub ad: u8,
}

impl Placement {
    /// Every ad.
    pub fn all() -> impl Iterator<Item = Placement> {
        CAMPAIGNS.iter().zip(0..).flat_map(|(campaign, place)| {
            let ad_sets = campaign.ad_sets.iter().zip(0..);
            ad_sets.flat_map(move |(ad_set, group)| {
                (0..).take(ad_set.ads.len()).map(move |ad| Placement { campaign: place, ad_set: group, ad })
            })
        })
    }

    /// The campaign it is of.
    pub fn campaign(self) -> &'static Campaign {
        &CAMPAIGNS[usize::from(self.campaign)]
    }

    /// The ad set it is of.
    pub fn ad_set(self) -> &'static AdSet {
        &self.campaign().ad_sets[usize::from(self.ad_set)]
    }

    /// Its id and name.
    pub fn ad(self) -> (&'static str, &'static str) {
        self.ad_set().ads[usize::from(self.ad)]
    }
}

/// Most campaigns: one bit each in what a visitor has seen.
pub const MAX_CAMPAIGNS: usize = 16;
const _: () = assert!(CAMPAIGNS.len() <= MAX_CAMPAIGNS);

/// What runs, and one that no longer does.
pub const CAMPAIGNS: &[Campaign] = &[
    Campaign {
        platform: Platform::Facebook,
        tag: "lookalike_hikers",
        id: "120210440000010001",
        name: "Prospecting | Lookalike Hikers",
        status: "ACTIVE",
        budget_cents: 9_000,
        lift: 180,
        click_cents: 120,
        click_rate: 130,
        ad_sets: &[
            AdSet {
                id: "120210440000020001",
                name: "DACH 25-54",
                ads: &[("120210440000030001", "Ridge Walk Video"), ("120210440000030002", "Shell Jacket Carousel")],
            },
            AdSet { id: "120210440000020002", name: "Benelux & France", ads: &[("120210440000030003", "Ridge Walk Video EN")] },
        ],
    },
    Campaign {
        platform: Platform::Facebook,
        tag: "autumn_sale",
        id: "120210440000010002",
        name: "Prospecting | Autumn Sale",
        status: "ACTIVE",
        budget_cents: 6_000,
        lift: 110,
        click_cents: 105,
        click_rate: 150,
        ad_sets: &[AdSet {
            id: "120210440000020003",
            name: "Outdoor Interests",
            ads: &[("120210440000030004", "Sale Static"), ("120210440000030005", "Sale Collection")],
        }],
    },
    Campaign {
        platform: Platform::Facebook,
        tag: "cart_retargeting",
        id: "120210440000010003",
        name: "Retargeting | Left A Cart",
        status: "ACTIVE",
        budget_cents: 4_000,
        lift: 6,
        click_cents: 145,
        click_rate: 210,
        ad_sets: &[AdSet {
            id: "120210440000020004",
            name: "Visitors 30 Days",
            ads: &[("120210440000030006", "Still Thinking?"), ("120210440000030007", "Your Cart Misses You")],
        }],
    },
    Campaign {
        platform: Platform::Instagram,
        tag: "reels_autumn",
        id: "120210440000010004",
        name: "Reels | Autumn",
        status: "ACTIVE",
        budget_cents: 5_000,
        lift: 140,
        click_cents: 90,
        click_rate: 95,
        ad_sets: &[AdSet {
            id: "120210440000020005",
            name: "Women 20-44",
            ads: &[("120210440000030008", "Hut To Hut"), ("120210440000030009", "Packing List")],
        }],
    },
    Campaign {
        platform: Platform::Instagram,
        tag: "creator_tours",
        id: "120210440000010005",
        name: "Reels | Creator Tours",
        status: "ACTIVE",
        budget_cents: 3_000,
        lift: 190,
        click_cents: 125,
        click_rate: 120,
        ad_sets: &[AdSet {
            id: "120210440000020006",
            name: "Followers Of Creators",
            ads: &[("120210440000030010", "Creator Tour Karwendel")],
        }],
    },
    Campaign {
        platform: Platform::Google,
        tag: "brand_search",
        id: "21044000001",
        name: "Search | Brand",
        status: "ENABLED",
        budget_cents: 2_500,
        lift: 3,
        click_cents: 65,
        click_rate: 1_900,
        ad_sets: &[AdSet {
            id: "161044000001",
            name: "gipfelgut",
            ads: &[("711044000001", "Gipfelgut Official Shop"), ("711044000002", "Gipfelgut Jackets")],
        }],
    },
    Campaign {
        platform: Platform::Google,
        tag: "jackets_generic",
        id: "21044000002",
        name: "Search | Jackets Generic",
        status: "ENABLED",
        budget_cents: 8_000,
        lift: 70,
        click_cents: 210,
        click_rate: 480,
        ad_sets: &[
            AdSet { id: "161044000002", name: "shell jackets", ads: &[("711044000003", "Shell Jackets In Stock")] },
            AdSet { id: "161044000003", name: "down jackets", ads: &[("711044000004", "Down Jackets In Stock")] },
        ],
    },
    Campaign {
        platform: Platform::Google,
        tag: "boots_generic",
        id: "21044000003",
        name: "Search | Boots Generic",
        status: "ENABLED",
        budget_cents: 6_000,
        lift: 60,
        click_cents: 190,
        click_rate: 450,
        ad_sets: &[AdSet {
            id: "161044000004",
            name: "trekking boots",
            ads: &[("711044000005", "Trekking Boots By Fit"), ("711044000006", "Boots For Wide Feet")],
        }],
    },
    Campaign {
        platform: Platform::Google,
        tag: "shopping_feed",
        id: "21044000004",
        name: "Shopping | All Products",
        status: "ENABLED",
        budget_cents: 7_000,
        lift: 80,
        click_cents: 115,
        click_rate: 210,
        ad_sets: &[AdSet {
            id: "161044000005",
            name: "all products",
            ads: &[("711044000007", "Product Listing"), ("711044000008", "Product Listing Sale")],
        }],
    },
    Campaign {
        platform: Platform::TikTok,
        tag: "summit_challenge",
        id: "1780000000044001",
        name: "Summit Challenge",
        status: "ENABLE",
        budget_cents: 5_000,
        lift: 300,
        click_cents: 80,
        click_rate: 85,
        ad_sets: &[AdSet {
            id: "1780000000044101",
            name: "18-34 Outdoor",
            ads: &[("1780000000044201", "Summit Challenge 15s"), ("1780000000044202", "Summit Challenge 30s")],
        }],
    },
    Campaign {
        platform: Platform::Facebook,
        tag: "spring_clearance",
        id: "120210440000010006",
        name: "Prospecting | Spring Clearance",
        status: "PAUSED",
        budget_cents: 3_000,
        lift: 0,
        click_cents: 110,
        click_rate: 120,
        ad_sets: &[AdSet {
            id: "120210440000020007",
            name: "Outdoor Interests",
            ads: &[("120210440000030011", "Clearance Static")],
        }],
    },
];

impl Campaign {
    /// Whether it is running.
    pub fn runs(&self) -> bool {
        self.status != "PAUSED"
    }
}
