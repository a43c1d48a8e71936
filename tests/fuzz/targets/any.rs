//! Any bytes, their format found by content; compressed ones, too.
#![no_main]

anachron_fuzz::target!(None);
