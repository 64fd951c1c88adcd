//! Measures Wardtap: see `docs/evaluation.md`.

fn main() -> anyhow::Result<()> {
    evaluation::cli::run()
}
