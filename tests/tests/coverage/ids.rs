//! How a test names what it proves.

use crate::spec::Spec;

/// What stands before the ids in a line of docs.
const PROVES: &str = "Proves:";

/// The ids at the beginning of the name of a function: `pu_2_e_3_put_does_not_create` has `PU-2` and `E-3`. Whether
/// there are rows of these numbers is not asked here.
pub(crate) fn of_name(name: &str, spec: &Spec) -> Vec<String> {
    let words: Vec<&str> = name.split('_').collect();
    let pairs = words.chunks_exact(2).map(|pair| (pair[0], pair[1]));
    let id = |(word, number): (&str, &str)| {
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let known = |part: &str| part.eq_ignore_ascii_case(word).then(|| format!("{part}-{number}"));
        let erratum = (word == "erratum").then(|| format!("erratum {number}"));
        erratum.or_else(|| known("R")).or_else(|| spec.parts.iter().find_map(|part| known(&part.id)))
    };
    pairs.map_while(id).collect()
}

/// The ids of the line of docs that says what is proved, which may be more than one line and ends with a full stop or
/// an empty line. None where there is no such line.
pub(crate) fn of_docs(docs: &str) -> Option<Vec<String>> {
    let mut lines = docs.lines().map(str::trim).skip_while(|line| !line.starts_with(PROVES)).peekable();
    lines.peek()?;
    let paragraph: Vec<&str> = lines.take_while(|line| !line.is_empty()).collect();
    let paragraph = paragraph.join(" ");
    let list = paragraph.trim_start_matches(PROVES).split('.').next().unwrap_or_default();
    Some(list.split(',').map(|id| id.trim().to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> Spec {
        let text = r#"{"parts": [{"id": "PU", "title": ""}, {"id": "E", "title": ""}, {"id": "SEC", "title": ""}],
            "requirements": [], "rulings": [], "errata": []}"#;
        Spec::parse(text).unwrap()
    }

    #[test]
    fn names_begin_with_ids() {
        let names = |name: &str| of_name(name, &spec()).join(" ");
        assert_eq!(names("pu_2_e_3_put_does_not_create"), "PU-2 E-3");
        assert_eq!(names("sec_9_r_32_erratum_8475_x"), "SEC-9 R-32 erratum 8475");
        // A number that there is not is a mistake, and not for us to pass over.
        assert_eq!(names("pu_99_x"), "PU-99");
        assert_eq!(names("pu_2"), "PU-2");
        for none in ["put_2_x", "x_pu_2", "e_head_is_get", "pu_2nd", "pu__2", "pu", "", "a_1_x"] {
            assert_eq!(names(none), "", "{none}");
        }
    }

    #[test]
    fn docs_have_a_line_of_ids() {
        let names = |docs: &str| of_docs(docs).map(|ids| ids.join(" "));
        assert_eq!(names(" Proves: F-12, erratum 8475.").as_deref(), Some("F-12 erratum 8475"));
        assert_eq!(names(" Why.\n\n Proves: F-12,\n  F-13. More.\n").as_deref(), Some("F-12 F-13"));
        assert_eq!(names(" Proves: F-12\n\n and so on").as_deref(), Some("F-12"));
        assert_eq!(names(" Proves: F-12 and F-13.").as_deref(), Some("F-12 and F-13"), "which is no id, and is said");
        assert_eq!(names(" Proves:").as_deref(), Some(""));
        assert_eq!(names(" It proves: F-12."), None);
        assert_eq!(names(""), None);
    }
}
