//! The service's own description as the judge of what it answers.

#![allow(clippy::missing_panics_doc, reason = "checks that panic are what these methods are for")]

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use http::Method;
use jsonschema::Validator;
use serde_json::{Map, Value, json};

use crate::answer::Answer;

/// An OpenAPI document that answers are held against.
#[derive(Debug)]
pub struct Description {
    document: Value,
    /// By the text of the schema.
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

impl Description {
    /// The document. Servers that are set up alike share one, for its schemas take time to read.
    #[must_use]
    pub fn of(document: Value) -> Arc<Self> {
        static ALL: LazyLock<Mutex<HashMap<String, Arc<Description>>>> = LazyLock::new(Mutex::default);
        let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = all.entry(document.to_string());
        slot.or_insert_with(|| Arc::new(Self { document, validators: Mutex::default() })).clone()
    }

    /// The document itself.
    #[must_use]
    pub const fn document(&self) -> &Value {
        &self.document
    }

    /// Whether the answer is one that the description has for this request. An endpoint or method that it does not know says
    /// nothing of the answer: then this is false.
    ///
    /// # Errors
    ///
    /// What the description has not: the status, the media type, a header, or what is wrong with the body.
    pub fn judge(&self, method: &Method, path: &str, answer: &Answer) -> Result<bool, String> {
        let Some(operation) = self.operation(method, path) else { return Ok(false) };
        let response = &operation["responses"][answer.status.to_string()];
        let response = self.resolve(response).ok_or_else(|| format!("status {} is not described", answer.status))?;
        for (name, header) in response["headers"].as_object().into_iter().flatten() {
            self.judge_header(name, header, answer)?;
        }
        match response.get("content").and_then(Value::as_object) {
            _ if *method == Method::HEAD => {}
            None if answer.text.is_empty() => {}
            None => return Err("no body is described".to_owned()),
            Some(content) => {
                let media_type = answer.header("content-type").unwrap_or_default();
                let schema = content.get(media_type).ok_or_else(|| format!("`{media_type}` is not described"))?;
                self.validate(&schema["schema"], &answer.body)?;
            }
        }
        Ok(true)
    }

    fn judge_header(&self, name: &str, header: &Value, answer: &Answer) -> Result<(), String> {
        let header = self.resolve(header).ok_or_else(|| format!("the header {name} is nowhere"))?;
        match answer.header(name) {
            None if header["required"] == true => Err(format!("the header {name} is missing")),
            None => Ok(()),
            Some(text) => {
                let number = text.parse::<i64>().ok().filter(|_| header["schema"]["type"] == "integer");
                self.validate(&header["schema"], &number.map_or_else(|| text.into(), Value::from))
            }
        }
    }

    /// What a method does at a path below the base.
    #[must_use]
    pub fn operation(&self, method: &Method, path: &str) -> Option<&Value> {
        let verb = match *method {
            // HEAD is GET without the body (RFC 9110 section 9.3.2).
            Method::GET | Method::HEAD => "get",
            Method::POST => "post",
            Method::PUT => "put",
            Method::PATCH => "patch",
            Method::DELETE => "delete",
            _ => return None,
        };
        self.item(path)?.get(verb)
    }

    /// The path item of a path below the base.
    fn item(&self, path: &str) -> Option<&Value> {
        let paths = self.document["paths"].as_object()?;
        let path = path.split('?').next()?;
        if matches!(path, "" | "/") {
            return paths.get("/");
        }
        // A slash at the end is harmless, and only one.
        let path = path.strip_suffix('/').unwrap_or(path);
        let of_template = || {
            let (endpoint, id) = path.rsplit_once('/')?;
            paths.get(&format!("{endpoint}/{{id}}")).filter(|_| !id.is_empty())
        };
        // What is written out comes before what has a place for an id (OpenAPI section 4.8.8.1).
        paths.get(path).filter(|_| path != "/").or_else(of_template)
    }

    /// What stands there, or what it refers to.
    fn resolve<'d>(&'d self, value: &'d Value) -> Option<&'d Value> {
        match value["$ref"].as_str() {
            Some(reference) => self.document.pointer(reference.strip_prefix('#')?),
            None => Some(value).filter(|value| value.is_object()),
        }
    }

    /// Holds a value against a schema of the document.
    ///
    /// # Errors
    ///
    /// What is wrong, and where.
    pub fn validate(&self, schema: &Value, value: &Value) -> Result<(), String> {
        let errors: Vec<String> = self
            .validator(schema)
            .iter_errors(value)
            .map(|error| format!("{} at `{}`", error, error.instance_path()))
            .collect();
        if errors.is_empty() { Ok(()) } else { Err(errors.join("\n")) }
    }

    fn validator(&self, schema: &Value) -> Arc<Validator> {
        let mut validators = self.validators.lock().unwrap_or_else(PoisonError::into_inner);
        let compiled = || {
            // References are as in the document.
            let mut whole: Map<String, Value> = schema.as_object().cloned().unwrap_or_default();
            whole.insert("components".to_owned(), json!({"schemas": self.document["components"]["schemas"]}));
            let options = jsonschema::draft202012::options().should_validate_formats(true);
            Arc::new(options.build(&whole.into()).unwrap_or_else(|error| panic!("{error}: {schema}")))
        };
        validators.entry(schema.to_string()).or_insert_with(compiled).clone()
    }
}
