//! JSON-RPC 2.0 in and out.

use serde_json::{Map, Value, json};

use crate::dialect::{INVALID_REQUEST, RpcError};
use crate::tool::Written;

/// What a body turned out to be.
#[derive(Debug, PartialEq)]
pub(crate) enum Frame {
    /// A request that wants an answer.
    Request { id: Value, method: String, params: Map<String, Value> },
    /// A notification, or a response to a question we never ask: taken note of, not answered.
    Silent,
}

/// A body that is not a JSON-RPC request, with the id it should be answered under.
#[derive(Debug, PartialEq)]
pub(crate) struct Unframed {
    pub id: Value,
    pub error: RpcError,
}

/// Reads a body.
pub(crate) fn read(body: &[u8]) -> Result<Frame, Box<Unframed>> {
    let refuse = |id: Value, expected: &str| {
        let error = RpcError::new(INVALID_REQUEST, "invalid_request", json!({ "message": expected }));
        Err(Box::new(Unframed { id, error }))
    };
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        return refuse(Value::Null, "the body must be one JSON-RPC 2.0 request as JSON");
    };
    let mut object = match value {
        Value::Object(object) => object,
        Value::Array(_) => return refuse(Value::Null, "batches are not taken; send one request per POST"),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            return refuse(Value::Null, "the body must be a JSON-RPC 2.0 request object");
        }
    };
    let id = object.remove("id");
    let echo = match &id {
        Some(id @ (Value::String(_) | Value::Number(_))) => id.clone(),
        _ => Value::Null,
    };
    if object.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return refuse(echo, "`jsonrpc` must be \"2.0\"");
    }
    let method = match object.remove("method") {
        Some(Value::String(method)) => method,
        None if object.contains_key("result") || object.contains_key("error") => return Ok(Frame::Silent),
        _ => return refuse(echo, "`method` must be text such as \"tools/list\""),
    };
    let params = match object.remove("params") {
        Some(Value::Object(params)) => params,
        None | Some(Value::Null) => Map::new(),
        Some(_) => return refuse(echo, "`params` must be an object"),
    };
    match id {
        None => Ok(Frame::Silent),
        Some(id @ (Value::String(_) | Value::Number(_))) => Ok(Frame::Request { id, method, params }),
        Some(_) => refuse(Value::Null, "`id` must be text or a number"),
    }
}

/// The id to answer under when the body is not looked at otherwise.
pub(crate) fn id_of(body: &[u8]) -> Value {
    match read(body) {
        Ok(Frame::Request { id, .. }) => id,
        Ok(Frame::Silent) => Value::Null,
        Err(unframed) => unframed.id,
    }
}

/// A successful answer.
pub(crate) fn result(id: &Value, result: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "result": result })
}

/// The answer to a tool call whose result is JSON text already.
pub(crate) fn tool_result(id: &Value, written: &Written) -> String {
    let Written { text, structured } = written;
    // As a JSON string: quotes and escapes around the text.
    let text = Value::from(text.as_str());
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"result":{{"content":[{{"type":"text","text":{text}}}],"structuredContent":{structured}}}}}"#
    )
}

/// An error.
pub(crate) fn error(id: &Value, error: &RpcError) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "error": error.to_value() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bodies_that_are_no_request() {
        for (body, id) in [
            ("", json!(null)),
            ("{", json!(null)),
            ("null", json!(null)),
            ("[]", json!(null)),
            (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, json!(null)),
            (r#"{"id":7,"method":"ping"}"#, json!(7)),
            (r#"{"jsonrpc":"1.0","id":"a","method":"ping"}"#, json!("a")),
            (r#"{"jsonrpc":"2.0","id":1}"#, json!(1)),
            (r#"{"jsonrpc":"2.0","id":1,"method":5}"#, json!(1)),
            (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, json!(null)),
            (r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#, json!(null)),
            (r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}"#, json!(1)),
            (r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":"x"}"#, json!(1)),
        ] {
            let unframed = read(body.as_bytes()).expect_err(body);
            assert_eq!((unframed.id, unframed.error.code, unframed.error.message), (id, -32600, "invalid_request"), "{body}");
        }
        let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(read(deep.as_bytes()).expect_err("too deep").error.code, -32600);
    }

    #[test]
    fn requests_and_silence() {
        let request = read(br#"{"jsonrpc":"2.0","id":"x","method":"ping","params":null}"#).expect("valid");
        assert_eq!(request, Frame::Request { id: json!("x"), method: String::from("ping"), params: Map::new() });
        for body in [
            r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x"}}"#,
        ] {
            assert_eq!(read(body.as_bytes()), Ok(Frame::Silent), "{body}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&body);
            let _ = id_of(&body);
        }
    }
}
