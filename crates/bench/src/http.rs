//! HTTP/1.1 over one kept connection, written by hand: the client must cost next to nothing beside the server it measures.

use std::net::SocketAddr;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::failure::{Failure, Result};

/// Longest answer read, bytes.
const MAX_BODY: usize = 64 << 20;

/// A connection to the server.
pub struct Connection {
    stream: BufReader<TcpStream>,
}

/// An answer.
pub struct Reply {
    /// Its status.
    pub status: u16,
    /// Its body.
    pub body: Vec<u8>,
}

impl Connection {
    /// Connects.
    pub async fn open(address: SocketAddr) -> Result<Connection> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Connection { stream: BufReader::with_capacity(64 << 10, stream) })
    }

    /// Sends one request, given as its head and its body, and reads the answer.
    pub async fn send(&mut self, head: &[u8], body: &[u8]) -> Result<Reply> {
        // A small body travels with its head in one segment.
        if body.len() <= 16 << 10 {
            self.stream.write_all(&[head, body].concat()).await?;
        } else {
            self.stream.write_all(head).await?;
            self.stream.write_all(body).await?;
        }
        self.stream.flush().await?;
        self.read().await
    }

    async fn read(&mut self) -> Result<Reply> {
        let mut line = String::new();
        self.line(&mut line).await?;
        let status = line.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.ok_or_else(|| Failure::new(format!("no HTTP answer: {}", line.trim())))?;
        let (mut length, mut chunked) = (0_usize, false);
        loop {
            self.line(&mut line).await?;
            let header = line.trim_end();
            if header.is_empty() {
                break;
            }
            let Some((name, value)) = header.split_once(':') else { continue };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().map_err(|_| Failure::new("a content-length that is no number"))?;
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                chunked = value.to_ascii_lowercase().contains("chunked");
            }
        }
        let mut body = Vec::new();
        if chunked {
            loop {
                self.line(&mut line).await?;
                let size = line.trim_end().split(';').next().and_then(|size| usize::from_str_radix(size, 16).ok());
                let size = size.ok_or_else(|| Failure::new("a chunk without a size"))?;
                self.take(size, &mut body).await?;
                self.line(&mut line).await?;
                if size == 0 {
                    break;
                }
            }
        } else {
            self.take(length, &mut body).await?;
        }
        Ok(Reply { status, body })
    }

    async fn line(&mut self, line: &mut String) -> Result<()> {
        line.clear();
        if self.stream.read_line(line).await? == 0 {
            return Err(Failure::new("the server closed the connection"));
        }
        Ok(())
    }

    async fn take(&mut self, bytes: usize, body: &mut Vec<u8>) -> Result<()> {
        let from = body.len();
        if from + bytes > MAX_BODY {
            return Err(Failure::new(format!("an answer of more than {MAX_BODY} bytes")));
        }
        body.resize(from + bytes, 0);
        self.stream.read_exact(&mut body[from..]).await?;
        Ok(())
    }
}

/// The head of a GET.
pub fn get(path: &str, key: Option<&str>) -> Vec<u8> {
    let key = key.map(|key| format!("authorization: Bearer {key}\r\n")).unwrap_or_default();
    format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{key}\r\n").into_bytes()
}

/// The head of a POST of JSON.
pub fn post(path: &str, key: &str, body_bytes: usize) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\n\
         accept: application/json, text/event-stream\r\ncontent-length: {body_bytes}\r\n\r\n"
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn answer(bytes: &'static [u8]) -> Result<Reply> {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a client comes");
            let mut request = [0; 512];
            let _read = stream.read(&mut request).await.expect("a request comes");
            stream.write_all(bytes).await.expect("the client listens");
        });
        let reply = Connection::open(address).await?.send(&get("/", None), b"").await;
        server.await?;
        reply
    }

    #[tokio::test]
    async fn answers_with_a_length_in_chunks_and_without_a_body() {
        for (bytes, status, body) in [
            (&b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"[..], 200, &b"hello"[..]),
            (b"HTTP/1.1 202 Accepted\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n1;x\r\n!\r\n0\r\n\r\n", 202, b"hello!"),
            (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        ] {
            let reply = answer(bytes).await.expect("readable");
            assert_eq!((reply.status, reply.body.as_slice()), (status, body));
        }
        assert!(answer(b"").await.is_err());
        assert!(answer(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel").await.is_err());
    }
}
