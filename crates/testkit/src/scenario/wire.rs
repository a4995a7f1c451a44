//! Requests and answers: what is escaped, which headers go out, what of an answer is looked at.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{
    Error,
    json::{Json, Members},
};

/// What the recorded clients leave bare in a target. What they have escaped stays as it is, so `%` is not escaped; `#`
/// is, since a fragment is never sent.
const UNSENDABLE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'?')
    .remove(b'=')
    .remove(b'&')
    .remove(b'%')
    .remove(b'+')
    .remove(b':')
    .remove(b';')
    .remove(b',')
    .remove(b'@')
    .remove(b'!')
    .remove(b'$')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'~')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_');

/// What an identifier does not escape when it is one segment of a path.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Where requests go.
#[derive(Debug)]
pub(super) struct Base {
    host: HeaderValue,
    prefix: String,
}

impl Base {
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let refused = || Error::Base(text.to_owned());
        let uri: Uri = text.parse().map_err(|_| refused())?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(refused());
        }
        let authority = uri.authority().ok_or_else(refused)?;
        Ok(Self {
            host: HeaderValue::from_str(authority.as_str()).map_err(|_| refused())?,
            prefix: uri.path().trim_end_matches('/').to_owned(),
        })
    }

    /// The request a server would see.
    pub(super) fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(String, String)],
        body: Option<&str>,
    ) -> Result<Request<Bytes>, String> {
        let method = Method::from_bytes(method.as_bytes()).map_err(|_| format!("{method:?} is no method"))?;
        let target = format!("{}{}", self.prefix, utf8_percent_encode(path, UNSENDABLE));
        // A path that is empty altogether is sent as the root (RFC 9112 section 3.2.1).
        let target = if target.starts_with('/') { target } else { format!("/{target}") };
        let uri: Uri = target.parse().map_err(|error| format!("{target:?} cannot be requested: {error}"))?;
        let counted = body.is_some() || [Method::POST, Method::PUT, Method::PATCH].contains(&method);
        let body = Bytes::from(body.unwrap_or_default().to_owned());

        let mut request = Request::new(Bytes::new());
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        let fields = request.headers_mut();
        fields.insert(header::HOST, self.host.clone());
        if counted {
            fields.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
        }
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("{name:?} is no header name"))?;
            // No server sees the blanks around a value (RFC 9110 section 5.5).
            let value = HeaderValue::from_bytes(value.trim_matches([' ', '\t']).as_bytes())
                .map_err(|_| format!("the value of {name} cannot be sent: {value:?}"))?;
            fields.insert(name, value);
        }
        *request.body_mut() = body;
        Ok(request)
    }
}

/// The path of a user or a group.
pub(super) fn resource_path(endpoint: &str, id: &str) -> String {
    format!("/{endpoint}/{}", utf8_percent_encode(id, SEGMENT))
}

/// Headers in layers: a later one wins whatever the case of the name, and null takes one out.
#[derive(Debug, Default)]
pub(super) struct Layers(Vec<(String, Json)>);

impl Layers {
    pub(super) fn set(&mut self, name: &str, value: &Json) {
        self.remove(name);
        if *value != Json::Null {
            self.0.push((name.to_owned(), value.clone()));
        }
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.0.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    }

    pub(super) fn extend(&mut self, members: &Members) {
        members.iter().for_each(|(name, value)| self.set(name, value));
    }

    pub(super) fn into_members(self) -> Members {
        self.0.into_iter().collect()
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Lower-case names; several fields of a name are joined, as RFC 9110 section 5.2 allows.
    headers: Vec<(String, String)>,
    pub(super) body: Option<Json>,
    /// Why a body that is there is not in `body`.
    pub(super) note: Option<String>,
}

impl Answer {
    pub(super) fn new(status: u16, headers: &HeaderMap, body: &[u8]) -> Self {
        let joined = headers
            .keys()
            .map(|name| {
                let values: Vec<_> =
                    headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
                (name.as_str().to_owned(), values.join(", "))
            })
            .collect();
        let (body, note) = if body.trim_ascii().is_empty() {
            (None, None)
        } else {
            match Json::parse(body) {
                Ok(body) => (Some(body), None),
                Err(error) => {
                    let begin: String = String::from_utf8_lossy(body).chars().take(160).collect();
                    (None, Some(format!("the answer is not JSON ({error}): {begin:?}")))
                }
            }
        };
        Self { status, headers: joined, body, note }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The answer for a message.
    pub(super) fn brief(&self, limit: usize) -> String {
        match (&self.body, &self.note) {
            (Some(body), _) => format!("{} {}", self.status, body.brief(limit)),
            (None, Some(note)) => format!("{}, {note}", self.status),
            (None, None) => format!("{} without a body", self.status),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base() -> Base {
        Base::parse("https://host:8443/scim/v2/").unwrap()
    }

    #[test]
    fn a_request_is_what_a_server_sees() {
        let headers = [("Authorization".to_owned(), "Bearer ".to_owned())];
        let request = base().request("POST", "/Users", &headers, Some("{}")).unwrap();
        assert_eq!(request.uri(), "/scim/v2/Users");
        assert_eq!(request.headers()["host"], "host:8443");
        assert_eq!(request.headers()["content-length"], "2");
        assert_eq!(request.headers()["authorization"], "Bearer");
        assert!(!base().request("GET", "/Users", &[], None).unwrap().headers().contains_key("content-length"));
        assert_eq!(base().request("POST", "/Users", &[], None).unwrap().headers()["content-length"], "0");
        assert_eq!(Base::parse("http://h").unwrap().request("GET", "", &[], None).unwrap().uri(), "/");
    }

    #[test]
    fn only_what_cannot_be_sent_is_escaped() {
        let target = |path: &str| base().request("GET", path, &[], None).unwrap().uri().to_string();
        assert_eq!(
            target("/Users?filter=userName eq \"ä+%20b\"&x=emails[type eq 'w']#1"),
            "/scim/v2/Users?filter=userName%20eq%20%22%C3%A4+%20b%22&x=emails%5Btype%20eq%20'w'%5D%231"
        );
        assert_eq!(resource_path("Users", "a/b c"), "/Users/a%2Fb%20c");
    }

    #[test]
    fn bases_are_absolute() {
        for wrong in ["", "/scim/v2", "host", "ftp://host/scim"] {
            assert!(Base::parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn header_layers() {
        let mut layers = Layers::default();
        layers.set("Accept", &Json::String("a".to_owned()));
        layers.extend(&[("ACCEPT".to_owned(), Json::String("b".to_owned()))].into_iter().collect());
        layers.set("X", &Json::String("c".to_owned()));
        layers.set("x", &Json::Null);
        assert_eq!(Json::Object(layers.into_members()).to_string(), r#"{"ACCEPT":"b"}"#);
    }

    #[test]
    fn answers() {
        let mut headers = HeaderMap::new();
        headers.append("WWW-Authenticate", HeaderValue::from_static("Basic"));
        headers.append("WWW-Authenticate", HeaderValue::from_static("Bearer"));
        let answer = Answer::new(401, &headers, b" \n");
        assert_eq!(answer.header("Www-Authenticate"), Some("Basic, Bearer"));
        assert!(answer.body.is_none() && answer.note.is_none());
        let answer = Answer::new(500, &headers, b"<html>");
        assert!(answer.body.is_none());
        assert!(answer.brief(100).starts_with("500, the answer is not JSON"), "{}", answer.brief(100));
    }
}
