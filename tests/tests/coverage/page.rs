//! The matrix as a page.

use std::fmt::Write as _;

use crate::check::{Matrix, Standing, Test};
use crate::spec::Status;

const LEVELS: [&str; 5] = ["MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY"];

/// The whole of `docs/coverage.md`; the command is the one that makes it.
pub(crate) fn page(matrix: &Matrix, command: &str) -> String {
    let mut page = format!(
        "# Coverage\n\n\
        Every requirement of RFC 7643, RFC 7644 and RFC 9865 on a service provider, in our words, with the tests that prove it or the\n\
        reason why none does. This page is generated; a test fails when it is not what the tests say. To make it anew:\n\n\
        ```console\n$ {command}\n```\n\n\
        A test names what it proves at the beginning of its name (`pu_2_e_3_put_does_not_create`) or in its docs\n\
        (`/// Proves: F-12, R-5, erratum 8475.`). Reasons are in `tests/data/spec/reasons.json`.\n\n"
    );
    summary(&mut page, matrix);
    for part in &matrix.spec.parts {
        let _ = write!(page, "\n## {}: {}\n\n", part.id, part.title);
        page.push_str("| id | level | section | requirement | proof |\n|---|---|---|---|---|\n");
        for row in matrix.spec.of(&part.id) {
            line(&mut page, &[&row.id, &row.level, &row.section, &row.requirement], matrix.standing(&row.id));
        }
    }
    page.push_str("\n## Errata\n\nThose that change what a server does.\n\n");
    page.push_str("| id | section | effect | proof |\n|---|---|---|---|\n");
    for row in &matrix.spec.errata {
        let section = format!("RFC {} {}", row.rfc, row.section);
        line(&mut page, &[&row.id, &section, &row.effect], matrix.standing(&row.id));
    }
    page.push_str("\n## Rulings\n\nWhat we do where the RFCs are silent or say two things.\n\n");
    page.push_str("| id | point | ruling | proof |\n|---|---|---|---|\n");
    for row in &matrix.spec.rulings {
        line(&mut page, &[&row.id, &row.point, &row.ruling], matrix.standing(&row.id));
    }
    page
}

/// How many rows of each level stand where.
fn summary(page: &mut String, matrix: &Matrix) {
    page.push_str(
        "| level | requirements | proved | not applicable | not done | neither |\n|---|---|---|---|---|---|\n",
    );
    let mut total = [0; 5];
    for level in LEVELS {
        let mut counts = [0; 5];
        for row in matrix.spec.requirements.iter().filter(|row| row.level == level) {
            counts[0] += 1;
            counts[match matrix.standing(&row.id) {
                Standing::Proved(_) => 1,
                Standing::Argued(reason) if reason.status == Status::NotApplicable => 2,
                Standing::Argued(_) => 3,
                Standing::Missing => 4,
            }] += 1;
        }
        for (sum, count) in total.iter_mut().zip(counts) {
            *sum += count;
        }
        counted(page, level, counts);
    }
    counted(page, "all", total);
}

fn counted(page: &mut String, level: &str, counts: [usize; 5]) {
    let _ = writeln!(page, "| {level} | {} |", counts.map(|count| count.to_string()).join(" | "));
}

/// A row of a table, with where it stands at the end.
fn line(page: &mut String, cells: &[&str], standing: Standing<'_>) {
    let proof = match standing {
        Standing::Proved(tests) => tests.iter().map(link).collect::<Vec<_>>().join("<br>"),
        Standing::Argued(reason) => format!("*{}*: {}", reason.status.name(), cell(&reason.reason)),
        Standing::Missing => "**neither proved nor argued**".to_owned(),
    };
    let cells: Vec<String> = cells.iter().map(|text| cell(text)).collect();
    let _ = writeln!(page, "| {} | {proof} |", cells.join(" | "));
}

/// Text as it may stand in a cell.
fn cell(text: &str) -> String {
    let mut escaped = String::new();
    for letter in text.chars() {
        if "\\|*_<>`[]".contains(letter) {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

/// A test by a short name of its file, leading to the file.
fn link(test: &Test) -> String {
    // `parse/tests.rs` is where the tests of `parse.rs` are.
    let path = test.file.trim_end_matches(".rs").trim_end_matches("/tests");
    let short: Vec<&str> =
        path.split('/').filter(|part| !["crates", "examples", "tests", "src"].contains(part)).collect();
    format!("[`{}::{}`](../{})", short.join("/"), test.function, test.file)
}

/// What to do when the page is not what is generated.
pub(crate) fn difference(committed: &str, generated: &str, command: &str) -> Option<String> {
    if committed == generated {
        return None;
    }
    let first = committed.lines().zip(generated.lines()).position(|(old, new)| old != new);
    let at = first.unwrap_or_else(|| committed.lines().count().min(generated.lines().count())) + 1;
    Some(format!("docs/coverage.md is not what is generated, from line {at} on: make it anew with\n    {command}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::tests::{ALL, matrix};

    #[test]
    fn a_page_shows_where_every_row_stands() {
        let reasons = r#"{"X-3": {"status": "not done", "reason": "It *is* a | matter of time."},
            "X-5": {"status": "not applicable", "reason": "It binds clients only."}}"#;
        let page = page(&matrix(reasons, "X-1, X-4, R-1, erratum 7"), "make it");
        let tables: Vec<&str> = page.lines().filter(|line| line.starts_with(['|', '#', '$'])).collect();
        insta::assert_snapshot!(tables.join("\n"), @r"
        # Coverage
        $ make it
        | level | requirements | proved | not applicable | not done | neither |
        |---|---|---|---|---|---|
        | MUST | 1 | 1 | 0 | 0 | 0 |
        | MUST NOT | 1 | 0 | 0 | 0 | 1 |
        | SHOULD | 1 | 0 | 0 | 1 | 0 |
        | SHOULD NOT | 1 | 1 | 0 | 0 | 0 |
        | MAY | 1 | 0 | 1 | 0 | 0 |
        | all | 5 | 2 | 1 | 1 | 1 |
        ## X: Things
        | id | level | section | requirement | proof |
        |---|---|---|---|---|
        | X-1 | MUST | 1 | Row. | [`a/b::proves X-1`](../crates/a/src/b.rs) |
        | X-2 | MUST NOT | 1 | Row. | **neither proved nor argued** |
        | X-3 | SHOULD | 1 | Row. | *not done*: It \*is\* a \| matter of time. |
        | X-4 | SHOULD NOT | 1 | Row. | [`a/b::proves X-4`](../crates/a/src/b.rs) |
        | X-5 | MAY | 1 | Row. | *not applicable*: It binds clients only. |
        ## Errata
        | id | section | effect | proof |
        |---|---|---|---|
        | erratum 7 | RFC 7643 2 | Effect. | [`a/b::proves erratum 7`](../crates/a/src/b.rs) |
        ## Rulings
        | id | point | ruling | proof |
        |---|---|---|---|
        | R-1 | Point | Ruled. | [`a/b::proves R-1`](../crates/a/src/b.rs) |
        ");
    }

    #[test]
    fn a_page_that_is_not_what_is_generated_is_found() {
        let page = page(&matrix("{}", ALL), "make it");
        assert_eq!(difference(&page, &page, "make it"), None);
        for other in [String::new(), page.replace("X-4", "X-5"), format!("{page}\n"), page[..page.len() / 2].to_owned()]
        {
            let found = difference(&other, &page, "make it").unwrap();
            assert!(found.contains("docs/coverage.md") && found.ends_with("make it"), "{found}");
        }
        assert!(difference("a\nb\n", "a\nc\n", "").unwrap().contains("from line 2 on"));
    }
}
