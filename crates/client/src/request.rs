//! One request that can be changed until it is awaited.

use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;
use std::pin::Pin;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::answer::Raw;
use crate::send::{Call, send};
use crate::{Client, ETag, Error, FromAnswer};

/// A request, sent when it is awaited; `A` is what its answer is read as.
#[must_use = "nothing is sent before it is awaited"]
pub struct Request<A> {
    client: Client,
    /// The first thing that went wrong while it was made is told when it is awaited.
    call: Result<Call, Error>,
    selection: Projection,
    answer: PhantomData<fn() -> A>,
}

/// Which attributes the answer shows: RFC 7644 section 3.9.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Projection {
    pub(crate) attributes: Vec<String>,
    pub(crate) excluded: Vec<String>,
}

impl Projection {
    pub(crate) fn only<N: AsRef<str>>(&mut self, names: impl IntoIterator<Item = N>) {
        self.attributes.extend(names.into_iter().map(|name| name.as_ref().to_owned()));
    }

    pub(crate) fn without<N: AsRef<str>>(&mut self, names: impl IntoIterator<Item = N>) {
        self.excluded.extend(names.into_iter().map(|name| name.as_ref().to_owned()));
    }

    /// As parameters of a query.
    pub(crate) fn parameters(&self) -> Vec<(&'static str, String)> {
        let lists = [("attributes", &self.attributes), ("excludedAttributes", &self.excluded)];
        lists.into_iter().filter(|(_, names)| !names.is_empty()).map(|(name, names)| (name, names.join(","))).collect()
    }
}

/// What stands for itself in a URI everywhere (RFC 3986 section 2.3). A blank becomes `%20`, for `+` is one only in
/// forms.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub(crate) fn query<'p>(parameters: impl IntoIterator<Item = (&'p str, String)>) -> String {
    let pair = |(name, value): (&str, String)| format!("{name}={}", utf8_percent_encode(&value, RESERVED));
    parameters.into_iter().map(pair).collect::<Vec<_>>().join("&")
}

/// The path of one resource. What would name the collection, or another path altogether, is no id.
pub(crate) fn path_of(endpoint: &str, id: &str) -> Result<String, Error> {
    // References to resources that a bulk job makes keep their colon (RFC 7644 section 3.7.2).
    const SEGMENT: &AsciiSet = &RESERVED.remove(b':');
    match id {
        "" | "." | ".." => Err(Error::request(format!("`{id}` is no id"))),
        id => Ok(format!("{endpoint}/{}", utf8_percent_encode(id, SEGMENT))),
    }
}

impl<A> Request<A> {
    pub(crate) fn new(client: &Client, call: Result<Call, Error>) -> Self {
        Self { client: client.clone(), call, selection: Projection::default(), answer: PhantomData }
    }

    /// The answer shows these attributes only, beside those that it always shows (RFC 7644 section 3.9).
    pub fn attributes<N: AsRef<str>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.selection.only(names);
        self
    }

    /// The answer does not show these attributes. Not together with [`Request::attributes`].
    pub fn excluding<N: AsRef<str>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.selection.without(names);
        self
    }

    /// Only if that is still the version, else the server refuses with 412 (RFC 7644 section 3.14). It makes PUT and
    /// PATCH safe to send again, too.
    pub fn if_match(mut self, version: &ETag) -> Self {
        if let Ok(call) = &mut self.call {
            call.if_match = Some(version.clone());
        }
        self
    }

    pub(crate) fn change(mut self, change: impl FnOnce(&mut Call)) -> Self {
        if let Ok(call) = &mut self.call {
            change(call);
        }
        self
    }
}

impl<A: FromAnswer> IntoFuture for Request<A> {
    type Output = Result<A, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        let Self { client, call, selection, .. } = self;
        Box::pin(async move {
            let mut call = call?;
            if call.query.is_empty() {
                call.query = query(selection.parameters());
            }
            A::from_answer(Raw(send(&client, &call).await?))
        })
    }
}

impl<A> fmt::Debug for Request<A> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = out.debug_struct("Request");
        if let Ok(call) = &self.call {
            // Neither the query nor the body, for they are about people.
            debug.field("method", &call.method).field("path", &call.path);
        }
        debug.finish_non_exhaustive()
    }
}
