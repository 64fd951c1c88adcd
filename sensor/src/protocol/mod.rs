//! Whole-session parsers over the records of the tape.
