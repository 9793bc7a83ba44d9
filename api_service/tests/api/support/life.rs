//! One life of a fake worker.

use tokio::runtime::Runtime;

/// A runtime of the worker's own: when it ends, its connections break as those of a killed process.
pub struct Life(pub Option<Runtime>);

impl Drop for Life {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
