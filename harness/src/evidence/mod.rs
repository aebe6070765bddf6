//! What a case leaves behind: ledger, loops, redaction.
