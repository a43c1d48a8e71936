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
        Overall::Accepted | Overall::Unknown => AnsiColor::Yellow.on_default().effects(Effects::BOLD),
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

    /// What it says.
    pub(super) fn text(&self) -> &str {
        &self.text
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
        // Spaces inside `head` stay with it: it is laid out as one word, and put back afterwards; one that could not stay on
        // its line is text like any other.
        let stays = width(head) * 2 <= self.width;
        let solid: String = head.chars().map(|c| if c == ' ' && stays { '\u{a0}' } else { c }).collect();
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

    /// Rows of cells in columns. Where they don't all fit, each is at most as wide as `most` says, and wraps.
    pub(super) fn grid(&mut self, indent: usize, rows: &[Vec<Cell>], most: &[usize]) {
        self.columns(indent, rows, most, "  ");
    }

    /// The same with lines between the columns from the second on.
    pub(super) fn lanes(&mut self, indent: usize, rows: &[Vec<Cell>]) {
        self.columns(indent, rows, &[], " │ ");
    }

    fn columns(&mut self, indent: usize, rows: &[Vec<Cell>], most: &[usize], between: &str) {
        let count = rows.iter().map(Vec::len).max().unwrap_or(0);
        if count == 0 {
            return;
        }
        let natural = |column: usize| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| width(&cell.text)).max().unwrap_or(0).max(1)
        };
        let most = |column: usize| most.get(column).copied().unwrap_or(usize::MAX);
        let room = (self.width - indent).saturating_sub((count - 1) * width(between));
        let widths = share(room, &(0..count).map(natural).collect::<Vec<_>>(), most);
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
            _ => table.with(Borders::empty().vertical('│')).with(Padding::new(1, 1, 0, 0)),
        };
        for line in table.to_string().lines() {
            self.out.extend(std::iter::repeat_n(' ', indent));
            // The first lane has a padding that the page does not want.
            self.out.push_str(if between.trim().is_empty() { line } else { line.strip_prefix(' ').unwrap_or(line) });
            self.out.truncate(self.out.trim_end_matches([' ']).len());
            self.out.push('\n');
        }
    }
}

/// The widths of columns that want `natural` and have `room` together: those beyond `most` first give way to it, then the
/// widest to all.
fn share(room: usize, natural: &[usize], most: impl Fn(usize) -> usize) -> Vec<usize> {
    let mut widths = natural.to_vec();
    if widths.iter().sum::<usize>() > room {
        for (column, width) in widths.iter_mut().enumerate() {
            *width = (*width).min(most(column)).max(1);
        }
    }
    let mut over = widths.iter().sum::<usize>().saturating_sub(room);
    while over > 0 {
        let widest = widths.iter().copied().max().unwrap_or(1);
        if widest <= 1 {
            break;
        }
        let next = widths.iter().copied().filter(|width| *width < widest).max().unwrap_or(1);
        let many = widths.iter().filter(|width| **width == widest).count();
        // Down to the next narrower ones, or as far as it takes.
        let cut = (widest - next).min(over.div_ceil(many)).max(1);
        for width in widths.iter_mut().filter(|width| **width == widest) {
            let cut = cut.min(over);
            *width -= cut;
            over -= cut;
        }
    }
    widths
}

fn inked(text: &str, ink: Ink, color: bool) -> String {
    if color && ink != Ink::new() && !text.is_empty() { format!("{ink}{text}{ink:#}") } else { text.to_owned() }
}
