//! Ways to arrive at the two sites.
//!
//! `quality` says who comes, not what the way does to them: people who look for the shop by its name buy more because they had
//! made up their minds. What an ad does to those it reaches stands in [`crate::demo::ads`].

use crate::demo::ads::{CAMPAIGNS, Placement};
use crate::demo::dice::Dice;

/// A way to arrive: what the first address of the visit carries.
pub struct Way {
    /// Share among visits of the kinds it is for.
    pub weight: u64,
    /// Query of the landing page; `{id}` becomes a fresh click id, `{campaign}` one of `campaigns`. With `ads`, `{campaign}`,
    /// `{campaign_id}`, `{adset_id}` and `{ad_id}` are those of the ad that was clicked.
    pub query: &'static str,
    /// The page that linked here, or empty.
    pub referrers: &'static [&'static str],
    /// Campaigns to choose from.
    pub campaigns: &'static [&'static str],
    /// Places in [`crate::demo::ads::CAMPAIGNS`] of the campaigns whose ads bring people this way, or empty.
    pub ads: &'static [u8],
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
    /// Nobody else does.
    Only,
}

impl Way {
    /// Its share among first visits.
    pub fn first_weight(&self) -> u64 {
        if self.returns == Returns::Only { 0 } else { self.weight }
    }

    /// One of the ads that bring people this way, if ads do.
    pub fn some_ad(&self, dice: &mut Dice) -> Option<Placement> {
        if self.ads.is_empty() {
            return None;
        }
        let campaign = *dice.pick(self.ads);
        let ad_sets = CAMPAIGNS[usize::from(campaign)].ad_sets;
        let ad_set = dice.below(ad_sets.len() as u64) as u8;
        let ad = dice.below(ad_sets[usize::from(ad_set)].ads.len() as u64) as u8;
        Some(Placement { campaign, ad_set, ad })
    }
}

const NONE: &[&str] = &[];
/// No ad brings them.
const UNPAID: &[u8] = &[];

/// Ways into the shop.
pub const SHOP_WAYS: &[Way] = &[
    Way { weight: 150, query: "", referrers: NONE, campaigns: NONE, ads: UNPAID, quality: 110, returns: Returns::Often },
    Way {
        weight: 240,
        query: "",
        referrers: &["https://www.google.com/", "https://www.google.de/", "https://www.google.at/"],
        campaigns: NONE,
        ads: UNPAID,
        quality: 95,
        returns: Returns::Seldom,
    },
    Way {
        weight: 75,
        query: "gclid={id}&gad_campaignid={campaign_id}&utm_source=google&utm_medium=cpc&utm_campaign={campaign}&hsa_grp={adset_id}&hsa_ad={ad_id}",
        referrers: &["https://www.google.com/"],
        campaigns: NONE,
        ads: &[6, 7, 8],
        quality: 105,
        returns: Returns::Seldom,
    },
    Way {
        weight: 55,
        query: "gclid={id}&gad_campaignid={campaign_id}&utm_source=google&utm_medium=cpc&utm_campaign={campaign}&hsa_grp={adset_id}&hsa_ad={ad_id}",
        referrers: &["https://www.google.com/"],
        campaigns: NONE,
        ads: &[5],
        quality: 155,
        returns: Returns::Often,
    },
    Way {
        weight: 95,
        query: "comet_source=fb&comet_campaign={campaign_id}&comet_ad_group={adset_id}&comet_ad_id={ad_id}&comet_placement=Facebook_Feed&utm_campaign={campaign}&fbclid={id}",
        referrers: &["https://l.facebook.com/", "https://lm.facebook.com/"],
        campaigns: NONE,
        ads: &[0, 1],
        quality: 50,
        returns: Returns::Seldom,
    },
    Way {
        weight: 50,
        query: "comet_source=fb&comet_campaign={campaign_id}&comet_ad_group={adset_id}&comet_ad_id={ad_id}&comet_placement=Facebook_Feed&utm_campaign={campaign}&fbclid={id}",
        referrers: &["https://l.facebook.com/", "https://lm.facebook.com/"],
        campaigns: NONE,
        ads: &[2],
        quality: 110,
        returns: Returns::Only,
    },
    Way {
        weight: 30,
        query: "",
        referrers: &["https://m.facebook.com/", "https://www.facebook.com/"],
        campaigns: NONE,
        ads: UNPAID,
        quality: 40,
        returns: Returns::Seldom,
    },
    Way {
        weight: 60,
        query: "comet_source=ig&comet_campaign={campaign_id}&comet_ad_group={adset_id}&comet_ad_id={ad_id}&comet_placement=Instagram_Reels&utm_campaign={campaign}",
        referrers: &["https://l.instagram.com/"],
        campaigns: NONE,
        ads: &[3, 4],
        quality: 48,
        returns: Returns::Seldom,
    },
    Way {
        weight: 35,
        query: "",
        referrers: &["https://l.instagram.com/", "https://www.instagram.com/"],
        campaigns: NONE,
        ads: UNPAID,
        quality: 45,
        returns: Returns::Seldom,
    },
    Way {
        weight: 55,
        query: "utm_source=newsletter&utm_medium=email&utm_campaign={campaign}",
        referrers: NONE,
        campaigns: &["weekly_tours", "welcome_series", "autumn_sale"],
        ads: UNPAID,
        quality: 180,
        returns: Returns::Often,
    },
    Way {
        weight: 22,
        query: "",
        referrers: &["https://www.bing.com/"],
        campaigns: NONE,
        ads: UNPAID,
        quality: 90,
        returns: Returns::Seldom,
    },
    Way {
        weight: 18,
        query: "msclkid={id}&utm_source=bing&utm_medium=cpc&utm_campaign={campaign}",
        referrers: &["https://www.bing.com/"],
        campaigns: &["brand_search"],
        ads: UNPAID,
        quality: 120,
        returns: Returns::Seldom,
    },
    Way {
        weight: 34,
        query: "ttclid={id}&utm_source=tiktok&utm_medium=paid_social&utm_campaign={campaign}&campaign_id={campaign_id}&adset_id={adset_id}&ad_id={ad_id}",
        referrers: &["https://www.tiktok.com/"],
        campaigns: NONE,
        ads: &[9],
        quality: 28,
        returns: Returns::Seldom,
    },
    Way {
        weight: 16,
        query: "",
        referrers: &["https://www.reddit.com/r/hiking/", "https://www.reddit.com/r/Ultralight/"],
        campaigns: NONE,
        ads: UNPAID,
        quality: 55,
        returns: Returns::Seldom,
    },
    Way {
        weight: 12,
        query: "",
        referrers: &["https://www.youtube.com/"],
        campaigns: NONE,
        ads: UNPAID,
        quality: 60,
        returns: Returns::Seldom,
    },
    Way {
        weight: 18,
        query: "",
        referrers: &["https://chatgpt.com/", "https://www.perplexity.ai/"],
        campaigns: NONE,
        ads: UNPAID,
        quality: 140,
        returns: Returns::Seldom,
    },
    Way {
        weight: 10,
        query: "",
        referrers: &["https://duckduckgo.com/", "https://www.ecosia.org/"],
        campaigns: NONE,
        ads: UNPAID,
        quality: 100,
        returns: Returns::Seldom,
    },
    Way {
        weight: 28,
        query: "utm_source=alpinpartner&utm_medium=affiliate&utm_campaign={campaign}",
        referrers: &["https://www.alpinpartner.example/deals"],
        campaigns: &["affiliate_autumn"],
        ads: UNPAID,
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
        ads: UNPAID,
        quality: 85,
        returns: Returns::Seldom,
    },
    Way {
        weight: 10,
        query: "",
        referrers: &["https://mail.google.com/", "https://outlook.live.com/"],
        campaigns: NONE,
        ads: UNPAID,
        quality: 130,
        returns: Returns::Often,
    },
    Way {
        weight: 12,
        query: "",
        referrers: &["https://www.pinterest.com/"],
        campaigns: NONE,
        ads: UNPAID,
        quality: 50,
        returns: Returns::Seldom,
    },
];

/// Ways to the software's site.
pub const SAAS_WAYS: &[Way] = &[
    Way { weight: 170, query: "", referrers: NONE, campaigns: NONE, ads: UNPAID, quality: 115, returns: Returns::Often },
    Way {
        weight: 260,
        query: "",
        referrers: &["https://www.google.com/"],
        campaigns: NONE,
        ads: UNPAID,
        quality: 100,
        returns: Returns::Seldom,
    },
    Way {
        weight: 110,
        query: "gclid={id}&utm_source=google&utm_medium=cpc&utm_campaign={campaign}",
        referrers: &["https://www.google.com/"],
        campaigns: &["brand_search", "invoicing_generic", "competitor_terms"],
        ads: UNPAID,
        quality: 120,
        returns: Returns::Seldom,
    },
    Way {
        weight: 90,
        query: "li_fat_id={id}&utm_source=linkedin&utm_medium=paid_social&utm_campaign={campaign}",
        referrers: &["https://www.linkedin.com/"],
        campaigns: &["finance_leads_q3", "founder_story"],
        ads: UNPAID,
        quality: 150,
        returns: Returns::Seldom,
    },
    Way {
        weight: 40,
        query: "",
        referrers: &["https://www.linkedin.com/feed/", "https://lnkd.in/"],
        campaigns: NONE,
        ads: UNPAID,
        quality: 110,
        returns: Returns::Seldom,
    },
    Way {
        weight: 35,
        query: "",
        referrers: &["https://t.co/", "https://x.com/"],
        campaigns: NONE,
        ads: UNPAID,
        quality: 70,
        returns: Returns::Seldom,
    },
    Way {
        weight: 45,
        query: "",
        referrers: &["https://news.ycombinator.com/item?id=41000000"],
        campaigns: NONE,
        ads: UNPAID,
        quality: 35,
        returns: Returns::Seldom,
    },
    Way {
        weight: 40,
        query: "utm_source=facebook&utm_medium=cpc&utm_campaign={campaign}&fbclid={id}",
        referrers: &["https://l.facebook.com/"],
        campaigns: &["smb_lookalike"],
        ads: UNPAID,
        quality: 45,
        returns: Returns::Seldom,
    },
    Way {
        weight: 60,
        query: "utm_source=product_updates&utm_medium=email&utm_campaign={campaign}",
        referrers: NONE,
        campaigns: &["release_notes", "onboarding_day3"],
        ads: UNPAID,
        quality: 160,
        returns: Returns::Often,
    },
    Way {
        weight: 30,
        query: "",
        referrers: &["https://chatgpt.com/", "https://claude.ai/", "https://www.perplexity.ai/"],
        campaigns: NONE,
        ads: UNPAID,
        quality: 170,
        returns: Returns::Seldom,
    },
    Way {
        weight: 25,
        query: "",
        referrers: &["https://www.bing.com/", "https://duckduckgo.com/"],
        campaigns: NONE,
        ads: UNPAID,
        quality: 90,
        returns: Returns::Seldom,
    },
    Way {
        weight: 25,
        query: "utm_source=bookkeeping-weekly&utm_medium=sponsorship&utm_campaign={campaign}",
        referrers: NONE,
        campaigns: &["podcast_ep_14", "podcast_ep_19"],
        ads: UNPAID,
        quality: 95,
        returns: Returns::Seldom,
    },
    Way {
        weight: 30,
        query: "",
        referrers: &["https://www.softwarevergleich.example/rechnungen", "https://startup-stack.example/finance"],
        campaigns: NONE,
        ads: UNPAID,
        quality: 125,
        returns: Returns::Seldom,
    },
    Way {
        weight: 20,
        query: "",
        referrers: &["https://github.com/", "https://stackoverflow.com/questions/"],
        campaigns: NONE,
        ads: UNPAID,
        quality: 80,
        returns: Returns::Seldom,
    },
];
