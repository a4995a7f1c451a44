//! The tests of the workspace that say what they prove.

use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, ImplItemFn, ItemFn, Lit, Macro, Meta};

use crate::ids;
use crate::spec::Spec;

/// A test and what it proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Proof {
    /// From the root of the workspace, with slashes.
    pub(crate) file: String,
    pub(crate) function: String,
    pub(crate) ids: Vec<String>,
}

/// Where tests are. The targets of `fuzz` are none: they prove nothing by name.
const FOLDERS: &[&str] = &["crates", "examples", "tests"];

/// All proofs, by file, in the order of their sources; and what is wrong with the way they are named.
pub(crate) fn workspace(root: &Path, spec: &Spec) -> (Vec<Proof>, Vec<String>) {
    let mut files = Vec::new();
    for folder in FOLDERS {
        sources(&root.join(folder), &mut files);
    }
    files.sort();
    let (mut proofs, mut wrong) = (Vec::new(), Vec::new());
    for path in files {
        let parts = path.strip_prefix(root).unwrap().iter().map(|part| part.to_str().unwrap());
        let file = parts.collect::<Vec<_>>().join("/");
        let text = std::fs::read_to_string(&path).unwrap();
        let (found, problems) = source(&file, &text, spec);
        proofs.extend(found);
        wrong.extend(problems);
    }
    (proofs, wrong)
}

/// The files of Rust below a folder.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !path.ends_with("target") {
                sources(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The proofs of one file, and what is wrong with them.
pub(crate) fn source(file: &str, text: &str, spec: &Spec) -> (Vec<Proof>, Vec<String>) {
    let parsed = syn::parse_file(text).unwrap_or_else(|error| panic!("{file}: {error}"));
    let mut collector = Collector { file, spec, proofs: Vec::new(), wrong: Vec::new() };
    collector.visit_file(&parsed);
    (collector.proofs, collector.wrong)
}

struct Collector<'c> {
    file: &'c str,
    spec: &'c Spec,
    proofs: Vec<Proof>,
    wrong: Vec<String>,
}

impl Collector<'_> {
    fn function(&mut self, function: &str, attributes: &[Attribute]) {
        let is = |name: &str| {
            attributes.iter().any(|attribute| attribute.path().segments.last().is_some_and(|last| last.ident == name))
        };
        let docs = ids::of_docs(&docs(attributes));
        // What is not run proves nothing.
        if !is("test") || is("ignore") {
            if docs.is_some() {
                self.wrong.push(format!("{}::{function} says what it proves, and is no test that is run", self.file));
            }
            return;
        }
        let mut ids = ids::of_name(function, self.spec);
        for id in docs.unwrap_or_default() {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        for id in ids.iter().filter(|id| !self.spec.ids().any(|known| known == **id)) {
            self.wrong.push(format!("{}::{function} proves `{id}`, which there is not", self.file));
        }
        if !ids.is_empty() {
            self.proofs.push(Proof { file: self.file.to_owned(), function: function.to_owned(), ids });
        }
    }

    /// The functions in the tokens of `proptest! { … }`, whose parameters are no Rust.
    fn tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut attributes = Vec::new();
        for (at, token) in tokens.iter().enumerate() {
            match (token, tokens.get(at + 1)) {
                (TokenTree::Punct(hash), Some(TokenTree::Group(group)))
                    if hash.as_char() == '#' && group.delimiter() == Delimiter::Bracket =>
                {
                    let attribute = TokenStream::from_iter([token.clone(), TokenTree::Group(group.clone())]);
                    let parsed = syn::parse::Parser::parse2(Attribute::parse_outer, attribute);
                    attributes.extend(parsed.unwrap_or_else(|error| panic!("{}: {error}", self.file)));
                }
                (TokenTree::Ident(word), Some(TokenTree::Ident(name))) if word == "fn" => {
                    self.function(&name.to_string(), &std::mem::take(&mut attributes));
                }
                _ => {}
            }
        }
    }
}

impl<'ast> Visit<'ast> for Collector<'_> {
    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        self.function(&item.sig.ident.to_string(), &item.attrs);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        self.function(&item.sig.ident.to_string(), &item.attrs);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_macro(&mut self, item: &'ast Macro) {
        if item.path.segments.last().is_some_and(|last| last.ident == "proptest") {
            self.tokens(item.tokens.clone());
        }
    }
}

/// The docs of an item, a line each.
fn docs(attributes: &[Attribute]) -> String {
    let line = |attribute: &Attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => Some(text.value()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    };
    attributes.iter().filter_map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> Spec {
        let row = |id: &str| format!(r#"{{"id": "{id}", "section": "", "level": "MUST", "requirement": ""}}"#);
        let rows = ["F-1", "F-2", "F-3"].map(row).join(",");
        let text = format!(
            r#"{{"parts": [{{"id": "F", "title": ""}}], "requirements": [{rows}], "rulings": [], "errata": []}}"#
        );
        Spec::parse(&text).unwrap()
    }

    /// The functions of a source with what they prove, and how many things are wrong.
    fn found(text: &str) -> (String, usize) {
        let (proofs, wrong) = source("a.rs", text, &spec());
        let line = |proof: &Proof| format!("{}: {}", proof.function, proof.ids.join(" "));
        (proofs.iter().map(line).collect::<Vec<_>>().join("; "), wrong.len())
    }

    #[test]
    fn tests_are_found_wherever_they_are() {
        let text = "
            #[test] fn f_1_top() {}
            mod tests {
                /// Proves: F-2.
                #[tokio::test] async fn inner() {}
                proptest! {
                    #![proptest_config(ProptestConfig::with_cases(7))]
                    /// Whatever it is.
                    ///
                    /// Proves: F-3, F-1.
                    #[test] fn law(x in any::<u8>(), (y, z) in pair()) { let fn_1 = x; }
                    #[test]
                    fn f_2_other(x in 0..7u8) {}
                    fn f_3_helper(x in 0..7u8) {}
                }
            }";
        let all = "f_1_top: F-1; inner: F-2; law: F-3 F-1; f_2_other: F-2";
        assert_eq!(found(text), (all.to_owned(), 0));
    }

    #[test]
    fn the_name_and_the_docs_are_both_read_and_counted_once() {
        assert_eq!(found("/// Proves: F-2, F-1.\n#[test] fn f_1_x() {}"), ("f_1_x: F-1 F-2".to_owned(), 0));
    }

    #[test]
    fn what_is_not_run_proves_nothing() {
        assert_eq!(
            found("fn f_1_helper() {} #[test] #[ignore] fn f_2_slow() {} #[test] fn f() {}"),
            (String::new(), 0)
        );
        // Saying so by docs is a mistake of which somebody should hear.
        for text in ["/// Proves: F-1.\nfn helper() {}", "/// Proves: F-1.\n#[test] #[ignore = \"slow\"] fn f() {}"] {
            assert_eq!(found(text), (String::new(), 1), "{text}");
        }
        // A text is no test.
        assert_eq!(found("const A: &str = \"#[test] fn f_1_x() {}\";"), (String::new(), 0));
    }

    #[test]
    fn an_id_that_there_is_not_is_found() {
        for text in [
            "#[test] fn f_9_x() {}",
            "/// Proves: F-1, F-9.\n#[test] fn x() {}",
            "/// Proves: F-1 and F-2.\n#[test] fn x() {}",
            "/// Proves: erratum 1.\n#[test] fn x() {}",
            "#[test] fn r_1_x() {}",
            "/// Proves:\n#[test] fn x() {}",
            "proptest! { #[test] fn f_9_x(a in b) {} }",
        ] {
            assert_eq!(found(text).1, 1, "{text}");
        }
    }
}
