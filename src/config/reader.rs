//! Reads one section key by key, so that every fault is found in one start: figment itself stops at the first.

use std::cell::RefCell;
use std::fmt;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use figment::value::{Dict, Value};
use ipnet::IpNet;
use secrecy::SecretString;
use url::Url;

/// What is wrong with a configuration, all of it.
#[derive(Debug, Clone, Default)]
pub struct Faults(Rc<RefCell<Vec<String>>>);

impl Faults {
    /// A single fault.
    #[must_use]
    pub fn one(fault: String) -> Self {
        let faults = Self::default();
        faults.add(fault);
        faults
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    fn add(&self, fault: String) {
        self.0.borrow_mut().push(fault);
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fault in self.0.borrow().iter() {
            writeln!(formatter, "  {fault}")?;
        }
        Ok(())
    }
}

/// A table of settings. Keys that nobody asked for are faults.
pub struct Section {
    name: String,
    values: Dict,
    faults: Faults,
}

impl Section {
    /// The outermost table.
    #[must_use]
    pub fn root(values: Dict, faults: &Faults) -> Self {
        Self { name: String::new(), values, faults: faults.clone() }
    }

    /// A table in this one; empty if it is not there. The caller finishes it.
    pub fn section(&mut self, key: &str) -> Self {
        let values = match self.values.remove(key) {
            None => Dict::new(),
            Some(Value::Dict(_, values)) => values,
            Some(_) => {
                self.fault(key, "has to be a table");
                Dict::new()
            }
        };
        Self { name: self.path(key), values, faults: self.faults.clone() }
    }

    /// Another document, whose faults are told under the key that names it.
    #[must_use]
    pub fn document(&self, key: &str, values: Dict) -> Self {
        Self { name: self.path(key), values, faults: self.faults.clone() }
    }

    /// The names of the tables in this one.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        self.values.keys().cloned().collect()
    }

    /// Whether nothing is set here.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// A setting that has to be there.
    pub fn required<T, E: Into<String>>(&mut self, key: &str, parse: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        if !self.values.contains_key(key) {
            self.fault(key, "is missing");
            return None;
        }
        self.optional(key, parse)
    }

    /// A setting that may be there.
    pub fn optional<T, E: Into<String>>(&mut self, key: &str, parse: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        let text = self.text(key)?;
        match parse(&text) {
            Ok(value) => Some(value),
            Err(fault) => {
                self.fault(key, fault);
                None
            }
        }
    }

    /// A setting as text; numbers and booleans count as text, for the environment cannot tell them apart.
    pub fn text(&mut self, key: &str) -> Option<String> {
        let value = self.values.remove(key)?;
        let text = scalar(&value);
        if text.is_none() {
            self.fault(key, "has to be a single value");
        }
        text
    }

    /// A duration with a unit, such as `30s` or `5m`.
    pub fn duration(&mut self, key: &str, default: Duration) -> Duration {
        self.optional(key, |text| {
            humantime::parse_duration(text)
                .map_err(|error| format!("{error} (write a number with a unit, such as \"30s\")"))
        })
        .unwrap_or(default)
    }

    /// A whole number.
    pub fn number<T: std::str::FromStr>(&mut self, key: &str, default: T) -> T {
        self.optional(key, |text| text.parse().map_err(|_| "has to be a whole number in range")).unwrap_or(default)
    }

    /// `true` or `false`.
    pub fn flag(&mut self, key: &str, default: bool) -> bool {
        self.optional(key, |text| text.parse().map_err(|_| "has to be true or false")).unwrap_or(default)
    }

    /// A list; a single value is a list of one, and in the environment commas or spaces separate.
    pub fn list<T>(&mut self, key: &str, parse: impl Fn(&str) -> Result<T, String>) -> Vec<T> {
        let items: Vec<String> = match self.values.remove(key) {
            None => Vec::new(),
            Some(Value::Array(_, values)) => values.iter().filter_map(scalar).collect(),
            Some(value) => scalar(&value)
                .unwrap_or_default()
                .split([',', ' '])
                .filter(|item| !item.is_empty())
                .map(str::to_owned)
                .collect(),
        };
        let mut parsed = Vec::new();
        for item in items {
            match parse(&item) {
                Ok(value) => parsed.push(value),
                Err(fault) => self.fault(key, format!("{item:?}: {fault}")),
            }
        }
        parsed
    }

    /// Whether a key is set.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    /// Notes a fault.
    pub fn fault(&self, key: &str, fault: impl Into<String>) {
        self.faults.add(format!("{}: {}", self.path(key), fault.into()));
    }

    /// Whatever nobody asked for is a fault: a misspelt setting must not be silently without effect.
    pub fn finish(&self) {
        for key in self.values.keys() {
            self.fault(key, "there is no such setting");
        }
    }

    fn path(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(_, text) => Some(text.clone()),
        Value::Char(_, letter) => Some(letter.to_string()),
        Value::Bool(_, flag) => Some(flag.to_string()),
        Value::Num(_, number) => number
            .to_i128()
            .map(|number| number.to_string())
            .or_else(|| number.to_u128().map(|number| number.to_string()))
            .or_else(|| number.to_f64().map(|number| number.to_string())),
        Value::Empty(..) | Value::Dict(..) | Value::Array(..) => None,
    }
}

/// Any text.
///
/// # Errors
/// If it is empty.
pub fn text(text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Err("must not be empty".to_owned()) } else { Ok(text.to_owned()) }
}

/// An `http` or `https` URL with a host.
///
/// # Errors
/// What is wrong with it.
pub fn http_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err("has to be an http or https URL".to_owned());
    }
    Ok(url)
}

/// A network in CIDR notation, or one address.
///
/// # Errors
/// If it is neither.
pub fn network(text: &str) -> Result<IpNet, String> {
    text.parse::<IpNet>()
        .or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from))
        .map_err(|_| "has to be an address or a network such as 10.0.0.0/8".to_owned())
}

/// The bytes of a file.
///
/// # Errors
/// If it cannot be read.
pub fn file_bytes(path: &str) -> Result<Vec<u8>, String> {
    std::fs::read(Path::new(path)).map_err(|error| format!("{path}: {error}"))
}

/// A secret in a file, without the newline that editors add.
///
/// # Errors
/// If it cannot be read, is no text, or empty.
pub fn file_secret(path: &str) -> Result<SecretString, String> {
    let secret = String::from_utf8(file_bytes(path)?).map_err(|_| format!("{path}: is no text"))?;
    let secret =
        secret.strip_suffix('\n').map_or(secret.as_str(), |secret| secret.strip_suffix('\r').unwrap_or(secret));
    if secret.is_empty() { Err(format!("{path}: is empty")) } else { Ok(secret.to_owned().into()) }
}
