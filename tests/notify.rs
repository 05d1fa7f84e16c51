//! Tests of notify from outside.
