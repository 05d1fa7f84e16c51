//! Tests of dashboard from outside.
