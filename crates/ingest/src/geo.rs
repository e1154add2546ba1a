//! Countries of addresses, from a MaxMind-format file.

use std::net::IpAddr;
use std::path::Path;

use maxminddb::{PathElement, Reader};
use tributary_core::error::{Error, Result};

/// A table of countries, held in memory.
pub struct Countries {
    reader: Reader<Vec<u8>>,
}

impl Countries {
    /// Reads a MaxMind-format file (GeoLite2 Country or City, DB-IP, IPinfo's `country.iso_code` layouts).
    pub fn open(path: &Path) -> Result<Self> {
        let unreadable =
            || Error::internal(format!("the geo database {} cannot be read as a MaxMind-format file", path.display()));
        Ok(Self { reader: Reader::open_readfile(path).map_err(|error| unreadable().caused_by(error))? })
    }

    /// The country an address is in, ISO 3166-1 alpha-2. `None` for addresses the file does not know.
    pub fn find(&self, address: IpAddr) -> Option<String> {
        const ISO_CODE: [PathElement<'static>; 2] = [PathElement::Key("country"), PathElement::Key("iso_code")];
        let code: &str = self.reader.lookup(address).ok()?.decode_path(&ISO_CODE).ok()??;
        country_code(code)
    }
}

/// Two letters, upper-cased. The proxies' codes for "unknown" (`XX`) and Tor (`T1`) are no countries.
pub fn country_code(text: &str) -> Option<String> {
    let code = text.trim();
    let is_code = code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_alphabetic()) && !code.eq_ignore_ascii_case("xx");
    is_code.then(|| code.to_ascii_uppercase())
}
