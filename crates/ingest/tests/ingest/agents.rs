//! User-Agents against uap-core's own cases, isbot's own lists, and a real log.

use serde::Deserialize;
use std::collections::HashMap;
use tributary_ingest::agents::Agents;
use ua_parser::{device, os, user_agent};

use crate::data;

#[derive(Deserialize)]
struct Shipped {
    user_agent_parsers: Vec<user_agent::Parser<'static>>,
    os_parsers: Vec<os::Parser<'static>>,
}

/// The regexes this crate embeds, read as the crate reads them.
fn shipped() -> Shipped {
    let packed = include_bytes!("../../data/uap-core.json.gz");
    serde_json::from_reader(flate2::read::GzDecoder::new(&packed[..])).unwrap()
}

fn field<'a>(case: &'a HashMap<String, Option<String>>, name: &str) -> Option<&'a str> {
    case.get(name).and_then(|value| value.as_deref())
}

#[test]
fn all_1601_browser_cases_of_uap_core_pass() {
    let extractor = user_agent::Builder::new().push_all(shipped().user_agent_parsers).unwrap().build().unwrap();
    let cases = data::uap_cases("ua/uap-core_test_ua.yaml.gz");
    assert_eq!(cases.len(), 1_601);
    for case in &cases {
        let agent = field(case, "user_agent_string").unwrap();
        let found = extractor.extract(agent).unwrap_or_default();
        let family = if found.family.is_empty() { "Other" } else { &found.family };
        assert_eq!(Some(family), field(case, "family"), "{agent}");
        let version = [found.major, found.minor, found.patch];
        assert_eq!(version, ["major", "minor", "patch"].map(|name| field(case, name)), "{agent}");
    }
}

#[test]
fn all_483_system_cases_of_uap_core_pass() {
    let extractor = os::Builder::new().push_all(shipped().os_parsers).unwrap().build().unwrap();
    let cases = data::uap_cases("ua/uap-core_test_os.yaml.gz");
    assert_eq!(cases.len(), 483);
    for case in &cases {
        let agent = field(case, "user_agent_string").unwrap();
        let found = extractor.extract(agent).unwrap_or_default();
        let family = if found.os.is_empty() { "Other" } else { &found.os };
        assert_eq!(Some(family), field(case, "family"), "{agent}");
        let version = [found.major.as_deref(), found.minor.as_deref(), found.patch.as_deref()];
        assert_eq!(version, ["major", "minor", "patch"].map(|name| field(case, name)), "{agent}");
    }
}

/// Devices are not among what we embed; their regexes are read from the YAML, whose entries are flat and quoted.
#[test]
fn all_16129_device_cases_of_uap_core_pass() {
    let yaml = data::text("ua/uap-core_regexes.yaml.gz");
    let mut parsers: Vec<HashMap<String, String>> = Vec::new();
    for line in yaml.split_once("\ndevice_parsers:").unwrap().1.lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        let entry = match trimmed.strip_prefix("- ") {
            Some(first) => {
                parsers.push(HashMap::new());
                first.trim_start()
            }
            None => trimmed,
        };
        let (key, value) = entry.split_once(':').unwrap();
        parsers.last_mut().unwrap().insert(key.to_owned(), data::scalar(value.trim()));
    }
    assert_eq!(parsers.len(), 633);
    let mut builder = device::Builder::new();
    for mut parser in parsers {
        let json = serde_json::json!({
            "regex": parser.remove("regex").unwrap(),
            "regex_flag": parser.remove("regex_flag"),
            "device_replacement": parser.remove("device_replacement"),
            "brand_replacement": parser.remove("brand_replacement"),
            "model_replacement": parser.remove("model_replacement"),
        });
        builder = builder.push(serde_json::from_value(json).unwrap()).unwrap();
    }
    let extractor = builder.build().unwrap();
    let cases = data::uap_cases("ua/uap-core_test_device.yaml.gz");
    assert_eq!(cases.len(), 16_129);
    for case in &cases {
        let agent = field(case, "user_agent_string").unwrap();
        let found = extractor.extract(agent).unwrap_or_default();
        let family = if found.device.is_empty() { "Other" } else { &found.device };
        assert_eq!(Some(family), field(case, "family"), "{agent}");
        assert_eq!(found.brand.as_deref(), field(case, "brand"), "{agent}");
        assert_eq!(found.model.as_deref(), field(case, "model"), "{agent}");
    }
}

#[test]
fn isbot_decides_its_own_lists_right() {
    let agents = Agents::new();
    let crawlers = data::isbot_list("ua/isbot_crawlers.yml");
    let browsers = data::isbot_list("ua/isbot_browsers.yml");
    assert_eq!((crawlers.len(), browsers.len()), (626, 555));
    for agent in crawlers {
        assert!(agents.read(&agent).bot.is_some(), "{agent}");
    }
    for agent in browsers {
        assert_eq!(agents.read(&agent).bot, None, "{agent}");
    }
}

#[test]
fn browsers_systems_and_devices_are_coarse() {
    let agents = Agents::new();
    for (agent, browser, os, device_type) in [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
            "chrome",
            "windows",
            "desktop",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.2592.61",
            "edge",
            "windows",
            "desktop",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36 OPR/110.0.0.0",
            "opera",
            "windows",
            "desktop",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15",
            "safari",
            "macos",
            "desktop",
        ),
        ("Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0", "firefox", "linux", "desktop"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
            "safari",
            "ios",
            "mobile",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/126.0.6478.54 Mobile/15E148 Safari/604.1",
            "chrome",
            "ios",
            "mobile",
        ),
        (
            "Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.6 Mobile/15E148 Safari/604.1",
            "safari",
            "ios",
            "tablet",
        ),
        (
            "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36",
            "chrome",
            "android",
            "mobile",
        ),
        (
            "Mozilla/5.0 (Linux; Android 13; SM-X700) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
            "chrome",
            "android",
            "tablet",
        ),
        ("Mozilla/5.0 (Android 14; Mobile; rv:127.0) Gecko/127.0 Firefox/127.0", "firefox", "android", "mobile"),
        (
            "Mozilla/5.0 (Linux; Android 14; SM-S921B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36",
            "",
            "android",
            "mobile",
        ),
        (
            "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
            "chrome",
            "",
            "desktop",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; Xbox; Xbox One) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edge/44.18363",
            "edge",
            "windows",
            "",
        ),
        (
            "Mozilla/5.0 (Linux; Android 5.1; AFTS Build/LMY47O) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/41.99900.2250.0242 Safari/537.36",
            "chrome",
            "android",
            "",
        ),
        ("my-script", "", "", ""),
    ] {
        let read = agents.read(agent);
        let shown = [read.browser, read.os, read.device_type].map(|label| label.unwrap_or(""));
        assert_eq!(shown, [browser, os, device_type], "{agent}");
    }
}

/// Agents device-detector types otherwise, with its type and ours. It knows single models; we go by tokens.
const DEVICE_TYPES_DIFFERENT: &[(&str, &str, &str)] = &[
    ("Dalvik/1.6.0 (Linux; U; Android 4.1.2; GT-S5282 Build/JZO54K)", "mobile", ""),
    ("Mozilla/5.0 Gecko/20100115 Firefox/3.6", "mobile", ""),
    ("Dalvik/1.6.0 (Linux; U; Android 4.1.2; GT-I8552 Build/JZO54K)", "mobile", ""),
    (
        "Mozilla/5.0 (Linux; U; Android 4.1.1; fr-; Arc Build/JRO03L) AppleWebKit/534.30 (KHTML, like Gecko) Version/4.0 Safari/534.30",
        "mobile",
        "tablet",
    ),
    ("Dalvik/1.6.0 (Linux; U; Android 4.1.2; GT-I8190 Build/JZO54K)", "mobile", ""),
    (
        "Mozilla/5.0 (Linux; U; Android 4.2.2; en-us; M708S Build/JDQ39) AppleWebKit/534.30 (KHTML, like Gecko) Version/4.0 Safari/534.30 GSA/2.0.0.392829",
        "mobile",
        "tablet",
    ),
    ("Links (2.7; CYGWIN_NT-5.1 1.7.15(0.260/5/3) i686; GNU C 4.5.3; text)", "desktop", ""),
    (
        "Mozilla/5.0 (X11; CrOS armv7l 4920.83.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/32.0.1700.103 Safari/537.36",
        "mobile",
        "desktop",
    ),
    ("Dalvik/1.6.0 (Linux; U; Android 4.2.2; A114 Build/JDQ39)", "mobile", ""),
    ("Dalvik/1.6.0 (Linux; U; Android 4.2.2; Symphony W68 Build/JDQ39)", "mobile", ""),
    ("Mozilla/5.0 (Windows NT 6.3; ARM; Trident/7.0; Touch; rv:11.0) like Gecko", "tablet", "desktop"),
    ("Dalvik/1.6.0 (Linux; U; Android 4.1.2; C2105 Build/15.0.A.2.17)", "mobile", ""),
    (
        "Mozilla/5.0 (Linux; U; Android 4.2.1; fr-fr; MT-701 Build/JOP40D) AppleWebKit/534.30 (KHTML, like Gecko) Version/4.0 Safari/534.30 GSA/2.0.0.392829",
        "mobile",
        "tablet",
    ),
];

/// The 559 agents of a real log. uap-core made the families in the file, so browser and system are held to them; device
/// types were judged by device-detector.
#[test]
fn agents_of_a_real_log() {
    let agents = Agents::new();
    let rows = data::csv("ua/access_log_ua_consensus.csv");
    assert_eq!(rows.len(), 559);
    let mut compared = 0;
    let mut different = Vec::new();
    let mut bots = 0;
    for row in &rows {
        let agent = &row["user_agent"];
        let read = agents.read(agent);
        assert_eq!(read.bot.is_some(), row["bot_isbot"] == "1", "{agent}");
        bots += usize::from(read.bot.is_some());
        let family = row["uap_browser"].to_lowercase();
        if let Some(browser) = read.browser {
            assert!(family.replace("chromium", "chrome").contains(browser), "{agent}: {browser} is not {family}");
        }
        let theirs = match row["dd_device_type"].as_str() {
            "desktop" => "desktop",
            "tablet" => "tablet",
            "smartphone" | "feature phone" | "phablet" => "mobile",
            _ => continue,
        };
        if read.bot.is_some() {
            continue;
        }
        compared += 1;
        if read.device_type != Some(theirs) {
            different.push((agent.as_str(), theirs, read.device_type.unwrap_or("")));
        }
    }
    assert_eq!((bots, compared), (117, 398));
    assert_eq!(different, DEVICE_TYPES_DIFFERENT);
}
