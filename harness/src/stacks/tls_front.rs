//! TLS in front of a plain server: files that name `https://` servers find one.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// A listener that ends TLS and passes the bytes on. Dropping it stops it.
pub(crate) struct TlsFront {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl TlsFront {
    /// Starts before the plain server at `behind`, on a free port of the same address.
    ///
    /// # Errors
    /// When no port can be bound.
    pub(crate) async fn start(behind: SocketAddr, tls: Arc<ServerConfig>) -> io::Result<Self> {
        let listener = TcpListener::bind((behind.ip(), 0)).await?;
        let address = listener.local_addr()?;
        let acceptor = TlsAcceptor::from(tls);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(pass(stream, acceptor.clone(), behind));
            }
        });
        Ok(Self { address, task })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for TlsFront {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One connection. Whatever breaks it ends it, as the peer sees.
async fn pass(stream: TcpStream, acceptor: TlsAcceptor, behind: SocketAddr) {
    let Ok(mut outer) = acceptor.accept(stream).await else { return };
    let Ok(mut inner) = TcpStream::connect(behind).await else { return };
    let _ = tokio::io::copy_bidirectional(&mut outer, &mut inner).await;
}
