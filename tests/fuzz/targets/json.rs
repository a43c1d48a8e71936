//! A JSON array.
#![no_main]

anachron_fuzz::target!(Some(anachron::ingest::Format::Json));
