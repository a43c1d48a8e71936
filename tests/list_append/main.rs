//! list-append, end to end: the corpus, PostgreSQL's own histories, and brute force.

mod brute;
mod brute_weaker;
mod cases;
mod certified;
mod corpus;
mod mini;
mod orders;
mod property;
mod tampered;
mod weaker;
