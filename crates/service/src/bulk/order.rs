//! In which order operations run: what is referred to comes first, and otherwise the order of the request stays.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::parse::{Job, Name, Place};
use super::references;

/// The order, and what to do about circles.
pub(super) struct Plan {
    pub(super) order: Vec<usize>,
    /// Operations that wait for each other in a way that nothing resolves.
    pub(super) knotted: HashSet<usize>,
    /// For groups of a circle: the members that join once everybody is there, with the bulkId that each stands for.
    pub(super) late: HashMap<usize, Vec<(String, Value)>>,
}

/// What one operation refers to.
struct Edge {
    to: usize,
    /// It can be made good later, by adding a member.
    soft: bool,
}

/// One pass for strongly connected components decides everything; its cost is linear in operations and references.
pub(super) fn plan(jobs: &[Job]) -> Plan {
    let makers: HashMap<&str, usize> =
        jobs.iter().enumerate().filter_map(|(at, job)| Some((job.makes()?, at))).collect();
    let edges: Vec<Vec<Edge>> = jobs.iter().map(|job| edges(job, &makers)).collect();
    let all: Vec<Vec<usize>> = edges.iter().map(|own| own.iter().map(|edge| edge.to).collect()).collect();
    let components = components(&all);
    let mut plan = Plan { order: Vec::with_capacity(jobs.len()), knotted: HashSet::new(), late: HashMap::new() };
    for component in components {
        let circle: HashSet<usize> = component.iter().copied().collect();
        let refers_to_itself = |at: usize| all.get(at).is_some_and(|own| own.contains(&at));
        if circle.len() == 1 && !component.iter().any(|at| refers_to_itself(*at)) {
            plan.order.extend(component);
            continue;
        }
        // Inside the circle only what cannot wait decides the order.
        let mut members: Vec<usize> = component;
        members.sort_unstable();
        let place: HashMap<usize, usize> = members.iter().enumerate().map(|(place, at)| (*at, place)).collect();
        let hard: Vec<Vec<usize>> = members
            .iter()
            .map(|at| {
                let own = edges.get(*at).map(Vec::as_slice).unwrap_or_default();
                own.iter().filter(|edge| !edge.soft).filter_map(|edge| place.get(&edge.to).copied()).collect()
            })
            .collect();
        for inner in self::components(&hard) {
            let knot = inner.len() > 1 || inner.iter().any(|at| hard.get(*at).is_some_and(|own| own.contains(at)));
            for at in inner.into_iter().filter_map(|place| members.get(place).copied()) {
                if knot {
                    plan.knotted.insert(at);
                }
                plan.order.push(at);
            }
        }
        for at in members {
            let Some(Job { target: Ok(Place::Collection(of)), data, .. }) = jobs.get(at) else { continue };
            let late = references::members(of, data);
            let late: Vec<_> = late
                .into_iter()
                .filter(|(bulk_id, _)| makers.get(bulk_id.as_str()).is_some_and(|to| circle.contains(to)))
                .collect();
            if !late.is_empty() {
                plan.late.insert(at, late);
            }
        }
    }
    plan
}

fn edges(job: &Job, makers: &HashMap<&str, usize>) -> Vec<Edge> {
    let Ok(place) = &job.target else { return Vec::new() };
    let mut edges = Vec::new();
    if let Place::Resource(_, Name::BulkId(bulk_id)) = place {
        edges.extend(makers.get(bulk_id.as_str()).map(|to| Edge { to: *to, soft: false }));
    }
    let membership = match place {
        Place::Collection(of) => of.membership.as_deref(),
        Place::Resource(..) => None,
    };
    for found in references::find(&job.data, membership) {
        edges.extend(makers.get(found.bulk_id.as_str()).map(|to| Edge { to: *to, soft: found.member }));
    }
    edges
}

/// Strongly connected components (Tarjan), those that are referred to first, without recursion: a chain may be as long as a job.
fn components(edges: &[Vec<usize>]) -> Vec<Vec<usize>> {
    const NEW: usize = usize::MAX;
    let mut search = Search {
        index: vec![NEW; edges.len()],
        low: vec![0; edges.len()],
        open: vec![false; edges.len()],
        stack: Vec::new(),
        next: 0,
    };
    let mut components = Vec::new();
    for root in 0..edges.len() {
        if search.index.get(root) != Some(&NEW) {
            continue;
        }
        // (node, how many of its edges have been followed)
        let mut path = vec![(root, 0)];
        search.enter(root);
        while let Some((at, followed)) = path.pop() {
            match edges.get(at).and_then(|own| own.get(followed)) {
                Some(&to) => {
                    path.push((at, followed + 1));
                    if search.index.get(to) == Some(&NEW) {
                        search.enter(to);
                        path.push((to, 0));
                    } else if search.open.get(to) == Some(&true) {
                        let low = search.index.get(to).copied().unwrap_or(NEW);
                        search.lower(at, low);
                    }
                }
                None => {
                    if let Some((parent, _)) = path.last().copied() {
                        let low = search.low.get(at).copied().unwrap_or(NEW);
                        search.lower(parent, low);
                    }
                    if search.low.get(at) == search.index.get(at) {
                        components.push(search.leave(at));
                    }
                }
            }
        }
    }
    components
}

struct Search {
    index: Vec<usize>,
    low: Vec<usize>,
    open: Vec<bool>,
    stack: Vec<usize>,
    next: usize,
}

impl Search {
    fn enter(&mut self, at: usize) {
        if let (Some(index), Some(low), Some(open)) =
            (self.index.get_mut(at), self.low.get_mut(at), self.open.get_mut(at))
        {
            (*index, *low, *open) = (self.next, self.next, true);
        }
        self.next += 1;
        self.stack.push(at);
    }

    fn lower(&mut self, at: usize, to: usize) {
        if let Some(low) = self.low.get_mut(at) {
            *low = (*low).min(to);
        }
    }

    fn leave(&mut self, at: usize) -> Vec<usize> {
        let mut component = Vec::new();
        while let Some(top) = self.stack.pop() {
            if let Some(open) = self.open.get_mut(top) {
                *open = false;
            }
            component.push(top);
            if top == at {
                break;
            }
        }
        component
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(edges: &[&[usize]]) -> Vec<Vec<usize>> {
        let mut found = components(&edges.iter().map(|own| own.to_vec()).collect::<Vec<_>>());
        found.iter_mut().for_each(|component| component.sort_unstable());
        found
    }

    #[test]
    fn what_is_referred_to_comes_first_and_the_rest_stays() {
        assert_eq!(order(&[&[], &[], &[]]), [vec![0], vec![1], vec![2]]);
        assert_eq!(order(&[&[2], &[], &[]]), [vec![2], vec![0], vec![1]]);
        assert_eq!(order(&[&[1], &[0, 2], &[]]), [vec![2], vec![0, 1]]);
        assert_eq!(order(&[&[0]]), [vec![0]]);
    }

    #[test]
    fn a_long_chain_needs_no_stack() {
        let chain: Vec<Vec<usize>> =
            (0..100_000).map(|at| if at + 1 < 100_000 { vec![at + 1] } else { vec![] }).collect();
        assert_eq!(components(&chain).len(), 100_000);
    }
}
