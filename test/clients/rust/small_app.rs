//! What the small apps share: a web server, one request after the other, for one member
//! whose tokens are kept in memory. What a library returns as an error is shown as its
//! developer would see it.
use std::collections::HashMap;
use std::error::Error;

use oauth2::url::Url;
use serde_json::{json, Value};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

pub type Fault = Box<dyn Error>;

#[derive(Clone, Default)]
pub struct Tokens {
    pub access: String,
    pub refresh: String,
}

impl Tokens {
    pub fn said(&self, more: Value) -> Value {
        let mut said = json!({"access_token": self.access, "refresh_token": self.refresh});
        said.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        said
    }
}

pub enum Answer {
    Redirect(String),
    Json(Value),
    None,
}

pub struct Server(TcpListener);

pub struct Request {
    pub route: String,
    pub parameters: HashMap<String, String>,
    stream: TcpStream,
}

impl Server {
    pub async fn start() -> Result<Server, Fault> {
        let listener = TcpListener::bind(format!("127.0.0.1:{}", std::env::var("PORT")?)).await?;
        println!("ready {}", version()?);
        Ok(Server(listener))
    }

    pub async fn next(&self) -> Result<Request, Fault> {
        let (mut stream, _) = self.0.accept().await?;
        let mut lines = BufReader::new(&mut stream).lines();
        let first = lines.next_line().await?.unwrap_or_default();
        while lines.next_line().await?.is_some_and(|line| !line.is_empty()) {}
        let mut words = first.split(' ');
        let method = words.next().unwrap_or_default().to_string();
        let address = Url::parse("http://localhost")?.join(words.next().unwrap_or_default())?;
        Ok(Request { route: format!("{method} {}", address.path()), parameters: address.query_pairs().into_owned().collect(), stream })
    }
}

impl Request {
    pub async fn answer(mut self, said: Result<Answer, Fault>) -> Result<(), Fault> {
        let (status, header, body) = match said {
            Ok(Answer::Redirect(to)) => ("303 See Other", format!("Location: {to}\r\n"), String::new()),
            Ok(Answer::Json(value)) => ("200 OK", String::new(), value.to_string()),
            Ok(Answer::None) => ("501 Not Implemented", String::new(), String::new()),
            Err(fault) => ("500 Internal Server Error", String::new(), show(fault.as_ref())),
        };
        let head = format!("HTTP/1.1 {status}\r\n{header}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
        self.stream.write_all((head + &body).as_bytes()).await?;
        Ok(self.stream.shutdown().await?)
    }
}

/// What a developer sees of an error: its text, and those of what caused it.
pub fn show(fault: &dyn Error) -> String {
    match fault.source() {
        Some(cause) => format!("{fault}: {}", show(cause)),
        None => fault.to_string(),
    }
}

/// The version of the crate that is tried.
fn version() -> Result<String, Fault> {
    let wanted = format!("name = \"{}\"", std::env::var("MODULE")?);
    let mut lines = include_str!("Cargo.lock").lines();
    lines.find(|line| *line == wanted).ok_or("the crate is not in Cargo.lock")?;
    Ok(lines.next().unwrap_or_default().trim_start_matches("version = ").trim_matches('"').to_string())
}
