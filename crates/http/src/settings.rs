//! What an operator may set about the public listener.

use std::net::IpAddr;
use std::str::FromStr;

use tributary_core::error::{Code, Error};

/// Settings of the public routes.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The address clients use, such as `https://stats.example.org`; `None` when only the request tells.
    pub public_url: Option<String>,
    /// Peers whose forwarded headers count.
    pub trusted_proxies: Vec<Network>,
    /// Origins whose pages may call the MCP doors, besides loopback ones and `public_url`, in the form of
    /// [`tributary_control::normalise_origin`].
    pub mcp_origins: Vec<String>,
    /// Whether secret keys may read over REST too. The documented endpoints take read keys only.
    pub secret_keys_read: bool,
}

/// A range of addresses: `10.0.0.0/8`, `2001:db8::/32`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    first: u128,
    mask: u128,
}

impl Network {
    /// Whether the address lies inside. An IPv4 address and its IPv6-mapped form are the same.
    pub fn contains(&self, address: IpAddr) -> bool {
        number(address) & self.mask == self.first
    }
}

impl FromStr for Network {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let refuse = || {
            let shown: String = text.chars().take(64).collect();
            Error::new(Code::InvalidParams, format!("`{shown}` is not a network; accepted: 10.0.0.0/8, 2001:db8::/32, 127.0.0.1"))
        };
        let (address, length) = match text.trim().split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text.trim(), None),
        };
        let address: IpAddr = address.parse().map_err(|_| refuse())?;
        let (widest, offset) = if address.is_ipv4() { (32, 96) } else { (128, 0) };
        let length: u32 = match length {
            Some(length) => length.parse().ok().filter(|length| *length <= widest).ok_or_else(refuse)?,
            None => widest,
        };
        let mask = match 128 - (length + offset) {
            128 => 0,
            host_bits => u128::MAX << host_bits,
        };
        Ok(Self { first: number(address) & mask, mask })
    }
}

/// An address as a number, IPv4 ones in their IPv6-mapped form.
fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_hold_their_addresses() {
        for (network, address, inside) in [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.0/8", "::ffff:10.1.2.3", true),
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.2", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "203.0.113.9", true),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
        ] {
            let parsed: Network = network.parse().expect(network);
            assert_eq!(parsed.contains(address.parse().expect(address)), inside, "{address} in {network}");
        }
        for text in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "localhost", "10.0.0.0/-1", "10.0.0.0/8/8"] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }
}
