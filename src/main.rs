//! The command line of anachron.

fn main() {}
