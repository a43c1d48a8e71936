//! A page of plain text: lines that fit a width, aligned cells, colour only where it is asked for.

use anstyle::{AnsiColor, Effects, Style as Ink};
use tabled::builder::Builder;
use tabled::settings::{Alignment, Padding, Style as Borders};

use super::text::{width, wrap};
use super::{Overall, Style};

/// The name of an operation or an anomaly.
pub(super) const NAME: Ink = AnsiColor::Cyan.on_default().effects(Effects::BOLD);
/// A heading.
pub(super) const HEADING: Ink = Ink::new().effects(Effects::BOLD);
/// What matters less.
pub(super) const ASIDE: Ink = Ink::new().effects(Effects::DIMMED);

/// The colour of a verdict.
pub(super) fn ink(verdict: Overall) -> Ink {
    match verdict {
        Overall::Holds => AnsiColor::Green.on_default().effects(Effects::BOLD),
        Overall::Violated | Overall::Error => AnsiColor::Red.on_default().effects(Effects::BOLD),
        Overall::Unknown => AnsiColor::Yellow.on_default().effects(Effects::BOLD),
        Overall::NotApplicable => ASIDE,
    }
}

/// A cell of a grid.
#[derive(Clone, Debug, Default)]
pub(super) struct Cell {
    text: String,
    ink: Ink,
}

impl Cell {
    /// A cell in this colour.
    pub(super) fn inked(text: impl Into<String>, ink: Ink) -> Cell {
        Cell { text: text.into(), ink }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Cell {
        Cell { text, ink: Ink::new() }
    }
}

/// A page being written. Everything that is put on it has to be clean text of ours or of [`super::text::clean`].
#[derive(Debug)]
pub(super) struct Page {
    out: String,
    width: usize,
    color: bool,
}

impl Page {
    pub(super) fn new(style: &Style) -> Page {
        Page { out: String::new(), width: style.width.max(40), color: style.color }
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    pub(super) fn finish(self) -> String {
        self.out
    }

    /// An empty line, but never two and none at the top.
    pub(super) fn gap(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    /// A paragraph whose lines begin with `indent` spaces, and those after the first with `hang` more.
    pub(super) fn paragraph(&mut self, indent: usize, hang: usize, text: &str) {
        self.headed(indent, hang, "", Ink::new(), text);
    }

    /// A paragraph that begins with `head` in a colour of its own.
    pub(super) fn headed(&mut self, indent: usize, hang: usize, head: &str, ink: Ink, text: &str) {
        // Spaces inside `head` stay with it: it is laid out as one word, and put back afterwards.
        let solid: String = head.chars().map(|c| if c == ' ' { '\u{a0}' } else { c }).collect();
        let lines = wrap(&format!("{solid} {text}"), self.width - indent, hang);
        let inked = lines.first().is_some_and(|line| line.starts_with(&solid)) && !head.is_empty();
        for (at, line) in lines.iter().enumerate() {
            self.out.extend(std::iter::repeat_n(' ', indent));
            match line.strip_prefix(&solid) {
                Some(rest) if at == 0 && inked => {
                    self.ink(head, ink);
                    self.out.push_str(rest.trim_end());
                }
                _ => self.out.push_str(line.replace('\u{a0}', " ").trim_end()),
            }
            self.out.push('\n');
        }
    }

    fn ink(&mut self, text: &str, ink: Ink) {
        self.out.push_str(&inked(text, ink, self.color));
    }

    /// Rows of cells in columns, each at most as wide as `most` says; the last takes what is left.
    pub(super) fn grid(&mut self, indent: usize, rows: &[Vec<Cell>], most: &[usize]) {
        self.columns(indent, rows, most, "  ");
    }

    /// The same with lines between the columns from the second on.
    pub(super) fn lanes(&mut self, indent: usize, rows: &[Vec<Cell>], most: &[usize]) {
        self.columns(indent, rows, most, " │ ");
    }

    fn columns(&mut self, indent: usize, rows: &[Vec<Cell>], most: &[usize], between: &str) {
        let count = rows.iter().map(Vec::len).max().unwrap_or(0);
        if count == 0 {
            return;
        }
        let mut widths: Vec<usize> = Vec::with_capacity(count);
        let mut left = self.width - indent;
        for column in 0..count {
            let natural = rows.iter().filter_map(|row| row.get(column)).map(|cell| width(&cell.text)).max();
            let most = most.get(column).copied().unwrap_or(usize::MAX);
            let after = (count - 1 - column) * width(between);
            let fits = natural.unwrap_or(0).min(most).min(left.saturating_sub(after + (count - 1 - column))).max(1);
            widths.push(fits);
            left = left.saturating_sub(fits);
        }
        let mut builder = Builder::default();
        for row in rows {
            builder.push_record((0..count).map(|column| match row.get(column) {
                None => String::new(),
                Some(cell) => {
                    let lines = wrap(&cell.text, widths[column], 0);
                    let lines: Vec<String> = lines.iter().map(|line| inked(line, cell.ink, self.color)).collect();
                    lines.join("\n")
                }
            }));
        }
        let mut table = builder.build();
        table.with(Padding::zero()).with(Alignment::left()).with(Alignment::top());
        match between.trim() {
            "" => table.with(Borders::empty()).with(Padding::new(0, 2, 0, 0)),
            _ => table.with(Borders::empty().vertical('│')).with(Padding::new(0, 1, 0, 0)),
        };
        for line in table.to_string().lines() {
            self.out.extend(std::iter::repeat_n(' ', indent));
            self.out.push_str(line);
            self.out.truncate(self.out.trim_end_matches([' ']).len());
            self.out.push('\n');
        }
    }
}

fn inked(text: &str, ink: Ink, color: bool) -> String {
    if color && ink != Ink::new() && !text.is_empty() { format!("{ink}{text}{ink:#}") } else { text.to_owned() }
}
