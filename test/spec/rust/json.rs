//! JSON, and its canonical form of docs/numerics/streams.md. Strings are UTF-16, so that lone surrogates live.

use crate::sha256::sha256;

#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    Null,
    Bool(bool),
    Number(f64),
    Text(Vec<u16>),
    List(Vec<Json>),
    Object(Vec<(Vec<u16>, Json)>),
}

pub fn utf16(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

/// A JSON string from text.
pub fn text(value: &str) -> Json {
    Json::Text(utf16(value))
}

pub fn object(entries: Vec<(&str, Json)>) -> Json {
    Json::Object(entries.into_iter().map(|(key, value)| (utf16(key), value)).collect())
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn space(&mut self) {
        while self.at < self.bytes.len() && self.bytes[self.at].is_ascii_whitespace() {
            self.at += 1;
        }
    }

    fn eat(&mut self, word: &str) -> bool {
        self.space();
        let found = self.bytes[self.at..].starts_with(word.as_bytes());
        if found {
            self.at += word.len();
        }
        found
    }

    fn string(&mut self) -> Vec<u16> {
        let mut out = vec![];
        loop {
            let start = self.at;
            while !matches!(self.bytes[self.at], b'"' | b'\\') {
                self.at += 1;
            }
            out.extend(utf16(std::str::from_utf8(&self.bytes[start..self.at]).expect("UTF-8")));
            self.at += 1;
            if self.bytes[self.at - 1] == b'"' {
                return out;
            }
            self.at += 1;
            out.push(match self.bytes[self.at - 1] {
                b'b' => 8,
                b't' => 9,
                b'n' => 10,
                b'f' => 12,
                b'r' => 13,
                b'u' => {
                    self.at += 4;
                    let digits = std::str::from_utf8(&self.bytes[self.at - 4..self.at]).expect("four digits");
                    u16::from_str_radix(digits, 16).expect("four hexadecimal digits")
                }
                other => u16::from(other),
            });
        }
    }

    fn value(&mut self) -> Json {
        if self.eat("null") {
            Json::Null
        } else if self.eat("true") {
            Json::Bool(true)
        } else if self.eat("false") {
            Json::Bool(false)
        } else if self.eat("\"") {
            Json::Text(self.string())
        } else if self.eat("[") {
            let mut items = vec![];
            while !self.eat("]") {
                items.push(self.value());
                self.eat(",");
            }
            Json::List(items)
        } else if self.eat("{") {
            let mut entries = vec![];
            while !self.eat("}") {
                assert!(self.eat("\""), "a key expected at byte {}", self.at);
                let key = self.string();
                assert!(self.eat(":"), "a colon expected at byte {}", self.at);
                entries.push((key, self.value()));
                self.eat(",");
            }
            Json::Object(entries)
        } else {
            let start = self.at;
            while self.at < self.bytes.len()
                && matches!(self.bytes[self.at], b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')
            {
                self.at += 1;
            }
            let digits = std::str::from_utf8(&self.bytes[start..self.at]).expect("digits");
            Json::Number(digits.parse().unwrap_or_else(|_| panic!("a value expected at byte {start}")))
        }
    }
}

pub fn parse(source: &str) -> Json {
    Reader { bytes: source.as_bytes(), at: 0 }.value()
}

/// Number::toString of ECMAScript.
pub fn number_text(x: f64) -> String {
    if x == 0.0 {
        return "0".into();
    }
    let shortest = format!("{:e}", x.abs());
    let (mantissa, exponent) = shortest.split_once('e').expect("an exponent");
    let digits = mantissa.replace('.', "");
    let (k, n) = (digits.len() as i32, exponent.parse::<i32>().expect("an exponent") + 1);
    let size = if k <= n && n <= 21 {
        digits + &"0".repeat((n - k) as usize)
    } else if 0 < n && n <= 21 {
        format!("{}.{}", &digits[..n as usize], &digits[n as usize..])
    } else if -6 < n && n <= 0 {
        format!("0.{}{digits}", "0".repeat(-n as usize))
    } else {
        let point = if k > 1 { "." } else { "" };
        format!("{}{point}{}e{}{}", &digits[..1], &digits[1..], if n > 0 { "+" } else { "-" }, (n - 1).abs())
    };
    if x < 0.0 {
        format!("-{size}")
    } else {
        size
    }
}

fn string_text(units: &[u16]) -> String {
    let mut out = String::from("\"");
    for unit in char::decode_utf16(units.iter().copied()) {
        match unit {
            Ok('"') => out += "\\\"",
            Ok('\\') => out += "\\\\",
            Ok('\u{8}') => out += "\\b",
            Ok('\t') => out += "\\t",
            Ok('\n') => out += "\\n",
            Ok('\u{c}') => out += "\\f",
            Ok('\r') => out += "\\r",
            Ok(c) if (c as u32) < 32 => out += &format!("\\u{:04x}", c as u32),
            Ok(c) => out.push(c),
            Err(lone) => out += &format!("\\u{:04x}", lone.unpaired_surrogate()),
        }
    }
    out + "\""
}

impl Json {
    pub fn canonical(&self) -> String {
        let joined = |parts: Vec<String>| parts.join(",");
        match self {
            Json::Null => "null".into(),
            Json::Bool(value) => value.to_string(),
            Json::Number(value) => number_text(*value),
            Json::Text(units) => string_text(units),
            Json::List(items) => format!("[{}]", joined(items.iter().map(Json::canonical).collect())),
            Json::Object(entries) => {
                let mut sorted: Vec<_> = entries.iter().collect();
                sorted.sort_by(|a, b| a.0.cmp(&b.0));
                let parts = sorted.iter().map(|(key, value)| format!("{}:{}", string_text(key), value.canonical()));
                format!("{{{}}}", joined(parts.collect()))
            }
        }
    }

    pub fn hash(&self) -> [u8; 32] {
        sha256(self.canonical().as_bytes())
    }

    pub fn get(&self, key: &str) -> Option<&Json> {
        let Json::Object(entries) = self else { return None };
        let key = utf16(key);
        entries.iter().find(|entry| entry.0 == key).map(|entry| &entry.1).filter(|value| **value != Json::Null)
    }

    /// The value of a key that must be there.
    pub fn at(&self, key: &str) -> &Json {
        self.get(key).unwrap_or_else(|| panic!("no key {key}"))
    }

    pub fn number(&self) -> f64 {
        let Json::Number(value) = self else { panic!("a number expected, got {self:?}") };
        *value
    }

    pub fn text(&self) -> String {
        let Json::Text(units) = self else { panic!("a string expected, got {self:?}") };
        String::from_utf16(units).expect("whole surrogates")
    }

    pub fn list(&self) -> &[Json] {
        let Json::List(items) = self else { panic!("a list expected, got {self:?}") };
        items
    }

    pub fn entries(&self) -> Vec<(String, &Json)> {
        let Json::Object(entries) = self else { panic!("an object expected, got {self:?}") };
        entries.iter().map(|(key, value)| (String::from_utf16(key).expect("whole surrogates"), value)).collect()
    }

    pub fn numbers(&self) -> Vec<f64> {
        self.list().iter().map(Json::number).collect()
    }
}
