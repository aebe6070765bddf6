//! A file as it was read, with what tells whether it is still the same.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use ssoproof_deployment::Source;

/// The longest file that is patched, in bytes.
const LONGEST: u64 = 4 << 20;

/// A file that was read.
#[derive(Debug)]
pub struct Read {
    /// Its name as it was asked for, and its text.
    pub source: Source,
    /// Where it really is, links followed.
    pub(crate) path: PathBuf,
    pub(crate) file: File,
    pub(crate) stamp: Stamp,
}

/// Why a file was not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is not there.
    #[error("it is gone")]
    Gone,
    /// It is a folder, a pipe or a device.
    #[error("it is no file")]
    NoFile,
    /// It is too long.
    #[error("it is longer than {LONGEST} bytes")]
    Long,
    /// It is no text.
    #[error("it is no UTF-8")]
    NoText,
    /// The system refuses.
    #[error(transparent)]
    Io(io::Error),
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Gone,
            io::ErrorKind::InvalidData => Self::NoText,
            _ => Self::Io(error),
        }
    }
}

/// What changes when a file is written or replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    device: u64,
    inode: u64,
    length: u64,
    modified: (i64, i64),
    mode: u32,
    owner: (u32, u32),
}

impl Stamp {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            mode: metadata.mode(),
            owner: (metadata.uid(), metadata.gid()),
        }
    }

    pub(crate) fn mode(&self) -> u32 {
        self.mode & 0o7777
    }

    pub(crate) fn owner(&self) -> (u32, u32) {
        self.owner
    }
}

impl Read {
    /// Reads the file at `path`, links followed.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let real = std::fs::canonicalize(path)?;
        // A pipe would keep the open waiting for its other end.
        let flags = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or_default();
        let file = OpenOptions::new().read(true).custom_flags(flags).open(&real)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(ReadError::NoFile);
        }
        let text = text_of(&file)?;
        let source = Source { path: path.into(), text: text.into() };
        Ok(Self { source, path: real, stamp: Stamp::of(&metadata), file })
    }
}

/// All that `file` holds, from its start.
pub(crate) fn text_of(file: &File) -> Result<String, ReadError> {
    use std::os::unix::fs::FileExt as _;
    let length = file.metadata()?.len();
    if length > LONGEST {
        return Err(ReadError::Long);
    }
    struct At<'a>(&'a File, u64);
    impl io::Read for At<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let read = self.0.read_at(buffer, self.1)?;
            self.1 += read as u64;
            Ok(read)
        }
    }
    let mut text = String::new();
    At(file, 0).take(LONGEST + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LONGEST { Err(ReadError::Long) } else { Ok(text) }
}
