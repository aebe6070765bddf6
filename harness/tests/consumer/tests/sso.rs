//! The single sign-on of this repository.

fn main() -> std::process::ExitCode {
    ssoproof::suite::main("sso/deployment.yaml")
}
