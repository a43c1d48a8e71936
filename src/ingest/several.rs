//! One history of several sources, and of rows that are no records: what these have in common is that their records are put
//! together before they are read.

use std::sync::Arc;

use super::assemble::{Assembly, Join, SharedAssembly};
use super::bytes::{self, Bytes};
use super::chunks::{self, Syntax};
use super::detect::{self, Prelude};
use super::error::InputError;
use super::limits::Limits;
use super::mapping::{self, Mapping, Order};
use super::text::{self, Text};
use super::{EdnSyntax, Format, JsonSyntax, Options, Source, log, render, told};
use crate::history::{Builder, History};

/// Reads one history that is spread over several sources.
///
/// # Errors
/// What can't be read, or is no history; records that have no place in the order: each with its file.
pub fn read_joined(sources: Vec<Source>, join: Join, options: &Options) -> Result<History, InputError> {
    let limits = Limits::new(options.max_memory, options.deadline);
    let mut assembly = Assembly::default();
    let mut order = None;
    let mut header: Option<(String, String)> = None;
    for source in sources {
        let name = source.name();
        let of = |error: InputError| InputError { message: format!("{name}: {}", error.message), ..error };
        let bytes = bytes::load(source, options.format, &limits).map_err(of)?;
        if let Some(mapping) = mapping_for(&bytes, options) {
            order = Some(mapping.order());
            assembly.rows(&name, bytes, mapping, &limits)?;
            continue;
        }
        let own = match detect::format(bytes.as_slice(), options.format).map_err(of)? {
            Format::Json | Format::JsonLines => {
                let mut text = Text::new(bytes, text::Syntax::Json);
                let header = places::<JsonSyntax>(&mut text, &limits).map_err(of)?;
                (text, header.map(|header| header.trim().to_owned()))
            }
            Format::Edn => {
                let mut text = Text::new(bytes, text::Syntax::Edn);
                let header = places::<EdnSyntax>(&mut text, &limits).map_err(of)?;
                (text, header.and_then(|header| render::edn_to_json(&header).ok()).map(|shown| shown.json))
            }
            Format::JepsenLog => {
                let mut text = Text::new(bytes, text::Syntax::Log);
                log::read(&mut text, &limits, &mut Builder::default()).map_err(of)?;
                (text, None)
            }
            Format::Porcupine => {
                // An operation there is two records with times of its own clock.
                return Err(InputError::new(
                    format!("{name}: Porcupine's operations can't be put together with other files"),
                    "write each as records first: anachron convert FILE --to jsonl",
                ));
            }
        };
        let (text, own) = own;
        match (&header, own) {
            (Some((other, known)), Some(own)) if *known != own => {
                let message = format!("{name}: its header differs from that of {other}");
                return Err(InputError::new(
                    message,
                    "files that are one history have one header: make them equal, or leave all but one out",
                ));
            }
            (None, Some(own)) => header = Some((name.clone(), own)),
            _ => {}
        }
        assembly.records(&name, &text, text.records(), join, &limits)?;
    }
    let header = header.map(|(_, text)| text).unwrap_or_default();
    let fields = mapping::fields(&header).unwrap_or_default();
    let fields = fields.into_iter().map(|(name, value)| (name, value.get().to_owned())).collect();
    assembled(assembly, order, Some(join), fields, options, &limits)
}

/// The mapping that these bytes need.
pub(super) fn mapping_for<'a>(bytes: &Bytes, options: &'a Options) -> Option<&'a Mapping> {
    let mapping = options.mapping.as_deref()?;
    let is_json = || matches!(detect::format(bytes.as_slice(), options.format), Ok(Format::Json | Format::JsonLines));
    let first = || {
        let text = bytes.as_slice().trim_ascii_start();
        let line = text.split(|byte| *byte == b'\n').next().unwrap_or(text);
        let line = std::str::from_utf8(line).unwrap_or("").trim().trim_start_matches('[');
        let mut rows = serde_json::Deserializer::from_str(line).into_iter::<&serde_json::value::RawValue>();
        rows.next().and_then(Result::ok).is_some_and(|row| mapping::is_record(row.get()))
    };
    (options.maps_all || is_json() && !first()).then_some(mapping)
}

/// Finds the places of all records of a text; the result is its header.
fn places<S: Syntax>(text: &mut Text, limits: &Limits) -> Result<Option<String>, InputError> {
    let prelude = match detect::prelude::<S>(text.bytes()) {
        Ok(prelude) => prelude,
        Err(fault) => return Err(fault.located(text, 0)),
    };
    let Prelude { start, shape, header } = prelude;
    let header = header.map(|range| String::from_utf8_lossy(&text.bytes()[range]).into_owned());
    if let Some(shape) = shape {
        chunks::read::<S>(text, start, shape, limits, &mut Builder::default())?;
    }
    Ok(header)
}

/// The history of what was put together.
pub(super) fn assembled(
    mut assembly: Assembly,
    order: Option<Order>,
    join: Option<Join>,
    mut header: Vec<(String, String)>,
    options: &Options,
    limits: &Limits,
) -> Result<History, InputError> {
    assembly.order(order, join)?;
    let mut builder = Builder::default();
    header.extend(options.header.iter().cloned());
    super::told_fields(Vec::new(), &header, false, &mut builder)?;
    let assembled = Arc::new(assembly.read(&mut builder, limits)?);
    builder.independent(options.independent);
    if builder.is_empty() {
        return Err(InputError::new(
            "there are no records",
            "check the paths, and whether the test that should have written them ran at all",
        ));
    }
    let told = told::told(options, join, order.is_some());
    builder.finish(Box::new(SharedAssembly(Arc::clone(&assembled), told))).map_err(|error| assembled.error(error))
}
