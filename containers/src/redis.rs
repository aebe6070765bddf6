//! Redis: where Authentik kept sessions and tasks up to 2025.8; later ones ignore it.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::component::{Component, Planned, Recipe};
use crate::docker::Error;
use crate::lab::Lab;
use crate::ready::{self, LIMIT};

/// Its name in a stack.
const NAME: &str = "redis";
const PORT: u16 = 6379;

/// The name by which the other containers of a stack reach it.
pub fn host(lab: &Lab) -> String {
    lab.container(NAME)
}

/// A Redis that keeps nothing on disk.
pub fn plan(lab: &Lab, image: &str) -> Planned {
    let mut recipe = Recipe::new(NAME, image, &lab.back);
    recipe.command = ["redis-server", "--save", "", "--appendonly", "no"].map(str::to_owned).into();
    Planned { lab: lab.clone(), recipe }
}

/// Waits for the PONG of the one in `component`.
///
/// # Errors
/// [`Error`] with the last state and the end of its log.
pub async fn ready(component: Component) -> Result<Component, Error> {
    let address = component.address(PORT).await?;
    ready::ready(&component, LIMIT, async || {
        let mut stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
        stream.write_all(b"PING\r\n").await.map_err(|error| error.to_string())?;
        let mut answer = [0; 7];
        stream.read_exact(&mut answer).await.map_err(|error| error.to_string())?;
        if &answer == b"+PONG\r\n" { Ok(()) } else { Err(String::from_utf8_lossy(&answer).into_owned()) }
    })
    .await?;
    Ok(component)
}
