//! Tests of drivers from outside.
