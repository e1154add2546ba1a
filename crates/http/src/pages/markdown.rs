//! The documentation's Markdown as HTML: headings with anchors, links between pages, raw HTML refused.

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};

/// One rendered page.
pub struct Rendered {
    /// The first heading, as text.
    pub title: String,
    /// The page body, as HTML.
    pub html: String,
    /// Second-level headings: anchor and text.
    pub sections: Vec<(String, String)>,
}

/// Renders one page. Links to `name.md` become links to `/docs/name`; HTML in the source is shown as text.
pub fn render(source: &str) -> Rendered {
    let events: Vec<Event<'_>> = Parser::new_ext(source, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH).collect();
    let mut title = String::new();
    let mut sections = Vec::new();
    let mut out = Vec::with_capacity(events.len());
    for (index, event) in events.iter().enumerate() {
        let kept = match event {
            Event::Start(Tag::Heading { level, classes, attrs, .. }) => {
                let text = heading_text(&events[index + 1..]);
                let anchor = slug(&text);
                match level {
                    pulldown_cmark::HeadingLevel::H1 if title.is_empty() => title = text,
                    pulldown_cmark::HeadingLevel::H2 => sections.push((anchor.clone(), text)),
                    _ => {}
                }
                let id = Some(CowStr::from(anchor));
                Event::Start(Tag::Heading { level: *level, id, classes: classes.clone(), attrs: attrs.clone() })
            }
            Event::Start(Tag::Link { link_type, dest_url, title, id }) => Event::Start(Tag::Link {
                link_type: *link_type,
                dest_url: page_link(dest_url),
                title: title.clone(),
                id: id.clone(),
            }),
            // A wide table scrolls inside its own box.
            Event::Start(Tag::Table(_)) => {
                out.push(Event::Html(CowStr::from("<div class=\"scroll\">")));
                event.clone()
            }
            Event::End(TagEnd::Table) => {
                out.push(event.clone());
                Event::Html(CowStr::from("</div>"))
            }
            Event::Html(text) | Event::InlineHtml(text) => Event::Text(text.clone()),
            _ => event.clone(),
        };
        out.push(kept);
    }
    let mut body = String::with_capacity(source.len() * 2);
    html::push_html(&mut body, out.into_iter());
    Rendered { title, html: body, sections }
}

fn heading_text(rest: &[Event<'_>]) -> String {
    rest.iter()
        .take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_))))
        .filter_map(|event| match event {
            Event::Text(text) | Event::Code(text) => Some(text.as_ref()),
            _ => None,
        })
        .collect()
}

/// The anchor GitHub would give, so that links work there too.
fn slug(heading: &str) -> String {
    let kept = heading.to_lowercase();
    kept.chars().filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter)).collect::<String>().replace(' ', "-")
}

fn page_link<'a>(target: &str) -> CowStr<'a> {
    let (path, anchor) = target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
    let anchor = anchor.map(|anchor| format!("#{anchor}")).unwrap_or_default();
    match path.strip_suffix(".md") {
        Some(page) if !page.contains(['/', ':']) => CowStr::from(format!("/docs/{page}{anchor}")),
        _ => CowStr::from(target.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_is_shown_not_run() {
        let page = render("# Title\n\n<script>x</script>\n\na <b>c</b>\n");
        assert_eq!(page.title, "Title");
        assert!(!page.html.contains("<script>") && !page.html.contains("<b>"), "{}", page.html);
    }

    #[test]
    fn links_between_pages_follow_the_site() {
        let page = render("[a](errors.md#codes) [b](https://example.org/x.md) [c](#here)\n\n## Two `words`\n");
        for part in ["href=\"/docs/errors#codes\"", "href=\"https://example.org/x.md\"", "href=\"#here\"", "id=\"two-words\""] {
            assert!(page.html.contains(part), "{part}: {}", page.html);
        }
        assert_eq!(page.sections, [(String::from("two-words"), String::from("Two words"))]);
    }
}
