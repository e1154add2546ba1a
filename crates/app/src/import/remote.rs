//! Rows sent to a running server over `POST /v1/import`, with a secret key.

use reqwest::{Client, StatusCode, Url};
use std::time::Duration;

use tributary_core::error::{Code, Error, Result};
use tributary_ingest::imported::ImportedRow;
use tributary_service::import::{ImportInput, ImportOutput, MAX_IMPORT_ROWS, RowFate};

use crate::import::chunk::chunks;

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
    route: Url,
    key: String,
    site_host: Option<String>,
}

impl Remote {
    /// A server by its address, such as `https://analytics.example.com`, and a secret key of the workspace.
    pub fn new(client: Client, url: &str, key: &str, site_host: Option<String>) -> Result<Remote> {
        let invalid = |what: &str| Error::new(Code::InvalidParams, what.to_owned());
        if !key.starts_with("sk_") {
            return Err(invalid("--key must be a secret key of the workspace (sk_…): only these may import"));
        }
        // A path without a slash at its end would lose its last part.
        let route = format!("{}/v1/import", url.trim_end_matches('/')).parse::<Url>().ok().filter(Url::has_host);
        let route = route.ok_or_else(|| invalid("--url must be an address such as https://analytics.example.com"))?;
        Ok(Remote { client, route, key: key.to_owned(), site_host })
    }

    /// Sends rows.
    pub async fn send(&self, rows: Vec<ImportedRow>) -> Result<Vec<RowFate>> {
        let mut fates = Vec::with_capacity(rows.len());
        for rows in chunks(rows, MAX_IMPORT_ROWS) {
            let count = rows.len();
            let input = ImportInput { site_host: self.site_host.clone(), rows };
            let body =
                serde_json::to_string(&input).map_err(|error| Error::internal("the rows do not serialize").caused_by(error))?;
            let ImportOutput { outcomes, .. } = self.post(body).await?;
            if outcomes.len() != count {
                return Err(Error::new(
                    Code::UpstreamFailed,
                    "the server told the fate of another number of rows than it was sent",
                ));
            }
            fates.extend(outcomes);
        }
        Ok(fates)
    }

    /// Sends one request until the server has answered it. Sending it twice does no harm to rows with ids.
    async fn post(&self, body: String) -> Result<ImportOutput> {
        let mut pause = FIRST_PAUSE;
        let mut last = String::from("no answer");
        for _ in 0..MAX_ATTEMPTS {
            let request = self.client.post(self.route.clone()).bearer_auth(&self.key).header("content-type", "application/json");
            let wait = match request.body(body.clone()).send().await {
                Err(error) => {
                    last = String::from(if error.is_timeout() { "no answer in time" } else { "no connection" });
                    pause
                }
                Ok(answer) => {
                    let status = answer.status();
                    let retry_after = answer.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
                    let text = answer.text().await.unwrap_or_default();
                    if status.is_success() {
                        return serde_json::from_str(&text).map_err(|error| {
                            Error::new(Code::UpstreamFailed, "the server's answer is not readable").caused_by(error)
                        });
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_secret_keys_and_whole_addresses_are_taken() {
        let client = crate::client::server().expect("builds");
        assert!(Remote::new(client.clone(), "http://127.0.0.1:1", "pk_live_x_y", None).is_err());
        assert!(Remote::new(client.clone(), "nowhere", "sk_live_x_y", None).is_err());
        let remote = Remote::new(client, "http://127.0.0.1:1/below/", "sk_live_x_y", None).expect("valid");
        assert_eq!(remote.route.as_str(), "http://127.0.0.1:1/below/v1/import");
    }
}
