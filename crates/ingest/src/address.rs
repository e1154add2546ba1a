//! Addresses of pages: parsed, cleaned of personal data and read for what they say of the visit's origin. Pages and referrers
//! repeat from visit to visit, so what was read is remembered.

use std::borrow::Cow;
use std::sync::Arc;

use url::Url;

use crate::classify::{Linking, Tags};
use crate::memo::{Bounds, Memo};
use crate::steps::{Fragment, clean};

/// Pages remembered: a few tens of megabytes at the very most.
const REMEMBERED_PAGES: Bounds = Bounds { per_generation: 8_192, text_bytes: 512 };
/// Referrers remembered.
const REMEMBERED_REFERRERS: Bounds = Bounds { per_generation: 4_096, text_bytes: 512 };

/// What a page's address says.
pub(crate) struct Page {
    /// The address without personal data; `None` when it holds none and is stored as sent.
    pub(crate) cleaned: Option<String>,
    pub(crate) host: Option<String>,
    /// The path, if the address has one.
    pub(crate) path: Option<String>,
    /// The campaign tags of the cleaned address: a stored event classified again gives the same result.
    pub(crate) tags: Tags,
}

/// What the address of the linking page says.
pub(crate) struct Referrer {
    /// See [`Page::cleaned`].
    pub(crate) cleaned: Option<String>,
    pub(crate) linking: Linking,
}

/// Reads addresses.
pub(crate) struct Addresses {
    pages: Memo<Arc<Page>>,
    /// `None` for a text that is no URL with a host.
    referrers: Memo<Option<Arc<Referrer>>>,
}

impl Addresses {
    pub(crate) fn new() -> Self {
        Self { pages: Memo::new(REMEMBERED_PAGES), referrers: Memo::new(REMEMBERED_REFERRERS) }
    }

    /// The page of an absolute URL that was read before.
    pub(crate) fn find_page(&self, text: &str) -> Option<Arc<Page>> {
        self.pages.find(text)
    }

    /// The page of an absolute URL.
    pub(crate) fn page(&self, text: &str) -> Result<Arc<Page>, url::ParseError> {
        let mut url = Url::parse(text)?;
        let hierarchical = Some(&url).filter(|url| !url.cannot_be_a_base());
        let path = hierarchical.map(|url| url.path().to_owned()).filter(|path| !path.is_empty());
        let host = url.host_str().map(str::to_owned);
        let cleaned = clean(text, &mut url, Fragment::Keep);
        let tags = cleaned_url(&cleaned, &url).map_or_else(Tags::default, |url| Tags::of(&url));
        let page = Arc::new(Page { cleaned, host, path, tags });
        // What holds personal data is not kept even here.
        if page.cleaned.is_none() {
            self.pages.keep(text, page.clone());
        }
        Ok(page)
    }

    /// The linking page; `None` when the text is no URL with a host.
    pub(crate) fn referrer(&self, text: &str) -> Option<Arc<Referrer>> {
        if let Some(known) = self.referrers.find(text) {
            return known;
        }
        let read = Url::parse(text).ok().filter(Url::has_host).map(|mut url| {
            let cleaned = clean(text, &mut url, Fragment::Drop);
            let linking = cleaned_url(&cleaned, &url).map_or_else(Linking::default, |url| Linking::of(&url));
            Arc::new(Referrer { cleaned, linking })
        });
        if read.as_ref().is_some_and(|referrer| referrer.cleaned.is_none()) {
            self.referrers.keep(text, read.clone());
        }
        read
    }
}

/// The URL of the text as it will be stored.
fn cleaned_url<'u>(cleaned: &Option<String>, url: &'u Url) -> Option<Cow<'u, Url>> {
    match cleaned {
        None => Some(Cow::Borrowed(url)),
        Some(text) => Url::parse(text).ok().map(Cow::Owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_remembered_within_bounds_and_without_personal_data() {
        let addresses = Addresses::new();
        for number in 0..3 * REMEMBERED_PAGES.per_generation {
            addresses.page(&format!("https://a.example/p/{number}")).unwrap();
            addresses.referrer(&format!("https://b.example/{number}"));
        }
        assert!(addresses.pages.len() <= 2 * REMEMBERED_PAGES.per_generation);
        assert!(addresses.referrers.len() <= 2 * REMEMBERED_REFERRERS.per_generation);
        for text in ["https://a.example/?email=jo%40b.example&utm_source=x", "https://jo:secret@a.example/"] {
            let page = addresses.page(text).unwrap();
            assert_eq!(page.host.as_deref(), Some("a.example"));
            assert!(page.cleaned.is_some());
            assert!(addresses.find_page(text).is_none(), "{text}");
            assert!(addresses.referrer(text).unwrap().cleaned.is_some());
            assert!(addresses.referrers.find(text).is_none(), "{text}");
        }
        let known = "https://a.example/kept?utm_source=x";
        let page = addresses.page(known).unwrap();
        assert!(Arc::ptr_eq(&page, &addresses.find_page(known).unwrap()));
    }
}
