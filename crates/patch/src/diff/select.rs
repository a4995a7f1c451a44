//! Filters that pick exactly the values that are meant.

use std::collections::HashMap;

use scimwright_core::{AttrName, AttrPath, Attribute, DataType, Mutability};
use scimwright_filter::{Filter, Literal, Op, Syntax};
use serde_json::Value;

use crate::diff::place::Place;
use crate::diff::state::Element;

/// The values of a list, and how often each sub-attribute says each thing.
pub(super) struct Selector<'a> {
    place: &'a Place<'a>,
    /// What a filter can ask of a value: sub-attributes, or the value itself where it has none.
    asked: Vec<Asked<'a>>,
    counts: HashMap<(usize, String), usize>,
    pairs: HashMap<(usize, String, usize, String), usize>,
}

struct Asked<'a> {
    name: AttrName,
    attribute: &'a Attribute,
}

/// One thing that is true of a value.
struct Term {
    /// Of which sub-attribute, by its place among those that can be asked.
    at: usize,
    /// Equal where `eq` holds.
    key: String,
    filter: Filter,
}

impl<'a> Selector<'a> {
    /// From the list as it stands: what two values say alike picks both.
    pub(super) fn new(place: &'a Place<'a>, list: Option<&Value>) -> Self {
        let attribute = place.attribute;
        let asked = if attribute.data_type == DataType::Complex {
            let open = attribute.sub_attributes.iter().filter(|sub| is_open(sub));
            open.map(|sub| Asked { name: sub.name.clone(), attribute: sub }).collect()
        } else {
            // A simple value is asked for as `value` (ruling R-11).
            let name = "value".parse().ok().filter(|_| is_open_value(attribute));
            name.into_iter().map(|name| Asked { name, attribute }).collect()
        };
        let mut selector = Self { place, asked, counts: HashMap::new(), pairs: HashMap::new() };
        for value in list.and_then(Value::as_array).into_iter().flatten() {
            let terms = selector.terms(value);
            for (index, term) in terms.iter().enumerate() {
                *selector.counts.entry((term.at, term.key.clone())).or_default() += 1;
                for other in terms.iter().skip(index + 1) {
                    *selector.pairs.entry((term.at, term.key.clone(), other.at, other.key.clone())).or_default() += 1;
                }
            }
        }
        selector
    }

    /// The shortest filter by one or two equalities that picks this value and no other.
    pub(super) fn one(&self, element: &Element) -> Option<Filter> {
        let terms = self.terms(&element.value);
        let alone = |term: &&Term| self.counts.get(&(term.at, term.key.clone())) == Some(&1);
        let single = terms.iter().filter(alone).map(|term| term.filter.clone());
        let pairs = || {
            let pairs =
                terms.iter().enumerate().flat_map(|(at, one)| terms.iter().skip(at + 1).map(move |two| (one, two)));
            let alone = pairs.filter(|(one, two)| {
                let pair = (one.at, one.key.clone(), two.at, two.key.clone());
                self.pairs.get(&pair) == Some(&1)
            });
            alone
                .filter_map(|(one, two)| Filter::all(vec![one.filter.clone(), two.filter.clone()]).ok())
                .collect::<Vec<_>>()
        };
        self.shortest(single).or_else(|| self.shortest(pairs()))
    }

    /// The shortest filter that picks these values and no others: something that they have in common, or each of them.
    pub(super) fn all(&self, elements: &[&Element]) -> Option<Filter> {
        if let [one] = elements {
            return self.one(one);
        }
        let terms: Vec<Vec<Term>> = elements.iter().map(|element| self.terms(&element.value)).collect();
        let of_all = |term: &&Term| {
            let has = |terms: &Vec<Term>| terms.iter().any(|other| (other.at, &other.key) == (term.at, &term.key));
            self.counts.get(&(term.at, term.key.clone())) == Some(&elements.len()) && terms.iter().all(has)
        };
        let common = terms.first().into_iter().flatten().filter(of_all).map(|term| term.filter.clone());
        let each: Option<Vec<Filter>> = elements.iter().map(|element| self.one(element)).collect();
        // Each of them may take two comparisons.
        let each =
            each.filter(|each| each.len() <= Syntax::default().max_terms / 2).and_then(|each| Filter::any(each).ok());
        self.shortest(common.chain(each))
    }

    fn shortest(&self, filters: impl IntoIterator<Item = Filter>) -> Option<Filter> {
        let taken = filters.into_iter().filter(|filter| self.place.takes(filter));
        taken.min_by_key(|filter| filter.to_string().len())
    }

    fn terms(&self, value: &Value) -> Vec<Term> {
        let term = |(at, asked): (usize, &Asked<'_>)| {
            let complex = self.place.attribute.data_type == DataType::Complex;
            let value = if complex { value.get(asked.name.as_str())? } else { value };
            let literal = match value {
                // The empty string is hardly a value to be known by.
                Value::String(text) if !text.is_empty() => Literal::String(text.clone()),
                // No word about it may count as false.
                Value::Bool(true) => Literal::Bool(true),
                Value::Number(number) => Literal::Number(number.clone().into()),
                _ => return None,
            };
            let filter = Filter::compare(AttrPath::of(asked.name.clone()), Op::Eq, literal);
            Some(Term { at, key: asked.attribute.element_key(value), filter })
        };
        self.asked.iter().enumerate().filter_map(term).collect()
    }
}

/// Whether a filter may ask for a sub-attribute by `eq`, and every server understands it alike.
fn is_open(sub: &Attribute) -> bool {
    !sub.multi_valued && sub.mutability != Mutability::ReadOnly && is_open_value(sub)
}

fn is_open_value(attribute: &Attribute) -> bool {
    let plain = matches!(
        attribute.data_type,
        DataType::String | DataType::Boolean | DataType::Integer | DataType::Binary | DataType::Reference
    );
    plain && !attribute.is_hidden()
}
