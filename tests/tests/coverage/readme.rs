//! The README's table of what is supported, held against the matrix: its last column names the parts or rows that a
//! line rests on.

use crate::check::Matrix;
use crate::spec::Requirement;

const HEADING: &str = "## What is supported";

/// What a line rests on when it is about none of the requirements.
const NOTHING: &str = "—";

/// Lines that promise what is not proved, or deny what is.
pub(crate) fn problems(readme: &str, matrix: &Matrix) -> Vec<String> {
    let section = readme.lines().skip_while(|line| *line != HEADING).skip(1);
    let section = section.take_while(|line| !line.starts_with("## "));
    // The first two are the head of the table.
    let rows: Vec<&str> = section.filter(|line| line.starts_with('|')).skip(2).collect();
    if rows.is_empty() {
        return vec![format!("README: there is no table under `{HEADING}`")];
    }
    rows.into_iter().flat_map(|row| line(row, matrix)).collect()
}

fn line(row: &str, matrix: &Matrix) -> Vec<String> {
    let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
    let [what, status, ground] = cells[..] else { return vec![format!("README: three cells, not `{row}`")] };
    let names: Vec<&str> = ground.split(',').map(str::trim).filter(|name| *name != NOTHING).collect();
    let (yes, not_yet) = (status.starts_with("yes"), status.starts_with("not yet"));
    if names.is_empty() == (yes || not_yet) {
        return vec![format!("README: `{what}` is `{status}` and rests on `{ground}`")];
    }
    let mut problems = Vec::new();
    for name in names {
        let rows: Vec<&Requirement> = named(name, matrix);
        if rows.is_empty() {
            problems.push(format!("README: `{what}` rests on `{name}`, which there is not"));
        } else if yes {
            let musts = rows.iter().filter(|row| row.is_must() && !matrix.standing(&row.id).is_kept());
            problems.extend(musts.map(|row| format!("README: `{what}` is there, and {} is not proved", row.id)));
        } else if !rows.iter().any(|row| matrix.standing(&row.id).is_not_done()) {
            problems.push(format!("README: `{what}` is not there yet, and nothing of {name} is `not done`"));
        }
    }
    problems
}

/// The row of that id, or all of the part.
fn named<'m>(name: &'m str, matrix: &'m Matrix) -> Vec<&'m Requirement> {
    matrix
        .spec
        .requirements
        .iter()
        .filter(|row| row.id == name)
        .chain(matrix.spec.of(name).filter(|_| !name.contains('-')))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::tests::{ALL, matrix};

    const REASONS: &str = r#"{"X-2": {"status": "not done", "reason": "We have no such thing."},
        "X-1": {"status": "not applicable", "reason": "It binds clients only."}}"#;

    /// How many problems a table of one line has where all is proved, and where X-2 is not done and X-1 needs not be.
    fn problems_of(row: &str) -> [usize; 2] {
        let readme = format!("# A\n\n{HEADING}\n\n| | | rests on |\n|---|---|---|\n{row}\n\n## B\n\n| x |\n");
        let part = "X-3, X-4, X-5, R-1, erratum 7";
        [matrix("{}", ALL), matrix(REASONS, part)].map(|matrix| problems(&readme, &matrix).len())
    }

    #[test]
    fn what_is_promised_is_proved() {
        assert_eq!(problems_of("| things | yes | X |"), [0, 1]);
        assert_eq!(problems_of("| things | yes, and well | X-1, X-3 |"), [0, 0]);
        assert_eq!(problems_of("| things | yes | X-1, X-2 |"), [0, 1]);
    }

    #[test]
    fn a_should_may_be_missing() {
        let reasons = REASONS.replace("X-2", "X-3");
        let matrix = matrix(&reasons, "X-2, X-4, X-5");
        let readme = format!("{HEADING}\n| a | b | c |\n|---|---|---|\n| things | yes | X |\n");
        assert_eq!(problems(&readme, &matrix), Vec::<String>::new());
    }

    #[test]
    fn what_is_not_there_yet_is_not_done() {
        assert_eq!(problems_of("| things | not yet: 501 | X |"), [1, 0]);
        assert_eq!(problems_of("| things | not yet | X-2 |"), [1, 0]);
        assert_eq!(problems_of("| things | not yet | X-2, X-3 |"), [2, 1]);
    }

    #[test]
    fn a_line_that_rests_on_nothing_says_so() {
        assert_eq!(problems_of("| stores | in memory | — |"), [0, 0]);
        assert_eq!(problems_of("| stores | in memory | X |"), [1, 1]);
        assert_eq!(problems_of("| things | yes | — |"), [1, 1]);
        assert_eq!(problems_of("| things | not yet | — |"), [1, 1]);
    }

    #[test]
    fn a_line_that_cannot_be_read_is_found() {
        assert_eq!(problems_of("| things | yes |"), [1, 1]);
        assert_eq!(problems_of("| things | yes | Y |"), [1, 1]);
        assert_eq!(problems_of("| things | yes | X-9 |"), [1, 1]);
        assert_eq!(problems_of(""), [1, 1]);
        assert_eq!(problems("# A\n", &matrix("{}", ALL)).len(), 1);
    }
}
