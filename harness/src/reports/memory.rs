//! How much memory this process has taken.

/// The most memory that this process has held at once, in MiB; none where the system does not tell.
pub(super) fn peak() -> Option<u64> {
    parse(&std::fs::read_to_string("/proc/self/status").ok()?)
}

fn parse(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib.div_ceil(1024))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_peak_is_read_in_mib() {
        assert_eq!(super::parse("Name:\tssoproof\nVmHWM:\t  84144 kB\nVmRSS:\t 100 kB\n"), Some(83));
        assert_eq!(super::parse("Name:\tssoproof\n"), None);
    }
}
