//! A SCIM endpoint in memory, one tenant, one token: `cargo run -p quickstart`, then follow what it prints.

use scimwright::core::Catalog;
use scimwright::http::{Scim, StaticToken};
use scimwright::service::{Context, Service};
use scimwright::store::InMemory;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener =
        tokio::net::TcpListener::bind(std::env::args().nth(1).as_deref().unwrap_or("127.0.0.1:8080")).await?;
    let base = format!("http://{}/scim/v2", listener.local_addr()?);
    let service = Service::new(Catalog::standard(), InMemory::default());
    let caller = Context::new("acme".parse()?, "quickstart", &base);
    let scim = Scim::new(service, StaticToken::new("secret", caller));
    eprintln!("curl -s '{base}/Users' -H 'Authorization: Bearer secret'");
    axum::serve(listener, axum::Router::new().nest_service("/scim/v2", scim)).await?;
    Ok(())
}
