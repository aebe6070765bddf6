//! Traefik dynamic files, read and merged as Traefik's file provider does.
