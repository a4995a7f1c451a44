//! What is proved, what is argued, and what is neither.

use std::collections::BTreeMap;

use crate::collect::Proof;
use crate::spec::{Reason, Reasons, Requirement, Spec, Status};

/// The requirements with the tests that prove them and the reasons of those that none proves.
#[derive(Clone, Debug)]
pub(crate) struct Matrix {
    pub(crate) spec: Spec,
    reasons: Reasons,
    tests: BTreeMap<String, Vec<Test>>,
}

/// Where a test is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Test {
    pub(crate) file: String,
    pub(crate) function: String,
}

/// Where a row stands.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Standing<'m> {
    Proved(&'m [Test]),
    Argued(&'m Reason),
    Missing,
}

impl Standing<'_> {
    /// Whether the row is as good as kept: proved, or nobody's business here.
    pub(crate) fn is_kept(self) -> bool {
        match self {
            Self::Proved(_) => true,
            Self::Argued(reason) => reason.status == Status::NotApplicable,
            Self::Missing => false,
        }
    }

    pub(crate) fn is_not_done(self) -> bool {
        matches!(self, Self::Argued(reason) if reason.status == Status::NotDone)
    }
}

impl Requirement {
    /// Whether it binds without exception.
    pub(crate) fn is_must(&self) -> bool {
        self.level.starts_with("MUST")
    }
}

impl Matrix {
    pub(crate) fn new(spec: Spec, reasons: Reasons, proofs: &[Proof]) -> Self {
        let mut tests: BTreeMap<String, Vec<Test>> = BTreeMap::new();
        for proof in proofs {
            for id in &proof.ids {
                let test = Test { file: proof.file.clone(), function: proof.function.clone() };
                tests.entry(id.clone()).or_default().push(test);
            }
        }
        Self { spec, reasons, tests }
    }

    pub(crate) fn standing(&self, id: &str) -> Standing<'_> {
        match (self.tests.get(id), self.reasons.0.get(id)) {
            (Some(tests), _) => Standing::Proved(tests),
            (None, Some(reason)) => Standing::Argued(reason),
            (None, None) => Standing::Missing,
        }
    }

    /// Rows that are neither proved nor argued or that are both, errata that are passed over, reasons that are none.
    pub(crate) fn problems(&self) -> Vec<String> {
        let errata: Vec<&str> = self.spec.errata.iter().map(|row| &*row.id).collect();
        let missing = self.spec.ids().filter(|id| matches!(self.standing(id), Standing::Missing)).map(|id| {
            let level = self.spec.requirements.iter().find(|row| row.id == id).map_or("", |row| &*row.level);
            format!("{id} {level}: no test names it, and there is no reason why")
        });
        let reasons = self.reasons.0.iter().flat_map(|(id, reason)| {
            let unknown = (!self.spec.ids().any(|known| known == id)).then_some("there is not");
            let both = self.tests.contains_key(id).then_some("is proved by a test");
            let passed_over = errata.contains(&&**id) && reason.status == Status::NotApplicable;
            let erratum = passed_over.then_some("is an erratum that changes what we do, so it needs a test");
            let short = (reason.reason.split_whitespace().count() < 4).then_some("has no reason in a sentence");
            let found = [unknown, both, erratum, short].into_iter().flatten();
            found.map(move |what| format!("reasons.json: {id} {what}"))
        });
        missing.chain(reasons).collect()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A part with a row of every level, a ruling and an erratum; the tests prove these ids.
    pub(crate) fn matrix(reasons: &str, proved: &str) -> Matrix {
        let row = |(at, level): (usize, &str)| {
            format!(r#"{{"id": "X-{}", "section": "1", "level": "{level}", "requirement": "Row."}}"#, at + 1)
        };
        let levels = ["MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY"];
        let rows: Vec<String> = levels.into_iter().enumerate().map(row).collect();
        let text = format!(
            r#"{{"parts": [{{"id": "X", "title": "Things"}}], "requirements": [{}],
                "rulings": [{{"id": "R-1", "point": "Point", "ruling": "Ruled."}}],
                "errata": [{{"id": "erratum 7", "rfc": 7643, "section": "2", "effect": "Effect."}}]}}"#,
            rows.join(",")
        );
        let proof = |id: &str| Proof {
            file: "crates/a/src/b.rs".to_owned(),
            function: format!("proves {id}"),
            ids: vec![id.to_owned()],
        };
        let proofs: Vec<Proof> = proved.split(", ").filter(|id| !id.is_empty()).map(proof).collect();
        Matrix::new(Spec::parse(&text).unwrap(), Reasons::parse(reasons).unwrap(), &proofs)
    }

    pub(crate) const ALL: &str = "X-1, X-2, X-3, X-4, X-5, R-1, erratum 7";

    /// Everything but this is proved.
    fn without(id: &str) -> String {
        ALL.split(", ").filter(|other| *other != id).collect::<Vec<_>>().join(", ")
    }

    fn reason(id: &str, status: &str, reason: &str) -> String {
        format!(r#"{{"{id}": {{"status": "{status}", "reason": "{reason}"}}}}"#)
    }

    #[test]
    fn where_all_is_proved_there_is_no_problem() {
        assert_eq!(matrix("{}", ALL).problems(), Vec::<String>::new());
    }

    #[test]
    fn a_row_without_test_and_reason_is_found() {
        for id in ALL.split(", ") {
            let problems = matrix("{}", &without(id)).problems();
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert!(problems[0].starts_with(&format!("{id} ")), "{problems:?}");
        }
        assert!(matrix("{}", &without("X-2")).problems()[0].starts_with("X-2 MUST NOT: "));
    }

    #[test]
    fn a_reason_is_enough_but_no_erratum_is_passed_over() {
        for id in ALL.split(", ") {
            for status in ["not applicable", "not done"] {
                let problems = matrix(&reason(id, status, "We have no such thing."), &without(id)).problems();
                let passed_over = id == "erratum 7" && status == "not applicable";
                assert_eq!(problems.len(), usize::from(passed_over), "{problems:?}");
            }
        }
    }

    #[test]
    fn a_reason_for_what_is_proved_is_found() {
        for status in ["not applicable", "not done"] {
            let problems = matrix(&reason("X-1", status, "We have no such thing."), ALL).problems();
            assert_eq!(problems, ["reasons.json: X-1 is proved by a test"]);
        }
    }

    #[test]
    fn a_reason_for_what_there_is_not_is_found() {
        let problems = matrix(&reason("X-9", "not done", "We have no such thing."), ALL).problems();
        assert_eq!(problems, ["reasons.json: X-9 there is not"]);
    }

    #[test]
    fn a_reason_that_is_none_is_found() {
        for none in ["", "  ", "todo", "not needed here"] {
            let problems = matrix(&reason("X-1", "not done", none), &without("X-1")).problems();
            assert_eq!(problems, ["reasons.json: X-1 has no reason in a sentence"]);
        }
        assert!(Reasons::parse(&reason("X-1", "later", "We have no such thing.")).is_err());
    }

    #[test]
    fn rows_of_one_id_and_of_no_part_are_found() {
        let mut spec = matrix("{}", ALL).spec;
        spec.requirements[1].id = "X-1".to_owned();
        spec.requirements[2].id = "Y-3".to_owned();
        assert_eq!(spec.problems(), ["X-1 is there twice", "Y-3 is of no part"]);
    }
}
