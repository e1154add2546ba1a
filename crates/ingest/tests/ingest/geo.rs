//! Countries against MaxMind's own test databases, whose answers come as JSON beside them.

use std::net::IpAddr;
use tributary_core::error::Code;
use tributary_ingest::geo::{Countries, country_code};

use crate::data;

/// Looks every listed network's first address up, and counts networks with a country.
fn check(name: &str) -> usize {
    let countries = Countries::open(&data::path(&format!("geo/{name}.mmdb"))).unwrap();
    let source = data::json(&format!("geo/{name}.json.gz"));
    let mut with_country = 0;
    for (network, record) in source.as_array().unwrap().iter().flat_map(|entry| entry.as_object().unwrap()) {
        let address: IpAddr = network.split('/').next().unwrap().parse().unwrap();
        let expected = record["country"]["iso_code"].as_str();
        assert_eq!(countries.find(address).as_deref(), expected, "{network}");
        with_country += usize::from(expected.is_some());
    }
    with_country
}

#[test]
fn countries_of_both_test_databases() {
    assert_eq!((check("GeoLite2-Country-Test"), check("GeoLite2-City-Test")), (242, 240));
}

#[test]
fn unknown_addresses_have_no_country() {
    let countries = Countries::open(&data::path("geo/GeoLite2-Country-Test.mmdb")).unwrap();
    for address in ["127.0.0.1", "10.0.0.1", "::1", "203.0.113.7"] {
        assert_eq!(countries.find(address.parse().unwrap()), None, "{address}");
    }
}

#[test]
fn a_file_of_another_format_is_named() {
    let error = Countries::open(&data::path("geo/LICENSE-MIT")).err().unwrap();
    assert_eq!(error.code(), Code::Internal);
    assert!(error.message().contains("LICENSE-MIT"), "{}", error.message());
    assert!(Countries::open(&data::path("geo/missing.mmdb")).is_err());
}

#[test]
fn codes_are_two_letters() {
    for (text, code) in
        [("de", Some("DE")), (" US ", Some("US")), ("XX", None), ("T1", None), ("", None), ("DEU", None), ("Ü", None)]
    {
        assert_eq!(country_code(text).as_deref(), code, "{text:?}");
    }
}
