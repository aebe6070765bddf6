//! The embedded minio.
