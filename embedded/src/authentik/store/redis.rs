//! Redis, which Authentik needs up to 2025.8: it starts, and is ready, only while Redis answers.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The longest time a question may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// Where Redis answers; nothing is kept there.
#[derive(Clone, Debug)]
pub struct Redis {
    /// A name or an address.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl Redis {
    /// Asks whether it is there. An error says why not: what it answered instead, or that it did not within a second.
    pub(crate) async fn ping(&self) -> Result<(), String> {
        let asked = async {
            let mut stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
            stream.write_all(b"*1\r\n$4\r\nPING\r\n").await?;
            let mut answer = [0; 128];
            let length = stream.read(&mut answer).await?;
            Ok(String::from_utf8_lossy(&answer[..length]).trim_end().to_owned())
        };
        match timeout(PATIENCE, asked).await {
            Ok(Ok(answer)) if answer == "+PONG" => Ok(()),
            Ok(Ok(answer)) => Err(format!("PING was answered by `{answer}`")),
            Ok(Err(error)) => Err(std::io::Error::to_string(&error)),
            Err(_) => Err("no answer".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;
    use tokio::net::TcpListener;

    use super::Redis;

    async fn answered(answer: &'static str) -> Result<(), String> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move { listener.accept().await.unwrap().0.write_all(answer.as_bytes()).await });
        Redis { host: "127.0.0.1".to_owned(), port }.ping().await
    }

    #[tokio::test]
    async fn only_a_pong_is_good() {
        assert_eq!(answered("+PONG\r\n").await, Ok(()));
        let refused = answered("-NOAUTH Authentication required.\r\n").await.unwrap_err();
        assert_eq!(refused, "PING was answered by `-NOAUTH Authentication required.`");
    }
}
