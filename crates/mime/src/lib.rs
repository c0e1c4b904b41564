//! Bytes to normalised mail: parse, sanitise, text, compose.
