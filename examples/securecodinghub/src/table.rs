//! Text output in aligned columns.

use std::io::{self, Write};

/// Writes rows under a heading, each column as wide as its widest cell.
pub(crate) fn rows<const N: usize>(
    out: &mut dyn Write,
    heading: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> io::Result<()> {
    let all: Vec<[String; N]> = std::iter::once(heading.map(str::to_owned)).chain(rows).collect();
    let widths: [usize; N] =
        std::array::from_fn(|column| all.iter().map(|row| row[column].chars().count()).max().unwrap_or(0));
    for row in &all {
        let cells: Vec<String> =
            row.iter().zip(widths).map(|(cell, width)| format!("{:width$}", shown(cell))).collect();
        writeln!(out, "{}", cells.join("  ").trim_end())?;
    }
    Ok(())
}

/// Writes one thing, a line for each of its fields.
pub(crate) fn fields<const N: usize>(out: &mut dyn Write, fields: [(&str, String); N]) -> io::Result<()> {
    let width = fields.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (name, value) in fields {
        writeln!(out, "{name:width$}  {}", shown(&value))?;
    }
    Ok(())
}

/// An empty cell would make the next column look like this one.
fn shown(cell: &str) -> &str {
    if cell.is_empty() { "-" } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_by_characters() {
        let mut out = Vec::new();
        rows(&mut out, ["NAME", "N"], [["größer als".into(), "1".into()], [String::new(), "22".into()]]).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "NAME        N\ngrößer als  1\n-           22\n");
    }

    #[test]
    fn fields_are_aligned() {
        let mut out = Vec::new();
        fields(&mut out, [("id", "1".into()), ("label", String::new())]).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "id     1\nlabel  -\n");
    }
}
