//! Has a release build take in every file of the library of scenarios, new ones as well. Other builds read them where
//! they stand.

fn main() {
    let release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    println!("cargo:rerun-if-changed={}", if release { "../scenarios/library" } else { "build.rs" });
}
