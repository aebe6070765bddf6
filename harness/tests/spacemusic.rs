//! Every case of the SpaceMusic deployment as a named test, with a snapshot of what it does.

use ssoproof::suite::Suite;

fn main() -> std::process::ExitCode {
    Suite::new("../scenarios/spacemusic").snapshots("../snapshots").main()
}
