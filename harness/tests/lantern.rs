//! Every case of the Lantern Books deployment, one domain behind one provider, as a named test.

use ssoproof::suite::Suite;

fn main() -> std::process::ExitCode {
    Suite::new("../scenarios/lantern").main()
}
