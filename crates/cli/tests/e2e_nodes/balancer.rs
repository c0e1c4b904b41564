//! A load balancer: passes each connection to the next node that is known to be up.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// The balancer; it ends when this is dropped.
#[derive(Debug)]
pub struct Balancer {
    up: Arc<Mutex<Vec<u16>>>,
    _serving: JoinSet<()>,
}

impl Balancer {
    pub async fn start(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("the port is free");
        let up: Arc<Mutex<Vec<u16>>> = Arc::default();
        let known = up.clone();
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let turn = AtomicUsize::new(0);
            let mut passing = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                while passing.try_join_next().is_some() {}
                let nodes = known.lock().unwrap_or_else(PoisonError::into_inner).clone();
                let first = turn.fetch_add(1, Ordering::Relaxed);
                passing.spawn(pass(client, nodes, first));
            }
        });
        Self { up, _serving: serving }
    }

    pub fn set_up(&self, port: u16, is_up: bool) {
        let mut up = self.up.lock().unwrap_or_else(PoisonError::into_inner);
        up.retain(|known| *known != port);
        if is_up {
            up.push(port);
        }
    }
}

async fn pass(mut client: TcpStream, nodes: Vec<u16>, first: usize) {
    for at in 0..nodes.len() {
        let port = nodes[(first + at) % nodes.len()];
        if let Ok(mut node) = TcpStream::connect(("127.0.0.1", port)).await {
            let _ = copy_bidirectional(&mut client, &mut node).await;
            return;
        }
    }
}
