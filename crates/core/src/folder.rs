//! Catalogs from folders: schemas and resource types as files, without a line of code for any of them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::{Catalog, CatalogError, ResourceTypeSpec, urns};

/// Why a folder is no part of a catalog. Always names the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// A folder or file cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A folder without a single file to load: most likely another one was meant.
    #[error("there is no .json file in `{}`", .0.display())]
    Empty(PathBuf),
    /// A file is no JSON.
    #[error("`{}` is not JSON", path.display())]
    Json {
        /// Which.
        path: PathBuf,
        /// Line and column.
        source: serde_json::Error,
    },
    /// A document is neither a schema (RFC 7643 section 7) nor a resource type (section 6).
    #[error("`{}` is neither a schema nor a resource type: {reason}", path.display())]
    Kind {
        /// In which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A schema or resource type is malformed, or does not fit what is there.
    #[error("`{}` cannot be loaded", path.display())]
    Catalog {
        /// In which file.
        path: PathBuf,
        /// What is wrong with it.
        source: CatalogError,
    },
    /// A schema that no resource type names, in these folders or before: a type forgot to list it.
    #[error("`{}` has the schema `{urn}`, which no resource type uses", path.display())]
    Unused {
        /// In which file.
        path: PathBuf,
        /// The schema's URI.
        urn: String,
    },
}

impl Catalog {
    /// The same catalog with what the `.json` files of these folders hold: each file one schema or one resource type, or a list
    /// of them. A resource type may carry [hints](ResourceTypeSpec::HINTS). It does not matter in which file or folder what is.
    ///
    /// # Errors
    ///
    /// When a folder or file cannot be read, a file is no JSON, or what it holds is malformed, clashes with what is there, or is of
    /// no use. The error names the file.
    pub fn with_folders<P: AsRef<Path>>(self, folders: impl IntoIterator<Item = P>) -> Result<Self, FolderError> {
        let mut found = Vec::new();
        for folder in folders {
            read_folder(folder.as_ref(), &mut found)?;
        }
        self.with_documents(&found)
    }

    /// Schemas first, for the types name them.
    fn with_documents(mut self, found: &[Document]) -> Result<Self, FolderError> {
        let known = self.schemas().len();
        let at = |document: &Document, source| FolderError::Catalog { path: document.path.clone(), source };
        for document in found.iter().filter(|document| document.kind == Kind::Schema) {
            self = self.with_schema(&document.json).map_err(|source| at(document, source))?;
        }
        for document in found.iter().filter(|document| document.kind == Kind::ResourceType) {
            let spec = ResourceTypeSpec::from_json(document.json.clone());
            self = self.with_resource_type(spec).map_err(|source| at(document, source))?;
        }
        let schemas = found.iter().filter(|document| document.kind == Kind::Schema);
        for (document, schema) in schemas.zip(self.schemas().iter().skip(known)) {
            let urn = schema.id.as_str();
            if !self.resource_types().iter().any(|resource_type| resource_type.resolve_urn(urn).is_some()) {
                return Err(FolderError::Unused { path: document.path.clone(), urn: urn.to_owned() });
            }
        }
        Ok(self)
    }
}

/// One schema or resource type, and the file that it stands in.
struct Document {
    path: PathBuf,
    kind: Kind,
    json: Value,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Schema,
    ResourceType,
}

impl Kind {
    fn of(json: &Value) -> Result<Self, &'static str> {
        let object = json.as_object().ok_or("expected a JSON object")?;
        let Some(schemas) = object.get("schemas") else {
            // RFCs print them without.
            return Ok(if object.contains_key("endpoint") { Self::ResourceType } else { Self::Schema });
        };
        let says = |wanted: &str| {
            let list = schemas.as_array().map(Vec::as_slice).unwrap_or_default();
            list.iter().any(|urn| urn.as_str().is_some_and(|urn| urn.eq_ignore_ascii_case(wanted)))
        };
        if says(urns::RESOURCE_TYPE) {
            Ok(Self::ResourceType)
        } else if says(urns::SCHEMA) {
            Ok(Self::Schema)
        } else {
            Err("its `schemas` name another kind of resource")
        }
    }
}

fn read_folder(folder: &Path, found: &mut Vec<Document>) -> Result<(), FolderError> {
    let unreadable = |path: &Path, source| FolderError::Read { path: path.to_owned(), source };
    let entries = fs::read_dir(folder).map_err(|source| unreadable(folder, source))?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(|source| unreadable(folder, source))?.path();
        if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json")) {
            paths.push(path);
        }
    }
    if paths.is_empty() {
        return Err(FolderError::Empty(folder.to_owned()));
    }
    // A system lists files in any order; discovery shall not depend on it.
    paths.sort();
    for path in paths {
        let bytes = fs::read(&path).map_err(|source| unreadable(&path, source))?;
        let json = serde_json::from_slice(&bytes);
        let json: Value = json.map_err(|source| FolderError::Json { path: path.clone(), source })?;
        let documents = match json {
            Value::Array(documents) => documents,
            one => vec![one],
        };
        for json in documents {
            let kind = Kind::of(&json).map_err(|reason| FolderError::Kind { path: path.clone(), reason })?;
            found.push(Document { path: path.clone(), kind, json });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;

    const TYPE: &str = r#"{"name": "Crew", "endpoint": "/Crews", "schema": "urn:x:crew"}"#;
    const SCHEMA: &str = r#"{"id": "urn:x:crew", "attributes": [{"name": "ship"}]}"#;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    /// What is said of a folder that cannot be loaded, the folder itself left out.
    fn refused(files: &[(&str, &str)]) -> String {
        let folder = folder(files);
        let error = Catalog::standard().with_folders([folder.path()]).unwrap_err();
        let source = error.source().map(|source| format!(": {source}")).unwrap_or_default();
        format!("{error}{source}").replace(&format!("{}", folder.path().display()), "")
    }

    #[test]
    fn files_come_in_any_order_and_in_lists() {
        let one = folder(&[("a.json", TYPE), ("b.JSON", SCHEMA), ("notes.txt", "no JSON at all")]);
        let list = folder(&[("all.json", &format!("[{TYPE}, {SCHEMA}]"))]);
        for folder in [&one, &list] {
            let catalog = Catalog::standard().with_folders([folder.path()]).unwrap();
            assert!(catalog.by_endpoint("/Crews").is_some() && catalog.schema("urn:x:crew").is_some());
        }
        // A type may stand in one folder and its schema in another.
        let (types, schemas) = (folder(&[("a.json", TYPE)]), folder(&[("a.json", SCHEMA)]));
        assert!(Catalog::standard().with_folders([types.path(), schemas.path()]).is_ok());
    }

    #[test]
    fn what_cannot_be_loaded_names_its_file() {
        let missing = Catalog::standard().with_folders(["/nowhere/types"]).unwrap_err();
        assert_eq!(missing.to_string(), "cannot read `/nowhere/types`");
        insta::assert_snapshot!(refused(&[("notes.txt", "")]), @"there is no .json file in ``");
        insta::assert_snapshot!(refused(&[("a.json", "{")]), @"`/a.json` is not JSON: EOF while parsing an object at line 1 column 1");
        insta::assert_snapshot!(refused(&[("a.json", "7")]), @"`/a.json` is neither a schema nor a resource type: expected a JSON object");
        insta::assert_snapshot!(refused(&[("a.json", r#"{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"]}"#)]), @"`/a.json` is neither a schema nor a resource type: its `schemas` name another kind of resource");
        insta::assert_snapshot!(refused(&[("a.json", TYPE)]), @"`/a.json` cannot be loaded: resource type `Crew`: schema `urn:x:crew` is not in the catalog");
        insta::assert_snapshot!(refused(&[("a.json", SCHEMA)]), @"`/a.json` has the schema `urn:x:crew`, which no resource type uses");
        insta::assert_snapshot!(refused(&[("a.json", SCHEMA), ("b.json", SCHEMA), ("c.json", TYPE)]), @"`/b.json` cannot be loaded: schema `urn:x:crew` is in the catalog already");
        let wrong = SCHEMA.replace("\"ship\"", "\"ship\", \"type\": \"bool\"");
        insta::assert_snapshot!(refused(&[("a.json", &wrong), ("c.json", TYPE)]), @"`/a.json` cannot be loaded: schema `urn:x:crew`: unknown variant `bool`, expected one of `string`, `boolean`, `decimal`, `integer`, `dateTime`, `binary`, `reference`, `complex`");
    }
}
