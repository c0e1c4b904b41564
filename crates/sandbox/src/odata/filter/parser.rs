//! Tokens of a filter into a syntax tree.
//!
//! Owns precedence (`not` before `and` before `or`), function names and lambda variables. Keywords ignore case.
//! Invariant: every token is consumed or the text is refused.

use super::lexer::Token;
use super::{CastTarget, Comparison, Expr, Operand, TextTest, ValueFunction};

/// Parses all of `tokens`.
pub fn parse(tokens: &[Token], max_depth: usize) -> Result<Expr, String> {
    let mut parser = Parser {
        tokens,
        next: 0,
        depth: max_depth,
    };
    let expr = parser.or()?;
    match parser.peek() {
        None => Ok(expr),
        Some(token) => Err(format!("syntax error near {}", shown(token))),
    }
}

struct Parser<'a> {
    tokens: &'a [Token],
    next: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.next)
    }

    fn advance(&mut self) -> Result<&'a Token, String> {
        let token = self.peek().ok_or("the expression ends too early")?;
        self.next += 1;
        Ok(token)
    }

    fn expect(&mut self, wanted: &Token) -> Result<(), String> {
        let token = self.advance()?;
        if token == wanted {
            Ok(())
        } else {
            Err(format!("expected {} near {}", shown(wanted), shown(token)))
        }
    }

    fn keyword(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(next)) if next.eq_ignore_ascii_case(word));
        if found {
            self.next += 1;
        }
        found
    }

    fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T, String>) -> Result<T, String> {
        self.depth = self.depth.checked_sub(1).ok_or("the expression is nested too deeply")?;
        let result = inner(self);
        self.depth += 1;
        result
    }

    fn or(&mut self) -> Result<Expr, String> {
        let mut left = self.and()?;
        while self.keyword("or") {
            left = Expr::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expr, String> {
        let mut left = self.unary()?;
        while self.keyword("and") {
            left = Expr::And(Box::new(left), Box::new(self.unary()?));
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expr, String> {
        if self.keyword("not") {
            return Ok(Expr::Not(Box::new(self.deeper(Self::unary)?)));
        }
        let left = self.operand()?;
        if self.keyword("in") {
            return Ok(Expr::In(left, self.list()?));
        }
        if let Some(comparison) = self.comparison() {
            return Ok(Expr::Compare(left, comparison, self.operand()?));
        }
        Ok(match left {
            Operand::Condition(inner) => *inner,
            other => Expr::Truth(other),
        })
    }

    fn comparison(&mut self) -> Option<Comparison> {
        let Some(Token::Word(word)) = self.peek() else {
            return None;
        };
        let comparison = match word.to_ascii_lowercase().as_str() {
            "eq" => Comparison::Equal,
            "ne" => Comparison::NotEqual,
            "gt" => Comparison::Greater,
            "ge" => Comparison::GreaterOrEqual,
            "lt" => Comparison::Less,
            "le" => Comparison::LessOrEqual,
            _ => return None,
        };
        self.next += 1;
        Some(comparison)
    }

    fn list(&mut self) -> Result<Vec<Operand>, String> {
        self.expect(&Token::Open)?;
        let mut list = vec![self.operand()?];
        while self.peek() == Some(&Token::Comma) {
            self.next += 1;
            list.push(self.operand()?);
        }
        self.expect(&Token::Close)?;
        Ok(list)
    }

    fn operand(&mut self) -> Result<Operand, String> {
        Ok(match self.advance()? {
            Token::Text(text) => Operand::Text(text.clone()),
            Token::Int(value) => Operand::Int(*value),
            Token::Double(value) => Operand::Double(*value),
            Token::Time(value) => Operand::Time(*value),
            Token::Open => {
                let inner = self.deeper(Self::or)?;
                self.expect(&Token::Close)?;
                match inner {
                    Expr::Truth(operand) => operand,
                    condition => Operand::Condition(Box::new(condition)),
                }
            }
            Token::Word(word) => self.word(word)?,
            token => return Err(format!("syntax error near {}", shown(token))),
        })
    }

    fn word(&mut self, word: &str) -> Result<Operand, String> {
        let lower = word.to_lowercase();
        if self.peek() == Some(&Token::Open) {
            return self.call(&lower);
        }
        Ok(match lower.as_str() {
            "true" => Operand::Bool(true),
            "false" => Operand::Bool(false),
            "null" => Operand::Null,
            "and" | "or" | "not" | "eq" | "ne" | "gt" | "ge" | "lt" | "le" | "in" => {
                return Err(format!("syntax error near '{word}'"));
            }
            _ => Operand::Path(lower.trim_matches('/').to_owned()),
        })
    }

    fn call(&mut self, name: &str) -> Result<Operand, String> {
        self.next += 1;
        if let Some(path) = name.strip_suffix("/any") {
            return self.deeper(|parser| parser.any(path));
        }
        if let Some(path) = name.strip_suffix("/all") {
            return self.deeper(|parser| parser.all(path));
        }
        let test = match name {
            "contains" => Some(TextTest::Contains),
            "startswith" => Some(TextTest::StartsWith),
            "endswith" => Some(TextTest::EndsWith),
            _ => None,
        };
        if let Some(test) = test {
            let text = self.deeper(Self::operand)?;
            self.expect(&Token::Comma)?;
            let part = self.deeper(Self::operand)?;
            self.expect(&Token::Close)?;
            return Ok(Operand::Condition(Box::new(Expr::Text(test, text, part))));
        }
        if name == "cast" {
            let value = self.deeper(Self::operand)?;
            self.expect(&Token::Comma)?;
            let target = self.cast_target()?;
            self.expect(&Token::Close)?;
            return Ok(Operand::Cast(Box::new(value), target));
        }
        let function =
            ValueFunction::named(name).ok_or_else(|| format!("an unknown function with name '{name}' was found"))?;
        let mut arguments = Vec::new();
        if self.peek() == Some(&Token::Close) {
            self.next += 1;
        } else {
            loop {
                arguments.push(self.deeper(Self::operand)?);
                match self.advance()? {
                    Token::Comma => {}
                    Token::Close => break,
                    token => return Err(format!("syntax error near {}", shown(token))),
                }
            }
        }
        if function.takes(arguments.len()) {
            Ok(Operand::Call(function, arguments))
        } else {
            Err(format!(
                "no function signature for the function with name '{name}' takes {} arguments",
                arguments.len()
            ))
        }
    }

    fn any(&mut self, path: &str) -> Result<Operand, String> {
        if self.peek() == Some(&Token::Close) {
            self.next += 1;
            return Ok(condition(Expr::Any(path.to_owned(), String::new(), None)));
        }
        let (variable, predicate) = self.lambda()?;
        Ok(condition(Expr::Any(
            path.to_owned(),
            variable,
            Some(Box::new(predicate)),
        )))
    }

    fn all(&mut self, path: &str) -> Result<Operand, String> {
        let (variable, predicate) = self.lambda()?;
        Ok(condition(Expr::All(path.to_owned(), variable, Box::new(predicate))))
    }

    fn lambda(&mut self) -> Result<(String, Expr), String> {
        let Token::Word(variable) = self.advance()? else {
            return Err("expected a range variable".to_owned());
        };
        self.expect(&Token::Colon)?;
        let predicate = self.or()?;
        self.expect(&Token::Close)?;
        Ok((variable.to_lowercase(), predicate))
    }

    fn cast_target(&mut self) -> Result<CastTarget, String> {
        let Token::Word(name) = self.advance()? else {
            return Err("expected a type name".to_owned());
        };
        Ok(match name.to_ascii_lowercase().as_str() {
            "edm.int16" | "edm.int32" | "edm.int64" => CastTarget::Int,
            "edm.double" | "edm.single" | "edm.decimal" => CastTarget::Double,
            "edm.boolean" => CastTarget::Bool,
            "edm.datetimeoffset" | "edm.date" => CastTarget::Time,
            "edm.string" | "edm.guid" => CastTarget::Text,
            _ => return Err(format!("the type '{name}' is not known")),
        })
    }
}

fn condition(expr: Expr) -> Operand {
    Operand::Condition(Box::new(expr))
}

fn shown(token: &Token) -> String {
    match token {
        Token::Word(word) => format!("'{word}'"),
        Token::Text(text) => format!("the text '{text}'"),
        Token::Int(value) => format!("'{value}'"),
        Token::Double(value) => format!("'{value}'"),
        Token::Time(value) => format!("'{value}'"),
        Token::Open => "'('".to_owned(),
        Token::Close => "')'".to_owned(),
        Token::Comma => "','".to_owned(),
        Token::Colon => "':'".to_owned(),
    }
}
