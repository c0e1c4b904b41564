//! OData conventions that every Graph resource of the tenant shares: error bodies, query options, filters.
//!
//! Owns no data and knows no resource; it turns request text into checked values and failures into Graph's error
//! documents.

pub mod error;
pub mod filter;
pub mod query;
