//! Jepsen's text.
#![no_main]

anachron_fuzz::target!(Some(anachron::ingest::Format::JepsenLog));
