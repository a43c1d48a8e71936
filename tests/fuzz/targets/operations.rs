//! Porcupine's operations.
#![no_main]

anachron_fuzz::target!(Some(anachron::ingest::Format::Porcupine));
