//! Bulk operations: RFC 7644 section 3.7.
//!
//! A job is read whole before anything runs ([`parse`]), ordered so that what is referred to comes first ([`order`]), then run one
//! operation after the other, each exactly as it would be alone.

mod order;
mod parse;
mod references;

use std::collections::HashMap;
use std::sync::Arc;

use scimwright_core::{ResourceType, ScimError, ScimType, Selection, urns};
use serde_json::{Map, Value, json};

use crate::Context;
use crate::operation::{Expect, Operation, Reply};
use crate::service::Service;
use order::Plan;
use parse::{Job, Method, Name, Place};

impl Service {
    /// Runs a bulk request. The job itself answers 200 whatever its operations came to (RFC 7644 section 3.7.3).
    pub(crate) async fn bulk(&self, context: &Context, mut body: Value) -> Result<Reply, ScimError> {
        context.profile.repair_message(urns::BULK_REQUEST, &mut body);
        let job = parse::job(self.catalog_of(context), body, self.limits.max_bulk_operations)?;
        let plan = order::plan(&job.operations);
        let mut run = Run { service: self, context, made: HashMap::new(), results: HashMap::new(), errors: 0 };
        for step in plan.order.iter().copied() {
            if job.fail_on_errors.is_some_and(|limit| run.errors >= limit) {
                break;
            }
            if let Some(operation) = job.operations.get(step) {
                run.step(step, operation, &plan).await;
            }
        }
        run.join_late(&job.operations, &plan).await;
        // Results stand in the order of the request, whatever the order in which they were made.
        let mut results: Vec<_> = run.results.into_iter().collect();
        results.sort_unstable_by_key(|(step, _)| *step);
        let mut answer = Map::new();
        answer.insert("schemas".to_owned(), json!([urns::BULK_RESPONSE]));
        answer.insert("Operations".to_owned(), results.into_iter().map(|(_, result)| Value::Object(result)).collect());
        Ok(Reply { status: 200, body: Some(answer), ..Reply::default() })
    }
}

/// A resource: its type and its id.
type Made = (Arc<ResourceType>, String);

/// A bulk job under way.
struct Run<'r> {
    service: &'r Service,
    context: &'r Context,
    /// What became of each bulkId: the type and id that were made, or nothing when that failed.
    made: HashMap<String, Option<Made>>,
    results: HashMap<usize, Map<String, Value>>,
    errors: usize,
}

impl Run<'_> {
    async fn step(&mut self, step: usize, job: &Job, plan: &Plan) {
        let prepared = match &job.target {
            Ok(place) if !plan.knotted.contains(&step) => self.prepare(step, job, place, plan),
            Ok(_) => Err(ScimError::new(409, "the operation refers to itself over others: that cannot be resolved")),
            Err(error) => Err(error.clone()),
        };
        let location = |run: &Self, id: &str, of: &ResourceType| of.location(&run.context.base, id);
        let (outcome, at) = match prepared {
            Err(error) => (Err(error), self.known_location(job)),
            Ok((operation, at)) => {
                let at = at.map(|(of, id)| location(self, &id, &of));
                // Boxed, for a bulk job is an operation that runs operations.
                (Box::pin(self.service.handle(self.context, operation)).await, at)
            }
        };
        let mut result = Map::new();
        result.insert("method".to_owned(), job.method.clone().into());
        if let Some(bulk_id) = &job.bulk_id {
            result.insert("bulkId".to_owned(), bulk_id.as_str().into());
        }
        match outcome {
            Ok(reply) => {
                if let Some(location) = reply.location.or(at) {
                    result.insert("location".to_owned(), location.into());
                }
                if let Some(version) = reply.etag {
                    result.insert("version".to_owned(), version.into());
                }
                result.insert("status".to_owned(), reply.status.to_string().into());
                self.remember(job, reply.body.as_ref());
            }
            Err(error) => {
                if let Some(location) = at {
                    result.insert("location".to_owned(), location.into());
                }
                fail(&mut result, &error);
                self.errors += 1;
                self.remember(job, None);
            }
        }
        self.results.insert(step, result);
    }

    /// The operation with every reference replaced by the id that it stands for, and where it happens.
    fn prepare(
        &self,
        step: usize,
        job: &Job,
        place: &Place,
        plan: &Plan,
    ) -> Result<(Operation, Option<Made>), ScimError> {
        let mut data = job.data.clone();
        if let (Some(late), Place::Collection(of)) = (plan.late.get(&step), place) {
            references::without_members(of, &mut data, late);
        }
        let resolve = |bulk_id: &str| match self.made.get(bulk_id) {
            Some(Some((_, id))) => Ok(id.clone()),
            Some(None) => Err(ScimError::new(409, format!("what bulkId `{bulk_id}` stands for could not be made"))),
            None => Err(ScimError::bad(
                ScimType::InvalidValue,
                format!("no operation of this job makes bulkId `{bulk_id}`"),
            )),
        };
        references::resolve(&mut data, &resolve)?;
        let selection = Selection::default();
        let expect = job.version.as_deref().map(Expect::parse);
        let of = |name: &Name| match name {
            Name::Id(id) => Ok(id.clone()),
            Name::BulkId(bulk_id) => resolve(bulk_id),
        };
        Ok(match (place, job.parsed_method()) {
            (Place::Collection(resource_type), Some(Method::Post)) => {
                (Operation::Create { resource_type: resource_type.clone(), body: data, selection }, None)
            }
            (Place::Resource(resource_type, name), Some(method)) => {
                let (resource_type, id) = (resource_type.clone(), of(name)?);
                let at = Some((resource_type.clone(), id.clone()));
                let operation = match method {
                    Method::Put => Operation::Replace { resource_type, id, body: data, selection, expect },
                    Method::Patch => Operation::Patch { resource_type, id, body: data, selection, expect },
                    Method::Delete => Operation::Delete { resource_type, id, expect },
                    Method::Post => {
                        return Err(ScimError::bad(ScimType::InvalidValue, "POST goes to an endpoint such as /Users"));
                    }
                };
                (operation, at)
            }
            _ => return Err(ScimError::bad(ScimType::InvalidValue, "this method goes to a resource such as /Users/1")),
        })
    }

    /// Keeps what a bulkId came to for those that refer to it.
    fn remember(&mut self, job: &Job, body: Option<&Map<String, Value>>) {
        let (Some(bulk_id), Some(Method::Post)) = (&job.bulk_id, job.parsed_method()) else { return };
        let id = body.and_then(|body| body.get("id")).and_then(Value::as_str).map(str::to_owned);
        let made = match (&job.target, id) {
            (Ok(Place::Collection(of)), Some(id)) => Some((of.clone(), id)),
            _ => None,
        };
        self.made.insert(bulk_id.clone(), made);
    }

    /// Members that could not join when their group was made, because each waited for the other, join now (section 3.7.1).
    async fn join_late(&mut self, jobs: &[Job], plan: &Plan) {
        let mut late: Vec<_> = plan.late.iter().collect();
        late.sort_unstable_by_key(|(step, _)| **step);
        for (step, waiting) in late {
            let Some(job) = jobs.get(*step) else { continue };
            let made = job.bulk_id.as_ref().and_then(|bulk_id| self.made.get(bulk_id)).cloned().flatten();
            let Some((resource_type, id)) = made else { continue };
            let members: Option<Vec<Value>> = waiting
                .iter()
                .map(|(bulk_id, value)| {
                    let (_, id) = self.made.get(bulk_id)?.as_ref()?;
                    let mut value = value.clone();
                    value.as_object_mut()?.insert("value".to_owned(), id.as_str().into());
                    Some(value)
                })
                .collect();
            let done = match members {
                Some(members) => self.add_members(&resource_type, &id, members).await,
                None => Err(ScimError::new(409, "a member that this group refers to could not be made")),
            };
            let Some(result) = self.results.get_mut(step) else { continue };
            match done {
                Ok(reply) => result.extend(reply.etag.map(|version| ("version".to_owned(), version.into()))),
                Err(error) => {
                    // As if it had never been made: an operation is done whole or not at all.
                    let delete = Operation::Delete { resource_type, id, expect: None };
                    let _ = Box::pin(self.service.handle(self.context, delete)).await;
                    result.remove("location");
                    result.remove("version");
                    fail(result, &error);
                }
            }
        }
    }

    async fn add_members(&self, of: &Arc<ResourceType>, id: &str, members: Vec<Value>) -> Result<Reply, ScimError> {
        let body = json!({"schemas": [urns::PATCH_OP], "Operations": [{"op": "add", "path": of.membership, "value": members}]});
        let patch = Operation::Patch {
            resource_type: of.clone(),
            id: id.to_owned(),
            body,
            selection: Selection::default(),
            expect: None,
        };
        Box::pin(self.service.handle(self.context, patch)).await
    }

    /// Where an operation would have happened, for everything but a POST.
    fn known_location(&self, job: &Job) -> Option<String> {
        match &job.target {
            Ok(Place::Resource(of, Name::Id(id))) => Some(of.location(&self.context.base, id)),
            Ok(Place::Resource(of, Name::BulkId(bulk_id))) => {
                let (_, id) = self.made.get(bulk_id)?.as_ref()?;
                Some(of.location(&self.context.base, id))
            }
            _ => None,
        }
    }
}

fn fail(result: &mut Map<String, Value>, error: &ScimError) {
    result.insert("status".to_owned(), error.status().to_string().into());
    result.insert("response".to_owned(), error.to_json().into());
}
