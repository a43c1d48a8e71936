//! JSON Lines.
#![no_main]

anachron_fuzz::target!(Some(anachron::ingest::Format::JsonLines));
