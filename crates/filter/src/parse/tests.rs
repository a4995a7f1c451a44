use std::time::{Duration, Instant};

use crate::{Expr, Filter, ParseError, PatchPath, Syntax};

/// The tree in prefix form, so that grouping shows.
fn shape(filter: &Filter) -> String {
    let chain = |terms: &[Filter]| terms.iter().map(shape).collect::<Vec<_>>().join(", ");
    match filter.expr() {
        Expr::And(terms) => format!("and({})", chain(terms)),
        Expr::Or(terms) => format!("or({})", chain(terms)),
        Expr::Not(inner) => format!("not({})", shape(inner)),
        Expr::Within(path, inner) => format!("{path}[{}]", shape(inner)),
        Expr::Compare(..) | Expr::Present(_) => filter.to_string(),
    }
}

#[track_caller]
fn tree(text: &str) -> String {
    shape(&text.parse().unwrap_or_else(|error| panic!("{text}: {error}")))
}

#[track_caller]
fn fault(text: &str) -> ParseError {
    text.parse::<Filter>().expect_err(text)
}

#[track_caller]
fn tolerated(text: &str) -> String {
    assert!(text.parse::<Filter>().is_err(), "{text}");
    let parsed = Syntax::tolerant().filter(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    format!("{} {:?}", parsed.value, parsed.leniencies)
}

#[test]
fn not_binds_before_and_and_and_before_or() {
    insta::assert_snapshot!(tree("a pr or b pr and c pr"), @"or(a pr, and(b pr, c pr))");
    insta::assert_snapshot!(tree("(a pr or b pr) and c pr"), @"and(or(a pr, b pr), c pr)");
    insta::assert_snapshot!(tree("not (a pr) and b pr or c pr"), @"or(and(not(a pr), b pr), c pr)");
    insta::assert_snapshot!(tree("a pr and (b pr and (c pr or (d pr or e pr)))"), @"and(a pr, b pr, or(c pr, d pr, e pr))");
    insta::assert_snapshot!(tree("emails[type eq \"work\" or (type eq \"home\" and value ew \"@x\")]"), @r#"emails[or(type eq "work", and(type eq "home", value ew "@x"))]"#);
    insta::assert_snapshot!(tree("not(not ( (a pr) ))"), @"not(not(a pr))");
}

#[test]
fn blanks_may_be_many_and_may_be_missing_before_strings_and_parentheses() {
    insta::assert_snapshot!(tree(" \t( userName  eq\"x\" )\tand not(\ttitle pr )  or(a pr) "), @r#"or(and(userName eq "x", not(title pr)), a pr)"#);
    insta::assert_snapshot!(tree("emails [ type\teq \"work\" and(value pr) ] "), @r#"emails[and(type eq "work", value pr)]"#);
}

#[test]
fn words_are_keywords_by_their_place_alone() {
    insta::assert_snapshot!(tree("not pr and pr pr or and pr and or eq 1"), @"or(and(not pr, pr pr), and(and pr, or eq 1))");
    insta::assert_snapshot!(tree("notes pr and order eq null or nothing[not eq true]"), @"or(and(notes pr, order eq null), nothing[not eq true])");
    insta::assert_snapshot!(tree("displayName eq \"a] or (b and not(\\\"c\\\")\""), @r#"displayName eq "a] or (b and not(\"c\")""#);
}

#[test]
fn errors_point_at_the_fault() {
    insta::assert_snapshot!(fault(""), @"expected an attribute at byte 0, found the end");
    insta::assert_snapshot!(fault("a pr b"), @"expected `and`, `or` or the end at byte 5, found `b`");
    insta::assert_snapshot!(fault("a pr or b"), @"expected an operator such as `eq` or `pr` at byte 9, found the end");
    insta::assert_snapshot!(fault("a pr and and b pr"), @"expected an operator such as `eq` or `pr` at byte 13, found `b`");
    insta::assert_snapshot!(fault("a pr and"), @"expected an attribute at byte 8, found the end");
    insta::assert_snapshot!(fault("a pr or )"), @"expected an attribute at byte 8, found `)`");
    insta::assert_snapshot!(fault("(a pr and b pr"), @"expected `and`, `or` or `)` at byte 14, found the end");
    insta::assert_snapshot!(fault("a pr) and b pr"), @"expected `and`, `or` or the end at byte 4, found `)`");
    insta::assert_snapshot!(fault("not title pr"), @"expected an operator such as `eq` or `pr` at byte 4, found `title`");
    insta::assert_snapshot!(fault("userName regex \"x\""), @"expected an operator such as `eq` or `pr` at byte 9, found `regex`");
    insta::assert_snapshot!(fault("userName eq bjensen"), @"expected a JSON string, number, `true`, `false` or `null` at byte 12, found `bjensen`");
    insta::assert_snapshot!(fault("a eq 01"), @"expected a JSON string, number, `true`, `false` or `null` at byte 5, found `01`");
    insta::assert_snapshot!(fault("a eq"), @"expected a JSON string, number, `true`, `false` or `null` at byte 4, found the end");
    insta::assert_snapshot!(fault("a.b.c pr"), @"expected an attribute at byte 0, found `a.b.c`");
    insta::assert_snapshot!(fault("a pr and é pr"), @"expected an attribute at byte 9, found `é`");
    insta::assert_snapshot!(fault("a[b eq 1 and c[d pr]]"), @"expected an operator such as `eq` or `pr` at byte 14, found `[d`");
    insta::assert_snapshot!(fault("a[b eq 1"), @"expected `and`, `or` or `]` at byte 8, found the end");
    insta::assert_snapshot!(fault("a[b pr].c eq 1"), @"expected `and`, `or` or the end at byte 7, found `.c`");
}

#[test]
fn errors_point_into_strings() {
    insta::assert_snapshot!(fault("a eq \"bjensen"), @r#"expected `"` at byte 13, found the end"#);
    insta::assert_snapshot!(fault("a eq \"ends in \\"), @r#"expected `"` at byte 15, found the end"#);
    insta::assert_snapshot!(fault("a eq \"é\tb\""), @r#"expected an escape such as `\n` for a control character at byte 8, found `\tb"`"#);
    insta::assert_snapshot!(fault("a eq \"b\u{1b}[2J\""), @r#"expected an escape such as `\n` for a control character at byte 7, found `\u{1b}[2J"`"#);
    insta::assert_snapshot!(fault("a eq \"é\\x\""), @r#"expected an escape of JSON at byte 9, found `x"`"#);
    insta::assert_snapshot!(fault("a eq \"\\ud800\""), @r#"expected an escape of JSON at byte 12, found `"`"#);
    let long = format!("a eq {}", "x".repeat(100));
    insta::assert_snapshot!(fault(&long), @"expected a JSON string, number, `true`, `false` or `null` at byte 5, found `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…`");
}

#[test]
fn tolerance_forgives_slips_and_tells() {
    insta::assert_snapshot!(tolerated("userName eq ada"), @r#"userName eq "ada" [UnquotedValue]"#);
    insta::assert_snapshot!(tolerated("(a eq b-1 or emails[type eq work]) and c pr"), @r#"(a eq "b-1" or emails[type eq "work"]) and c pr [UnquotedValue]"#);
    insta::assert_snapshot!(tolerated("a eq True or b ne NULL"), @"a eq true or b ne null [LiteralCase]");
    insta::assert_snapshot!(tolerated("displayName co'it is\\n' and a eq x"), @r#"displayName co "it is\\n" and a eq "x" [SingleQuotes, UnquotedValue]"#);
    insta::assert_snapshot!(tolerated("emails[type eq \"work\"].value eq \"x\""), @r#"emails[type eq "work" and value eq "x"] [AttributeAfterBracket]"#);
    insta::assert_snapshot!(tolerated("emails[a pr or b pr].value pr and c pr"), @"emails[(a pr or b pr) and value pr] and c pr [AttributeAfterBracket]");
    for hopeless in
        ["a eq 'b", "a eq ", "a eq )", "a[b pr]. pr", "a[b pr].c.d pr", "a[b pr].c[d pr]", "a[b pr].c", "a xx b"]
    {
        assert!(Syntax::tolerant().filter(hopeless).is_err(), "{hopeless}");
    }
}

#[test]
fn paths_have_an_attribute_a_selection_and_a_sub_attribute() {
    #[track_caller]
    fn parts(text: &str) -> String {
        let path: PatchPath = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(path.to_string().parse().as_ref(), Ok(&path));
        let selection = path.selection.as_ref().map_or_else(String::new, shape);
        format!("{} | {selection} | {}", path.attribute, path.sub.map_or_else(String::new, |sub| sub.to_string()))
    }
    insta::assert_snapshot!(parts("members"), @"members |  |");
    insta::assert_snapshot!(parts("name.familyName"), @"name.familyName |  |");
    insta::assert_snapshot!(parts(" addresses[ type eq\"work\"] "), @r#"addresses | type eq "work" |"#);
    insta::assert_snapshot!(parts("members[value eq \"2819\"].display"), @r#"members | value eq "2819" | display"#);
    insta::assert_snapshot!(parts("urn:ietf:params:scim:schemas:core:2.0:User:emails[type eq \"a:b\" or value pr].value"), @r#"urn:ietf:params:scim:schemas:core:2.0:User:emails | or(type eq "a:b", value pr) | value"#);
    insta::assert_snapshot!(parts("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"), @"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User |  |");
    insta::assert_snapshot!(parts("name.x[value pr]"), @"name.x | value pr |");
}

#[test]
fn what_is_no_path_is_refused_as_such() {
    #[track_caller]
    fn fault(text: &str) -> String {
        let error = text.parse::<PatchPath>().expect_err(text);
        format!("{}: {error}", error.scim_type().as_str())
    }
    insta::assert_snapshot!(fault(""), @"invalidPath: expected an attribute at byte 0, found the end");
    insta::assert_snapshot!(fault("emails[0].value"), @"invalidPath: expected an attribute at byte 7, found `0].value`");
    insta::assert_snapshot!(fault("/emails/0"), @"invalidPath: expected an attribute at byte 0, found `/emails/0`");
    insta::assert_snapshot!(fault("name..givenName"), @"invalidPath: expected an attribute at byte 0, found `name..givenName`");
    insta::assert_snapshot!(fault("emails[type eq \"work\""), @"invalidPath: expected `and`, `or` or `]` at byte 21, found the end");
    insta::assert_snapshot!(fault("emails[type foo \"x\"].value"), @"invalidPath: expected an operator such as `eq` or `pr` at byte 12, found `foo`");
    insta::assert_snapshot!(fault("emails[type pr].value.x"), @"invalidPath: expected the name of a sub-attribute at byte 16, found `value.x`");
    insta::assert_snapshot!(fault("emails[type pr][value pr]"), @"invalidPath: expected the end of the path at byte 15, found `[value`");
    insta::assert_snapshot!(fault("title pr"), @"invalidPath: expected the end of the path at byte 6, found `pr`");
    assert!(Syntax::tolerant().path("emails[type eq work].value").is_ok());
}

#[test]
fn limits_are_told_apart() {
    let nested = |levels: usize| format!("{}a pr{}", "(".repeat(levels), ")".repeat(levels));
    assert_eq!(tree(&nested(32)), "a pr");
    insta::assert_snapshot!(fault(&nested(33)), @"the filter is nested deeper than 32 levels at byte 32");
    insta::assert_snapshot!(fault(&format!("a[{}b pr", "(".repeat(32))), @"the filter is nested deeper than 32 levels at byte 33");
    let chain = |terms: usize| vec!["a pr"; terms].join(" or ");
    assert_eq!(chain(200).parse::<Filter>().unwrap().depth(), 2);
    insta::assert_snapshot!(fault(&chain(201)), @"the filter has more than 200 terms at byte 1602");
    insta::assert_snapshot!(fault(&format!("a eq \"{}\"", "x".repeat(8192))), @"the filter is longer than 8192 bytes");
    insta::assert_snapshot!("x".repeat(9000).parse::<PatchPath>().unwrap_err(), @"the path is longer than 8192 bytes");
}

#[test]
fn limits_can_be_set_but_not_beyond_what_is_safe() {
    let boundless = Syntax { max_bytes: usize::MAX, max_depth: usize::MAX, max_terms: usize::MAX, tolerant: false };
    let nested = |levels: usize| format!("{}a pr{}", "not (".repeat(levels), ")".repeat(levels));
    assert_eq!(boundless.filter(&nested(127)).unwrap().value.depth(), Filter::MAX_DEPTH);
    assert!(boundless.filter(&nested(128)).is_err());
    // Each parenthesis here makes three levels of the tree, so that the tree is too deep before the text is.
    let mixed = format!("{}a pr{}", "a pr or b pr and not (".repeat(50), ")".repeat(50));
    insta::assert_snapshot!(boundless.filter(&mixed).unwrap_err(), @"the filter is nested deeper than 128 levels at byte 1147");
}

#[test]
fn what_is_made_to_exhaust_is_refused_at_once() {
    let boundless = Syntax { max_bytes: usize::MAX, ..Syntax::tolerant() };
    let large = 100_000;
    let start = Instant::now();
    for text in [
        "(".repeat(large),
        "not(".repeat(large),
        "not ".repeat(large),
        "a[".repeat(large),
        " ".repeat(large),
        "a pr or ".repeat(large),
        "a pr and not (".repeat(large),
        format!("a eq \"{}", "\\\"".repeat(large)),
        format!("a eq '{}", "x".repeat(large)),
        format!("{} pr", "a.".repeat(large)),
        format!("{} pr", "a:".repeat(large)),
        format!("a pr{}x", " ".repeat(large)),
    ] {
        assert!(text.parse::<Filter>().is_err());
        assert!(boundless.filter(&text).is_err());
        assert!(boundless.path(&text).is_err());
    }
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}
