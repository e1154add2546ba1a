//! Arguments of a tool call as the log may know them: a keyed digest, nothing else.

use std::fmt::Write;

use serde_json::Value;

use crate::control::Control;
use crate::secret::keyed_hash;

/// HMAC-SHA256 of a call's arguments, 64 hexadecimal digits. Equal arguments (whatever the order of their keys) give equal
/// digests in one installation; guessing arguments from it takes `secret.key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArgsDigest(String);

impl ArgsDigest {
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Control {
    /// The digest of a call's arguments; `null` for a call without any.
    pub fn digest_arguments(&self, arguments: &Value) -> ArgsDigest {
        let mut canonical = String::new();
        write_canonical(arguments, &mut canonical);
        ArgsDigest(hex::encode(keyed_hash(self.inner.audit.digest_key(), canonical.as_bytes())))
    }
}

/// Compact JSON with the keys of every object in order. The JSON parser bounds the depth.
fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(fields) => {
            let mut keys: Vec<&String> = fields.keys().collect();
            keys.sort_unstable();
            out.push('{');
            for (index, key) in keys.into_iter().enumerate() {
                separate(index, out);
                write_scalar(&Value::String(key.clone()), out);
                out.push(':');
                write_canonical(&fields[key], out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                separate(index, out);
                write_canonical(item, out);
            }
            out.push(']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => write_scalar(value, out),
    }
}

fn separate(index: usize, out: &mut String) {
    if index > 0 {
        out.push(',');
    }
}

fn write_scalar(value: &Value, out: &mut String) {
    write!(out, "{value}").expect("writing to a String cannot fail");
}
