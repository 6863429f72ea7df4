//! Evaluates the formulas of the golden manifest: numbers and names with + - * / // % == or, and parentheses, as
//! Python.

/// The value of `text` where `names` have these values.
pub fn evaluate(text: &str, names: &[(&str, f64)]) -> f64 {
    let mut parser = Parser { tokens: tokens(text), next: 0, names };
    let value = parser.either();
    assert_eq!(parser.next, parser.tokens.len(), "\"{text}\" goes on after an expression");
    value
}

fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let length = if is_word(first) {
            rest.find(|c| !is_word(c)).unwrap_or(rest.len())
        } else if rest.starts_with("//") || rest.starts_with("==") {
            2
        } else {
            1
        };
        tokens.push(rest[..length].to_string());
        rest = rest[length..].trim_start();
    }
    tokens
}

struct Parser<'a> {
    tokens: Vec<String>,
    next: usize,
    names: &'a [(&'a str, f64)],
}

impl Parser<'_> {
    /// Takes the next token if it is one of these.
    fn take(&mut self, wanted: &[&str]) -> Option<String> {
        let token = self.tokens.get(self.next).filter(|token| wanted.contains(&token.as_str()))?.clone();
        self.next += 1;
        Some(token)
    }

    fn either(&mut self) -> f64 {
        let mut value = self.comparison();
        while self.take(&["or"]).is_some() {
            let other = self.comparison();
            value = if value != 0.0 { value } else { other };
        }
        value
    }

    fn comparison(&mut self) -> f64 {
        let value = self.sum();
        match self.take(&["=="]) {
            Some(_) => f64::from(value == self.sum()),
            None => value,
        }
    }

    fn sum(&mut self) -> f64 {
        let mut value = self.product();
        while let Some(sign) = self.take(&["+", "-"]) {
            let other = self.product();
            value = if sign == "+" { value + other } else { value - other };
        }
        value
    }

    fn product(&mut self) -> f64 {
        let mut value = self.operand();
        while let Some(sign) = self.take(&["*", "/", "//", "%"]) {
            let other = self.operand();
            value = match sign.as_str() {
                "*" => value * other,
                "/" => value / other,
                "//" => (value / other).floor(),
                _ => value - (value / other).floor() * other,
            };
        }
        value
    }

    fn operand(&mut self) -> f64 {
        if self.take(&["("]).is_some() {
            let value = self.either();
            assert!(self.take(&[")"]).is_some(), "a parenthesis is not closed");
            return value;
        }
        let token = self.tokens.get(self.next).expect("a formula ends where a number or name is expected");
        self.next += 1;
        let known = self.names.iter().find(|(name, _)| name == token).map(|(_, value)| *value);
        known.unwrap_or_else(|| token.parse().unwrap_or_else(|_| panic!("\"{token}\" is no number and no known name")))
    }
}

#[test]
fn formulas_mean_what_they_mean_in_python() {
    let names = [("k", 7.0), ("n", 3.0)];
    assert_eq!(evaluate("(7 * k + 3 * n + k * n % 5) % 16", &names), 11.0);
    assert_eq!(evaluate("k % 4 == n % 4 or k % 4 == (n + 1 + k // 4 % 3) % 4", &names), 1.0);
    assert_eq!(evaluate("k // 4 % 3 == 2 or k == n", &names), 0.0);
    assert_eq!(evaluate("((k + 3 * n) % 9 - 8) / 8", &names), -0.125);
}
