//! Browser and system by uap-core's regexes (crate `ua-parser`), device type by system and tokens.

use std::io::Read;

use serde::Deserialize;
use ua_parser::{os, user_agent};

const REGEXES: &[u8] = include_bytes!("../../data/uap-core.json.gz");

pub struct Devices {
    browsers: user_agent::Extractor<'static>,
    systems: os::Extractor<'static>,
}

type Label = Option<&'static str>;

#[derive(Deserialize)]
struct Regexes {
    user_agent_parsers: Vec<user_agent::Parser<'static>>,
    os_parsers: Vec<os::Parser<'static>>,
}

impl Devices {
    /// Compiles the embedded regexes.
    pub fn compile() -> Self {
        let mut json = String::new();
        flate2::read::GzDecoder::new(REGEXES).read_to_string(&mut json).expect("the embedded file is gzip");
        let regexes: Regexes = serde_json::from_str(&json).expect("the embedded file has both lists");
        let browsers = user_agent::Builder::new().push_all(regexes.user_agent_parsers).expect("a test compiles these regexes");
        let systems = os::Builder::new().push_all(regexes.os_parsers).expect("a test compiles these regexes");
        Self {
            browsers: browsers.build().expect("a test compiles these regexes"),
            systems: systems.build().expect("a test compiles these regexes"),
        }
    }

    /// Browser, system and device type.
    pub fn read(&self, user_agent: &str) -> (Label, Label, Label) {
        let browser = self.browsers.extract(user_agent);
        let system = self.systems.extract(user_agent);
        let system = system.as_ref().map_or("", |found| &found.os);
        (browser.as_ref().and_then(|found| browser_name(&found.family)), os_name(system), device_type(user_agent, system))
    }
}

/// The five browsers by family. Browsers built from one of them under a name of their own are left out: Samsung Internet
/// is not Chrome to its users.
fn browser_name(family: &str) -> Label {
    match family {
        "Chrome" | "Chrome Mobile" | "Chrome Mobile iOS" | "Chrome Mobile WebView" | "Chromium" | "HeadlessChrome" => {
            Some("chrome")
        }
        "Firefox" | "Firefox Mobile" | "Firefox iOS" | "Firefox Beta" | "Firefox Alpha" => Some("firefox"),
        "Safari" | "Mobile Safari" | "Mobile Safari UI/WKWebView" => Some("safari"),
        "Edge" | "Edge Mobile" => Some("edge"),
        _ if family.starts_with("Firefox (") => Some("firefox"),
        _ if family == "Opera" || family.starts_with("Opera ") => Some("opera"),
        _ => None,
    }
}

fn os_name(family: &str) -> Label {
    match family {
        "Windows" => Some("windows"),
        "Mac OS X" | "Mac OS" => Some("macos"),
        "Android" => Some("android"),
        "iOS" => Some("ios"),
        "Linux" => Some("linux"),
        _ if DISTRIBUTIONS.contains(&family) => Some("linux"),
        _ => None,
    }
}

/// Linux under its distribution's name.
const DISTRIBUTIONS: &[&str] = &[
    "Ubuntu",
    "Kubuntu",
    "Debian",
    "Fedora",
    "Red Hat",
    "CentOS",
    "SUSE",
    "openSUSE",
    "Gentoo",
    "Arch Linux",
    "Mandriva",
    "Mint",
    "Linux Mint",
    "Slackware",
    "Mageia",
    "PCLinuxOS",
    "Puppy",
    "VectorLinux",
    "Lindows",
    "BackTrack",
    "Lubuntu",
    "Xubuntu",
];

/// Televisions, consoles and players: none of the three types.
const LIVING_ROOM: &[&str] = &[
    "smart-tv",
    "smarttv",
    "smart tv",
    "googletv",
    "google tv",
    "android tv",
    "apple tv",
    "appletv",
    "hbbtv",
    "netcast",
    "web0s",
    "webos.tv",
    "bravia",
    "crkey",
    "roku",
    "aftb",
    "aftm",
    "afts",
    "aftt",
    "viera",
    "dtv",
    "playstation",
    "xbox",
    "nintendo",
    "wiiu",
    "shield android",
    "mitv",
    "mibox",
    "tv safari",
    "large screen",
];

/// Tablet, phone or desktop. uap-core names devices but does not type them, so this goes by the tokens vendors agreed on:
/// `Mobile` in an Android browser's agent means a phone, its absence a tablet. Apps (`Dalvik/…`) follow no such rule.
fn device_type(user_agent: &str, system: &str) -> Label {
    let agent = user_agent.to_ascii_lowercase();
    let has = |token: &str| agent.contains(token);
    if LIVING_ROOM.iter().any(|token| has(token)) {
        return None;
    }
    let is_windows = system == "Windows";
    if has("ipad") || has("playbook") || has("kindle") || (has("tablet") && !is_windows) {
        return Some("tablet");
    }
    if has("iphone") || has("ipod") || has("windows phone") || has("opera mini") || has("blackberry") || has("bb10") {
        return Some("mobile");
    }
    match system {
        "Android" | "HarmonyOS" if has("mobile") => Some("mobile"),
        "Android" | "HarmonyOS" => agent.starts_with("mozilla/").then_some("tablet"),
        "iOS" | "Windows Phone" | "Windows Mobile" | "BlackBerry OS" | "Symbian OS" | "Firefox OS" | "KaiOS" | "Bada" => {
            Some("mobile")
        }
        "Windows" | "Mac OS X" | "Mac OS" | "Linux" | "Chrome OS" | "FreeBSD" | "OpenBSD" | "NetBSD" | "Solaris" => {
            if has("mobile") && !is_windows { Some("mobile") } else { Some("desktop") }
        }
        _ if DISTRIBUTIONS.contains(&system) => Some("desktop"),
        // Java phones name their profile.
        _ if has("mobile") || has("midp") => Some("mobile"),
        _ => None,
    }
}
