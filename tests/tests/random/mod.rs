//! Schemas and documents at random.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use scimwright_core::{Catalog, ResourceTypeSpec};
use serde_json::{Map, Value, json};

/// The schema of everything that is made here.
pub(crate) const URN: &str = "urn:x:Thing";
/// What every secret text begins with.
pub(crate) const SECRET: &str = "SECRET";

/// One attribute.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    pub(crate) name: String,
    kind: &'static str,
    pub(crate) many: bool,
    exact: bool,
    mutability: &'static str,
    returned: &'static str,
    pub(crate) parts: Vec<Self>,
}

impl Spec {
    pub(crate) fn is_hidden(&self) -> bool {
        self.mutability == "writeOnly" || self.returned == "never"
    }

    pub(crate) fn is_read_only(&self) -> bool {
        self.mutability == "readOnly"
    }

    pub(crate) fn is_on_request(&self) -> bool {
        self.returned == "request"
    }

    fn json(&self) -> Value {
        let mut json = json!({"name": self.name, "type": self.kind, "multiValued": self.many, "caseExact": self.exact,
            "mutability": self.mutability, "returned": self.returned});
        if !self.parts.is_empty() {
            json["subAttributes"] = self.parts.iter().map(Self::json).collect();
        }
        json
    }
}

type Shape = (&'static str, bool, bool, &'static str, &'static str);

fn shape(kinds: &'static [&'static str], hidden: bool) -> impl Strategy<Value = Shape> {
    let mutability = prop_oneof![
        6 => Just("readWrite"), 1 => Just("immutable"), 1 => Just("readOnly"),
        if hidden { 2 } else { 0 } => Just("writeOnly")];
    let returned = prop_oneof![
        6 => Just("default"), 1 => Just("always"), 1 => Just("request"), if hidden { 2 } else { 0 } => Just("never")];
    (select(kinds), any::<bool>(), any::<bool>(), mutability, returned)
}

/// Some attributes; parts of them may be secret only when that is asked for.
pub(crate) fn specs(secret_parts: bool) -> impl Strategy<Value = Vec<Spec>> {
    const SIMPLE: &[&str] = &["string", "string", "boolean", "decimal", "integer", "dateTime", "binary", "reference"];
    const ALL: &[&str] =
        &["string", "string", "boolean", "decimal", "integer", "dateTime", "binary", "reference", "complex", "complex"];
    let one = (shape(ALL, true), vec(shape(SIMPLE, secret_parts), 1..4));
    vec(one, 1..6).prop_map(|shapes| {
        let spec = |name: String, (kind, many, exact, mutability, returned): Shape, parts| Spec {
            name,
            kind,
            many,
            exact,
            mutability,
            returned,
            parts,
        };
        let all = shapes.into_iter().enumerate().map(|(at, (shape, parts))| {
            let parts = parts.into_iter().enumerate().map(|(of, shape)| spec(format!("a{at}p{of}"), shape, vec![]));
            let parts = if shape.0 == "complex" { parts.collect() } else { Vec::new() };
            spec(format!("a{at}"), shape, parts)
        });
        all.collect()
    })
}

/// A catalog with one type of these attributes, `Thing`.
pub(crate) fn catalog(specs: &[Spec]) -> Catalog {
    let schema = json!({"id": URN, "attributes": specs.iter().map(Spec::json).collect::<Value>()});
    let kind = json!({"name": "Thing", "endpoint": "/Things", "schema": URN});
    let catalog = Catalog::empty().with_schema(&schema).unwrap();
    catalog.with_resource_type(ResourceTypeSpec::from_json(kind)).unwrap()
}

/// Where the decisions of a document come from.
struct Tape<'t> {
    bytes: &'t [u8],
    at: usize,
}

impl Tape<'_> {
    fn next(&mut self, below: usize) -> usize {
        let byte = self.bytes[self.at % self.bytes.len()];
        self.at += 1;
        usize::from(byte) % below
    }
}

/// A document that is canonical already, so that it comes back as it went in.
pub(crate) fn document(specs: &[Spec], tape: &[u8]) -> Value {
    object(specs, &mut Tape { bytes: tape, at: 0 }, 0, false).unwrap_or_else(|| json!({}))
}

fn object(specs: &[Spec], tape: &mut Tape<'_>, at: usize, secret: bool) -> Option<Value> {
    let mut object = Map::new();
    for spec in specs {
        if tape.next(4) == 0 {
            continue;
        }
        let secret = secret || spec.is_hidden();
        let value = if spec.many {
            let count = 1 + tape.next(3);
            let mut items: Vec<Value> = Vec::new();
            for item in (0..count).filter_map(|at| one(spec, tape, at, secret)) {
                // Without what is ignored, a value must not be there twice.
                let bare = |item: &Value| stripped(&spec.parts, item, &Spec::is_read_only);
                if items.iter().all(|other| bare(other) != bare(&item)) {
                    items.push(item);
                }
            }
            (!items.is_empty()).then(|| items.into())
        } else {
            one(spec, tape, at, secret)
        };
        object.extend(value.map(|value| (spec.name.clone(), value)));
    }
    (!object.is_empty()).then(|| object.into())
}

/// One value, other than those of other places in its list.
fn one(spec: &Spec, tape: &mut Tape<'_>, at: usize, secret: bool) -> Option<Value> {
    const WORDS: &[&str] = &["", "a", "B", " c ", "é", "e\u{301}", "Ａ", "🦀", "\u{0}", "\"\\", "'; --", "null"];
    let letter = char::from(b'A' + u8::try_from(at).unwrap());
    let head = if secret { SECRET } else { "text" };
    Some(match spec.kind {
        "boolean" => at.is_multiple_of(2).into(),
        "decimal" => json!(f64::from(u8::try_from(at * 16 + tape.next(16)).unwrap()) + 0.25),
        "integer" => json!(at * 1000 + tape.next(1000)),
        "dateTime" => format!("20{:02}-02-28T0{at}:00:00.{:03}+01:00", tape.next(100), tape.next(250)).into(),
        "binary" => format!("AAA{letter}").into(),
        "reference" => format!("urn:x:{head}:{at}").into(),
        "complex" => return object(&spec.parts, tape, at, secret),
        _ => format!("{head} {at} {}", WORDS[tape.next(WORDS.len())]).into(),
    })
}

/// A document without some of its attributes and parts, and without what is empty then.
pub(crate) fn stripped(specs: &[Spec], value: &Value, goes: &dyn Fn(&Spec) -> bool) -> Value {
    let Value::Object(object) = value else { return value.clone() };
    let kept = object.iter().filter_map(|(name, value)| {
        let spec = specs.iter().find(|spec| spec.name == *name)?;
        let value = match value {
            _ if goes(spec) => return None,
            Value::Array(items) => items.iter().map(|item| stripped(&spec.parts, item, goes)).collect(),
            one => stripped(&spec.parts, one, goes),
        };
        Some((name.clone(), value))
    });
    pruned(kept.collect::<Map<_, _>>().into())
}

/// A document without empty objects and lists, except that it may be empty itself.
pub(crate) fn pruned(value: Value) -> Value {
    let assigned = |value: &Value| *value != json!({}) && *value != json!([]);
    match value {
        Value::Object(object) => {
            let members = object.into_iter().map(|(name, value)| (name, pruned(value)));
            members.filter(|(_, value)| assigned(value)).collect::<Map<_, _>>().into()
        }
        Value::Array(items) => items.into_iter().map(pruned).filter(assigned).collect(),
        other => other,
    }
}
