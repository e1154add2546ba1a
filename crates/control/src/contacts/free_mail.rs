//! Which company an e-mail address speaks for: its registrable domain, unless anybody can have an address there.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Mail domains that belong to no company, see `data/README.md`.
static FREE_MAIL: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("../../data/free-email-domains.txt").lines().collect());

/// Whether addresses of this domain (lower case, ASCII) say nothing about a company.
pub fn is_free_mail(domain: &str) -> bool {
    FREE_MAIL.contains(domain)
}

/// The registrable domain of a mail domain, `None` where it is a free-mail one or has no public suffix.
pub(super) fn company_domain(domain: &str) -> Option<&str> {
    let registrable = registrable(domain)?;
    (!is_free_mail(domain) && !is_free_mail(registrable)).then_some(registrable)
}

/// The registrable domain by the public suffix list; `None` for a suffix itself, or a name below none. Names below the reserved
/// `.example` are nobody's, so the companies of examples and of the demo may have them.
pub(super) fn registrable(domain: &str) -> Option<&str> {
    let found = psl::domain(domain.as_bytes())?;
    let suffix = found.suffix();
    if !suffix.is_known() && suffix.as_bytes() != b"example" {
        return None;
    }
    std::str::from_utf8(found.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn companies_and_free_mail() {
        for (domain, company) in [
            ("acme.example.com", Some("example.com")),
            ("mail.acme.co.uk", Some("acme.co.uk")),
            ("hubspot.com", Some("hubspot.com")),
            ("gmail.com", None),
            ("yahoo.co.uk", None),
            ("gmx.de", None),
            ("eu.gmail.com", None),
            ("co.uk", None),
            ("mail.acme.example", Some("acme.example")),
            ("example", None),
            ("localhost", None),
            ("corp.internal-name", None),
        ] {
            assert_eq!(company_domain(domain), company, "{domain}");
        }
    }

    #[test]
    fn the_list_is_as_it_should_be() {
        assert!(FREE_MAIL.len() > 10_000);
        for domain in FREE_MAIL.iter() {
            assert_eq!(*domain, domain.trim().to_lowercase(), "{domain}");
            assert!(domain.contains('.') && domain.is_ascii(), "{domain}");
        }
    }
}
