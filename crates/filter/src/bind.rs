//! Binding a filter to a resource type: names become fields, literals become operands of the right type, and what
//! cannot be asked is refused.

use std::sync::Arc;

use scimwright_core::{AttrPath, Attribute, DataType, Extension, IndexSpec, ResourceType, Target, fold};
use serde_json::Value;

use crate::bound::{BoundFilter, Field, Operand, Test};
use crate::{BindError, Expr, Filter, Literal, Op, SortBy};

/// What a filter is bound to.
#[derive(Clone, Copy, Debug)]
pub struct Binding<'a> {
    /// The type of the resources that will be asked.
    pub resource_type: &'a ResourceType,
    /// The types among which the query looks: an attribute that one of them has is known, and has no value on the
    /// others (ruling R-8). Empty means [`Binding::resource_type`] alone.
    pub served: &'a [Arc<ResourceType>],
    /// Whether a boolean may be compared with `"True"` or `"False"`, as some clients do (ruling R-30).
    /// [`BoundFilter::coerced_booleans`] tells when it was.
    pub boolean_strings: bool,
}

impl<'a> Binding<'a> {
    /// To one resource type, by the letter.
    #[must_use]
    pub const fn new(resource_type: &'a ResourceType) -> Self {
        Self { resource_type, served: &[], boolean_strings: false }
    }
}

impl Filter {
    /// Finds every attribute of the filter in the schemas of the resource type, and checks that operators and operands
    /// fit. The whole filter is checked, whatever `and` and `or` would skip (ruling R-12).
    ///
    /// # Errors
    ///
    /// When no served type has an attribute, when an operator or operand does not fit an attribute's type, when
    /// brackets stand where they cannot, or when an attribute is secret.
    pub fn bind(&self, binding: &Binding<'_>) -> Result<BoundFilter, BindError> {
        let mut binder = Binder { boolean_strings: binding.boolean_strings, coerced: false };
        let test = binder.test(self, &Scope::Resource(binding))?;
        Ok(BoundFilter { test, coerced_booleans: binder.coerced, equalities: None })
    }

    /// Binds a filter that stood in brackets to the attribute in front of them. Names are those of sub-attributes; for
    /// a simple multi-valued attribute the only name is `value`, which is the value itself (ruling R-11).
    ///
    /// # Errors
    ///
    /// As [`Filter::bind`], and when the attribute has one simple value.
    pub fn bind_selection(&self, attribute: &Attribute, boolean_strings: bool) -> Result<BoundFilter, BindError> {
        let path = attribute.name.to_string();
        if attribute.is_hidden() {
            return Err(BindError::Secret { path });
        }
        selectable(attribute, &path)?;
        let mut binder = Binder { boolean_strings, coerced: false };
        let test = binder.test(self, &Scope::Value { attribute, path: &path })?;
        let mut equalities = Vec::new();
        let described = equal_terms(self, attribute, &mut equalities) && !equalities.is_empty();
        Ok(BoundFilter { test, coerced_booleans: binder.coerced, equalities: described.then_some(equalities) })
    }
}

impl SortBy {
    /// Finds the attribute that a list is sorted by (RFC 7644 section 3.4.2.3). None when only another served type has it: then no
    /// resource of this type has a value.
    ///
    /// # Errors
    ///
    /// When no served type has the attribute, when it is complex and has no `value`, or when it is secret, for an order tells of
    /// values too.
    pub fn bind(path: &AttrPath, binding: &Binding<'_>) -> Result<Option<Self>, BindError> {
        let scope = Scope::Resource(binding);
        let mut found = scope.find(path)?;
        if found.leaf().data_type == DataType::Complex {
            found = found.default_sub(path)?;
        }
        found.check_open(path)?;
        Ok(found.here.then(|| Self { field: scope.field(&found) }))
    }
}

/// One walk through one filter.
struct Binder {
    boolean_strings: bool,
    coerced: bool,
}

/// What names mean at some place of a filter.
enum Scope<'a> {
    /// Outside of brackets: attributes of resources.
    Resource(&'a Binding<'a>),
    /// Inside of brackets: parts of one value of an attribute, or that value itself where it is simple.
    Value { attribute: &'a Attribute, path: &'a str },
}

/// What a path turned out to name.
struct Found<'a> {
    container: Option<&'a Extension>,
    attribute: &'a Attribute,
    sub: Option<&'a Attribute>,
    /// Whether the resources that will be asked can have it, not only those of another served type.
    here: bool,
}

impl Binder {
    fn test(&mut self, filter: &Filter, scope: &Scope<'_>) -> Result<Test, BindError> {
        match filter.expr() {
            Expr::And(terms) => Ok(Test::all(self.tests(terms, scope)?)),
            Expr::Or(terms) => Ok(Test::any(self.tests(terms, scope)?)),
            Expr::Not(inner) => Ok(Test::negate(self.test(inner, scope)?)),
            Expr::Compare(path, op, literal) => self.compare(path, *op, literal, scope),
            Expr::Present(path) => present(path, scope),
            Expr::Within(path, inner) => self.within(path, inner, scope),
        }
    }

    fn tests(&mut self, filters: &[Filter], scope: &Scope<'_>) -> Result<Vec<Test>, BindError> {
        let mut tests = Vec::with_capacity(filters.len());
        for filter in filters {
            tests.push(self.test(filter, scope)?);
        }
        Ok(tests)
    }

    fn within(&mut self, path: &AttrPath, inner: &Filter, scope: &Scope<'_>) -> Result<Test, BindError> {
        let found = scope.find(path)?;
        found.check_open(path)?;
        let path = path.to_string();
        if found.sub.is_some() {
            return Err(BindError::SubBeforeBracket { path });
        }
        selectable(found.attribute, &path)?;
        let Scope::Resource(_) = scope else { return Err(BindError::NotSelectable { path }) };
        let field = scope.field(&found);
        let inner = self.test(inner, &Scope::Value { attribute: found.attribute, path: &field.path })?;
        Ok(if found.here { Test::Within(field, Box::new(inner)) } else { Test::Never })
    }

    fn compare(&mut self, path: &AttrPath, op: Op, literal: &Literal, scope: &Scope<'_>) -> Result<Test, BindError> {
        let mut found = scope.find(path)?;
        // With null it is asked whether the attribute itself has a value (ruling R-3).
        if found.leaf().data_type == DataType::Complex && *literal != Literal::Null {
            found = found.default_sub(path)?;
        }
        found.check_open(path)?;
        let field = scope.field(&found);
        let operand = self.operand(&field, path, op, literal)?;
        if found.here {
            return Ok(scope.known(&field, op, &operand).unwrap_or(Test::Compare(field, op, operand)));
        }
        let holds_for_nothing = match op {
            Op::Eq => operand == Operand::Null,
            Op::Ne => operand != Operand::Null,
            _ => false,
        };
        Ok(if holds_for_nothing { Test::Always } else { Test::Never })
    }

    fn operand(&mut self, field: &Field, path: &AttrPath, op: Op, literal: &Literal) -> Result<Operand, BindError> {
        let data_type = field.data_type;
        if !goes_with(op, data_type) {
            return Err(BindError::Operator { path: path.to_string(), op, data_type });
        }
        let operand = match (data_type, literal) {
            (_, Literal::Null) if matches!(op, Op::Eq | Op::Ne) => Some(Operand::Null),
            (DataType::String | DataType::Reference | DataType::Binary, Literal::String(text)) => {
                Some(Operand::Text(if field.case_exact { text.clone() } else { fold(text) }))
            }
            (DataType::Boolean, Literal::Bool(value)) => Some(Operand::Bool(*value)),
            (DataType::Boolean, Literal::String(text)) if self.boolean_strings => {
                let value = boolean(text);
                self.coerced |= value.is_some();
                value.map(Operand::Bool)
            }
            (DataType::Decimal | DataType::Integer, Literal::Number(number)) => {
                Some(Operand::Number(number.value().clone()))
            }
            (DataType::DateTime, Literal::String(text)) => text.parse().ok().map(Operand::Instant),
            _ => None,
        };
        operand.ok_or_else(|| BindError::operand(path, data_type, literal))
    }
}

impl<'a> Scope<'a> {
    fn find(&self, path: &AttrPath) -> Result<Found<'a>, BindError> {
        match *self {
            Self::Resource(binding) => {
                let here = Found::of(binding.resource_type, path, true);
                let elsewhere = || binding.served.iter().find_map(|other| Found::of(other, path, false));
                here.or_else(elsewhere).ok_or_else(|| binding.unknown(path))
            }
            Self::Value { attribute, path: outer } => {
                let unknown = || BindError::UnknownAttribute { path: format!("{outer}.{path}"), meant: None };
                // Only bare names: a value has no containers, and its sub-attributes have no parts.
                let AttrPath { urn: None, name, sub: None } = path else { return Err(unknown()) };
                let found = match attribute.data_type {
                    DataType::Complex => attribute.sub(name.as_str()),
                    _ => name.is("value").then_some(attribute),
                };
                let attribute = found.ok_or_else(unknown)?;
                Ok(Found { container: None, attribute, sub: None, here: true })
            }
        }
    }

    /// What is the same for every resource of the type, so that nobody has to be asked: which type it is.
    fn known(&self, field: &Field, op: Op, operand: &Operand) -> Option<Test> {
        let (Self::Resource(binding), Operand::Text(text), true) = (self, operand, field.case_exact) else {
            return None;
        };
        let equal = field.path == "meta.resourceType" && *text == binding.resource_type.name;
        match op {
            Op::Eq if field.path == "meta.resourceType" => Some(if equal { Test::Always } else { Test::Never }),
            Op::Ne if field.path == "meta.resourceType" => Some(if equal { Test::Never } else { Test::Always }),
            _ => None,
        }
    }

    fn field(&self, found: &Found<'_>) -> Field {
        let leaf = found.leaf();
        let IndexSpec { container, name, sub, path, .. } = IndexSpec::new(found.container, found.attribute, found.sub);
        let is_primary = leaf.data_type == DataType::Boolean && leaf.name.is("primary");
        let urns = |attribute: &Attribute| attribute.name.is("schemas");
        let field = Field {
            data_type: leaf.data_type,
            case_exact: leaf.case_exact,
            multi_valued: found.attribute.multi_valued || found.sub.is_some_and(|sub| sub.multi_valued),
            element: false,
            assumed_false: false,
            container,
            name,
            sub,
            path,
        };
        match *self {
            Self::Resource(_) => Field {
                assumed_false: is_primary && found.sub.is_some() && found.attribute.multi_valued,
                // URIs of schemas have no case (RFC 7644 section 3.10), whatever other references have.
                case_exact: field.case_exact && !(field.container.is_none() && urns(leaf)),
                ..field
            },
            Self::Value { attribute, path: outer } if attribute.data_type == DataType::Complex => Field {
                assumed_false: is_primary && attribute.multi_valued,
                path: format!("{outer}.{}", field.path),
                ..field
            },
            Self::Value { attribute, path: outer } => Field {
                name: "value".to_owned(),
                path: outer.to_owned(),
                case_exact: field.case_exact && !urns(attribute),
                multi_valued: false,
                element: true,
                ..field
            },
        }
    }
}

impl<'a> Found<'a> {
    fn of(resource_type: &'a ResourceType, path: &AttrPath, here: bool) -> Option<Self> {
        match resource_type.resolve(path) {
            Some(Target::Attribute { container, attribute, sub }) => Some(Self { container, attribute, sub, here }),
            Some(Target::Root | Target::Container(_)) | None => None,
        }
    }

    fn leaf(&self) -> &'a Attribute {
        self.sub.unwrap_or(self.attribute)
    }

    /// The `value` of a complex attribute, for which the attribute's own name may stand (ruling R-6).
    fn default_sub(self, path: &AttrPath) -> Result<Self, BindError> {
        match self.attribute.default_sub() {
            Some(value) if self.sub.is_none() && value.data_type != DataType::Complex => {
                Ok(Self { sub: Some(value), ..self })
            }
            _ => {
                let meant = self.leaf().sub_attributes.first().map(|sub| format!("{path}.{}", sub.name));
                Err(BindError::NotComparable { path: path.to_string(), meant })
            }
        }
    }

    fn check_open(&self, path: &AttrPath) -> Result<(), BindError> {
        let secret = [Some(self.attribute), self.sub].into_iter().flatten().any(Attribute::is_hidden);
        if secret { Err(BindError::Secret { path: path.to_string() }) } else { Ok(()) }
    }
}

impl Binding<'_> {
    fn unknown(&self, path: &AttrPath) -> BindError {
        let types = std::iter::once(self.resource_type).chain(self.served.iter().map(AsRef::as_ref));
        let mut extensions = types.flat_map(|resource_type| &resource_type.extensions);
        let meant = extensions
            .find(|extension| path.urn.is_none() && extension.schema.attribute(path.name.as_str()).is_some())
            .map(|extension| format!("{}:{path}", extension.schema.id));
        BindError::UnknownAttribute { path: path.to_string(), meant }
    }
}

fn present(path: &AttrPath, scope: &Scope<'_>) -> Result<Test, BindError> {
    let found = scope.find(path)?;
    found.check_open(path)?;
    Ok(if found.here { Test::Present(scope.field(&found)) } else { Test::Never })
}

/// Brackets choose among values, or look into the one value that a complex attribute has (ruling R-10).
fn selectable(attribute: &Attribute, path: &str) -> Result<(), BindError> {
    if attribute.multi_valued || attribute.data_type == DataType::Complex {
        Ok(())
    } else {
        Err(BindError::NotSelectable { path: path.to_owned() })
    }
}

/// RFC 7644 section 3.4.2.2 forbids order on booleans and binary data; parts are parts of text only (ruling R-5).
const fn goes_with(op: Op, data_type: DataType) -> bool {
    match data_type {
        DataType::String | DataType::Reference => true,
        DataType::Boolean | DataType::Binary | DataType::Complex => matches!(op, Op::Eq | Op::Ne),
        DataType::Decimal | DataType::Integer | DataType::DateTime => !matches!(op, Op::Co | Op::Sw | Op::Ew),
    }
}

fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// Gathers what a bound selection says by `eq` and `and` alone; false when it says anything else, or two things of one
/// name.
fn equal_terms(filter: &Filter, attribute: &Attribute, terms: &mut Vec<(String, Value)>) -> bool {
    match filter.expr() {
        Expr::And(filters) => filters.iter().all(|filter| equal_terms(filter, attribute, terms)),
        // A value that says nothing of it has no value for it.
        Expr::Compare(_, Op::Eq, Literal::Null) => true,
        Expr::Compare(path, Op::Eq, literal) => {
            let sub = attribute.sub(path.name.as_str());
            let leaf = sub.unwrap_or(attribute);
            let value = match literal {
                Literal::Null => Value::Null,
                Literal::Bool(value) => Value::Bool(*value),
                Literal::Number(number) => Value::Number(number.value().clone()),
                Literal::String(text) if leaf.data_type == DataType::Boolean => boolean(text).into(),
                Literal::String(text) => Value::String(text.clone()),
            };
            let name = sub.map_or("value", |sub| sub.name.as_str());
            let is_new = terms.iter().all(|(other, _)| other != name);
            let in_list = sub.is_some_and(|sub| sub.multi_valued);
            terms.push((name.to_owned(), if in_list { Value::Array(vec![value]) } else { value }));
            is_new
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
