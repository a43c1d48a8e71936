//! What a reader was told beside the bytes, as documents about a history keep it: whoever goes through one reads the history as its
//! writer did, without being told anew.
//!
//! ```json
//! {"format": "json", "independent": true, "header": {"initial": 0}, "input": {"type": "status|2xx=ok", "process": "worker"},
//!  "for": "all", "join": "time"}
//! ```
//! Each field is there only where somebody said it. `input` is what a contract's `[input]` would be; `for` says whether it was for all
//! that was read, or only for what is no history as it stands.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::assemble::Join;
use super::{Format, Mapping, Options};

/// What these options say, and how sources were joined; nothing where nobody said anything. A mapping counts where it was needed.
pub(super) fn told(options: &Options, join: Option<Join>, is_mapped: bool) -> Option<Json> {
    let mut said = Map::new();
    let mut put = |name: &str, value: Json| drop(said.insert(name.to_owned(), value));
    if let Some(format) = options.format {
        put("format", format.name().into());
    }
    if let Some(independent) = options.independent {
        put("independent", independent.into());
    }
    if !options.header.is_empty() {
        let of = |json: &str| serde_json::from_str::<Json>(json).unwrap_or_else(|_| json.into());
        put("header", options.header.iter().map(|(name, json)| (name.clone(), of(json))).collect());
    }
    if let Some(mapping) = options.mapping.as_deref().filter(|_| is_mapped) {
        put("input", serde_json::to_value(mapping.table()).unwrap_or_default());
        put("for", if options.maps_all { "all" } else { "rows" }.into());
    }
    if let Some(join) = join {
        put("join", join.name().into());
    }
    (!said.is_empty()).then_some(Json::Object(said))
}

impl Options {
    /// Takes over what a document's writer was told, where these options say nothing; gives how several sources were joined.
    /// A mapping that was found rather than said counts less than the document's.
    ///
    /// # Errors
    /// What in it is nothing that a reader can be told.
    pub fn follow(&mut self, told: &Json) -> Result<Option<Join>, String> {
        let said = told.as_object().ok_or("its `reading` is no object")?;
        let mut join = None;
        for (name, value) in said {
            let no = || format!("its `reading` says of `{name}` what no reader can be told: {value}");
            match (name.as_str(), value) {
                ("format", Json::String(text)) => {
                    let format = Format::named(text).ok_or_else(no)?;
                    self.format.get_or_insert(format);
                }
                ("independent", Json::Bool(independent)) => drop(self.independent.get_or_insert(*independent)),
                ("header", Json::Object(fields)) => {
                    for (field, value) in fields {
                        if !self.header.iter().any(|(known, _)| known == field) {
                            self.header.push((field.clone(), value.to_string()));
                        }
                    }
                }
                ("input", Json::Object(_)) if self.maps_all => {}
                ("input", Json::Object(_)) => {
                    let table = serde_json::from_value(value.clone()).map_err(|_| no())?;
                    let mapping = Mapping::from_table(&table).map_err(|error| format!("{}: {error}", no()))?;
                    self.mapping = Some(Arc::new(mapping));
                    self.maps_all = said.get("for").and_then(Json::as_str) == Some("all");
                }
                ("for", Json::String(_)) => {}
                ("join", Json::String(text)) => join = Some(Join::named(text).ok_or_else(no)?),
                _ => return Err(no()),
            }
        }
        Ok(join)
    }
}
