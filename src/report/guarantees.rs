//! The lattice itself, as `anachron guarantees` lists it: for people, for programs, and as a drawing.

use petgraph::dot::{Config, Dot, RankDir};
use petgraph::graph::{DiGraph, NodeIndex};
use serde_json::{Value, json};

use super::Style;
use super::page::{Cell, HEADING, NAME, Page};
use crate::contract::Parameter;
use crate::guarantee::{Anomaly, Family, Guarantee, implications};

/// Every guarantee, family by family: what it means, what else it is called, what it implies, and its parameters.
#[must_use]
pub fn guarantees_table(style: &Style) -> String {
    let mut page = Page::new(style);
    for &family in Family::ALL {
        page.gap();
        page.headed(0, 2, family.name(), HEADING, "");
        let home = |guarantee: &Guarantee| guarantee.families().first() == Some(&family);
        let rows: Vec<Vec<Cell>> = family
            .members()
            .filter(home)
            .map(|guarantee| vec![Cell::inked(guarantee.name(), NAME), Cell::from(described(guarantee))])
            .collect();
        page.grid(2, &rows, &[33, usize::MAX]);
    }
    page.finish()
}

/// `once ... ; also PL-SI; implies prefix; parameters: time`.
fn described(guarantee: Guarantee) -> String {
    let mut text = guarantee.meaning().to_owned();
    let mut add = |head: &str, names: Vec<&str>| {
        if !names.is_empty() {
            text.push_str(&format!("; {head} {}", names.join(", ")));
        }
    };
    add("also", guarantee.aliases().to_vec());
    // What is another's equal implies what that one implies.
    if guarantee.equivalents().all(|other| guarantee < other) {
        add("implies", names(&guarantee.covers()));
    }
    add("parameters:", Parameter::of(guarantee).iter().map(|parameter| parameter.name).collect());
    text
}

/// All that the tables say, as `anachron.guarantees/1`: JSON text that ends with a line feed.
#[must_use]
pub fn guarantees_json() -> String {
    let guarantees: Vec<Value> = Guarantee::ALL.iter().copied().map(guarantee_json).collect();
    let anomalies: Vec<Value> = Anomaly::ALL.iter().copied().map(anomaly_json).collect();
    let lattice = json!({"schema": "anachron.guarantees/1", "guarantees": guarantees, "anomalies": anomalies});
    format!("{lattice:#}\n")
}

fn guarantee_json(guarantee: Guarantee) -> Value {
    let edges = implications().iter().filter(|edge| edge.stronger == guarantee);
    let implies: Vec<Value> =
        edges.map(|edge| json!({"guarantee": edge.weaker.name(), "source": edge.source})).collect();
    let parameter = |one: &Parameter| json!({"name": one.name, "value": one.kind.describe(), "default": one.default, "meaning": one.meaning});
    let families: Vec<&str> = guarantee.families().iter().map(|family| family.name()).collect();
    let parameters: Vec<Value> = Parameter::of(guarantee).iter().map(parameter).collect();
    json!({
        "name": guarantee.name(),
        "aliases": guarantee.aliases(),
        "families": families,
        "meaning": guarantee.meaning(),
        "source": guarantee.source(),
        "local": guarantee.is_local(),
        "parameters": parameters,
        "equivalent_to": names(&guarantee.equivalents().collect::<Vec<_>>()),
        "implies": implies,
        "implies_all": names(&guarantee.weaker().collect::<Vec<_>>()),
    })
}

fn anomaly_json(anomaly: Anomaly) -> Value {
    let families: Vec<&str> = anomaly.families().iter().map(|family| family.name()).collect();
    let implies: Vec<&str> = anomaly.implies().iter().map(|implied| implied.name()).collect();
    json!({
        "name": anomaly.name(),
        "aliases": anomaly.aliases(),
        "families": families,
        "meaning": anomaly.meaning(),
        "consequence": anomaly.consequence(),
        "source": anomaly.source(),
        "severity": anomaly.severity(),
        "implies": implies,
        "rules_out": names(anomaly.rules_out()),
    })
}

/// The lattice in Graphviz' language, the strongest on top. Guarantees that are equivalent share a box, and edges that follow
/// from others are not drawn.
#[must_use]
pub fn guarantees_dot() -> String {
    let mut graph: DiGraph<String, &str> = DiGraph::new();
    let mut boxes: Vec<(Guarantee, NodeIndex)> = Vec::new();
    for &guarantee in Guarantee::ALL {
        let same: Vec<Guarantee> = guarantee.equivalents().collect();
        if same.iter().all(|&other| guarantee < other) {
            let mut lines = vec![guarantee.name()];
            lines.extend(names(&same));
            boxes.push((guarantee, graph.add_node(lines.join(" = "))));
        }
    }
    for &(guarantee, from) in &boxes {
        for weaker in guarantee.covers() {
            if let Some(&(_, to)) = boxes.iter().find(|(one, _)| *one == weaker) {
                graph.add_edge(from, to, "");
            }
        }
    }
    let config = [Config::EdgeNoLabel, Config::RankDir(RankDir::TB)];
    let dot = Dot::with_attr_getters(&graph, &config, &|_, _| String::new(), &|_, _| "shape = box".to_owned());
    format!("{dot}")
}

fn names(guarantees: &[Guarantee]) -> Vec<&'static str> {
    guarantees.iter().map(|guarantee| guarantee.name()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: every guarantee is in the table once, and no line is wider than it may be.
    #[test]
    fn the_table_has_all_and_fits() {
        for width in [40, 80, 120] {
            let table = guarantees_table(&Style { width, color: false });
            assert!(table.lines().all(|line| line.chars().count() <= width), "{width}: {table}");
            if width > 40 {
                for &guarantee in Guarantee::ALL {
                    let rows = |line: &&str| {
                        line.strip_prefix("  ").is_some_and(|line| {
                            line.strip_prefix(guarantee.name()).is_some_and(|rest| rest.starts_with("  "))
                        })
                    };
                    assert_eq!(table.lines().filter(rows).count(), 1, "{guarantee} in {table}");
                }
            }
            assert!(!table.contains('\u{1b}'));
        }
    }

    /// Goal: programs find every name, with its edges and where they come from.
    #[test]
    fn the_json_has_all() {
        let lattice: Value = serde_json::from_str(&guarantees_json()).expect("JSON");
        let edges: usize = lattice["guarantees"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|one| one["implies"].as_array().expect("a list").len())
            .sum();
        assert_eq!(edges, implications().len());
        assert_eq!(lattice["anomalies"].as_array().map(Vec::len), Some(Anomaly::ALL.len()));
        let serializable =
            lattice["guarantees"].as_array().expect("a list").iter().find(|one| one["name"] == "serializable");
        let serializable = serializable.expect("it is there");
        assert_eq!(serializable["aliases"][0], "PL-3");
        assert_eq!(serializable["equivalent_to"], json!(["view-serializable", "1SR"]));
        assert_eq!(serializable["local"], false);
    }

    /// Goal: the drawing has a box for each guarantee, the equivalent ones in one, and no edge twice.
    #[test]
    fn the_drawing_has_all() {
        let dot = guarantees_dot();
        assert!(dot.starts_with("digraph {") && dot.trim_end().ends_with('}'), "{dot}");
        assert!(dot.contains("label = \"serializable = view-serializable = 1SR\""), "{dot}");
        let mut edges: Vec<&str> = dot.lines().filter(|line| line.contains("->")).collect();
        let all = edges.len();
        edges.sort_unstable();
        edges.dedup();
        assert!(edges.len() == all && all > 50);
        let boxes = dot.lines().filter(|line| line.contains("label = \"")).count();
        assert_eq!(boxes, Guarantee::ALL.iter().filter(|one| one.equivalents().all(|other| other > **one)).count());
    }
}
