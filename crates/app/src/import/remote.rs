//! Rows sent to a running server over `POST /v1/batch`, with a secret key.

use reqwest::{Client, StatusCode, Url};
use serde_json::{Map, Value, json};
use std::time::Duration;

use tributary_core::error::{Code, Error, Result};
use tributary_core::time::format_utc;
use tributary_http::admin::RowFate as Fate;
use tributary_ingest::draft::Draft;
use tributary_ingest::imported::ImportedRow;

/// Events of one request: the documented limit.
const BATCH_EVENTS: usize = 1_000;
/// How often a request is sent at most.
const MAX_ATTEMPTS: u32 = 12;
/// The first pause after a failure of the server or the network; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A workspace of a running server.
#[derive(Clone, Debug)]
pub struct Remote {
    client: Client,
    batch: Url,
    key: String,
}

impl Remote {
    /// A server by its address, such as `https://analytics.example.com`, and a secret key of the workspace.
    pub fn new(client: Client, url: &str, key: &str) -> Result<Remote> {
        let invalid = |what: &str| Error::new(Code::InvalidParams, what.to_owned());
        if !key.starts_with("sk_") {
            return Err(invalid("--key must be a secret key of the workspace (sk_…): only these may send events from a server"));
        }
        let base: Url = url.parse().map_err(|_| invalid("--url must be an address such as https://analytics.example.com"))?;
        let batch =
            base.join("v1/batch").map_err(|_| invalid("--url must be an address such as https://analytics.example.com"))?;
        Ok(Remote { client, batch, key: key.to_owned() })
    }

    /// Sends rows; what the server refuses is taken out and the rest sent again.
    pub async fn send(&self, rows: Vec<ImportedRow>) -> Result<Vec<Fate>> {
        let mut fates = vec![Fate::Accepted; rows.len()];
        let mut waiting: Vec<(usize, Value)> = rows.into_iter().map(|row| wire(row.draft)).enumerate().collect();
        while !waiting.is_empty() {
            let rest = waiting.split_off(waiting.len().min(BATCH_EVENTS));
            let mut chunk = std::mem::replace(&mut waiting, rest);
            while !chunk.is_empty() {
                let refused = self.send_chunk(&chunk, &mut fates).await?;
                if refused.is_empty() {
                    break;
                }
                for (place, reason) in &refused {
                    fates[chunk[*place].0] = Fate::Rejected(reason.clone());
                }
                let mut place = 0;
                chunk.retain(|_| {
                    place += 1;
                    !refused.iter().any(|(refused, _)| *refused == place - 1)
                });
            }
        }
        Ok(fates)
    }

    /// Sends one request until the server answers it. Answers the places it refuses, with reasons.
    async fn send_chunk(&self, chunk: &[(usize, Value)], fates: &mut [Fate]) -> Result<Vec<(usize, String)>> {
        let events: Vec<&Value> = chunk.iter().map(|(_, event)| event).collect();
        let body = json!({ "events": events }).to_string();
        let mut pause = FIRST_PAUSE;
        let mut last = String::from("no answer");
        for _ in 0..MAX_ATTEMPTS {
            let request = self.client.post(self.batch.clone()).bearer_auth(&self.key).header("content-type", "application/json");
            let wait = match request.body(body.clone()).send().await {
                Err(error) => {
                    last = if error.is_timeout() { String::from("no answer in time") } else { String::from("no connection") };
                    pause
                }
                Ok(answer) => {
                    let status = answer.status();
                    let retry_after = answer.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
                    let text = answer.text().await.unwrap_or_default();
                    let answer: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
                    if status.is_success() {
                        mark_duplicates(&answer, chunk, fates);
                        return Ok(Vec::new());
                    }
                    let refused = refusals(&answer, chunk.len());
                    if status == StatusCode::BAD_REQUEST && !refused.is_empty() {
                        return Ok(refused);
                    }
                    last = format!("status {status}: {}", text.chars().take(200).collect::<String>());
                    if status != StatusCode::TOO_MANY_REQUESTS && !status.is_server_error() {
                        return Err(Error::new(Code::UpstreamFailed, format!("the server refused the import: {last}")));
                    }
                    retry_after.map_or(pause, Duration::from_secs).min(LONGEST_PAUSE)
                }
            };
            tokio::time::sleep(wait).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Err(Error::new(
            Code::UpstreamFailed,
            format!(
                "the server did not take the rows after {MAX_ATTEMPTS} attempts ({last}); run the same import again to go on"
            ),
        ))
    }
}

/// The server says how many of a batch it had already, not which: the last ones are counted as such.
fn mark_duplicates(answer: &Value, chunk: &[(usize, Value)], fates: &mut [Fate]) {
    let duplicates = answer.get("duplicates").and_then(Value::as_u64).and_then(|count| usize::try_from(count).ok()).unwrap_or(0);
    for (place, _) in chunk.iter().rev().take(duplicates) {
        fates[*place] = Fate::Duplicate;
    }
}

/// Reads `details.fieldErrors` of an `invalid_payload`: keys such as `events.3.timestamp`.
fn refusals(answer: &Value, events: usize) -> Vec<(usize, String)> {
    let fields = answer.pointer("/details/fieldErrors").and_then(Value::as_object);
    let mut refused: Vec<(usize, String)> = Vec::new();
    for (field, messages) in fields.into_iter().flatten() {
        let mut parts = field.splitn(3, '.');
        let (Some("events"), Some(Ok(place)), field) = (parts.next(), parts.next().map(str::parse::<usize>), parts.next()) else {
            continue;
        };
        let messages: Vec<&str> = messages.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let reason = format!("{}: {}", field.unwrap_or("event"), messages.join("; "));
        match refused.iter_mut().find(|(known, _)| *known == place) {
            Some((_, reasons)) => *reasons = format!("{reasons}; {reason}"),
            None if place < events => refused.push((place, reason)),
            None => {}
        }
    }
    refused
}

/// A draft as `/v1/batch` takes it.
fn wire(draft: Draft) -> Value {
    let mut event = Map::new();
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            event.insert(name.to_owned(), value);
        }
    };
    set("event", draft.event.map(Value::from));
    set("event_id", draft.event_id.map(Value::from));
    set("timestamp", draft.time_us.map(|time_us| Value::from(format_utc(time_us))).or(draft.timestamp.map(Value::from)));
    set("anonymous_id", draft.anonymous_id.map(Value::from));
    set("user_id", draft.user_id.map(Value::from));
    set("session_id", draft.session_id.map(Value::from));
    set("url", draft.url.map(Value::from));
    set("path", draft.path.map(Value::from));
    set("referrer", draft.referrer.map(Value::from));
    set("context", draft.context.map(|context| json!({ "ip": context.ip, "user_agent": context.user_agent })));
    // Over HTTP a typed amount is a pair of properties.
    let mut properties = draft.properties.unwrap_or_default();
    if let (Some(amount), Some(currency)) = (draft.amount, draft.currency) {
        properties.insert(String::from("amount"), Value::from(amount));
        properties.insert(String::from("currency"), Value::from(currency));
    }
    set("properties", (!properties.is_empty()).then_some(Value::Object(properties)));
    Value::Object(event)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_read_by_place() {
        let answer = json!({"error": "invalid_payload", "details": {"fieldErrors": {
            "events.3.timestamp": ["too old"], "events.3.event": ["Required"], "events.0.url": ["no URL"], "events.99.url": ["x"], "events": ["y"]
        }}});
        assert_eq!(refusals(&answer, 10), [(3, "timestamp: too old; event: Required".to_owned()), (0, "url: no URL".to_owned())]);
    }

    #[test]
    fn only_secret_keys_send() {
        let client = crate::client::server().expect("builds");
        assert!(Remote::new(client.clone(), "http://127.0.0.1:1", "pk_live_x_y").is_err());
        assert!(Remote::new(client.clone(), "nowhere", "sk_live_x_y").is_err());
        assert!(Remote::new(client, "http://127.0.0.1:1/", "sk_live_x_y").is_ok());
    }
}
