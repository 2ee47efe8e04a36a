//! A process that runs beside the steps, its output going to a file.

use std::io;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::process::{Group, Plan, ending};
use crate::sink::Sink;

type Ending = Option<Result<i32, String>>;

pub struct Running {
    group: Group,
    ended: watch::Receiver<Ending>,
    output: JoinHandle<()>,
}

impl Running {
    pub fn start(plan: &Plan, sink: Sink) -> io::Result<Self> {
        let (mut child, group, pipe) = plan.start_joined()?;
        let (tell, ended) = watch::channel(None);
        tokio::spawn(async move {
            let ended = child
                .wait()
                .await
                .map_or_else(|error| Err(error.to_string()), ending);
            tell.send_replace(Some(ended));
        });
        let output = tokio::spawn(drain(pipe, sink));
        Ok(Self { group, ended, output })
    }

    /// How it ended, if it has.
    pub fn ended(&self) -> Ending {
        self.ended.borrow().clone()
    }

    /// Waits for its end.
    pub async fn wait(&self) -> Result<i32, String> {
        let mut ended = self.ended.clone();
        let ended = ended.wait_for(Option::is_some).await;
        ended
            .ok()
            .and_then(|it| it.clone())
            .unwrap_or_else(|| Err("nobody knows".into()))
    }

    /// Asks it to end and kills it when it does not. How it ended by itself.
    pub async fn end(self, grace: Duration) -> Ending {
        let mut ended = self.ended();
        if ended.is_none() {
            self.group.terminate();
            ended = timeout(grace, self.wait()).await.ok();
        }
        let Self { group, output, .. } = self;
        drop(group);
        // Its output ends with its last process.
        drop(timeout(Duration::from_secs(2), output).await);
        ended
    }
}

/// What cannot be written is lost, and the end of the run says that the disk is full.
async fn drain(mut pipe: Receiver, mut sink: Sink) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = pipe.read(&mut buffer).await {
        if sink.take(&buffer[..read]).is_err() {
            return;
        }
    }
}
