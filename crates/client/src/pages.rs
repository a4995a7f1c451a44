//! From page to page, to the end and not beyond.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::future::poll_fn;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use serde::de::DeserializeOwned;

use crate::query::{Asked, At};
use crate::{Error, Page, Paging, Versioned};

/// Every page of a query, each asked for when it is wanted. Ends after the last one, and after an error.
#[must_use = "nothing is asked before it is polled"]
pub struct Pages<T> {
    step: Step<T>,
}

/// Every resource of a query, each page asked for when it is wanted. Ends after the last one, and after an error.
#[must_use = "nothing is asked before it is polled"]
pub struct All<T> {
    pages: Pages<T>,
    ready: VecDeque<Versioned<T>>,
}

type Next<T> = Pin<Box<dyn Future<Output = (Walk, Option<Result<Page<T>, Error>>)> + Send>>;

enum Step<T> {
    Waiting(Box<Walk>),
    Asking(Next<T>),
    Done,
}

/// Where a query stands.
pub(crate) struct Walk {
    asked: Asked,
    place: Place,
    /// The cursors that were followed, so that none is followed twice.
    followed: HashSet<String>,
    /// How many resources came so far.
    came: u64,
    /// Who was on which page, as far as a hash tells.
    seen: HashSet<u64>,
    empty: usize,
}

enum Place {
    /// Nothing was asked yet.
    Start,
    /// On a page.
    At(At),
    End,
}

/// So many pages without a resource may follow each other, each with another cursor, before a server is taken to walk
/// in circles.
const MAX_EMPTY: usize = 100;
/// Longer cursors are none: they would not fit into a URI, and each is kept.
const MAX_CURSOR: usize = 8 << 10;

impl Walk {
    pub(crate) fn new(asked: Asked) -> Self {
        Self { asked, place: Place::Start, followed: HashSet::new(), came: 0, seen: HashSet::new(), empty: 0 }
    }

    /// Wherever the server begins, without a question how it pages.
    pub(crate) fn anywhere(asked: Asked) -> Self {
        Self { place: Place::At(At::Anywhere), ..Self::new(asked) }
    }

    async fn next<T: DeserializeOwned>(mut self) -> (Self, Option<Result<Page<T>, Error>>) {
        let at = match std::mem::replace(&mut self.place, Place::End) {
            Place::Start => match self.asked.begin().await {
                Ok(at) => at,
                Err(error) => return (self, Some(Err(error))),
            },
            Place::At(at) => at,
            Place::End => return (self, None),
        };
        let page = self.asked.page(&at).await.and_then(|page| {
            self.place = self.after(&at, &page)?;
            Ok(page)
        });
        (self, Some(page))
    }

    /// Where to go after a page.
    fn after<T>(&mut self, at: &At, page: &Page<T>) -> Result<Place, Error> {
        let repeats = |what: &str| Err(Error::malformed(200, format!("{what}: it would never end")));
        let length = page.resources.len() as u64;
        self.came += length;
        // Fresh cursors do not help where they lead to pages that were there before.
        if length > 0 && !self.seen.insert(hash(&page.names)) {
            return repeats("the server goes back to an earlier page");
        }
        if let Some(cursor) = &page.next_cursor {
            // A page may be short or empty and others follow nevertheless (RFC 9865 section 2).
            self.empty = if length == 0 { self.empty + 1 } else { 0 };
            if cursor.len() > MAX_CURSOR {
                return Err(Error::malformed(200, format!("a cursor is longer than {MAX_CURSOR} bytes")));
            }
            if !self.followed.insert(cursor.clone()) {
                return repeats("a cursor comes again");
            }
            if self.empty > MAX_EMPTY {
                return repeats("one empty page follows another");
            }
            return Ok(Place::At(At::Cursor(cursor.clone())));
        }
        let start = match at {
            // A server that knows cursors has come to its end. One that announces them and ignores them at this
            // endpoint has answered by index, and says that there is more.
            At::Cursor(first) if first.is_empty() && page.total_results.is_some_and(|total| total > length) => 1,
            At::Cursor(_) => return Ok(Place::End),
            At::Index(start) => *start,
            At::Anywhere => page.start_index.unwrap_or(1).max(1),
        };
        if length == 0 {
            return Ok(Place::End);
        }
        // Below 1 is 1 (RFC 7644 section 3.4.2.4).
        let said = page.start_index.map_or(start, |said| said.max(1));
        if said < start {
            return repeats("the server goes back to an earlier page");
        }
        let Some(next) = start.checked_add(length).filter(|_| said == start) else {
            return Err(Error::malformed(
                200,
                "the page begins behind the one that was asked for: some would be missed",
            ));
        };
        match page.total_results {
            // A total that is less than what came already says nothing.
            Some(total) if total >= self.came && next > total => Ok(Place::End),
            _ => Ok(Place::At(At::Index(next))),
        }
    }
}

fn hash(names: &[String]) -> u64 {
    let mut hasher = DefaultHasher::new();
    names.hash(&mut hasher);
    hasher.finish()
}

impl Asked {
    /// Where the first page is.
    async fn begin(&self) -> Result<At, Error> {
        let by_cursor = match self.paging {
            Paging::Cursor => true,
            Paging::Index => false,
            Paging::Announced => self.client.pages_by_cursor().await?,
        };
        Ok(if by_cursor { At::Cursor(String::new()) } else { At::Index(1) })
    }
}

impl<T: DeserializeOwned + Send + 'static> Pages<T> {
    pub(crate) fn new(walk: Walk) -> Self {
        Self { step: Step::Waiting(Box::new(walk)) }
    }

    /// The next page; none after the last.
    ///
    /// # Errors
    ///
    /// As every request, and when the server would lead in circles.
    pub async fn next(&mut self) -> Option<Result<Page<T>, Error>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

impl<T: DeserializeOwned + Send + 'static> Stream for Pages<T> {
    type Item = Result<Page<T>, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let own = self.get_mut();
        loop {
            own.step = match std::mem::replace(&mut own.step, Step::Done) {
                Step::Waiting(walk) => Step::Asking(Box::pin(walk.next())),
                Step::Asking(mut next) => match next.as_mut().poll(context) {
                    Poll::Pending => {
                        own.step = Step::Asking(next);
                        return Poll::Pending;
                    }
                    Poll::Ready((walk, page)) => {
                        if matches!(page, Some(Ok(_))) {
                            own.step = Step::Waiting(Box::new(walk));
                        }
                        return Poll::Ready(page);
                    }
                },
                Step::Done => return Poll::Ready(None),
            };
        }
    }
}

impl<T: DeserializeOwned + Send + 'static> All<T> {
    pub(crate) const fn new(pages: Pages<T>) -> Self {
        Self { pages, ready: VecDeque::new() }
    }

    /// The next resource; none after the last.
    ///
    /// # Errors
    ///
    /// As every request, and when the server would lead in circles.
    pub async fn next(&mut self) -> Option<Result<Versioned<T>, Error>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// All that are left, in one list. It holds them in memory: for long lists take them one by one.
    ///
    /// # Errors
    ///
    /// As every request, and when the server would lead in circles.
    pub async fn collect(mut self) -> Result<Vec<Versioned<T>>, Error> {
        let mut all = Vec::new();
        while let Some(next) = self.next().await {
            all.push(next?);
        }
        Ok(all)
    }
}

impl<T: DeserializeOwned + Send + 'static> Stream for All<T> {
    type Item = Result<Versioned<T>, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let own = self.get_mut();
        loop {
            if let Some(one) = own.ready.pop_front() {
                return Poll::Ready(Some(Ok(one)));
            }
            match Pin::new(&mut own.pages).poll_next(context) {
                Poll::Ready(Some(Ok(page))) => own.ready = page.resources.into(),
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error))),
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

// Nothing in them is pinned: what is polled stands in a box of its own.
impl<T> Unpin for Pages<T> {}
impl<T> Unpin for All<T> {}

impl<T> fmt::Debug for Pages<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Pages").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for All<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("All").field("ready", &self.ready.len()).finish_non_exhaustive()
    }
}
