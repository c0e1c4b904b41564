//! Which object a path segment names: by its object id, or by the alternate key `(appId='…')`.

use uuid::Uuid;

use crate::odata::error::ODataError;
use crate::server::paths::alternate_key;

/// Place of the object in the list; `ids` gives an object's id and its application's, `has_arrived` whether it is
/// known everywhere already.
///
/// # Errors
/// The directory's 404, naming the key as it was asked for.
pub fn position_by_key<T>(
    list: &[T],
    key: &str,
    ids: impl Fn(&T) -> (Uuid, Uuid),
    has_arrived: impl Fn(Uuid) -> bool,
) -> Result<usize, ODataError> {
    let found = match alternate_key(key, "appId") {
        Some(app_id) => {
            let app_id = app_id.parse::<Uuid>().ok();
            list.iter().position(|object| Some(ids(object).1) == app_id)
        }
        None => {
            let id = key.parse::<Uuid>().ok();
            list.iter().position(|object| Some(ids(object).0) == id)
        }
    };
    let found = found.filter(|position| has_arrived(ids(&list[*position]).0));
    found.ok_or_else(|| ODataError::directory_not_found(key.trim_matches(['(', ')'])))
}
