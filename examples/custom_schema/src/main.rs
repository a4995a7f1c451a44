//! An example of scimwright.
fn main() {}
