//! The cases of tests/golden/manifest.json: inputs made by their formulas, and how they are packed.

use super::{formula::evaluate, read_json};
use half::{bf16, f16};
use libmarlin::{Array, Layout, PackInput, PackOptions, ScaleMethod, Sparsity, Type};
use serde_json::Value;

pub fn cases() -> Vec<Case> {
    let manifest = read_json("manifest.json");
    manifest["cases"].as_array().unwrap().iter().map(|value| Case(value.clone())).collect()
}

pub struct Case(Value);

/// Numbers in one of the library's types.
pub enum Numbers {
    F16(Vec<f16>),
    Bf16(Vec<bf16>),
    U8(Vec<u8>),
}

impl Numbers {
    fn of(kind: Type, values: impl Iterator<Item = f64>) -> Self {
        match kind {
            Type::F16 => Self::F16(values.map(f16::from_f64).collect()),
            Type::Bf16 => Self::Bf16(values.map(bf16::from_f64).collect()),
            _ => Self::U8(values.map(|value| value as u8).collect()),
        }
    }

    fn array(&self) -> Array<'_> {
        match self {
            Self::F16(values) => values.into(),
            Self::Bf16(values) => values.into(),
            Self::U8(values) => values.into(),
        }
    }
}

pub struct Inputs {
    pub src: Numbers,
    pub scales: Option<Numbers>,
    pub zeros: Option<Numbers>,
    pub g_idx: Option<Vec<i32>>,
    pub importance: Option<Vec<f32>>,
    pub column_scales: Option<Vec<f32>>,
}

impl Inputs {
    pub fn pack_input(&self) -> PackInput<'_> {
        let mut input = PackInput::new(self.src.array());
        if let Some(scales) = &self.scales {
            input = input.scales(scales.array());
        }
        if let Some(zeros) = &self.zeros {
            input = input.zeros(zeros.array());
        }
        if let Some(g_idx) = &self.g_idx {
            input = input.g_idx(g_idx);
        }
        if let Some(importance) = &self.importance {
            input = input.importance(importance);
        }
        if let Some(column_scales) = &self.column_scales {
            input = input.column_scales(column_scales);
        }
        input
    }
}

impl Case {
    pub fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(|value| value.as_str().unwrap())
    }

    pub fn number(&self, key: &str) -> i64 {
        self.0[key].as_i64().unwrap()
    }

    pub fn name(&self) -> &str {
        self.text("name").unwrap()
    }

    pub fn k(&self) -> usize {
        self.number("k") as usize
    }

    pub fn n(&self) -> usize {
        self.number("n") as usize
    }

    pub fn is_sparse(&self) -> bool {
        self.text("sparsity") != Some("dense")
    }

    /// The type that a key names.
    pub fn kind(&self, key: &str) -> Type {
        match self.text(key).unwrap() {
            "none" => Type::None,
            "f16" => Type::F16,
            "bf16" => Type::Bf16,
            "s4" => Type::S4,
            "u4" => Type::U4,
            "u8" => Type::U8,
            other => panic!("{}: {key} is {other}, expected a type", self.name()),
        }
    }

    /// The formula of `key` over all of `rows` and n, `row` naming the first index.
    fn matrix<'a>(&'a self, key: &str, row: &'static str, rows: usize) -> Option<impl Iterator<Item = f64> + 'a> {
        let formula = self.text(key)?.to_string();
        let n = self.n();
        Some((0..rows * n).map(move |i| evaluate(&formula, &[(row, (i / n) as f64), ("n", (i % n) as f64)])))
    }

    fn vector(&self, key: &str, index: &str, count: usize) -> Option<Vec<f64>> {
        let groups = ("groups", self.number("groups") as f64);
        let formula = self.text(key)?;
        Some((0..count).map(|i| evaluate(formula, &[(index, i as f64), groups])).collect())
    }

    pub fn inputs(&self) -> Inputs {
        assert_eq!(self.text("src_order"), Some("k x n"));
        let groups = self.number("groups") as usize;
        let src = match self.matrix("value", "k", self.k()) {
            Some(values) => Numbers::of(self.kind("src_type"), values),
            None => {
                let codes = self.matrix("code", "k", self.k()).unwrap();
                match self.matrix("kept", "k", self.k()) {
                    Some(kept) => {
                        let other = self.text("code_where_not_kept").unwrap().parse().unwrap();
                        Numbers::of(
                            Type::U4,
                            codes.zip(kept).map(|(code, kept)| if kept != 0.0 { code } else { other }),
                        )
                    }
                    None => Numbers::of(Type::U4, codes),
                }
            }
        };
        let floats = |values: Vec<f64>| values.into_iter().map(|value| value as f32).collect();
        Inputs {
            src,
            scales: self.matrix("scale", "g", groups).map(|values| Numbers::of(self.kind("scale_type"), values)),
            zeros: self.matrix("zero", "g", groups).map(|values| Numbers::of(self.kind("zero_type"), values)),
            g_idx: self
                .vector("g_idx", "k", self.k())
                .map(|values| values.into_iter().map(|value| value as i32).collect()),
            importance: self.vector("importance", "k", self.k()).map(floats),
            column_scales: self.vector("column_scale", "n", self.n()).map(floats),
        }
    }

    pub fn pack_options(&self) -> PackOptions {
        PackOptions::new(self.k(), self.n(), self.number("group_size"))
            .weight_type(self.kind("type"))
            .zero_type(self.kind("zero_type"))
            .scale_type(self.kind("scale_type"))
            .layout(Layout::from_number(self.number("layout_number") as i32))
            .scale_method(match self.text("scale_method") {
                Some("least_squares") => ScaleMethod::LeastSquares,
                Some(other) => panic!("{}: scale_method is {other}", self.name()),
                None => ScaleMethod::MinMax,
            })
            .sparsity(match self.text("sparsity").unwrap() {
                "dense" => Sparsity::Dense,
                "already_24" => Sparsity::Already24,
                "select_24" => Sparsity::Select24,
                other => panic!("{}: sparsity is {other}", self.name()),
            })
    }

    /// A dense weight by the formulas, in double precision; for cases of codes.
    pub fn weight(&self, k: usize, n: usize, groups: usize) -> f64 {
        let group = match self.text("g_idx") {
            Some(formula) => evaluate(formula, &[("k", k as f64), ("groups", groups as f64)]),
            None if self.number("group_size") > 0 => (k / self.number("group_size") as usize) as f64,
            None => 0.0,
        };
        let at =
            |key: &str| self.text(key).map(|text| evaluate(text, &[("k", k as f64), ("n", n as f64), ("g", group)]));
        let code = at("code").unwrap();
        let code = match at("kept") {
            Some(0.0) => self.text("code_where_not_kept").unwrap().parse().unwrap(),
            _ => code,
        };
        let scale = at("scale").unwrap();
        match (self.kind("zero_type"), at("zero")) {
            (Type::None, _) => (code - 8.0) * scale,
            (Type::U8, Some(zero)) => (code - zero) * scale,
            (_, Some(offset)) => code * scale + offset,
            (kind, None) => panic!("{}: zero_type is {kind:?}, but there is no formula", self.name()),
        }
    }
}
