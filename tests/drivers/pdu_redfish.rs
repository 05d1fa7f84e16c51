//! Redfish.
